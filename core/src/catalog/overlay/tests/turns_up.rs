//! What was only here turns up: in a listing before our answer, in another process's journal, in a new catalogue.

use super::*;

#[test]
fn a_listing_that_is_faster_than_our_answer_shows_one_item_with_the_id_that_it_has_here() {
    for index in [false, true] {
        let pocket = pocket();
        let b = pocket.id(&["Sync", "B"]);
        let folder = new(&pocket, &b, "N", 2);
        let inside = new(&pocket, &folder, "x", 3);
        let anchor = pocket.catalog.current_anchor().unwrap();
        let mut made = file("x", 7, 9);
        if let Some(current) = &mut made.current {
            (current.md5, current.size) = ([9; 16], 77);
        }
        if index {
            let mut plain = made.clone();
            plain.uuid = None;
            pocket.index(vec![
                t("A", "a", 1),
                t("A", "b", 2),
                t("A/In", "c", 3),
                TreeEntry::File {
                    folder: vec!["B".into(), "N".into()],
                    file: plain,
                },
            ]);
        } else {
            pocket.list(&["Sync", "B"], vec![d("N")]);
            pocket.list(&["Sync", "B", "N"], vec![Entry::File(made.clone())]);
        }
        assert_eq!(shown(&pocket, &["Sync", "B"]), ["N"], "{index}");
        assert_eq!(shown(&pocket, &["Sync", "B", "N"]), ["x"], "{index}");
        assert_eq!(pocket.id(&["Sync", "B", "N", "x"]), inside);
        let answer = Answered::Folder {
            parent: bytes(&b),
            name: "N".into(),
        };
        pocket
            .catalog
            .note_answer(&bytes(&folder), &answer)
            .unwrap();
        want_nothing(&pocket, &folder);
        let answer = Answered::File {
            parent: bytes(&folder),
            file: made,
        };
        pocket
            .catalog
            .note_answer(&bytes(&inside), &answer)
            .unwrap();
        want_nothing(&pocket, &inside);
        let changes = pocket.catalog.changes(&anchor, 50).unwrap();
        assert_eq!(changes.deleted, [], "{index}");
        assert_eq!(pocket.id(&["Sync", "B", "N"]), folder);
        assert_eq!(pocket.id(&["Sync", "B", "N", "x"]), inside);
        assert_eq!(pocket.catalog.counts().unwrap()[0], 8);
    }
}

#[test]
fn another_content_under_a_wanted_name_is_another_file_unless_we_have_sent_it() {
    let pocket = pocket();
    let b = pocket.id(&["Sync", "B"]);
    let ours = new(&pocket, &b, "x", 3);
    pocket.list(&["Sync", "B"], vec![f("x", 7, 4)]);
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["x", "x"]);
    assert_eq!(pocket.catalog.theirs(&bytes(&ours)).unwrap(), None);
    // A content that was sent, and something newer is wanted since.
    let ours = new(&pocket, &b, "y", 3);
    let mut sent = file("y", 6, 4);
    let md5 = sent.current.as_ref().unwrap().md5;
    let store = pocket.store();
    store
        .outbox(|outbox| outbox.add_sent(&bytes(&ours), &md5))
        .unwrap();
    let asked = EditRow {
        marker: Some("{}".into()),
        ..store.edit(&bytes(&ours)).unwrap().unwrap()
    };
    store.outbox(|outbox| outbox.put_progress(&asked)).unwrap();
    pocket.list(&["Sync", "B"], vec![f("x", 7, 4), f("y", 6, 4)]);
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["x", "x", "y"]);
    assert_eq!(pocket.find(&["Sync", "B", "y"]).unwrap().size, Some(77));
    // It is made under another name after all: then the service has both.
    want(&pocket, &ours, |row| row.place = place(&b, "z"));
    (sent.name, sent.uuid) = ("z".into(), Some([5; 16]));
    let answer = Answered::File {
        parent: bytes(&b),
        file: sent,
    };
    pocket.catalog.note_answer(&bytes(&ours), &answer).unwrap();
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["x", "x", "y", "z"]);
    assert_eq!(pocket.id(&["Sync", "B", "z"]), ours);
}

#[test]
fn a_copy_is_not_what_is_equal_beside_it() {
    let pocket = pocket();
    let b = pocket.id(&["Sync", "B"]);
    let source = bytes(&pocket.id(&["Sync", "A", "a"]));
    let copy = new(&pocket, &b, "x", 3);
    want(&pocket, &copy, |row| row.copy_of = Some(source));
    let mut equal = file("x", 7, 9);
    if let Some(current) = &mut equal.current {
        (current.md5, current.size) = ([9; 16], 77);
    }
    pocket.list(&["Sync", "B"], vec![Entry::File(equal)]);
    assert_eq!(shown(&pocket, &["Sync", "B"]), ["x", "x"]);
}

