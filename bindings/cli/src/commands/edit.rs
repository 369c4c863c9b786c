//! `lomme edit`: an editor on a private copy, whose saves become changes.
//!
//! The copy is made for this alone, so that no half-written save is ever sent: a save counts when the file has stayed the
//! same for a moment. Each is made from the version that the one before it made, so that another writer is noticed. What
//! could not be queued is never removed with the copy.

use super::sending;
use crate::args::Edit;
use crate::failure::Failure;
use crate::names::{local, shown};
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use lomme::catalog::{Action, Item, ItemId, Lookup};
use lomme::content::Purpose;
use lomme::edits::NewContent;
use lomme::{CancelToken, Drive};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often the copy is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub async fn run(
    args: &Edit,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let item = place::find_file(drive.catalog(), &args.path, cancel).await?;
    if sending::leads_to(&item, Action::Edit).is_none() {
        return Err(lomme::Error::NotAllowed {
            detail: "nothing here may be edited".into(),
        }
        .into());
    }
    sending::tell(&item, Action::Edit, output);
    // Beside the drive, because a shared directory for temporary files is no place for what is private.
    // It goes by our own hand only: a kill or a bug while the editor is open must not take what was written.
    let directory = tempfile::Builder::new()
        .prefix("edit-")
        .tempdir_in(place.directory())?
        .keep();
    let copy = directory.join(local(&item.name));
    let bar = Arc::new(Shown::bytes(output));
    let content = drive.content();
    let got = content
        .fetch_to_file(
            &item.id,
            None,
            &copy,
            Purpose::Edit,
            Some(bar.clone()),
            cancel,
        )
        .await;
    drop(bar);
    let got = match got {
        Ok(got) => got,
        Err(error) => {
            fs::remove_dir_all(&directory)?;
            return Err(Failure::from(error).of_download());
        }
    };
    let mut session = Session {
        drive: &drive,
        last: look(&copy)?,
        copy,
        id: got.item.id.clone(),
        base: got.item.content_version,
        saves: 0,
    };
    let edited = session.watch(args, output, cancel).await;
    if let Err(failure) = edited {
        output.notice(format!(
            "What you wrote is kept in {}",
            shown(&directory.display().to_string())
        ));
        return Err(failure);
    }
    fs::remove_dir_all(&directory)?;
    if session.saves == 0 {
        return sending::tell_unchanged(&drive, &session.id, output);
    }
    let path = place::path_of(drive.catalog(), &session.id)?;
    sending::send(
        &drive,
        &session.id,
        &shown(&path),
        &args.when,
        output,
        cancel,
    )
    .await
}

/// What tells whether a file has changed, without reading it.
type Look = (u64, Option<SystemTime>);

fn look(copy: &PathBuf) -> Result<Look, Failure> {
    let metadata = fs::metadata(copy)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

struct Session<'a> {
    drive: &'a Arc<Drive>,
    copy: PathBuf,
    /// What is edited: after a conflict, our copy of it.
    id: ItemId,
    /// What the next save is made from.
    base: Option<String>,
    last: Look,
    saves: u32,
}

impl Session<'_> {
    /// Runs the editor, and makes each of its saves a change.
    async fn watch(
        &mut self,
        args: &Edit,
        output: &Output,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        let mut editor = start(&self.copy)?;
        let mut before = self.last;
        let status = loop {
            tokio::time::sleep(LOOK).await;
            if let Some(status) = editor.try_wait()? {
                break status;
            }
            // Between the two steps of a save by renaming there is nothing.
            let Ok(now) = look(&self.copy) else { continue };
            if now == before && now != self.last {
                self.save()?;
                if !args.when.later {
                    self.push(cancel).await;
                }
            }
            before = now;
        };
        if look(&self.copy)? != self.last {
            self.save()?;
        }
        if !status.success() {
            output.remark("The editor ended with an error.");
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), Failure> {
        self.last = look(&self.copy)?;
        let content = NewContent::of(&self.copy);
        let edits = self.drive.edits();
        let before = self.shown_version()?;
        let item = edits.replace_content(&self.id, self.base.as_deref(), content, None)?;
        // Equal bytes are no change.
        if item.content_version != before {
            self.saves += 1;
        }
        self.base = item.content_version;
        Ok(())
    }

    fn shown_version(&self) -> Result<Option<String>, Failure> {
        match self.drive.catalog().item(&self.id)? {
            Lookup::Found(item) => Ok(item.content_version),
            Lookup::Gone | Lookup::Unknown => Ok(None),
        }
    }

    /// Sends what is due. Whatever stops it is told at the end: the change is safe, and the editor has the screen.
    async fn push(&mut self, cancel: &CancelToken) {
        if self.drive.edits().push(None, cancel).await.is_ok()
            && let Some(copy) = self.conflict_copy()
        {
            self.base = copy.content_version;
            self.id = copy.id;
        }
    }

    /// Our content, if somebody else's has become the file's: it is what is edited from then on.
    fn conflict_copy(&self) -> Option<Item> {
        let conflicts = self.drive.edits().conflicts(false).ok()?;
        let ours = conflicts.into_iter().find(|found| {
            found.item == self.id && found.kind == lomme::edits::ConflictKind::BothEdited
        })?;
        match self.drive.catalog().item(&ours.copy?).ok()? {
            Lookup::Found(item) => Some(item),
            Lookup::Gone | Lookup::Unknown => None,
        }
    }
}

/// As git starts one: the variable may hold arguments.
fn start(copy: &PathBuf) -> Result<Child, Failure> {
    let set = |name| std::env::var(name).ok().filter(|editor| !editor.is_empty());
    let editor = set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".into());
    let child = Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg("sh")
        .arg(copy)
        .spawn();
    child.map_err(|error| Failure::machine(format!("no editor starts: {}", error.kind())))
}
