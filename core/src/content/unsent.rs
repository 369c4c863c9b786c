//! What the outbox asks of the content: place on the device for bytes that wait to be sent.

use super::{Content, Purpose};
use crate::Result;

impl Content {
    /// Place for a copy of bytes that are to be sent, kept until the answer is dropped. The cache gives way to it, and the
    /// floor of free space holds for it too: `DiskFull`.
    pub(crate) fn room_for_unsent(&self, bytes: u64) -> Result<impl Sized + use<>> {
        // As for a pin: it is no part of the cache's budget.
        self.cache.reserve(bytes, Purpose::Pin)
    }
}
