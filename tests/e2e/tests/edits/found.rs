//! What lives of the model test have found, told again without chance. The number is the life's, when it was found.
use crate::{Phone, files};
use local_cloud::{Moment, Rule};
use lomme::catalog::{Lookup, Space};
use lomme::edits::{Hold, Park, WriteMode};
use lomme::{CancelToken, Error};
use std::time::Duration;

/// Life 844: it tried one conflict name after another, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_follows_its_folder_that_has_left_its_place_to_a_file() {
    let phone = Phone::new(&[("Sync/d/a", "old")]).await;
    phone.create("Sync/d", "new", "mine");
    phone
        .writer()
        .move_("/Jotta/Sync/d", "/Jotta/Sync/e")
        .unwrap();
    phone.writer().put("/Jotta/Sync/d", b"theirs").unwrap();
    phone.push_all().await;
    let expected = files(&[("d", "theirs"), ("e/a", "old"), ("e/new", "mine")]);
    assert_eq!(phone.server("Sync"), expected);
    phone.agrees().await;
}

/// Life 772: what was to be stored again had no place, because its folder was shown in the trash.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_in_a_folder_that_both_sides_delete_comes_to_rest_and_is_kept() {
    let phone = Phone::new(&[("Sync/d/a", "old")]).await;
    let folder = phone.item("Sync/d").id;
    phone.edit("Sync/d/a", "mine");
    let edits = phone.drive().edits();
    edits.trash(&folder, None, true, None).unwrap();
    phone.writer().trash("/Jotta/Sync/d").unwrap();
    phone.pocket.index(Space::Sync).await.unwrap();
    phone.push_all().await;
    assert_eq!(edits.outbox().unwrap(), []);
    assert!(phone.writer().holds(b"mine").unwrap().kept > 0);
}

/// Life 345: a wish stayed that belonged to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_being_written_into_an_item_that_is_discarded_is_kept_aside() {
    let phone = Phone::new(&[]).await;
    let item = phone.create("Sync", "new", "first");
    let (edits, cancel) = (phone.drive().edits(), CancelToken::new());
    let opened = edits.open_writer(&item.id, None, WriteMode::Truncate, &cancel);
    let writer = opened.await.unwrap();
    writer.write_at(0, b"second").unwrap();
    edits.discard(&item.id).unwrap();
    assert!(matches!(writer.commit(), Err(Error::NoSuchItem { .. })));
    drop(writer);
    assert_eq!(edits.outbox().unwrap(), []);
    let mut sizes: Vec<u64> = edits
        .discarded()
        .unwrap()
        .iter()
        .map(|kept| kept.size)
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 6]);
}

/// Life 1613: it was copied into itself, deeper and deeper.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_folder_is_not_moved_into_that_folder() {
    let phone = Phone::new(&[("Sync/d/a", "1"), ("Sync/d/inner/b", "2")]).await;
    let (edits, archive) = (phone.drive().edits(), phone.item("Archive").id);
    let (source, inner) = (phone.item("Sync/d").id, phone.item("Sync/d/inner").id);
    let copy = edits.copy(&source, &archive, Some("copy"), None).unwrap();
    for into in [source, inner] {
        let moved = edits.move_to(&copy.id, &into, None, None);
        assert!(matches!(moved, Err(Error::NotAllowed { .. })), "{moved:?}");
    }
    phone.push_all().await;
    let expected = files(&[("copy/a", "1"), ("copy/inner/b", "2")]);
    assert_eq!(phone.server("Archive"), expected);
    phone.agrees().await;
}

/// Lives 7237 and 10159: both had the name, were sent at once, and each of the two kept what was written over, in a copy of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_whose_name_was_taken_while_it_was_written_gets_another() {
    for commits in [true, false] {
        let phone = Phone::new(&[]).await;
        let edits = phone.drive().edits();
        let writer = edits.create_writer(&Space::Sync.root(), "D").unwrap();
        writer.write_at(0, b"written").unwrap();
        phone.create("Sync", "D", "made");
        let id = writer.item();
        if commits {
            assert_eq!(writer.commit().unwrap().name, "D (2)");
        } else {
            drop(writer);
            assert_eq!(phone.item("Sync/D (2)").id, id);
            edits.retry(Some(&id)).unwrap();
        }
        phone.push_all().await;
        let both = files(&[("D", "made"), ("D (2)", "written")]);
        assert_eq!(phone.server("Sync"), both);
        assert_eq!(edits.conflicts(false).unwrap(), []);
        phone.agrees().await;
    }
}

