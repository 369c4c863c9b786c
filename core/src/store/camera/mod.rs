//! The camera's ledger: what was offered, what its bytes are, and where they are in the cloud.
//!
//! Precious: what was backed up, and from what, nobody can tell again.
//!
//! - A *source* offers *assets*; an asset has *resources*, its files; a resource's content is an *entry* in the cloud.
//!   Several resources may have one entry, because a content is stored once in a destination.
//! - A row that waits has its place in a queue (`wanted`), and leaves it only with the transaction that says why: its
//!   bytes are read, or the entry was read again on the service, or a rule or a person holds it. There is no mark that
//!   says "handled" (complaint no. 8).

mod row;

use super::Store;
use crate::Result;
pub(crate) use row::{
    ADOPTED, AssetRow, DELETED, EXPORT, EntryRow, FREED, GONE, HERE, PHOTOS, PLACED, READ,
    ResourceRow, SourceRow, VERIFIED, VIDEOS,
};
use row::{Table, columns, put};
use rusqlite::{Connection, OptionalExtension, Params};

/// The ledger, in one transaction of the journal.
pub(crate) struct CameraLedger<'a>(&'a Connection);

/// What the operating system is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanRow {
    pub id: String,
    pub entry: i64,
    /// The file that was made for it: the rest of a content.
    pub slice: Option<String>,
    /// What the operating system calls it.
    pub task: Option<String>,
    pub not_after_ms: i64,
}

/// How many of something, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub items: u64,
    pub bytes: u64,
}

