//! What a start finds of an earlier life: drafts and strays of the staging directory; and what was discarded.

use super::staging::{Staged, Staging};
use super::{Discarded, Edits, NewContent, WriteMode, Writer};
use crate::catalog::{Id, ItemId};
use crate::store::{Base, DraftRow, WantedPlace};
use crate::{CancelToken, Result};
use std::path::Path;

impl Edits {
    /// Brings drafts, rows and staged files together.
    pub(super) fn recover(&self) -> Result<()> {
        Ok(())
    }

    /// Stages a caller's file: a row of it first, so that bytes without an owner are known as such after a kill.
    pub(super) fn stage_for(
        &self,
        id: &Id,
        place: Option<&WantedPlace>,
        base: Option<&Base>,
        content: &NewContent<'_>,
    ) -> Result<(String, Staged)> {
        let file = Staging::new_name(id)?;
        self.store.outbox(|outbox| {
            outbox.put_draft(&DraftRow {
                file: file.clone(),
                id: *id,
                place: place.cloned(),
                base: base.cloned(),
                session: false,
                handed_out: false,
                since_ms: self.store.now_ms(),
            })
        })?;
        match self.staging.stage(content, &file) {
            Ok(staged) => Ok((file, staged)),
            Err(error) => {
                self.store.outbox(|outbox| outbox.remove_draft(&file))?;
                Err(error)
            }
        }
    }

    pub(super) async fn begin_writer(
        &self,
        id: &ItemId,
        base: Option<&str>,
        mode: WriteMode,
        cancel: &CancelToken,
    ) -> Result<Writer> {
        let _ = (id, base, mode, cancel);
        todo!("writer")
    }

    pub(super) fn begin_new_writer(&self, parent: &ItemId, name: &str) -> Result<Writer> {
        let _ = (parent, name);
        todo!("writer")
    }

    pub(super) fn list_discarded(&self) -> Result<Vec<Discarded>> {
        todo!("drafts")
    }

    pub(super) fn write_discarded(&self, key: &str, dest: &Path) -> Result<()> {
        let _ = (key, dest);
        todo!("drafts")
    }

    pub(super) fn drop_discarded(&self, key: &str) -> Result<()> {
        let _ = key;
        todo!("drafts")
    }
}
