//! Sign-in.

mod services;
mod vault;

use crate::clock::Clock;
use crate::remote::{TokenSource, Transport};
use crate::store::Store;
use crate::{CancelToken, Endpoints, Result};
pub use services::{Service, services};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
pub use vault::{MemoryVault, Secret, Vault};

/// The signed-in account, as last told by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// The service's internal user name; opaque.
    pub username: String,
    /// E-mail address, when the service tells it.
    pub email: Option<String>,
    /// The person's name, when the service tells it.
    pub name: Option<String>,
    /// The brand signed in to, as [`Service::name`], or the host for one not in the table.
    pub service: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all; `None` is unlimited.
    pub capacity: Option<u64>,
    /// The service takes no changes for now.
    pub write_locked: bool,
    /// When the service said so, in milliseconds since the epoch.
    pub checked_ms: i64,
}

/// Whether somebody is signed in. A local read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Nobody.
    Out,
    /// Signed in.
    In(AccountInfo),
    /// The sign-in has ended (revoked, or a lost token): ask to sign in again. Local work is untouched.
    Again(AccountInfo),
}

/// Sign-in, tokens and quota of one drive.
pub struct Account {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl Account {
    /// The account of one directory. `changed` hints at a new sign-in state or quota.
    pub(crate) fn new(
        store: Arc<Store>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        endpoints: Option<Endpoints>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Arc<Self>> {
        todo!()
    }

    /// The HTTP client that the account uses; give it to [`Remote::new`](crate::remote::Remote::new).
    pub(crate) fn transport(&self) -> Transport {
        todo!()
    }

    /// Whether somebody is signed in.
    pub fn state(&self) -> Result<SignIn> {
        todo!()
    }

    /// Signs in with a personal login token, which works once. Errors: `LoginRefused`, `OtherAccount`.
    pub async fn sign_in(&self, login_token: &Secret, cancel: &CancelToken) -> Result<AccountInfo> {
        todo!()
    }

    /// Starts a sign-in through the browser. Show [`BrowserSignIn::warning`] first.
    pub async fn sign_in_by_browser(
        &self,
        service: &Service,
        cancel: &CancelToken,
    ) -> Result<BrowserSignIn> {
        todo!()
    }

    /// Asks the service for the account's quota and locks.
    pub async fn refresh(&self, cancel: &CancelToken) -> Result<AccountInfo> {
        todo!()
    }

    /// Signs out by choice. Works offline. `forget` drops what the directory holds of the account; until it
    /// has succeeded the sign-out is under way, also after a crash, and nobody else can sign in.
    pub(crate) fn sign_out(&self, forget: impl FnOnce() -> Result<()>) -> Result<()> {
        todo!()
    }

    /// Whether a sign-out was begun and not finished: call [`sign_out`](Self::sign_out) again.
    pub(crate) fn is_leaving(&self) -> Result<bool> {
        todo!()
    }
}

/// A browser sign-in under way. Dropping it ends it.
pub struct BrowserSignIn {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl BrowserSignIn {
    /// The page to open in a browser.
    pub fn url(&self) -> &str {
        todo!()
    }

    /// What the person should know before: the service lets only one such login live, so others
    /// (the desktop program's too) are signed out in time.
    pub fn warning(&self) -> &'static str {
        todo!()
    }

    /// Waits until the browser has come back to the loopback address.
    pub async fn finish(self, cancel: &CancelToken) -> Result<AccountInfo> {
        todo!()
    }
}

#[allow(clippy::todo, unused_variables)]
impl TokenSource for Account {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a Secret>,
        cancel: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        todo!()
    }
    fn username(&self) -> Result<String> {
        todo!()
    }
    fn endpoints(&self) -> Result<Endpoints> {
        todo!()
    }
}
