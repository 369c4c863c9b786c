//! Why the account takes nothing now: one pause for all that is sent, whoever met the refusal (complaints no. 27, 31).
//!
//! It is in the journal, so that it outlives the process, and what cannot be read counts as no pause: it is no more than a
//! hint when to ask again.

use crate::store::Store;
use crate::{Error, Result, RetryAdvice};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why the whole account waits (complaint no. 31: the account pauses, its items stay intact).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountHold {
    /// Nobody is signed in, or the sign-in has ended.
    SignIn,
    /// The account's space is used up; what adds no bytes goes on.
    Full,
    /// The service accepts no changes from this account.
    Locked,
    /// The service is busy or out of reach until this time, in milliseconds since the epoch.
    Busy {
        /// When it is asked again.
        until_ms: i64,
    },
}

const PAUSE: &str = "edits paused";
/// The first and the longest wait for an account that refused.
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 15 * 60 * 1_000;

/// Why the account waits, and until when: then one item asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    pub reason: Reason,
    pub until_ms: i64,
    delay_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
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
    fn begin(store: &Store, reason: Reason, asked: Option<Duration>) -> Result<()> {
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

    /// Pauses the account for what an error says of it. Whether it did: being busy is the item's own trouble (`own`) if others
    /// had none meanwhile.
    pub fn for_error(store: &Store, error: &Error, own: bool) -> Result<bool> {
        let Some(reason) = Reason::of(error).filter(|reason| !own || *reason != Reason::Busy)
        else {
            return Ok(false);
        };
        let asked = match error.retry() {
            RetryAdvice::After(wait) => Some(wait),
            _ => None,
        };
        Self::begin(store, reason, asked)?;
        Ok(true)
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
