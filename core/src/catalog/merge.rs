//! A proven listing becomes the tree.
//!
//! First what is there: each staged entry finds the item that it is (by uuid, by name, by another
//! spelling of its name, by what its children bring) or becomes a new one. Then, and only because
//! the listing was complete, what it did not show is gone. Transactions are short; a kill between
//! two leaves a tree that the next listing completes.

use super::change::{Change, Spot};
use super::facts::{Facts, KNOWN, Known, facts, known};
use super::row::FILE;
use super::stage::{Run, Staged, is_same};
use super::unseen::Unseen;
use super::{Freshness, Refreshed, guard, row};
use crate::store::Store;
use crate::{CancelToken, Result};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::HashMap;

/// Rows in one transaction.
const ROWS: u32 = 1_000;

/// By how much the phone's clock and the service's may differ.
const CLOCKS_MS: i64 = 5 * 60 * 1_000;

/// What became of a merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    pub counts: Refreshed,
    /// Whether an app could see a difference.
    pub changed: bool,
}

impl Merged {
    pub fn add(&mut self, Self { counts, changed }: Self) {
        self.counts.folders += counts.folders;
        self.counts.files += counts.files;
        self.counts.added += counts.added;
        self.counts.changed += counts.changed;
        self.counts.moved += counts.moved;
        self.counts.deleted += counts.deleted;
        self.changed |= changed;
    }
}

/// Runs one short transaction on the tree.
pub(super) fn change<T>(
    store: &Store,
    work: impl FnOnce(&mut Change<'_>, &Transaction<'_>) -> Result<T>,
) -> Result<(T, Merged)> {
    store.catalog.write(|db| {
        let mut change = Change::begin(db, store)?;
        let done = work(&mut change, db)?;
        let (counts, changed) = change.finish()?;
        Ok((done, Merged { counts, changed }))
    })
}

/// Removes what a listing did not show and all below it, the deepest first, but nothing that another listing
/// has touched meanwhile.
pub(super) fn remove(
    run: &Run,
    unseen: Vec<Unseen>,
    cancel: &CancelToken,
    merged: &mut Merged,
) -> Result<()> {
    let mut all = run.store.catalog.read(|db| with_all_below(db, unseen))?;
    while !all.is_empty() {
        cancel.check()?;
        let batch = all.split_off(all.len().saturating_sub(ROWS as usize));
        let ((), done) = change(&run.store, |change, db| {
            run.still(db)?;
            batch.iter().rev().try_for_each(|unseen| {
                change.remove_unseen(unseen.key, unseen.parent, run.moment.seq)
            })
        })?;
        merged.add(done);
    }
    Ok(())
}

/// These and everything below, each after what it is in.
pub(super) fn with_all_below(db: &Connection, mut all: Vec<Unseen>) -> Result<Vec<Unseen>> {
    let mut below = db.prepare_cached(if super::overlay::edited(db)? {
        "SELECT key FROM served WHERE parent = ?1 AND key <> ?1"
    } else {
        "SELECT key FROM item INDEXED BY item_name WHERE parent = ?1 AND key <> ?1"
    })?;
    let mut met = super::stage::Marks::default();
    all.retain(|unseen| met.mark(unseen.key));
    let mut next = 0;
    while let Some(Unseen { key: parent, .. }) = all.get(next).copied() {
        next += 1;
        let mut rows = below.query([parent])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            if met.mark(key) {
                all.push(Unseen { key, parent });
            }
        }
    }
    Ok(all)
}

/// Merges a run whose listing was proven complete. `inherits` names, by the key of a new folder, the known
/// folder that it is, as its children tell. `merged` gets what was done, also when it ends early: then
/// the next listing completes it.
pub(super) fn merge(
    run: Run,
    inherits: &HashMap<i64, i64>,
    cancel: &CancelToken,
    merged: &mut Merged,
) -> Result<()> {
    let store = run.store.clone();
    let base = reserve(&run)?;
    let mut merge = Merge {
        run,
        base,
        inherits,
        elsewhere: HashMap::new(),
    };
    let mut after = 0;
    loop {
        cancel.check()?;
        let (last, done) = change(&store, |change, db| {
            merge.run.still(db)?;
            merge.batch(change, db, after)
        })?;
        merged.add(done);
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let run = merge.run;
    let mut unseen = run.unseen(usize::MAX, true)?;
    unseen.extend(run.unseen(usize::MAX, false)?);
    let accepted = guard::check(&run, base, merged.counts.added, &unseen)?;
    remove(&run, unseen, cancel, merged)?;
    if accepted {
        guard::done(&run.store, row::space(run.scope.space))?;
    }
    run.mark_listed(cancel)?;
    merged.counts.folders = run.folders;
    merged.counts.files = run.files;
    Ok(())
}

/// The first of as many keys as there are new items.
fn reserve(run: &Run) -> Result<i64> {
    if run.new == 0 {
        return Ok(0);
    }
    run.store.catalog.write(|db| {
        run.still(db)?;
        Ok(db.query_row(
            "UPDATE meta SET next_key = next_key + ?1 RETURNING next_key - ?1",
            [run.new],
            |row| row.get(0),
        )?)
    })
}

struct Merge<'a> {
    run: Run,
    /// The key of the first new item.
    base: i64,
    inherits: &'a HashMap<i64, i64>,
    /// New folders that turned out to be known ones.
    elsewhere: HashMap<i64, i64>,
}

