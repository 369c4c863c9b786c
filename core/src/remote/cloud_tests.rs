//! The remote against the local cloud.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::account::{Account, MemoryVault};
use crate::clock::SystemClock;
use crate::drive::Life;
use crate::store::Store;
use local_cloud::{Bomb, Cloud, CloudOptions, Rule, Stats};
use md5::{Digest, Md5};
use std::collections::BTreeSet;

/// A cloud, and a remote that is signed in to it. The directory lasts as long as both.
pub(super) async fn cloud() -> (Cloud, Remote, tempfile::TempDir) {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let store = Arc::new(
        Store::open(
            directory.path(),
            false,
            clock.clone(),
            Arc::new(crate::disk::RealDisk),
        )
        .unwrap(),
    );
    let vault = Arc::new(MemoryVault::default());
    let account = Account::new(store, vault, clock, None, Life::new(), Arc::new(|| {})).unwrap();
    let token = Secret::new(cloud.login_token().unwrap());
    account.sign_in(&token, &never()).await.unwrap();
    let remote = Remote::new(account.transport(), account);
    (cloud, remote, directory)
}

pub(super) fn never() -> CancelToken {
    CancelToken::new()
}

pub(super) fn path(text: &str) -> RemotePath {
    RemotePath::new(
        text.split('/')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

async fn entries(mut list: ListReader) -> Vec<Entry> {
    let mut all = Vec::new();
    while let Some(batch) = list.next(&never()).await.unwrap() {
        assert!(batch.len() <= 512);
        all.extend(batch);
    }
    all
}

fn names_in(entries: &[Entry]) -> BTreeSet<String> {
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Folder(folder) => format!("{}/", folder.name),
            Entry::File(file) => file.name.clone(),
        })
        .collect()
}

const ODD: [&str; 8] = [
    "plain.txt",
    // The service's own answer to a raw `%` in a path is a 400, so nobody writes one.
    "a+b #1; 50\u{ff05}.txt",
    " leading and trailing ",
    "\u{ff1a}\u{201b}\u{ff1a}wide",
    "\"quoted\" & <tagged> 'it'",
    "bl\u{e5}b\u{e6}r \u{4e16}\u{754c} \u{1F600}",
    ".hidden",
    "back\\slash.",
];

#[tokio::test]
async fn odd_names_come_back_as_they_are_and_can_be_asked_for() {
    let (cloud, remote, _directory) = cloud().await;
    for name in ODD {
        cloud
            .writer()
            .put(&format!("/Jotta/Archive/dir/{name}"), name.as_bytes())
            .unwrap();
    }
    let listed = entries(
        remote
            .list(&path("Jotta/Archive/dir"), &never())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        names_in(&listed),
        ODD.iter().map(|&name| name.to_owned()).collect()
    );
    for name in ODD {
        let place = path("Jotta/Archive/dir").child(name);
        let list = remote.list(&place, &never()).await.unwrap();
        let Listing::File(file) = list.listing else {
            panic!("{name} is a file");
        };
        let current = file.current.unwrap();
        assert_eq!(
            (file.name.as_str(), current.size),
            (name, name.len() as u64)
        );
        assert_eq!(current.md5, <[u8; 16]>::from(Md5::digest(name)));
        assert!(file.uuid.is_some());
        let mut body = remote.open(&place, 1, None, &never()).await.unwrap();
        assert_eq!((body.offset, body.total), (1, Some(name.len() as u64)));
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next(&never()).await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(bytes, &name.as_bytes()[1..]);
        let mut body = remote.open(&place, 1, Some(4), &never()).await.unwrap();
        assert_eq!((body.offset, body.total), (1, Some(name.len() as u64)));
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next(&never()).await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(bytes, &name.as_bytes()[1..4]);
    }
    let beyond = remote
        .open(&path("Jotta/Archive/dir/plain.txt"), 999, None, &never())
        .await;
    assert_eq!(beyond.err(), Some(Error::VersionGone));
}

