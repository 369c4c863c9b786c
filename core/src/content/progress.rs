//! The progress of a run over many files, told as one: of all bytes still to come.

use super::TransferListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// The progress of a whole run.
pub(super) struct Progress {
    listener: Arc<dyn TransferListener>,
    total: u64,
    done: AtomicU64,
    told: Mutex<(u64, Option<Instant>)>,
}

impl Progress {
    pub fn new(listener: Arc<dyn TransferListener>, total: u64) -> Self {
        Self {
            listener,
            total,
            done: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    fn tell(&self) {
        let done = self.done.load(Ordering::SeqCst);
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let due = told.1.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
            // Only the end says that all is here.
            if !due || done <= told.0 || done >= self.total {
                return;
            }
            *told = (done, Some(Instant::now()));
        }
        self.listener.on_transfer(done, self.total);
    }

    pub fn end(&self) {
        self.listener.on_transfer(self.total, self.total);
    }
}

/// The share of one file in it.
pub(super) struct Part {
    of: Arc<Progress>,
    here: AtomicU64,
}

impl Part {
    pub fn new(of: Arc<Progress>) -> Self {
        Self {
            of,
            here: AtomicU64::new(0),
        }
    }

    pub fn set(&self, here: u64) {
        let before = self.here.swap(here, Ordering::SeqCst);
        if here >= before {
            self.of.done.fetch_add(here - before, Ordering::SeqCst);
        } else {
            self.of.done.fetch_sub(before - here, Ordering::SeqCst);
        }
        self.of.tell();
    }
}

impl TransferListener for Part {
    fn on_transfer(&self, done: u64, _total: u64) {
        self.set(done);
    }
}
