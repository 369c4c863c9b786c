//! The index of names: folded names in packs of some hundred, searched from end to end.
//!
//! A pack is a row with two columns: entries of a fixed size, with what ranks and filters need, and the names between
//! line ends, in the same order. 100,000 names are some megabytes, which a search reads in a millisecond or two, for one
//! letter as for twenty; and an index of trigrams would cost an index of the space ten times as much.
//!
//! A row of the tree says in which pack its newest entry is. An entry of a row that is gone or says something else is
//! dead. A pack has one entry of an item, keys are never used again, and packs are written in the transaction that
//! writes the rows: so what is alive is exactly what the rows say. Dead entries go when there are as many as living
//! ones, a few packs with each change.

use super::facts::Facts;
use super::row::FILE;
use crate::Result;
use crate::remote::names::decode;
use memchr::{memchr, memchr_iter};
use rusqlite::{Connection, OptionalExtension, Transaction};
use unicode_normalization::UnicodeNormalization;

/// Names in a pack.
const PACK: usize = 500;

/// Bytes of an entry.
pub(super) const ENTRY: usize = 16;

/// Packs looked through for dead entries with one change.
const SWEPT: usize = 4;

/// A size or time that is too large to be told exactly.
pub(super) const SIZE_MAX: u64 = (1 << 48) - 1;
pub(super) const SECONDS_MAX: u32 = u32::MAX;

/// What ranks and filters need of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: i64,
    pub space: u8,
    pub kind: u8,
    /// At most [`SIZE_MAX`].
    pub size: u64,
    /// Seconds since the epoch; 0 if unknown or before it.
    pub modified: u32,
}

impl Entry {
    pub fn of(key: i64, space: u8, facts: &Facts) -> Self {
        let seconds = facts.modified_ms.unwrap_or(0) / 1_000;
        Self {
            key,
            space,
            kind: facts.kind,
            size: facts.size.unwrap_or(0).max(0).unsigned_abs().min(SIZE_MAX),
            modified: u32::try_from(seconds.max(0)).unwrap_or(SECONDS_MAX),
        }
    }

    fn bytes(&self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..5].copy_from_slice(&self.key.to_le_bytes()[..5]);
        bytes[5] = self.space | self.kind << 2;
        bytes[6..10].copy_from_slice(&self.modified.to_le_bytes());
        bytes[10..].copy_from_slice(&self.size.to_le_bytes()[..6]);
        bytes
    }

    pub fn read(bytes: &[u8; ENTRY]) -> Self {
        let [k0, k1, k2, k3, k4, what, m0, m1, m2, m3, size @ ..] = *bytes;
        let [s0, s1, s2, s3, s4, s5] = size;
        Self {
            key: i64::from_le_bytes([k0, k1, k2, k3, k4, 0, 0, 0]),
            space: what & 3,
            kind: what >> 2 & 3,
            size: u64::from_le_bytes([s0, s1, s2, s3, s4, s5, 0, 0]),
            modified: u32::from_le_bytes([m0, m1, m2, m3]),
        }
    }
}

/// The entries of a pack.
pub(super) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    bytes.as_chunks::<ENTRY>().0.iter().map(Entry::read)
}

/// A name as it is searched for: what a person sees, without case, accents and what is invisible. The letters å, ä, ö,
/// æ and ø stay what they are. Never holds a line end.
pub(super) fn search_fold(shown: &str) -> String {
    if shown.is_ascii() {
        let mut folded = shown.to_ascii_lowercase();
        if folded.bytes().any(|byte| byte.is_ascii_control()) {
            folded = folded.replace(|c: char| c.is_ascii_control(), " ");
        }
        return folded;
    }
    let folded = caseless::default_case_fold_str(shown);
    let mut base = ' ';
    folded
        .nfd()
        .filter(|c| {
            let kept = match *c {
                '\u{308}' => matches!(base, 'a' | 'o'),
                '\u{30A}' => base == 'a',
                '\u{300}'..='\u{36F}' => false,
                c => !is_invisible(c),
            };
            if !matches!(*c, '\u{300}'..='\u{36F}') {
                base = *c;
            }
            kept
        })
        .map(|c| if c.is_control() { ' ' } else { c })
        .nfc()
        .collect()
}

/// Marks of direction, joiners and what chooses between two looks: nobody types them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// The pack that is being written, and what a transaction does to the packs.
#[derive(Default)]
pub(super) struct Names {
    n: i64,
    loaded: bool,
    unsaved: bool,
    entries: Vec<u8>,
    names: Vec<u8>,
    /// How many entries came or went, dead ones counted.
    packed: i64,
}

impl Names {
    /// Adds an item that has no entry yet; the number of its pack.
    pub fn add(&mut self, db: &Transaction<'_>, entry: Entry, name: &str) -> Result<i64> {
        self.room(db)?;
        self.entries.extend(entry.bytes());
        let shown = decode(name);
        self.names.extend(search_fold(&shown).into_bytes());
        self.names.push(b'\n');
        self.packed += 1;
        self.unsaved = true;
        Ok(self.n)
    }