#[tokio::test]
async fn a_listing_and_a_liststream_say_the_same() {
    let (cloud, remote, _directory) = cloud().await;
    let writer = cloud.writer();
    writer.mkdir("/Jotta/Sync/empty/deeper").unwrap();
    for n in 0..700 {
        writer
            .put_at(
                &format!("/Jotta/Sync/many/{n}"),
                b"x",
                1_700_000_000_123,
                1_700_000_000_987,
            )
            .unwrap();
    }
    writer.put("/Jotta/Sync/top", b"").unwrap();
    writer.put("/Jotta/Sync/gone", b"gone").unwrap();
    writer.trash("/Jotta/Sync/gone").unwrap();

    let mut tree = remote.tree(&path("Jotta/Sync"), &never()).await.unwrap();
    let (mut folders, mut files) = (BTreeSet::new(), Vec::new());
    while let Some(batch) = tree.next(&never()).await.unwrap() {
        for entry in batch {
            match entry {
                TreeEntry::Folder { folder } => drop(folders.insert(folder.join("/"))),
                TreeEntry::File { folder, file } => files.push((folder.join("/"), file)),
            }
        }
    }
    let expected = ["", "empty", "empty/deeper", "many"].map(str::to_owned);
    assert_eq!(folders, expected.into_iter().collect());
    assert_eq!(
        tree.totals(),
        TreeTotals {
            folders: 4,
            files: 701
        }
    );

    let listed = entries(
        remote
            .list(&path("Jotta/Sync/many"), &never())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(listed.len(), 700);
    for entry in listed {
        let Entry::File(file) = entry else {
            panic!("only files in there");
        };
        let streamed = files
            .iter()
            .find(|(folder, f)| folder == "many" && f.name == file.name);
        let (one, other) = (
            streamed.unwrap().1.current.clone().unwrap(),
            file.current.unwrap(),
        );
        assert_eq!((one.size, one.md5), (other.size, other.md5));
        assert_eq!(
            (one.created_ms, one.modified_ms),
            (other.created_ms, other.modified_ms)
        );
        assert_eq!(other.modified_ms, Some(1_700_000_000_000));
    }

    let top = entries(remote.list(&path("Jotta/Sync"), &never()).await.unwrap()).await;
    let tombstone = top.iter().find_map(|entry| match entry {
        Entry::File(file) if file.name == "gone" => file.deleted_ms,
        _ => None,
    });
    assert!(tombstone.is_some());
    let trash = entries(remote.list_trash(&never()).await.unwrap()).await;
    let [Entry::File(gone)] = trash.as_slice() else {
        panic!("{trash:?}");
    };
    assert_eq!(gone.trashed_from, Some(path("Jotta/Sync")));
}

#[tokio::test]
async fn devices_and_mount_points_are_listed_as_folders() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Laptop/Documents/a", b"a").unwrap();
    cloud.writer().put("/Laptop/Old/a", b"a").unwrap();
    cloud.writer().trash("/Laptop/Old").unwrap();
    let devices = entries(remote.list(&path(""), &never()).await.unwrap()).await;
    assert!(names_in(&devices).is_superset(&["Jotta/".to_owned(), "Laptop/".to_owned()].into()));
    let mount_points = entries(remote.list(&path("Laptop"), &never()).await.unwrap()).await;
    assert_eq!(names_in(&mount_points), ["Documents/".to_owned()].into());
    let missing = remote
        .list(&path("Laptop/Documents/none"), &never())
        .await
        .err()
        .unwrap();
    assert!(matches!(missing, Error::NoSuchItem { .. }), "{missing:?}");
    let missing = remote
        .tree(&path("Laptop/None"), &never())
        .await
        .err()
        .unwrap();
    assert!(matches!(missing, Error::NoSuchItem { .. }), "{missing:?}");
}

