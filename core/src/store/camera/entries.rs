//! Files in the cloud, and what the operating system was handed of them.

use super::row::{EntryRow, put};
use super::{CameraLedger, PlanRow};
use crate::Result;

impl CameraLedger<'_> {
    /// Takes out of the queue what no asset that is here wants any more.
    pub fn forget_unwanted(&self) -> Result<()> {
        self.0
            .prepare_cached(
                "DELETE FROM camera_entry WHERE begun = 0 AND state = 0 AND NOT EXISTS
                     (SELECT 1 FROM camera_resource r WHERE r.entry = camera_entry.n)",
            )?
            .execute(())?;
        Ok(())
    }

    /// Whether an entry waits to be sent, and no other asset has it.
    pub fn is_unsent_and_only_of(&self, entry: i64, asset: i64) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_entry e WHERE n = ?1 AND state = 0 AND NOT EXISTS
                     (SELECT 1 FROM camera_resource r WHERE r.entry = e.n AND r.asset <> ?2)",
            )?
            .exists((entry, asset))?)
    }

    /// Nobody wants to send an entry any more. If it may be in the cloud all the same, its place stays known, so that its
    /// content gets no second one.
    pub fn retire_entry(&self, n: i64) -> Result<()> {
        self.0
            .prepare_cached("UPDATE camera_resource SET entry = NULL WHERE entry = ?1")?
            .execute([n])?;
        self.0
            .prepare_cached("DELETE FROM camera_entry WHERE n = ?1 AND begun = 0")?
            .execute([n])?;
        self.0
            .prepare_cached(
                "UPDATE camera_entry SET wanted = NULL, attempts = 0, until_ms = NULL, held = NULL WHERE n = ?1",
            )?
            .execute([n])?;
        Ok(())
    }

    /// These are about to be announced.
    pub fn begin_entries(&self, entries: &[i64]) -> Result<()> {
        let mut begin = self
            .0
            .prepare_cached("UPDATE camera_entry SET begun = 1 WHERE n = ?1")?;
        for n in entries {
            begin.execute([n])?;
        }
        Ok(())
    }

    pub fn entry(&self, n: i64) -> Result<Option<EntryRow>> {
        self.one("WHERE n = ?1", [n])
    }

    /// The entry of a content in a destination, one that is there first.
    pub fn entry_of_content(
        &self,
        mount: &str,
        md5: &[u8; 16],
        size: u64,
    ) -> Result<Option<EntryRow>> {
        self.one(
            "WHERE mount = ?1 AND md5 = ?2 AND size = ?3
             ORDER BY state = 4, state DESC, n LIMIT 1",
            (mount, md5, size.cast_signed()),
        )
    }

    /// Whether an entry, other than one of this content, has a path.
    pub fn is_taken(&self, mount: &str, fold: &str, md5: &[u8; 16], size: u64) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_entry WHERE mount = ?1 AND fold = ?2 AND (md5 <> ?3 OR size <> ?4)",
            )?
            .exists((mount, fold, md5, size.cast_signed()))?)
    }

    /// Whether an entry of this content has a path.
    pub fn is_at(&self, mount: &str, fold: &str, md5: &[u8; 16], size: u64) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_entry WHERE mount = ?1 AND fold = ?2 AND md5 = ?3 AND size = ?4",
            )?
            .exists((mount, fold, md5, size.cast_signed()))?)
    }

    /// What has a path, by its spelling without what the service does not tell apart.
    pub fn entry_at(&self, mount: &str, fold: &str) -> Result<Option<EntryRow>> {
        self.one(
            "WHERE mount = ?1 AND fold = ?2 ORDER BY n LIMIT 1",
            (mount, fold),
        )
    }

    pub fn put_entry(&self, row: &EntryRow) -> Result<i64> {
        Ok(put(self.0, row)?)
    }

    pub fn remove_entry(&self, n: i64) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM camera_entry WHERE n = ?1")?
            .execute([n])?;
        Ok(())
    }

    /// Forgets what is where in the cloud. Everything that is here, or can be had again, is wanted again.
    pub fn forget_entries(&self) -> Result<()> {
        for sql in [
            // Our copies are read again, and get a place there.
            "UPDATE camera_resource SET entry = NULL, attempts = 0, until_ms = NULL, held = NULL, way = 0, wanted = 0
             WHERE staged IS NOT NULL",
            "UPDATE camera_resource SET entry = NULL, attempts = 0, until_ms = NULL, held = NULL,
                 wanted = (SELECT iif(a.here = 1 AND a.skipped IS NULL, a.first_seen_ms, NULL)
                     FROM camera_asset a WHERE a.n = asset)
             WHERE entry IS NOT NULL AND staged IS NULL",
            "DELETE FROM camera_entry",
            "UPDATE camera_source SET adopted_ms = NULL",
        ] {
            self.0.prepare_cached(sql)?.execute(())?;
        }
        Ok(())
    }

    /// The files of an entry that are here want their place again.
    pub fn want_resources_of(&self, entry: i64) -> Result<()> {
        self.0
            .prepare_cached(
                "UPDATE camera_resource SET entry = NULL, staged = NULL, until_ms = NULL, held = NULL, wanted = iif(
                     EXISTS (SELECT 1 FROM camera_asset a WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL),
                     (SELECT a.first_seen_ms FROM camera_asset a WHERE a.n = asset), NULL)
                 WHERE entry = ?1",
            )?
            .execute([entry])?;
        Ok(())
    }

    /// What must be sent, in order, unless it waits for its time.
    pub fn wanted_entries(
        &self,
        lane: u8,
        now_ms: i64,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<EntryRow>> {
        self.all(
            "WHERE lane = ?1 AND wanted IS NOT NULL AND state = 0 AND (until_ms IS NULL OR until_ms <= ?2)
                 AND EXISTS (SELECT 1 FROM camera_source s WHERE s.mount = camera_entry.mount AND s.adopted_ms IS NOT NULL)
                 AND NOT EXISTS (SELECT 1 FROM camera_plan p WHERE p.entry = camera_entry.n AND p.not_after_ms > ?2)
             ORDER BY wanted DESC, n LIMIT ?4 OFFSET ?3",
            (lane, now_ms, offset, limit),
        )
    }

    /// Whether anything of a lane waits to be sent.
    pub fn lane_waits(&self, lane: u8) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_entry WHERE lane = ?1 AND wanted IS NOT NULL AND state = 0",
            )?
            .exists([lane])?)
    }

    /// Whether a copy of ours is kept until an entry is proven.
    pub fn has_staged(&self, entry: i64) -> Result<bool> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_resource WHERE entry = ?1 AND staged IS NOT NULL",
            )?
            .exists([entry])?)
    }

    /// The entries of a mount point that are believed there, after a number.
    pub fn entries_after(&self, mount: &str, after: i64, limit: u32) -> Result<Vec<EntryRow>> {
        self.all(
            "WHERE mount = ?1 AND state IN (2, 3) AND n > ?2 ORDER BY n LIMIT ?3",
            (mount, after, limit),
        )
    }

    /// Notes that the operating system is to send an entry.
    pub fn put_plan(&self, plan: &PlanRow) -> Result<()> {
        self.0
            .prepare_cached("INSERT OR REPLACE INTO camera_plan VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((
                &plan.id,
                plan.entry,
                &plan.slice,
                &plan.task,
                plan.not_after_ms,
            ))?;
        Ok(())
    }

    pub fn plans(&self) -> Result<Vec<PlanRow>> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT id, entry, slice, task, not_after_ms FROM camera_plan ORDER BY id",
            )?
            .query_map((), |row| {
                Ok(PlanRow {
                    id: row.get(0)?,
                    entry: row.get(1)?,
                    slice: row.get(2)?,
                    task: row.get(3)?,
                    not_after_ms: row.get(4)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
    }

    pub fn remove_plan(&self, id: &str) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM camera_plan WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }
}
