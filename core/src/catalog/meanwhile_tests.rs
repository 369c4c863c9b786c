#![allow(clippy::unwrap_used)]

//! What happens while a listing is on its way: other listings, a sign-out, a cancel, the end.

use super::merge::{Merged, merge, remove};
use super::moment::Moment;
use super::pocket::{Pocket, d, f, t, td};
use super::stage::{Run, root_scope};
use super::*;
use crate::remote::{Entry, RemoteFolder, RemotePath};
use std::collections::HashMap;

fn freshness(pocket: &Pocket, names: &[&str]) -> Freshness {
    let id = pocket.id(names);
    let page = pocket.catalog.children(&id, Order::Name, None, 1);
    page.unwrap().freshness
}

fn sql(pocket: &Pocket, text: &str) {
    let store = pocket.store();
    store
        .catalog
        .write(|db| Ok(db.execute_batch(text)?))
        .unwrap();
}

#[test]
fn a_file_that_another_listing_moved_is_not_removed_by_one_that_missed_it() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("F", 1, 7), f("old", 2, 8), d("B")]);
    let (file, old) = (pocket.id(&["Sync", "F"]), pocket.id(&["Sync", "old"]));
    let mut run = pocket.begin(root_scope(Space::Sync));
    run.list(vec![d("B")]).unwrap();
    let unseen = run.unseen(usize::MAX, true).unwrap();
    assert_eq!(unseen.len(), 2);
    pocket.list(&["Sync", "B"], vec![f("F", 1, 7)]);
    let mut merged = Merged::default();
    remove(&run, unseen, &CancelToken::new(), &mut merged).unwrap();
    assert_eq!(pocket.id(&["Sync", "B", "F"]), file);
    assert_eq!(pocket.catalog.item(&old).unwrap(), Lookup::Gone);
    assert_eq!(merged.counts.deleted, 1);
}

#[test]
fn a_folder_that_got_something_new_meanwhile_is_not_removed() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("A")]);
    pocket.list(&["Sync", "A"], vec![f("before", 1, 1)]);
    let before = pocket.id(&["Sync", "A", "before"]);
    let run = pocket.begin(root_scope(Space::Sync));
    pocket.list(&["Sync", "A"], vec![f("before", 1, 1), f("new", 2, 2)]);
    pocket.merge(run).unwrap();
    assert!(pocket.find(&["Sync", "A", "new"]).is_some());
    assert_eq!(pocket.catalog.item(&before).unwrap(), Lookup::Gone);
    pocket.list(&["Sync"], vec![]);
    assert_eq!(pocket.catalog.counts().unwrap(), [0; 4]);
}

