//! What the content takes on the device, and what goes when that is too much.
//!
//! Invariants:
//! - the row of a slot is there before its files are, so that nothing takes space uncounted. Rows are an index of the
//!   files: a process may end between the two at any moment, and the next open (or a new catalogue) makes them agree;
//! - nothing is fetched before its place is reserved, and a reservation keeps the floor of free space;
//! - what is too much leaves by the rules of [`evict`](super::evict), and by no other way.
//!
//! Other processes' reservations are not known here, and need not be: what they have written is in the rows and in the
//! volume's own count, so a budget is passed by what is in flight elsewhere at most, and the next reservation of either
//! process sees that and evicts. The floor is what covers the same for the volume.

use super::evict::Gone;
use super::slot::SlotName;
use super::{CacheLimits, Evicted, Purpose, SpaceUsage};
use crate::catalog::{Catalog, Id, ItemId, Space, id_bytes, id_text, space, space_code};
use crate::disk::Disk;
use crate::store::Store;
use crate::{Error, Result};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const LIMITS: &str = "cache_limits";
/// A slot's last use is written once in this time at the most, and a count of what is cached is believed that long
/// where another process may have added to it.
pub(super) const MINUTE_MS: i64 = 60_000;
const COUNT_BELIEVED: Duration = Duration::from_secs(10);
/// Slots that one transaction removes at the most.
pub(super) const AT_ONCE: usize = 200;
/// Last uses that are remembered, to write each only once a minute.
const USES: usize = 1_000;
/// The share of the budget that is freed at least when something must go, so that not every file costs an eviction.
const SHARE: u64 = 64;

/// The index of the slots, and the keeper of the limits.
#[derive(Clone)]
pub(super) struct Cache(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Arc<Store>,
    pub catalog: Arc<Catalog>,
    pub disk: Arc<dyn Disk>,
    directory: PathBuf,
    pub slots: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// Bytes promised that are not on the disk yet.
    reserved: u64,
    /// Those of them that the budget is for.
    reserved_cached: u64,
    /// What is cached and not pinned, as counted last, and what has been promised since.
    pub count: Option<Count>,
    /// The catalogue that the rows were last compared with the files in.
    pub generation: i64,
    uses: HashMap<SlotName, i64>,
}

pub(super) struct Count {
    pub cached: u64,
    at: Instant,
}

/// A place for bytes, given back when dropped.
pub(super) struct Reserved {
    cache: Cache,
    left: u64,
    cached: bool,
}

/// A slot as its row has it.
pub(super) struct Row {
    pub id: Id,
    pub version: String,
    pub space: Space,
    pub bytes: u64,
    pub whole: bool,
}

impl Row {
    pub fn name(&self) -> SlotName {
        SlotName {
            id: id_text(self.id),
            version: self.version.clone(),
        }
    }
}

pub(super) const COLUMNS: &str = "id, version, space, bytes, whole";

pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        version: row.get(1)?,
        space: space(row.get(2)?),
        bytes: row.get::<_, i64>(3)?.max(0).unsigned_abs(),
        whole: row.get(4)?,
    })
}

pub(super) fn bytes_of(id: &ItemId) -> Result<Id> {
    id_bytes(id).ok_or_else(|| Error::bug("a slot of what is no item"))
}

