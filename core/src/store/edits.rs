//! The outbox: what the phone has changed and the service has not confirmed.
//!
//! Precious: nobody can tell it again. One row for each item says what is *wanted* of it (a place, a content, a fate, a
//! link), and what the service last said when the change began (its *base*). It is a state and no log, so that ten saves
//! are one upload and a rename of what was never sent is none: [`EditRow::n`] keeps the order of first wishes.
//!
//! Every change of a wish is counted ([`Store::edits_count`]); the catalogue, which shows the effective view, has the
//! count that it has applied, and reads the outbox again when a kill or another process came between.
//!
//! A row is cleared last: after the service was seen to have what is wanted, never before.

use super::Store;
use super::marks::{number, set_number};
use crate::catalog::Id;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// How many changes of wishes there were.
const COUNT: &str = "edits";

/// How long it is remembered what an operation's key has made.
const OPERATIONS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What is wanted of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EditRow {
    /// The item.
    pub id: Id,
    /// Its place in the queue; lower comes first.
    pub n: i64,
    /// The number of the newest change of this row's wishes. Who works on a copy of the row compares it before clearing.
    pub change: i64,
    /// 2 a folder, 3 a file.
    pub kind: u8,
    /// When the oldest wish was made.
    pub since_ms: i64,
    /// The service has never had it.
    pub is_new: bool,
    /// Where it is to be.
    pub place: Option<WantedPlace>,
    /// What is to be in it.
    pub content: Option<WantedContent>,
    /// The item whose content or tree the service is to copy (cp); only with `is_new`.
    pub copy_of: Option<Id>,
    /// What is to become of it.
    pub fate: Option<Fate>,
    /// Whether a public link is to exist.
    pub link: Option<bool>,
    /// What the person saw when the oldest wish was made; `None` with `is_new`.
    pub base: Option<Base>,
    /// What was asked of the service and not seen done, as the engine writes it.
    pub marker: Option<String>,
    /// When content was sent last.
    pub sent_ms: Option<i64>,
    /// Failures of its own in a row.
    pub attempts: u32,
    /// Not tried before this time.
    pub until_ms: Option<i64>,
    /// Why it waits for a person, or the last failure, as the engine writes it.
    pub held: Option<String>,
}

/// A wanted place. Names are in the service's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedPlace {
    pub parent: Id,
    pub name: String,
}

/// A wanted content: a file of the staging directory, or (`file` empty) content that the service is to build from what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedContent {
    /// The name of the staged file, no path. Empty: the service knows the content.
    pub file: String,
    pub size: u64,
    pub md5: [u8; 16],
    pub blake3: Option<[u8; 32]>,
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
}

/// What is to become of an item, beyond a place and a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// To the trash.
    Trash,
    /// Out of the trash.
    Restore,
    /// Gone for ever.
    Purge,
}

/// What the service said of an item when the change began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base {
    pub parent: Id,
    pub name: String,
    pub uuid: Option<Id>,
    pub md5: Option<[u8; 16]>,
    pub size: Option<u64>,
    pub revision: Option<u64>,
}

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

/// Bytes that a person gave up, kept until they say so again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiscardedRow {
    pub file: String,
    pub id: Id,
    pub name: String,
    pub size: u64,
    pub at_ms: i64,
}

/// The outbox in one transaction of the journal. Several rows change together or not at all.
pub(crate) struct Outbox<'a>(&'a Transaction<'a>);

