//! `lomme get`

use super::size;
use crate::args::Get;
use crate::failure::Failure;
use crate::landing::{Landing, destination, is_stdout};
use crate::names::{local, shown};
use crate::output::Output;
use crate::part::Part;
use crate::place::{self, Place};
use crate::pour::Pour;
use crate::progress::Shown;
use crate::shapes::{GotShape, ItemShape};
use lomme::catalog::Item;
use lomme::content::{Hint, Purpose, TransferListener};
use lomme::{CancelToken, Drive};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

pub async fn run(
    args: &Get,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find_file(drive.catalog(), &args.path, cancel).await?;
    match args.range {
        Some(part) => get_part(args, part, &drive, &item, output, cancel).await,
        None => get_all(args, &drive, &item, output, cancel).await,
    }
}

async fn get_all(
    args: &Get,
    drive: &Drive,
    item: &Item,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    if is_stdout(args.dest.as_deref()) {
        return Err(Failure::usage(
            "a file is verified before it is handed out, so it cannot go to stdout; 'cat' does without",
        ));
    }
    let dest = destination(args.dest.as_deref(), local(&item.name))?;
    let landing = Landing::at(dest, args.force)?;
    let path = place::path_of(drive.catalog(), &item.id)?;
    let bar = Arc::new(Shown::bytes(output));
    let content = drive.content();
    let got = content
        .fetch_to_file(
            &item.id,
            None,
            landing.file(),
            Purpose::Open,
            Some(bar.clone()),
            cancel,
        )
        .await;
    drop(bar);
    let got = got.map_err(|error| Failure::from(error).of_download())?;
    let saved_as = landing.take()?;
    if output.is_json() {
        return output.document(&GotShape {
            saved_as,
            bytes: got.bytes,
            fetched: got.fetched,
            range: None,
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

async fn get_part(
    args: &Get,
    part: Part,
    drive: &Drive,
    item: &Item,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let reader = drive.content().open_reader(&item.id, None, Purpose::Open)?;
    let part = within(part, reader.size())?;
    let range = [part.start, part.end - 1];
    let bytes = part.end - part.start;
    let pour = Pour::new(reader, part, Hint::Sequential);
    if is_stdout(args.dest.as_deref()) {
        return pour.into(cancel, |bytes| output.raw(bytes)).await;
    }
    let [first, last] = range;
    let name = local(&format!("{}.{first}-{last}", item.name));
    let landing = Landing::at(destination(args.dest.as_deref(), name)?, args.force)?;
    let path = place::path_of(drive.catalog(), &item.id)?;
    let before = fetched(drive, item)?;
    let bar = Shown::bytes(output);
    let mut file = File::create_new(landing.file())?;
    let mut done = 0;
    pour.into(cancel, |bytes_read| {
        file.write_all(bytes_read)?;
        done += bytes_read.len() as u64;
        bar.on_transfer(done, bytes);
        Ok(())
    })
    .await
    .map_err(Failure::of_download)?;
    file.sync_all()?;
    drop(bar);
    let fetched = fetched(drive, item)? - before;
    let saved_as = landing.take()?;
    if output.is_json() {
        return output.document(&GotShape {
            saved_as,
            bytes,
            fetched,
            range: Some(range),
            item: ItemShape::new(item, path),
        });
    }
    output.line(format!(
        "{}: bytes {first} to {last}, {} ({} fetched)",
        shown(&saved_as),
        size(bytes),
        size(fetched)
    ))
}

/// The bytes asked for, of a file of this size.
pub fn within(part: Part, size: u64) -> Result<Range<u64>, Failure> {
    part.within(size)
        .ok_or_else(|| Failure::usage(format!("the file has only {size} bytes")))
}

/// What the ledger has of opened content of the item's space.
fn fetched(drive: &Drive, item: &Item) -> Result<u64, Failure> {
    let rows = drive.content().ledger()?;
    Ok(rows
        .iter()
        .filter(|row| row.space == item.space && row.purpose == Purpose::Open)
        .map(|row| row.bytes)
        .sum())
}
