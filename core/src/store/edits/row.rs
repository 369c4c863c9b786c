//! A row of the outbox: what is wanted of one item, and how it is stored.

use crate::Result;
use crate::catalog::Id;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

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

pub(super) const COLUMNS: &str = "id, n, change, kind, since_ms, is_new, parent, name, copy_of, fate, link, \
     file, size, md5, blake3, created_ms, modified_ms, \
     base_parent, base_name, base_uuid, base_md5, base_size, base_revision, \
     marker, sent_ms, attempts, until_ms, held";

pub(super) fn row(row: &Row<'_>) -> rusqlite::Result<EditRow> {
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

pub(super) fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<WantedPlace>> {
    let (parent, name): (Option<Id>, Option<String>) = (row.get(at)?, row.get(at + 1)?);
    Ok(parent
        .zip(name)
        .map(|(parent, name)| WantedPlace { parent, name }))
}

pub(super) fn base(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Base>> {
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

pub(super) fn get(db: &Connection, id: &Id) -> Result<Option<EditRow>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM edit WHERE id = ?1"))?
        .query_row([id], row)
        .optional()?)
}

pub(super) fn write(db: &Transaction<'_>, row: &EditRow) -> Result<()> {
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

pub(super) fn signed(number: u64) -> i64 {
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
