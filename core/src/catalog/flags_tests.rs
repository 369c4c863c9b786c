#![allow(clippy::unwrap_used)]

//! Marks and copies in the rows of the tree.

use super::pocket::{Pocket, d, f, t};
use super::*;
use std::collections::BTreeSet;

fn found(pocket: &Pocket, names: &[&str]) -> Item {
    pocket.find(names).unwrap()
}

fn version(item: &Item) -> String {
    item.content_version.clone().unwrap()
}

/// `Sync/A/B/{1..n}` and `Sync/C/other`.
fn deep(files: u64) -> Pocket {
    let pocket = Pocket::new();
    let mut entries: Vec<_> = (1..=files).map(|n| t("A/B", &format!("{n}"), n)).collect();
    entries.push(t("C", "other", 1));
    pocket.index(entries);
    pocket
}

#[test]
fn a_mark_shows_in_reads_and_in_the_feed() {
    let pocket = deep(1);
    let file = pocket.id(&["Sync", "A", "B", "1"]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    pocket.catalog.set_favourite(&file, true).unwrap();
    pocket.catalog.set_favourite(&file, true).unwrap();
    let changes = pocket.catalog.changes(&anchor, 10).unwrap();
    assert_eq!(changes.updated.len(), 1);
    assert!(changes.updated[0].favourite);
    assert_eq!(pocket.catalog.favourites().unwrap(), changes.updated);
    pocket.catalog.set_favourite(&file, false).unwrap();
    assert!(!found(&pocket, &["Sync", "A", "B", "1"]).favourite);
    assert_eq!(pocket.catalog.favourites().unwrap(), []);
    let unknown = ItemId::from_string("ab".repeat(16));
    let told = pocket.catalog.set_favourite(&unknown, true);
    assert!(matches!(told, Err(Error::NotKnown { .. })));
}

#[test]
fn a_pinned_folder_pins_what_is_in_it_however_deep() {
    let pocket = deep(3);
    let [a, b, file, other] = [
        &["Sync", "A"][..],
        &["Sync", "A", "B"],
        &["Sync", "A", "B", "2"],
        &["Sync", "C", "other"],
    ]
    .map(|names| pocket.id(names));
    let catalog = &pocket.catalog;
    assert_eq!(catalog.pinned_by(&file).unwrap(), None);
    catalog.set_mark(&a, Mark::Pinned, true).unwrap();
    assert!(found(&pocket, &["Sync", "A", "B", "2"]).pinned);
    assert!(!found(&pocket, &["Sync", "C", "other"]).pinned);
    let page = catalog.children(&b, Order::Newest, None, 10).unwrap();
    assert!(page.items.iter().all(|item| item.pinned));
    let found_by_name = catalog.search(&Search::new("2")).unwrap();
    assert!(found_by_name.items[0].pinned);
    assert_eq!(catalog.pinned_by(&file).unwrap(), Some(a.clone()));
    catalog.set_mark(&file, Mark::Pinned, true).unwrap();
    assert_eq!(catalog.pinned_by(&file).unwrap(), Some(file.clone()));
    assert_eq!(catalog.pinned_by(&other).unwrap(), None);
    for (ancestor, id, right) in [
        (&a, &file, true),
        (&file, &file, true),
        (&Space::Sync.root(), &file, true),
        (&file, &a, false),
        (&a, &other, false),
        (&a, &ItemId::from_string("ab".repeat(16)), false),
    ] {
        assert_eq!(catalog.is_descendant(ancestor, id).unwrap(), right);
    }
}

#[test]
fn a_pin_holds_in_a_rebuilt_tree_that_does_not_know_the_item_yet() {
    let pocket = deep(1);
    let (folder, file) = (
        pocket.id(&["Sync", "A"]),
        pocket.id(&["Sync", "A", "B", "1"]),
    );
    pocket
        .catalog
        .set_mark(&folder, Mark::Pinned, true)
        .unwrap();
    pocket.catalog.set_favourite(&file, true).unwrap();
    let pocket = pocket.rebuilt();
    assert_eq!(
        pocket.catalog.pinned_by(&file).unwrap(),
        Some(folder.clone())
    );
    pocket.index(vec![t("A/B", "1", 1)]);
    let item = found(&pocket, &["Sync", "A", "B", "1"]);
    assert_eq!(item.id, file);
    assert!(item.favourite && item.pinned);
    assert_eq!(pocket.catalog.favourites().unwrap().len(), 1);
}

#[test]
fn a_kill_between_a_mark_and_its_row_is_healed_by_the_next_start() {
    let pocket = deep(1);
    let root = Space::Sync.root();
    let file = pocket.id(&["Sync", "A", "B", "1"]);
    pocket.catalog.set_mark(&file, Mark::Pinned, true).unwrap();
    for (id, mark, on) in [
        (&file, Mark::Favourite, true),
        (&file, Mark::Pinned, false),
        (&root, Mark::Pinned, true),
    ] {
        let id = id_bytes(id).unwrap();
        assert!(pocket.store().set_mark(&id, mark, on).unwrap());
    }
    let twin = pocket.twin();
    let Lookup::Found(item) = twin.item(&file).unwrap() else {
        panic!("gone");
    };
    assert!(item.favourite);
    assert!(item.pinned, "by the root");
    twin.set_mark(&root, Mark::Pinned, false).unwrap();
    assert!(
        !found(&pocket, &["Sync", "A", "B", "1"]).pinned,
        "seen by the first"
    );
}

#[test]
fn a_folder_tells_its_weight_and_gives_its_files_page_by_page() {
    let pocket = deep(25);
    let folder = pocket.id(&["Sync", "A"]);
    let weight = pocket.catalog.weight(&folder).unwrap();
    let bytes = (1..=25).map(|n| n * 10).sum();
    assert_eq!((weight.files, weight.bytes), (25, bytes));
    assert_eq!(weight.unlisted_folders, 0);
    let (mut after, mut all) = (None, BTreeSet::new());
    loop {
        let (page, next) = pocket.catalog.missing_below(&folder, after, 10).unwrap();
        assert!(page.len() <= 10);
        all.extend(page.into_iter().map(|item| item.name));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), 25);
    let file = pocket.id(&["Sync", "A", "B", "7"]);
    assert_eq!(pocket.catalog.weight(&file).unwrap().bytes, 70);
    let (page, _) = pocket.catalog.missing_below(&file, None, 10).unwrap();
    assert_eq!(page.len(), 1);
    pocket.list(&["Sync", "A", "B"], vec![d("new")]);
    assert_eq!(pocket.catalog.weight(&folder).unwrap().unlisted_folders, 1);
}

