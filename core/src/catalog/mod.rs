//! The local tree.
//!
//! Invariants:
//! - an item's id is minted here, lives as long as the item, and is durable before a caller sees it;
//! - a read touches SQLite only; what the service says comes in through `refresh` and `index`;
//! - absence is not deletion: only a complete and authenticated answer proves that something is gone,
//!   and a listing that fails, whatever the reason, changes nothing;
//! - every change has a number in one sequence, so that nobody who follows the feed misses one;
//! - names are data: they are compared and shown, never joined to a local path.

mod change;
mod changes;
mod facts;
mod flags;
mod guard;
mod index;
mod item;
mod kept;
mod merge;
mod mint;
mod moment;
mod moves;
mod names;
mod overlay;
mod page;
mod pump;
mod read;
mod refresh;
mod renamed;
mod row;
mod rules;
mod search;
mod stage;
mod token;
mod unseen;
mod wanted_folders;
mod working_set;

use crate::content::Wanted;
use crate::drive::Life;
use crate::remote::{Remote, RemotePath};
use crate::store::{Mark, Store};
use crate::{CancelToken, Error, Result};
pub use item::*;
pub(crate) use kept::{Stand, Standing};
pub(crate) use overlay::Answered;
pub(crate) use row::{Id, content_version, fold, id_bytes, id_text, space, space_code};
pub(crate) use stage::Marks;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wanted_folders::HintedFolders;

/// The tree of one drive: local reads, and the network calls that refresh it.
pub struct Catalog {
    store: Arc<Store>,
    remote: Remote,
    life: Arc<Life>,
    /// Called after a commit that an app could see, never inside a transaction.
    changed: Arc<dyn Fn() + Send + Sync>,
    /// Whether marks were read again since the start if they had to be.
    settled: AtomicBool,
    /// The same of the outbox.
    edits_settled: AtomicBool,
    hinted: HintedFolders,
}

impl Catalog {
    pub(crate) fn new(
        store: Arc<Store>,
        remote: Remote,
        life: Arc<Life>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self {
            store,
            remote,
            life,
            changed,
            settled: AtomicBool::new(false),
            edits_settled: AtomicBool::new(false),
            hinted: HintedFolders::default(),
        }
    }

    /// The file as the catalogue has it now. Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (not a readable file).
    pub(crate) fn wanted(&self, id: &ItemId) -> Result<Wanted> {
        let key = self.key(id)?;
        let item = self.items(&[key])?.pop();
        let found = self.store.catalog.read(|db| {
            let target = refresh::target(db, key)?;
            type Row = (Option<[u8; 16]>, Option<i64>, Option<i64>);
            let row: Row = db
                .prepare_cached("SELECT md5, revision, updated_ms FROM item WHERE key = ?1")?
                .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok((target.and_then(|target| target.path), row))
        });
        let (Some(item), (path, (md5, revision, updated_ms))) = (item, found?) else {
            return Err(Error::NotKnown {
                detail: "an item that has just gone".into(),
            });
        };
        let readable = item
            .capabilities
            .iter()
            .any(|capability| capability.action == Action::Read);
        // What the service never had is nowhere there, and is read from the staged bytes.
        let path = path.or_else(|| item.pending.then(|| RemotePath::new(Vec::new())));
        match (path, item.size, md5) {
            (Some(path), Some(size), Some(md5)) if readable => Ok(Wanted {
                item,
                path,
                size,
                md5,
                revision: revision.map(i64::unsigned_abs),
                updated_ms,
            }),
            _ => Err(Error::NotAllowed {
                detail: "not a file, or in the trash".into(),
            }),
        }
    }

    /// Forgets the whole tree and all ids, for a sign-out.
    pub(crate) fn clear(&self) -> Result<()> {
        self.store.forget_all()?;
        self.store.wipe_catalog()?;
        self.hinted.clear();
        (self.changed)();
        Ok(())
    }

    /// The four spaces.
    pub fn roots(&self) -> Result<Vec<Item>> {
        self.read_roots()
    }

    /// What is known of `id`.
    pub fn item(&self, id: &ItemId) -> Result<Lookup> {
        self.read_item(id)
    }

    /// A page of a folder. `limit` is 1 to 1,000. Errors: `NotKnown`, `NoSuchItem`, `PageExpired`.
    pub fn children(
        &self,
        parent: &ItemId,
        order: Order,
        page: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        self.read_children(parent, order, page, limit)
    }

    /// The items from a space's root down to `id`.
    pub fn path_of(&self, id: &ItemId) -> Result<Vec<Item>> {
        self.read_path(id)
    }

    /// Finds an item by the names from the space down, as in `["Sync", "Documents", "a.txt"]`; exact
    /// names first, then without regard to case, as the service does.
    pub fn find(&self, names: &[&str]) -> Result<Lookup> {
        self.settle_edits_once()?;
        self.find_names(names)
    }

    /// Finds items by name, as a person types. Touches no network and fetches nothing.
    pub fn search(&self, search: &Search) -> Result<Found> {
        self.find_by_name(search)
    }

    /// The files last modified anywhere or opened here, the newest first; trash left out. `limit` is 1 to 1,000.
    pub fn recents(&self, limit: u32) -> Result<Vec<Item>> {
        self.newest(limit)
    }

    /// Makes an item a favourite, or no longer one.
    pub fn set_favourite(&self, id: &ItemId, on: bool) -> Result<()> {
        self.put_mark(id, Mark::Favourite, on)
    }

