//! A listing on its way in.
//!
//! What a listing says is compared with the tree as it streams by. What is already so is only
//! marked as seen; what differs waits in a staging table until the listing is proven complete.
//! Until then nothing that an app can see has changed, and a listing that fails leaves nothing.
//!
//! Memory is bounded: a bit for each known item, and the keys of recently met folders.

use super::facts::{Facts, KNOWN, Known, known};
use super::moment::Moment;
use super::row::{self, FILE, fold, origin_text};
use crate::remote::{Entry, RemoteFile, RemoteFolder, TreeEntry};
use crate::store::Store;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::HashMap;
use std::sync::Arc;

/// Folders of a liststream whose keys are remembered.
const FOLDERS_KEPT: usize = 1_024;

/// A run that has not moved for this long was left behind by a process that ended.
const ABANDONED_MS: i64 = 60 * 60 * 1000;

/// What is being listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// The folder listed.
    pub root: i64,
    pub space: u8,
    /// What its child folders are.
    pub folder_kind: u8,
    /// Everything below, not only the children.
    pub tree: bool,
    /// In the trash, where tombstones are what is listed.
    pub tombstones: bool,
}

/// The keys of items that the listing has shown.
#[derive(Default)]
pub(crate) struct Marks(Vec<u64>);

impl Marks {
    /// Whether `key` was not marked before.
    pub fn mark(&mut self, key: i64) -> bool {
        let (word, bit) = place(key);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    pub fn has(&self, key: i64) -> bool {
        let (word, bit) = place(key);
        self.0.get(word).is_some_and(|marks| marks & bit != 0)
    }
}

fn place(key: i64) -> (usize, u64) {
    let key = usize::try_from(key).unwrap_or(0);
    (key / 64, 1 << (key % 64))
}

#[derive(Clone, Copy)]
struct Folder {
    key: i64,
}

impl Folder {
    /// Not in the tree yet, so nothing in it can be either.
    fn is_new(self) -> bool {
        self.key < 0
    }
}

/// Something that differs. `key` is the item's, or below zero for what seems new.
pub(super) struct Staged {
    pub key: i64,
    pub parent: i64,
    pub facts: Facts,
}

pub(super) struct Run {
    pub store: Arc<Store>,
    pub scope: Scope,
    pub marks: Marks,
    pub folders: u64,
    pub files: u64,
    pub run: i64,
    /// When the service was asked.
    pub moment: Moment,
    /// How many new items there are so far.
    pub new: i64,
    n: i64,
    cache: HashMap<Vec<String>, Folder>,
}

impl Run {
    pub fn begin(store: Arc<Store>, scope: Scope, moment: Moment) -> Result<Self> {
        let now = store.now_ms();
        let run = store.catalog.write(|db| {
            moment.check(db)?;
            drop_abandoned(db, now)?;
            db.execute("INSERT INTO run (touched_ms) VALUES (?1)", [now])?;
            Ok(db.last_insert_rowid())
        })?;
        Ok(Self {
            store,
            scope,
            marks: Marks::default(),
            // The listed folder of a tree counts as one.
            folders: u64::from(scope.tree),
            files: 0,
            run,
            moment,
            new: 0,
            n: 0,
            cache: HashMap::new(),
        })
    }

    /// Takes in children of a folder listing.
    pub fn list(&mut self, entries: Vec<Entry>) -> Result<()> {
        let folder = Folder {
            key: self.scope.root,
        };
        self.take(entries, |run, db, entry, staged| {
            let facts = match entry {
                Entry::Folder(listed) => run.folder_facts(listed),
                Entry::File(listed) => run.file_facts(listed),
            };
            let Some(facts) = facts else {
                return Ok(());
            };
            if facts.kind == FILE {
                run.files += 1;
            } else {
                run.folders += 1;
            }
            run.compare(db, folder, facts, staged)
        })
    }

    /// Takes in entries of a liststream.
    pub fn tree(&mut self, entries: Vec<TreeEntry>) -> Result<()> {
        if self.cache.len() > FOLDERS_KEPT {
            self.cache.clear();
        }
        self.take(entries, |run, db, entry, staged| match entry {
            TreeEntry::Folder { folder } => run.folder(db, &folder, staged).map(drop),
            TreeEntry::File { folder, file } => {
                let folder = run.folder(db, &folder, staged)?;
                let Some(facts) = run.file_facts(file) else {
                    return Ok(());
                };
                run.files += 1;
                run.compare(db, folder, facts, staged)
            }
        })
    }

