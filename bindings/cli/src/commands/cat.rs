//! `lomme cat`

use super::get::within;
use crate::args::Cat;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::{self, Place};
use crate::pour::Pour;
use lomme::CancelToken;
use lomme::content::{Hint, Purpose};

pub async fn run(
    args: &Cat,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find_file(drive.catalog(), &args.path, cancel).await?;
    let reader = drive
        .content()
        .open_reader(&item.id, None, Purpose::Stream)?;
    let part = match args.range {
        Some(part) => within(part, reader.size())?,
        None => 0..reader.size(),
    };
    Pour::new(reader, part, Hint::Sequential)
        .into(cancel, |bytes| output.raw(bytes))
        .await
        .map_err(Failure::of_download)
}
