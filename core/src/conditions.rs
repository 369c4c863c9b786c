//! May this run now, and if not, why not?
//!
//! One pure function decides and explains, so that what the code does and what a screen says cannot differ. It knows
//! only what it is told: the platform tells network and power, the person sets the rules.

use crate::content::{Network, Purpose};
use std::fmt;

/// What the platform has told of the device. Nothing is guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Situation {
    /// The network there is.
    pub network: Network,
    /// The network is a foreign operator's.
    pub roaming: bool,
    /// On a charger, or fully charged; `None` when not told.
    pub charging: Option<bool>,
    /// The battery, 0 to 100; `None` when not told.
    pub battery_percent: Option<u8>,
    /// The person has asked the device to save power.
    pub low_power: bool,
    /// Minutes east of Greenwich of the device's clock.
    pub zone_minutes: i32,
}

impl Situation {
    /// The kind of network that bytes are counted under. A foreign operator's costs money, whatever kind it is told as.
    pub fn counted_as(&self) -> Network {
        match self.network {
            Network::Offline => Network::Offline,
            _ if self.roaming => Network::Metered,
            told => told,
        }
    }
}

/// A person's rules for what Lomme does by itself. What a person asks for at this moment (opening, streaming, a
/// thumbnail on screen) is never held back by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rules {
    /// May use a metered network.
    pub on_metered: bool,
    /// May use a foreign operator's network; then `on_metered` must be allowed too.
    pub on_roaming: bool,
    /// Bytes a calendar month (UTC) over metered networks, at the most.
    pub metered_bytes_a_month: Option<u64>,
    /// Only on a charger.
    pub only_charging: bool,
    /// Not below this many percent of battery, unless on a charger.
    pub battery_at_least: u8,
    /// Also while the device saves power.
    pub on_low_power: bool,
}

impl Default for Rules {
    /// Not metered, not roaming, at 15 % of battery or more, not while the device saves power.
    fn default() -> Self {
        Self {
            on_metered: false,
            on_roaming: false,
            metered_bytes_a_month: None,
            only_charging: false,
            battery_at_least: 15,
            on_low_power: false,
        }
    }
}

/// Work that wants to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// What for.
    pub purpose: Purpose,
    /// Bytes that it will bring to this device, as far as known.
    pub bytes: u64,
    /// It runs by itself: nobody waits for it at this moment, even if a person has asked for it before. What is pinned
    /// or backed up always does.
    pub by_itself: bool,
}

/// All else that the decision needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// Somebody is signed in.
    pub signed_in: bool,
    /// Bytes that metered networks have brought this month.
    pub metered_bytes: u64,
    /// Bytes free on the device's volume.
    pub free_bytes: u64,
    /// Bytes that must stay free.
    pub floor_bytes: u64,
}

/// The one reason why work waits. What it prints says what would release it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nobody is signed in.
    SignIn,
    /// There is no network.
    NoNetwork,
    /// The network is metered, which the rules forbid.
    Metered,
    /// The network is a foreign operator's, which the rules forbid.
    Roaming,
    /// This month's bytes over metered networks are used up.
    DataCap {
        /// Bytes used this month.
        used: u64,
        /// Bytes allowed.
        cap: u64,
    },
    /// The rules want a charger.
    Charger,
    /// The battery is too low.
    Battery {
        /// Percent now.
        percent: u8,
        /// Percent that it takes.
        at_least: u8,
    },
    /// The device saves power.
    LowPower,
    /// The device has too little space.
    FreeSpace {
        /// Bytes that must be freed.
        missing: u64,
    },
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn => f.write_str("Nobody is signed in. It goes on after a sign-in."),
            Self::NoNetwork => {
                f.write_str("There is no network. It goes on when the device is online again.")
            }
            Self::Metered => f.write_str(
                "This network is metered. It goes on over an unmetered network, or when metered ones are allowed.",
            ),
            Self::Roaming => f.write_str(
                "This is a foreign operator's network. It goes on at home or over an unmetered network, or when roaming is allowed.",
            ),
            Self::DataCap { used, cap } => write!(
                f,
                "This month's metered data is used up ({} of {}). It goes on over an unmetered network, next month, or with a larger limit.",
                Bytes(*used),
                Bytes(*cap)
            ),
            Self::Charger => f.write_str(
                "The device is not charging. It goes on when it is on a charger, or when that is no longer asked for.",
            ),
            Self::Battery { percent, at_least } => write!(
                f,
                "The battery is at {percent} %. It goes on at {at_least} %, or when the device is on a charger."
            ),
            Self::LowPower => f.write_str(
                "The device saves power. It goes on when that is switched off, or when it is allowed meanwhile.",
            ),
            Self::FreeSpace { missing } => write!(
                f,
                "The device is too full. It goes on when {} more are free.",
                Bytes(*missing)
            ),
        }
    }
}

