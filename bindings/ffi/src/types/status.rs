//! What the drive tells of itself.

use super::{
    CacheUsage, DeviceSituation, DriveSpace, FetchRules, LedgerRow, LocalCopy, PendingEdit,
    RefreshOutcome, SignInState, WaitReason, into_records,
};

/// How many items of a space are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpaceCount {
    /// The space.
    pub space: DriveSpace,
    /// Items known.
    pub items: u64,
}

/// One snapshot that a screen can draw.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DriveStatus {
    /// Whether somebody is signed in, and how full the account is.
    pub sign_in: SignInState,
    /// Items known in each of the four spaces.
    pub spaces: Vec<SpaceCount>,
    /// Content bytes received.
    pub ledger: Vec<LedgerRow>,
    /// What the platform has told of the device.
    pub situation: DeviceSituation,
    /// The person's rules.
    pub rules: FetchRules,
    /// Why pinned content waits, if something of it is missing and is held back.
    pub waiting: Option<WaitReason>,
    /// What the content takes on the device.
    pub usage: CacheUsage,
    /// Whether the service's change events are connected.
    pub watching: bool,
    /// Items whose changes the service does not have yet, and files that are being written.
    pub unsent: u64,
}

impl From<lomme::Status> for DriveStatus {
    fn from(status: lomme::Status) -> Self {
        let spaces = lomme::catalog::Space::ALL.into_iter().zip(status.items);
        Self {
            sign_in: status.sign_in.into(),
            spaces: spaces
                .map(|(space, items)| SpaceCount {
                    space: space.into(),
                    items,
                })
                .collect(),
            ledger: into_records(status.ledger),
            situation: status.situation.into(),
            rules: status.rules.into(),
            waiting: status.waiting.map(WaitReason::from),
            usage: status.usage.into(),
            watching: status.watching,
            unsent: status.unsent,
        }
    }
}

/// Why an item's content is, or is not, on the device, and a change of it on the service.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ItemExplanation {
    /// Whether it is here.
    pub local: LocalCopy,
    /// Bytes of it that are here.
    pub local_bytes: u64,
    /// The pin that it is kept by: the id of the item itself or of a folder above it.
    pub pinned_by: Option<String>,
    /// The one reason why pinned content that is missing does not come; none if nothing is missing or nothing holds it
    /// back.
    pub waiting: Option<WaitReason>,
    /// What of it the service does not have yet, and what holds that.
    pub unsent: Option<PendingEdit>,
    /// All of that in a sentence, for developers and support.
    pub explanation: String,
}

impl From<lomme::Why> for ItemExplanation {
    fn from(why: lomme::Why) -> Self {
        Self {
            local: why.local.into(),
            local_bytes: why.local_bytes,
            pinned_by: why.pinned_by.map(|id| id.to_string()),
            waiting: why.waiting.map(WaitReason::from),
            unsent: why.unsent.map(PendingEdit::from),
            explanation: why.explanation,
        }
    }
}

/// What a poll did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PollOutcome {
    /// Folders asked for.
    pub folders: u64,
    /// What they told.
    pub found: RefreshOutcome,
    /// Whether the budget ended before the work.
    pub more: bool,
}

impl From<lomme::Polled> for PollOutcome {
    fn from(polled: lomme::Polled) -> Self {
        Self {
            folders: polled.folders,
            found: polled.found.into(),
            more: polled.more,
        }
    }
}
