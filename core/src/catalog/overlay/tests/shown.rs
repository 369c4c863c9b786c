//! What an app sees while something is wanted, and when nothing is any more.

use super::*;

#[test]
fn a_wanted_place_shows_at_once_and_no_listing_takes_it_back() {
    let pocket = pocket();
    let (a, b) = (pocket.id(&["Sync", "A", "a"]), pocket.id(&["Sync", "B"]));
    let anchor = pocket.catalog.current_anchor().unwrap();
    want(&pocket, &a, |row| row.place = place(&b, "new"));
    let moved = pocket.find(&["Sync", "B", "new"]).unwrap();
    assert_eq!((&moved.id, moved.pending), (&a, true));
    assert_eq!(pocket.find(&["Sync", "A", "a"]), None);
    let changes = pocket.catalog.changes(&anchor, 10).unwrap();
    assert_eq!((changes.updated, changes.deleted), (vec![moved], vec![]));
    // The service has it where it was, in both kinds of listing.
    pocket.list(&["Sync", "A"], vec![f("a", 1, 1), f("b", 2, 2), d("In")]);
    pocket.list(&["Sync", "B"], vec![]);
    pocket.index(vec![
        t("A", "a", 1),
        t("A", "b", 2),
        t("A/In", "c", 3),
        td("B"),
    ]);
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "b"]);
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["new"]);
    let theirs = pocket.catalog.theirs(&bytes(&a)).unwrap().unwrap();
    assert_eq!(theirs.path.segments(), ["Jotta", "Sync", "A", "a"]);
    // New content on the service shows at the wanted place.
    pocket.list(&["Sync", "A"], vec![f("a", 1, 8), f("b", 2, 2), d("In")]);
    assert_eq!(pocket.find(&["Sync", "B", "new"]).unwrap().size, Some(80));
    want_nothing(&pocket, &a);
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "a", "b"]);
    let back = pocket.find(&["Sync", "A", "a"]).unwrap();
    assert_eq!((back.id, back.size, back.pending), (a, Some(80), false));
}

#[test]
fn a_wanted_content_stays_on_top_of_what_the_service_gets() {
    let pocket = pocket();
    let a = pocket.id(&["Sync", "A", "a"]);
    want(&pocket, &a, |row| row.content = content(5));
    let ours = pocket.find(&["Sync", "A", "a"]).unwrap();
    assert_eq!((ours.size, ours.modified_ms), (Some(77), Some(2_000)));
    assert_eq!(ours.local, LocalCopy::Whole);
    pocket.list(&["Sync", "A"], vec![f("a", 1, 8), f("b", 2, 2), d("In")]);
    let still = pocket.find(&["Sync", "A", "a"]).unwrap();
    assert_eq!(still.content_version, ours.content_version);
    let theirs = pocket.catalog.theirs(&bytes(&a)).unwrap().unwrap();
    assert_eq!((theirs.size, theirs.revision), (Some(80), Some(1)));
    want_nothing(&pocket, &a);
    let theirs = pocket.find(&["Sync", "A", "a"]).unwrap();
    assert_eq!((theirs.size, theirs.local), (Some(80), LocalCopy::Absent));
}

#[test]
fn another_spelling_or_a_move_on_the_service_is_still_the_item_that_something_is_wanted_of() {
    let pocket = pocket();
    let a = pocket.id(&["Sync", "A", "a"]);
    want(&pocket, &a, |row| row.content = content(5));
    pocket.list(
        &["Sync", "A"],
        vec![f("renamed", 1, 1), f("b", 2, 2), d("In")],
    );
    assert_eq!(pocket.id(&["Sync", "A", "renamed"]), a);
    // Listed at its new place before the old one was.
    pocket.list(&["Sync", "B"], vec![f("moved", 1, 1)]);
    let moved = pocket.find(&["Sync", "B", "moved"]).unwrap();
    assert_eq!((moved.id, moved.size), (a.clone(), Some(77)));
    pocket.list(&["Sync", "A"], vec![f("b", 2, 2), d("In")]);
    assert_eq!(pocket.id(&["Sync", "B", "moved"]), a);
}