#[tokio::test]
async fn whatever_is_sent_in_place_of_a_listing_is_a_bad_answer_in_bounded_time() {
    let (cloud, remote, _directory) = cloud().await;
    let writer = cloud.writer();
    writer.put("/Jotta/Archive/dir/name", b"x").unwrap();
    let bombs = [
        Bomb::Entities,
        Bomb::Nesting,
        Bomb::Attribute,
        Bomb::Text,
        Bomb::Attributes,
    ];
    let mut rules: Vec<fn(Rule) -> Rule> = vec![|rule| rule.garbage(1 << 30)];
    rules.extend([
        (|rule| rule.rename("name", "../../name")) as fn(Rule) -> Rule,
        |rule| rule.rename("name", ".."),
        |rule| rule.rename("name", "na\0me"),
        |rule| rule.rename("name", ""),
        |rule| rule.replace("</file>", "</elif>"),
    ]);
    let begun = std::time::Instant::now();
    let check = async |what: &str| {
        let listed = async {
            let mut list = remote.list(&path("Jotta/Archive/dir"), &never()).await?;
            while list.next(&never()).await?.is_some() {}
            Ok::<(), Error>(())
        };
        let listed = listed.await;
        assert!(
            matches!(listed, Err(Error::BadAnswer { .. })),
            "{what}: {listed:?}"
        );
        let mut tree = remote
            .tree(&path("Jotta/Archive/dir"), &never())
            .await
            .unwrap();
        let streamed = async {
            while tree.next(&never()).await?.is_some() {}
            Ok::<(), Error>(())
        };
        let streamed = streamed.await;
        assert!(
            matches!(streamed, Err(Error::BadAnswer { .. })),
            "{what}: {streamed:?}"
        );
        cloud.trouble().clear();
    };
    for (at, rule) in rules.into_iter().enumerate() {
        cloud.trouble().add(rule(Rule::on("get").path("/Jotta")));
        cloud.trouble().add(rule(Rule::on("liststream")));
        check(&format!("rule {at}")).await;
    }
    for bomb in bombs {
        cloud
            .trouble()
            .add(Rule::on("get").path("/Jotta").bomb(bomb));
        cloud.trouble().add(Rule::on("liststream").bomb(bomb));
        check(&format!("{bomb:?}")).await;
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
}

#[tokio::test]
async fn a_liststream_whose_end_lies_proves_nothing() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Jotta/Archive/dir/name", b"x").unwrap();
    for stats in [Stats::Cut, Stats::LeftOut, Stats::Wrong] {
        cloud.trouble().add(Rule::on("liststream").stats(stats));
        let mut tree = remote.tree(&path("Jotta/Archive"), &never()).await.unwrap();
        let read = async {
            while tree.next(&never()).await?.is_some() {}
            Ok::<(), Error>(())
        };
        let read = read.await;
        assert!(
            matches!(read, Err(Error::BadAnswer { .. })),
            "{stats:?}: {read:?}"
        );
        cloud.trouble().clear();
    }
    for cut in [0, 1, 20, 100, 150] {
        cloud.trouble().add(Rule::on("liststream").cut_after(cut));
        let read = async {
            let mut tree = remote.tree(&path("Jotta/Archive"), &never()).await?;
            while tree.next(&never()).await?.is_some() {}
            Ok::<(), Error>(())
        };
        let read = read.await;
        assert!(
            matches!(read, Err(Error::Offline { .. })),
            "cut at {cut}: {read:?}"
        );
        cloud.trouble().clear();
    }
}

#[tokio::test]
async fn change_events_come_over_tls_with_the_same_roots_as_all_else() {
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let rcgen::CertifiedKey { cert, signing_key } = made;
    let (certificate, key) = (directory.path().join("c"), directory.path().join("k"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let cloud = Cloud::start(CloudOptions {
        tls: Some(local_cloud::Tls { certificate, key }),
        ..CloudOptions::default()
    })
    .unwrap();
    let endpoints = Endpoints {
        extra_roots_pem: Some(cert.pem()),
        ..Endpoints::at(&cloud.url())
    };
    let clock = Arc::new(SystemClock);
    let store = Store::open(
        &directory.path().join("drive"),
        false,
        clock.clone(),
        Arc::new(crate::disk::RealDisk),
    );
    let account = Account::new(
        Arc::new(store.unwrap()),
        Arc::new(MemoryVault::default()),
        clock,
        Some(endpoints),
        Life::new(),
        Arc::new(|| {}),
    )
    .unwrap();
    let token = Secret::new(cloud.login_token().unwrap());
    account.sign_in(&token, &never()).await.unwrap();
    let remote = Remote::new(account.transport(), account.clone());
    let mut events = remote.events(&never()).await.unwrap().unwrap();
    cloud.writer().put("/Jotta/Archive/a b", b"x").unwrap();
    let event = events.next(&never()).await.unwrap();
    assert_eq!(event.paths, [path("Jotta/Archive/a b")]);

    let strange = Remote::new(Transport::new(None).unwrap(), account);
    let refused = strange.events(&never()).await.err().unwrap();
    assert!(matches!(refused, Error::Offline { .. }), "{refused:?}");
}
