//! `lomme put`

use super::sending::{self, Target};
use crate::args::Put;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use lomme::catalog::{Action, Item, Kind};
use lomme::edits::NewContent;
use lomme::{CancelToken, Drive};
use std::path::Path;
use std::time::UNIX_EPOCH;

pub async fn run(
    args: &Put,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    // All of them before the first is queued: a mistake in the last is seen in time.
    for file in &args.files {
        check(file)?;
    }
    let target = sending::target(drive.catalog(), &args.place, cancel).await?;
    if args.files.len() > 1 && target.name.is_some() {
        return Err(Failure::usage(format!(
            "'{}' is no folder, and there are {} files",
            shown(&args.place),
            args.files.len()
        )));
    }
    let folder = place::find(
        drive.catalog(),
        &format!("id:{}", target.folder),
        true,
        cancel,
    )
    .await?;
    sending::tell(&folder, Action::Add, output);
    sending::start(output)?;
    let outcome = put_all(args, &drive, &folder, &target, output, cancel).await;
    sending::end(outcome, output)
}

async fn put_all(
    args: &Put,
    drive: &Drive,
    folder: &Item,
    target: &Target,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    for file in &args.files {
        let item = queue(args, drive, folder, target, file, cancel).await?;
        let path = place::path_of(drive.catalog(), &item.id)?;
        sending::send(drive, &item.id, &shown(&path), &args.when, output, cancel).await?;
    }
    Ok(())
}

async fn queue(
    args: &Put,
    drive: &Drive,
    folder: &Item,
    target: &Target,
    file: &Path,
    cancel: &CancelToken,
) -> Result<Item, Failure> {
    let name = match &target.name {
        Some(name) => name.clone(),
        None => file_name(file)?,
    };
    let there = match &target.there {
        Some(there) => Some(there.clone()),
        None => sending::child(drive.catalog(), folder, &name, cancel).await?,
    };
    let modified = std::fs::metadata(file)?.modified()?;
    let modified_ms = modified
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_millis()).ok());
    let content = NewContent {
        modified_ms,
        ..NewContent::of(file)
    };
    let edits = drive.edits();
    match there {
        None => Ok(edits.create_file(&folder.id, &name, content, None)?),
        Some(there) if args.force && there.kind == Kind::File => {
            let base = there.content_version.as_deref();
            Ok(edits.replace_content(&there.id, base, content, None)?)
        }
        Some(_) => Err(Failure::exists(format!(
            "'{}' exists already",
            shown(&name)
        ))),
    }
}

fn check(file: &Path) -> Result<(), Failure> {
    let said = shown(&file.display().to_string());
    let metadata = std::fs::metadata(file)
        .map_err(|error| Failure::usage(format!("'{said}' cannot be read: {}", error.kind())))?;
    if metadata.is_file() {
        return Ok(());
    }
    Err(Failure::usage(format!("'{said}' is no file")))
}

fn file_name(file: &Path) -> Result<String, Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let said = shown(&file.display().to_string());
        Failure::usage(format!("'{said}' has no name that the service could take"))
    })
}
