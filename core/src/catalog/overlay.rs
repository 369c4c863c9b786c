//! The outbox on the tree.
//!
//! The columns of a row are what an app sees: what the service has, with what is wanted on top. While anything is wanted of
//! a row (its `edit` bits), the service's side is kept beside it in `theirs`; a row that the service never had, or has not
//! any more, has no such side. Whatever is compared with the service reads the view `served`, so that no listing renames
//! or removes what is wanted.
//!
//! The journal has the wishes and commits first. `meta.edits` is how many of its changes are applied here: when that does
//! not fit (a kill, another process, a new catalogue), all wishes are read again.
//!
//! A folder is one row wherever it is shown, because its children hang on it. One that the service has not any more stays
//! while something in it is wanted ([`KEPT`]).

use super::change::{Change, Spot};
use super::facts::{Facts, Known, facts};
use super::flags::apply;
use super::merge::{change, folder_at};
use super::read::key_of;
use super::refresh::target;
use super::row::{self, FILE, Id, fold, id_bytes, id_text, origin_path, origin_text};
use super::stage::file_facts;
use super::{Catalog, ItemId};
use crate::remote::{RemoteFile, RemotePath};
use crate::store::{Base, EditRow, Fate, Place, WantedPlace};
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashSet;
use std::sync::atomic::Ordering;

/// What is wanted of a row, as bits.
const PLACE: u8 = 1;
const CONTENT: u8 = 2;
const LINK: u8 = 4;
const NEW: u8 = 8;
/// Wanted gone for ever: nobody sees it.
const HIDDEN: u8 = 16;
/// A folder that is gone on the service, with something in it that is wanted.
pub(super) const KEPT: u8 = 32;
/// All that a person wants; [`KEPT`] is only for its sake.
pub(super) const WANTED: u8 = PLACE | CONTENT | LINK | NEW | HIDDEN;

/// The folder of what nobody sees: there is no such row.
const NOWHERE: i64 = 0;
const TRASH: u8 = 3;
const TRASH_ROOT: i64 = 4;

/// The service's side of an item, as last known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theirs {
    pub parent: Id,
    /// In the service's spelling.
    pub name: String,
    pub uuid: Option<Id>,
    pub md5: Option<[u8; 16]>,
    pub size: Option<u64>,
    pub revision: Option<u64>,
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
    pub shared: Option<bool>,
    /// In the trash: since when.
    pub deleted_ms: Option<i64>,
    /// Where it is on the service; in the trash, where it was.
    pub path: RemotePath,
}

/// What the service has just said of an item that we changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The file, in this folder.
    File { parent: Id, file: RemoteFile },
    /// A folder of this name, in this folder.
    Folder { parent: Id, name: String },
    /// It is in the trash since then.
    Trashed { deleted_ms: i64 },
    /// It is on the service nowhere.
    Gone,
}

/// Whether the outbox wants anything of any row.
pub(super) fn edited(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM item WHERE edit <> 0 LIMIT 1")?
        .exists([])?)
}

pub(super) fn id_at(db: &Connection, key: i64) -> Result<Option<Id>> {
    Ok(db
        .prepare_cached("SELECT id FROM item WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?
        .flatten())
}

fn seen_edits(db: &Connection) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT edits FROM meta")?
        .query_row([], |row| row.get(0))?)
}

/// A row as an app sees it.
fn shown(db: &Connection, key: i64) -> Result<Option<Known>> {
    Ok(db
        .prepare_cached(
            "SELECT key, parent, space, id, ifnull(told_seq, seq), kind, name, fold, size, md5, modified_ms,
                 created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin
             FROM item WHERE key = ?1",
        )?
        .query_row([key], super::facts::known)
        .optional()?)
}

