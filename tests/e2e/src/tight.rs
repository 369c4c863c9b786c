//! A disk that says how much is free.

use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// [`RealDisk`], on a volume with as much free space as the test says.
#[derive(Clone)]
pub struct TightDisk(Arc<AtomicU64>);

impl TightDisk {
    /// A volume with `free` bytes.
    pub fn new(free: u64) -> Self {
        Self(Arc::new(AtomicU64::new(free)))
    }

    /// From now on `free` bytes are free, whatever is written.
    pub fn set_free(&self, free: u64) {
        self.0.store(free, Ordering::SeqCst);
    }
}

impl Disk for TightDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dirs(dir)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        RealDisk.open_append(path)
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
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
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

    fn free_space(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}
