//! One folder or file, asked for now.
//!
//! Only a complete answer changes anything. That something is gone is believed only when the
//! service says so about that very path (404, or a tombstone), or when a complete listing of its
//! folder does not show it; never because a call failed.

use super::change::Spot;
use super::merge::{Merged, by_uuid, change, merge, remove};
use super::pump::{Pump, blocking};
use super::row::{FILE, id_bytes, origin_path, space};
use super::stage::{Run, Scope, file_facts, root_scope};
use super::{Catalog, ItemId, Refreshed, Space};
use crate::remote::{ListReader, Listing, RemoteFile, RemotePath};
use crate::{CancelToken, Error, Result};
use rusqlite::Connection;

/// Something to ask the service about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub key: i64,
    pub kind: u8,
    pub space: u8,
    /// `None` for the trash, which is no place.
    pub path: Option<RemotePath>,
}

impl Target {
    fn scope(&self) -> Scope {
        if self.kind == 0 {
            return root_scope(space(self.space));
        }
        Scope {
            root: self.key,
            space: self.space,
            folder_kind: 2,
            tree: false,
            tombstones: space(self.space) == Space::Trash,
        }
    }
}

/// Where an item is on the service.
pub(super) fn target(db: &Connection, key: i64) -> Result<Option<Target>> {
    let mut names = Vec::new();
    let mut at = key;
    let mut found: Option<Target> = None;
    loop {
        let mut row =
            db.prepare_cached("SELECT parent, kind, space, name, origin FROM item WHERE key = ?1")?;
        let mut rows = row.query([at])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (parent, kind, in_space): (i64, u8, u8) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.get_or_insert(Target {
            key,
            kind,
            space: in_space,
            path: None,
        });
        if kind == 0 {
            let root: &[&str] = match space(in_space) {
                Space::Sync => &["Jotta", "Sync"],
                Space::Archive => &["Jotta", "Archive"],
                Space::Backup => &[],
                Space::Trash => return Ok(found),
            };
            names.extend(root.iter().rev().map(|name| (*name).to_owned()));
            break;
        }
        names.push(row.get(3)?);
        if let Some(origin) = row.get::<_, Option<String>>(4)? {
            let above = origin_path(&origin);
            names.extend(above.segments().iter().rev().cloned());
            break;
        }
        if parent == at {
            return Err(Error::bug("a root that is none"));
        }
        at = parent;
    }
    names.reverse();
    Ok(found.map(|target| Target {
        path: Some(RemotePath::new(names)),
        ..target
    }))
}

impl Catalog {
    /// `refresh`, inside a call that is counted already.
    pub(crate) async fn refresh_inner(
        &self,
        id: &ItemId,
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        let target = self.reach(id, cancel).await?;
        let merged = self.refresh_target(&target, cancel).await?;
        if merged.changed {
            (self.changed)();
        }
        Ok(merged.counts)
    }

    pub(super) async fn target_of(&self, key: i64) -> Result<Target> {
        let store = self.store.clone();
        blocking(move || {
            store
                .catalog
                .read(|db| target(db, key))?
                .ok_or_else(|| Error::NotKnown {
                    detail: "an item that has just gone".into(),
                })
        })
        .await
    }

