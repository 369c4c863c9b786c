#![allow(clippy::unwrap_used)]

//! Cost of the tree itself, without a network. Run with `--release -- --ignored --nocapture`.

use super::pocket::Pocket;
use super::stage::{Run, root_scope};
use super::*;
use crate::remote::{RemoteFile, Revision, TreeEntry};
use std::collections::HashMap;
use std::time::{Duration, Instant};

fn entry(folder: u64, n: u64, changed: bool) -> TreeEntry {
    let mut md5 = [0; 16];
    md5[..8].copy_from_slice(&(folder * 1_000 + n).to_be_bytes());
    md5[8] = u8::from(changed);
    TreeEntry::File {
        folder: vec![
            format!("Year {}", folder / 100),
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
    let mut scope = root_scope(Space::Sync);
    scope.tree = true;
    let before = cpu();
    let mut run = Run::begin(pocket.catalog.store.clone(), scope).unwrap();
    let mut made = Duration::ZERO;
    for folder in (0..folders).collect::<Vec<_>>().chunks(20) {
        let start = cpu();
        let batch = folder
            .iter()
            .flat_map(|folder| (0..files).map(|n| entry(*folder, n, false)))
            .collect();
        made += cpu() - start;
        run.tree(batch).unwrap();
    }
    let staged = cpu() - before - made;
    super::merge::merge(run, &HashMap::new()).unwrap();
    let all = cpu() - before - made;
    eprintln!("{folders} × {files}: {all:?}, of it {staged:?} for comparing and staging");
    all
}

/// CPU time of this process, from /proc.
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
        let mut times = Vec::new();
        for _ in 0..5 {
            let mut page = None;
            loop {
                let start = Instant::now();
                let next = pocket
                    .catalog
                    .children(&folder, order, page.as_deref(), 200)
                    .unwrap();
                times.push(start.elapsed());
                assert_eq!(next.items.len(), 200);
                page = next.next;
                if page.is_none() {
                    break;
                }
            }
        }
        // The first round gave out ids; the rounds after it are reads.
        let mut reads = times.split_off(50);
        reads.sort_unstable();
        let p99 = reads[reads.len() * 99 / 100];
        eprintln!(
            "{order:?}: median {:?}, p99 {p99:?}",
            reads[reads.len() / 2]
        );
        assert!(p99 < Duration::from_millis(1));
    }
}
