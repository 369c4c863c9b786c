//! The open companion: the drive itself here, its tree and its bytes beside.

mod bytes;
mod edits;
mod tree;

use crate::call::{guarded, on_runtime};
use crate::foreign::{HintBridge, VaultBridge};
use crate::{
    AccountInfo, BrowserSignIn, CancelToken, DeviceSituation, DriveListener, DriveOptions,
    DriveStatus, FetchRules, ItemExplanation, LommeCamera, LommeError, PollOutcome, SecretVault,
    SignInState,
};
use lomme::account::Secret;
use lomme::catalog::ItemId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An open companion: a directory, an account, a tree. The thin layers wrap it; use theirs.
#[derive(uniffi::Object)]
pub struct LommeDrive(Arc<lomme::Drive>);

#[uniffi::export]
impl LommeDrive {
    /// Opens a directory. No network. Throws `StoreTooNew`, `StoreDamaged`, `DiskFailed`, `DiskFull`.
    #[uniffi::constructor]
    pub fn open(
        options: DriveOptions,
        vault: Arc<dyn SecretVault>,
    ) -> Result<Arc<Self>, LommeError> {
        guarded(|| {
            let vault = Arc::new(VaultBridge(vault));
            let drive = lomme::Drive::open(options.for_core(vault))?;
            Ok(Arc::new(Self(drive)))
        })
    }

    // Sign-in.

    /// Whether somebody is signed in. A local read.
    pub fn sign_in_state(&self) -> Result<SignInState, LommeError> {
        guarded(|| Ok(self.0.account().state()?.into()))
    }

    /// Signs in with a personal login token, which works once. Throws `LoginRefused`, `OtherAccount`.
    pub async fn sign_in(
        &self,
        login_token: String,
        cancel: Arc<CancelToken>,
    ) -> Result<AccountInfo, LommeError> {
        let drive = self.0.clone();
        let secret = Secret::new(login_token);
        on_runtime(&cancel, |token| async move {
            Ok(drive.account().sign_in(&secret, &token).await?.into())
        })
        .await
    }

    /// Starts a sign-in through the browser at `service`, the `name` of one of `cloudServices()`. Show the
    /// result's `warning` before its `url`. Throws `InvalidArgument` for a service that is not known.
    pub async fn sign_in_by_browser(
        &self,
        service: String,
        cancel: Arc<CancelToken>,
    ) -> Result<Arc<BrowserSignIn>, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let known = lomme::account::services();
            let Some(service) = known.iter().find(|known| known.name == service) else {
                return Err(lomme::Error::InvalidArgument {
                    detail: "no such service".into(),
                });
            };
            let started = drive.account().sign_in_by_browser(service, &token).await?;
            Ok(Arc::new(BrowserSignIn::new(started)))
        })
        .await
    }

    /// Asks the service for the account's quota and locks. Throws `SignInNeeded`.
    pub async fn refresh_account(
        &self,
        cancel: Arc<CancelToken>,
    ) -> Result<AccountInfo, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            Ok(drive.account().refresh(&token).await?.into())
        })
        .await
    }

    /// Signs out by choice: tokens, tree and unfinished downloads go. Works offline. What was downloaded to paths
    /// of the app's own stays.
    pub fn sign_out(&self) -> Result<(), LommeError> {
        guarded(|| self.0.sign_out())
    }

    // The drive itself.

    /// One snapshot that a screen can draw. A local read.
    pub fn status(&self) -> Result<DriveStatus, LommeError> {
        guarded(|| Ok(self.0.status()?.into()))
    }

    /// Why an item's content is, or is not, on the device. A local read. Throws `NotKnown`, `NoSuchItem`.
    pub fn why(&self, id: String) -> Result<ItemExplanation, LommeError> {
        guarded(|| Ok(self.0.why(&ItemId::from_string(id))?.into()))
    }

    /// The camera backup of this drive: always the same one. After `shutDown` its calls throw `Closed`.
    pub fn camera(&self) -> Result<Arc<LommeCamera>, LommeError> {
        guarded(|| Ok(Arc::new(LommeCamera::new(self.0.clone()))))
    }

    /// Tells what has changed of the device. The core never guesses. Content under way by itself stops when the rules
    /// no longer allow it.
    pub fn set_situation(&self, situation: DeviceSituation) -> Result<(), LommeError> {
        guarded(|| self.0.set_situation(situation.into()))
    }

    /// Sets the person's rules for what the drive does by itself. They are stored.
    pub fn set_rules(&self, rules: FetchRules) -> Result<(), LommeError> {
        guarded(|| self.0.set_rules(rules.into()))
    }

    /// Asks the service about what matters most until `budget_ms` milliseconds are over: folders that an event hinted
    /// at, then what is held, pinned or recently opened, then whole spaces. Fetches no content. For a background job.
    pub async fn poll(
        &self,
        budget_ms: u64,
        cancel: Arc<CancelToken>,
    ) -> Result<PollOutcome, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let budget = Duration::from_millis(budget_ms);
            Ok(drive.poll(budget, &token).await?.into())
        })
        .await
    }

    /// Stays connected to the service's change events until cancelled: each is a hint that leads to a refresh of the
    /// folder concerned, and then to `onChanged`. Connects again by itself with growing pauses; polls instead where the
    /// service has no events. After a change it keeps the pins, as `keepPins` does, and it fetches nothing else. Ends with `Cancelled`, or throws `SignInNeeded`.
    pub async fn watch(&self, cancel: Arc<CancelToken>) -> Result<(), LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move { drive.watch(&token).await }).await
    }

    /// Asks for hints until the subscription ends.
    pub fn subscribe(
        &self,
        listener: Arc<dyn DriveListener>,
    ) -> Result<Arc<DriveSubscription>, LommeError> {
        guarded(|| {
            let subscription = self.0.subscribe(Arc::new(HintBridge(listener)));
            Ok(Arc::new(DriveSubscription(Mutex::new(Some(subscription)))))
        })
    }

    /// Stops network calls, finishes writes and closes every file: after it no file is open and no lock held, so
    /// that a phone may suspend the process. Calls give `Paused` until `resume`. Throws `StoreBusy` when
    /// `deadline_ms` milliseconds pass first: then call again.
    pub fn pause(&self, deadline_ms: u64) -> Result<(), LommeError> {
        guarded(|| self.0.pause(Duration::from_millis(deadline_ms)))
    }

    /// Opens what `pause` closed. Fine if nothing is paused. Throws `Closed` after `shutDown`.
    pub fn resume(&self) -> Result<(), LommeError> {
        guarded(|| self.0.resume())
    }

    /// Pauses for ever: stops network calls, closes every file, and gives `Closed` from then on. Doing it twice
    /// is fine. (The thin layers call it `close`, which in Kotlin's generated code frees the handle.)
    pub fn shut_down(&self) -> Result<(), LommeError> {
        guarded(|| self.0.close())
    }
}

/// Hints that were asked for, until `end`.
#[derive(uniffi::Object)]
pub struct DriveSubscription(Mutex<Option<lomme::Subscription>>);

#[uniffi::export]
impl DriveSubscription {
    /// No hint starts after it. Doing it twice is fine.
    pub fn end(&self) -> Result<(), LommeError> {
        guarded(|| {
            let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(ended);
            Ok(())
        })
    }
}
