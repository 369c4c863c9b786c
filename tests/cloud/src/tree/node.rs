//! Reading nodes and revisions.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{News, TreeError};
use crate::names::{self, JfsPath};
use crate::refusal::Refusal;
use crate::switches::Switches;
use crate::times;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A computer, a phone, or Jotta.
    Device = 0,
    /// A root of folders.
    MountPoint = 1,
    /// A folder.
    Folder = 2,
    /// A file.
    File = 3,
}

/// A device, mount point, folder or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Row.
    pub id: i64,
    /// Row of the parent; 0 is the account.
    pub parent: i64,
    /// Row of the mount point it is in, its own for a mount point, 0 for a device.
    pub mount: i64,
    /// What it is.
    pub kind: Kind,
    /// As it is shown.
    pub name: String,
    /// As it is compared.
    pub folded: String,
    /// A file's lifetime id.
    pub uuid: String,
    /// When it was trashed.
    pub deleted: Option<i64>,
    /// The key of its public link.
    pub link: Option<String>,
    /// Row of the newest COMPLETED revision.
    pub current: Option<i64>,
    /// Row of a newer revision that is not COMPLETED.
    pub latest: Option<i64>,
    /// When it came to be.
    pub made: i64,
    /// When it last changed.
    pub changed: i64,
}

impl Node {
    pub(super) const COLUMNS: &str = "id, parent, mount, kind, name, folded, uuid, deleted, link, current, latest, made, changed";

    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            parent: row.get(1)?,
            mount: row.get(2)?,
            kind: match row.get(3)? {
                0 => Kind::Device,
                1 => Kind::MountPoint,
                2 => Kind::Folder,
                _ => Kind::File,
            },
            name: row.get(4)?,
            folded: row.get(5)?,
            uuid: row.get(6)?,
            deleted: row.get(7)?,
            link: row.get(8)?,
            current: row.get(9)?,
            latest: row.get(10)?,
            made: row.get(11)?,
            changed: row.get(12)?,
        })
    }
}

/// How far a revision's content has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionState {
    /// All bytes are there and match.
    Completed = 0,
    /// Some bytes are there.
    Incomplete = 1,
    /// All bytes came and did not match.
    Corrupt = 2,
}

impl RevisionState {
    /// As the service spells it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Incomplete => "INCOMPLETE",
            Self::Corrupt => "CORRUPT",
        }
    }
}

/// One revision of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Row.
    pub id: i64,
    /// Its number; the first is 1.
    pub number: i64,
    /// How far it has come.
    pub state: RevisionState,
    /// Said by the client.
    pub created: i64,
    /// Said by the client.
    pub modified: i64,
    /// When the service took it.
    pub updated: i64,
    /// Of the content; bytes received so far when incomplete; nothing when corrupt.
    pub size: Option<i64>,
    /// As the client spelled it.
    pub md5: String,
    /// Row of the content.
    pub blob: Option<i64>,
}

impl Revision {
    pub(super) const COLUMNS: &str =
        "id, number, state, created, modified, updated, size, md5, blob";

    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            number: row.get(1)?,
            state: match row.get(2)? {
                0 => RevisionState::Completed,
                1 => RevisionState::Incomplete,
                _ => RevisionState::Corrupt,
            },
            created: row.get(3)?,
            modified: row.get(4)?,
            updated: row.get(5)?,
            size: row.get(6)?,
            md5: row.get(7)?,
            blob: row.get(8)?,
        })
    }
}

/// The tree inside one transaction.
pub struct View<'a> {
    pub(super) db: &'a Connection,
    /// The answers in force when the transaction began.
    pub switches: Switches,
    /// The moment of the transaction.
    pub now: i64,
    /// What to tell once the transaction is committed, if anybody listens.
    pub(super) news: Option<RefCell<Vec<News>>>,
}

impl<'a> View<'a> {
    pub(super) fn new(db: &'a Connection, switches: Switches, listened: bool) -> Self {
        Self {
            db,
            switches,
            now: times::now(),
            news: listened.then(RefCell::default),
        }
    }

    /// One node.
    pub fn node(&self, id: i64) -> Result<Option<Node>, TreeError> {
        let sql = format!("SELECT {} FROM node WHERE id = ?", Node::COLUMNS);
        Ok(self
            .db
            .prepare_cached(&sql)?
            .query_row([id], Node::of)
            .optional()?)
    }

    /// The child of that name: the live one, else the newest tombstone.
    pub fn child(&self, parent: i64, name: &str) -> Result<Option<Node>, TreeError> {
        let sql = format!(
            "SELECT {} FROM node WHERE parent = ? AND kind IN (0, 1, 2, 3) AND folded = ?
             ORDER BY deleted IS NULL DESC, deleted DESC, id DESC LIMIT 1",
            Node::COLUMNS
        );
        let folded = names::folded(name, &self.switches);
        Ok(self
            .db
            .prepare_cached(&sql)?
            .query_row(params![parent, folded], Node::of)
            .optional()?)
    }

