//! Changes: queued here, sent by `push`, and what the service keeps of earlier ones.

use super::LommeDrive;
use crate::call::{guarded, on_runtime};
use crate::foreign::with_progress;
use crate::{
    CancelToken, ConflictResolution, DiscardedEdit, EditConflict, EmptiedTrash, FileContent,
    FileVersion, Item, LommeError, LommeWriter, PendingEdit, ProgressListener, PublicLink, PushRun,
    SettledEdit, WriteMode, into_records,
};
use lomme::catalog::ItemId;
use lomme::content::TransferListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[uniffi::export]
impl LommeDrive {
    // Durable and visible here when they return; no network.

    /// Makes a new file of a content that is on this device. It has its id for ever from now on, and is sent by the next
    /// `push`. If something here has its name already (case and normalisation do not tell names apart), it gets
    /// `name (2)`, and the item says so. `key` makes the call harmless to repeat: the same key gives the same item. At most
    /// 200 bytes, kept for 30 days. Throws `NotKnown`, `NoSuchItem`, `NotAllowed` (the space), `NameRefused`, `DiskFull`,
    /// `DiskFailed`, `InvalidArgument`.
    pub fn create_file(
        &self,
        parent: String,
        name: String,
        content: FileContent,
        key: Option<String>,
    ) -> Result<Item, LommeError> {
        guarded(|| {
            let parent = ItemId::from_string(parent);
            let content = content.for_core();
            let edits = self.0.edits();
            Ok(edits
                .create_file(&parent, &name, content, key.as_deref())?
                .into())
        })
    }

    /// Makes a new folder. As `createFile`, but if a folder of this name is here already, that is the answer.
    pub fn create_folder(
        &self,
        parent: String,
        name: String,
        key: Option<String>,
    ) -> Result<Item, LommeError> {
        guarded(|| {
            let parent = ItemId::from_string(parent);
            let edits = self.0.edits();
            Ok(edits.create_folder(&parent, &name, key.as_deref())?.into())
        })
    }

