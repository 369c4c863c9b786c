//! Bytes that wait to be sent: place for them on the device, and how they are read before the service has them.

use super::blocks::Slot;
use super::slot::BLOCK;
use super::{Content, Purpose};
use crate::catalog::{ItemId, content_version, id_bytes};
use crate::store::check_file;
use crate::{Error, Result};

impl Content {
    /// Place for a copy of bytes that are to be sent, kept until the answer is dropped. The cache gives way to it, and the
    /// floor of free space holds for it too: `DiskFull`.
    pub(crate) fn room_for_unsent(&self, bytes: u64) -> Result<impl Sized + use<>> {
        // As for a pin: it is no part of the cache's budget.
        self.cache.reserve(bytes, Purpose::Pin)
    }
}

impl Content {
    /// Content that waits to be sent is read like any other: its blocks come from the staged bytes and not from the service.
    /// Nothing if all are here, or if the slot is of another version.
    pub(super) fn bring_unsent(&self, slot: &Slot) -> Result<()> {
        let Some(id) = id_bytes(&slot.name.id) else {
            return Ok(());
        };
        let content = self.store.edit(&id)?.and_then(|row| row.content);
        let Some(content) = content.filter(|content| {
            !content.file.is_empty()
                && content_version(content.md5, content.size) == slot.name.version
        }) else {
            return Ok(());
        };
        let files = slot.files()?;
        if files.whole()? {
            return Ok(());
        }
        check_file(&content.file)?;
        let path = self.cache.lock_path("unsent").join(&content.file);
        let staged = self.disk.open_blocks(&path, false)?;
        let _room = self.room_for_unsent(slot.size)?;
        let mut buffer = Vec::new();
        for block in 0..files.blocks() {
            buffer.resize(files.len_of(block), 0);
            if staged.read_at(&mut buffer, block * BLOCK)? != buffer.len() {
                return Err(Error::DiskFailed {
                    detail: "the staged bytes are not what was saved".into(),
                });
            }
            files.write(&buffer, block * BLOCK)?;
            files.put_hashes(block, &[*blake3::hash(&buffer).as_bytes()])?;
        }
        files.set_whole(true)?;
        self.note(slot)
    }

    /// What is about to be sent for the last time stays here if it is pinned, so that a pin costs no byte for what was
    /// written here.
    pub(crate) fn keep_pinned(&self, id: &ItemId) -> Result<()> {
        if self.catalog.pinned_by(id)?.is_none() {
            return Ok(());
        }
        let wanted = self.catalog.wanted(id)?;
        self.slot(&wanted).map(drop)
    }
}
