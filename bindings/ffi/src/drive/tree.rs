//! The tree: local reads, and what asks the service for it.

use super::LommeDrive;
use crate::call::{guarded, on_runtime};
use crate::foreign::with_progress;
use crate::{
    CancelToken, ChangePage, DriveSpace, FoundItems, Item, ItemLookup, ItemPage, ItemWeight,
    ListOrder, LommeError, ProgressListener, RefreshOutcome, SearchQuery, into_records,
};
use lomme::catalog::ItemId;
use std::sync::Arc;

#[uniffi::export]
impl LommeDrive {
    /// The roots of the four spaces, in the order in which an app should show them.
    pub fn roots(&self) -> Result<Vec<Item>, LommeError> {
        guarded(|| Ok(into_records(self.0.catalog().roots()?)))
    }

    /// What is known of `id`.
    pub fn item(&self, id: String) -> Result<ItemLookup, LommeError> {
        guarded(|| Ok(self.0.catalog().item(&ItemId::from_string(id))?.into()))
    }

    /// A page of a folder, as the local store has it. `page` is the `next` of the page before, none for the
    /// first; `limit` is 1 to 1,000. Throws `NotKnown`, `NoSuchItem`, `PageExpired`.
    pub fn children(
        &self,
        parent: String,
        order: ListOrder,
        page: Option<String>,
        limit: u32,
    ) -> Result<ItemPage, LommeError> {
        guarded(|| {
            let parent = ItemId::from_string(parent);
            let catalog = self.0.catalog();
            Ok(catalog
                .children(&parent, order.into(), page.as_deref(), limit)?
                .into())
        })
    }

    /// The items from a space's root down to `id`, both included.
    pub fn path_of(&self, id: String) -> Result<Vec<Item>, LommeError> {
        guarded(|| {
            let path = self.0.catalog().path_of(&ItemId::from_string(id))?;
            Ok(into_records(path))
        })
    }

    /// Finds an item by the names from the space down, as in `["Sync", "Documents", "a.txt"]`; exact names
    /// first, then without regard to case, as the service does.
    pub fn find(&self, names: Vec<String>) -> Result<ItemLookup, LommeError> {
        guarded(|| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Ok(self.0.catalog().find(&names)?.into())
        })
    }

    /// The anchor of now. Read it before the rows that it should cover.
    pub fn current_anchor(&self) -> Result<String, LommeError> {
        guarded(|| self.0.catalog().current_anchor())
    }

    /// What changed since `anchor`. `limit` is 1 to 1,000. Throws `AnchorExpired`.
    pub fn changes(&self, anchor: String, limit: u32) -> Result<ChangePage, LommeError> {
        guarded(|| Ok(self.0.catalog().changes(&anchor, limit)?.into()))
    }

    /// Finds items by name, as a person types. A local read, so it knows what was listed or indexed.
    pub fn search(&self, query: SearchQuery) -> Result<FoundItems, LommeError> {
        guarded(|| Ok(self.0.catalog().search(&query.into())?.into()))
    }

    /// The files last modified anywhere or opened here, the newest first; trash left out. `limit` is 1 to 1,000.
    pub fn recents(&self, limit: u32) -> Result<Vec<Item>, LommeError> {
        guarded(|| Ok(into_records(self.0.catalog().recents(limit)?)))
    }

    /// All favourites, the newest first.
    pub fn favourites(&self) -> Result<Vec<Item>, LommeError> {
        guarded(|| Ok(into_records(self.0.catalog().favourites()?)))
    }

    /// Makes an item a favourite, or no longer one. Known to this device only. Throws `NotKnown`, `NoSuchItem`.
    pub fn set_favourite(&self, id: String, on: bool) -> Result<(), LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            self.0.catalog().set_favourite(&id, on)
        })
    }

    /// Whether `id` is in `ancestor`, however deep, or is it: for checks on each access.
    pub fn is_descendant(&self, ancestor: String, id: String) -> Result<bool, LommeError> {
        guarded(|| {
            let (ancestor, id) = (ItemId::from_string(ancestor), ItemId::from_string(id));
            self.0.catalog().is_descendant(&ancestor, &id)
        })
    }

    /// How much is in a folder (or a file), as far as known here.
    pub fn weight(&self, id: String) -> Result<ItemWeight, LommeError> {
        guarded(|| Ok(self.0.catalog().weight(&ItemId::from_string(id))?.into()))
    }

    /// A page of the working set: what the operating system holds and what is in folders that it holds, pinned,
    /// favourite or recently opened. `limit` is 1 to 1,000. Throws `PageExpired`.
    pub fn working_set(&self, page: Option<String>, limit: u32) -> Result<ItemPage, LommeError> {
        guarded(|| {
            let catalog = self.0.catalog();
            Ok(catalog.working_set(page.as_deref(), limit)?.into())
        })
    }

    /// `changes` of the working set: what is or came in, and, as deleted, what left it. Throws `AnchorExpired`.
    pub fn working_set_changes(
        &self,
        anchor: String,
        limit: u32,
    ) -> Result<ChangePage, LommeError> {
        guarded(|| {
            let catalog = self.0.catalog();
            Ok(catalog.working_set_changes(&anchor, limit)?.into())
        })
    }

    /// Begins a report of what the operating system holds (its materialised set), and gives its number. A report that
    /// is not committed changes nothing.
    pub fn begin_held(&self) -> Result<u64, LommeError> {
        guarded(|| self.0.catalog().begin_held())
    }

    /// Adds to a report: 1 to 500 ids. Unknown ids are left out. Throws `InvalidArgument` if a newer report was begun.
    pub fn add_held(&self, report: u64, ids: Vec<String>) -> Result<(), LommeError> {
        guarded(|| {
            let ids: Vec<ItemId> = ids.into_iter().map(ItemId::from_string).collect();
            self.0.catalog().add_held(report, &ids)
        })
    }

    /// What the report says is held; all else is not any more. Throws `InvalidArgument` if a newer report was begun.
    pub fn commit_held(&self, report: u64) -> Result<(), LommeError> {
        guarded(|| self.0.catalog().commit_held(report))
    }

    /// The person says that the disappearance which `ManyGone` told of is right: the next listing of the space within
    /// ten minutes is believed.
    pub fn accept_disappearance(&self, space: DriveSpace) -> Result<(), LommeError> {
        guarded(|| self.0.catalog().accept_disappearance(space.into()))
    }

    // The network.

    /// Asks the service for one folder (or one file, or a space's root) and stores what it says. Throws
    /// `NotKnown`, `NoSuchItem`, `ManyGone`, `SignInNeeded`, `Offline`, `ServerBusy`, `BadAnswer`.
    pub async fn refresh(
        &self,
        id: String,
        cancel: Arc<CancelToken>,
    ) -> Result<RefreshOutcome, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            Ok(drive.catalog().refresh(&id, &token).await?.into())
        })
        .await
    }

    /// Asks the service for everything in a space and stores it. Fetches names, sizes, times and hashes, and
    /// not one byte of content. `progress` hears the number of entries read so far. Throws what `refresh` throws.
    pub async fn index(
        &self,
        space: DriveSpace,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<RefreshOutcome, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let found = with_progress(progress, |bridge| async move {
                let seen = move |entries| {
                    if let Some(bridge) = &bridge {
                        bridge.tell(entries, None);
                    }
                };
                drive.catalog().index(space.into(), &seen, &token).await
            });
            Ok(found.await?.into())
        })
        .await
    }
}