    /// What is at a path, live or trashed.
    pub fn find(&self, path: &JfsPath) -> Result<Option<Node>, TreeError> {
        let mut parent = 0;
        let mut found = None;
        for segment in &path.segments {
            let Some(node) = self.child(parent, segment)? else {
                return Ok(None);
            };
            parent = node.id;
            found = Some(node);
        }
        Ok(found)
    }

    /// The names from the device down to the node.
    pub fn names_of(&self, node: &Node) -> Result<Vec<String>, TreeError> {
        let mut names = vec![node.name.clone()];
        let mut parent = node.parent;
        while let Some(above) = self.node(parent)? {
            names.push(above.name);
            parent = above.parent;
        }
        names.reverse();
        Ok(names)
    }

    /// A page of the children of one kind, in the order of their folded names; `after` is the last of the page before.
    ///
    /// Tombstones that a live sibling of the same name hides are left out, as are all but the newest of one name.
    pub fn children(
        &self,
        parent: i64,
        kind: Kind,
        after: Option<&Node>,
        deleted_too: bool,
    ) -> Result<Vec<Node>, TreeError> {
        let live = if deleted_too {
            "(deleted IS NULL OR NOT EXISTS (SELECT 1 FROM node AS other
                WHERE other.parent = node.parent AND other.kind IN (0, 1, 2, 3)
                AND other.folded = node.folded AND other.id <> node.id
                AND (other.deleted IS NULL OR other.deleted > node.deleted
                     OR (other.deleted = node.deleted AND other.id > node.id))))"
        } else {
            "deleted IS NULL"
        };
        let sql = format!(
            "SELECT {} FROM node WHERE parent = ?1 AND kind = ?2 AND (folded, id) > (?3, ?4) AND {live}
             ORDER BY folded, id LIMIT {PAGE}",
            Node::COLUMNS
        );
        let (folded, id) = after.map_or(("", i64::MIN), |node| (node.folded.as_str(), node.id));
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query_map(params![parent, kind as i64, folded, id], Node::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Calls `each` for every child of one kind, a page at a time.
    pub fn each_child<E: From<TreeError>>(
        &self,
        parent: i64,
        kind: Kind,
        deleted_too: bool,
        mut each: impl FnMut(&Node) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut after = None;
        let mut count = 0;
        loop {
            let mut page = self.children(parent, kind, after.as_ref(), deleted_too)?;
            for node in &page {
                each(node)?;
            }
            count += page.len() as u64;
            if page.len() < PAGE {
                return Ok(count);
            }
            after = page.pop();
        }
    }

    /// One revision.
    pub fn revision(&self, id: Option<i64>) -> Result<Option<Revision>, TreeError> {
        let Some(id) = id else { return Ok(None) };
        let sql = format!("SELECT {} FROM revision WHERE id = ?", Revision::COLUMNS);
        Ok(self
            .db
            .prepare_cached(&sql)?
            .query_row([id], Revision::of)
            .optional()?)
    }

    /// The revisions of a file that are neither current nor latest, newest first.
    pub fn old_revisions(&self, node: &Node) -> Result<Vec<Revision>, TreeError> {
        let sql = format!(
            "SELECT {} FROM revision WHERE node = ?1 AND id <> ifnull(?2, 0) AND id <> ifnull(?3, 0)
             ORDER BY number DESC",
            Revision::COLUMNS
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows =
            statement.query_map(params![node.id, node.current, node.latest], Revision::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Type and sid of a device.
    pub fn device(&self, node: &Node) -> Result<(String, String), TreeError> {
        Ok(self.db.query_row(
            "SELECT type, sid FROM device WHERE node = ?",
            [node.id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    }

    /// The device that a path names.
    pub fn find_device(&self, path: &JfsPath) -> Result<Node, TreeError> {
        let name = path.segments.first().map_or("", String::as_str);
        self.child(0, name)?.ok_or_else(|| {
            Refusal::new(
                404,
                "no.jotta.backup.errors.NoSuchDeviceException",
                format!("Device {name} does not exist"),
            )
            .into()
        })
    }

    /// Bytes of live current content in a mount point.
    pub fn size_of_mount(&self, mount: i64) -> Result<i64, TreeError> {
        Ok(self.db.query_row(
            "SELECT ifnull(sum(size), 0) FROM node WHERE kind = 3 AND mount = ?",
            [mount],
            |row| row.get(0),
        )?)
    }

    /// Bytes of current content, trash included.
    pub fn usage(&self) -> Result<i64, TreeError> {
        Ok(self.db.query_row(
            "SELECT ifnull(sum(size), 0) FROM node WHERE kind = 3",
            [],
            |row| row.get(0),
        )?)
    }

    /// `Sync`, `Archive` or `Backup`: what the content of a node is counted under. Other mount points of Jotta are
    /// counted under their own names.
    pub fn space_of(&self, node: &Node) -> Result<String, TreeError> {
        let names = self.names_of(node)?;
        let jotta = names
            .first()
            .is_some_and(|n| n.eq_ignore_ascii_case("Jotta"));
        Ok(match names.get(1) {
            Some(mount) if jotta => mount.clone(),
            _ => "Backup".to_owned(),
        })
    }
}

/// Rows read at a time.
pub(super) const PAGE: usize = 500;
