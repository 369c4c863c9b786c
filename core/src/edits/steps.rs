//! One row is carried out: what is wanted of an item, step by step, each looked at before and after.
//!
//! Every step that changes something is noted durably before it is asked for, so that an answer that got lost is
//! recognised by what the service shows. [`Edits::fulfil`] is the one place where a wish ends: after the service was seen
//! to have it, and only if nobody has wanted something newer meanwhile.

use super::conflict_name::{conflict_name, is_conflict_name};
use super::decide::{Ours, Plan, Theirs, There, of_item};
use super::queue::{FILE, FOLDER, id as id_of, record};
use super::send::{Put, Since};
use super::state::{Marker, What};
use super::wishes::same_name;
use super::{ConflictKind, Edits, Outcome, Park};
use crate::catalog::{Answered, Id, Space, id_text};
use crate::remote::{FileHistory, Presence, RemoteFile, RemotePath};
use crate::runtime::blocking;
use crate::store::{Base, ConflictRow, EditRow, Fate, WantedContent, WantedPlace};
use crate::{CancelToken, Error, Result};

/// An item as the service has it now.
pub(super) struct Found {
    pub path: RemotePath,
    pub presence: Presence,
}

impl Found {
    /// The item, against what the person saw of it.
    pub(super) fn theirs(found: Option<&Self>) -> Theirs {
        match found.map(|found| &found.presence) {
            None => Theirs::Gone,
            Some(Presence::Tombstone { .. } | Presence::Absent) => Theirs::Trashed,
            Some(Presence::File(_) | Presence::Folder) => Theirs::Same,
        }
    }
}

/// Which wishes a step has fulfilled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// It is there, at its place and with its content.
    Made,
    Content,
    Place,
    Fate,
    Link,
}

impl Edits {
    /// Brings all that is wanted of an item to the service.
    pub(super) async fn carry_out(&self, row: EditRow, cancel: &CancelToken) -> Result<Outcome> {
        self.find_aside(&row, cancel).await?;
        if self.step_aside(&row, cancel).await? {
            return Ok(Outcome::Done);
        }
        if row.is_new {
            return self.create(&row, cancel).await;
        }
        if row.fate == Some(Fate::Restore) {
            return self.restore_now(&row, cancel).await;
        }
        if row.fate == Some(Fate::Purge) {
            return self.purge_now(&row, cancel).await;
        }
        if row.content.is_some() {
            return self.put_content(&row, cancel).await;
        }
        if row.place.is_some() {
            return self.put_place(&row, cancel).await;
        }
        if row.link.is_some() {
            return self.put_link(&row, cancel).await;
        }
        if row.fate == Some(Fate::Trash) {
            return self.trash_now(&row, cancel).await;
        }
        Ok(Outcome::Done)
    }

