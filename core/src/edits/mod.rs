//! Changes: queued on the device at once, sent when the service can be reached, never lost.
//!
//! Invariants:
//! - *Marker before bytes, clear last*: a change is a durable row before its caller hears of it, and the row goes only
//!   after the service was seen to have what is wanted. Any call may be the last one the process makes.
//! - The outbox is a state and no log: one row an item says what is wanted of it (see `store/edits`). The catalogue shows
//!   the service's state with that applied, at once, in the change feed too.
//! - Staged bytes are a class of their own: eviction, a sign-out by a dead token, a remote delete, a full disk or a
//!   rebuild of the catalogue cannot remove them (complaint no. 21).
//! - Nothing is overwritten unseen: what the service has is looked at before a change and again after it, and two
//!   writers' contents are both kept (complaint no. 34). The outcome of every pair of changes is in `CONFLICTS.md`.
//! - Who pushes holds the file lock `push.lock`, which a kill frees; another process only queues, or waits for its turn.

mod aside;
mod bin;
mod conflict_name;
mod conflicts;
mod create;
mod decide;
mod drafts;
mod fates;
mod links;
mod place;
mod push;
mod queue;
mod run;
mod send;
mod sending;
mod stage_for;
mod staging;
mod state;
mod steps;
mod types;
mod versions;
mod why;
mod wishes;
mod writer;

use crate::catalog::{Catalog, Item, ItemId};
use crate::content::{Content, TransferListener};
use crate::disk::Disk;
use crate::drive::{Life, Profile};
use crate::remote::Remote;
pub use crate::sending::AccountHold;
use crate::store::Store;
use crate::{CancelToken, Result};
use staging::Staging;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
pub use types::*;
pub use writer::Writer;

/// The changes of one drive.
#[derive(Clone)]
pub struct Edits {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    content: Content,
    remote: Remote,
    life: Arc<Life>,
    staging: Staging,
    /// The writers of this process.
    sessions: Arc<Mutex<Vec<Weak<writer::Session>>>>,
    sending: sending::Sending,
    /// Memory is small.
    extension: bool,
}

impl Edits {
    pub(crate) fn new(
        store: Arc<Store>,
        catalog: Arc<Catalog>,
        content: Content,
        remote: Remote,
        disk: Arc<dyn Disk>,
        life: Arc<Life>,
        directory: &Path,
    ) -> Result<Self> {
        let staging = Staging::new(disk, directory)?;
        let edits = Self {
            store,
            catalog,
            content,
            remote,
            life,
            staging,
            sessions: Arc::default(),
            sending: sending::Sending::default(),
            extension: false,
        };
        edits.recover()?;
        Ok(edits)
    }

    /// An extension has few lanes, because its memory is small.
    pub(crate) fn with_profile(self, profile: Profile) -> Self {
        Self {
            extension: profile == Profile::Extension,
            ..self
        }
    }

    // ---- changes: durable and visible here when they return; no network ------------------------------------------

    /// Makes a new file of a content that is on this device. It has its id for ever from now on, and is sent by the next
    /// [`push`](Self::push). The name is shown as given; if something here has it already (case and normalisation do not
    /// tell names apart), the new file gets `name (2)`, and the item says so.
    ///
    /// `key` makes the call harmless to repeat: the same key gives the same item, whatever came in between. At most 200
    /// bytes, kept for 30 days; the operating system's id of the new document is a good one.
    ///
    /// Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (the space), `NameRefused`, `DiskFull`, `DiskFailed`, `InvalidArgument`.
    pub fn create_file(
        &self,
        parent: &ItemId,
        name: &str,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.queue_file(parent, name, content, key)
    }

    /// Makes a new folder. As [`create_file`](Self::create_file), but if a folder of this name is here already, that is
    /// the answer.
    pub fn create_folder(&self, parent: &ItemId, name: &str, key: Option<&str>) -> Result<Item> {
        self.queue_folder(parent, name, key)
    }

    /// Puts a new content into a file. `base` is the [`content_version`](Item::content_version) that the change was made
    /// from; without it, the one shown now. If the service has another by the time this is sent, both are kept. Equal
    /// bytes are no change.
    ///
    /// Errors: as [`create_file`](Self::create_file).
    pub fn replace_content(
        &self,
        id: &ItemId,
        base: Option<&str>,
        content: NewContent<'_>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.queue_content(id, base, content, key)
    }

