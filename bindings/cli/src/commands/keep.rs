//! `lomme keep`: the only way in which pinned content comes.

use super::{count, size};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use crate::shapes::{FailedShape, RunShape, WaitingShape};
use lomme::catalog::ItemId;
use lomme::content::PinRun;
use lomme::{CancelToken, Drive, Error};
use std::sync::Arc;

pub async fn run(place: &Place, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let run = fetch(&drive, output, cancel).await?;
    if output.is_json() {
        output.document(&shape(&run, &drive)?)?;
    } else {
        tell(&run, &drive, output)?;
    }
    outcome(run)
}

/// Runs over the pins, with a bar for whoever watches.
pub async fn fetch(
    drive: &Drive,
    output: &Output,
    cancel: &CancelToken,
) -> Result<PinRun, Failure> {
    let bar = Arc::new(Shown::bytes(output));
    let run = drive.content().keep_pins(Some(bar.clone()), cancel).await;
    drop(bar);
    run.map_err(|error| Failure::from(error).of_download())
}

pub fn tell(run: &PinRun, drive: &Drive, output: &mut Output) -> Result<(), Failure> {
    output.line(format!(
        "{} fetched, {}",
        count(run.files, "file"),
        size(run.fetched)
    ))?;
    for (id, error) in &run.failed {
        let name = path(drive, id).unwrap_or_else(|| format!("id:{id}"));
        let failure = Failure::from(error.clone());
        output.line(format!("  {}: {}", shown(&name), failure.detail()))?;
    }
    if run.missing_files > 0 {
        output.line(format!(
            "{} still missing, {}",
            count(run.missing_files, "file"),
            size(run.missing_bytes)
        ))?;
    }
    Ok(())
}

pub fn shape(run: &PinRun, drive: &Drive) -> Result<RunShape, Failure> {
    let failed = run.failed.iter().map(|(id, error)| {
        let failure = Failure::from(error.clone());
        FailedShape::new(id.to_string(), path(drive, id), &failure)
    });
    Ok(RunShape {
        files: run.files,
        fetched: run.fetched,
        missing_files: run.missing_files,
        missing_bytes: run.missing_bytes,
        waiting: run.waiting.as_ref().map(WaitingShape::from),
        failed: failed.collect(),
    })
}

/// Done is only a run that leaves nothing to fetch; else the exit code says why it stopped.
pub fn outcome(run: PinRun) -> Result<(), Failure> {
    if let Some(waiting) = run.waiting {
        return Err(Failure::waiting(waiting));
    }
    match run.failed.into_iter().next() {
        Some((_, error)) => Err(Failure::from(error).of_download()),
        None if run.missing_files > 0 => Err(Error::Bug {
            detail: "pinned content is missing, and nothing says why".into(),
        }
        .into()),
        None => Ok(()),
    }
}

fn path(drive: &Drive, id: &ItemId) -> Option<String> {
    place::path_of(drive.catalog(), id).ok()
}
