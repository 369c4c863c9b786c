#![allow(clippy::unwrap_used)]

//! Listings fed straight in. What needs a service is in `cloud_tests`.

use super::merge::{Merged, merge};
use super::refresh::target;
use super::row::{fold, id_bytes, root_key};
use super::stage::{Run, Scope, root_scope};
use super::*;
use crate::account::Secret;
use crate::clock::ManualClock;
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

pub(super) struct Pocket {
    dir: TempDir,
    pub clock: ManualClock,
    pub catalog: Catalog,
    pub told: Arc<AtomicUsize>,
}

impl Pocket {
    pub fn new() -> Self {
        Self::at(TempDir::new().unwrap())
    }

    fn at(dir: TempDir) -> Self {
        let clock = ManualClock::at(1_800_000_000_000);
        let store = Store::open(dir.path(), false, Arc::new(clock.clone())).unwrap();
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        let catalog = Catalog::new(
            Arc::new(store),
            Remote::new(Transport::new(None).unwrap(), Arc::new(Nobody)),
            Life::new(),
            Arc::new(move || {
                count.fetch_add(1, Ordering::SeqCst);
            }),
        );
        Self {
            dir,
            clock,
            catalog,
            told,
        }
    }

    /// The same directory with its catalogue damaged: what the next start finds.
    fn rebuilt(self) -> Self {
        let Self { dir, catalog, .. } = self;
        let file = format!("catalog-{}.db", catalog.store.catalog.generation().unwrap());
        drop(catalog);
        std::fs::write(dir.path().join(file), vec![b'x'; 9_000]).unwrap();
        Self::at(dir)
    }

    fn store(&self) -> Arc<Store> {
        self.catalog.store.clone()
    }

