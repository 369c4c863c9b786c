//! A write session: bytes written anywhere, published as a whole or not at all (platform contracts §2.1).
//!
//! The draft row is there before the bytes are. The session's lock on its file, which a kill frees, is what tells a
//! recovery in any process that it lives.

use super::queue::Purpose;
use super::staging::{Staging, hash};
use super::{Edits, WriteMode};
use crate::catalog::{Id, Item, ItemId, Lookup, id_bytes, id_text};
use crate::disk::BlockFile;
use crate::runtime::blocking;
use crate::store::{Base, DraftRow, WantedPlace, new_id};
use crate::{CancelToken, Error, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that one read gives, in bytes.
const MOST: u32 = 1 << 20;

/// Opened by [`open_writer`](super::Edits::open_writer). Blocks; for a thread made for that. Dropped without a commit, it
/// keeps its bytes as a draft that waits for a person.
pub struct Writer {
    edits: Edits,
    draft: DraftRow,
    session: Arc<Session>,
}

/// The open file of a session; `None` while the drive is paused, and after the end.
#[derive(Default)]
pub(super) struct Session {
    file: Mutex<Option<Box<dyn BlockFile>>>,
    ended: Mutex<bool>,
}

impl Session {
    fn file(&self) -> MutexGuard<'_, Option<Box<dyn BlockFile>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the file; the next use opens it again.
    pub fn close(&self) {
        *self.file() = None;
    }
}

impl Edits {
    pub(super) async fn begin_writer(
        &self,
        item: &ItemId,
        base: Option<&str>,
        mode: WriteMode,
        cancel: &CancelToken,
    ) -> Result<Writer> {
        let bytes = id_bytes(item).ok_or_else(|| Error::NotKnown {
            detail: "an id".into(),
        })?;
        let base = self.base_for_content(item, base)?;
        let file = Staging::new_name(&bytes)?;
        let from = match mode {
            WriteMode::Truncate => None,
            WriteMode::Update => {
                // Named so that the next start removes what a kill leaves of it.
                let path = self.staging.path(&Staging::new_name(&bytes)?)?;
                self.content
                    .fetch_to_file_inner(
                        item,
                        None,
                        &path,
                        crate::content::Purpose::Edit,
                        None,
                        cancel,
                    )
                    .await?;
                Some(path)
            }
        };
        let edits = self.clone();
        blocking(move || {
            let begun = edits.begin(bytes, file, None, base, from.as_deref());
            if let Some(path) = from {
                edits.staging.remove_source(&path)?;
            }
            begun
        })
        .await
    }

    pub(super) fn begin_new_writer(&self, parent: &ItemId, name: &str) -> Result<Writer> {
        let id = new_id()?;
        let place = self.new_place(parent, name)?;
        self.begin(id, Staging::new_name(&id)?, Some(place), None, None)
    }

    fn begin(
        &self,
        id: Id,
        file: String,
        place: Option<WantedPlace>,
        base: Option<Base>,
        from: Option<&std::path::Path>,
    ) -> Result<Writer> {
        let _busy = self.life.busy()?;
        let draft = DraftRow {
            file,
            id,
            place,
            base,
            session: true,
            handed_out: false,
            since_ms: self.store.now_ms(),
        };
        self.store.outbox(|outbox| outbox.put_draft(&draft))?;
        let room = |bytes| self.content.room_for_unsent(bytes);
        let made = match self.staging.begin(&draft.file, from, room) {
            Ok(made) => made,
            Err(error) => {
                // If that fails too, the next start finds a row without bytes.
                drop(self.store.outbox(|outbox| outbox.remove_draft(&draft.file)));
                return Err(error);
            }
        };
        let session = Arc::new(Session {
            file: Mutex::new(Some(made)),
            ended: Mutex::new(false),
        });
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&session));
        Ok(Writer {
            edits: self.clone(),
            draft,
            session,
        })
    }

    /// Lets go of the files of all writers, for a pause.
    pub(crate) fn close_files(&self) {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for session in sessions.iter().filter_map(std::sync::Weak::upgrade) {
            session.close();
        }
    }
}

impl Writer {
    /// The item that it writes to; for a new file, the id that it will have.
    pub fn item(&self) -> ItemId {
        id_text(self.draft.id)
    }

    /// Reads what is there now: less than `len` bytes only at the end. At most 1 MiB at once.
    pub fn read_at(&self, offset: u64, len: u32) -> Result<Vec<u8>> {
        self.with(|file| {
            let mut buffer = vec![0; len.min(MOST) as usize];
            let read = file.read_at(&mut buffer, offset)?;
            buffer.truncate(read);
            Ok(buffer)
        })
    }

