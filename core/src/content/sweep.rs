//! Brings the rows of the slots, their files and what readers are told together, after a kill or a new catalogue.
//!
//! The files are the truth. One listing of the directory and one pass over the rows tell whether anything differs, so that
//! an open with thousands of slots costs little; only what differs is looked at. A slot that was whole is asked for the
//! lengths of its files, because a removal that was cut off leaves the row as it was.

use super::cache::{Cache, MINUTE_MS, bytes_of, forget, sql};
use super::slot::{self, SlotName};
use crate::Result;
use crate::catalog::{Id, id_bytes, id_text, space_code};
use rusqlite::OptionalExtension;
use std::collections::HashSet;

impl Cache {
    /// Adopts slots without a row, drops rows without files, and tells readers what is here.
    pub(super) fn sweep(&self) -> Result<()> {
        let inner = &*self.0;
        let generation = inner.store.catalog.generation()?;
        let mut unrowed: HashSet<SlotName> =
            slot::all(&*inner.disk, &inner.slots)?.into_iter().collect();
        let now = inner.store.now_ms();
        let (mut fileless, mut uncertain) = (Vec::new(), Vec::new());
        inner.store.catalog.read(|db| {
            let mut rows = db.prepare_cached("SELECT id, version, used_ms, whole FROM slot")?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let id: Id = row.get(0)?;
                let name = SlotName {
                    id: id_text(id),
                    version: row.get(1)?,
                };
                let (used, whole): (i64, bool) = (row.get(2)?, row.get(3)?);
                let has_files = unrowed.remove(&name);
                // A row that has just been written may belong to a process that makes the files now.
                let is_new = !whole && (used..used + MINUTE_MS).contains(&now);
                if !has_files && !is_new {
                    fileless.push((id, name));
                } else if has_files
                    && (!whole || !slot::has_its_files(&*inner.disk, &inner.slots, &name)?)
                {
                    // In part, its bytes were perhaps not counted to the end.
                    uncertain.push(name);
                }
            }
            Ok(())
        })?;
        if !fileless.is_empty() {
            inner.store.catalog.write(|db| {
                for (id, name) in &fileless {
                    // Unless it has been used meanwhile.
                    if slot::facts(&*inner.disk, &inner.slots, name)?.is_none() {
                        forget(db, id, &name.version)?;
                    }
                }
                Ok(())
            })?;
        }
        for name in unrowed.iter().chain(&uncertain) {
            self.adopt(name)?;
        }
        self.heal_local()?;
        self.state().generation = generation;
        Ok(())
    }

    /// Writes the row of a slot that has files. Content of what nobody knows any more goes.
    pub(super) fn adopt(&self, name: &SlotName) -> Result<()> {
        let inner = &*self.0;
        let Some(facts) = slot::facts(&*inner.disk, &inner.slots, name)? else {
            return Ok(());
        };
        let Some(space) = inner.catalog.space_of(&name.id)? else {
            slot::remove_unused(&*inner.disk, &inner.slots, name)?;
            return Ok(());
        };
        let id = bytes_of(&name.id)?;
        let now = inner.store.now_ms();
        inner.store.catalog.write(|db| {
            db.prepare_cached(
                "INSERT INTO slot (id, version, space, size, bytes, whole, used_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET bytes = excluded.bytes, whole = excluded.whole",
            )?
            .execute((
                id,
                &name.version,
                space_code(space),
                sql(facts.size),
                sql(facts.bytes),
                facts.whole,
                now,
            ))?;
            Ok(())
        })
    }

    /// Tells readers of whole content that they do not know of, and takes back what is not true any more.
    pub(super) fn heal_local(&self) -> Result<()> {
        let inner = &*self.0;
        let names = |sql: &str| {
            inner.store.catalog.read(|db| {
                let mut found = db.prepare_cached(sql)?;
                let found = found.query_map([], |row| {
                    Ok(SlotName {
                        id: id_text(row.get(0)?),
                        version: row.get(1)?,
                    })
                })?;
                Ok(found.collect::<rusqlite::Result<Vec<_>>>()?)
            })
        };
        // A whole older version is worth telling only where nothing is told yet.
        let here = names(
            "SELECT s.id, s.version FROM slot s JOIN item i ON i.id = s.id
             WHERE s.whole = 1 AND (i.local = 0
                 OR i.local = 2 AND lower(hex(i.md5)) || '-' || i.size = s.version)",
        )?;
        // Of a stale copy the version is not known; any but the newest takes it back.
        let not_here = names(
            "SELECT i.id, CASE i.local WHEN 1 THEN lower(hex(i.md5)) || '-' || i.size ELSE '' END
             FROM item i WHERE i.local <> 0 AND i.id IS NOT NULL AND i.md5 IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM slot s WHERE s.id = i.id AND s.whole = 1)",
        )?;
        for name in here {
            self.note_local(&name, true)?;
        }
        for name in not_here {
            self.note_local(&name, false)?;
        }
        Ok(())
    }

    /// The bytes of one version that are here, as the index has them.
    pub(super) fn bytes_here(&self, name: &SlotName) -> Result<u64> {
        let Some(id) = id_bytes(&name.id) else {
            return Ok(0);
        };
        self.0.store.catalog.read(|db| {
            let bytes: Option<i64> = db
                .prepare_cached("SELECT bytes FROM slot WHERE id = ?1 AND version = ?2")?
                .query_row((id, &name.version), |row| row.get(0))
                .optional()?;
            Ok(bytes.unwrap_or(0).max(0).unsigned_abs())
        })
    }
}
