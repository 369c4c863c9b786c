//! What the content service asks of the tree about many files at once: which content a pin keeps, how much of a pinned
//! folder is here, and which of its folders should be listed again.
//!
//! Whether something is pinned is asked of the journal's marks and, where the tree does not know the item (yet), of the
//! journal's places: a rebuilt catalogue must not make pinned content look like cache.

use super::row::{FILE, Id, content_version, id_bytes, id_text, space};
use super::{Catalog, Item, ItemId, Space};
use crate::Result;
use crate::store::{Mark, Store};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Longer chains of folders are not followed.
const DEPTH_MAX: usize = 1_000;

/// How much of a file or folder is on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    pub files: u64,
    pub bytes: u64,
    pub whole_files: u64,
    pub whole_bytes: u64,
    pub stale_files: u64,
    pub stale_since_ms: Option<i64>,
    /// The size of the smallest file that is not here in its newest version.
    pub least_missing: Option<u64>,
}

/// How an item stands, for the slots that have its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    /// The content version of now; `None` while the tree does not know the item.
    pub version: Option<String>,
    /// It or a folder above it is pinned.
    pub pinned: bool,
}

/// Answers for many items of one moment: what it has found out of a folder it does not ask again. Drop it soon.
pub(crate) struct Standing {
    store: Arc<Store>,
    pins: HashSet<Id>,
    folders: HashMap<i64, bool>,
}

impl Standing {
    /// How an item stands. `db` is the catalogue, in a transaction of the caller's.
    pub fn of(&mut self, db: &Connection, id: &Id) -> Result<Stand> {
        type Row = (i64, Option<[u8; 16]>, Option<i64>);
        let row: Option<Row> = db
            .prepare_cached("SELECT parent, md5, size FROM item WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((parent, md5, size)) = row else {
            return Ok(Stand {
                version: None,
                pinned: self.pinned_by_place(db, id)?,
            });
        };
        let size = size.unwrap_or(0).unsigned_abs();
        Ok(Stand {
            version: md5.map(|md5| content_version(md5, size)),
            pinned: self.pins.contains(id) || self.below_a_pin(db, parent)?,
        })
    }

    /// Whether a folder, or one above it, is pinned.
    fn below_a_pin(&mut self, db: &Connection, folder: i64) -> Result<bool> {
        if self.pins.is_empty() {
            return Ok(false);
        }
        let mut passed = Vec::new();
        let (mut at, mut pinned) = (folder, false);
        while passed.len() < DEPTH_MAX {
            if let Some(known) = self.folders.get(&at) {
                pinned = *known;
                break;
            }
            let row: Option<(i64, Option<Id>)> = db
                .prepare_cached("SELECT parent, id FROM item WHERE key = ?1")?
                .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((parent, id)) = row else {
                break;
            };
            passed.push(at);
            pinned = id.is_some_and(|id| self.pins.contains(&id));
            if pinned || parent == at {
                break;
            }
            at = parent;
        }
        self.folders
            .extend(passed.into_iter().map(|folder| (folder, pinned)));
        Ok(pinned)
    }

    /// The same by the journal's places, up to a folder that the tree knows.
    fn pinned_by_place(&mut self, db: &Connection, id: &Id) -> Result<bool> {
        let mut at = *id;
        for _ in 0..DEPTH_MAX {
            if self.pins.is_empty() {
                return Ok(false);
            }
            if self.pins.contains(&at) {
                return Ok(true);
            }
            let key: Option<i64> = db
                .prepare_cached("SELECT key FROM item WHERE id = ?1")?
                .query_row([at], |row| row.get(0))
                .optional()?;
            if let Some(key) = key {
                return self.below_a_pin(db, key);
            }
            match self.store.identity(&at)? {
                Some(place) if place.parent != at => at = place.parent,
                _ => break,
            }
        }
        Ok(false)
    }
}

/// The folders in and including `?1`, each with when the newest index from there up was.
const FOLDERS: &str = "WITH RECURSIVE below (key, indexed) AS (
        VALUES (?1, ?2)
        UNION ALL
        SELECT i.key, max(b.indexed, ifnull(i.indexed_ms, 0))
        FROM below b JOIN item i INDEXED BY item_name
            ON i.parent = b.key AND (i.kind = 3) = 0 AND i.key <> b.key
    )";

impl Catalog {
    /// Begins to answer for many items.
    pub(crate) fn standing(&self) -> Result<Standing> {
        let pins = self.store.marked(Mark::Pinned)?;
        Ok(Standing {
            store: self.store.clone(),
            pins: pins.into_iter().map(|(id, _)| id).collect(),
            folders: HashMap::new(),
        })
    }

    /// The pins that are in no other pin, the oldest first, so that each file is met once. What has been put into the trash
    /// since it was pinned is left out until it comes back.
    pub(crate) fn outermost_pins(&self) -> Result<Vec<ItemId>> {
        let mut pins = self.store.marked(Mark::Pinned)?;
        pins.reverse();
        let mut standing = self.standing()?;
        self.store.catalog.read(|db| {
            let mut outermost = Vec::new();
            for (id, _) in pins {
                let row: Option<(i64, i64, u8)> = db
                    .prepare_cached("SELECT key, parent, space FROM item WHERE id = ?1")?
                    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?;
                let left_out = match row {
                    Some((key, parent, in_space)) => {
                        space(in_space) == Space::Trash
                            || key != parent && standing.below_a_pin(db, parent)?
                    }
                    // A new catalogue has not met it yet.
                    None => false,
                };
                if !left_out {
                    outermost.push(id_text(id));
                }
            }
            Ok(outermost)
        })
    }

