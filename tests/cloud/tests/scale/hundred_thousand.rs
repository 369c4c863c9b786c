//! 100,000 files in 5,000 folders: seeded in one transaction, streamed in bounded memory.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use local_cloud::BulkFile;
use tokio::sync::Mutex;

use crate::client::Client;

/// One test at a time: the memory measured is the process's.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Resident memory of this process, in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_files_are_seeded_and_streamed_within_seconds_and_little_memory() {
    let _alone = ALONE.lock().await;
    let client = Client::new().await;
    let files = (0..5_000).flat_map(|folder| {
        (0..20).map(move |file| BulkFile {
            path: format!(
                "/Jotta/Sync/{:02}/folder {folder}/file {file}.txt",
                folder / 100
            ),
            seed: folder * 20 + file,
            size: 1 + file,
            created: 1_577_934_245_000,
            modified: 1_612_325_106_000,
        })
    });
    let begun = Instant::now();
    assert_eq!(client.writer().put_many(files).unwrap(), 100_000);
    let seeded = begun.elapsed();
    assert!(seeded < Duration::from_secs(600), "seeding took {seeded:?}");

    let stats = "<stats><folders>5051</folders><files>100000</files></stats>";
    for (mode, end) in [("liststream", stats), ("list", "</filedirlist>")] {
        let before = resident();
        let begun = Instant::now();
        let answer = client.get(&format!("/Jotta/Sync?mode={mode}")).await;
        let mut stream = answer.bytes_stream();
        let (mut bytes, mut tail) = (0, Vec::new());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.unwrap();
            bytes += chunk.len();
            tail.extend_from_slice(&chunk);
            let keep = tail.len().saturating_sub(200);
            tail.drain(..keep);
        }
        let streamed = begun.elapsed();
        let tail = String::from_utf8_lossy(&tail);
        assert!(tail.contains(end), "{tail}");
        assert!(bytes > 20_000_000);
        assert!(
            streamed < Duration::from_secs(300),
            "{mode} took {streamed:?}"
        );
        if let (Some(before), Some(after)) = (before, resident()) {
            let grown = after.saturating_sub(before);
            assert!(grown < 16 * 1024 * 1024, "{mode} grew by {grown} bytes");
        }
        println!("{mode}: {bytes} bytes in {streamed:?}, seeded in {seeded:?}");
    }
    assert_eq!(client.cloud().counts().content_bytes.len(), 0);
}

#[tokio::test]
async fn a_large_generated_file_takes_no_room_and_any_range_of_it_is_quick() {
    let _alone = ALONE.lock().await;
    let client = Client::new().await;
    let size: u64 = 64 << 20;
    client
        .writer()
        .put_generated("/Jotta/Sync/big.mp4", 5, size, 0)
        .unwrap();
    let begun = Instant::now();
    let range = format!("bytes={}-{}", size - 10, size + 10);
    let part = client.range("/Jotta/Sync/big.mp4?mode=bin", &range).await;
    assert_eq!(part.bytes().await.unwrap().len(), 10);
    assert!(begun.elapsed() < Duration::from_secs(20));
    let blobs = std::fs::read_dir(client.cloud().directory().join("blobs"))
        .unwrap()
        .count();
    assert_eq!(blobs, 1, "only the folder of partial uploads");
}