impl Merge<'_> {
    /// Up to `ROWS` staged entries after number `after`; the last number, `None` at the end.
    fn batch(
        &mut self,
        change: &mut Change<'_>,
        db: &Transaction<'_>,
        after: i64,
    ) -> Result<Option<i64>> {
        let mut query = db.prepare_cached(
            "SELECT n, key, parent, kind, name, fold, size, md5, modified_ms, created_ms,
                 updated_ms, uuid, revision, mime, shared, deleted_ms, origin
             FROM stage WHERE run = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
        )?;
        let mut rows = query.query((self.run.run, after, ROWS))?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            last = Some(row.get(0)?);
            let staged = Staged {
                key: row.get(1)?,
                parent: row.get(2)?,
                facts: facts(row, 3)?,
            };
            self.entry(change, db, staged)?;
        }
        Ok(last)
    }

    fn entry(
        &mut self,
        change: &mut Change<'_>,
        db: &Transaction<'_>,
        staged: Staged,
    ) -> Result<()> {
        let fresh = staged.parent < 0 && !self.elsewhere.contains_key(&staged.parent);
        let spot = Spot {
            parent: self.real(staged.parent),
            space: self.run.scope.space,
        };
        if super::read::parent_of(db, spot.parent)?.is_none() {
            // Another listing has removed the folder meanwhile; the next one has what is in it.
            return Ok(());
        }
        let known = if staged.key > 0 {
            self.unite(change, db, staged.key, &staged.facts)?
        } else {
            self.find(change, db, &staged, spot, fresh)?
        };
        let Some(known) = known else {
            if staged.key > 0 {
                // The item vanished after it was compared, and its key with it: the next listing has it.
                return Ok(());
            }
            if let Some(here) = change.only_here(spot.parent, &staged.facts)?
                && self.run.marks.mark(here)
            {
                if staged.facts.kind != FILE {
                    self.elsewhere.insert(staged.key, here);
                }
                return change.has_now(here, spot, &staged.facts);
            }
            let key = self.real(staged.key);
            self.run.marks.mark(key);
            change.insert(key, spot, &staged.facts)?;
            return self.back_by_place(change, db, key, &staged.facts);
        };
        self.run.marks.mark(known.key);
        if staged.key < 0 && staged.facts.kind != FILE {
            self.elsewhere.insert(staged.key, known.key);
        }
        let own = self.base..self.base + self.run.new;
        let is_new = known.key >= self.run.moment.next_key && !own.contains(&known.key);
        if known.seq > self.run.moment.seq && (staged.key > 0 || is_new) {
            // A newer answer has moved, changed or brought it.
            return Ok(());
        }
        change.update(&known, spot, staged.facts)
    }

    /// The row that was compared. If only now its uuid is told, and another row that an app knows has it, this
    /// one was a second sight of that.
    fn unite(
        &self,
        change: &mut Change<'_>,
        db: &Transaction<'_>,
        key: i64,
        facts: &Facts,
    ) -> Result<Option<Known>> {
        let Some(row) = change.known(key)? else {
            return Ok(None);
        };
        let (None, None, Some(uuid)) = (row.id, row.facts.uuid, facts.uuid) else {
            return Ok(Some(row));
        };
        match by_uuid(db, &uuid)?.filter(|other| !self.run.marks.has(other.key)) {
            Some(other) => {
                change.remove(key)?;
                Ok(Some(other))
            }
            None => Ok(Some(row)),
        }
    }

    /// Something in the trash that was told as gone, and has no uuid to be found by, gets its id back.
    fn back_by_place(
        &self,
        change: &mut Change<'_>,
        db: &Transaction<'_>,
        key: i64,
        facts: &Facts,
    ) -> Result<()> {
        let Some(origin) = &facts.origin else {
            return Ok(());
        };
        match folder_at(db, &row::origin_path(origin))? {
            Some(folder) => change.revive_by_place(key, folder, facts),
            None => Ok(()),
        }
    }

    fn real(&self, key: i64) -> i64 {
        if key > 0 {
            return key;
        }
        let known = self.elsewhere.get(&key);
        known.copied().unwrap_or(self.base - key - 1)
    }

    /// The item that a seemingly new entry is.
    fn find(
        &self,
        change: &Change<'_>,
        db: &Transaction<'_>,
        staged: &Staged,
        spot: Spot,
        fresh: bool,
    ) -> Result<Option<Known>> {
        if let Some(key) = self.inherits.get(&staged.key) {
            let old = change.known(*key)?;
            if let Some(old) = old.filter(|old| !self.run.marks.has(old.key))
                && !is_inside(db, spot.parent, old.key)?
            {
                return Ok(Some(old));
            }
        }
        let facts = &staged.facts;
        if let Some(uuid) = facts.uuid {
            let by_uuid = by_uuid(db, &uuid)?;
            if let Some(row) = by_uuid.filter(|row| !self.run.marks.has(row.key)) {
                return Ok(Some(row));
            }
        }
        if facts.origin.is_some()
            && let Some(row) = self.trashed(db, facts)?
        {
            return Ok(Some(row));
        }
        if fresh {
            return Ok(None);
        }
        self.by_name(db, spot.parent, facts)
    }

    /// In its folder: the exact name first, then another spelling that the listing did not show.
    fn by_name(&self, db: &Connection, parent: i64, facts: &Facts) -> Result<Option<Known>> {
        let mut spellings = db.prepare_cached(&format!(
            "SELECT {KNOWN} FROM served
             WHERE parent = ?1 AND (kind = 3) = ?2 AND fold = ?3 AND key <> ?1
             ORDER BY name <> ?4, key"
        ))?;
        let rows = spellings.query_map(
            (parent, facts.kind == FILE, &facts.fold, &facts.name),
            known,
        )?;
        for row in rows {
            let row = row?;
            if is_same(&row.facts, facts) && !self.run.marks.has(row.key) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// What is in the trash now, where it was before: for a folder by its place, for a file whose uuid was
    /// never told by place and content. Only what was last seen before it was deleted: something else may
    /// have its place since.
    fn trashed(&self, db: &Connection, facts: &Facts) -> Result<Option<Known>> {
        let origin = facts.origin.as_deref().unwrap_or_default();
        let Some(folder) = folder_at(db, &row::origin_path(origin))? else {
            return Ok(None);
        };
        let row = self.by_name(
            db,
            folder,
            &Facts {
                origin: None,
                ..facts.clone()
            },
        )?;
        let row = row.filter(|row| {
            row.facts.name == facts.name
                && (facts.kind != FILE
                    || (row.facts.md5, row.facts.size) == (facts.md5, facts.size))
        });
        let (Some(row), Some(deleted_ms)) = (row, facts.deleted_ms) else {
            return Ok(None);
        };
        let seen = match super::read::freshness(db, folder)? {
            Freshness::ListedAt(folder) => match super::read::freshness(db, row.key)? {
                Freshness::ListedAt(own) => folder.max(own),
                Freshness::Never => folder,
            },
            Freshness::Never => return Ok(None),
        };
        Ok((seen.saturating_add(CLOCKS_MS) < deleted_ms).then_some(row))
    }
}

pub(super) fn by_uuid(db: &Connection, uuid: &row::Id) -> Result<Option<Known>> {
    Ok(db
        .prepare_cached(&format!("SELECT {KNOWN} FROM served WHERE uuid = ?1"))?
        .query_row([uuid], known)
        .optional()?)
}

/// The folder at a path of the service.
pub(super) fn folder_at(db: &Connection, path: &crate::remote::RemotePath) -> Result<Option<i64>> {
    let Some((mut key, below)) = root_of(path) else {
        return Ok(None);
    };
    for name in below {
        match child_folder(db, key, name)? {
            Some(next) => key = next,
            None => return Ok(None),
        }
    }
    Ok(Some(key))
}

/// The root of the space that a path is in, and the names below it; `None` for what is in no space of ours.
pub(super) fn root_of(path: &crate::remote::RemotePath) -> Option<(i64, &[String])> {
    let segments = path.segments();
    if let [device, mount, below @ ..] = segments
        && row::fold(device) == "jotta"
    {
        let space = match row::fold(mount).as_str() {
            "sync" => super::Space::Sync,
            "archive" => super::Space::Archive,
            _ => return None,
        };
        return Some((row::root_key(space), below));
    }
    Some((row::root_key(super::Space::Backup), segments))
}

/// A folder in a folder, by its name.
pub(super) fn child_folder(db: &Connection, folder: i64, name: &str) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(
            "SELECT key FROM served
             WHERE parent = ?1 AND (kind = 3) = 0 AND fold = ?2 AND key <> ?1
             ORDER BY name <> ?3 LIMIT 1",
        )?
        .query_row((folder, row::fold(name), name), |row| row.get(0))
        .optional()?)
}

/// Whether `key` is `folder` or below it.
fn is_inside(db: &Connection, mut key: i64, folder: i64) -> Result<bool> {
    loop {
        if key == folder {
            return Ok(true);
        }
        match super::read::parent_of(db, key)? {
            Some(parent) if parent != key => key = parent,
            _ => return Ok(false),
        }
    }
}
