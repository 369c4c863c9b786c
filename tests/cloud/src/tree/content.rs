//! Content of files: revisions, and what the service knows without being sent bytes (protocol facts §5.3, §5.5).

use rusqlite::{OptionalExtension, params};

use super::change::is_virtual;
use super::{Kind, Node, Revision, TreeError, View};
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::switches::{KnownContent, Touch, UploadOntoTrashed};
use crate::writer::Held;

/// Revisions that stay, the current one included.
const VERSIONS: i64 = 5;

/// Content that a file gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContent {
    /// As the client spelled it.
    pub md5: String,
    /// Bytes.
    pub size: u64,
    /// Said by the client.
    pub created: i64,
    /// Said by the client.
    pub modified: i64,
    /// Row of the content.
    pub blob: i64,
}

impl NewContent {
    /// What a revision holds, when it holds something whole.
    pub fn of(revision: &Revision) -> Option<Self> {
        Some(Self {
            md5: revision.md5.clone(),
            size: u64::try_from(revision.size?).ok()?,
            created: revision.created,
            modified: revision.modified,
            blob: revision.blob?,
        })
    }
}

/// Content that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Row.
    pub id: i64,
    /// Lower case hex.
    pub md5: String,
    /// Bytes.
    pub size: u64,
    /// Generated from this, or on disk.
    pub seed: Option<u64>,
}

/// What a client wants to put at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// As the client spelled it.
    pub md5: String,
    /// Bytes.
    pub size: u64,
    /// Said by the client.
    pub created: i64,
    /// Said by the client.
    pub modified: i64,
}

