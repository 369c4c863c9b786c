//! One write to the tree: every row that is added, changed, moved or removed goes through here.
//!
//! It keeps what belongs together together: the row, its number in the change feed, the count of
//! its space, the tombstone, and the journal's record of an id that left, which commits first.

use super::Refreshed;
use super::facts::{Facts, KNOWN, Known, known};
use super::flags::{apply, is_member};
use super::mint::{mint, place_name};
use super::names::{Entry, Names};
use super::overlay::{KEPT, edited};
use super::row::{FILE, Id};
use super::working_set::HeldFolders;
use crate::store::{Identified, Place, Store};
use crate::{Error, Result};
use rusqlite::{OptionalExtension, Transaction};

/// Where a row is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub parent: i64,
    pub space: u8,
}

pub(super) struct Change<'a> {
    pub(super) db: &'a Transaction<'a>,
    pub(super) store: &'a Store,
    /// Whether the outbox wants anything of any row.
    pub(super) edited: bool,
    pub(super) seq: i64,
    first_seq: i64,
    tally: [i64; 4],
    moved: Vec<Identified>,
    forgotten: Vec<Id>,
    held: HeldFolders,
    names: Names,
    pub counts: Refreshed,
}

impl<'a> Change<'a> {
    pub fn begin(db: &'a Transaction<'a>, store: &'a Store) -> Result<Self> {
        let seq = db.query_row("SELECT seq FROM meta", [], |row| row.get(0))?;
        Ok(Self {
            db,
            store,
            edited: edited(db)?,
            seq,
            first_seq: seq,
            tally: [0; 4],
            moved: Vec::new(),
            forgotten: Vec::new(),
            held: HeldFolders::default(),
            names: Names::default(),
            counts: Refreshed::default(),
        })
    }

    /// The journal first; the caller's commit follows. Whether an app could see a difference.
    pub fn finish(mut self) -> Result<(Refreshed, bool)> {
        self.store.record(&self.moved)?;
        self.store.forget(&self.forgotten)?;
        self.db
            .prepare_cached("UPDATE meta SET seq = ?1")?
            .execute([self.seq])?;
        for (space, by) in (0_u8..).zip(self.tally).filter(|(_, by)| *by != 0) {
            self.db
                .prepare_cached("UPDATE tally SET items = items + ?2 WHERE space = ?1")?
                .execute((space, by))?;
        }
        self.names.finish(self.db)?;
        Ok((self.counts, self.seq != self.first_seq))
    }

