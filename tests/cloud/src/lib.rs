//! A local Jottacloud. See `README.md` beside this crate for the switches and the trouble it can make.

mod switches;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
pub use switches::Switches;

/// How to start a cloud.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Where the tree and the blobs are kept; `None` is a temporary directory.
    pub directory: Option<PathBuf>,
    /// TCP port on the loopback interface; 0 picks a free one.
    pub port: u16,
    /// Serve TLS with this certificate and key; plain HTTP otherwise.
    pub tls: Option<Tls>,
    /// How long access tokens live.
    pub access_token_ttl: Duration,
    /// The answers to what no fact settles.
    pub switches: Switches,
}

impl Default for CloudOptions {
    fn default() -> Self {
        Self {
            directory: None,
            port: 0,
            tls: None,
            access_token_ttl: Duration::from_secs(3600),
            switches: Switches::default(),
        }
    }
}

/// Certificate chain and key, both PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM file of the chain.
    pub certificate: PathBuf,
    /// PEM file of the key.
    pub key: PathBuf,
}

/// What the cloud has answered since it started or since `reset_counts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Requests, by kind (`token`, `customer`, `get`, `list`, `liststream`, `bin`, `allocate`, `upload`, `cphash`, `mkDir`, …).
    pub requests: BTreeMap<String, u64>,
    /// Bytes of file content sent, by space (`Sync`, `Archive`, `Backup`) and mode (`bin`, `thumb`, `public`), as `Sync/bin`.
    pub content_bytes: BTreeMap<String, u64>,
}
