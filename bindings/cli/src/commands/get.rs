//! `lomme get`

use super::size;
use crate::args::Get;
use crate::failure::Failure;
use crate::names::{local, shown};
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use crate::shapes::{GotShape, ItemShape};
use lomme::CancelToken;
use lomme::catalog::{Item, Kind};
use lomme::content::{Fetched, Purpose};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub async fn run(
    args: &Get,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let item = place::find(catalog, &args.path, false, cancel).await?;
    if item.kind != Kind::File {
        return Err(Failure::usage(format!(
            "'{}' is a folder; 'get' downloads a file",
            shown(&args.path)
        )));
    }
    let dest = destination(args.dest.as_deref(), &item)?;
    if !args.force && fs::symlink_metadata(&dest).is_ok() {
        return Err(exists(&dest));
    }
    let path = place::path_of(catalog, &item.id)?;
    let landing = Landing::beside(&dest)?;
    let bar = Arc::new(Shown::bytes(output));
    let got = drive
        .content()
        .fetch_to_file(
            &item.id,
            None,
            &landing.0,
            Purpose::Open,
            Some(bar.clone()),
            cancel,
        )
        .await;
    drop(bar);
    let got = got.map_err(|error| Failure::from(error).of_download())?;
    landing.take(&dest, args.force)?;
    report(&got, path, &dest, output)
}

fn report(got: &Fetched, path: String, dest: &Path, output: &mut Output) -> Result<(), Failure> {
    let saved_as = dest.display().to_string();
    if output.is_json() {
        return output.document(&GotShape {
            saved_as,
            bytes: got.bytes,
            fetched: got.fetched,
            item: ItemShape::new(&got.item, path),
        });
    }
    let rest = if got.fetched < got.bytes {
        format!(
            " ({} of it were here already)",
            size(got.bytes - got.fetched)
        )
    } else {
        String::new()
    };
    output.line(format!(
        "{}: {}, size and MD5 as the service has them{rest}",
        shown(&saved_as),
        size(got.bytes)
    ))
}

/// Where the file shall be. The remote name is used only after it was made harmless.
fn destination(asked: Option<&Path>, item: &Item) -> Result<PathBuf, Failure> {
    let name = local(&item.name);
    let Some(asked) = asked else {
        return Ok(PathBuf::from(name));
    };
    if asked == Path::new("-") {
        return Err(Failure::usage(
            "a file is verified before it is handed out, so it cannot go to stdout",
        ));
    }
    if asked.is_dir() {
        return Ok(asked.join(name));
    }
    let says_directory = asked.as_os_str().as_encoded_bytes().ends_with(b"/");
    if says_directory || asked.file_name().is_none() {
        return Err(Failure::usage(format!(
            "there is no directory '{}'",
            shown(&asked.display().to_string())
        )));
    }
    Ok(asked.to_owned())
}

fn exists(dest: &Path) -> Failure {
    Failure::exists(format!(
        "'{}' exists already",
        shown(&dest.display().to_string())
    ))
}

/// A directory beside the destination in which the finished file arrives, removed in the end. A
/// rename would silently replace what somebody else put at the destination meanwhile; a link does not.
struct Landing(
    PathBuf,
    #[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir,
);

impl Landing {
    fn beside(dest: &Path) -> Result<Self, Failure> {
        let parent = match dest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = tempfile::Builder::new()
            .prefix(".lomme-")
            .tempdir_in(parent)
            .map_err(|error| {
                let parent = shown(&parent.display().to_string());
                Failure::machine(format!("'{parent}' cannot be written: {}", error.kind()))
            })?;
        Ok(Self(directory.path().join("file"), directory))
    }

    fn take(self, dest: &Path, force: bool) -> Result<(), Failure> {
        if force {
            return Ok(fs::rename(&self.0, dest)?);
        }
        match fs::hard_link(&self.0, dest) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(dest)),
            // A file system without links.
            Err(_) if fs::symlink_metadata(dest).is_err() => Ok(fs::rename(&self.0, dest)?),
            Err(_) => Err(exists(dest)),
        }
    }
}
