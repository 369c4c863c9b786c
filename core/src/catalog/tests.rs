#![allow(clippy::unwrap_used)]

//! Listings fed straight in. What needs a service is in `cloud_tests`.

use super::pocket::{Pocket, d, f, file, t, td};
use super::row::fold;
use super::stage::root_scope;
use super::*;
use crate::remote::Entry;

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
    let mut run = pocket.begin(root_scope(Space::Sync));
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
    let mut run = pocket.begin(root_scope(Space::Sync));
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
    pocket.merge(old).unwrap();
    assert_eq!(pocket.id(&["Sync", "b"]), b);
}
