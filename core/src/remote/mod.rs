//! The service's two APIs.

mod endpoints;
mod errors;
mod names;
mod times;
mod transport;
mod xml;

use crate::account::Secret;
use crate::{CancelToken, Result};
use bytes::Bytes;
pub use endpoints::Endpoints;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
pub(crate) use transport::Transport;

/// Hands out access tokens. `stale` is a token that the service has just refused.
pub(crate) trait TokenSource: Send + Sync {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a Secret>,
        cancel: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>>;
    /// The user name that JFS paths start with. A local read.
    fn username(&self) -> Result<String>;
    /// The hosts of the signed-in service. A local read.
    fn endpoints(&self) -> Result<Endpoints>;
}

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
    /// When it was deleted, in ms; `Some` = a tombstone.
    pub deleted_ms: Option<i64>,
    /// `None` in a liststream.
    pub shared: Option<bool>,
    /// The original parent (segments without the user), only in the trash listing.
    pub trashed_from: Option<RemotePath>,
}

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

/// A listing being read; the children come in batches, in bounded memory.
pub(crate) struct ListReader {
    pub listing: Listing,
}

#[allow(clippy::todo, unused_variables)]
impl ListReader {
    /// The next children, at most 512; `None` at the proven end (the root element closed, metadata totals equal when given).
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Vec<Entry>>> {
        todo!()
    }
}

/// A liststream being read.
pub(crate) struct TreeReader {
    _private: (),
}

/// The proven totals at the end of a liststream, in the service's own counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TreeTotals {
    pub folders: u64,
    pub files: u64,
}

#[allow(clippy::todo, unused_variables)]
impl TreeReader {
    /// The next entries, at most 512; `None` at the proven end: root closed and `<stats>` equal to what was read.
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Vec<TreeEntry>>> {
        todo!()
    }
    /// After `next` gave `None`.
    pub fn totals(&self) -> TreeTotals {
        todo!()
    }
}

/// A body of file content.
pub(crate) struct Body {
    /// Where the bytes start, as the service confirmed it (0 when it answered 200 to a range).
    pub offset: u64,
    /// The whole file's size, from Content-Range or Content-Length, when told.
    pub total: Option<u64>,
}

#[allow(clippy::todo, unused_variables)]
impl Body {
    /// The next bytes; `None` at the end; `Offline` when the body breaks or stalls (30 s).
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Bytes>> {
        todo!()
    }
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

/// The client of one account. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    transport: Transport,
    tokens: Arc<dyn TokenSource>,
}

#[allow(clippy::todo, unused_variables)]
impl Remote {
    pub fn new(transport: Transport, tokens: Arc<dyn TokenSource>) -> Self {
        Self { transport, tokens }
    }
    /// Drops all connections (after a suspension every socket is dead).
    pub fn reset_connections(&self) {
        todo!()
    }
    pub async fn customer(&self, cancel: &CancelToken) -> Result<Customer> {
        todo!()
    }
    /// `GET` of a folder, file, mount point (2 segments), device (1) or the user (0). Deleted mount points are left out.
    pub async fn list(&self, path: &RemotePath, cancel: &CancelToken) -> Result<ListReader> {
        todo!()
    }
    /// `Jotta/Trash`.
    pub async fn list_trash(&self, cancel: &CancelToken) -> Result<ListReader> {
        todo!()
    }
    /// `mode=liststream` of a mount point or folder.
    pub async fn tree(&self, path: &RemotePath, cancel: &CancelToken) -> Result<TreeReader> {
        todo!()
    }
    /// `mode=bin` from byte `from` to the end.
    pub async fn open(&self, path: &RemotePath, from: u64, cancel: &CancelToken) -> Result<Body> {
        todo!()
    }
}
