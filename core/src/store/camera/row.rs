//! Rows of the camera's ledger.

use crate::catalog::Id;
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What is backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceRow {
    pub n: i64,
    pub name: String,
    /// The folder that the core scans itself; `None` for a library that the platform scans.
    pub root: Option<PathBuf>,
    pub mount: String,
    pub rules: String,
    pub from_now: bool,
    pub mirror: bool,
    /// When a person last allowed that much is deleted in the cloud.
    pub confirmed_ms: Option<i64>,
    /// When the ledger last learned what the device holds of it.
    pub adopted_ms: Option<i64>,
    pub cursor: Option<String>,
    pub scanned_ms: Option<i64>,
    /// The last scan that showed all there is.
    pub complete_ms: Option<i64>,
}

/// A photo, a video or a file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssetRow {
    pub n: i64,
    pub source: i64,
    pub key: String,
    /// A hash of all that was offered of it.
    pub offered: i64,
    pub about: String,
    pub album: String,
    /// Not there yet when the source was first scanned.
    pub fresh: bool,
    /// [`GONE`], [`HERE`] or [`FREED`].
    pub here: u8,
    pub skipped: Option<String>,
    pub first_seen_ms: i64,
    pub changed_ms: i64,
    pub zone_minutes: i32,
    /// When it was taken, once its bytes were read.
    pub taken: Option<String>,
    /// The folder and the stem of its files there, chosen once.
    pub folder: Option<String>,
    pub stem: Option<String>,
}

pub(crate) const GONE: u8 = 0;
pub(crate) const HERE: u8 = 1;
/// Removed here by a person to free space, after it was proven to be there.
pub(crate) const FREED: u8 = 2;

/// One of an asset's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceRow {
    pub n: i64,
    pub asset: i64,
    pub key: String,
    pub role: u8,
    pub name: String,
    pub size: Option<u64>,
    /// Another one means that the bytes may be other ones.
    pub stamp: i64,
    /// Where it can be read; `None` if the platform must provide it, or if it is the source's folder and the key.
    pub path: Option<PathBuf>,
    /// Our copy of what the platform has provided.
    pub staged: Option<String>,
    /// Both of the bytes that the size and the stamp are of.
    pub md5: Option<[u8; 16]>,
    pub blake3: Option<[u8; 32]>,
    pub entry: Option<i64>,
    /// [`READ`] or [`EXPORT`].
    pub way: u8,
    /// Its place in the queue of what must be read, the highest first.
    pub wanted: Option<i64>,
    pub attempts: u32,
    pub until_ms: Option<i64>,
    pub held: Option<String>,
}

/// The core can read it.
pub(crate) const READ: u8 = 0;
/// The platform must provide its bytes.
pub(crate) const EXPORT: u8 = 1;

/// A file in the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryRow {
    pub n: i64,
    pub mount: String,
    /// Below the mount point, as the service spells it.
    pub path: String,
    /// The path without what the service does not tell apart.
    pub fold: String,
    pub md5: [u8; 16],
    pub size: u64,
    pub modified_ms: Option<i64>,
    pub created_ms: Option<i64>,
    pub state: u8,
    /// [`PHOTOS`] or [`VIDEOS`].
    pub lane: u8,
    /// It was announced to the service, so that it may be there, whatever its state.
    pub begun: bool,
    /// Its place in the queue of what must be sent, the highest first.
    pub wanted: Option<i64>,
    pub uuid: Option<Id>,
    pub revision: Option<u64>,
    pub verified_ms: Option<i64>,
    pub attempts: u32,
    pub until_ms: Option<i64>,
    pub held: Option<String>,
}

pub(crate) const PHOTOS: u8 = 0;
pub(crate) const VIDEOS: u8 = 1;

/// Its path is chosen; nothing is known to be there.
pub(crate) const PLACED: u8 = 0;
/// A listing has shown it there, with size and MD5.
pub(crate) const ADOPTED: u8 = 2;
/// Read by itself after it was sent.
pub(crate) const VERIFIED: u8 = 3;
/// Somebody has deleted it there, and that is respected.
pub(crate) const DELETED: u8 = 4;

