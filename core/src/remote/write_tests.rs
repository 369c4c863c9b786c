//! Commands, against the local cloud.
#![allow(clippy::unwrap_used)]
use super::cloud_tests::{cloud, never, path};
use super::sending::{facts, history, put, with};
use super::*;
use local_cloud::{ErrorForm, Rule};

#[tokio::test]
async fn a_look_tells_what_is_at_a_place_and_which_contents_were_there_before() {
    let (cloud, remote, _directory) = cloud().await;
    let writer = cloud.writer();
    for content in ["one", "two", "three"] {
        writer
            .put("/Jotta/Sync/d/a.txt", content.as_bytes())
            .unwrap();
    }
    let found = history(&remote, "Jotta/Sync/d/a.txt").await;
    let current = found.file.current.unwrap();
    assert_eq!(current.md5, facts(b"three").md5);
    let older: Vec<_> = found
        .older
        .iter()
        .map(|old| (old.number, old.md5))
        .collect();
    let number = current.number.unwrap();
    assert_eq!(
        older,
        [
            (Some(number - 1), facts(b"two").md5),
            (Some(number - 2), facts(b"one").md5)
        ]
    );
    let look = async |place: &str| remote.look(&path(place), &never()).await.unwrap();
    assert_eq!(look("Jotta/Sync/d").await, Presence::Folder);
    assert_eq!(look("Jotta/Sync/none").await, Presence::Absent);
    writer.trash("/Jotta/Sync/d/a.txt").unwrap();
    let tombstone = look("Jotta/Sync/d/a.txt").await;
    assert!(
        matches!(tombstone, Presence::Tombstone { file: Some(_), .. }),
        "{tombstone:?}"
    );
    writer.trash("/Jotta/Sync/d").unwrap();
    let tombstone = look("Jotta/Sync/d").await;
    assert!(
        matches!(tombstone, Presence::Tombstone { file: None, .. }),
        "{tombstone:?}"
    );
    with(&cloud, "trashed_get", "404");
    assert_eq!(look("Jotta/Sync/d").await, Presence::Absent);
}

#[tokio::test]
async fn folders_and_files_are_made_moved_copied_trashed_and_removed() {
    for slash in ["optional", "required"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "mvdir_slash", slash);
        let writer = cloud.writer();
        let (at, never) = (path, never());
        let tree = |prefix: &str| -> Vec<String> {
            let all = writer.paths(prefix).unwrap();
            let live = all.into_iter().filter(|entry| entry.deleted.is_none());
            live.map(|entry| entry.path).collect()
        };
        remote
            .make_folder(&at("Jotta/Sync/a/b"), &never)
            .await
            .unwrap();
        remote
            .make_folder(&at("Jotta/Sync/a/b"), &never)
            .await
            .unwrap();
        put(&remote, "Jotta/Sync/a/b/f + 1", b"f", true)
            .await
            .unwrap();
        let uuid = history(&remote, "Jotta/Sync/a/b/f + 1").await.file.uuid;
        let moved = remote
            .move_file(&at("Jotta/Sync/a/b/f + 1"), &at("Jotta/Sync/new/g"), &never)
            .await
            .unwrap();
        assert_eq!((moved.name.as_str(), moved.uuid), ("g", uuid));
        let copied = remote
            .copy_file(&at("Jotta/Sync/new/g"), &at("Jotta/Archive/h"), &never)
            .await
            .unwrap();
        assert_eq!(copied.current.unwrap().md5, facts(b"f").md5);
        remote
            .move_folder(&at("Jotta/Sync/new"), &at("Jotta/Sync/a/moved"), &never)
            .await
            .unwrap();
        assert_eq!(
            tree("/Jotta/Sync/a"),
            [
                "/Jotta/Sync/a/b",
                "/Jotta/Sync/a/moved",
                "/Jotta/Sync/a/moved/g"
            ]
        );
        let gone = remote
            .move_file(&at("Jotta/Sync/none"), &at("Jotta/Sync/x"), &never)
            .await;
        assert!(matches!(gone, Err(Error::NoSuchItem { .. })), "{gone:?}");
        let gone = remote
            .move_folder(&at("Jotta/Sync/none"), &at("Jotta/Sync/x"), &never)
            .await;
        assert!(matches!(gone, Err(Error::NoSuchItem { .. })), "{gone:?}");
        remote
            .trash_file(&at("Jotta/Archive/h"), &never)
            .await
            .unwrap();
        remote
            .trash_file(&at("Jotta/Archive/h"), &never)
            .await
            .unwrap();
        remote
            .trash_folder(&at("Jotta/Sync/a/moved"), &never)
            .await
            .unwrap();
        assert_eq!(tree("/Jotta/Sync/a"), ["/Jotta/Sync/a/b"]);
        remote
            .remove_file(&at("Jotta/Archive/h"), &never)
            .await
            .unwrap();
        let gone = remote.remove_file(&at("Jotta/Archive/h"), &never).await;
        assert!(matches!(gone, Err(Error::NoSuchItem { .. })), "{gone:?}");
        remote
            .remove_folder(&at("Jotta/Sync/a/b"), &never)
            .await
            .unwrap();
        assert_eq!(tree("/Jotta/Sync/a"), Vec::<String>::new());
        let (files, folders) = remote.empty_trash(&never).await.unwrap();
        assert_eq!((files, folders), (1, 1));
    }
}