impl View<'_> {
    /// The content of a row.
    pub fn blob(&self, id: i64) -> Result<Option<Known>, TreeError> {
        Ok(self
            .db
            .prepare_cached("SELECT id, md5, size, seed FROM blob WHERE id = ?")?
            .query_row([id], known)
            .optional()?)
    }

    /// Notes content that is on disk, or that `seed` makes.
    pub fn add_blob(&self, md5: &str, size: u64, seed: Option<u64>) -> Result<i64, TreeError> {
        let md5 = md5.to_ascii_lowercase();
        self.db
            .prepare_cached("INSERT OR IGNORE INTO blob(md5, size, seed) VALUES (?, ?, ?)")?
            .execute(params![md5, size as i64, seed.map(|s| s as i64)])?;
        Ok(self
            .db
            .prepare_cached("SELECT id FROM blob WHERE md5 = ? AND size = ?")?
            .query_row(params![md5, size as i64], |row| row.get(0))?)
    }

    /// Content that was generated before from the same seed.
    pub fn generated(&self, seed: u64, size: u64) -> Result<Option<Known>, TreeError> {
        Ok(self
            .db
            .prepare_cached("SELECT id, md5, size, seed FROM blob WHERE seed = ? AND size = ?")?
            .query_row(params![seed as i64, size as i64], known)
            .optional()?)
    }

    /// Content from which a file may be built without bytes.
    pub fn known(&self, md5: &str, size: u64) -> Result<Option<Known>, TreeError> {
        let held = match self.switches.known_content {
            KnownContent::Anyones => "",
            KnownContent::Own => {
                "AND EXISTS (SELECT 1 FROM revision WHERE revision.blob = blob.id AND revision.state = 0)"
            }
            KnownContent::OwnCurrent => {
                "AND EXISTS (SELECT 1 FROM revision JOIN node ON node.id = revision.node
                 AND node.current = revision.id WHERE revision.blob = blob.id)"
            }
        };
        let sql = format!("SELECT id, md5, size, seed FROM blob WHERE md5 = ? AND size = ? {held}");
        Ok(self
            .db
            .prepare_cached(&sql)?
            .query_row(params![md5.to_ascii_lowercase(), size as i64], known)
            .optional()?)
    }

    /// Where a content is.
    pub fn whereabouts(&self, md5: &str, size: u64) -> Result<Held, TreeError> {
        let sql = "SELECT
            EXISTS (SELECT 1 FROM blob WHERE md5 = ?1 AND size = ?2),
            (SELECT count(*) FROM node JOIN revision ON revision.id = node.current JOIN blob ON blob.id = revision.blob
                WHERE blob.md5 = ?1 AND blob.size = ?2 AND node.deleted IS NULL),
            (SELECT count(*) FROM revision JOIN blob ON blob.id = revision.blob
                WHERE blob.md5 = ?1 AND blob.size = ?2 AND revision.state = 0)";
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(self
            .db
            .prepare_cached(sql)?
            .query_row(params![md5, size as i64], |row| {
                Ok(Held {
                    came: row.get(0)?,
                    living: count(row.get(1)?),
                    kept: count(row.get(2)?),
                })
            })?)
    }

    /// A COMPLETED revision on top; the oldest go.
    pub fn add_revision(&self, node: &Node, content: &NewContent) -> Result<Node, TreeError> {
        let number = self.next_number(node)?;
        self.db
            .prepare_cached(
                "INSERT INTO revision(node, number, state, created, modified, updated, size, md5, blob)
                 VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                node.id,
                number,
                content.created,
                content.modified,
                self.now,
                content.size as i64,
                content.md5,
                content.blob
            ])?;
        let revision = self.db.last_insert_rowid();
        self.make_current(node, revision, content.size, number)
    }

    /// A COMPLETED revision becomes the current one; an upload that began later stays the latest.
    pub(super) fn make_current(
        &self,
        node: &Node,
        revision: i64,
        size: u64,
        number: i64,
    ) -> Result<Node, TreeError> {
        let latest = self
            .revision(node.latest)?
            .filter(|latest| latest.number > number)
            .map(|latest| latest.id);
        self.db
            .prepare_cached(
                "UPDATE node SET current = ?, latest = ?, size = ?, changed = ? WHERE id = ?",
            )?
            .execute(params![revision, latest, size as i64, self.now, node.id])?;
        let node = Node {
            current: Some(revision),
            latest,
            changed: self.now,
            ..node.clone()
        };
        if number > VERSIONS {
            self.prune(&node)?;
        }
        self.tell("NEW_UPLOAD", &node)?;
        Ok(node)
    }

    pub(super) fn next_number(&self, node: &Node) -> Result<i64, TreeError> {
        Ok(self
            .db
            .prepare_cached("SELECT ifnull(max(number), 0) + 1 FROM revision WHERE node = ?")?
            .query_row([node.id], |row| row.get(0))?)
    }

    pub(super) fn prune(&self, node: &Node) -> Result<(), TreeError> {
        self.db
            .prepare_cached(
                "DELETE FROM revision WHERE node = ?1 AND id <> ifnull(?2, 0) AND id <> ifnull(?3, 0)
                 AND id NOT IN (SELECT id FROM revision WHERE node = ?1 ORDER BY number DESC LIMIT ?4)",
            )?
            .execute(params![node.id, node.current, node.latest, VERSIONS])?;
        self.db.execute(
            "DELETE FROM upload WHERE node = ?1 AND revision NOT IN (SELECT id FROM revision WHERE node = ?1)",
            [node.id],
        )?;
        Ok(())
    }

    /// The file at a path, made if need be; a trashed one as the switch says. Never a live folder.
    pub fn file_for_content(&self, path: &JfsPath) -> Result<Node, TreeError> {
        if is_virtual(path) {
            return Err(Refusal::invalid(format!("{} takes no files", path.absolute())).into());
        }
        let (parent, name) = self.make_parents(path)?;
        self.file_in(&parent, &name)
    }

    /// As `file_for_content`, in a folder that is there.
    pub fn file_in(&self, parent: &Node, name: &str) -> Result<Node, TreeError> {
        match self.child(parent.id, name)? {
            Some(node) if node.deleted.is_none() && node.kind == Kind::File => Ok(node),
            Some(node) if node.deleted.is_none() => Err(self.unique(&JfsPath::plain(name))),
            Some(mut node)
                if node.kind == Kind::File
                    && self.switches.upload_onto_trashed == UploadOntoTrashed::Revives =>
            {
                self.revive(&mut node)?;
                Ok(node)
            }
            _ => self.insert(Some(parent), Kind::File, name),
        }
    }

    pub(super) fn holds(&self, node: &Node, sent: &Sent) -> Result<Option<Revision>, TreeError> {
        Ok(self.revision(node.current)?.filter(|r| {
            r.md5.eq_ignore_ascii_case(&sent.md5) && r.size == i64::try_from(sent.size).ok()
        }))
    }

    /// Gives the current revision other times, in place or as a revision of its own.
    pub fn touch(
        &self,
        node: &Node,
        revision: &Revision,
        created: i64,
        modified: i64,
    ) -> Result<Node, TreeError> {
        if (revision.created, revision.modified) == (created, modified) {
            return Ok(node.clone());
        }
        if let (Touch::NewRevision, Some(content)) = (self.switches.touch, NewContent::of(revision))
        {
            return self.add_revision(
                node,
                &NewContent {
                    created,
                    modified,
                    ..content
                },
            );
        }
        self.db.execute(
            "UPDATE revision SET created = ?, modified = ? WHERE id = ?",
            params![created, modified, revision.id],
        )?;
        self.tell("TOUCH", node)?;
        Ok(node.clone())
    }

    /// `cphash` (protocol facts §5.3): touches, builds from known content, or restores; else 404.
    pub fn cphash(&self, path: &JfsPath, sent: &Sent) -> Result<Node, TreeError> {
        let found = self.find(path)?.filter(|node| node.kind == Kind::File);
        if let Some(mut node) = found
            && let Some(revision) = self.holds(&node, sent)?
        {
            if node.deleted.is_some() {
                self.make_parents(path)?;
                self.revive(&mut node)?;
            }
            return self.touch(&node, &revision, sent.created, sent.modified);
        }
        match self.known(&sent.md5, sent.size)? {
            Some(known) => {
                let node = self.file_for_content(path)?;
                self.add_revision(&node, &sent.of_blob(known.id))
            }
            None => Err(Refusal::new(
                404,
                "no.jotta.backup.errors.NoSuchFileException",
                format!("File {} does not exist", path.absolute()),
            )
            .into()),
        }
    }
}

impl Sent {
    /// With the content that is there.
    pub fn of_blob(&self, blob: i64) -> NewContent {
        NewContent {
            md5: self.md5.clone(),
            size: self.size,
            created: self.created,
            modified: self.modified,
            blob,
        }
    }
}

fn known(row: &rusqlite::Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get(0)?,
        md5: row.get(1)?,
        size: row.get::<_, i64>(2)? as u64,
        seed: row.get::<_, Option<i64>>(3)?.map(|s| s as u64),
    })
}
