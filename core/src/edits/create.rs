//! Something new on the service: a folder, a file, or a copy that the service makes.
//!
//! A new file is announced as new (the service refuses it if something has the name), so nothing is looked at before: a
//! small file costs an announcement, its bytes and one look after. What cannot be refused is looked at first.

use super::decide::{Comer, Plan, There, of_name};
use super::queue::{FILE, FOLDER, record};
use super::send::{Put, Since};
use super::state::{Marker, What};
use super::steps::{Did, is, was_asked};
use super::{ConflictKind, Edits, Outcome};
use crate::catalog::{Answered, Id, id_text};
use crate::remote::{Presence, RemoteFile, RemotePath};
use crate::runtime::blocking;
use crate::store::{EditRow, WantedPlace};
use crate::{CancelToken, Error, Result};

impl Edits {
    /// Something new on the service.
    pub(super) async fn create(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let Some(place) = row.place.clone() else {
            return Err(Error::bug("something new that is nowhere"));
        };
        let (parent, path, restored) = self.shown_place(row, cancel).await?;
        if row.kind != FOLDER && self.is_made_already(row, &path, cancel).await? {
            return Ok(Outcome::Done);
        }
        let outcome = if row.kind == FOLDER {
            self.create_folder_at(row, &place, parent, &path, cancel)
                .await?
        } else if let Some(source) = row.copy_of {
            self.copy_at(row, source, parent, &path, cancel).await?
        } else {
            self.create_file_at(row, &place, parent, &path, cancel)
                .await?
        };
        if restored {
            self.report(row, ConflictKind::FolderRestored).await?;
        }
        Ok(outcome)
    }

    async fn create_folder_at(
        &self,
        row: &EditRow,
        place: &WantedPlace,
        parent: Id,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        if let Some(source) = row.copy_of {
            // The new folder that it was to go into may have turned out to be the one that is copied.
            let (catalog, source, into) = (self.catalog.clone(), id_text(source), id_text(parent));
            let inside =
                blocking(move || Ok(source == into || catalog.is_descendant(&source, &into)?));
            if inside.await? {
                return Err(Error::NotAllowed {
                    detail: "a folder cannot be copied into itself".into(),
                });
            }
        }
        let there = There::of(&self.remote.look(path, cancel).await?, None);
        let comer = match row.copy_of {
            Some(_) => Comer::CopiedFolder,
            None => Comer::NewFolder,
        };
        if of_name(comer, there) == Plan::OtherName {
            return self.other_name(row, place).await;
        }
        self.mark(row, What::Folder, path).await?;
        self.remote.make_folder(path, cancel).await?;
        if row.copy_of.is_some() {
            self.copy_children(row, cancel).await?;
        }
        let (catalog, id, name) = (self.catalog.clone(), row.id, place.name.clone());
        let other = blocking(move || catalog.known_otherwise((&parent, &name), None, &id)).await?;
        if let Some(other) = other.filter(|_| there == There::Folder) {
            return self.merge_folder(row, &other).await;
        }
        if there == There::Nothing && row.copy_of.is_none() && self.thrown_away(row).await? {
            self.remote.trash_folder(path, cancel).await?;
            self.note(row.id, Answered::Gone).await?;
            return Ok(Outcome::Gone);
        }
        let name = place.name.clone();
        self.note(row.id, Answered::Folder { parent, name }).await?;
        self.fulfil(row, Did::Made).await?;
        Ok(Outcome::Done)
    }

    /// The new folder is one that the service has already, and an app knows by another id.
    async fn merge_folder(&self, row: &EditRow, kept: &Id) -> Result<Outcome> {
        let (edits, lost, kept) = (self.clone(), row.id, *kept);
        blocking(move || {
            let (ids, _) = edits.store.all_edits()?;
            edits.store.outbox(|outbox| {
                for id in &ids {
                    let Some(mut inside) = outbox.get(id)? else {
                        continue;
                    };
                    if let Some(place) = inside.place.as_mut().filter(|place| place.parent == lost)
                    {
                        place.parent = kept;
                        if inside.is_new
                            && let Some(place) = &inside.place
                        {
                            record(outbox, id, place, inside.kind)?;
                        }
                        outbox.put(&inside)?;
                    }
                }
                outbox.unite(&lost, &kept)?;
                outbox.put(&EditRow::of(lost, FOLDER, 0))
            })?;
            edits.catalog.merge_into(&lost, &kept)?;
            edits.catalog.settle_edits(&[])
        })
        .await?;
        Ok(Outcome::MergedInto {
            item: id_text(kept),
        })
    }

