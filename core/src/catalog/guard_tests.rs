#![allow(clippy::unwrap_used)]

//! When a great part of a space disappears.

use super::pocket::{Pocket, d, f, t, td, trashed};
use super::*;
use crate::remote::TreeEntry;

fn files(folder: &str, from: u64, to: u64) -> Vec<TreeEntry> {
    (from..to)
        .map(|n| t(folder, &format!("{folder}{n}"), n))
        .collect()
}

fn index(pocket: &Pocket, entries: Vec<TreeEntry>) -> Result<super::merge::Merged> {
    let mut run = pocket.begin_index();
    run.tree(entries)?;
    pocket.merge(run)
}

fn known(pocket: &Pocket) -> u64 {
    pocket.catalog.counts().unwrap()[0]
}

fn freshness(pocket: &Pocket, names: &[&str]) -> Freshness {
    let id = pocket.id(names);
    let page = pocket.catalog.children(&id, Order::Name, None, 1);
    page.unwrap().freshness
}

#[test]
fn a_great_loss_removes_nothing_until_a_person_says_that_it_is_right() {
    let pocket = Pocket::new();
    index(&pocket, files("a", 0, 200)).unwrap();
    let kept = pocket.id(&["Sync", "a", "a150"]);
    let before = freshness(&pocket, &["Sync"]);
    pocket.clock.advance(60_000);
    let mut less = files("a", 0, 100);
    less.push(t("a", "new", 7_777));
    // The second time what was new is known, too.
    for of in [201, 202] {
        let told = index(&pocket, less.clone());
        assert_eq!(told.err(), Some(Error::ManyGone { gone: 100, of }));
        assert!(pocket.find(&["Sync", "a", "new"]).is_some(), "still merged");
        assert_eq!(pocket.id(&["Sync", "a", "a150"]), kept);
        assert_eq!(known(&pocket), 202);
        assert_eq!(freshness(&pocket, &["Sync"]), before);
    }
    pocket.catalog.accept_disappearance(Space::Archive).unwrap();
    assert!(index(&pocket, less.clone()).is_err(), "another space");
    pocket.catalog.accept_disappearance(Space::Sync).unwrap();
    pocket.clock.advance(11 * 60 * 1_000);
    assert!(index(&pocket, less.clone()).is_err(), "too long ago");
    pocket.catalog.accept_disappearance(Space::Sync).unwrap();
    index(&pocket, less).unwrap();
    assert_eq!(known(&pocket), 102);
    assert_eq!(pocket.catalog.item(&kept).unwrap(), Lookup::Gone);
    assert_ne!(freshness(&pocket, &["Sync"]), before);
    let told = index(&pocket, vec![td("a")]);
    assert!(told.is_err(), "what was said held for once");
}

#[test]
fn few_items_or_a_small_part_may_go_at_any_time() {
    let small = Pocket::new();
    index(&small, files("a", 0, 49)).unwrap();
    index(&small, vec![]).unwrap();
    assert_eq!(known(&small), 0);
    let pocket = Pocket::new();
    index(&pocket, files("a", 0, 999)).unwrap();
    index(&pocket, files("a", 60, 999)).unwrap();
    assert_eq!(known(&pocket), 940);
    let more = index(&pocket, files("a", 200, 999));
    assert_eq!(more.err(), Some(Error::ManyGone { gone: 140, of: 940 }));
}

#[test]
fn what_turns_up_elsewhere_has_not_disappeared() {
    let pocket = Pocket::new();
    index(&pocket, files("a", 0, 200)).unwrap();
    let moved = (0..200)
        .map(|n| t("renamed/deeper", &format!("b{n}"), n))
        .collect();
    index(&pocket, moved).unwrap();
    assert_eq!(known(&pocket), 202);
    assert!(pocket.find(&["Sync", "a"]).is_none());
    // Other content is a loss, however much of it there is.
    let told = index(&pocket, files("c", 1_000, 1_300));
    assert_eq!(told.err(), Some(Error::ManyGone { gone: 201, of: 202 }));
}

#[test]
fn a_refresh_of_one_folder_is_guarded_like_an_index() {
    let pocket = Pocket::new();
    index(&pocket, files("a", 0, 100)).unwrap();
    pocket.clock.advance(1_000);
    let scope = pocket.scope(&["Sync", "a"]);
    let before = freshness(&pocket, &["Sync", "a"]);
    let lose = |scope| {
        let mut run = pocket.begin(scope);
        run.list(vec![f("new", 1, 5_000)]).unwrap();
        pocket.merge(run)
    };
    let told = lose(scope);
    assert_eq!(told.err(), Some(Error::ManyGone { gone: 100, of: 101 }));
    assert_eq!(freshness(&pocket, &["Sync", "a"]), before);
    // The folder itself vanishes from its folder's listing.
    let mut run = pocket.begin(pocket.scope(&["Sync"]));
    run.list(vec![d("b")]).unwrap();
    assert!(matches!(pocket.merge(run), Err(Error::ManyGone { .. })));
    pocket.catalog.accept_disappearance(Space::Sync).unwrap();
    lose(pocket.scope(&["Sync", "a"])).unwrap();
    assert_eq!(known(&pocket), 3);
}

#[test]
fn an_emptied_trash_is_believed() {
    let pocket = Pocket::new();
    let entries = (0..100_u8)
        .map(|n| {
            trashed(
                super::pocket::file(&format!("f{n}"), n, 1),
                &["Jotta", "Sync"],
                5,
            )
        })
        .collect();
    pocket.list(&["Trash"], entries);
    assert_eq!(pocket.catalog.counts().unwrap()[3], 100);
    pocket.list(&["Trash"], vec![]);
    assert_eq!(pocket.catalog.counts().unwrap()[3], 0);
}
