//! Bytes that only the platform can give: originals in its own cloud, a library without paths.
//!
//! - What is asked for has room here: so many bytes at once, and never the last of a full device (complaints no. 12, 32).
//! - A copy of ours is named by its row, whole before the row says so, and removed once the cloud was seen to have it.
//!   What no row names is swept at the next start.

use super::held::Held;
use super::read::{failed, hash, owner, place};
use super::scan::SETTLE_MS;
use super::{Camera, CameraPark, ExportFailure, ExportRequest, Provided, Role, SourceId};
use crate::disk::open_plain;
use crate::store::{CameraLedger, DELETED, EXPORT, GONE, HERE, ResourceRow};
use crate::{CancelToken, Error, Result};
use std::path::Path;

/// Most bytes of copies at once.
const MOST: u64 = 2 << 30;
/// Of what is free, this part.
const PART: u64 = 20;
/// When the platform's own cloud is asked again: an hour later.
const LATER_MS: i64 = 3_600_000;
/// A copy under way that nobody touched for so long is a dead process's.
const OLD_MS: i64 = 3_600_000;
const PIECE: usize = 256 * 1024;

impl Camera {
    pub(super) fn list_exports(&self, limit: u32) -> Result<Vec<ExportRequest>> {
        let now = self.store.now_ms();
        let staged = self.staged_bytes()?;
        let free = self.disk.free_space(&self.dir)?;
        let mut room = MOST.min(free / PART).saturating_sub(staged);
        let rows = self.store.camera_read(|ledger| {
            let mut found = Vec::new();
            for row in ledger.wanted_resources(EXPORT, now, limit)? {
                if let Some((asset, source)) = owner(ledger, &row)? {
                    found.push((row, asset, source));
                }
            }
            Ok(found)
        })?;
        let mut requests = Vec::new();
        for (row, asset, source) in rows {
            let size = row.size.unwrap_or(0);
            // One that has no room at all is asked for alone, if the device has room.
            let alone = requests.is_empty() && staged == 0 && size < free / 2;
            if size > room && !alone {
                break;
            }
            room = room.saturating_sub(size);
            requests.push(ExportRequest {
                id: row.n.unsigned_abs(),
                source: source.n.unsigned_abs(),
                asset: asset.key,
                resource: row.key,
                role: Role::of(row.role),
                size: row.size,
            });
        }
        Ok(requests)
    }

    pub(super) fn take_export(&self, request: u64, path: &Path, take: bool) -> Result<Provided> {
        let Some(row) = self.requested(request)? else {
            return Ok(Provided::NotWanted);
        };
        let staged = format!("{}-{:016x}", row.n, fastrand::u64(..));
        let own = self.dir.join(&staged);
        self.stage(path, &own, take)?;
        let done = self.note_provided(&row, &staged);
        match done {
            Ok(Provided::Queued) => {}
            _ => self.disk.remove(&own)?,
        }
        done
    }

    fn note_provided(&self, row: &ResourceRow, staged: &str) -> Result<Provided> {
        let own = self.dir.join(staged);
        let file = open_plain(&own)?.ok_or_else(|| Error::invalid("no plain file"))?;
        let hashed = hash(&file, &CancelToken::new())?;
        let Some((asset, _)) = self.store.camera_read(|ledger| owner(ledger, row))? else {
            return Ok(Provided::NotWanted);
        };
        let taken = self.taken(&asset, row, &file);
        self.store.camera(|ledger| {
            let now = ledger.resource(row.n)?;
            let Some(now) = now.filter(|now| now.stamp == row.stamp && now.wanted.is_some()) else {
                return Ok(Provided::NotWanted);
            };
            let with = ResourceRow {
                staged: Some(staged.to_owned()),
                ..now
            };
            if !place(ledger, with, &hashed, &taken, None)? {
                return Ok(Provided::Queued);
            }
            if let Some(now) = ledger.resource(row.n)? {
                ledger.put_resource(&ResourceRow {
                    staged: None,
                    ..now
                })?;
            }
            Ok(Provided::AlreadyThere)
        })
    }

    /// Makes the caller's file ours: by its name where it is on our volume, else by a copy, durable.
    fn stage(&self, from: &Path, to: &Path, take: bool) -> Result<()> {
        if std::fs::canonicalize(from)?.starts_with(std::fs::canonicalize(&self.root)?) {
            return Err(Error::invalid("a file in the companion's own directory"));
        }
        let source = open_plain(from)?.ok_or_else(|| Error::invalid("no plain file"))?;
        if take && source.links()? == 1 && source.is_on_volume_of(&self.dir)? {
            return Ok(self.disk.rename(from, to)?);
        }
        let part = to.with_extension("part");
        let copied = (|| {
            if !self.disk.clone_file(from, &part)? {
                let copy = self.disk.open_blocks(&part, true)?;
                let (mut buffer, mut at) = (vec![0; PIECE], 0);
                loop {
                    let left = source.size().saturating_sub(at).min(PIECE as u64) as usize;
                    let read = source.read_at(&mut buffer[..left], at)?;
                    if read == 0 {
                        break;
                    }
                    copy.write_at(&buffer[..read], at)?;
                    at += read as u64;
                }
            }
            self.disk.open_append(&part)?.sync()?;
            if !source.is_unchanged(from)? {
                return Err(Error::DiskFailed {
                    detail: "the file changed while it was read".into(),
                });
            }
            Ok(self.disk.rename(&part, to)?)
        })();
        if copied.is_err() {
            self.disk.remove(&part)?;
        } else if take {
            self.disk.remove(from)?;
        }
        copied
    }