    /// Gives an item another name, another folder, or both. Between spaces too, where both allow it. A name that is
    /// taken at the new place gets a number, as in [`create_file`](Self::create_file).
    ///
    /// Errors: `NotAllowed` (the space, or a folder into itself), `NotKnown`, `NoSuchItem`, `NameRefused`, `InvalidArgument`.
    pub fn move_to(
        &self,
        id: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.queue_move(id, parent, name, key)
    }

    /// Copies a file or a folder; the service does it, no content comes here. A folder is copied bit by bit (the service
    /// copies files only), and goes on after a kill. From Backup only under a new name: what is backed up and what is
    /// synced are never one folder (`NotAllowed`).
    ///
    /// Errors: as [`move_to`](Self::move_to).
    pub fn copy(
        &self,
        id: &ItemId,
        parent: &ItemId,
        name: Option<&str>,
        key: Option<&str>,
    ) -> Result<Item> {
        self.queue_copy(id, parent, name, key)
    }

    /// Moves an item to the trash, where it stays for 30 days; in Sync it disappears from every computer and for anyone it
    /// is shared with. `base` as in [`replace_content`](Self::replace_content): what somebody else has changed since is not
    /// deleted. Unsent content of the item is kept as by [`discard`](Self::discard). An item that is gone already is fine.
    ///
    /// Errors: `NotAllowed` (the space, or a folder that is not empty without `recursive`), `NotKnown`.
    pub fn trash(
        &self,
        id: &ItemId,
        base: Option<&str>,
        recursive: bool,
        key: Option<&str>,
    ) -> Result<()> {
        self.queue_trash(id, base, recursive, key)
    }

    /// Takes an item out of the trash, to where it was. Only what lies in the trash itself, not what is in a trashed folder.
    /// If something else has its place by then, a file comes back under another name.
    pub fn restore(&self, id: &ItemId, key: Option<&str>) -> Result<Item> {
        self.queue_restore(id, key)
    }

    /// Deletes an item of the trash for ever. Never touches a living item at the place it was deleted from.
    pub fn purge(&self, id: &ItemId, key: Option<&str>) -> Result<()> {
        self.queue_purge(id, key)
    }

    /// Makes a public link, or ends it. [`link`](Self::link) tells it once it is made.
    pub fn set_link(&self, id: &ItemId, on: bool, key: Option<&str>) -> Result<Item> {
        self.queue_link(id, on, key)
    }

    /// Whether a computer's backup may be changed from here (off at first): what is changed there is not carried back, and
    /// the computer's next backup may replace it. Ask the person before.
    pub fn set_backup_writable(&self, on: bool) -> Result<()> {
        self.put_backup_writable(on)
    }

    // ---- writing -------------------------------------------------------------------------------------------------

    /// Opens a file for writing. A durable row is there before this returns. What is written is published by
    /// [`Writer::commit`] and by nothing else; while a writer is open, nothing of the item is sent. May fetch the content
    /// ([`WriteMode::Update`], purpose [`Edit`](crate::content::Purpose::Edit)).
    pub async fn open_writer(
        &self,
        id: &ItemId,
        base: Option<&str>,
        mode: WriteMode,
        cancel: &CancelToken,
    ) -> Result<Writer> {
        self.life
            .run(cancel, async |cancel| {
                self.begin_writer(id, base, mode, cancel).await
            })
            .await
    }

    /// Opens a new file for writing. It appears, and is sent, when the writer commits (complaint no. 35: no empty file is
    /// published first). So a name that something else here has got by then is that one's, and the new file gets a number.
    pub fn create_writer(&self, parent: &ItemId, name: &str) -> Result<Writer> {
        self.begin_new_writer(parent, name)
    }

    // ---- the outbox ----------------------------------------------------------------------------------------------

