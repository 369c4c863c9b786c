//! What is said of items (see [`Mark`]) and where their content is, in the rows of the tree.
//!
//! The journal's marks are the truth. A row repeats them once it has its id, and its membership in the working set
//! follows: in it is what is marked, and what is in a folder that the operating system holds. Whatever an app could
//! see of such a change takes a number in the feed, but not one that makes a listing look out of date.

use super::read::{DEPTH_MAX, key_of, parent_of};
use super::row::{FILE, Id, content_version, id_bytes, id_text};
use super::{Catalog, ItemId};
use crate::store::{Mark, Store};
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

/// Openings remembered.
const OPENED_KEPT: usize = 500;
/// How long an opening is news, in milliseconds.
const OPENED_AGAIN_MS: i64 = 60_000;

/// The trash, and its root: only what is right in it can be in the working set.
const TRASH: u8 = 3;
const TRASH_ROOT: i64 = 4;

/// Whether an item is in the working set: `flags` are its marks, and what is wanted of it.
pub(super) fn is_member(flags: u8, in_held: bool, space: u8, parent: i64) -> bool {
    (flags != 0 || in_held) && (space != TRASH || parent == TRASH_ROOT)
}

/// Which folders are pinned or in one that is; asked once for each. Drop it with the snapshot.
#[derive(Default)]
pub(super) struct PinnedFolders {
    any: Option<bool>,
    known: HashMap<i64, bool>,
}

impl PinnedFolders {
    pub fn has(&mut self, db: &Connection, folder: i64) -> Result<bool> {
        let any = match self.any {
            Some(any) => any,
            None => db
                .prepare_cached("SELECT 1 FROM item WHERE flags <> 0 AND flags & 1")?
                .exists([])?,
        };
        self.any = Some(any);
        let (mut at, mut pinned, mut passed) = (folder, false, Vec::new());
        while any && passed.len() < DEPTH_MAX {
            if let Some(known) = self.known.get(&at) {
                pinned = *known;
                break;
            }
            let row: Option<(i64, u8)> = db
                .prepare_cached("SELECT parent, flags FROM item WHERE key = ?1")?
                .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((parent, flags)) = row else {
                break;
            };
            passed.push(at);
            pinned = flags & Mark::Pinned.flag() != 0;
            if pinned || parent == at {
                break;
            }
            at = parent;
        }
        self.known
            .extend(passed.into_iter().map(|folder| (folder, pinned)));
        Ok(pinned)
    }
}

