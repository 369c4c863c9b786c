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
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// Decides. The reasons are in the order in which a person can do something about them: the first that holds is told.
pub fn decide(
    _work: &Work,
    _rules: &Rules,
    _situation: &Situation,
    _circumstances: &Circumstances,
) -> Result<(), Waiting> {
    todo!()
}
