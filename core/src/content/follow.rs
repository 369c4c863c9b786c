//! The MD5 of a file that is still coming.
//!
//! A thread of its own reads the file from its start, right behind the flights, while it is still in the system's cache. So
//! network, block hashes and MD5 run at the same time, and the MD5 is there a moment after the last block. Blocks that this
//! fetch has not brought itself are checked by their hash first: one that does not fit is forgotten, and waited for.

use super::blocks::Slot;
use super::slot::{ABSENT, BLOCK};
use crate::Result;
use crate::md5::Md5;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Blocks read at once.
const STRIDE: u64 = 2;
/// How long it sleeps at most before it looks around.
const LOOK: Duration = Duration::from_millis(250);

/// What the thread and the fetch tell each other.
#[derive(Default)]
pub(super) struct Following {
    at: AtomicU64,
    stop: AtomicBool,
    /// Blocks have been found damaged and forgotten, from where it is on.
    damaged: AtomicBool,
    /// Blocks that this fetch brings itself.
    own: Mutex<Vec<Range<u64>>>,
}

impl Following {
    /// The block that the thread reads next.
    pub fn at(&self) -> u64 {
        self.at.load(Ordering::Acquire)
    }

    /// Whether the thread may have read this block: what it is at just now counts.
    pub fn may_have_read(&self, block: u64) -> bool {
        self.at() + STRIDE > block
    }

    /// Ends the thread.
    pub fn stop(&self, slot: &Slot) {
        self.stop.store(true, Ordering::Release);
        drop(slot.lock());
        slot.tell();
    }

    /// Whether blocks have been forgotten since the last call.
    pub fn take_damaged(&self) -> bool {
        self.damaged.swap(false, Ordering::AcqRel)
    }

    /// The fetch brings these blocks itself.
    pub fn own(&self, run: Range<u64>) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        match own.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => own.push(run),
        }
    }

    /// How many blocks from `block` on the fetch brings itself.
    fn owned(&self, block: u64) -> u64 {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let found = own.iter().find(|run| run.contains(&block));
        found.map_or(0, |run| run.end - block)
    }

    /// The MD5 of the whole; `None` when stopped before.
    pub fn run(&self, slot: &Slot) -> Result<Option<[u8; 16]>> {
        let done = self.follow(slot);
        slot.tell();
        done
    }

    fn follow(&self, slot: &Slot) -> Result<Option<[u8; 16]>> {
        let files = slot.files()?;
        let mut md5 = Md5::new();
        let mut buffer = vec![0; (STRIDE * BLOCK) as usize];
        let (mut at, mut swept) = (0, false);
        while at < slot.blocks() {
            if self.stop.load(Ordering::Acquire) {
                return Ok(None);
            }
            let here = slot.in_file(at, STRIDE)?;
            let owned = self.owned(at);
            let hash = match owned {
                0 => files.hashes(at, 1)?.first().copied().unwrap_or(ABSENT),
                _ => ABSENT,
            };
            if here > 0 && owned == 0 && hash == ABSENT {
                // Somebody else brings it, and it is not confirmed yet.
                slot.wait(Instant::now() + LOOK, |_| self.stop.load(Ordering::Acquire));
                continue;
            }
            if here == 0 {
                slot.wait(Instant::now() + LOOK, |state| {
                    self.stop.load(Ordering::Acquire)
                        || state
                            .covering(at)
                            .is_some_and(|flight| flight.run.start + flight.landed > at)
                });
                continue;
            }
            let count = here.min(owned.max(1));
            let bytes = slot.bytes_of(&(at..at + count)) as usize;
            let read = files.read(&mut buffer[..bytes], at * BLOCK)?;
            let mut sound = read == bytes;
            if owned == 0 {
                sound &= blake3::hash(&buffer[..bytes]) == hash;
            }
            if !sound {
                files.forget(at)?;
                if !swept {
                    // One is seldom alone, and many are fetched better together.
                    self.sweep(slot, at)?;
                    swept = true;
                }
                self.damaged.store(true, Ordering::Release);
                slot.tell();
                continue;
            }
            md5.update(&buffer[..bytes]);
            at += count;
            self.at.store(at, Ordering::Release);
        }
        Ok(Some(md5.finalize()))
    }

    /// Forgets all damaged blocks from `at` on.
    fn sweep(&self, slot: &Slot, at: u64) -> Result<()> {
        let mut buffer = Vec::new();
        for block in at..slot.blocks() {
            if self.stop.load(Ordering::Acquire) {
                break;
            }
            // What it says is in the map afterwards.
            let _ = slot.read_block(block, false, &mut buffer)?;
        }
        Ok(())
    }
}
