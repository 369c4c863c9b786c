//! What the platform implements: the vault and two listeners. All synchronous.
//!
//! A listener may block or throw. So it is called from one thread made for it, with no lock of ours held,
//! always with the newest values (nothing queues up behind a slow one), and what it throws is dropped. The
//! vault is called where its answer is needed, on a thread of the core.

use lomme::account::{Secret, Vault};
use std::sync::Arc;
use tokio::sync::watch;

/// What platform code may throw. Anything else that it throws counts as `Failed`, and its text is
/// dropped: it may hold a whole stack trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// Not now: the vault is locked until the person has unlocked the phone.
    #[error("locked")]
    Locked,
    /// It failed.
    #[error("failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(_scrubbed: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// The platform's place for secrets (Keychain, Keystore), by name. Both processes of an app must see the
/// same one. Make items readable after first unlock, on this device only, and in no backup.
#[uniffi::export(foreign)]
pub trait SecretVault: Send + Sync {
    /// The secret under `name`; none if there is none.
    fn get(&self, name: String) -> Result<Option<String>, CallbackError>;
    /// Stores durably before it returns, over what was there.
    fn put(&self, name: String, secret: String) -> Result<(), CallbackError>;
    /// Removes; fine if there is none.
    fn remove(&self, name: String) -> Result<(), CallbackError>;
}

/// Gets hints without content; read the truth back with `changes`, `status` and `signInState`. Called from
/// a thread of its own, one call at a time.
#[uniffi::export(foreign)]
pub trait DriveListener: Send + Sync {
    /// The local tree changed. Coalesced.
    fn on_changed(&self) -> Result<(), CallbackError>;
    /// The sign-in state changed. Coalesced.
    fn on_account_changed(&self) -> Result<(), CallbackError>;
}

/// Hears how far a call is: cumulative, never going back, at most some ten times a second, the last before
/// the call's result. Called from a thread of its own, one call at a time.
#[uniffi::export(foreign)]
pub trait ProgressListener: Send + Sync {
    /// `done` of `total`: bytes on the disk for a download; entries read for an index, which has no total.
    fn on_progress(&self, done: u64, total: Option<u64>) -> Result<(), CallbackError>;
}

/// The platform's vault as the core wants it.
pub(crate) struct VaultBridge(pub Arc<dyn SecretVault>);

impl Vault for VaultBridge {
    fn get(&self, name: &str) -> lomme::Result<Option<Secret>> {
        let secret = self.0.get(name.to_owned()).map_err(vault_failed)?;
        Ok(secret.map(Secret::new))
    }

    fn put(&self, name: &str, secret: &Secret) -> lomme::Result<()> {
        self.0
            .put(name.to_owned(), secret.reveal().to_owned())
            .map_err(vault_failed)
    }

    fn delete(&self, name: &str) -> lomme::Result<()> {
        self.0.remove(name.to_owned()).map_err(vault_failed)
    }
}

fn vault_failed(error: CallbackError) -> lomme::Error {
    lomme::Error::VaultFailed {
        detail: error.to_string(),
    }
}

/// Sends the newest `T` to one thread that calls a listener with it. Ends when dropped.
pub(crate) struct Courier<T> {
    newest: watch::Sender<T>,
    thread: tokio::task::JoinHandle<()>,
}

impl<T: Copy + Send + Sync + 'static> Courier<T> {
    /// `deliver` gets what was delivered before and what is new.
    pub fn new(start: T, deliver: impl Fn(T, T) + Send + 'static) -> Self {
        let (newest, mut inbox) = watch::channel(start);
        let runtime = lomme::runtime();
        let thread = runtime.spawn_blocking(move || {
            let mut before = start;
            while runtime.block_on(inbox.changed()).is_ok() {
                let now = *inbox.borrow_and_update();
                deliver(before, now);
                before = now;
            }
        });
        Self { newest, thread }
    }

    /// Hands over a value; never waits for the listener.
    pub fn send(&self, change: impl FnOnce(&mut T)) {
        self.newest.send_modify(change);
    }

    /// Waits until the last value was delivered.
    pub async fn finish(self) {
        drop(self.newest);
        // A listener cannot make this fail: what it throws is a value here.
        let _ = self.thread.await;
    }
}

/// A progress listener as the core wants it.
pub(crate) struct ProgressBridge(Courier<Option<(u64, Option<u64>)>>);

impl ProgressBridge {
    pub fn new(listener: Arc<dyn ProgressListener>) -> Self {
        Self(Courier::new(None, move |_, now| {
            if let Some((done, total)) = now {
                let _ = listener.on_progress(done, total);
            }
        }))
    }

    pub fn tell(&self, done: u64, total: Option<u64>) {
        self.0.send(|newest| *newest = Some((done, total)));
    }

    pub async fn finish(self) {
        self.0.finish().await;
    }
}

impl lomme::content::TransferListener for ProgressBridge {
    fn on_transfer(&self, done: u64, total: u64) {
        self.tell(done, Some(total));
    }
}

/// How many hints of each kind there were.
#[derive(Clone, Copy, Default)]
struct Hints {
    changed: u64,
    account: u64,
}

/// A drive listener as the core wants it.
pub(crate) struct HintBridge(Courier<Hints>);

impl HintBridge {
    pub fn new(listener: Arc<dyn DriveListener>) -> Self {
        Self(Courier::new(Hints::default(), move |before, now| {
            if now.account != before.account {
                let _ = listener.on_account_changed();
            }
            if now.changed != before.changed {
                let _ = listener.on_changed();
            }
        }))
    }
}

impl lomme::Listener for HintBridge {
    fn on_changed(&self) {
        self.0.send(|hints| hints.changed += 1);
    }

    fn on_account_changed(&self) {
        self.0.send(|hints| hints.account += 1);
    }
}
