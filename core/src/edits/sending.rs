//! What this process is sending, and what it has sent, or put into the trash, a moment ago.
//!
//! In memory only: how far an upload is, nobody needs after a kill; the rule that spares the five versions of a file (see
//! [`SETTLING_MS`](super::why::SETTLING_MS)) is about one person's saves that follow each other; and what was put into the
//! trash is, at the worst, kept in a copy.

use super::why::SETTLING_MS;
use crate::catalog::{Id, fold};
use crate::remote::RemotePath;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Default)]
pub(super) struct Sending(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    moving: HashMap<Id, Arc<AtomicU64>>,
    lately: HashMap<Id, i64>,
    /// Where a content was put into the trash, which, and when.
    trashed: Vec<(String, [u8; 16], i64)>,
}

impl Sending {
    /// Counts the bytes of an item that have left.
    pub fn counter(&self, id: &Id) -> Arc<AtomicU64> {
        self.lock().moving.entry(*id).or_default().clone()
    }

    /// Its upload has ended, well or not.
    pub fn ended(&self, id: &Id) {
        self.lock().moving.remove(id);
    }

    /// Bytes that have left, of all uploads that have not ended.
    pub fn moved(&self) -> u64 {
        let inner = self.lock();
        let counts = inner.moving.values();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The same, of one item.
    pub fn moved_of(&self, id: &Id) -> u64 {
        let inner = self.lock();
        inner
            .moving
            .get(id)
            .map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// New content of an item was sent now.
    pub fn sent(&self, id: &Id, now_ms: i64) {
        let mut inner = self.lock();
        // A clock that was set back must not hold anything for ever.
        inner
            .lately
            .retain(|_, at| (0..SETTLING_MS).contains(&(now_ms - *at)));
        inner.lately.insert(*id, now_ms);
    }

    /// When its content was sent last, if that is not long ago.
    pub fn sent_lately(&self, id: &Id) -> Option<i64> {
        self.lock().lately.get(id).copied()
    }

    /// What is at a path goes to the trash. The path's next file shows its revision among its own.
    pub fn trashes(&self, path: &RemotePath, md5: [u8; 16], now_ms: i64) {
        let mut inner = self.lock();
        inner
            .trashed
            .retain(|(.., at)| (0..SETTLING_MS).contains(&(now_ms - *at)));
        inner.trashed.push((folded(path), md5, now_ms));
    }

    /// The contents that went from a path to the trash lately.
    pub fn trashed_at(&self, path: &RemotePath) -> Vec<[u8; 16]> {
        let (inner, path) = (self.lock(), folded(path));
        let there = inner.trashed.iter().filter(|(at, ..)| *at == path);
        there.map(|(_, md5, _)| *md5).collect()
    }

    /// A person wants it sent at once.
    pub fn forget(&self, id: Option<&Id>) {
        let mut inner = self.lock();
        match id {
            Some(id) => drop(inner.lately.remove(id)),
            None => inner.lately.clear(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service knows a name by any spelling.
fn folded(path: &RemotePath) -> String {
    let names: Vec<String> = path.segments().iter().map(|name| fold(name)).collect();
    names.join("/")
}