    /// The target of an id. After a rebuild the tree may not reach down to it yet: then it is listed from
    /// the space down along the places that the journal has.
    async fn reach(&self, id: &ItemId, cancel: &CancelToken) -> Result<Target> {
        let mut chain = vec![id.clone()];
        loop {
            let wanted = chain.last().cloned().unwrap_or_else(|| id.clone());
            match self.key(&wanted) {
                Ok(key) if chain.len() == 1 => return self.target_of(key).await,
                Ok(key) => {
                    let above = self.target_of(key).await?;
                    let merged = self.refresh_target(&above, cancel).await?;
                    if merged.changed {
                        (self.changed)();
                    }
                    chain.pop();
                    let below = chain.last().cloned().unwrap_or_else(|| id.clone());
                    // Listed, and still not there.
                    self.key(&below)?;
                }
                Err(error @ Error::NotKnown { .. }) => {
                    let place = match id_bytes(&wanted) {
                        Some(bytes) => self.store.identity(&bytes)?,
                        None => None,
                    };
                    let above = place.map(|place| super::row::id_text(place.parent));
                    match above.filter(|above| chain.len() < 500 && !chain.contains(above)) {
                        Some(above) => chain.push(above),
                        None => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn refresh_target(
        &self,
        target: &Target,
        cancel: &CancelToken,
    ) -> Result<Merged> {
        let listed = match &target.path {
            Some(path) => self.remote.list(path, cancel).await,
            None => self.remote.list_trash(cancel).await,
        };
        let reader = match listed {
            Err(Error::NoSuchItem { .. }) if target.kind != 0 => return self.gone(target).await,
            reader => reader?,
        };
        let trashed = space(target.space) == Space::Trash;
        match &reader.listing {
            Listing::File(file) if target.kind == FILE => {
                let there = file.deleted_ms.is_some() == trashed;
                let file = (**file).clone();
                match (there, trashed) {
                    (true, _) => self.apply(target.clone(), file).await,
                    (false, false) => self.gone(target).await,
                    (false, true) => Err(hidden()),
                }
            }
            Listing::Folder { deleted_ms } if target.kind != FILE => {
                let tombstone = deleted_ms.is_some();
                if trashed && target.kind != 0 && !tombstone {
                    return Err(hidden());
                }
                if !trashed && tombstone {
                    return if target.kind == 0 {
                        Err(Error::NoSuchItem {
                            detail: "the space was deleted".into(),
                        })
                    } else {
                        self.gone(target).await
                    };
                }
                self.list(target, reader, cancel).await
            }
            // A file where a folder was, or the reverse: what we knew is not there any more.
            _ if trashed => Err(hidden()),
            _ => self.gone(target).await,
        }
    }

    async fn list(
        &self,
        target: &Target,
        mut reader: ListReader,
        cancel: &CancelToken,
    ) -> Result<Merged> {
        let (store, scope) = (self.store.clone(), target.scope());
        let pump = Pump::start(
            move || Run::begin(store, scope),
            Run::list,
            self.life.busy()?,
        );
        let proven = async {
            while let Some(mut batch) = reader.next(cancel).await? {
                if scope.folder_kind == 1 {
                    // The built-in device is Sync, Archive and the trash, and no computer.
                    batch.retain(|entry| !is_built_in(entry));
                }
                if !pump.push(batch).await {
                    break;
                }
            }
            cancel.check()
        }
        .await;
        let run = pump.end().await;
        proven?;
        let run = run?;
        let (run, inherits) = match &target.path {
            Some(path) if scope.folder_kind == 2 && !scope.tombstones => {
                self.recognise_folders(run, path, cancel).await?
            }
            _ => (run, Default::default()),
        };
        blocking(move || merge(run, &inherits)).await
    }

    /// The service has said that it is not there.
    async fn gone(&self, target: &Target) -> Result<Merged> {
        let (store, key) = (self.store.clone(), target.key);
        blocking(move || remove(&store, vec![key])).await
    }

    /// Brings one file to what the service says of it.
    async fn apply(&self, target: Target, file: RemoteFile) -> Result<Merged> {
        let store = self.store.clone();
        blocking(move || {
            let Some(facts) = file_facts(file) else {
                // Only an unfinished upload is there: not a file.
                return remove(&store, vec![target.key]);
            };
            let ((), (mut counts, changed)) = change(&store, |change, db| {
                let Some(known) = change.known(target.key)? else {
                    return Ok(());
                };
                let spot = Spot {
                    parent: known.parent,
                    space: known.space,
                };
                let facts = super::change::Facts {
                    origin: known.facts.origin.clone(),
                    deleted_ms: known.facts.deleted_ms,
                    ..facts
                };
                match (known.facts.uuid, facts.uuid) {
                    (Some(before), Some(now)) if before != now => {
                        // Another file has its place; where the known one is, its new folder will tell.
                        change.remove(known.key)?;
                        match by_uuid(db, &now)? {
                            Some(row) => change.update(&row, spot, facts),
                            None => {
                                let key = next_key(db)?;
                                change.insert(key, spot, &facts, false)
                            }
                        }
                    }
                    _ => change.update(&known, spot, facts),
                }
            })?;
            counts.files = 1;
            Ok(Merged { counts, changed })
        })
        .await
    }
}

fn next_key(db: &Connection) -> Result<i64> {
    Ok(db.query_row(
        "UPDATE meta SET next_key = next_key + 1 RETURNING next_key - 1",
        [],
        |row| row.get(0),
    )?)
}

fn is_built_in(entry: &crate::remote::Entry) -> bool {
    match entry {
        crate::remote::Entry::Folder(folder) => super::row::fold(&folder.name) == "jotta",
        crate::remote::Entry::File(_) => true,
    }
}

/// Something live has the path of what is in the trash, so the service shows only that.
fn hidden() -> Error {
    Error::NotAllowed {
        detail: "something else is at the place it was deleted from".into(),
    }
}

/// The known children of a folder of one kind.
pub(super) fn children_of_kind(db: &Connection, folder: i64, kind: u8) -> Result<Vec<i64>> {
    let mut children = db.prepare_cached(
        "SELECT key FROM item WHERE parent = ?1 AND kind = ?2 AND key <> ?1 ORDER BY fold",
    )?;
    let keys = children.query_map((folder, kind), |row| row.get(0))?;
    keys.map(|key| Ok(key?)).collect()
}
