//! What the engine writes into a row, and of the account: what was asked for and not seen done, why something waits.
//!
//! All of it is JSON in a column of the journal, so that it outlives the process. What cannot be read counts as not
//! there, because nothing here is more than a hint where to look first or when to ask again.

use super::Park;
use crate::catalog::Id;
use crate::sending::Class;
use crate::store::EditRow;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What was asked of the service, noted before it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    pub what: What,
    /// Where the result is to be.
    pub path: Vec<String>,
    /// The revision that it is put over.
    pub over: Option<u64>,
    /// The folder that something new is put into.
    pub parent: Option<Id>,
    pub at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    Put,
    Folder,
    Move,
    /// Under a temporary name, for another item to take its name.
    Aside,
    Copy,
    Trash,
    Restore,
    Purge,
    Link,
}

impl Marker {
    pub fn of(row: &EditRow) -> Option<Self> {
        serde_json::from_str(row.marker.as_deref()?).ok()
    }

    pub fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| Error::bug("a marker"))
    }
}

/// Why a row waits, as its column has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Held {
    /// For a person.
    Park(Park),
    /// Until its time, because it failed so.
    Failed { class: Class, status: Option<u16> },
}

impl Held {
    pub fn of(row: &EditRow) -> Option<Self> {
        serde_json::from_str(row.held.as_deref()?).ok()
    }

    pub fn text(&self) -> String {
        // Enums without data that could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn by(error: &Error) -> Self {
        let (class, status) = Class::of(error);
        Self::Failed { class, status }
    }
}
