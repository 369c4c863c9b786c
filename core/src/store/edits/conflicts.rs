//! Where two writers met, until a person has decided it.

use super::Outbox;
use super::row::signed;
use crate::Result;
use crate::catalog::Id;
use crate::store::Store;

/// A conflict that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConflictRow {
    pub n: i64,
    /// As [`crate::edits::ConflictKind`] writes it.
    pub kind: String,
    pub item: Id,
    pub copy: Option<Id>,
    pub at_ms: i64,
    pub name: String,
    /// The other writer's content, where it is in the service's history only.
    pub theirs: Option<([u8; 16], u64)>,
    pub told: bool,
}

impl Outbox<'_> {
    /// Adds a conflict; its number.
    pub fn add_conflict(&self, row: &ConflictRow) -> Result<i64> {
        self.0
            .prepare_cached(
                "INSERT INTO conflict (kind, item, copy, at_ms, name, theirs_md5, theirs_size, told)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                &row.kind,
                row.item,
                row.copy,
                row.at_ms,
                &row.name,
                row.theirs.map(|(md5, _)| md5),
                row.theirs.map(|(_, size)| signed(size)),
                row.told,
            ))?;
        Ok(self.0.last_insert_rowid())
    }

    pub fn remove_conflict(&self, n: i64) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM conflict WHERE n = ?1")?
            .execute([n])?;
        Ok(())
    }
}

impl Store {
    /// All conflicts, the newest first.
    pub fn conflicts(&self) -> Result<Vec<ConflictRow>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT n, kind, item, copy, at_ms, name, theirs_md5, theirs_size, told
                     FROM conflict ORDER BY n DESC",
                )?
                .query_map([], |row| {
                    let md5: Option<[u8; 16]> = row.get(6)?;
                    let size: Option<i64> = row.get(7)?;
                    Ok(ConflictRow {
                        n: row.get(0)?,
                        kind: row.get(1)?,
                        item: row.get(2)?,
                        copy: row.get(3)?,
                        at_ms: row.get(4)?,
                        name: row.get(5)?,
                        theirs: md5.zip(size.map(i64::unsigned_abs)),
                        told: row.get(8)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Says of these conflicts that a person was told.
    pub fn tell_conflicts(&self, numbers: &[i64]) -> Result<()> {
        self.journal.write(|db| {
            let mut tell = db.prepare_cached("UPDATE conflict SET told = 1 WHERE n = ?1")?;
            for n in numbers {
                tell.execute([n])?;
            }
            Ok(())
        })
    }
}
