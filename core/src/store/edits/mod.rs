//! The outbox: what the phone has changed and the service has not confirmed.
//!
//! Precious: nobody can tell it again. One row for each item says what is *wanted* of it (a place, a content, a fate, a
//! link), and what the service last said when the change began (its *base*). It is a state and no log, so that ten saves
//! are one upload and a rename of what was never sent is none: [`EditRow::n`] keeps the order of first wishes.
//!
//! Every change of a wish is counted ([`Store::edits_count`]); the catalogue, which shows the effective view, has the
//! count that it has applied, and reads the outbox again when a kill or another process came between.
//!
//! A row is cleared last: after the service was seen to have what is wanted, never before.

mod conflicts;
mod drafts;
mod row;
mod temporary;

use super::Store;
use super::marks::{number, set_number};
use crate::Result;
use crate::catalog::Id;
pub(crate) use conflicts::ConflictRow;
pub(crate) use drafts::{DiscardedRow, DraftRow, check_file};
pub(crate) use row::{Base, EditRow, Fate, WantedContent, WantedPlace};
use row::{COLUMNS, get, row, write};
use rusqlite::{Connection, OptionalExtension, Transaction};

/// How many changes of wishes there were.
const COUNT: &str = "edits";

/// Of so many of the newest changes it is remembered what they changed; who missed more reads the whole outbox.
const CHANGES_KEPT: i64 = 10_000;

/// How long it is remembered what an operation's key has made.
const OPERATIONS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The outbox in one transaction of the journal. Several rows change together or not at all.
pub(crate) struct Outbox<'a>(&'a Transaction<'a>);

impl Outbox<'_> {
    pub fn get(&self, id: &Id) -> Result<Option<EditRow>> {
        get(self.0, id)
    }

    /// Writes a row whose wishes have changed, and counts it. A row without any wish is removed.
    /// `n` 0 takes the next place in the queue.
    pub fn put(&self, row: &EditRow) -> Result<()> {
        let change = count_change(self.0, &row.id)?;
        if row.wants_nothing() {
            self.0
                .prepare_cached("DELETE FROM edit WHERE id = ?1")?
                .execute([row.id])?;
            return self.forget_sent();
        }
        let n = match row.n {
            0 => self
                .0
                .query_row("SELECT ifnull(max(n), 0) + 1 FROM edit", [], |row| {
                    row.get(0)
                })?,
            n => n,
        };
        write(
            self.0,
            &EditRow {
                n,
                change,
                ..row.clone()
            },
        )
    }

    /// Writes how far a row is, and the uuid of its base; its wishes stay as they are, so nothing is counted.
    pub fn put_progress(&self, row: &EditRow) -> Result<()> {
        self.0
            .prepare_cached(
                "UPDATE edit SET marker = ?2, sent_ms = ?3, attempts = ?4, until_ms = ?5, held = ?6,
                     base_uuid = coalesce(base_uuid, ?7)
                 WHERE id = ?1",
            )?
            .execute((
                row.id,
                &row.marker,
                row.sent_ms,
                row.attempts,
                row.until_ms,
                &row.held,
                row.base.as_ref().and_then(|base| base.uuid),
            ))?;
        Ok(())
    }

    /// The content is about to be sent: from now on a revision with it may be ours.
    pub fn add_sent(&self, id: &Id, md5: &[u8; 16]) -> Result<()> {
        self.0
            .prepare_cached("INSERT OR IGNORE INTO sent VALUES (?1, ?2)")?
            .execute((id, md5))?;
        Ok(())
    }

    /// The item that an operation of this key has made or changed, if it was done before.
    pub fn operation(&self, key: &str) -> Result<Option<Id>> {
        Ok(self
            .0
            .prepare_cached("SELECT id FROM operation WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?)
    }

    pub fn put_operation(&self, key: &str, id: &Id, at_ms: i64) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM operation WHERE at_ms < ?1")?
            .execute([at_ms - OPERATIONS_KEPT_MS])?;
        self.0
            .prepare_cached("INSERT OR REPLACE INTO operation VALUES (?1, ?2, ?3)")?
            .execute((key, id, at_ms))?;
        Ok(())
    }

    /// Two ids turned out to be one item: what was said of `lost` is said of `kept`. The rows of wishes are the caller's.
    pub fn unite(&self, lost: &Id, kept: &Id) -> Result<()> {
        for rows in [
            "UPDATE operation SET id = ?2 WHERE id = ?1",
            "UPDATE edit SET copy_of = ?2 WHERE copy_of = ?1",
            "UPDATE conflict SET item = ?2 WHERE item = ?1",
            "UPDATE conflict SET copy = ?2 WHERE copy = ?1",
        ] {
            self.0.prepare_cached(rows)?.execute((lost, kept))?;
        }
        Ok(())
    }

    /// Whether somebody is writing to an item, or has left bytes of it.
    pub fn has_draft(&self, id: &Id) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached("SELECT 1 FROM draft WHERE id = ?1")?
            .exists([id])?)
    }

    /// Records where an item is, with the ids; an item that is new here exists in the journal from now on.
    pub fn record(&self, identity: &super::Identified) -> Result<()> {
        super::identity::put(self.0, &identity.id, &identity.place)
    }
}