#[test]
fn a_copy_is_whole_then_stale_when_the_file_changes_and_absent_when_it_goes() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 1)]);
    let now = || found(&pocket, &["Sync", "a"]);
    let (id, first) = (now().id, version(&now()));
    let catalog = &pocket.catalog;
    assert_eq!(now().local, LocalCopy::Absent);
    let anchor = catalog.current_anchor().unwrap();
    catalog.note_local(&id, &first, true).unwrap();
    catalog.note_local(&id, &first, true).unwrap();
    assert_eq!(now().local, LocalCopy::Whole);
    let changes = catalog.changes(&anchor, 10).unwrap();
    assert_eq!(changes.updated[0].local, LocalCopy::Whole);
    pocket.clock.advance(5_000);
    let since_ms = pocket.store().now_ms();
    pocket.list(&["Sync"], vec![f("a", 1, 2)]);
    assert_eq!(now().local, LocalCopy::Stale { since_ms });
    catalog.note_local(&id, &first, false).unwrap();
    assert_eq!(now().local, LocalCopy::Absent);
    catalog.note_local(&id, &first, true).unwrap();
    assert_eq!(now().local, LocalCopy::Stale { since_ms });
    catalog.note_local(&id, &version(&now()), true).unwrap();
    assert_eq!(now().local, LocalCopy::Whole);
    catalog.note_local(&id, &first, false).unwrap();
    assert_eq!(now().local, LocalCopy::Whole, "the old one is no loss");
    catalog.note_local(&id, &version(&now()), false).unwrap();
    assert_eq!(now().local, LocalCopy::Absent);
}

#[test]
fn what_is_said_here_while_a_listing_is_on_its_way_does_not_make_it_out_of_date() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2), f("c", 3, 3)]);
    let [a, b] = ["a", "b"].map(|name| found(&pocket, &["Sync", name]));
    let mut run = pocket.begin(pocket.scope(&["Sync"]));
    run.list(vec![f("a", 1, 9), f("c", 3, 3)]).unwrap();
    for item in [&a, &b] {
        pocket
            .catalog
            .note_local(&item.id, &version(item), true)
            .unwrap();
        pocket.catalog.set_favourite(&item.id, true).unwrap();
    }
    pocket.merge(run).unwrap();
    assert_eq!(found(&pocket, &["Sync", "a"]).size, Some(90));
    assert_eq!(pocket.catalog.item(&b.id).unwrap(), Lookup::Gone);
}

#[test]
fn a_long_listing_does_not_overwrite_what_a_newer_answer_told() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 1)]);
    pocket.id(&["Sync", "a"]);
    let mut run = pocket.begin(pocket.scope(&["Sync"]));
    run.list(vec![f("a", 1, 2), f("new", 2, 3)]).unwrap();
    pocket.list(&["Sync"], vec![f("a", 1, 5), f("new", 2, 6)]);
    pocket.merge(run).unwrap();
    assert_eq!(found(&pocket, &["Sync", "a"]).size, Some(50));
    assert_eq!(found(&pocket, &["Sync", "new"]).size, Some(60));
    pocket.list(&["Sync"], vec![f("a", 1, 7), f("new", 2, 6)]);
    assert_eq!(found(&pocket, &["Sync", "a"]).size, Some(70));
}

#[test]
fn old_openings_are_forgotten() {
    let pocket = Pocket::new();
    let entries = (0..510_u64).map(|n| t("", &format!("f{n}"), n)).collect();
    pocket.index(entries);
    let (files, _) = pocket
        .catalog
        .missing_below(&Space::Sync.root(), None, 600)
        .unwrap();
    assert_eq!(files.len(), 510);
    for file in &files {
        pocket.clock.advance(1_000);
        pocket
            .catalog
            .set_mark(&file.id, Mark::Opened, true)
            .unwrap();
    }
    let opened = pocket.store().marked(Mark::Opened).unwrap();
    assert_eq!(opened.len(), 500);
    assert_eq!(Some(opened[0].0), id_bytes(&files[509].id));
}
