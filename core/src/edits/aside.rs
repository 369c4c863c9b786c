//! Changes that wait for each other: names that are swapped, an item that moves into the folder that gets its name.
//!
//! Each waits for the next one's change, round in a circle, so none can be first. Then one that has a name which another
//! one wants steps aside: it gets a temporary name in its own folder, and everything else is as ever. Everybody who asks
//! names the same one. The marker is durable before, so that a kill between does not lose what stepped aside.

use super::Edits;
use super::queue::{FILE, FOLDER};
use super::state::{Marker, What};
use super::why::Before;
use super::wishes::file_name;
use crate::catalog::{Answered, Id};
use crate::remote::{Presence, RemotePath};
use crate::runtime::blocking;
use crate::store::EditRow;
use crate::{CancelToken, Error, Result};

/// The longest chain of changes that is followed.
const LONGEST: usize = 1_000;

impl Edits {
    /// Who is to step aside, if the row waits in a circle or for one.
    pub(super) fn who_steps_aside(&self, row: &EditRow) -> Result<Option<Id>> {
        let mut chain: Vec<(Id, Before)> = Vec::new();
        let mut at = row.clone();
        while chain.len() < LONGEST {
            let Some(before) = self.comes_after(&at)? else {
                return Ok(None);
            };
            if let Some(start) = chain.iter().position(|(id, _)| *id == at.id) {
                let holders = chain[start..]
                    .iter()
                    .filter_map(|(_, before)| match before {
                        Before::HasTheName(holder) => Some(*holder),
                        Before::Other(_) => None,
                    });
                return Ok(holders.min());
            }
            chain.push((at.id, before));
            match self.store.edit(&before.id())? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Gives the item a temporary name, if it is the one; whether it did.
    pub(super) async fn step_aside(&self, row: &EditRow, cancel: &CancelToken) -> Result<bool> {
        // What the service never had has no name there to give up.
        if row.is_new {
            return Ok(false);
        }
        let (edits, of) = (self.clone(), row.clone());
        let steps = blocking(move || {
            let waits = edits.comes_after(&of)?.is_some();
            Ok(waits && edits.who_steps_aside(&of)? == Some(of.id))
        })
        .await?;
        if !steps {
            return Ok(false);
        }
        let Some(found) = self.locate(row, cancel).await? else {
            return Ok(false);
        };
        if !matches!(found.presence, Presence::File(_) | Presence::Folder) {
            return Ok(false);
        }
        let name = found.path.segments().last().cloned().unwrap_or_default();
        let aside = found.path.with_name(&file_name(&name, &suffix(&row.id)));
        self.mark(row, What::Aside, &aside).await?;
        let moved = self.move_now(row, &found.path, &aside, cancel).await?;
        self.note_at(row, &aside, moved).await?;
        Ok(true)
    }

    /// What stepped aside before a kill, and was not noted, is noted.
    pub(super) async fn find_aside(&self, row: &EditRow, cancel: &CancelToken) -> Result<()> {
        let Some(marker) = Marker::of(row).filter(|marker| marker.what == What::Aside) else {
            return Ok(());
        };
        let (catalog, of) = (self.catalog.clone(), row.id);
        let Some(theirs) = blocking(move || catalog.theirs(&of)).await? else {
            return Ok(());
        };
        let aside = RemotePath::new(marker.path);
        if theirs.path == aside {
            return Ok(());
        }
        let uuid = theirs.uuid.or(row.base.as_ref().and_then(|base| base.uuid));
        match self.remote.look(&aside, cancel).await? {
            Presence::File(history)
                if row.kind == FILE && uuid.is_some() && history.file.uuid == uuid =>
            {
                self.note_at(row, &aside, Some(history.file)).await
            }
            Presence::Folder if row.kind == FOLDER => {
                let old = self.remote.look(&theirs.path, cancel).await?;
                if matches!(old, Presence::Folder) {
                    return Ok(());
                }
                self.note_at(row, &aside, None).await
            }
            _ => Ok(()),
        }
    }

    /// The item is at another name in its folder.
    async fn note_at(
        &self,
        row: &EditRow,
        path: &RemotePath,
        file: Option<crate::remote::RemoteFile>,
    ) -> Result<()> {
        let (catalog, of) = (self.catalog.clone(), row.id);
        let theirs = blocking(move || catalog.theirs(&of)).await?;
        let parent = theirs
            .map(|theirs| theirs.parent)
            .ok_or_else(|| Error::bug("what stepped aside is nowhere"))?;
        let name = path.segments().last().cloned().unwrap_or_default();
        let answer = match file {
            Some(file) => Answered::File { parent, file },
            None => Answered::Folder { parent, name },
        };
        self.note(row.id, answer).await
    }
}

/// Of a temporary name.
pub(super) fn suffix(id: &Id) -> String {
    let number = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
    format!(" ({number:08x})")
}
