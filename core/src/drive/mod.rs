//! The open companion.

use crate::account::{Account, SignIn, Vault};
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::content::{Content, LedgerRow, Network};
use crate::disk::{Disk, RealDisk};
use crate::{Endpoints, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// In which kind of process the drive lives; sets how much memory it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// An app.
    #[default]
    App,
    /// An extension with a small memory limit: smaller caches and buffers.
    Extension,
}

/// How to open a drive.
#[derive(Clone)]
pub struct DriveOptions {
    /// A directory of the drive's own, made if missing. Two processes may open the same one.
    pub directory: PathBuf,
    /// Where tokens live.
    pub vault: Arc<dyn Vault>,
    /// The kind of process.
    pub profile: Profile,
    /// The service's hosts; `None` for those of the sign-in.
    pub endpoints: Option<Endpoints>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The files.
    pub disk: Arc<dyn Disk>,
}

impl DriveOptions {
    /// A drive of an app in `directory`, on the real service, with the real clock and disk.
    pub fn new(directory: impl Into<PathBuf>, vault: Arc<dyn Vault>) -> Self {
        Self {
            directory: directory.into(),
            vault,
            profile: Profile::App,
            endpoints: None,
            clock: Arc::new(SystemClock),
            disk: Arc::new(RealDisk),
        }
    }
}

/// Gets hints without content; read the truth back with [`Catalog::changes`] and [`Drive::status`].
pub trait Listener: Send + Sync {
    /// The catalogue changed. Coalesced: at most one call in 100 ms.
    fn on_changed(&self);
    /// The sign-in state changed.
    fn on_account_changed(&self);
}

/// Ends the subscription when dropped.
pub struct Subscription {
    _private: (),
}

/// One snapshot that a screen can draw. A local read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether somebody is signed in, and how full the account is.
    pub sign_in: SignIn,
    /// Items known, by space, in the order of [`crate::catalog::Space::ALL`].
    pub items: [u64; 4],
    /// Content bytes received.
    pub ledger: Vec<LedgerRow>,
    /// The kind of network last told.
    pub network: Network,
}

/// An open companion: a directory, an account, a runtime.
pub struct Drive {
    _private: (),
}

#[allow(clippy::todo, unused_variables)]
impl Drive {
    /// Opens a directory. Errors: `StoreTooNew`, `StoreDamaged`, `DiskFailed`, `DiskFull`.
    pub fn open(options: DriveOptions) -> Result<Arc<Self>> {
        todo!()
    }

    /// Sign-in and quota.
    pub fn account(&self) -> &Account {
        todo!()
    }

    /// The tree.
    pub fn catalog(&self) -> &Catalog {
        todo!()
    }

    /// Bytes.
    pub fn content(&self) -> &Content {
        todo!()
    }

    /// One snapshot for a screen.
    pub fn status(&self) -> Result<Status> {
        todo!()
    }

    /// The platform tells which network there is.
    pub fn set_network(&self, network: Network) {
        todo!()
    }

    /// Asks for hints until the subscription is dropped.
    pub fn subscribe(&self, listener: Arc<dyn Listener>) -> Subscription {
        todo!()
    }

    /// Stops network calls, finishes writes, checkpoints and closes every file within `deadline`: after
    /// it no file is open and no lock held, so that a phone may suspend the process.
    pub fn pause(&self, deadline: Duration) -> Result<()> {
        todo!()
    }

    /// Opens what [`pause`](Self::pause) closed.
    pub fn resume(&self) -> Result<()> {
        todo!()
    }

    /// Pauses for ever. Idempotent.
    pub fn close(&self) {
        todo!()
    }
}
