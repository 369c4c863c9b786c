//! What the service tells, in our words. Names are the server's own spelling.

use crate::{Error, Result};

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
    /// The folder that it is in.
    pub fn above(&self) -> Self {
        let mut segments = self.0.clone();
        segments.pop();
        Self(segments)
    }
    /// The same place under another name.
    pub fn with_name(&self, name: &str) -> Self {
        let mut segments = self.0.clone();
        segments.pop();
        segments.push(name.to_owned());
        Self(segments)
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

impl Listing {
    /// When it went to the trash, in milliseconds since the epoch; `None` if it lives.
    pub fn deleted_ms(&self) -> Option<i64> {
        match self {
            Self::Folder { deleted_ms } => *deleted_ms,
            Self::File(file) => file.deleted_ms,
        }
    }
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// A live file.
    File(Box<FileHistory>),
    /// A live folder, mount point or device.
    Folder,
    /// In the trash; `file` is what it was, if it was a file.
    Tombstone {
        file: Option<Box<RemoteFile>>,
        deleted_ms: i64,
    },
    /// Nothing, or only an upload that is not finished. Proven, not guessed.
    Absent,
}

/// A file and the versions before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileHistory {
    /// Its `current` is never `None`.
    pub file: RemoteFile,
    /// COMPLETED ones with a number, newest first, at most 64. INCOMPLETE and CORRUPT ones took numbers, too, so there
    /// are gaps.
    pub older: Vec<Revision>,
}

/// What a file is to hold, known before any byte is sent. Times are in milliseconds since the epoch and cut to whole
/// seconds; the service takes its own clock for those that are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentFacts {
    pub size: u64,
    pub md5: [u8; 16],
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
}

impl ContentFacts {
    pub fn md5_hex(&self) -> String {
        self.md5.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A public link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SharedLink {
    /// `publicURI`: whoever has it can read the file.
    pub uri: String,
    /// `publicSharePath`: the page's path below the web site's root (`s/…`), when told and usable.
    pub page: Option<String>,
}

impl std::fmt::Debug for SharedLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedLink")
    }
}

impl SharedLink {
    /// Both come to stand in a URL, so they may hold nothing that turns it into another one.
    pub fn new(uri: &str, page: Option<&str>) -> Result<Self> {
        let part = |part: &str| {
            (1..=256).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !part(uri) {
            return Err(Error::bad_answer("a public link that can be none"));
        }
        let page = page.filter(|page| page.len() <= 1024 && page.split('/').all(part));
        Ok(Self {
            uri: uri.to_owned(),
            page: page.map(str::to_owned),
        })
    }
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
