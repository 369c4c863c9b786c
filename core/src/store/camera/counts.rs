//! What the ledger says of many rows at once: counts, proofs, what is in trouble.

use super::row::{AssetRow, EntryRow, ResourceRow};
use super::{CameraLedger, Tally};
use crate::Result;

impl CameraLedger<'_> {
    /// Bytes of all files of an asset, as far as told.
    pub fn bytes_of(&self, asset: i64) -> Result<u64> {
        let bytes: i64 = self
            .0
            .prepare_cached("SELECT ifnull(sum(size), 0) FROM camera_resource WHERE asset = ?1")?
            .query_row([asset], |row| row.get(0))?;
        Ok(bytes.unsigned_abs())
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

    /// What was read longest ago, or never by itself.
    pub fn oldest_proofs(&self, limit: u32) -> Result<Vec<EntryRow>> {
        self.all(
            "WHERE state >= 2 AND state IN (2, 3) AND EXISTS (SELECT 1 FROM camera_resource r WHERE r.entry = camera_entry.n)
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
            "SELECT count(*), ifnull(sum(size), 0) FROM camera_resource WHERE way = {way} AND wanted IS NOT NULL
                 AND (staged IS NOT NULL OR EXISTS (SELECT 1 FROM camera_asset a
                     WHERE a.n = asset AND a.here = 1 AND a.skipped IS NULL))"
        ))
    }

    /// Assets that a rule leaves out, and that are here.
    pub fn skipped(&self) -> Result<Tally> {
        self.tally(
            "SELECT count(DISTINCT a.n), ifnull(sum(r.size), 0) FROM camera_asset a
             LEFT JOIN camera_resource r ON r.asset = a.n WHERE a.here = 1 AND a.skipped IS NOT NULL",
        )
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
}
