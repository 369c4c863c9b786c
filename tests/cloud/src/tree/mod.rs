//! The tree: devices, mount points, folders, files and their revisions, in SQLite.

use std::path::Path;

use crate::refusal::Refusal;
use crate::switches::Switches;

/// Why the tree could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The service would say no.
    #[error("{0:?}")]
    Refused(Box<Refusal>),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A blob could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Refusal> for TreeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// The tree.
pub struct Tree {}

impl Tree {
    /// Opens or creates the database.
    pub fn open(_path: &Path, _switches: &Switches) -> Result<Self, TreeError> {
        Ok(Self {})
    }

    /// Makes names fold as the switches say.
    pub fn refold(&self, _switches: &Switches) -> Result<(), TreeError> {
        Ok(())
    }

    /// Bytes in use.
    pub fn usage(&self) -> Result<i64, TreeError> {
        Ok(0)
    }
}
