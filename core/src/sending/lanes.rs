//! How many items are sent at once: twice as many as long as that makes it faster.
//!
//! A small file costs waiting and hardly any bytes, a large one the opposite; each item counts as some bytes more than it
//! has, so that both can be measured together. Large files have few lanes, because each takes memory and one alone fills a
//! line.

use std::time::{Duration, Instant};

/// How long the speed is measured, and how much faster twice as many must be.
const MEASURED: Duration = Duration::from_millis(250);
const FASTER: f64 = 1.15;
/// What an item counts beyond its bytes.
const ITEM: u64 = 64 * 1024;
/// From here on a file is large.
pub(crate) const LARGE: u64 = 8 << 20;

pub(crate) struct Lanes {
    pub count: usize,
    /// How many of them large files may take.
    pub large: usize,
    most: usize,
    since: Instant,
    had: u64,
    before: Option<f64>,
    settled: bool,
}

impl Lanes {
    /// For an app, or for an extension with its small memory.
    pub fn new(extension: bool) -> Self {
        let (count, most, large) = if extension { (2, 4, 1) } else { (4, 32, 2) };
        Self {
            count,
            large,
            most,
            since: Instant::now(),
            had: 0,
            before: None,
            settled: false,
        }
    }

    /// What was sent so far in the run; `busy` if all lanes were in use.
    pub fn look(&mut self, bytes: u64, items: u64, busy: bool) {
        let work = bytes + items * ITEM;
        let elapsed = self.since.elapsed();
        if !busy {
            // What is measured now says nothing of the lanes.
            (self.since, self.had) = (Instant::now(), work);
        } else if !self.settled && elapsed >= MEASURED {
            let speed = work.saturating_sub(self.had) as f64 / elapsed.as_secs_f64();
            self.measured(speed);
            (self.since, self.had) = (Instant::now(), work);
        }
    }

    fn measured(&mut self, speed: f64) {
        match self.before {
            Some(before) if speed < before * FASTER => {
                self.count = self.count.div_ceil(2);
                self.settled = true;
            }
            _ if self.count < self.most => {
                self.count = (self.count * 2).min(self.most);
                self.before = Some(speed);
            }
            _ => self.settled = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_many_run_as_long_as_that_is_faster() {
        let mut lanes = Lanes::new(false);
        lanes.measured(100.0);
        assert_eq!(lanes.count, 8);
        lanes.measured(190.0);
        assert_eq!(lanes.count, 16);
        lanes.measured(200.0);
        assert_eq!(lanes.count, 8, "16 were hardly faster than 8");
        assert!(lanes.settled);
        assert_eq!(lanes.count, 8, "settled");
    }

    #[test]
    fn an_extension_has_few_lanes_and_one_for_large_files() {
        let mut lanes = Lanes::new(true);
        for speed in 1..20 {
            lanes.measured(f64::from(1 << speed));
            assert!(lanes.count <= 4);
        }
        assert_eq!((lanes.count, lanes.large), (4, 1));
    }
}