    /// Compares in one snapshot, then stages what differs in one transaction.
    fn take<T>(
        &mut self,
        entries: Vec<T>,
        mut each: impl FnMut(&mut Self, &Connection, T, &mut Vec<Staged>) -> Result<()>,
    ) -> Result<()> {
        let store = self.store.clone();
        let staged = store.catalog.read(|db| {
            self.still(db)?;
            let mut staged = Vec::new();
            for entry in entries {
                each(self, db, entry, &mut staged)?;
            }
            Ok(staged)
        })?;
        if staged.is_empty() {
            return Ok(());
        }
        store.catalog.write(|db| self.write(db, &staged))
    }

    /// `StoreBusy` if the catalogue has begun another life, or this run was given up for abandoned: what it has
    /// seen and staged is worth nothing then.
    pub fn still(&self, db: &Connection) -> Result<()> {
        self.moment.check(db)?;
        let there = db
            .prepare_cached("SELECT 1 FROM run WHERE run = ?1")?
            .exists([self.run])?;
        if there { Ok(()) } else { Err(Error::StoreBusy) }
    }

    fn write(&mut self, db: &Transaction<'_>, staged: &[Staged]) -> Result<()> {
        self.still(db)?;
        db.prepare_cached("UPDATE run SET touched_ms = ?2 WHERE run = ?1")?
            .execute((self.run, self.store.now_ms()))?;
        let mut insert = db.prepare_cached(
            "INSERT INTO stage (run, n, key, parent, kind, name, fold, size, md5, modified_ms,
                 created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18)",
        )?;
        for Staged { key, parent, facts } in staged {
            self.n += 1;
            insert.execute(rusqlite::params![
                self.run,
                self.n,
                key,
                parent,
                facts.kind,
                facts.name,
                facts.fold,
                facts.size,
                facts.md5,
                facts.modified_ms,
                facts.created_ms,
                facts.updated_ms,
                facts.uuid,
                facts.revision,
                facts.mime,
                facts.shared,
                facts.deleted_ms,
                facts.origin,
            ])?;
        }
        Ok(())
    }

    /// The folder at a path below the mount point, staged if it is new.
    fn folder(
        &mut self,
        db: &Connection,
        path: &[String],
        staged: &mut Vec<Staged>,
    ) -> Result<Folder> {
        // From the deepest folder that was met lately, down.
        let (mut depth, mut folder) = (
            0,
            Folder {
                key: self.scope.root,
            },
        );
        for known in (1..=path.len()).rev() {
            if let Some(met) = self.cache.get(&path[..known]) {
                (depth, folder) = (known, *met);
                break;
            }
        }
        for depth in depth..path.len() {
            folder = self.child_folder(db, folder, &path[depth], staged)?;
            self.cache.insert(path[..=depth].to_vec(), folder);
        }
        Ok(folder)
    }

    fn child_folder(
        &mut self,
        db: &Connection,
        above: Folder,
        name: &str,
        staged: &mut Vec<Staged>,
    ) -> Result<Folder> {
        let facts = Facts {
            kind: self.scope.folder_kind,
            name: name.to_owned(),
            fold: fold(name),
            ..Facts::default()
        };
        let known = if above.is_new() {
            None
        } else {
            self.candidate(db, above.key, &facts)?
        };
        if let Some(known) = known {
            self.folders += u64::from(self.marks.mark(known.key));
            return Ok(Folder { key: known.key });
        }
        if let Some(key) = self.staged_folder(db, above.key, name)? {
            return Ok(Folder { key });
        }
        self.folders += 1;
        let key = self.new_key();
        staged.push(Staged {
            key,
            parent: above.key,
            facts,
        });
        Ok(Folder { key })
    }

    fn staged_folder(&self, db: &Connection, parent: i64, name: &str) -> Result<Option<i64>> {
        Ok(db
            .prepare_cached(
                "SELECT key FROM stage INDEXED BY stage_folder
                 WHERE run = ?1 AND parent = ?2 AND name = ?3 AND kind < 3",
            )?
            .query_row((self.run, parent, name), |row| row.get(0))
            .optional()?)
    }

    /// Marks what is already so; stages the rest.
    fn compare(
        &mut self,
        db: &Connection,
        folder: Folder,
        facts: Facts,
        staged: &mut Vec<Staged>,
    ) -> Result<()> {
        let known = if folder.is_new() {
            None
        } else {
            self.candidate(db, folder.key, &facts)?
        };
        let key = match known {
            Some(known) if self.marks.mark(known.key) => {
                if facts.clone().over(&known.facts) == known.facts {
                    return Ok(());
                }
                known.key
            }
            // Shown twice, or new.
            _ => self.new_key(),
        };
        staged.push(Staged {
            key,
            parent: folder.key,
            facts,
        });
        Ok(())
    }

