//! The local tree.

mod item;

use crate::{CancelToken, Result};
pub use item::*;

/// The tree of one drive: local reads, and the network calls that refresh it.
pub struct Catalog {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl Catalog {
    /// The four spaces.
    pub fn roots(&self) -> Result<Vec<Item>> {
        todo!()
    }

    /// What is known of `id`.
    pub fn item(&self, id: &ItemId) -> Result<Lookup> {
        todo!()
    }

    /// A page of a folder. `limit` is 1 to 1,000. Errors: `NotKnown`, `NoSuchItem`, `PageExpired`.
    pub fn children(
        &self,
        parent: &ItemId,
        order: Order,
        page: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        todo!()
    }

    /// The items from a space's root down to `id`.
    pub fn path_of(&self, id: &ItemId) -> Result<Vec<Item>> {
        todo!()
    }

    /// Finds an item by the names from the space down, as in `["Sync", "Documents", "a.txt"]`; exact
    /// names first, then without regard to case, as the service does.
    pub fn find(&self, names: &[&str]) -> Result<Lookup> {
        todo!()
    }

    /// The anchor of now. Read it before the rows that it should cover.
    pub fn current_anchor(&self) -> Result<String> {
        todo!()
    }

    /// What changed since `anchor`. `limit` is 1 to 1,000. Errors: `AnchorExpired`.
    pub fn changes(&self, anchor: &str, limit: u32) -> Result<Changes> {
        todo!()
    }

    /// Asks the service for one folder (or one file, or a space's root) and stores what it says.
    pub async fn refresh(&self, id: &ItemId, cancel: &CancelToken) -> Result<Refreshed> {
        todo!()
    }

    /// Asks the service for everything in a space and stores it. `seen` gets the number of entries read
    /// so far, at most ten times a second. Nothing is fetched but names, sizes, times and hashes.
    pub async fn index(
        &self,
        space: Space,
        seen: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        todo!()
    }
}
