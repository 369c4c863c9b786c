//! A disk that is full.

use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A disk that is full after so many bytes of blocks.
#[derive(Clone)]
pub struct SmallDisk(pub Arc<AtomicI64>);

struct SmallFile(Box<dyn BlockFile>, Arc<AtomicI64>);

impl Disk for SmallDisk {
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
    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        RealDisk.names(dir)
    }
    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        let file = RealDisk.open_blocks(path, create)?;
        Ok(Box::new(SmallFile(file, self.0.clone())))
    }
    fn clone_file(&self, _from: &Path, _to: &Path) -> io::Result<bool> {
        Ok(false)
    }
    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
    }
}

impl BlockFile for SmallFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.1.fetch_sub(bytes.len() as i64, Ordering::SeqCst) < bytes.len() as i64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn disk_bytes(&self) -> io::Result<u64> {
        self.0.disk_bytes()
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        self.0.try_lock(alone)
    }
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.0.is_at(path)
    }
}
