//! A content to the service, and what else came there meanwhile.
//!
//! The answer to what was sent counts only once the file was read again.

use super::conflict_name::conflict_name;
use super::state::{Marker, What};
use super::{ConflictKind, Edits, Park};
use crate::catalog::{Id, id_text};
use crate::remote::{ContentFacts, FileHistory, Presence, RemotePath, Revision};
use crate::runtime::blocking;
use crate::sending::{Outgoing, Sender};
use crate::store::{ConflictRow, EditRow, WantedContent, WantedPlace, new_id};
use crate::{CancelToken, Error, Result};
use std::sync::Arc;

impl Edits {
    fn outgoing(&self, content: &WantedContent) -> Outgoing {
        let (staging, file) = (self.staging.clone(), content.file.clone());
        Outgoing {
            size: content.size,
            md5: content.md5,
            blake3: content.blake3,
            open: Arc::new(move || Ok(Arc::new(staging.open(&file)?))),
        }
    }

    /// Notes what is about to be asked of the service, durably.
    pub(super) async fn mark(&self, row: &EditRow, what: What, path: &RemotePath) -> Result<()> {
        self.mark_over(row, what, path, None).await
    }

    /// The same; content is about to be put over this revision.
    async fn mark_over(
        &self,
        row: &EditRow,
        what: What,
        path: &RemotePath,
        over: Option<u64>,
    ) -> Result<()> {
        // An earlier attempt may have got there: what came since it counts.
        let at_ms = self.begun_ms(row, what, path);
        let marker = Marker {
            what,
            path: path.segments().to_vec(),
            over,
            parent: row
                .place
                .as_ref()
                .filter(|_| row.is_new)
                .map(|place| place.parent),
            at_ms,
        }
        .text()?;
        let sent = row.content.as_ref().map(|content| content.md5);
        let (id, now) = (row.id, self.store.now_ms());
        let (store, catalog) = (self.store.clone(), self.catalog.clone());
        blocking(move || {
            // The catalogue may forget it, and only by it is the file found again after somebody has moved it.
            let uuid = catalog.theirs(&id)?.and_then(|theirs| theirs.uuid);
            store.outbox(|outbox| {
                let Some(mut row) = outbox.get(&id)? else {
                    return Ok(());
                };
                if let Some(base) = &mut row.base {
                    base.uuid = base.uuid.or(uuid);
                }
                let puts = what == What::Put;
                if let Some(md5) = sent.filter(|_| puts) {
                    outbox.add_sent(&id, &md5)?;
                }
                outbox.put_progress(&EditRow {
                    marker: Some(marker),
                    sent_ms: if puts { Some(now) } else { row.sent_ms },
                    ..row
                })
            })
        })
        .await
    }

    /// Brings a content to a path, and reads the file again. `NameTaken` with `New` if another file is there.
    pub(super) async fn send(
        &self,
        row: &EditRow,
        path: &RemotePath,
        content: &WantedContent,
        over: Put,
        cancel: &CancelToken,
    ) -> Result<FileHistory> {
        let (only_new, revision) = match over {
            Put::New => (true, None),
            Put::Over(revision) => (false, revision),
        };
        self.mark_over(row, What::Put, path, revision).await?;
        let moved = self.sending.counter(&row.id);
        let facts = ContentFacts {
            size: content.size,
            md5: content.md5,
            created_ms: content.created_ms,
            modified_ms: content.modified_ms,
        };
        if content.file.is_empty() {
            self.remote
                .build(path, &facts, cancel)
                .await?
                .ok_or(Error::VersionNotReadable)?;
        } else {
            let outgoing = self.outgoing(content);
            let sender = Sender {
                remote: &self.remote,
                life: &self.life,
            };
            let sent = sender.deliver(path, &facts, only_new, &outgoing, &moved, cancel);
            sent.await?;
        }
        if !row.is_new {
            self.sending.sent(&row.id, self.store.now_ms());
        }
        match self.remote.look(path, cancel).await? {
            Presence::File(history) => Ok(*history),
            _ => Err(Error::ContentMismatch {
                detail: "no file where one was sent".into(),
            }),
        }
    }

