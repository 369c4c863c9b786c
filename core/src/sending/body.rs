//! Bytes of this device as the body of an upload.
//!
//! - All of them are read again and hashed, and the last of them leave only if their hash is that of the staged bytes: what
//!   has changed or rotted under us is never published. It is the BLAKE3 that was made in one pass with the announced MD5,
//!   because a second MD5 is most of what an upload costs the processor; the service checks the MD5 of what came.
//! - The next bytes are read and hashed while those before are on their way.
//! - Those that the service has already are hashed before there is a request: it would not wait for so long.
//! - An upload holds what its connection has taken and not sent, and what was read at once: 384 KiB at most with these
//!   sizes. The connection takes 16 pieces, so with pieces of 64 KiB it was half a MiB, at about the same speed.

use crate::disk::{BlockFile, PlainFile};
use crate::drive::Busy;
use crate::md5::Md5;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Bytes read at once.
const READ: u64 = 64 * 1024;
/// Bytes in a piece on the wire.
const PIECE: usize = 16 * 1024;
/// Bytes hashed at once of what is not sent.
const SKIP: u64 = 256 * 1024;

/// Where the bytes come from.
pub(crate) trait Origin: Send + Sync {
    /// Reads up to the end of `buffer`; less only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Whether it has exactly `size` bytes, and is what it was when it was opened.
    fn is_whole(&self, size: u64) -> io::Result<bool>;
}

impl Origin for Box<dyn BlockFile> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_ref().read_at(buffer, offset)
    }

    fn is_whole(&self, size: u64) -> io::Result<bool> {
        Ok(self.as_ref().len()? == size)
    }
}

/// A file of somebody else's, that may be written to, or replaced, while it is read.
pub(crate) struct Foreign {
    pub file: PlainFile,
    pub path: PathBuf,
}

impl Origin for Foreign {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn is_whole(&self, size: u64) -> io::Result<bool> {
        Ok(self.file.size() == size && self.file.is_unchanged(&self.path)?)
    }
}

/// What is to be sent: its size and hashes, and how to open it again for each attempt.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub size: u64,
    pub md5: [u8; 16],
    /// `None` of content that was staged without it.
    pub blake3: Option<[u8; 32]>,
    pub open: Arc<dyn Fn() -> Result<Arc<dyn Origin>> + Send + Sync>,
}

/// The bytes from a position on; an error instead of the last of them if they are not what was announced.
pub(super) async fn body(
    outgoing: &Outgoing,
    busy: Busy,
    from: u64,
    cancel: &CancelToken,
) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
    let (open, size, hash) = (outgoing.open.clone(), outgoing.size, Hash::of(outgoing));
    let cancel = cancel.clone();
    let reading = blocking(move || {
        let mut reading = Reading::new(open()?, size, hash);
        reading.skip_to(from, &cancel)?;
        Ok(reading)
    });
    let first = read_ahead(reading.await?, busy);
    let read =
        stream::try_unfold(first, |ahead| async {
            let read = ahead.await.map_err(|_| Error::bug("reading stopped"))??;
            Ok::<_, Error>(read.map(|(bytes, reading, busy)| {
                (stream::iter(pieces(bytes)), read_ahead(reading, busy))
            }))
        });
    Ok(read.try_flatten())
}

/// Reads the next bytes, whoever waits for them or not.
fn read_ahead(
    mut reading: Reading,
    busy: Busy,
) -> JoinHandle<Result<Option<(Bytes, Reading, Busy)>>> {
    tokio::task::spawn_blocking(move || {
        let bytes = reading.next()?;
        Ok(bytes.map(|bytes| (bytes, reading, busy)))
    })
}

/// What the bytes must have.
enum Hash {
    Blake3(Box<blake3::Hasher>, [u8; 32]),
    /// Of content that was staged without the other.
    Md5(Md5, [u8; 16]),
}

impl Hash {
    fn of(content: &Outgoing) -> Self {
        match content.blake3 {
            Some(wanted) => Self::Blake3(Box::default(), wanted),
            None => Self::Md5(Md5::new(), content.md5),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher, _) => drop(hasher.update(bytes)),
            Self::Md5(md5, _) => md5.update(bytes),
        }
    }

    fn is_right(&self) -> bool {
        match self {
            Self::Blake3(hasher, wanted) => hasher.finalize().as_bytes() == wanted,
            Self::Md5(md5, wanted) => md5.clone().finalize() == *wanted,
        }
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Result<Bytes>> {
    std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then_some(Ok(piece))
    })
}

struct Reading {
    file: Arc<dyn Origin>,
    hash: Hash,
    at: u64,
    size: u64,
}

impl Reading {
    fn new(file: Arc<dyn Origin>, size: u64, hash: Hash) -> Self {
        Self {
            file,
            hash,
            at: 0,
            size,
        }
    }

    /// Hashes all before `from`, which is not the end.
    fn skip_to(&mut self, from: u64, cancel: &CancelToken) -> Result<()> {
        let mut buffer = vec![0; from.min(SKIP) as usize];
        while self.at < from {
            cancel.check()?;
            let most = (from - self.at).min(SKIP) as usize;
            self.read(&mut buffer[..most])?;
        }
        Ok(())
    }

