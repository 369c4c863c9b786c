//! Bytes, on demand only.

use crate::catalog::{Item, ItemId, Space};
use crate::{CancelToken, Result};
use std::path::Path;

/// Why content is fetched. There is no purpose for browsing, indexing or searching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
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

/// The kind of network, as the platform tells it. The core never guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Network {
    /// The platform has not told.
    #[default]
    Unknown,
    /// Free to use.
    Unmetered,
    /// Costs money.
    Metered,
}

/// A row of the byte ledger: content bytes received, headers and listings left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The space of the file.
    pub space: Space,
    /// What the bytes were for.
    pub purpose: Purpose,
    /// Over which kind of network.
    pub network: Network,
    /// Bytes of content received.
    pub bytes: u64,
}

/// How far a transfer is. Cumulative, monotone, at most ten times a second, the last before the result.
pub trait TransferListener: Send + Sync {
    /// `done` of `total` bytes are here and on the disk.
    fn on_transfer(&self, done: u64, total: u64);
}

/// A finished download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The item as of these bytes.
    pub item: Item,
    /// The length of the file, equal to the item's size.
    pub bytes: u64,
    /// How many of them came over the network in this call; less after a resume.
    pub fetched: u64,
}

/// Bytes of one drive.
pub struct Content {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl Content {
    /// Downloads a whole file to `dest`, which gets the file only when its size and MD5 are the server's.
    /// What a broken download leaves is kept inside the drive's directory and continued by the next call.
    /// Errors: `NoSuchItem`, `ContentMismatch`, `DiskFull`, `Cancelled`.
    pub async fn download(
        &self,
        id: &ItemId,
        dest: &Path,
        purpose: Purpose,
        progress: Option<&dyn TransferListener>,
        cancel: &CancelToken,
    ) -> Result<Downloaded> {
        todo!()
    }

    /// All content bytes ever received by this directory, by space, purpose and network.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>> {
        todo!()
    }
}
