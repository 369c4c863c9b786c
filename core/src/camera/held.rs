//! Why a row of the ledger waits, as its column has it.

use super::{CameraHold, CameraPark, ExportFailure};
use crate::sending::Class;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Held {
    /// For a person.
    Park(CameraPark),
    /// Until its time, because it failed so.
    Failed { class: Class, status: Option<u16> },
    /// Until its time, because the platform could not provide it.
    Export(ExportFailure),
}

impl Held {
    /// What cannot be read counts as not there: it is a hint when to try again.
    pub fn of(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    pub fn text(self) -> String {
        // Enums without data that could fail.
        serde_json::to_string(&self).unwrap_or_default()
    }

    pub fn told(self, until_ms: i64) -> CameraHold {
        match self {
            Self::Park(park) => CameraHold::NeedsUser(park),
            Self::Failed { class, status } => CameraHold::Retry {
                until_ms,
                error: class.error(status),
            },
            Self::Export(why) => CameraHold::NotProvided { why, until_ms },
        }
    }
}

/// Failures of an item's own, in a row, after which a person must look (complaint no. 11).
pub(super) const PATIENCE: u32 = 5;
/// The first wait after such a failure, in milliseconds; it doubles.
pub(super) const FIRST_MS: i64 = 5_000;

/// When an item that has failed so often is tried again.
pub(super) fn after_failures(now_ms: i64, attempts: u32) -> i64 {
    now_ms + (FIRST_MS << attempts.min(8))
}
