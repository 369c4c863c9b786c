//! What people and the operating system have said of items: pinned, favourite, opened here, held by the system.
//!
//! Precious: nobody can tell it again. Keyed by the id alone, so that it survives a rebuild of the catalogue, which
//! repeats it in its own columns for those who read.

use super::Store;
use crate::Result;
use rusqlite::OptionalExtension;

/// What can be said of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    /// Kept on the phone, by a person's wish.
    Pinned,
    /// A person's favourite.
    Favourite,
    /// Opened here; `since_ms` is the last time.
    Opened,
    /// A copy of it, or for a folder its listing, is held by the operating system.
    Held,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Favourite => "favourite",
            Self::Opened => "opened",
            Self::Held => "held",
        }
    }
}

impl Store {
    /// Says it of an item, or takes it back. Saying it again keeps the first time, but for `Opened`. Whether anything changed.
    pub fn set_mark(&self, id: &[u8; 16], mark: Mark, on: bool) -> Result<bool> {
        let now = self.now_ms();
        self.journal.write(|db| {
            let changed = if on {
                db.prepare_cached(
                    "INSERT INTO mark VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
                     SET since_ms = excluded.since_ms WHERE what = 'opened'",
                )?
                .execute((id, mark.word(), now))?
            } else {
                db.prepare_cached("DELETE FROM mark WHERE id = ?1 AND what = ?2")?
                    .execute((id, mark.word()))?
            };
            Ok(changed > 0)
        })
    }

    /// Since when it is said of an item.
    pub fn mark(&self, id: &[u8; 16], mark: Mark) -> Result<Option<i64>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT since_ms FROM mark WHERE id = ?1 AND what = ?2")?
                .query_row((id, mark.word()), |row| row.get(0))
                .optional()?)
        })
    }

    /// All items that it is said of, the newest first.
    pub fn marked(&self, mark: Mark) -> Result<Vec<([u8; 16], i64)>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT id, since_ms FROM mark WHERE what = ?1 ORDER BY since_ms DESC, id",
                )?
                .query_map([mark.word()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }
}
