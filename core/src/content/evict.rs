//! What leaves the device, and what may not.
//!
//! [`Cache::may_go`] alone decides. What is open or in flight, in any process, holds its slot's lock, which the removal
//! asks for in the same breath. What goes, goes in one write transaction that has looked at the pins itself, so that no pin
//! comes between.

use super::Evicted;
use super::cache::{AT_ONCE, COLUMNS, Cache, Row, forget, row};
use super::slot::{self, SlotName};
use crate::catalog::{Id, ItemId, Stand, Standing, id_text};
use crate::{Error, Result};
use rusqlite::{Connection, Transaction};

/// Slots that have gone in a transaction, to be told to readers after it.
#[derive(Default)]
pub(super) struct Gone {
    names: Vec<SlotName>,
    /// Those of them that were whole.
    told: Vec<SlotName>,
    bytes: u64,
    kept: u64,
}

impl Cache {
    /// Removes the content of an item, or of everything in a folder.
    pub(super) fn evict(&self, id: &ItemId) -> Result<Evicted> {
        let mut total = Evicted::default();
        let mut after: Option<(Id, String)> = None;
        loop {
            let rows = self.rows_after(after.as_ref())?;
            let Some(last) = rows.last() else {
                return Ok(total);
            };
            after = Some((last.id, last.version.clone()));
            let mut below = Vec::with_capacity(rows.len());
            for row in rows {
                let of = id_text(row.id);
                let is_below = match self.0.catalog.is_descendant(id, &of) {
                    // A new catalogue has not met it, or it is gone.
                    Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => of == *id,
                    is_below => is_below?,
                };
                if is_below {
                    below.push(row);
                }
            }
            let gone = self.0.store.catalog.write(|db| {
                let mut standing = self.0.catalog.standing()?;
                let mut gone = Gone::default();
                for row in &below {
                    self.remove(db, row, &mut standing, &mut gone)?;
                }
                Ok(gone)
            })?;
            self.tell(&gone)?;
            total.files += gone.names.len() as u64;
            total.bytes += gone.bytes;
            total.kept += gone.kept;
        }
    }

    /// Evicts until `bytes` are freed, if there is so much that may go: older versions first, then what was not used for
    /// the longest time.
    pub(super) fn make_room(&self, bytes: u64) -> Result<Evicted> {
        let mut total = Evicted::default();
        while total.bytes < bytes {
            let wanted = bytes - total.bytes;
            let gone = self.0.store.catalog.write(|db| {
                let mut standing = self.0.catalog.standing()?;
                let mut gone = Gone::default();
                let mut candidates = db.prepare_cached(
                    "SELECT s.id, s.version, s.space, s.bytes, s.whole
                     FROM slot s LEFT JOIN item i ON i.id = s.id
                     ORDER BY i.key IS NOT NULL
                         AND lower(hex(i.md5)) || '-' || i.size IS NOT s.version DESC,
                         s.used_ms, s.id, s.version",
                )?;
                let mut rows = candidates.query([])?;
                while let Some(found) = rows.next()? {
                    if gone.bytes >= wanted || gone.names.len() >= AT_ONCE {
                        break;
                    }
                    self.remove(db, &row(found)?, &mut standing, &mut gone)?;
                }
                Ok(gone)
            })?;
            self.tell(&gone)?;
            total.files += gone.names.len() as u64;
            total.bytes += gone.bytes;
            total.kept = gone.kept;
            if gone.names.len() < AT_ONCE {
                break;
            }
        }
        if let Some(count) = &mut self.state().count {
            count.cached = count.cached.saturating_sub(total.bytes);
        }
        Ok(total)
    }

    /// What may leave the device. An older version may, unless it is pinned and the newest is not here as a whole yet: a
    /// stale copy is better than none. (What is unsent must never: the outbox, once there is one, is asked here.)
    fn may_go(db: &Connection, row: &Row, stand: &Stand) -> Result<bool> {
        if !stand.pinned {
            return Ok(true);
        }
        let Some(newest) = stand.version.as_ref().filter(|of| **of != row.version) else {
            return Ok(false);
        };
        Ok(db
            .prepare_cached("SELECT 1 FROM slot WHERE id = ?1 AND version = ?2 AND whole = 1")?
            .exists((row.id, newest))?)
    }

    /// Removes a slot, if it may go and nobody has it open: its files, then its row. A kill between the two leaves a row
    /// that the next sweep removes.
    fn remove(
        &self,
        db: &Transaction<'_>,
        row: &Row,
        standing: &mut Standing,
        gone: &mut Gone,
    ) -> Result<()> {
        let stand = standing.of(db, &row.id)?;
        let name = row.name();
        if !Self::may_go(db, row, &stand)?
            || !slot::remove_unused(&*self.0.disk, &self.0.slots, &name)?
        {
            gone.kept += 1;
            return Ok(());
        }
        forget(db, &row.id, &row.version)?;
        gone.bytes += row.bytes;
        if row.whole {
            gone.told.push(name.clone());
        }
        gone.names.push(name);
        Ok(())
    }

    /// Removes what is not needed any more of an item whose newest version is whole.
    pub(super) fn remove_of(&self, db: &Transaction<'_>, id: &Id, gone: &mut Gone) -> Result<()> {
        let rows: Vec<Row> = db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM slot WHERE id = ?1"))?
            .query_map([id], row)?
            .collect::<rusqlite::Result<_>>()?;
        if rows.len() < 2 {
            return Ok(());
        }
        let mut standing = self.0.catalog.standing()?;
        let stand = standing.of(db, id)?;
        let newest_is_whole = rows
            .iter()
            .any(|row| row.whole && Some(&row.version) == stand.version.as_ref());
        for row in rows {
            if newest_is_whole && Some(&row.version) != stand.version.as_ref() {
                self.remove(db, &row, &mut standing, gone)?;
            }
        }
        Ok(())
    }

    /// Tells readers of what has gone. After the transaction: if the process ends first, the next sweep tells.
    pub(super) fn tell(&self, gone: &Gone) -> Result<()> {
        for name in &gone.told {
            self.note_local(name, false)?;
        }
        Ok(())
    }
}
