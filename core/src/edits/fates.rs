//! What is to become of items: trash, restore, purge and links; and what a person gives up.
//!
//! Unsent bytes of what is given up are kept aside (see [`Edits::discarded`]): only a person forgets them.

use super::Edits;
use super::queue::{FOLDER, id, kind_of, not_known};
use super::wishes::{base_from, inside};
use crate::catalog::{Action, Item, ItemId, Kind, Lookup, Space};
use crate::store::{DiscardedRow, EditRow, Fate, Outbox};
use crate::{Error, Result};

impl Edits {
    pub(super) fn queue_trash(
        &self,
        item: &ItemId,
        base: Option<&str>,
        recursive: bool,
        key: Option<&str>,
    ) -> Result<()> {
        if self.done_before(key)? {
            return Ok(());
        }
        let found = match self.catalog.item(item)? {
            Lookup::Found(found) => found,
            Lookup::Gone => return Ok(()),
            Lookup::Unknown => return Err(not_known()),
        };
        if found.space == Space::Trash {
            return Ok(());
        }
        self.allowed(&found, Action::Trash)?;
        if found.kind != Kind::File && !recursive && self.has_children(item)? {
            return Err(Error::NotAllowed {
                detail: "the folder is not empty".into(),
            });
        }
        let bytes = id(item)?;
        let theirs = self.their_base(&bytes)?;
        let served = theirs.is_some();
        let base = match base {
            Some(base) if found.kind == Kind::File => {
                let ours = self.store.edit(&bytes)?.and_then(|row| row.base);
                Some(base_from(base, theirs.or(ours))?)
            }
            _ => theirs,
        };
        let kind = kind_of(&found);
        // In a folder that the service never had, everything is in the outbox, and goes with it.
        let new = self.store.edit(&bytes)?.is_some_and(|row| row.is_new);
        let below = if new && kind == FOLDER {
            inside(&self.store, &self.catalog, item)?
        } else {
            Vec::new()
        };
        let changed = self.store.outbox(|outbox| {
            let mut changed = vec![bytes];
            for id in &below {
                if let Some(row) = outbox.get(id)? {
                    self.trash_row(outbox, row, false)?;
                    changed.push(*id);
                }
            }
            let row = self.row(outbox, &bytes, kind, base.clone())?;
            let base = base.or(row.base.clone());
            self.trash_row(outbox, EditRow { base, ..row }, served)?;
            self.sign(outbox, key, &bytes)?;
            Ok(changed)
        })?;
        self.catalog.settle_edits(&changed)
    }

    /// What the service has goes to the trash, what it never had is given up; unsent bytes are kept aside. Something new
    /// may be there already, if a listing was faster than our answer.
    fn trash_row(&self, outbox: &Outbox<'_>, mut row: EditRow, served: bool) -> Result<()> {
        self.keep_aside(outbox, &mut row)?;
        row.place = None;
        row.link = None;
        row.held = None;
        if served || !row.is_new {
            row.fate = Some(Fate::Trash);
        }
        row.is_new = false;
        row.copy_of = None;
        outbox.put(&row)
    }

    pub(super) fn queue_restore(&self, item: &ItemId, key: Option<&str>) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let found = self.found(item)?;
        let bytes = id(item)?;
        let base = self.their_base(&bytes)?;
        let waits = self
            .store
            .edit(&bytes)?
            .is_some_and(|row| row.fate == Some(Fate::Trash));
        if !waits {
            self.allowed(&found, Action::Restore)?;
        }
        self.store.outbox(|outbox| {
            let mut row = self.row(outbox, &bytes, kind_of(&found), base)?;
            row.fate = match row.fate {
                // It never got there, unless it is getting there right now: then it comes back.
                Some(Fate::Trash) if row.marker.is_none() => None,
                _ => Some(Fate::Restore),
            };
            row.held = None;
            outbox.put(&row)?;
            self.sign(outbox, key, &bytes)
        })?;
        self.show(&bytes)
    }

    pub(super) fn queue_purge(&self, item: &ItemId, key: Option<&str>) -> Result<()> {
        if self.done_before(key)? {
            return Ok(());
        }
        let found = match self.catalog.item(item)? {
            Lookup::Found(found) => found,
            Lookup::Gone => return Ok(()),
            Lookup::Unknown => return Err(not_known()),
        };
        self.allowed(&found, Action::Purge)?;
        let bytes = id(item)?;
        let base = self.their_base(&bytes)?;
        self.store.outbox(|outbox| {
            let mut row = self.row(outbox, &bytes, kind_of(&found), base)?;
            if row.fate == Some(Fate::Trash) {
                return Err(Error::NotAllowed {
                    detail: "it is not in the service's trash yet".into(),
                });
            }
            row.fate = Some(Fate::Purge);
            row.held = None;
            outbox.put(&row)?;
            self.sign(outbox, key, &bytes)
        })?;
        self.catalog.settle_edits(&[bytes])
    }

    pub(super) fn queue_link(&self, item: &ItemId, on: bool, key: Option<&str>) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let found = self.found(item)?;
        self.allowed(&found, Action::Link)?;
        let bytes = id(item)?;
        let base = self.their_base(&bytes)?;
        let theirs = self.catalog.theirs(&bytes)?;
        let is_so = theirs.is_some_and(|theirs| theirs.shared == Some(on));
        self.store.outbox(|outbox| {
            let mut row = self.row(outbox, &bytes, kind_of(&found), base)?;
            row.link = Some(on).filter(|_| !is_so || row.marker.is_some());
            row.held = None;
            outbox.put(&row)?;
            self.sign(outbox, key, &bytes)
        })?;
        self.show(&bytes)
    }

    pub(super) fn give_up(&self, item: &ItemId) -> Result<()> {
        let bytes = id(item)?;
        let Some(row) = self.store.edit(&bytes)? else {
            return Ok(());
        };
        let mut all = vec![bytes];
        if row.is_new && row.kind == FOLDER {
            all.extend(inside(&self.store, &self.catalog, item)?);
        }
        self.store.outbox(|outbox| {
            for id in &all {
                let Some(mut row) = outbox.get(id)? else {
                    continue;
                };
                self.keep_aside(outbox, &mut row)?;
                outbox.put(&EditRow::of(row.id, row.kind, row.since_ms))?;
            }
            Ok(())
        })?;
        self.catalog.settle_edits(&all)
    }

    /// Unsent bytes of a row are discarded, which keeps them.
    fn keep_aside(&self, outbox: &Outbox<'_>, row: &mut EditRow) -> Result<()> {
        let Some(content) = row
            .content
            .take()
            .filter(|content| !content.file.is_empty())
        else {
            return Ok(());
        };
        let place = row.place.as_ref().map(|place| &place.name);
        let name = place.or(row.base.as_ref().map(|base| &base.name));
        outbox.add_discarded(&DiscardedRow {
            file: content.file,
            id: row.id,
            name: name.cloned().unwrap_or_default(),
            size: content.size,
            at_ms: self.store.now_ms(),
        })
    }
}
