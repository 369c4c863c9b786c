//! Bytes, on demand only.
//!
//! Content moves for a named [`Purpose`] and never else, and every byte received is in the ledger.
//! Nothing here is reached by listing, indexing or reading the catalogue.

mod ahead;
mod blocks;
mod cache;
mod confirm;
mod download;
mod evict;
mod fill;
mod flight;
mod follow;
mod gate;
mod hand_out;
mod keep;
mod ledger;
mod opened;
mod pins;
mod progress;
mod reader;
mod slot;
mod slots;
mod streams;
mod sweep;
mod thumbnail;
mod ticket;
mod unsent;

use crate::catalog::{Catalog, Item, ItemId, Space};
use crate::conditions::Waiting;
use crate::disk::Disk;
use crate::drive::{Life, Profile};
use crate::remote::Remote;
use crate::store::Store;
use crate::{CancelToken, Error, Result};
use blocks::{Slot, Stamp};
use cache::Cache;
pub(crate) use fill::Wanted;
use gate::Gate;
use keep::Lanes;
use ledger::Ledger;
use opened::Opens;
pub use reader::{Hint, Reader};
use slot::SlotName;
use slots::Slots;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub(crate) use streams::Teller;
use thumbnail::Thumbnails;
use tokio::sync::Semaphore;

/// Why content is fetched. There is no purpose for browsing, indexing or searching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A person opened or saved the file.
    Open,
    /// A player or reader asks for parts.
    Stream,
    /// Kept for offline use by a person's wish.
    Pin,
    /// A thumbnail.
    Thumbnail,
    /// The base of an edit.
    Edit,
    /// Proof for the camera backup.
    Camera,
}

/// The kind of network, as the platform tells it. The core never guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Network {
    /// The platform has not told.
    #[default]
    Unknown,
    /// Free to use.
    Unmetered,
    /// Costs money.
    Metered,
    /// There is none.
    Offline,
}

/// A row of the byte ledger: content bytes received, headers and listings left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The space of the file.
    pub space: Space,
    /// What the bytes were for.
    pub purpose: Purpose,
    /// Over which kind of network.
    pub network: Network,
    /// Bytes of content received.
    pub bytes: u64,
}

/// How far a transfer is. Cumulative and at most ten times a second; the last call comes before the result, and only
/// it says that all is here. Starts again from less only when the file turned out to be another version.
pub trait TransferListener: Send + Sync {
    /// `done` of `total` bytes are here and on the disk.
    fn on_transfer(&self, done: u64, total: u64);
}

/// A file that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The item as of these bytes.
    pub item: Item,
    /// The length of the file, equal to the item's size.
    pub bytes: u64,
    /// How many of them came over the network in this call; less after a resume, none if all was here.
    pub fetched: u64,
}

/// How much of the device the cache may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CacheLimits {
    /// Bytes for what is not pinned; the least recently used goes first.
    pub budget_bytes: u64,
    /// Bytes of the volume that stay free: nothing is fetched that would take them.
    pub free_floor_bytes: u64,
}

impl Default for CacheLimits {
    /// 2 GiB, and 512 MiB free.
    fn default() -> Self {
        Self {
            budget_bytes: 2 << 30,
            free_floor_bytes: 512 << 20,
        }
    }
}

/// What the content of one space takes on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SpaceUsage {
    /// Bytes of pinned items.
    pub pinned_bytes: u64,
    /// Bytes of all else, which eviction may take.
    pub cached_bytes: u64,
    /// Files that are here as a whole.
    pub whole_files: u64,
}

/// What the content takes on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// By space, in the order of [`Space::ALL`].
    pub spaces: [SpaceUsage; 4],
    /// Bytes of thumbnails.
    pub thumbnail_bytes: u64,
    /// The limits in force.
    pub limits: CacheLimits,
    /// Bytes free on the volume.
    pub free_bytes: u64,
}

/// What an eviction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Evicted {
    /// Files whose content left the device, in whole or in part.
    pub files: u64,
    /// Bytes freed.
    pub bytes: u64,
    /// Files that stayed, because they are pinned, open or being fetched.
    pub kept: u64,
}

