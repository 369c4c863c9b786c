//! The bytes of what was offered are read, hashed, and get their place.
//!
//! - A file that changes while it is read, or was written to a moment ago, is left for later (complaints no. 3, 26).
//! - A file that cannot be read holds up none but itself (no. 11).
//! - Hashes and places of several files are one transaction, so that the disk is waited for once.

use super::capture_time::{self, CaptureTime, Hints};
use super::held::{Held, PATIENCE, after_failures};
use super::place::{Places, Read};
use super::scan::{About, SETTLE_MS, rank};
use super::types::json;
use super::{Camera, CameraPark};
use crate::disk::{PlainFile, open_plain};
use crate::sending::{Class, Hashed, both_hashes};
use crate::store::{AssetRow, CameraLedger, HERE, PLACED, READ, ResourceRow, SourceRow};
use crate::{CancelToken, Error, Result};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files of one transaction, and how long it may take to read them.
const FILES: u32 = 256;
const TIME: Duration = Duration::from_millis(500);

/// What reading a file has come to.
enum Outcome {
    Hashed(Hashed, CaptureTime, Option<i64>),
    /// It may still change; it is looked at again then.
    Rests(i64),
    /// It was other bytes at the end than at the beginning.
    Changed,
    /// It is not there now: a card is out, or the next scan says that it is gone.
    Missing(Error),
    Fails(Error, Option<CameraPark>),
}

impl Camera {
    /// Reads some of what is wanted; how many files were read. Blocks.
    pub(super) fn read_some(&self, cancel: &CancelToken) -> Result<u64> {
        let now = self.store.now_ms();
        let rows = self.store.camera_read(|ledger| {
            let mut found = Vec::new();
            for row in ledger.wanted_resources(READ, now, FILES)? {
                if let Some((asset, source)) = owner(ledger, &row)? {
                    found.push((row, asset, source));
                }
            }
            Ok(found)
        })?;
        let begun = Instant::now();
        let mut read = Vec::new();
        for (row, asset, source) in rows {
            let path = match &row.staged {
                Some(staged) => self.dir.join(staged),
                None => path_of(&source, &asset, &row),
            };
            match self.read_file(&path, &row, &asset, cancel) {
                // What was read so far is kept, so that short slices get on, too.
                Err(Error::Cancelled) => break,
                outcome => read.push((row, outcome?)),
            }
            if begun.elapsed() > TIME || cancel.is_cancelled() {
                break;
            }
        }
        if read.is_empty() {
            return Ok(0);
        }
        self.store.camera(|ledger| {
            for (row, outcome) in &read {
                self.note_read(ledger, row, outcome)?;
            }
            Ok(())
        })?;
        Ok(read.len() as u64)
    }

    fn read_file(
        &self,
        path: &Path,
        row: &ResourceRow,
        asset: &AssetRow,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let fails = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Outcome::Missing(error.into()),
            io::ErrorKind::PermissionDenied => {
                Outcome::Fails(error.into(), Some(CameraPark::NoPermission))
            }
            _ => Outcome::Fails(error.into(), None),
        };
        let file = match open_plain(path) {
            Ok(Some(file)) => file,
            Ok(None) => {
                return Ok(Outcome::Fails(
                    Error::invalid("no plain file"),
                    Some(CameraPark::Unreadable),
                ));
            }
            Err(error) => return Ok(fails(error)),
        };
        let (now, modified) = (self.store.now_ms(), file.modified_ms());
        if (now - SETTLE_MS..=now).contains(&modified) {
            return Ok(Outcome::Rests(modified + SETTLE_MS));
        }
        // Hashed before, and nothing says that it is another file now.
        let before = row.md5.zip(row.blake3).zip(row.size);
        let known = before.filter(|((_, _), size)| *size == file.size());
        let hashed = match known {
            Some(((md5, blake3), size)) => Hashed { size, md5, blake3 },
            None => match self.unfinished.hash(&file, cancel) {
                Ok(hashed) => hashed,
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => return Ok(Outcome::Fails(error, None)),
            },
        };
        let taken = self.taken(asset, row, &file);
        match file.is_unchanged(path) {
            Ok(true) => Ok(Outcome::Hashed(hashed, taken, Some(modified))),
            Ok(false) => Ok(Outcome::Changed),
            Err(error) => Ok(fails(error)),
        }
    }

    /// When it was taken: decided once for an asset.
    pub(super) fn taken(
        &self,
        asset: &AssetRow,
        row: &ResourceRow,
        file: &PlainFile,
    ) -> CaptureTime {
        if let Some(taken) = asset
            .taken
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
        {
            return taken;
        }
        let about = About::of(asset);
        let embedded = match super::Role::of(row.role) {
            super::Role::Adjustment => None,
            _ => capture_time::read(Cursor { file, at: 0 }),
        };
        capture_time::decide(
            embedded,
            &Hints {
                taken_ms: about.taken_ms,
                added_ms: about.added_ms,
                modified_ms: about.modified_ms,
                first_seen_ms: asset.first_seen_ms,
                zone_minutes: asset.zone_minutes,
                now_ms: self.store.now_ms(),
            },
        )
    }

    fn note_read(
        &self,
        ledger: &CameraLedger<'_>,
        read: &ResourceRow,
        outcome: &Outcome,
    ) -> Result<()> {
        let now = self.store.now_ms();
        // Offered as something else meanwhile: that is read next.
        let Some(row) = ledger
            .resource(read.n)?
            .filter(|row| row.stamp == read.stamp && row.wanted.is_some())
        else {
            return Ok(());
        };
        let row = match outcome {
            Outcome::Hashed(hashed, taken, modified_ms) => {
                return place(ledger, row, hashed, taken, *modified_ms).map(drop);
            }
            Outcome::Rests(until_ms) => ResourceRow {
                until_ms: Some(*until_ms),
                ..row
            },
            Outcome::Missing(error) => failed(row, now, error, None),
            Outcome::Changed => failed(
                row,
                now,
                &Error::VersionGone,
                Some(CameraPark::UnstableSource),
            ),
            Outcome::Fails(error, Some(park)) => ResourceRow {
                held: Some(Held::Park(*park).text()),
                wanted: None,
                attempts: row.attempts + 1,
                ..failed(row, now, error, None)
            },
            Outcome::Fails(error, None) => failed(row, now, error, Some(CameraPark::Unreadable)),
        };
        ledger.put_resource(&row)?;
        Ok(())
    }
}

