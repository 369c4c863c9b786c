//! `lomme camera scan`: what is there, without the network.

use super::{Desk, items, number};
use crate::args::SomeSource;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::progress::Shown;
use crate::roll;
use crate::shapes::ScanShape;
use lomme::camera::{ScanResult, Source};
use lomme::{CancelToken, Error};
use std::sync::Arc;

pub async fn run(
    args: &SomeSource,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let scans = all(desk, &desk.sources(args)?, output, cancel).await?;
    if output.is_json() {
        output.start_list()?;
        for scan in &scans {
            output.list_item(&scan.shape())?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    for scan in &scans {
        scan.tell(output)?;
    }
    Ok(())
}

/// What a scan has found, and whether it saw all.
pub struct Scanned {
    source: Source,
    found: ScanResult,
    complete: bool,
}

impl Scanned {
    pub fn shape(&self) -> ScanShape {
        ScanShape::new(&self.source, self.found, self.complete)
    }

    pub fn tell(&self, output: &mut Output) -> Result<(), Failure> {
        let mut line = format!("{}: {}", shown(&self.source.name), items(self.found.seen));
        for (many, what) in [
            (self.found.added, "new"),
            (self.found.changed, "changed"),
            (self.found.gone, "gone"),
            (self.found.skipped, "left out"),
        ] {
            if many > 0 {
                line.push_str(&format!(", {} {what}", number(many)));
            }
        }
        output.line(line)?;
        if !self.complete {
            output.remark(format!(
                "Not all of '{}' could be read, so nothing counts as gone.",
                shown(&self.source.name)
            ));
        }
        Ok(())
    }
}

/// One after the other. A source that cannot be read holds up none but itself.
pub async fn all(
    desk: &Desk,
    sources: &[Source],
    output: &Output,
    cancel: &CancelToken,
) -> Result<Vec<Scanned>, Failure> {
    let mut scans = Vec::new();
    for source in sources {
        scans.push(one(desk, source, output, cancel).await?);
    }
    Ok(scans)
}

pub async fn one(
    desk: &Desk,
    source: &Source,
    output: &Output,
    cancel: &CancelToken,
) -> Result<Scanned, Failure> {
    let camera = desk.camera();
    let bar = Arc::new(Shown::entries(output, &shown(&source.name)));
    let found = match (&source.folder, desk.rolls.folder(source)) {
        (Some(_), _) => camera.scan_folder(source.id, cancel).await?,
        (None, Some(folder)) => {
            let (camera, folder, cancel) = (camera.clone(), folder.to_owned(), cancel.clone());
            let (id, bar) = (source.id, bar.clone());
            let scanning = tokio::task::spawn_blocking(move || {
                roll::scan(&camera, id, &folder, &|seen| bar.seen(seen), &cancel)
            });
            scanning.await.map_err(|_| Error::Bug {
                detail: "a scan that stopped".into(),
            })??
        }
        (None, None) => ScanResult::default(),
    };
    drop(bar);
    let now = desk.source(&source.id.to_string())?;
    // A scan that saw all says so by its time; one that did not leaves the time of the last that did.
    let complete = now.complete_ms.is_some() && now.complete_ms != source.complete_ms;
    Ok(Scanned {
        source: now,
        found,
        complete,
    })
}
