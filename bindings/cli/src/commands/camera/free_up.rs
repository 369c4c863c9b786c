//! `lomme camera free-up`: the command line in the part of the platform's trash.
//!
//! - Nothing is deleted: what is proven is moved to a directory, on the same disk, by renames. A new directory a time, so
//!   that nothing there is replaced.
//! - The ledger is told first, then the files move: were it the other way round, a kill in between would make it look as if
//!   the person had deleted them, which a mirrored folder would follow. A kill leaves the files where they are, and the next
//!   scan sees them there.

use super::{Desk, items};
use crate::args::CameraFreeUp;
use crate::commands::size;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::roll::files_of;
use crate::shapes::{self, FreeUpShape, FreedShape};
use lomme::CancelToken;
use lomme::camera::{FreeUp, Proof};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub async fn run(
    args: &CameraFreeUp,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let proposed = desk.camera().propose_free_up(args.limit, args.days)?;
    let trash = match &args.trash {
        Some(trash) if !proposed.is_empty() => Some(new_trash(trash, desk)?),
        _ => None,
    };
    if output.is_json() {
        output.start_list()?;
    }
    let outcome = each(&proposed, trash.as_deref(), desk, output, cancel).await;
    if let Some(trash) = &trash {
        // Not if there is something in it.
        let _ = std::fs::remove_dir(trash);
    }
    let told = match &outcome {
        Ok(told) => *told,
        Err(_) => (0, 0),
    };
    if output.is_json() {
        output.end_list(&FreedShape {
            proven: told.0,
            bytes: told.1,
        })?;
    }
    let (proven, bytes) = outcome?;
    if output.is_json() {
        return Ok(());
    }
    let what = match (proven, &trash) {
        (1, Some(_)) => "was moved",
        (_, Some(_)) => "were moved",
        (_, None) => "may be removed here",
    };
    output.line(format!("{}, {}, {what}", items(proven), size(bytes)))
}

async fn each(
    proposed: &[FreeUp],
    trash: Option<&Path>,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(u64, u64), Failure> {
    let (mut many, mut bytes) = (0, 0);
    let sources = desk.camera().sources()?;
    for asset in proposed {
        let Some(source) = sources.iter().find(|source| source.id == asset.source) else {
            continue;
        };
        let Some(folder) = desk.rolls.folder(source) else {
            continue;
        };
        let files = files_of(folder, &asset.asset, &asset.resources);
        let before = identities(&files);
        let mut proof = desk
            .camera()
            .prove(asset.source, &asset.asset, &[], cancel)
            .await?;
        if proof == Proof::Proven && identities(&files) != before {
            proof = Proof::Changed;
        }
        let mut moved_to = Vec::new();
        if let (Proof::Proven, Some(trash)) = (proof, trash) {
            desk.camera().confirm_freed(asset.source, &asset.asset)?;
            moved_to = move_all(&files, folder, &trash.join(source.id.to_string()))?;
        }
        if proof == Proof::Proven {
            many += 1;
            bytes += asset.bytes;
        }
        if output.is_json() {
            output.list_item(&FreeUpShape {
                source: asset.source,
                asset: &asset.asset,
                bytes: asset.bytes,
                proof: shapes::proof(proof),
                moved_to,
            })?;
            continue;
        }
        output.line(format!(
            "{}  {}  {}  {}",
            shown(&source.name),
            shown(&asset.asset),
            size(asset.bytes),
            match proof {
                Proof::Proven => "proven",
                Proof::NotThere => "not in the cloud, and sent again",
                Proof::Changed => "changed here since it was sent",
                Proof::Unreadable => "cannot be read here",
            }
        ))?;
    }
    Ok((many, bytes))
}

/// What tells a file from another one that took its place.
fn identities(files: &[PathBuf]) -> Vec<Option<(u64, u64, i64, i64)>> {
    let of = |file: &PathBuf| {
        let meta = std::fs::symlink_metadata(file).ok()?;
        Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
    };
    files.iter().map(of).collect()
}

/// A new directory in the trash, which is in no source: it would be backed up again.
fn new_trash(trash: &Path, desk: &Desk) -> Result<PathBuf, Failure> {
    let said = shown(&trash.display().to_string());
    let real = std::fs::canonicalize(trash)
        .map_err(|error| Failure::usage(format!("'{said}' cannot be used: {}", error.kind())))?;
    let disk = std::fs::metadata(&real)?.dev();
    for source in desk.camera().sources()? {
        let Some(folder) = desk.rolls.folder(&source) else {
            continue;
        };
        if real.starts_with(folder) {
            return Err(Failure::usage(format!(
                "'{said}' is in the source '{}'",
                shown(&source.name)
            )));
        }
        if std::fs::metadata(folder).is_ok_and(|meta| meta.dev() != disk) {
            return Err(Failure::usage(format!(
                "'{said}' is not on the disk of the source '{}'",
                shown(&source.name)
            )));
        }
    }
    let day = jiff::Zoned::now().strftime("freed-%Y-%m-%d-").to_string();
    let made = tempfile::Builder::new().prefix(&day).tempdir_in(&real)?;
    Ok(made.keep())
}

/// Moves files to where they are below `root`, but below `trash`.
fn move_all(files: &[PathBuf], root: &Path, trash: &Path) -> Result<Vec<String>, Failure> {
    let mut moved = Vec::new();
    for file in files {
        let below = file
            .strip_prefix(root)
            .map_err(|_| Failure::machine("a file outside its source"))?;
        let to = trash.join(below);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::rename(file, &to)?;
        moved.push(to.display().to_string());
    }
    Ok(moved)
}
