//! Signatures that the drive and the content stand on until their owners land them: delete yours then.
#![allow(clippy::todo, unused_variables, dead_code)]

use crate::catalog::{Catalog, ItemId, Refreshed};
use crate::clock::Clock;
use crate::content::Wanted;
use crate::remote::Remote;
use crate::store::Store;
use crate::{CancelToken, Result};
use std::sync::Arc;

// Owner: catalog.
impl Catalog {
    pub(crate) fn new(
        store: Arc<Store>,
        remote: Remote,
        clock: Arc<dyn Clock>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        todo!()
    }
    /// Items by space, in the order of `Space::ALL`.
    pub(crate) fn counts(&self) -> Result<[u64; 4]> {
        todo!()
    }
    /// Forgets the whole tree, for a sign-out.
    pub(crate) fn clear(&self) -> Result<()> {
        todo!()
    }
    /// The file as the catalogue has it now. Errors: `NotKnown`, `NoSuchItem`, `NotAllowed` (not a readable file).
    pub(crate) fn wanted(&self, id: &ItemId) -> Result<Wanted> {
        todo!()
    }
    /// `refresh` without counting as a call of its own.
    pub(crate) async fn refresh_inner(
        &self,
        id: &ItemId,
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        todo!()
    }
}
