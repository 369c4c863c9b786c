//! What a person does, offline and then sent.
use crate::{Phone, files};
use lomme::catalog::{Lookup, Space};
use lomme::content::Purpose;
use lomme::edits::{Hold, Outcome, WriteMode};
use lomme::{CancelToken, Error};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_offline_shows_at_once_and_reaches_the_service_in_one_run() {
    let phone = Phone::new(&[
        ("Sync/Docs/a.txt", "a"),
        ("Sync/Docs/b.txt", "b"),
        ("Sync/Old/c", "c"),
    ])
    .await;
    let edits = phone.drive().edits();
    let docs = phone.item("Sync/Docs").id;
    let folder = edits.create_folder(&docs, "New", None).unwrap();
    let moved = edits
        .move_to(
            &phone.item("Sync/Docs/a.txt").id,
            &folder.id,
            Some("moved.txt"),
            None,
        )
        .unwrap();
    let made = phone.create("Sync/Docs/New", "made.txt", "made here");
    phone.edit("Sync/Docs/b.txt", "b edited");
    phone.edit("Sync/Docs/b.txt", "b edited again");
    phone.trash("Sync/Old");
    assert_eq!(phone.item("Sync/Docs/New/moved.txt").id, moved.id);
    assert!(phone.item("Sync/Docs/New/made.txt").pending);
    assert_eq!(edits.outbox().unwrap().len(), 5);
    let before = phone.server("Sync");
    assert_eq!(before.len(), 3);
    phone.push_all().await;
    let expected = files(&[
        ("Docs/New/moved.txt", "a"),
        ("Docs/New/made.txt", "made here"),
        ("Docs/b.txt", "b edited again"),
    ]);
    assert_eq!(phone.server("Sync"), expected);
    phone.agrees().await;
    assert_eq!(phone.item("Sync/Docs/New/made.txt").id, made.id);
    assert_eq!(phone.item("Sync/Docs/New/moved.txt").id, moved.id);
    assert_eq!(phone.item("Trash/Old").space, Space::Trash);
    assert_eq!(edits.conflicts(false).unwrap(), []);
    // Ten saves are one upload: one older version.
    let cancel = CancelToken::new();
    let versions = edits
        .versions(&phone.item("Sync/Docs/b.txt").id, &cancel)
        .await
        .unwrap();
    assert_eq!(versions.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_settled_with_what_must_come_before_it() {
    let phone = Phone::new(&[("Sync/a", "a")]).await;
    let edits = phone.drive().edits();
    let folder = edits.create_folder(&Space::Sync.root(), "F", None).unwrap();
    let file = phone.create("Sync/F", "x", "content");
    phone.rename("Sync/a", "b");
    let cancel = CancelToken::new();
    let settled = edits.settle(&file.id, None, &cancel).await.unwrap();
    assert_eq!(settled.outcome, Outcome::Done);
    assert!(!settled.item.unwrap().pending);
    assert_eq!(
        phone.server("Sync"),
        files(&[("F/x", "content"), ("a", "a")])
    );
    assert!(edits.pending(&folder.id).unwrap().is_none());
    let waits = edits.outbox().unwrap();
    assert_eq!(waits.len(), 1);
    phone.push_all().await;
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_call_harmless_to_repeat() {
    let phone = Phone::new(&[("Sync/a", "a")]).await;
    let edits = phone.drive().edits();
    let local = phone.local("new");
    let new = lomme::edits::NewContent::of(&local);
    let root = Space::Sync.root();
    let one = edits.create_file(&root, "n", new, Some("key")).unwrap();
    let two = edits.create_file(&root, "n", new, Some("key")).unwrap();
    assert_eq!(one.id, two.id);
    phone.push_all().await;
    let three = edits.create_file(&root, "n", new, Some("key")).unwrap();
    assert_eq!(one.id, three.id);
    assert_eq!(phone.server("Sync"), files(&[("a", "a"), ("n", "new")]));
    let other = edits.create_file(&root, "n", new, None).unwrap();
    assert_eq!(other.name, "n (2)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_publishes_as_a_whole_or_not_at_all() {
    let phone = Phone::new(&[("Sync/a", "content")]).await;
    let edits = phone.drive().edits();
    let cancel = CancelToken::new();
    let a = phone.item("Sync/a").id;
    let writer = edits
        .open_writer(&a, None, WriteMode::Update, &cancel)
        .await
        .unwrap();
    assert_eq!(writer.read_at(0, 100).unwrap(), b"content");
    writer.write_at(7, b" and more").unwrap();
    assert_eq!(phone.item("Sync/a").size, Some(7));
    let item = writer.commit().unwrap();
    assert_eq!(item.size, Some(16));
    assert!(matches!(
        writer.commit(),
        Err(Error::InvalidArgument { .. })
    ));
    drop(writer);
    let dropped = edits
        .open_writer(&a, None, WriteMode::Truncate, &cancel)
        .await
        .unwrap();
    dropped.write_at(0, b"half").unwrap();
    dropped.abort().unwrap();
    let new = edits.create_writer(&Space::Sync.root(), "new").unwrap();
    let Lookup::Unknown = phone.drive().catalog().item(&new.item()).unwrap() else {
        panic!("a file shows before it was committed");
    };
    new.write_at(0, b"whole").unwrap();
    new.commit().unwrap();
    drop(new);
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("a", "content and more"), ("new", "whole")])
    );
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_writer_left_is_kept_and_not_published() {
    let mut phone = Phone::new(&[("Sync/a", "content")]).await;
    let cancel = CancelToken::new();
    let a = phone.item("Sync/a").id;
    let writer = phone
        .drive()
        .edits()
        .open_writer(&a, None, WriteMode::Truncate, &cancel)
        .await
        .unwrap();
    writer.write_at(0, b"hal").unwrap();
    drop(writer);
    phone.pocket.reopen().unwrap();
    let run = phone.push().await;
    assert_eq!((run.done, run.left), (0, 1));
    assert_eq!(phone.server("Sync"), files(&[("a", "content")]));
    phone.drive().edits().discard(&a).unwrap();
    let kept = phone.drive().edits().discarded().unwrap();
    assert_eq!((kept.len(), kept[0].size), (1, 3));
    let dest = phone.pocket.outer.path().join("out");
    phone
        .drive()
        .edits()
        .export_discarded(&kept[0].key, &dest)
        .unwrap();
    assert_eq!(std::fs::read(&dest).unwrap(), b"hal");
    phone
        .drive()
        .edits()
        .forget_discarded(&kept[0].key)
        .unwrap();
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_trash_comes_back_or_goes_for_ever() {
    let phone = Phone::new(&[
        ("Sync/d/a", "a"),
        ("Sync/d/e/b", "b"),
        ("Sync/c", "c"),
        ("Sync/f", "f"),
    ])
    .await;
    phone.trash("Sync/d");
    phone.trash("Sync/c");
    phone.trash("Sync/f");
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[]));
    phone.look().await;
    let edits = phone.drive().edits();
    for name in ["d", "c"] {
        edits
            .restore(&phone.item(&format!("Trash/{name}")).id, None)
            .unwrap();
    }
    edits.purge(&phone.item("Trash/f").id, None).unwrap();
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("c", "c"), ("d/a", "a"), ("d/e/b", "b")])
    );
    phone.look().await;
    phone.agrees().await;
    let cancel = CancelToken::new();
    phone.trash("Sync/c");
    phone.push_all().await;
    assert_eq!(edits.empty_trash(&cancel).await.unwrap().files, 1);
    assert!(phone.pocket.item("Trash/c").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_made_by_the_service_and_a_folder_bit_by_bit() {
    let phone = Phone::new(&[("Sync/d/a", "a"), ("Sync/d/e/b", "b"), ("Sync/c", "c")]).await;
    let edits = phone.drive().edits();
    let archive = Space::Archive.root();
    edits
        .copy(&phone.item("Sync/c").id, &archive, None, None)
        .unwrap();
    edits
        .copy(&phone.item("Sync/d").id, &archive, Some("copy"), None)
        .unwrap();
    phone.push_all().await;
    let expected = files(&[("c", "c"), ("copy/a", "a"), ("copy/e/b", "b")]);
    assert_eq!(phone.server("Archive"), expected);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_restored_and_read_without_a_trace() {
    let phone = Phone::new(&[("Sync/a", "one")]).await;
    phone.writer().put("/Jotta/Sync/a", b"two").unwrap();
    phone.look().await;
    let edits = phone.drive().edits();
    let cancel = CancelToken::new();
    let a = phone.item("Sync/a").id;
    let versions = edits.versions(&a, &cancel).await.unwrap();
    let sizes: Vec<_> = versions
        .iter()
        .map(|version| (version.current, version.size))
        .collect();
    assert_eq!(sizes, [(true, 3), (false, 3)]);
    let dest = phone.pocket.outer.path().join("one");
    let bytes = edits
        .fetch_version(&a, &versions[1].token, &dest, None, &cancel)
        .await
        .unwrap();
    assert_eq!((bytes, std::fs::read(&dest).unwrap()), (3, b"one".to_vec()));
    assert_eq!(phone.server("Archive"), files(&[]));
    let trash = phone.writer().paths("/Jotta/Archive").unwrap();
    assert_eq!(trash.len(), 0, "{trash:?}");
    edits
        .restore_version(&a, &versions[1].token, &cancel)
        .await
        .unwrap();
    assert_eq!(phone.server("Sync"), files(&[("a", "one")]));
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_and_ended() {
    let phone = Phone::new(&[("Sync/a", "one")]).await;
    let edits = phone.drive().edits();
    let cancel = CancelToken::new();
    let a = phone.item("Sync/a").id;
    assert_eq!(edits.set_link(&a, true, None).unwrap().shared, Some(true));
    phone.push_all().await;
    let link = edits.link(&a, &cancel).await.unwrap().unwrap();
    assert!(link.url.starts_with("http"));
    let all = edits.links(&cancel).await.unwrap();
    assert_eq!((all.len(), all[0].item.as_ref()), (1, Some(&a)));
    edits.set_link(&a, false, None).unwrap();
    phone.push_all().await;
    assert_eq!(edits.link(&a, &cancel).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_spaces_are_kept() {
    let phone = Phone::new(&[("Sync/a", "one")]).await;
    phone.writer().device("Laptop", "LAPTOP").unwrap();
    phone.writer().put("/Laptop/Docs/b", b"b").unwrap();
    phone.pocket.index(Space::Backup).await.unwrap();
    let edits = phone.drive().edits();
    let b = phone.item("Backup/Laptop/Docs/b");
    let docs = phone.item("Backup/Laptop/Docs");
    let local = phone.local("x");
    let new = lomme::edits::NewContent::of(&local);
    let refused = |done: lomme::Result<lomme::catalog::Item>| {
        assert!(matches!(done, Err(Error::NotAllowed { .. })), "{done:?}");
    };
    refused(edits.replace_content(&b.id, None, new, None));
    refused(edits.create_file(&docs.id, "n", new, None));
    refused(edits.move_to(&b.id, &Space::Sync.root(), None, None));
    refused(edits.create_file(&Space::Backup.root(), "n", new, None));
    refused(edits.create_file(&Space::Trash.root(), "n", new, None));
    // Into Sync only as a copy under a name of its own.
    refused(edits.copy(&docs.id, &Space::Sync.root(), None, None));
    edits
        .copy(&docs.id, &Space::Sync.root(), Some("From the laptop"), None)
        .unwrap();
    edits.set_backup_writable(true).unwrap();
    edits.replace_content(&b.id, None, new, None).unwrap();
    phone.push_all().await;
    assert_eq!(phone.writer().read("/Laptop/Docs/b").unwrap(), b"x");
    assert!(phone.server("Sync").contains_key("From the laptop/b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sent_is_read_from_here_and_a_pin_of_it_costs_no_byte() {
    use lomme::catalog::LocalCopy;
    use lomme::content::Purpose;
    let phone = Phone::new(&[("Sync/d/a", "theirs")]).await;
    let (drive, cancel) = (phone.drive(), CancelToken::new());
    let d = phone.item("Sync/d").id;
    drive.content().pin(&d, u64::MAX).unwrap();
    phone.edit("Sync/d/a", "ours, longer");
    let new = phone.create("Sync/d", "new", "new here");
    phone.cloud.reset_counts();
    for (path, content) in [("Sync/d/a", "ours, longer"), ("Sync/d/new", "new here")] {
        let item = phone.item(path);
        assert_eq!(item.local, LocalCopy::Whole);
        let reader = drive
            .content()
            .open_reader(&item.id, None, Purpose::Open)
            .unwrap();
        assert_eq!(reader.read_at(0, 100).unwrap(), content.as_bytes());
        let dest = phone.pocket.outer.path().join("dest");
        drive
            .content()
            .fetch_to_file(&item.id, None, &dest, Purpose::Open, None, &cancel)
            .await
            .unwrap();
        assert_eq!(std::fs::read_to_string(&dest).unwrap(), content);
        drive.content().evict(&item.id).unwrap();
        assert_eq!(
            drive
                .content()
                .open_reader(&item.id, None, Purpose::Open)
                .unwrap()
                .size(),
            content.len() as u64
        );
    }
    phone.push_all().await;
    let run = drive.content().keep_pins(None, &cancel).await.unwrap();
    assert_eq!((run.fetched, run.missing_files), (0, 0));
    let LocalCopy::Whole = phone.item("Sync/d/new").local else {
        panic!("a pinned file is not here");
    };
    assert_eq!(phone.item("Sync/d/new").id, new.id);
    assert_eq!(phone.cloud.counts().content_of("Sync"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_by_choice_tells_of_unsent_work_first_and_leaves_nothing_of_the_account() {
    let phone = Phone::new(&[("Sync/a", "one")]).await;
    phone.edit("Sync/a", "two");
    let refused = phone.drive().sign_out();
    assert_eq!(refused, Err(Error::UnsentWork { items: 1 }));
    assert_eq!(phone.drive().edits().outbox().unwrap().len(), 1);
    phone
        .drive()
        .edits()
        .discard(&phone.item("Sync/a").id)
        .unwrap();
    phone.drive().sign_out().unwrap();
    assert!(phone.drive().edits().discarded().unwrap().is_empty());
    let left = std::fs::read_dir(phone.pocket.outer.path().join("drive/unsent")).unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_is_not_sent_waits_for_it_and_what_is_saved_over_a_copy_is_not_lost() {
    let phone = Phone::new(&[("Sync/a", "one")]).await;
    let edits = phone.drive().edits();
    let new = phone.create("Sync", "new", "new here");
    let archive = Space::Archive.root();
    edits.copy(&new.id, &archive, None, None).unwrap();
    edits
        .copy(&phone.item("Sync/a").id, &archive, None, None)
        .unwrap();
    phone.edit("Archive/a", "saved over the copy");
    phone.push_all().await;
    let expected = files(&[("a", "saved over the copy"), ("new", "new here")]);
    assert_eq!(phone.server("Archive"), expected);
    assert_eq!(
        phone.server("Sync"),
        files(&[("a", "one"), ("new", "new here")])
    );
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_also_where_the_service_does_not_show_what_is_in_the_trash() {
    let mut switches = local_cloud::Switches::default();
    switches.set("trashed_get", "404").unwrap();
    let phone = Phone::with(
        &[("Sync/d/a", "a"), ("Sync/c", "c"), ("Sync/f", "f")],
        switches,
    )
    .await;
    for path in ["Sync/d", "Sync/c", "Sync/f"] {
        phone.trash(path);
    }
    phone.push_all().await;
    phone.look().await;
    let edits = phone.drive().edits();
    edits.restore(&phone.item("Trash/c").id, None).unwrap();
    edits.purge(&phone.item("Trash/f").id, None).unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[("c", "c")]));
    // A folder's tree is shown nowhere then, so it waits for a person and is not said to be back.
    edits.restore(&phone.item("Trash/d").id, None).unwrap();
    let run = phone.push().await;
    assert_eq!((run.done, run.left), (0, 1));
    assert_eq!(phone.server("Sync"), files(&[("c", "c")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drive_tells_how_much_is_not_sent_and_what_holds_an_items_change() {
    let phone = Phone::new(&[("Sync/a", "a"), ("Sync/b", "b")]).await;
    let drive = phone.drive();
    let edits = drive.edits();
    assert_eq!(drive.status().unwrap().unsent, 0);
    let folder = edits.create_folder(&Space::Sync.root(), "F", None).unwrap();
    let file = phone.create("Sync/F", "x", "content");
    phone.edit("Sync/a", "edited");
    assert_eq!(drive.status().unwrap().unsent, 3);
    let why = drive.why(&file.id).unwrap();
    assert_eq!(
        why.unsent.unwrap().hold,
        Some(Hold::After(folder.id.clone()))
    );
    let first = format!("not sent yet: that of {} comes first.", folder.id);
    assert!(why.explanation.ends_with(&first), "{}", why.explanation);
    let why = drive.why(&folder.id).unwrap();
    assert_eq!(why.unsent.unwrap().hold, None);
    assert_eq!(drive.why(&phone.item("Sync/b").id).unwrap().unsent, None);
    phone.push_all().await;
    assert_eq!(drive.status().unwrap().unsent, 0);
    assert_eq!(drive.why(&file.id).unwrap().unsent, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_here_can_be_opened_after_it_was_sent_without_a_network() {
    let phone = Phone::new(&[("Sync/a", "old")]).await;
    let item = phone.edit("Sync/a", "edited here");
    phone.push_all().await;
    let before = phone.cloud.counts().content_of("Sync");
    phone
        .cloud
        .trouble()
        .add(local_cloud::Rule::on_all().status(503));
    let dest = phone.pocket.outer.path().join("opened");
    let content = phone.drive().content();
    let cancel = CancelToken::new();
    let fetched = content.fetch_to_file(&item.id, None, &dest, Purpose::Open, None, &cancel);
    fetched.await.unwrap();
    assert_eq!(std::fs::read(&dest).unwrap(), b"edited here");
    assert_eq!(phone.cloud.counts().content_of("Sync"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_item_are_no_conflict_with_oneself() {
    let phone = Phone::new(&[("Sync/a", "old")]).await;
    let (edits, cancel) = (phone.drive().edits(), CancelToken::new());
    let a = phone.item("Sync/a").id;
    let open = || edits.open_writer(&a, None, WriteMode::Truncate, &cancel);
    let (first, second) = (open().await.unwrap(), open().await.unwrap());
    first.write_at(0, b"first").unwrap();
    second.write_at(0, b"second").unwrap();
    first.commit().unwrap();
    edits.settle(&a, None, &cancel).await.unwrap();
    second.commit().unwrap();
    phone.clock.advance(60_000);
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[("a", "second")]));
    assert_eq!(edits.conflicts(false).unwrap(), []);
}
