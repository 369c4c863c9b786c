//! `lomme why`

use crate::args::Why;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{ItemShape, WhyShape};
use lomme::CancelToken;

pub async fn run(
    args: &Why,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let item = place::find(catalog, &args.path, false, cancel).await?;
    let why = drive.why(&item.id)?;
    let path = place::path_of(catalog, &item.id)?;
    if !output.is_json() {
        return output.line(format!("{}: {}", shown(&path), shown(&why.explanation)));
    }
    let pinned_by = match &why.pinned_by {
        Some(id) => Some(place::path_of(catalog, id)?),
        None => None,
    };
    output.document(&WhyShape::new(&why, ItemShape::new(&item, path), pinned_by))
}