#[test]
fn what_is_in_a_folder_that_was_removed_meanwhile_leaves_no_orphan() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("A"), f("moved", 1, 1)]);
    let mut run = pocket.begin(pocket.scope(&["Sync", "A"]));
    run.list(vec![f("new", 2, 2), f("moved", 1, 1)]).unwrap();
    pocket.list(&["Sync"], vec![f("moved", 1, 1)]);
    pocket.merge(run).unwrap();
    assert_eq!(pocket.catalog.counts().unwrap(), [1, 0, 0, 0]);
    assert!(pocket.find(&["Sync", "moved"]).is_some());
    let orphans = "SELECT count(*) FROM item WHERE parent NOT IN (SELECT key FROM item)";
    let orphans: i64 = pocket
        .store()
        .catalog
        .read(|db| Ok(db.query_row(orphans, [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(orphans, 0);
}

#[test]
fn a_listing_begun_before_a_sign_out_adds_nothing_after_it() {
    let pocket = Pocket::new();
    let asked = pocket.store().catalog.read(Moment::now).unwrap();
    let scope = root_scope(Space::Sync);
    let mut full = pocket.begin(scope);
    full.list(vec![f("a", 1, 1)]).unwrap();
    let empty = pocket.begin(root_scope(Space::Archive));
    pocket.catalog.clear().unwrap();
    assert_eq!(pocket.merge(full).err(), Some(Error::StoreBusy));
    assert_eq!(pocket.merge(empty).err(), Some(Error::StoreBusy));
    let late = Run::begin(pocket.store(), scope, asked);
    assert_eq!(late.err(), Some(Error::StoreBusy));
    assert_eq!(pocket.catalog.counts().unwrap(), [0; 4]);
    for space in ["Sync", "Archive"] {
        assert_eq!(freshness(&pocket, &[space]), Freshness::Never);
    }
}

#[test]
fn a_folder_of_an_index_that_ended_halfway_does_not_claim_to_be_complete() {
    let pocket = Pocket::new();
    let all: Vec<_> = (0..1_500)
        .map(|n| t("full", &format!("f{n}"), n))
        .chain([t("full", "last", 7)])
        .collect();
    // The disk fails at the last file, in the second transaction.
    sql(
        &pocket,
        "CREATE TRIGGER stop BEFORE INSERT ON item WHEN NEW.name = 'last'
         BEGIN SELECT raise(ABORT, 'stop'); END",
    );
    let mut run = pocket.begin_index();
    run.tree(all.clone()).unwrap();
    assert!(pocket.merge(run).is_err());
    assert!(pocket.find(&["Sync", "full", "f0"]).is_some());
    assert_eq!(freshness(&pocket, &["Sync", "full"]), Freshness::Never);
    sql(&pocket, "DROP TRIGGER stop");
    pocket.index(all);
    assert_ne!(freshness(&pocket, &["Sync", "full"]), Freshness::Never);
    assert_eq!(pocket.catalog.counts().unwrap()[0], 1_502);
}

#[test]
fn a_cancel_stops_a_merge_and_a_removal_between_two_transactions() {
    let pocket = Pocket::new();
    pocket.index(vec![t("a", "b", 1), td("c")]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let mut merged = Merged::default();
    let mut run = pocket.begin_index();
    run.tree(vec![t("", "new", 9)]).unwrap();
    let unseen = run.unseen(usize::MAX, false).unwrap();
    assert_eq!(
        remove(&run, unseen, &cancelled, &mut merged),
        Err(Error::Cancelled)
    );
    assert_eq!(
        merge(run, &HashMap::new(), &cancelled, &mut merged),
        Err(Error::Cancelled)
    );
    assert_eq!(pocket.catalog.current_anchor().unwrap(), anchor);
    assert_eq!(pocket.staged(), 0);
    pocket.index(vec![t("", "new", 9)]);
    assert_eq!(pocket.names(&["Sync"], Order::Name), ["new"]);
}

fn trashed_folder(name: &str, deleted_ms: i64) -> Entry {
    Entry::Folder(RemoteFolder {
        name: name.into(),
        deleted_ms: Some(deleted_ms),
        trashed_from: Some(RemotePath::new(vec!["Jotta".into(), "Sync".into()])),
    })
}

#[test]
fn a_folder_made_again_stays_when_its_forerunner_is_seen_in_the_trash() {
    let pocket = Pocket::new();
    let now = pocket.clock.clone();
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("in", 1, 1)]);
    let (live, inside) = (pocket.id(&["Sync", "A"]), pocket.id(&["Sync", "A", "in"]));
    let deleted_ms = crate::clock::Clock::now_ms(&now) - 60_000;
    pocket.list(&["Trash"], vec![trashed_folder("A", deleted_ms)]);
    assert_eq!(pocket.id(&["Sync", "A"]), live);
    assert_eq!(pocket.id(&["Sync", "A", "in"]), inside);
    assert_ne!(pocket.id(&["Trash", "A"]), live);
    // Looked into after its deletion, although its parent was not listed since: it is the new one.
    let deleted_ms = crate::clock::Clock::now_ms(&now) + 3_600_000;
    pocket.clock.advance(7_200_000);
    pocket.list(&["Sync", "B"], vec![]);
    let live = pocket.id(&["Sync", "B"]);
    pocket.list(&["Trash"], vec![trashed_folder("B", deleted_ms)]);
    assert_eq!(pocket.id(&["Sync", "B"]), live);
    assert_ne!(pocket.id(&["Trash", "B"]), live);
}

#[test]
fn a_file_in_the_trash_gets_the_id_of_its_own_content_and_of_no_other_with_its_name() {
    let trashed = |content: u8| {
        let Entry::File(mut file) = f("a.txt", content, u64::from(content)) else {
            unreachable!()
        };
        file.deleted_ms = Some(1_000);
        file.trashed_from = Some(RemotePath::new(vec!["Jotta".into(), "Sync".into()]));
        Entry::File(file)
    };
    for (content, same) in [(1, true), (2, false)] {
        let pocket = Pocket::new();
        pocket.index(vec![t("", "a.txt", 1)]);
        let id = pocket.id(&["Sync", "a.txt"]);
        pocket.list(&["Sync"], vec![]);
        assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Gone);
        pocket.list(&["Trash"], vec![trashed(content)]);
        assert_eq!(pocket.id(&["Trash", "a.txt"]) == id, same);
    }
}

#[test]
fn an_anchor_of_changes_that_a_power_cut_took_back_stays_expired_whatever_comes_after() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![f("a", 1, 1)]);
    let then = pocket.on_disk();
    let kept = pocket.catalog.current_anchor().unwrap();
    pocket.list(&["Sync"], vec![f("a", 1, 1), f("b", 2, 2), f("c", 3, 3)]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    let pocket = pocket.power_cut(then);
    assert!(pocket.find(&["Sync", "a"]).is_some());
    assert!(pocket.find(&["Sync", "b"]).is_none());
    let all = (1..6).map(|n| f(&format!("new {n}"), 10 + n, 1)).collect();
    pocket.list(&["Sync"], all);
    assert_eq!(
        pocket.catalog.changes(&anchor, 100),
        Err(Error::AnchorExpired)
    );
    let told = pocket.catalog.changes(&kept, 100).unwrap();
    assert_eq!((told.updated.len(), told.deleted.len()), (5, 1));
}

#[test]
fn an_anchor_of_changes_that_a_power_cut_took_back_has_expired() {
    let pocket = Pocket::new();
    let meta = pocket
        .store()
        .catalog
        .read(super::read::Meta::read)
        .unwrap();
    let anchor = |seq| super::token::anchor(meta.instance, seq);
    assert!(pocket.catalog.changes(&anchor(meta.seq), 1).is_ok());
    assert_eq!(
        pocket.catalog.changes(&anchor(meta.seq + 1), 1),
        Err(Error::AnchorExpired)
    );
}
