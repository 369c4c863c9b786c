//! What a person opens here is among the recents and in the working set.
//!
//! Telling that is two durable writes: worth it for what a person opens, and not for a program's thousand downloads. So
//! some in a row are told, and then some a second.

use super::{Content, Purpose};
use crate::catalog::ItemId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Told in a row, at the most.
const BURST: u32 = 10;
/// Then one more after each of these.
const EACH: Duration = Duration::from_millis(200);

/// How many may be told now.
#[derive(Debug)]
pub(super) struct Opens(Mutex<(u32, Instant)>);

impl Default for Opens {
    fn default() -> Self {
        Self(Mutex::new((BURST, Instant::now())))
    }
}

impl Opens {
    fn take(&self) -> bool {
        let mut opens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = &mut *opens;
        let more = since.elapsed().as_millis() / EACH.as_millis();
        if more > 0 {
            *since = Instant::now();
            *left = left
                .saturating_add(u32::try_from(more).unwrap_or(BURST))
                .min(BURST);
        }
        let may = *left > 0;
        *left = left.saturating_sub(1);
        may
    }
}

impl Content {
    /// The content of a file was handed out, or is about to be read.
    pub(super) fn opened(&self, id: &ItemId, purpose: Purpose) {
        let by_a_person = matches!(purpose, Purpose::Open | Purpose::Stream);
        if by_a_person && self.opens.take() {
            // It was opened, whether that can be told or not.
            drop(self.catalog.note_opened(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_at_once_are_no_persons_and_later_ones_are() {
        let opens = Opens::default();
        assert_eq!((0..1000).filter(|_| opens.take()).count(), BURST as usize);
        std::thread::sleep(EACH);
        assert!(opens.take());
    }
}
