//! SQLite: `journal.db` (precious) and the catalogue (disposable).
//!
//! Invariants:
//! - what cannot be fetched again lives in the journal, which is migrated and never dropped; the
//!   catalogue holds only what the service can tell again, so a damaged or foreign one is replaced
//!   by the next generation (`catalog-<n>.db`) and never repaired;
//! - one writer and a few readers for each database, in short transactions, for any number of
//!   processes; a caller waits a bounded time and then gets `StoreBusy`;
//! - after `pause` no file is open and no lock is held, because a phone kills a process that is
//!   suspended while it holds one;
//! - two files are not one transaction: the journal commits first, and the catalogue follows.

mod camera;
mod db;
mod durable;
mod edits;
mod generation;
mod identity;
mod journal;
mod lease;
mod marks;
mod schema;
mod settings;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::{Error, Result};
pub(crate) use camera::{
    ADOPTED, AssetRow, CameraLedger, DELETED, EXPORT, EntryRow, FREED, GONE, HERE, PHOTOS, PLACED,
    PlanRow, READ, ResourceRow, SourceRow, Tally, VERIFIED, VIDEOS,
};
pub(crate) use db::Db;
pub(crate) use edits::{
    Base, ConflictRow, DiscardedRow, DraftRow, EditRow, Fate, Outbox, WantedContent, WantedPlace,
    check_file,
};
pub(crate) use identity::{Identified, Identities, Place, new_id};
pub(crate) use lease::Lease;
pub(crate) use marks::Mark;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Both databases of a drive.
pub(crate) struct Store {
    pub journal: Arc<Db>,
    pub catalog: Db,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
}

impl Store {
    /// Opens both databases in `directory`, made if missing. `small` halves the caches and more.
    /// Errors: `StoreTooNew`, `StoreDamaged` (the journal), `DiskFailed`, `DiskFull`, `StoreBusy`.
    pub fn open(
        directory: &Path,
        small: bool,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self> {
        disk.create_dirs(directory)?;
        let journal = Arc::new(Db::journal(directory, small, disk.clone()));
        journal.write(|_| Ok(()))?;
        let catalog = Db::catalog(
            directory,
            small,
            journal.clone(),
            clock.clone(),
            disk.clone(),
        );
        catalog.write_durably(schema::leave_gap)?;
        generation::remove_old(directory, &journal, clock.as_ref(), disk.as_ref())?;
        Ok(Self {
            journal,
            catalog,
            clock,
            disk,
        })
    }

    /// Refuses new work, waits for what runs (and interrupts it at `deadline`), checkpoints and
    /// closes every connection. Until `resume`, every call gives `Paused`. `StoreBusy` means that
    /// something still ran; its connection closes as soon as it ends.
    pub fn pause(&self, deadline: Duration) -> Result<()> {
        self.stop(Error::Paused, deadline)
    }

    /// A pause for ever: every call gives `Closed`.
    pub fn close(&self, deadline: Duration) -> Result<()> {
        self.stop(Error::Closed, deadline)
    }

    fn stop(&self, why: Error, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        self.catalog.refuse(why.clone());
        self.journal.refuse(why);
        let catalog = self.catalog.close(until);
        let journal = self.journal.close(until);
        catalog.and(journal)
    }

    /// Lets work in again; connections open with the first call.
    pub fn resume(&self) -> Result<()> {
        self.journal.admit();
        self.catalog.admit();
        Ok(())
    }

    /// Asked before each commit here; who sends requests asks it too.
    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        self.disk.clone()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }
}

/// Neither path nor values: both may hold names.
impl From<rusqlite::Error> for crate::Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::StoreBusy,
            Some(ErrorCode::OperationInterrupted) => Self::Paused,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::StoreDamaged {
                detail: "SQLite".into(),
            },
            Some(
                code @ (ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied),
            ) => Self::DiskFailed {
                detail: format!("SQLite: {code:?}"),
            },
            _ => Self::Bug {
                detail: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
