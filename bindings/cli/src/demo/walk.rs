//! The walk-through itself, step by step.

mod camera;
mod edits;
mod ondemand;

use super::report::{Asked, Report};
use super::stage::{FILM, Stage, cloud_failed};
use crate::commands::{count, size};
use crate::failure::Failure;
use crate::names::shown;
use local_cloud::{Moment, Rule};
use lomme::account::Secret;
use lomme::catalog::{Action, Consequence, Item, Kind, Lookup, Order, Space};
use lomme::content::{Fetched, Purpose};
use lomme::{CancelToken, Listener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shows everything; gives the content bytes that it asked for.
pub async fn through(
    stage: &Stage,
    report: &mut Report<'_>,
    cancel: &CancelToken,
) -> Result<Asked, Failure> {
    let mut walk = Walk {
        stage,
        cancel,
        asked: Asked::new(),
    };
    walk.sign_in(report).await?;
    walk.learn(report).await?;
    walk.browse(report)?;
    walk.consequences(report)?;
    walk.hear_of_changes(report).await?;
    walk.download(report).await?;
    walk.resume(report).await?;
    walk.outlive_a_token(report).await?;
    walk.search(report)?;
    walk.stream(report).await?;
    walk.pin(report).await?;
    walk.thumbnail(report).await?;
    walk.watch(report).await?;
    walk.edit(report).await?;
    walk.conflict(report).await?;
    walk.version(report).await?;
    walk.link(report).await?;
    walk.trash(report).await?;
    walk.camera(report).await?;
    Ok(walk.asked)
}

struct Walk<'a> {
    stage: &'a Stage,
    cancel: &'a CancelToken,
    asked: Asked,
}