/// Gives a row its flags, and brings the working set to what follows. `seq` is the newest number in the feed.
pub(super) fn apply(db: &Transaction<'_>, key: i64, flags: u8, seq: &mut i64) -> Result<()> {
    let row: Option<(u8, i64)> = db
        .prepare_cached("SELECT flags, parent FROM item WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((before, parent)) = row.filter(|(before, _)| *before != flags) else {
        return Ok(());
    };
    *seq += 1;
    db.prepare_cached(
        "UPDATE item SET flags = ?2, told_seq = ifnull(told_seq, seq), seq = ?3 WHERE key = ?1",
    )?
    .execute((key, flags, *seq))?;
    let held = |flags: u8| flags & Mark::Held.flag() != 0;
    if parent != key {
        settle_member(db, key, seq)?;
    } else {
        let ws = if flags != 0 { 1 } else { 2 };
        db.prepare_cached("UPDATE item SET ws = ?2 WHERE key = ?1")?
            .execute((key, ws))?;
    }
    if held(before) != held(flags) {
        let children: Vec<i64> = db
            .prepare_cached("SELECT key FROM item WHERE parent = ?1 AND key <> ?1")?
            .query_map([key], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for child in children {
            settle_member(db, child, seq)?;
        }
    }
    Ok(())
}

/// Lets an item into the working set, or out of it, as its row and its folder's say.
pub(super) fn settle_member(db: &Transaction<'_>, key: i64, seq: &mut i64) -> Result<()> {
    let row: Option<(u8, u8, u8, i64, u8)> = db
        .prepare_cached(
            "SELECT i.flags | i.edit, p.flags, i.space, i.parent, i.ws
             FROM item i JOIN item p ON p.key = i.parent WHERE i.key = ?1",
        )?
        .query_row([key], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((flags, above, space, parent, ws)) = row else {
        return Ok(());
    };
    let in_held = parent != key && above & Mark::Held.flag() != 0;
    let now = match (is_member(flags, in_held, space, parent), ws) {
        (true, _) => 1,
        (false, 1) => 2,
        (false, ws) => ws,
    };
    if now != ws {
        *seq += 1;
        db.prepare_cached(
            "UPDATE item SET ws = ?2, told_seq = ifnull(told_seq, seq), seq = ?3 WHERE key = ?1",
        )?
        .execute((key, now, *seq))?;
    }
    Ok(())
}

/// Runs `work` with the newest number in the feed, and stores what it has become.
pub(super) fn numbered<T>(
    db: &Transaction<'_>,
    work: impl FnOnce(&mut i64) -> Result<T>,
) -> Result<T> {
    let mut seq = db
        .prepare_cached("SELECT seq FROM meta")?
        .query_row([], |row| row.get(0))?;
    let done = work(&mut seq)?;
    db.prepare_cached("UPDATE meta SET seq = ?1 WHERE seq <> ?1")?
        .execute([seq])?;
    Ok(done)
}

/// Gives rows that have got these ids their flags.
pub(super) fn restore(db: &Transaction<'_>, store: &Store, given: &[(i64, Id)]) -> Result<()> {
    let ids: Vec<_> = given.iter().map(|(_, id)| *id).collect();
    let flags = store.flags_of(&ids)?;
    if flags.iter().all(|flags| *flags == 0) {
        return Ok(());
    }
    numbered(db, |seq| {
        given
            .iter()
            .zip(flags)
            .filter(|(_, flags)| *flags != 0)
            .try_for_each(|((key, _), flags)| apply(db, *key, flags, seq))
    })
}

fn marks_seen(db: &Connection) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT marks FROM meta")?
        .query_row([], |row| row.get(0))?)
}

fn see_marks(db: &Transaction<'_>, count: i64) -> Result<()> {
    db.prepare_cached("UPDATE meta SET marks = ?1")?
        .execute([count])?;
    Ok(())
}

impl Catalog {
    /// Changes marks by `work`, and then the rows of the ids that it gives. Both are under the tree's write lock, so that
    /// no other process comes between.
    fn change_marks(&self, work: impl FnOnce(&Store) -> Result<Vec<Id>>) -> Result<()> {
        self.settle_marks()?;
        let changed = self.store.catalog.write(|db| {
            let before = self.store.marks_count()?;
            let ids = work(&self.store)?;
            let (after, flags) = (self.store.marks_count()?, self.store.flags_of(&ids)?);
            let seen = marks_seen(db)?;
            numbered(db, |seq| {
                let first = *seq;
                for (id, flags) in ids.iter().zip(flags) {
                    if let Some(key) = key_of(db, id)? {
                        apply(db, key, flags, seq)?;
                    }
                }
                if seen == before {
                    see_marks(db, after)?;
                }
                Ok(*seq != first)
            })
        })?;
        if changed {
            (self.changed)();
        }
        Ok(())
    }

    /// A person opened it here. A player opens one file again and again, which is once.
    pub(crate) fn note_opened(&self, id: &ItemId) -> Result<()> {
        if let Some(bytes) = id_bytes(id) {
            let last = self.store.mark(&bytes, Mark::Opened)?;
            let since = last.map(|last| self.store.now_ms() - last);
            if since.is_some_and(|since| (0..OPENED_AGAIN_MS).contains(&since)) {
                return Ok(());
            }
        }
        self.put_mark(id, Mark::Opened, true)
    }

