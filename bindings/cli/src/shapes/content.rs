//! The shapes of what is fetched, kept and found.

use super::{HoldShape, ItemShape, local, network, stale_since};
use crate::failure::Failure;
use lomme::Why;
use lomme::catalog::Space;
use lomme::conditions::{Rules, Situation, Waiting};
use lomme::content::{Evicted, Pin, Usage};
use serde::Serialize;
use std::collections::BTreeMap;

/// Why something waits.
#[derive(Serialize)]
pub struct WaitingShape {
    /// `sign_in`, `no_network`, `metered`, `roaming`, `data_cap`, `charger`, `battery`, `low_power` or `free_space`.
    reason: &'static str,
    /// What would release it.
    detail: String,
}

impl From<&Waiting> for WaitingShape {
    fn from(waiting: &Waiting) -> Self {
        Self {
            reason: match waiting {
                Waiting::SignIn => "sign_in",
                Waiting::NoNetwork => "no_network",
                Waiting::Metered => "metered",
                Waiting::Roaming => "roaming",
                Waiting::DataCap { .. } => "data_cap",
                Waiting::Charger => "charger",
                Waiting::Battery { .. } => "battery",
                Waiting::LowPower => "low_power",
                Waiting::FreeSpace { .. } => "free_space",
            },
            detail: waiting.to_string(),
        }
    }
}

/// What is known of the device.
#[derive(Serialize)]
pub struct SituationShape {
    network: &'static str,
    roaming: bool,
}

impl From<&Situation> for SituationShape {
    fn from(situation: &Situation) -> Self {
        Self {
            network: network(situation.network),
            roaming: situation.roaming,
        }
    }
}

/// `rules`.
#[derive(Serialize)]
pub struct RulesShape {
    on_metered: bool,
    on_roaming: bool,
    /// `null` for no limit.
    metered_bytes_a_month: Option<u64>,
    only_charging: bool,
    battery_at_least: u8,
    on_low_power: bool,
}

impl From<&Rules> for RulesShape {
    fn from(rules: &Rules) -> Self {
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

/// What content takes on this machine.
#[derive(Serialize)]
pub struct UsageShape {
    spaces: BTreeMap<&'static str, SpaceUsageShape>,
    thumbnail_bytes: u64,
    budget_bytes: u64,
    free_floor_bytes: u64,
    free_bytes: u64,
}

#[derive(Serialize)]
struct SpaceUsageShape {
    pinned_bytes: u64,
    cached_bytes: u64,
    whole_files: u64,
}

impl From<&Usage> for UsageShape {
    fn from(usage: &Usage) -> Self {
        let spaces = Space::ALL.iter().zip(usage.spaces).map(|(space, usage)| {
            let shape = SpaceUsageShape {
                pinned_bytes: usage.pinned_bytes,
                cached_bytes: usage.cached_bytes,
                whole_files: usage.whole_files,
            };
            (space.name(), shape)
        });
        Self {
            spaces: spaces.collect(),
            thumbnail_bytes: usage.thumbnail_bytes,
            budget_bytes: usage.limits.budget_bytes,
            free_floor_bytes: usage.limits.free_floor_bytes,
            free_bytes: usage.free_bytes,
        }
    }
}

/// `usage`.
#[derive(Serialize)]
pub struct UsedShape {
    #[serde(flatten)]
    pub usage: UsageShape,
    /// What a new limit removed.
    pub evicted: Option<EvictedShape>,
}

/// `evict` and `unpin`.
#[derive(Serialize)]
pub struct EvictedShape {
    files: u64,
    bytes: u64,
    /// Files that stayed: pinned, open, or being fetched.
    kept: u64,
}

impl From<Evicted> for EvictedShape {
    fn from(evicted: Evicted) -> Self {
        Self {
            files: evicted.files,
            bytes: evicted.bytes,
            kept: evicted.kept,
        }
    }
}

/// A pin.
#[derive(Serialize)]
pub struct PinShape<'a> {
    item: ItemShape<'a>,
    since_ms: i64,
    files: u64,
    whole_files: u64,
    stale_files: u64,
    bytes: u64,
    whole_bytes: u64,
    stale_since_ms: Option<i64>,
}

impl<'a> PinShape<'a> {
    pub fn new(pin: &'a Pin, path: String) -> Self {
        Self {
            item: ItemShape::new(&pin.item, path),
            since_ms: pin.since_ms,
            files: pin.files,
            whole_files: pin.whole_files,
            stale_files: pin.stale_files,
            bytes: pin.bytes,
            whole_bytes: pin.whole_bytes,
            stale_since_ms: pin.stale_since_ms,
        }
    }
}

/// `pin PATH`.
#[derive(Serialize)]
pub struct PinnedShape<'a> {
    pub pin: PinShape<'a>,
    /// With `--now`.
    pub run: Option<RunShape>,
}

/// `keep`.
#[derive(Serialize)]
pub struct RunShape {
    pub files: u64,
    pub fetched: u64,
    pub missing_files: u64,
    pub missing_bytes: u64,
    pub waiting: Option<WaitingShape>,
    pub failed: Vec<FailedShape>,
}

/// A file that failed by itself.
#[derive(Serialize)]
pub struct FailedShape {
    id: String,
    /// `null` when it has gone meanwhile.
    path: Option<String>,
    kind: &'static str,
    detail: String,
}

impl FailedShape {
    pub fn new(id: String, path: Option<String>, failure: &Failure) -> Self {
        Self {
            id,
            path,
            kind: failure.kind(),
            detail: failure.detail().to_owned(),
        }
    }
}

/// What follows the items of `find`.
#[derive(Serialize)]
pub struct FoundShape {
    /// There are more than the limit.
    pub more: bool,
    /// Folders whose names are not known here, so that something may be missing.
    pub unlisted_folders: u64,
}

/// `why`.
#[derive(Serialize)]
pub struct WhyShape<'a> {
    item: ItemShape<'a>,
    local: &'static str,
    stale_since_ms: Option<i64>,
    local_bytes: u64,
    /// The path of the pin that keeps it.
    pinned_by: Option<String>,
    waiting: Option<WaitingShape>,
    /// Whether the service does not have all of it yet.
    unsent: bool,
    /// Why that is not sent.
    hold: Option<HoldShape>,
    explanation: String,
}

impl<'a> WhyShape<'a> {
    pub fn new(why: &Why, item: ItemShape<'a>, pinned_by: Option<String>) -> Self {
        Self {
            item,
            local: local(why.local),
            stale_since_ms: stale_since(why.local),
            local_bytes: why.local_bytes,
            pinned_by,
            waiting: why.waiting.as_ref().map(WaitingShape::from),
            unsent: why.unsent.is_some(),
            hold: why
                .unsent
                .as_ref()
                .and_then(|pending| pending.hold.as_ref().map(HoldShape::from)),
            explanation: why.explanation.clone(),
        }
    }
}

/// A line of `watch`.
#[derive(Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeShape<'a> {
    /// New, or changed in any way.
    Updated { item: Box<ItemShape<'a>> },
    /// Proven gone.
    Deleted { id: &'a str },
}

/// `thumb`.
#[derive(Serialize)]
pub struct ThumbShape<'a> {
    pub saved_as: String,
    pub mime: &'static str,
    pub bytes: u64,
    pub item: ItemShape<'a>,
}

/// `serve`, once it can be played.
#[derive(Serialize)]
pub struct ServedShape<'a> {
    pub url: &'a str,
    pub mime: &'a str,
    pub item: ItemShape<'a>,
}