#[tokio::test]
async fn what_is_there_is_not_moved_onto_unless_the_service_does_so() {
    for status in ["409", "400", "412"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "unique_status", status);
        cloud.writer().put("/Jotta/Sync/a", b"a").unwrap();
        cloud.writer().put("/Jotta/Sync/b", b"b").unwrap();
        let onto = remote
            .move_file(&path("Jotta/Sync/a"), &path("Jotta/Sync/b"), &never())
            .await;
        assert_eq!(onto, Err(Error::NameTaken), "{status}");
        let onto = put(&remote, "Jotta/Sync/b", b"other", true).await;
        assert_eq!(onto, Err(Error::NameTaken), "{status}");
        assert_eq!(cloud.writer().read("/Jotta/Sync/b").unwrap(), b"b");
    }
}

#[tokio::test]
async fn content_that_the_service_knows_is_built_without_bytes() {
    let (cloud, remote, _directory) = cloud().await;
    cloud
        .writer()
        .put("/Jotta/Archive/known", b"known")
        .unwrap();
    let never = never();
    let built = remote
        .build(&path("Jotta/Sync/copy"), &facts(b"known"), &never)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(built.current.unwrap().modified_ms, Some(1_600_000_001_000));
    let unknown = remote
        .build(&path("Jotta/Sync/copy 2"), &facts(b"never sent"), &never)
        .await;
    assert_eq!(unknown, Ok(None));
    cloud.writer().trash("/Jotta/Sync/copy").unwrap();
    let back = remote
        .build(&path("Jotta/Sync/copy"), &facts(b"known"), &never)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(back.deleted_ms, None);
    cloud.reset_counts();
    assert_eq!(
        put(&remote, "Jotta/Sync/copy 3", b"known", true).await,
        Ok(0)
    );
    assert_eq!(cloud.writer().read("/Jotta/Sync/copy 3").unwrap(), b"known");
}

#[tokio::test]
async fn a_full_or_locked_account_is_told_as_such_whatever_the_status() {
    for status in ["402", "403", "507"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "quota", status);
        cloud.set_account(|account| account.capacity = 100);
        let full = put(&remote, "Jotta/Sync/a", &[1; 2_000], true).await;
        assert_eq!(full, Err(Error::QuotaExceeded), "{status}");
        remote
            .make_folder(&path("Jotta/Sync/f"), &never())
            .await
            .unwrap();
    }
    for status in ["403", "423", "500"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "write_locked", status);
        cloud.set_account(|account| account.write_locked = true);
        let locked = put(&remote, "Jotta/Sync/a", &[1; 2_000], true).await;
        assert_eq!(locked, Err(Error::AccountLocked), "{status}");
        let locked = remote.make_folder(&path("Jotta/Sync/f"), &never()).await;
        assert_eq!(locked, Err(Error::AccountLocked), "{status}");
    }
}

