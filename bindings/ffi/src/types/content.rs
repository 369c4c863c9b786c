//! Bytes: why they are fetched, where they went, what is on the device.

use super::{DriveSpace, Item, NetworkKind, WaitReason};
use crate::LommeError;

twin! {
    /// Why content is fetched. There is no purpose for browsing, indexing or searching.
    FetchPurpose = lomme::content::Purpose {
        /// A person opened or saved the file.
        Open,
        /// A player or reader asks for parts.
        Stream,
        /// Kept for offline use by a person's wish.
        Pin,
        /// A thumbnail.
        Thumbnail,
        /// The base of an edit.
        Edit,
        /// Proof for the camera backup.
        Camera,
    }
}

/// A file that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FetchedFile {
    /// The item as of these bytes.
    pub item: Item,
    /// The length of the file, equal to the item's size.
    pub bytes: u64,
    /// How many of them came over the network in this call; fewer after a resume, none if all was here.
    pub fetched: u64,
}

impl From<lomme::content::Fetched> for FetchedFile {
    fn from(fetched: lomme::content::Fetched) -> Self {
        Self {
            item: fetched.item.into(),
            bytes: fetched.bytes,
            fetched: fetched.fetched,
        }
    }
}

/// A row of the byte ledger: content bytes received, headers and listings left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LedgerRow {
    /// The space of the file.
    pub space: DriveSpace,
    /// What the bytes were for.
    pub purpose: FetchPurpose,
    /// Over which kind of network.
    pub network: NetworkKind,
    /// Bytes of content received.
    pub bytes: u64,
}

impl From<lomme::content::LedgerRow> for LedgerRow {
    fn from(row: lomme::content::LedgerRow) -> Self {
        Self {
            space: row.space.into(),
            purpose: row.purpose.into(),
            network: row.network.into(),
            bytes: row.bytes,
        }
    }
}

/// How much of the device the cache may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct CacheLimits {
    /// Bytes for what is not pinned; the least recently used goes first. 2 GiB if left out.
    #[uniffi(default = 2147483648)]
    pub budget_bytes: u64,
    /// Bytes of the volume that stay free: nothing is fetched that would take them. 512 MiB if left out.
    #[uniffi(default = 536870912)]
    pub free_floor_bytes: u64,
}

impl From<lomme::content::CacheLimits> for CacheLimits {
    fn from(limits: lomme::content::CacheLimits) -> Self {
        Self {
            budget_bytes: limits.budget_bytes,
            free_floor_bytes: limits.free_floor_bytes,
        }
    }
}

impl From<CacheLimits> for lomme::content::CacheLimits {
    fn from(limits: CacheLimits) -> Self {
        Self {
            budget_bytes: limits.budget_bytes,
            free_floor_bytes: limits.free_floor_bytes,
        }
    }
}

/// What the content of one space takes on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpaceUsage {
    /// The space.
    pub space: DriveSpace,
    /// Bytes of pinned items.
    pub pinned_bytes: u64,
    /// Bytes of all else, which eviction may take.
    pub cached_bytes: u64,
    /// Files that are here as a whole.
    pub whole_files: u64,
}

/// What the content takes on the device.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CacheUsage {
    /// For each of the four spaces.
    pub spaces: Vec<SpaceUsage>,
    /// Bytes of thumbnails.
    pub thumbnail_bytes: u64,
    /// The limits in force.
    pub limits: CacheLimits,
    /// Bytes free on the volume.
    pub free_bytes: u64,
}

impl From<lomme::content::Usage> for CacheUsage {
    fn from(usage: lomme::content::Usage) -> Self {
        let spaces = lomme::catalog::Space::ALL.into_iter().zip(usage.spaces);
        Self {
            spaces: spaces
                .map(|(space, usage)| SpaceUsage {
                    space: space.into(),
                    pinned_bytes: usage.pinned_bytes,
                    cached_bytes: usage.cached_bytes,
                    whole_files: usage.whole_files,
                })
                .collect(),
            thumbnail_bytes: usage.thumbnail_bytes,
            limits: usage.limits.into(),
            free_bytes: usage.free_bytes,
        }
    }
}

