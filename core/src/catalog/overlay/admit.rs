//! Rows for what the tree does not have (yet): it is new here, or the catalogue is new.

use super::{KEPT, NEW, TRASH_ROOT, shown};
use crate::Result;
use crate::catalog::change::{Change, Spot};
use crate::catalog::facts::Facts;
use crate::catalog::flags::apply;
use crate::catalog::read::{DEPTH_MAX, key_of};
use crate::catalog::row::{Id, fold};
use crate::store::{Base, EditRow, Place, WantedPlace};
use rusqlite::OptionalExtension;

impl Change<'_> {
    /// Brings the row of an item to what the outbox says of it, and makes it if the tree does not have it.
    pub(super) fn settle(&mut self, id: &Id) -> Result<()> {
        let key = match key_of(self.db, id)? {
            Some(key) => Some(key),
            None => match self.store.edit(id)? {
                Some(wish) => self.admit(id, &wish)?,
                None => None,
            },
        };
        match key {
            Some(key) => self.derive(key),
            None => Ok(()),
        }
    }

    /// A row for an item that the tree does not have: it is new, or the catalogue is.
    fn admit(&mut self, id: &Id, wish: &EditRow) -> Result<Option<i64>> {
        let (parent, name) = match (&wish.place, &wish.base) {
            (Some(WantedPlace { parent, name }), _) if wish.is_new => (*parent, name.clone()),
            (_, Some(Base { parent, name, .. })) => (*parent, name.clone()),
            _ => return Ok(None),
        };
        let base = wish.base.clone().unwrap_or_default();
        let Some(folder) = self.folder_of(&parent, 0)? else {
            return Ok(None);
        };
        let facts = Facts {
            kind: wish.kind,
            fold: fold(&name),
            name,
            size: base.size.and_then(|size| i64::try_from(size).ok()),
            md5: base.md5,
            uuid: base.uuid,
            revision: base.revision.and_then(|number| i64::try_from(number).ok()),
            ..Facts::default()
        };
        let there = match wish.is_new {
            true => None,
            false => self.nameless_at(folder, &facts)?,
        };
        let key = match there {
            Some(key) => key,
            None => self.add(folder, &facts)?,
        };
        self.give(key, *id)?;
        if wish.is_new {
            self.set_edit(key, NEW)?;
        }
        Ok(Some(key))
    }

    /// A row without an id that a listing has brought already.
    fn nameless_at(&self, folder: i64, facts: &Facts) -> Result<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT key FROM item WHERE parent = ?1 AND (kind = 3) = (?2 = 3) AND fold = ?3 AND name = ?4
                     AND id IS NULL AND key <> ?1 AND (uuid IS NULL OR ?5 IS NULL OR uuid = ?5)",
            )?
            .query_row(
                (folder, facts.kind, &facts.fold, &facts.name, facts.uuid),
                |row| row.get(0),
            )
            .optional()?)
    }

    fn add(&mut self, folder: i64, facts: &Facts) -> Result<i64> {
        let key = self.db.query_row(
            "UPDATE meta SET next_key = next_key + 1 RETURNING next_key - 1",
            [],
            |row| row.get(0),
        )?;
        let spot = Spot {
            parent: folder,
            space: 0,
        };
        self.edited = true;
        self.insert(key, spot, facts)?;
        Ok(key)
    }

    fn give(&mut self, key: i64, id: Id) -> Result<()> {
        self.db
            .prepare_cached("UPDATE item SET id = ?2 WHERE key = ?1")?
            .execute((key, id))?;
        self.db
            .prepare_cached("DELETE FROM gone WHERE id = ?1")?
            .execute([id])?;
        for flags in self.store.flags_of(&[id])? {
            apply(self.db, key, flags, &mut self.seq)?;
        }
        Ok(())
    }

    /// The row of a folder, made from the journal's places where a new catalogue does not have it yet.
    pub(super) fn folder_of(&mut self, id: &Id, depth: usize) -> Result<Option<i64>> {
        if let Some(key) = key_of(self.db, id)? {
            return Ok(Some(key));
        }
        if depth >= DEPTH_MAX {
            return Ok(None);
        }
        if let Some(wish) = self.store.edit(id)?.filter(|wish| wish.is_new) {
            return self.admit(id, &wish);
        }
        let Some(Place {
            parent, name, kind, ..
        }) = self.store.identity(id)?
        else {
            return Ok(None);
        };
        let Some(folder) = self.folder_of(&parent, depth + 1)? else {
            return Ok(None);
        };
        if folder == TRASH_ROOT {
            // Where it was is not told by its place there.
            return Ok(None);
        }
        let facts = Facts {
            kind,
            fold: fold(&name),
            name,
            ..Facts::default()
        };
        let key = match self.nameless_at(folder, &facts)? {
            Some(key) => key,
            None => self.add(folder, &facts)?,
        };
        self.give(key, *id)?;
        Ok(Some(key))
    }

    /// Removes kept folders that nothing wanted is in any more.
    pub(super) fn drop_kept(&mut self) -> Result<()> {
        loop {
            let empty: Vec<i64> = self
                .db
                .prepare_cached(
                    "SELECT key FROM item i WHERE edit <> 0 AND edit = ?1
                         AND NOT EXISTS (SELECT 1 FROM item c WHERE c.parent = i.key AND c.key <> i.key)",
                )?
                .query_map([KEPT], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            if empty.is_empty() {
                return Ok(());
            }
            for key in empty {
                if let Some(row) = shown(self.db, key)? {
                    self.remove_now(row)?;
                }
            }
        }
    }
}