    fn scope(&self, names: &[&str]) -> Scope {
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

    pub fn list(&self, names: &[&str], entries: Vec<Entry>) -> Merged {
        self.list_scope(self.scope(names), entries)
    }

    fn list_scope(&self, scope: Scope, entries: Vec<Entry>) -> Merged {
        let mut run = Run::begin(self.store(), scope).unwrap();
        run.list(entries).unwrap();
        merge(run, &HashMap::new()).unwrap()
    }

    pub fn index(&self, entries: Vec<TreeEntry>) -> Merged {
        let mut run = self.begin_index();
        for batch in entries.chunks(512) {
            run.tree(batch.to_vec()).unwrap();
        }
        merge(run, &HashMap::new()).unwrap()
    }

    fn begin_index(&self) -> Run {
        let mut scope = root_scope(Space::Sync);
        scope.tree = true;
        Run::begin(self.store(), scope).unwrap()
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

    fn names(&self, names: &[&str], order: Order) -> Vec<String> {
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

    fn staged(&self) -> i64 {
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

pub(super) fn f(name: &str, uuid: u8, seed: u64) -> Entry {
    Entry::File(file(name, uuid, seed))
}

pub(super) fn d(name: &str) -> Entry {
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

fn t(folder: &str, name: &str, seed: u64) -> TreeEntry {
    TreeEntry::File {
        folder: path(folder),
        file: plain(name, seed),
    }
}

fn td(folder: &str) -> TreeEntry {
    TreeEntry::Folder {
        folder: path(folder),
    }
}

fn trashed(mut file: RemoteFile, from: &[&str], deleted_ms: i64) -> Entry {
    let from = from.iter().map(|name| (*name).to_owned()).collect();
    file.trashed_from = Some(RemotePath::new(from));
    file.deleted_ms = Some(deleted_ms);
    Entry::File(file)
}

#[test]
fn a_listing_becomes_children_in_order() {
    let pocket = Pocket::new();
    let done = pocket.list(
        &["Sync"],
        vec![
            f("b", 1, 30),
            d("Zoo"),
            f("A", 2, 50),
            d("ape"),
            f("c", 3, 40),
        ],
    );
    assert_eq!((done.counts.added, done.changed), (5, true));
    let by = |order| pocket.names(&["Sync"], order);
    assert_eq!(by(Order::Name), ["ape", "Zoo", "A", "b", "c"]);
    assert_eq!(by(Order::Newest), ["ape", "Zoo", "A", "c", "b"]);
    assert_eq!(by(Order::Largest), ["ape", "Zoo", "A", "c", "b"]);
    assert_eq!(pocket.catalog.counts().unwrap(), [5, 0, 0, 0]);
}

#[test]
fn an_item_has_what_the_service_told() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let item = pocket.find(&["Sync", "a"]).unwrap();
    assert_eq!((item.size, item.modified_ms), (Some(70), Some(7_000)));
    assert_eq!(item.mime.as_deref(), Some("text/plain"));
    assert_eq!((item.shared, item.deleted_ms), (Some(false), None));
    assert_eq!(item.parent, Space::Sync.root());
    assert_eq!(item.kind, Kind::File);
    assert!(item.content_version.unwrap().len() <= 128);
    let folder = pocket.catalog.item(&Space::Sync.root()).unwrap();
    assert!(matches!(folder, Lookup::Found(root) if root.kind == Kind::Root));
}

#[test]
fn an_id_is_the_same_at_every_look() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let id = pocket.id(&["Sync", "a"]);
    let page = pocket
        .catalog
        .children(&Space::Sync.root(), Order::Name, None, 10)
        .unwrap();
    assert_eq!(page.items[0].id, id);
    assert!(matches!(
        pocket.catalog.item(&id).unwrap(),
        Lookup::Found(_)
    ));
    assert_eq!(id.as_str().len(), 32);
}

#[test]
fn listing_the_same_again_changes_nothing() {
    let pocket = Pocket::new();
    let all = || vec![f("a", 1, 7), d("x"), f("b", 2, 8)];
    pocket.list(&["Sync"], all());
    let anchor = pocket.catalog.current_anchor().unwrap();
    let again = pocket.list(&["Sync"], all());
    assert!(!again.changed);
    assert_eq!(pocket.catalog.current_anchor().unwrap(), anchor);
}

#[test]
fn what_a_complete_listing_does_not_show_is_gone() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), d("x")]);
    pocket.list(&["Sync", "x"], vec![f("deep", 3, 3)]);
    let (a, deep) = (pocket.id(&["Sync", "a"]), pocket.id(&["Sync", "x", "deep"]));
    let anchor = pocket.catalog.current_anchor().unwrap();
    pocket.list(&["Sync"], vec![]);
    assert_eq!(pocket.catalog.item(&a).unwrap(), Lookup::Gone);
    assert_eq!(pocket.catalog.item(&deep).unwrap(), Lookup::Gone);
    let changes = pocket.catalog.changes(&anchor, 100).unwrap();
    assert!(changes.deleted.contains(&a) && changes.deleted.contains(&deep));
    assert_eq!(pocket.catalog.counts().unwrap(), [0; 4]);
}

#[test]
fn a_tombstone_in_a_listing_is_a_deletion() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let id = pocket.id(&["Sync", "a"]);
    let mut dead = file("a", 1, 7);
    dead.deleted_ms = Some(1);
    pocket.list(&["Sync"], vec![Entry::File(dead)]);
    assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Gone);
}

#[test]
fn an_upload_that_is_not_finished_is_not_a_file() {
    let pocket = Pocket::new();
    let mut partial = file("a", 1, 7);
    partial.current = None;
    pocket.list(&["Sync"], vec![Entry::File(partial)]);
    assert_eq!(pocket.find(&["Sync", "a"]), None);
}

#[test]
fn a_truncated_listing_changes_nothing() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), f("b", 2, 8)]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    let mut run = Run::begin(pocket.store(), root_scope(Space::Sync)).unwrap();
    run.list(vec![f("new", 9, 9), f("a", 1, 99)]).unwrap();
    assert!(pocket.staged() > 1);
    // The rest never comes, so there is no merge.
    drop(run);
    assert_eq!(pocket.staged(), 0);
    assert_eq!(pocket.names(&["Sync"], Order::Name), ["a", "b"]);
    assert_eq!(pocket.catalog.current_anchor().unwrap(), anchor);
}

