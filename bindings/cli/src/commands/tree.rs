//! `lomme tree`: depth first, a page of each open folder in memory.

use super::{count, index, size};
use crate::args::Tree;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{ItemShape, TreeShape};
use lomme::CancelToken;
use lomme::catalog::{Catalog, Freshness, Item, Kind, Order, Space};

/// Rows of a page. A folder on every level holds one, so it is small.
const PAGE: u32 = 200;

pub async fn run(
    args: &Tree,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let tops = match &args.path {
        Some(path) => vec![place::find(catalog, path, args.network.offline, cancel).await?],
        None => catalog.roots()?,
    };
    if !args.network.offline {
        learn(args, catalog, &tops, output, cancel).await?;
    }
    if output.is_json() {
        output.start_list()?;
    }
    let mut walk = Walk {
        catalog,
        cancel,
        depth: args.depth.unwrap_or(u32::MAX),
        total: TreeShape {
            folders: 0,
            files: 0,
            bytes: 0,
        },
    };
    for top in &tops {
        let path = place::path_of(catalog, &top.id)?;
        if !output.is_json() {
            output.line(shown(&path))?;
        }
        walk.below(top, &path, output)?;
    }
    if output.is_json() {
        return output.end_list(&walk.total);
    }
    let TreeShape {
        folders,
        files,
        bytes,
    } = walk.total;
    output.line(format!(
        "\n{} in {}, {}",
        count(files, "file"),
        count(folders, "folder"),
        size(bytes)
    ))
}

/// One request tells a whole space, so that is asked for rather than folder after folder.
async fn learn(
    args: &Tree,
    catalog: &Catalog,
    tops: &[Item],
    output: &Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let depth = args.depth.unwrap_or(u32::MAX);
    for space in Space::ALL {
        let mut wanted = false;
        for top in tops.iter().filter(|top| top.space == space) {
            wanted |= args.network.refresh || !knows_folders(catalog, top, depth)?;
        }
        if wanted {
            index::index(catalog, space, output, cancel).await?;
        }
    }
    Ok(())
}

/// Whether every folder that will be shown was listed. Folders come first, so few rows are read.
fn knows_folders(catalog: &Catalog, top: &Item, depth: u32) -> Result<bool, Failure> {
    let mut folders = vec![(top.clone(), 0)];
    while let Some((folder, level)) = folders.pop() {
        if folder.kind == Kind::File || level >= depth {
            continue;
        }
        if place::freshness(catalog, &folder.id)? == Freshness::Never {
            return Ok(false);
        }
        let mut next = None;
        loop {
            let page = catalog.children(&folder.id, Order::Name, next.as_deref(), PAGE)?;
            let reached_files = page
                .items
                .last()
                .is_some_and(|item| item.kind == Kind::File);
            let inner = page
                .items
                .into_iter()
                .filter(|item| item.kind != Kind::File);
            folders.extend(inner.map(|item| (item, level + 1)));
            next = page.next;
            if next.is_none() || reached_files {
                break;
            }
        }
    }
    Ok(true)
}

struct Walk<'a> {
    catalog: &'a Catalog,
    cancel: &'a CancelToken,
    depth: u32,
    total: TreeShape,
}

/// A folder whose rows are being printed.
struct Open {
    folder: Item,
    path: String,
    rows: std::vec::IntoIter<Item>,
    next: Option<String>,
}

impl Walk<'_> {
    fn below(&mut self, top: &Item, path: &str, output: &mut Output) -> Result<(), Failure> {
        let mut stack = Vec::new();
        stack.extend(self.open(top.clone(), path.to_owned(), 0, output)?);
        while let Some(open) = stack.last_mut() {
            self.cancel.check()?;
            let Some(item) = open.rows.next() else {
                let Some(next) = open.next.take() else {
                    stack.pop();
                    continue;
                };
                let page =
                    self.catalog
                        .children(&open.folder.id, Order::Name, Some(&next), PAGE)?;
                open.rows = page.items.into_iter();
                open.next = page.next;
                continue;
            };
            let path = format!("{}/{}", open.path, item.name);
            let level = stack.len();
            self.print(&item, &path, level, output)?;
            if item.kind != Kind::File && level < self.depth as usize {
                stack.extend(self.open(item, path, level, output)?);
            }
        }
        Ok(())
    }

    fn open(
        &self,
        folder: Item,
        path: String,
        level: usize,
        output: &mut Output,
    ) -> Result<Option<Open>, Failure> {
        if folder.kind == Kind::File {
            return Ok(None);
        }
        match self.catalog.children(&folder.id, Order::Name, None, PAGE) {
            Ok(page) => {
                if page.freshness == Freshness::Never && !output.is_json() {
                    output.line(format!("{}(not listed)", "  ".repeat(level + 1)))?;
                }
                Ok(Some(Open {
                    folder,
                    path,
                    rows: page.items.into_iter(),
                    next: page.next,
                }))
            }
            Err(lomme::Error::NotKnown { .. }) => {
                if !output.is_json() {
                    output.line(format!("{}(not listed)", "  ".repeat(level + 1)))?;
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn print(
        &mut self,
        item: &Item,
        path: &str,
        level: usize,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if item.kind == Kind::File {
            self.total.files += 1;
            self.total.bytes += item.size.unwrap_or(0);
        } else {
            self.total.folders += 1;
        }
        if output.is_json() {
            return output.list_item(&ItemShape::new(item, path.to_owned()));
        }
        let indent = "  ".repeat(level);
        let name = shown(&item.name);
        output.line(match item.size {
            Some(bytes) => format!("{indent}{name}  {}", size(bytes)),
            None => format!("{indent}{name}/"),
        })
    }
}
