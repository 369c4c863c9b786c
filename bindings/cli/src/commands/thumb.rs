//! `lomme thumb`

use super::size;
use crate::args::{Thumb, ThumbSize};
use crate::failure::Failure;
use crate::landing::{Landing, destination, is_stdout};
use crate::names::{local, shown};
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{ItemShape, ThumbShape};
use lomme::CancelToken;
use lomme::content::ThumbnailSize;
use std::fs;

pub async fn run(
    args: &Thumb,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find_file(drive.catalog(), &args.path, cancel).await?;
    let (wanted, word) = match args.size {
        ThumbSize::Small => (ThumbnailSize::Small, "small"),
        ThumbSize::Medium => (ThumbnailSize::Medium, "medium"),
        ThumbSize::Large => (ThumbnailSize::Large, "large"),
        ThumbSize::Huge => (ThumbnailSize::Huge, "huge"),
    };
    let content = drive.content();
    let Some(made) = content.thumbnail(&item.id, wanted, cancel).await? else {
        return Err(Failure::no_such_item(format!(
            "the service has no thumbnail of '{}'",
            shown(&args.path)
        )));
    };
    // Thumbnails are small, and the cache may take this one away.
    let bytes = fs::read(&made.path)?;
    if is_stdout(args.dest.as_deref()) {
        return output.raw(&bytes);
    }
    let stem = match item.name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => &item.name,
    };
    let ending = match made.mime {
        "image/png" => "png",
        "image/webp" => "webp",
        _ => "jpg",
    };
    let name = local(&format!("{stem}.{word}.{ending}"));
    let landing = Landing::at(destination(args.dest.as_deref(), name)?, args.force)?;
    fs::write(landing.file(), &bytes)?;
    let saved_as = landing.take()?;
    let bytes = bytes.len() as u64;
    if output.is_json() {
        return output.document(&ThumbShape {
            saved_as,
            mime: made.mime,
            bytes,
            item: ItemShape::new(&item, place::path_of(drive.catalog(), &item.id)?),
        });
    }
    output.line(format!(
        "{}: {}, {}",
        shown(&saved_as),
        made.mime,
        size(bytes)
    ))
}
