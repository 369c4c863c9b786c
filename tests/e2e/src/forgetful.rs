//! A disk that loses power: what was written but not synced is forgotten.

use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How much of a file survives a power cut.
type Durable = Arc<Mutex<HashMap<PathBuf, u64>>>;

/// [`RealDisk`], until [`forget`](Self::forget) cuts each file back to what was synced.
#[derive(Clone, Default)]
pub struct ForgetfulDisk {
    durable: Durable,
}

impl ForgetfulDisk {
    /// The power goes: every file written through this disk is cut to its synced length.
    pub fn forget(&self) {
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
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.durable.lock().unwrap().remove(path);
        RealDisk.remove(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        RealDisk.names(dir)
    }

    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        RealDisk.open_blocks(path, create)
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        RealDisk.clone_file(from, to)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
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
