//! Local reads: SQLite only, no network, keyset pages on an index.
//!
//! What a read returns has left the core, so its ids are durable first (see [`mint`]). That writes
//! only the first time an item is seen; every later read of it is a read.

use super::flags::{PinnedFolders, restore};
use super::mint::mint;
use super::page::{number, rows};
use super::row::{COLUMNS, Id, Life, Seen, fold, id_bytes, root_key, seen};
use super::stage::Marks;
use super::token::{After, Bound};
use super::{Catalog, Freshness, Item, ItemId, Lookup, Order, Page, Space};
use crate::remote::names;
use crate::store::Place;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension};

/// Longer chains of folders are not followed where it is not needed.
pub(super) const DEPTH_MAX: usize = 1_000;

/// Which life of the catalogue this is, and its newest change.
pub(super) struct Meta {
    pub instance: Id,
    pub seq: i64,
}

impl Meta {
    pub fn read(db: &Connection) -> Result<Self> {
        Ok(db
            .prepare_cached("SELECT instance, seq FROM meta")?
            .query_row([], |row| {
                Ok(Self {
                    instance: row.get(0)?,
                    seq: row.get(1)?,
                })
            })?)
    }

    pub fn life(&self) -> Life {
        let [a, b, c, d, ..] = self.instance;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }
}

impl Catalog {
    pub(super) fn read_roots(&self) -> Result<Vec<Item>> {
        let keys: Vec<_> = Space::ALL.into_iter().map(root_key).collect();
        self.items(&keys)
    }

