//! What the engine writes into a row, and of the account: what was asked for and not seen done, why something waits.
//!
//! All of it is JSON in a column of the journal, so that it outlives the process. What cannot be read counts as not
//! there, because nothing here is more than a hint where to look first or when to ask again.

use super::{AccountHold, Park};
use crate::catalog::Id;
use crate::store::{EditRow, Store};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

/// Errors that a row may have met, without their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Class {
    Offline,
    Busy,
    Mismatch,
    BadAnswer,
    Refused,
    NotKnown,
    NoSuchItem,
    DiskFailed,
    Other,
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
        let (class, status) = match error {
            Error::Offline { .. } => (Class::Offline, None),
            Error::ServerBusy { status, .. } => (Class::Busy, Some(*status)),
            Error::ContentMismatch { .. } => (Class::Mismatch, None),
            Error::BadAnswer { .. } => (Class::BadAnswer, None),
            Error::Refused { status, .. } => (Class::Refused, Some(*status)),
            Error::NotKnown { .. } => (Class::NotKnown, None),
            Error::NoSuchItem { .. } => (Class::NoSuchItem, None),
            Error::DiskFailed { .. } | Error::DiskFull => (Class::DiskFailed, None),
            _ => (Class::Other, None),
        };
        Self::Failed { class, status }
    }
}

impl Class {
    pub fn error(self, status: Option<u16>) -> Error {
        let detail = String::from("the last attempt");
        match self {
            Self::Offline => Error::Offline { detail },
            Self::Busy => Error::ServerBusy {
                status: status.unwrap_or(503),
                retry_after: None,
            },
            Self::Mismatch => Error::ContentMismatch { detail },
            Self::BadAnswer => Error::BadAnswer { detail },
            Self::Refused => Error::Refused {
                status: status.unwrap_or(400),
                detail,
            },
            Self::NotKnown => Error::NotKnown { detail },
            Self::NoSuchItem => Error::NoSuchItem { detail },
            Self::DiskFailed => Error::DiskFailed { detail },
            Self::Other => Error::Bug { detail },
        }
    }
}

const PAUSE: &str = "edits paused";
/// The first and the longest wait for an account that refused.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 15 * 60 * 1_000;

/// Why the account waits, and until when: then one item asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pause {
    pub reason: Reason,
    pub until_ms: i64,
    delay_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    SignIn,
    Full,
    Locked,
    Busy,
}

impl Reason {
    /// What an error says about the account; `None` if it is about one item or this device.
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::SignInNeeded { .. } | Error::OtherAccount => Some(Self::SignIn),
            Error::QuotaExceeded => Some(Self::Full),
            Error::AccountLocked => Some(Self::Locked),
            Error::Offline { .. } | Error::ServerBusy { .. } => Some(Self::Busy),
            _ => None,
        }
    }
}

impl Pause {
    pub fn read(store: &Store) -> Result<Option<Self>> {
        Ok(store
            .setting(PAUSE)?
            .and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Pauses the account, longer each time until something succeeds.
    pub fn begin(store: &Store, reason: Reason, asked: Option<Duration>) -> Result<()> {
        let now = store.now_ms();
        store.update_setting(PAUSE, |before| {
            let before: Option<Self> = before.and_then(|json| serde_json::from_str(&json).ok());
            let before = before.filter(|before| before.reason == reason);
            let delay_ms = match before {
                // What was under way when it began says nothing new.
                Some(before) if before.lasts(now) => before.delay_ms,
                Some(before) => (before.delay_ms * 2).min(LONGEST_MS),
                None => FIRST_MS,
            };
            let asked = asked.map_or(0, |asked| {
                i64::try_from(asked.as_millis()).unwrap_or(LONGEST_MS)
            });
            let pause = Self {
                reason,
                until_ms: now.saturating_add(delay_ms.max(asked.min(LONGEST_MS))),
                delay_ms,
            };
            let json = serde_json::to_string(&pause).map_err(|_| Error::bug("a pause"))?;
            Ok((Some(json), ()))
        })
    }

    /// Something succeeded.
    pub fn end(store: &Store) -> Result<()> {
        store.update_setting(PAUSE, |_| Ok((None, ())))
    }

    /// The next run may ask again, with one item.
    pub fn ask_again(store: &Store) -> Result<()> {
        let now = store.now_ms();
        store.update_setting(PAUSE, |before| {
            let before: Option<Self> = before.and_then(|json| serde_json::from_str(&json).ok());
            let json = before
                .map(|before| Self {
                    until_ms: now,
                    ..before
                })
                .and_then(|pause| serde_json::to_string(&pause).ok());
            Ok((json, ()))
        })
    }

    pub fn told(&self) -> AccountHold {
        match self.reason {
            Reason::SignIn => AccountHold::SignIn,
            Reason::Full => AccountHold::Full,
            Reason::Locked => AccountHold::Locked,
            Reason::Busy => AccountHold::Busy {
                until_ms: self.until_ms,
            },
        }
    }

    /// Whether it holds a change back that does, or does not, add bytes.
    pub fn holds(&self, adds_bytes: bool, now_ms: i64) -> bool {
        self.lasts(now_ms) && (adds_bytes || self.reason != Reason::Full)
    }

    fn lasts(&self, now_ms: i64) -> bool {
        // A clock that was set back must not pause for ever.
        (self.until_ms - 2 * LONGEST_MS..self.until_ms).contains(&now_ms)
    }
}
