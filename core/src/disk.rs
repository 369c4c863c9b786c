//! Our own file writes, all of them (SQLite looks after its own).
//!
//! Invariant: bytes are durable only after [`OwnFile::sync`], a name only after [`Disk::rename`]
//! returned. Tests replace [`RealDisk`] by one that forgets what was not synced, so code that
//! skips a step fails there and not on a phone with an empty battery.

use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
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
        let (ours, named) = (file.metadata()?, fs::symlink_metadata(path).ok());
        if named.is_none_or(|named| (named.dev(), named.ino()) != (ours.dev(), ours.ino())) {
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

    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        match fs::read_dir(dir) {
            Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
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
