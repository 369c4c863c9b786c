//! Staged bytes as the body of an upload.
//!
//! - All of them are read again and hashed, and the last of them leave only if their MD5 is what was announced: what has
//!   changed or rotted under us is never published.
//! - Those that the service has already are hashed before there is a request: it would not wait for so long.
//! - An upload holds what its connection has taken and not sent, and what was read at once: 320 KiB at most with these
//!   sizes. The connection takes 16 pieces, so with pieces of 64 KiB it was half a MiB, at about the same speed.

use super::Edits;
use crate::disk::BlockFile;
use crate::drive::Busy;
use crate::md5::Md5;
use crate::runtime::blocking;
use crate::store::WantedContent;
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use std::sync::Arc;

/// Bytes read at once.
const READ: u64 = 64 * 1024;
/// Bytes in a piece on the wire.
const PIECE: usize = 16 * 1024;
/// Bytes hashed at once of what is not sent.
const SKIP: u64 = 256 * 1024;

impl Edits {
    /// The staged bytes from a position on; an error instead of the last of them if they are not what was announced.
    pub(super) async fn body(
        &self,
        content: &WantedContent,
        from: u64,
        cancel: &CancelToken,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let (staging, file) = (self.staging.clone(), content.file.clone());
        let (size, md5) = (content.size, content.md5);
        let (busy, cancel) = (self.life.busy()?, cancel.clone());
        let reading = blocking(move || {
            let mut reading = Reading::new(staging.open(&file)?.into(), size, md5);
            reading.skip_to(from, &cancel)?;
            Ok(reading)
        });
        let state: (Reading, Busy) = (reading.await?, busy);
        let read = stream::try_unfold(state, |(mut reading, busy)| async {
            let next = blocking(move || {
                let bytes = reading.next()?;
                Ok(bytes.map(|bytes| (stream::iter(pieces(bytes)), (reading, busy))))
            });
            next.await
        });
        Ok(read.try_flatten())
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Result<Bytes>> {
    std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then_some(Ok(piece))
    })
}

struct Reading {
    file: Arc<dyn BlockFile>,
    md5: Md5,
    at: u64,
    size: u64,
    wanted: [u8; 16],
}

impl Reading {
    fn new(file: Arc<dyn BlockFile>, size: u64, wanted: [u8; 16]) -> Self {
        Self {
            file,
            md5: Md5::new(),
            at: 0,
            size,
            wanted,
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
        if self.at == self.size {
            let right = self.md5.clone().finalize() == self.wanted;
            if !right || self.file.len()? != self.size {
                return Err(rotten());
            }
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
        self.md5.update(buffer);
        self.at += filled as u64;
        Ok(())
    }
}

fn rotten() -> Error {
    Error::DiskFailed {
        detail: "the staged bytes are not what was saved".into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io;
    use std::path::Path;
    use std::sync::Mutex;

    /// Bytes in memory; notes from where it was read, and is cancelled at a position.
    struct Bytewise {
        bytes: Mutex<Vec<u8>>,
        read: Mutex<Vec<u64>>,
        cancel: (u64, CancelToken),
    }

    impl BlockFile for Bytewise {
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
        fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            unreachable!()
        }
        fn set_len(&self, _: u64) -> io::Result<()> {
            unreachable!()
        }
        fn len(&self) -> io::Result<u64> {
            Ok(self.bytes.lock().unwrap().len() as u64)
        }
        fn disk_bytes(&self) -> io::Result<u64> {
            unreachable!()
        }
        fn sync(&self) -> io::Result<()> {
            unreachable!()
        }
        fn try_lock(&self, _: bool) -> io::Result<bool> {
            unreachable!()
        }
        fn is_at(&self, _: &Path) -> io::Result<bool> {
            unreachable!()
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

    fn reading(file: &Arc<Bytewise>) -> Reading {
        let mut md5 = Md5::new();
        md5.update(content());
        Reading::new(file.clone(), SIZE, md5.finalize())
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
                let (file, cancel) = file(SIZE);
                change(&mut file.bytes.lock().unwrap());
                let mut reading = reading(&file);
                reading.skip_to(from, &cancel).unwrap();
                let read = rest(&mut reading);
                assert_eq!(read, Err(rotten()), "change {number} from {from}");
            }
        }
    }
}