#[test]
fn what_is_wanted_in_the_trash_is_there_with_all_in_it_and_a_listing_brings_nothing_back() {
    let pocket = pocket();
    let [folder, a, c] = [
        &["Sync", "A"][..],
        &["Sync", "A", "a"],
        &["Sync", "A", "In", "c"],
    ]
    .map(|names| pocket.id(names));
    let before = pocket.catalog.counts().unwrap();
    want(&pocket, &folder, |row| row.fate = Some(Fate::Trash));
    assert_eq!(shown(&pocket, &["Sync"]), ["B"]);
    assert_eq!(shown(&pocket, &["Trash"]), ["A"]);
    let trashed = pocket.find(&["Trash", "A"]).unwrap();
    assert_eq!(trashed.deleted_ms, Some(1_800_000_000_000));
    for id in [&folder, &a, &c] {
        let Lookup::Found(item) = pocket.catalog.item(id).unwrap() else {
            panic!("gone");
        };
        assert_eq!(item.space, Space::Trash);
    }
    // The service still has the folder, and tells what is new in it.
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    let scope_names = ["Trash", "A"];
    pocket.index(vec![
        t("A", "a", 1),
        t("A", "b", 2),
        t("A", "fresh", 6),
        t("A/In", "c", 3),
        td("B"),
    ]);
    assert_eq!(shown(&pocket, &["Sync"]), ["B"]);
    assert_eq!(shown(&pocket, &scope_names), ["In", "a", "b", "fresh"]);
    want_nothing(&pocket, &folder);
    assert_eq!(shown(&pocket, &["Sync"]), ["A", "B"]);
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "a", "b", "fresh"]);
    assert_eq!(shown(&pocket, &["Trash"]), Vec::<String>::new());
    let after = pocket.catalog.counts().unwrap();
    assert_eq!(after[0], before[0] + 1);
    assert_eq!(after[3], before[3]);
}

#[test]
fn what_is_new_here_stays_whatever_is_listed_and_becomes_what_the_service_makes_of_it() {
    let pocket = pocket();
    let b = pocket.id(&["Sync", "B"]);
    let folder = new(&pocket, &b, "N", 2);
    let inside = new(&pocket, &folder, "x", 3);
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "B"], vec![]);
    pocket.index(vec![
        t("A", "a", 1),
        t("A", "b", 2),
        t("A/In", "c", 3),
        td("B"),
    ]);
    assert_eq!(pocket.id(&["Sync", "B", "N", "x"]), inside);
    assert_eq!(pocket.catalog.theirs(&bytes(&folder)).unwrap(), None);
    // A listing is faster than our own answer.
    pocket.list(&["Sync", "B"], vec![d("N")]);
    let answer = Answered::Folder {
        parent: bytes(&b),
        name: "N".into(),
    };
    pocket
        .catalog
        .note_answer(&bytes(&folder), &answer)
        .unwrap();
    want_nothing(&pocket, &folder);
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["N"]);
    assert_eq!(pocket.id(&["Sync", "B", "N", "x"]), inside);
    let made = file("x", 7, 9);
    pocket.list(&["Sync", "B", "N"], vec![f("x", 7, 9)]);
    let answer = Answered::File {
        parent: bytes(&folder),
        file: made,
    };
    pocket
        .catalog
        .note_answer(&bytes(&inside), &answer)
        .unwrap();
    want_nothing(&pocket, &inside);
    let x = pocket.find(&["Sync", "B", "N", "x"]).unwrap();
    assert_eq!((x.id, x.size, x.pending), (inside, Some(90), false));
    assert_eq!(shown(&pocket, &["Sync", "B", "N"]), ["x"]);
    assert_eq!(pocket.catalog.counts().unwrap()[0], 8);
}

#[test]
fn what_the_service_loses_stays_while_something_is_wanted_of_it() {
    let pocket = pocket();
    let [a, folder] = [&["Sync", "A", "a"][..], &["Sync", "A"]].map(|names| pocket.id(names));
    want(&pocket, &a, |row| row.content = content(5));
    pocket.list(&["Sync", "A"], vec![f("b", 2, 2), d("In")]);
    assert_eq!(pocket.find(&["Sync", "A", "a"]).unwrap().size, Some(77));
    assert_eq!(pocket.catalog.theirs(&bytes(&a)).unwrap(), None);
    pocket.list(&["Sync"], vec![d("B")]);
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["a"]);
    assert_eq!(pocket.id(&["Sync", "A"]), folder);
    want_nothing(&pocket, &a);
    assert_eq!(shown(&pocket, &["Sync"]), ["B"]);
    assert_eq!(pocket.catalog.item(&a).unwrap(), Lookup::Gone);
    assert_eq!(pocket.catalog.item(&folder).unwrap(), Lookup::Gone);
}