/// A table whose rows are written whole.
pub(super) trait Table: Sized {
    const NAME: &'static str;
    const COLUMNS: &'static [&'static str];
    fn n(&self) -> i64;
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
    /// In the order of the columns.
    fn values(&self) -> Vec<Box<dyn ToSql + '_>>;
}

/// A row's columns, `n` first.
pub(super) fn columns<T: Table>(of: &str) -> String {
    let mut all = format!("{of}n");
    for column in T::COLUMNS {
        all.push_str(", ");
        all.push_str(of);
        all.push_str(column);
    }
    all
}

/// Writes a row, as a new one if its number is 0. Its number.
pub(super) fn put<T: Table>(db: &Connection, row: &T) -> rusqlite::Result<i64> {
    let values = row.values();
    let values: Vec<&dyn ToSql> = values.iter().map(Box::as_ref).collect();
    if row.n() == 0 {
        let places = vec!["?"; T::COLUMNS.len()].join(", ");
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({places})",
            T::NAME,
            T::COLUMNS.join(", ")
        );
        db.prepare_cached(&sql)?.execute(values.as_slice())?;
        return Ok(db.last_insert_rowid());
    }
    let sets: Vec<String> = T::COLUMNS
        .iter()
        .map(|column| format!("{column} = ?"))
        .collect();
    let sql = format!("UPDATE {} SET {} WHERE n = ?", T::NAME, sets.join(", "));
    let n = row.n();
    let mut all = values;
    all.push(&n);
    db.prepare_cached(&sql)?.execute(all.as_slice())?;
    Ok(n)
}

fn path(bytes: Option<Vec<u8>>) -> Option<PathBuf> {
    bytes.map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
}

fn bytes(path: Option<&Path>) -> Option<&[u8]> {
    path.map(|path| path.as_os_str().as_bytes())
}

fn whole(size: i64) -> u64 {
    size.unsigned_abs()
}

impl Table for SourceRow {
    const NAME: &'static str = "camera_source";
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "kind",
        "root",
        "mount",
        "rules",
        "from_now",
        "mirror",
        "confirmed_ms",
        "adopted_ms",
        "cursor",
        "scanned_ms",
        "complete_ms",
    ];

    fn n(&self) -> i64 {
        self.n
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            name: row.get(1)?,
            root: path(row.get(3)?),
            mount: row.get(4)?,
            rules: row.get(5)?,
            from_now: row.get(6)?,
            mirror: row.get(7)?,
            confirmed_ms: row.get(8)?,
            adopted_ms: row.get(9)?,
            cursor: row.get(10)?,
            scanned_ms: row.get(11)?,
            complete_ms: row.get(12)?,
        })
    }

    fn values(&self) -> Vec<Box<dyn ToSql + '_>> {
        vec![
            Box::new(&self.name),
            Box::new(u8::from(self.root.is_some())),
            Box::new(bytes(self.root.as_deref())),
            Box::new(&self.mount),
            Box::new(&self.rules),
            Box::new(self.from_now),
            Box::new(self.mirror),
            Box::new(self.confirmed_ms),
            Box::new(self.adopted_ms),
            Box::new(&self.cursor),
            Box::new(self.scanned_ms),
            Box::new(self.complete_ms),
        ]
    }
}

impl Table for AssetRow {
    const NAME: &'static str = "camera_asset";
    const COLUMNS: &'static [&'static str] = &[
        "source",
        "key",
        "offered",
        "about",
        "album",
        "fresh",
        "here",
        "skipped",
        "first_seen_ms",
        "changed_ms",
        "zone_minutes",
        "taken",
        "folder",
        "stem",
    ];

    fn n(&self) -> i64 {
        self.n
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            source: row.get(1)?,
            key: row.get(2)?,
            offered: row.get(3)?,
            about: row.get(4)?,
            album: row.get(5)?,
            fresh: row.get(6)?,
            here: row.get(7)?,
            skipped: row.get(8)?,
            first_seen_ms: row.get(9)?,
            changed_ms: row.get(10)?,
            zone_minutes: row.get(11)?,
            taken: row.get(12)?,
            folder: row.get(13)?,
            stem: row.get(14)?,
        })
    }

    fn values(&self) -> Vec<Box<dyn ToSql + '_>> {
        vec![
            Box::new(self.source),
            Box::new(&self.key),
            Box::new(self.offered),
            Box::new(&self.about),
            Box::new(&self.album),
            Box::new(self.fresh),
            Box::new(self.here),
            Box::new(&self.skipped),
            Box::new(self.first_seen_ms),
            Box::new(self.changed_ms),
            Box::new(self.zone_minutes),
            Box::new(&self.taken),
            Box::new(&self.folder),
            Box::new(&self.stem),
        ]
    }
}

