//! The third part of the walk-through: changes, made here while others make theirs.

use super::Walk;
use crate::commands::count;
use crate::demo::report::Report;
use crate::demo::stage::cloud_failed;
use crate::failure::Failure;
use crate::names::shown;
use lomme::catalog::{Item, Lookup};
use lomme::edits::{ConflictKind, NewContent, Outcome};
use std::path::PathBuf;

const BEFORE: &str = "Sync/Videos/Shopping list.txt";
const AFTER: &str = "Shopping list for Friday.txt";
const PLACE: &str = "Sync/Videos/Shopping list for Friday.txt";

impl Walk<'_> {
    pub(super) async fn edit(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("edit", "Change a file without the network")?;
        let before = self.stage.requests();
        let drive = &self.stage.drive;
        let edits = drive.edits();
        let list = self.item(BEFORE)?;
        let mine = self.written("mine", "bread\nbrown cheese\nwaffles\n")?;
        edits.replace_content(
            &list.id,
            list.content_version.as_deref(),
            NewContent::of(&mine),
            None,
        )?;
        edits.move_to(&list.id, &list.parent, Some(AFTER), None)?;
        self.nothing_asked_since(before, "a change went to the network by itself")?;
        let shown_now = self.item(PLACE)?;
        let waiting = edits.outbox()?.len() as u64;
        report.say(format!(
            "   Written and renamed: it is '{}' here at once; {} waits, and no request was made.",
            shown(&shown_now.name),
            count(waiting, "file")
        ))?;
        let run = edits.push(None, self.cancel).await?;
        let there = self.in_cloud(PLACE)?;
        if run.left > 0 || there != Some(27) || self.in_cloud(BEFORE)?.is_some() {
            return Err(Failure::demo("the service does not have what was changed"));
        }
        report.say(format!(
            "   Sent, {} bytes: every computer gets it, under the new name.",
            run.sent_bytes
        ))?;
        report.fact("waited", waiting);
        report.fact("sent_bytes", run.sent_bytes);
        same_id(&list, &shown_now)
    }

    pub(super) async fn conflict(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("conflict", "Change what another computer changes too")?;
        let edits = self.stage.drive.edits();
        let list = self.item(PLACE)?;
        let mine = self.written("mine", "bread\nbrown cheese\nwaffles\njam\n")?;
        edits.replace_content(
            &list.id,
            list.content_version.as_deref(),
            NewContent::of(&mine),
            None,
        )?;
        report.say("   Jam is added here, and before that is sent, the laptop adds coffee.")?;
        let theirs = b"bread\nbrown cheese\nwaffles\ncoffee\n";
        let writer = self.stage.cloud.writer();
        writer
            .put(&format!("/Jotta/{PLACE}"), theirs)
            .map_err(cloud_failed)?;
        let settled = edits.settle(&list.id, None, self.cancel).await?;
        let Outcome::KeptBoth { copy } = settled.outcome else {
            return Err(Failure::demo("one of two contents was not kept"));
        };
        let Lookup::Found(copy) = self.stage.drive.catalog().item(&copy)? else {
            return Err(Failure::demo("the copy is not known"));
        };
        edits.settle(&copy.id, None, self.cancel).await?;
        let told = edits.conflicts(true)?;
        let told = told.iter().any(|conflict| {
            conflict.kind == ConflictKind::BothEdited && conflict.copy.as_ref() == Some(&copy.id)
        });
        let ours = self.in_cloud(&format!("Sync/Videos/{}", copy.name))?;
        if !told || self.in_cloud(PLACE)? != Some(theirs.len() as u64) || ours != Some(31) {
            return Err(Failure::demo("the service does not have both contents"));
        }
        report.say("   Both are kept, and every computer has both:")?;
        report.say(format!("     {AFTER}   (the laptop's)"))?;
        report.say(format!("     {}   (ours)", shown(&copy.name)))?;
        report.fact("copy", copy.name);
        Ok(())
    }

    pub(super) async fn version(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("version", "Go back to an older version")?;
        let edits = self.stage.drive.edits();
        let list = self.item(PLACE)?;
        let versions = edits.versions(&list.id, self.cancel).await?;
        let Some(oldest) = versions.last().filter(|oldest| !oldest.current) else {
            return Err(Failure::demo("the file has no older version"));
        };
        let restored = edits
            .restore_version(&list.id, &oldest.token, self.cancel)
            .await?;
        if self.in_cloud(PLACE)? != Some(oldest.size) {
            return Err(Failure::demo("the older version is not the newest now"));
        }
        report.say(format!(
            "   Of {}, the oldest is the newest now; the service did it, and nothing came here.",
            count(versions.len() as u64, "version")
        ))?;
        report.fact("versions", versions.len());
        same_id(&list, &restored)
    }

    pub(super) async fn link(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("link", "Make a public link, and end it")?;
        let edits = self.stage.drive.edits();
        let list = self.item(PLACE)?;
        edits.set_link(&list.id, true, None)?;
        edits.settle(&list.id, None, self.cancel).await?;
        let Some(link) = edits.link(&list.id, self.cancel).await? else {
            return Err(Failure::demo("no link was made"));
        };
        report.say(format!(
            "   {}: anyone who has it can read it.",
            shown(&link.url)
        ))?;
        report.fact("url", link.url);
        edits.set_link(&list.id, false, None)?;
        edits.settle(&list.id, None, self.cancel).await?;
        if edits.link(&list.id, self.cancel).await?.is_some() {
            return Err(Failure::demo("the link did not end"));
        }
        report.say("   Ended: nobody can any more.")
    }

    pub(super) async fn trash(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("trash", "Delete, and think better of it")?;
        let edits = self.stage.drive.edits();
        let list = self.item(PLACE)?;
        edits.trash(&list.id, list.content_version.as_deref(), false, None)?;
        edits.settle(&list.id, None, self.cancel).await?;
        if self.in_cloud(PLACE)?.is_some() {
            return Err(Failure::demo("what was deleted is still there"));
        }
        report.say("   In the trash: it is gone from every computer.")?;
        edits.restore(&list.id, None)?;
        edits.settle(&list.id, None, self.cancel).await?;
        if self.in_cloud(PLACE)?.is_none() {
            return Err(Failure::demo("what was restored is not there"));
        }
        report.say("   Restored to where it was, with the same id.")?;
        same_id(&list, &self.item(PLACE)?)
    }

    /// A file on this machine.
    fn written(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.stage.download_to(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// The bytes of a living file in the cloud, if it is there.
    fn in_cloud(&self, path: &str) -> Result<Option<u64>, Failure> {
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        let path = format!("/Jotta/{path}");
        let writer = self.stage.cloud.writer();
        let living = writer
            .paths(&format!("/Jotta/{folder}"))
            .map_err(cloud_failed)?;
        let found = living.into_iter().find(|entry| entry.path == path);
        Ok(found.map(|entry| entry.size))
    }
}

fn same_id(before: &Item, after: &Item) -> Result<(), Failure> {
    if before.id == after.id {
        return Ok(());
    }
    Err(Failure::demo("a changed file did not keep its id"))
}