/// One more failure; after many, a person must look.
pub(super) fn failed(
    row: ResourceRow,
    now_ms: i64,
    error: &Error,
    park: Option<CameraPark>,
) -> ResourceRow {
    let attempts = row.attempts + 1;
    let (class, status) = Class::of(error);
    let many = attempts >= PATIENCE;
    let held = match park.filter(|_| many) {
        Some(park) => Held::Park(park),
        None => Held::Failed { class, status },
    };
    ResourceRow {
        attempts,
        until_ms: Some(after_failures(now_ms, attempts)),
        held: Some(held.text()),
        wanted: row.wanted.filter(|_| !many || park.is_none()),
        ..row
    }
}

/// Gives what was read its entry. Whether the cloud has it already.
pub(super) fn place(
    ledger: &CameraLedger<'_>,
    row: ResourceRow,
    hashed: &Hashed,
    taken: &CaptureTime,
    modified_ms: Option<i64>,
) -> Result<bool> {
    let Some((mut asset, source)) = owner(ledger, &row)? else {
        return Ok(true);
    };
    let about = About::of(&asset);
    if asset.taken.is_none() {
        asset.taken = Some(json(taken)?);
    }
    let mut row = ResourceRow {
        size: Some(hashed.size),
        md5: Some(hashed.md5),
        blake3: Some(hashed.blake3),
        wanted: None,
        until_ms: None,
        held: None,
        ..row
    };
    ledger.put_resource(&row)?;
    let places = Places {
        ledger,
        source: &source,
        rank: rank(&asset, &about),
    };
    let read = Read {
        md5: hashed.md5,
        size: hashed.size,
        taken: *taken,
        modified_ms,
    };
    let mut entry = places.entry_of(&mut asset, &row, &read)?;
    if entry.state == PLACED && entry.wanted.is_none() && entry.held.is_none() {
        entry.wanted = Some(places.rank);
        ledger.put_entry(&entry)?;
    }
    row.entry = Some(entry.n);
    ledger.put_resource(&row)?;
    ledger.put_asset(&asset)?;
    Ok(entry.state != PLACED)
}

/// The asset and the source of a resource that is still wanted.
pub(super) fn owner(
    ledger: &CameraLedger<'_>,
    row: &ResourceRow,
) -> Result<Option<(AssetRow, SourceRow)>> {
    let Some(asset) = ledger.asset(row.asset)? else {
        return Ok(None);
    };
    let source = ledger.source(asset.source)?;
    let wanted = asset.skipped.is_none() && (asset.here == HERE || row.staged.is_some());
    Ok(source.filter(|_| wanted).map(|source| (asset, source)))
}

/// Where the core reads a resource that it can read itself.
pub(super) fn path_of(source: &SourceRow, asset: &AssetRow, row: &ResourceRow) -> PathBuf {
    match (&row.path, &source.root) {
        (Some(path), _) => path.clone(),
        // The key is a path that our own walk has found below it.
        (None, Some(root)) => root.join(&asset.key),
        (None, None) => PathBuf::new(),
    }
}

pub(super) fn hash(file: &PlainFile, cancel: &CancelToken) -> Result<Hashed> {
    both_hashes(|piece, at| {
        cancel.check()?;
        // Not further than it was long: one that grows as fast as it is read would have no end.
        let left = file.size().saturating_sub(at).min(piece.len() as u64) as usize;
        Ok(file.read_at(&mut piece[..left], at)?)
    })
}

/// A file to be read and sought in.
pub(super) struct Cursor<'a> {
    pub file: &'a PlainFile,
    pub at: u64,
}

impl io::Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