/// A number of bytes, for people.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut whole, mut tenths) = (self.0, 0);
        for unit in ["bytes", "kB", "MB", "GB", "TB"] {
            if whole < 1000 || unit == "TB" {
                return match tenths {
                    0 => write!(f, "{whole} {unit}"),
                    _ => write!(f, "{whole}.{tenths} {unit}"),
                };
            }
            (whole, tenths) = (whole / 1000, whole % 1000 / 100);
        }
        Ok(())
    }
}

/// Whether a person waits for it at this moment, so that the rules for what runs by itself do not hold it back.
fn asked_for_now(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Open | Purpose::Stream | Purpose::Thumbnail | Purpose::Edit => true,
        Purpose::Pin | Purpose::Camera => false,
    }
}

/// Decides. One reason is told, the first that holds in this order: without a sign-in or a network nothing can run at
/// all; then what another network would release (roaming, metered, the month's limit); then what takes room on the
/// device; then what waits for power, where low power comes first because switching it off is the quickest.
///
/// What the platform has not told (an unknown network, an unknown battery) holds nothing back: a desktop has no metered
/// network and often no battery, and work that waits for what is never told would wait for ever. So a phone must tell. A
/// foreign operator's network costs money, whatever kind it is told as.
pub fn decide(
    work: &Work,
    rules: &Rules,
    situation: &Situation,
    circumstances: &Circumstances,
) -> Result<(), Waiting> {
    if !circumstances.signed_in {
        return Err(Waiting::SignIn);
    }
    if situation.network == Network::Offline {
        return Err(Waiting::NoNetwork);
    }
    let by_itself = work.by_itself || !asked_for_now(work.purpose);
    if by_itself && situation.roaming && !rules.on_roaming {
        return Err(Waiting::Roaming);
    }
    if by_itself && situation.counted_as() == Network::Metered {
        if !rules.on_metered {
            return Err(Waiting::Metered);
        }
        let used = circumstances.metered_bytes;
        if let Some(cap) = rules.metered_bytes_a_month
            && (used >= cap || work.bytes > cap - used)
        {
            return Err(Waiting::DataCap { used, cap });
        }
    }
    let wanted = circumstances.floor_bytes.saturating_add(work.bytes);
    if work.bytes > 0 && wanted > circumstances.free_bytes {
        return Err(Waiting::FreeSpace {
            missing: wanted - circumstances.free_bytes,
        });
    }
    if by_itself {
        if situation.low_power && !rules.on_low_power {
            return Err(Waiting::LowPower);
        }
        let charging = situation.charging == Some(true);
        match situation.battery_percent {
            Some(percent) if percent < rules.battery_at_least && !charging => {
                return Err(Waiting::Battery {
                    percent,
                    at_least: rules.battery_at_least,
                });
            }
            _ => {}
        }
        if rules.only_charging && situation.charging == Some(false) {
            return Err(Waiting::Charger);
        }
    }
    Ok(())
}

