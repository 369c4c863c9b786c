//! Which id goes on where two could.
use crate::{Phone, files};
use lomme::catalog::{Lookup, Space};
use lomme::edits::{NewContent, Outcome};
use lomme::{CancelToken, Drive};
use lomme_e2e::MortalDisk;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_that_the_service_has_already_goes_on_as_the_item_that_is_known() {
    let phone = Phone::new(&[("Sync/a", "same"), ("Sync/D/other", "x")]).await;
    let (drive, cancel) = (phone.drive(), CancelToken::new());
    let (edits, catalog) = (drive.edits(), drive.catalog());
    let known = phone.item("Sync/a").id;
    let folder = phone.item("Sync/D").id;
    let local = phone.local("same");
    let content = NewContent::of(&local);
    let new = edits.create_file(&folder, "b", content, Some("key"));
    let new = new.unwrap().id;
    let copy = edits.copy(&new, &folder, Some("copy"), None).unwrap().id;
    catalog.set_favourite(&new, true).unwrap();
    phone
        .writer()
        .move_("/Jotta/Sync/a", "/Jotta/Sync/D/b")
        .unwrap();
    let anchor = catalog.current_anchor().unwrap();
    let settled = edits.settle(&new, None, &cancel).await.unwrap();
    let merged = Outcome::MergedInto {
        item: known.clone(),
    };
    assert_eq!((settled.outcome, settled.item), (merged, None));
    assert_eq!(phone.item("Sync/D/b").id, known);
    assert!(phone.item("Sync/D/b").favourite);
    assert_eq!(catalog.item(&new).unwrap(), Lookup::Gone);
    let changes = catalog.changes(&anchor, 100).unwrap();
    assert_eq!(changes.deleted, [new]);
    let again = edits.create_file(&folder, "b", content, Some("key"));
    assert_eq!(again.unwrap().id, known);
    edits.settle(&copy, None, &cancel).await.unwrap();
    let all = files(&[("D/b", "same"), ("D/copy", "same"), ("D/other", "x")]);
    assert_eq!(phone.server("Sync"), all);
    phone.agrees().await;
    assert_eq!(edits.conflicts(false).unwrap(), []);
    let left = lomme_e2e::walk(&phone.pocket.outer.path().join("drive/unsent"));
    assert!(
        left.keys().all(|path| path.ends_with("push.lock")),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_file_whose_uuid_was_never_told_follows_it_when_it_is_renamed() {
    let phone = Phone::new(&[]).await;
    let writer = phone.writer();
    for name in ["a", "b", "c"] {
        let content = if name == "a" { "one" } else { "twins" };
        writer
            .put(&format!("/Jotta/Sync/D/{name}"), content.as_bytes())
            .unwrap();
    }
    // Indexed only: the folder itself was never listed.
    phone.pocket.index(Space::Sync).await.unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| phone.item(&format!("Sync/D/{name}")).id);
    phone.edit("Sync/D/a", "one edited");
    for name in ["a", "b", "c"] {
        writer
            .rename(&format!("/Jotta/Sync/D/{name}"), &format!("{name}2"))
            .unwrap();
    }
    phone.push_all().await;
    let all = files(&[("D/a2", "one edited"), ("D/b2", "twins"), ("D/c2", "twins")]);
    assert_eq!(phone.server("Sync"), all);
    assert_eq!(phone.item("Sync/D/a2").id, a);
    assert_eq!(phone.drive().edits().conflicts(false).unwrap(), []);
    // Which of two that are equal is which, nothing tells.
    phone.look().await;
    for id in [b, c] {
        assert_eq!(phone.drive().catalog().item(&id).unwrap(), Lookup::Gone);
    }
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_folder_that_turned_up_on_the_service_goes_to_its_trash() {
    let phone = Phone::new(&[]).await;
    let (edits, cancel) = (phone.drive().edits(), CancelToken::new());
    let folder = edits.create_folder(&Space::Sync.root(), "N", None).unwrap();
    phone.create("Sync/N", "ours", "ours");
    phone
        .writer()
        .put("/Jotta/Sync/N/theirs", b"theirs")
        .unwrap();
    let root = Space::Sync.root();
    phone
        .drive()
        .catalog()
        .refresh(&root, &cancel)
        .await
        .unwrap();
    assert_eq!(phone.item("Sync/N").id, folder.id);
    phone.trash("Sync/N");
    assert_eq!(phone.item("Trash/N").id, folder.id);
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[]));
    assert_eq!(phone.item("Trash/N").id, folder.id);
    let [ours] = &edits.discarded().unwrap()[..] else {
        panic!("the bytes that were never sent are lost");
    };
    edits.forget_discarded(&ours.key).unwrap();
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_into_a_folder_that_was_never_listed_is_shown_in_it_and_the_folder_is_the_services()
 {
    let phone = Phone::new(&[]).await;
    let writer = phone.writer();
    for path in ["a", "b"] {
        writer
            .put(&format!("/Jotta/Sync/F/In/{path}"), path.as_bytes())
            .unwrap();
    }
    writer.trash("/Jotta/Sync/F/In/a").unwrap();
    let (edits, cancel) = (phone.drive().edits(), CancelToken::new());
    let catalog = phone.drive().catalog();
    let trash = Space::Trash.root();
    catalog.refresh(&trash, &cancel).await.unwrap();
    let a = edits.restore(&phone.item("Trash/a").id, None).unwrap().id;
    assert_eq!(phone.item("Sync/F/In/a").id, a);
    let folder = phone.item("Sync/F/In").id;
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("F/In/a", "a"), ("F/In/b", "b")])
    );
    phone.look().await;
    assert_eq!(phone.item("Sync/F/In/a").id, a);
    assert_eq!(phone.item("Sync/F/In").id, folder);
    phone.agrees().await;
}

/// Lives 3138 and 3219 of the model: only the catalogue knew the uuid, and it was lost together with the process.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_end_nobody_saw_is_found_under_another_name_without_the_catalogue() {
    let mut renamed_after_it_came = 0;
    for steps in 0..30 {
        let mut phone = Phone::new(&[]).await;
        phone.writer().put("/Jotta/Sync/a", b"one").unwrap();
        phone.pocket.index(Space::Sync).await.unwrap();
        phone.edit("Sync/a", "edited");
        phone.pocket.drive.close().unwrap();
        let disk = MortalDisk::default();
        phone.pocket.options.disk = Arc::new(disk.clone());
        phone.pocket.reopen().unwrap();
        disk.die_after(steps);
        let cancel = CancelToken::new();
        let pushed = phone.drive().edits().push(None, &cancel).await;
        let next = disk.again();
        let _ = phone.pocket.drive.close();
        for path in lomme_e2e::walk(&phone.pocket.options.directory).into_keys() {
            if path.to_string_lossy().contains("catalog-") {
                std::fs::remove_file(path).unwrap();
            }
        }
        phone.pocket.options.disk = Arc::new(next);
        phone.pocket.drive = Drive::open(phone.pocket.options.clone()).unwrap();
        let came = phone.server("Sync")["a"] == "edited";
        phone.writer().rename("/Jotta/Sync/a", "b").unwrap();
        phone.look().await;
        phone.push_all().await;
        let there = phone.server("Sync");
        if came {
            assert_eq!(there, files(&[("b", "edited")]), "after {steps} steps");
            renamed_after_it_came += u32::from(pushed.is_err());
        }
        let edited = there.values().filter(|content| *content == "edited");
        assert_eq!(edited.count(), 1, "after {steps} steps: {there:?}");
    }
    assert!(renamed_after_it_came > 0);
}
