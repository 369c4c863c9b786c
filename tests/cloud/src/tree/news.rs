//! What a change tells those who listen (protocol facts §8).
//!
//! A change is noted in its transaction and told once that has been committed, in the order of the commits. Nothing is
//! noted while nobody listens. Of more news at once than the feed holds no listener is told: all connections end, and
//! who connects again must look for itself.

use std::sync::Arc;

use super::{Kind, Node, TreeError, View};

/// News that a listener may be behind, and that one transaction may make.
pub const FEED: usize = 4096;

/// One change.
#[derive(Clone, Debug)]
pub struct News {
    /// What happened, in the service's words: `NEW_UPLOAD`, `MOVE`, …
    pub what: &'static str,
    /// The names from the device down, before the change.
    pub from: Vec<String>,
    /// And after it, for a move.
    pub to: Option<Vec<String>>,
    /// What is told of a file.
    pub file: Option<FileNews>,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// What is told of a file.
#[derive(Clone, Debug)]
pub struct FileNews {
    /// Its lifetime id.
    pub uuid: String,
    /// Of its content.
    pub md5: String,
    /// Of its content.
    pub size: i64,
    /// Number of the revision.
    pub revision: i64,
    /// Said by the client.
    pub created: i64,
    /// Said by the client.
    pub modified: i64,
    /// When the service took it.
    pub updated: i64,
}

/// What listeners get.
#[derive(Clone, Debug)]
pub enum Told {
    /// A change.
    Change(Arc<News>),
    /// These bytes, whatever they mean.
    Frame(bytes::Bytes),
    /// The end of their connections.
    Cut,
}

impl View<'_> {
    /// Notes a change of a node.
    pub(super) fn tell(&self, what: &'static str, node: &Node) -> Result<(), TreeError> {
        self.tell_move(what, node, None)
    }

    /// Notes a change of a node that was `node` before and is `to` now.
    pub(super) fn tell_move(
        &self,
        what: &'static str,
        node: &Node,
        to: Option<&Node>,
    ) -> Result<(), TreeError> {
        let Some(news) = &self.news else {
            return Ok(());
        };
        if news.borrow().len() > FEED {
            return Ok(());
        }
        let file = match node.kind {
            Kind::File => self.revision(node.current)?.map(|revision| FileNews {
                uuid: node.uuid.clone(),
                md5: revision.md5,
                size: revision.size.unwrap_or(0),
                revision: revision.number,
                created: revision.created,
                modified: revision.modified,
                updated: revision.updated,
            }),
            _ => None,
        };
        let one = News {
            what,
            from: self.names_of(node)?,
            to: to.map(|to| self.names_of(to)).transpose()?,
            file,
            at: self.now,
        };
        news.borrow_mut().push(one);
        Ok(())
    }
}

/// The word for each kind of node, in the order of [`Kind`].
pub fn word(node: &Node, words: [&'static str; 4]) -> &'static str {
    words[node.kind as usize]
}
