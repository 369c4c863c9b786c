//! Bytes, on demand only.
//!
//! Content moves for a named [`Purpose`] and never else, and every byte received is in the ledger.
//! Nothing here is reached by listing, indexing or reading the catalogue.

mod download;
mod ledger;
mod part;

use crate::catalog::{Catalog, Item, ItemId, Space};
use crate::disk::Disk;
use crate::drive::Life;
use crate::remote::Remote;
use crate::store::Store;
use crate::{CancelToken, Result};
pub(crate) use download::Wanted;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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

/// How far a transfer is. Cumulative and at most ten times a second; the last call comes before the result, and only
/// it says that all is here. Starts again from less only when the file turned out to be another version.
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
#[derive(Clone)]
pub struct Content {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    remote: Remote,
    disk: Arc<dyn Disk>,
    life: Arc<Life>,
    /// Where parts are: inside the drive's directory.
    parts: PathBuf,
    network: Arc<Mutex<Network>>,
}

impl Content {
    pub(crate) fn new(
        store: Arc<Store>,
        catalog: Arc<Catalog>,
        remote: Remote,
        disk: Arc<dyn Disk>,
        life: Arc<Life>,
        directory: &Path,
        now_ms: i64,
    ) -> Result<Self> {
        let parts = directory.join("parts");
        part::sweep(&*disk, &parts, now_ms)?;
        Ok(Self {
            store,
            catalog,
            remote,
            disk,
            life,
            parts,
            network: Arc::default(),
        })
    }

    /// Downloads a whole file to `dest`, over whatever is there, once its size and MD5 are the server's.
    /// The directory of `dest` must exist. What a broken or cancelled download leaves is kept inside the
    /// drive's directory, and the next call, in any process, continues it.
    ///
    /// Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (not a file, or in the trash), `ContentMismatch`
    /// (nothing is left at `dest`), `Offline`, `DiskFull`, `Cancelled`.
    pub async fn download(
        &self,
        id: &ItemId,
        dest: &Path,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Downloaded> {
        self.life
            .run(cancel, async |cancel| {
                self.download_inner(id, dest, purpose, progress, cancel)
                    .await
            })
            .await
    }

    /// All content bytes ever received by this directory, by space, purpose and network.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>> {
        ledger::rows(&self.store)
    }

    pub(crate) fn network(&self) -> Network {
        *self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_network(&self, network: Network) {
        *self.network.lock().unwrap_or_else(PoisonError::into_inner) = network;
    }

    /// Removes all parts, for a sign-out by choice.
    pub(crate) fn clear(&self) -> Result<()> {
        for name in self.disk.names(&self.parts)? {
            self.disk.remove(&self.parts.join(name))?;
        }
        Ok(())
    }
}