impl Table for ResourceRow {
    const NAME: &'static str = "camera_resource";
    const COLUMNS: &'static [&'static str] = &[
        "asset", "key", "role", "name", "size", "stamp", "path", "staged", "md5", "blake3",
        "entry", "way", "wanted", "attempts", "until_ms", "held",
    ];

    fn n(&self) -> i64 {
        self.n
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            asset: row.get(1)?,
            key: row.get(2)?,
            role: row.get(3)?,
            name: row.get(4)?,
            size: row.get::<_, Option<i64>>(5)?.map(whole),
            stamp: row.get(6)?,
            path: path(row.get(7)?),
            staged: row.get(8)?,
            md5: row.get(9)?,
            blake3: row.get(10)?,
            entry: row.get(11)?,
            way: row.get(12)?,
            wanted: row.get(13)?,
            attempts: row.get(14)?,
            until_ms: row.get(15)?,
            held: row.get(16)?,
        })
    }

    fn values(&self) -> Vec<Box<dyn ToSql + '_>> {
        vec![
            Box::new(self.asset),
            Box::new(&self.key),
            Box::new(self.role),
            Box::new(&self.name),
            Box::new(self.size.map(u64::cast_signed)),
            Box::new(self.stamp),
            Box::new(bytes(self.path.as_deref())),
            Box::new(&self.staged),
            Box::new(self.md5),
            Box::new(self.blake3),
            Box::new(self.entry),
            Box::new(self.way),
            Box::new(self.wanted),
            Box::new(self.attempts),
            Box::new(self.until_ms),
            Box::new(&self.held),
        ]
    }
}

impl Table for EntryRow {
    const NAME: &'static str = "camera_entry";
    const COLUMNS: &'static [&'static str] = &[
        "mount",
        "path",
        "fold",
        "md5",
        "size",
        "modified_ms",
        "created_ms",
        "state",
        "lane",
        "begun",
        "wanted",
        "uuid",
        "revision",
        "verified_ms",
        "attempts",
        "until_ms",
        "held",
    ];

    fn n(&self) -> i64 {
        self.n
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            mount: row.get(1)?,
            path: row.get(2)?,
            fold: row.get(3)?,
            md5: row.get(4)?,
            size: whole(row.get(5)?),
            modified_ms: row.get(6)?,
            created_ms: row.get(7)?,
            state: row.get(8)?,
            lane: row.get(9)?,
            begun: row.get(10)?,
            wanted: row.get(11)?,
            uuid: row.get(12)?,
            revision: row.get::<_, Option<i64>>(13)?.map(whole),
            verified_ms: row.get(14)?,
            attempts: row.get(15)?,
            until_ms: row.get(16)?,
            held: row.get(17)?,
        })
    }

    fn values(&self) -> Vec<Box<dyn ToSql + '_>> {
        vec![
            Box::new(&self.mount),
            Box::new(&self.path),
            Box::new(&self.fold),
            Box::new(self.md5),
            Box::new(self.size.cast_signed()),
            Box::new(self.modified_ms),
            Box::new(self.created_ms),
            Box::new(self.state),
            Box::new(self.lane),
            Box::new(self.begun),
            Box::new(self.wanted),
            Box::new(self.uuid),
            Box::new(self.revision.map(u64::cast_signed)),
            Box::new(self.verified_ms),
            Box::new(self.attempts),
            Box::new(self.until_ms),
            Box::new(&self.held),
        ]
    }
}
