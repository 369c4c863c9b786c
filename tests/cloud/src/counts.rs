//! What was asked and sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What the cloud has answered since it started or since `reset_counts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Requests, by kind (`token`, `customer`, `get`, `list`, `liststream`, `bin`, `thumb`, `allocate`, `upload`, `cphash`, `mkDir`, …).
    pub requests: BTreeMap<String, u64>,
    /// Bytes of file content sent, by space (`Sync`, `Archive`, `Backup`) and mode (`bin`, `thumb`, `public`), as `Sync/bin`.
    pub content_bytes: BTreeMap<String, u64>,
    /// Bytes of file content received in uploads, those of uploads that broke included.
    pub received_bytes: u64,
}

impl Counts {
    /// All bytes of file content sent from `space`.
    pub fn content_of(&self, space: &str) -> u64 {
        self.content_bytes
            .iter()
            .filter(|(key, _)| key.split('/').next() == Some(space))
            .map(|(_, bytes)| bytes)
            .sum()
    }

    /// Requests of one kind.
    pub fn requests_of(&self, kind: &str) -> u64 {
        self.requests.get(kind).copied().unwrap_or(0)
    }
}

/// Where requests are counted as they come and bytes as they leave.
#[derive(Debug, Default)]
pub struct CountBook(Mutex<Counts>);

impl CountBook {
    fn with<R>(&self, f: impl FnOnce(&mut Counts) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One more request of `kind`.
    pub fn request(&self, kind: &str) {
        self.with(|counts| *counts.requests.entry(kind.to_owned()).or_default() += 1);
    }

    /// `bytes` more of content, `key` being `space/mode`.
    pub fn content(&self, key: &str, bytes: u64) {
        self.with(|counts| *counts.content_bytes.entry(key.to_owned()).or_default() += bytes);
    }

    /// `bytes` more of content have come.
    pub fn received(&self, bytes: u64) {
        self.with(|counts| counts.received_bytes += bytes);
    }

    /// The counts now.
    pub fn snapshot(&self) -> Counts {
        self.with(|counts| counts.clone())
    }

    /// Everything back to zero.
    pub fn reset(&self) {
        self.with(|counts| *counts = Counts::default());
    }
}
