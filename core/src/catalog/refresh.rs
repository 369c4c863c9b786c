//! One folder or file, asked for now.
//!
//! Only a complete answer changes anything. That something is gone is believed only when a complete
//! listing of its folder does not show it, or a tombstone has its uuid; not because its known path
//! is empty (it or a folder above may have moved), and never because a call failed.

use super::change::{Change, Spot};
use super::facts::{Facts, Known};
use super::merge::{Merged, by_uuid, change, merge};
use super::moment::Moment;
use super::pump::{Pump, blocking};
use super::row::{FILE, id_bytes, origin_path, space};
use super::stage::{Run, Scope, file_facts, root_scope};
use super::wanted_folders::is_final;
use super::{Catalog, ItemId, Refreshed, Space};
use crate::remote::{ListReader, Listing, RemoteFile, RemotePath};
use crate::{CancelToken, Error, Result};
use rusqlite::Connection;
use std::collections::HashMap;

/// Something to ask the service about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub key: i64,
    /// The folder that it was in.
    pub parent: i64,
    pub kind: u8,
    /// Where the service has it.
    pub space: u8,
    /// When this was so.
    pub moment: Moment,
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

impl Target {
    /// The row, if it is still where the service was asked for it.
    fn unchanged(&self, change: &Change<'_>, db: &Connection) -> Result<Option<Known>> {
        self.moment.check(db)?;
        let known = change.known(self.key)?;
        Ok(known.filter(|known| known.parent == self.parent && known.seq <= self.moment.seq))
    }
}

