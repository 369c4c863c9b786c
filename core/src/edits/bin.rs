//! To the trash, out of it, and out of it for ever; and folders, copied bit by bit.
//!
//! Nothing is deleted unseen: what is at the place is looked at first, and a living item at a trashed one's place is never
//! touched for its sake.

use super::conflict_name::conflict_name;
use super::decide::{Comer, Ours, Plan, Theirs, There, of_item, of_name};
use super::queue::FOLDER;
use super::state::What;
use super::steps::{Did, Found};
use super::{ConflictKind, Edits, Outcome, Park};
use crate::catalog::{Answered, Id, Order, id_text};
use crate::remote::{ContentFacts, Entry, Presence, RemoteFile, RemotePath};
use crate::runtime::blocking;
use crate::store::{EditRow, WantedContent, WantedPlace, new_id};
use crate::{CancelToken, Error, Result};

/// Folders of a trashed tree that wait to be walked.
const MOST_FOLDERS: usize = 100_000;

impl Edits {
    pub(super) async fn trash_now(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let found = self.locate(row, cancel).await?;
        let theirs = match found.as_ref().map(|found| &found.presence) {
            None => Theirs::Gone,
            Some(Presence::Tombstone { .. } | Presence::Absent) => Theirs::Trashed,
            Some(Presence::Folder) => Theirs::Same,
            Some(Presence::File(history)) => {
                let now = history.file.current.as_ref().map(|now| (now.md5, now.size));
                let seen = row.base.as_ref().map(|base| (base.md5, base.size));
                let same = now.is_none_or(|(md5, size)| {
                    seen.is_none_or(|seen| seen == (Some(md5), Some(size)))
                });
                if same { Theirs::Same } else { Theirs::Edited }
            }
        };
        match (of_item(Ours::Trash, theirs), found) {
            (Plan::Do, Some(found)) => {
                self.mark(row, What::Trash, &found.path).await?;
                if let Presence::File(history) = &found.presence
                    && let Some(now) = &history.file.current
                {
                    let now_ms = self.store.now_ms();
                    self.sending.trashes(&found.path, now.md5, now_ms);
                }
                let deleted_ms = if row.kind == FOLDER {
                    self.remote.trash_folder(&found.path, cancel).await?
                } else {
                    self.remote.trash_file(&found.path, cancel).await?
                };
                let deleted_ms = deleted_ms.unwrap_or_else(|| self.store.now_ms());
                self.note(row.id, Answered::Trashed { deleted_ms }).await?;
                self.fulfil(row, Did::Fate).await?;
                Ok(Outcome::Done)
            }
            (Plan::GiveUp(kind), Some(found)) => {
                if let Presence::File(history) = &found.presence {
                    self.note_file(row.id, &history.file).await?;
                }
                self.report(row, kind).await?;
                self.fulfil(row, Did::Fate).await?;
                Ok(Outcome::GivenUp)
            }
            (_, found) => {
                if found.is_none() {
                    self.note(row.id, Answered::Gone).await?;
                }
                self.fulfil(row, Did::Fate).await?;
                Ok(Outcome::Gone)
            }
        }
    }

