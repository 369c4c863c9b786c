//! The byte ledger's table: content bytes received, by space, purpose and kind of network.
//!
//! In the journal, because what was fetched cannot be asked for again. The numbers that stand for
//! space, purpose and network are the callers' to choose and must never change.

use super::Store;
use crate::Result;

/// A row of the ledger, its classes as the numbers stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRow {
    pub space: u8,
    pub purpose: u8,
    pub network: u8,
    pub bytes: u64,
}

impl Store {
    /// Adds to a row. Call it before the bytes are handed on, so that none go uncounted.
    pub fn add_bytes(&self, added: ByteRow) -> Result<()> {
        self.journal.write(|db| {
            db.prepare_cached(
                "INSERT INTO bytes VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
            )?
            .execute((
                added.space,
                added.purpose,
                added.network,
                i64::try_from(added.bytes).unwrap_or(i64::MAX),
            ))?;
            Ok(())
        })
    }

    /// All rows, ordered by space, purpose and network.
    pub fn byte_rows(&self) -> Result<Vec<ByteRow>> {
        self.journal.read(|db| {
            db.prepare_cached("SELECT space, purpose, network, bytes FROM bytes ORDER BY 1, 2, 3")?
                .query_map([], |row| {
                    Ok(ByteRow {
                        space: row.get(0)?,
                        purpose: row.get(1)?,
                        network: row.get(2)?,
                        bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                    })
                })?
                .map(|row| Ok(row?))
                .collect()
        })
    }
}