    /// The new file is one that the service has already, and an app knows by another id. `None` if it is not, or is busy:
    /// then the new one's id goes on.
    async fn merge_file(
        &self,
        row: &EditRow,
        parent: Id,
        file: &RemoteFile,
    ) -> Result<Option<Outcome>> {
        let (edits, row, file) = (self.clone(), row.clone(), file.clone());
        blocking(move || {
            let place = (&parent, file.name.as_str());
            let Some(kept) = edits.catalog.known_otherwise(place, Some(&file), &row.id)? else {
                return Ok(None);
            };
            let answer = Answered::File {
                parent,
                file: file.clone(),
            };
            edits.catalog.note_answer(&kept, &answer)?;
            let base = edits.their_base(&kept)?;
            let ended = edits.store.outbox(|outbox| {
                let Some(now) = outbox.get(&row.id)? else {
                    return Ok(None);
                };
                if outbox.get(&kept)?.is_some() || outbox.has_draft(&row.id)? {
                    return Ok(None);
                }
                // What was wanted of the new one since is wanted of this one.
                let newer = EditRow {
                    n: now.n,
                    base,
                    place: now.place.filter(|place| Some(place) != row.place.as_ref()),
                    content: now
                        .content
                        .filter(|content| Some(content) != row.content.as_ref()),
                    link: now.link,
                    fate: now.fate,
                    ..EditRow::of(kept, FILE, now.since_ms)
                };
                let ended = row.content.as_ref().map(|content| content.file.clone());
                let ended = ended.filter(|_| newer.content.is_none());
                outbox.unite(&row.id, &kept)?;
                outbox.put(&EditRow::of(row.id, FILE, 0))?;
                outbox.put(&newer)?;
                Ok(Some(ended))
            })?;
            let Some(ended) = ended else {
                return Ok(None);
            };
            edits.catalog.merge_into(&row.id, &kept)?;
            edits.catalog.settle_edits(&[row.id, kept])?;
            if let Some(file) = ended.filter(|file| !file.is_empty()) {
                edits.staging.remove(&file)?;
            }
            let item = id_text(kept);
            Ok(Some(Outcome::MergedInto { item }))
        })
        .await
    }

    async fn create_file_at(
        &self,
        row: &EditRow,
        place: &WantedPlace,
        parent: Id,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let Some(content) = row.content.clone() else {
            return Err(Error::bug("a new file without content"));
        };
        // What is built is put over whatever is there, so that is looked at first; an announcement can refuse instead.
        if content.file.is_empty() {
            let presence = self.remote.look(path, cancel).await?;
            let there = There::of(&presence, Some(&content));
            match (of_name(Comer::NewFile, there), presence) {
                (Plan::OtherName, _) => return self.other_name(row, place).await,
                (Plan::Merge, Presence::File(history)) if !was_asked(row, What::Put, path) => {
                    if let Some(merged) = self.merge_file(row, parent, &history.file).await? {
                        return Ok(merged);
                    }
                }
                _ => {}
            }
        }
        let begun_ms = self.begun_ms(row, What::Put, path);
        let mut is_ours = true;
        let history = match self.send(row, path, &content, Put::New, cancel).await {
            Err(Error::NameTaken) => {
                let presence = self.remote.look(path, cancel).await?;
                let there = There::of(&presence, Some(&content));
                match (of_name(Comer::NewFile, there), presence) {
                    (Plan::Merge, Presence::File(history)) => {
                        is_ours = was_asked(row, What::Put, path);
                        if !is_ours
                            && let Some(merged) =
                                self.merge_file(row, parent, &history.file).await?
                        {
                            return Ok(merged);
                        }
                        *history
                    }
                    _ if there == There::Nothing => {
                        return self.taken_by_nothing(row, place, cancel).await;
                    }
                    _ => return self.other_name(row, place).await,
                }
            }
            Err(Error::VersionNotReadable) => {
                self.only_in_history(row).await?;
                return Ok(Outcome::GivenUp);
            }
            sent => sent?,
        };
        if is_ours {
            // Another writer may have been faster than our upload, or than our look after it.
            let since = Since::Before(self.store.now_ms() - begun_ms, path);
            let kept = self.keep_slipped_in(row, &history, &content, since).await?;
            // Ours is a copy now, and what is here is theirs.
            is_ours = kept.is_empty() || is(&history, &content);
        }
        if is_ours && self.thrown_away(row).await? {
            let now = self.store.now_ms();
            self.sending.trashes(path, content.md5, now);
            self.remote.trash_file(path, cancel).await?;
            // A listing may have shown it.
            self.note(row.id, Answered::Gone).await?;
            return Ok(Outcome::Gone);
        }
        let file = history.file.clone();
        self.note(row.id, Answered::File { parent, file }).await?;
        self.fulfil(row, Did::Made).await?;
        Ok(Outcome::Done)
    }

