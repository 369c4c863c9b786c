//! What lives of the model test have found, told again without chance. The number is the life's, when it was found.
use crate::{Phone, files};
use lomme::catalog::Space;
use lomme::edits::WriteMode;
use lomme::{CancelToken, Error};

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