#[test]
fn rows_that_a_killed_process_staged_are_cleared_later() {
    let pocket = Pocket::new();
    let mut run = Run::begin(pocket.store(), root_scope(Space::Sync)).unwrap();
    run.list(vec![f("a", 1, 7)]).unwrap();
    std::mem::forget(run);
    assert_eq!(pocket.staged(), 2);
    pocket.clock.advance(2 * 60 * 60 * 1000);
    pocket.list(&["Archive"], vec![]);
    assert_eq!(pocket.staged(), 0);
}

#[test]
fn an_item_keeps_its_id_when_moved() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), d("x")]);
    let id = pocket.id(&["Sync", "a"]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    let done = pocket.list(&["Sync", "x"], vec![f("renamed", 1, 7)]);
    assert_eq!((done.counts.moved, done.counts.added), (1, 0));
    assert_eq!(pocket.id(&["Sync", "x", "renamed"]), id);
    assert_eq!(pocket.find(&["Sync", "a"]), None);
    let changes = pocket.catalog.changes(&anchor, 10).unwrap();
    assert_eq!(changes.deleted, []);
    assert!(changes.updated.iter().any(|item| item.id == id));
}

#[test]
fn a_file_seen_as_gone_before_it_is_seen_elsewhere_keeps_its_id() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), d("x")]);
    let id = pocket.id(&["Sync", "a"]);
    pocket.list(&["Sync"], vec![d("x")]);
    assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Gone);
    let anchor = pocket.catalog.current_anchor().unwrap();
    pocket.list(&["Sync", "x"], vec![f("a", 1, 7)]);
    assert_eq!(pocket.id(&["Sync", "x", "a"]), id);
    let changes = pocket.catalog.changes(&anchor, 10).unwrap();
    assert!(changes.updated.iter().any(|item| item.id == id));
}

#[test]
fn two_files_that_swap_their_names_keep_their_ids() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), f("b", 2, 8)]);
    let (a, b) = (pocket.id(&["Sync", "a"]), pocket.id(&["Sync", "b"]));
    pocket.list(&["Sync"], vec![f("a", 2, 8), f("b", 1, 7)]);
    assert_eq!(pocket.id(&["Sync", "a"]), b);
    assert_eq!(pocket.id(&["Sync", "b"]), a);
}

#[test]
fn another_file_with_the_same_name_is_another_item() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let id = pocket.id(&["Sync", "a"]);
    pocket.list(&["Sync"], vec![f("a", 2, 7)]);
    assert_ne!(pocket.id(&["Sync", "a"]), id);
    assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Gone);
}

#[test]
fn a_rename_of_case_alone_keeps_the_id() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("docs")]);
    pocket.index(vec![td(""), t("docs", "readme", 7)]);
    let (folder, readme) = (
        pocket.id(&["Sync", "docs"]),
        pocket.id(&["Sync", "docs", "readme"]),
    );
    pocket.index(vec![td(""), t("Docs", "README", 7)]);
    assert_eq!(pocket.names(&["Sync"], Order::Name), ["Docs"]);
    assert_eq!(pocket.id(&["Sync", "Docs"]), folder);
    assert_eq!(pocket.id(&["Sync", "Docs", "README"]), readme);
}

#[test]
fn twins_of_normalisation_are_two_items() {
    let pocket = Pocket::new();
    let (nfc, nfd) = ("\u{e5}", "a\u{30a}");
    assert_eq!(fold(nfc), fold(nfd));
    pocket.list(&["Sync"], vec![f(nfc, 1, 1)]);
    let id = pocket.id(&["Sync", nfc]);
    pocket.list(&["Sync"], vec![f(nfd, 2, 2), f(nfc, 1, 1)]);
    assert_eq!(pocket.id(&["Sync", nfc]), id);
    assert_ne!(pocket.id(&["Sync", nfd]), id);
    pocket.index(vec![t("", nfd, 2), t("", nfc, 1)]);
    assert_eq!(pocket.id(&["Sync", nfc]), id);
    assert_eq!(pocket.catalog.counts().unwrap()[0], 2);
}

