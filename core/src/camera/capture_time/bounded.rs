//! Reading a stranger's file within a budget.
//!
//! All that is read of a file goes through here, so that no file, however it is made, costs more
//! than [`BYTES`] of reading and memory and [`READS`] seeks.

use std::io::{Read, Seek, SeekFrom};

/// Bytes read of one file, at the most. A photo needs some 10 KiB and a video 2 KiB.
pub(super) const BYTES: usize = 1 << 20;
/// Reads of one file, at the most: it is the limit on the number of boxes, segments and chunks. A
/// large PNG with its date behind the pixels has the most, one chunk for every 8 KiB or more.
pub(super) const READS: u32 = 4_000;

/// A file of which only so much may be read.
pub(super) struct Bounded<R> {
    inner: R,
    len: u64,
    bytes_left: usize,
    reads_left: u32,
}

impl<R: Read + Seek> Bounded<R> {
    /// `None` when it cannot seek.
    pub(super) fn new(mut inner: R) -> Option<Self> {
        let len = inner.seek(SeekFrom::End(0)).ok()?;
        Some(Self {
            inner,
            len,
            bytes_left: BYTES,
            reads_left: READS,
        })
    }

    /// Length of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// What is there from `at`, up to `len` bytes. It is shorter where the file or the budget ends
    /// and where reading fails. Memory grows with what is read, not with what is asked for.
    pub(super) fn up_to(&mut self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(reads_left) = self.reads_left.checked_sub(1) else {
            return bytes;
        };
        self.reads_left = reads_left;
        if at < self.len && self.inner.seek(SeekFrom::Start(at)).is_ok() {
            let most = len.min(self.bytes_left);
            // What was read before a failure is kept, and is checked like the rest.
            let _ = (&mut self.inner).take(most as u64).read_to_end(&mut bytes);
            self.bytes_left = self.bytes_left.saturating_sub(bytes.len());
        }
        bytes
    }

    /// The `N` bytes from `at`, all or none.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        self.up_to(at, N).try_into().ok()
    }
}

/// Bytes in memory, taken from the front. Numbers are big endian.
pub(super) struct Cut<'a>(pub(super) &'a [u8]);

impl<'a> Cut<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    /// A number of 0 to 8 bytes.
    pub(super) fn number(&mut self, len: usize) -> Option<u64> {
        if len > 8 {
            return None;
        }
        let bytes = self.take(len)?;
        Some(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
    }
}
