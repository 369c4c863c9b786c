//! Somebody's interest in a flight.

use super::blocks::{BodyState, Lost, Slot};
use crate::CancelToken;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// So much may still come of a flight that nobody waits for: less than a new connection costs.
const NEARLY_DONE: u64 = 4;

/// Somebody's interest in a flight, until dropped.
pub(super) struct Ticket {
    pub slot: Arc<Slot>,
    pub id: u64,
    pub run: Range<u64>,
    pub outcome: Arc<OnceLock<Result<(), Lost>>>,
    pub settled: Arc<AtomicU64>,
    pub cancel: CancelToken,
}

impl Ticket {
    /// How the flight ended; `None` while it flies.
    pub fn outcome(&self) -> Option<Result<(), Lost>> {
        self.outcome.get().cloned()
    }

    /// Bytes of it that have become map entries.
    pub fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// Whether its body still comes.
    pub fn is_coming(&self) -> bool {
        self.outcome.get().is_none()
            && self
                .slot
                .lock()
                .find(self.id)
                .is_some_and(|flight| flight.body == BodyState::Coming)
    }

    /// Lets go of the flight because nothing more may come: unless somebody else waits for it, not even its last blocks do.
    pub fn stop(self) {
        let mut state = self.slot.lock();
        if let Some(flight) = state.find(self.id)
            && flight.interest == 1
        {
            flight.cancel.cancel();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        let Some(flight) = state.find(self.id) else {
            return;
        };
        flight.interest -= 1;
        let left = flight.run.end - flight.run.start - flight.landed;
        let nearly_done = flight.headers.is_some() && left <= NEARLY_DONE;
        if flight.interest == 0 && flight.body == BodyState::Coming && !nearly_done {
            flight.cancel.cancel();
        }
    }
}
