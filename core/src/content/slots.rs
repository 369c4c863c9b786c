//! All slots that are open in this process.
//!
//! Who asks for a slot that somebody has gets the same one, so that its flights are shared. A slot that nobody has any more
//! closes its files by itself; a pause closes those of all.

use super::blocks::Slot;
use super::slot::SlotName;
use crate::Result;
use crate::catalog::Space;
use crate::disk::Disk;
use crate::remote::RemotePath;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The slots of one drive.
pub(super) struct Slots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    open: Mutex<HashMap<SlotName, Weak<Slot>>>,
}

impl Slots {
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self {
            disk,
            dir,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SlotName, Weak<Slot>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot of a version. Opens no file.
    pub fn get(&self, name: SlotName, path: &RemotePath, space: Space) -> Result<Arc<Slot>> {
        let mut open = self.lock();
        if let Some(slot) = open.get(&name).and_then(Weak::upgrade) {
            let mut state = slot.lock();
            (state.path, state.space) = (path.clone(), space);
            drop(state);
            return Ok(slot);
        }
        if open.len() >= 64 && open.len().is_power_of_two() {
            open.retain(|_, slot| slot.strong_count() > 0);
        }
        let slot = Arc::new(Slot::new(
            self.disk.clone(),
            self.dir.clone(),
            name.clone(),
            path.clone(),
            space,
        )?);
        open.insert(name, Arc::downgrade(&slot));
        Ok(slot)
    }

    /// Whether nobody else in this process has this slot.
    pub fn is_only(&self, slot: &Arc<Slot>) -> bool {
        let _nobody_comes = self.lock();
        Arc::strong_count(slot) == 1
    }

    fn all(&self) -> Vec<Arc<Slot>> {
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Closes all files. Nothing uses them: the drive has stopped.
    pub fn close_files(&self) {
        for slot in self.all() {
            slot.close_files();
        }
    }

    /// The account has left: who still has a slot gets nothing from it any more.
    pub fn leave(&self) {
        for slot in self.all() {
            slot.leave();
        }
        self.lock().clear();
    }
}
