//! `lomme versions`

use super::{sending, size, time};
use crate::args::Versions;
use crate::failure::Failure;
use crate::landing::{Landing, destination};
use crate::names::{local, shown};
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use crate::shapes::{GotVersionShape, ItemShape, VersionShape};
use lomme::catalog::{Action, Item};
use lomme::edits::Version;
use lomme::{CancelToken, Drive};
use std::sync::Arc;

pub async fn run(
    args: &Versions,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find_file(drive.catalog(), &args.path, cancel).await?;
    let versions = drive.edits().versions(&item.id, cancel).await?;
    if let Some(number) = args.restore {
        let version = one(&versions, number)?;
        sending::tell(&item, Action::Edit, output);
        let edits = drive.edits();
        let restored = edits
            .restore_version(&item.id, &version.token, cancel)
            .await?;
        let path = place::path_of(drive.catalog(), &restored.id)?;
        if output.is_json() {
            return output.document(&ItemShape::new(&restored, path));
        }
        return output.line(format!(
            "{}: version {number} is the newest now, {}",
            shown(&path),
            size(version.size)
        ));
    }
    if let Some(number) = args.get {
        return get(args, &drive, &item, one(&versions, number)?, output, cancel).await;
    }
    if output.is_json() {
        output.start_list()?;
        for version in &versions {
            output.list_item(&VersionShape::from(version))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    for version in &versions {
        let mark = if version.current { "  (newest)" } else { "" };
        output.line(format!(
            "{:>4}  {:>10}  {}{mark}",
            version.number,
            size(version.size),
            time(version.modified_ms)
        ))?;
    }
    Ok(())
}

fn one(versions: &[Version], number: u64) -> Result<&Version, Failure> {
    let found = versions.iter().find(|version| version.number == number);
    found.ok_or_else(|| Failure::no_such_item(format!("there is no version {number}")))
}

async fn get(
    args: &Versions,
    drive: &Drive,
    item: &Item,
    version: &Version,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let dest = destination(args.dest.as_deref(), local(&item.name))?;
    let landing = Landing::at(dest, args.force)?;
    let bar = Arc::new(Shown::bytes(output));
    let edits = drive.edits();
    let got = edits
        .fetch_version(
            &item.id,
            &version.token,
            landing.file(),
            Some(bar.clone()),
            cancel,
        )
        .await;
    drop(bar);
    let bytes = got?;
    let saved_as = landing.take()?;
    if output.is_json() {
        return output.document(&GotVersionShape { saved_as, bytes });
    }
    output.line(format!(
        "{}: version {}, {}",
        shown(&saved_as),
        version.number,
        size(bytes)
    ))
}