    pub(super) fn put_mark(&self, id: &ItemId, mark: Mark, on: bool) -> Result<()> {
        let known = id_bytes(id).ok_or_else(|| Error::NotKnown {
            detail: "an id".into(),
        });
        let bytes = known?;
        if on {
            self.key(id)?;
        } else if self.store.mark(&bytes, mark)?.is_none() {
            return Ok(());
        }
        self.change_marks(|store| {
            let mut ids = Vec::new();
            if store.set_mark(&bytes, mark, on)? {
                ids.push(bytes);
            }
            if mark == Mark::Opened && on {
                for (old, _) in store.marked(mark)?.into_iter().skip(OPENED_KEPT) {
                    store.set_mark(&old, mark, false)?;
                    ids.push(old);
                }
            }
            Ok(ids)
        })
    }

    pub(super) fn finish_held(&self, epoch: u64) -> Result<()> {
        let report =
            i64::try_from(epoch).map_err(|_| Error::invalid("a report that was never begun"))?;
        self.change_marks(|store| Ok(store.commit_held(report)?.changed))?;
        // What has moved out of a held folder was still told of; by now the system has seen it.
        let changed = self.store.catalog.write(|db| {
            let members: Vec<i64> = db
                .prepare_cached("SELECT key FROM item WHERE ws = 1 AND key > 4")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            numbered(db, |seq| {
                let first = *seq;
                for key in members {
                    settle_member(db, key, seq)?;
                }
                Ok(*seq != first)
            })
        })?;
        if changed {
            (self.changed)();
        }
        Ok(())
    }

    /// Reads all marks again if the tree has not seen every change of them.
    pub(super) fn settle_marks(&self) -> Result<()> {
        self.settle_other_edits()?;
        let count = self.store.marks_count()?;
        if self.store.catalog.read(marks_seen)? == count {
            return Ok(());
        }
        self.store.catalog.write(|db| {
            let (mut wanted, count) = self.store.all_flags()?;
            let mut keys: HashSet<i64> = db
                .prepare_cached("SELECT key FROM item WHERE flags <> 0")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for id in wanted.keys() {
                keys.extend(key_of(db, id)?);
            }
            numbered(db, |seq| {
                for key in keys {
                    let id: Option<Id> = db
                        .prepare_cached("SELECT id FROM item WHERE key = ?1")?
                        .query_row([key], |row| row.get(0))?;
                    let flags = id.and_then(|id| wanted.remove(&id)).unwrap_or(0);
                    apply(db, key, flags, seq)?;
                }
                Ok(())
            })?;
            see_marks(db, count)
        })
    }