impl Outbox<'_> {
    pub fn get(&self, id: &Id) -> Result<Option<EditRow>> {
        get(self.0, id)
    }

    /// Writes a row whose wishes have changed, and counts it. A row without any wish is removed.
    /// `n` 0 takes the next place in the queue.
    pub fn put(&self, row: &EditRow) -> Result<()> {
        let change = count_change(self.0)?;
        if row.wants_nothing() {
            self.0
                .prepare_cached("DELETE FROM edit WHERE id = ?1")?
                .execute([row.id])?;
            self.0
                .prepare_cached("DELETE FROM sent WHERE id = ?1")?
                .execute([row.id])?;
            return Ok(());
        }
        let n = match row.n {
            0 => self
                .0
                .query_row("SELECT ifnull(max(n), 0) + 1 FROM edit", [], |row| {
                    row.get(0)
                })?,
            n => n,
        };
        write(
            self.0,
            &EditRow {
                n,
                change,
                ..row.clone()
            },
        )
    }

    /// Writes how far a row is; its wishes stay as they are, so nothing is counted.
    pub fn put_progress(&self, row: &EditRow) -> Result<()> {
        self.0
            .prepare_cached(
                "UPDATE edit SET marker = ?2, sent_ms = ?3, attempts = ?4, until_ms = ?5, held = ?6
                 WHERE id = ?1",
            )?
            .execute((
                row.id,
                &row.marker,
                row.sent_ms,
                row.attempts,
                row.until_ms,
                &row.held,
            ))?;
        Ok(())
    }

    /// The content is about to be sent: from now on a revision with it may be ours.
    pub fn add_sent(&self, id: &Id, md5: &[u8; 16]) -> Result<()> {
        self.0
            .prepare_cached("INSERT OR IGNORE INTO sent VALUES (?1, ?2)")?
            .execute((id, md5))?;
        Ok(())
    }

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
        Ok(())
    }

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

    /// The item that an operation of this key has made or changed, if it was done before.
    pub fn operation(&self, key: &str) -> Result<Option<Id>> {
        Ok(self
            .0
            .prepare_cached("SELECT id FROM operation WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?)
    }

    pub fn put_operation(&self, key: &str, id: &Id, at_ms: i64) -> Result<()> {
        self.0
            .prepare_cached("DELETE FROM operation WHERE at_ms < ?1")?
            .execute([at_ms - OPERATIONS_KEPT_MS])?;
        self.0
            .prepare_cached("INSERT OR REPLACE INTO operation VALUES (?1, ?2, ?3)")?
            .execute((key, id, at_ms))?;
        Ok(())
    }

    /// Records where an item is, with the ids; an item that is new here exists in the journal from now on.
    pub fn record(&self, identity: &super::Identified) -> Result<()> {
        super::identity::put(self.0, &identity.id, &identity.place)
    }
}

impl EditRow {
    /// A row without any wish yet.
    pub fn of(id: Id, kind: u8, since_ms: i64) -> Self {
        Self {
            id,
            n: 0,
            change: 0,
            kind,
            since_ms,
            is_new: false,
            place: None,
            content: None,
            copy_of: None,
            fate: None,
            link: None,
            base: None,
            marker: None,
            sent_ms: None,
            attempts: 0,
            until_ms: None,
            held: None,
        }
    }

    pub fn wants_nothing(&self) -> bool {
        !self.is_new
            && self.place.is_none()
            && self.content.is_none()
            && self.fate.is_none()
            && self.link.is_none()
    }
}

impl Store {
    /// Runs `work` on the outbox, in one durable transaction.
    pub fn outbox<T>(&self, work: impl FnOnce(&Outbox<'_>) -> Result<T>) -> Result<T> {
        self.journal.write(|db| work(&Outbox(db)))
    }

    pub fn edit(&self, id: &Id) -> Result<Option<EditRow>> {
        self.journal.read(|db| get(db, id))
    }

    /// Up to `limit` rows after place `after` of the queue.
    pub fn edits_after(&self, after: i64, limit: u32) -> Result<Vec<EditRow>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM edit WHERE n > ?1 ORDER BY n LIMIT ?2"
                ))?
                .query_map((after, limit), row)?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The ids of all rows, and the count of changes that they are of.
    pub fn all_edits(&self) -> Result<(Vec<Id>, i64)> {
        self.journal.read(|db| {
            let ids = db
                .prepare_cached("SELECT id FROM edit ORDER BY n")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok((ids, number(db, COUNT)?))
        })
    }

    /// How many changes of wishes there were.
    pub fn edits_count(&self) -> Result<i64> {
        self.journal.read(|db| number(db, COUNT))
    }

    /// The contents that may have reached the service under an item's name from here.
    pub fn sent_contents(&self, id: &Id) -> Result<Vec<[u8; 16]>> {
        self.journal.read(|db| sent(db, id))
    }

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

    /// Whether an item has content that is not sent: such bytes may not leave the device.
    pub fn has_unsent(&self, id: &Id) -> Result<bool> {
        Ok(self.edit(id)?.is_some_and(|row| row.content.is_some()))
    }

    /// Notes a temporary file on the service, before it is made; it is deleted there whatever happens here.
    pub fn add_temporary(&self, path: &str) -> Result<()> {
        let now = self.now_ms();
        self.journal.write(|db| {
            db.prepare_cached("INSERT OR REPLACE INTO temporary VALUES (?1, ?2)")?
                .execute((path, now))?;
            Ok(())
        })
    }

    pub fn remove_temporary(&self, path: &str) -> Result<()> {
        self.journal.write(|db| {
            db.prepare_cached("DELETE FROM temporary WHERE path = ?1")?
                .execute([path])?;
            Ok(())
        })
    }

    /// The temporary files, and since when they are.
    pub fn temporaries(&self) -> Result<Vec<(String, i64)>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT path, since_ms FROM temporary ORDER BY since_ms")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }
}

