//! A write session: bytes written anywhere, published as a whole or not at all (platform contracts §2.1).

use crate::Result;
use crate::catalog::{Item, ItemId};
use std::path::PathBuf;

/// Opened by [`open_writer`](super::Edits::open_writer). Blocks; for a thread made for that. Dropped without a commit, it
/// keeps its bytes as a draft that waits for a person.
pub struct Writer {
    _private: (),
}

impl Writer {
    /// The item that it writes to; for a new file, the id that it will have.
    pub fn item(&self) -> ItemId {
        todo!("writer")
    }

    /// Reads what is there now: less than `len` bytes only at the end. At most 1 MiB at once.
    pub fn read_at(&self, offset: u64, len: u32) -> Result<Vec<u8>> {
        let _ = (offset, len);
        todo!("writer")
    }

    /// Writes all of `bytes`. What lies between the end and `offset` becomes zeros.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let _ = (offset, bytes);
        todo!("writer")
    }

    /// Cuts or lengthens, with zeros.
    pub fn set_len(&self, len: u64) -> Result<()> {
        let _ = len;
        todo!("writer")
    }

    /// The length in bytes.
    pub fn len(&self) -> Result<u64> {
        todo!("writer")
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Makes what was written durable.
    pub fn sync(&self) -> Result<()> {
        todo!("writer")
    }

    /// Where the bytes are, to give a descriptor of them to others. If this process ends before the commit, the next start
    /// publishes what is there then, because they may have finished it (complaint no. 35: unless it is empty and was not).
    pub fn staged_path(&self) -> Result<PathBuf> {
        todo!("writer")
    }

    /// Makes the bytes durable and queues them as the item's content, then ends the session. Equal bytes are no change.
    /// The item as it looks now. A second call gives `InvalidArgument`.
    pub fn commit(&self) -> Result<Item> {
        todo!("writer")
    }

    /// Drops the bytes and ends the session. Fine after a commit.
    pub fn abort(&self) -> Result<()> {
        todo!("writer")
    }
}
