//! What the platform implements: the vault and two listeners. All synchronous.
//!
//! A listener may block or throw. So it is called from a thread made for that, one call at a time, with no
//! lock of ours held and always with the newest values (nothing queues up behind a slow one), and what it
//! throws is dropped. The core sees to that for hints; progress, which it tells from the work itself, is handed
//! over here. The vault is called where its answer is needed.

use lomme::account::{Secret, Vault};
use std::future::Future;
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
///
/// A directory has one secret, named `lomme.tokens.` and a random id of the directory, so several directories
/// may share one vault; one that was deleted without a sign-out leaves its secret behind. Names have only
/// letters, digits, `.`, `-` and `_`.
///
/// The methods may block: they are called on threads made for that, and by `signOut` on the caller's. They
/// must not call into the drive, nor wait for a thread that does.
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
    /// `done` of `total`: bytes on the disk for a fetch; entries read for an index, which has no total.
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

/// A progress listener as the core wants it: telling it never waits for the platform.
pub(crate) struct ProgressBridge(watch::Sender<Step>);

type Step = Option<(u64, Option<u64>)>;

/// Ends when the last step was delivered and nobody can tell another.
type Delivery = tokio::task::JoinHandle<()>;

impl ProgressBridge {
    pub fn new(listener: Arc<dyn ProgressListener>) -> (Arc<Self>, Delivery) {
        let (newest, mut inbox) = watch::channel(None);
        let runtime = lomme::runtime();
        let delivery = runtime.spawn_blocking(move || {
            while runtime.block_on(inbox.changed()).is_ok() {
                let step: Step = *inbox.borrow_and_update();
                if let Some((done, total)) = step {
                    // What a listener throws is its own affair.
                    let _ = listener.on_progress(done, total);
                }
            }
        });
        (Arc::new(Self(newest)), delivery)
    }

    pub fn tell(&self, done: u64, total: Option<u64>) {
        self.0.send_replace(Some((done, total)));
    }
}

impl lomme::content::TransferListener for ProgressBridge {
    fn on_transfer(&self, done: u64, total: u64) {
        self.tell(done, Some(total));
    }
}

/// Runs `work` with the listener as the core wants it, and ends when the last step was delivered, so that none comes
/// after the result.
pub(crate) async fn with_progress<F: Future>(
    listener: Option<Arc<dyn ProgressListener>>,
    work: impl FnOnce(Option<Arc<ProgressBridge>>) -> F,
) -> F::Output {
    let (bridge, delivery) = listener.map(ProgressBridge::new).unzip();
    let result = work(bridge).await;
    if let Some(delivery) = delivery {
        // It cannot fail: what a listener throws is a value.
        let _ = delivery.await;
    }
    result
}

/// A drive listener as the core wants it.
pub(crate) struct HintBridge(pub Arc<dyn DriveListener>);

impl lomme::Listener for HintBridge {
    fn on_changed(&self) {
        let _ = self.0.on_changed();
    }

    fn on_account_changed(&self) {
        let _ = self.0.on_account_changed();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    #[derive(Default)]
    struct Slow(Mutex<Vec<(u64, Option<u64>)>>);

    impl ProgressListener for Slow {
        fn on_progress(&self, done: u64, total: Option<u64>) -> Result<(), CallbackError> {
            std::thread::sleep(Duration::from_millis(20));
            self.0.lock().unwrap().push((done, total));
            Err(CallbackError::Failed)
        }
    }

    #[test]
    fn a_slow_listener_holds_nobody_up_and_hears_the_last_step_before_the_end() {
        let listener = Arc::new(Slow::default());
        let (bridge, delivery) = ProgressBridge::new(listener.clone());
        let start = std::time::Instant::now();
        for done in 1..=1_000 {
            bridge.tell(done, Some(1_000));
        }
        // Waiting for each would take 20 s.
        assert!(start.elapsed() < Duration::from_secs(10));
        drop(bridge);
        lomme::runtime().block_on(delivery).unwrap();
        let heard = listener.0.lock().unwrap();
        assert!(heard.len() < 1_000 && heard.is_sorted(), "{heard:?}");
        assert_eq!(heard.last(), Some(&(1_000, Some(1_000))));
    }

    #[test]
    fn what_platform_code_throws_crosses_without_its_text() {
        let thrown =
            uniffi::UnexpectedUniFFICallbackError::new("java.lang.Error: a secret\n\tat x");
        let error = vault_failed(CallbackError::from(thrown));
        assert_eq!(
            error,
            lomme::Error::VaultFailed {
                detail: "failed".into()
            }
        );
    }
}
