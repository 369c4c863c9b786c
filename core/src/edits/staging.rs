//! The staged bytes: files of our own, in `unsent`, named by item and a random part, never by a remote name.
//!
//! Invariants:
//! - A file has its final name only when all of its bytes are on the disk; until then it is a `.part`. So a final name with
//!   half a content is never seen, after a power cut either.
//! - Bytes are read once, for both hashes together, in pieces: memory does not grow with the file.
//! - Whoever makes a staged file holds its lock until a row names it. The lock goes with the file through the rename and ends
//!   with a kill, so that another process can tell work under way from what a kill has left.
//! - A file that is taken is renamed away last of all, after it was hashed and synced where it was: a call that fails leaves
//!   it to its owner.

use crate::catalog::Id;
use crate::disk::{BlockFile, Disk, PlainFile, open_plain};
use crate::edits::{NewContent, Ownership};
use crate::sending::{Hashed, PIECE, both_hashes};
use crate::{Error, Result};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

/// Bytes that are written before they are brought to the disk beside the copying.
const SYNC_EVERY: u64 = 32 * 1024 * 1024;
/// The end of a name that is not final yet.
const PART: &str = ".part";
/// How long a look of another process may take, in milliseconds.
const LOOKS: u32 = 2_000;

/// The directory of staged files.
#[derive(Clone)]
pub(super) struct Staging {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// The volume has refused a clone. Each refusal is a file made and deleted, and ext4 and its like pass over what was
    /// deleted just now, one after another, whenever they make a file; so with many files it is asked once.
    no_clones: Arc<AtomicBool>,
}

/// A staged file that no row names yet, locked until this is dropped.
pub(super) struct Fresh {
    pub staged: Hashed,
    /// What is to become of the caller's file.
    pub source: Source,
    _lock: Box<dyn BlockFile>,
}

/// A caller's file, after its bytes were staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It stays where it is.
    Stays,
    /// It was copied and is ours: it is removed once a row names the copy.
    Copied(PathBuf),
    /// It is the staged file itself. If no row will name it, it goes back.
    Renamed(PathBuf),
}

impl Staging {
    pub fn new(disk: Arc<dyn Disk>, directory: &Path) -> Result<Self> {
        let dir = directory.join("unsent");
        disk.create_dirs(&dir)?;
        Ok(Self {
            disk,
            dir,
            no_clones: Arc::default(),
        })
    }