/// The same lives: whatever else gives two new files one name, they do not meet on the way.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_waits_until_another_that_is_sent_to_its_name_has_arrived() {
    for thrown_away in [false, true] {
        let phone = Phone::new(&[]).await;
        let (edits, sync) = (phone.drive().edits().clone(), Space::Sync.root());
        let first = phone.create("Sync", "D", "first");
        // The second is met in this walk only once its folder is there.
        edits.create_folder(&sync, "folder", None).unwrap();
        let second = phone.create("Sync/folder", "second", "second").id;
        let rule = Rule::on("allocate").once();
        let rule = rule.strike(Moment::BeforeAnswer, move |_| {
            if thrown_away {
                edits.trash(&first.id, None, false, None).unwrap();
            } else {
                edits.move_to(&first.id, &sync, Some("E"), None).unwrap();
            }
            edits.move_to(&second, &sync, Some("D"), None).unwrap();
        });
        phone.cloud.trouble().add(rule);
        // Time for the second, if it does not wait, to be announced before the first is there, and to be there before the
        // first is looked for, or put into the trash.
        let slow = |kind, ms| Rule::on(kind).once().delay(Duration::from_millis(ms));
        phone.cloud.trouble().add(slow("mkDir", 200));
        phone.cloud.trouble().add(slow("upload", 500));
        match thrown_away {
            false => phone.cloud.trouble().add(slow("get", 1_000).path("Sync/D")),
            true => {
                phone.cloud.trouble().add(slow("upload", 700).after(1));
                phone.cloud.trouble().add(slow("dl", 2_500));
            }
        }
        phone.push_all().await;
        let expected = match thrown_away {
            true => files(&[("D", "second")]),
            false => files(&[("D", "second"), ("E", "first")]),
        };
        assert_eq!(phone.server("Sync"), expected);
        let edits = phone.drive().edits();
        assert_eq!(edits.conflicts(false).unwrap(), []);
        for discarded in edits.discarded().unwrap() {
            edits.forget_discarded(&discarded.key).unwrap();
        }
        phone.agrees().await;
    }
}

/// Life 21414: its folder had no id, because nobody had ever seen it, and what came back waited for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_into_a_folder_that_nobody_has_seen_comes_to_rest() {
    let phone = Phone::new(&[("Sync/known", "known")]).await;
    let writer = phone.writer();
    writer.put("/Jotta/Sync/F/a", b"a").unwrap();
    writer.trash("/Jotta/Sync/F/a").unwrap();
    let (edits, trash) = (phone.drive().edits(), Space::Trash.root());
    let catalog = phone.drive().catalog();
    catalog.refresh(&trash, &CancelToken::new()).await.unwrap();
    let restored = edits.restore(&phone.item("Trash/a").id, None).unwrap();
    let folder = catalog.item(&restored.parent).unwrap();
    assert!(matches!(folder, Lookup::Found(_)), "{folder:?}");
    phone.push_all().await;
    let expected = files(&[("F/a", "a"), ("known", "known")]);
    assert_eq!(phone.server("Sync"), expected);
    phone.agrees().await;
}

/// Life 31424: it was copied into itself, deeper and deeper.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_not_copied_into_a_new_one_that_turns_out_to_be_it() {
    let mut phone = Phone::new(&[("Sync/d/a", "1")]).await;
    let source = phone.item("Sync/d").id;
    phone.pocket.drive.close().unwrap();
    for path in lomme_e2e::walk(&phone.pocket.options.directory).into_keys() {
        if path.to_string_lossy().contains("catalog-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    phone.pocket.reopen().unwrap();
    let edits = phone.drive().edits();
    let new = edits.create_folder(&Space::Sync.root(), "D", None).unwrap();
    assert_ne!(new.id, source);
    phone.pocket.index(Space::Sync).await.unwrap();
    let copy = edits.copy(&source, &new.id, Some("copy"), None).unwrap();
    let push = tokio::time::timeout(Duration::from_secs(60), phone.push()).await;
    assert_eq!(push.expect("it has no end").left, 1);
    let pending = edits.pending(&copy.id).unwrap().unwrap();
    assert_eq!(pending.hold, Some(Hold::NeedsUser(Park::NotAllowed)));
    edits.discard(&copy.id).unwrap();
    assert_eq!(phone.server("Sync"), files(&[("d/a", "1")]));
    phone.agrees().await;
}