/// A pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The pinned file or folder.
    pub item: Item,
    /// When it was pinned, in milliseconds since the epoch.
    pub since_ms: i64,
    /// Files in it, as far as known.
    pub files: u64,
    /// Files of it that are here in their newest version.
    pub whole_files: u64,
    /// Files of it that are here in an older version only.
    pub stale_files: u64,
    /// Bytes in it, as far as known.
    pub bytes: u64,
    /// Bytes of it that are here in their newest version.
    pub whole_bytes: u64,
    /// Since when the oldest of the stale files is stale, in milliseconds since the epoch.
    pub stale_since_ms: Option<i64>,
}

/// What a run over the pins did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PinRun {
    /// Files fetched as a whole.
    pub files: u64,
    /// Bytes that came over the network.
    pub fetched: u64,
    /// Files that are still not here.
    pub missing_files: u64,
    /// Their bytes.
    pub missing_bytes: u64,
    /// Why they wait, if the rules or the device hold them back.
    pub waiting: Option<Waiting>,
    /// Files that failed by themselves, and how; at most 100 are told.
    pub failed: Vec<(ItemId, crate::Error)>,
}

/// The sizes of thumbnails that the service makes; how many pixels each has, no public fact tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThumbnailSize {
    /// `WS`
    Small,
    /// `WM`
    Medium,
    /// `WL`
    Large,
    /// `WXL`
    Huge,
}

/// A thumbnail on the device, until its item changes or the cache needs the place: copy it to keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Where it is.
    pub path: PathBuf,
    /// `image/jpeg`, `image/png` or `image/webp`, told by its first bytes.
    pub mime: &'static str,
}

/// Bytes of one drive.
#[derive(Clone)]
pub struct Content {
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    remote: Remote,
    disk: Arc<dyn Disk>,
    life: Arc<Life>,
    cache: Cache,
    slots: Arc<Slots>,
    ledger: Ledger,
    /// Bodies of whole files that come at once: in all, and of one file.
    streams: Arc<Semaphore>,
    most_streams: usize,
    /// Bytes that a reader reads ahead, at the most.
    read_ahead: u64,
    gate: Gate,
    lanes: Lanes,
    thumbnails: Arc<Thumbnails>,
    opens: Arc<Opens>,
}

impl Content {
    pub(crate) fn new(
        store: Arc<Store>,
        catalog: Arc<Catalog>,
        remote: Remote,
        disk: Arc<dyn Disk>,
        life: Arc<Life>,
        directory: &Path,
        profile: Profile,
    ) -> Result<Self> {
        let extension = profile == Profile::Extension;
        let cache = Cache::new(store.clone(), catalog.clone(), disk.clone(), directory)?;
        let ledger = Ledger::new(store.clone());
        let gate = Gate::new(store.clone(), cache.clone(), ledger.clone());
        let now_ms = store.now_ms();
        let thumbnails = Thumbnails::new(disk.clone(), directory, extension, now_ms)?;
        Ok(Self {
            thumbnails: Arc::new(thumbnails),
            slots: Arc::new(Slots::new(disk.clone(), cache.dir().to_owned())),
            ledger,
            streams: Arc::new(Semaphore::new(if extension { 2 } else { 16 })),
            most_streams: if extension { 2 } else { 4 },
            read_ahead: if extension { 1 << 20 } else { 4 << 20 },
            cache,
            gate,
            lanes: Lanes::new(extension),
            opens: Arc::default(),
            store,
            catalog,
            remote,
            disk,
            life,
        })
    }

