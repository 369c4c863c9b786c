//! A whole slot becomes a file of the caller's.
//!
//! The caller writes into what it gets, so it gets blocks of its own: a reflink where the volume can, else a copy, and never
//! a hard link. The file has its final name only when every block has been checked and is on the disk. Where the volume
//! cannot, a large file that nothing keeps in the cache is not copied but leaves it, because a phone has no room for it twice.

use super::blocks::Slot;
use super::fill::Filled;
use super::{Content, Purpose};
use crate::{CancelToken, Error, Result};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file larger than this is moved rather than copied.
const MOVED_FROM: u64 = 16 << 20;
/// How long it may take until those who brought the file have let go of it, in milliseconds.
const LET_GO: u32 = 100;

/// A neighbour of the destination, until it gets its name.
struct Near<'a> {
    content: &'a Content,
    path: PathBuf,
}

impl Drop for Near<'_> {
    fn drop(&mut self) {
        // Gone already when it got its name.
        drop(self.content.disk.remove(&self.path));
    }
}

impl Content {
    /// Gives the content of a whole slot to `dest`, over whatever is there. `false` when a block was damaged: then it is
    /// forgotten, nothing is at `dest`, and it must be fetched again.
    pub(super) fn hand_out(
        &self,
        filled: Filled,
        dest: &Path,
        cancel: &CancelToken,
    ) -> Result<bool> {
        let dir = dest
            .parent()
            .ok_or_else(|| Error::invalid("a destination without a directory"))?;
        let near = Near {
            content: self,
            path: dir.join(format!(".lomme-{:016x}.once", fastrand::u64(..))),
        };
        let Filled { slot, proved, .. } = filled;
        let files = slot.files()?;
        if files.is_in_place()? && self.disk.clone_file(files.data_path(), &near.path)? {
            if !proved && !self.check(&slot, cancel)? {
                return Ok(false);
            }
            self.disk.open_append(&near.path)?.sync()?;
            self.disk.rename(&near.path, dest)?;
            return Ok(true);
        }
        drop(files);
        if slot.size > MOVED_FROM && !filled.item.pinned {
            if !proved && !self.check(&slot, cancel)? {
                return Ok(false);
            }
            if self.move_out(&slot, dest)? {
                return Ok(true);
            }
        }
        self.copy(&slot, &near.path, dest, cancel)
    }

    /// Reads every block once.
    fn check(&self, slot: &Slot, cancel: &CancelToken) -> Result<bool> {
        let mut buffer = Vec::new();
        for block in 0..slot.blocks() {
            cancel.check()?;
            if slot.read_block(block, false, &mut buffer)?.is_err() {
                return self.not_whole(slot);
            }
        }
        Ok(true)
    }

    fn not_whole(&self, slot: &Slot) -> Result<bool> {
        slot.files()?.set_whole(false)?;
        self.note_damaged(slot)?;
        Ok(false)
    }

    /// Renames the slot's data, if nobody else has the slot and the destination is on its volume.
    fn move_out(&self, slot: &Arc<Slot>, dest: &Path) -> Result<bool> {
        for _ in 0..LET_GO {
            if self.slots.is_only(slot) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // Now, because whoever wants the slot waits for what comes next.
        slot.files()?.sync_data()?;
        let files = match self.slots.is_only(slot) {
            true => slot.take_files(),
            false => None,
        };
        let Some(files) = files else {
            return Ok(false);
        };
        // Whoever waits for the files in this process opens them again, and finds what is there then.
        if !files.alone()? {
            return Ok(false);
        }
        // Before the data goes: a kill must leave no map that says that all is here.
        files.set_whole(false)?;
        match self.disk.rename(files.data_path(), dest) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                files.set_whole(true)?;
                return Ok(false);
            }
            done => done?,
        }
        files.remove(&*self.disk)?;
        self.cache.forget(&slot.name)?;
        self.catalog
            .note_local(&slot.name.id, &slot.name.version, false)?;
        Ok(true)
    }

    fn copy(&self, slot: &Slot, near: &Path, dest: &Path, cancel: &CancelToken) -> Result<bool> {
        // As for a pin: the copy is the caller's, and no part of the cache's budget.
        let _room = self.cache.reserve(slot.size, Purpose::Pin)?;
        let mut to = self.disk.open_append(near)?;
        let mut buffer = Vec::new();
        for block in 0..slot.blocks() {
            cancel.check()?;
            if slot.read_block(block, false, &mut buffer)?.is_err() {
                return self.not_whole(slot);
            }
            to.write_all(&buffer)?;
        }
        to.sync()?;
        drop(to);
        self.disk.rename(near, dest)?;
        Ok(true)
    }
}
