//! What a start finds of an earlier life: drafts and strays of the staging directory; and what was discarded.

use super::{Discarded, Edits, WriteMode, Writer};
use crate::catalog::ItemId;
use crate::{CancelToken, Result};
use std::path::Path;

impl Edits {
    /// Brings drafts, rows and staged files together.
    pub(super) fn recover(&self) -> Result<()> {
        Ok(())
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
