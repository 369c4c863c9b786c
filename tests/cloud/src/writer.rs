//! Another client of the same account, for tests and the seeder: no HTTP, at once.
//!
//! Paths are like `/Jotta/Sync/Docs/a.txt`, without the user. Missing parents are made, devices and mount points too.
//! Times are milliseconds since 1970.

use std::sync::Arc;

use crate::state::State;
use crate::tree::TreeError;

/// Something at a path.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Like `/Jotta/Sync/Docs/a.txt`.
    pub path: String,
    /// A file; else a folder, a mount point or a device.
    pub is_file: bool,
    /// A file's lifetime id; empty for others.
    pub uuid: String,
    /// Content's size, 0 for others.
    pub size: u64,
    /// Content's MD5 in lower case hex; empty for others and for files with no whole content.
    pub md5: String,
    /// When the client says the content was modified.
    pub modified: i64,
    /// Number of the current revision; 0 for others.
    pub revision: i64,
    /// When it was trashed, if it is in the trash.
    pub deleted: Option<i64>,
}

/// One file of a bulk insertion. Its content is generated: the same seed and size are the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFile {
    /// Like `/Jotta/Sync/Docs/a.txt`.
    pub path: String,
    /// What the content is made from.
    pub seed: u64,
    /// Bytes.
    pub size: u64,
    /// When the client says it was created.
    pub created: i64,
    /// When the client says it was modified.
    pub modified: i64,
}

/// The other client.
#[derive(Clone)]
pub struct Writer {
    state: Arc<State>,
}

impl Writer {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Writes a file; a new revision if there is one already. Created and modified are now.
    pub fn put(&self, path: &str, content: &[u8]) -> Result<Entry, TreeError> {
        let _ = (path, content, &self.state);
        todo!()
    }

    /// Writes a file with the given times.
    pub fn put_at(
        &self,
        path: &str,
        content: &[u8],
        created: i64,
        modified: i64,
    ) -> Result<Entry, TreeError> {
        let _ = (path, content, created, modified);
        todo!()
    }

    /// Writes a file whose content is made from `seed` whenever it is read, and takes no room.
    pub fn put_generated(
        &self,
        path: &str,
        seed: u64,
        size: u64,
        modified: i64,
    ) -> Result<Entry, TreeError> {
        let _ = (path, seed, size, modified);
        todo!()
    }

    /// Writes many generated files in one transaction.
    pub fn put_many(&self, files: impl IntoIterator<Item = BulkFile>) -> Result<u64, TreeError> {
        let _ = files.into_iter().count();
        todo!()
    }

    /// Makes a device of a type (`WORKSTATION`, `ANDROID`, …).
    pub fn device(&self, name: &str, kind: &str) -> Result<(), TreeError> {
        let _ = (name, kind);
        todo!()
    }

    /// Makes a folder and its parents.
    pub fn mkdir(&self, path: &str) -> Result<(), TreeError> {
        let _ = path;
        todo!()
    }

    /// Gives a file or folder another name in the same folder.
    pub fn rename(&self, path: &str, name: &str) -> Result<(), TreeError> {
        let _ = (path, name);
        todo!()
    }

    /// Moves a file or folder to another path.
    pub fn move_(&self, from: &str, to: &str) -> Result<(), TreeError> {
        let _ = (from, to);
        todo!()
    }

    /// Puts a file, folder or mount point into the trash.
    pub fn trash(&self, path: &str) -> Result<(), TreeError> {
        let _ = path;
        todo!()
    }

    /// Removes a file, folder, mount point or device for good.
    pub fn remove(&self, path: &str) -> Result<(), TreeError> {
        let _ = path;
        todo!()
    }

    /// Sets the modification time of a file, as cphash does.
    pub fn touch(&self, path: &str, modified: i64) -> Result<(), TreeError> {
        let _ = (path, modified);
        todo!()
    }

    /// The content of a file, whole. For small files.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let _ = path;
        todo!()
    }

    /// What is at a path, also in the trash.
    pub fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let _ = path;
        todo!()
    }

    /// Every live file and folder below `prefix`, parents before children, in the order of their names.
    pub fn paths(&self, prefix: &str) -> Result<Vec<Entry>, TreeError> {
        let _ = prefix;
        todo!()
    }

    /// Makes content known to the service that this account never held.
    pub fn plant_foreign(&self, content: &[u8]) -> Result<(), TreeError> {
        let _ = content;
        todo!()
    }
}
