//! A disk that loses power: what was written but not synced is forgotten.

use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How much of a file survives a power cut.
type Durable = Arc<Mutex<HashMap<PathBuf, u64>>>;

/// Where a file was written since it was synced.
type Unsynced = Arc<Mutex<HashMap<PathBuf, Vec<(u64, usize)>>>>;

/// [`RealDisk`], until [`forget`](Self::forget) cuts each file back to what was synced. A file that is written anywhere
/// keeps its length, as on many file systems, and loses every other one of its newer writes.
#[derive(Clone, Default)]
pub struct ForgetfulDisk {
    durable: Durable,
    unsynced: Unsynced,
}

impl ForgetfulDisk {
    /// The power goes: every file written through this disk loses what was not synced.
    pub fn forget(&self) {
        for (path, writes) in self.unsynced.lock().unwrap().drain() {
            let Ok(file) = OpenOptions::new().write(true).open(&path) else {
                continue;
            };
            let older = writes.len() / 2;
            for (offset, len) in writes.into_iter().skip(older).step_by(2) {
                file.write_all_at(&vec![0; len], offset).unwrap();
            }
        }
        for (path, len) in self.durable.lock().unwrap().drain() {
            if path.exists() {
                OpenOptions::new()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_len(len)
                    .unwrap();
            }
        }
    }
}

struct Forgetful {
    path: PathBuf,
    file: Box<dyn OwnFile>,
    durable: Durable,
}

impl Disk for ForgetfulDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dirs(dir)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        let file = RealDisk.open_append(path)?;
        let len = RealDisk.len(path)?.unwrap_or(0);
        self.durable
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_insert(len);
        Ok(Box::new(Forgetful {
            path: path.to_owned(),
            file,
            durable: self.durable.clone(),
        }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        RealDisk.open_read(path)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        RealDisk.len(path)
    }

    fn written_ms(&self, path: &Path) -> io::Result<Option<i64>> {
        RealDisk.written_ms(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)?;
        let mut durable = self.durable.lock().unwrap();
        if let Some(len) = durable.remove(from) {
            durable.insert(to.to_owned(), len);
        }
        let mut unsynced = self.unsynced.lock().unwrap();
        unsynced.remove(to);
        if let Some(writes) = unsynced.remove(from) {
            unsynced.insert(to.to_owned(), writes);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.unsynced.lock().unwrap().remove(path);
        self.durable.lock().unwrap().remove(path);
        RealDisk.remove(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        RealDisk.names(dir)
    }

    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        Ok(Box::new(ForgetfulBlocks {
            path: path.to_owned(),
            file: RealDisk.open_blocks(path, create)?,
            unsynced: self.unsynced.clone(),
        }))
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        RealDisk.clone_file(from, to)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
    }
}

struct ForgetfulBlocks {
    path: PathBuf,
    file: Box<dyn BlockFile>,
    unsynced: Unsynced,
}

impl BlockFile for ForgetfulBlocks {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut unsynced = self.unsynced.lock().unwrap();
        let writes = unsynced.entry(self.path.clone()).or_default();
        writes.push((offset, bytes.len()));
        drop(unsynced);
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn disk_bytes(&self) -> io::Result<u64> {
        self.file.disk_bytes()
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()?;
        self.unsynced.lock().unwrap().remove(&self.path);
        Ok(())
    }

    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        self.file.try_lock(alone)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.file.is_at(path)
    }
}

impl Write for Forgetful {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OwnFile for Forgetful {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)?;
        let mut durable = self.durable.lock().unwrap();
        let kept = durable.entry(self.path.clone()).or_default();
        *kept = (*kept).min(len);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        let len = RealDisk.len(&self.path)?.unwrap_or(0);
        self.durable.lock().unwrap().insert(self.path.clone(), len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_written_anywhere_and_not_synced_every_other_newer_write_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, path) = (ForgetfulDisk::default(), dir.path().join("a"));
        let file = disk.open_blocks(&path, true).unwrap();
        file.write_at(b"synced", 0).unwrap();
        file.sync().unwrap();
        file.write_at(b"old", 6).unwrap();
        file.write_at(b"lost", 9).unwrap();
        file.write_at(b"kept", 16).unwrap();
        disk.forget();
        let left = std::fs::read(&path).unwrap();
        assert_eq!(left, b"syncedold\0\0\0\0\0\0\0kept");
    }

    #[test]
    fn what_was_not_synced_is_forgotten_and_what_was_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (disk, path) = (ForgetfulDisk::default(), dir.path().join("a"));
        let mut file = disk.open_append(&path).unwrap();
        file.write_all(b"kept").unwrap();
        file.sync().unwrap();
        file.write_all(b" lost").unwrap();
        drop(file);
        disk.rename(&path, &dir.path().join("b")).unwrap();
        disk.forget();
        assert_eq!(std::fs::read(dir.path().join("b")).unwrap(), b"kept");
    }
}
