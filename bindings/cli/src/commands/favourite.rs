//! `lomme favourite`

use super::find;
use crate::args::Favourite;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::ItemShape;
use lomme::CancelToken;

pub async fn run(
    args: &Favourite,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let Some(path) = &args.path else {
        let favourites = catalog.favourites()?;
        return find::list(catalog, &favourites, false, &serde_json::json!({}), output);
    };
    let item = place::find(catalog, path, false, cancel).await?;
    catalog.set_favourite(&item.id, !args.off)?;
    let item = place::find(catalog, &format!("id:{}", item.id), true, cancel).await?;
    let path = place::path_of(catalog, &item.id)?;
    if output.is_json() {
        return output.document(&ItemShape::new(&item, path));
    }
    let now = if args.off {
        "no longer a favourite"
    } else {
        "a favourite"
    };
    output.line(format!("{} is {now}.", shown(&path)))
}