    /// The space of an item, by the tree or by the journal's places; `None` for what neither knows.
    pub(crate) fn space_of(&self, id: &ItemId) -> Result<Option<Space>> {
        let Some(mut at) = id_bytes(id) else {
            return Ok(None);
        };
        let mut found = None;
        for _ in 0..DEPTH_MAX {
            let code: Option<u8> = self.store.catalog.read(|db| {
                Ok(db
                    .prepare_cached("SELECT space FROM item WHERE id = ?1")?
                    .query_row([at], |row| row.get(0))
                    .optional()?)
            })?;
            if let Some(code) = code {
                return Ok(Some(space(code)));
            }
            match self.store.identity(&at)? {
                // Known, in whatever space it is: a chain that is broken above it is no reason to lose it.
                Some(place) => {
                    found = Some(Space::Sync);
                    at = place.parent;
                }
                None => break,
            }
        }
        Ok(found)
    }

    /// How much of a file, or of all files in a folder, is here.
    pub(crate) fn kept(&self, id: &ItemId) -> Result<Kept> {
        let key = self.key(id)?;
        self.store.catalog.read(|db| {
            let is_file = db
                .prepare_cached("SELECT kind FROM item WHERE key = ?1")?
                .query_row([key], |row| row.get::<_, u8>(0))
                .optional()?
                == Some(FILE);
            let (from, files) = if is_file {
                ("", "item f WHERE f.key = ?1 AND ?2 = 0")
            } else {
                (
                    FOLDERS,
                    "below b JOIN item f INDEXED BY item_name ON f.parent = b.key AND (f.kind = 3) = 1",
                )
            };
            let sums = format!(
                "{from} SELECT count(*), ifnull(sum(size), 0),
                    ifnull(sum(local = 1), 0), ifnull(sum(size * (local = 1)), 0),
                    ifnull(sum(local = 2), 0), min(CASE local WHEN 2 THEN stale_ms END),
                    min(CASE local WHEN 1 THEN NULL ELSE size END)
                 FROM {files}"
            );
            let number = |row: &rusqlite::Row<'_>, n| -> rusqlite::Result<u64> {
                Ok(row.get::<_, i64>(n)?.max(0).unsigned_abs())
            };
            Ok(db.prepare_cached(&sums)?.query_row((key, 0), |row| {
                Ok(Kept {
                    files: number(row, 0)?,
                    bytes: number(row, 1)?,
                    whole_files: number(row, 2)?,
                    whole_bytes: number(row, 3)?,
                    stale_files: number(row, 4)?,
                    stale_since_ms: row.get(5)?,
                    least_missing: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
                })
            })?)
        })
    }

    /// Up to `limit` files in a folder, or the file itself, that are not here in their newest version, after the key that
    /// the call before gave.
    pub(crate) fn missing_below(
        &self,
        id: &ItemId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<Item>, Option<i64>)> {
        let key = self.key(id)?;
        let keys: Vec<i64> = self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "{FOLDERS}
                     SELECT f.key FROM below b JOIN item f INDEXED BY item_name
                         ON f.parent = b.key AND (f.kind = 3) = 1
                     WHERE f.local <> 1 AND f.key > ?3
                     UNION SELECT key FROM item
                     WHERE key = ?1 AND kind = 3 AND local <> 1 AND key > ?3
                     ORDER BY 1 LIMIT ?4"
                ))?
                .query_map((key, 0, after.unwrap_or(0), limit), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })?;
        let next = keys
            .last()
            .copied()
            .filter(|_| keys.len() == limit as usize);
        Ok((self.items(&keys)?, next))
    }

    /// Up to `limit` folders, in a folder or it itself, that were never listed or not since `since_ms`.
    pub(crate) fn unlisted_since(
        &self,
        id: &ItemId,
        since_ms: i64,
        limit: u32,
    ) -> Result<Vec<ItemId>> {
        let key = self.key(id)?;
        let keys: Vec<i64> = self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "{FOLDERS} SELECT f.key FROM below b JOIN item f ON f.key = b.key
                     WHERE f.listed_ms IS NULL OR max(f.listed_ms, b.indexed) < ?3 LIMIT ?4"
                ))?
                .query_map((key, indexed_of(db, key)?, since_ms, limit), |row| {
                    row.get(0)
                })?
                .collect::<rusqlite::Result<_>>()?)
        })?;
        Ok(self.items(&keys)?.into_iter().map(|item| item.id).collect())
    }
}

/// When the newest index from a folder up was, or 0. A folder's own listing says nothing of the folders in it.
fn indexed_of(db: &Connection, folder: i64) -> Result<i64> {
    let (mut at, mut newest) = (folder, 0);
    for _ in 0..DEPTH_MAX {
        let row: Option<(i64, i64)> = db
            .prepare_cached("SELECT parent, ifnull(indexed_ms, 0) FROM item WHERE key = ?1")?
            .query_row([at], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((parent, indexed)) = row else {
            break;
        };
        newest = newest.max(indexed);
        if parent == at {
            break;
        }
        at = parent;
    }
    Ok(newest)
}
