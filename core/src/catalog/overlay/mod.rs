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

mod admit;
mod answer;
mod count;
mod derive;
mod settle;
mod theirs;

use super::change::{Change, Spot};
use super::facts::Known;
use super::row::Id;
use crate::Result;
pub(crate) use answer::Answered;
pub(super) use count::{hidden_items, served_items};
use rusqlite::{Connection, OptionalExtension};

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

/// Whether the outbox wants anything of any row.
pub(in crate::catalog) fn edited(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM item WHERE edit <> 0 LIMIT 1")?
        .exists([])?)
}

pub(in crate::catalog) fn id_at(db: &Connection, key: i64) -> Result<Option<Id>> {
    Ok(db
        .prepare_cached("SELECT id FROM item WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?
        .flatten())
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
    pub(in crate::catalog) fn edit(&self, key: i64) -> Result<u8> {
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

    pub(in crate::catalog) fn set_edit(&mut self, key: i64, edit: u8) -> Result<()> {
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
    pub(in crate::catalog) fn in_its_folder(&self, spot: Spot) -> Result<Spot> {
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

    /// What has an id names its folder by one, also where only a wish shows it: a folder that is kept for what is wanted in
    /// it is in no listing, so nobody else gives it one.
    pub(in crate::catalog) fn name_folder(&mut self, folder: i64) -> Result<()> {
        if id_at(self.db, folder)?.is_none() && shown(self.db, folder)?.is_some() {
            self.id_of(folder)?;
        }
        Ok(())
    }

    pub(in crate::catalog) fn holds_only_wishes(&self, folder: i64) -> Result<bool> {
        let plain = self.edited
            && self
                .db
                .prepare_cached("SELECT 1 FROM item WHERE parent = ?1 AND key <> ?1 AND edit = 0")?
                .exists([folder])?;
        Ok(self.edited && !plain)
    }
}

/// Whole seconds, as the wire has them.
fn seconds(ms: Option<i64>) -> Option<i64> {
    ms.map(|ms| ms - ms.rem_euclid(1_000))
}

#[cfg(test)]
mod tests;