/// Where an item is on the service.
pub(super) fn target(db: &Connection, key: i64) -> Result<Option<Target>> {
    let moment = Moment::now(db)?;
    let mut names = Vec::new();
    let mut at = key;
    let mut found: Option<Target> = None;
    loop {
        let mut row = db.prepare_cached(
            "SELECT parent, kind, space, name, origin FROM served WHERE key = ?1",
        )?;
        let mut rows = row.query([at])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let (parent, kind, in_space): (i64, u8, u8) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let target = found.get_or_insert(Target {
            key,
            parent,
            kind,
            space: in_space,
            moment,
            path: None,
        });
        // What is in a folder is shown in the space that is wanted for that; the service has it where the folder is.
        target.space = in_space;
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
        if self.is_only_here(id)? {
            return Ok(Refreshed::default());
        }
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

    /// The target of a key, unless it has gone meanwhile.
    pub(super) async fn still(&self, key: i64) -> Result<Option<Target>> {
        match self.target_of(key).await {
            Ok(target) => Ok(Some(target)),
            Err(Error::NotKnown { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn refresh_target(
        &self,
        target: &Target,
        cancel: &CancelToken,
    ) -> Result<Merged> {
        let mut merged = Merged::default();
        let asked = self.hinted.now();
        let done = self.look_for(target, cancel, &mut merged).await;
        if done.as_ref().err().is_none_or(is_final) {
            self.hinted.asked(target.key, asked);
        }
        if done.is_err() && merged.changed {
            (self.changed)();
        }
        done.map(|()| merged)
    }

    /// Asks for a target. What is not at its known place may have moved, or its folder may: the nearest folder
    /// above that is there is listed, which tells, and then from there down to the target again.
    async fn look_for(
        &self,
        target: &Target,
        cancel: &CancelToken,
        merged: &mut Merged,
    ) -> Result<()> {
        let mut chain = vec![target.clone()];
        let mut rising = true;
        while let Some(at) = chain.last() {
            match self.ask(at, cancel).await? {
                Some(done) => {
                    merged.add(done);
                    rising = false;
                    chain.pop();
                    // What its folder's complete listing did not show is gone.
                    while let Some(below) = chain.pop() {
                        if let Some(there) = self.still(below.key).await? {
                            chain.push(there);
                            break;
                        }
                    }
                }
                None if rising => match self.still(at.parent).await? {
                    Some(above) => chain.push(above),
                    // Another call has found the folder gone, and this with it.
                    None => break,
                },
                None => {
                    return Err(Error::bad_answer("what its folder shows is not there"));
                }
            }
        }
        Ok(())
    }

    /// Asks for a target where it was known; `None` if it is not there.
    async fn ask(&self, target: &Target, cancel: &CancelToken) -> Result<Option<Merged>> {
        let listed = match &target.path {
            Some(path) => self.remote.list(path, cancel).await,
            None => self.remote.list_trash(cancel).await,
        };
        let reader = match listed {
            Err(Error::NoSuchItem { .. }) if target.kind != 0 => return Ok(None),
            reader => reader?,
        };
        let trashed = space(target.space) == Space::Trash;
        match &reader.listing {
            Listing::File(file) if target.kind == FILE => {
                let file = (**file).clone();
                match (file.deleted_ms.is_some() == trashed, trashed) {
                    (true, _) => self.apply(target.clone(), file).await,
                    (false, false) => self.buried(target.clone(), file).await,
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
                        // A folder's tombstone does not tell whether it is this folder's.
                        Ok(None)
                    };
                }
                self.list(target, reader, cancel).await.map(Some)
            }
            // A file where a folder was, or the reverse: what we knew is not there any more.
            _ if trashed => Err(hidden()),
            _ if target.kind == 0 => Err(Error::bad_answer("a space that is a file")),
            _ => Ok(None),
        }
    }

    async fn list(
        &self,
        target: &Target,
        mut reader: ListReader,
        cancel: &CancelToken,
    ) -> Result<Merged> {
        let (store, scope, moment) = (self.store.clone(), target.scope(), target.moment);
        let pump = Pump::start(
            move || Run::begin(store, scope, moment),
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
        self.merge(run, inherits, cancel).await
    }

    /// Merges until done or asked to stop; what an app could see by then is told either way.
    pub(super) async fn merge(
        &self,
        run: Run,
        inherits: HashMap<i64, i64>,
        cancel: &CancelToken,
    ) -> Result<Merged> {
        let (cancel, changed) = (cancel.clone(), self.changed.clone());
        blocking(move || {
            let mut merged = Merged::default();
            let done = merge(run, &inherits, &cancel, &mut merged);
            if done.is_err() && merged.changed {
                changed();
            }
            done.map(|()| merged)
        })
        .await
    }

    /// A tombstone at a file's place is proof that it is gone, if it has the file's uuid.
    async fn buried(&self, target: Target, tombstone: RemoteFile) -> Result<Option<Merged>> {
        let store = self.store.clone();
        blocking(move || {
            let (proven, merged) = change(&store, |change, db| {
                let Some(known) = target.unchanged(change, db)? else {
                    return Ok(false);
                };
                let proven = known.facts.uuid.is_some() && known.facts.uuid == tombstone.uuid;
                if proven {
                    change.remove(known.key)?;
                }
                Ok(proven)
            })?;
            Ok(proven.then_some(merged))
        })
        .await
    }

    /// Brings one file to what the service says of it; `None` if that is another file.
    async fn apply(&self, target: Target, file: RemoteFile) -> Result<Option<Merged>> {
        let store = self.store.clone();
        blocking(move || {
            let Some(facts) = file_facts(file) else {
                // Only an unfinished upload is there: not a file.
                return Ok(None);
            };
            let (same, mut merged) = change(&store, |change, db| {
                let Some(known) = target.unchanged(change, db)? else {
                    return Ok(false);
                };
                if let Some(uuid) = facts.uuid {
                    let owner = by_uuid(db, &uuid)?.map(|row| row.key);
                    let other = known.facts.uuid.is_some_and(|known| known != uuid);
                    if other || owner.is_some_and(|owner| owner != known.key) {
                        return Ok(false);
                    }
                }
                let spot = Spot {
                    parent: known.parent,
                    space: known.space,
                };
                let facts = Facts {
                    origin: known.facts.origin.clone(),
                    deleted_ms: known.facts.deleted_ms,
                    ..facts
                };
                change.update(&known, spot, facts)?;
                Ok(true)
            })?;
            merged.counts.files = 1;
            Ok(same.then_some(merged))
        })
        .await
    }
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
