//! How many requests a download makes at once, and what it tells of itself.

use super::TransferListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How long the speed is measured, and how much faster it must be with one stream more.
const MEASURED: Duration = Duration::from_millis(500);
const FASTER: f64 = 1.1;

/// How many requests run at once: one more as long as that makes it faster.
pub(super) struct Streams {
    pub count: usize,
    most: usize,
    since: Instant,
    had: u64,
    before: Option<f64>,
    settled: bool,
}

impl Streams {
    pub fn new(most: usize) -> Self {
        Self {
            count: 2.min(most),
            most,
            since: Instant::now(),
            had: 0,
            before: None,
            settled: false,
        }
    }

    pub fn look(&mut self, received: u64) {
        let elapsed = self.since.elapsed();
        if !self.settled && elapsed >= MEASURED {
            self.measured((received - self.had) as f64 / elapsed.as_secs_f64());
            (self.since, self.had) = (Instant::now(), received);
        }
    }

    fn measured(&mut self, speed: f64) {
        match self.before {
            Some(before) if speed < before * FASTER => {
                self.count -= 1;
                self.settled = true;
            }
            _ if self.count < self.most => {
                self.count += 1;
                self.before = Some(speed);
            }
            _ => self.settled = true,
        }
    }
}

/// Tells a listener how far it is: never backwards within a version, at most ten times a second, and that all is here only
/// once, at the end.
pub(crate) struct Teller {
    progress: Option<Arc<dyn TransferListener>>,
    told: Option<(u64, Instant)>,
}

impl Teller {
    pub fn new(progress: Option<Arc<dyn TransferListener>>) -> Self {
        Self {
            progress,
            told: None,
        }
    }

    pub fn tell(&mut self, here: u64, size: u64) {
        let Some(progress) = &self.progress else {
            return;
        };
        let due = self
            .told
            .is_none_or(|(told, at)| here > told && at.elapsed() >= PROGRESS_EVERY);
        if due && here < size {
            progress.on_transfer(here, size);
            self.told = Some((here, Instant::now()));
        }
    }

    /// Says that all is here.
    pub fn tell_all(&mut self, size: u64) {
        if let Some(progress) = &self.progress {
            progress.on_transfer(size, size);
        }
    }

    /// Another version begins.
    pub fn begin_again(&mut self) {
        self.told = self.told.map(|(_, at)| (0, at));
    }
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
