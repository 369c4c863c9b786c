//! The account, and the services that have accounts.

use crate::LommeError;
use crate::call::guarded;

/// A service that shares Jottacloud's protocol.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CloudService {
    /// The name to show, and to give to `signInByBrowser`.
    pub name: String,
    /// The host of its sign-in server.
    pub domain: String,
    /// Its realm there.
    pub realm: String,
}

/// All services that are known.
#[uniffi::export]
pub fn cloud_services() -> Result<Vec<CloudService>, LommeError> {
    guarded(|| {
        let services = lomme::account::services().iter();
        Ok(services
            .map(|service| CloudService {
                name: service.name.into(),
                domain: service.domain.into(),
                realm: service.realm.into(),
            })
            .collect())
    })
}

/// The signed-in account, as last told by the service.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountInfo {
    /// The service's internal user name; opaque.
    pub username: String,
    /// E-mail address, when the service tells it.
    pub email: Option<String>,
    /// The person's name, when the service tells it.
    pub name: Option<String>,
    /// The brand signed in to, or the host for one that is not known.
    pub service: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all; none is unlimited.
    pub capacity: Option<u64>,
    /// The service takes no changes for now.
    pub write_locked: bool,
    /// When the service said so, in milliseconds since 1970.
    pub checked_ms: i64,
}

impl From<lomme::account::AccountInfo> for AccountInfo {
    fn from(info: lomme::account::AccountInfo) -> Self {
        Self {
            username: info.username,
            email: info.email,
            name: info.name,
            service: info.service,
            used: info.used,
            capacity: info.capacity,
            write_locked: info.write_locked,
            checked_ms: info.checked_ms,
        }
    }
}

/// Whether somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SignInState {
    /// Nobody.
    SignedOut,
    /// Signed in.
    SignedIn {
        /// The account.
        account: AccountInfo,
    },
    /// The sign-in has ended (revoked, or a lost token): ask to sign in again. Local work is untouched.
    SignInAgain {
        /// The account it was.
        account: AccountInfo,
    },
}

impl From<lomme::account::SignIn> for SignInState {
    fn from(state: lomme::account::SignIn) -> Self {
        use lomme::account::SignIn;
        match state {
            SignIn::Out => Self::SignedOut,
            SignIn::In(account) => Self::SignedIn {
                account: account.into(),
            },
            SignIn::Again(account) => Self::SignInAgain {
                account: account.into(),
            },
        }
    }
}
