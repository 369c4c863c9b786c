//! `lomme camera add`, `sources`, `remove` and `mirror`

use super::{Desk, scan, send};
use crate::args::{CameraAdd, CameraMirror, MirrorHow};
use crate::commands::{count, time};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::roll::checked;
use crate::shapes::{AddedShape, MirrorShape, SourceShape};
use lomme::camera::{AssetRules, NewSource, Source};
use lomme::{CancelToken, Error};

/// It is scanned at once: what comes "from now on" is what is not there now. What the device already holds of it is not
/// sent again.
pub async fn add(
    args: &CameraAdd,
    place: &Place,
    mut desk: Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let sources = desk.camera().sources()?;
    let folder = checked(&args.folder, place, &sources, &desk.rolls)?;
    let name = match &args.name {
        Some(name) => name.trim().to_owned(),
        None => {
            let own = folder.file_name().and_then(|name| name.to_str());
            let own = own.ok_or_else(|| Failure::usage("the folder has no name; use --name"))?;
            own.to_owned()
        }
    };
    if sources.iter().any(|source| source.name == name) {
        return Err(Failure::usage(format!(
            "there is a source '{}' already; use --name",
            shown(&name)
        )));
    }
    if args.roll {
        desk.rolls.put(&name, &folder)?;
    }
    let id = desk.camera().add_source(&NewSource {
        name,
        folder: (!args.roll).then_some(folder),
        mount: args.mount.clone(),
        rules: AssetRules::default(),
        from_now: args.from_now,
    })?;
    let source = desk.source(&id.to_string())?;
    let found = scan::one(&desk, &source, output, cancel).await?;
    let known = match desk.camera().device()? {
        Some(_) => match desk.camera().adopt(cancel).await {
            Ok(adopted) => adopted.adopted,
            Err(Error::Offline { .. } | Error::ServerBusy { .. }) => {
                output.remark("'lomme camera adopt' tells later what the device already holds.");
                0
            }
            Err(error) => return Err(error.into()),
        },
        None => {
            output.remark("Choose where to: 'lomme camera device create NAME', or 'claim NAME'.");
            0
        }
    };
    let source = desk.source(&id.to_string())?;
    if output.is_json() {
        return output.document(&AddedShape {
            source: SourceShape::new(&source, desk.rolls.folder(&source)),
            scan: found.shape(),
        });
    }
    found.tell(output)?;
    if known > 0 {
        output.line(format!(
            "The device holds {} of it already.",
            count(known, "file")
        ))?;
    }
    Ok(())
}

pub fn list(desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let sources = desk.camera().sources()?;
    if output.is_json() {
        output.start_list()?;
        for source in &sources {
            output.list_item(&SourceShape::new(source, desk.rolls.folder(source)))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if sources.is_empty() {
        output.remark("Nothing is backed up: 'lomme camera add FOLDER'.");
    }
    for source in &sources {
        output.line(told(source, desk))?;
    }
    Ok(())
}

fn told(source: &Source, desk: &Desk) -> String {
    let folder = desk.rolls.folder(source).map_or_else(
        || "a folder that is not known here".into(),
        |folder| shown(&folder.display().to_string()),
    );
    let how = match (&source.folder, source.mirror) {
        (None, _) => "camera roll",
        (Some(_), true) => "folder, deletions follow",
        (Some(_), false) => "folder",
    };
    let from_now = if source.from_now { ", from now on" } else { "" };
    let mount = if source.mount == source.name {
        String::new()
    } else {
        format!(" as '{}'", shown(&source.mount))
    };
    format!(
        "{:>3}  {}{mount}  {folder}  {how}{from_now}, seen {}",
        source.id,
        shown(&source.name),
        time(source.scanned_ms).trim_end()
    )
}

pub fn remove(said: &str, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let source = desk.source(said)?;
    desk.camera().remove_source(source.id)?;
    if output.is_json() {
        return output.document(&());
    }
    output.line(format!(
        "'{}' is backed up no longer; what is in the cloud stays there.",
        shown(&source.name)
    ))
}

pub async fn mirror(
    args: &CameraMirror,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let camera = desk.camera();
    let source = desk.source(&args.source)?;
    let mut trashed = 0;
    match args.how {
        MirrorHow::On => camera.set_mirror(source.id, true)?,
        MirrorHow::Off => camera.set_mirror(source.id, false)?,
        // It holds for what the last scan has found gone, so it is done before the next one.
        MirrorHow::Allow => {
            camera.confirm_mirror(source.id)?;
            trashed = send::send(desk, None, None, output, cancel).await?.trashed;
        }
    }
    let source = desk.source(&args.source)?;
    let pending = camera.mirror_pending(source.id)?;
    if output.is_json() {
        return output.document(&MirrorShape::new(source.mirror, pending, trashed));
    }
    if trashed > 0 {
        output.line(format!(
            "{} moved to the cloud's trash, as here",
            count(trashed, "file")
        ))?;
    }
    if !source.mirror {
        return output.line("What is deleted here stays in the cloud.");
    }
    output.line("What is deleted here goes to the cloud's trash with the next run.")?;
    if pending.gone > 0 {
        output.line(format!(
            "That is {} of {} now.",
            count(pending.gone, "file"),
            pending.of
        ))?;
    }
    if pending.asks {
        output.line(format!(
            "That is much: it goes once you say 'lomme camera mirror {} allow'.",
            source.id
        ))?;
    }
    Ok(())
}