const COLUMNS: &str = "id, n, change, kind, since_ms, is_new, parent, name, copy_of, fate, link, \
     file, size, md5, blake3, created_ms, modified_ms, \
     base_parent, base_name, base_uuid, base_md5, base_size, base_revision, \
     marker, sent_ms, attempts, until_ms, held";

fn row(row: &Row<'_>) -> rusqlite::Result<EditRow> {
    let fate: Option<String> = row.get(9)?;
    let md5: Option<[u8; 16]> = row.get(13)?;
    let content = match (row.get::<_, Option<String>>(11)?, md5) {
        (Some(file), Some(md5)) => Some(WantedContent {
            file,
            size: row.get::<_, i64>(12)?.unsigned_abs(),
            md5,
            blake3: row.get(14)?,
            created_ms: row.get(15)?,
            modified_ms: row.get(16)?,
        }),
        _ => None,
    };
    Ok(EditRow {
        id: row.get(0)?,
        n: row.get(1)?,
        change: row.get(2)?,
        kind: row.get(3)?,
        since_ms: row.get(4)?,
        is_new: row.get(5)?,
        place: place(row, 6)?,
        copy_of: row.get(8)?,
        fate: fate.as_deref().and_then(Fate::parse),
        link: row.get(10)?,
        content,
        base: base(row, 17)?,
        marker: row.get(23)?,
        sent_ms: row.get(24)?,
        attempts: row.get(25)?,
        until_ms: row.get(26)?,
        held: row.get(27)?,
    })
}

fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<WantedPlace>> {
    let (parent, name): (Option<Id>, Option<String>) = (row.get(at)?, row.get(at + 1)?);
    Ok(parent
        .zip(name)
        .map(|(parent, name)| WantedPlace { parent, name }))
}

fn base(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Base>> {
    let (parent, name): (Option<Id>, Option<String>) = (row.get(at)?, row.get(at + 1)?);
    let Some((parent, name)) = parent.zip(name) else {
        return Ok(None);
    };
    Ok(Some(Base {
        parent,
        name,
        uuid: row.get(at + 2)?,
        md5: row.get(at + 3)?,
        size: row.get::<_, Option<i64>>(at + 4)?.map(i64::unsigned_abs),
        revision: row.get::<_, Option<i64>>(at + 5)?.map(i64::unsigned_abs),
    }))
}

fn get(db: &Connection, id: &Id) -> Result<Option<EditRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM edit WHERE id = ?1"))?
        .query_row([id], row)
        .optional()?)
}

fn write(db: &Transaction<'_>, row: &EditRow) -> Result<()> {
    let (place, content, base) = (row.place.as_ref(), row.content.as_ref(), row.base.as_ref());
    let values = vec!["?"; 28].join(", ");
    db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO edit ({COLUMNS}) VALUES ({values})"
    ))?
    .execute(rusqlite::params![
        row.id,
        row.n,
        row.change,
        row.kind,
        row.since_ms,
        row.is_new,
        place.map(|place| place.parent),
        place.map(|place| &place.name),
        row.copy_of,
        row.fate.map(Fate::word),
        row.link,
        content.map(|content| &content.file),
        content.map(|content| signed(content.size)),
        content.map(|content| content.md5),
        content.and_then(|content| content.blake3),
        content.and_then(|content| content.created_ms),
        content.and_then(|content| content.modified_ms),
        base.map(|base| base.parent),
        base.map(|base| &base.name),
        base.and_then(|base| base.uuid),
        base.and_then(|base| base.md5),
        base.and_then(|base| base.size).map(signed),
        base.and_then(|base| base.revision).map(signed),
        row.marker,
        row.sent_ms,
        row.attempts,
        row.until_ms,
        row.held,
    ])?;
    Ok(())
}

fn sent(db: &Connection, id: &Id) -> Result<Vec<[u8; 16]>> {
    Ok(db
        .prepare_cached("SELECT md5 FROM sent WHERE id = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

fn count_change(db: &Connection) -> Result<i64> {
    let count = number(db, COUNT)? + 1;
    set_number(db, COUNT, count)?;
    Ok(count)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Restore => "restore",
            Self::Purge => "purge",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Trash, Self::Restore, Self::Purge]
            .into_iter()
            .find(|fate| fate.word() == word)
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

#[cfg(test)]
#[path = "edits_tests.rs"]
mod tests;
