//! Everything that changes something on the service, against the local cloud.
#![allow(clippy::unwrap_used)]
use super::cloud_tests::{cloud, never, path};
use super::*;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use local_cloud::{Cloud, Rule, Switches};
use md5::{Digest, Md5};
use std::time::Duration;

fn facts(content: &[u8]) -> ContentFacts {
    ContentFacts {
        size: content.len() as u64,
        md5: Md5::digest(content).into(),
        created_ms: Some(1_600_000_000_000),
        modified_ms: Some(1_600_000_001_000),
    }
}

/// The bytes from `at` on, in pieces.
fn body(content: &[u8], at: u64) -> impl futures_util::Stream<Item = Result<Bytes>> + use<> {
    let rest = content[usize::try_from(at).unwrap()..].to_vec();
    let pieces: Vec<_> = rest
        .chunks(1_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces)
}

/// Announces and sends until the service has it; how many bytes were sent.
async fn put(remote: &Remote, place: &str, content: &[u8], only_new: bool) -> Result<u64> {
    let (place, facts) = (path(place), facts(content));
    let mut sent = 0;
    for _ in 0..5 {
        match remote.allocate(&place, &facts, only_new, &never()).await? {
            Allocated::Done => return Ok(sent),
            Allocated::Send { url, resume_at } => {
                let rest = body(content, resume_at);
                sent += facts.size - resume_at;
                let (told, moved) = std::sync::mpsc::channel();
                let tell = move |bytes| told.send(bytes).unwrap();
                let done = remote
                    .upload(&url, resume_at, facts.size, rest, tell, &never())
                    .await;
                match done {
                    Ok(Sent::Done { size, md5 }) => {
                        assert_eq!(moved.try_iter().sum::<u64>(), facts.size - resume_at);
                        assert_eq!(size, Some(facts.size));
                        assert_eq!(md5, Some(facts.md5));
                        return Ok(sent);
                    }
                    Ok(Sent::Incomplete)
                    | Err(Error::Offline { .. } | Error::ServerBusy { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    panic!("the service never had enough");
}

async fn history(remote: &Remote, place: &str) -> FileHistory {
    match remote.look(&path(place), &never()).await.unwrap() {
        Presence::File(file) => *file,
        other => panic!("{place} is {other:?}"),
    }
}

fn with(cloud: &Cloud, name: &str, answer: &str) {
    let mut switches = Switches::default();
    switches.set(name, answer).unwrap();
    cloud.set_switches(switches).unwrap();
}

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
async fn an_unfinished_upload_is_no_version_and_no_file() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Jotta/Sync/a.txt", b"whole").unwrap();
    let new = vec![7; 5_000];
    cloud
        .trouble()
        .add(Rule::on("upload").once().cut_upload_after(1_000));
    for place in ["Jotta/Sync/a.txt", "Jotta/Sync/new.txt"] {
        let told = remote
            .allocate(&path(place), &facts(&new), false, &never())
            .await;
        assert!(matches!(told, Ok(Allocated::Send { resume_at: 0, .. })));
    }
    let found = history(&remote, "Jotta/Sync/a.txt").await;
    assert_eq!(found.file.current.unwrap().md5, facts(b"whole").md5);
    assert_eq!(found.older, []);
    let look = remote.look(&path("Jotta/Sync/new.txt"), &never()).await;
    assert_eq!(look.unwrap(), Presence::Absent);
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
async fn an_upload_goes_on_from_where_the_service_says() {
    for (name, answer, least) in [
        ("partial_upload", "kept", 5_000),
        ("partial_upload", "gone", 6_000),
        ("upload_url", "once", 5_000),
        ("completed_url", "absent", 5_000),
    ] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, name, answer);
        let content: Vec<u8> = (0..5_000_u32).map(|n| n as u8).collect();
        cloud
            .trouble()
            .add(Rule::on("upload").once().cut_upload_after(2_500));
        let sent = put(&remote, "Jotta/Sync/deep/new/a", &content, true)
            .await
            .unwrap();
        assert!(sent >= least, "{name}={answer}: {sent}");
        let stored = cloud.writer().read("/Jotta/Sync/deep/new/a").unwrap();
        assert_eq!(stored, content, "{name}={answer}");
        let current = history(&remote, "Jotta/Sync/deep/new/a").await.file.current;
        let current = current.unwrap();
        assert_eq!(current.created_ms, Some(1_600_000_000_000));
        assert_eq!(current.modified_ms, Some(1_600_000_001_000));
    }
}

#[tokio::test]
async fn a_lost_answer_after_the_last_byte_is_no_loss() {
    let (cloud, remote, _directory) = cloud().await;
    let content = vec![3; 4_000];
    cloud.trouble().add(Rule::on("upload").once().lose_answer());
    assert_eq!(
        put(&remote, "Jotta/Sync/a", &content, false).await,
        Ok(4_000)
    );
    assert_eq!(cloud.counts().requests["upload"], 1);
    assert_eq!(history(&remote, "Jotta/Sync/a").await.older, []);
}

#[tokio::test]
async fn other_bytes_than_were_announced_are_refused_whatever_the_status() {
    for status in ["421", "400", "422"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "corrupt_status", status);
        let (announced, sent) = (vec![1; 3_000], vec![2; 3_000]);
        let place = path("Jotta/Sync/a");
        let told = remote
            .allocate(&place, &facts(&announced), true, &never())
            .await;
        let Ok(Allocated::Send { url, .. }) = told else {
            panic!("{told:?}");
        };
        let done = remote
            .upload(&url, 0, 3_000, body(&sent, 0), |_| {}, &never())
            .await;
        assert!(
            matches!(done, Err(Error::ContentMismatch { .. })),
            "{status}: {done:?}"
        );
        let look = remote.look(&place, &never()).await.unwrap();
        assert_eq!(look, Presence::Absent);
    }
}

#[tokio::test]
async fn an_error_of_the_body_comes_back_as_itself_and_a_cancel_ends_the_upload() {
    let (cloud, remote, _directory) = cloud().await;
    let place = path("Jotta/Sync/a");
    let announce = async || {
        let told = remote
            .allocate(&place, &facts(&[1; 3_000]), true, &never())
            .await;
        match told.unwrap() {
            Allocated::Send { url, .. } => url,
            Allocated::Done => panic!("nothing was sent"),
        }
    };
    let url = announce().await;
    let broken = stream::iter([Ok(Bytes::from_static(&[1; 500])), Err(Error::DiskFull)]);
    let done = remote
        .upload(&url, 0, 3_000, broken, |_| {}, &never())
        .await;
    assert_eq!(done, Err(Error::DiskFull));
    let url = announce().await;
    let cancel = CancelToken::new();
    let stop = cancel.clone();
    let endless = stream::unfold(0, move |n| {
        let stop = stop.clone();
        async move {
            if n == 2 {
                stop.cancel();
                std::future::pending::<()>().await;
            }
            Some((Ok(Bytes::from_static(&[1; 500])), n + 1))
        }
    });
    let done = remote
        .upload(&url, 0, 3_000, endless, |_| {}, &cancel)
        .await;
    assert_eq!(done, Err(Error::Cancelled));
    assert!(cloud.writer().read("/Jotta/Sync/a").is_err());
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
async fn an_answer_that_lies_about_an_upload_is_no_allocation() {
    let (cloud, remote, _directory) = cloud().await;
    let place = path("Jotta/Sync/a");
    for (old, new) in [
        ("http://127.0.0.1", "http://127.0.0.2"),
        ("http://127.0.0.1", "https://evil.example"),
        ("\"resume_pos\":0", "\"resume_pos\":99999"),
        ("\"state\"", "\"stale\""),
    ] {
        cloud
            .trouble()
            .add(Rule::on("allocate").once().replace(old, new));
        let told = remote
            .allocate(&place, &facts(&[1; 100]), true, &never())
            .await;
        assert!(
            matches!(told, Err(Error::BadAnswer { .. })),
            "{new}: {told:?}"
        );
    }
    cloud
        .trouble()
        .add(Rule::on("allocate").once().garbage(1 << 20));
    let told = remote
        .allocate(&place, &facts(&[1; 100]), true, &never())
        .await;
    assert!(matches!(told, Err(Error::BadAnswer { .. })), "{told:?}");
}

#[tokio::test]
async fn an_upload_on_which_nothing_moves_ends() {
    let (_cloud, remote, _directory) = cloud().await;
    let told = remote
        .allocate(&path("Jotta/Sync/a"), &facts(&[1; 3_000]), true, &never())
        .await;
    let Ok(Allocated::Send { url, .. }) = told else {
        panic!("{told:?}");
    };
    let remote = remote.impatient(Duration::from_millis(50));
    let stuck = stream::once(async { Ok(Bytes::from_static(&[1; 500])) })
        .chain(stream::once(std::future::pending()));
    let done = remote.upload(&url, 0, 3_000, stuck, |_| {}, &never()).await;
    assert!(matches!(done, Err(Error::Offline { .. })), "{done:?}");
}
