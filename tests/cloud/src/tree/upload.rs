//! Uploads: what allocate finds, and a revision on its way from INCOMPLETE to COMPLETED or CORRUPT (protocol facts
//! §5.1, §5.2). The bytes themselves are in `blobs`.

use rusqlite::{OptionalExtension, params};

use super::change::uuid;
use super::{Node, Revision, RevisionState, Sent, TreeError, View};
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::switches::{PartialUpload, UploadOrder};

/// What allocate found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The file.
    pub node: Node,
    /// Nothing to upload, some of it, or all again.
    pub state: RevisionState,
    /// Names the upload; random even when there is nothing to upload.
    pub upload: String,
    /// A resumed upload goes on at the bytes that are on disk.
    pub resumed: bool,
}

/// An upload in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Row of the INCOMPLETE or CORRUPT revision.
    pub revision: i64,
    /// Row of the file.
    pub node: i64,
    /// Lower case hex of what must come.
    pub md5: String,
    /// Bytes that must come.
    pub size: u64,
    /// Some bytes came through this address already.
    pub url_used: bool,
}

impl View<'_> {
    /// `allocate` (protocol facts §5.1).
    pub fn allocate(
        &self,
        path: &JfsPath,
        sent: &Sent,
        reject_conflicts: bool,
    ) -> Result<Allocated, TreeError> {
        let live = self.find(path)?.filter(|node| node.deleted.is_none());
        if reject_conflicts && live.as_ref().is_some_and(|n| n.current.is_some()) {
            return Err(self.unique(path));
        }
        let node = self.file_for_content(path)?;
        let completed = |node| Allocated {
            node,
            state: RevisionState::Completed,
            upload: uuid(),
            resumed: false,
        };
        if let Some(revision) = self.holds(&node, sent)? {
            return Ok(completed(self.touch(
                &node,
                &revision,
                sent.created,
                sent.modified,
            )?));
        }
        if let Some(known) = self.known(&sent.md5, sent.size)? {
            return Ok(completed(
                self.add_revision(&node, &sent.of_blob(known.id))?,
            ));
        }
        self.begin_upload(node, sent)
    }

    fn begin_upload(&self, node: Node, sent: &Sent) -> Result<Allocated, TreeError> {
        let pending: Option<(String, i64, i64)> = self
            .db
            .query_row(
                "SELECT upload.id, upload.revision, revision.state FROM upload
                 JOIN revision ON revision.id = upload.revision
                 WHERE upload.node = ? AND upload.md5 = ? AND upload.size = ?",
                params![node.id, sent.md5.to_ascii_lowercase(), sent.size as i64],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        if let Some((upload, revision, state)) = pending {
            self.db.execute(
                "UPDATE revision SET created = ?, modified = ? WHERE id = ?",
                params![sent.created, sent.modified, revision],
            )?;
            self.db
                .execute("UPDATE upload SET url_used = 0 WHERE id = ?", [&upload])?;
            let corrupt = state == RevisionState::Corrupt as i64;
            return Ok(Allocated {
                node,
                state: if corrupt {
                    RevisionState::Corrupt
                } else {
                    RevisionState::Incomplete
                },
                upload,
                resumed: !corrupt && self.switches.partial_upload == PartialUpload::Kept,
            });
        }
        let number = self.next_number(&node)?;
        self.db.execute(
            "INSERT INTO revision(node, number, state, created, modified, updated, size, md5)
             VALUES (?, ?, 1, ?, ?, ?, 0, ?)",
            params![
                node.id,
                number,
                sent.created,
                sent.modified,
                self.now,
                sent.md5
            ],
        )?;
        let revision = self.db.last_insert_rowid();
        self.db.execute(
            "UPDATE node SET latest = ?, changed = ? WHERE id = ?",
            params![revision, self.now, node.id],
        )?;
        let node = Node {
            latest: Some(revision),
            ..node
        };
        self.prune(&node)?;
        let upload = uuid();
        self.db.execute(
            "INSERT INTO upload(id, revision, node, md5, size) VALUES (?, ?, ?, ?, ?)",
            params![
                upload,
                revision,
                node.id,
                sent.md5.to_ascii_lowercase(),
                sent.size as i64
            ],
        )?;
        Ok(Allocated {
            node,
            state: RevisionState::Incomplete,
            upload,
            resumed: false,
        })
    }

    /// An upload in progress.
    pub fn upload(&self, id: &str) -> Result<Option<Upload>, TreeError> {
        Ok(self
            .db
            .query_row(
                "SELECT revision, node, md5, size, url_used FROM upload WHERE id = ?",
                [id],
                |row| {
                    Ok(Upload {
                        revision: row.get(0)?,
                        node: row.get(1)?,
                        md5: row.get(2)?,
                        size: row.get::<_, i64>(3)? as u64,
                        url_used: row.get(4)?,
                    })
                },
            )
            .optional()?)
    }

    /// `received` bytes of an upload are there.
    pub fn upload_progress(
        &self,
        id: &str,
        upload: &Upload,
        received: u64,
    ) -> Result<(), TreeError> {
        self.db
            .execute("UPDATE upload SET url_used = 1 WHERE id = ?", [id])?;
        self.db.execute(
            "UPDATE revision SET state = 1, size = ?, updated = ? WHERE id = ?",
            params![received as i64, self.now, upload.revision],
        )?;
        Ok(())
    }

    /// All bytes came and were others than announced.
    pub fn upload_corrupt(&self, id: &str, upload: &Upload) -> Result<(), TreeError> {
        self.db
            .execute("UPDATE upload SET url_used = 1 WHERE id = ?", [id])?;
        self.db.execute(
            "UPDATE revision SET state = 2, size = NULL, updated = ? WHERE id = ?",
            params![self.now, upload.revision],
        )?;
        Ok(())
    }

    /// All bytes came and are on disk.
    pub fn upload_done(&self, id: &str, upload: &Upload) -> Result<(Node, Revision), TreeError> {
        let blob = self.add_blob(&upload.md5, upload.size, None)?;
        self.db.execute(
            "UPDATE revision SET state = 0, size = ?, blob = ?, updated = ? WHERE id = ?",
            params![upload.size as i64, blob, self.now, upload.revision],
        )?;
        self.db.execute("DELETE FROM upload WHERE id = ?", [id])?;
        let gone = || TreeError::from(Refusal::not_found("the file was removed"));
        let node = self.node(upload.node)?.ok_or_else(gone)?;
        let revision = self.revision(Some(upload.revision))?.ok_or_else(gone)?;
        let overtaken = self
            .revision(node.current)?
            .is_some_and(|current| current.number > revision.number);
        if overtaken && self.switches.upload_order == UploadOrder::AllocatedLast {
            return Ok((node, revision));
        }
        let mut revision = revision;
        if overtaken {
            revision.number = self.next_number(&node)?;
            self.db.execute(
                "UPDATE revision SET number = ? WHERE id = ?",
                params![revision.number, revision.id],
            )?;
        }
        let node = self.make_current(&node, revision.id, upload.size, revision.number)?;
        Ok((node, revision))
    }
}