    pub(super) fn read_item(&self, id: &ItemId) -> Result<Lookup> {
        let Some(bytes) = id_bytes(id) else {
            return Ok(Lookup::Unknown);
        };
        self.settle_edits_once()?;
        if let Some(key) = self.key_of(&bytes)?
            && let Some(item) = self.items(&[key])?.pop()
        {
            return Ok(Lookup::Found(item));
        }
        let gone = self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached("SELECT 1 FROM gone WHERE id = ?1")?
                .exists([bytes])?)
        })?;
        Ok(if gone { Lookup::Gone } else { Lookup::Unknown })
    }

    pub(super) fn read_children(
        &self,
        parent: &ItemId,
        order: Order,
        page: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        if !(1..=1_000).contains(&limit) {
            return Err(Error::invalid("limit is not 1 to 1,000"));
        }
        self.settle_marks_once()?;
        let parent = self.key(parent)?;
        // One row more than asked for tells whether there is a next page.
        let (rows, bound, freshness) = self.store.catalog.read(|db| {
            let meta = Meta::read(db)?;
            let bound = Bound {
                instance: meta.instance,
                parent,
                order,
            };
            let after = page.map(|token| bound.decode(token)).transpose()?;
            let freshness = freshness(db, parent)?;
            let mut rows = rows(db, &meta.life(), &bound, after, limit as usize + 1)?;
            if PinnedFolders::default().has(db, parent)? {
                rows.iter_mut().for_each(|row| row.item.pinned = true);
            }
            Ok((rows, bound, freshness))
        })?;
        let more = rows.len() > limit as usize;
        let mut rows = rows;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| {
            bound.encode(&After {
                file: last.item.size.is_some(),
                key: last.key,
                number: number(order, &last.item),
                fold: Some(last.fold.clone()),
            })
        });
        Ok(Page {
            items: self.with_ids(rows)?,
            next,
            freshness,
        })
    }

    pub(super) fn read_path(&self, id: &ItemId) -> Result<Vec<Item>> {
        let mut key = self.key(id)?;
        let mut keys = vec![key];
        self.store.catalog.read(|db| {
            let mut met = Marks::default();
            while let Some(parent) = parent_of(db, key)?.filter(|parent| *parent != key) {
                // However deep a tree is, it is no damage.
                if !met.mark(parent) {
                    return Err(Error::StoreDamaged {
                        detail: "a folder inside itself".into(),
                    });
                }
                keys.push(parent);
                key = parent;
            }
            Ok(())
        })?;
        keys.reverse();
        self.items(&keys)
    }

    pub(super) fn find_names(&self, path: &[&str]) -> Result<Lookup> {
        let Some((space, below)) = path.split_first() else {
            return Err(Error::invalid("no names"));
        };
        let wanted = fold(space);
        let Some(space) = Space::ALL
            .into_iter()
            .find(|space| fold(space.name()) == wanted)
        else {
            return Ok(Lookup::Unknown);
        };
        let found = self.store.catalog.read(|db| {
            let mut key = root_key(space);
            for name in below {
                // As it is shown, or as the service spells it.
                let shown = child(db, key, &names::encode(name))?;
                match shown.map_or_else(|| child(db, key, name), |shown| Ok(Some(shown)))? {
                    Some(next) => key = next,
                    None => return Ok(None),
                }
            }
            Ok(Some(key))
        })?;
        let item = match found {
            Some(key) => self.items(&[key])?.pop(),
            None => None,
        };
        Ok(item.map_or(Lookup::Unknown, Lookup::Found))
    }

    /// Items by space, in the order of `Space::ALL`; roots are not counted.
    pub(crate) fn counts(&self) -> Result<[u64; 4]> {
        self.store.catalog.read(|db| {
            let mut counts = [0; 4];
            let mut tally = db.prepare_cached("SELECT space, items FROM tally")?;
            let mut rows = tally.query([])?;
            while let Some(row) = rows.next()? {
                let space = usize::from(row.get::<_, u8>(0)?);
                if let Some(count) = counts.get_mut(space) {
                    *count = row.get::<_, i64>(1)?.max(0).unsigned_abs();
                }
            }
            counts[3] = counts[3].saturating_sub(super::overlay::hidden_items(db)?);
            Ok(counts)
        })
    }

    /// The key of an id. Errors: `NoSuchItem`, `NotKnown`.
    pub(super) fn key(&self, id: &ItemId) -> Result<i64> {
        self.settle_edits_once()?;
        let bytes = id_bytes(id);
        if let Some(bytes) = bytes
            && let Some(key) = self.key_of(&bytes)?
        {
            return Ok(key);
        }
        match self.read_item(id)? {
            Lookup::Gone => Err(Error::NoSuchItem {
                detail: "deleted".into(),
            }),
            _ => Err(Error::NotKnown {
                detail: "an id".into(),
            }),
        }
    }

    fn key_of(&self, id: &Id) -> Result<Option<i64>> {
        let found = self.store.catalog.read(|db| key_of(db, id))?;
        match found {
            Some(key) => Ok(Some(key)),
            None => self.adopt(id),
        }
    }

    /// After a rebuild: finds the item whose id left an earlier catalogue, by uuid or by place.
    fn adopt(&self, id: &Id) -> Result<Option<i64>> {
        // Up to the nearest folder that is known, and down again.
        let mut places = Vec::new();
        let (mut at, mut found) = (*id, None);
        while found.is_none()
            && places.len() < DEPTH_MAX
            && let Some(place) = self.store.identity(&at)?
        {
            let parent = place.parent;
            places.push((at, place));
            found = self.store.catalog.read(|db| key_of(db, &parent))?;
            at = parent;
        }
        for (id, place) in places.iter().rev() {
            found = self.adopt_in(found, id, place)?;
        }
        Ok(found)
    }

    fn adopt_in(&self, parent: Option<i64>, id: &Id, place: &Place) -> Result<Option<i64>> {
        self.store.catalog.write(|db| {
            let by_uuid = match place.uuid {
                Some(uuid) => db
                    .prepare_cached("SELECT key FROM item WHERE uuid = ?1 AND id IS NULL")?
                    .query_row([uuid], |row| row.get(0))
                    .optional()?,
                None => None,
            };
            let key: Option<i64> = match (by_uuid, parent) {
                (Some(key), _) => Some(key),
                (None, Some(parent)) => unnamed(db, parent, place)?,
                (None, None) => None,
            };
            if let Some(key) = key {
                let id = self.store.identifying(|journal| {
                    super::mint::give(db, journal, key, *id, place.clone())
                })?;
                restore(db, &self.store, &[(key, id)])?;
            }
            // Somebody else may have been faster, or the id may be another item's by now.
            key_of(db, id)
        })
    }

    /// These items, in this order, without those that have vanished.
    pub(super) fn items(&self, keys: &[i64]) -> Result<Vec<Item>> {
        self.settle_marks_once()?;
        let rows = self.store.catalog.read(|db| {
            let life = Meta::read(db)?.life();
            let mut rows = Vec::with_capacity(keys.len());
            let mut pinned = PinnedFolders::default();
            for key in keys {
                rows.extend(row_of(db, &life, *key, &mut pinned)?);
            }
            Ok(rows)
        })?;
        self.with_ids(rows)
    }

    /// Makes the ids of rows durable, and turns them into items.
    pub(super) fn with_ids(&self, rows: Vec<Seen>) -> Result<Vec<Item>> {
        let nameless: Vec<_> = rows
            .iter()
            .filter(|row| row.id.is_none())
            .map(|row| row.key)
            .collect();
        if nameless.is_empty() {
            return Ok(rows.into_iter().map(|row| row.item).collect());
        }
        self.store.catalog.write(|db| {
            mint(db, &self.store, &nameless)?;
            let life = Meta::read(db)?.life();
            let mut items = Vec::with_capacity(rows.len());
            let mut pinned = PinnedFolders::default();
            for row in rows {
                if row.id.is_some() {
                    items.push(row.item);
                } else {
                    items.extend(row_of(db, &life, row.key, &mut pinned)?.map(|row| row.item));
                }
            }
            Ok(items)
        })
    }
}