    pub(super) fn fail_export(&self, request: u64, why: ExportFailure) -> Result<()> {
        let Some(row) = self.requested(request)? else {
            return Ok(());
        };
        let now = self.store.now_ms();
        self.store.camera(|ledger| {
            let Some(row) = ledger.resource(row.n)? else {
                return Ok(());
            };
            let parked = |park| ResourceRow {
                held: Some(Held::Park(park).text()),
                until_ms: Some(now),
                wanted: None,
                ..row.clone()
            };
            let row = match why {
                ExportFailure::NoPermission => parked(CameraPark::NoPermission),
                ExportFailure::Unsupported => parked(CameraPark::Unsupported),
                ExportFailure::Gone => return lose_asset(ledger, row.asset),
                ExportFailure::NotLocal => ResourceRow {
                    held: Some(Held::Export(why).text()),
                    until_ms: Some(now + LATER_MS),
                    ..row.clone()
                },
                // The next scan tells what it is now.
                ExportFailure::Changed => ResourceRow {
                    until_ms: Some(now + SETTLE_MS),
                    ..failed(
                        row.clone(),
                        now,
                        &Error::VersionGone,
                        Some(CameraPark::UnstableSource),
                    )
                },
            };
            ledger.put_resource(&row)?;
            Ok(())
        })
    }

    fn requested(&self, request: u64) -> Result<Option<ResourceRow>> {
        let n = i64::try_from(request).unwrap_or(i64::MAX);
        let row = self.store.camera_read(|ledger| ledger.resource(n))?;
        Ok(row.filter(|row| row.way == EXPORT && row.wanted.is_some()))
    }

    fn staged_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for name in self.store.camera_read(|ledger| ledger.staged())? {
            bytes += self.disk.len(&self.dir.join(name))?.unwrap_or(0);
        }
        Ok(bytes)
    }

    /// Removes the copies that no row names, unless they are young: another process may be making one.
    pub(super) fn sweep(&self) -> Result<()> {
        let kept = self.store.camera_read(|ledger| ledger.staged())?;
        self.drop_staged_but(&kept)
    }

    pub(super) fn drop_staged_but(&self, kept: &[String]) -> Result<()> {
        let now = self.store.now_ms();
        for name in self.disk.names(&self.dir)? {
            let Some(name) = name.to_str() else { continue };
            let ours = name.contains('-') && !kept.iter().any(|kept| kept == name);
            let path = self.dir.join(name);
            if ours
                && self
                    .disk
                    .written_ms(&path)?
                    .is_none_or(|at| (now - at).abs() > OLD_MS)
            {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Tries again what waits for its time or for a person.
    pub(super) fn try_again(&self, asset: Option<(SourceId, &str)>) -> Result<()> {
        if crate::sending::Pause::read(&self.store)?.is_some() {
            crate::sending::Pause::ask_again(&self.store)?;
        }
        let of = match asset {
            Some((source, key)) => Some(self.asset(source, key)?.n),
            None => None,
        };
        self.store.camera(|ledger| ledger.try_again(of))
    }

    pub(super) fn want_again(&self, source: SourceId, key: &str) -> Result<()> {
        let asset = self.asset(source, key)?;
        if asset.here != HERE || asset.skipped.is_some() {
            return Err(Error::invalid("an asset that is not here, or is left out"));
        }
        self.store.camera(|ledger| {
            let rank = super::scan::rank(&asset, &super::scan::About::of(&asset));
            for resource in ledger.resources_of(asset.n)? {
                if let Some(entry) = resource.entry
                    && let Some(mut entry) =
                        ledger.entry(entry)?.filter(|entry| entry.state == DELETED)
                {
                    (entry.state, entry.wanted) = (crate::store::PLACED, Some(rank));
                    (entry.uuid, entry.revision, entry.verified_ms) = (None, None, None);
                    ledger.put_entry(&entry)?;
                }
                // What the platform gave before is gone from here: it must give it again.
                if resource.way == EXPORT && resource.staged.is_none() {
                    ledger.put_resource(&ResourceRow {
                        wanted: Some(rank),
                        ..resource
                    })?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn asset(&self, source: SourceId, key: &str) -> Result<crate::store::AssetRow> {
        self.store.camera_read(|ledger| {
            let source = super::sources::known(ledger, source)?;
            ledger
                .asset_of_key(source.n, key)?
                .ok_or_else(|| Error::NotKnown {
                    detail: "an asset".into(),
                })
        })
    }
}

/// The platform says that it is gone; a scan that shows it brings it back.
fn lose_asset(ledger: &CameraLedger<'_>, n: i64) -> Result<()> {
    for resource in ledger.resources_of(n)? {
        ledger.put_resource(&ResourceRow {
            wanted: None,
            ..resource
        })?;
    }
    if let Some(asset) = ledger.asset(n)? {
        ledger.put_asset(&crate::store::AssetRow {
            here: GONE,
            ..asset
        })?;
    }
    Ok(())
}
