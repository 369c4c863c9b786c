//! Signatures that the drive and the content stand on until their owners land them: delete yours then.
#![allow(clippy::todo, unused_variables, dead_code)]

use crate::account::{Account, Vault};
use crate::catalog::{Catalog, ItemId, Refreshed};
use crate::clock::Clock;
use crate::content::Wanted;
use crate::remote::{Remote, TokenSource};
use crate::store::Store;
use crate::{CancelToken, Endpoints, Result};
use std::sync::Arc;

// Owner: account.
impl Account {
    pub(crate) fn new(
        store: Arc<Store>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        endpoints: Option<Endpoints>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Arc<Self>> {
        todo!()
    }
}

impl TokenSource for Account {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a crate::account::Secret>,
        cancel: &'a CancelToken,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<crate::account::Secret>> + Send + 'a>> {
        todo!()
    }
    fn username(&self) -> Result<String> {
        todo!()
    }
    fn endpoints(&self) -> Result<Endpoints> {
        todo!()
    }
}

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
