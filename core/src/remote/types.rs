//! What the service tells, in our words. Names are the server's own spelling.

/// A place on the service: device, mount point and folders, as the server spells them, no user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RemotePath(Vec<String>);

impl RemotePath {
    pub fn new(segments: Vec<String>) -> Self {
        Self(segments)
    }
    pub fn segments(&self) -> &[String] {
        &self.0
    }
    pub fn child(&self, name: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(name.to_owned());
        Self(segments)
    }
}

/// A file as the service describes it. Names are the server's own (see `names::decode` for display), checked to be
/// usable: not empty, not `.` or `..`, no `/` and no NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFile {
    pub name: String,
    /// `None` in a liststream.
    pub uuid: Option<[u8; 16]>,
    /// Of the current COMPLETED revision; `None` while there is only an unfinished upload: not a file.
    pub current: Option<Revision>,
    /// When it was deleted, in ms, 0 if the mark has no time; `Some` = a tombstone.
    pub deleted_ms: Option<i64>,
    /// `None` in a liststream.
    pub shared: Option<bool>,
    /// The original parent (segments without the user), only in the trash listing.
    pub trashed_from: Option<RemotePath>,
}

/// A COMPLETED revision. Times are in milliseconds since the epoch, cut to whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    pub number: Option<u64>,
    pub size: u64,
    pub md5: [u8; 16],
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
    pub updated_ms: Option<i64>,
    pub mime: Option<String>,
}

/// A folder as the service describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteFolder {
    pub name: String,
    pub deleted_ms: Option<i64>,
    pub trashed_from: Option<RemotePath>,
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// In a folder listing: a child folder (or a mount point of a device, or a device of the user).
    Folder(RemoteFolder),
    /// In a folder listing: a child file.
    File(RemoteFile),
}

/// One entry of a liststream: `folder` is relative to the mount point, `[]` = the mount point itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TreeEntry {
    Folder {
        folder: Vec<String>,
    },
    File {
        folder: Vec<String>,
        file: RemoteFile,
    },
}

/// What the root element of a GET turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// `user`, `device`, `mountPoint` or `folder`: children follow from `next`.
    Folder { deleted_ms: Option<i64> },
    /// `file`: the path is a file; complete.
    File(Box<RemoteFile>),
}

/// The proven totals at the end of a liststream, in the service's own counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TreeTotals {
    pub folders: u64,
    pub files: u64,
}

/// The `customer` answer and the `user` answer, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Customer {
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub usage: u64,
    /// `None` = unlimited (-1).
    pub quota: Option<u64>,
    pub write_locked: bool,
}
