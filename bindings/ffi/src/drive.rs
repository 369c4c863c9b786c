//! The open companion.

use crate::call::{guarded, on_runtime};
use crate::foreign::{Delivery, HintBridge, ProgressBridge, VaultBridge};
use crate::{
    AccountInfo, BrowserSignIn, CancelToken, ChangePage, DownloadedFile, DriveListener,
    DriveOptions, DriveSpace, DriveStatus, FetchPurpose, Item, ItemLookup, ItemPage, LedgerRow,
    ListOrder, LommeError, NetworkKind, ProgressListener, RefreshOutcome, SecretVault, SignInState,
    into_records,
};
use lomme::account::Secret;
use lomme::catalog::ItemId;
use lomme::content::TransferListener;
use std::path::PathBuf;
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

    // The tree: local reads.

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

    // The tree: the network.

    /// Asks the service for one folder (or one file, or a space's root) and stores what it says. Throws
    /// `NotKnown`, `NoSuchItem`, `SignInNeeded`, `Offline`, `ServerBusy`, `BadAnswer`.
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
    /// not one byte of content. `progress` hears the number of entries read so far.
    pub async fn index(
        &self,
        space: DriveSpace,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<RefreshOutcome, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let (bridge, delivery) = progress.map(ProgressBridge::new).unzip();
            let seen = move |entries| {
                if let Some(bridge) = &bridge {
                    bridge.tell(entries, None);
                }
            };
            let result = drive.catalog().index(space.into(), &seen, &token).await;
            drop(seen);
            delivered(delivery).await;
            Ok(result?.into())
        })
        .await
    }

    // Bytes.

    /// Downloads a whole file to the path `destination`, over whatever is there, once its size and MD5 are the
    /// service's. The directory of `destination` must exist. What a broken or cancelled download leaves is kept
    /// in the drive's directory, and the next call, in any process, continues it. Throws `NotKnown`,
    /// `NoSuchItem`, `NotAllowed` (not a file, or in the trash), `ContentMismatch`, `DiskFull`, `Cancelled` and
    /// what `refresh` throws.
    pub async fn download(
        &self,
        id: String,
        destination: String,
        purpose: FetchPurpose,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<DownloadedFile, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let (bridge, delivery) = progress.map(ProgressBridge::new).unzip();
            let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
            let path = PathBuf::from(destination);
            let content = drive.content();
            let result = content
                .fetch_to_file(&id, None, &path, purpose.into(), listener, &token)
                .await;
            delivered(delivery).await;
            Ok(result?.into())
        })
        .await
    }

    /// All content bytes ever received by this directory, by space, purpose and kind of network.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>, LommeError> {
        guarded(|| Ok(into_records(self.0.content().ledger()?)))
    }

    // The drive itself.

    /// One snapshot that a screen can draw. A local read.
    pub fn status(&self) -> Result<DriveStatus, LommeError> {
        guarded(|| Ok(self.0.status()?.into()))
    }

    /// Tells which kind of network there is. The core never guesses.
    pub fn set_network(&self, network: NetworkKind) -> Result<(), LommeError> {
        guarded(|| {
            self.0.set_situation(lomme::conditions::Situation {
                network: network.into(),
                ..Default::default()
            })
        })
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

/// Waits for the last step, so that none comes after the result.
async fn delivered(delivery: Option<Delivery>) {
    if let Some(delivery) = delivery {
        // It cannot fail: what a listener throws is a value.
        let _ = delivery.await;
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