#[test]
fn a_folder_that_was_kept_and_is_made_again_by_somebody_is_one_folder() {
    let pocket = pocket();
    let [a, folder] = [&["Sync", "A", "a"][..], &["Sync", "A"]].map(|names| pocket.id(names));
    want(&pocket, &a, |row| row.content = content(5));
    pocket.list(&["Sync"], vec![d("B")]);
    assert_eq!(shown(&pocket, &["Sync"]), ["A", "B"]);
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    assert_eq!(shown(&pocket, &["Sync"]), ["A", "B"]);
    assert_eq!(pocket.id(&["Sync", "A"]), folder);
    want_nothing(&pocket, &a);
    assert_eq!(pocket.id(&["Sync", "A"]), folder);
    assert_eq!(pocket.catalog.item(&a).unwrap(), Lookup::Gone);
}

#[test]
fn a_change_elsewhere_is_not_missed_because_as_many_rows_are_settled_here() {
    let pocket = pocket();
    let [a, b, c] = [
        &["Sync", "A", "a"][..],
        &["Sync", "A", "b"],
        &["Sync", "A", "In", "c"],
    ]
    .map(|names| pocket.id(names));
    let row = |id: &ItemId| EditRow {
        content: content(5),
        base: Some(Base {
            parent: bytes(&pocket.id(&["Sync", "A"])),
            name: "a".into(),
            ..Base::default()
        }),
        ..EditRow::of(bytes(id), 3, 1)
    };
    let pending = |id: &ItemId| match pocket.catalog.item(id).unwrap() {
        Lookup::Found(item) => item.pending,
        _ => panic!("not there"),
    };
    let store = pocket.store();
    // Another process wants something of one, this one settles another that has not changed.
    store.outbox(|outbox| outbox.put(&row(&a))).unwrap();
    pocket.catalog.settle_edits(&[bytes(&b)]).unwrap();
    assert!(pending(&a));
    // And one is dropped there.
    let nothing = EditRow::of(bytes(&a), 3, 1);
    store.outbox(|outbox| outbox.put(&nothing)).unwrap();
    pocket.catalog.settle_edits(&[bytes(&b)]).unwrap();
    assert!(!pending(&a));
    // One is dropped there while another is wanted there, and one here.
    store.outbox(|outbox| outbox.put(&row(&a))).unwrap();
    pocket.catalog.settle_edits(&[bytes(&a)]).unwrap();
    store.outbox(|outbox| outbox.put(&nothing)).unwrap();
    store.outbox(|outbox| outbox.put(&row(&b))).unwrap();
    store.outbox(|outbox| outbox.put(&row(&c))).unwrap();
    pocket
        .catalog
        .settle_edits(&[bytes(&c), bytes(&b), bytes(&b)])
        .unwrap();
    assert_eq!([&a, &b, &c].map(pending), [false, true, true]);
}

#[test]
fn a_new_catalogue_knows_where_what_is_to_leave_or_to_enter_the_trash_was() {
    let pocket = pocket();
    let old = |name: &str, uuid: u8| trashed(file(name, uuid, 4), &["Jotta", "Sync", "B"], 5_000);
    let folder = trashed_folder("F", &["Jotta", "Sync", "B"], 6_000);
    let all = vec![old("t", 9), old("u", 8), folder];
    pocket.list(&["Trash"], all.clone());
    let ids = [
        &["Trash", "t"][..],
        &["Trash", "u"],
        &["Trash", "F"],
        &["Sync", "A", "a"],
    ]
    .map(|names| pocket.id(names));
    let [t, u, folder, a] = ids.clone();
    want(&pocket, &t, |row| row.fate = Some(Fate::Restore));
    want(&pocket, &u, |row| row.fate = Some(Fate::Purge));
    want(&pocket, &folder, |row| row.fate = Some(Fate::Restore));
    want(&pocket, &a, |row| row.fate = Some(Fate::Trash));
    let before = ids
        .clone()
        .map(|id| pocket.catalog.their_path(&bytes(&id)).unwrap());
    let pocket = pocket.rebuilt();
    let after = ids
        .clone()
        .map(|id| pocket.catalog.their_path(&bytes(&id)).unwrap());
    assert_eq!(after, before);
    assert_eq!(pocket.id(&["Sync", "B", "t"]), t);
    assert_eq!(pocket.id(&["Sync", "B", "F"]), folder);
    let trashed = pocket.find(&["Trash", "a"]).unwrap();
    assert_eq!(
        (&trashed.id, trashed.deleted_ms),
        (&a, Some(1_800_000_000_000))
    );
    let may = |action| trashed.capabilities.iter().any(|can| can.action == action);
    assert!(may(Action::Restore));
    assert_eq!(pocket.catalog.item(&u).unwrap(), Lookup::Gone);
    let theirs = pocket.catalog.theirs(&bytes(&folder)).unwrap().unwrap();
    assert_eq!(theirs.deleted_ms, Some(6_000));
    // The listings that follow are of the same items.
    pocket.list(&["Trash"], all);
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "B"], vec![]);
    for id in [&t, &u, &folder] {
        want_nothing(&pocket, id);
    }
    assert_eq!(shown(&pocket, &["Trash"]), ["F", "a", "t", "u"]);
    assert_eq!(
        [pocket.id(&["Trash", "t"]), pocket.id(&["Trash", "F"])],
        [t, folder]
    );
}

