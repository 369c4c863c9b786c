//! `lomme pin` and `lomme unpin`

use super::{count, evict, index, keep, size, time};
use crate::args::{Pin as Args, Unpin};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{PinShape, PinnedShape};
use lomme::catalog::{Item, Kind};
use lomme::content::Pin;
use lomme::{CancelToken, Drive, Error};

pub async fn run(
    args: &Args,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let Some(path) = &args.path else {
        return list(&drive, output);
    };
    let item = place::find(drive.catalog(), path, false, cancel).await?;
    learn_size(&drive, &item, output, cancel).await?;
    let pin = drive.content().pin(&item.id, args.up_to);
    let pin = pin.map_err(|error| too_large(error, path, args.up_to))?;
    let path = place::path_of(drive.catalog(), &pin.item.id)?;
    if !output.is_json() {
        output.line(format!(
            "Pinned {}: {}, {}",
            shown(&path),
            count(pin.files, "file"),
            size(pin.bytes)
        ))?;
        output.flush()?;
    }
    if !args.now {
        if output.is_json() {
            let pin = PinShape::new(&pin, path);
            return output.document(&PinnedShape { pin, run: None });
        }
        output.remark("'lomme keep' fetches it.");
        return Ok(());
    }
    let run = keep::fetch(&drive, output, cancel).await?;
    if !output.is_json() {
        keep::tell(&run, &drive, output)?;
        return keep::outcome(run);
    }
    // As it is after the run.
    let pins = drive.content().pins()?;
    let pin = pins.into_iter().find(|now| now.item.id == pin.item.id);
    if let Some(pin) = &pin {
        output.document(&PinnedShape {
            pin: PinShape::new(pin, path),
            run: Some(keep::shape(&run, &drive)?),
        })?;
    }
    keep::outcome(run)
}

/// The size of a folder whose names are not all known would be a guess. One request tells a whole space.
async fn learn_size(
    drive: &Drive,
    item: &Item,
    output: &Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let catalog = drive.catalog();
    if item.kind == Kind::File || catalog.weight(&item.id)?.unlisted_folders == 0 {
        return Ok(());
    }
    match index::index(catalog, item.space, output, cancel).await {
        Err(failure) if failure.kind() == "offline" => {
            output.remark("The service cannot be reached: some of it is not known here yet.");
            Ok(())
        }
        done => done.map(drop),
    }
}

fn too_large(error: Error, path: &str, up_to: u64) -> Failure {
    let Error::LargerThanAllowed { bytes, files } = error else {
        return error.into();
    };
    Failure::from(error).saying(format!(
        "'{}' has {} ({bytes} bytes) in {}, more than {}; nothing was pinned",
        shown(path),
        size(bytes),
        count(files, "file"),
        size(up_to)
    ))
}

fn list(drive: &Drive, output: &mut Output) -> Result<(), Failure> {
    let pins = drive.content().pins()?;
    if output.is_json() {
        output.start_list()?;
        for pin in &pins {
            let path = place::path_of(drive.catalog(), &pin.item.id)?;
            output.list_item(&PinShape::new(pin, path))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if pins.is_empty() {
        output.remark("Nothing is pinned.");
    }
    for pin in &pins {
        let path = place::path_of(drive.catalog(), &pin.item.id)?;
        output.line(format!("{}  {}", shown(&path), progress(pin)))?;
    }
    Ok(())
}

fn progress(pin: &Pin) -> String {
    let mut text = format!(
        "{} of {} here, {} of {}",
        pin.whole_files,
        count(pin.files, "file"),
        size(pin.whole_bytes),
        size(pin.bytes)
    );
    if let Some(since) = pin.stale_since_ms {
        text.push_str(&format!(
            "; {} stale since {} UTC",
            pin.stale_files,
            time(Some(since))
        ));
    }
    text
}

pub async fn unpin(
    args: &Unpin,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find(drive.catalog(), &args.path, false, cancel).await?;
    let evicted = drive.content().unpin(&item.id, args.drop)?;
    evict::tell(evicted, "Unpinned. ", output)
}
