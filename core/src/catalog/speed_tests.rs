#![allow(clippy::unwrap_used)]

//! Cost of the tree itself, without a network. Run with `--release -- --ignored --nocapture`.

use super::pocket::Pocket;
use super::stage::{Run, root_scope};
use super::*;
use crate::remote::{RemoteFile, Revision, TreeEntry};
use std::time::{Duration, Instant};

fn entry(top: &str, folder: u64, n: u64) -> TreeEntry {
    let mut md5 = [0; 16];
    md5[..8].copy_from_slice(&(folder * 1_000 + n).to_be_bytes());
    TreeEntry::File {
        folder: vec![
            format!("{top} {}", folder / 100),
            format!("Folder {folder:05}"),
        ],
        file: RemoteFile {
            name: format!("IMG_{folder:05}_{n:05}.jpg"),
            uuid: None,
            current: Some(Revision {
                number: None,
                size: 1_000_000 + n,
                md5,
                created_ms: Some(1_700_000_000_000),
                modified_ms: Some(1_700_000_000_000 + i64::try_from(n).unwrap() * 1_000),
                updated_ms: None,
                mime: None,
            }),
            deleted_ms: None,
            shared: None,
            trashed_from: None,
        },
    }
}

/// Indexes `folders` × `files` files; the CPU time of this thread.
fn index(pocket: &Pocket, folders: u64, files: u64) -> Duration {
    let (run, staged) = listed(pocket, "Year", folders, files);
    let start = cpu();
    pocket.merge(run).unwrap();
    let all = staged + cpu() - start;
    eprintln!("{folders} × {files}: {all:?}, of it {staged:?} for comparing and staging");
    all
}

fn listed(pocket: &Pocket, top: &str, folders: u64, files: u64) -> (Run, Duration) {
    let mut scope = root_scope(Space::Sync);
    scope.tree = true;
    let before = cpu();
    let mut run = pocket.begin(scope);
    let mut made = Duration::ZERO;
    for folder in (0..folders).collect::<Vec<_>>().chunks(20) {
        let start = cpu();
        let batch = folder
            .iter()
            .flat_map(|folder| (0..files).map(|n| entry(top, *folder, n)))
            .collect();
        made += cpu() - start;
        run.tree(batch).unwrap();
    }
    (run, cpu() - before - made)
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = stat.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanos)
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[ignore = "a measurement: in release, alone"]
fn indexing_a_hundred_thousand_files_is_fast_and_small() {
    let small = Pocket::new();
    index(&small, 500, 20);
    let before = resident_kib();
    let pocket = Pocket::new();
    let first = index(&pocket, 5_000, 20);
    let grown = resident_kib() - before;
    let again = index(&pocket, 5_000, 20);
    eprintln!("first {first:?}, again {again:?}, grown {grown} KiB");
    assert!(grown < 20 * 1024);
    assert!(first < Duration::from_millis(800));
    assert!(again < first / 2);
}

#[test]
#[ignore = "a measurement: in release, alone"]
fn a_page_of_a_large_folder_takes_less_than_a_millisecond() {
    let pocket = Pocket::new();
    index(&pocket, 1, 10_000);
    let folder = pocket.id(&["Sync", "Year 0", "Folder 00000"]);
    for order in [Order::Name, Order::Newest, Order::Largest] {
        // The best of some rounds for each page, so that what else the machine does is left out.
        let mut best = vec![Duration::MAX; 50];
        for _ in 0..8 {
            let mut page = None;
            for best in &mut best {
                let start = Instant::now();
                let next = pocket
                    .catalog
                    .children(&folder, order, page.as_deref(), 200)
                    .unwrap();
                *best = start.elapsed().min(*best);
                assert_eq!(next.items.len(), 200);
                page = next.next;
            }
            assert_eq!(page, None);
        }
        best.sort_unstable();
        eprintln!(
            "{order:?}: median {:?}, slowest page {:?}",
            best[25], best[49]
        );
        assert!(best[49] < Duration::from_millis(1));
    }
}