#[test]
fn what_was_lost_in_one_folder_and_turns_up_in_another_is_still_the_item_that_something_is_wanted_of()
 {
    let pocket = pocket();
    let a = pocket.id(&["Sync", "A", "a"]);
    want(&pocket, &a, |row| row.content = content(5));
    // Its old folder is listed first.
    pocket.list(&["Sync", "A"], vec![f("b", 2, 2), d("In")]);
    assert_eq!(pocket.catalog.theirs(&bytes(&a)).unwrap(), None);
    pocket.list(&["Sync", "B"], vec![f("moved", 1, 1)]);
    let theirs = pocket.catalog.theirs(&bytes(&a)).unwrap().unwrap();
    assert_eq!(theirs.path.segments(), ["Jotta", "Sync", "B", "moved"]);
    let moved = pocket.find(&["Sync", "B", "moved"]).unwrap();
    assert_eq!((moved.id, moved.size), (a.clone(), Some(77)));
    assert_eq!(shown(&pocket, &["Sync", "A"]), ["In", "b"]);
    // And into the trash.
    pocket.list(&["Sync", "B"], vec![]);
    let old = trashed(file("moved", 1, 1), &["Jotta", "Sync", "B"], 5_000);
    pocket.list(&["Trash"], vec![old]);
    let theirs = pocket.catalog.theirs(&bytes(&a)).unwrap().unwrap();
    assert_eq!(theirs.deleted_ms, Some(5_000));
    want_nothing(&pocket, &a);
    assert_eq!(pocket.id(&["Trash", "moved"]), a);
}

#[test]
fn a_new_catalogue_shows_what_is_wanted_even_where_the_service_had_lost_it() {
    let pocket = pocket();
    let [a, b, c, folder] = [
        &["Sync", "A", "a"][..],
        &["Sync", "A", "b"],
        &["Sync", "A", "In", "c"],
        &["Sync", "B"],
    ]
    .map(|names| pocket.id(names));
    // Lost, and wanted only then: the wish has no base.
    want(&pocket, &a, |row| row.link = Some(true));
    pocket.list(&["Sync", "A"], vec![f("b", 2, 2), d("In")]);
    want(&pocket, &a, |row| {
        row.base = None;
        row.content = content(5);
    });
    want(&pocket, &b, |row| row.place = place(&folder, "b"));
    want(&pocket, &c, |row| row.content = content(6));
    let pocket = pocket.rebuilt();
    for id in [&a, &b, &c] {
        let Lookup::Found(item) = pocket.catalog.item(id).unwrap() else {
            panic!("a wish that nobody sees");
        };
        assert!(item.pending);
    }
    // The folder that it was in is known no more.
    let inside = bytes(&pocket.id(&["Sync", "A", "In"]));
    pocket.store().forget(&[inside]).unwrap();
    let pocket = pocket.rebuilt();
    let Lookup::Found(item) = pocket.catalog.item(&c).unwrap() else {
        panic!("a wish that nobody sees");
    };
    assert_eq!((item.size, item.name.as_str()), (Some(77), "c"));
}

#[test]
fn a_new_catalogue_has_in_view_what_it_makes_for_a_wish_in_a_folder_that_the_system_holds() {
    let pocket = pocket();
    let [held, folder, c] = [
        &["Sync", "A"][..],
        &["Sync", "A", "In"],
        &["Sync", "A", "In", "c"],
    ]
    .map(|names| pocket.id(names));
    let epoch = pocket.catalog.begin_held().unwrap();
    pocket
        .catalog
        .add_held(epoch, std::slice::from_ref(&held))
        .unwrap();
    pocket.catalog.commit_held(epoch).unwrap();
    want(&pocket, &c, |row| row.content = content(5));
    let pocket = pocket.rebuilt();
    let view = pocket.catalog.working_set(None, 10).unwrap();
    let ids: Vec<_> = view.items.into_iter().map(|item| item.id).collect();
    for id in [&held, &folder, &c] {
        assert!(ids.contains(id), "{ids:?}");
    }
}
