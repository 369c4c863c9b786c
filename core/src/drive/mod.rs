//! The open companion: a directory, an account, a runtime; hands out the services.
//!
//! Two processes may have one directory open. After [`Drive::pause`] no file is open and no lock is
//! held, so that a phone may suspend the process; everything else gives `Paused` until
//! [`Drive::resume`].

mod hints;
mod life;
mod options;
mod poll;
mod watch;
mod why;

use crate::account::{Account, SignIn};
use crate::camera::Camera;
use crate::catalog::{Catalog, ItemId, LocalCopy, Refreshed};
use crate::conditions::{Rules, Situation, Waiting};
use crate::content::{Content, LedgerRow, Usage};
use crate::edits::{Edits, Pending};
use crate::remote::Remote;
use crate::store::Store;
use crate::{CancelToken, Error, Result};
use hints::Hints;
pub use hints::Subscription;
pub(crate) use life::{Busy, Life, State};
pub use options::{DriveOptions, Profile};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Gets hints without content; read the truth back with [`Catalog::changes`] and [`Drive::status`].
/// Called on a thread of its own, one call at a time, with no lock held.
pub trait Listener: Send + Sync {
    /// The catalogue changed. Coalesced: at most one call in 100 ms.
    fn on_changed(&self);
    /// The sign-in state changed.
    fn on_account_changed(&self);
}

/// One snapshot that a screen can draw. A local read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether somebody is signed in, and how full the account is.
    pub sign_in: SignIn,
    /// Items known, by space, in the order of [`Space::ALL`](crate::catalog::Space::ALL).
    pub items: [u64; 4],
    /// Content bytes received.
    pub ledger: Vec<LedgerRow>,
    /// What the platform has told of the device.
    pub situation: Situation,
    /// The person's rules.
    pub rules: Rules,
    /// Why pinned content waits, if something of it is missing and is held back.
    pub waiting: Option<Waiting>,
    /// What the content takes on the device.
    pub usage: Usage,
    /// Whether the service's change events are connected.
    pub watching: bool,
    /// Items whose changes the service does not have yet, and files that are being written.
    pub unsent: u64,
}

/// Why an item's content is, or is not, on the device, and its change on the service. A local read.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// Whether it is here.
    pub local: LocalCopy,
    /// Bytes of it that are here.
    pub local_bytes: u64,
    /// The pin that it is kept by.
    pub pinned_by: Option<ItemId>,
    /// The one reason why content that is missing does not come: by itself if it is pinned, else when it is opened. `None`
    /// if nothing is missing or nothing holds it back.
    pub waiting: Option<Waiting>,
    /// What of it the service does not have yet, and what holds that.
    pub unsent: Option<Pending>,
    /// All of that in a sentence, for developers and support.
    pub explanation: String,
}

/// What a poll did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Polled {
    /// Folders asked for.
    pub folders: u64,
    /// What they told.
    pub found: Refreshed,
    /// Whether the budget ended before the work.
    pub more: bool,
}

/// An open companion.
pub struct Drive {
    store: Arc<Store>,
    account: Arc<Account>,
    catalog: Arc<Catalog>,
    content: Content,
    edits: Edits,
    camera: Camera,
    remote: Remote,
    life: Arc<Life>,
    hints: Arc<Hints>,
    /// Connections to the change events.
    watching: AtomicUsize,
    /// Held through a pause, a resume, a close and a sign-out, so that no two of them mix.
    turning: Mutex<()>,
}

impl Drive {
    /// Opens a directory, and makes it if it is missing. Never touches the network.
    ///
    /// Errors: `StoreTooNew`, `StoreDamaged`, `StoreBusy`, `DiskFailed`, `DiskFull`.
    pub fn open(options: DriveOptions) -> Result<Arc<Self>> {
        let DriveOptions {
            directory,
            vault,
            profile,
            endpoints,
            clock,
            disk,
        } = options;
        let store = Arc::new(Store::open(
            &directory,
            profile == Profile::Extension,
            clock.clone(),
            disk.clone(),
        )?);
        let (life, hints) = (Life::new(), Hints::new());
        let told = hints.clone();
        let account = Account::new(
            store.clone(),
            vault,
            clock.clone(),
            endpoints,
            life.clone(),
            Arc::new(move || told.account_changed()),
        )?;
        let remote = Remote::new(account.transport(), account.clone());
        let told = hints.clone();
        let catalog = Arc::new(Catalog::new(
            store.clone(),
            remote.clone(),
            life.clone(),
            Arc::new(move || told.catalog_changed()),
        ));
        let content = Content::new(
            store.clone(),
            catalog.clone(),
            remote.clone(),
            disk.clone(),
            life.clone(),
            &directory,
            profile,
        )?;
        let edits = Edits::new(
            store.clone(),
            catalog.clone(),
            content.clone(),
            remote.clone(),
            disk.clone(),
            life.clone(),
            &directory,
        )?
        .with_profile(profile);
        let camera = Camera::new(
            store.clone(),
            content.clone(),
            remote.clone(),
            disk,
            life.clone(),
            &directory,
            profile,
        )?;
        let drive = Self {
            store,
            account,
            catalog,
            content,
            edits,
            camera,
            remote,
            life,
            hints,
            watching: AtomicUsize::new(0),
            turning: Mutex::default(),
        };
        if drive.account.is_leaving()? {
            drive.sign_out()?;
        }
        Ok(Arc::new(drive))
    }

    /// Sign-in and quota.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The tree.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Bytes.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Changes.
    pub fn edits(&self) -> &Edits {
        &self.edits
    }

