//! What a person opens here is among the recents and in the working set, and is asked about behind the open.
//!
//! Telling that is two durable writes: worth it for what a person opens, and not for a program's thousand downloads. So
//! some in a row are told, and then some a second.

use super::{Content, Network, Purpose};
use crate::catalog::ItemId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Told in a row, at the most.
const BURST: u32 = 10;
/// Then one more after each of these.
const EACH: Duration = Duration::from_millis(200);
/// What was listed within this time is not asked about again.
const FRESH_MS: i64 = 60_000;

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
            self.look_behind(id);
        }
    }

    /// Opening never waits for the network: whether the file has changed is found out behind it.
    fn look_behind(&self, id: &ItemId) {
        let seen_ms = self.catalog.seen_ms(id).ok().flatten();
        let now_ms = self.store.now_ms();
        let is_fresh = seen_ms.is_some_and(|seen| (seen..seen + FRESH_MS).contains(&now_ms));
        if !is_fresh && self.network() != Network::Offline {
            self.refresh_behind(id.clone());
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