    /// The same, once for each drive, before rows are read: a kill may have come between a mark and its row.
    pub(super) fn settle_marks_once(&self) -> Result<()> {
        self.settle_edits_once()?;
        if !self.settled.load(Ordering::Relaxed) {
            self.settle_marks()?;
            self.settled.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn put_local(&self, id: &ItemId, version: &str, whole: bool) -> Result<()> {
        let key = self.key(id)?;
        let now_ms = self.store.now_ms();
        let after = |row: &(Option<[u8; 16]>, Option<i64>, u8)| {
            let (md5, size, local) = *row;
            let newest = md5
                .map(|md5| content_version(md5, size.unwrap_or(0).unsigned_abs()))
                .is_some_and(|newest| newest == version);
            match (whole, newest, local) {
                (true, true, _) => 1,
                (true, false, 0) => 2,
                (false, true, 1) | (false, false, 2) => 0,
                _ => local,
            }
        };
        let row = |db: &Connection| -> Result<Option<_>> {
            Ok(db
                .prepare_cached("SELECT md5, size, local FROM item WHERE key = ?1 AND kind = 3")?
                .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?)
        };
        let differs = |found: Option<_>| found.filter(|found| after(found) != found.2);
        if self
            .store
            .catalog
            .read(|db| Ok(differs(row(db)?)))?
            .is_none()
        {
            return Ok(());
        }
        self.store.catalog.write(|db| {
            let Some(found) = differs(row(db)?) else {
                return Ok(());
            };
            let local = after(&found);
            numbered(db, |seq| {
                *seq += 1;
                db.prepare_cached(
                    "UPDATE item SET local = ?2, stale_ms = ?3,
                         told_seq = ifnull(told_seq, seq), seq = ?4
                     WHERE key = ?1",
                )?
                .execute((key, local, (local == 2).then_some(now_ms), *seq))?;
                Ok(())
            })
        })?;
        (self.changed)();
        Ok(())
    }

    pub(super) fn find_pin(&self, id: &ItemId) -> Result<Option<ItemId>> {
        let Some(mut at) = id_bytes(id) else {
            return Ok(None);
        };
        let pins: HashSet<Id> = self
            .store
            .marked(Mark::Pinned)?
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        if pins.is_empty() {
            return Ok(None);
        }
        for _ in 0..DEPTH_MAX {
            if pins.contains(&at) {
                return Ok(Some(id_text(at)));
            }
            let above = self.store.catalog.read(|db| match key_of(db, &at)? {
                Some(key) => Ok(Some(pin_above(db, key, &pins)?)),
                None => Ok(None),
            })?;
            if let Some(above) = above {
                return Ok(above.map(id_text));
            }
            match self.store.identity(&at)? {
                Some(place) if place.parent != at => at = place.parent,
                _ => break,
            }
        }
        Ok(None)
    }

    pub(super) fn is_below(&self, ancestor: &ItemId, id: &ItemId) -> Result<bool> {
        let (Some(ancestor), Some(id)) = (id_bytes(ancestor), id_bytes(id)) else {
            return Ok(false);
        };
        self.store.catalog.read(|db| {
            let (Some(ancestor), Some(mut at)) = (key_of(db, &ancestor)?, key_of(db, &id)?) else {
                return Ok(false);
            };
            for _ in 0..DEPTH_MAX {
                if at == ancestor {
                    return Ok(true);
                }
                match parent_of(db, at)? {
                    Some(parent) if parent != at => at = parent,
                    _ => break,
                }
            }
            Ok(false)
        })
    }
}

/// The nearest pinned folder above a row that the tree has.
fn pin_above(db: &Connection, key: i64, pins: &HashSet<Id>) -> Result<Option<Id>> {
    let mut at = key;
    for _ in 0..DEPTH_MAX {
        let row: Option<(i64, Option<Id>)> = db
            .prepare_cached("SELECT parent, id FROM item WHERE key = ?1")?
            .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((parent, id)) = row else {
            break;
        };
        if let Some(id) = id.filter(|id| pins.contains(id)) {
            return Ok(Some(id));
        }
        if parent == at {
            break;
        }
        at = parent;
    }
    Ok(None)
}

/// Folders in and including `?1`.
const FOLDERS: &str = "WITH RECURSIVE below (key) AS (
        VALUES (?1)
        UNION ALL
        SELECT i.key FROM below b JOIN item i INDEXED BY item_name
            ON i.parent = b.key AND (i.kind = 3) = 0 AND i.key <> b.key
    )";

impl Catalog {
    pub(super) fn weigh(&self, id: &ItemId) -> Result<super::Weight> {
        let key = self.key(id)?;
        self.store.catalog.read(|db| {
            let (kind, size): (u8, Option<i64>) = db
                .prepare_cached("SELECT kind, size FROM item WHERE key = ?1")?
                .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
                .ok_or_else(gone_just_now)?;
            if kind == FILE {
                return Ok(super::Weight {
                    files: 1,
                    bytes: size.unwrap_or(0).unsigned_abs(),
                    unlisted_folders: 0,
                });
            }
            let number = |number: i64| number.max(0).unsigned_abs();
            let (files, bytes) = db
                .prepare_cached(&format!(
                    "{FOLDERS} SELECT count(*), ifnull(sum(f.size), 0)
                     FROM below b JOIN item f ON f.parent = b.key AND (f.kind = 3) = 1"
                ))?
                .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let unlisted = db
                .prepare_cached(&format!(
                    "{FOLDERS} SELECT count(*) FROM below b JOIN item f ON f.key = b.key
                     WHERE f.listed_ms IS NULL"
                ))?
                .query_row([key], |row| row.get(0))?;
            Ok(super::Weight {
                files: number(files),
                bytes: number(bytes),
                unlisted_folders: number(unlisted),
            })
        })
    }
}

fn gone_just_now() -> Error {
    Error::NotKnown {
        detail: "an item that has just gone".into(),
    }
}
