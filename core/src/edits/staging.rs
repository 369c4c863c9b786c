//! The staged bytes: files of our own, in `unsent`, named by item and a random part, never by a remote name.

use crate::Result;
use crate::catalog::Id;
use crate::disk::Disk;
use crate::edits::NewContent;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of staged files.
#[derive(Clone)]
pub(super) struct Staging {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

/// What was staged, durable when it is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Staged {
    pub size: u64,
    pub md5: [u8; 16],
    pub blake3: [u8; 32],
}

impl Staging {
    pub fn new(disk: Arc<dyn Disk>, directory: &Path) -> Result<Self> {
        let dir = directory.join("unsent");
        disk.create_dirs(&dir)?;
        Ok(Self { disk, dir })
    }

    /// A name for a new staged file of an item.
    pub fn new_name(id: &Id) -> Result<String> {
        let _ = id;
        todo!("staging")
    }

    /// Where a staged file is. A name that is not ours is a bug.
    pub fn path(&self, file: &str) -> Result<PathBuf> {
        crate::store::check_file(file)?;
        Ok(self.dir.join(file))
    }

    /// Brings a caller's file here (clone, rename or copy), reads all of it once for both hashes, and makes it durable.
    /// A file that changes while it is read is `DiskFailed`, and nothing stays.
    pub fn stage(&self, content: &NewContent<'_>, file: &str) -> Result<Staged> {
        let _ = (content, file, &self.disk);
        todo!("staging")
    }

    /// Both hashes of a staged file.
    pub fn hash(&self, file: &str) -> Result<Staged> {
        let _ = file;
        todo!("staging")
    }

    pub fn remove(&self, file: &str) -> Result<()> {
        let _ = file;
        todo!("staging")
    }

    /// The names of all staged files.
    pub fn names(&self) -> Result<Vec<String>> {
        todo!("staging")
    }
}
