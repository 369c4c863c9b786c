//! The records of staged bytes that are no wish: not yet (drafts), or not any more (discarded).

use super::Outbox;
use super::row::{Base, WantedPlace, base, place, signed};
use crate::catalog::Id;
use crate::store::Store;
use crate::{Error, Result};

/// A file that is being staged or written: there before its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftRow {
    /// The name of the staged file.
    pub file: String,
    /// The item that it is for, or a new one's id.
    pub id: Id,
    /// For a new file: where it is to be.
    pub place: Option<WantedPlace>,
    /// For new content: what it was written over.
    pub base: Option<Base>,
    /// Opened by [`open_writer`](crate::edits::Edits::open_writer); else a single call that never said "saved".
    pub session: bool,
    /// The path was given away, so others may have finished it while we were dead.
    pub handed_out: bool,
    pub since_ms: i64,
}

/// Bytes that a person gave up, kept until they say so again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiscardedRow {
    pub file: String,
    pub id: Id,
    pub name: String,
    pub size: u64,
    pub at_ms: i64,
}

impl Outbox<'_> {
    pub fn put_draft(&self, row: &DraftRow) -> Result<()> {
        let base = row.base.as_ref();
        self.0
            .prepare_cached(
                "INSERT OR REPLACE INTO draft VALUES
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(rusqlite::params![
                row.file,
                row.id,
                row.place.as_ref().map(|place| place.parent),
                row.place.as_ref().map(|place| &place.name),
                base.map(|base| base.parent),
                base.map(|base| &base.name),
                base.and_then(|base| base.uuid),
                base.and_then(|base| base.md5),
                base.and_then(|base| base.size).map(signed),
                base.and_then(|base| base.revision).map(signed),
                row.session,
                row.handed_out,
                row.since_ms,
            ])?;
        Ok(())
    }

    pub fn remove_draft(&self, file: &str) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM draft WHERE file = ?1")?
            .execute([file])?;
        self.forget_sent()
    }

    /// What was sent of an item is remembered while somebody writes to it, too: it is no other writer's then.
    pub(super) fn forget_sent(&self) -> Result<()> {
        self.0
            .prepare_cached(
                "DELETE FROM sent WHERE id NOT IN (SELECT id FROM edit)
                     AND id NOT IN (SELECT id FROM draft)",
            )?
            .execute([])?;
        Ok(())
    }

    pub fn add_discarded(&self, row: &DiscardedRow) -> Result<()> {
        self.0
            .prepare_cached("INSERT OR REPLACE INTO discarded VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute((&row.file, row.id, &row.name, signed(row.size), row.at_ms))?;
        Ok(())
    }

    pub fn remove_discarded(&self, file: &str) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM discarded WHERE file = ?1")?
            .execute([file])?;
        Ok(())
    }
}

impl Store {
    pub fn drafts(&self) -> Result<Vec<DraftRow>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT file, id, parent, name, base_parent, base_name, base_uuid, base_md5, base_size,
                         base_revision, session, handed_out, since_ms
                     FROM draft ORDER BY since_ms, file",
                )?
                .query_map([], |row| {
                    Ok(DraftRow {
                        file: row.get(0)?,
                        id: row.get(1)?,
                        place: place(row, 2)?,
                        base: base(row, 4)?,
                        session: row.get(10)?,
                        handed_out: row.get(11)?,
                        since_ms: row.get(12)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    pub fn discarded(&self) -> Result<Vec<DiscardedRow>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT file, id, name, size, at_ms FROM discarded ORDER BY at_ms DESC, file",
                )?
                .query_map([], |row| {
                    Ok(DiscardedRow {
                        file: row.get(0)?,
                        id: row.get(1)?,
                        name: row.get(2)?,
                        size: row.get::<_, i64>(3)?.unsigned_abs(),
                        at_ms: row.get(4)?,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// A staged file's name is ours, made of hexadecimal digits and a dash: whatever else stands in a row is damage.
pub(crate) fn check_file(file: &str) -> Result<()> {
    let ours = !file.is_empty()
        && file
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if ours {
        Ok(())
    } else {
        Err(Error::bug("a staged file with a name that is not ours"))
    }
}