impl Change<'_> {
    /// The wishes of a row.
    pub(super) fn edit(&self, key: i64) -> Result<u8> {
        if !self.edited {
            return Ok(0);
        }
        Ok(self
            .db
            .prepare_cached("SELECT edit FROM item WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?
            .unwrap_or(0))
    }

    pub(super) fn set_edit(&mut self, key: i64, edit: u8) -> Result<()> {
        self.edited |= edit != 0;
        let seq = self.next_seq();
        self.db
            .prepare_cached(
                "UPDATE item SET edit = ?2, told_seq = ifnull(told_seq, seq), seq = ?3 WHERE key = ?1",
            )?
            .execute((key, edit, seq))?;
        Ok(())
    }

    /// A row is in the space of its folder, as that is shown, whatever listing told of it.
    pub(super) fn in_its_folder(&self, spot: Spot) -> Result<Spot> {
        if !self.edited {
            return Ok(spot);
        }
        let space = self
            .db
            .prepare_cached("SELECT space FROM item WHERE key = ?1")?
            .query_row([spot.parent], |row| row.get(0))
            .optional()?;
        Ok(Spot {
            space: space.unwrap_or(spot.space),
            ..spot
        })
    }

    pub(super) fn holds_only_wishes(&self, folder: i64) -> Result<bool> {
        let plain = self.edited
            && self
                .db
                .prepare_cached("SELECT 1 FROM item WHERE parent = ?1 AND key <> ?1 AND edit = 0")?
                .exists([folder])?;
        Ok(self.edited && !plain)
    }

    /// The service says something new of a row that something is wanted of.
    pub(super) fn update_theirs(
        &mut self,
        before: &Known,
        spot: Spot,
        facts: &Facts,
    ) -> Result<()> {
        if (before.parent, before.space, &before.facts) == (spot.parent, spot.space, facts) {
            return Ok(());
        }
        self.put_theirs(before.key, spot, facts)?;
        self.counts.changed += 1;
        self.derive(before.key)
    }

    fn put_theirs(&mut self, key: i64, spot: Spot, facts: &Facts) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO theirs (key, parent, space, kind, name, fold, size, md5, modified_ms,
                     created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(rusqlite::params![
                key,
                spot.parent,
                spot.space,
                facts.kind,
                facts.name,
                facts.fold,
                facts.size,
                facts.md5,
                facts.modified_ms,
                facts.created_ms,
                facts.updated_ms,
                facts.uuid,
                facts.revision,
                facts.mime,
                facts.shared,
                facts.deleted_ms,
                facts.origin,
            ])?;
        Ok(())
    }

    /// The service has it no more.
    pub(super) fn lose_theirs(&mut self, key: i64) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM theirs WHERE key = ?1")?
            .execute([key])?;
        self.counts.deleted += 1;
        self.derive(key)
    }

    fn theirs(&self, key: i64) -> Result<Option<(Spot, Facts)>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT parent, space, kind, name, fold, size, md5, modified_ms, created_ms, updated_ms, uuid,
                     revision, mime, shared, deleted_ms, origin
                 FROM theirs WHERE key = ?1",
            )?
            .query_row([key], |row| {
                let spot = Spot {
                    parent: row.get(0)?,
                    space: row.get(1)?,
                };
                Ok((spot, facts(row, 2)?))
            })
            .optional()?)
    }

    /// Makes what an app sees of a row: the service's side, and what is wanted on top.
    fn derive(&mut self, key: i64) -> Result<()> {
        let Some(before) = shown(self.db, key)? else {
            return Ok(());
        };
        let wish = match before.id {
            Some(id) => self.store.edit(&id)?,
            None => None,
        };
        match (wish, self.edit(key)?) {
            (Some(wish), bits) => self.overlay(before, bits, &wish),
            (None, 0) => Ok(()),
            (None, _) => self.lay_bare(before),
        }
    }

    /// Nothing is wanted of the row any more.
    fn lay_bare(&mut self, before: Known) -> Result<()> {
        let key = before.key;
        let Some((spot, facts)) = self.theirs(key)? else {
            if before.facts.kind != FILE && self.has_children(key)? {
                return self.set_edit(key, KEPT);
            }
            return self.remove_now(before);
        };
        self.db
            .prepare_cached("DELETE FROM theirs WHERE key = ?1")?
            .execute([key])?;
        self.hide((self.edit(key)?, 0), &before)?;
        self.set_edit(key, 0)?;
        let there = shown(self.db, spot.parent)?.is_some();
        if !there {
            // The folder that it was in on the service is gone.
            return self.remove_now(before);
        }
        let spot = self.in_its_folder(spot)?;
        self.write(&before, spot, facts)?;
        self.settle_local(key)
    }

    /// Puts what is wanted on top.
    fn overlay(&mut self, before: Known, bits: u8, wish: &EditRow) -> Result<()> {
        let key = before.key;
        if bits & WANTED == 0 && bits != KEPT {
            // The first wish: what an app saw until now is the service's side.
            let spot = Spot {
                parent: before.parent,
                space: before.space,
            };
            self.put_theirs(key, spot, &before.facts)?;
        }
        let theirs = self.theirs(key)?;
        let (mut spot, mut facts) = theirs.clone().unwrap_or_else(|| {
            let spot = Spot {
                parent: before.parent,
                space: before.space,
            };
            (spot, before.facts.clone())
        });
        let mut now = if wish.is_new { NEW } else { 0 };
        if let Some(content) = &wish.content {
            now |= CONTENT;
            facts.size = i64::try_from(content.size).ok();
            facts.md5 = Some(content.md5);
            facts.modified_ms = seconds(content.modified_ms);
            facts.created_ms = seconds(content.created_ms);
            facts.revision = None;
        }
        if let Some(link) = wish.link {
            now |= LINK;
            facts.shared = Some(link);
        }
        match (wish.fate, &wish.place) {
            (Some(Fate::Purge), _) => {
                now |= HIDDEN;
                spot = Spot {
                    parent: NOWHERE,
                    space: TRASH,
                };
            }
            (Some(Fate::Trash), _) => {
                now |= PLACE;
                if let Some((theirs, _)) = &theirs
                    && theirs.space != TRASH
                {
                    let folder = target(self.db, theirs.parent)?.and_then(|folder| folder.path);
                    facts.origin = folder.as_ref().map(origin_text);
                    facts.deleted_ms = seconds(Some(wish.since_ms));
                    spot = Spot {
                        parent: TRASH_ROOT,
                        space: TRASH,
                    };
                }
            }
            (Some(Fate::Restore), _) => {
                now |= PLACE;
                if let Some(origin) = facts.origin.take() {
                    facts.deleted_ms = None;
                    let root = row::root_key(row::origin_space(&origin));
                    let folder = folder_at(self.db, &origin_path(&origin))?;
                    spot.parent = folder.unwrap_or(root);
                }
            }
            (None, Some(place)) => {
                now |= PLACE;
                if let Some(parent) = self.folder_of(&place.parent, 0)? {
                    spot.parent = parent;
                }
                facts.name.clone_from(&place.name);
                facts.fold = fold(&place.name);
            }
            (None, None) => {}
        }
        if now != bits {
            self.set_edit(key, now)?;
            self.hide((bits, now), &before)?;
        }
        let spot = self.in_its_folder(spot)?;
        self.write(&before, spot, facts)?;
        self.db
            .prepare_cached("UPDATE item SET ws = 1 WHERE key = ?1 AND ws <> 1 AND parent <> 0")?
            .execute([key])?;
        match &wish.content {
            Some(content) if !content.file.is_empty() => self.put_local(key, 1),
            _ => self.settle_local(key),
        }
    }

    /// What is to be gone for ever is told as gone, and as back if it is not to be any more.
    fn hide(&mut self, (was, is): (u8, u8), row: &Known) -> Result<()> {
        if was & HIDDEN == is & HIDDEN {
            return Ok(());
        }
        if is & HIDDEN == 0 {
            self.db
                .prepare_cached("DELETE FROM gone WHERE id = ?1")?
                .execute([row.id])?;
            return Ok(());
        }
        let seq = self.next_seq();
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO gone (id, seq, kind, name) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((row.id, seq, row.facts.kind, &row.facts.name))?;
        Ok(())
    }

    fn put_local(&self, key: i64, local: u8) -> Result<()> {
        self.db
            .prepare_cached(
                "UPDATE item SET local = ?2, stale_ms = iif(?2 = 2, ifnull(stale_ms, 0), NULL)
                 WHERE key = ?1 AND local <> ?2",
            )?
            .execute((key, local))?;
        Ok(())
    }

    /// Whether the content is here, by the slots.
    fn settle_local(&self, key: i64) -> Result<()> {
        let Some(row) = shown(self.db, key)?.filter(|row| row.facts.kind == FILE) else {
            return Ok(());
        };
        let newest = row
            .facts
            .md5
            .map(|md5| row::content_version(md5, row.facts.size.unwrap_or(0).unsigned_abs()));
        let local: u8 = self
            .db
            .prepare_cached(
                "SELECT iif(version = ?2, 1, 2) FROM slot WHERE id = ?1 AND whole = 1
                 ORDER BY version <> ?2 LIMIT 1",
            )?
            .query_row((row.id.unwrap_or_default(), newest), |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        self.put_local(key, local)
    }

    /// Brings the row of an item to what the outbox says of it, and makes it if the tree does not have it.
    fn settle(&mut self, id: &Id) -> Result<()> {
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
    fn folder_of(&mut self, id: &Id, depth: usize) -> Result<Option<i64>> {
        if let Some(key) = key_of(self.db, id)? {
            return Ok(Some(key));
        }
        if depth >= super::read::DEPTH_MAX {
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
    fn drop_kept(&mut self) -> Result<()> {
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

    /// Another row that is the same file or folder of the service: a listing was faster than our answer.
    fn unite(&mut self, key: i64, spot: Spot, facts: &Facts) -> Result<()> {
        let others: Vec<i64> = self
            .db
            .prepare_cached(
                "SELECT key FROM served
                 WHERE key <> ?1 AND ((uuid = ?2 AND kind = 3)
                     OR (parent = ?3 AND (kind = 3) = (?4 = 3) AND fold = ?5 AND name = ?6 AND key <> ?3
                         AND (uuid IS NULL OR ?2 IS NULL)))",
            )?
            .query_map(
                (
                    key,
                    facts.uuid,
                    spot.parent,
                    facts.kind,
                    &facts.fold,
                    &facts.name,
                ),
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        for other in others {
            for (child, ..) in self.children(other)? {
                if let Some(below) = shown(self.db, child)? {
                    let spot = Spot {
                        parent: key,
                        space: below.space,
                    };
                    let facts = below.facts.clone();
                    self.write(&below, spot, facts)?;
                }
            }
            self.db
                .prepare_cached("UPDATE theirs SET parent = ?2 WHERE parent = ?1")?
                .execute((other, key))?;
            if self.edit(other)? == 0
                && let Some(row) = shown(self.db, other)?
            {
                self.remove_now(row)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, id: &Id, answer: &Answered) -> Result<()> {
        let Some(key) = key_of(self.db, id)? else {
            return Ok(());
        };
        let Some(before) = shown(self.db, key)? else {
            return Ok(());
        };
        let bits = self.edit(key)?;
        let known = self.known(key)?;
        let (parent, facts) = match answer {
            Answered::Gone => {
                // With all that the service had in it; what is wanted of that stays.
                if bits == 0 {
                    return self.remove(key);
                }
                for below in self.served_children(key)? {
                    self.remove(below.key)?;
                }
                return self.lose_theirs(key);
            }
            Answered::File { parent, file } => {
                let Some(facts) = file_facts(RemoteFile {
                    deleted_ms: None,
                    ..file.clone()
                }) else {
                    return Err(Error::bad_answer("no file where one was made"));
                };
                (self.folder_of(parent, 0)?, facts)
            }
            Answered::Folder { parent, name } => {
                let facts = Facts {
                    kind: before.facts.kind,
                    fold: fold(name),
                    name: name.clone(),
                    ..Facts::default()
                };
                (self.folder_of(parent, 0)?, facts)
            }
            Answered::Trashed { deleted_ms } => {
                let Some(known) = known.as_ref().filter(|known| known.space != TRASH) else {
                    return Ok(());
                };
                let folder = target(self.db, known.parent)?.and_then(|folder| folder.path);
                let facts = Facts {
                    origin: folder.as_ref().map(origin_text),
                    deleted_ms: seconds(Some(*deleted_ms)),
                    ..known.facts.clone()
                };
                (Some(TRASH_ROOT), facts)
            }
        };
        let Some(parent) = parent else {
            return Ok(());
        };
        let space: u8 = self
            .db
            .prepare_cached("SELECT space FROM served WHERE key = ?1")?
            .query_row([parent], |row| row.get(0))
            .optional()?
            .unwrap_or(before.space);
        let spot = Spot { parent, space };
        self.unite(key, spot, &facts)?;
        match known {
            Some(known) if bits == 0 => {
                let facts = facts.over(&known.facts);
                let spot = self.in_its_folder(spot)?;
                self.write(&known, spot, facts)
            }
            known => {
                let facts = match &known {
                    Some(known) => facts.over(&known.facts),
                    None => facts,
                };
                self.put_theirs(key, spot, &facts)?;
                let record =
                    super::mint::place_name(&facts.name, facts.origin.as_deref(), facts.deleted_ms);
                self.record_place(key, parent, record, &facts)?;
                self.derive(key)
            }
        }
    }
}

/// Whole seconds, as the wire has them.
fn seconds(ms: Option<i64>) -> Option<i64> {
    ms.map(|ms| ms - ms.rem_euclid(1_000))
}

impl Catalog {
    /// Brings what an app sees of these items to what the outbox says of them now, in one transaction, and tells the
    /// feed. Reads the whole outbox instead if the catalogue has missed a change of it.
    pub(crate) fn settle_edits(&self, ids: &[Id]) -> Result<()> {
        let ((), merged) = change(&self.store, |change, db| {
            let seen = seen_edits(db)?;
            let count = self.store.edits_count()?;
            let mut all: Vec<Id> = ids.to_vec();
            let count = if count - seen == i64::try_from(ids.len()).unwrap_or(0) || count == seen {
                count
            } else {
                let (rows, count) = self.store.all_edits()?;
                let mut met: HashSet<Id> = all.iter().copied().collect();
                all.extend(rows.into_iter().filter(|id| met.insert(*id)));
                let edited: Vec<Option<Id>> = db
                    .prepare_cached("SELECT id FROM item WHERE edit <> 0")?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                all.extend(edited.into_iter().flatten().filter(|id| met.insert(*id)));
                count
            };
            for id in &all {
                change.settle(id)?;
            }
            if change.edited {
                change.drop_kept()?;
            }
            db.prepare_cached("UPDATE meta SET edits = ?1")?
                .execute([count])?;
            Ok(())
        })?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }

    /// Reads the outbox again if it has changed elsewhere.
    pub(super) fn settle_other_edits(&self) -> Result<()> {
        let count = self.store.edits_count()?;
        if self.store.catalog.read(seen_edits)? == count {
            return Ok(());
        }
        self.settle_edits(&[])
    }

    /// The same, once for each drive, before rows are read.
    pub(super) fn settle_edits_once(&self) -> Result<()> {
        if !self.edits_settled.load(Ordering::Relaxed) {
            self.settle_other_edits()?;
            self.edits_settled.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The service's side; `None` for what the service never had, or is not known to have any more.
    pub(crate) fn theirs(&self, id: &Id) -> Result<Option<Theirs>> {
        let item = id_text(*id);
        let key = match self.key(&item) {
            Ok(key) => key,
            Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = self.store.catalog.read(|db| {
            let row: Option<(i64, Facts)> = db
                .prepare_cached(
                    "SELECT parent, kind, name, fold, size, md5, modified_ms, created_ms, updated_ms, uuid,
                         revision, mime, shared, deleted_ms, origin
                     FROM served WHERE key = ?1",
                )?
                .query_row([key], |row| Ok((row.get(0)?, facts(row, 1)?)))
                .optional()?;
            let path = target(db, key)?.and_then(|target| target.path);
            Ok(row.zip(path))
        })?;
        let Some(((parent, facts), path)) = found else {
            return Ok(None);
        };
        let Some(parent) = self.items(&[parent])?.pop() else {
            return Ok(None);
        };
        Ok(Some(Theirs {
            parent: id_bytes(&parent.id).ok_or_else(|| Error::bug("a folder without an id"))?,
            name: facts.name,
            uuid: facts.uuid,
            md5: facts.md5,
            size: facts.size.map(i64::unsigned_abs),
            revision: facts.revision.map(i64::unsigned_abs),
            created_ms: facts.created_ms,
            modified_ms: facts.modified_ms,
            shared: facts.shared,
            deleted_ms: facts.deleted_ms,
            path,
        }))
    }

    /// Whether the service never had it, or has it no more: there is nothing to ask.
    pub(super) fn is_only_here(&self, id: &ItemId) -> Result<bool> {
        let Some(id) = id_bytes(id) else {
            return Ok(false);
        };
        self.store.catalog.read(|db| {
            let Some(key) = key_of(db, &id)? else {
                return Ok(false);
            };
            let served = db
                .prepare_cached("SELECT 1 FROM served WHERE key = ?1")?
                .exists([key])?;
            Ok(!served)
        })
    }

    /// Where the service has a folder or file, by its id.
    pub(crate) fn their_path(&self, id: &Id) -> Result<Option<RemotePath>> {
        let Ok(key) = self.key(&id_text(*id)) else {
            return Ok(None);
        };
        let target = self.store.catalog.read(|db| target(db, key))?;
        Ok(target.and_then(|target| target.path))
    }

    /// Notes the service's answer as its side of the item. What the outbox wants stays on top of it.
    pub(crate) fn note_answer(&self, id: &Id, answer: &Answered) -> Result<()> {
        let ((), merged) = change(&self.store, |change, _| change.answer(id, answer))?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }

    /// What has a name in a folder, in the view that an app sees. Case and normalisation do not tell names apart.
    pub(crate) fn holder_of_name(
        &self,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        self.holder("item", parent, name, but)
    }

    /// What has a name in a folder of the service, as last known.
    pub(crate) fn their_holder_of_name(
        &self,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        self.holder("served", parent, name, but)
    }

    fn holder(
        &self,
        view: &str,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        let Ok(folder) = self.key(&id_text(*parent)) else {
            return Ok(None);
        };
        let found: Option<i64> = self.store.catalog.read(|db| {
            let mut found = None;
            for file in [false, true] {
                found = found.or(db
                    .prepare_cached(&format!(
                        "SELECT key FROM {view}
                         WHERE parent = ?1 AND (kind = 3) = ?2 AND fold = ?3 AND key <> ?1 AND id IS NOT ?4
                         ORDER BY name <> ?5 LIMIT 1"
                    ))?
                    .query_row((folder, file, fold(name), but, name), |row| row.get(0))
                    .optional()?);
            }
            Ok(found)
        })?;
        Ok(match found {
            Some(key) => self.items(&[key])?.pop().map(|item| item.id),
            None => None,
        })
    }

    /// Two ids turned out to be one folder: `lost` is told as gone, what is in it goes into `kept`.
    pub(crate) fn merge_into(&self, lost: &Id, kept: &Id) -> Result<()> {
        let ((), merged) = change(&self.store, |change, db| {
            let (Some(from), Some(to)) = (key_of(db, lost)?, key_of(db, kept)?) else {
                return Ok(());
            };
            change.edited = true;
            for (child, ..) in change.children(from)? {
                if let Some(below) = shown(db, child)? {
                    let spot = change.in_its_folder(Spot {
                        parent: to,
                        space: below.space,
                    })?;
                    let facts = below.facts.clone();
                    change.write(&below, spot, facts)?;
                }
            }
            db.prepare_cached("UPDATE theirs SET parent = ?2 WHERE parent = ?1")?
                .execute((from, to))?;
            db.prepare_cached("DELETE FROM theirs WHERE key = ?1")?
                .execute([from])?;
            match shown(db, from)? {
                Some(row) => change.remove_now(row),
                None => Ok(()),
            }
        })?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }
}
