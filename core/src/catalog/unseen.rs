//! What a complete listing did not show.

use super::overlay::edited;
use super::row::Id;
use super::stage::Run;
use crate::{CancelToken, Result};
use rusqlite::Connection;

/// An item that was not shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unseen {
    pub key: i64,
    /// Where it was not shown.
    pub parent: i64,
}

/// A file that was not shown, with what may recognise it elsewhere.
#[derive(Clone, Debug)]
pub(super) struct LostFile {
    /// 0 for one that was told as gone already.
    pub key: i64,
    pub parent: i64,
    pub name: String,
    pub content: (Option<[u8; 16]>, Option<i64>),
    pub uuid: Option<Id>,
    /// Whether an app has its id.
    pub left: bool,
}

impl Run {
    /// The folders listed, each after what it is in.
    pub fn listed_folders(&self, db: &Connection) -> Result<Vec<i64>> {
        let mut folders = vec![self.scope.root];
        if !self.scope.tree {
            return Ok(folders);
        }
        let mut below = db.prepare_cached(if edited(db)? {
            "SELECT key FROM served WHERE parent = ?1 AND (kind = 3) = 0 AND key <> ?1"
        } else {
            "SELECT key FROM item INDEXED BY item_name
             WHERE parent = ?1 AND (kind = 3) = 0 AND key <> ?1"
        })?;
        let mut next = 0;
        while let Some(folder) = folders.get(next).copied() {
            next += 1;
            for key in below.query_map([folder], |row| row.get(0))? {
                folders.push(key?);
            }
        }
        Ok(folders)
    }

    /// Up to `limit` items that the listing did not show, those that an app knows or those that none does.
    /// What is newer than the listing is left out.
    pub fn unseen(&self, limit: usize, known: bool) -> Result<Vec<Unseen>> {
        self.store.catalog.read(|db| {
            let mut unseen = Vec::new();
            let mut children = db.prepare_cached(if edited(db)? {
                "SELECT key FROM served WHERE parent = ?1 AND key <> ?1"
            } else {
                "SELECT key FROM item INDEXED BY item_name WHERE parent = ?1 AND key <> ?1"
            })?;
            let mut wanted = db.prepare_cached(
                "SELECT 1 FROM item WHERE key = ?1 AND ifnull(told_seq, seq) <= ?2 AND (id IS NOT NULL) = ?3",
            )?;
            for folder in self.listed_folders(db)? {
                let mut rows = children.query([folder])?;
                while let Some(row) = rows.next()? {
                    let key: i64 = row.get(0)?;
                    if self.marks.has(key) || key >= self.moment.next_key {
                        continue;
                    }
                    if !wanted.exists((key, self.moment.seq, known))? {
                        continue;
                    }
                    unseen.push(Unseen {
                        key,
                        parent: folder,
                    });
                    if unseen.len() >= limit {
                        return Ok(unseen);
                    }
                }
            }
            Ok(unseen)
        })
    }

    /// The files among these.
    pub fn lost_files(&self, unseen: &[Unseen]) -> Result<Vec<LostFile>> {
        self.store.catalog.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT key, parent, name, md5, size, uuid, id IS NOT NULL FROM served
                 WHERE key = ?1 AND kind = 3",
            )?;
            let mut files = Vec::new();
            for Unseen { key, .. } in unseen {
                for file in query.query_map([key], |row| {
                    Ok(LostFile {
                        key: row.get(0)?,
                        parent: row.get(1)?,
                        name: row.get(2)?,
                        content: (row.get(3)?, row.get(4)?),
                        uuid: row.get(5)?,
                        left: row.get(6)?,
                    })
                })? {
                    files.push(file?);
                }
            }
            Ok(files)
        })
    }

    /// The newest files that were told as gone, up to `limit`: a folder that was asked for by an old path was
    /// gone from there, and may turn up elsewhere.
    pub fn gone_files(&self, limit: u32) -> Result<Vec<LostFile>> {
        self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT name, md5, size, uuid FROM gone
                     WHERE kind = 3 AND uuid IS NOT NULL ORDER BY seq DESC LIMIT ?1",
                )?
                .query_map([limit], |row| {
                    Ok(LostFile {
                        key: 0,
                        parent: 0,
                        name: row.get(0)?,
                        content: (row.get(1)?, row.get(2)?),
                        uuid: row.get(3)?,
                        left: true,
                    })
                })?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Notes that all folders that were shown are complete as of now.
    pub fn mark_listed(&self, cancel: &CancelToken) -> Result<()> {
        let now = self.store.now_ms();
        let folders = self.store.catalog.read(|db| {
            let mut unlisted =
                db.prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND listed_ms IS NULL")?;
            let mut folders = Vec::new();
            for folder in self.listed_folders(db)? {
                if self.marks.has(folder) && unlisted.exists([folder])? {
                    folders.push(folder);
                }
            }
            Ok(folders)
        })?;
        for batch in folders.chunks(1_000) {
            cancel.check()?;
            self.store.catalog.write(|db| {
                self.still(db)?;
                let mut mark =
                    db.prepare_cached("UPDATE item SET listed_ms = ?2 WHERE key = ?1")?;
                for folder in batch {
                    mark.execute((folder, now))?;
                }
                Ok(())
            })?;
        }
        let own = if self.scope.tree {
            "UPDATE item SET listed_ms = ?2, indexed_ms = ?2 WHERE key = ?1"
        } else {
            "UPDATE item SET listed_ms = ?2 WHERE key = ?1"
        };
        self.store.catalog.write(|db| {
            self.still(db)?;
            db.prepare_cached(own)?.execute((self.scope.root, now))?;
            Ok(())
        })
    }
}