    /// The row that the listed entry is beyond doubt: the exact name in its folder, and no other uuid.
    fn candidate(&self, db: &Connection, parent: i64, facts: &Facts) -> Result<Option<Known>> {
        let mut exact = db.prepare_cached(&format!(
            "SELECT {KNOWN} FROM served
             WHERE parent = ?1 AND (kind = 3) = ?2 AND fold = ?3 AND name = ?4 AND key <> ?1"
        ))?;
        let mut rows = exact.query((parent, facts.kind == FILE, &facts.fold, &facts.name))?;
        while let Some(row) = rows.next()? {
            let row = known(row)?;
            if is_same(&row.facts, facts) && !self.marks.has(row.key) {
                return Ok(Some(row));
            }
            // A folder of a liststream is met again and again.
            if self.scope.tree && facts.kind != FILE {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Below zero until the merge, which knows how many keys to take.
    fn new_key(&mut self) -> i64 {
        self.new += 1;
        -self.new
    }

    fn folder_facts(&self, folder: RemoteFolder) -> Option<Facts> {
        if folder.deleted_ms.is_some() != self.scope.tombstones {
            return None;
        }
        Some(Facts {
            kind: self.scope.folder_kind,
            fold: fold(&folder.name),
            name: folder.name,
            deleted_ms: seconds(folder.deleted_ms),
            origin: folder.trashed_from.as_ref().map(origin_text),
            ..Facts::default()
        })
    }

    fn file_facts(&self, file: RemoteFile) -> Option<Facts> {
        if file.deleted_ms.is_some() != self.scope.tombstones {
            return None;
        }
        file_facts(file)
    }
}

/// `None` for an upload that is not finished: not a file yet.
pub(super) fn file_facts(file: RemoteFile) -> Option<Facts> {
    let current = file.current?;
    Some(Facts {
        kind: FILE,
        fold: fold(&file.name),
        name: file.name,
        size: Some(i64::try_from(current.size).unwrap_or(i64::MAX)),
        md5: Some(current.md5),
        modified_ms: seconds(current.modified_ms),
        created_ms: seconds(current.created_ms),
        updated_ms: seconds(current.updated_ms),
        uuid: file.uuid,
        revision: current.number.and_then(|number| i64::try_from(number).ok()),
        mime: current.mime,
        shared: file.shared,
        deleted_ms: seconds(file.deleted_ms),
        origin: file.trashed_from.as_ref().map(origin_text),
    })
}

/// Whole seconds: the two kinds of listing differ in what they tell below.
fn seconds(ms: Option<i64>) -> Option<i64> {
    ms.map(|ms| ms - ms.rem_euclid(1_000))
}

/// Whether what is at one place can be one item. Two uuids that differ are two files; in the trash one name
/// comes several times, told apart by when and where it was deleted.
pub(super) fn is_same(before: &Facts, now: &Facts) -> bool {
    let uuids = match (before.uuid, now.uuid) {
        (Some(before), Some(now)) => return before == now,
        _ => true,
    };
    let deleted = now.origin.is_none()
        || (before.origin == now.origin && before.deleted_ms == now.deleted_ms);
    uuids && deleted
}

fn drop_abandoned(db: &Transaction<'_>, now: i64) -> Result<()> {
    db.execute(
        "DELETE FROM run WHERE abs(touched_ms - ?1) > ?2",
        [now, ABANDONED_MS],
    )?;
    db.execute(
        "DELETE FROM stage WHERE run NOT IN (SELECT run FROM run)",
        [],
    )?;
    Ok(())
}

impl Drop for Run {
    /// Whatever happened, the staged rows are of no use any more. A kill leaves them to the next run.
    fn drop(&mut self) {
        let _ = self.store.catalog.write(|db| {
            // In another life of the catalogue the number is another's.
            self.moment.check(db)?;
            db.execute("DELETE FROM run WHERE run = ?1", [self.run])?;
            let others: i64 = db.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
            if others == 0 {
                // Without a condition SQLite frees the pages without reading the rows.
                db.execute("DELETE FROM stage", [])?;
            } else {
                db.execute("DELETE FROM stage WHERE run = ?1", [self.run])?;
            }
            Ok(())
        });
    }
}

pub(super) fn root_scope(space: super::Space) -> Scope {
    Scope {
        root: row::root_key(space),
        space: row::space_code(space),
        folder_kind: if space == super::Space::Backup { 1 } else { 2 },
        tree: false,
        tombstones: space == super::Space::Trash,
    }
}
