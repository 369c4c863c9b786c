//! One content is brought to the cloud, and read again there.
//!
//! - Only what is read there with the same size and MD5 is proven. A lost answer after the last byte is no error (no. 25).
//! - Nothing of a library is put over anything. If its path is taken by what is not ours, it gets another, durably first.
//! - What fails because its bytes are not what was hashed is hashed again; if that happens twice, a person must look (no. 4).

use super::held::{Held, PATIENCE, after_failures};
use super::place::{Places, Read};
use super::read::{failed, owner, path_of};
use super::scan::{About, SETTLE_MS, rank};
use super::{Camera, CameraPark};
use crate::catalog::fold;
use crate::disk::open_plain;
use crate::remote::{ContentFacts, FileHistory, Presence, RemotePath};
use crate::runtime::blocking;
use crate::sending::{Class, Foreign, Origin, Outgoing, Pause, Sender};
use crate::store::{
    ADOPTED, AssetRow, CameraLedger, EntryRow, HERE, PLACED, READ, ResourceRow, SourceRow, VERIFIED,
};
use crate::{CancelToken, Error, Result};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Paths that are tried for one content in one run.
const PATHS: u32 = 5;
/// Readings with other bytes each time, after which a person must look.
const READINGS: u32 = 2;

/// What is being sent, and how fast it went so far.
#[derive(Clone, Default)]
pub(super) struct Moving(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    moving: HashMap<i64, Arc<AtomicU64>>,
    mounts: HashSet<String>,
    began: Option<Instant>,
    sent: u64,
}

impl Moving {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counter(&self, entry: i64) -> Arc<AtomicU64> {
        self.lock().moving.entry(entry).or_default().clone()
    }

    pub fn ended(&self, entry: i64, sent: u64) {
        let mut inner = self.lock();
        inner.moving.remove(&entry);
        inner.sent += sent;
    }

    /// Bytes of what is under way that are there.
    pub fn bytes(&self) -> u64 {
        let inner = self.lock();
        inner
            .moving
            .values()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    pub fn begins(&self) {
        let mut inner = self.lock();
        (inner.began, inner.sent) = (Some(Instant::now()), 0);
    }

    pub fn stops(&self) {
        self.lock().began = None;
    }

    /// Bytes a second of this run, once it has lasted a minute.
    pub fn speed(&self) -> Option<f64> {
        let inner = self.lock();
        let elapsed = inner.began?.elapsed().as_secs_f64();
        let moving: u64 = inner
            .moving
            .values()
            .map(|count| count.load(Ordering::Relaxed))
            .sum();
        (elapsed >= 60.0).then(|| (inner.sent + moving) as f64 / elapsed)
    }
}

/// What is needed to send an entry.
struct Job {
    entry: EntryRow,
    source: SourceRow,
    asset: AssetRow,
    resource: ResourceRow,
    outgoing: Outgoing,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It was read there.
    Proven,
    /// Nobody wants it any more, or its bytes are gone.
    Dropped,
}

impl Camera {
    /// Brings an entry to the cloud.
    pub(super) async fn send_entry(&self, n: i64, cancel: &CancelToken) -> Result<Done> {
        let mut over = false;
        for _ in 0..PATHS {
            let camera = self.clone();
            let Some(job) = blocking(move || camera.job(n)).await? else {
                return Ok(Done::Dropped);
            };
            let path = self.remote_path(&job.entry.mount, &job.entry.path)?;
            self.make_mount(&job.entry.mount, cancel).await?;
            let facts = ContentFacts {
                size: job.entry.size,
                md5: job.entry.md5,
                created_ms: job.entry.created_ms,
                modified_ms: job.entry.modified_ms,
            };
            let only_new = !over && job.entry.uuid.is_none();
            let sender = Sender {
                remote: &self.remote,
                life: &self.life,
            };
            let moved = self.moving.counter(n);
            let sent = sender.deliver(&path, &facts, only_new, &job.outgoing, &moved, cancel);
            let taken = match sent.await {
                Err(Error::NameTaken) if only_new => true,
                sent => sent.map(|()| false)?,
            };
            match self.remote.look(&path, cancel).await? {
                Presence::File(history) if has(&history, &job.entry) => {
                    let camera = self.clone();
                    blocking(move || camera.proven(n, &history)).await?;
                    return Ok(Done::Proven);
                }
                // The file of this path on our own device is an older version of ours.
                Presence::File(_) if taken && job.source.root.is_some() => over = true,
                Presence::File(history) if taken => {
                    // A second look: what gives way for a wrong answer would be there twice.
                    match self.remote.look(&path, cancel).await? {
                        Presence::File(again) if has(&again, &job.entry) => {}
                        Presence::File(_) => {
                            let camera = self.clone();
                            blocking(move || camera.give_way(job, &history)).await?;
                        }
                        _ => return Err(not_what_was_sent()),
                    }
                }
                _ => return Err(not_what_was_sent()),
            }
        }
        Err(Error::NameTaken)
    }