    /// What else came to the path since then: it becomes a copy beside the item, made from what the service knows.
    /// Gives the copies' ids.
    pub(super) async fn keep_slipped_in(
        &self,
        row: &EditRow,
        history: &FileHistory,
        content: &WantedContent,
        since: Since<'_>,
    ) -> Result<Vec<Id>> {
        let (store, id) = (self.store.clone(), row.id);
        let mut ours = blocking(move || store.sent_contents(&id)).await?;
        ours.push(content.md5);
        if let Since::Before(_, path) = since {
            ours.extend(self.sending.trashed_at(path));
        }
        ours.extend(row.base.as_ref().and_then(|base| base.md5));
        let current = history.file.current.iter();
        let slipped: Vec<Revision> = current
            .chain(&history.older)
            .filter(|revision| since.is_before(revision, history.file.current.as_ref()))
            .filter(|revision| !ours.contains(&revision.md5))
            .cloned()
            .collect();
        // Theirs is the newest: then ours is what becomes the copy.
        let theirs_is_newest = history
            .file
            .current
            .as_ref()
            .is_some_and(|current| current.md5 != content.md5);
        if theirs_is_newest {
            // With its staged bytes: the service may know by then only what is current.
            let kind = ConflictKind::BothEdited;
            let copy = self.keep_copy(row, kind, content.clone(), None).await?;
            return Ok(vec![copy]);
        }
        let mut made = Vec::new();
        for revision in slipped {
            let copy = WantedContent {
                file: String::new(),
                size: revision.size,
                md5: revision.md5,
                blake3: None,
                created_ms: revision.created_ms,
                modified_ms: revision.modified_ms,
            };
            // A kill before the wish has ended, and another run, must not keep it twice.
            let key = format!(
                "slipped {} {}",
                id_text(row.id),
                revision.number.unwrap_or_default()
            );
            let kind = ConflictKind::SlippedIn;
            made.push(self.keep_copy(row, kind, copy, Some(key)).await?);
        }
        Ok(made)
    }

    /// A copy beside the item, as a row of its own, and the conflict that tells of it: one transaction. Without a key it is
    /// the item's own content that becomes the copy, and its wish of it ends in the transaction, too.
    pub(super) async fn keep_copy(
        &self,
        row: &EditRow,
        kind: ConflictKind,
        content: WantedContent,
        key: Option<String>,
    ) -> Result<Id> {
        let (edits, row) = (self.clone(), row.clone());
        blocking(move || {
            let item = super::writer::here(edits.catalog.item(&id_text(row.id))?);
            let theirs = edits.catalog.theirs(&row.id)?;
            let (parent, name) = match (&theirs, &row.place, &row.base) {
                (Some(theirs), ..) if theirs.deleted_ms.is_none() => {
                    (theirs.parent, theirs.name.clone())
                }
                (_, Some(place), _) => (place.parent, place.name.clone()),
                (_, _, Some(base)) => (base.parent, base.name.clone()),
                _ => return Err(Error::bug("a conflict of what is nowhere")),
            };
            let parent = match item {
                // Where it is shown, if the service's folder is not known any more.
                Some(item) if theirs.is_none() => super::queue::id(&item.parent)?,
                _ => parent,
            };
            let now = edits.store.now_ms();
            let name = conflict_name(&name, now, |name| {
                let taken = edits.catalog.holder_of_name(&parent, name, None)?.is_some();
                Ok(taken
                    || edits
                        .catalog
                        .their_holder_of_name(&parent, name, None)?
                        .is_some())
            })?;
            let copy = new_id()?;
            let kind = serde_json::to_string(&kind).map_err(|_| Error::bug("a conflict"))?;
            let place = WantedPlace {
                parent,
                name: name.clone(),
            };
            let copy = edits.store.outbox(|outbox| {
                if let Some(key) = &key {
                    if let Some(copy) = outbox.operation(key)? {
                        return Ok(copy);
                    }
                    outbox.put_operation(key, &copy, now)?;
                }
                outbox.put(&EditRow {
                    is_new: true,
                    place: Some(place.clone()),
                    content: Some(content.clone()),
                    ..EditRow::of(copy, super::queue::FILE, now)
                })?;
                super::queue::record(outbox, &copy, &place, super::queue::FILE)?;
                if key.is_none()
                    && let Some(mut row) = outbox.get(&row.id)?
                {
                    if row.content.as_ref() == Some(&content) {
                        row.content = None;
                        row.marker = None;
                    }
                    outbox.put(&row)?;
                }
                outbox.add_conflict(&ConflictRow {
                    n: 0,
                    kind,
                    item: row.id,
                    copy: Some(copy),
                    at_ms: now,
                    name,
                    theirs: None,
                    told: false,
                })?;
                Ok(copy)
            })?;
            edits.catalog.settle_edits(&[row.id, copy])?;
            Ok(copy)
        })
        .await
    }

