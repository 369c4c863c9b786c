//! What the content takes on the device, and what goes when that is too much.
//!
//! Invariants:
//! - the row of a slot is there before its files are, so that nothing takes space uncounted; rows are an index that is
//!   made anew from the files;
//! - nothing is fetched before its place is reserved.
#![allow(dead_code, reason = "under way")]

use super::Purpose;
use super::slot::SlotName;
use crate::Result;
use crate::catalog::{Catalog, Space};
use crate::disk::Disk;
use crate::store::Store;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The index of the slots, and the keeper of the limits.
#[derive(Clone)]
pub(super) struct Cache(Arc<Inner>);

struct Inner {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    disk: Arc<dyn Disk>,
    slots: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Bytes promised and not on the disk yet.
    reserved: u64,
}

/// A place for bytes, given back when dropped.
pub(super) struct Reserved {
    cache: Cache,
    left: u64,
}

impl Cache {
    pub fn new(
        store: Arc<Store>,
        catalog: Arc<Catalog>,
        disk: Arc<dyn Disk>,
        directory: &Path,
    ) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            store,
            catalog,
            disk,
            slots: directory.join("slots"),
            state: Mutex::default(),
        })))
    }

    /// The directory of the slots.
    pub fn dir(&self) -> &Path {
        &self.0.slots
    }

    /// Writes a slot's row, before its files are made; or, if there is one, that it is used now.
    pub fn enter(&self, _name: &SlotName, _space: Space, _size: u64) -> Result<()> {
        Ok(())
    }

    /// A place for `bytes` more. What is fetched for a pin is not counted against the budget. Evicts if it must.
    /// `DiskFull` if too little would stay free on the volume.
    pub fn reserve(&self, bytes: u64, _purpose: Purpose) -> Result<Reserved> {
        self.state().reserved += bytes;
        Ok(Reserved {
            cache: self.clone(),
            left: bytes,
        })
    }

    /// Says how many bytes of a slot are here now.
    pub fn note(&self, _name: &SlotName, _bytes: u64, _whole: bool) -> Result<()> {
        Ok(())
    }

    /// Says that a slot is used now. Cheap: written once a minute at the most.
    pub fn used(&self, _name: &SlotName) -> Result<()> {
        Ok(())
    }

    /// Removes a slot's row, after its files have gone.
    pub fn forget(&self, _name: &SlotName) -> Result<()> {
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    /// So many of the bytes are on the disk now, where the volume itself counts them.
    pub fn arrived(&mut self, bytes: u64) {
        let bytes = bytes.min(self.left);
        self.left -= bytes;
        self.cache.state().reserved -= bytes;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.cache.state().reserved -= self.left;
    }
}