#[test]
fn an_index_does_not_forget_what_only_a_folder_listing_tells() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let before = pocket.find(&["Sync", "a"]).unwrap();
    let done = pocket.index(vec![t("", "a", 7)]);
    assert!(!done.changed);
    assert_eq!(pocket.find(&["Sync", "a"]).unwrap(), before);
    pocket.index(vec![t("", "a", 8)]);
    let after = pocket.find(&["Sync", "a"]).unwrap();
    assert_eq!(after.id, before.id);
    assert_ne!(after.content_version, before.content_version);
    assert_ne!(after.metadata_version, before.metadata_version);
    let revision: Option<i64> = pocket
        .store()
        .catalog
        .read(|db| {
            let sql = "SELECT revision FROM item WHERE name = 'a'";
            Ok(db.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(revision, None);
}

#[test]
fn a_content_version_is_the_same_from_both_kinds_of_listing() {
    let pocket = Pocket::new();
    pocket.index(vec![t("", "a", 7)]);
    let indexed = pocket.find(&["Sync", "a"]).unwrap().content_version;
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    assert_eq!(
        pocket.find(&["Sync", "a"]).unwrap().content_version,
        indexed
    );
}

#[test]
fn an_index_takes_in_the_whole_tree_and_what_is_missing_is_gone() {
    let pocket = Pocket::new();
    let done = pocket.index(vec![
        td("empty"),
        t("a/b/c", "deep", 1),
        t("", "top", 2),
        t("a", "mid", 3),
        t("a/b/c", "deeper", 4),
    ]);
    assert_eq!((done.counts.folders, done.counts.files), (5, 4));
    assert_eq!(done.counts.added, 8);
    assert_eq!(
        pocket.names(&["Sync", "a", "b", "c"], Order::Name),
        ["deep", "deeper"]
    );
    let deep = pocket.id(&["Sync", "a", "b", "c", "deep"]);
    pocket.index(vec![t("", "top", 2), t("a", "mid", 3)]);
    assert_eq!(pocket.catalog.item(&deep).unwrap(), Lookup::Gone);
    assert_eq!(pocket.find(&["Sync", "empty"]), None);
    assert_eq!(pocket.catalog.counts().unwrap()[0], 3);
}

#[test]
fn a_folder_is_fresh_once_listed_or_indexed() {
    let pocket = Pocket::new();
    let freshness = |names: &[&str]| {
        let page = pocket
            .catalog
            .children(&pocket.id(names), Order::Name, None, 1)
            .unwrap();
        page.freshness
    };
    assert_eq!(freshness(&["Sync"]), Freshness::Never);
    pocket.list(&["Sync"], vec![d("x")]);
    assert_eq!(freshness(&["Sync"]), Freshness::ListedAt(1_800_000_000_000));
    assert_eq!(freshness(&["Sync", "x"]), Freshness::Never);
    pocket.clock.advance(5_000);
    pocket.index(vec![td("x"), td("y")]);
    for names in [&["Sync", "x"], &["Sync", "y"]] {
        assert_eq!(freshness(names), Freshness::ListedAt(1_800_000_005_000));
    }
    pocket.list(&["Sync"], vec![d("x"), d("y"), d("z")]);
    assert_eq!(freshness(&["Sync", "z"]), Freshness::Never);
}

#[test]
fn a_listing_that_began_before_a_change_does_not_undo_it() {
    let pocket = Pocket::new();
    pocket.index(vec![t("", "a", 1)]);
    let mut old = pocket.begin_index();
    old.tree(vec![t("", "a", 1)]).unwrap();
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2)]);
    let b = pocket.id(&["Sync", "b"]);
    merge(old, &HashMap::new()).unwrap();
    assert_eq!(pocket.id(&["Sync", "b"]), b);
}