    /// Sends what waits, in order, as far as the network, the account and the person's rules allow. Call it after a change,
    /// when the network is back and from the platform's background job; it can end at any moment and be called again.
    /// One process pushes at a time: `StoreBusy` while another does.
    pub async fn push(
        &self,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<PushRun> {
        self.life
            .run(cancel, async |cancel| self.push_all(progress, cancel).await)
            .await
    }

    /// Waits until the service has all that is wanted of an item, and what must come before it; sends it now, whatever the
    /// rules for background work say. The error is the one that stopped it; the change stays queued then.
    pub async fn settle(
        &self,
        id: &ItemId,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Settled> {
        self.life
            .run(cancel, async |cancel| {
                self.settle_item(id, progress, cancel).await
            })
            .await
    }

    /// What waits, in the order in which it is sent. A local read.
    pub fn outbox(&self) -> Result<Vec<Pending>> {
        self.list_outbox()
    }

    /// What waits of one item. A local read.
    pub fn pending(&self, id: &ItemId) -> Result<Option<Pending>> {
        self.pending_of(id)
    }

    /// Tries again now: the item if one is named, else all; what paused the account is asked again with one item.
    pub fn retry(&self, id: Option<&ItemId>) -> Result<()> {
        self.try_again(id)
    }

    /// Gives up what is wanted of an item. It looks again as the service has it; a new item disappears. Unsent bytes are
    /// kept under [`discarded`](Self::discarded) until they are forgotten by name.
    pub fn discard(&self, id: &ItemId) -> Result<()> {
        self.give_up(id)
    }

    /// What was discarded, the newest first. A local read.
    pub fn discarded(&self) -> Result<Vec<Discarded>> {
        self.list_discarded()
    }

    /// Writes discarded bytes to a file.
    pub fn export_discarded(&self, key: &str, dest: &Path) -> Result<()> {
        self.write_discarded(key, dest)
    }

    /// Deletes discarded bytes for ever.
    pub fn forget_discarded(&self, key: &str) -> Result<()> {
        self.drop_discarded(key)
    }

    // ---- conflicts -----------------------------------------------------------------------------------------------

    /// Where two writers met, the newest first, until resolved. With `report`, those in the answer count as told. A local read.
    pub fn conflicts(&self, report: bool) -> Result<Vec<Conflict>> {
        self.list_conflicts(report)
    }

    /// Decides a conflict; what that takes is queued like any change. `NotKnown` for a number that is not there (any more).
    pub fn resolve(&self, number: u64, resolution: Resolution) -> Result<()> {
        self.resolve_conflict(number, resolution)
    }

    // ---- versions, trash and links, asked of the service now -------------------------------------------------------

    /// The kept versions of a file, the newest first.
    pub async fn versions(&self, id: &ItemId, cancel: &CancelToken) -> Result<Vec<Version>> {
        self.life
            .run(cancel, async |cancel| self.list_versions(id, cancel).await)
            .await
    }

    /// Makes an older version the newest; the service does it, no content comes here. `VersionNotReadable` where the
    /// service lists the version and does not know its content any more.
    pub async fn restore_version(
        &self,
        id: &ItemId,
        version: &str,
        cancel: &CancelToken,
    ) -> Result<Item> {
        self.life
            .run(cancel, async |cancel| {
                self.make_newest(id, version, cancel).await
            })
            .await
    }

    /// Writes an older version to `dest`. It is built under a temporary name in Archive, never in Sync, and deleted there
    /// for ever, after a kill too. Gives its length in bytes. `VersionNotReadable` as above.
    pub async fn fetch_version(
        &self,
        id: &ItemId,
        version: &str,
        dest: &Path,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<u64> {
        self.life
            .run(cancel, async |cancel| {
                self.read_version(id, version, dest, progress, cancel).await
            })
            .await
    }

    /// Deletes all of the trash for ever: of all spaces and computers.
    pub async fn empty_trash(&self, cancel: &CancelToken) -> Result<Emptied> {
        self.life
            .run(cancel, async |cancel| self.drop_trash(cancel).await)
            .await
    }

    /// The public link of an item, if there is one.
    pub async fn link(&self, id: &ItemId, cancel: &CancelToken) -> Result<Option<Link>> {
        self.life
            .run(cancel, async |cancel| self.link_of(id, cancel).await)
            .await
    }

    /// All public links of the account.
    pub async fn links(&self, cancel: &CancelToken) -> Result<Vec<Link>> {
        self.life
            .run(cancel, async |cancel| self.all_links(cancel).await)
            .await
    }
}
