//! The bytes of a change, from a caller's file to the moment when a row of the outbox names them.
//!
//! The order is the same for every save: a draft row, then the bytes, then the one transaction that puts the file into its
//! edit row and takes the draft away. Whatever happens before the last step is undone here, or by the next start.

use super::staging::{Fresh, Source, Staging};
use super::{Edits, NewContent, Ownership};
use crate::Result;
use crate::catalog::Id;
use crate::drive::Busy;
use crate::sending::Hashed;
use crate::store::{Base, DraftRow, Store, WantedPlace};
use std::sync::Arc;

/// A caller's content on our disk, and the draft row that names it. Dropped, it is undone: the row goes, and the bytes go
/// or go back to their owner. So say [`kept`](Self::kept) once an edit row has it.
#[must_use = "dropped, the bytes go"]
pub(super) struct Draft {
    /// The name of the staged file, for the edit row and for [`remove_draft`](crate::store::Outbox::remove_draft).
    pub file: String,
    pub staged: Hashed,
    id: Id,
    store: Arc<Store>,
    staging: Staging,
    /// `None` once it was kept.
    fresh: Option<Fresh>,
    /// Its lock is an open file, which a pause must not find.
    _busy: Busy,
}

impl Edits {
    /// Stages a caller's content for an item: writes a draft row, then brings the bytes. Neither is there after an error.
    ///
    /// `place` is for a new file, `base` for new content of one that exists.
    ///
    /// Errors: `InvalidArgument` (not a plain file), `DiskFull`, `DiskFailed` (also if the file changes meanwhile).
    pub(super) fn stage_for(
        &self,
        id: &Id,
        place: Option<&WantedPlace>,
        base: Option<&Base>,
        content: &NewContent<'_>,
    ) -> Result<Draft> {
        let busy = self.life.busy()?;
        let file = Staging::new_name(id)?;
        let take = content.ownership == Ownership::Take;
        let row = DraftRow {
            file: file.clone(),
            id: *id,
            place: place.cloned(),
            base: base.cloned(),
            // What was taken is nowhere else, so a kill must not cost it, though its caller was not told "saved".
            session: take,
            handed_out: false,
            since_ms: self.store.now_ms(),
        };
        if take {
            self.store.outbox(|outbox| outbox.put_draft(&row))?;
        } else {
            // The caller has the bytes yet. Without the row, after a power cut, ours are a stray.
            self.store.outbox_lightly(|outbox| outbox.put_draft(&row))?;
        }
        let room = |bytes| self.content.room_for_unsent(bytes);
        match self.staging.stage(content, &file, room) {
            Ok(fresh) => Ok(Draft {
                staged: fresh.staged,
                file,
                id: *id,
                store: self.store.clone(),
                staging: self.staging.clone(),
                fresh: Some(fresh),
                _busy: busy,
            }),
            Err(error) => {
                // If that fails too, the next start finds a row without bytes.
                drop(self.store.outbox(|outbox| outbox.remove_draft(&file)));
                Err(error)
            }
        }
    }
}

impl Draft {
    /// An edit row has the bytes now, and the draft row is gone.
    pub fn kept(mut self) {
        let Some(fresh) = self.fresh.take() else {
            return;
        };
        if let Source::Copied(path) = &fresh.source {
            // It is ours, and here. A copy too many is no loss.
            drop(self.staging.remove_source(path));
        }
    }

    fn undo(&self, fresh: &Fresh) -> Result<()> {
        // The transaction may have been made durable though it was told to have failed.
        let row = self.store.edit(&self.id)?;
        if row.is_some_and(|row| row.content.is_some_and(|content| content.file == self.file)) {
            return Ok(());
        }
        if let Source::Renamed(to) = &fresh.source {
            if !self.staging.give_back(&self.file, to)? {
                // Something else is there now: the draft stays, for a person.
                return Ok(());
            }
        } else {
            self.staging.remove(&self.file)?;
        }
        self.store.outbox(|outbox| outbox.remove_draft(&self.file))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(fresh) = self.fresh.take() {
            // What cannot be undone now, the next start does.
            drop(self.undo(&fresh));
        }
    }
}
