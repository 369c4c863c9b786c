//! `lomme camera watch`: files that change lead to a scan and a run.
//!
//! What the system tells of changes is a hint and may be lost: the scan finds what has changed, and one is made from time to
//! time without a hint.

use super::{Desk, scan, send};
use crate::args::{CameraWatch, SomeSource};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use lomme::CancelToken;
use lomme::camera::{Batch, Next};
use notify::{EventKind, RecursiveMode, Watcher};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long it must be quiet after a change, and how long that may take.
const QUIET: Duration = Duration::from_secs(2);
const BUSY: Duration = Duration::from_secs(30);
/// How long a change may go unseen of which no hint came.
const LOOK: Duration = Duration::from_secs(15 * 60);

pub async fn run(
    args: &CameraWatch,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    if desk.camera().device()?.is_none() {
        return Err(Failure::no_device());
    }
    let until = args
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let of = SomeSource {
        source: args.source.clone(),
    };
    let hint = Arc::new(Notify::new());
    let _watcher = watcher(desk, &of, &hint)?;
    output.remark("Watching; Ctrl-C ends it.");
    loop {
        let outcome = one(desk, &of, until, output, cancel).await;
        let batch = match outcome {
            Err(failure) if failure.kind() == "cancelled" => return Ok(()),
            outcome => outcome?,
        };
        let wait = match batch.next {
            Next::After { ms } => Duration::from_millis(ms).min(LOOK),
            Next::Now => QUIET,
            _ => LOOK,
        };
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = ended(until) => return Ok(()),
            () = tokio::time::sleep(wait) => {}
            () = settled(&hint) => {}
        }
    }
}

async fn one(
    desk: &Desk,
    of: &SomeSource,
    until: Option<Instant>,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<Batch, Failure> {
    let scans = scan::all(desk, &desk.sources(of)?, output, cancel).await?;
    let batch = send::send(desk, until, None, output, cancel).await?;
    let needs_user = desk.camera().status()?.needs_user;
    send::tell(scans, &batch, needs_user, output)?;
    output.flush()?;
    Ok(batch)
}

fn watcher(
    desk: &Desk,
    of: &SomeSource,
    hint: &Arc<Notify>,
) -> Result<notify::RecommendedWatcher, Failure> {
    let hint = hint.clone();
    let failed = |error: notify::Error| {
        Failure::machine(format!(
            "changes cannot be watched: {}",
            shown(&error.to_string())
        ))
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Our own reading is no change.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            hint.notify_one();
        }
    })
    .map_err(failed)?;
    for source in desk.sources(of)? {
        if let Some(folder) = desk.rolls.folder(&source) {
            watcher
                .watch(folder, RecursiveMode::Recursive)
                .map_err(failed)?;
        }
    }
    Ok(watcher)
}

/// A change came, and then none for a while.
async fn settled(hint: &Notify) {
    hint.notified().await;
    let latest = Instant::now() + BUSY;
    while Instant::now() < latest {
        if tokio::time::timeout(QUIET, hint.notified()).await.is_err() {
            return;
        }
    }
}

async fn ended(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}