pub(super) fn sql(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Cache {
    /// Opens the index and brings it and the files together.
    pub fn new(
        store: Arc<Store>,
        catalog: Arc<Catalog>,
        disk: Arc<dyn Disk>,
        directory: &Path,
    ) -> Result<Self> {
        let cache = Self(Arc::new(Inner {
            store,
            catalog,
            disk,
            directory: directory.to_owned(),
            slots: directory.join("slots"),
            state: Mutex::default(),
        }));
        cache.sweep()?;
        Ok(cache)
    }

    /// A lock file of the drive's own.
    pub fn lock_path(&self, name: &str) -> PathBuf {
        self.0.directory.join(name)
    }

    /// The directory of the slots.
    pub fn dir(&self) -> &Path {
        &self.0.slots
    }

    /// Writes a slot's row, before its files are made; or, if there is one, that it is used now.
    pub fn enter(&self, name: &SlotName, space: Space, size: u64) -> Result<()> {
        let id = bytes_of(&name.id)?;
        let now = self.0.store.now_ms();
        self.0.store.catalog.write(|db| {
            db.prepare_cached(
                "INSERT INTO slot (id, version, space, size, bytes, whole, used_ms)
                 VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)
                 ON CONFLICT DO UPDATE SET space = excluded.space, used_ms = excluded.used_ms",
            )?
            .execute((id, &name.version, space_code(space), sql(size), now))?;
            Ok(())
        })
    }

    /// Says how many bytes of a slot are here now. When all are, older versions of the item are of no more use.
    pub fn note(&self, name: &SlotName, bytes: u64, whole: bool) -> Result<()> {
        let id = bytes_of(&name.id)?;
        let (known, gone) = self.0.store.catalog.write(|db| {
            let known = db
                .prepare_cached(
                    "UPDATE slot SET bytes = ?3, whole = ?4 WHERE id = ?1 AND version = ?2",
                )?
                .execute((id, &name.version, sql(bytes), whole))?;
            let mut gone = Gone::default();
            if whole {
                self.remove_of(db, &id, &mut gone)?;
            }
            Ok((known > 0, gone))
        })?;
        if !known {
            // A new catalogue has begun meanwhile.
            self.adopt(name)?;
        }
        self.tell(&gone)
    }

    /// The versions of an item that are here as a whole, the last used first.
    pub fn whole_versions(&self, id: &ItemId) -> Result<Vec<String>> {
        let id = bytes_of(id)?;
        self.0.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT version FROM slot WHERE id = ?1 AND whole = 1 ORDER BY used_ms DESC",
                )?
                .query_map([id], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Says that a slot is used now. Cheap: written once a minute at the most.
    pub fn used(&self, name: &SlotName) -> Result<()> {
        let now = self.0.store.now_ms();
        {
            let uses = &mut self.state().uses;
            if uses
                .get(name)
                .is_some_and(|at| (*at..*at + MINUTE_MS).contains(&now))
            {
                return Ok(());
            }
            if uses.len() >= USES {
                uses.clear();
            }
            uses.insert(name.clone(), now);
        }
        let id = bytes_of(&name.id)?;
        self.0.store.catalog.write(|db| {
            db.prepare_cached("UPDATE slot SET used_ms = ?3 WHERE id = ?1 AND version = ?2")?
                .execute((id, &name.version, now))?;
            Ok(())
        })
    }

    /// Removes a slot's row, after its files have gone.
    pub fn forget(&self, name: &SlotName) -> Result<()> {
        let id = bytes_of(&name.id)?;
        self.0
            .store
            .catalog
            .write(|db| forget(db, &id, &name.version))
    }

    pub fn limits(&self) -> Result<CacheLimits> {
        let stored = self.0.store.setting(LIMITS)?;
        // What an older or newer program wrote and this one cannot read is no reason to fail.
        Ok(stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    /// Stores the limits, and evicts what is too much by them.
    pub fn set_limits(&self, limits: CacheLimits) -> Result<Evicted> {
        let json = serde_json::to_string(&limits).map_err(|_| Error::bug("limits"))?;
        self.0
            .store
            .update_setting(LIMITS, |_| Ok((Some(json), ())))?;
        let cached = self.count()?;
        let short = self.short_of_floor(&limits, self.state().reserved)?;
        self.make_room(cached.saturating_sub(limits.budget_bytes).max(short))
    }

    /// Bytes that can still be written to the volume.
    pub fn free_bytes(&self) -> Result<u64> {
        Ok(self.0.disk.free_space(&self.0.directory)?)
    }

    /// Bytes that can be written for what is pinned: what is free and not promised, and what eviction would free.
    pub fn free_for_pins(&self) -> Result<u64> {
        let cached = self.recent_count()?;
        let reserved = self.state().reserved;
        Ok(self.free_bytes()?.saturating_sub(reserved) + cached)
    }

    /// The pins have changed: what is cached must be counted again.
    pub fn recount(&self) {
        self.state().count = None;
    }

    /// A place for `bytes` more. What is fetched for a pin does not count against the budget; one file larger than the
    /// budget is let in all the same, and is the first to go. Evicts if it must.
    ///
    /// `DiskFull` if too little would stay free on the volume; then nothing is promised.
    pub fn reserve(&self, bytes: u64, purpose: Purpose) -> Result<Reserved> {
        let cached = purpose != Purpose::Pin;
        let limits = self.limits()?;
        let over = if cached {
            let here = self.recent_count()?;
            let wanted = here + self.state().reserved_cached + bytes;
            match wanted.saturating_sub(limits.budget_bytes) {
                0 => 0,
                over => over.max(limits.budget_bytes / SHARE).min(here),
            }
        } else {
            0
        };
        // Promised first: whoever else reserves meanwhile sees it.
        let reserved = {
            let mut state = self.state();
            state.reserved += bytes;
            if cached {
                state.reserved_cached += bytes;
            }
            Reserved {
                cache: self.clone(),
                left: bytes,
                cached,
            }
        };
        if over > 0 {
            self.make_room(over)?;
        }
        let mut short = self.short_of_floor(&limits, self.state().reserved)?;
        while short > 0 && bytes > 0 {
            // Nothing is given up for what would not fit all the same.
            if short > self.recent_count()? || self.make_room(short)?.bytes == 0 {
                return Err(Error::DiskFull);
            }
            short = self.short_of_floor(&limits, self.state().reserved)?;
        }
        Ok(reserved)
    }

    fn short_of_floor(&self, limits: &CacheLimits, reserved: u64) -> Result<u64> {
        let wanted = limits.free_floor_bytes.saturating_add(reserved);
        Ok(wanted.saturating_sub(self.free_bytes()?))
    }

    pub(super) fn rows_after(&self, after: Option<&(Id, String)>) -> Result<Vec<Row>> {
        let (id, version) = after
            .map(|(id, version)| (*id, version.as_str()))
            .unwrap_or_default();
        self.0.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM slot WHERE (id, version) > (?1, ?2)
                     ORDER BY id, version LIMIT ?3"
                ))?
                .query_map((id, version, AT_ONCE as i64), row)?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Tells readers whether all of a version is here. While another version is, that a part of this one is not says
    /// nothing: readers know of that other one.
    pub fn note_local(&self, name: &SlotName, whole: bool) -> Result<()> {
        let id = bytes_of(&name.id)?;
        let another = !whole
            && self.0.store.catalog.read(|db| {
                Ok(db
                    .prepare_cached(
                        "SELECT 1 FROM slot WHERE id = ?1 AND version <> ?2 AND whole = 1",
                    )?
                    .exists((id, &name.version))?)
            })?;
        if another {
            return Ok(());
        }
        match self.0.catalog.note_local(&name.id, &name.version, whole) {
            // Nothing to tell of an item that the tree does not have.
            Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => Ok(()),
            told => told,
        }
    }

    /// What is cached and not pinned, counted not long ago.
    fn recent_count(&self) -> Result<u64> {
        if let Some(count) = &self.state().count
            && count.at.elapsed() < COUNT_BELIEVED
        {
            return Ok(count.cached);
        }
        self.count()
    }

    fn count(&self) -> Result<u64> {
        if self.0.store.catalog.generation()? != self.state().generation {
            self.sweep()?;
        }
        let cached = self.usage()?.iter().map(|space| space.cached_bytes).sum();
        let at = Instant::now();
        self.state().count = Some(Count { cached, at });
        Ok(cached)
    }

    /// What the slots take, by space.
    pub fn usage(&self) -> Result<[SpaceUsage; 4]> {
        let mut standing = self.0.catalog.standing()?;
        self.0.store.catalog.read(|db| {
            let mut spaces = [SpaceUsage::default(); 4];
            let mut rows = db.prepare_cached(&format!("SELECT {COLUMNS} FROM slot"))?;
            let mut rows = rows.query([])?;
            while let Some(found) = rows.next()? {
                let row = row(found)?;
                let stand = standing.of(db, &row.id)?;
                let usage = &mut spaces[usize::from(space_code(row.space))];
                if stand.pinned {
                    usage.pinned_bytes += row.bytes;
                } else {
                    usage.cached_bytes += row.bytes;
                }
                let newest = stand.version.is_none_or(|newest| newest == row.version);
                usage.whole_files += u64::from(row.whole && newest);
            }
            Ok(spaces)
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn forget(db: &Connection, id: &Id, version: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM slot WHERE id = ?1 AND version = ?2")?
        .execute((id, version))?;
    Ok(())
}

impl Reserved {
    /// So many of the bytes are on the disk now, where the volume itself counts them.
    pub fn arrived(&mut self, bytes: u64) {
        let bytes = bytes.min(self.left);
        self.left -= bytes;
        let mut state = self.cache.state();
        state.reserved -= bytes;
        if self.cached {
            state.reserved_cached -= bytes;
            if let Some(count) = &mut state.count {
                count.cached += bytes;
            }
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut state = self.cache.state();
        state.reserved -= self.left;
        if self.cached {
            state.reserved_cached -= self.left;
            // It may have been written or not: counted as written until the next count.
            if let Some(count) = &mut state.count {
                count.cached += self.left;
            }
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