    /// Puts a new content into a file. `base` is the `contentVersion` that the change was made from; without it, the one
    /// shown now. If the service has another by the time this is sent, both are kept. Equal bytes are no change. Throws
    /// what `createFile` throws.
    pub fn replace_content(
        &self,
        id: String,
        base: Option<String>,
        content: FileContent,
        key: Option<String>,
    ) -> Result<Item, LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            let (content, edits) = (content.for_core(), self.0.edits());
            Ok(edits
                .replace_content(&id, base.as_deref(), content, key.as_deref())?
                .into())
        })
    }

    /// Gives an item another name, another folder, or both; between spaces too, where both allow it. A name that is taken
    /// at the new place gets a number, as in `createFile`. Throws `NotAllowed` (the space, or a folder into itself),
    /// `NotKnown`, `NoSuchItem`, `NameRefused`, `InvalidArgument`.
    pub fn move_to(
        &self,
        id: String,
        parent: String,
        name: Option<String>,
        key: Option<String>,
    ) -> Result<Item, LommeError> {
        guarded(|| {
            let (id, parent) = (ItemId::from_string(id), ItemId::from_string(parent));
            let edits = self.0.edits();
            Ok(edits
                .move_to(&id, &parent, name.as_deref(), key.as_deref())?
                .into())
        })
    }

    /// Copies a file or a folder. The service does it, no content comes here. From Backup only under a new name: what is
    /// backed up and what is synced are never one folder. Throws what `moveTo` throws.
    pub fn copy_to(
        &self,
        id: String,
        parent: String,
        name: Option<String>,
        key: Option<String>,
    ) -> Result<Item, LommeError> {
        guarded(|| {
            let (id, parent) = (ItemId::from_string(id), ItemId::from_string(parent));
            let edits = self.0.edits();
            Ok(edits
                .copy(&id, &parent, name.as_deref(), key.as_deref())?
                .into())
        })
    }

    /// Moves an item to the trash, where it stays for 30 days; in Sync it disappears from every computer and for anyone it
    /// is shared with. `base` as in `replaceContent`: what somebody else has changed since is not deleted. Unsent content of
    /// the item is kept as by `discardEdit`. An item that is gone already is fine. Throws `NotAllowed` (the space, or a
    /// folder that is not empty without `recursive`), `NotKnown`.
    pub fn trash(
        &self,
        id: String,
        base: Option<String>,
        recursive: bool,
        key: Option<String>,
    ) -> Result<(), LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            let edits = self.0.edits();
            edits.trash(&id, base.as_deref(), recursive, key.as_deref())
        })
    }

    /// Takes an item out of the trash, to where it was. Only what lies in the trash itself, not what is in a trashed folder.
    /// If something else has its place by then, a file comes back under another name. Throws `NotAllowed`, `NotKnown`.
    pub fn restore(&self, id: String, key: Option<String>) -> Result<Item, LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            Ok(self.0.edits().restore(&id, key.as_deref())?.into())
        })
    }

    /// Deletes an item of the trash for ever. Never touches a living item at the place it was deleted from. Throws
    /// `NotAllowed` for what is not in the trash, `NotKnown`.
    pub fn purge(&self, id: String, key: Option<String>) -> Result<(), LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            self.0.edits().purge(&id, key.as_deref())
        })
    }

    /// Makes a public link, or ends it. `link` tells it once it is made. Throws `NotAllowed`, `NotKnown`, `NoSuchItem`.
    pub fn set_link(&self, id: String, on: bool, key: Option<String>) -> Result<Item, LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            Ok(self.0.edits().set_link(&id, on, key.as_deref())?.into())
        })
    }

    /// Whether a computer's backup may be changed from here (off at first): what is changed there is not carried back, and
    /// the computer's next backup may replace it. Ask the person before.
    pub fn set_backup_writable(&self, on: bool) -> Result<(), LommeError> {
        guarded(|| self.0.edits().set_backup_writable(on))
    }

    // Writing.

    /// Opens a file for writing; a durable row is there before this returns. What is written is published by the writer's
    /// `commit` and by nothing else, and while it is open nothing of the item is sent. May fetch the content
    /// (`Update`, for the purpose `Edit`). Throws `NotAllowed`, `NotKnown`, `NoSuchItem`, and what `fetchToFile` throws.
    pub async fn open_writer(
        &self,
        id: String,
        base: Option<String>,
        mode: WriteMode,
        cancel: Arc<CancelToken>,
    ) -> Result<Arc<LommeWriter>, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let writer = drive
                .edits()
                .open_writer(&id, base.as_deref(), mode.into(), &token)
                .await?;
            Ok(Arc::new(LommeWriter::new(writer)))
        })
        .await
    }

    /// Opens a new file for writing. No network. It appears, and is sent, when the writer commits. Throws what `createFile`
    /// throws.
    pub fn create_writer(
        &self,
        parent: String,
        name: String,
    ) -> Result<Arc<LommeWriter>, LommeError> {
        guarded(|| {
            let parent = ItemId::from_string(parent);
            let writer = self.0.edits().create_writer(&parent, &name)?;
            Ok(Arc::new(LommeWriter::new(writer)))
        })
    }

    // The outbox.

    /// Sends what waits, in order, as far as the network, the account and the person's rules allow. Call it after a change,
    /// when the network is back and from a background job; it can end at any moment and be called again. `progress` hears
    /// bytes. One process pushes at a time: throws `StoreBusy` while another does.
    pub async fn push(
        &self,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<PushRun, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let run = with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                drive.edits().push(listener, &token).await
            });
            Ok(run.await?.into())
        })
        .await
    }

    /// Waits until the service has all that is wanted of an item, and what must come before it; sends it now, whatever the
    /// rules for background work say. Throws what stopped it; the change stays queued then.
    pub async fn settle(
        &self,
        id: String,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<SettledEdit, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let settled = with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                drive.edits().settle(&id, listener, &token).await
            });
            Ok(settled.await?.into())
        })
        .await
    }

    /// What waits, in the order in which it is sent. A local read.
    pub fn outbox(&self) -> Result<Vec<PendingEdit>, LommeError> {
        guarded(|| Ok(into_records(self.0.edits().outbox()?)))
    }

    /// What waits of one item; none if nothing does. A local read.
    pub fn pending_edit(&self, id: String) -> Result<Option<PendingEdit>, LommeError> {
        guarded(|| {
            let pending = self.0.edits().pending(&ItemId::from_string(id))?;
            Ok(pending.map(PendingEdit::from))
        })
    }

    /// Makes what failed or needs a person due again: the item if one is named, else all. The next `push` sends it.
    pub fn retry_edits(&self, id: Option<String>) -> Result<(), LommeError> {
        guarded(|| {
            let id = id.map(ItemId::from_string);
            self.0.edits().retry(id.as_ref())
        })
    }

    /// Gives up what is wanted of an item. It looks again as the service has it; a new item disappears. Unsent bytes are
    /// kept under `discardedEdits` until they are forgotten by name.
    pub fn discard_edit(&self, id: String) -> Result<(), LommeError> {
        guarded(|| self.0.edits().discard(&ItemId::from_string(id)))
    }

    /// What was discarded, the newest first. A local read.
    pub fn discarded_edits(&self) -> Result<Vec<DiscardedEdit>, LommeError> {
        guarded(|| Ok(into_records(self.0.edits().discarded()?)))
    }

    /// Writes discarded bytes to a file. Throws `NotKnown`, `DiskFull`, `DiskFailed`.
    pub fn export_discarded(&self, key: String, destination: String) -> Result<(), LommeError> {
        guarded(|| {
            let edits = self.0.edits();
            edits.export_discarded(&key, Path::new(&destination))
        })
    }

    /// Deletes discarded bytes for ever. Throws `NotKnown`.
    pub fn forget_discarded(&self, key: String) -> Result<(), LommeError> {
        guarded(|| self.0.edits().forget_discarded(&key))
    }

    // Conflicts.

    /// Where two writers met, the newest first, until resolved. With `report`, those in the answer count as told. A local
    /// read.
    pub fn conflicts(&self, report: bool) -> Result<Vec<EditConflict>, LommeError> {
        guarded(|| Ok(into_records(self.0.edits().conflicts(report)?)))
    }

    /// Decides a conflict; what that takes is queued like any change. Throws `NotKnown` for a number that is not there (any
    /// more).
    pub fn resolve_conflict(
        &self,
        number: u64,
        resolution: ConflictResolution,
    ) -> Result<(), LommeError> {
        guarded(|| self.0.edits().resolve(number, resolution.into()))
    }

    // Versions, trash and links, asked of the service now.

    /// The kept versions of a file, the newest first. Throws what `refresh` throws.
    pub async fn versions(
        &self,
        id: String,
        cancel: Arc<CancelToken>,
    ) -> Result<Vec<FileVersion>, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            Ok(into_records(drive.edits().versions(&id, &token).await?))
        })
        .await
    }

    /// Makes an older version, named by its `token`, the newest; the service does it, no content comes here. Throws
    /// `VersionNotReadable` where the service lists the version and does not know its content any more, `VersionGone`, and
    /// what `refresh` throws.
    pub async fn restore_version(
        &self,
        id: String,
        version: String,
        cancel: Arc<CancelToken>,
    ) -> Result<Item, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let edits = drive.edits();
            Ok(edits.restore_version(&id, &version, &token).await?.into())
        })
        .await
    }

    /// Writes an older version, named by its `token`, to the path `destination`, and gives its length in bytes. It is built
    /// under a temporary name in Archive, never in Sync, and deleted there for ever, after a kill too. Throws what
    /// `restoreVersion` throws, `DiskFull`.
    pub async fn fetch_version(
        &self,
        id: String,
        version: String,
        destination: String,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<u64, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let path = PathBuf::from(destination);
            with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                let edits = drive.edits();
                edits
                    .fetch_version(&id, &version, &path, listener, &token)
                    .await
            })
            .await
        })
        .await
    }

    /// Deletes all of the trash for ever: of all spaces and computers. Ask the person before. Throws what `refresh` throws.
    pub async fn empty_trash(&self, cancel: Arc<CancelToken>) -> Result<EmptiedTrash, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            Ok(drive.edits().empty_trash(&token).await?.into())
        })
        .await
    }

    /// The public link of an item; none if there is none. Throws what `refresh` throws.
    pub async fn link(
        &self,
        id: String,
        cancel: Arc<CancelToken>,
    ) -> Result<Option<PublicLink>, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let link = drive.edits().link(&id, &token).await?;
            Ok(link.map(PublicLink::from))
        })
        .await
    }

    /// All public links of the account. Throws what `refresh` throws.
    pub async fn links(&self, cancel: Arc<CancelToken>) -> Result<Vec<PublicLink>, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            Ok(into_records(drive.edits().links(&token).await?))
        })
        .await
    }
}
