//! Nothing is fetched unasked, and memory does not grow with the tree.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{BulkFile, Cloud, CloudOptions};
use lomme::catalog::{Kind, Order, Space};
use lomme::conditions::Situation;
use lomme::content::{Network, Purpose};
use lomme::{CancelToken, Error};
use lomme_e2e::Pocket;
use std::io::Write;
use std::process::{Command, Stdio};

/// `files` small files in folders of 20, without a blob for each.
fn cloud_of(files: u64) -> Cloud {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    let when = 1_700_000_000_000;
    cloud
        .writer()
        .put_many((0..files).map(|n| BulkFile {
            path: format!(
                "/Jotta/Sync/area {}/folder {}/file {n}.txt",
                n / 2000,
                n / 20
            ),
            seed: n,
            size: 100 + n % 900,
            created: when,
            modified: when + n as i64 * 1000,
        }))
        .unwrap();
    cloud
}

fn sync_bytes(cloud: &Cloud) -> u64 {
    cloud
        .counts()
        .content_bytes
        .iter()
        .filter(|(key, _)| key.starts_with("Sync/"))
        .map(|(_, bytes)| bytes)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexing_and_browsing_100000_files_fetches_no_byte_of_sync() {
    let cloud = cloud_of(100_000);
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    let found = pocket.index(Space::Sync).await.unwrap();
    assert_eq!((found.files, found.added), (100_000, 100_000 + 5_000 + 50));
    assert_eq!(
        pocket.index(Space::Sync).await.unwrap().changed,
        0,
        "nothing changed the second time"
    );
    let area = pocket.item("Sync/area 3").unwrap();
    catalog.refresh(&area.id, &cancel).await.unwrap();
    for order in [Order::Name, Order::Newest, Order::Largest] {
        assert_eq!(
            catalog
                .children(&area.id, order, None, 200)
                .unwrap()
                .items
                .len(),
            100
        );
    }
    let file = pocket
        .item("Sync/area 49/folder 4999/file 99999.txt")
        .unwrap();
    assert_eq!(file.kind, Kind::File);
    assert_eq!(pocket.drive.status().unwrap().items[0], found.added);
    assert_eq!(
        pocket.drive.content().ledger().unwrap(),
        [],
        "the client's count"
    );
    assert_eq!(sync_bytes(&cloud), 0, "the server's count");

    pocket
        .drive
        .set_situation(Situation {
            network: Network::Unmetered,
            ..Situation::default()
        })
        .unwrap();
    let dest = pocket.outer.path().join("asked for");
    let got = pocket
        .drive
        .content()
        .fetch_to_file(&file.id, None, &dest, Purpose::Open, None, &cancel)
        .await
        .unwrap();
    let ledger = pocket.drive.content().ledger().unwrap();
    assert_eq!(
        (ledger[0].bytes, ledger[0].network),
        (got.bytes, Network::Unmetered)
    );
    assert_eq!(
        sync_bytes(&cloud),
        got.bytes,
        "a planted byte would show in both counts"
    );
}

/// How many KiB indexing added to the peak of a process of its own.
fn growth_by_indexing(cloud: &Cloud) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut probe = Command::new(env!("CARGO_BIN_EXE_probe"))
        .arg("index")
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    probe
        .stdin
        .take()
        .unwrap()
        .write_all(cloud.login_token().unwrap().as_bytes())
        .unwrap();
    let output = probe.wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    let mut peaks = told
        .lines()
        .find_map(|line| line.strip_prefix("peak "))
        .unwrap()
        .split(' ');
    let mut next = || peaks.next().unwrap().parse::<u64>().unwrap();
    let (before, after) = (next(), next());
    assert!(before > 0, "the system tells the peak");
    after - before
}

#[cfg(target_os = "linux")]
#[test]
fn an_index_of_100000_files_needs_little_more_memory_than_one_of_10000() {
    let (small, large) = (
        growth_by_indexing(&cloud_of(10_000)),
        growth_by_indexing(&cloud_of(100_000)),
    );
    println!("indexing 10,000 files grew the process by {small} KiB, 100,000 by {large} KiB");
    assert!(large < small + 20 * 1024, "{small} KiB, then {large} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_not_a_file_to_download() {
    let cloud = cloud_of(20);
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let folder = pocket.item("Sync/area 0").unwrap();
    let dest = pocket.outer.path().join("folder");
    let refused = pocket
        .drive
        .content()
        .fetch_to_file(
            &folder.id,
            None,
            &dest,
            Purpose::Open,
            None,
            &CancelToken::new(),
        )
        .await;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })));
    assert_eq!(sync_bytes(&cloud), 0);
}