    pub(super) async fn make_mount(&self, mount: &str, cancel: &CancelToken) -> Result<()> {
        if self.moving.lock().mounts.contains(mount) {
            return Ok(());
        }
        let path: RemotePath = self.remote_path(mount, "")?;
        self.remote.make_folder(&path, cancel).await?;
        self.moving.lock().mounts.insert(mount.to_owned());
        Ok(())
    }

    /// Notes durably, of many at once, that they are about to be announced.
    pub(super) fn begin_all(&self, entries: &[EntryRow]) -> Result<()> {
        let new = entries.iter().filter(|entry| !entry.begun);
        let new: Vec<i64> = new.map(|entry| entry.n).collect();
        match new.is_empty() {
            true => Ok(()),
            false => self.store.camera(|ledger| ledger.begin_entries(&new)),
        }
    }

    /// What is to be sent, and from where; what nobody can give any more is wanted no more.
    fn job(&self, n: i64) -> Result<Option<Job>> {
        let found = self.store.camera_read(|ledger| {
            let Some(entry) = ledger.entry(n)?.filter(|entry| entry.state == PLACED) else {
                return Ok(None);
            };
            for resource in ledger.resources_of_entry(n)? {
                let same = resource.md5 == Some(entry.md5) && resource.size == Some(entry.size);
                if let (true, Some((asset, source))) = (same, owner(ledger, &resource)?)
                    && (resource.way == READ || resource.staged.is_some())
                {
                    return Ok(Some((entry, source, asset, resource)));
                }
            }
            Ok(None)
        })?;
        let Some((entry, source, asset, resource)) = found else {
            self.store.camera(|ledger| {
                ledger.want_resources_of(n)?;
                ledger.retire_entry(n)
            })?;
            return Ok(None);
        };
        let outgoing = Outgoing {
            size: entry.size,
            md5: entry.md5,
            blake3: resource.blake3,
            open: self.opener(&source, &asset, &resource),
        };
        Ok(Some(Job {
            entry,
            source,
            asset,
            resource,
            outgoing,
        }))
    }

    /// Opens a resource's bytes.
    pub(super) fn opener(
        &self,
        source: &SourceRow,
        asset: &AssetRow,
        resource: &ResourceRow,
    ) -> Arc<dyn Fn() -> Result<Arc<dyn Origin>> + Send + Sync> {
        let path: PathBuf = match &resource.staged {
            Some(staged) => self.dir.join(staged),
            None => path_of(source, asset, resource),
        };
        Arc::new(move || {
            let file = open_plain(&path)?.ok_or_else(|| Error::invalid("no plain file"))?;
            let path = path.clone();
            Ok(Arc::new(Foreign { file, path }))
        })
    }

    /// It was read there: that is durable before what was staged of it goes.
    pub(super) fn proven(&self, n: i64, history: &FileHistory) -> Result<()> {
        let now = self.store.now_ms();
        let staged = self.store.camera_lightly(|ledger| {
            let Some(entry) = ledger.entry(n)? else {
                return Ok(Vec::new());
            };
            if !has(history, &entry) {
                return Ok(Vec::new());
            }
            let current = history.file.current.as_ref();
            ledger.put_entry(&EntryRow {
                state: VERIFIED,
                wanted: None,
                uuid: history.file.uuid,
                revision: current.and_then(|current| current.number),
                verified_ms: Some(now),
                attempts: 0,
                until_ms: None,
                held: None,
                ..entry
            })?;
            let mut staged = Vec::new();
            for mut resource in ledger.resources_of_entry(n)? {
                if let Some(file) = resource.staged.take() {
                    staged.push(file);
                    ledger.put_resource(&resource)?;
                }
            }
            Ok(staged)
        })?;
        for file in staged {
            self.disk.remove(&self.dir.join(file))?;
        }
        Ok(())
    }

