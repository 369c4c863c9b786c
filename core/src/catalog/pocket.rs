#![allow(clippy::unwrap_used)]

//! A catalogue on a temporary directory, and listings to feed it with.

use super::merge::{Merged, merge};
use super::moment::Moment;
use super::refresh::target;
use super::row::root_key;
use super::stage::{Run, Scope, root_scope};
use super::*;
use crate::account::Secret;
use crate::clock::ManualClock;
use crate::disk::RealDisk;
use crate::remote::{
    Entry, RemoteFile, RemoteFolder, RemotePath, Revision, TokenSource, Transport, TreeEntry,
};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

struct Nobody;

impl TokenSource for Nobody {
    fn access_token<'a>(
        &'a self,
        _: Option<&'a Secret>,
        _: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        Box::pin(async { Err(Error::offline("nobody")) })
    }
    fn username(&self) -> Result<String> {
        Err(Error::offline("nobody"))
    }
    fn endpoints(&self) -> Result<crate::Endpoints> {
        Err(Error::offline("nobody"))
    }
}

pub(crate) struct Pocket {
    dir: TempDir,
    pub clock: ManualClock,
    pub catalog: Arc<Catalog>,
    pub told: Arc<AtomicUsize>,
}

impl Pocket {
    pub fn new() -> Self {
        Self::at(TempDir::new().unwrap())
    }

    fn at(dir: TempDir) -> Self {
        let clock = ManualClock::at(1_800_000_000_000);
        let store = Store::open(
            dir.path(),
            false,
            Arc::new(clock.clone()),
            Arc::new(RealDisk),
        )
        .unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let catalog = Arc::new(Catalog::new(
            Arc::new(store),
            Remote::new(Transport::new(None).unwrap(), Arc::new(Nobody)),
            Life::new(),
            Arc::new(move || {
                count.fetch_add(1, Ordering::SeqCst);
            }),
        ));
        Self {
            dir,
            clock,
            catalog,
            told,
        }
    }

    /// What another process that has the same directory open sees.
    pub fn twin(&self) -> Catalog {
        let clock = Arc::new(self.clock.clone());
        let store = Store::open(self.dir.path(), true, clock, Arc::new(RealDisk)).unwrap();
        Catalog::new(
            Arc::new(store),
            Remote::new(Transport::new(None).unwrap(), Arc::new(Nobody)),
            Life::new(),
            Arc::new(|| {}),
        )
    }

    /// The same directory with its catalogue damaged: what the next start finds.
    pub fn rebuilt(self) -> Self {
        let Self { dir, catalog, .. } = self;
        let file = format!("catalog-{}.db", catalog.store.catalog.generation().unwrap());
        drop(catalog);
        std::fs::write(dir.path().join(file), vec![b'x'; 9_000]).unwrap();
        Self::at(dir)
    }

    /// The catalogue's files as they are now.
    pub fn on_disk(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        ["catalog-1.db", "catalog-1.db-wal"]
            .map(|name| self.dir.path().join(name))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .into()
    }

    /// A power cut that takes back what the catalogue has written since `then`, and the next start.
    pub fn power_cut(self, then: Vec<(std::path::PathBuf, Vec<u8>)>) -> Self {
        let Self { dir, catalog, .. } = self;
        drop(catalog);
        for (path, bytes) in then {
            std::fs::write(path, bytes).unwrap();
        }
        Self::at(dir)
    }

    pub fn store(&self) -> Arc<Store> {
        self.catalog.store.clone()
    }

    pub(super) fn scope(&self, names: &[&str]) -> Scope {
        let Lookup::Found(item) = self.catalog.find(names).unwrap() else {
            panic!("{names:?} is not there");
        };
        self.scope_of(&item.id)
    }

    fn scope_of(&self, id: &ItemId) -> Scope {
        let key = self.catalog.key(id).unwrap();
        if let Some(space) = Space::ALL.into_iter().find(|space| root_key(*space) == key) {
            return root_scope(space);
        }
        let target = self.store().catalog.read(|db| target(db, key)).unwrap();
        let space = target.unwrap().space;
        Scope {
            root: key,
            space,
            folder_kind: 2,
            tree: false,
            tombstones: space == 3,
        }
    }

    pub(super) fn list(&self, names: &[&str], entries: Vec<Entry>) -> Merged {
        self.list_scope(self.scope(names), entries)
    }

    /// `list`, for who asks nothing of the answer.
    pub(crate) fn lists(&self, names: &[&str], entries: Vec<Entry>) {
        self.list(names, entries);
    }

