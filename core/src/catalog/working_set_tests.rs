#![allow(clippy::unwrap_used)]

//! What the operating system keeps in view.

use super::pocket::{Pocket, d, f, file, trashed};
use super::*;
use std::collections::BTreeSet;

fn report(catalog: &Catalog, ids: &[ItemId]) {
    let epoch = catalog.begin_held().unwrap();
    for part in ids.chunks(2) {
        catalog.add_held(epoch, part).unwrap();
    }
    catalog.commit_held(epoch).unwrap();
}

fn members(catalog: &Catalog) -> BTreeSet<String> {
    let (mut page, mut all) = (None, BTreeSet::new());
    loop {
        let next = catalog.working_set(page.as_deref(), 2).unwrap();
        assert!(next.items.len() <= 2);
        all.extend(next.items.into_iter().map(|item| item.name));
        page = next.next;
        match &page {
            Some(token) => assert!(token.len() <= 500),
            None => return all,
        }
    }
}

/// Names that came or stayed, and how many left.
fn changes(catalog: &Catalog, anchor: &mut String) -> (BTreeSet<String>, Vec<ItemId>) {
    let (mut updated, mut deleted) = (BTreeSet::new(), Vec::new());
    loop {
        let page = catalog.working_set_changes(anchor, 2).unwrap();
        updated.extend(page.updated.into_iter().map(|item| item.name));
        deleted.extend(page.deleted);
        *anchor = page.anchor;
        if !page.more {
            return (updated, deleted);
        }
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_is_in_a_held_folder_is_in_the_working_set_from_when_it_comes() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("one", 1, 1)]);
    pocket.list(&["Sync", "B"], vec![f("two", 2, 2)]);
    let (a, two) = (pocket.id(&["Sync", "A"]), pocket.id(&["Sync", "B", "two"]));
    let mut anchor = catalog.current_anchor().unwrap();
    assert_eq!(members(catalog), set(&[]));
    report(catalog, std::slice::from_ref(&a));
    assert_eq!(members(catalog), set(&["A", "one"]));
    assert_eq!(changes(catalog, &mut anchor), (set(&["A", "one"]), vec![]));
    pocket.list(&["Sync", "A"], vec![f("one", 1, 1), f("new", 3, 3)]);
    pocket.list(&["Sync", "B"], vec![f("two", 2, 2), f("unseen", 4, 4)]);
    assert_eq!(changes(catalog, &mut anchor), (set(&["new"]), vec![]));
    pocket.list(&["Sync", "A"], vec![f("new", 3, 3), f("two", 2, 2)]);
    let (came, left) = changes(catalog, &mut anchor);
    assert_eq!((came, left.len()), (set(&["two"]), 1), "one is gone");
    report(catalog, &[]);
    let (came, left) = changes(catalog, &mut anchor);
    assert_eq!(came, set(&[]));
    assert_eq!(left.len(), 3);
    assert!(left.contains(&a) && left.contains(&two));
    assert_eq!(members(catalog), set(&[]));
    assert_eq!(changes(catalog, &mut anchor), (set(&[]), vec![]));
}

#[test]
fn what_moves_out_of_a_held_folder_is_told_with_its_new_place_and_leaves_with_the_next_report() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("one", 1, 1)]);
    let ids = ["A", "B"].map(|name| pocket.id(&["Sync", name]));
    report(catalog, &ids[..1]);
    let one = pocket.id(&["Sync", "A", "one"]);
    let mut anchor = catalog.current_anchor().unwrap();
    pocket.list(&["Sync", "B"], vec![f("one", 1, 1)]);
    let page = catalog.working_set_changes(&anchor, 10).unwrap();
    assert_eq!(page.updated[0].parent, ids[1]);
    assert_eq!(changes(catalog, &mut anchor), (set(&["one"]), vec![]));
    report(catalog, &ids[..1]);
    assert_eq!(changes(catalog, &mut anchor), (set(&[]), vec![one]));
}

#[test]
fn marked_items_are_members_and_leave_with_their_last_mark() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2)]);
    let [a, b] = ["a", "b"].map(|name| pocket.id(&["Sync", name]));
    let mut anchor = catalog.current_anchor().unwrap();
    catalog.set_favourite(&a, true).unwrap();
    catalog.set_mark(&a, Mark::Pinned, true).unwrap();
    catalog.set_mark(&b, Mark::Opened, true).unwrap();
    assert_eq!(members(catalog), set(&["a", "b"]));
    catalog.set_favourite(&a, false).unwrap();
    assert_eq!(changes(catalog, &mut anchor), (set(&["a", "b"]), vec![]));
    catalog.set_mark(&a, Mark::Pinned, false).unwrap();
    assert_eq!(changes(catalog, &mut anchor), (set(&[]), vec![a]));
    pocket.list(&["Sync"], vec![]);
    let (_, left) = changes(catalog, &mut anchor);
    assert!(left.contains(&b));
}

