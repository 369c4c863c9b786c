//! `lomme usage`

use super::{count, evict, size};
use crate::args::Usage as Args;
use crate::failure::Failure;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::{UsageShape, UsedShape};
use lomme::catalog::Space;
use lomme::content::Usage;

pub fn run(args: &Args, place: &Place, output: &mut Output) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let content = drive.content();
    let mut evicted = None;
    if args.budget.is_some() || args.floor.is_some() {
        let mut limits = content.usage()?.limits;
        limits.budget_bytes = args.budget.unwrap_or(limits.budget_bytes);
        limits.free_floor_bytes = args.floor.unwrap_or(limits.free_floor_bytes);
        evicted = Some(content.set_limits(limits)?);
    }
    let usage = content.usage()?;
    if output.is_json() {
        return output.document(&UsedShape {
            usage: UsageShape::from(&usage),
            evicted: evicted.map(Into::into),
        });
    }
    if let Some(evicted) = evicted.filter(|evicted| evicted.files > 0) {
        evict::tell(evicted, "", output)?;
    }
    tell(&usage, output)
}

pub fn tell(usage: &Usage, output: &mut Output) -> Result<(), Failure> {
    for (space, used) in Space::ALL.iter().zip(&usage.spaces) {
        // Nothing of the trash can be fetched.
        if *space == Space::Trash && used.pinned_bytes + used.cached_bytes == 0 {
            continue;
        }
        output.line(format!(
            "  {:12} {:>10} pinned  {:>10} else   {}",
            space.name(),
            size(used.pinned_bytes),
            size(used.cached_bytes),
            count(used.whole_files, "whole file")
        ))?;
    }
    output.line(format!(
        "  {:12} {:>10}",
        "Thumbnails",
        size(usage.thumbnail_bytes)
    ))?;
    output.line(format!(
        "  Budget for what is not pinned: {}; free on the disk: {}, of which {} stay free",
        size(usage.limits.budget_bytes),
        size(usage.free_bytes),
        size(usage.limits.free_floor_bytes)
    ))
}