    fn list_scope(&self, scope: Scope, entries: Vec<Entry>) -> Merged {
        let mut run = self.begin(scope);
        run.list(entries).unwrap();
        self.merge(run).unwrap()
    }

    pub(super) fn index(&self, entries: Vec<TreeEntry>) -> Merged {
        let mut run = self.begin_index();
        for batch in entries.chunks(512) {
            run.tree(batch.to_vec()).unwrap();
        }
        self.merge(run).unwrap()
    }

    pub(super) fn begin_index(&self) -> Run {
        let mut scope = root_scope(Space::Sync);
        scope.tree = true;
        self.begin(scope)
    }

    pub(super) fn begin(&self, scope: Scope) -> Run {
        let moment = self.store().catalog.read(Moment::now).unwrap();
        Run::begin(self.store(), scope, moment).unwrap()
    }

    pub(super) fn merge(&self, run: Run) -> Result<Merged> {
        let mut merged = Merged::default();
        merge(run, &HashMap::new(), &CancelToken::new(), &mut merged)?;
        Ok(merged)
    }

    pub fn find(&self, names: &[&str]) -> Option<Item> {
        match self.catalog.find(names).unwrap() {
            Lookup::Found(item) => Some(item),
            _ => None,
        }
    }

    pub fn id(&self, names: &[&str]) -> ItemId {
        self.find(names).unwrap().id
    }

    pub fn names(&self, names: &[&str], order: Order) -> Vec<String> {
        let id = self.id(names);
        let mut all = Vec::new();
        let mut page = None;
        loop {
            let next = self
                .catalog
                .children(&id, order, page.as_deref(), 3)
                .unwrap();
            all.extend(next.items.into_iter().map(|item| item.name));
            page = next.next;
            if page.is_none() {
                return all;
            }
        }
    }

    pub fn staged(&self) -> i64 {
        let count = "SELECT (SELECT count(*) FROM stage) + (SELECT count(*) FROM run)";
        self.store()
            .catalog
            .read(|db| Ok(db.query_row(count, [], |row| row.get(0))?))
            .unwrap()
    }
}

fn content(seed: u64) -> Revision {
    let mut md5 = [0; 16];
    md5[..8].copy_from_slice(&seed.to_be_bytes());
    Revision {
        number: None,
        size: seed * 10,
        md5,
        created_ms: Some(1_000),
        modified_ms: Some(i64::try_from(seed).unwrap() * 1_000),
        updated_ms: None,
        mime: None,
    }
}

/// A file of a liststream.
fn plain(name: &str, seed: u64) -> RemoteFile {
    RemoteFile {
        name: name.into(),
        uuid: None,
        current: Some(content(seed)),
        deleted_ms: None,
        shared: None,
        trashed_from: None,
    }
}

/// A file of a folder listing.
pub(super) fn file(name: &str, uuid: u8, seed: u64) -> RemoteFile {
    let mut file = plain(name, seed);
    file.uuid = Some([uuid; 16]);
    file.shared = Some(false);
    if let Some(current) = &mut file.current {
        current.number = Some(1);
        current.updated_ms = Some(5_000);
        current.mime = Some("text/plain".into());
    }
    file
}

pub(crate) fn f(name: &str, uuid: u8, seed: u64) -> Entry {
    Entry::File(file(name, uuid, seed))
}

pub(crate) fn d(name: &str) -> Entry {
    Entry::Folder(RemoteFolder {
        name: name.into(),
        deleted_ms: None,
        trashed_from: None,
    })
}

fn path(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(super) fn t(folder: &str, name: &str, seed: u64) -> TreeEntry {
    TreeEntry::File {
        folder: path(folder),
        file: plain(name, seed),
    }
}

pub(super) fn td(folder: &str) -> TreeEntry {
    TreeEntry::Folder {
        folder: path(folder),
    }
}

pub(super) fn trashed(mut file: RemoteFile, from: &[&str], deleted_ms: i64) -> Entry {
    let from = from.iter().map(|name| (*name).to_owned()).collect();
    file.trashed_from = Some(RemotePath::new(from));
    file.deleted_ms = Some(deleted_ms);
    Entry::File(file)
}

pub(super) fn trashed_folder(name: &str, from: &[&str], deleted_ms: i64) -> Entry {
    let from = from.iter().map(|name| (*name).to_owned()).collect();
    Entry::Folder(RemoteFolder {
        name: name.into(),
        deleted_ms: Some(deleted_ms),
        trashed_from: Some(RemotePath::new(from)),
    })
}
