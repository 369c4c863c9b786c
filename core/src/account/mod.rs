//! Sign-in, tokens and quota.
//!
//! Invariants:
//! - tokens live in the vault and in memory, nowhere else, and show in no text that leaves the core;
//! - the journal says whose directory this is; another account's sign-in is refused until the first
//!   one has signed out by choice;
//! - a sign-in that died by itself changes nothing but its mark: all local work stays.

mod browser;
mod login;
mod oauth;
mod record;
mod refresher;
mod services;
mod tokens;
mod vault;

use crate::clock::Clock;
use crate::drive::Life;
use crate::remote::transport::{is_loopback, safe_url};
use crate::remote::{Customer, Remote, TokenSource, Transport};
use crate::runtime::blocking;
use crate::store::Store;
use crate::{CancelToken, Endpoints, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use browser::BrowserSignIn;
use login::LoginToken;
use oauth::Grant;
use record::Record;
use refresher::Refresher;
pub use services::{Service, services};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokens::Tokens;
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

/// Whether calls to the service have a chance: somebody is signed in, and not on the way out.
pub(crate) fn is_signed_in(store: &Store) -> Result<bool> {
    Ok(record::Record::load(store)?.is_some_and(|record| !record.leaving && !record.again))
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

/// The client that personal login tokens are made for.
const LOGIN_CLIENT: &str = "jottacli";

/// Sign-in, tokens and quota of one drive.
pub struct Account {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// The app's choice; else those of the sign-in.
    endpoints: Option<Endpoints>,
    changed: Arc<dyn Fn() + Send + Sync>,
    transport: Transport,
    refresher: Arc<Refresher>,
    life: Arc<Life>,
    /// What the last login token gave when the sign-in then stopped: the token works only once, so
    /// the same call again goes on from here.
    begun: Mutex<Option<(Secret, Tokens)>>,
    me: Weak<Self>,
}

impl Account {
    /// The account of one directory. `changed` hints at a new sign-in state or quota.
    pub(crate) fn new(
        store: Arc<Store>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        endpoints: Option<Endpoints>,
        life: Arc<Life>,
        changed: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Arc<Self>> {
        let roots = endpoints
            .as_ref()
            .and_then(|e| e.extra_roots_pem.as_deref());
        let transport = Transport::new(roots)?.asking(store.disk());
        let refresher = Refresher::new(
            store.clone(),
            vault,
            clock.clone(),
            transport.clone(),
            changed.clone(),
            life.clone(),
        )?;
        Ok(Arc::new_cyclic(|me| Self {
            store,
            clock,
            endpoints,
            changed,
            transport,
            refresher: Arc::new(refresher),
            life,
            begun: Mutex::new(None),
            me: me.clone(),
        }))
    }

    /// The HTTP client that the account uses; give it to [`Remote::new`](crate::remote::Remote::new).
    pub(crate) fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// Whether somebody is signed in.
    pub fn state(&self) -> Result<SignIn> {
        Ok(match Record::load(&self.store)? {
            None => SignIn::Out,
            Some(record) if record.leaving => SignIn::Out,
            Some(record) if record.again => SignIn::Again(record.info()),
            Some(record) => SignIn::In(record.info()),
        })
    }

    /// Signs in with a personal login token, which works once. When it fails with anything but
    /// `LoginRefused`, the same call may be made again; a token whose first use was cut off before the
    /// service's answer came may have been used up by it. Errors: `LoginRefused`, `OtherAccount`.
    pub async fn sign_in(&self, login_token: &Secret, cancel: &CancelToken) -> Result<AccountInfo> {
        self.life
            .run(cancel, async |cancel| {
                self.sign_in_running(login_token, cancel).await
            })
            .await
    }

    async fn sign_in_running(
        &self,
        login_token: &Secret,
        cancel: &CancelToken,
    ) -> Result<AccountInfo> {
        let login = LoginToken::parse(login_token)?;
        let endpoints = self.endpoints_for(&login.link)?;
        let tokens = match self.begun_with(login_token) {
            Some(tokens) => tokens,
            None => {
                let discovery = oauth::discover(&self.transport, &login.link, cancel).await?;
                let form = [
                    ("client_id", LOGIN_CLIENT),
                    ("grant_type", "password"),
                    ("username", login.username.as_str()),
                    ("password", login.password.reveal()),
                    ("scope", "openid offline_access"),
                ];
                let grant = oauth::ask(&self.transport, &discovery.token_endpoint, &form, cancel)
                    .await
                    .map_err(oauth::NoGrant::into_error)?;
                let tokens = self.first_tokens(grant, &discovery.token_endpoint, LOGIN_CLIENT)?;
                *self.begun.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((login_token.clone(), tokens.clone()));
                tokens
            }
        };
        let host = safe_url(&login.link)?
            .host_str()
            .unwrap_or_default()
            .to_owned();
        let info = self
            .complete(tokens, services::name_of(&host), &endpoints, cancel)
            .await?;
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(info)
    }

    /// Starts a sign-in through the browser. Show [`BrowserSignIn::warning`] first.
    pub async fn sign_in_by_browser(
        &self,
        service: &Service,
        cancel: &CancelToken,
    ) -> Result<BrowserSignIn> {
        self.life
            .run(cancel, async |cancel| {
                BrowserSignIn::start(self.me()?, service, cancel).await
            })
            .await
    }

    /// Asks the service for the account's quota and locks.
    pub async fn refresh(&self, cancel: &CancelToken) -> Result<AccountInfo> {
        self.life
            .run(cancel, async |cancel| self.refresh_running(cancel).await)
            .await
    }

    async fn refresh_running(&self, cancel: &CancelToken) -> Result<AccountInfo> {
        let customer = Remote::new(self.transport(), self.me()?)
            .customer(cancel)
            .await?;
        let me = self.me()?;
        blocking(move || me.take_news(customer)).await
    }

    fn take_news(&self, customer: Customer) -> Result<AccountInfo> {
        let now_ms = self.clock.now_ms();
        let mut news = false;
        let record = Record::update(&self.store, |record| {
            let mut record = record.filter(|record| !record.leaving).ok_or_else(nobody)?;
            if record.username != customer.username {
                return Err(Error::OtherAccount);
            }
            let before = record.clone();
            record.tell(customer, now_ms);
            news = record
                != Record {
                    checked_ms: now_ms,
                    ..before
                };
            Ok(Some(record))
        })?;
        if news {
            (self.changed)();
        }
        record.map(Record::info).ok_or_else(nobody)
    }

    /// Signs out by choice. Works offline. A login token that was refused here as another account's
    /// may be given again afterwards. `forget` drops what the directory holds of the account; until it
    /// has succeeded the sign-out is under way, also after a crash, and nobody else can sign in.
    pub(crate) fn sign_out(&self, forget: impl FnOnce() -> Result<()>) -> Result<()> {
        self.begin_sign_out()?;
        self.refresher.remove()?;
        forget()?;
        Record::update(&self.store, |_| Ok(None))?;
        (self.changed)();
        Ok(())
    }

    /// From here on nobody is signed in and no token is renewed; [`sign_out`](Self::sign_out) does the rest.
    pub(crate) fn begin_sign_out(&self) -> Result<()> {
        Record::update(&self.store, |record| {
            Ok(record.map(|record| Record {
                leaving: true,
                ..record
            }))
        })?;
        Ok(())
    }

    /// Whether a sign-out was begun and not finished: call [`sign_out`](Self::sign_out) again.
    pub(crate) fn is_leaving(&self) -> Result<bool> {
        Ok(Record::load(&self.store)?.is_some_and(|record| record.leaving))
    }

    /// Checks who the new tokens belong to, and only then keeps them.
    async fn complete(
        &self,
        mut tokens: Tokens,
        service: String,
        endpoints: &Endpoints,
        cancel: &CancelToken,
    ) -> Result<AccountInfo> {
        let source = NewTokens {
            access: tokens.access.clone(),
            endpoints: endpoints.clone(),
        };
        let customer = Remote::new(self.transport(), Arc::new(source))
            .customer(cancel)
            .await?;
        tokens.username.clone_from(&customer.username);
        let record = Record::new(customer, service, endpoints, self.clock.now_ms());
        let me = self.me()?;
        blocking(move || me.keep(&tokens, record)).await
    }

    fn keep(&self, tokens: &Tokens, record: Record) -> Result<AccountInfo> {
        check_owner(Record::load(&self.store)?.as_ref(), &tokens.username)?;
        self.refresher.put(tokens)?;
        Record::update(&self.store, |old| {
            check_owner(old.as_ref(), &record.username)?;
            Ok(Some(record.clone()))
        })?;
        (self.changed)();
        Ok(record.info())
    }

    /// The pair of a new sign-in, which must be able to last.
    fn first_tokens(&self, grant: Grant, token_endpoint: &str, client_id: &str) -> Result<Tokens> {
        let refresh = grant
            .refresh
            .ok_or_else(|| Error::bad_answer("a sign-in without a refresh token"))?;
        Ok(Tokens {
            username: String::new(),
            access: grant.access,
            refresh,
            renew_ms: tokens::renew_ms(grant.lifetime_s, self.clock.now_ms()),
            token_endpoint: token_endpoint.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    fn begun_with(&self, login_token: &Secret) -> Option<Tokens> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, tokens) = begun.as_ref()?;
        (token == login_token).then(|| tokens.clone())
    }

    /// The hosts for a sign-in server: the app's choice; a local cloud's own; else the service's.
    fn endpoints_for(&self, link: &str) -> Result<Endpoints> {
        let url = safe_url(link)?;
        Ok(match &self.endpoints {
            Some(endpoints) => endpoints.clone(),
            None if is_loopback(&url) => Endpoints::at(&url.origin().ascii_serialization()),
            None => Endpoints::default(),
        })
    }

    /// The origin of a service's sign-in server. A local cloud stands in for all of them.
    fn origin_of(&self, service: &Service) -> String {
        let local = |url: &str| {
            let url = safe_url(url).ok().filter(is_loopback)?;
            Some(url.origin().ascii_serialization())
        };
        self.endpoints
            .as_ref()
            .and_then(|endpoints| local(&endpoints.api))
            .or_else(|| local(&format!("http://{}/", service.domain)))
            .unwrap_or_else(|| format!("https://{}", service.domain))
    }

    fn me(&self) -> Result<Arc<Self>> {
        self.me.upgrade().ok_or(Error::Closed)
    }
}

impl TokenSource for Account {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a Secret>,
        cancel: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        Box::pin(self.refresher.access_token(stale, cancel))
    }

    fn username(&self) -> Result<String> {
        Record::load(&self.store)?
            .filter(|record| !record.leaving)
            .map(|record| record.username)
            .ok_or_else(nobody)
    }

    fn endpoints(&self) -> Result<Endpoints> {
        if let Some(endpoints) = &self.endpoints {
            return Ok(endpoints.clone());
        }
        Record::load(&self.store)?
            .map(|record| record.endpoints())
            .ok_or_else(nobody)
    }
}

/// Tokens that nobody owns yet.
struct NewTokens {
    access: Secret,
    endpoints: Endpoints,
}

impl TokenSource for NewTokens {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a Secret>,
        _cancel: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        Box::pin(async move {
            match stale {
                None => Ok(self.access.clone()),
                Some(_) => Err(Error::SignInNeeded {
                    detail: "new tokens were refused".into(),
                }),
            }
        })
    }

    fn username(&self) -> Result<String> {
        Err(nobody())
    }

    fn endpoints(&self) -> Result<Endpoints> {
        Ok(self.endpoints.clone())
    }
}

fn check_owner(record: Option<&Record>, username: &str) -> Result<()> {
    match record {
        Some(record) if record.leaving || record.username != username => Err(Error::OtherAccount),
        _ => Ok(()),
    }
}

fn nobody() -> Error {
    Error::SignInNeeded {
        detail: "nobody is signed in".into(),
    }
}

/// 256 random bits that fit into a URL.
fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::bug("the operating system gives no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests;
