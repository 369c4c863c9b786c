//! What went wrong with one thing that was sent, as the journal remembers it.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Errors that may have been met, without their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Class {
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

impl Class {
    /// The class of an error, and the status that it came with.
    pub fn of(error: &Error) -> (Self, Option<u16>) {
        match error {
            Error::Offline { .. } => (Self::Offline, None),
            Error::ServerBusy { status, .. } => (Self::Busy, Some(*status)),
            Error::ContentMismatch { .. } => (Self::Mismatch, None),
            Error::BadAnswer { .. } => (Self::BadAnswer, None),
            Error::Refused { status, .. } => (Self::Refused, Some(*status)),
            Error::NotKnown { .. } => (Self::NotKnown, None),
            Error::NoSuchItem { .. } => (Self::NoSuchItem, None),
            Error::DiskFailed { .. } | Error::DiskFull => (Self::DiskFailed, None),
            _ => (Self::Other, None),
        }
    }

    /// It again, without its words.
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