#[test]
fn a_report_changes_nothing_until_it_is_committed_and_only_the_newest_can_be() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2)]);
    let [a, b] = ["a", "b"].map(|name| pocket.id(&["Sync", name]));
    report(catalog, std::slice::from_ref(&a));
    let old = catalog.begin_held().unwrap();
    catalog.add_held(old, std::slice::from_ref(&b)).unwrap();
    let unknown = ItemId::from_string("ab".repeat(16));
    let new = catalog.begin_held().unwrap();
    assert!(new > old);
    for refused in [
        catalog.add_held(old, std::slice::from_ref(&b)),
        catalog.commit_held(old),
        catalog.commit_held(0),
        catalog.commit_held(u64::MAX),
        catalog.add_held(new, &[]),
        catalog.add_held(new, &vec![b.clone(); 501]),
    ] {
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    assert_eq!(members(catalog), set(&["a"]));
    // Another process goes on with it after the first was killed.
    let twin = pocket.twin();
    twin.add_held(new, &[b, unknown]).unwrap();
    twin.commit_held(new).unwrap();
    twin.commit_held(new).unwrap();
    assert_eq!(members(catalog), set(&["b"]));
    assert_eq!(members(&twin), set(&["b"]));
}

#[test]
fn what_is_in_a_folder_that_goes_to_the_trash_leaves_and_comes_back_with_it() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![d("A")]);
    pocket.list(&["Sync", "A"], vec![f("one", 1, 1)]);
    let (a, one) = (pocket.id(&["Sync", "A"]), pocket.id(&["Sync", "A", "one"]));
    report(catalog, &[a.clone(), one.clone()]);
    let mut anchor = catalog.current_anchor().unwrap();
    let folder = crate::remote::RemoteFolder {
        name: "A".into(),
        deleted_ms: Some(1_900_000_000_000),
        trashed_from: Some(RemotePath::new(vec!["Jotta".into(), "Sync".into()])),
    };
    pocket.list(&["Trash"], vec![crate::remote::Entry::Folder(folder)]);
    assert_eq!(changes(catalog, &mut anchor), (set(&["A"]), vec![one]));
    assert_eq!(members(catalog), set(&["A"]));
    pocket.list(
        &["Trash"],
        vec![trashed(file("x", 9, 9), &["Jotta", "Sync"], 5)],
    );
    assert_eq!(members(catalog), set(&[]));
}

#[test]
fn a_page_token_of_a_folder_or_of_another_life_has_expired() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2)]);
    let ids = ["a", "b"].map(|name| pocket.id(&["Sync", name]));
    report(catalog, &ids);
    let other = catalog
        .children(&Space::Sync.root(), Order::Name, None, 1)
        .unwrap();
    let expired = catalog.working_set(other.next.as_deref(), 1);
    assert_eq!(expired, Err(Error::PageExpired));
    let own = catalog.working_set(None, 1).unwrap();
    let anchor = catalog.current_anchor().unwrap();
    assert!(catalog.working_set(None, 0).is_err());
    catalog.clear().unwrap();
    let expired = catalog.working_set(own.next.as_deref(), 1);
    assert_eq!(expired, Err(Error::PageExpired));
    let expired = catalog.working_set_changes(&anchor, 1);
    assert_eq!(expired, Err(Error::AnchorExpired));
    assert_eq!(members(catalog), set(&[]));
}

#[test]
fn what_went_from_a_held_folder_and_came_back_elsewhere_before_anybody_heard_is_told_as_left() {
    let pocket = Pocket::new();
    let catalog = &pocket.catalog;
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("one", 1, 1)]);
    pocket.list(&["Sync", "B"], vec![]);
    let (a, one) = (pocket.id(&["Sync", "A"]), pocket.id(&["Sync", "A", "one"]));
    report(catalog, &[a]);
    let mut anchor = catalog.current_anchor().unwrap();
    pocket.list(&["Sync", "A"], vec![]);
    pocket.list(&["Sync", "B"], vec![f("one", 1, 1)]);
    assert_eq!(pocket.id(&["Sync", "B", "one"]), one);
    assert_eq!(changes(catalog, &mut anchor), (set(&[]), vec![one]));
    assert_eq!(members(catalog), set(&["A"]));
}
