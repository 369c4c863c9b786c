//! Our own file writes, all of them (SQLite looks after its own).
//!
//! Invariant: bytes are durable only after [`OwnFile::sync`], a name only after [`Disk::rename`]
//! returned. Tests replace [`RealDisk`] by one that forgets what was not synced, so code that
//! skips a step fails there and not on a phone with an empty battery.

use rustix::fs::{FlockOperation, OFlags, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// The file operations that the core needs. Paths are made by the core from ids, never from
/// remote names.
pub trait Disk: Send + Sync {
    /// Makes a directory and its parents.
    fn create_dirs(&self, dir: &Path) -> io::Result<()>;
    /// Opens for appending, making an empty file if there is none. The caller has it alone, in all
    /// processes, until it is dropped; `WouldBlock` while somebody else has it.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>>;
    /// Opens for reading from the start. Does not follow a symbolic link.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;
    /// The file's length in bytes, `None` if there is no such file.
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;
    /// When the file was last written, in milliseconds since the epoch; `None` if there is no such file.
    fn written_ms(&self, path: &Path) -> io::Result<Option<i64>>;
    /// Renames over whatever is there, and makes the new name durable. Both on one volume.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; fine if there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory; empty if there is none.
    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>>;
    /// Opens for reading and writing anywhere, without following a symbolic link. `create` makes an empty file if there is none.
    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>>;
    /// Makes `to` a copy of `from` that shares its blocks until one of them is written (a reflink). `false` where the
    /// volume cannot; then `to` does not exist.
    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool>;
    /// Bytes that can still be written to the volume of a directory.
    fn free_space(&self, dir: &Path) -> io::Result<u64>;
    /// Makes durable what a database has written to its log.
    fn sync_log(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_data()
    }
    /// Asked before each commit of a database and each request of the service. A test that kills at a chosen step fails it from then on, so that nothing
    /// that comes after the step has any effect.
    fn alive(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A file read and written anywhere, by several threads at once.
#[allow(
    clippy::len_without_is_empty,
    reason = "a length on a disk, not of a collection"
)]
pub trait BlockFile: Send + Sync {
    /// Reads up to the end of `buffer`; less only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Sets the length; what is added reads as zeros and takes no space.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Bytes that it takes on the disk, which holes do not.
    fn disk_bytes(&self) -> io::Result<u64>;
    /// Makes the bytes written so far durable.
    fn sync(&self) -> io::Result<()>;
    /// Takes the file's lock for all processes without waiting: shared, or alone. `false` while somebody else has it
    /// otherwise. It ends when the file is dropped, also by a kill. A lock that was shared and cannot be had alone is lost.
    fn try_lock(&self, alone: bool) -> io::Result<bool>;
    /// Whether `path` still names this file: whoever had the lock before may have removed or replaced it.
    fn is_at(&self, path: &Path) -> io::Result<bool>;
}

/// A file opened for appending.
pub trait OwnFile: Write + Send {
    /// Cuts the file to `len` bytes and appends from there.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Makes the bytes written so far durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        // Not `File::try_lock`: on Android the standard library does not support it.
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        // Whoever had the lock may have renamed the file away between our open and our lock.
        if !file.is_at(path)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(file))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        if fs::symlink_metadata(path)?.is_symlink() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(Box::new(File::open(path)?))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn written_ms(&self, path: &Path) -> io::Result<Option<i64>> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        let dir = match to.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        // The rename is done. A directory that may be written and not read cannot be synced, and some file
        // systems sync no directories; neither is a failure of the rename.
        match File::open(dir).and_then(|dir| dir.sync_all()) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(create)
            .truncate(false)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        Ok(Box::new(file))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        let source = File::open(from)?;
        let target = OpenOptions::new().write(true).create_new(true).open(to)?;
        match rustix::fs::ioctl_ficlone(&target, &source) {
            Ok(()) => Ok(true),
            Err(_) => {
                fs::remove_file(to)?;
                Ok(false)
            }
        }
    }

    #[cfg(target_vendor = "apple")]
    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        let source = File::open(from)?;
        let flags = rustix::fs::CloneFlags::NOFOLLOW;
        Ok(rustix::fs::fclonefileat(&source, rustix::fs::CWD, to, flags).is_ok())
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    fn clone_file(&self, _from: &Path, _to: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        let volume = rustix::fs::statvfs(dir)?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        match fs::read_dir(dir) {
            Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl BlockFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match FileExt::read_at(self, &mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn disk_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.blocks() * 512)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        let operation = if alone {
            FlockOperation::NonBlockingLockExclusive
        } else {
            FlockOperation::NonBlockingLockShared
        };
        match flock(self, operation) {
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(false),
            locked => Ok(locked.map(|()| true)?),
        }
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let ours = self.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl OwnFile for File {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A file of a caller's, to be read, with what it was when it was opened.
pub(crate) struct PlainFile {
    file: File,
    facts: Facts,
}

/// What tells that a file was written to. Not its rights, nor its names: those may change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Facts {
    volume: u64,
    number: u64,
    size: u64,
    modified: (i64, i64),
}

impl Facts {
    fn of(meta: &fs::Metadata) -> Self {
        Self {
            volume: meta.dev(),
            number: meta.ino(),
            size: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        }
    }
}

/// Opens a file of a caller's for reading. `None` if it is no plain file; a link is none, and one that waits for a writer
/// is not waited for.
pub(crate) fn open_plain(path: &Path) -> io::Result<Option<PlainFile>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    let facts = Facts::of(&meta);
    Ok(meta.is_file().then_some(PlainFile { file, facts }))
}

impl PlainFile {
    /// The length in bytes, when it was opened.
    pub fn size(&self) -> u64 {
        self.facts.size
    }

    /// What tells it from another, and from itself after it was written to.
    pub fn identity(&self) -> (u64, u64, u64, i64) {
        let (seconds, nanos) = self.facts.modified;
        let facts = &self.facts;
        (
            facts.volume,
            facts.number,
            facts.size,
            seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos),
        )
    }

    /// When it was last written to, when it was opened, in milliseconds since the epoch.
    pub fn modified_ms(&self) -> i64 {
        let (seconds, nanos) = self.facts.modified;
        seconds * 1_000 + nanos / 1_000_000
    }

    /// How many names it has.
    pub fn links(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.nlink())
    }

    pub fn is_on_volume_of(&self, dir: &Path) -> io::Result<bool> {
        Ok(fs::metadata(dir)?.dev() == self.facts.volume)
    }

    /// Whether `path` names this file, and it is as it was when it was opened.
    pub fn is_unchanged(&self, path: &Path) -> io::Result<bool> {
        let same = |meta: fs::Metadata| Facts::of(&meta) == self.facts;
        Ok(same(self.file.metadata()?) && fs::symlink_metadata(path).is_ok_and(same))
    }

    /// Reads up to the end of `buffer`; less only at the end of the file.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        BlockFile::read_at(&self.file, buffer, offset)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_appended_to_by_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let first = RealDisk.open_append(&path).unwrap();
        assert_eq!(
            RealDisk.open_append(&path).err().unwrap().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(first);
        RealDisk
            .open_append(&path)
            .unwrap()
            .write_all(b"x")
            .unwrap();
        assert_eq!(RealDisk.len(&path).unwrap(), Some(1));
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("real"), "x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("real"), dir.path().join("link")).unwrap();
        assert_eq!(
            RealDisk
                .open_read(&dir.path().join("link"))
                .err()
                .unwrap()
                .kind(),
            io::ErrorKind::PermissionDenied
        );
    }
}
