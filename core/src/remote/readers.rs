//! Listings, in batches.

use super::document::Document;
use super::jfs::{Jfs, Root};
use super::liststream::ListStream;
use super::transport::Answer;
use super::{Entry, Listing, RemotePath, Revision, SharedLink, TreeEntry, TreeTotals};
use crate::{CancelToken, Error, Result};

/// How many entries come at once, at most.
const BATCH: usize = 512;

/// A listing being read; the children come in batches, in bounded memory.
pub(crate) struct ListReader {
    pub listing: Listing,
    /// Of a file: the versions before it, newest first.
    pub(super) older: Vec<Revision>,
    document: Document<Jfs>,
}

impl ListReader {
    pub(crate) async fn new(answer: Answer, trash: bool, cancel: &CancelToken) -> Result<Self> {
        let mut document = Document::new(answer, Jfs::new(trash));
        document
            .read(|jfs| jfs.introduced().is_some(), cancel)
            .await?;
        let listing = match document.handler.introduced() {
            Some(Root::File) => {
                document.read(|_| false, cancel).await?;
                Listing::File(Box::new(document.handler.take_file()?))
            }
            Some(_) => Listing::Folder {
                deleted_ms: document.handler.deleted_ms(),
            },
            None => return Err(Error::bad_answer("a document of an unexpected kind")),
        };
        Ok(Self {
            listing,
            older: document.handler.take_older(),
            document,
        })
    }

    /// The next children, at most 512; `None` at the proven end (the root element closed, metadata totals equal when given).
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Vec<Entry>>> {
        self.document
            .read(|jfs| jfs.waiting() >= BATCH, cancel)
            .await?;
        let batch = self.document.handler.take(BATCH);
        Ok((!batch.is_empty()).then_some(batch))
    }

    /// The public link of what the document is about. Its place among the children is not known, so all are read.
    pub(super) async fn into_link(self, cancel: &CancelToken) -> Result<Option<SharedLink>> {
        self.finish(cancel).await?.link()
    }

    /// Reads to the proven end and drops the children.
    pub(crate) async fn finish(mut self, cancel: &CancelToken) -> Result<Jfs> {
        while self.next(cancel).await?.is_some() {}
        Ok(self.document.handler)
    }
}

/// A liststream being read.
pub(crate) struct TreeReader {
    document: Document<ListStream>,
    totals: TreeTotals,
}

impl TreeReader {
    pub(crate) fn new(answer: Answer, path: &RemotePath) -> Result<Self> {
        Ok(Self {
            document: Document::new(answer, ListStream::new(path)?),
            totals: TreeTotals::default(),
        })
    }

    /// The next entries, at most 512; `None` at the proven end: root closed and `<stats>` equal to what was read.
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Vec<TreeEntry>>> {
        self.document
            .read(|stream| stream.waiting() >= BATCH, cancel)
            .await?;
        let batch = self.document.handler.take(BATCH);
        if batch.is_empty() {
            self.totals = self.document.handler.proven()?;
            return Ok(None);
        }
        Ok(Some(batch))
    }

    /// After `next` gave `None`.
    pub fn totals(&self) -> TreeTotals {
        self.totals
    }
}
