//! `lomme find`, `lomme recent`: local reads.

use super::{count, size, time};
use crate::args::{Find, FindKind, Recent};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{FoundShape, ItemShape};
use lomme::CancelToken;
use lomme::catalog::{Catalog, Item, Kind, Search};

pub fn run(
    args: &Find,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let spaces = args.spaces.iter().filter_map(|space| place::space(space));
    let search = Search {
        spaces: spaces.collect(),
        kind: args.kind.map(|kind| match kind {
            FindKind::File => Kind::File,
            FindKind::Folder => Kind::Folder,
        }),
        mime: args.mime.clone(),
        at_least: args.larger,
        at_most: args.smaller,
        modified_from_ms: args.since,
        modified_before_ms: args.before,
        favourites: args.favourites,
        limit: args.limit,
        ..Search::new(args.text.join(" "))
    };
    let found = catalog.search(&search)?;
    cancel.check()?;
    let rest = FoundShape {
        more: found.more,
        unlisted_folders: found.unlisted_folders,
    };
    list(catalog, &found.items, args.long, &rest, output)?;
    output.flush()?;
    if found.more {
        output.remark(format!("There are more than {}; see --limit.", args.limit));
    }
    if found.unlisted_folders > 0 {
        output.remark(format!(
            "{} not known here yet, so something may be missing; 'lomme index' asks for all names.",
            match found.unlisted_folders {
                1 => "The names in 1 folder are".to_owned(),
                folders => format!("The names in {} are", count(folders, "folder")),
            }
        ));
    }
    Ok(())
}

pub fn recent(args: &Recent, place: &Place, output: &mut Output) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let items = drive.catalog().recents(args.limit)?;
    list(
        drive.catalog(),
        &items,
        args.long,
        &serde_json::json!({}),
        output,
    )
}

/// Items of any folders, by their paths.
pub fn list(
    catalog: &Catalog,
    items: &[Item],
    long: bool,
    rest: &impl serde::Serialize,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        output.start_list()?;
    }
    for item in items {
        let path = match place::path_of(catalog, &item.id) {
            // It has gone since it was read.
            Err(failure) if matches!(failure.kind(), "not_known" | "no_such_item") => continue,
            path => path?,
        };
        if output.is_json() {
            output.list_item(&ItemShape::new(item, path))?;
            continue;
        }
        let mark = if item.kind == Kind::File { "" } else { "/" };
        let mut line = format!("{}{mark}", shown(&path));
        if long {
            let bytes = item.size.map_or_else(|| "-".into(), size);
            line = format!("{bytes:>10}  {}  {line}", time(item.modified_ms));
        }
        output.line(line)?;
    }
    if output.is_json() {
        output.end_list(rest)?;
    }
    Ok(())
}
