//! How to open a drive: nothing is taken from the environment, everything comes in from the platform.

use crate::Endpoints;
use crate::account::Vault;
use crate::clock::{Clock, SystemClock};
use crate::disk::{Disk, RealDisk};
use std::path::PathBuf;
use std::sync::Arc;

/// In which kind of process the drive lives; sets how much memory it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// An app.
    #[default]
    App,
    /// An extension with a small memory limit: smaller database caches and fewer connections.
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