#[tokio::test]
async fn a_name_that_the_service_refuses_asks_for_another() {
    let (_cloud, remote, _directory) = cloud().await;
    let long = format!("Jotta/Sync/{}", "x".repeat(256));
    let refused = put(&remote, &long, b"a", true).await;
    assert!(
        matches!(refused, Err(Error::NameRefused { .. })),
        "{refused:?}"
    );
    let refused = remote.make_folder(&path(&long), &never()).await;
    assert!(
        matches!(refused, Err(Error::NameRefused { .. })),
        "{refused:?}"
    );
    let refused = remote.make_folder(&path("Jotta/Sync/100%"), &never()).await;
    assert!(
        matches!(refused, Err(Error::NameRefused { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_change_is_made_once() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.expire_access_tokens().unwrap();
    remote
        .make_folder(&path("Jotta/Sync/f"), &never())
        .await
        .unwrap();
    cloud
        .trouble()
        .add(Rule::on("upload").once().expire_tokens());
    put(&remote, "Jotta/Sync/a", b"content", true)
        .await
        .unwrap();
    assert_eq!(cloud.writer().read("/Jotta/Sync/a").unwrap(), b"content");
    assert_eq!(history(&remote, "Jotta/Sync/a").await.older, []);
}

#[tokio::test]
async fn a_change_is_never_sent_again_by_itself() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Jotta/Sync/a", b"a").unwrap();
    cloud.trouble().add(Rule::on("cp").once().lose_answer());
    let lost = remote
        .copy_file(&path("Jotta/Sync/a"), &path("Jotta/Sync/b"), &never())
        .await;
    assert!(matches!(lost, Err(Error::Offline { .. })), "{lost:?}");
    assert_eq!(cloud.counts().requests["cp"], 1);
    assert_eq!(cloud.writer().read("/Jotta/Sync/b").unwrap(), b"a");
}

#[tokio::test]
async fn a_link_is_made_told_listed_and_taken_away() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Jotta/Sync/d/a b", b"a").unwrap();
    let place = path("Jotta/Sync/d/a b");
    let never = never();
    assert_eq!(remote.shared_link(&place, &never).await, Ok(None));
    let made = remote.share(&place, true, &never).await.unwrap().unwrap();
    assert_eq!(
        remote.share(&place, true, &never).await,
        Ok(Some(made.clone()))
    );
    assert_eq!(
        remote.shared_link(&place, &never).await,
        Ok(Some(made.clone()))
    );
    let url = remote.link_url(&made).unwrap();
    assert!(url.starts_with(&cloud.url()), "{url}");
    let all = remote.links(&never).await.unwrap();
    assert_eq!(all, [(place.clone(), made)]);
    assert_eq!(remote.share(&place, false, &never).await, Ok(None));
    assert_eq!(remote.links(&never).await.unwrap(), []);
    let none = remote.share(&path("Jotta/Sync/none"), true, &never).await;
    assert!(matches!(none, Err(Error::NoSuchItem { .. })), "{none:?}");
}

#[tokio::test]
async fn a_copy_onto_a_trashed_name_stays_in_the_trash_until_it_is_built() {
    let (cloud, remote, _directory) = cloud().await;
    let writer = cloud.writer();
    writer.put("/Jotta/Sync/a", b"a").unwrap();
    writer.put("/Jotta/Sync/b", b"b").unwrap();
    writer.trash("/Jotta/Sync/b").unwrap();
    let place = path("Jotta/Sync/b");
    let made = remote
        .copy_file(&path("Jotta/Sync/a"), &place, &never())
        .await
        .unwrap();
    assert!(made.deleted_ms.is_some(), "{made:?}");
    assert_eq!(made.current.unwrap().md5, facts(b"a").md5);
    let built = remote.build(&place, &facts(b"a"), &never()).await.unwrap();
    assert_eq!(built.unwrap().deleted_ms, None);
    assert_eq!(writer.read("/Jotta/Sync/b").unwrap(), b"a");
}

#[tokio::test]
async fn a_service_that_puts_one_thing_over_another_tells_what_became_of_it() {
    let (cloud, remote, _directory) = cloud().await;
    with(&cloud, "onto_live", "overwrite");
    let writer = cloud.writer();
    for (name, content) in [
        ("a", "a"),
        ("b", "b"),
        ("c", "c"),
        ("d/x", "x"),
        ("e/y", "y"),
    ] {
        let place = format!("/Jotta/Sync/{name}");
        writer.put(&place, content.as_bytes()).unwrap();
    }
    let at = |name: &str| path(&format!("Jotta/Sync/{name}"));
    let moved = remote.move_file(&at("a"), &at("b"), &never()).await;
    assert_eq!(moved.unwrap().current.unwrap().md5, facts(b"a").md5);
    let copied = remote.copy_file(&at("c"), &at("b"), &never()).await;
    let copied = copied.unwrap();
    assert_eq!(copied.deleted_ms, None);
    assert_eq!(copied.current.unwrap().md5, facts(b"c").md5);
    let found = history(&remote, "Jotta/Sync/b").await;
    let older: Vec<_> = found.older.iter().map(|old| old.md5).collect();
    assert_eq!(older, [facts(b"a").md5, facts(b"b").md5]);
    let gone = remote.look(&at("a"), &never()).await.unwrap();
    assert_eq!(gone, Presence::Absent);
    remote
        .move_folder(&at("d"), &at("e"), &never())
        .await
        .unwrap();
    assert_eq!(writer.read("/Jotta/Sync/e/x").unwrap(), b"x");
    let hidden = remote.look(&at("e/y"), &never()).await.unwrap();
    assert!(
        !matches!(hidden, Presence::File(_)),
        "what was there is gone: {hidden:?}"
    );
}

#[tokio::test]
async fn a_copy_for_which_there_is_no_space_is_told_as_such_whatever_the_status() {
    for status in ["402", "403", "507"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "quota", status);
        cloud.writer().put("/Jotta/Sync/a", &[1; 2_000]).unwrap();
        cloud.set_account(|account| account.capacity = 3_000);
        let full = remote
            .copy_file(&path("Jotta/Sync/a"), &path("Jotta/Sync/b"), &never())
            .await;
        assert_eq!(full, Err(Error::QuotaExceeded), "{status}");
        let look = remote.look(&path("Jotta/Sync/b"), &never()).await;
        assert_eq!(look, Ok(Presence::Absent), "{status}");
        // What takes no space still works.
        remote
            .move_file(&path("Jotta/Sync/a"), &path("Jotta/Sync/c"), &never())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_refusal_with_a_reason_is_not_about_the_name() {
    let (cloud, remote, _directory) = cloud().await;
    let place = path("Jotta/Sync/a");
    let announced = async || remote.allocate(&place, &facts(b"a"), true, &never()).await;
    let bad = "no.jotta.backup.errors.InvalidArgumentException: bytes is negative";
    cloud
        .trouble()
        .add(Rule::on("allocate").once().status(400).message(bad));
    let refused = announced().await;
    assert!(
        matches!(&refused, Err(Error::Refused { status: 400, .. })),
        "{refused:?}"
    );
    for form in [ErrorForm::Empty, ErrorForm::Html] {
        cloud
            .trouble()
            .add(Rule::on("allocate").once().status(400).form(form));
        let refused = announced().await;
        assert!(
            matches!(refused, Err(Error::NameRefused { .. })),
            "{form:?}: {refused:?}"
        );
    }
}