    /// Adds an item that may have an entry, which is dead then.
    pub fn replace(&mut self, db: &Transaction<'_>, entry: Entry, name: &str) -> Result<i64> {
        self.room(db)?;
        let same = entries(&self.entries).position(|other| other.key == entry.key);
        if let Some(at) = same {
            self.entries.drain(at * ENTRY..(at + 1) * ENTRY);
            // The first line is empty: names begin with a line end.
            let mut ends = memchr_iter(b'\n', &self.names).skip(at);
            if let (Some(start), Some(end)) = (ends.next(), ends.next()) {
                self.names.drain(start + 1..=end);
            }
            self.packed -= 1;
        }
        self.add(db, entry, name)
    }

    /// Makes sure that there is room for one more.
    fn room(&mut self, db: &Transaction<'_>) -> Result<()> {
        if !self.loaded {
            let last: Option<(i64, Vec<u8>, Vec<u8>)> = db
                .prepare_cached("SELECT n, entries, names FROM name_pack ORDER BY n DESC LIMIT 1")?
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            (self.n, self.entries, self.names) = last.unwrap_or_else(|| (1, vec![], vec![b'\n']));
            self.loaded = true;
        }
        if self.entries.len() >= PACK * ENTRY {
            self.save(db)?;
            self.n += 1;
            self.entries.clear();
            self.names.clear();
            self.names.push(b'\n');
        }
        Ok(())
    }

    fn save(&mut self, db: &Transaction<'_>) -> Result<()> {
        if self.unsaved {
            db.prepare_cached("INSERT OR REPLACE INTO name_pack VALUES (?1, ?2, ?3)")?
                .execute((self.n, &self.entries, &self.names))?;
            self.unsaved = false;
        }
        Ok(())
    }

    /// Writes what is left, and takes dead entries out of the oldest packs if there are more than living ones.
    pub fn finish(&mut self, db: &Transaction<'_>) -> Result<()> {
        let (packed, living): (i64, i64) = db
            .prepare_cached("SELECT packed, (SELECT sum(items) FROM tally) FROM meta")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for _ in 0..SWEPT {
            let slack = 2 * i64::try_from(PACK).unwrap_or(i64::MAX);
            if packed + self.packed <= 2 * living + slack || !self.sweep(db)? {
                break;
            }
        }
        self.save(db)?;
        if self.packed != 0 {
            db.prepare_cached("UPDATE meta SET packed = packed + ?1")?
                .execute([self.packed])?;
        }
        Ok(())
    }

    /// Moves the living entries of the oldest pack to the newest; whether there was one.
    fn sweep(&mut self, db: &Transaction<'_>) -> Result<bool> {
        self.room(db)?;
        let oldest: Option<(i64, Vec<u8>, Vec<u8>)> = db
            .prepare_cached(
                "SELECT n, entries, names FROM name_pack WHERE n < ?1 ORDER BY n LIMIT 1",
            )?
            .query_row([self.n], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((n, entries, names)) = oldest else {
            return Ok(false);
        };
        let mut start = 1;
        for entry in self::entries(&entries) {
            let length = names.get(start..).and_then(|rest| memchr(b'\n', rest));
            let end = start + length.unwrap_or(0);
            if is_alive(db, entry.key, n)? {
                self.room(db)?;
                self.entries.extend(entry.bytes());
                self.names.extend(names.get(start..end).unwrap_or_default());
                self.names.push(b'\n');
                self.unsaved = true;
                db.prepare_cached("UPDATE item SET pack = ?2 WHERE key = ?1")?
                    .execute((entry.key, self.n))?;
            } else {
                self.packed -= 1;
            }
            start = end + 1;
        }
        db.prepare_cached("DELETE FROM name_pack WHERE n = ?1")?
            .execute([n])?;
        Ok(true)
    }
}

/// Whether an entry is what its item's row says.
pub(super) fn is_alive(db: &Connection, key: i64, pack: i64) -> Result<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND pack = ?2")?
        .exists((key, pack))?)
}

/// The media type that a file's folded name suggests, for files whose own the service has not told yet.
pub(super) fn guess(kind: u8, folded: &[u8]) -> Option<&'static str> {
    let end = memchr::memrchr(b'.', folded).filter(|_| kind == FILE)?;
    let extension = folded.get(end + 1..)?;
    TYPES
        .iter()
        .find(|(known, _)| known.as_bytes() == extension)
        .map(|(_, mime)| *mime)
}

const TYPES: [(&str, &str); 46] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("avif", "image/avif"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("bmp", "image/bmp"),
    ("svg", "image/svg+xml"),
    ("dng", "image/x-adobe-dng"),
    ("cr2", "image/x-canon-cr2"),
    ("nef", "image/x-nikon-nef"),
    ("arw", "image/x-sony-arw"),
    ("mp4", "video/mp4"),
    ("m4v", "video/x-m4v"),
    ("mov", "video/quicktime"),
    ("mkv", "video/x-matroska"),
    ("webm", "video/webm"),
    ("avi", "video/x-msvideo"),
    ("3gp", "video/3gpp"),
    ("mpg", "video/mpeg"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("wav", "audio/x-wav"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("json", "application/json"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("odt", "application/vnd.oasis.opendocument.text"),
];
