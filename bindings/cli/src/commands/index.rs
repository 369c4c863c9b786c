//! `lomme index`

use super::count;
use crate::args::Index;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use crate::shapes::RefreshedShape;
use lomme::CancelToken;
use lomme::catalog::{Catalog, Refreshed, Space};

pub async fn run(
    args: &Index,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let asked: Vec<Space> = args.spaces.iter().filter_map(|s| place::space(s)).collect();
    let mut found = Vec::new();
    for space in Space::ALL {
        if !asked.is_empty() && !asked.contains(&space) {
            continue;
        }
        if args.accept_gone {
            drive.catalog().accept_disappearance(space)?;
        }
        let refreshed = index(drive.catalog(), space, output, cancel).await?;
        if !output.is_json() {
            output.line(format!(
                "{:8} {} in {}: {} new, {} changed, {} moved, {} gone",
                space.name(),
                count(refreshed.files, "file"),
                count(refreshed.folders, "folder"),
                refreshed.added,
                refreshed.changed,
                refreshed.moved,
                refreshed.deleted
            ))?;
            output.flush()?;
        }
        found.push(RefreshedShape::new(space, refreshed));
    }
    if output.is_json() {
        output.start_list()?;
        for space in &found {
            output.list_item(space)?;
        }
        output.end_list(&serde_json::json!({}))?;
    }
    Ok(())
}

/// Indexes one space, with a counter for whoever watches.
pub async fn index(
    catalog: &Catalog,
    space: Space,
    output: &Output,
    cancel: &CancelToken,
) -> Result<Refreshed, Failure> {
    let counter = Shown::entries(output, space.name());
    Ok(catalog
        .index(space, &|seen| counter.seen(seen), cancel)
        .await?)
}