#[test]
fn a_trashed_file_keeps_its_id() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), d("x")]);
    pocket.list(&["Sync", "x"], vec![f("in", 4, 4)]);
    pocket.index(vec![t("", "a", 7), t("", "plain", 9), t("x", "in", 4)]);
    let (a, plain_id, x) = (
        pocket.id(&["Sync", "a"]),
        pocket.id(&["Sync", "plain"]),
        pocket.id(&["Sync", "x"]),
    );
    let inside = pocket.id(&["Sync", "x", "in"]);
    let from = ["Jotta", "Sync"];
    let folder = Entry::Folder(RemoteFolder {
        name: "x".into(),
        deleted_ms: Some(3_000),
        trashed_from: Some(RemotePath::new(from.map(str::to_owned).to_vec())),
    });
    let all = || {
        vec![
            trashed(file("a", 1, 7), &from, 1_000),
            trashed(file("plain", 2, 9), &from, 2_000),
            trashed(file("a", 9, 9), &["Jotta", "Archive"], 9_000),
            folder.clone(),
        ]
    };
    pocket.list(&["Trash"], all());
    for id in [&a, &plain_id, &x, &inside] {
        let Lookup::Found(item) = pocket.catalog.item(id).unwrap() else {
            panic!("{id} is not there");
        };
        assert_eq!(item.space, Space::Trash);
    }
    let item = pocket.catalog.item(&a).unwrap();
    let Lookup::Found(item) = item else { panic!() };
    assert_eq!(item.deleted_ms, Some(1_000));
    assert_eq!(item.parent, Space::Trash.root());
    assert_eq!(item.capabilities[0].action, Action::Restore);
    assert_eq!(
        pocket.names(&["Trash"], Order::Name),
        ["x", "a", "a", "plain"]
    );
    assert_eq!(pocket.catalog.counts().unwrap(), [0, 0, 0, 5]);
    assert!(!pocket.list(&["Trash"], all()).changed);
    // Restored: the same item again.
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    assert_eq!(pocket.id(&["Sync", "a"]), a);
    assert_eq!(pocket.find(&["Sync", "a"]).unwrap().deleted_ms, None);
}

#[test]
fn a_trashed_folder_that_was_seen_as_gone_keeps_its_id() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("x")]);
    let x = pocket.id(&["Sync", "x"]);
    pocket.list(&["Sync"], vec![]);
    let folder = Entry::Folder(RemoteFolder {
        name: "x".into(),
        deleted_ms: Some(3_000),
        trashed_from: Some(RemotePath::new(vec!["Jotta".into(), "Sync".into()])),
    });
    pocket.list(&["Trash"], vec![folder]);
    assert_eq!(pocket.id(&["Trash", "x"]), x);
}

#[test]
fn ids_that_left_survive_a_rebuild() {
    let pocket = Pocket::new();
    let fill = |pocket: &Pocket| {
        pocket.list(&["Sync"], vec![f("a", 1, 7), d("x"), d("y")]);
        pocket.index(vec![t("", "a", 7), td("y"), t("x/deep", "plain", 3)]);
    };
    fill(&pocket);
    let names: [&[&str]; 4] = [
        &["Sync", "a"],
        &["Sync", "x"],
        &["Sync", "x", "deep"],
        &["Sync", "x", "deep", "plain"],
    ];
    let ids = names.map(|names| pocket.id(names));
    let anchor = pocket.catalog.current_anchor().unwrap();

    let pocket = pocket.rebuilt();
    for id in &ids {
        assert_eq!(pocket.catalog.item(id).unwrap(), Lookup::Unknown);
    }
    assert_eq!(
        pocket.catalog.changes(&anchor, 10),
        Err(Error::AnchorExpired)
    );
    fill(&pocket);
    // By id first, by name first: both find the old ids.
    let Lookup::Found(plain) = pocket.catalog.item(&ids[3]).unwrap() else {
        panic!("the deepest id is lost");
    };
    assert_eq!(plain.name, "plain");
    for (names, id) in names.iter().zip(&ids) {
        assert_eq!(pocket.id(names), *id);
    }
}