    pub(super) async fn purge_now(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let found = self.locate(row, cancel).await?;
        match (of_item(Ours::Purge, Found::theirs(found.as_ref())), found) {
            (Plan::Do, Some(found)) => {
                self.mark(row, What::Purge, &found.path).await?;
                let removed = if row.kind == FOLDER {
                    self.remote.remove_folder(&found.path, cancel).await
                } else {
                    self.remote.remove_file(&found.path, cancel).await
                };
                match removed {
                    Ok(()) | Err(Error::NoSuchItem { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            (Plan::Wait(_), _) => return Err(Error::NameTaken),
            _ => {}
        }
        self.note(row.id, Answered::Gone).await?;
        self.fulfil(row, Did::Fate).await?;
        Ok(Outcome::Gone)
    }

    pub(super) async fn restore_now(&self, row: &EditRow, cancel: &CancelToken) -> Result<Outcome> {
        let found = self.locate(row, cancel).await?;
        let plan = of_item(Ours::Restore, Found::theirs(found.as_ref()));
        let Some(found) = found.filter(|_| plan != Plan::Wait(Park::SourceGone)) else {
            self.report(row, ConflictKind::ChangedButDeleted).await?;
            self.note(row.id, Answered::Gone).await?;
            self.fulfil(row, Did::Fate).await?;
            return Ok(Outcome::Gone);
        };
        let (edits, id) = (self.clone(), row.id);
        let parent = blocking(move || {
            super::writer::here(edits.catalog.item(&id_text(id))?)
                .map(|item| super::queue::id(&item.parent))
                .transpose()
        })
        .await?
        .ok_or_else(|| Error::bug("what comes back is not shown"))?;
        self.mark(row, What::Restore, &found.path).await?;
        if row.kind == FOLDER {
            let there = There::of(&found.presence, None);
            if of_name(Comer::RestoredFolder, there) == Plan::OtherName {
                return Err(Error::NameTaken);
            }
            self.restore_folder(&found.path, cancel).await?;
            let name = found.path.segments().last().cloned().unwrap_or_default();
            self.note(row.id, Answered::Folder { parent, name }).await?;
        } else {
            let file = self.restore_one(row, &parent, found, cancel).await?;
            self.note(row.id, Answered::File { parent, file }).await?;
        }
        self.fulfil(row, Did::Fate).await?;
        Ok(Outcome::Done)
    }

    /// A file comes back to where it was, or beside what has its place.
    async fn restore_one(
        &self,
        row: &EditRow,
        parent: &Id,
        found: Found,
        cancel: &CancelToken,
    ) -> Result<RemoteFile> {
        let living = match found.presence {
            Presence::Tombstone {
                file: Some(file), ..
            } => return self.restore_file(&found.path, &file, cancel).await,
            // An answer that got lost, or somebody else was faster.
            Presence::File(history) if was_ours(row, &history.file) => return Ok(history.file),
            living => living,
        };
        let (edits, id) = (self.clone(), row.id);
        let theirs = blocking(move || edits.catalog.theirs(&id)).await?;
        let known = theirs.and_then(|theirs| {
            let (md5, size) = theirs.md5.zip(theirs.size)?;
            Some(WantedContent {
                file: String::new(),
                size,
                md5,
                blake3: None,
                created_ms: theirs.created_ms,
                modified_ms: theirs.modified_ms,
            })
        });
        let content = known.ok_or(Error::VersionNotReadable)?;
        let there = There::of(&living, Some(&content));
        let path = match (of_name(Comer::RestoredFile, there), living) {
            (Plan::Merge, Presence::File(history)) => return Ok(history.file),
            (Plan::Do, _) => found.path,
            _ => {
                let name = found.path.segments().last().cloned().unwrap_or_default();
                let (edits, parent) = (self.clone(), *parent);
                let now = self.store.now_ms();
                let name = blocking(move || {
                    conflict_name(&name, now, |name| {
                        Ok(edits.catalog.holder_of_name(&parent, name, None)?.is_some())
                    })
                })
                .await?;
                self.report(row, ConflictKind::NameTaken).await?;
                found.path.with_name(&name)
            }
        };
        let facts = ContentFacts {
            size: content.size,
            md5: content.md5,
            created_ms: content.created_ms,
            modified_ms: content.modified_ms,
        };
        self.remote
            .build(&path, &facts, cancel)
            .await?
            .ok_or(Error::VersionNotReadable)
    }

    async fn restore_file(
        &self,
        path: &RemotePath,
        file: &RemoteFile,
        cancel: &CancelToken,
    ) -> Result<RemoteFile> {
        let current = file.current.as_ref().ok_or(Error::VersionNotReadable)?;
        let facts = ContentFacts {
            size: current.size,
            md5: current.md5,
            created_ms: current.created_ms,
            modified_ms: current.modified_ms,
        };
        self.remote
            .build(path, &facts, cancel)
            .await?
            .ok_or(Error::VersionNotReadable)
    }

    /// Walks a trashed tree: its files are built where they were, then the folders without any are made (protocol facts
    /// §6.6). Doing it twice is harmless.
    async fn restore_folder(&self, path: &RemotePath, cancel: &CancelToken) -> Result<()> {
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            cancel.check()?;
            let mut list = match self.remote.list(&folder, cancel).await {
                // Below the first that is nothing to restore; the first itself is what a person waits for.
                Err(Error::NoSuchItem { .. }) if folder != *path => continue,
                list => list?,
            };
            let mut files = Vec::new();
            while let Some(entries) = list.next(cancel).await? {
                for entry in entries {
                    match entry {
                        Entry::Folder(below) if below.deleted_ms.is_some() => {
                            if folders.len() >= MOST_FOLDERS {
                                return Err(Error::bad_answer("a tree without an end"));
                            }
                            folders.push(folder.child(&below.name));
                        }
                        Entry::File(file) if file.deleted_ms.is_some() => files.push(file),
                        Entry::Folder(_) | Entry::File(_) => {}
                    }
                }
            }
            self.remote.make_folder(&folder, cancel).await?;
            for file in files {
                let at = folder.child(&file.name);
                self.restore_file(&at, &file, cancel).await?;
            }
        }
        Ok(())
    }

    /// The children of a folder that is copied become rows of their own, which a kill does not lose.
    pub(super) async fn copy_children(&self, row: &EditRow, cancel: &CancelToken) -> Result<()> {
        let Some(source) = row.copy_of else {
            return Ok(());
        };
        let item = id_text(source);
        match self.catalog.refresh_inner(&item, cancel).await {
            // Nor is it known where it was.
            Err(Error::NotKnown { .. }) => {
                return Err(Error::NoSuchItem {
                    detail: "the folder that is copied".into(),
                });
            }
            done => done?,
        };
        let mut page = None;
        loop {
            cancel.check()?;
            let (edits, of, folder, token) = (self.clone(), item.clone(), row.id, page.take());
            page = blocking(move || {
                let page = edits
                    .catalog
                    .children(&of, Order::Name, token.as_deref(), 500)?;
                let now = edits.store.now_ms();
                // What the service does not have, it cannot copy.
                let mut children = Vec::new();
                for child in page.items {
                    let theirs = edits.catalog.theirs(&super::queue::id(&child.id)?)?;
                    children.extend(theirs.map(|theirs| (child, theirs)));
                }
                let mut made = Vec::new();
                edits.store.outbox(|outbox| {
                    for (child, theirs) in &children {
                        let kind = super::queue::kind_of(child);
                        let place = WantedPlace {
                            parent: folder,
                            name: theirs.name.clone(),
                        };
                        // A kill and another run must not copy twice: the key is the pair.
                        let key = format!("copy {} {}", id_text(folder), child.id);
                        if outbox.operation(&key)?.is_some() {
                            continue;
                        }
                        let id = new_id()?;
                        let content =
                            theirs
                                .md5
                                .zip(theirs.size)
                                .map(|(md5, size)| WantedContent {
                                    file: String::new(),
                                    size,
                                    md5,
                                    blake3: None,
                                    created_ms: theirs.created_ms,
                                    modified_ms: theirs.modified_ms,
                                });
                        outbox.put(&EditRow {
                            is_new: true,
                            place: Some(place.clone()),
                            copy_of: Some(super::queue::id(&child.id)?),
                            content,
                            ..EditRow::of(id, kind, now)
                        })?;
                        super::queue::record(outbox, &id, &place, kind)?;
                        outbox.put_operation(&key, &id, now)?;
                        made.push(id);
                    }
                    Ok(())
                })?;
                edits.catalog.settle_edits(&made)?;
                Ok(page.next)
            })
            .await?;
            if page.is_none() {
                return Ok(());
            }
        }
    }
}

/// It is back already: an answer that got lost, or somebody else was faster.
fn was_ours(row: &EditRow, file: &RemoteFile) -> bool {
    let uuid = row.base.as_ref().and_then(|base| base.uuid);
    uuid.is_some() && uuid == file.uuid
}
