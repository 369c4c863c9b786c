//! What the device is like, what the person allows, and what is waited for.

use crate::LommeError;
use crate::call::guarded;

twin! {
    /// The kind of network, as the platform tells it.
    NetworkKind = lomme::content::Network {
        /// The platform has not told.
        Unknown,
        /// Free to use.
        Unmetered,
        /// Costs money.
        Metered,
        /// There is none.
        Offline,
    }
}

/// What the platform has told of the device. Nothing is guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct DeviceSituation {
    /// The network there is.
    pub network: NetworkKind,
    /// The network is a foreign operator's.
    #[uniffi(default = false)]
    pub roaming: bool,
    /// On a charger, or fully charged; none when not told.
    #[uniffi(default = None)]
    pub charging: Option<bool>,
    /// The battery, 0 to 100; none when not told.
    #[uniffi(default = None)]
    pub battery_percent: Option<u8>,
    /// The person has asked the device to save power.
    #[uniffi(default = false)]
    pub low_power: bool,
    /// Minutes east of Greenwich of the device's clock, for a schedule's hours and for the months of photos.
    #[uniffi(default = 0)]
    pub zone_minutes: i32,
}

impl From<lomme::conditions::Situation> for DeviceSituation {
    fn from(situation: lomme::conditions::Situation) -> Self {
        Self {
            network: situation.network.into(),
            roaming: situation.roaming,
            charging: situation.charging,
            battery_percent: situation.battery_percent,
            low_power: situation.low_power,
            zone_minutes: situation.zone_minutes,
        }
    }
}

impl From<DeviceSituation> for lomme::conditions::Situation {
    fn from(situation: DeviceSituation) -> Self {
        Self {
            network: situation.network.into(),
            roaming: situation.roaming,
            charging: situation.charging,
            battery_percent: situation.battery_percent,
            low_power: situation.low_power,
            zone_minutes: situation.zone_minutes,
        }
    }
}

/// A person's rules for what Lomme does by itself. What a person asks for at this moment (opening, streaming, a
/// thumbnail on screen) is never held back by them. Whatever is left out is the most careful choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct FetchRules {
    /// May use a metered network.
    #[uniffi(default = false)]
    pub on_metered: bool,
    /// May use a foreign operator's network; then `onMetered` must be allowed too.
    #[uniffi(default = false)]
    pub on_roaming: bool,
    /// Bytes a calendar month (UTC) over metered networks, at the most.
    #[uniffi(default = None)]
    pub metered_bytes_a_month: Option<u64>,
    /// Only on a charger.
    #[uniffi(default = false)]
    pub only_charging: bool,
    /// Not below this many percent of battery, unless on a charger.
    #[uniffi(default = 15)]
    pub battery_at_least: u8,
    /// Also while the device saves power.
    #[uniffi(default = false)]
    pub on_low_power: bool,
}

impl From<lomme::conditions::Rules> for FetchRules {
    fn from(rules: lomme::conditions::Rules) -> Self {
        Self {
            on_metered: rules.on_metered,
            on_roaming: rules.on_roaming,
            metered_bytes_a_month: rules.metered_bytes_a_month,
            only_charging: rules.only_charging,
            battery_at_least: rules.battery_at_least,
            on_low_power: rules.on_low_power,
        }
    }
}

impl From<FetchRules> for lomme::conditions::Rules {
    fn from(rules: FetchRules) -> Self {
        Self {
            on_metered: rules.on_metered,
            on_roaming: rules.on_roaming,
            metered_bytes_a_month: rules.metered_bytes_a_month,
            only_charging: rules.only_charging,
            battery_at_least: rules.battery_at_least,
            on_low_power: rules.on_low_power,
        }
    }
}

/// The one reason why work waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum WaitReason {
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

#[uniffi::export]
impl WaitReason {
    /// A sentence in English: what is waited for, and what would end the wait.
    pub fn text(&self) -> Result<String, LommeError> {
        guarded(|| Ok(lomme::conditions::Waiting::from(*self).to_string()))
    }
}

impl From<lomme::conditions::Waiting> for WaitReason {
    fn from(waiting: lomme::conditions::Waiting) -> Self {
        use lomme::conditions::Waiting as Core;
        match waiting {
            Core::SignIn => Self::SignIn,
            Core::NoNetwork => Self::NoNetwork,
            Core::Metered => Self::Metered,
            Core::Roaming => Self::Roaming,
            Core::DataCap { used, cap } => Self::DataCap { used, cap },
            Core::Charger => Self::Charger,
            Core::Battery { percent, at_least } => Self::Battery { percent, at_least },
            Core::LowPower => Self::LowPower,
            Core::FreeSpace { missing } => Self::FreeSpace { missing },
        }
    }
}

impl From<WaitReason> for lomme::conditions::Waiting {
    /// Only to ask the core for its sentence.
    fn from(reason: WaitReason) -> Self {
        use WaitReason as Told;
        match reason {
            Told::SignIn => Self::SignIn,
            Told::NoNetwork => Self::NoNetwork,
            Told::Metered => Self::Metered,
            Told::Roaming => Self::Roaming,
            Told::DataCap { used, cap } => Self::DataCap { used, cap },
            Told::Charger => Self::Charger,
            Told::Battery { percent, at_least } => Self::Battery { percent, at_least },
            Told::LowPower => Self::LowPower,
            Told::FreeSpace { missing } => Self::FreeSpace { missing },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literals of the defaults have to be written out for the other side.
    #[test]
    fn the_rules_that_are_left_out_are_the_core_s() {
        let written = FetchRules {
            on_metered: false,
            on_roaming: false,
            metered_bytes_a_month: None,
            only_charging: false,
            battery_at_least: 15,
            on_low_power: false,
        };
        assert_eq!(written, lomme::conditions::Rules::default().into());
    }

    #[test]
    fn a_situation_crosses_both_ways() {
        let told = DeviceSituation {
            network: NetworkKind::Metered,
            roaming: true,
            charging: Some(false),
            battery_percent: Some(42),
            low_power: true,
            zone_minutes: -210,
        };
        let core = lomme::conditions::Situation::from(told);
        assert_eq!(DeviceSituation::from(core), told);
    }
}
