//! A file written by its parts.

use crate::call::guarded;
use crate::{Item, LommeError};
use lomme::edits::Writer;

/// A file open for writing: bytes written anywhere in it, published as a whole by `commit` or not at all. Its calls block:
/// for a thread made for that. Let go of without a commit, it keeps its bytes as a draft that waits for a person. The thin
/// layers wrap it.
#[derive(uniffi::Object)]
pub struct LommeWriter(Writer);

impl LommeWriter {
    pub(crate) fn new(writer: Writer) -> Self {
        Self(writer)
    }
}

#[uniffi::export]
impl LommeWriter {
    /// The id of the item that it writes to; for a new file, the one that it will have.
    pub fn item(&self) -> Result<String, LommeError> {
        guarded(|| Ok(self.0.item().to_string()))
    }

    /// Reads what is there now: up to `len` bytes (at most 131,072) at `offset`; less only at the end.
    pub fn read_at(&self, offset: u64, len: u32) -> Result<Vec<u8>, LommeError> {
        guarded(|| self.0.read_at(offset, len))
    }

    /// Writes all of `bytes` at `offset`. What lies between the end and there becomes zeros. Throws `DiskFull`,
    /// `DiskFailed`, `InvalidArgument` after the end of the session.
    pub fn write_at(&self, offset: u64, bytes: Vec<u8>) -> Result<(), LommeError> {
        guarded(|| self.0.write_at(offset, &bytes))
    }

    /// Cuts to `len` bytes, or lengthens with zeros.
    pub fn set_len(&self, len: u64) -> Result<(), LommeError> {
        guarded(|| self.0.set_len(len))
    }

    /// The length in bytes.
    pub fn len(&self) -> Result<u64, LommeError> {
        guarded(|| self.0.len())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> Result<bool, LommeError> {
        guarded(|| self.0.is_empty())
    }

    /// Makes what was written durable.
    pub fn sync(&self) -> Result<(), LommeError> {
        guarded(|| self.0.sync())
    }

    /// The path of the bytes, to give a descriptor of them to others. If this process ends before the commit, the next start
    /// publishes what is there then, because they may have finished it.
    pub fn staged_path(&self) -> Result<String, LommeError> {
        guarded(|| Ok(self.0.staged_path()?.to_string_lossy().into_owned()))
    }

    /// Makes the bytes durable, queues them as the item's content, and ends the session. Equal bytes are no change. Gives
    /// the item as it looks now. Throws `InvalidArgument` when called twice, `DiskFull`.
    pub fn commit(&self) -> Result<Item, LommeError> {
        guarded(|| Ok(self.0.commit()?.into()))
    }

    /// Drops the bytes and ends the session. Fine after a commit.
    pub fn abort(&self) -> Result<(), LommeError> {
        guarded(|| self.0.abort())
    }
}
