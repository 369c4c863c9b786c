//! Both hashes of what is read once: MD5, because the service knows no other, and BLAKE3, because MD5 proves nothing.
//!
//! MD5 takes longer than all the rest together, so a long content's is made by a thread of its own, beside the reading, the
//! writing and BLAKE3. Both threads share a few pieces, so memory does not grow with the content.

use crate::md5::Md5;
use crate::{Error, Result};
use std::sync::mpsc::channel;
use std::thread;

/// Bytes in a piece.
pub(crate) const PIECE: usize = 256 * 1024;
/// Pieces that are in memory at once. A content of so many is not worth a thread.
const PIECES: usize = 4;

/// A content's size and hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hashed {
    pub size: u64,
    pub md5: [u8; 16],
    pub blake3: [u8; 32],
}

/// Hashes what `next` reads to its end. It gets a buffer and the position, fills the beginning of the buffer, and says how
/// much that was: 0 at the end.
pub(crate) fn both_hashes(mut next: impl FnMut(&mut [u8], u64) -> Result<usize>) -> Result<Hashed> {
    let (mut md5, mut blake3, mut size) = (Md5::new(), blake3::Hasher::new(), 0);
    let mut buffer = vec![0; PIECE];
    for _ in 0..PIECES {
        let read = next(&mut buffer, size)?;
        if read == 0 {
            return Ok(hashed(size, md5, &blake3));
        }
        md5.update(&buffer[..read]);
        blake3.update(&buffer[..read]);
        size += read as u64;
    }
    thread::scope(|scope| {
        let (give, given) = channel::<(Vec<u8>, usize)>();
        let (back, empty) = channel();
        let hashing = thread::Builder::new()
            .name("lomme-md5".into())
            .spawn_scoped(scope, move || {
                for (piece, read) in given {
                    md5.update(&piece[..read]);
                    // Nobody wants the last ones back.
                    let _ = back.send(piece);
                }
                md5
            })
            .map_err(|_| Error::bug("no thread to hash in"))?;
        let mut free = vec![buffer];
        free.resize_with(PIECES, || vec![0; PIECE]);
        let lost = || Error::bug("a thread that hashes has ended");
        loop {
            let mut piece = match free.pop() {
                Some(piece) => piece,
                None => empty.recv().map_err(|_| lost())?,
            };
            let read = next(&mut piece, size)?;
            if read == 0 {
                break;
            }
            blake3.update(&piece[..read]);
            size += read as u64;
            give.send((piece, read)).map_err(|_| lost())?;
        }
        drop(give);
        let md5 = hashing.join().map_err(|_| lost())?;
        Ok(hashed(size, md5, &blake3))
    })
}

fn hashed(size: u64, md5: Md5, blake3: &blake3::Hasher) -> Hashed {
    Hashed {
        size,
        md5: md5.finalize(),
        blake3: *blake3.finalize().as_bytes(),
    }
}