impl Store {
    /// Runs `work` on the outbox, in one durable transaction.
    pub fn outbox<T>(&self, work: impl FnOnce(&Outbox<'_>) -> Result<T>) -> Result<T> {
        self.journal.write(|db| work(&Outbox(db)))
    }

    /// The same, but a power cut may take it back, until the next other transaction is there. It does not wait for the disk,
    /// so it is for what nobody was told of: all processes see it, and what it names is found without it, too.
    pub fn outbox_lightly<T>(&self, work: impl FnOnce(&Outbox<'_>) -> Result<T>) -> Result<T> {
        self.journal.write_lightly(|db| work(&Outbox(db)))
    }

    pub fn edit(&self, id: &Id) -> Result<Option<EditRow>> {
        self.journal.read(|db| get(db, id))
    }

    /// Up to `limit` rows after place `after` of the queue.
    pub fn edits_after(&self, after: i64, limit: u32) -> Result<Vec<EditRow>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM edit WHERE n > ?1 ORDER BY n LIMIT ?2"
                ))?
                .query_map((after, limit), row)?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The ids of all rows, and the count of changes that they are of.
    pub fn all_edits(&self) -> Result<(Vec<Id>, i64)> {
        self.journal.read(|db| {
            let ids = db
                .prepare_cached("SELECT id FROM edit ORDER BY n")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((ids, number(db, COUNT)?))
        })
    }

    /// Bytes of content that wait to be sent.
    pub fn unsent_bytes(&self) -> Result<u64> {
        self.journal.read(|db| {
            let bytes: i64 = db
                .prepare_cached("SELECT ifnull(sum(size), 0) FROM edit WHERE file <> ''")?
                .query_row([], |row| row.get(0))?;
            Ok(bytes.unsigned_abs())
        })
    }

    /// The items whose wishes have changed after a number, removed rows included, and the number of the newest change;
    /// `None` if it is not known any more which those were.
    pub fn changed_after(&self, seen: i64) -> Result<Option<(Vec<Id>, i64)>> {
        self.journal.read(|db| {
            let count = number(db, COUNT)?;
            let ids: Vec<Id> = db
                .prepare_cached("SELECT id FROM edit_change WHERE change > ?1 ORDER BY change")?
                .query_map([seen], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let known = count - seen == ids.len() as i64;
            Ok(known.then_some((ids, count)))
        })
    }

    /// How many changes of wishes there were.
    pub fn edits_count(&self) -> Result<i64> {
        self.journal.read(|db| number(db, COUNT))
    }

    /// The contents that may have reached the service under an item's name from here.
    pub fn sent_contents(&self, id: &Id) -> Result<Vec<[u8; 16]>> {
        self.journal.read(|db| sent(db, id))
    }

    /// How many items have a row, and how many files are being written.
    pub fn count_unsent(&self) -> Result<u64> {
        self.journal.read(|db| {
            let count: i64 = db
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM edit) + (SELECT count(*) FROM draft WHERE session)",
                )?
                .query_row([], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    /// Whether an item has content that is not sent: such bytes may not leave the device.
    pub fn has_unsent(&self, id: &Id) -> Result<bool> {
        Ok(self.edit(id)?.is_some_and(|row| row.content.is_some()))
    }
}

fn sent(db: &Connection, id: &Id) -> Result<Vec<[u8; 16]>> {
    Ok(db
        .prepare_cached("SELECT md5 FROM sent WHERE id = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

fn count_change(db: &Connection, id: &Id) -> Result<i64> {
    let count = number(db, COUNT)? + 1;
    set_number(db, COUNT, count)?;
    db.prepare_cached("INSERT OR REPLACE INTO edit_change VALUES (?1, ?2)")?
        .execute((count, id))?;
    db.prepare_cached("DELETE FROM edit_change WHERE change <= ?1")?
        .execute([count - CHANGES_KEPT])?;
    Ok(count)
}

#[cfg(test)]
mod tests;