impl Walk<'_> {
    async fn sign_in(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("sign_in", "Sign in with a personal login token")?;
        let token = Secret::new(self.stage.cloud.login_token().map_err(cloud_failed)?);
        let info = self
            .stage
            .drive
            .account()
            .sign_in(&token, self.cancel)
            .await?;
        let who = info.email.unwrap_or(info.username);
        report.say(format!(
            "   Signed in as {}. The token works once and is used up.",
            shown(&who)
        ))?;
        report.fact("account", who);
        Ok(())
    }

    async fn learn(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("index", "Learn every name, fetch no content")?;
        let began = Instant::now();
        let mut all = 0;
        for space in Space::ALL {
            let catalog = self.stage.drive.catalog();
            let found = catalog.index(space, &|_| {}, self.cancel).await?;
            let what = about(space);
            report.say(format!(
                "   {:8} {:>9} in {:10}   {what}",
                space.name(),
                count(found.files, "file"),
                count(found.folders, "folder")
            ))?;
            report.fact(space.name(), found.files);
            all += found.files;
        }
        let content: u64 = self.stage.cloud.counts().content_bytes.values().sum();
        report.say(format!(
            "   {all} files known after {} ms; content fetched: {}.",
            began.elapsed().as_millis(),
            size(content)
        ))?;
        report.fact("content_bytes", content);
        Ok(())
    }

    fn browse(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("browse", "Browse without the network")?;
        let before = self.stage.requests();
        let began = Instant::now();
        let catalog = self.stage.drive.catalog();
        let folder = self.item("Sync")?;
        let mut pages = 0;
        let mut rows = Vec::new();
        let mut next = None;
        loop {
            let page = catalog.children(&folder.id, Order::Name, next.as_deref(), 3)?;
            pages += 1;
            rows.extend(page.items);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let took = began.elapsed();
        report.say(format!("   Sync, in {pages} pages of 3:"))?;
        for item in &rows {
            let mark = if item.kind == Kind::File { "" } else { "/" };
            report.say(format!("     {}{mark}", shown(&item.name)))?;
        }
        let requests = self.stage.requests() - before;
        report.say(format!(
            "   Read in {:.1} ms; requests to the cloud: {requests}.",
            took.as_secs_f64() * 1000.0
        ))?;
        report.fact("requests", requests);
        report.fact("rows", rows.len());
        if requests == 0 {
            Ok(())
        } else {
            Err(Failure::demo("browsing went to the network"))
        }
    }

    fn consequences(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step(
            "consequences",
            "What may be done to a file, and where it leads",
        )?;
        let mut columns = Vec::new();
        for space in Space::ALL {
            columns.push((space, self.any_file(space)?));
        }
        let header: String = columns
            .iter()
            .map(|(s, _)| format!("{:17}", s.name()))
            .collect();
        report.say(format!("   {:10}{}", "", header.trim_end()))?;
        for action in [
            Action::Read,
            Action::Edit,
            Action::Move,
            Action::Trash,
            Action::Restore,
            Action::Purge,
            Action::Link,
            Action::Versions,
        ] {
            let mut line = format!("   {:10}", crate::shapes::action(action));
            for (_, file) in &columns {
                let leads = file.as_ref().map_or("", |file| leads_to(file, action));
                line.push_str(&format!("{leads:17}"));
            }
            report.say(line.trim_end())?;
        }
        Ok(())
    }

    async fn hear_of_changes(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("changes", "Hear of what another client did")?;
        let catalog = self.stage.drive.catalog();
        let folder = self.item("Sync/Videos")?;
        catalog.refresh(&folder.id, self.cancel).await?;
        let film = self.item("Sync/Videos/Boat trip.mp4")?;
        let (told, hints) = channel();
        let _subscription = self.stage.drive.subscribe(Arc::new(Ears(Mutex::new(told))));
        let mut anchor = catalog.current_anchor()?;
        let writer = self.stage.cloud.writer();
        let (old, _) = FILM;
        writer
            .put(
                "/Jotta/Sync/Videos/Shopping list.txt",
                b"bread\nbrown cheese\n",
            )
            .and_then(|_| writer.rename(old, "Boat trip to Lofoten.mp4"))
            .map_err(cloud_failed)?;
        report.say("   A laptop writes 'Shopping list.txt' and renames 'Boat trip.mp4'.")?;
        catalog.refresh(&folder.id, self.cancel).await?;
        wait_for(&hints)?;
        let mut same_id = false;
        loop {
            let changes = catalog.changes(&anchor, 100)?;
            for item in changes
                .updated
                .iter()
                .filter(|item| item.kind == Kind::File)
            {
                let kept = item.id == film.id;
                same_id |= kept;
                let note = if kept {
                    "   (same id as before)"
                } else {
                    "   (new)"
                };
                report.say(format!("   The feed says: {}{note}", shown(&item.name)))?;
            }
            anchor = changes.anchor;
            if !changes.more {
                break;
            }
        }
        report.fact("renamed_file_kept_its_id", same_id);
        if same_id {
            Ok(())
        } else {
            Err(Failure::demo("a renamed file did not keep its id"))
        }
    }

    async fn download(&mut self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("download", "Download a file, because somebody opens it")?;
        let list = self.item("Sync/Videos/Shopping list.txt")?;
        let got = self.fetch(&list, "list", self.cancel).await?;
        self.asked(&got);
        report.say(format!(
            "   {}: {}, size and MD5 compared before it gets its name.",
            shown(&got.item.name),
            size(got.bytes)
        ))?;
        report.fact("bytes", got.bytes);
        Ok(())
    }

    async fn resume(&mut self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("resume", "Lose the connection, and fetch only the rest")?;
        let film = self.item("Sync/Videos/Boat trip to Lofoten.mp4")?;
        let trouble = self.stage.cloud.trouble();
        // At the end of a block: of one that breaks off, what has come comes again.
        let cut = 30 * 64 * 1024;
        trouble.add(Rule::on("bin").cut_after(cut).once());
        // The app is closed while a request is in trouble already, so that none is served later unseen.
        let open = self.cancel.child();
        let close = open.clone();
        let again = Rule::on("bin").after(1).lose_answer();
        trouble.add(again.strike(Moment::BeforeWork, move |_| close.cancel()));
        let Err(failed) = self.fetch(&film, "film", &open).await else {
            return Err(Failure::demo("a broken download was taken for a whole one"));
        };
        let dest = self.stage.download_to("film");
        report.say(format!(
            "   The connection broke after {} of {}, and the app was closed ({}).",
            size(cut),
            size(FILM.1),
            failed.kind(),
        ))?;
        if dest.exists() {
            return Err(Failure::demo(
                "a broken download left something at its destination",
            ));
        }
        report.say("   At the destination: nothing.")?;
        trouble.clear();
        let got = self.fetch(&film, "film", self.cancel).await?;
        self.asked(&got);
        report.say(format!(
            "   Asked for again: {} fetched, {} were here; the whole is verified.",
            size(got.fetched),
            size(got.bytes - got.fetched)
        ))?;
        report.fact("bytes", got.bytes);
        report.fact("fetched_after_the_break", got.fetched);
        Ok(())
    }

    async fn outlive_a_token(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("token", "Outlive an access token")?;
        let tokens = |stage: &Stage| stage.cloud.counts().requests_of("token");
        let before = tokens(self.stage);
        self.stage
            .cloud
            .expire_access_tokens()
            .map_err(cloud_failed)?;
        let sync = Space::Sync.root();
        self.stage
            .drive
            .catalog()
            .refresh(&sync, self.cancel)
            .await?;
        let refreshed = tokens(self.stage) - before;
        if refreshed == 0 {
            return Err(Failure::demo("an expired access token was taken"));
        }
        report.say(format!(
            "   The token expired; the next request got a new one by itself ({refreshed} refresh)."
        ))?;
        report.fact("refreshes", refreshed);
        Ok(())
    }

    async fn fetch(
        &self,
        item: &Item,
        name: &str,
        cancel: &CancelToken,
    ) -> Result<Fetched, Failure> {
        let dest = self.stage.download_to(name);
        let content = self.stage.drive.content();
        let fetching = content.fetch_to_file(&item.id, None, &dest, Purpose::Open, None, cancel);
        Ok(fetching.await?)
    }

    /// A file is asked for once, however many tries it takes.
    fn asked(&mut self, got: &Fetched) {
        *self.asked.entry(got.item.space).or_default() += got.bytes;
    }

    fn item(&self, path: &str) -> Result<Item, Failure> {
        let names: Vec<&str> = path.split('/').collect();
        match self.stage.drive.catalog().find(&names)? {
            Lookup::Found(item) => Ok(item),
            Lookup::Gone | Lookup::Unknown => Err(Failure::demo(format!("there is no {path}"))),
        }
    }

    /// Some file of a space, as an example.
    fn any_file(&self, space: Space) -> Result<Option<Item>, Failure> {
        let mut folders = vec![space.root()];
        while let Some(folder) = folders.pop() {
            let page = self
                .stage
                .drive
                .catalog()
                .children(&folder, Order::Name, None, 100)?;
            for item in page.items {
                match item.kind {
                    Kind::File => return Ok(Some(item)),
                    _ => folders.push(item.id),
                }
            }
        }
        Ok(None)
    }
}

