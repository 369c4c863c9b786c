//! Thumbnails: small files beside the cache, one for each item, version and size.
//!
//! - One is fetched when it is asked for, never the file, and never another size. Who asks for the same at the same
//!   time waits for the one request.
//! - What came is on the disk as a whole before it has its name, which is made of id, version and size only. Its first
//!   bytes must be those of a JPEG, PNG or WebP: nothing else is ever handed to a decoder.
//! - A content that is not sent has none, and the one of what the service has is not shown for it.
//! - An empty file says that the service has none. It is believed for a day: a service may make it later.
//! - They have a budget of their own, and the longest unused go first.

use super::ledger::ByteKey;
use super::{Content, Purpose, Thumbnail, ThumbnailSize, Wanted};
use crate::catalog::{ItemId, id_bytes};
use crate::disk::{Disk, OwnFile};
use crate::drive::Busy;
use crate::remote::Body;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;

/// A longer one is none.
const LONGEST: u64 = 4 << 20;
/// Bytes of all of them.
const BUDGET: u64 = 64 << 20;
/// What a file takes on most volumes at the least.
const BLOCK: u64 = 4096;
/// Bytes that are gathered before they are written.
const GATHER: usize = 128 << 10;
/// How many first bytes tell what it is.
const MAGIC: usize = 12;
/// How long "the service has none" is believed.
const NONE_MS: i64 = 24 * 3600 * 1000;
/// A use is noted at most this often.
const USED_MS: i64 = 10 * 60 * 1000;
/// What a killed process has left is this old at the least.
const LEFT_MS: i64 = 10 * 60 * 1000;

/// The last failure of one thumbnail's requests, for those who have waited for it.
type Turn = tokio::sync::Mutex<Option<(Instant, Error)>>;

/// The thumbnails of one directory.
pub(super) struct Thumbnails {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    lanes: Semaphore,
    turns: Mutex<HashMap<String, Arc<Turn>>>,
    /// About how much they take, once counted.
    weight: Mutex<Option<u64>>,
}

/// A thumbnail's name, and the part of it that all versions of the item share.
#[derive(Clone)]
struct Name {
    item: String,
    version: String,
    size: &'static str,
}

impl Name {
    fn of(wanted: &Wanted, size: ThumbnailSize) -> Self {
        let hex: String = wanted
            .md5
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            item: format!("{}-", wanted.item.id),
            version: format!("{hex}-{}-", wanted.size),
            size: word(size),
        }
    }

    fn text(&self) -> String {
        format!("{}{}{}", self.item, self.version, self.size)
    }

    /// Whether `other` is of an older version of the item.
    fn replaces(&self, other: &str) -> bool {
        other
            .strip_prefix(&self.item)
            .is_some_and(|rest| !rest.starts_with(&self.version))
    }
}

fn word(size: ThumbnailSize) -> &'static str {
    match size {
        ThumbnailSize::Small => "WS",
        ThumbnailSize::Medium => "WM",
        ThumbnailSize::Large => "WL",
        ThumbnailSize::Huge => "WXL",
    }
}