#[test]
fn an_id_that_moved_before_a_rebuild_is_found_at_its_new_place() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7), d("x")]);
    let (a, x) = (pocket.id(&["Sync", "a"]), pocket.id(&["Sync", "x"]));
    pocket.list(&["Sync", "x"], vec![f("b", 1, 7)]);
    let pocket = pocket.rebuilt();
    pocket.index(vec![t("x", "b", 7)]);
    assert_eq!(pocket.id(&["Sync", "x", "b"]), a);
    assert_eq!(pocket.id(&["Sync", "x"]), x);
}

#[test]
fn a_deleted_id_is_not_given_to_what_takes_its_place() {
    let pocket = Pocket::new();
    pocket.index(vec![t("", "a", 7)]);
    let a = pocket.id(&["Sync", "a"]);
    pocket.index(vec![td("")]);
    pocket.index(vec![t("", "a", 8)]);
    assert_ne!(pocket.id(&["Sync", "a"]), a);
    assert_eq!(pocket.catalog.item(&a).unwrap(), Lookup::Gone);
}

#[test]
fn a_change_is_never_lost_between_anchor_and_page() {
    let pocket = Pocket::new();
    pocket.index((0..25).map(|n| t("", &format!("f{n}"), n)).collect());
    let mut anchor = pocket.catalog.current_anchor().unwrap();
    let mut known: HashMap<ItemId, u64> = HashMap::new();
    for round in 1..6_u64 {
        // A page of the feed is read between two changes.
        let all = (round..25 + round).map(|n| t("", &format!("f{n}"), n + round * (n % 3)));
        pocket.index(all.collect());
        for _ in 0..2 {
            let page = pocket.catalog.changes(&anchor, 4).unwrap();
            for item in page.updated {
                known.insert(item.id, item.size.unwrap());
            }
            for id in page.deleted {
                known.remove(&id);
            }
            anchor = page.anchor;
        }
    }
    loop {
        let page = pocket.catalog.changes(&anchor, 4).unwrap();
        for item in &page.updated {
            assert!(!page.deleted.contains(&item.id));
            known.insert(item.id.clone(), item.size.unwrap());
        }
        for id in page.deleted {
            known.remove(&id);
        }
        anchor = page.anchor;
        if !page.more {
            break;
        }
    }
    let page = pocket
        .catalog
        .children(&Space::Sync.root(), Order::Name, None, 1_000)
        .unwrap();
    for item in page
        .items
        .iter()
        .filter(|item| known.contains_key(&item.id))
    {
        assert_eq!(known[&item.id], item.size.unwrap());
    }
    // All that changed since the first anchor is known, and nothing that is gone.
    let there: Vec<_> = page.items.iter().map(|item| &item.id).collect();
    assert!(known.keys().all(|id| there.contains(&id)));
    assert!(known.len() >= 16);
    assert_eq!(pocket.catalog.changes(&anchor, 4).unwrap().updated, []);
}

#[test]
fn paging_goes_on_when_rows_come_and_go() {
    let pocket = Pocket::new();
    let some = |names: &[&str]| names.iter().map(|name| t("", name, 1)).collect::<Vec<_>>();
    pocket.index(some(&["a", "b", "c", "d"]));
    let root = Space::Sync.root();
    let first = pocket
        .catalog
        .children(&root, Order::Name, None, 2)
        .unwrap();
    let token = first.next.unwrap();
    assert!(token.len() <= 500);
    pocket.index(some(&["a", "c", "cc", "d"]));
    let rest = pocket
        .catalog
        .children(&root, Order::Name, Some(&token), 10)
        .unwrap();
    let names: Vec<_> = rest.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["c", "cc", "d"]);
    let bad = pocket.catalog.children(&root, Order::Name, Some("bad"), 10);
    assert_eq!(bad, Err(Error::PageExpired));
    let other = pocket
        .catalog
        .children(&Space::Archive.root(), Order::Name, Some(&token), 10);
    assert_eq!(other, Err(Error::PageExpired));
    let none = pocket.catalog.children(&root, Order::Name, None, 0);
    assert!(matches!(none, Err(Error::InvalidArgument { .. })));
}

