//! The working set: what the operating system keeps in view (platform: the only live channel of a file provider).
//!
//! Membership is a column of the row, kept by whatever changes marks, folders or places, and each entering and leaving
//! takes a number in the feed. So the set's changes are the feed's, seen through that column: what is a member is
//! updated, what has left is deleted, and tombstones are deleted whatever they were. More is told than need be, never less.

use super::flags::PinnedFolders;
use super::read::{Meta, row_of};
use super::row::id_bytes;
use super::token::{After, Bound};
use super::{Catalog, Freshness, ItemId, Order, Page};
use crate::{Error, Result};
use rusqlite::Connection;

/// Ids in one part of a report of what is held.
const PART: usize = 500;

/// Whether folders are held by the operating system, in one transaction.
#[derive(Default)]
pub(super) struct HeldFolders {
    any: Option<bool>,
    last: Option<(i64, bool)>,
}

impl HeldFolders {
    pub fn has(&mut self, db: &Connection, folder: i64) -> Result<bool> {
        let any = match self.any {
            Some(any) => any,
            None => db
                .prepare_cached("SELECT 1 FROM item WHERE flags <> 0 AND flags & 8")?
                .exists([])?,
        };
        self.any = Some(any);
        if !any {
            return Ok(false);
        }
        if let Some((last, held)) = self.last
            && last == folder
        {
            return Ok(held);
        }
        let held = db
            .prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND flags & 8")?
            .exists([folder])?;
        self.last = Some((folder, held));
        Ok(held)
    }
}

impl Catalog {
    pub(super) fn read_working_set(&self, page: Option<&str>, limit: u32) -> Result<Page> {
        if !(1..=1_000).contains(&limit) {
            return Err(Error::invalid("limit is not 1 to 1,000"));
        }
        self.settle_marks()?;
        let (rows, next) = self.store.catalog.read(|db| {
            let meta = Meta::read(db)?;
            // No folder has the key 0, so that no other page's token fits.
            let bound = Bound {
                instance: meta.instance,
                parent: 0,
                order: Order::Name,
            };
            let after = page.map(|token| bound.decode(token)).transpose()?;
            let mut keys = db
                .prepare_cached(
                    "SELECT key FROM item INDEXED BY item_ws WHERE ws = 1 AND key > ?1
                     ORDER BY key LIMIT ?2",
                )?
                .query_map((after.map_or(0, |after| after.key), limit + 1), |row| {
                    row.get::<_, i64>(0)
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let more = keys.len() > limit as usize;
            keys.truncate(limit as usize);
            let next = keys.last().filter(|_| more).map(|key| {
                bound.encode(&After {
                    file: true,
                    key: *key,
                    number: 0,
                    fold: None,
                })
            });
            let (life, mut pinned) = (meta.life(), PinnedFolders::default());
            let mut rows = Vec::with_capacity(keys.len());
            for key in keys {
                rows.extend(row_of(db, &life, key, &mut pinned)?);
            }
            Ok((rows, next))
        })?;
        Ok(Page {
            items: self.with_ids(rows)?,
            next,
            // It is no folder, and its rows are as fresh as each one's own.
            freshness: Freshness::Never,
        })
    }

    pub(super) fn add_to_held(&self, epoch: u64, ids: &[ItemId]) -> Result<()> {
        if ids.is_empty() || ids.len() > PART {
            return Err(Error::invalid("not 1 to 500 ids"));
        }
        let report = i64::try_from(epoch).unwrap_or(-1);
        let mut known = Vec::with_capacity(ids.len());
        for bytes in ids.iter().filter_map(id_bytes) {
            // Roots have no place. What the tree has lost for now, the journal still knows.
            let is_root = u128::from_be_bytes(bytes) <= super::Space::ALL.len() as u128;
            if is_root || self.store.identity(&bytes)?.is_some() {
                known.push(bytes);
            }
        }
        self.store.add_held(report, &known)
    }
}