#[test]
fn what_is_moved_out_of_a_folder_that_the_service_loses_is_lost_there_and_shown_here() {
    let pocket = pocket();
    let [a, b] = [&["Sync", "A", "a"][..], &["Sync", "B"]].map(|names| pocket.id(names));
    want(&pocket, &a, |row| row.place = place(&b, "a"));
    pocket.list(&["Sync"], vec![d("B")]);
    assert_eq!(shown(&pocket, &["Sync"]), ["B"]);
    assert_eq!(pocket.id(&["Sync", "B", "a"]), a);
    assert_eq!(pocket.catalog.theirs(&bytes(&a)).unwrap(), None);
    // And what is moved into a folder that is lost is not lost with it.
    let pocket = self::pocket();
    let [b, inside] = [&["Sync", "B"][..], &["Sync", "A", "In"]].map(|names| pocket.id(names));
    let b_file = new(&pocket, &b, "kept", 3);
    want(&pocket, &b, |row| row.place = place(&inside, "B"));
    pocket.list(&["Sync"], vec![d("B")]);
    assert_eq!(pocket.id(&["Sync", "A", "In", "B", "kept"]), b_file);
    let theirs = pocket.catalog.their_path(&bytes(&b)).unwrap().unwrap();
    assert_eq!(theirs.segments(), ["Jotta", "Sync", "B"]);
}

#[test]
fn a_new_catalogue_shows_what_is_wanted_with_the_same_ids_before_anything_is_listed() {
    let pocket = pocket();
    let [a, b, b_folder] = [&["Sync", "A", "a"][..], &["Sync", "A", "b"], &["Sync", "B"]]
        .map(|names| pocket.id(names));
    let folder = new(&pocket, &b_folder, "N", 2);
    let inside = new(&pocket, &folder, "x", 3);
    want(&pocket, &a, |row| row.place = place(&folder, "moved"));
    want(&pocket, &b, |row| row.content = content(5));
    let pocket = pocket.rebuilt();
    assert_eq!(pocket.id(&["Sync", "B", "N", "x"]), inside);
    assert_eq!(pocket.id(&["Sync", "B", "N", "moved"]), a);
    assert_eq!(pocket.find(&["Sync", "A", "b"]).unwrap().size, Some(77));
    let theirs = pocket.catalog.theirs(&bytes(&b)).unwrap().unwrap();
    assert_eq!((theirs.size, theirs.uuid), (Some(20), Some([2; 16])));
    // What is listed then is the same items.
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("a", 1, 1), f("b", 2, 2), d("In")]);
    pocket.list(&["Sync", "B"], vec![]);
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "b"]);
    assert_eq!(pocket.id(&["Sync", "A", "b"]), b);
    assert_eq!(pocket.id(&["Sync", "B"]), b_folder);
    assert_eq!(shown(&pocket, &["Sync", "B", "N"]), ["moved", "x"]);
}

#[test]
fn another_process_sees_what_is_wanted_and_what_is_not_any_more() {
    let pocket = pocket();
    let [a, b] = [&["Sync", "A", "a"][..], &["Sync", "B"]].map(|names| pocket.id(names));
    let twin = pocket.twin();
    let anchor = twin.current_anchor().unwrap();
    // A kill between the journal and the catalogue.
    let row = EditRow {
        place: place(&b, "moved"),
        base: Some(Base {
            parent: bytes(&pocket.id(&["Sync", "A"])),
            name: "a".into(),
            ..Base::default()
        }),
        ..EditRow::of(bytes(&a), 3, 1)
    };
    pocket.store().outbox(|outbox| outbox.put(&row)).unwrap();
    let changes = twin.working_set_changes(&anchor, 10).unwrap();
    assert_eq!(changes.updated[0].name, "moved");
    let nothing = EditRow::of(bytes(&a), 3, 1);
    pocket
        .store()
        .outbox(|outbox| outbox.put(&nothing))
        .unwrap();
    let changes = twin.working_set_changes(&changes.anchor, 10).unwrap();
    assert_eq!(changes.updated[0].name, "a");
    assert!(!changes.updated[0].pending);
}

#[test]
fn what_is_to_be_purged_is_seen_by_nobody() {
    let pocket = pocket();
    let old = trashed(file("t", 9, 4), &["Jotta", "Sync"], 5_000);
    pocket.list(&["Trash"], vec![old.clone()]);
    let item = pocket.id(&["Trash", "t"]);
    let anchor = pocket.catalog.current_anchor().unwrap();
    want(&pocket, &item, |row| row.fate = Some(Fate::Purge));
    assert_eq!(shown(&pocket, &["Trash"]), Vec::<String>::new());
    assert_eq!(pocket.catalog.item(&item).unwrap(), Lookup::Gone);
    let changes = pocket.catalog.changes(&anchor, 10).unwrap();
    assert_eq!(changes.deleted, std::slice::from_ref(&item));
    pocket.list(&["Trash"], vec![old]);
    assert_eq!(shown(&pocket, &["Trash"]), Vec::<String>::new());
    want_nothing(&pocket, &item);
    assert_eq!(pocket.id(&["Trash", "t"]), item);
    want(&pocket, &item, |row| row.fate = Some(Fate::Purge));
    pocket
        .catalog
        .note_answer(&bytes(&item), &Answered::Gone)
        .unwrap();
    want_nothing(&pocket, &item);
    assert_eq!(pocket.catalog.item(&item).unwrap(), Lookup::Gone);
}