    /// Camera backup.
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// One snapshot for a screen.
    pub fn status(&self) -> Result<Status> {
        Ok(Status {
            sign_in: self.account.state()?,
            items: self.catalog.counts()?,
            ledger: self.content.ledger()?,
            situation: self.content.situation(),
            rules: self.content.rules()?,
            waiting: self.content.waiting(None)?,
            usage: self.content.usage()?,
            watching: self.watching.load(Ordering::Relaxed) > 0,
            unsent: self.edits.unsent()?,
        })
    }

    /// Why an item's content is, or is not, on the device, and why a change of it is not sent yet.
    ///
    /// Errors: `NotKnown`, `NoSuchItem`.
    pub fn why(&self, id: &ItemId) -> Result<Why> {
        self.explain(id)
    }

    /// Asks the service about what matters most until `budget` is over: folders that an event hinted at, then what is
    /// held, pinned or recently opened, the longest unasked first; then whole spaces. Fetches no content. For a pull from a
    /// background job.
    pub async fn poll(&self, budget: Duration, cancel: &CancelToken) -> Result<Polled> {
        self.poll_for(budget, cancel).await
    }

    /// What the content service has to do by itself follows these rules.
    pub fn set_rules(&self, rules: Rules) -> Result<()> {
        self.content.set_rules(rules)
    }

    /// The platform tells what has changed of the device. Content under way by itself stops when the rules no longer allow it.
    pub fn set_situation(&self, situation: Situation) -> Result<()> {
        self.content.set_situation(situation);
        Ok(())
    }

    /// Signs out by choice: tokens, tree and unfinished downloads go. Works offline. What
    /// an app has downloaded to paths of its own stays. Running calls end with `Paused` first, so that
    /// nothing of the old account comes in after it. `StoreBusy` when one does not end: then call again.
    ///
    /// `UnsentWork` while changes wait that the service does not have; nothing is signed out then. Bytes that were
    /// [discarded](Edits::discarded) go with the account.
    pub fn sign_out(&self) -> Result<()> {
        let _turning = self.turn(None)?;
        self.life.check()?;
        let items = self.edits.unsent()?;
        if items > 0 && !self.account.is_leaving()? {
            return Err(Error::UnsentWork { items });
        }
        self.account.begin_sign_out()?;
        let stopped = self.life.stop(State::Paused, Duration::from_secs(10));
        let done = stopped.and_then(|()| {
            self.account.sign_out(|| {
                self.content.clear()?;
                self.edits.clear()?;
                self.camera.clear()?;
                self.catalog.clear()
            })
        });
        self.life.start(|| Ok(()))?;
        done
    }

    /// Asks for hints until the subscription is dropped or the drive closed; a closed drive lets go of
    /// its listeners.
    pub fn subscribe(&self, listener: Arc<dyn Listener>) -> Subscription {
        self.hints.subscribe(listener)
    }

    /// Stops network calls in-band, finishes writes, checkpoints and closes every file and connection.
    /// `StoreBusy` when `deadline` passes first: then call again. Do not call it on a thread that
    /// runs a future of this drive.
    pub fn pause(&self, deadline: Duration) -> Result<()> {
        self.stop(State::Paused, deadline)
    }

    /// Opens what [`pause`](Self::pause) closed. Fine if nothing is paused. `Closed` after a close.
    /// Listeners get both hints: another process may have changed the directory meanwhile.
    pub fn resume(&self) -> Result<()> {
        let _turning = self.turn(None)?;
        self.life.start(|| self.store.resume())?;
        self.hints.account_changed();
        self.hints.catalog_changed();
        Ok(())
    }

    /// A pause without a resume. Idempotent.
    pub fn close(&self) -> Result<()> {
        self.hints.close();
        self.stop(State::Closed, Duration::from_secs(5))
    }

    fn stop(&self, state: State, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        let _turning = self.turn(Some(until))?;
        let left = until.saturating_duration_since(Instant::now());
        let stopped = self.life.stop(state, left);
        self.remote.reset_connections();
        self.edits.close_files();
        let written = self.content.close_files();
        // Whatever still runs finds the store closed; what it has begun there is interrupted.
        let left = until.saturating_duration_since(Instant::now());
        stopped.and(written).and(match state {
            State::Closed => self.store.close(left),
            State::Running | State::Paused => self.store.pause(left),
        })
    }

    /// Waits for a pause, resume, close or sign-out under way; not beyond `until`.
    fn turn(&self, until: Option<Instant>) -> Result<MutexGuard<'_, ()>> {
        let Some(until) = until else {
            return Ok(self.turning.lock().unwrap_or_else(PoisonError::into_inner));
        };
        loop {
            match self.turning.try_lock() {
                Ok(turning) => return Ok(turning),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(Error::StoreBusy);
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::account::MemoryVault;

    #[test]
    fn a_pause_does_not_wait_beyond_its_deadline_for_a_sign_out_under_way() {
        let dir = tempfile::tempdir().unwrap();
        let options = DriveOptions::new(dir.path().join("drive"), Arc::new(MemoryVault::default()));
        let drive = Drive::open(options).unwrap();
        let turning = drive.turn(None).unwrap();
        let paused = drive.pause(Duration::from_millis(50));
        assert_eq!(paused, Err(Error::StoreBusy));
        drop(turning);
        drive.pause(Duration::from_secs(5)).unwrap();
        assert_eq!(drive.sign_out(), Err(Error::Paused));
    }
}