    /// Writes all of `bytes`. What lies between the end and `offset` becomes zeros.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.with(|file| Ok(file.write_at(bytes, offset)?))
    }

    /// Cuts or lengthens, with zeros.
    pub fn set_len(&self, len: u64) -> Result<()> {
        self.with(|file| Ok(file.set_len(len)?))
    }

    /// The length in bytes.
    pub fn len(&self) -> Result<u64> {
        self.with(|file| Ok(file.len()?))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Makes what was written durable.
    pub fn sync(&self) -> Result<()> {
        self.with(|file| Ok(file.sync()?))
    }

    /// Where the bytes are, to give a descriptor of them to others. If this process ends before the commit, the next start
    /// publishes what is there then, because they may have finished it (complaint no. 35: unless it is empty and was not).
    pub fn staged_path(&self) -> Result<PathBuf> {
        self.with(|_| {
            let draft = DraftRow {
                handed_out: true,
                ..self.draft.clone()
            };
            self.edits.store.outbox(|outbox| outbox.put_draft(&draft))?;
            self.edits.staging.path(&self.draft.file)
        })
    }

    /// Makes the bytes durable and queues them as the item's content, then ends the session. Equal bytes are no change.
    /// The item as it looks now. A second call gives `InvalidArgument`.
    pub fn commit(&self) -> Result<Item> {
        // Nothing is written between the hash and the row: the file is ours alone for all of it.
        let item = self.with(|file| {
            file.sync()?;
            let staged = hash(file)?;
            let purpose = match &self.draft.place {
                Some(place) => Purpose::New(place.clone()),
                None => Purpose::Over(self.draft.base.clone()),
            };
            let (id, name) = (&self.draft.id, &self.draft.file);
            let item = self
                .edits
                .keep_staged(id, purpose, name, &staged, (None, None), None)?;
            *self.session.ended() = true;
            Ok(item)
        })?;
        self.session.close();
        Ok(item)
    }

    /// Drops the bytes and ends the session. Fine after a commit.
    pub fn abort(&self) -> Result<()> {
        if *self.session.ended() {
            return Ok(());
        }
        let name = &self.draft.file;
        self.with(|_| {
            self.edits
                .store
                .outbox(|outbox| outbox.remove_draft(name))?;
            *self.session.ended() = true;
            // A stray, if this fails.
            drop(self.edits.staging.remove(name));
            Ok(())
        })?;
        self.session.close();
        Ok(())
    }

    /// Works on the file, which a pause may have closed.
    fn with<T>(&self, work: impl FnOnce(&dyn BlockFile) -> Result<T>) -> Result<T> {
        let _busy = self.edits.life.busy()?;
        let mut file = self.session.file();
        if *self.session.ended() {
            return Err(Error::invalid("the session has ended"));
        }
        if file.is_none() {
            let opened = self.edits.staging.open(&self.draft.file)?;
            if !opened.try_lock(true)? {
                return Err(Error::StoreBusy);
            }
            // While the drive was paused another process may have taken the draft for a dead one's.
            let drafts = self.edits.store.drafts()?;
            if !drafts.iter().any(|draft| draft.file == self.draft.file) {
                return Err(Error::VersionGone);
            }
            *file = Some(opened);
        }
        match file.as_deref() {
            Some(file) => work(file),
            None => Err(Error::bug("a file that was just opened")),
        }
    }
}

impl Drop for Writer {
    /// The bytes stay, and wait for a person. What was given away may still be written to by others: that draft is left to
    /// the next start.
    fn drop(&mut self) {
        if *self.session.ended() {
            return;
        }
        let parked = self.with(|file| {
            let drafts = self.edits.store.drafts()?;
            let own = drafts
                .into_iter()
                .find(|draft| draft.file == self.draft.file);
            match own.filter(|draft| !draft.handed_out) {
                Some(own) if file.len()? > 0 || own.base.is_some() => {
                    file.sync()?;
                    self.edits.park_draft(&own, &hash(file)?)
                }
                _ => Ok(()),
            }
        });
        // What cannot be looked after now, the next start looks after.
        drop(parked);
        self.session.close();
    }
}

/// A lookup that must have found.
pub(super) fn here(lookup: Lookup) -> Option<Item> {
    match lookup {
        Lookup::Found(item) => Some(item),
        Lookup::Gone | Lookup::Unknown => None,
    }
}