    /// The next bytes; `None` at the end.
    fn next(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.size {
            return Ok(None);
        }
        let mut buffer = vec![0; (self.size - self.at).min(READ) as usize];
        self.read(&mut buffer)?;
        let all = self.at == self.size;
        if all && (!self.hash.is_right() || !self.file.is_whole(self.size)?) {
            return Err(rotten());
        }
        Ok(Some(buffer.into()))
    }

    /// Fills a buffer, and hashes it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = self.at + filled as u64;
            match self.file.read_at(&mut buffer[filled..], at)? {
                0 => return Err(rotten()),
                read => filled += read,
            }
        }
        self.hash.update(buffer);
        self.at += filled as u64;
        Ok(())
    }
}

fn rotten() -> Error {
    Error::DiskFailed {
        detail: "the bytes are not what was announced".into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;

    /// Bytes in memory; notes from where it was read, and is cancelled at a position.
    struct Bytewise {
        bytes: Mutex<Vec<u8>>,
        read: Mutex<Vec<u64>>,
        cancel: (u64, CancelToken),
    }

    impl Origin for Bytewise {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let (at, cancel) = &self.cancel;
            if offset >= *at {
                cancel.cancel();
            }
            self.read.lock().unwrap().push(offset);
            let bytes = self.bytes.lock().unwrap();
            let rest = &bytes[(offset as usize).min(bytes.len())..];
            // Less than asked for, as a disk may give.
            let read = rest.len().min(buffer.len()).min(100_000);
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        }
        fn is_whole(&self, size: u64) -> io::Result<bool> {
            Ok(self.bytes.lock().unwrap().len() as u64 == size)
        }
    }

    const SIZE: u64 = 1_000_000;

    fn content() -> Vec<u8> {
        (0..SIZE as u32).map(|n| (n >> 3) as u8).collect()
    }

    fn file(cancel_at: u64) -> (Arc<Bytewise>, CancelToken) {
        let cancel = CancelToken::new();
        let file = Bytewise {
            bytes: Mutex::new(content()),
            read: Mutex::default(),
            cancel: (cancel_at, cancel.clone()),
        };
        (Arc::new(file), cancel)
    }

    fn hashes() -> [Hash; 2] {
        let mut md5 = Md5::new();
        md5.update(content());
        let blake3 = *blake3::hash(&content()).as_bytes();
        [
            Hash::Blake3(Box::default(), blake3),
            Hash::Md5(Md5::new(), md5.finalize()),
        ]
    }

    fn reading(file: &Arc<Bytewise>) -> Reading {
        let [hash, _] = hashes();
        Reading::new(file.clone(), SIZE, hash)
    }

    fn rest(reading: &mut Reading) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(bytes) = reading.next()? {
            for piece in pieces(bytes) {
                let piece = piece?;
                assert!((1..=PIECE).contains(&piece.len()));
                all.extend_from_slice(&piece);
            }
        }
        Ok(all)
    }

    #[test]
    fn what_the_service_has_is_hashed_before_the_first_piece_and_the_rest_is_all_there_is() {
        for from in [0, 1, SKIP - 1, SKIP, SKIP + 1, SIZE - 1] {
            let (file, cancel) = file(SIZE);
            let mut reading = reading(&file);
            reading.skip_to(from, &cancel).unwrap();
            let skipped = std::mem::take(&mut *file.read.lock().unwrap());
            assert!(skipped.iter().all(|at| *at < from), "{from}: {skipped:?}");
            assert_eq!(rest(&mut reading).unwrap(), content()[from as usize..]);
            let sent = file.read.lock().unwrap();
            assert!(sent.iter().all(|at| *at >= from), "{from}: {sent:?}");
        }
    }

    #[test]
    fn a_cancel_ends_the_hashing_of_what_the_service_has() {
        let (file, cancel) = file(SKIP);
        let skipped = reading(&file).skip_to(SIZE - 1, &cancel);
        assert_eq!(skipped, Err(Error::Cancelled));
        let furthest = file.read.lock().unwrap().iter().copied().max();
        assert!(furthest < Some(2 * SKIP), "{furthest:?}");
    }

    #[test]
    fn bytes_that_changed_anywhere_or_in_number_keep_the_last_piece_back() {
        type Change = fn(&mut Vec<u8>);
        let changes: [Change; 4] = [
            |bytes| bytes[3] ^= 1,
            |bytes| bytes[SIZE as usize - 1] ^= 1,
            |bytes| bytes.push(0),
            |bytes| bytes.truncate(SIZE as usize - 1),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            for from in [0, SKIP, SIZE - 10] {
                for hash in hashes() {
                    let (file, cancel) = file(SIZE);
                    change(&mut file.bytes.lock().unwrap());
                    let mut reading = Reading::new(file, SIZE, hash);
                    reading.skip_to(from, &cancel).unwrap();
                    let read = rest(&mut reading);
                    assert_eq!(read, Err(rotten()), "change {number} from {from}");
                }
            }
        }
    }
}
