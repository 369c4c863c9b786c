//! SQLite: `journal.db` (precious) and the catalogue (disposable).

use crate::Result;
use crate::clock::Clock;
use rusqlite::{Connection, Transaction};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// One database: one writer, a few readers, opened lazily, closed by `pause`.
pub(crate) struct Db {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl Db {
    /// Runs `work` on a reader.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        todo!()
    }
    /// Runs `work` in an immediate transaction on the writer; commits if it returns `Ok`.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        todo!()
    }
}

/// Both databases of a drive.
pub(crate) struct Store {
    pub journal: Db,
    pub catalog: Db,
}

#[allow(clippy::todo, unused_variables)]
impl Store {
    pub fn open(directory: &Path, small: bool, clock: Arc<dyn Clock>) -> Result<Self> {
        todo!()
    }
    /// Checkpoints and closes every connection; later calls give `Paused` until `resume`.
    pub fn pause(&self, deadline: Duration) -> Result<()> {
        todo!()
    }
    pub fn resume(&self) -> Result<()> {
        todo!()
    }
    /// Small values in the journal: who is signed in, which hosts.
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        todo!()
    }
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<()> {
        todo!()
    }
    /// Takes the lease `name` until `ttl` from now, if it is free, expired or ours. A lease is a row with a
    /// holder and a generation: no lock is held while it is used, and a holder that lost it finds out.
    pub fn acquire_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>> {
        todo!()
    }
    /// Whether the lease is still ours.
    pub fn holds(&self, lease: &Lease) -> Result<bool> {
        todo!()
    }
    pub fn release(&self, lease: &Lease) -> Result<()> {
        todo!()
    }
}

/// A taken lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub name: String,
    pub holder: String,
    pub generation: i64,
}

impl From<rusqlite::Error> for crate::Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::StoreBusy,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::StoreDamaged {
                detail: "SQLite".into(),
            },
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied,
            ) => Self::DiskFailed {
                detail: error.to_string(),
            },
            _ => Self::Bug {
                detail: error.to_string(),
            },
        }
    }
}
