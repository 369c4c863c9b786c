//! A power cut for a process that was killed: what it wrote and did not sync is lost, or half of it.
//!
//! [`LoggingDisk`] writes down, before each write, what is not durable yet, and after each sync what is. When the process
//! has been killed, [`cut`] takes from the files what a power cut may take: any part of what was not synced.

use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// [`RealDisk`], with a log of what is not durable.
#[derive(Clone)]
pub struct LoggingDisk(Arc<Mutex<File>>);

/// A line of the log.
enum Step {
    Write { path: PathBuf, from: u64, len: u64 },
    Sync { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
}

impl LoggingDisk {
    /// Logs to `log`, made if missing.
    pub fn new(log: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    fn log(&self, step: &Step) -> io::Result<()> {
        let mut line = Vec::new();
        let mut put = |part: &[u8]| {
            line.extend_from_slice(&(part.len() as u32).to_le_bytes());
            line.extend_from_slice(part);
        };
        match step {
            Step::Write { path, from, len } => {
                put(b"w");
                put(path.as_os_str().as_bytes());
                put(&from.to_le_bytes());
                put(&len.to_le_bytes());
            }
            Step::Sync { path } => {
                put(b"s");
                put(path.as_os_str().as_bytes());
            }
            Step::Rename { from, to } => {
                put(b"r");
                put(from.as_os_str().as_bytes());
                put(to.as_os_str().as_bytes());
            }
        }
        self.0.lock().unwrap().write_all(&line)
    }
}

/// The power goes: each range that was written and not synced is kept, lost, or lost in part, as `chance` has it. The log is
/// emptied.
pub fn cut(log: &Path, chance: &mut fastrand::Rng) -> io::Result<()> {
    let mut unsynced: HashMap<PathBuf, Vec<(u64, u64)>> = HashMap::new();
    for step in read(log)? {
        match step {
            Step::Write { path, from, len } => unsynced.entry(path).or_default().push((from, len)),
            Step::Sync { path } => drop(unsynced.remove(&path)),
            Step::Rename { from, to } => {
                let ranges = unsynced.remove(&from).unwrap_or_default();
                unsynced.insert(to, ranges);
            }
        }
    }
    for (path, ranges) in unsynced {
        let Ok(file) = OpenOptions::new().write(true).open(&path) else {
            continue;
        };
        let fate = chance.u8(..4);
        for (from, len) in ranges {
            let end = file.metadata()?.len().min(from + len);
            let lost = fate == 1 || (fate == 2 && chance.bool());
            let lost_from = if fate == 3 { from + len / 2 } else { from };
            if (lost || fate == 3) && lost_from < end {
                file.write_all_at(&vec![0; (end - lost_from) as usize], lost_from)?;
            }
        }
    }
    File::create(log).map(drop)
}

fn read(log: &Path) -> io::Result<Vec<Step>> {
    let bytes = std::fs::read(log)?;
    let mut rest = bytes.as_slice();
    let mut steps = Vec::new();
    while let Some(step) = next(&mut rest) {
        steps.push(step);
    }
    Ok(steps)
}

/// `None` at the end, and for a line that the kill cut off.
fn next(rest: &mut &[u8]) -> Option<Step> {
    let path = |part: &[u8]| PathBuf::from(OsString::from_vec(part.to_vec()));
    let number = |part: &[u8]| Some(u64::from_le_bytes(part.try_into().ok()?));
    let kind = part(rest)?;
    let first = path(part(rest)?);
    Some(match kind {
        b"w" => Step::Write {
            path: first,
            from: number(part(rest)?)?,
            len: number(part(rest)?)?,
        },
        b"s" => Step::Sync { path: first },
        _ => Step::Rename {
            from: first,
            to: path(part(rest)?),
        },
    })
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk()?;
    let (part, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    *rest = after;
    Some(part)
}

struct Logged<F> {
    path: PathBuf,
    file: F,
    disk: LoggingDisk,
}

impl<F> Logged<F> {
    fn writes(&self, from: u64, len: usize) -> io::Result<()> {
        self.disk.log(&Step::Write {
            path: self.path.clone(),
            from,
            len: len as u64,
        })
    }

    fn synced(&self) -> io::Result<()> {
        let path = self.path.clone();
        self.disk.log(&Step::Sync { path })
    }
}

impl Disk for LoggingDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dirs(dir)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        Ok(Box::new(Logged {
            path: path.to_owned(),
            file: RealDisk.open_append(path)?,
            disk: self.clone(),
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
        self.log(&Step::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        })?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)?;
        let path = path.to_owned();
        self.log(&Step::Sync { path })
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        RealDisk.names(dir)
    }

    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        Ok(Box::new(Logged {
            path: path.to_owned(),
            file: RealDisk.open_blocks(path, create)?,
            disk: self.clone(),
        }))
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        RealDisk.clone_file(from, to)
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
    }
}

impl Write for Logged<Box<dyn OwnFile>> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes(RealDisk.len(&self.path)?.unwrap_or(0), bytes.len())?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OwnFile for Logged<Box<dyn OwnFile>> {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()?;
        self.synced()
    }
}

impl BlockFile for Logged<Box<dyn BlockFile>> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writes(offset, bytes.len())?;
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
        self.synced()
    }

    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        self.file.try_lock(alone)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.file.is_at(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_takes_only_what_was_not_synced() {
        let dir = tempfile::tempdir().unwrap();
        let (log, path) = (dir.path().join("log"), dir.path().join("a"));
        let mut lost = 0;
        for seed in 0..32 {
            let disk = LoggingDisk::new(&log).unwrap();
            let file = disk.open_blocks(&path, true).unwrap();
            file.write_at(b"kept", 0).unwrap();
            file.sync().unwrap();
            file.write_at(b"lost", 4).unwrap();
            cut(&log, &mut fastrand::Rng::with_seed(seed)).unwrap();
            let left = std::fs::read(&path).unwrap();
            assert_eq!(&left[..4], b"kept");
            lost += u32::from(&left[4..] != b"lost");
        }
        assert!(lost > 8, "{lost} of 32");
    }
}
