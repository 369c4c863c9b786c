//! Stores files as an app would, and sends them.

use super::look_up;
use lomme::catalog::{Item, ItemId};
use lomme::edits::{NewContent, Ownership, PushRun};
use lomme::{CancelToken, Drive};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Stores all files of the directory `source` in `folder`, one call after another, and sends them. With `take` the files
/// are given away, else they are copied.
pub fn run(drive: &Drive, how: &str, source: &Path, folder: &str) -> Value {
    let folder = look_up(drive, folder);
    let start = Instant::now();
    let files = files(source);
    for path in &files {
        store(drive, &folder.id, path, how);
    }
    let staged_s = start.elapsed().as_secs_f64();
    let run = push(drive);
    assert_eq!((run.done, run.left), (files.len() as u64, 0), "{run:?}");
    json!({
        "sent": run.sent_bytes,
        "staged_s": staged_s,
        "pushed_s": start.elapsed().as_secs_f64() - staged_s,
    })
}

/// The files of a directory, by name.
pub fn files(source: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(source).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

pub fn store(drive: &Drive, folder: &ItemId, path: &Path, how: &str) -> Item {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap();
    let content = NewContent {
        ownership: match how {
            "take" => Ownership::Take,
            _ => Ownership::Borrow,
        },
        ..NewContent::of(path)
    };
    drive
        .edits()
        .create_file(folder, name, content, None)
        .unwrap()
}

pub fn push(drive: &Drive) -> PushRun {
    lomme::runtime()
        .block_on(drive.edits().push(None, &CancelToken::new()))
        .unwrap()
}