pub(super) fn key_of(db: &Connection, id: &Id) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT key FROM item WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

pub(super) fn row_of(
    db: &Connection,
    life: &Life,
    key: i64,
    pinned: &mut PinnedFolders,
) -> Result<Option<Seen>> {
    let mut row = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item i JOIN item p ON p.key = i.parent WHERE i.key = ?1"
        ))?
        .query_row([key], |row| seen(row, life))
        .optional()?;
    if let Some(row) = &mut row {
        row.item.pinned = row.item.pinned || pinned.has(db, row.parent)?;
    }
    Ok(row)
}

pub(super) fn parent_of(db: &Connection, key: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT parent FROM item WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

/// A child by name: exactly, else without regard to case; folders first.
fn child(db: &Connection, parent: i64, name: &str) -> Result<Option<i64>> {
    for is_file in [false, true] {
        let mut exact = db.prepare_cached(
            "SELECT key FROM item WHERE parent = ?1 AND (kind = 3) = ?2 AND fold = ?3 AND key <> ?1
             ORDER BY name <> ?4, key LIMIT 1",
        )?;
        let found = exact
            .query_row((parent, is_file, fold(name), name), |row| row.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The one item without an id at a recorded place.
fn unnamed(db: &Connection, parent: i64, place: &Place) -> Result<Option<i64>> {
    let mut candidates = db.prepare_cached(
        "SELECT key, name, origin, deleted_ms FROM item
         WHERE parent = ?1 AND kind = ?2 AND id IS NULL
           AND (uuid IS NULL OR ?3 IS NULL OR uuid = ?3)
           AND (origin IS NOT NULL OR name = ?4)",
    )?;
    let mut rows = candidates.query((parent, place.kind, place.uuid, &place.name))?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(1)?;
        let origin: Option<String> = row.get(2)?;
        if super::mint::place_name(&name, origin.as_deref(), row.get(3)?) == place.name {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

/// A folder is as fresh as its own listing or, if newer, the index of what it is in.
pub(super) fn freshness(db: &Connection, folder: i64) -> Result<Freshness> {
    let mut newest: Option<i64> = None;
    let mut key = folder;
    for _ in 0..DEPTH_MAX {
        let row: Option<(i64, Option<i64>, Option<i64>)> = db
            .prepare_cached("SELECT parent, listed_ms, indexed_ms FROM item WHERE key = ?1")?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((parent, listed_ms, indexed_ms)) = row else {
            break;
        };
        if key == folder {
            match listed_ms {
                Some(ms) => newest = Some(ms),
                None => return Ok(Freshness::Never),
            }
        }
        newest = newest.max(indexed_ms);
        if parent == key {
            break;
        }
        key = parent;
    }
    Ok(newest.map_or(Freshness::Never, Freshness::ListedAt))
}
