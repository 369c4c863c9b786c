//! Part files: what a download has so far, in the drive's own `parts` directory.
//!
//! A part is named by item id and content version, never by a remote name. It holds a prefix of
//! the content. Its length is only a claim (a crash may leave bytes that were never synced), so
//! the prefix is hashed again before anything is added, and the whole is compared with the
//! server's MD5 before it gets its final name.
//!
//! One download at a time owns a part, in all processes. A second one of the same file takes a
//! part of its own, which nobody resumes and the next open removes.

use crate::disk::{Disk, OwnFile};
use crate::md5::Md5;
use crate::{CancelToken, Error, Result};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SHARED: &str = "part";
const PRIVATE: &str = "once";
const BUFFER: usize = 128 * 1024;
/// How long an unfinished part waits for the next call.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A part file that this download owns.
pub(super) struct Part {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn OwnFile>,
    hash: Md5,
    len: u64,
    /// Bytes that were there before this call.
    pub resumed: u64,
}

impl Part {
    /// Opens the part `name` in `dir`, and reads the prefix that is there. A prefix longer than `size`
    /// is dropped. Parts of other versions of the same item are of no use any more and go.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        item: &str,
        version: &str,
        size: u64,
        cancel: &CancelToken,
    ) -> Result<Self> {
        let name = format!("{item}-{version}");
        disk.create_dirs(dir)?;
        let mut path = dir.join(format!("{name}.{SHARED}"));
        let file = match disk.open_append(&path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                path = dir.join(format!("{name}-{:016x}.{PRIVATE}", fastrand::u64(..)));
                disk.open_append(&path)?
            }
            file => file?,
        };
        let mut part = Self {
            disk,
            path,
            file,
            hash: Md5::new(),
            len: 0,
            resumed: 0,
        };
        part.take_prefix(size, cancel)?;
        for other in disk_parts(&*part.disk, dir)? {
            let of_item = other
                .0
                .strip_prefix(item)
                .is_some_and(|rest| rest.starts_with('-'));
            if of_item && !other.0.starts_with(&name) {
                remove_unowned(&*part.disk, &other.1)?;
            }
        }
        Ok(part)
    }

    fn take_prefix(&mut self, size: u64, cancel: &CancelToken) -> Result<()> {
        let len = self.disk.len(&self.path)?.unwrap_or(0);
        if len > size {
            return self.restart();
        }
        let mut prefix = self.disk.open_read(&self.path)?.take(len);
        let mut buffer = vec![0; BUFFER];
        while let n @ 1.. = prefix.read(&mut buffer)? {
            cancel.check()?;
            self.hash.update(&buffer[..n]);
            self.len += n as u64;
        }
        self.resumed = self.len;
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Drops everything and starts at byte 0.
    pub fn restart(&mut self) -> Result<()> {
        self.file.truncate(0)?;
        (self.hash, self.len, self.resumed) = (Md5::new(), 0, 0);
        Ok(())
    }

    /// Makes the bytes durable, so that the next call can go on from here.
    pub fn sync(&mut self) -> Result<()> {
        Ok(self.file.sync()?)
    }

    pub fn md5(&self) -> [u8; 16] {
        self.hash.clone().finalize()
    }

    /// Removes the part.
    pub fn discard(self) -> Result<()> {
        Ok(self.disk.remove(&self.path)?)
    }

    /// Gives the synced part its final name, over whatever is there. On another volume it is copied to
    /// a hidden neighbour first.
    pub fn place(mut self, dest: &Path, cancel: &CancelToken) -> Result<()> {
        self.sync()?;
        match self.disk.rename(&self.path, dest) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.copy_across(dest, cancel)
            }
            done => Ok(done?),
        }
    }

    fn copy_across(self, dest: &Path, cancel: &CancelToken) -> Result<()> {
        let dir = dest
            .parent()
            .ok_or_else(|| Error::invalid("a destination without a directory"))?;
        let near = dir.join(format!(".lomme-{:016x}.{PRIVATE}", fastrand::u64(..)));
        let copied: Result<()> = (|| {
            let mut from = self.disk.open_read(&self.path)?;
            let mut to = self.disk.open_append(&near)?;
            let mut buffer = vec![0; BUFFER];
            while let n @ 1.. = from.read(&mut buffer)? {
                cancel.check()?;
                to.write_all(&buffer[..n])?;
            }
            to.sync()?;
            Ok(self.disk.rename(&near, dest)?)
        })();
        if copied.is_err() {
            self.disk.remove(&near)?;
        }
        copied?;
        self.discard()
    }
}

