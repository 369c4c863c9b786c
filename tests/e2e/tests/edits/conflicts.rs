//! Another writer was there too: one test for each of the commonest cells of `CONFLICTS.md`.
use crate::{Phone, files};
use lomme::catalog::Space;
use lomme::edits::ConflictKind;

fn kinds(phone: &Phone) -> Vec<ConflictKind> {
    let all = phone.drive().edits().conflicts(false).unwrap();
    all.into_iter().map(|conflict| conflict.kind).collect()
}

/// The one copy that a conflict has made, with its content.
fn copy_of(phone: &Phone, name: &str) -> String {
    let all = phone.server("Sync");
    let mut copies = all
        .iter()
        .filter(|(path, _)| path.contains(" (Conflict ") && path.starts_with(name));
    let copy = copies.next().unwrap().1.clone();
    assert!(copies.next().is_none());
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn both_edited_keeps_both() {
    let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
    let id = phone.item("Sync/a.txt").id;
    phone.edit("Sync/a.txt", "ours");
    phone.writer().put("/Jotta/Sync/a.txt", b"theirs!").unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync")["a.txt"], "theirs!");
    assert_eq!(copy_of(&phone, "a (Conflict "), "ours");
    assert_eq!(kinds(&phone), [ConflictKind::BothEdited]);
    assert_eq!(phone.item("Sync/a.txt").id, id);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_edited_equally_is_no_conflict() {
    let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
    phone.edit("Sync/a.txt", "same");
    phone.writer().put("/Jotta/Sync/a.txt", b"same").unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[("a.txt", "same")]));
    assert_eq!(kinds(&phone), []);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_here_and_deleted_there_is_stored_again() {
    for for_good in [false, true] {
        let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
        let id = phone.item("Sync/a.txt").id;
        phone.edit("Sync/a.txt", "ours");
        if for_good {
            phone.writer().remove("/Jotta/Sync/a.txt").unwrap();
        } else {
            phone.writer().trash("/Jotta/Sync/a.txt").unwrap();
        }
        phone.push_all().await;
        assert_eq!(phone.server("Sync"), files(&[("a.txt", "ours")]));
        assert_eq!(kinds(&phone), [ConflictKind::EditedButDeleted]);
        assert_eq!(phone.item("Sync/a.txt").id, id);
        phone.agrees().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_here_and_renamed_there_is_both() {
    let phone = Phone::new(&[("Sync/d/a.txt", "base"), ("Sync/e/x", "x")]).await;
    let id = phone.item("Sync/d/a.txt").id;
    phone.edit("Sync/d/a.txt", "ours");
    phone
        .writer()
        .move_("/Jotta/Sync/d/a.txt", "/Jotta/Sync/d/b.txt")
        .unwrap();
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("d/b.txt", "ours"), ("e/x", "x")])
    );
    assert_eq!(kinds(&phone), []);
    assert_eq!(phone.item("Sync/d/b.txt").id, id);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_here_and_edited_there_is_both() {
    let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
    let id = phone.rename("Sync/a.txt", "b.txt").id;
    phone.writer().put("/Jotta/Sync/a.txt", b"theirs").unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[("b.txt", "theirs")]));
    assert_eq!(phone.item("Sync/b.txt").id, id);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_here_and_deleted_there_is_gone_and_told() {
    let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
    phone.rename("Sync/a.txt", "b.txt");
    phone.writer().remove("/Jotta/Sync/a.txt").unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[]));
    assert_eq!(kinds(&phone), [ConflictKind::ChangedButDeleted]);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_that_is_taken_gets_another() {
    let phone = Phone::new(&[("Sync/x", "x")]).await;
    phone.create("Sync", "new.txt", "ours");
    phone.create("Sync", "equal.txt", "equal");
    phone.create("Sync", "Case.txt", "ours too");
    phone
        .writer()
        .put("/Jotta/Sync/new.txt", b"theirs")
        .unwrap();
    phone
        .writer()
        .put("/Jotta/Sync/equal.txt", b"equal")
        .unwrap();
    phone
        .writer()
        .put("/Jotta/Sync/case.TXT", b"theirs")
        .unwrap();
    phone.push_all().await;
    let server = phone.server("Sync");
    assert_eq!(
        (server["new.txt"].as_str(), server["equal.txt"].as_str()),
        ("theirs", "equal")
    );
    assert_eq!(copy_of(&phone, "new (Conflict "), "ours");
    assert_eq!(copy_of(&phone, "Case (Conflict "), "ours too");
    assert_eq!(
        kinds(&phone),
        [ConflictKind::NameTaken, ConflictKind::NameTaken]
    );
    phone.look().await;
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_folder_that_is_there_is_that_folder() {
    for known in [false, true] {
        let phone = Phone::new(&[("Sync/x", "x")]).await;
        let root = Space::Sync.root();
        phone
            .drive()
            .edits()
            .create_folder(&root, "F", None)
            .unwrap();
        phone.create("Sync/F", "ours", "ours");
        phone
            .writer()
            .put("/Jotta/Sync/F/theirs", b"theirs")
            .unwrap();
        if known {
            phone.pocket.index(Space::Sync).await.unwrap();
            phone
                .drive()
                .catalog()
                .children(&root, Default::default(), None, 100)
                .unwrap();
        }
        phone.push_all().await;
        let expected = files(&[("x", "x"), ("F/ours", "ours"), ("F/theirs", "theirs")]);
        assert_eq!(phone.server("Sync"), expected);
        phone.look().await;
        phone.agrees().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_here_and_edited_there_stays() {
    let phone = Phone::new(&[("Sync/a.txt", "base"), ("Sync/b.txt", "base")]).await;
    phone.trash("Sync/a.txt");
    phone.trash("Sync/b.txt");
    phone.writer().put("/Jotta/Sync/a.txt", b"theirs").unwrap();
    phone.writer().trash("/Jotta/Sync/b.txt").unwrap();
    phone.push_all().await;
    assert_eq!(phone.server("Sync"), files(&[("a.txt", "theirs")]));
    assert_eq!(kinds(&phone), [ConflictKind::DeletedButEdited]);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_here_in_a_folder_that_is_deleted_there_makes_the_folder_again() {
    let phone = Phone::new(&[
        ("Sync/d/e/a.txt", "base"),
        ("Sync/d/b", "b"),
        ("Sync/x", "x"),
    ])
    .await;
    phone.edit("Sync/d/e/a.txt", "ours");
    phone.create("Sync/d", "new", "new");
    phone.writer().remove("/Jotta/Sync/d").unwrap();
    phone.look().await;
    phone.push_all().await;
    let expected = files(&[("d/e/a.txt", "ours"), ("d/new", "new"), ("x", "x")]);
    assert_eq!(phone.server("Sync"), expected);
    assert!(kinds(&phone).contains(&ConflictKind::FolderRestored));
    phone.look().await;
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_between_our_look_and_our_upload_is_kept() {
    use local_cloud::{Moment, Rule};
    for (request, moment, kind) in [
        ("allocate", Moment::BeforeWork, ConflictKind::SlippedIn),
        ("upload", Moment::BeforeWork, ConflictKind::BothEdited),
        ("upload", Moment::BeforeAnswer, ConflictKind::BothEdited),
    ] {
        let phone = Phone::new(&[("Sync/a.txt", "base")]).await;
        phone.edit("Sync/a.txt", "ours");
        let rule = Rule::on(request).once();
        phone.cloud.trouble().add(rule.strike(moment, |writer| {
            writer.put("/Jotta/Sync/a.txt", b"theirs").unwrap();
        }));
        phone.push_all().await;
        let server = phone.server("Sync");
        let (item, copy) = match kind {
            ConflictKind::SlippedIn => ("ours", "theirs"),
            _ => ("theirs", "ours"),
        };
        assert_eq!(server["a.txt"], item, "{kind:?}");
        assert_eq!(copy_of(&phone, "a (Conflict "), copy, "{kind:?}");
        assert_eq!(kinds(&phone), [kind]);
        phone.look().await;
        phone.agrees().await;
    }
}