    /// A name for a new staged file of an item.
    pub fn new_name(id: &Id) -> Result<String> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| Error::bug("no random numbers"))?;
        let (id, random) = (u128::from_be_bytes(*id), u64::from_be_bytes(random));
        Ok(format!("{id:032x}-{random:016x}"))
    }

    /// Where a staged file is. A name that is not ours is a bug.
    pub fn path(&self, file: &str) -> Result<PathBuf> {
        crate::store::check_file(file)?;
        Ok(self.dir.join(file))
    }

    fn part(&self, file: &str) -> Result<PathBuf> {
        crate::store::check_file(file)?;
        Ok(self.dir.join(format!("{file}{PART}")))
    }

    /// Brings a caller's file here (clone, rename or copy), reads all of it once for both hashes, and makes it durable.
    /// `room` is asked for the bytes of a copy, and keeps them free until it is dropped.
    ///
    /// Errors: `InvalidArgument` (not a plain file), `DiskFull`, `DiskFailed` (also a file that changes while it is read,
    /// complaint no. 26); then nothing stays here, and the caller's file stays there.
    pub fn stage<R>(
        &self,
        content: &NewContent<'_>,
        file: &str,
        room: impl Fn(u64) -> Result<R>,
    ) -> Result<Fresh> {
        let source = match open_plain(content.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => opened?,
        };
        let source = source.ok_or_else(|| Error::invalid("the content is not a plain file"))?;
        if content.ownership == Ownership::Take
            && let Some(fresh) = self.rename(&source, content.path, file)?
        {
            return Ok(fresh);
        }
        let part = self.part(file)?;
        let done = match self.clone(&source, content.path, &part) {
            Ok(Some(cloned)) => Ok(cloned),
            Ok(None) => room(source.size()).and_then(|_room| self.copy(&source, &part)),
            Err(error) => Err(error),
        };
        let named = done.and_then(|(lock, staged)| {
            if !source.is_unchanged(content.path)? {
                return Err(moved());
            }
            self.disk.rename(&part, &self.path(file)?)?;
            Ok((lock, staged))
        });
        match named {
            Ok((lock, staged)) => Ok(Fresh {
                staged,
                source: match content.ownership {
                    Ownership::Borrow => Source::Stays,
                    Ownership::Take => Source::Copied(content.path.to_owned()),
                },
                _lock: lock,
            }),
            Err(error) => {
                // The error is what matters; what cannot be removed now is a stray, which the next start removes.
                drop(self.remove(file));
                Err(error)
            }
        }
    }

    /// Takes a file by its name, if it is on this volume and nobody else can have it.
    fn rename(&self, source: &PlainFile, from: &Path, file: &str) -> Result<Option<Fresh>> {
        if source.links()? != 1 || !source.is_on_volume_of(&self.dir)? {
            return Ok(None);
        }
        // Written to from now on only by us: what cannot be written is copied.
        let Ok(lock) = self.disk.open_blocks(from, false) else {
            return Ok(None);
        };
        if !lock.try_lock(true)? {
            return Ok(None);
        }
        let staged = hash(&*lock)?;
        lock.sync()?;
        if !source.is_unchanged(from)? || staged.size != source.size() {
            return Err(moved());
        }
        let to = self.path(file)?;
        match self.disk.rename(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => return Ok(None),
            done => done?,
        }
        if !source.is_unchanged(&to)? {
            self.disk.rename(&to, from)?;
            return Err(moved());
        }
        Ok(Some(Fresh {
            staged,
            source: Source::Renamed(from.to_owned()),
            _lock: lock,
        }))
    }

    /// `None` where the volume cannot.
    fn clone(
        &self,
        source: &PlainFile,
        from: &Path,
        part: &Path,
    ) -> Result<Option<(Box<dyn BlockFile>, Hashed)>> {
        if self.no_clones.load(Ordering::Relaxed) || !source.is_on_volume_of(&self.dir)? {
            return Ok(None);
        }
        if !self.disk.clone_file(from, part)? {
            self.no_clones.store(true, Ordering::Relaxed);
            return Ok(None);
        }
        let Ok(file) = self.disk.open_blocks(part, false) else {
            // A clone may have the rights of what it was made from.
            self.disk.remove(part)?;
            return Ok(None);
        };
        lock(&*file)?;
        let staged = hash(&*file)?;
        file.sync()?;
        Ok(Some((file, staged)))
    }

    fn copy(&self, source: &PlainFile, part: &Path) -> Result<(Box<dyn BlockFile>, Hashed)> {
        let file = self.disk.open_blocks(part, true)?;
        lock(&*file)?;
        let staged = copy(source, &*file)?;
        file.sync()?;
        Ok((file, staged))
    }

    /// Makes a staged file that will be written to, filled with what `base` reads. Locked by the handle that is returned.
    pub fn begin<R>(
        &self,
        file: &str,
        base: Option<&Path>,
        room: impl Fn(u64) -> Result<R>,
    ) -> Result<Box<dyn BlockFile>> {
        let (part, path) = (self.part(file)?, self.path(file)?);
        let made = (|| {
            let made = match base {
                None => {
                    let made = self.disk.open_blocks(&part, true)?;
                    lock(&*made)?;
                    made.sync()?;
                    made
                }
                Some(from) => {
                    let source = open_plain(from)?
                        .ok_or_else(|| Error::bug("a content of ours that is no file"))?;
                    match self.clone(&source, from, &part)? {
                        Some((made, _)) => made,
                        None => {
                            let _room = room(source.size())?;
                            self.copy(&source, &part)?.0
                        }
                    }
                }
            };
            self.disk.rename(&part, &path)?;
            Ok(made)
        })();
        if made.is_err() {
            drop(self.remove(file));
        }
        made
    }

    /// Opens a staged file. Who reads goes on reading, whatever becomes of its name.
    pub fn open(&self, file: &str) -> Result<Box<dyn BlockFile>> {
        Ok(self.disk.open_blocks(&self.path(file)?, false)?)
    }

    /// Both hashes of a staged file.
    pub fn hash(&self, file: &str) -> Result<Hashed> {
        hash(&*self.open(file)?)
    }

    /// Removes a staged file, whole or not; fine if there is none.
    pub fn remove(&self, file: &str) -> Result<()> {
        self.disk.remove(&self.part(file)?)?;
        Ok(self.disk.remove(&self.path(file)?)?)
    }

    /// Takes a lock of the drive's own, alone or shared, which a kill frees; `None` while somebody else has it.
    pub fn lock(&self, name: &str, alone: bool) -> Result<Option<Box<dyn BlockFile>>> {
        let file = self.disk.open_blocks(&self.dir.join(name), true)?;
        Ok(if file.try_lock(alone)? {
            Some(file)
        } else {
            None
        })
    }

    /// Writes a copy of a staged file to `dest`, over whatever is there.
    pub fn copy_out(&self, file: &str, dest: &Path) -> Result<()> {
        let dir = dest
            .parent()
            .ok_or_else(|| Error::invalid("a destination without a directory"))?;
        let near = dir.join(format!(".lomme-{:016x}.once", fastrand::u64(..)));
        let done = (|| {
            if !self.disk.clone_file(&self.path(file)?, &near)? {
                let from = self.open(file)?;
                let to = self.disk.open_blocks(&near, true)?;
                let mut buffer = vec![0; PIECE];
                let mut at = 0;
                loop {
                    let read = from.read_at(&mut buffer, at)?;
                    if read == 0 {
                        break;
                    }
                    to.write_at(&buffer[..read], at)?;
                    at += read as u64;
                }
            }
            self.disk.open_append(&near)?.sync()?;
            Ok(self.disk.rename(&near, dest)?)
        })();
        if done.is_err() {
            drop(self.disk.remove(&near));
        }
        done
    }

    /// The length of a staged file; `None` if there is none.
    pub fn len(&self, file: &str) -> Result<Option<u64>> {
        Ok(self.disk.len(&self.path(file)?)?)
    }

    /// Puts a file that was taken back to its owner, unless something else is there by now: then it stays here.
    pub fn give_back(&self, file: &str, to: &Path) -> Result<bool> {
        if self.disk.len(to)?.is_some() {
            return Ok(false);
        }
        self.disk.rename(&self.path(file)?, to)?;
        Ok(true)
    }

    /// Removes a caller's file that was copied and is ours.
    pub fn remove_source(&self, path: &Path) -> Result<()> {
        Ok(self.disk.remove(path)?)
    }

    /// The names of all staged files, of those not whole too.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for name in self.disk.names(&self.dir)? {
            let Some(name) = name.to_str() else { continue };
            let name = name.strip_suffix(PART).unwrap_or(name);
            if crate::store::check_file(name).is_ok() {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Removes what a kill has left of a content that was handed out into here, unless it is young.
    pub fn remove_halves(&self, young: impl Fn(Option<i64>) -> bool) -> Result<()> {
        for name in self.disk.names(&self.dir)? {
            let half = name
                .to_str()
                .is_some_and(|name| name.starts_with(".lomme-") && name.ends_with(".once"));
            let path = self.dir.join(&name);
            if half && !young(self.disk.written_ms(&path)?) {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Whether somebody, in any process, is making or writing this file.
    pub fn is_live(&self, file: &str) -> Result<bool> {
        for path in [self.part(file)?, self.path(file)?] {
            match self.disk.open_blocks(&path, false) {
                Ok(found) if !found.try_lock(false)? => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// When a staged file was last written, in milliseconds since the epoch; `None` if there is none.
    pub fn written_ms(&self, file: &str) -> Result<Option<i64>> {
        let whole = self.disk.written_ms(&self.path(file)?)?;
        Ok(whole.max(self.disk.written_ms(&self.part(file)?)?))
    }
}

fn moved() -> Error {
    Error::DiskFailed {
        detail: "the file changed while it was read".into(),
    }
}

/// Locks a new file. A start of another process may have it for the moment of a look.
fn lock(file: &dyn BlockFile) -> Result<()> {
    for _ in 0..LOOKS {
        if file.try_lock(true)? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(Error::bug("a new staged file that somebody has"))
}

/// Reads all of a file for both hashes.
pub(super) fn hash(file: &dyn BlockFile) -> Result<Hashed> {
    both_hashes(|piece, at| Ok(file.read_at(piece, at)?))
}

/// Copies a file and hashes it. What was written goes to the disk meanwhile, so that the caller's sync finds little to do.
fn copy(source: &PlainFile, to: &dyn BlockFile) -> Result<Hashed> {
    thread::scope(|scope| {
        let mut begun: Option<ScopedJoinHandle<'_, io::Result<()>>> = None;
        let mut synced = 0;
        let staged = both_hashes(|piece, at| {
            // Not further than it was long: one that grows as fast as it is read would have no end.
            let left = source.size().saturating_sub(at);
            if left == 0 {
                return Ok(0);
            }
            let most = left.min(piece.len() as u64) as usize;
            let read = source.read_at(&mut piece[..most], at)?;
            if read == 0 {
                return Err(moved());
            }
            to.write_at(&piece[..read], at)?;
            let idle = begun.as_ref().is_none_or(ScopedJoinHandle::is_finished);
            if idle && at - synced >= SYNC_EVERY {
                ended(begun.take())?;
                synced = at;
                // Without a thread it is all left to the caller's sync.
                let sync = thread::Builder::new().name("lomme-sync".into());
                begun = sync.spawn_scoped(scope, || to.sync()).ok();
            }
            Ok(read)
        })?;
        ended(begun)?;
        Ok(staged)
    })
}

/// What became of a sync. The system tells each failure to write once, so none may go unheard.
fn ended(sync: Option<ScopedJoinHandle<'_, io::Result<()>>>) -> Result<()> {
    match sync.map(ScopedJoinHandle::join) {
        None => Ok(()),
        Some(Ok(done)) => Ok(done?),
        Some(Err(_)) => Err(Error::bug("a sync that stopped")),
    }
}

#[cfg(test)]
#[path = "staging_tests.rs"]
mod tests;