#[test]
fn what_is_to_come_back_shows_where_it_was_and_is_not_in_the_trash() {
    let pocket = pocket();
    let old = trashed(file("t", 9, 4), &["Jotta", "Sync", "B"], 5_000);
    let lost = trashed(file("u", 8, 4), &["Jotta", "Sync", "Nowhere"], 5_000);
    pocket.list(&["Trash"], vec![old.clone(), lost.clone()]);
    for (name, place) in [
        ("t", &["Sync", "B", "t"][..]),
        ("u", &["Sync", "Nowhere", "u"]),
    ] {
        let item = pocket.id(&["Trash", name]);
        want(&pocket, &item, |row| row.fate = Some(Fate::Restore));
        assert_eq!(pocket.id(place), item);
    }
    pocket.list(&["Trash"], vec![old, lost]);
    pocket.list(&["Sync", "B"], vec![]);
    assert_eq!(shown(&pocket, &["Trash"]), Vec::<String>::new());
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["t"]);
}

#[test]
fn what_is_to_come_back_names_its_folder_also_if_nobody_has_ever_seen_that() {
    let pocket = pocket();
    let old = [("t", "B"), ("u", "Nowhere")].map(|(name, folder)| {
        let origin = ["Jotta", "Sync", folder];
        trashed(file(name, 8, 4), &origin, 5_000)
    });
    pocket.list(&["Trash"], old.to_vec());
    for (name, folder) in [("t", "B"), ("u", "Nowhere")] {
        let item = pocket.id(&["Trash", name]);
        want(&pocket, &item, |row| row.fate = Some(Fate::Restore));
        let Lookup::Found(item) = pocket.catalog.item(&item).unwrap() else {
            panic!("{name} is not there");
        };
        assert_eq!(item.parent, pocket.id(&["Sync", folder]), "{name}");
    }
}

#[test]
fn what_is_to_come_back_into_a_folder_that_is_not_there_brings_the_folder_along() {
    let pocket = pocket();
    let old = trashed(
        file("u", 8, 4),
        &["Jotta", "Sync", "B", "Gone", "Deep"],
        5_000,
    );
    pocket.list(&["Trash"], vec![old.clone()]);
    let item = pocket.id(&["Trash", "u"]);
    let before = pocket.catalog.counts().unwrap();
    want(&pocket, &item, |row| row.fate = Some(Fate::Restore));
    assert_eq!(pocket.id(&["Sync", "B", "Gone", "Deep", "u"]), item);
    let gone = pocket.id(&["Sync", "B", "Gone"]);
    // A listing without the folder does not take it away, and giving up does.
    pocket.list(&["Sync", "B"], vec![]);
    want_nothing(&pocket, &item);
    assert_eq!(shown(&pocket, &["Sync", "B"]), Vec::<String>::new());
    assert_eq!(pocket.catalog.item(&gone).unwrap(), Lookup::Gone);
    assert_eq!(pocket.id(&["Trash", "u"]), item);
    assert_eq!(pocket.catalog.counts().unwrap(), before);
    // The service makes the folders with it, and they are the ones that were shown.
    want(&pocket, &item, |row| row.fate = Some(Fate::Restore));
    let [gone, deep] =
        [&["Sync", "B", "Gone"][..], &["Sync", "B", "Gone", "Deep"]].map(|names| pocket.id(names));
    pocket.list(&["Sync", "B"], vec![d("Gone")]);
    assert_eq!(pocket.id(&["Sync", "B", "Gone"]), gone);
    let answer = Answered::File {
        parent: bytes(&deep),
        file: file("u", 8, 4),
    };
    pocket.catalog.note_answer(&bytes(&item), &answer).unwrap();
    want_nothing(&pocket, &item);
    let path = pocket.catalog.their_path(&bytes(&deep)).unwrap().unwrap();
    assert_eq!(path.segments(), ["Jotta", "Sync", "B", "Gone", "Deep"]);
    pocket.list(&["Sync", "B", "Gone"], vec![d("Deep")]);
    pocket.list(&["Sync", "B", "Gone", "Deep"], vec![f("u", 8, 4)]);
    assert_eq!(pocket.id(&["Sync", "B", "Gone", "Deep"]), deep);
    assert_eq!(pocket.id(&["Sync", "B", "Gone", "Deep", "u"]), item);
    pocket.list(&["Sync", "B"], vec![]);
    assert_eq!(pocket.catalog.item(&item).unwrap(), Lookup::Gone);
}