    /// Where an item is now. What is not where it was known is looked for by the catalogue, which finds what has moved and
    /// says "gone" only by a complete listing.
    pub(super) async fn locate(
        &self,
        row: &EditRow,
        cancel: &CancelToken,
    ) -> Result<Option<Found>> {
        for again in [false, true] {
            let (catalog, of) = (self.catalog.clone(), row.id);
            let theirs = blocking(move || catalog.theirs(&of)).await?;
            let Some(theirs) = theirs else {
                return Ok(None);
            };
            let presence = self.remote.look(&theirs.path, cancel).await?;
            let uuid = theirs.uuid.or(row.base.as_ref().and_then(|base| base.uuid));
            let is_it = match &presence {
                Presence::File(history) => {
                    row.kind == FILE && (uuid.is_none() || history.file.uuid == uuid)
                }
                Presence::Folder => row.kind == FOLDER,
                Presence::Tombstone { file, .. } => {
                    let other = file.as_ref().and_then(|file| file.uuid);
                    file.is_some() == (row.kind == FILE)
                        && (other.is_none() || uuid.is_none() || other == uuid)
                }
                Presence::Absent => false,
            };
            let wanted_there = theirs.deleted_ms.is_some();
            let settled =
                is_it && (wanted_there || !matches!(presence, Presence::Tombstone { .. }));
            if let Presence::File(history) = &presence
                && settled
                && theirs.uuid.is_none()
            {
                // A recursive listing tells no uuid; with it the file is found again after somebody has renamed it.
                self.note_file(row.id, &history.file).await?;
            }
            if settled || (again && is_it) {
                return Ok(Some(Found {
                    path: theirs.path,
                    presence,
                }));
            }
            // The trash shows it, though the service does not show what is in the trash by its path.
            if again && wanted_there && presence == Presence::Absent {
                return Ok(Some(Found {
                    path: theirs.path,
                    presence,
                }));
            }
            if again {
                return Ok(None);
            }
            if let (None, Some(uuid)) = (theirs.uuid, uuid) {
                let (catalog, of) = (self.catalog.clone(), row.id);
                blocking(move || catalog.learn_uuid(&of, &uuid)).await?;
            }
            // What is in the trash is told by the listing of the trash, whatever its path shows.
            let whom = match wanted_there && presence == Presence::Absent {
                true => Space::Trash.root(),
                false => id_text(row.id),
            };
            match self.catalog.refresh_inner(&whom, cancel).await {
                // Something living has its place in the trash: whoever restores or purges sees to that.
                Err(Error::NotAllowed { .. }) if wanted_there => {
                    return Ok(Some(Found {
                        path: theirs.path,
                        presence,
                    }));
                }
                Ok(_) | Err(Error::NoSuchItem { .. } | Error::NotKnown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn put_content(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let Some(content) = row.content.clone() else {
            return Ok(Outcome::Done);
        };
        if self.waits_for_history(row).await? {
            let (edits, of) = (self.clone(), row.clone());
            blocking(move || edits.park(&of, Park::HistoryOnly)).await?;
            return Err(Error::VersionGone);
        }
        let found = self.locate(row, cancel).await?;
        let current = found.as_ref().and_then(|found| match &found.presence {
            Presence::File(history) => history.file.current.clone(),
            _ => None,
        });
        let theirs = match (&found, &current) {
            (None, _) => Theirs::Gone,
            (Some(_), None) => Theirs::Trashed,
            (Some(_), Some(now)) if (now.md5, now.size) == (content.md5, content.size) => {
                Theirs::Equal
            }
            (Some(found), Some(now)) => {
                let base = row.base.as_ref();
                let same = base
                    .is_some_and(|base| (base.md5, base.size) == (Some(now.md5), Some(now.size)));
                let store = self.store.clone();
                let id = row.id;
                let ours = blocking(move || store.sent_contents(&id)).await?;
                let moved =
                    base.is_some_and(|base| found.path.segments().last() != Some(&base.name));
                if same || ours.contains(&now.md5) {
                    if moved { Theirs::Moved } else { Theirs::Same }
                } else {
                    Theirs::Edited
                }
            }
        };
        match (of_item(Ours::Content, theirs), found) {
            (Plan::Done, Some(found)) => {
                let Presence::File(history) = found.presence else {
                    return Err(Error::bug("a file that is none"));
                };
                match put_before(row, &found.path) {
                    // An answer that got lost: what came in between has not been looked at.
                    Some(over) => self.put(row, &history, &content, Some(over)).await,
                    None => self.has_content(row, &history).await,
                }
            }
            (Plan::Do, Some(found)) => {
                let now = current.and_then(|now| now.number);
                let over = put_before(row, &found.path).into_iter().chain(now).min();
                let put = Put::Over(over);
                let history = self.send(row, &found.path, &content, put, cancel).await?;
                self.put(row, &history, &content, over).await
            }
            (Plan::KeepBoth, Some(found)) => {
                let Presence::File(history) = found.presence else {
                    return Err(Error::bug("a file that is none"));
                };
                self.note_file(row.id, &history.file).await?;
                let copy = self
                    .keep_copy(row, ConflictKind::BothEdited, content, None)
                    .await?;
                Ok(Outcome::KeptBoth {
                    copy: id_text(copy),
                })
            }
            (Plan::StoreAgain, _) => self.store_again(row, &content, cancel).await,
            _ => Err(Error::bug("a plan for content that is none")),
        }
    }

    /// The item was deleted on the service; what was written over it is stored again, where it is shown here.
    async fn store_again(
        &self,
        row: &EditRow,
        content: &WantedContent,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let (parent, path, mut restored) = self.shown_place(row, cancel).await?;
        // An announcement makes the folder again by itself, if nobody has noticed yet that it is gone.
        let folder = path.above();
        if folder.segments().len() > 2 {
            let there = self.remote.look(&folder, cancel).await?;
            restored |= !matches!(there, Presence::Folder);
        }
        let begun_ms = self.begun_ms(row, What::Put, &path);
        let history = match self.send(row, &path, content, Put::New, cancel).await {
            Err(Error::NameTaken) => match self.remote.look(&path, cancel).await? {
                Presence::File(history) if is(&history, content) => *history,
                // Something else is there by now: beside it, as something new.
                _ => {
                    self.keep_copy(row, ConflictKind::EditedButDeleted, content.clone(), None)
                        .await?;
                    self.note(row.id, Answered::Gone).await?;
                    return Ok(Outcome::Renamed);
                }
            },
            sent => sent?,
        };
        let since = Since::Before(self.store.now_ms() - begun_ms, &path);
        self.keep_slipped_in(row, &history, content, since).await?;
        if restored {
            self.report(row, ConflictKind::FolderRestored).await?;
        }
        self.report(row, ConflictKind::EditedButDeleted).await?;
        let file = history.file.clone();
        self.note(row.id, Answered::File { parent, file }).await?;
        self.fulfil(row, Did::Content).await?;
        Ok(Outcome::Done)
    }

    /// The content was put over a revision: what slipped in is kept, too.
    async fn put(
        &self,
        row: &EditRow,
        history: &FileHistory,
        content: &WantedContent,
        over: Option<u64>,
    ) -> Result<Outcome> {
        let kept = match over {
            Some(over) => {
                self.keep_slipped_in(row, history, content, Since::Number(over))
                    .await?
            }
            None => Vec::new(),
        };
        let outcome = self.has_content(row, history).await?;
        Ok(match kept.first() {
            Some(copy) => Outcome::KeptBoth {
                copy: id_text(*copy),
            },
            None => outcome,
        })
    }

    /// When the service was first asked for this; now, if it was not yet.
    pub(super) fn begun_ms(&self, row: &EditRow, what: What, path: &RemotePath) -> i64 {
        asked(row, what, path).map_or(self.store.now_ms(), |marker| marker.at_ms)
    }

    async fn has_content(&self, row: &EditRow, history: &FileHistory) -> Result<Outcome> {
        self.note_file(row.id, &history.file).await?;
        self.fulfil(row, Did::Content).await?;
        Ok(Outcome::Done)
    }

    /// Something else has the name: ours gets another, and the next try is with that.
    pub(super) async fn other_name(&self, row: &EditRow, place: &WantedPlace) -> Result<Outcome> {
        let (edits, row, place) = (self.clone(), row.clone(), place.clone());
        blocking(move || {
            let now = edits.store.now_ms();
            // What is there is not known here, or it would not have been chosen; so its name is not free again.
            let name = conflict_name(&place.name, now, |name| {
                let of = &place.parent;
                Ok(same_name(name, &place.name)
                    || edits
                        .catalog
                        .holder_of_name(of, name, Some(&row.id))?
                        .is_some()
                    || edits
                        .catalog
                        .their_holder_of_name(of, name, Some(&row.id))?
                        .is_some())
            })?;
            let new = WantedPlace {
                parent: place.parent,
                name: name.clone(),
            };
            edits.store.outbox(|outbox| {
                let Some(mut now_wanted) = outbox.get(&row.id)? else {
                    return Ok(());
                };
                if now_wanted.place.as_ref() == Some(&place) {
                    now_wanted.place = Some(new.clone());
                    (now_wanted.marker, now_wanted.sent_ms) = (None, None);
                    if now_wanted.is_new {
                        record(outbox, &row.id, &new, row.kind)?;
                    }
                    outbox.put(&now_wanted)?;
                    outbox.add_conflict(&ConflictRow {
                        n: 0,
                        kind: serde_json::to_string(&ConflictKind::NameTaken)
                            .map_err(|_| Error::bug("a conflict"))?,
                        item: row.id,
                        copy: None,
                        at_ms: now,
                        name,
                        theirs: None,
                        told: false,
                    })?;
                }
                Ok(())
            })?;
            edits.catalog.settle_edits(&[row.id])
        })
        .await?;
        Ok(Outcome::Renamed)
    }

    /// The service calls a name taken that nothing shows. Either what is at the folder's place is that folder no more: it is
    /// looked for, and the next try is where it is now. Or the name is another's whose upload is not whole: ours gets
    /// another name, once.
    pub(super) async fn taken_by_nothing(
        &self,
        row: &EditRow,
        place: &WantedPlace,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let folder = place.parent;
        let path = || {
            let catalog = self.catalog.clone();
            blocking(move || catalog.their_path(&folder))
        };
        let before = path().await?;
        match self.catalog.refresh_inner(&id_text(folder), cancel).await {
            Ok(_) | Err(Error::NoSuchItem { .. } | Error::NotKnown { .. }) => {}
            Err(error) => return Err(error),
        }
        if path().await? != before {
            return Ok(Outcome::Done);
        }
        if is_conflict_name(&place.name) {
            return Err(Error::bad_answer("every name is taken, and by nothing"));
        }
        self.other_name(row, place).await
    }

    /// The folder that an item is shown in, its path there, and whether a folder above is to be made again for it.
    pub(super) async fn shown_place(
        &self,
        row: &EditRow,
        cancel: &CancelToken,
    ) -> Result<(Id, RemotePath, bool)> {
        let (edits, row) = (self.clone(), row.clone());
        let (parent, name, path, lost) = blocking(move || {
            let (parent, shown) = edits.lives_at(&row.id)?;
            let name = match (&row.place, &row.base) {
                (Some(place), _) => place.name.clone(),
                (None, Some(base)) => base.name.clone(),
                _ => shown,
            };
            let (mut lost, mut at) = (Vec::new(), parent);
            let above = loop {
                if let Some(path) = edits.catalog.their_path(&at)? {
                    break path;
                }
                let (above, name) = edits.lives_at(&at)?;
                if lost.len() > 500 || above == at {
                    return Err(Error::bug("a folder without an end"));
                }
                lost.push((at, above, name));
                at = above;
            };
            Ok((parent, name, above, lost))
        })
        .await?;
        let mut path = path;
        let mut restored = false;
        for (folder, parent, name) in lost.into_iter().rev() {
            path = path.child(&name);
            self.remote.make_folder(&path, cancel).await?;
            self.note(folder, Answered::Folder { parent, name }).await?;
            restored = true;
        }
        Ok((parent, path.child(&name), restored))
    }

    /// The folder and the name of an item as it is shown here; of what is in the trash, as it was before. What is not known
    /// any more is `NoSuchItem`.
    fn lives_at(&self, id: &Id) -> Result<(Id, String)> {
        let item = super::writer::here(self.catalog.item(&id_text(*id))?);
        let trash = Space::Trash.root();
        // What was saved when its folder was gone already is not shown.
        if let Some(item) = item.filter(|item| item.parent != trash) {
            let name = super::wishes::service_name(&item.name)?;
            return Ok((id_of(&item.parent)?, name));
        }
        let base = self.store.edit(id)?.and_then(|row| row.base);
        let base = base.map(|base| (base.parent, base.name));
        let known = self.store.identity(id)?;
        let known = known.map(|place| (place.parent, place.name));
        let mut places = base.into_iter().chain(known);
        places
            .find(|(parent, name)| id_text(*parent) != trash && !name.is_empty())
            .ok_or_else(|| Error::NoSuchItem {
                detail: "the folder that it was in".into(),
            })
    }

    pub(super) async fn note(&self, id: Id, answer: Answered) -> Result<()> {
        let catalog = self.catalog.clone();
        blocking(move || catalog.note_answer(&id, &answer)).await
    }

    /// The service's answer about a file that stays in the folder that the service has it in.
    pub(super) async fn note_file(&self, id: Id, file: &RemoteFile) -> Result<()> {
        let (catalog, file) = (self.catalog.clone(), file.clone());
        blocking(move || match catalog.theirs(&id)? {
            Some(theirs) => {
                let parent = theirs.parent;
                catalog.note_answer(&id, &Answered::File { parent, file })
            }
            None => Ok(()),
        })
        .await
    }

    /// Ends the wishes that the service was seen to have, unless something newer is wanted by now; the bytes go last.
    pub(super) async fn fulfil(&self, row: &EditRow, did: Did) -> Result<()> {
        let (edits, row) = (self.clone(), row.clone());
        blocking(move || {
            if matches!(did, Did::Made | Did::Content) && row.kind == FILE {
                let edited = did == Did::Content;
                edits.content.keep_sent(&id_text(row.id), edited)?;
            }
            let theirs = edits.catalog.theirs(&row.id)?.map(|theirs| Base {
                parent: theirs.parent,
                name: theirs.name,
                uuid: theirs.uuid,
                md5: theirs.md5,
                size: theirs.size,
                revision: theirs.revision,
            });
            let ended = edits.store.outbox(|outbox| {
                let Some(mut now) = outbox.get(&row.id)? else {
                    return Ok(None);
                };
                let mut ended = None;
                if did == Did::Made {
                    now.is_new = false;
                    now.copy_of = None;
                }
                if matches!(did, Did::Made | Did::Place) && now.place == row.place {
                    now.place = None;
                }
                if matches!(did, Did::Made | Did::Content) && now.content == row.content {
                    ended = now.content.take().map(|content| content.file);
                }
                if did == Did::Fate && now.fate == row.fate {
                    now.fate = None;
                }
                if did == Did::Link && now.link == row.link {
                    now.link = None;
                }
                now.base = theirs.clone().or(now.base);
                (now.marker, now.held, now.until_ms, now.attempts) = (None, None, None, 0);
                outbox.put(&now)?;
                Ok(ended)
            })?;
            edits.catalog.settle_edits(&[row.id])?;
            match ended.filter(|file| !file.is_empty()) {
                Some(file) => edits.staging.remove(&file),
                None => Ok(()),
            }
        })
        .await
    }
}

impl There {
    /// What is at a place, against the content that is to get there.
    pub(super) fn of(presence: &Presence, content: Option<&WantedContent>) -> Self {
        match presence {
            Presence::Absent | Presence::Tombstone { .. } => Self::Nothing,
            Presence::Folder => Self::Folder,
            Presence::File(history) if content.is_some_and(|content| is(history, content)) => {
                Self::Equal
            }
            Presence::File(_) => Self::File,
        }
    }
}

pub(super) fn is(history: &FileHistory, content: &WantedContent) -> bool {
    history
        .file
        .current
        .as_ref()
        .is_some_and(|now| (now.md5, now.size) == (content.md5, content.size))
}

/// The revision that a content was put over, if the service was asked for that before, and its answer was not seen.
fn put_before(row: &EditRow, path: &RemotePath) -> Option<u64> {
    asked(row, What::Put, path).and_then(|marker| marker.over)
}

/// Whether the service was asked for this before, and its answer was not seen.
pub(super) fn was_asked(row: &EditRow, what: What, path: &RemotePath) -> bool {
    asked(row, what, path).is_some()
}

fn asked(row: &EditRow, what: What, path: &RemotePath) -> Option<Marker> {
    Marker::of(row).filter(|marker| marker.what == what && marker.path == path.segments())
}