/// Passes hints on to whoever waits.
struct Ears(Mutex<Sender<()>>);

impl Listener for Ears {
    fn on_changed(&self) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = sender.send(());
    }

    fn on_account_changed(&self) {}
}

fn wait_for(hints: &Receiver<()>) -> Result<(), Failure> {
    hints
        .recv_timeout(Duration::from_secs(5))
        .map_err(|_| Failure::demo("no hint came of a change"))
}

fn about(space: Space) -> &'static str {
    match space {
        Space::Sync => "mirrored to and from every computer",
        Space::Backup => "mirrored from one computer to the cloud",
        Space::Archive => "in the cloud only",
        Space::Trash => "deleted in the last 30 days",
    }
}

fn leads_to(file: &Item, action: Action) -> &'static str {
    let capability = file.capabilities.iter().find(|c| c.action == action);
    match capability.map(|c| c.consequence) {
        None => "-",
        Some(Consequence::None) => "yes",
        Some(Consequence::CloudOnly) => "cloud only",
        Some(Consequence::ReachesAllComputers) => "all computers",
        Some(Consequence::DeletedOnAllComputers) => "gone everywhere",
        Some(Consequence::NotCarriedBack) => "not carried back",
        Some(Consequence::MayBeLastCopy) => "the last copy?",
        Some(Consequence::Public) => "public",
    }
}