    /// Its path is another content's: that is remembered, and ours gets another path.
    fn give_way(&self, job: Job, history: &FileHistory) -> Result<()> {
        let Some(there) = history.file.current.as_ref() else {
            return Err(Error::bad_answer("a file without content"));
        };
        let zone = job.asset.zone_minutes;
        let taken = job
            .asset
            .taken
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let taken = taken.unwrap_or(super::capture_time::CaptureTime {
            utc_ms: job.asset.first_seen_ms,
            offset_minutes: zone,
            source: super::capture_time::DateSource::FirstSeen,
        });
        self.store.camera(|ledger| {
            let Some(entry) = ledger
                .entry(job.entry.n)?
                .filter(|entry| entry.state == PLACED)
            else {
                return Ok(());
            };
            if !ledger.is_at(&entry.mount, &entry.fold, &there.md5, there.size)? {
                ledger.put_entry(&EntryRow {
                    n: 0,
                    md5: there.md5,
                    size: there.size,
                    state: ADOPTED,
                    wanted: None,
                    uuid: history.file.uuid,
                    revision: there.number,
                    verified_ms: None,
                    ..entry.clone()
                })?;
            }
            let Some(mut asset) = ledger.asset(job.asset.n)? else {
                return Ok(());
            };
            let places = Places {
                ledger,
                source: &job.source,
                rank: rank(&asset, &About::of(&asset)),
            };
            let read = Read {
                md5: entry.md5,
                size: entry.size,
                taken,
                modified_ms: entry.modified_ms,
            };
            let path = places.other_path(&mut asset, &job.resource, &read)?;
            ledger.put_asset(&asset)?;
            ledger.put_entry(&EntryRow {
                fold: fold(&path),
                path,
                ..entry
            })?;
            Ok(())
        })
    }

    /// What follows from a failure; `own` if others had no trouble meanwhile. What ends a run comes back as the error.
    pub(super) fn send_failed(&self, n: i64, error: Error, own: bool) -> Result<()> {
        if matches!(
            error,
            Error::Cancelled | Error::Paused | Error::Closed | Error::StoreBusy | Error::DiskFull
        ) {
            return Err(error);
        }
        if Pause::for_error(&self.store, &error, own)? {
            return Ok(());
        }
        let now = self.store.now_ms();
        self.store.camera(|ledger| {
            if matches!(
                error,
                Error::DiskFailed { .. } | Error::InvalidArgument { .. }
            ) {
                return read_again(ledger, n, now, &error);
            }
            let Some(entry) = ledger.entry(n)?.filter(|entry| entry.state == PLACED) else {
                return Ok(());
            };
            let attempts = entry.attempts + 1;
            let (class, status) = Class::of(&error);
            let park = match error {
                Error::NameRefused { .. } => Some(CameraPark::Refused),
                Error::Refused { .. } if attempts >= PATIENCE => Some(CameraPark::Refused),
                _ => (attempts >= PATIENCE).then_some(CameraPark::ManyFailures),
            };
            let held = park.map_or(Held::Failed { class, status }, Held::Park);
            ledger.put_entry(&EntryRow {
                attempts,
                until_ms: Some(after_failures(now, attempts)),
                held: Some(held.text()),
                wanted: entry.wanted.filter(|_| park.is_none()),
                ..entry
            })?;
            Ok(())
        })
    }
}

/// The bytes are not what was hashed, or cannot be read: they are hashed again, and get another place if they must.
fn read_again(ledger: &CameraLedger<'_>, n: i64, now_ms: i64, error: &Error) -> Result<()> {
    for resource in ledger.resources_of_entry(n)? {
        let Some(asset) = ledger.asset(resource.asset)? else {
            continue;
        };
        let attempts = resource.attempts;
        let row = ResourceRow {
            md5: None,
            blake3: None,
            staged: None,
            entry: None,
            wanted: (asset.here == HERE && asset.skipped.is_none())
                .then(|| rank(&asset, &About::of(&asset))),
            ..failed(resource, now_ms, error, None)
        };
        let unstable = attempts + 1 >= READINGS;
        ledger.put_resource(&ResourceRow {
            until_ms: Some(now_ms + SETTLE_MS),
            held: unstable
                .then(|| Held::Park(CameraPark::UnstableSource).text())
                .or(row.held.clone()),
            wanted: row.wanted.filter(|_| !unstable),
            ..row
        })?;
    }
    ledger.retire_entry(n)
}

fn not_what_was_sent() -> Error {
    Error::ContentMismatch {
        detail: "not the file that was sent".into(),
    }
}

/// Whether a file there is what an entry says.
pub(super) fn has(history: &FileHistory, entry: &EntryRow) -> bool {
    let current = history.file.current.as_ref();
    current.is_some_and(|current| (current.md5, current.size) == (entry.md5, entry.size))
}