    /// All favourites, the newest first.
    pub fn favourites(&self) -> Result<Vec<Item>> {
        self.all_favourites()
    }

    /// Whether `id` is in `ancestor`, however deep, or is it. A local read, for checks on each access.
    pub fn is_descendant(&self, ancestor: &ItemId, id: &ItemId) -> Result<bool> {
        self.is_below(ancestor, id)
    }

    /// How much is in a folder (or a file), as far as known here.
    pub fn weight(&self, id: &ItemId) -> Result<Weight> {
        self.weigh(id)
    }

    /// A page of the working set: what is held by the operating system and what is in folders that it holds, pinned,
    /// favourite or recently opened. It is no folder, so its freshness is `Never`. `limit` is 1 to 1,000. Errors: `PageExpired`.
    pub fn working_set(&self, page: Option<&str>, limit: u32) -> Result<Page> {
        self.read_working_set(page, limit)
    }

    /// [`changes`](Self::changes) of the working set: what is or came in, and, as deleted, what left it.
    pub fn working_set_changes(&self, anchor: &str, limit: u32) -> Result<Changes> {
        self.settle_marks()?;
        self.read_changes(anchor, limit, changes::Feed::WorkingSet)
    }

    /// Begins a report of what the operating system holds (its materialised set), and gives its number. A report that
    /// is not committed changes nothing.
    pub fn begin_held(&self) -> Result<u64> {
        Ok(self.store.begin_held()?.unsigned_abs())
    }

    /// Adds to a report: 1 to 500 ids. Unknown ids are left out.
    pub fn add_held(&self, epoch: u64, ids: &[ItemId]) -> Result<()> {
        self.add_to_held(epoch, ids)
    }

    /// What the report says is held; all else is not any more. `InvalidArgument` if a newer report was begun.
    pub fn commit_held(&self, epoch: u64) -> Result<()> {
        self.finish_held(epoch)
    }

    /// The person says that the disappearance which `ManyGone` told of is right: the next listing of the space within
    /// ten minutes is believed.
    pub fn accept_disappearance(&self, space: Space) -> Result<()> {
        self.accept_loss(space)
    }

    /// When the service last told of a file, as its folder's listing has it; `None` if never.
    pub(crate) fn seen_ms(&self, id: &ItemId) -> Result<Option<i64>> {
        let key = self.key(id)?;
        self.store.catalog.read(|db| {
            let folder = read::parent_of(db, key)?.unwrap_or(key);
            Ok(match read::freshness(db, folder)? {
                Freshness::ListedAt(ms) => Some(ms),
                Freshness::Never => None,
            })
        })
    }

    /// Tells readers whether all of a version's content is on the device.
    pub(crate) fn note_local(&self, id: &ItemId, version: &str, whole: bool) -> Result<()> {
        self.put_local(id, version, whole)
    }

    /// Says something of an item, or takes it back: in the journal, in the catalogue's flags, in the working set and in the feed.
    pub(crate) fn set_mark(&self, id: &ItemId, mark: Mark, on: bool) -> Result<()> {
        self.put_mark(id, mark, on)
    }

    /// The item itself or the nearest folder above it that is pinned. Asks the journal's places too, so that it is right
    /// while a rebuilt catalogue does not know the item yet.
    pub(crate) fn pinned_by(&self, id: &ItemId) -> Result<Option<ItemId>> {
        self.find_pin(id)
    }

    /// Folders that should be asked again, the most wanted first: hinted at by an event, then held or pinned or opened
    /// ones that were listed the longest ago.
    pub(crate) fn wanting_refresh(&self, limit: usize) -> Result<Vec<ItemId>> {
        self.folders_to_ask(limit)
    }

    /// An event said that something changed at a path of the service: the nearest folder known there wants a refresh.
    pub(crate) fn hint(&self, path: &RemotePath) -> Result<()> {
        self.take_hint(path)
    }

    /// The anchor of now. Read it before the rows that it should cover.
    pub fn current_anchor(&self) -> Result<String> {
        self.read_anchor()
    }

    /// What changed since `anchor`. `limit` is 1 to 1,000. Errors: `AnchorExpired`.
    pub fn changes(&self, anchor: &str, limit: u32) -> Result<Changes> {
        self.read_changes(anchor, limit, changes::Feed::All)
    }

    /// Asks the service for one folder (or one file, or a space's root) and stores what it says.
    /// If it is not where it was known, the folders above are asked too: it keeps its id if it moved with
    /// them, and is gone only if its folder does not show it any more. `StoreBusy` after a sign-out meanwhile.
    pub async fn refresh(&self, id: &ItemId, cancel: &CancelToken) -> Result<Refreshed> {
        self.life
            .run(cancel, async |cancel| self.refresh_inner(id, cancel).await)
            .await
    }

    /// Asks the service for everything in a space and stores it. `seen` gets the number of entries read
    /// so far, at most ten times a second. Nothing is fetched but names, sizes, times and hashes.
    pub async fn index(
        &self,
        space: Space,
        seen: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        self.life
            .run(cancel, async |cancel| {
                self.index_inner(space, seen, cancel).await
            })
            .await
    }
}

#[cfg(test)]
mod cloud_tests;
#[cfg(test)]
mod flags_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod meanwhile_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
pub(crate) mod pocket;
#[cfg(test)]
mod poll_tests;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod search_tests;
#[cfg(all(test, target_os = "linux"))]
mod speed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wishes;
#[cfg(test)]
mod working_set_tests;
