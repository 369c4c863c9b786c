//! What people and the operating system have said of items: pinned, favourite, opened here, held by the system.
//!
//! Precious: nobody can tell it again. Keyed by the id alone, so that it survives a rebuild of the catalogue, which
//! repeats it in its own columns for those who read. Every change is counted, and the catalogue has the count that it
//! has seen: when a kill or a power cut comes between the two, the counts differ, and it reads all marks again.
//!
//! What the operating system holds comes as a report in many parts. The parts wait in `held` until the report is
//! committed, and only the newest report can be.

use super::Store;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};

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

/// How many changes of marks there were, and the newest and the newest committed report.
const COUNT: &str = "marks";
const REPORT: &str = "held report";
const COMMITTED: &str = "held report committed";

impl Mark {
    const ALL: [Self; 4] = [Self::Pinned, Self::Favourite, Self::Opened, Self::Held];

    fn word(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Favourite => "favourite",
            Self::Opened => "opened",
            Self::Held => "held",
        }
    }

    /// The mark as a bit of the catalogue's `flags`.
    pub fn flag(self) -> u8 {
        match self {
            Self::Pinned => 1,
            Self::Favourite => 2,
            Self::Opened => 4,
            Self::Held => 8,
        }
    }
}

/// What a committed report has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NewlyHeld {
    /// Held now and not before, and the reverse.
    pub changed: Vec<[u8; 16]>,
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
            if changed > 0 {
                count_change(db)?;
            }
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
        self.newest_marked(mark, u32::MAX)
    }

    /// Up to `limit` items that it is said of, the newest first.
    pub fn newest_marked(&self, mark: Mark, limit: u32) -> Result<Vec<([u8; 16], i64)>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT id, since_ms FROM mark WHERE what = ?1
                     ORDER BY since_ms DESC, id LIMIT ?2",
                )?
                .query_map((mark.word(), limit), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The flags of each of these items.
    pub fn flags_of(&self, ids: &[[u8; 16]]) -> Result<Vec<u8>> {
        self.journal.read(|db| {
            let mut query = db.prepare_cached("SELECT what FROM mark WHERE id = ?1")?;
            ids.iter()
                .map(|id| {
                    let mut rows = query.query([id])?;
                    let mut flags = 0;
                    while let Some(row) = rows.next()? {
                        flags |= flag(row.get_ref(0)?.as_str().unwrap_or_default());
                    }
                    Ok(flags)
                })
                .collect()
        })
    }

    /// The flags of every item that has any, and the count of changes that they are of.
    pub fn all_flags(&self) -> Result<(HashMap<[u8; 16], u8>, i64)> {
        self.journal.read(|db| {
            let mut all: HashMap<_, u8> = HashMap::new();
            let mut query = db.prepare_cached("SELECT id, what FROM mark")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                *all.entry(row.get(0)?).or_default() |=
                    flag(row.get_ref(1)?.as_str().unwrap_or_default());
            }
            Ok((all, number(db, COUNT)?))
        })
    }

    /// How many changes of marks there were.
    pub fn marks_count(&self) -> Result<i64> {
        self.journal.read(|db| number(db, COUNT))
    }

    /// Begins a report of what is held; its number. Older ones that were not committed are dropped.
    pub fn begin_held(&self) -> Result<i64> {
        self.journal.write(|db| {
            db.execute("DELETE FROM held", [])?;
            let report = number(db, REPORT)? + 1;
            set_number(db, REPORT, report)?;
            Ok(report)
        })
    }

    /// Adds to the newest report. `InvalidArgument` for any other.
    pub fn add_held(&self, report: i64, ids: &[[u8; 16]]) -> Result<()> {
        self.journal.write(|db| {
            if report != number(db, REPORT)? || report == number(db, COMMITTED)? {
                return Err(not_the_newest());
            }
            let mut add = db.prepare_cached("INSERT OR IGNORE INTO held VALUES (?1, ?2)")?;
            for id in ids {
                add.execute((report, id))?;
            }
            Ok(())
        })
    }

    /// What the newest report says becomes what is held. Doing it again changes nothing. `InvalidArgument` for an older one.
    pub fn commit_held(&self, report: i64) -> Result<NewlyHeld> {
        let now = self.now_ms();
        self.journal.write(|db| {
            if report != number(db, REPORT)? || report <= 0 {
                return Err(not_the_newest());
            }
            if report == number(db, COMMITTED)? {
                return Ok(NewlyHeld::default());
            }
            let ids = |sql: &str| -> Result<HashSet<[u8; 16]>> {
                Ok(db
                    .prepare_cached(sql)?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?)
            };
            let before = ids("SELECT id FROM mark WHERE what = 'held'")?;
            let after = ids("SELECT id FROM held")?;
            let changed: Vec<_> = before.symmetric_difference(&after).copied().collect();
            let mut add = db.prepare_cached("INSERT INTO mark VALUES (?1, 'held', ?2)")?;
            let mut drop = db.prepare_cached("DELETE FROM mark WHERE id = ?1 AND what = 'held'")?;
            for id in &changed {
                if after.contains(id) {
                    add.execute((id, now))?;
                } else {
                    drop.execute([id])?;
                }
            }
            db.execute("DELETE FROM held", [])?;
            set_number(db, COMMITTED, report)?;
            count_change(db)?;
            Ok(NewlyHeld { changed })
        })
    }
}

fn not_the_newest() -> Error {
    Error::invalid("a report that is not the newest, or was committed")
}

fn flag(word: &str) -> u8 {
    Mark::ALL
        .into_iter()
        .find(|mark| mark.word() == word)
        .map_or(0, Mark::flag)
}

/// One more change of marks.
pub(super) fn count_change(db: &Connection) -> Result<()> {
    set_number(db, COUNT, number(db, COUNT)? + 1)
}

pub(super) fn number(db: &Connection, key: &str) -> Result<i64> {
    let text: Option<String> = db
        .prepare_cached("SELECT value FROM setting WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

pub(super) fn set_number(db: &Connection, key: &str, number: i64) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO setting VALUES (?1, ?2)")?
        .execute((key, number.to_string()))?;
    Ok(())
}
