//! Rows for what the tree does not have (yet): it is new here, or the catalogue is new.

use super::{KEPT, NEW, TRASH_ROOT, shown};
use crate::Result;
use crate::catalog::Space;
use crate::catalog::change::{Change, Spot};
use crate::catalog::facts::Facts;
use crate::catalog::flags::apply;
use crate::catalog::merge::{child_folder, root_of};
use crate::catalog::mint::parse_place_name;
use crate::catalog::read::{DEPTH_MAX, key_of};
use crate::catalog::row::{FILE, Id, fold, root_key};
use crate::remote::RemotePath;
use crate::store::{EditRow, Place};
use rusqlite::OptionalExtension;

/// The name in a recorded place. In the trash that is more than the name.
fn short_name(folder: i64, recorded: &str) -> String {
    let parsed = parse_place_name(recorded).filter(|_| folder == TRASH_ROOT);
    parsed.map_or(recorded, |(_, name, _)| name).to_owned()
}

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
        let record = self.store.identity(id)?;
        let (folder, name, served) = self.place_for(wish, record.as_ref())?;
        let base = wish.base.clone().unwrap_or_default();
        // In the trash it is known by where it was deleted from, and when.
        let (origin, deleted_ms) = record
            .as_ref()
            .filter(|_| folder == TRASH_ROOT)
            .and_then(|place| parse_place_name(&place.name))
            .map_or((None, None), |(origin, _, ms)| (Some(origin), ms));
        let facts = Facts {
            kind: wish.kind,
            origin: origin.map(str::to_owned),
            deleted_ms,
            fold: fold(&name),
            name,
            size: base.size.and_then(|size| i64::try_from(size).ok()),
            md5: base.md5,
            uuid: base.uuid,
            revision: base.revision.and_then(|number| i64::try_from(number).ok()),
            ..Facts::default()
        };
        let there = match served {
            false => None,
            true => self.nameless_at(folder, &facts)?,
        };
        let key = match there {
            Some(key) => key,
            None => self.add(folder, &facts)?,
        };
        self.give(key, *id)?;
        if !served {
            self.set_edit(key, NEW)?;
        }
        Ok(Some(key))
    }

    /// The folder and name to make a row at, and whether the service is known to have it there. Whatever is known no more,
    /// a wish is shown: at the worst among the first in Sync.
    fn place_for(&mut self, wish: &EditRow, record: Option<&Place>) -> Result<(i64, String, bool)> {
        let wanted = wish.place.as_ref().map(|place| (place.parent, &place.name));
        let base = wish.base.as_ref().map(|base| (base.parent, &base.name));
        let record = record.map(|record| (record.parent, &record.name));
        let places = match wish.is_new {
            true => [(wanted, false), (record, false), (None, false)],
            false => [(base, true), (record, true), (wanted, false)],
        };
        for (place, served) in places {
            if let Some((parent, name)) = place
                && let Some(folder) = self.folder_of(&parent, 0)?
            {
                return Ok((folder, short_name(folder, name), served));
            }
        }
        let name = places.into_iter().find_map(|(place, _)| place);
        let name = name.map_or("?", |(_, name)| name);
        let root = root_key(Space::Sync);
        Ok((root, short_name(TRASH_ROOT, name), false))
    }

    /// A row without an id that a listing has brought already.
    fn nameless_at(&self, folder: i64, facts: &Facts) -> Result<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT key FROM item WHERE parent = ?1 AND (kind = 3) = (?2 = 3) AND fold = ?3 AND name = ?4
                     AND id IS NULL AND key <> ?1 AND (uuid IS NULL OR ?5 IS NULL OR uuid = ?5)
                     AND origin IS ?6 AND deleted_ms IS ?7",
            )?
            .query_row(
                (
                    folder,
                    facts.kind,
                    &facts.fold,
                    &facts.name,
                    facts.uuid,
                    &facts.origin,
                    facts.deleted_ms,
                ),
                |row| row.get(0),
            )
            .optional()?)
    }

    pub(super) fn add(&mut self, folder: i64, facts: &Facts) -> Result<i64> {
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
        self.marks_changed();
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

    /// The folder at a path of the service. What is not there is made here, as folders that are kept for what is wanted in
    /// them: the service makes them again with it. `None` for what is in no space of ours.
    pub(super) fn folder_for(&mut self, path: &RemotePath) -> Result<Option<i64>> {
        let Some((root, below)) = root_of(path).filter(|(_, below)| below.len() <= DEPTH_MAX)
        else {
            return Ok(None);
        };
        let mut key = root;
        for name in below {
            let there = match child_folder(self.db, key, name)? {
                Some(there) => Some(there),
                None => self.folder_only_here(key, name)?,
            };
            let Some(there) = there else {
                let computer = key == root_key(Space::Backup);
                let facts = Facts {
                    kind: if computer { 1 } else { 2 },
                    fold: fold(name),
                    name: name.clone(),
                    ..Facts::default()
                };
                key = self.add(key, &facts)?;
                self.set_edit(key, KEPT)?;
                continue;
            };
            key = there;
        }
        Ok(Some(key))
    }

    fn folder_only_here(&self, parent: i64, name: &str) -> Result<Option<i64>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT key FROM item WHERE parent = ?1 AND (kind = 3) = 0 AND fold = ?2 AND key <> ?1
                     AND edit & ?3 <> 0 ORDER BY name <> ?4 LIMIT 1",
            )?
            .query_row((parent, fold(name), NEW | KEPT, name), |row| row.get(0))
            .optional()?)
    }

    /// The row that is only here and turns up on the service now: by its uuid, or at its place with its content if it is a
    /// file. What the service was asked for and has not answered yet may be in a listing first.
    pub(in crate::catalog) fn only_here(&self, parent: i64, facts: &Facts) -> Result<Option<i64>> {
        if !self.edited {
            return Ok(None);
        }
        // It was gone from where it was, and something is wanted of it: it has moved, or came back.
        let lost = self
            .db
            .prepare_cached(
                "SELECT key FROM item WHERE uuid = ?1 AND kind = 3 AND edit <> 0
                     AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.key = item.key)",
            )?
            .query_row([facts.uuid], |row| row.get(0))
            .optional()?;
        if lost.is_some() || facts.origin.is_some() {
            return Ok(lost);
        }
        type Row = (i64, Option<Id>, u8, Option<[u8; 16]>, Option<i64>);
        let row: Option<Row> = self
            .db
            .prepare_cached(
                "SELECT key, id, edit, md5, size FROM item
                 WHERE parent = ?1 AND (kind = 3) = (?2 = 3) AND fold = ?3 AND name = ?4 AND key <> ?1
                     AND edit & ?5 <> 0 AND NOT EXISTS (SELECT 1 FROM theirs t WHERE t.key = item.key)",
            )?
            .query_row(
                (parent, facts.kind, &facts.fold, &facts.name, NEW | KEPT),
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                },
            )
            .optional()?;
        let Some((key, id, edit, md5, size)) = row else {
            return Ok(None);
        };
        if edit == KEPT {
            return Ok(Some(key));
        }
        let (Some(id), true) = (id, edit & NEW != 0) else {
            return Ok(None);
        };
        let Some(wish) = self.store.edit(&id)?.filter(|wish| wish.is_new) else {
            return Ok(None);
        };
        let asked = wish.marker.is_some();
        let same = facts.kind != FILE
            || (md5, size) == (facts.md5, facts.size)
            || asked
                && match facts.md5 {
                    Some(md5) => self.store.sent_contents(&id)?.contains(&md5),
                    None => false,
                };
        // A copy stands beside what is equal, unless that is the copy itself.
        Ok(Some(key).filter(|_| same && (asked || wish.copy_of.is_none())))
    }

    /// A row that was only here is on the service now.
    pub(in crate::catalog) fn has_now(
        &mut self,
        key: i64,
        spot: Spot,
        facts: &Facts,
    ) -> Result<()> {
        self.put_theirs(key, spot, facts)?;
        self.counts.changed += 1;
        self.derive(key)
    }

    /// Folders that are kept here are on the service now: it has something in them.
    pub(super) fn raise(&mut self, folder: i64) -> Result<()> {
        let mut kept = Vec::new();
        let mut at = folder;
        while self.edit(at)? == KEPT && kept.len() < DEPTH_MAX {
            let Some(row) = shown(self.db, at)? else {
                break;
            };
            at = row.parent;
            kept.push(row);
        }
        for row in kept.into_iter().rev() {
            let space = self.served_space(row.parent)?.unwrap_or(row.space);
            let spot = Spot {
                parent: row.parent,
                space,
            };
            self.has_now(row.key, spot, &row.facts)?;
        }
        Ok(())
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
