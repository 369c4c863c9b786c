#![allow(clippy::unwrap_used)]

//! Ids for life, the change feed, pages, and what is read back. Listings are fed straight in.

use super::pocket::{Pocket, d, f, file, t, td, trashed};
use super::row::id_bytes;
use super::*;
use crate::remote::{Entry, RemoteFolder, RemotePath};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

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
    let later = 1_800_000_600_000;
    let folder = Entry::Folder(RemoteFolder {
        name: "x".into(),
        deleted_ms: Some(later + 3_000),
        trashed_from: Some(RemotePath::new(from.map(str::to_owned).to_vec())),
    });
    let all = || {
        vec![
            trashed(file("a", 1, 7), &from, later + 1_000),
            trashed(file("plain", 2, 9), &from, later + 2_000),
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
    assert_eq!(item.deleted_ms, Some(later + 1_000));
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
    assert_eq!(pocket.merge(run).err(), Some(Error::StoreBusy));
    assert_eq!(pocket.find(&["Sync", "a"]), None);
}

#[test]
fn an_item_is_found_by_the_name_that_is_shown() {
    let pocket = Pocket::new();
    // As rclone spells them, as another client does, and a look-alike that is meant so.
    let names = [
        "a\u{ff1a}b.txt",
        "x:y",
        "\u{201b}\u{ff1a}",
        "100\u{ff05}",
        "plain",
    ];
    let all = (1..).zip(names).map(|(n, name)| f(name, n, 1)).collect();
    pocket.list(&["Sync"], all);
    let page = pocket
        .catalog
        .children(&Space::Sync.root(), Order::Name, None, 10)
        .unwrap();
    assert!(page.items.iter().any(|item| item.name == "a:b.txt"));
    assert_eq!(page.items.len(), names.len());
    for item in page.items {
        assert_eq!(pocket.id(&["Sync", &item.name]), item.id, "{}", item.name);
    }
    let spelt = pocket.id(&["Sync", names[0]]);
    assert_eq!(spelt, pocket.id(&["Sync", "a:b.txt"]));
}

#[test]
fn a_very_deep_tree_is_a_tree_and_no_damage() {
    const DEPTH: usize = 1_200;
    let pocket = Pocket::new();
    let names = vec!["d"; DEPTH].join("/");
    std::thread::scope(|scope| {
        // A phone's threads have small stacks.
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        let index = small.spawn_scoped(scope, || pocket.index(vec![t(&names, "f", 1)]));
        assert_eq!(index.unwrap().join().unwrap().counts.added, 1_201);
    });
    let mut path = vec!["Sync"];
    path.extend(names.split('/'));
    path.push("f");
    let id = pocket.id(&path);
    assert_eq!(pocket.catalog.path_of(&id).unwrap().len(), DEPTH + 2);
    assert_eq!(pocket.store().catalog.generation().unwrap(), 1);
    let pocket = pocket.rebuilt();
    pocket.index(vec![t(&names, "f", 1)]);
    // Further from what is known than is looked for: not known, and nothing is replaced.
    assert_eq!(pocket.catalog.item(&id).unwrap(), Lookup::Unknown);
    assert_eq!(pocket.store().catalog.generation().unwrap(), 2);
    assert_eq!(pocket.id(&path), id);
}