    /// Whether the service has made it by an earlier attempt whose answer got lost, under a name or with a content that is
    /// not wanted any more. Then it is no new file from now on, and goes on like any other that is to change.
    async fn is_made_already(
        &self,
        row: &EditRow,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<bool> {
        let Some(marker) =
            Marker::of(row).filter(|marker| matches!(marker.what, What::Put | What::Copy))
        else {
            return Ok(false);
        };
        let Some(parent) = marker.parent else {
            return Ok(false);
        };
        let at = RemotePath::new(marker.path);
        let (edits, id) = (self.clone(), row.id);
        let (mut contents, folder) = blocking(move || {
            let folder = edits.catalog.their_path(&parent)?;
            Ok((edits.store.sent_contents(&id)?, folder))
        })
        .await?;
        let wanted = row.content.as_ref().map(|content| content.md5);
        if marker.what == What::Copy {
            contents.extend(wanted);
        }
        let as_wanted = at == *path && contents.iter().all(|md5| Some(*md5) == wanted);
        if as_wanted || folder != Some(at.above()) {
            return Ok(false);
        }
        let Presence::File(history) = self.remote.look(&at, cancel).await? else {
            return Ok(false);
        };
        let file = history.file;
        let current = file.current.as_ref().map(|now| now.md5);
        if !current.is_some_and(|md5| contents.contains(&md5)) {
            return Ok(false);
        }
        self.note(row.id, Answered::File { parent, file }).await?;
        let (edits, id) = (self.clone(), row.id);
        blocking(move || {
            let base = edits.their_base(&id)?;
            edits.store.outbox(|outbox| {
                let Some(now) = outbox.get(&id)? else {
                    return Ok(());
                };
                // A content or a name that is there already is no wish: whoever carries it out sees that.
                outbox.put(&EditRow {
                    is_new: false,
                    copy_of: None,
                    content: now.content.filter(|content| !content.file.is_empty()),
                    base,
                    marker: None,
                    ..now
                })
            })?;
            edits.catalog.settle_edits(&[id])
        })
        .await?;
        Ok(true)
    }

    /// Whether nobody wants it any more: it was discarded or deleted here while it was made there.
    async fn thrown_away(&self, row: &EditRow) -> Result<bool> {
        let (store, id) = (self.store.clone(), row.id);
        Ok(blocking(move || store.edit(&id)).await?.is_none())
    }

    async fn copy_at(
        &self,
        row: &EditRow,
        source: Id,
        parent: Id,
        path: &RemotePath,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let catalog = self.catalog.clone();
        let from = blocking(move || catalog.their_path(&source)).await?;
        let Some(from) = from else {
            return Err(Error::VersionNotReadable);
        };
        let Some(place) = &row.place else {
            return Err(Error::bug("a copy that is nowhere"));
        };
        let presence = self.remote.look(path, cancel).await?;
        let there = There::of(&presence, row.content.as_ref());
        match presence {
            // An answer that got lost.
            Presence::File(history)
                if there == There::Equal && was_asked(row, What::Copy, path) =>
            {
                return self.copied(row, parent, history.file).await;
            }
            _ if of_name(Comer::CopiedFile, there) == Plan::OtherName => {
                return self.other_name(row, place).await;
            }
            _ => {}
        }
        self.mark(row, What::Copy, path).await?;
        let made = match self.remote.copy_file(&from, path, cancel).await {
            Err(Error::NoSuchItem { .. }) => return Err(Error::VersionNotReadable),
            made => made?,
        };
        let Some(current) = made.current.clone() else {
            return Err(Error::bad_answer("a copy without content"));
        };
        // A copy onto what is in the trash stays there until it is said to be alive (protocol facts §6).
        let made = if made.deleted_ms.is_some() {
            let facts = crate::remote::ContentFacts {
                size: current.size,
                md5: current.md5,
                created_ms: current.created_ms,
                modified_ms: current.modified_ms,
            };
            self.remote
                .build(path, &facts, cancel)
                .await?
                .ok_or(Error::VersionNotReadable)?
        } else {
            made
        };
        self.copied(row, parent, made).await
    }

    async fn copied(&self, row: &EditRow, parent: Id, file: RemoteFile) -> Result<Outcome> {
        self.note(row.id, Answered::File { parent, file }).await?;
        self.fulfil(row, Did::Made).await?;
        Ok(Outcome::Done)
    }
}