    /// Writes a whole file to `dest`, over whatever is there, once its size and MD5 are the service's, and gives the item
    /// as of these bytes. What is here already is not fetched again; what a broken or cancelled call leaves is kept
    /// inside the drive's directory, and the next call, in any process, goes on from it. The caller owns `dest` and may
    /// write into it: it shares nothing with the cache. The directory of `dest` must exist.
    ///
    /// `want_version` is a [`content_version`](Item::content_version). If it is not the newest known it is handed out when
    /// all of it is on the device, else the newest, and the result says which. Without a network, and with an older version
    /// on the device ([`LocalCopy::Stale`](crate::catalog::LocalCopy::Stale)), that is handed out.
    ///
    /// Where the volume cannot make copies that share their blocks, a file of more than 16 MiB that is not pinned leaves the
    /// cache with this call, because a phone has no room for it twice.
    ///
    /// Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (not a file, or in the trash), `ContentMismatch`
    /// (nothing is left at `dest`), `Offline`, `DiskFull`, `Cancelled`.
    pub async fn fetch_to_file(
        &self,
        id: &ItemId,
        want_version: Option<&str>,
        dest: &Path,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Fetched> {
        self.life
            .run(cancel, async |cancel| {
                self.fetch_to_file_inner(id, want_version, dest, purpose, progress, cancel)
                    .await
            })
            .await
    }

    /// Opens a file to read any part of it. Touches no network by itself: what is on the device is served from there, and
    /// the rest is fetched by the reads. `want_version` as in [`fetch_to_file`](Self::fetch_to_file), but `VersionGone` if
    /// it is not the newest known and not on the device. Without one, and when the platform has told that there is no
    /// network, an older version that is on the device is opened if the newest is not;
    /// [`Reader::content_version`] says which.
    ///
    /// Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (not a file, or in the trash), `VersionGone`.
    pub fn open_reader(
        &self,
        id: &ItemId,
        want_version: Option<&str>,
        purpose: Purpose,
    ) -> Result<Reader> {
        self.open_reader_inner(id, want_version, purpose)
    }

    /// Removes the content of a file, or of all files in a folder, from the device; the items stay. What is pinned, open or
    /// being fetched stays too, and is counted. A local call.
    pub fn evict(&self, id: &ItemId) -> Result<Evicted> {
        self.cache.evict(id)
    }

    /// What the content takes on the device. A local read.
    pub fn usage(&self) -> Result<Usage> {
        Ok(Usage {
            spaces: self.cache.usage()?,
            thumbnail_bytes: self.thumbnails.bytes()?,
            limits: self.cache.limits()?,
            free_bytes: self.cache.free_bytes()?,
        })
    }

    /// Sets how much of the device the cache may take, and evicts what is too much at once.
    pub fn set_limits(&self, limits: CacheLimits) -> Result<Evicted> {
        self.cache.set_limits(limits)
    }

    /// Pins a file or folder: its content is kept on the device from the next [`keep_pins`](Self::keep_pins) on. Fetches
    /// nothing itself, and needs no network.
    ///
    /// `up_to_bytes` is what the person was asked about; `u64::MAX` for any size. What a folder grows by later is not asked
    /// about again.
    ///
    /// Errors: `LargerThanAllowed` when more than `up_to_bytes` are known to be in it (nothing is pinned then),
    /// `NotKnown` (also when folders in it are not listed yet, so that its size is not known: index its space first),
    /// `NoSuchItem`, `NotAllowed` (in the trash).
    pub fn pin(&self, id: &ItemId, up_to_bytes: u64) -> Result<Pin> {
        self.pin_inner(id, up_to_bytes)
    }

    /// Unpins. With `drop_content` the content leaves the device now, as by [`evict`](Self::evict); else it becomes part of
    /// the cache. Errors: `NotAllowed` when not it but a folder above is pinned.
    pub fn unpin(&self, id: &ItemId, drop_content: bool) -> Result<Evicted> {
        self.unpin_inner(id, drop_content)
    }

    /// All pins, the newest first. A local read.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        self.pins_inner()
    }