/// What the first bytes say.
fn kind(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

impl Content {
    pub(super) async fn thumbnail_inner(
        &self,
        id: &ItemId,
        size: ThumbnailSize,
        cancel: &CancelToken,
    ) -> Result<Option<Thumbnail>> {
        match self.thumbnail_of(id, size, cancel).await {
            // Not at its place any more: the catalogue finds out whether it is gone or has moved.
            Err(Error::NoSuchItem { .. }) => {
                self.catalog.refresh_inner(id, cancel).await?;
                self.thumbnail_of(id, size, cancel).await
            }
            done => done,
        }
    }

    async fn thumbnail_of(
        &self,
        id: &ItemId,
        size: ThumbnailSize,
        cancel: &CancelToken,
    ) -> Result<Option<Thumbnail>> {
        let (catalog, store, of) = (self.catalog.clone(), self.store.clone(), id.clone());
        let (wanted, unsent) = blocking(move || {
            let wanted = catalog.wanted(&of)?;
            let id = id_bytes(&of).ok_or_else(|| Error::bug("an item without an id"))?;
            // After the content, so that what is sent meanwhile is on the service by now.
            Ok((wanted, store.has_unsent(&id)?))
        })
        .await?;
        let name = Name::of(&wanted, size);
        if let Some(known) = self.kept(&name).await? {
            return Ok(known);
        }
        if unsent {
            return Ok(None);
        }
        let (place, asked) = (self.thumbnails.place(name.text()), Instant::now());
        let mut turn = cancel.run(async { Ok(place.turn.lock().await) }).await?;
        if let Some((when, error)) = &*turn
            && *when >= asked
        {
            return Err(error.clone());
        }
        if let Some(known) = self.kept(&name).await? {
            return Ok(known);
        }
        let lane = async {
            let lane = self.thumbnails.lanes.acquire().await;
            lane.map_err(|_| Error::bug("closed lanes"))
        };
        let _lane = cancel.run(lane).await?;
        let got = self.fetch_thumbnail(&wanted, &name, cancel).await;
        if let Err(error) = &got
            && !matches!(error, Error::Cancelled | Error::Paused | Error::Closed)
        {
            *turn = Some((Instant::now(), error.clone()));
        }
        got
    }

    /// What is known here of a thumbnail.
    async fn kept(&self, name: &Name) -> Result<Option<Option<Thumbnail>>> {
        let (thumbnails, name) = (self.thumbnails.clone(), name.text());
        let now_ms = self.store.now_ms();
        blocking(move || thumbnails.kept(&name, now_ms)).await
    }

    async fn fetch_thumbnail(
        &self,
        wanted: &Wanted,
        name: &Name,
        cancel: &CancelToken,
    ) -> Result<Option<Thumbnail>> {
        let word = name.size;
        let body = self.remote.thumb(&wanted.path, word, cancel).await?;
        let (thumbnails, text, busy) = (self.thumbnails.clone(), name.text(), self.life.busy()?);
        let mut new = blocking(move || New::begin(thumbnails, &text, busy)).await?;
        if let Some(mut body) = body {
            let key = ByteKey {
                space: wanted.item.space,
                purpose: Purpose::Thumbnail,
            };
            // Received is received, whatever becomes of it.
            let count = |bytes| self.ledger.add(key, self.network(), bytes);
            let call = self.ledger.begin();
            let got = receive(new, &mut body, count, cancel).await;
            let counted = match call.end() {
                Some(ledger) => blocking(move || ledger.write_if_can()).await,
                None => Ok(()),
            };
            new = got?;
            counted?;
        }
        let name = name.clone();
        blocking(move || new.finish(&name)).await
    }
}

/// Writes a body until it ends or cannot be a thumbnail.
async fn receive(
    mut new: New,
    body: &mut Body,
    count: impl Fn(u64),
    cancel: &CancelToken,
) -> Result<New> {
    let mut gathered = Vec::new();
    loop {
        let chunk = body.next(cancel).await?;
        let ended = chunk.is_none();
        if let Some(bytes) = chunk {
            count(bytes.len() as u64);
            gathered.extend_from_slice(&bytes);
        }
        let begins = new.len == 0 && (ended || gathered.len() >= MAGIC);
        let unlike = begins && kind(&gathered).is_none();
        if unlike || new.len + gathered.len() as u64 > LONGEST {
            new.is_none = true;
            return Ok(new);
        }
        if ended || gathered.len() >= GATHER {
            let bytes = std::mem::take(&mut gathered);
            new = blocking(move || new.write(&bytes)).await?;
        }
        if ended {
            return Ok(new);
        }
    }
}

/// One that is being written, under a hidden name until it is whole. Dropped before that it leaves nothing.
struct New {
    thumbnails: Arc<Thumbnails>,
    path: PathBuf,
    file: Box<dyn OwnFile>,
    len: u64,
    head: Vec<u8>,
    /// The service has none, or nothing that can be used.
    is_none: bool,
    finished: bool,
    _busy: Busy,
}

impl New {
    fn begin(thumbnails: Arc<Thumbnails>, name: &str, busy: Busy) -> Result<Self> {
        thumbnails.disk.create_dirs(&thumbnails.dir)?;
        let hidden = format!(".{name}.{:08x}", fastrand::u32(..));
        let path = thumbnails.dir.join(hidden);
        Ok(Self {
            file: thumbnails.disk.open_append(&path)?,
            thumbnails,
            path,
            len: 0,
            head: Vec::new(),
            is_none: false,
            finished: false,
            _busy: busy,
        })
    }

    fn write(mut self, bytes: &[u8]) -> Result<Self> {
        if self.len == 0 {
            self.head = bytes[..bytes.len().min(MAGIC)].to_vec();
        }
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(self)
    }

    /// Gives it its name, and takes away what it replaces.
    fn finish(mut self, name: &Name) -> Result<Option<Thumbnail>> {
        let mime = kind(&self.head).filter(|_| !self.is_none);
        if mime.is_none() {
            self.file.truncate(0)?;
            self.len = 0;
        }
        self.file.sync()?;
        let path = self.thumbnails.dir.join(name.text());
        self.thumbnails.disk.rename(&self.path, &path)?;
        self.finished = true;
        self.thumbnails.tidy(name, self.len)?;
        Ok(mime.map(|mime| Thumbnail { path, mime }))
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is swept when the drive is opened again.
            let _ = self.thumbnails.disk.remove(&self.path);
        }
    }
}

/// A place in the queue for one thumbnail; the queue goes with the last of them.
struct Waiting<'a> {
    thumbnails: &'a Thumbnails,
    name: String,
    turn: Arc<Turn>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut turns = self.thumbnails.turns();
        // The map's own and ours.
        if Arc::strong_count(&self.turn) <= 2 {
            turns.remove(&self.name);
        }
    }
}

