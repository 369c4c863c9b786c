//! Bytes that wait to be sent: place for them on the device, and how they are read before the service has them.

use super::blocks::Slot;
use super::slot::BLOCK;
use super::{Content, Purpose};
use crate::catalog::{ItemId, content_version, id_bytes};
use crate::store::check_file;
use crate::{Error, Result};

/// What somebody edited stays here up to this size, in bytes.
const KEPT: u64 = 64 << 20;

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

    /// What was sent stays here if it is pinned, so that a pin costs no byte for what was written here; and as a part of
    /// the cache if somebody worked with it, who may open it again without a network. A device without room goes without.
    pub(crate) fn keep_sent(&self, id: &ItemId, edited: bool) -> Result<()> {
        let pinned = self.catalog.pinned_by(id)?.is_some();
        if !pinned && !edited {
            return Ok(());
        }
        let kept = self.catalog.wanted(id).and_then(|wanted| {
            if pinned || wanted.size <= KEPT {
                self.slot(&wanted)?;
            }
            Ok(())
        });
        match kept {
            // It is not shown here any more, or nothing of it is kept.
            Err(
                Error::DiskFull
                | Error::NoSuchItem { .. }
                | Error::NotKnown { .. }
                | Error::NotAllowed { .. },
            ) => Ok(()),
            kept => kept,
        }
    }
}