/// What an eviction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EvictionOutcome {
    /// Files whose content left the device, in whole or in part.
    pub files: u64,
    /// Bytes freed.
    pub bytes: u64,
    /// Files that stayed, because they are pinned, open or being fetched.
    pub kept: u64,
}

impl From<lomme::content::Evicted> for EvictionOutcome {
    fn from(evicted: lomme::content::Evicted) -> Self {
        Self {
            files: evicted.files,
            bytes: evicted.bytes,
            kept: evicted.kept,
        }
    }
}

/// A pin, and how much of it is here.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PinnedItem {
    /// The pinned file or folder.
    pub item: Item,
    /// When it was pinned, in milliseconds since 1970.
    pub since_ms: i64,
    /// Files in it, as far as known.
    pub files: u64,
    /// Files of it that are here in their newest version.
    pub whole_files: u64,
    /// Files of it that are here in an older version only.
    pub stale_files: u64,
    /// Bytes in it, as far as known.
    pub bytes: u64,
    /// Bytes of it that are here in their newest version.
    pub whole_bytes: u64,
    /// Since when the oldest of the stale files is stale, in milliseconds since 1970.
    pub stale_since_ms: Option<i64>,
}

impl From<lomme::content::Pin> for PinnedItem {
    fn from(pin: lomme::content::Pin) -> Self {
        Self {
            item: pin.item.into(),
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

/// A file of a pin that failed by itself.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PinFailure {
    /// The file.
    pub id: String,
    /// How.
    pub error: LommeError,
}

/// What a run over the pins did.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PinRun {
    /// Files fetched as a whole.
    pub files: u64,
    /// Bytes that came over the network.
    pub fetched: u64,
    /// Files that are still not here.
    pub missing_files: u64,
    /// Their bytes.
    pub missing_bytes: u64,
    /// Why they wait, if the rules or the device hold them back.
    pub waiting: Option<WaitReason>,
    /// Files that failed by themselves, and how; at most 100 are told.
    pub failed: Vec<PinFailure>,
}

impl From<lomme::content::PinRun> for PinRun {
    fn from(run: lomme::content::PinRun) -> Self {
        let failed = run.failed.into_iter();
        Self {
            files: run.files,
            fetched: run.fetched,
            missing_files: run.missing_files,
            missing_bytes: run.missing_bytes,
            waiting: run.waiting.map(WaitReason::from),
            failed: failed
                .map(|(id, error)| PinFailure {
                    id: id.to_string(),
                    error: error.into(),
                })
                .collect(),
        }
    }
}

twin! {
    /// The sizes of thumbnails that the service makes; how many pixels each has, no public fact tells.
    ThumbnailSize = lomme::content::ThumbnailSize {
        /// `WS`
        Small,
        /// `WM`
        Medium,
        /// `WL`
        Large,
        /// `WXL`
        Huge,
    }
}

/// A thumbnail on the device, until its item changes or the cache needs the place: copy it to keep it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ThumbnailFile {
    /// Path of the file.
    pub path: String,
    /// `image/jpeg`, `image/png` or `image/webp`, told by its first bytes.
    pub mime: String,
}

impl ThumbnailFile {
    /// `DiskFailed` where the path is not Unicode, which the path of the directory, given as a string, rules out.
    pub(crate) fn of(thumbnail: &lomme::content::Thumbnail) -> lomme::Result<Self> {
        match thumbnail.path.to_str() {
            Some(path) => Ok(Self {
                path: path.to_owned(),
                mime: thumbnail.mime.to_owned(),
            }),
            None => Err(lomme::Error::DiskFailed {
                detail: "a path that is not Unicode".into(),
            }),
        }
    }
}

twin! {
    /// How a reader will be used.
    ReadHint = lomme::content::Hint {
        /// Found out from the reads.
        Unknown,
        /// From front to back: reads ahead.
        Sequential,
        /// Here and there: fetches what is asked for and nothing else.
        Random,
        /// A player: reads ahead, and confirms the version every two seconds instead of with every request.
        Streaming,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literals of the defaults have to be written out for the other side.
    #[test]
    fn the_limits_that_are_left_out_are_the_core_s() {
        let written = CacheLimits {
            budget_bytes: 2_147_483_648,
            free_floor_bytes: 536_870_912,
        };
        assert_eq!(written, lomme::content::CacheLimits::default().into());
    }
}
