//! The bytes of a reader, one read after the other, off the threads that run futures.
//!
//! A read that is waiting when nobody wants it any more is cancelled, so that nothing is fetched for nobody.

use crate::failure::Failure;
use lomme::content::{Hint, Reader};
use lomme::{CancelToken, Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The most that a reader gives at once.
const READ: u64 = 128 * 1024;
/// The most that a reader reads ahead.
const AHEAD: u64 = 4 << 20;
/// Reads at once where the reader does not read ahead.
const AT_ONCE: usize = 4;

/// A part of a file on its way out.
pub struct Pour {
    reader: Arc<Reader>,
    /// What was not asked for yet.
    left: Range<u64>,
    at_once: usize,
    asked: VecDeque<JoinHandle<Result<Vec<u8>>>>,
}

impl Pour {
    /// `hint` says how the reader reads ahead, which it may only as long as that stays within the part.
    pub fn new(reader: Reader, part: Range<u64>, hint: Hint) -> Self {
        let reads_ahead = part.end == reader.size() || part.end - part.start > AHEAD;
        reader.hint(if reads_ahead { hint } else { Hint::Random });
        Self {
            reader: Arc::new(reader),
            left: part,
            at_once: if reads_ahead { 1 } else { AT_ONCE },
            asked: VecDeque::new(),
        }
    }

    /// The next read; `None` when all has come.
    pub fn next(&mut self) -> Option<JoinHandle<Result<Vec<u8>>>> {
        while self.asked.len() < self.at_once && !self.left.is_empty() {
            let read = self.ask();
            self.asked.push_back(read);
        }
        self.asked.pop_front()
    }

    fn ask(&mut self) -> JoinHandle<Result<Vec<u8>>> {
        // Later reads begin where blocks do.
        let (at, left) = (self.left.start, self.left.end - self.left.start);
        let len = left.min(READ - at % READ);
        self.left.start += len;
        let reader = self.reader.clone();
        if left <= AHEAD && self.left.end < reader.size() {
            // All of it has been asked for, or is by the reads themselves.
            reader.hint(Hint::Random);
        }
        tokio::task::spawn_blocking(move || {
            let bytes = reader.read_at(at, len as u32)?;
            // Less would shift all that follows.
            if bytes.len() as u64 == len {
                Ok(bytes)
            } else {
                Err(Error::Bug {
                    detail: "a short read within a file".into(),
                })
            }
        })
    }

    /// Gives all of it to `sink`.
    pub async fn into(
        mut self,
        cancel: &CancelToken,
        mut sink: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(mut read) = self.next() {
            cancel.check()?;
            let done = tokio::select! {
                done = &mut read => done,
                () = cancel.cancelled() => {
                    // Not a cancel: the read may be about to wait only now.
                    self.reader.close();
                    read.await
                }
            };
            sink(&landed(done)?)?;
        }
        Ok(())
    }
}

/// What a read gave.
pub fn landed(done: Result<Result<Vec<u8>>, tokio::task::JoinError>) -> Result<Vec<u8>> {
    done.unwrap_or_else(|_| {
        Err(Error::Bug {
            detail: "a read that stopped".into(),
        })
    })
}

impl Drop for Pour {
    fn drop(&mut self) {
        self.reader.close();
    }
}