#[test]
#[ignore = "a measurement: in release, alone"]
fn a_search_over_a_hundred_thousand_names_takes_less_than_ten_milliseconds() {
    let pocket = Pocket::new();
    index(&pocket, 5_000, 20);
    for round in ["first", "again"] {
        let mut all = Vec::new();
        for text in [
            "i",
            "img_",
            "0",
            "jpg",
            "folder",
            "00017.jpg",
            "img 04 7",
            "nothing",
            "e 1",
        ] {
            let (start, before) = (Instant::now(), cpu());
            let found = pocket.catalog.search(&Search::new(text)).unwrap();
            let (took, of_it) = (start.elapsed(), cpu() - before);
            eprintln!(
                "{round} {text:?}: {} in {took:?}, {of_it:?} of this thread",
                found.items.len()
            );
            all.push(took);
        }
        let images = Search {
            mime: Some("image/".into()),
            at_least: Some(1_000_005),
            ..Search::new("")
        };
        let start = Instant::now();
        pocket.catalog.search(&images).unwrap();
        eprintln!("{round} all images: {:?}", start.elapsed());
        let start = Instant::now();
        pocket.catalog.recents(100).unwrap();
        let recents = start.elapsed();
        eprintln!("{round} recents: {recents:?}");
        if round == "again" {
            assert!(all.iter().max().unwrap() < &Duration::from_millis(10));
            assert!(recents < Duration::from_millis(5));
        }
    }
}

#[tokio::test]
#[ignore = "a measurement: in release, alone"]
async fn renaming_what_holds_a_hundred_thousand_files_keeps_ids_at_a_bearable_price() {
    let pocket = Pocket::new();
    index(&pocket, 5_000, 20);
    let ids = [
        pocket.id(&["Sync", "Year 0", "Folder 00000", "IMG_00000_00003.jpg"]),
        pocket.id(&["Sync", "Year 0"]),
    ];
    let start = Instant::now();
    let (run, _) = listed(&pocket, "Jahr", 5_000, 20);
    let path = crate::remote::RemotePath::new(vec!["Jotta".into(), "Sync".into()]);
    let cancel = CancelToken::new();
    let (run, inherits) = pocket
        .catalog
        .recognise_tree(run, &path, &cancel)
        .await
        .unwrap();
    eprintln!("recognised {} after {:?}", inherits.len(), start.elapsed());
    let mut done = super::merge::Merged::default();
    super::merge::merge(run, &inherits, &cancel, &mut done).unwrap();
    eprintln!("{:?} after {:?}", done.counts, start.elapsed());
    assert_eq!(
        pocket.id(&["Sync", "Jahr 0", "Folder 00000", "IMG_00000_00003.jpg"]),
        ids[0]
    );
    assert_eq!(pocket.id(&["Sync", "Jahr 0"]), ids[1]);
    assert_eq!(pocket.catalog.counts().unwrap()[0], 105_050);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: in release, alone"]
async fn a_hundred_thousand_files_of_a_cloud_are_indexed_without_a_byte_of_content() {
    let world = super::cloud_tests::World::new(&[]).await;
    let files = (0..100_000_u64).map(|n| local_cloud::BulkFile {
        path: format!(
            "/Jotta/Sync/Year {}/Folder {:05}/IMG_{n:06}.jpg",
            n / 2_000,
            n / 20
        ),
        seed: n,
        size: 1_000 + n,
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000,
    });
    world.writer().put_many(files).unwrap();
    for round in ["first", "again"] {
        let start = Instant::now();
        let done = world.index(Space::Sync).await.unwrap();
        eprintln!("{round}: {:?} for {done:?}", start.elapsed());
        assert_eq!(done.files, 100_000);
    }
    let served: u64 = world.cloud.counts().content_bytes.values().sum();
    assert_eq!(served, 0);
}
