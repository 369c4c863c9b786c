//! The camera's ledger: what was offered, what its bytes are, and where they are in the cloud.
//!
//! Precious: what was backed up, and from what, nobody can tell again.
//!
//! - A *source* offers *assets*; an asset has *resources*, its files; a resource's content is an *entry* in the cloud.
//!   Several resources may have one entry, because a content is stored once in a destination.
//! - A row that waits has its place in a queue (`wanted`), and leaves it only with the transaction that says why: its
//!   bytes are read, or the entry was read again on the service, or a rule or a person holds it. There is no mark that
//!   says "handled" (complaint no. 8).

mod counts;
mod entries;
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
                 AND (staged IS NOT NULL OR EXISTS (SELECT 1 FROM camera_asset a
                     WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL))
             ORDER BY wanted DESC, n LIMIT ?3",
            (way, now_ms, limit),
        )
    }

    /// What a person was asked about so long ago is tried again.
    pub fn unpark(&self, before_ms: i64) -> Result<()> {
        self.0
            .prepare_cached(
                "UPDATE camera_resource SET attempts = 0, until_ms = NULL, held = NULL,
                     wanted = (SELECT a.first_seen_ms FROM camera_asset a WHERE a.n = asset)
                 WHERE entry IS NULL AND wanted IS NULL AND held IS NOT NULL AND until_ms < ?1
                     AND EXISTS (SELECT 1 FROM camera_asset a WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL)",
            )?
            .execute([before_ms])?;
        self.0
            .prepare_cached(
                "UPDATE camera_entry SET attempts = 0, until_ms = NULL, held = NULL, wanted = 0
                 WHERE state = 0 AND wanted IS NULL AND held IS NOT NULL AND until_ms < ?1
                     AND EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = camera_entry.n)",
            )?
            .execute([before_ms])?;
        Ok(())
    }

    /// What waits for its time or for a person goes on now; of one asset, or of all.
    pub fn try_again(&self, asset: Option<i64>) -> Result<()> {
        // What has bytes to be read, and nothing in the cloud.
        self.0
            .prepare_cached(
                "UPDATE camera_resource SET attempts = 0, until_ms = NULL, held = NULL, wanted = ifnull(wanted,
                     (SELECT a.first_seen_ms FROM camera_asset a WHERE a.n = asset))
                 WHERE entry IS NULL AND (held IS NOT NULL OR until_ms IS NOT NULL) AND (?1 IS NULL OR asset = ?1)
                     AND EXISTS (SELECT 1 FROM camera_asset a WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL
                         AND a.about NOT LIKE '%_pending_:true%')",
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
