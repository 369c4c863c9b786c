//! The second half of the walk-through: as if all of it were here, while only what is asked for comes.

use super::{Ears, Walk};
use crate::commands::{count, size};
use crate::demo::report::Report;
use crate::demo::stage::{STREAMED, cloud_failed};
use crate::failure::Failure;
use crate::names::shown;
use local_cloud::Rule;
use lomme::CancelToken;
use lomme::catalog::{Item, LocalCopy, Search, Space};
use lomme::content::{Hint, Purpose, ThumbnailSize};
use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a reader gives at once.
const READ: u32 = 128 * 1024;

impl Walk<'_> {
    pub(super) fn search(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("search", "Search all spaces without the network")?;
        let before = self.stage.requests();
        let mut found_all = 0;
        for text in ["lofoten", "æøå"] {
            let began = Instant::now();
            let found = self.stage.drive.catalog().search(&Search::new(text))?;
            let took = began.elapsed();
            let names: Vec<String> = found.items.iter().take(2).map(|i| shown(&i.name)).collect();
            report.say(format!(
                "   '{text}': {} in {:.1} ms, such as '{}'",
                count(found.items.len() as u64, "item"),
                took.as_secs_f64() * 1000.0,
                names.join("' and '")
            ))?;
            if found.items.is_empty() {
                return Err(Failure::demo(format!("nothing was found for '{text}'")));
            }
            found_all += found.items.len();
        }
        report.fact("found", found_all);
        self.nothing_asked_since(before, "a search went to the network")
    }

    /// As a player does: the index at the end, the beginning, and a jump to the middle.
    pub(super) async fn stream(&mut self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("stream", "Play parts of a video from Backup")?;
        let video = self.item(STREAMED.1)?;
        let before = self.fetched(Space::Backup, Purpose::Stream)?;
        let content = self.stage.drive.content();
        let reader = content.open_reader(&video.id, None, Purpose::Stream)?;
        let whole = reader.size();
        let asked = tokio::task::spawn_blocking(move || {
            reader.hint(Hint::Random);
            let mut asked = 0;
            for at in [whole - u64::from(READ), 0, whole / 2 - u64::from(READ)] {
                for at in [at, at + u64::from(READ)] {
                    if at < whole {
                        asked += reader.read_at(at, READ)?.len() as u64;
                    }
                }
            }
            Ok::<_, lomme::Error>(asked)
        });
        let asked = asked.await.map_err(|_| Failure::demo("a read stopped"))??;
        let fetched = self.fetched(Space::Backup, Purpose::Stream)? - before;
        *self.asked.entry(Space::Backup).or_default() += asked;
        report.say(format!(
            "   {}, {}: asked for {}, fetched {} (in whole blocks).",
            shown(&video.name),
            size(whole),
            size(asked),
            size(fetched)
        ))?;
        report.fact("size", whole);
        report.fact("asked", asked);
        report.fact("fetched", fetched);
        if fetched <= 2 * asked {
            Ok(())
        } else {
            Err(Failure::demo(
                "a player's reads fetched more than twice what it asked for",
            ))
        }
    }

    pub(super) async fn pin(&mut self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("pin", "Keep a folder for the flight, and read it there")?;
        let folder = self.item("Sync/Documents/Insurance")?;
        let content = self.stage.drive.content();
        let pin = content.pin(&folder.id, 1 << 30)?;
        let run = content.keep_pins(None, self.cancel).await?;
        *self.asked.entry(Space::Sync).or_default() += pin.bytes;
        report.say(format!(
            "   Pinned {}: {}, {}; fetched {}.",
            shown(&folder.name),
            count(pin.files, "file"),
            size(pin.bytes),
            size(run.fetched)
        ))?;
        report.fact("bytes", pin.bytes);
        report.fact("fetched", run.fetched);
        let trouble = self.stage.cloud.trouble();
        trouble.add(Rule::on_all().lose_answer());
        let before = self.stage.requests();
        let document = self.item("Sync/Documents/Insurance/Car.pdf")?;
        let read = self.read_all(&document).await?;
        let requests = self.stage.requests() - before;
        trouble.clear();
        report.say(format!(
            "   In the air: {} opened, {} read; requests to the cloud: {requests}.",
            shown(&document.name),
            size(read)
        ))?;
        report.fact("requests", requests);
        if document.local != LocalCopy::Whole || document.size != Some(read) {
            return Err(Failure::demo("what was pinned is not here as a whole"));
        }
        self.nothing_asked_since(before, "a pinned file went to the network")
    }

    async fn read_all(&self, item: &Item) -> Result<u64, Failure> {
        let content = self.stage.drive.content();
        let reader = content.open_reader(&item.id, None, Purpose::Open)?;
        let reading = tokio::task::spawn_blocking(move || {
            let mut at = 0;
            while at < reader.size() {
                at += reader.read_at(at, READ)?.len() as u64;
            }
            Ok::<_, lomme::Error>(at)
        });
        Ok(reading
            .await
            .map_err(|_| Failure::demo("a read stopped"))??)
    }

    pub(super) async fn thumbnail(&mut self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("thumbnail", "See a picture without fetching it")?;
        let picture = self.item("Backup/KARI-PC/Pictures/2023 Lofoten/IMG_4021.JPG")?;
        let content = self.stage.drive.content();
        let made = content
            .thumbnail(&picture.id, ThumbnailSize::Small, self.cancel)
            .await?;
        let Some(made) = made else {
            return Err(Failure::demo("there is no thumbnail of a picture"));
        };
        let bytes = fs::metadata(&made.path)?.len();
        *self.asked.entry(Space::Backup).or_default() += bytes;
        report.say(format!(
            "   {}: a thumbnail of {} ({}); of the picture itself, nothing.",
            shown(&picture.name),
            size(bytes),
            made.mime
        ))?;
        report.fact("bytes", bytes);
        Ok(())
    }

    pub(super) async fn watch(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("watch", "Hear of a change as it happens")?;
        let (told, hints) = channel();
        let drive = &self.stage.drive;
        let _subscription = drive.subscribe(Arc::new(Ears(Mutex::new(told))));
        let anchor = drive.catalog().current_anchor()?;
        let enough = self.cancel.child();
        let watching = tokio::spawn({
            let (drive, enough) = (drive.clone(), enough.clone());
            async move { drive.watch(&enough).await }
        });
        self.connected().await?;
        let began = Instant::now();
        let name = "From the laptop.md";
        let writer = self.stage.cloud.writer();
        writer
            .put(&format!("/Jotta/Sync/Notes/{name}"), b"Bring the map.\n")
            .map_err(cloud_failed)?;
        let (drive, cancel) = (drive.clone(), self.cancel.clone());
        let heard =
            tokio::task::spawn_blocking(move || heard(&drive, &anchor, name, &hints, &cancel));
        let heard = heard.await.map_err(|_| Failure::demo("a wait stopped"))??;
        enough.cancel();
        let _ = watching.await;
        if !heard {
            return Err(Failure::demo("a watched change was not heard of"));
        }
        let ms = began.elapsed().as_millis() as u64;
        report.say(format!(
            "   The laptop writes '{name}'; it is in the feed {ms} ms later, and nothing was fetched."
        ))?;
        report.fact("heard_after_ms", ms);
        Ok(())
    }

    async fn connected(&self) -> Result<(), Failure> {
        let began = Instant::now();
        while !self.stage.drive.status()?.watching {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(Failure::demo("the change events did not connect"));
            }
            self.cancel.check()?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub(super) fn nothing_asked_since(&self, before: u64, otherwise: &str) -> Result<(), Failure> {
        if self.stage.requests() == before {
            Ok(())
        } else {
            Err(Failure::demo(otherwise))
        }
    }

    /// What the ledger has of one space and purpose.
    fn fetched(&self, space: Space, purpose: Purpose) -> Result<u64, Failure> {
        let rows = self.stage.drive.content().ledger()?;
        let fits = rows
            .iter()
            .filter(|row| row.space == space && row.purpose == purpose);
        Ok(fits.map(|row| row.bytes).sum())
    }
}

/// Whether `name` came into the feed, a hint at a time.
fn heard(
    drive: &lomme::Drive,
    anchor: &str,
    name: &str,
    hints: &Receiver<()>,
    cancel: &CancelToken,
) -> Result<bool, Failure> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        cancel.check()?;
        let _ = hints.recv_timeout(Duration::from_millis(500));
        let changes = drive.catalog().changes(anchor, 500)?;
        if changes.updated.iter().any(|item| item.name == name) {
            return Ok(true);
        }
    }
    Ok(false)
}
