//! What is wanted becomes rows of the outbox: checked, coalesced, durable, then shown.
//!
//! Each call reads the tree first, then changes all its rows in one transaction of the journal, then lets the tree follow.
//! Because a row is a state, coalescing is assignment: a later place replaces an earlier one, and a place that the service
//! has already is no wish any more.

use super::wishes::{
    base_from, check_allowed, content_of, file_name, inside, same_name, service_name,
};
use super::{Edits, NewContent};
use crate::catalog::Freshness;
use crate::catalog::content_version;
use crate::catalog::{Action, Id, Item, ItemId, Kind, Lookup, Order, Space, id_bytes, id_text};
use crate::sending::Hashed;
use crate::store::{Base, EditRow, Identified, Outbox, Place, WantedContent, WantedPlace, new_id};
use crate::{Error, Result};

pub(super) const FOLDER: u8 = 2;
pub(super) const FILE: u8 = 3;

/// What a staged file is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A new file at a place, or under the next free name.
    New(WantedPlace),
    /// New content, made from this base.
    Over(Option<Base>),
}

impl Edits {
    pub(super) fn queue_file(
        &self,
        parent: &ItemId,
        name: &str,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let id = new_id()?;
        let place = self.new_place(parent, name)?;
        let draft = self.stage_for(&id, Some(&place), None, &content)?;
        let times = (content.created_ms, content.modified_ms);
        let item = self.keep_staged(
            &id,
            Purpose::New(place),
            &draft.file,
            &draft.staged,
            times,
            key,
        )?;
        draft.kept();
        Ok(item)
    }