/// Removes parts that nobody can resume or has wanted for a week, and that nobody owns.
pub(super) fn sweep(disk: &dyn Disk, dir: &Path, now_ms: i64) -> Result<()> {
    for (name, path) in disk_parts(disk, dir)? {
        let age_ms = disk
            .written_ms(&path)?
            .map_or(0, |written| now_ms.saturating_sub(written));
        if name.ends_with(PRIVATE) || age_ms > KEPT_MS {
            remove_unowned(disk, &path)?;
        }
    }
    Ok(())
}

/// The parts in a directory: names that are ours, and their paths.
fn disk_parts(disk: &dyn Disk, dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let names = disk
        .names(dir)?
        .into_iter()
        .filter_map(|name| name.into_string().ok());
    Ok(names.map(|name| (name.clone(), dir.join(name))).collect())
}

fn remove_unowned(disk: &dyn Disk, path: &Path) -> Result<()> {
    match disk.open_append(path) {
        // Removed while it is ours, so that nobody else can have begun to use it.
        Ok(_owned) => Ok(disk.remove(path)?),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn open(dir: &Path, size: u64) -> Part {
        let never = CancelToken::new();
        Part::open(Arc::new(RealDisk), dir, "x", "1", size, &never).unwrap()
    }

    #[test]
    fn a_part_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), 6).append(b"abc").unwrap();
        let mut part = open(dir.path(), 6);
        assert_eq!((part.len(), part.resumed), (3, 3));
        part.append(b"def").unwrap();
        assert_eq!(
            part.md5(),
            <[u8; 16]>::from(<md5::Md5 as md5::Digest>::digest(b"abcdef"))
        );
        part.place(&dir.path().join("done"), &CancelToken::new())
            .unwrap();
        assert_eq!(std::fs::read(dir.path().join("done")).unwrap(), b"abcdef");
        assert!(!dir.path().join("x-1.part").exists());
    }

    #[test]
    fn a_part_longer_than_the_file_starts_again() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), 6).append(b"abcdef").unwrap();
        assert_eq!(open(dir.path(), 5).len(), 0);
    }

    #[test]
    fn two_downloads_of_one_file_do_not_share_a_part() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = open(dir.path(), 6);
        let mut second = open(dir.path(), 6);
        first.append(b"abc").unwrap();
        second.append(b"xyz").unwrap();
        sweep(&RealDisk, dir.path(), 0).unwrap();
        assert_eq!(
            RealDisk.names(dir.path()).unwrap().len(),
            2,
            "one in use is not swept"
        );
        drop((first, second));
        sweep(&RealDisk, dir.path(), 0).unwrap();
        assert_eq!(std::fs::read(dir.path().join("x-1.part")).unwrap(), b"abc");
        assert_eq!(RealDisk.names(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_part_of_an_older_version_goes_and_one_that_nobody_wanted_for_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let never = CancelToken::new();
        let begin = |item: &str, version: &str| {
            Part::open(Arc::new(RealDisk), dir.path(), item, version, 9, &never).unwrap()
        };
        begin("a", "old");
        begin("ab", "old");
        let _held = begin("c", "old");
        begin("a", "new");
        let names = || {
            let mut names = RealDisk.names(dir.path()).unwrap();
            names.sort();
            names
        };
        assert_eq!(names(), ["a-new.part", "ab-old.part", "c-old.part"]);
        let written = RealDisk
            .written_ms(&dir.path().join("a-new.part"))
            .unwrap()
            .unwrap();
        sweep(&RealDisk, dir.path(), written + KEPT_MS - 60_000).unwrap();
        assert_eq!(names().len(), 3);
        sweep(&RealDisk, dir.path(), written + KEPT_MS + 60_000).unwrap();
        assert_eq!(names(), ["c-old.part"], "the one in use stays");
    }

    #[test]
    fn a_long_prefix_is_not_hashed_for_somebody_who_has_cancelled() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), 6).append(b"abc").unwrap();
        let cancel = CancelToken::new();
        cancel.cancel();
        let stopped = Part::open(Arc::new(RealDisk), dir.path(), "x", "1", 6, &cancel);
        assert_eq!(stopped.err(), Some(Error::Cancelled));
        assert_eq!(open(dir.path(), 6).len(), 3);
    }
}
