//! `lomme evict`

use super::{count, size};
use crate::args::Evict;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::EvictedShape;
use lomme::CancelToken;
use lomme::content::Evicted;

pub async fn run(
    args: &Evict,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find(drive.catalog(), &args.path, false, cancel).await?;
    tell(drive.content().evict(&item.id)?, "", output)
}

pub fn tell(evicted: Evicted, before: &str, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.document(&EvictedShape::from(evicted));
    }
    let kept = match evicted.kept {
        0 => String::new(),
        kept => format!(
            "; {} stayed: pinned, open or being fetched",
            count(kept, "file")
        ),
    };
    output.line(format!(
        "{before}{} left this machine, {} freed{kept}",
        count(evicted.files, "file"),
        size(evicted.bytes)
    ))
}