    pub(super) fn queue_folder(
        &self,
        parent: &ItemId,
        name: &str,
        key: Option<&str>,
    ) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let folder = self.folder(parent)?;
        self.allowed(&folder, Action::Add)?;
        let name = service_name(name)?;
        let parent = id(parent)?;
        if let Some(there) = self.catalog.holder_of_name(&parent, &name, None)?
            && let Lookup::Found(item) = self.catalog.item(&there)?
            && item.kind == Kind::Folder
        {
            let there = id(&there)?;
            self.store.outbox(|outbox| self.sign(outbox, key, &there))?;
            return Ok(item);
        }
        let place = self.free_place(parent, name, None)?;
        let new = new_id()?;
        self.store.outbox(|outbox| {
            outbox.put(&EditRow {
                is_new: true,
                place: Some(place.clone()),
                ..EditRow::of(new, FOLDER, self.store.now_ms())
            })?;
            record(outbox, &new, &place, FOLDER)?;
            self.sign(outbox, key, &new)
        })?;
        self.show(&new)
    }

    pub(super) fn queue_content(
        &self,
        item: &ItemId,
        base: Option<&str>,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let bytes = id(item)?;
        let base = self.base_for_content(item, base)?;
        let draft = self.stage_for(&bytes, None, base.as_ref(), &content)?;
        let times = (content.created_ms, content.modified_ms);
        let purpose = Purpose::Over(base);
        let item = self.keep_staged(&bytes, purpose, &draft.file, &draft.staged, times, key)?;
        draft.kept();
        Ok(item)
    }

    /// What new content of a file is made from. Errors: as `replace_content`.
    pub(super) fn base_for_content(
        &self,
        item: &ItemId,
        base: Option<&str>,
    ) -> Result<Option<Base>> {
        let found = self.found(item)?;
        self.allowed(&found, Action::Edit)?;
        let bytes = id(item)?;
        let theirs = self.their_base(&bytes)?;
        let row = self.store.edit(&bytes)?;
        let pending = row.as_ref().and_then(|row| row.content.as_ref());
        let ours = pending.map(|content| content_version(content.md5, content.size));
        // Written over what we have not sent yet: still made from what that was made from.
        if pending.is_some() && base.is_none_or(|base| Some(base) == ours.as_deref()) {
            return Ok(row.and_then(|row| row.base));
        }
        match (base, theirs) {
            (None, theirs) => Ok(theirs),
            // What the service has not any more was where our row says.
            (Some(base), theirs) => {
                let known = theirs.or(row.and_then(|row| row.base));
                base_from(base, known).map(Some)
            }
        }
    }

    /// Queues a staged file, and ends its draft. Bytes that are there already are no change.
    pub(super) fn keep_staged(
        &self,
        item: &Id,
        purpose: Purpose,
        file: &str,
        staged: &Hashed,
        (created_ms, modified_ms): (Option<i64>, Option<i64>),
        key: Option<&str>,
    ) -> Result<Item> {
        let now = self.store.now_ms();
        let theirs = self.catalog.theirs(item)?;
        let purpose = match purpose {
            Purpose::New(place) => Purpose::New(self.place_now(item, place)?),
            over => over,
        };
        let content = WantedContent {
            file: file.to_owned(),
            size: staged.size,
            md5: staged.md5,
            blake3: Some(staged.blake3),
            created_ms: created_ms.or(theirs.as_ref().and_then(|theirs| theirs.created_ms)),
            modified_ms: Some(modified_ms.unwrap_or(now)),
        };
        let replaced = self.store.outbox(|outbox| {
            let before = outbox.get(item)?;
            if let (None, None, Purpose::Over(None)) = (&before, &theirs, &purpose) {
                // Discarded while it was written: nobody knows any more where it was.
                return Err(Error::NoSuchItem {
                    detail: "discarded".into(),
                });
            }
            let mut row = before
                .clone()
                .unwrap_or_else(|| EditRow::of(*item, FILE, now));
            let replaced = row.content.take().map(|content| content.file);
            match &purpose {
                Purpose::New(place) => {
                    row.is_new = true;
                    row.place = Some(place.clone());
                    record(outbox, item, place, FILE)?;
                }
                Purpose::Over(base) => {
                    if !row.is_new {
                        row.base = base.clone().or(row.base);
                    }
                }
            }
            let same = theirs.as_ref().is_some_and(|theirs| {
                (theirs.md5, theirs.size) == (Some(staged.md5), Some(staged.size))
            });
            let unchanged = same && !row.is_new;
            if !unchanged {
                row.content = Some(content.clone());
                // It is no copy any more, but what was saved over it.
                row.copy_of = None;
            }
            row.attempts = 0;
            row.until_ms = None;
            row.held = None;
            if before.is_some() || !row.wants_nothing() {
                outbox.put(&row)?;
            }
            // Last, because with it goes what is known of an item that nobody writes to.
            outbox.remove_draft(file)?;
            self.sign(outbox, key, item)?;
            let mut unused = Vec::from_iter(replaced.filter(|replaced| replaced != file));
            if unchanged {
                unused.push(file.to_owned());
            }
            Ok(unused)
        })?;
        for file in replaced.iter().filter(|file| !file.is_empty()) {
            self.staging.remove(file)?;
        }
        self.show(item)
    }

    pub(super) fn queue_move(
        &self,
        item: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let found = self.found(item)?;
        let folder = self.folder(parent)?;
        self.allowed(&found, Action::Move)?;
        self.allowed(&folder, Action::Add)?;
        if self.catalog.is_descendant(item, parent)? {
            return Err(Error::NotAllowed {
                detail: "a folder cannot be in itself".into(),
            });
        }
        let bytes = id(item)?;
        self.not_into_what_it_copies(item, parent)?;
        let row = self.store.edit(&bytes)?;
        let theirs = self.catalog.theirs(&bytes)?;
        let name = match name {
            Some(name) => service_name(name)?,
            // The service's own spelling, where that is known.
            None => row
                .and_then(|row| row.place)
                .map(|place| place.name)
                .or_else(|| theirs.as_ref().map(|theirs| theirs.name.clone()))
                .map_or_else(|| service_name(&found.name), Ok)?,
        };
        let place = self.free_place(id(parent)?, name, Some(&bytes))?;
        let base = self.their_base(&bytes)?;
        let kind = kind_of(&found);
        self.store.outbox(|outbox| {
            let mut row = self.row(outbox, &bytes, kind, base)?;
            let is_there = theirs
                .as_ref()
                .is_some_and(|theirs| (theirs.parent, &theirs.name) == (place.parent, &place.name));
            row.place = Some(place.clone()).filter(|_| row.is_new || !is_there);
            if row.is_new {
                record(outbox, &bytes, &place, kind)?;
            }
            outbox.put(&row)?;
            self.sign(outbox, key, &bytes)
        })?;
        self.show(&bytes)
    }

    /// A copy that is not made yet, moved into its source, would be copied into itself for ever.
    fn not_into_what_it_copies(&self, item: &ItemId, parent: &ItemId) -> Result<()> {
        let mut moved = inside(&self.store, &self.catalog, item)?;
        moved.push(id(item)?);
        for moved in moved {
            let Some(source) = self.store.edit(&moved)?.and_then(|row| row.copy_of) else {
                continue;
            };
            let source = id_text(source);
            if source == *parent || self.catalog.is_descendant(&source, parent)? {
                return Err(Error::NotAllowed {
                    detail: "a folder cannot be copied into itself".into(),
                });
            }
        }
        Ok(())
    }

    pub(super) fn queue_copy(
        &self,
        item: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        if let Some(item) = self.replay(key)? {
            return Ok(item);
        }
        let found = self.found(item)?;
        let folder = self.folder(parent)?;
        self.allowed(&folder, Action::Add)?;
        if found.space == Space::Trash || !matches!(found.kind, Kind::File | Kind::Folder) {
            return Err(Error::NotAllowed {
                detail: "only files and folders outside of the trash can be copied".into(),
            });
        }
        if self.catalog.is_descendant(item, parent)? {
            return Err(Error::NotAllowed {
                detail: "a folder cannot be copied into itself".into(),
            });
        }
        let wanted = service_name(name.unwrap_or(&found.name))?;
        // What is backed up and what is synced are never one folder (design §1.3).
        if found.space == Space::Backup
            && folder.space != Space::Backup
            && same_name(&wanted, &service_name(&found.name)?)
        {
            return Err(Error::NotAllowed {
                detail: "a copy out of a backup needs a name of its own".into(),
            });
        }
        let place = self.free_place(id(parent)?, wanted, None)?;
        let (source, kind) = (id(item)?, kind_of(&found));
        let (new, now) = (new_id()?, self.store.now_ms());
        let content = content_of(&found).map(|(md5, size)| WantedContent {
            file: String::new(),
            size,
            md5,
            blake3: None,
            created_ms: found.created_ms,
            modified_ms: found.modified_ms,
        });
        self.store.outbox(|outbox| {
            outbox.put(&EditRow {
                is_new: true,
                place: Some(place.clone()),
                copy_of: Some(source),
                content,
                ..EditRow::of(new, kind, now)
            })?;
            record(outbox, &new, &place, kind)?;
            self.sign(outbox, key, &new)
        })?;
        self.show(&new)
    }

    /// The row of an item, or a new one made from `base`.
    pub(super) fn row(
        &self,
        outbox: &Outbox<'_>,
        item: &Id,
        kind: u8,
        base: Option<Base>,
    ) -> Result<EditRow> {
        Ok(outbox.get(item)?.unwrap_or_else(|| EditRow {
            base,
            ..EditRow::of(*item, kind, self.store.now_ms())
        }))
    }

    pub(super) fn their_base(&self, item: &Id) -> Result<Option<Base>> {
        Ok(self.catalog.theirs(item)?.map(|theirs| Base {
            parent: theirs.parent,
            name: theirs.name,
            uuid: theirs.uuid,
            md5: theirs.md5,
            size: theirs.size,
            revision: theirs.revision,
        }))
    }

    /// A place for a new file. Its name is looked at when there is a row of it, because only then it is shown to have it.
    pub(super) fn new_place(&self, parent: &ItemId, name: &str) -> Result<WantedPlace> {
        let folder = self.folder(parent)?;
        self.allowed(&folder, Action::Add)?;
        let (parent, name) = (id(parent)?, service_name(name)?);
        Ok(WantedPlace { parent, name })
    }

    /// The place, under the first name of `name`, `name (2)`, … that nothing else here has.
    pub(super) fn free_place(
        &self,
        parent: Id,
        name: String,
        but: Option<&Id>,
    ) -> Result<WantedPlace> {
        for number in 1..10_000 {
            let name = if number == 1 {
                name.clone()
            } else {
                file_name(&name, &format!(" ({number})"))
            };
            if self.catalog.holder_of_name(&parent, &name, but)?.is_none() {
                return Ok(WantedPlace { parent, name });
            }
        }
        Err(Error::NotAllowed {
            detail: "too many items of one name".into(),
        })
    }

    pub(super) fn found(&self, item: &ItemId) -> Result<Item> {
        match self.catalog.item(item)? {
            Lookup::Found(item) => Ok(item),
            Lookup::Gone => Err(Error::NoSuchItem {
                detail: "deleted".into(),
            }),
            Lookup::Unknown => Err(not_known()),
        }
    }

    pub(super) fn has_children(&self, folder: &ItemId) -> Result<bool> {
        let page = self.catalog.children(folder, Order::Name, None, 1)?;
        // What was never listed is not known to be empty.
        Ok(!page.items.is_empty() || page.freshness == Freshness::Never)
    }

    fn folder(&self, item: &ItemId) -> Result<Item> {
        let found = self.found(item)?;
        if found.kind == Kind::File {
            return Err(Error::NotAllowed {
                detail: "a file is no folder".into(),
            });
        }
        Ok(found)
    }

    pub(super) fn allowed(&self, item: &Item, action: Action) -> Result<()> {
        check_allowed(item, action, self.backup_writable()?)
    }

    fn backup_writable(&self) -> Result<bool> {
        Ok(self.store.setting(BACKUP_WRITABLE)?.is_some())
    }

    pub(super) fn put_backup_writable(&self, on: bool) -> Result<()> {
        let value = on.then(|| "1".to_owned());
        self.store
            .update_setting(BACKUP_WRITABLE, |_| Ok((value, ())))
    }

    /// What an operation of this key has made, if it was called before.
    pub(super) fn replay(&self, key: Option<&str>) -> Result<Option<Item>> {
        match self.item_of_key(key)? {
            Some(item) => {
                // Nothing was put now; what a kill has left unshown is shown.
                self.catalog.settle_edits(&[])?;
                self.found(&id_text(item)).map(Some)
            }
            None => Ok(None),
        }
    }

    pub(super) fn done_before(&self, key: Option<&str>) -> Result<bool> {
        Ok(self.item_of_key(key)?.is_some())
    }

    fn item_of_key(&self, key: Option<&str>) -> Result<Option<Id>> {
        let Some(key) = key else {
            return Ok(None);
        };
        if key.is_empty() || key.len() > 200 {
            return Err(Error::invalid("a key is 1 to 200 bytes"));
        }
        self.store.outbox(|outbox| outbox.operation(key))
    }

    /// Remembers what the operation of a key has made.
    pub(super) fn sign(&self, outbox: &Outbox<'_>, key: Option<&str>, item: &Id) -> Result<()> {
        match key {
            Some(key) => outbox.put_operation(key, item, self.store.now_ms()),
            None => Ok(()),
        }
    }

    /// Lets the tree follow; the item as it looks now.
    pub(super) fn show(&self, item: &Id) -> Result<Item> {
        self.catalog.settle_edits(&[*item])?;
        self.found(&id_text(*item))
    }
}

/// Whether a computer's backup may be changed from here.
const BACKUP_WRITABLE: &str = "backup_writable";

/// What the service never had is known by the place where it is wanted.
pub(super) fn record(outbox: &Outbox<'_>, item: &Id, place: &WantedPlace, kind: u8) -> Result<()> {
    outbox.record(&Identified {
        id: *item,
        place: Place {
            parent: place.parent,
            name: place.name.clone(),
            kind,
            uuid: None,
        },
    })
}

pub(super) fn kind_of(item: &Item) -> u8 {
    match item.kind {
        Kind::File => FILE,
        Kind::Root | Kind::Computer | Kind::Folder => FOLDER,
    }
}

pub(super) fn id(item: &ItemId) -> Result<Id> {
    id_bytes(item).ok_or_else(not_known)
}

pub(super) fn not_known() -> Error {
    Error::NotKnown {
        detail: "an id".into(),
    }
}
