//! `lomme ls`

use super::{size, time};
use crate::args::Ls;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{self, ItemShape, ListedShape};
use lomme::CancelToken;
use lomme::catalog::{Catalog, Freshness, Item, Kind, Order};
use std::fmt::Write;

/// Rows of a page: few calls, little memory.
const PAGE: u32 = 500;

pub async fn run(
    args: &Ls,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let Some(path) = &args.path else {
        let spaces = catalog.roots()?;
        return print(args, "", spaces, None, output);
    };
    let item = place::find(catalog, path, args.network.offline, cancel).await?;
    let (item, freshness) = renewed(args, catalog, item, cancel).await?;
    let path = place::path_of(catalog, &item.id)?;
    if item.kind == Kind::File {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        return print(args, parent, vec![item], None, output);
    }
    let listed_ms = match freshness {
        Freshness::ListedAt(ms) => Some(ms),
        Freshness::Never => {
            return Err(Failure::not_known(format!(
                "'{}' was never listed here",
                shown(&path)
            )));
        }
    };
    if output.is_json() {
        output.start_list()?;
    }
    let mut page = None;
    loop {
        cancel.check()?;
        let rows = catalog.children(&item.id, Order::Name, page.as_deref(), PAGE)?;
        for child in &rows.items {
            print_item(args, &path, child, output)?;
        }
        page = rows.next;
        if page.is_none() {
            break;
        }
    }
    if output.is_json() {
        output.end_list(&ListedShape { listed_ms })?;
    } else if output.is_watched() && !args.network.refresh {
        output.flush()?;
        output.notice(format!(
            "(as of {} UTC; --refresh asks again)",
            time(listed_ms)
        ));
    }
    Ok(())
}

/// The item after the network was asked, if it had to be, and how fresh its rows are.
async fn renewed(
    args: &Ls,
    catalog: &Catalog,
    item: Item,
    cancel: &CancelToken,
) -> Result<(Item, Freshness), Failure> {
    let freshness = match item.kind {
        Kind::File => Freshness::Never,
        _ => place::freshness(catalog, &item.id)?,
    };
    let unlisted = item.kind != Kind::File && freshness == Freshness::Never;
    if args.network.offline || !(args.network.refresh || unlisted) {
        return Ok((item, freshness));
    }
    catalog.refresh(&item.id, cancel).await?;
    let item = place::find(catalog, &format!("id:{}", item.id), true, cancel).await?;
    let freshness = match item.kind {
        Kind::File => Freshness::Never,
        _ => place::freshness(catalog, &item.id)?,
    };
    Ok((item, freshness))
}

fn print(
    args: &Ls,
    parent: &str,
    items: Vec<Item>,
    listed_ms: Option<i64>,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        output.start_list()?;
    }
    for item in &items {
        print_item(args, parent, item, output)?;
    }
    if output.is_json() {
        output.end_list(&ListedShape { listed_ms })?;
    }
    Ok(())
}

fn print_item(args: &Ls, parent: &str, item: &Item, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let path = match parent {
            "" => item.name.clone(),
            parent => format!("{parent}/{}", item.name),
        };
        return output.list_item(&ItemShape::new(item, path));
    }
    let mut line = String::new();
    if args.long {
        let bytes = item.size.map_or_else(|| "-".into(), size);
        let when = time(item.deleted_ms.or(item.modified_ms));
        let _ = write!(line, "{bytes:>10}  {when}  ");
    }
    line.push_str(&shown(&item.name));
    if item.kind != Kind::File {
        line.push('/');
    }
    output.line(line)?;
    if args.capabilities {
        for capability in item.capabilities {
            output.line(format!(
                "    {:9} {}",
                shapes::action(capability.action),
                shapes::consequence(capability.consequence)
            ))?;
        }
    }
    Ok(())
}