impl CameraLedger<'_> {
    fn one<T: Table>(&self, rest: &str, with: impl Params) -> Result<Option<T>> {
        let sql = format!("SELECT {} FROM {} {rest}", columns::<T>(""), T::NAME);
        Ok(self
            .0
            .prepare_cached(&sql)?
            .query_row(with, T::read)
            .optional()?)
    }

    fn all<T: Table>(&self, rest: &str, with: impl Params) -> Result<Vec<T>> {
        let sql = format!("SELECT {} FROM {} {rest}", columns::<T>(""), T::NAME);
        Ok(self
            .0
            .prepare_cached(&sql)?
            .query_map(with, T::read)?
            .collect::<rusqlite::Result<_>>()?)
    }

    pub fn sources(&self) -> Result<Vec<SourceRow>> {
        self.all("ORDER BY n", ())
    }

    pub fn source(&self, n: i64) -> Result<Option<SourceRow>> {
        self.one("WHERE n = ?1", [n])
    }

    pub fn put_source(&self, row: &SourceRow) -> Result<i64> {
        Ok(put(self.0, row)?)
    }

    /// Forgets a source and what it has offered. What is in the cloud stays there, and in the ledger.
    pub fn remove_source(&self, n: i64) -> Result<()> {
        for sql in [
            "DELETE FROM camera_resource WHERE asset IN (SELECT n FROM camera_asset WHERE source = ?1)",
            "DELETE FROM camera_asset WHERE source = ?1",
            "DELETE FROM camera_source WHERE n = ?1",
        ] {
            self.0.prepare_cached(sql)?.execute([n])?;
        }
        self.forget_unwanted()
    }

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

    pub fn asset(&self, n: i64) -> Result<Option<AssetRow>> {
        self.one("WHERE n = ?1", [n])
    }

    pub fn asset_of_key(&self, source: i64, key: &str) -> Result<Option<AssetRow>> {
        self.one("WHERE source = ?1 AND key = ?2", (source, key))
    }

    /// Up to `limit` assets of a source after a number.
    pub fn assets_after(&self, source: i64, after: i64, limit: u32) -> Result<Vec<AssetRow>> {
        self.all(
            "WHERE source = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
            (source, after, limit),
        )
    }

    /// Whether an asset has a place, by what the service tells apart.
    pub fn asset_at(&self, source: i64, folder: &str, name: &str) -> Result<bool> {
        let path = match folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        Ok(self
            .0
            .prepare_cached(
                "SELECT 1 FROM camera_entry e JOIN camera_source s ON s.mount = e.mount
                 WHERE s.n = ?1 AND e.fold = ?2 AND (e.path <> ?3
                     OR EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = e.n))",
            )?
            .exists((source, crate::catalog::fold(&path), path))?)
    }

    /// What a scan compares: the number, what was offered, and whether it is here.
    pub fn offered(&self, source: i64, key: &str) -> Result<Option<(i64, i64, u8)>> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT n, offered, here FROM camera_asset WHERE source = ?1 AND key = ?2",
            )?
            .query_row((source, key), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?)
    }

    /// The numbers of a source's assets that are here.
    pub fn here(&self, source: i64) -> Result<Vec<i64>> {
        Ok(self
            .0
            .prepare_cached("SELECT n FROM camera_asset WHERE source = ?1 AND here = 1")?
            .query_map([source], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    pub fn put_asset(&self, row: &AssetRow) -> Result<i64> {
        Ok(put(self.0, row)?)
    }

    pub fn resource(&self, n: i64) -> Result<Option<ResourceRow>> {
        self.one("WHERE n = ?1", [n])
    }

    pub fn resources_of(&self, asset: i64) -> Result<Vec<ResourceRow>> {
        self.all("WHERE asset = ?1 ORDER BY n", [asset])
    }

    pub fn resources_of_entry(&self, entry: i64) -> Result<Vec<ResourceRow>> {
        self.all("WHERE entry = ?1 ORDER BY n", [entry])
    }

    pub fn put_resource(&self, row: &ResourceRow) -> Result<i64> {
        Ok(put(self.0, row)?)
    }

    /// Bytes of all files of an asset, as far as told.
    pub fn bytes_of(&self, asset: i64) -> Result<u64> {
        let bytes: i64 = self
            .0
            .prepare_cached("SELECT ifnull(sum(size), 0) FROM camera_resource WHERE asset = ?1")?
            .query_row([asset], |row| row.get(0))?;
        Ok(bytes.unsigned_abs())
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

    pub fn remove_resource(&self, n: i64) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM camera_resource WHERE n = ?1")?
            .execute([n])?;
        Ok(())
    }

    /// What must be read, in order, unless it waits for its time.
    pub fn wanted_resources(&self, way: u8, now_ms: i64, limit: u32) -> Result<Vec<ResourceRow>> {
        self.all(
            "WHERE way = ?1 AND wanted IS NOT NULL AND (until_ms IS NULL OR until_ms <= ?2)
             ORDER BY wanted DESC, n LIMIT ?3",
            (way, now_ms, limit),
        )
    }

    /// When the first of what waits for its time comes, after `now_ms`.
    pub fn next_time(&self, now_ms: i64) -> Result<Option<i64>> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT min(t) FROM (
                     SELECT min(until_ms) t FROM camera_resource WHERE wanted IS NOT NULL AND until_ms > ?1
                     UNION ALL
                     SELECT min(until_ms) FROM camera_entry WHERE wanted IS NOT NULL AND until_ms > ?1
                     UNION ALL
                     SELECT min(not_after_ms) + 1 FROM camera_plan WHERE not_after_ms > ?1)",
            )?
            .query_row([now_ms], |row| row.get(0))?)
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
            "UPDATE camera_resource SET entry = NULL, attempts = 0, until_ms = NULL, held = NULL,
                 wanted = (SELECT ifnull(e.wanted, 0) FROM camera_entry e WHERE e.n = camera_resource.entry)
             WHERE entry IS NOT NULL
                 AND (SELECT here FROM camera_asset a WHERE a.n = camera_resource.asset) = 1",
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
                "UPDATE camera_resource SET entry = NULL, until_ms = NULL, held = NULL, wanted = iif(
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
                 AND NOT EXISTS (SELECT 1 FROM camera_plan p WHERE p.entry = camera_entry.n AND p.not_after_ms > ?2)
             ORDER BY wanted DESC, n LIMIT ?4 OFFSET ?3",
            (lane, now_ms, offset, limit),
        )
    }

    /// The entries of a mount point that are believed there, after a number.
    pub fn entries_after(&self, mount: &str, after: i64, limit: u32) -> Result<Vec<EntryRow>> {
        self.all(
            "WHERE mount = ?1 AND state IN (2, 3) AND n > ?2 ORDER BY n LIMIT ?3",
            (mount, after, limit),
        )
    }

    /// What was read longest ago, or never by itself.
    pub fn oldest_proofs(&self, limit: u32) -> Result<Vec<EntryRow>> {
        self.all(
            "WHERE state IN (2, 3) AND EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = camera_entry.n)
             ORDER BY verified_ms, n LIMIT ?1",
            [limit],
        )
    }

    /// Entries, by state.
    pub fn entries(&self, states: &[u8]) -> Result<Tally> {
        let states: Vec<String> = states.iter().map(u8::to_string).collect();
        self.tally(&format!(
            "SELECT count(*), ifnull(sum(size), 0) FROM camera_entry e WHERE state IN ({})
                 AND EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = e.n)",
            states.join(", ")
        ))
    }

    /// Resources whose bytes must be read, in the ways.
    pub fn resources_wanted(&self, way: u8) -> Result<Tally> {
        self.tally(&format!(
            "SELECT count(*), ifnull(sum(size), 0) FROM camera_resource WHERE way = {way} AND wanted IS NOT NULL"
        ))
    }

    /// Assets that a rule leaves out, and that are here.
    pub fn skipped(&self) -> Result<Tally> {
        self.tally(
            "SELECT count(DISTINCT a.n), ifnull(sum(r.size), 0) FROM camera_asset a
             LEFT JOIN camera_resource r ON r.asset = a.n WHERE a.here = 1 AND a.skipped IS NOT NULL",
        )
    }

    /// What waits for its time or for a person goes on now; of one asset, or of all.
    pub fn try_again(&self, asset: Option<i64>) -> Result<()> {
        // What has bytes to be read, and nothing in the cloud.
        self.0
            .prepare_cached(
                "UPDATE camera_resource SET attempts = 0, until_ms = NULL, held = NULL, wanted = ifnull(wanted,
                     (SELECT a.first_seen_ms FROM camera_asset a WHERE a.n = asset))
                 WHERE entry IS NULL AND (held IS NOT NULL OR until_ms IS NOT NULL) AND (?1 IS NULL OR asset = ?1)
                     AND EXISTS (SELECT 1 FROM camera_asset a WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL)",
            )?
            .execute([asset])?;
        self.0
            .prepare_cached(
                "UPDATE camera_entry SET attempts = 0, until_ms = NULL, held = NULL, wanted = ifnull(wanted, 0)
                 WHERE state = 0 AND EXISTS (SELECT 1 FROM camera_resource r
                     WHERE r.entry = camera_entry.n AND (?1 IS NULL OR r.asset = ?1))",
            )?
            .execute([asset])?;
        Ok(())
    }

    /// Proofs, by resource, after a number.
    pub fn proven_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(ResourceRow, EntryRow, AssetRow)>> {
        let numbers: Vec<(i64, i64, i64)> = self
            .0
            .prepare_cached(
                "SELECT r.n, r.entry, r.asset FROM camera_resource r JOIN camera_entry e ON e.n = r.entry
                 WHERE r.n > ?1 AND e.state = 3 ORDER BY r.n LIMIT ?2",
            )?
            .query_map((after, limit), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut proofs = Vec::new();
        for (resource, entry, asset) in numbers {
            if let (Some(resource), Some(entry), Some(asset)) = (
                self.resource(resource)?,
                self.entry(entry)?,
                self.asset(asset)?,
            ) {
                proofs.push((resource, entry, asset));
            }
        }
        Ok(proofs)
    }

    /// Assets that are here, older than a time, and all of whose files are proven; the largest first.
    pub fn removable(&self, before_ms: i64, limit: u32) -> Result<Vec<(AssetRow, u64)>> {
        let found: Vec<(i64, i64)> = self
            .0
            .prepare_cached(
                "SELECT a.n, sum(r.size) bytes FROM camera_asset a JOIN camera_resource r ON r.asset = a.n
                 LEFT JOIN camera_entry e ON e.n = r.entry
                 WHERE a.here = 1 AND a.first_seen_ms < ?1 AND a.changed_ms < ?1
                     AND a.about NOT LIKE '%_favourite_:true%'
                 GROUP BY a.n HAVING min(ifnull(e.state, 0) = 3) = 1 ORDER BY bytes DESC, a.n LIMIT ?2",
            )?
            .query_map((before_ms, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut assets = Vec::new();
        for (n, bytes) in found {
            if let Some(asset) = self.asset(n)? {
                assets.push((asset, bytes.unsigned_abs()));
            }
        }
        Ok(assets)
    }

    /// Everything that a person must see to.
    pub fn parked(&self) -> Result<u64> {
        let count: i64 = self
            .0
            .prepare_cached(
                "SELECT (SELECT count(*) FROM camera_resource r JOIN camera_asset a ON a.n = r.asset
                         WHERE r.held IS NOT NULL AND r.wanted IS NULL AND r.entry IS NULL AND a.here = 1
                             AND a.skipped IS NULL)
                     + (SELECT count(*) FROM camera_entry e WHERE state = 0 AND wanted IS NULL
                         AND EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = e.n))",
            )?
            .query_row((), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn tally(&self, sql: &str) -> Result<Tally> {
        Ok(self.0.prepare_cached(sql)?.query_row((), |row| {
            Ok(Tally {
                items: row.get::<_, i64>(0)?.unsigned_abs(),
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            })
        })?)
    }

    /// Notes that a person has removed an asset here, and the proof that it was there before.
    pub fn add_freed(&self, source: i64, key: &str, at_ms: i64, proof: &str) -> Result<()> {
        self.0
            .prepare_cached(
                "INSERT INTO camera_freed (source, key, at_ms, proof) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((source, key, at_ms, proof))?;
        Ok(())
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

    /// What a mirrored folder has not any more, and the cloud is believed to have: numbers of assets and their entries.
    pub fn to_mirror(&self, source: i64) -> Result<Vec<(i64, i64)>> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT a.n, e.n FROM camera_asset a JOIN camera_resource r ON r.asset = a.n
                 JOIN camera_entry e ON e.n = r.entry
                 WHERE a.source = ?1 AND a.here = 0 AND e.state IN (2, 3) AND NOT EXISTS
                     (SELECT 1 FROM camera_resource o JOIN camera_asset b ON b.n = o.asset
                      WHERE o.entry = e.n AND b.here = 1)
                 ORDER BY a.n",
            )?
            .query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Assets of a source that are gone since a time, and that the cloud is believed to have.
    pub fn gone_after(&self, source: i64, ms: i64) -> Result<u64> {
        let count: i64 = self
            .0
            .prepare_cached(
                "SELECT count(DISTINCT a.n) FROM camera_asset a JOIN camera_resource r ON r.asset = a.n
                 JOIN camera_entry e ON e.n = r.entry
                 WHERE a.source = ?1 AND a.here = 0 AND a.changed_ms > ?2 AND e.state IN (2, 3)",
            )?
            .query_row((source, ms), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Assets that are here and of which something has failed or needs a person.
    pub fn troubled(&self, after: i64, limit: u32) -> Result<Vec<AssetRow>> {
        self.all(
            "WHERE n > ?1 AND here = 1 AND skipped IS NULL AND EXISTS
                 (SELECT 1 FROM camera_resource r LEFT JOIN camera_entry e ON e.n = r.entry
                  WHERE r.asset = camera_asset.n AND (r.held IS NOT NULL AND r.entry IS NULL OR e.held IS NOT NULL))
             ORDER BY n LIMIT ?2",
            (after, limit),
        )
    }

    /// Forgets an asset and its files.
    pub fn remove_asset(&self, n: i64) -> Result<()> {
        for sql in [
            "DELETE FROM camera_resource WHERE asset = ?1",
            "DELETE FROM camera_asset WHERE n = ?1",
        ] {
            self.0.prepare_cached(sql)?.execute([n])?;
        }
        Ok(())
    }

    /// The names of all staged files that rows have.
    pub fn staged(&self) -> Result<Vec<String>> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT staged FROM camera_resource WHERE staged IS NOT NULL
                 UNION ALL SELECT slice FROM camera_plan WHERE slice IS NOT NULL",
            )?
            .query_map((), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }
}

impl Store {
    /// Runs `work` on the camera's ledger, in one durable transaction.
    pub fn camera<T>(&self, work: impl FnOnce(&CameraLedger<'_>) -> Result<T>) -> Result<T> {
        self.journal.write(|db| work(&CameraLedger(db)))
    }

    /// The same, but a power cut may take it back: for what is found again, because the service has it.
    pub fn camera_lightly<T>(
        &self,
        work: impl FnOnce(&CameraLedger<'_>) -> Result<T>,
    ) -> Result<T> {
        self.journal.write_lightly(|db| work(&CameraLedger(db)))
    }

    /// Reads the camera's ledger.
    pub fn camera_read<T>(&self, work: impl FnOnce(&CameraLedger<'_>) -> Result<T>) -> Result<T> {
        self.journal.read(|db| work(&CameraLedger(db)))
    }
}