impl Thumbnails {
    /// Of a drive in `directory`; `extension` for the small memory of one.
    pub fn new(
        disk: Arc<dyn Disk>,
        directory: &Path,
        extension: bool,
        now_ms: i64,
    ) -> Result<Self> {
        let dir = directory.join("thumbs");
        sweep(&*disk, &dir, now_ms)?;
        Ok(Self {
            disk,
            dir,
            lanes: Semaphore::new(if extension { 2 } else { 4 }),
            turns: Mutex::default(),
            weight: Mutex::default(),
        })
    }

    fn turns(&self) -> MutexGuard<'_, HashMap<String, Arc<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, name: String) -> Waiting<'_> {
        let turn = self.turns().entry(name.clone()).or_default().clone();
        Waiting {
            thumbnails: self,
            name,
            turn,
        }
    }

    fn kept(&self, name: &str, now_ms: i64) -> Result<Option<Option<Thumbnail>>> {
        let path = self.dir.join(name);
        let (Some(len), Some(written)) = (self.disk.len(&path)?, self.disk.written_ms(&path)?)
        else {
            return Ok(None);
        };
        let age = now_ms.saturating_sub(written);
        if len == 0 {
            return Ok((-NONE_MS..NONE_MS).contains(&age).then_some(None));
        }
        let head = match self.disk.open_read(&path) {
            Ok(file) => {
                let mut head = Vec::new();
                file.take(MAGIC as u64).read_to_end(&mut head)?;
                head
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(mime) = kind(&head) else {
            return Ok(None);
        };
        if age > USED_MS {
            // The same byte again: all that changes is when it was last written. A use that is not noted costs nothing.
            let file = self.disk.open_blocks(&path, false);
            let _ = file.and_then(|file| file.write_at(&head[..1], 0));
        }
        Ok(Some(Some(Thumbnail { path, mime })))
    }

    /// After a new one: older versions of the item go, and what is too much.
    fn tidy(&self, new: &Name, len: u64) -> Result<()> {
        let name = new.text();
        let mut weight = self.weight.lock().unwrap_or_else(PoisonError::into_inner);
        for old in self.names()? {
            if new.replaces(&old) {
                self.disk.remove(&self.dir.join(old))?;
                *weight = None;
            }
        }
        let counted = match *weight {
            Some(before) => before + weight_of(len),
            None => self.all()?.iter().map(|one| one.weight).sum(),
        };
        *weight = Some(counted);
        if counted <= BUDGET {
            return Ok(());
        }
        let mut all = self.all()?;
        all.sort_by_key(|one| one.written_ms);
        let mut left = all.iter().map(|one| one.weight).sum::<u64>();
        for one in all.iter().filter(|one| one.name != name) {
            if left <= BUDGET / 10 * 9 {
                break;
            }
            self.disk.remove(&self.dir.join(&one.name))?;
            left -= one.weight;
        }
        *weight = Some(left);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        let names = self.disk.names(&self.dir)?.into_iter();
        let names = names.filter_map(|name| name.into_string().ok());
        Ok(names.filter(|name| !name.starts_with('.')).collect())
    }

    fn all(&self) -> Result<Vec<Kept>> {
        let mut all = Vec::new();
        for name in self.names()? {
            let path = self.dir.join(&name);
            let (len, written) = (self.disk.len(&path)?, self.disk.written_ms(&path)?);
            if let (Some(len), Some(written_ms)) = (len, written) {
                all.push(Kept {
                    name,
                    weight: weight_of(len),
                    written_ms,
                });
            }
        }
        Ok(all)
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for name in self.names()? {
            bytes += self.disk.len(&self.dir.join(name))?.unwrap_or(0);
        }
        Ok(bytes)
    }

    /// Removes all of them, for a sign-out by choice.
    pub fn clear(&self) -> Result<()> {
        for name in self.disk.names(&self.dir)? {
            self.disk.remove(&self.dir.join(name))?;
        }
        *self.weight.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

struct Kept {
    name: String,
    weight: u64,
    written_ms: i64,
}

fn weight_of(len: u64) -> u64 {
    len.next_multiple_of(BLOCK).max(BLOCK)
}

/// Removes what killed processes have left half-written.
fn sweep(disk: &dyn Disk, dir: &Path, now_ms: i64) -> Result<()> {
    for name in disk.names(dir)? {
        let hidden = name.to_str().is_none_or(|name| name.starts_with('.'));
        let path = dir.join(name);
        let written = disk.written_ms(&path)?;
        let old = written.is_some_and(|written| now_ms.saturating_sub(written) > LEFT_MS);
        // Removed while it is ours, so that nobody else is writing it.
        if hidden
            && old
            && let Ok(_owned) = disk.open_append(&path)
        {
            disk.remove(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "thumbnail_tests.rs"]
mod tests;
