//! Another name or folder for an item, and a public link.

use super::aside::suffix;
use super::decide::{Comer, Ours, Plan, There, of_item, of_name};
use super::queue::{FILE, FOLDER};
use super::state::What;
use super::steps::{Did, Found, was_asked};
use super::wishes::{file_name, same_name};
use super::{ConflictKind, Edits, Outcome};
use crate::catalog::Answered;
use crate::remote::{Presence, RemoteFile, RemotePath};
use crate::runtime::blocking;
use crate::store::{EditRow, WantedPlace};
use crate::{CancelToken, Error, Result};

impl Edits {
    pub(super) async fn put_place(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let Some(place) = row.place.clone() else {
            return Ok(Outcome::Done);
        };
        let catalog = self.catalog.clone();
        let folder = blocking(move || catalog.their_path(&place.parent)).await?;
        let place = row.place.clone().unwrap_or(WantedPlace {
            parent: row.id,
            name: String::new(),
        });
        let to = folder.map(|folder| folder.child(&place.name));
        // An answer that got lost: it is there already.
        if let Some(to) = to.as_ref().filter(|to| was_asked(row, What::Move, to)) {
            let uuid = row.base.as_ref().and_then(|base| base.uuid);
            match self.remote.look(to, cancel).await? {
                Presence::File(history) if uuid.is_some() && history.file.uuid == uuid => {
                    return self.moved(row, &place, Some(history.file)).await;
                }
                Presence::Folder if row.kind == FOLDER => {
                    let catalog = self.catalog.clone();
                    let of = row.id;
                    let from = blocking(move || catalog.their_path(&of)).await?;
                    let left = match from {
                        Some(from) if from != *to => {
                            !matches!(self.remote.look(&from, cancel).await?, Presence::Folder)
                        }
                        _ => true,
                    };
                    if left {
                        return self.moved(row, &place, None).await;
                    }
                }
                _ => {}
            }
        }
        let found = self.locate(row, cancel).await?;
        let plan = of_item(Ours::Place, Found::theirs(found.as_ref()));
        let Some(found) = found.filter(|_| plan == Plan::Do) else {
            self.report(row, ConflictKind::ChangedButDeleted).await?;
            self.fulfil(row, Did::Place).await?;
            return Ok(Outcome::GivenUp);
        };
        let Some(to) = to else {
            // The folder that it was to go into is gone: it stays where it is.
            self.report(row, ConflictKind::ChangedButDeleted).await?;
            self.fulfil(row, Did::Place).await?;
            return Ok(Outcome::GivenUp);
        };
        if found.path == to {
            let file = match found.presence {
                Presence::File(history) => Some(history.file),
                _ => None,
            };
            return self.moved(row, &place, file).await;
        }
        let respelled = same_path(&found.path, &to);
        let there = match respelled {
            true => There::Itself,
            false => There::of(&self.remote.look(&to, cancel).await?, None),
        };
        let comer = match row.kind {
            FOLDER => Comer::MovedFolder,
            _ => Comer::MovedFile,
        };
        if of_name(comer, there) != Plan::Do {
            return self.other_name(row, &place).await;
        }
        self.mark(row, What::Move, &to).await?;
        let first = self.move_now(row, &found.path, &to, cancel).await;
        let file = match first {
            // To the service an item's own other spelling is taken: by way of another name.
            Err(Error::NameTaken) if respelled => {
                let aside = found
                    .path
                    .with_name(&file_name(&place.name, &suffix(&row.id)));
                self.mark(row, What::Aside, &aside).await?;
                self.move_now(row, &found.path, &aside, cancel).await?;
                self.move_now(row, &aside, &to, cancel).await?
            }
            Err(Error::NameTaken) => {
                let there = There::of(&self.remote.look(&to, cancel).await?, None);
                return match there {
                    There::Nothing => self.taken_by_nothing(row, &place, cancel).await,
                    _ => self.other_name(row, &place).await,
                };
            }
            file => file?,
        };
        self.moved(row, &place, file).await
    }

    pub(super) async fn move_now(
        &self,
        row: &EditRow,
        from: &RemotePath,
        to: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Option<RemoteFile>> {
        if row.kind == FOLDER {
            self.remote.move_folder(from, to, cancel).await?;
            return Ok(None);
        }
        self.remote.move_file(from, to, cancel).await.map(Some)
    }

    async fn moved(
        &self,
        row: &EditRow,
        place: &WantedPlace,
        file: Option<RemoteFile>,
    ) -> Result<Outcome> {
        let parent = place.parent;
        let answer = match file {
            Some(file) => Answered::File { parent, file },
            None => Answered::Folder {
                parent,
                name: place.name.clone(),
            },
        };
        self.note(row.id, answer).await?;
        self.fulfil(row, Did::Place).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn put_link(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let on = row.link == Some(true);
        let found = self.locate(row, cancel).await?;
        let plan = of_item(Ours::Link, Found::theirs(found.as_ref()));
        let Some(found) = found.filter(|_| plan == Plan::Do) else {
            self.report(row, ConflictKind::ChangedButDeleted).await?;
            self.fulfil(row, Did::Link).await?;
            return Ok(Outcome::GivenUp);
        };
        self.remote.share(&found.path, on, cancel).await?;
        if row.kind == FILE
            && let Presence::File(history) = self.remote.look(&found.path, cancel).await?
        {
            self.note_file(row.id, &history.file).await?;
        }
        self.fulfil(row, Did::Link).await?;
        Ok(Outcome::Done)
    }
}

fn same_path(one: &RemotePath, other: &RemotePath) -> bool {
    let (one, other) = (one.segments(), other.segments());
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| same_name(one, other))
}
