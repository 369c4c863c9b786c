//! How much a process grows while it downloads or uploads, in the profile of an extension.

use super::{look_up, upload};
use crate::measure::status_kib;
use lomme::content::Purpose;
use lomme::{CancelToken, Drive};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Downloads all `paths` at once to files in `dest`. The folders are known before the count begins, and with that the
/// connection is up.
pub fn run(drive: &Arc<Drive>, dest: &Path, paths: &[&str]) -> Value {
    let items: Vec<_> = paths.iter().map(|path| look_up(drive, path)).collect();
    let total: u64 = items.iter().filter_map(|item| item.size).sum();
    let fetch_all = || {
        lomme::runtime().block_on(async {
            let mut running = Vec::new();
            for (number, item) in items.into_iter().enumerate() {
                let (drive, dest) = (drive.clone(), dest.join(number.to_string()));
                running.push(lomme::runtime().spawn(async move {
                    drive
                        .content()
                        .fetch_to_file(
                            &item.id,
                            None,
                            &dest,
                            Purpose::Open,
                            None,
                            &CancelToken::new(),
                        )
                        .await
                        .unwrap();
                }));
            }
            for one in running {
                one.await.unwrap();
            }
        });
    };
    growth_of(total, fetch_all)
}

/// Stores the files of `source` in `folder` and sends them. The folder is known before the count begins.
pub fn sending(drive: &Drive, source: &Path, folder: &str) -> Value {
    let folder = look_up(drive, folder);
    let files = upload::files(source);
    let lengths = files.iter().map(|path| path.metadata().unwrap().len());
    growth_of(lengths.sum(), || {
        for path in &files {
            upload::store(drive, &folder.id, path, "borrow");
        }
        let run = upload::push(drive);
        assert_eq!((run.done, run.left), (files.len() as u64, 0), "{run:?}");
    })
}

pub fn growth_of(total: u64, work: impl FnOnce()) -> Value {
    let anonymous = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let watcher = watch(anonymous.clone(), over.clone());
    // The highest mark begins anew at what is resident now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kib("VmRSS:");
    let anonymous_before = kib("RssAnon:");
    anonymous.store(anonymous_before, Ordering::SeqCst);
    work();
    let after = kib("VmHWM:");
    over.store(true, Ordering::SeqCst);
    watcher.join().unwrap();
    let anonymous = anonymous.load(Ordering::SeqCst);
    json!({
        "bytes": total,
        "before_mib": before as f64 / 1024.0,
        "growth_mib": after.saturating_sub(before) as f64 / 1024.0,
        "anonymous_growth_mib": anonymous.saturating_sub(anonymous_before) as f64 / 1024.0,
    })
}

fn kib(line: &str) -> u64 {
    status_kib(std::process::id(), line)
}

/// Notes the most anonymous memory, of which the system keeps no mark.
fn watch(most: Arc<AtomicU64>, over: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !over.load(Ordering::SeqCst) {
            most.fetch_max(kib("RssAnon:"), Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}