#[test]
fn a_name_of_255_characters_can_end_a_page() {
    let pocket = Pocket::new();
    let long = |end: &str| format!("{}{end}", "å".repeat(254));
    pocket.list(&["Sync"], vec![f(&long("1"), 1, 1), f(&long("2"), 2, 2)]);
    let root = Space::Sync.root();
    let first = pocket
        .catalog
        .children(&root, Order::Name, None, 1)
        .unwrap();
    let token = first.next.unwrap();
    let second = pocket
        .catalog
        .children(&root, Order::Name, Some(&token), 1)
        .unwrap();
    assert_eq!(second.items[0].name, long("2"));
    assert_eq!(second.next, None);
}

#[test]
fn an_id_never_handed_out_is_unknown_and_not_gone() {
    let pocket = Pocket::new();
    for text in ["", "nonsense", &"ab".repeat(16)] {
        let id = ItemId::from_string(text);
        assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Unknown);
        let page = pocket.catalog.children(&id, Order::Name, None, 1);
        assert!(matches!(page, Err(Error::NotKnown { .. })));
    }
    assert_eq!(id_bytes(&ItemId::from_string("nonsense")), None);
}

#[test]
fn a_path_leads_from_the_space_down() {
    let pocket = Pocket::new();
    pocket.index(vec![t("a/b", "c", 1)]);
    let path = pocket
        .catalog
        .path_of(&pocket.id(&["sync", "A", "B", "C"]))
        .unwrap();
    let names: Vec<_> = path.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["Sync", "a", "b", "c"]);
    assert_eq!(path[2].id, path[3].parent);
}

#[test]
fn what_to_fetch_is_named_by_its_place_on_the_service() {
    let pocket = Pocket::new();
    pocket.index(vec![t("a/b", "c", 1)]);
    let wanted = pocket
        .catalog
        .wanted(&pocket.id(&["Sync", "a", "b", "c"]))
        .unwrap();
    assert_eq!(wanted.path.segments(), ["Jotta", "Sync", "a", "b", "c"]);
    assert_eq!(wanted.size, 10);
    let folder = pocket.catalog.wanted(&pocket.id(&["Sync", "a"]));
    assert!(matches!(folder, Err(Error::NotAllowed { .. })));
}

#[test]
fn a_sign_out_forgets_the_tree_and_every_id() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    let id = pocket.id(&["Sync", "a"]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    pocket.catalog.clear().unwrap();
    assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Unknown);
    assert_eq!(pocket.catalog.counts().unwrap(), [0; 4]);
    assert_eq!(
        pocket.catalog.changes(&anchor, 1),
        Err(Error::AnchorExpired)
    );
    assert_eq!(pocket.told.load(Ordering::SeqCst), 1);
    pocket.list(&["Sync"], vec![f("a", 1, 7)]);
    assert_ne!(pocket.id(&["Sync", "a"]), id);
}

#[test]
fn a_catalogue_replaced_in_mid_listing_takes_nothing_from_it() {
    let pocket = Pocket::new();
    let mut run = pocket.begin_index();
    run.tree(vec![t("", "a", 1)]).unwrap();
    let damage: Result<()> = pocket.store().catalog.read(|_| {
        Err(Error::StoreDamaged {
            detail: "met".into(),
        })
    });
    assert_eq!(damage, Err(Error::StoreBusy));
    assert_eq!(merge(run, &HashMap::new()).err(), Some(Error::StoreBusy));
    assert_eq!(pocket.find(&["Sync", "a"]), None);
}
