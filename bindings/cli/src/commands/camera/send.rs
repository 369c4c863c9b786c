//! `lomme camera run` and `lomme camera status`

use super::{Desk, because, items, scan};
use crate::args::CameraRun;
use crate::commands::{count, size};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::progress::Shown;
use crate::shapes::{BackupShape, CameraStatusShape};
use lomme::camera::{Amount, Batch, Budget, CameraHold, CameraRules, Next};
use lomme::conditions::Waiting;
use lomme::edits::AccountHold;
use lomme::{CancelToken, Error};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was written a moment ago is read once it has rested; for longer a run does not wait.
const PATIENCE: Duration = Duration::from_secs(15);

pub async fn run(
    args: &CameraRun,
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
    let sources = desk.camera().sources()?;
    if sources.is_empty() {
        output.remark("Nothing is backed up: 'lomme camera add FOLDER'.");
    }
    let scans = scan::all(desk, &sources, output, cancel).await?;
    let batch = send(desk, until, args.bytes, output, cancel).await?;
    let needs_user = desk.camera().status()?.needs_user;
    tell(scans, &batch, needs_user, output)?;
    let had_all_the_time = args.seconds.is_none() && args.bytes.is_none();
    stopped(&batch, needs_user, had_all_the_time)
}

pub fn tell(
    scans: Vec<scan::Scanned>,
    batch: &Batch,
    needs_user: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        let scans = scans.iter().map(scan::Scanned::shape).collect();
        return output.document(&BackupShape::new(scans, batch, needs_user));
    }
    for scan in &scans {
        scan.tell(output)?;
    }
    output.line(format!(
        "{} in the cloud and proven, {} sent",
        count(batch.done, "file"),
        size(batch.sent_bytes)
    ))?;
    if batch.trashed > 0 {
        output.line(format!(
            "{} moved to the cloud's trash, as here",
            count(batch.trashed, "file")
        ))?;
    }
    if batch.remaining > 0 {
        let why = match (&batch.hold, batch.next) {
            (Some(hold), _) => format!(": {}", because(hold)),
            (None, Next::After { ms }) => format!(": looked at again in {} s", ms.div_ceil(1000)),
            (None, _) => String::new(),
        };
        output.line(format!(
            "{} left, {}{why}",
            count(batch.remaining, "file"),
            size(batch.bytes_left)
        ))?;
    }
    Ok(())
}

/// Slices of work until nothing is left, or nothing more can be done now, or the budget is used up.
pub async fn send(
    desk: &Desk,
    until: Option<Instant>,
    bytes: Option<u64>,
    output: &Output,
    cancel: &CancelToken,
) -> Result<Batch, Failure> {
    let mut all = Batch::default();
    let mut fruitless = 0;
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let budget = Budget {
            time_ms: left.map(|left| left.as_millis().try_into().unwrap_or(u64::MAX)),
            bytes: bytes.map(|bytes| bytes.saturating_sub(all.sent_bytes)),
        };
        let bar = Arc::new(Shown::bytes(output));
        let batch = desk
            .camera()
            .run_batch(&budget, Some(bar.clone()), cancel)
            .await;
        drop(bar);
        let batch = batch.map_err(|error| Failure::from(error).of_backup())?;
        let moved = batch.done + batch.sent_bytes + batch.read > 0;
        all = Batch {
            done: all.done + batch.done,
            sent_bytes: all.sent_bytes + batch.sent_bytes,
            read: all.read + batch.read,
            trashed: all.trashed + batch.trashed,
            ..batch
        };
        // What rests is read after one wait; what fails goes on failing.
        fruitless += u32::from(!moved);
        let wait = match all.next {
            Next::Now if moved => Duration::ZERO,
            Next::After { ms } if fruitless < 2 => Duration::from_millis(ms),
            _ => return Ok(all),
        };
        let late = until.is_some_and(|until| Instant::now() + wait >= until);
        if late || wait > PATIENCE || bytes.is_some_and(|most| all.sent_bytes >= most) {
            return Ok(all);
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = cancel.cancelled() => return Err(Failure::from(Error::Cancelled).of_backup()),
        }
    }
}

/// Done is only what leaves nothing, or what the budget or the hours leave for later: else the exit code says what it needs.
fn stopped(batch: &Batch, needs_user: u64, had_all_the_time: bool) -> Result<(), Failure> {
    let hold = batch.hold.as_ref().filter(|_| batch.remaining > 0);
    if batch.remaining > 0 && hold.is_none() && had_all_the_time {
        return Err(Failure::backup_waits(
            6,
            format!(
                "{} not sent, and tried again later",
                count(batch.remaining, "file")
            ),
        ));
    }
    let code = match hold {
        None | Some(CameraHold::Schedule { .. } | CameraHold::Settling { .. }) => None,
        Some(CameraHold::NoDevice) => return Err(Failure::no_device()),
        Some(CameraHold::Account(AccountHold::SignIn)) => return Err(Failure::sign_in_needed()),
        Some(CameraHold::Conditions(Waiting::SignIn)) => return Err(Failure::sign_in_needed()),
        Some(CameraHold::Account(AccountHold::Busy { .. })) => Some(5),
        Some(CameraHold::Conditions(Waiting::NoNetwork)) => Some(5),
        Some(CameraHold::Retry { .. } | CameraHold::NotProvided { .. }) => Some(6),
        Some(_) => Some(7),
    };
    if let (Some(hold), Some(code)) = (hold, code) {
        return Err(Failure::backup_waits(
            code,
            format!("the backup waits: {}", because(hold)),
        ));
    }
    match needs_user {
        0 => Ok(()),
        1 => Err(Failure::needs_user("a file of the backup needs you")),
        many => Err(Failure::needs_user(format!(
            "{many} files of the backup need you"
        ))),
    }
}

pub fn status(desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let status = desk.camera().status()?;
    if output.is_json() {
        return output.document(&CameraStatusShape::from(&status));
    }
    let device = status
        .device
        .as_deref()
        .map_or_else(|| "none chosen".into(), shown);
    output.line(format!("Device                {device}"))?;
    let told = |amount: Amount| format!("{}, {}", items(amount.items), size(amount.bytes));
    for (what, amount) in [
        ("In the cloud, proven", status.verified),
        ("In the cloud, listed", status.listed),
        ("To be read", status.to_read),
        ("To be provided", status.to_provide),
        ("To be sent", status.to_send),
        ("Deleted in the cloud", status.deleted_in_cloud),
        ("Left out by rules", status.skipped),
    ] {
        // What is there, and else only what there is something to say of.
        if amount.items > 0 || what == "In the cloud, proven" {
            output.line(format!("{what:21} {}", told(amount)))?;
        }
    }
    if status.needs_user > 0 {
        output.line(format!("{:21} {}", "Needs you", items(status.needs_user)))?;
    }
    if let Some(hold) = &status.hold {
        output.line(format!("The backup waits: {}", because(hold)))?;
    }
    let CameraRules { paused, .. } = desk.camera().rules()?;
    if paused && status.hold.is_none() {
        output.line("The backup is paused; 'lomme camera when --resume' goes on.")?;
    }
    Ok(())
}