#[test]
fn the_answer_of_the_service_is_its_side_and_what_is_wanted_stays_on_top() {
    let pocket = pocket();
    let [a, b, sync_a] =
        [&["Sync", "A", "a"][..], &["Sync", "B"], &["Sync", "A"]].map(|names| pocket.id(names));
    want(&pocket, &a, |row| {
        row.place = place(&b, "new");
        row.content = content(5);
    });
    let mut answer = file("new", 1, 1);
    let parent = bytes(&b);
    pocket
        .catalog
        .note_answer(
            &bytes(&a),
            &Answered::File {
                parent,
                file: answer.clone(),
            },
        )
        .unwrap();
    want(&pocket, &a, |row| row.place = None);
    let moved = pocket.find(&["Sync", "B", "new"]).unwrap();
    assert_eq!((&moved.id, moved.size, moved.pending), (&a, Some(77), true));
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "b"]);
    // Once nothing is wanted, an answer is simply what there is.
    if let Some(current) = &mut answer.current {
        (current.size, current.md5) = (77, [5; 16]);
    }
    pocket
        .catalog
        .note_answer(
            &bytes(&a),
            &Answered::File {
                parent,
                file: answer,
            },
        )
        .unwrap();
    want_nothing(&pocket, &a);
    assert_eq!(pocket.find(&["Sync", "B", "new"]).unwrap().size, Some(77));
    let trashed = Answered::Trashed { deleted_ms: 9_500 };
    pocket
        .catalog
        .note_answer(&bytes(&sync_a), &trashed)
        .unwrap();
    let folder = pocket.find(&["Trash", "A"]).unwrap();
    assert_eq!((folder.id, folder.deleted_ms), (sync_a, Some(9_000)));
    assert_eq!(shown(&pocket, &["Trash", "A"]), ["In", "b"]);
}

#[test]
fn names_that_differ_by_case_or_normalisation_have_one_holder() {
    let pocket = pocket();
    let [folder, b, inside] = [
        &["Sync", "A"][..],
        &["Sync", "A", "b"],
        &["Sync", "A", "In"],
    ]
    .map(|names| pocket.id(names));
    let of = bytes(&folder);
    let holder =
        |name: &str, but: Option<&Id>| pocket.catalog.holder_of_name(&of, name, but).unwrap();
    assert_eq!(holder("B", None), Some(b.clone()));
    assert_eq!(holder("B", Some(&bytes(&b))), None);
    assert_eq!(holder("iN", None), Some(inside.clone()));
    want(&pocket, &b, |row| row.place = place(&folder, "Bl\u{e5}"));
    assert_eq!(holder("b", None), None);
    assert_eq!(holder("bla\u{30a}", None), Some(b.clone()));
    let theirs = |name: &str| {
        pocket
            .catalog
            .their_holder_of_name(&of, name, None)
            .unwrap()
    };
    assert_eq!(theirs("b"), Some(b));
    assert_eq!(theirs("bl\u{e5}"), None);
    pocket.catalog.merge_into(&bytes(&inside), &of).unwrap();
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["a", "Bl\u{e5}", "c"]);
    assert_eq!(pocket.catalog.item(&inside).unwrap(), Lookup::Gone);
}

#[test]
fn a_folder_that_is_gone_for_ever_goes_with_all_that_was_in_it() {
    for wished in [false, true] {
        let pocket = pocket();
        let [folder, c] =
            [&["Sync", "A"][..], &["Sync", "A", "In", "c"]].map(|names| pocket.id(names));
        if wished {
            want(&pocket, &folder, |row| row.fate = Some(Fate::Trash));
        }
        pocket
            .catalog
            .note_answer(&bytes(&folder), &Answered::Gone)
            .unwrap();
        want_nothing(&pocket, &folder);
        for id in [&folder, &c] {
            assert_eq!(pocket.catalog.item(id).unwrap(), Lookup::Gone, "{wished}");
        }
        let counts = pocket.catalog.counts().unwrap();
        assert_eq!((counts[0], counts[3]), (1, 0), "{wished}");
    }
}