    /// Tells of something that happened to an item, without a copy.
    pub(super) async fn report(&self, row: &EditRow, kind: ConflictKind) -> Result<()> {
        let name = row
            .place
            .as_ref()
            .map(|place| &place.name)
            .or(row.base.as_ref().map(|base| &base.name));
        let conflict = ConflictRow {
            n: 0,
            kind: serde_json::to_string(&kind).map_err(|_| Error::bug("a conflict"))?,
            item: row.id,
            copy: None,
            at_ms: self.store.now_ms(),
            name: name.cloned().unwrap_or_default(),
            theirs: None,
            told: false,
        };
        let store = self.store.clone();
        blocking(move || {
            store
                .outbox(|outbox| outbox.add_conflict(&conflict))
                .map(drop)
        })
        .await
    }

    /// The copy of another's content cannot be made: the service does not know it any more. The item's history has it, and
    /// the item is uploaded to no more until a person has seen that.
    pub(super) async fn only_in_history(&self, row: &EditRow) -> Result<()> {
        let (store, id) = (self.store.clone(), row.id);
        let content = row
            .content
            .as_ref()
            .map(|content| (content.md5, content.size));
        blocking(move || {
            let told = store
                .conflicts()?
                .into_iter()
                .find(|conflict| conflict.copy == Some(id));
            store.outbox(|outbox| {
                if let Some(told) = told {
                    outbox.remove_conflict(told.n)?;
                    outbox.add_conflict(&ConflictRow {
                        kind: serde_json::to_string(&ConflictKind::HistoryOnly)
                            .map_err(|_| Error::bug("a conflict"))?,
                        copy: None,
                        theirs: content,
                        told: false,
                        ..told
                    })?;
                }
                outbox.put(&EditRow::of(id, super::queue::FILE, 0))
            })
        })
        .await?;
        let (catalog, id) = (self.catalog.clone(), row.id);
        blocking(move || catalog.settle_edits(&[id])).await
    }

    /// Whether a person must see first what the item's history has.
    pub(super) async fn waits_for_history(&self, row: &EditRow) -> Result<bool> {
        let (store, id) = (self.store.clone(), row.id);
        let kind = serde_json::to_string(&ConflictKind::HistoryOnly)
            .map_err(|_| Error::bug("a conflict"))?;
        blocking(move || {
            let all = store.conflicts()?;
            Ok(all.iter().any(|row| row.item == id && row.kind == kind))
        })
        .await
    }

    pub(super) fn park(&self, row: &EditRow, park: Park) -> Result<()> {
        let held = Some(super::state::Held::Park(park).text());
        self.store.outbox(|outbox| match outbox.get(&row.id)? {
            Some(row) => outbox.put_progress(&EditRow { held, ..row }),
            None => Ok(()),
        })
    }
}

/// What a content is put over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Put {
    /// Nothing: something else there is an error.
    New,
    /// A revision, by its number if that is known.
    Over(Option<u64>),
}

/// Since when a revision has slipped in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since<'a> {
    /// After this number, which was there when we looked.
    Number(u64),
    /// So many milliseconds before ours came. A file in the trash may have had the path, whose revisions are shown, too.
    Before(i64, &'a RemotePath),
}

impl Since<'_> {
    fn is_before(self, revision: &Revision, ours: Option<&Revision>) -> bool {
        match self {
            Self::Number(number) => revision.number.is_some_and(|other| other > number),
            // The service tells whole seconds, by one clock. Where it tells no time, a copy too many is the safe side.
            Self::Before(ms, _) => revision
                .updated_ms
                .zip(ours.and_then(|ours| ours.updated_ms))
                .is_none_or(|(theirs, ours)| ours - theirs <= ms.max(0) + 1_000),
        }
    }
}
