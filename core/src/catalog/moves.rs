//! What was not shown here and is shown there: is it the same?
//!
//! A file's uuid says so, and a folder listing tells it; a liststream does not, and a folder has
//! none. So a few folders are read, and only if something that an app knows is missing: files
//! are recognised by uuid (by name and content where no uuid was ever told, since the old one is
//! proven gone), and a new folder is the known one that most of its files come from.

use super::Catalog;
use super::merge::by_uuid;
use super::row::{FILE, fold};
use super::stage::{Run, file_facts};
use super::unseen::{LostFile, Unseen};
use crate::remote::{Entry, Listing, RemoteFile, RemotePath};
use crate::{CancelToken, Error, Result};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};

/// Folders read in one refresh or index to recognise moves.
const READS: usize = 64;

/// Missing items looked at, those that an app knows first.
const LOST: usize = 20_000;

type Content = ([u8; 16], i64);

/// Files told as gone before that are looked at, the newest first.
const GONE: u32 = 5_000;

/// A staged file that may be a lost one.
struct Found {
    n: i64,
    parent: i64,
    name: String,
    lost: usize,
}

impl Catalog {
    /// For a folder listing: which new child folders are known folders that it did not show.
    pub(super) async fn recognise_folders(
        &self,
        run: Run,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<(Run, HashMap<i64, i64>)> {
        let (run, new) = super::pump::blocking(move || {
            let mut run = run;
            run.recognise_renamed()?;
            let new = if run.misses_a_known_folder()? {
                run.new_folders(READS)?
            } else {
                Vec::new()
            };
            Ok((run, new))
        })
        .await?;
        let mut inherits = HashMap::new();
        let mut run = run;
        for (key, name) in new {
            let inside = self.read_inside(&path.child(&name), cancel).await?;
            let (back, old) = super::pump::blocking(move || {
                let old = run.heir_of(&inside)?;
                Ok((run, old))
            })
            .await?;
            run = back;
            if let Some(old) = old
                && !inherits.values().any(|taken| *taken == old)
            {
                inherits.insert(key, old);
            }
        }
        Ok((run, inherits))
    }

    /// For a liststream: tells the staged files that may be moved ones their uuids, and which new folders are
    /// known ones. `path` is that of the tree's root.
    pub(super) async fn recognise_tree(
        &self,
        run: Run,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<(Run, HashMap<i64, i64>)> {
        let (run, lost, mut found) = super::pump::blocking(move || {
            if run.new == 0 {
                return Ok((run, Vec::new(), Vec::new()));
            }
            let mut unseen = run.unseen(LOST, true)?;
            if !unseen.is_empty() {
                // What no app knows is looked at only to recognise the folders of what one does.
                unseen.extend(run.unseen(LOST, false)?);
            }
            let mut lost = run.lost_files(&unseen)?;
            lost.extend(run.gone_files(GONE)?);
            let found = run.reappeared(&lost)?;
            Ok((run, lost, found))
        })
        .await?;
        if found.is_empty() {
            return Ok((run, HashMap::new()));
        }
        // What an app knows and the service has told the uuid of is worth a read.
        let mut parents: Vec<i64> = found
            .iter()
            .filter(|found| lost[found.lost].left && lost[found.lost].uuid.is_some())
            .map(|found| found.parent)
            .collect();
        parents.sort_unstable();
        parents.dedup();
        parents.truncate(READS);
        let mut run = run;
        let mut uuids: HashMap<(i64, String), [u8; 16]> = HashMap::new();
        for parent in parents {
            let (back, below) = super::pump::blocking(move || {
                let below = run.staged_path(parent)?;
                Ok((run, below))
            })
            .await?;
            run = back;
            let folder = below
                .iter()
                .fold(path.clone(), |path, name| path.child(name));
            for file in self.read_inside(&folder, cancel).await?.files {
                if let Some(uuid) = file.uuid {
                    uuids.insert((parent, file.name), uuid);
                }
            }
        }
        found.retain(|found| {
            let lost = &lost[found.lost];
            match uuids.get(&(found.parent, found.name.clone())) {
                Some(uuid) => lost.uuid.is_none_or(|known| known == *uuid),
                None => lost.name == found.name && lost.key != 0,
            }
        });
        super::pump::blocking(move || {
            let inherits = run.settle(&lost, &found, &uuids)?;
            Ok((run, inherits))
        })
        .await
    }

    /// What is in a folder, at most a few batches; nothing if it cannot be read: then nothing is recognised.
    async fn read_inside(&self, path: &RemotePath, cancel: &CancelToken) -> Result<Inside> {
        let mut inside = Inside::default();
        let listed = async {
            let mut reader = self.remote.list(path, cancel).await?;
            if !matches!(reader.listing, Listing::Folder { deleted_ms: None }) {
                return Ok(());
            }
            while let Some(batch) = reader.next(cancel).await? {
                for entry in batch {
                    match entry {
                        Entry::File(file) if file.deleted_ms.is_none() => inside.files.push(file),
                        Entry::Folder(folder) if folder.deleted_ms.is_none() => {
                            inside.folders.insert(fold(&folder.name));
                        }
                        _ => {}
                    }
                }
                if inside.files.len() + inside.folders.len() > 4_096 {
                    break;
                }
            }
            Ok(())
        }
        .await;
        match listed {
            Err(Error::NoSuchItem { .. } | Error::Refused { .. }) => Ok(Inside::default()),
            Err(error) => Err(error),
            Ok(()) => Ok(inside),
        }
    }
}

impl Run {
    fn misses_a_known_folder(&self) -> Result<bool> {
        if self.new == 0 {
            return Ok(false);
        }
        let unseen = self.unseen(LOST, true)?;
        self.store.catalog.read(|db| {
            let mut folder = db.prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND kind = 2")?;
            for item in unseen {
                if folder.exists([item.key])? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    fn new_folders(&self, limit: usize) -> Result<Vec<(i64, String)>> {
        self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT key, name FROM stage INDEXED BY stage_folder
                     WHERE run = ?1 AND parent = ?2 AND kind < 3 AND key < 0 LIMIT ?3",
                )?
                .query_map(
                    (
                        self.run,
                        self.scope.root,
                        i64::try_from(limit).unwrap_or(i64::MAX),
                    ),
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The unseen child folder that more than half of these files were in or, if there are only folders, the
    /// one that had them.
    fn heir_of(&self, inside: &Inside) -> Result<Option<i64>> {
        let mut unseen = self.unseen(LOST, true)?;
        unseen.extend(self.unseen(LOST, false)?);
        self.store.catalog.read(|db| {
            let mut votes: HashMap<i64, usize> = HashMap::new();
            let facts: Vec<_> = inside
                .files
                .iter()
                .cloned()
                .filter_map(file_facts)
                .collect();
            if facts.is_empty() {
                return with_folders(db, &unseen, &inside.folders);
            }
            for file in &facts {
                let known = match file.uuid {
                    Some(uuid) => by_uuid(db, &uuid)?.map(|known| known.parent),
                    None => None,
                };
                if let Some(parent) = known {
                    *votes.entry(parent).or_default() += 1;
                    continue;
                }
                // Never told a uuid: the same name with the same content will do.
                let mut same = db.prepare_cached(
                    "SELECT 1 FROM served WHERE parent = ?1 AND (kind = 3) = 1 AND fold = ?2
                         AND uuid IS NULL AND md5 = ?3 AND size = ?4",
                )?;
                for folder in unseen.iter().take(READS) {
                    if same.exists((folder.key, &file.fold, file.md5, file.size))? {
                        *votes.entry(folder.key).or_default() += 1;
                    }
                }
            }
            let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
            Ok(most
                .filter(|(folder, votes)| {
                    votes * 2 > facts.len() && unseen.iter().any(|unseen| unseen.key == *folder)
                })
                .map(|(folder, _)| folder))
        })
    }

    /// Staged files with the content of lost ones; each lost one is taken once, the same name first.
    fn reappeared(&self, lost: &[LostFile]) -> Result<Vec<Found>> {
        let mut by_content: HashMap<Content, Vec<usize>> = HashMap::new();
        for (index, file) in lost.iter().enumerate() {
            if let (Some(md5), Some(size)) = file.content {
                by_content.entry((md5, size)).or_default().push(index);
            }
        }
        if by_content.is_empty() || self.new == 0 {
            return Ok(Vec::new());
        }
        self.store.catalog.read(|db| {
            let mut found = Vec::new();
            let mut staged = db.prepare_cached(
                "SELECT n, parent, name, md5, size FROM stage
                 WHERE run = ?1 AND kind = 3 AND key < 0 ORDER BY n",
            )?;
            let mut rows = staged.query([self.run])?;
            while let Some(row) = rows.next()? {
                let content: (Option<[u8; 16]>, Option<i64>) = (row.get(3)?, row.get(4)?);
                let (Some(md5), Some(size)) = content else {
                    continue;
                };
                let Some(candidates) = by_content.get_mut(&(md5, size)) else {
                    continue;
                };
                let name: String = row.get(2)?;
                let same_name = candidates.iter().position(|at| lost[*at].name == name);
                let Some(at) = same_name.or((!candidates.is_empty()).then_some(0)) else {
                    continue;
                };
                found.push(Found {
                    n: row.get(0)?,
                    parent: row.get(1)?,
                    name,
                    lost: candidates.swap_remove(at),
                });
            }
            Ok(found)
        })
    }

    /// The names from the tree's root down to a folder that is staged or known.
    fn staged_path(&self, folder: i64) -> Result<Vec<String>> {
        self.store.catalog.read(|db| {
            let mut names = Vec::new();
            let mut key = folder;
            while key != self.scope.root {
                let sql = if key < 0 {
                    "SELECT parent, name FROM stage INDEXED BY stage_key
                     WHERE run = ?2 AND key = ?1 AND kind < 3"
                } else {
                    "SELECT parent, name FROM served WHERE key = ?1 AND ?2 = ?2"
                };
                let next: Option<(i64, String)> = db
                    .prepare_cached(sql)?
                    .query_row((key, self.run), |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let Some((parent, name)) = next.filter(|(parent, _)| *parent != key) else {
                    return Err(Error::StoreBusy);
                };
                names.push(name);
                key = parent;
            }
            names.reverse();
            Ok(names)
        })
    }

    /// Writes down what was recognised, for the merge.
    fn settle(
        &mut self,
        lost: &[LostFile],
        found: &[Found],
        uuids: &HashMap<(i64, String), [u8; 16]>,
    ) -> Result<HashMap<i64, i64>> {
        // Of new folder and old folder: how many files went from there to here.
        let mut votes: HashMap<i64, HashMap<i64, usize>> = HashMap::new();
        for Found {
            parent, lost: at, ..
        } in found
        {
            if *parent < 0 && lost[*at].key != 0 {
                *votes
                    .entry(*parent)
                    .or_default()
                    .entry(lost[*at].parent)
                    .or_default() += 1;
            }
        }
        for batch in found.chunks(1_000) {
            self.store.catalog.write(|db| {
                let mut tell = db.prepare_cached(
                    "UPDATE stage SET uuid = coalesce(?4, uuid), key = iif(?3 = 0, key, ?3)
                     WHERE run = ?1 AND n = ?2",
                )?;
                for found in batch {
                    let uuid = uuids.get(&(found.parent, found.name.clone()));
                    tell.execute((self.run, found.n, lost[found.lost].key, uuid))?;
                }
                Ok(())
            })?;
        }
        // A row that is found is no other entry's, whatever is spelled nearly like its old name.
        for at in found.iter().map(|found| found.lost) {
            if lost[at].key != 0 {
                self.marks.mark(lost[at].key);
            }
        }
        self.store.catalog.read(|db| {
            let mut heirs = Heirs::default();
            let new_folders = self.new_folder_sizes(db)?;
            for (new, votes) in votes {
                let Some((old, votes)) = votes.into_iter().max_by_key(|(_, votes)| *votes) else {
                    continue;
                };
                let all = new_folders.get(&new).map_or(0, |size| size.files);
                if votes * 2 > all && self.is_lost_folder(db, old)? {
                    heirs.add(new, old);
                }
            }
            self.pass_up(db, &new_folders, &mut heirs)?;
            Ok(heirs.inherits)
        })
    }

    fn is_lost_folder(&self, db: &Connection, key: i64) -> Result<bool> {
        let folder = db
            .prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND kind = 2")?
            .exists([key])?;
        Ok(folder && key != self.scope.root && !self.marks.has(key))
    }

    fn new_folder_sizes(&self, db: &Connection) -> Result<HashMap<i64, Size>> {
        let mut sizes: HashMap<i64, Size> = HashMap::new();
        let mut staged = db.prepare_cached("SELECT parent, kind FROM stage WHERE run = ?1")?;
        let mut rows = staged.query([self.run])?;
        while let Some(row) = rows.next()? {
            let parent: i64 = row.get(0)?;
            if parent >= 0 {
                continue;
            }
            let size = sizes.entry(parent).or_default();
            if row.get::<_, u8>(1)? == FILE {
                size.files += 1;
            } else {
                size.folders += 1;
            }
        }
        Ok(sizes)
    }

    /// A new folder that holds only folders is the one that most of those were in.
    fn pass_up(
        &self,
        db: &Connection,
        new_folders: &HashMap<i64, Size>,
        heirs: &mut Heirs,
    ) -> Result<()> {
        let mut staged = db.prepare_cached(
            "SELECT parent FROM stage INDEXED BY stage_key
             WHERE run = ?1 AND key = ?2 AND kind < 3",
        )?;
        let mut level: Vec<(i64, i64)> = heirs.inherits.iter().map(|(a, b)| (*a, *b)).collect();
        while !level.is_empty() {
            let mut votes: HashMap<(i64, i64), usize> = HashMap::new();
            for (new, old) in level.drain(..) {
                let above: Option<i64> = staged
                    .query_row((self.run, new), |row| row.get(0))
                    .optional()?;
                if let (Some(new), Some(old)) = (above, super::read::parent_of(db, old)?) {
                    *votes.entry((new, old)).or_default() += 1;
                }
            }
            for ((new, old), votes) in votes {
                let Some(size) = new_folders.get(&new) else {
                    continue;
                };
                let most = size.files == 0 && votes * 2 > size.folders;
                if most && self.is_lost_folder(db, old)? && heirs.add(new, old) {
                    level.push((new, old));
                }
            }
        }
        Ok(())
    }
}

/// The one folder of these with the same child folders, for the most part. Names say less than files do, so
/// if two could be it none is.
fn with_folders(
    db: &Connection,
    unseen: &[Unseen],
    wanted: &HashSet<String>,
) -> Result<Option<i64>> {
    let mut folder = db.prepare_cached("SELECT 1 FROM item WHERE key = ?1 AND kind = 2")?;
    let mut children = db.prepare_cached("SELECT kind, fold FROM served WHERE parent = ?1")?;
    let (mut found, mut read) = (None, 0);
    for Unseen { key, .. } in unseen {
        if read == READS || !folder.exists([key])? {
            continue;
        }
        read += 1;
        let (mut all, mut same) = (0, 0);
        let mut rows = children.query([key])?;
        while let Some(row) = rows.next()? {
            all += 1;
            let (kind, name): (u8, String) = (row.get(0)?, row.get(1)?);
            same += usize::from(kind != FILE && wanted.contains(&name));
        }
        if same * 2 > wanted.len() && same * 2 > all && found.replace(*key).is_some() {
            return Ok(None);
        }
    }
    Ok(found)
}

/// What is in a folder: its files, and the folded names of its folders.
#[derive(Default)]
struct Inside {
    files: Vec<RemoteFile>,
    folders: HashSet<String>,
}

/// How many children a new folder has.
#[derive(Clone, Copy, Default)]
struct Size {
    files: usize,
    folders: usize,
}

/// New folders and the known ones that they are, one to one.
#[derive(Default)]
struct Heirs {
    inherits: HashMap<i64, i64>,
    taken: HashSet<i64>,
}

impl Heirs {
    fn add(&mut self, new: i64, old: i64) -> bool {
        let free = !self.inherits.contains_key(&new) && self.taken.insert(old);
        if free {
            self.inherits.insert(new, old);
        }
        free
    }
}
