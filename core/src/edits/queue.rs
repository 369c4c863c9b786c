//! What is wanted becomes rows of the outbox: checked, coalesced, durable, then shown.

use super::{Edits, NewContent};
use crate::Result;
use crate::catalog::{Item, ItemId};

impl Edits {
    pub(super) fn queue_file(
        &self,
        parent: &ItemId,
        name: &str,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        let _ = (parent, name, content, key);
        todo!("queue")
    }

    pub(super) fn queue_folder(
        &self,
        parent: &ItemId,
        name: &str,
        key: Option<&str>,
    ) -> Result<Item> {
        let _ = (parent, name, key);
        todo!("queue")
    }

    pub(super) fn queue_content(
        &self,
        id: &ItemId,
        base: Option<&str>,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        let _ = (id, base, content, key);
        todo!("queue")
    }

    pub(super) fn queue_move(
        &self,
        id: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        let _ = (id, parent, name, key);
        todo!("queue")
    }

    pub(super) fn queue_copy(
        &self,
        id: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        let _ = (id, parent, name, key);
        todo!("queue")
    }

    pub(super) fn queue_trash(
        &self,
        id: &ItemId,
        base: Option<&str>,
        recursive: bool,
        key: Option<&str>,
    ) -> Result<()> {
        let _ = (id, base, recursive, key);
        todo!("queue")
    }

    pub(super) fn queue_restore(&self, id: &ItemId, key: Option<&str>) -> Result<Item> {
        let _ = (id, key);
        todo!("queue")
    }

    pub(super) fn queue_purge(&self, id: &ItemId, key: Option<&str>) -> Result<()> {
        let _ = (id, key);
        todo!("queue")
    }

    pub(super) fn queue_link(&self, id: &ItemId, on: bool, key: Option<&str>) -> Result<Item> {
        let _ = (id, on, key);
        todo!("queue")
    }

    pub(super) fn put_backup_writable(&self, on: bool) -> Result<()> {
        let _ = on;
        todo!("queue")
    }

    pub(super) fn give_up(&self, id: &ItemId) -> Result<()> {
        let _ = id;
        todo!("queue")
    }
}
