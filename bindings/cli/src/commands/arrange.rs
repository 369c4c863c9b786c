//! `lomme mkdir`, `lomme mv` and `lomme cp`

use super::sending;
use crate::args::{Cp, Mkdir, Mv};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use lomme::CancelToken;
use lomme::catalog::Action;

pub async fn mkdir(
    args: &Mkdir,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let path = args.path.trim_end_matches('/');
    let Some((parent, name)) = path.rsplit_once('/') else {
        return Err(Failure::usage("a new folder needs a folder to be in"));
    };
    let parent = place::find(catalog, parent, false, cancel).await?;
    if sending::child(catalog, &parent, name, cancel)
        .await?
        .is_some()
    {
        return Err(Failure::exists(format!("'{}' exists already", shown(path))));
    }
    sending::tell(&parent, Action::Add, output);
    let item = drive.edits().create_folder(&parent.id, name, None)?;
    let path = place::path_of(catalog, &item.id)?;
    sending::send(&drive, &item.id, &shown(&path), &args.when, output, cancel).await
}

pub async fn mv(
    args: &Mv,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find(drive.catalog(), &args.from, false, cancel).await?;
    let target = sending::target(drive.catalog(), &args.to, cancel).await?;
    if let Some(there) = target.there.filter(|there| there.id != item.id) {
        return Err(taken(&there.name));
    }
    sending::tell(&item, Action::Move, output);
    let edits = drive.edits();
    let moved = edits.move_to(&item.id, &target.folder, target.name.as_deref(), None)?;
    let path = place::path_of(drive.catalog(), &moved.id)?;
    sending::send(&drive, &moved.id, &shown(&path), &args.when, output, cancel).await
}

pub async fn cp(
    args: &Cp,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find(drive.catalog(), &args.from, false, cancel).await?;
    let target = sending::target(drive.catalog(), &args.to, cancel).await?;
    if let Some(there) = target.there {
        return Err(taken(&there.name));
    }
    let folder = format!("id:{}", target.folder);
    let folder = place::find(drive.catalog(), &folder, true, cancel).await?;
    sending::tell(&folder, Action::Add, output);
    let edits = drive.edits();
    let copy = edits.copy(&item.id, &target.folder, target.name.as_deref(), None)?;
    let path = place::path_of(drive.catalog(), &copy.id)?;
    sending::send(&drive, &copy.id, &shown(&path), &args.when, output, cancel).await
}

/// Nothing is replaced by a move or a copy.
fn taken(name: &str) -> Failure {
    Failure::from(lomme::Error::NameTaken).saying(format!("'{}' exists already", shown(name)))
}