    pub(super) fn next_seq(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    /// Rows have got marks in this transaction: which folders are held is asked again.
    pub(super) fn marks_changed(&mut self) {
        self.held = HeldFolders::default();
    }

    fn count(&mut self, space: u8, by: i64) {
        if let Some(tally) = self.tally.get_mut(usize::from(space)) {
            *tally += by;
        }
    }

    pub fn known(&self, key: i64) -> Result<Option<Known>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {KNOWN} FROM served WHERE key = ?1"))?
            .query_row([key], known)
            .optional()?)
    }

    /// A new row. A folder is complete only once its listing is merged to the end. A file that was told as
    /// gone gets its id back.
    pub fn insert(&mut self, key: i64, spot: Spot, facts: &Facts) -> Result<()> {
        let spot = self.in_its_folder(spot)?;
        let seq = self.next_seq();
        let in_held = self.held.has(self.db, spot.parent)?;
        let ws = is_member(0, in_held, spot.space, spot.parent);
        let entry = Entry::of(key, spot.space, facts);
        let pack = self.names.add(self.db, entry, &facts.name)?;
        self.insert_row(key, spot, facts, (seq, ws, pack))?;
        self.count(spot.space, 1);
        self.counts.added += 1;
        if let Some(uuid) = facts.uuid {
            self.revive(key, uuid)?;
        }
        Ok(())
    }

    fn insert_row(
        &self,
        key: i64,
        spot: Spot,
        facts: &Facts,
        (seq, ws, pack): (i64, bool, i64),
    ) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO item (key, parent, space, kind, name, fold, seq, size, md5,
                     modified_ms, created_ms, updated_ms, uuid, revision, mime, shared,
                     deleted_ms, origin, ws, pack)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                     ?17, ?18, ?19, ?20)",
            )?
            .execute(rusqlite::params![
                key,
                spot.parent,
                spot.space,
                facts.kind,
                facts.name,
                facts.fold,
                seq,
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
                ws,
                pack,
            ])?;
        Ok(())
    }

    fn revive(&mut self, key: i64, uuid: Id) -> Result<()> {
        let gone = self
            .db
            .prepare_cached("SELECT id FROM gone WHERE uuid = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([uuid], |row| row.get(0))
            .optional()?;
        self.give_back(key, gone)
    }

    /// What was told as gone from `folder`, without a uuid, is in the trash now.
    pub fn revive_by_place(&mut self, key: i64, folder: i64, facts: &Facts) -> Result<()> {
        if self.known(key)?.is_none_or(|row| row.id.is_some()) {
            return Ok(());
        }
        let gone = self
            .db
            .prepare_cached(
                "SELECT g.id FROM gone g JOIN item p ON p.id = g.parent
                 WHERE p.key = ?1 AND g.name = ?2 AND g.kind = ?3 AND g.uuid IS NULL
                     AND g.md5 IS ?4 AND g.size IS ?5
                 ORDER BY g.seq DESC LIMIT 1",
            )?
            .query_row(
                (folder, &facts.name, facts.kind, facts.md5, facts.size),
                |row| row.get(0),
            )
            .optional()?;
        self.give_back(key, gone)
    }

    fn give_back(&mut self, key: i64, gone: Option<Id>) -> Result<()> {
        let Some(id) = gone else {
            return Ok(());
        };
        self.db
            .prepare_cached("DELETE FROM gone WHERE id = ?1")?
            .execute([id])?;
        self.db
            .prepare_cached("UPDATE item SET id = ?2 WHERE key = ?1")?
            .execute((key, id))?;
        self.forgotten.retain(|forgotten| *forgotten != id);
        let seq = self.next_seq();
        self.db
            // Who had it in view when it went, and has not heard of that, hears that it is not in view.
            .prepare_cached(
                "UPDATE item SET seq = ?2, told_seq = NULL, ws = iif(ws = 0, 2, ws) WHERE key = ?1",
            )?
            .execute((key, seq))?;
        let flags = self.store.flags_of(&[id])?;
        for flags in flags {
            apply(self.db, key, flags, &mut self.seq)?;
        }
        self.marks_changed();
        self.counts.added = self.counts.added.saturating_sub(1);
        self.counts.moved += 1;
        self.record(key)
    }

    /// Brings a row to what a listing says, wherever it was; writes only what differs. What the outbox wants of it stays
    /// on top.
    pub fn update(&mut self, before: &Known, spot: Spot, facts: Facts) -> Result<()> {
        let facts = facts.over(&before.facts);
        if self.edit(before.key)? != 0 {
            return self.update_theirs(before, spot, &facts);
        }
        let spot = self.in_its_folder(spot)?;
        self.write(before, spot, facts)
    }

    /// Writes the columns that an app sees.
    pub(super) fn write(&mut self, before: &Known, spot: Spot, facts: Facts) -> Result<()> {
        let stays = before.parent == spot.parent && before.space == spot.space;
        if stays && facts == before.facts {
            return Ok(());
        }
        let renamed = facts.name != before.facts.name
            || facts.origin != before.facts.origin
            || facts.deleted_ms != before.facts.deleted_ms;
        let visible = !stays || !facts.looks_like(&before.facts);
        let seq = visible.then(|| self.next_seq());
        let stale_ms = self.store.now_ms();
        let other_content = !facts.same_content(&before.facts);
        let entry = Entry::of(before.key, spot.space, &facts);
        let indexed = facts.name == before.facts.name
            && entry == Entry::of(before.key, before.space, &before.facts);
        let pack = if indexed {
            None
        } else {
            Some(self.names.replace(self.db, entry, &facts.name)?)
        };
        self.db
            .prepare_cached(
                "UPDATE item SET parent = ?2, space = ?3, name = ?4, fold = ?5,
                     seq = ifnull(?6, seq), told_seq = iif(?6 IS NULL, told_seq, NULL),
                     local = iif(local = 1 AND ?18, 2, local),
                     stale_ms = iif(local = 1 AND ?18, ?19, stale_ms),
                     pack = ifnull(?20, pack), size = ?7, md5 = ?8, modified_ms = ?9, created_ms = ?10, updated_ms = ?11,
                     uuid = ?12, revision = ?13, mime = ?14, shared = ?15, deleted_ms = ?16,
                     origin = ?17
                 WHERE key = ?1",
            )?
            .execute(rusqlite::params![
                before.key,
                spot.parent,
                spot.space,
                facts.name,
                facts.fold,
                seq,
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
                other_content,
                stale_ms,
                pack,
            ])?;
        if !stays {
            self.settle_moved(before.key, spot)?;
        }
        if before.space != spot.space {
            self.count(before.space, -1);
            self.count(spot.space, 1);
            self.move_below(before.key, spot.space)?;
        }
        let learned_uuid = facts.uuid.filter(|_| facts.uuid != before.facts.uuid);
        match (before.id, learned_uuid) {
            (None, Some(uuid)) => self.revive(before.key, uuid)?,
            (Some(_), learned) if !stays || renamed || learned.is_some() => {
                self.record(before.key)?;
            }
            _ => {}
        }
        if !stays && before.id.is_some() && self.edited {
            self.name_folder(spot.parent)?;
        }
        if !stays || (renamed && facts.fold != before.facts.fold) {
            self.counts.moved += 1;
        } else if visible {
            self.counts.changed += 1;
        }
        Ok(())
    }

    /// What has moved is told as moved, also where it is no member any more: it leaves with the next report of what is
    /// held. Only what is deep in the trash leaves at once.
    fn settle_moved(&mut self, key: i64, spot: Spot) -> Result<()> {
        let flags: u8 = self
            .db
            .prepare_cached("SELECT flags | edit FROM item WHERE key = ?1")?
            .query_row([key], |row| row.get(0))?;
        let in_held = self.held.has(self.db, spot.parent)?;
        let member = is_member(flags, in_held, spot.space, spot.parent);
        let hidden = !is_member(1, true, spot.space, spot.parent);
        self.db
            .prepare_cached(
                "UPDATE item SET ws = CASE WHEN ?2 THEN 1 WHEN ?3 AND ws = 1 THEN 2 ELSE ws END
                 WHERE key = ?1 AND (ws <> 0 OR ?2)",
            )?
            .execute((key, member, hidden))?;
        Ok(())
    }

    /// What is in a folder follows it into another space.
    fn move_below(&mut self, folder: i64, space: u8) -> Result<()> {
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for (key, kind, before) in self.children(folder)? {
                let seq = self.next_seq();
                self.db
                    .prepare_cached(
                        "UPDATE item SET space = ?2, seq = ?3, told_seq = NULL WHERE key = ?1",
                    )?
                    .execute((key, space, seq))?;
                self.rename_entry(key, space)?;
                self.settle_moved(
                    key,
                    Spot {
                        parent: folder,
                        space,
                    },
                )?;
                self.count(before, -1);
                self.count(space, 1);
                if kind != FILE {
                    folders.push(key);
                }
            }
        }
        Ok(())
    }

    /// An item's space is in the index of names, too.
    fn rename_entry(&mut self, key: i64, space: u8) -> Result<()> {
        let Some(row) = self.known(key)? else {
            return Ok(());
        };
        let entry = Entry::of(key, space, &row.facts);
        let pack = self.names.replace(self.db, entry, &row.facts.name)?;
        self.db
            .prepare_cached("UPDATE item SET pack = ?2 WHERE key = ?1")?
            .execute((key, pack))?;
        Ok(())
    }

    pub(super) fn children(&self, folder: i64) -> Result<Vec<(i64, u8, u8)>> {
        Ok(self
            .db
            .prepare_cached("SELECT key, kind, space FROM item WHERE parent = ?1 AND key <> ?1")?
            .query_map([folder], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Removes a row and all below it: the service has said that it is gone. Ids that left get a tombstone.
    pub fn remove(&mut self, key: i64) -> Result<()> {
        // The deepest first: a folder stays as long as something in it is wanted.
        let mut rows = Vec::from_iter(self.known(key)?);
        let mut next = 0;
        while let Some(row) = rows.get(next) {
            next += 1;
            if row.facts.kind != FILE {
                let below = self.served_children(row.key)?;
                rows.extend(below);
            }
        }
        rows.into_iter()
            .rev()
            .try_for_each(|row| self.remove_row(row))
    }

    /// What the service has in a folder.
    pub(super) fn served_children(&self, folder: i64) -> Result<Vec<Known>> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {KNOWN} FROM served WHERE parent = ?1 AND key <> ?1"
            ))?
            .query_map([folder], known)?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Removes a row that a listing did not show, unless that judgement is out of date: the row has changed
    /// after `seq`, is not in `parent` any more, or something newer is in it.
    pub fn remove_unseen(&mut self, key: i64, parent: i64, seq: i64) -> Result<()> {
        let Some(row) = self.known(key)? else {
            return Ok(());
        };
        let newer = row.seq > seq || row.parent != parent;
        let holds = row.facts.kind != FILE && self.has_children(key)?;
        if newer || (holds && !self.holds_only_wishes(key)?) {
            return Ok(());
        }
        self.remove_row(row)
    }

    pub(super) fn has_children(&self, folder: i64) -> Result<bool> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM item WHERE parent = ?1 AND key <> ?1")?
            .exists([folder])?)
    }

    fn remove_row(&mut self, row: Known) -> Result<()> {
        if self.edit(row.key)? != 0 {
            return self.lose_theirs(row.key);
        }
        if self.edited && row.facts.kind != FILE && self.has_children(row.key)? {
            return self.set_edit(row.key, KEPT);
        }
        self.remove_now(row)
    }

    /// Removes a row that nobody wants anything of.
    pub(super) fn remove_now(&mut self, row: Known) -> Result<()> {
        let seq = self.next_seq();
        if let Some(id) = row.id {
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO gone (id, seq, kind, parent, name, uuid, md5, size)
                     VALUES (?1, ?2, ?3, (SELECT id FROM item WHERE key = ?4), ?5, ?6, ?7, ?8)",
                )?
                .execute((
                    id,
                    seq,
                    row.facts.kind,
                    row.parent,
                    row.facts.name,
                    row.facts.uuid,
                    row.facts.md5,
                    row.facts.size,
                ))?;
            self.forgotten.push(id);
        }
        self.db
            .prepare_cached("DELETE FROM item WHERE key = ?1")?
            .execute([row.key])?;
        self.count(row.space, -1);
        self.counts.deleted += 1;
        Ok(())
    }

    /// The journal's record of an id, where the service has the item.
    pub(super) fn record_place(
        &mut self,
        key: i64,
        parent: i64,
        name: String,
        facts: &Facts,
    ) -> Result<()> {
        let Some(id) = super::overlay::id_at(self.db, key)? else {
            return Ok(());
        };
        let parent = self.id_of(parent)?;
        self.moved.push(Identified {
            id,
            place: Place {
                parent,
                name,
                kind: facts.kind,
                uuid: facts.uuid,
            },
        });
        Ok(())
    }

    /// Puts the journal's record of an id that left where the item is now.
    fn record(&mut self, key: i64) -> Result<()> {
        let Some(row) = self.known(key)? else {
            return Ok(());
        };
        let Some(id) = row.id else {
            return Ok(());
        };
        let parent = self.id_of(row.parent)?;
        let facts = row.facts;
        self.moved.push(Identified {
            id,
            place: Place {
                parent,
                name: place_name(&facts.name, facts.origin.as_deref(), facts.deleted_ms),
                kind: facts.kind,
                uuid: facts.uuid,
            },
        });
        Ok(())
    }

    /// The id of a folder that an id's place must name.
    pub(super) fn id_of(&mut self, key: i64) -> Result<Id> {
        if let Some(id) = super::overlay::id_at(self.db, key)? {
            return Ok(id);
        }
        self.db.execute("UPDATE meta SET seq = ?1", [self.seq])?;
        mint(self.db, self.store, &[key])?;
        self.seq = self
            .db
            .query_row("SELECT seq FROM meta", [], |row| row.get(0))?;
        self.marks_changed();
        super::overlay::id_at(self.db, key)?.ok_or_else(|| Error::bug("a parent has no id"))
    }
}
