//! The hashes of a file, in pieces that a slice of work can leave and the next one goes on with.
//!
//! A film takes longer to read than a slice may last, so how far one was read is kept in this process: without that, short
//! slices would begin it again for ever. It goes on only with the very same file, as it was. Only one is kept, because one
//! file is read at a time.

use crate::disk::PlainFile;
use crate::md5::Md5;
use crate::sending::Hashed;
use crate::{CancelToken, Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes read at once, hashed by both at the same time.
const BLOCK: usize = 1 << 20;

/// How far a file was read.
#[derive(Clone, Default)]
pub(super) struct Unfinished(Arc<Mutex<Option<Hashing>>>);

struct Hashing {
    facts: (u64, u64, u64, i64),
    at: u64,
    md5: Md5,
    blake3: blake3::Hasher,
}

impl Unfinished {
    /// Hashes a file, from where it was left if it is the one that was. `Cancelled` keeps how far it is.
    pub fn hash(&self, file: &PlainFile, cancel: &CancelToken) -> Result<Hashed> {
        let facts = file.identity();
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut hashing = kept
            .filter(|kept| kept.facts == facts)
            .unwrap_or_else(|| Hashing {
                facts,
                at: 0,
                md5: Md5::new(),
                blake3: blake3::Hasher::new(),
            });
        match hashing.go(file, cancel) {
            Err(Error::Cancelled) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(hashing);
                Err(Error::Cancelled)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(Hashed {
                size: hashing.at,
                md5: hashing.md5.finalize(),
                blake3: *hashing.blake3.finalize().as_bytes(),
            }),
        }
    }
}

impl Hashing {
    fn go(&mut self, file: &PlainFile, cancel: &CancelToken) -> Result<()> {
        // Not further than it was long: one that grows as fast as it is read would have no end.
        let size = file.size();
        let mut block = vec![0; BLOCK.min(size.saturating_sub(self.at) as usize)];
        while self.at < size {
            cancel.check()?;
            let left = (size - self.at).min(BLOCK as u64) as usize;
            let read = file.read_at(&mut block[..left], self.at)?;
            if read == 0 {
                break;
            }
            self.update(&block[..read]);
            self.at += read as u64;
        }
        Ok(())
    }

    fn update(&mut self, bytes: &[u8]) {
        let (md5, blake3) = (&mut self.md5, &mut self.blake3);
        if bytes.len() < BLOCK {
            md5.update(bytes);
            blake3.update(bytes);
            return;
        }
        // MD5 takes longer than the reading and BLAKE3 together.
        thread::scope(|scope| {
            scope.spawn(|| md5.update(bytes));
            blake3.update(bytes);
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::disk::open_plain;

    fn of(bytes: &[u8]) -> Hashed {
        Hashed {
            size: bytes.len() as u64,
            md5: crate::md5::digest(bytes),
            blake3: *blake3::hash(bytes).as_bytes(),
        }
    }

    #[test]
    fn a_file_that_was_left_in_the_middle_is_gone_on_with_and_another_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film");
        let bytes: Vec<u8> = (0..5_500_000u32).map(|n| (n >> 7) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = open_plain(&path).unwrap().unwrap();
        let unfinished = Unfinished::default();
        let mut first = Hashing {
            facts: file.identity(),
            at: 0,
            md5: Md5::new(),
            blake3: blake3::Hasher::new(),
        };
        first.update(&bytes[..BLOCK]);
        first.update(&bytes[BLOCK..2 * BLOCK + 7]);
        first.at = (2 * BLOCK + 7) as u64;
        *unfinished.0.lock().unwrap() = Some(first);
        let cancelled = CancelToken::new();
        cancelled.cancel();
        assert_eq!(unfinished.hash(&file, &cancelled), Err(Error::Cancelled));
        let kept = unfinished.0.lock().unwrap().as_ref().map(|kept| kept.at);
        assert_eq!(kept, Some((2 * BLOCK + 7) as u64), "how far it was is kept");
        let cancel = CancelToken::new();
        assert_eq!(unfinished.hash(&file, &cancel).unwrap(), of(&bytes));
        // Written anew meanwhile: from the beginning.
        assert_eq!(unfinished.hash(&file, &cancelled), Err(Error::Cancelled));
        std::fs::write(&path, b"another").unwrap();
        let other = open_plain(&path).unwrap().unwrap();
        assert_eq!(unfinished.hash(&other, &cancel).unwrap(), of(b"another"));
    }
}
