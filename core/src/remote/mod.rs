//! The service's two APIs: JFS (XML: the tree and the content) and the JSON API (the account).
//!
//! Knows nothing of what is above it but where tokens come from. Whatever the server sends gives a
//! value that was checked or a typed error, in bounded memory, and touches nothing.

mod body;
mod document;
mod endpoints;
mod errors;
mod events;
mod jfs;
mod json;
mod links;
mod liststream;
pub(crate) mod names;
mod readers;
mod times;
pub(crate) mod transport;
mod types;
mod upload;
mod write;
mod xml;

use crate::account::Secret;
use crate::{CancelToken, Error, Result};
pub(crate) use body::Body;
pub use endpoints::Endpoints;
pub(crate) use events::Events;
pub(crate) use readers::{ListReader, TreeReader};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use transport::{Answer, Span};
pub(crate) use transport::{Transport, pause};
pub(crate) use types::*;
pub(crate) use upload::{Allocated, Sent};

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

/// The most that is read of a JSON answer.
const MAX_JSON: usize = 256 * 1024;

/// The client of one account. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    transport: Transport,
    tokens: Arc<dyn TokenSource>,
}

impl Remote {
    pub fn new(transport: Transport, tokens: Arc<dyn TokenSource>) -> Self {
        Self { transport, tokens }
    }

    /// Drops all connections (after a suspension every socket is dead).
    pub fn reset_connections(&self) {
        self.transport.reset_connections();
    }

    /// Who the account belongs to and how full it is: the JSON API's answer, with JFS's numbers where it has them.
    pub async fn customer(&self, cancel: &CancelToken) -> Result<Customer> {
        let url = format!("{}account/v1/customer", self.tokens.endpoints()?.api);
        let mut answer = success(self.get(&url, None, cancel).await?, cancel).await?;
        let told = json::customer(&answer.read(MAX_JSON, cancel).await?)?;
        let root = RemotePath::new(Vec::new());
        let url = self.jfs_url(&told.username, &root, "")?;
        let answer = success(self.get(&url, None, cancel).await?, cancel).await?;
        let list = ListReader::new(answer, false, cancel).await?;
        let user = list.finish(cancel).await?.user;
        let quota = user.capacity.or(told.quota).unwrap_or(-1);
        let usage = told.usage.and_then(|bytes| u64::try_from(bytes).ok());
        Ok(Customer {
            usage: user.usage.or(usage).unwrap_or(0),
            quota: u64::try_from(quota).ok(),
            write_locked: user.write_locked || told.write_locked.unwrap_or(false),
            username: told.username,
            email: told.email,
            name: told.name,
        })
    }

    /// `GET` of a folder, file, mount point (2 segments), device (1) or the user (0). Deleted mount points are left out.
    pub async fn list(&self, path: &RemotePath, cancel: &CancelToken) -> Result<ListReader> {
        self.list_at(path, false, cancel).await
    }

    /// `Jotta/Trash`.
    pub async fn list_trash(&self, cancel: &CancelToken) -> Result<ListReader> {
        let trash = RemotePath::new(vec!["Jotta".into(), "Trash".into()]);
        self.list_at(&trash, true, cancel).await
    }

    async fn list_at(
        &self,
        path: &RemotePath,
        trash: bool,
        cancel: &CancelToken,
    ) -> Result<ListReader> {
        let url = self.jfs_url(&self.tokens.username()?, path, "")?;
        let answer = success(self.get(&url, None, cancel).await?, cancel).await?;
        ListReader::new(answer, trash, cancel).await
    }

    /// `mode=liststream` of a mount point or folder.
    pub async fn tree(&self, path: &RemotePath, cancel: &CancelToken) -> Result<TreeReader> {
        let url = self.jfs_url(&self.tokens.username()?, path, "?mode=liststream")?;
        let answer = success(self.get(&url, None, cancel).await?, cancel).await?;
        TreeReader::new(answer, path)
    }

    /// `mode=bin` from byte `from` to before byte `to`, or to the end. `VersionGone` when the file ends before `from`.
    /// The body may be longer or start earlier than asked for, if the service knows no ranges: see [`Body::offset`].
    pub async fn open(
        &self,
        path: &RemotePath,
        from: u64,
        to: Option<u64>,
        cancel: &CancelToken,
    ) -> Result<Body> {
        let url = self.jfs_url(&self.tokens.username()?, path, "?mode=bin")?;
        if to.is_some_and(|to| to <= from) {
            return Err(Error::invalid("an empty range"));
        }
        let span = Span { from, to };
        let answer = self.get(&url, Some(span), cancel).await?;
        Body::new(answer, span, cancel).await
    }

    /// A file as it is now. `NoSuchItem` when there is none (or only a tombstone, or a folder).
    pub async fn stat(&self, path: &RemotePath, cancel: &CancelToken) -> Result<RemoteFile> {
        match self.list(path, cancel).await?.listing {
            Listing::File(file) if file.deleted_ms.is_none() && file.current.is_some() => Ok(*file),
            _ => Err(Error::NoSuchItem {
                detail: "not a file".into(),
            }),
        }
    }

    /// `mode=thumb`: a small image, `None` when the service makes none for this file. `ts` is `WS`, `WM`, `WL` or `WXL`.
    /// How it says that there is none is not known (protocol facts §13.15), so a refusal means that only if the file is
    /// there. What comes need be no image.
    pub async fn thumb(
        &self,
        path: &RemotePath,
        ts: &str,
        cancel: &CancelToken,
    ) -> Result<Option<Body>> {
        let query = format!("?mode=thumb&ts={ts}");
        let url = self.jfs_url(&self.tokens.username()?, path, &query)?;
        let answer = self.get(&url, None, cancel).await?;
        if answer.status == 200 {
            let whole = Span { from: 0, to: None };
            return Body::new(answer, whole, cancel).await.map(Some);
        }
        match answer.refusal(cancel).await {
            Error::NoSuchItem { .. }
            | Error::BadAnswer { .. }
            | Error::Refused {
                status: 400 | 404 | 406 | 415 | 422,
                ..
            } => self.stat(path, cancel).await.map(|_| None),
            error => Err(error),
        }
    }

    fn jfs_url(&self, username: &str, path: &RemotePath, query: &str) -> Result<String> {
        let mut url = self.tokens.endpoints()?.jfs;
        for (depth, segment) in std::iter::once(username)
            .chain(path.segments().iter().map(String::as_str))
            .enumerate()
        {
            names::check(segment).map_err(|_| Error::invalid("a path with an impossible name"))?;
            if depth > 0 {
                url.push('/');
            }
            names::push_segment(&mut url, segment);
        }
        url.push_str(query);
        Ok(url)
    }

    /// A GET with a token; a refused one is renewed once.
    async fn get(&self, url: &str, span: Option<Span>, cancel: &CancelToken) -> Result<Answer> {
        let token = self.tokens.access_token(None, cancel).await?;
        let answer = self.transport.get(url, Some(&token), span, cancel).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.tokens.access_token(Some(&token), cancel).await?;
        self.transport.get(url, Some(&token), span, cancel).await
    }
}

/// The answer, if it is a 200.
async fn success(answer: Answer, cancel: &CancelToken) -> Result<Answer> {
    if answer.status == 200 {
        Ok(answer)
    } else {
        Err(answer.refusal(cancel).await)
    }
}

#[cfg(test)]
#[path = "cloud_tests.rs"]
mod cloud_tests;
#[cfg(test)]
pub(crate) mod rude_server;
#[cfg(test)]
mod sending;
#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
#[cfg(test)]
mod upload_wire_tests;
#[cfg(test)]
mod write_tests;
