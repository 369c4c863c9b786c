//! A disk that dies at a chosen step: a kill at every step of the core, in one process.
//!
//! A step is a write, a name, a durable mark, a commit of a database or a request of the service: whatever has an effect
//! beyond this process. From the step at which it dies, every one fails and nothing happens any more, and what was not
//! synced before is lost, as in a power cut. The drive on it is dropped then and opened again on [`MortalDisk::again`].

use crate::ForgetfulDisk;
use lomme::disk::{BlockFile, Disk, OwnFile};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// [`ForgetfulDisk`] until its last step. Clones are one disk.
#[derive(Clone)]
pub struct MortalDisk {
    inner: ForgetfulDisk,
    fate: Arc<Fate>,
}

type Call = Box<dyn FnOnce() + Send>;

struct Fate {
    taken: AtomicU64,
    /// The step that is not taken any more.
    last: AtomicU64,
    /// What is to be done at which step.
    call: Mutex<Option<(u64, Call)>>,
}

impl Default for MortalDisk {
    fn default() -> Self {
        Self {
            inner: ForgetfulDisk::default(),
            fate: Arc::new(Fate {
                taken: AtomicU64::new(0),
                last: AtomicU64::new(u64::MAX),
                call: Mutex::default(),
            }),
        }
    }
}

impl MortalDisk {
    /// Dies after so many more steps; with 0 at the next.
    pub fn die_after(&self, steps: u64) {
        let last = self.fate.taken.load(SeqCst).saturating_add(steps);
        self.fate.last.store(last, SeqCst);
    }

    /// Calls this before the step that comes after so many more, in place of what was to be called before.
    pub fn call_after(&self, steps: u64, call: impl FnOnce() + Send + 'static) {
        let at = self.fate.taken.load(SeqCst) + steps;
        *self.fate.call.lock().unwrap() = Some((at, Box::new(call)));
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.fate.taken.load(SeqCst)
    }

    /// Whether it has died.
    pub fn is_dead(&self) -> bool {
        self.fate.taken.load(SeqCst) >= self.fate.last.load(SeqCst)
    }

    /// The disk of the next process. This one is dead from now on, for whoever still has it; what it did not sync is lost.
    pub fn again(&self) -> Self {
        self.fate.last.store(0, SeqCst);
        self.inner.forget();
        Self::default()
    }
}

impl Fate {
    /// Takes a step, unless dead. Dying is for good: the count stands still then.
    fn step(&self) -> io::Result<()> {
        self.call();
        let last = self.last.load(SeqCst);
        let taken = self
            .taken
            .fetch_update(SeqCst, SeqCst, |taken| (taken < last).then_some(taken + 1));
        taken.map(drop).map_err(|_| dead())
    }

    fn call(&self) {
        let mut call = self.call.lock().unwrap();
        let due = call.take_if(|(at, _)| self.taken.load(SeqCst) >= *at);
        drop(call);
        if let Some((_, call)) = due {
            call();
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.taken.load(SeqCst) < self.last.load(SeqCst) {
            Ok(())
        } else {
            Err(dead())
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("this process is dead")
}

impl Disk for MortalDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.fate.step()?;
        self.inner.create_dirs(dir)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        self.fate.step()?;
        Ok(Box::new(MortalFile {
            file: self.inner.open_append(path)?,
            fate: self.fate.clone(),
        }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.fate.check()?;
        self.inner.open_read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.fate.check()?;
        self.inner.len(path)
    }

    fn written_ms(&self, path: &Path) -> io::Result<Option<i64>> {
        self.fate.check()?;
        self.inner.written_ms(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fate.step()?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.fate.step()?;
        self.inner.remove(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.fate.check()?;
        self.inner.names(dir)
    }

    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        if create {
            self.fate.step()?;
        } else {
            self.fate.check()?;
        }
        Ok(Box::new(MortalBlocks {
            file: self.inner.open_blocks(path, create)?,
            fate: self.fate.clone(),
        }))
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        self.fate.step()?;
        self.inner.clone_file(from, to)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        self.fate.check()?;
        self.inner.free_space(dir)
    }

    fn alive(&self) -> io::Result<()> {
        self.fate.step()
    }
}

struct MortalFile {
    file: Box<dyn OwnFile>,
    fate: Arc<Fate>,
}

impl Write for MortalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fate.step()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.fate.check()?;
        self.file.flush()
    }
}

impl OwnFile for MortalFile {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.fate.step()?;
        self.file.truncate(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fate.step()?;
        self.file.sync()
    }
}

struct MortalBlocks {
    file: Box<dyn BlockFile>,
    fate: Arc<Fate>,
}

impl BlockFile for MortalBlocks {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.fate.check()?;
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.fate.step()?;
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fate.step()?;
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.fate.check()?;
        self.file.len()
    }

    fn disk_bytes(&self) -> io::Result<u64> {
        self.fate.check()?;
        self.file.disk_bytes()
    }

    fn sync(&self) -> io::Result<()> {
        self.fate.step()?;
        self.file.sync()
    }

    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        self.fate.check()?;
        self.file.try_lock(alone)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.fate.check()?;
        self.file.is_at(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_its_last_step_nothing_has_an_effect_and_what_was_not_synced_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, path) = (MortalDisk::default(), dir.path().join("a"));
        let mut file = disk.open_append(&path).unwrap();
        file.write_all(b"kept").unwrap();
        file.sync().unwrap();
        disk.die_after(1);
        file.write_all(b" lost").unwrap();
        assert!(disk.is_dead());
        assert!(file.sync().is_err());
        assert!(disk.alive().is_err());
        assert!(disk.rename(&path, &dir.path().join("b")).is_err());
        let next = disk.again();
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
        assert!(disk.alive().is_err());
        assert!(next.alive().is_ok());
    }
}