    /// Brings all pinned content up to date, as far as the rules allow: lists the pinned folders, then fetches what is
    /// missing or has changed. Beside what a person asks for at this moment, this is the only way that content comes;
    /// a watch calls it after a change.
    /// Call it when something was pinned, when the situation changed and from the platform's background job; it can end at
    /// any moment and be called again. The progress is of all bytes still to come.
    pub async fn keep_pins(
        &self,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<PinRun> {
        self.life
            .run(cancel, async |cancel| {
                self.keep_pins_inner(progress, cancel).await
            })
            .await
    }

    /// A thumbnail of at least this kind of size, from the device or from the service; `None` when the service has none
    /// for this content: never that of an older one, so `None` too until a new content is sent (its bytes are on the
    /// device). Fetches just this one, and never the file.
    ///
    /// Errors: as [`fetch_to_file`](Self::fetch_to_file).
    pub async fn thumbnail(
        &self,
        id: &ItemId,
        size: ThumbnailSize,
        cancel: &CancelToken,
    ) -> Result<Option<Thumbnail>> {
        self.life
            .run(cancel, async |cancel| {
                self.thumbnail_inner(id, size, cancel).await
            })
            .await
    }

    /// All content bytes ever received by this directory, by space, purpose and network.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>> {
        self.ledger.rows()
    }

    /// The kind of network that bytes are counted under.
    pub(crate) fn network(&self) -> Network {
        self.gate.situation().counted_as()
    }

    /// The version of a file that is on the device as a whole, if that is an older one.
    fn kept_version(&self, wanted: &Wanted) -> Result<Option<String>> {
        let newest = wanted.item.content_version.as_deref();
        let here = self.cache.whole_versions(&wanted.item.id)?;
        let newest_is_here = here.iter().any(|version| Some(version.as_str()) == newest);
        Ok(here.into_iter().next().filter(|_| !newest_is_here))
    }

    /// The slot of a version that is not the newest, if all of it is here.
    fn older_slot(&self, wanted: &Wanted, version: &str) -> Result<Option<Arc<Slot>>> {
        let stem = format!("{}-{version}", wanted.item.id);
        let Some(name) = SlotName::parse(&stem) else {
            return Ok(None);
        };
        let here = slot::facts(&*self.disk, self.cache.dir(), &name)?;
        if !here.is_some_and(|here| here.whole) {
            return Ok(None);
        }
        let slot = self.slots.get(name, &wanted.path, wanted.item.space)?;
        slot.lock().gone = true;
        self.cache.used(&slot.name)?;
        slot.files()?;
        Ok(Some(slot))
    }

    /// The slot of a version, with its row and its files, for who is about to read or fetch.
    fn slot(&self, wanted: &Wanted) -> Result<Arc<Slot>> {
        let version = wanted.item.content_version.clone();
        let name = SlotName {
            id: wanted.item.id.clone(),
            version: version.ok_or_else(|| Error::bug("a file without a version"))?,
        };
        let slot = self.slots.get(name, &wanted.path, wanted.item.space)?;
        slot.expect(Stamp {
            revision: wanted.revision,
            updated_ms: wanted.updated_ms,
        });
        if slot.files_are_open() {
            self.cache.used(&slot.name)?;
        } else {
            self.cache.enter(&slot.name, wanted.item.space, slot.size)?;
        }
        slot.files()?;
        if wanted.item.pending {
            self.bring_unsent(&slot)?;
        }
        Ok(slot)
    }

    /// Tells the index of the cache, and readers of the catalogue, what is here of a slot.
    fn note(&self, slot: &Slot) -> Result<()> {
        let files = slot.files()?;
        let whole = files.whole()?;
        self.cache.note(&slot.name, files.disk_bytes()?, whole)?;
        match whole {
            true => self.cache.note_local(&slot.name, true),
            false => Ok(()),
        }
    }

    /// The same of a slot that was found not to be whole any more.
    fn note_damaged(&self, slot: &Slot) -> Result<()> {
        self.note(slot)?;
        self.cache.note_local(&slot.name, false)
    }

    /// Closes every file and writes what waits for the journal. Everything else has stopped.
    pub(crate) fn close_files(&self) -> Result<()> {
        self.slots.close_files();
        self.ledger.write()
    }

    /// Removes all content, for a sign-out by choice.
    pub(crate) fn clear(&self) -> Result<()> {
        self.slots.leave();
        let dir = self.cache.dir();
        for name in self.disk.names(dir)? {
            self.disk.remove(&dir.join(name))?;
        }
        self.cache.recount();
        self.thumbnails.clear()
    }
}
