//! The bytes of a reader, one read after the other, off the threads that run futures.
//!
//! A read that is waiting when nobody wants it any more is cancelled, so that nothing is fetched for nobody.

use crate::failure::Failure;
use lomme::content::{Hint, Reader};
use lomme::{CancelToken, Error, Result};
use std::ops::Range;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The most that a reader gives at once.
const READ: u64 = 128 * 1024;

/// A part of a file on its way out.
pub struct Pour {
    reader: Arc<Reader>,
    left: Range<u64>,
}

impl Pour {
    /// `all_along` is the hint for a part that reaches the end of the file: there is nothing to fetch beyond it. Within a
    /// file the reader is told not to read ahead once that could go beyond what was asked for.
    pub fn new(reader: Reader, part: Range<u64>, all_along: Hint) -> Self {
        let to_the_end = part.end == reader.size();
        reader.hint(if to_the_end { all_along } else { Hint::Random });
        Self {
            reader: Arc::new(reader),
            left: part,
        }
    }

    /// Bytes still to come.
    pub fn left(&self) -> u64 {
        self.left.end - self.left.start
    }

    /// Begins the next read; `None` when all has come.
    pub fn next(&mut self) -> Option<JoinHandle<Result<Vec<u8>>>> {
        let (at, len) = (self.left.start, self.left().min(READ));
        if len == 0 {
            return None;
        }
        self.left.start += len;
        let reader = self.reader.clone();
        Some(tokio::task::spawn_blocking(move || {
            let bytes = reader.read_at(at, len as u32)?;
            // Less would shift all that follows.
            if bytes.len() as u64 == len {
                Ok(bytes)
            } else {
                Err(Error::Bug {
                    detail: "a short read within a file".into(),
                })
            }
        }))
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
                    self.reader.cancel();
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