/// The calendar month (UTC) of a moment, as `yyyymm`.
pub(crate) fn month(ms: i64) -> i64 {
    // Days are counted from 1 March of a year 0, so that the leap day is the last of its year.
    let days = ms.div_euclid(24 * 60 * 60 * 1000) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (year, month) = match from_march {
        0..10 => (year, from_march + 3),
        _ => (year + 1, from_march - 9),
    };
    (era * 400 + year) * 100 + month
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PIN: Work = Work {
        purpose: Purpose::Pin,
        bytes: 100,
        by_itself: true,
    };

    fn fine() -> (Rules, Situation, Circumstances) {
        let circumstances = Circumstances {
            signed_in: true,
            metered_bytes: 0,
            free_bytes: 1_000,
            floor_bytes: 500,
        };
        (Rules::default(), Situation::default(), circumstances)
    }

    /// What holds a case back, in the order in which it must be told.
    fn all_reasons(
        work: &Work,
        rules: &Rules,
        situation: &Situation,
        circumstances: &Circumstances,
    ) -> Vec<&'static str> {
        let by_itself = matches!(work.purpose, Purpose::Pin | Purpose::Camera | Purpose::Edit);
        let pays = situation.roaming || situation.network == Network::Metered;
        let mut reasons = Vec::new();
        let mut add = |holds: bool, name| {
            if holds {
                reasons.push(name);
            }
        };
        add(!circumstances.signed_in, "SignIn");
        add(situation.network == Network::Offline, "NoNetwork");
        add(
            by_itself && situation.roaming && !rules.on_roaming,
            "Roaming",
        );
        add(by_itself && pays && !rules.on_metered, "Metered");
        add(
            by_itself
                && pays
                && rules
                    .metered_bytes_a_month
                    .is_some_and(|cap| circumstances.metered_bytes + work.bytes > cap),
            "DataCap",
        );
        add(
            circumstances.free_bytes < circumstances.floor_bytes + work.bytes,
            "FreeSpace",
        );
        add(
            by_itself && situation.low_power && !rules.on_low_power,
            "LowPower",
        );
        add(
            by_itself
                && situation.charging != Some(true)
                && situation
                    .battery_percent
                    .is_some_and(|percent| percent < rules.battery_at_least),
            "Battery",
        );
        add(
            by_itself && rules.only_charging && situation.charging == Some(false),
            "Charger",
        );
        reasons
    }

    #[test]
    fn every_combination_is_decided_by_its_first_reason_and_by_nothing_else() {
        let networks = [
            Network::Unknown,
            Network::Unmetered,
            Network::Metered,
            Network::Offline,
        ];
        let both = [false, true];
        let told = [None, Some(false), Some(true)];
        let (mut cases, mut seen) = (0, std::collections::BTreeMap::new());
        // Each bit of `n` is a rule, a fact or a number of two.
        for (purpose, n) in [Purpose::Open, Purpose::Pin, Purpose::Camera, Purpose::Edit]
            .into_iter()
            .flat_map(|purpose| (0..1u32 << 11).map(move |n| (purpose, n)))
        {
            let bit = |b: u32| both[(n >> b & 1) as usize];
            for network in networks {
                for charging in told {
                    let work = Work {
                        purpose,
                        bytes: 100,
                        by_itself: purpose == Purpose::Edit,
                    };
                    let rules = Rules {
                        on_metered: bit(0),
                        on_roaming: bit(1),
                        metered_bytes_a_month: bit(2).then_some(1_000),
                        only_charging: bit(3),
                        battery_at_least: 15,
                        on_low_power: bit(4),
                    };
                    let situation = Situation {
                        network,
                        roaming: bit(5),
                        charging,
                        battery_percent: bit(6).then_some(if bit(7) { 14 } else { 15 }),
                        low_power: bit(8),
                        zone_minutes: 0,
                    };
                    let circumstances = Circumstances {
                        signed_in: network != Network::Metered || bit(9),
                        metered_bytes: if bit(9) { 901 } else { 900 },
                        free_bytes: if bit(10) { 599 } else { 600 },
                        floor_bytes: 500,
                    };
                    let decided = decide(&work, &rules, &situation, &circumstances);
                    let told = decided.err().map(|waiting| format!("{waiting:?}"));
                    let told = told.as_deref().map(|told| told.split(' ').next().unwrap());
                    let reasons = all_reasons(&work, &rules, &situation, &circumstances);
                    assert_eq!(
                        told,
                        reasons.first().copied(),
                        "{work:?} {rules:?} {situation:?} {circumstances:?}"
                    );
                    *seen.entry(told.map(str::to_owned)).or_insert(0) += 1;
                    cases += 1;
                }
            }
        }
        assert_eq!(cases, 4 * 2048 * 4 * 3);
        assert_eq!(seen.len(), 10, "every reason was met: {seen:?}");
    }

    #[test]
    fn the_numbers_of_a_reason_are_those_that_decided() {
        let (rules, situation, mut circumstances) = fine();
        circumstances.free_bytes = 580;
        assert_eq!(
            decide(&PIN, &rules, &situation, &circumstances),
            Err(Waiting::FreeSpace { missing: 20 })
        );
        let (mut rules, mut situation, mut circumstances) = fine();
        rules.on_metered = true;
        rules.metered_bytes_a_month = Some(1_000);
        situation.network = Network::Metered;
        circumstances.metered_bytes = 900;
        assert_eq!(decide(&PIN, &rules, &situation, &circumstances), Ok(()));
        circumstances.metered_bytes = 901;
        assert_eq!(
            decide(&PIN, &rules, &situation, &circumstances),
            Err(Waiting::DataCap {
                used: 901,
                cap: 1_000
            })
        );
        let (rules, mut situation, circumstances) = fine();
        situation.battery_percent = Some(3);
        assert_eq!(
            decide(&PIN, &rules, &situation, &circumstances),
            Err(Waiting::Battery {
                percent: 3,
                at_least: 15
            })
        );
        situation.charging = Some(true);
        assert_eq!(decide(&PIN, &rules, &situation, &circumstances), Ok(()));
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let (mut rules, mut situation, mut circumstances) = fine();
        rules.on_metered = true;
        rules.metered_bytes_a_month = Some(u64::MAX);
        situation.network = Network::Metered;
        circumstances.metered_bytes = u64::MAX - 1;
        circumstances.floor_bytes = u64::MAX;
        let work = Work {
            bytes: u64::MAX,
            ..PIN
        };
        assert!(matches!(
            decide(&work, &rules, &situation, &circumstances),
            Err(Waiting::DataCap { .. })
        ));
        rules.metered_bytes_a_month = None;
        assert_eq!(
            decide(&work, &rules, &situation, &circumstances),
            Err(Waiting::FreeSpace {
                missing: u64::MAX - 1_000
            })
        );
    }

    #[test]
    fn work_of_no_known_bytes_waits_for_no_space_and_for_no_more_than_a_used_up_month() {
        let (mut rules, mut situation, mut circumstances) = fine();
        let work = Work { bytes: 0, ..PIN };
        circumstances.free_bytes = 0;
        assert_eq!(decide(&work, &rules, &situation, &circumstances), Ok(()));
        rules.on_metered = true;
        rules.metered_bytes_a_month = Some(10);
        situation.network = Network::Metered;
        circumstances.metered_bytes = 9;
        assert_eq!(decide(&work, &rules, &situation, &circumstances), Ok(()));
        circumstances.metered_bytes = 10;
        assert!(decide(&work, &rules, &situation, &circumstances).is_err());
    }

    #[test]
    fn a_reason_is_two_sentences_the_cause_and_the_release() {
        for waiting in [
            Waiting::SignIn,
            Waiting::NoNetwork,
            Waiting::Metered,
            Waiting::Roaming,
            Waiting::DataCap {
                used: 1_234_567,
                cap: 2_000_000_000,
            },
            Waiting::Charger,
            Waiting::Battery {
                percent: 3,
                at_least: 15,
            },
            Waiting::LowPower,
            Waiting::FreeSpace { missing: 999 },
        ] {
            let text = waiting.to_string();
            let (cause, release) = text.split_once(". ").unwrap();
            assert!(!cause.is_empty() && release.starts_with("It goes on "));
            assert!(release.ends_with('.'), "{text}");
        }
        let cap = Waiting::DataCap {
            used: 1_234_567,
            cap: 2_000_000_000,
        };
        assert!(cap.to_string().contains("(1.2 MB of 2 GB)"), "{cap}");
    }

    #[test]
    fn a_month_is_the_calendars() {
        for (ms, expected) in [
            (0, 197_001),
            (-1, 196_912),
            (951_782_400_000, 200_002),
            (951_868_799_999, 200_002),
            (951_868_800_000, 200_003),
            (1_767_225_599_999, 202_512),
            (1_767_225_600_000, 202_601),
            (4_107_542_400_000, 210_003),
        ] {
            assert_eq!(month(ms), expected, "{ms}");
        }
    }
}
