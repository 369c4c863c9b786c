//! What writers were told is saved, and what the same person has since given up.

use local_cloud::Cloud;
use std::collections::{BTreeMap, BTreeSet};

/// A content that somebody was told is saved.
struct Promise {
    how: String,
    /// How often it was saved.
    times: u64,
    /// Its own writer saved something newer over it before it was sent, or deleted it for ever.
    excused: bool,
}

/// The contents that must be somewhere in the end.
#[derive(Default)]
pub struct Saved {
    promises: BTreeMap<Vec<u8>, Promise>,
    next: u64,
}

impl Saved {
    /// Bytes that no other call has made: mostly few, sometimes many.
    pub fn fresh(&mut self, random: &mut fastrand::Rng) -> Vec<u8> {
        self.next += 1;
        let mut bytes = format!("content {} ", self.next).into_bytes();
        let more = match random.u8(..20) {
            0 => random.usize(100_000..300_000),
            _ => random.usize(..200),
        };
        bytes.resize(bytes.len() + more, b'.');
        bytes
    }

    /// Somebody was told that these are saved.
    pub fn told(&mut self, bytes: Vec<u8>, how: String) {
        let promise = self.promises.entry(bytes).or_insert(Promise {
            how,
            times: 0,
            excused: false,
        });
        promise.times += 1;
        promise.excused = false;
    }

    /// A content that was saved before, to save again.
    pub fn any(&self, random: &mut fastrand::Rng) -> Option<Vec<u8>> {
        let count = self.promises.len();
        (count > 0)
            .then(|| self.promises.keys().nth(random.usize(..count)).cloned())
            .flatten()
    }

    /// Nobody needs these any more, as far as this writer goes.
    pub fn excuse(&mut self, bytes: &[u8]) {
        if let Some(promise) = self.promises.get_mut(bytes)
            && promise.times == 1
        {
            promise.excused = true;
        }
    }

    /// What is not kept. `discarded` are the contents that the phones keep as discarded; with `deleted_for_ever`, what once
    /// came to the service may be gone from it.
    pub fn missing(
        &self,
        cloud: &Cloud,
        discarded: &BTreeSet<Vec<u8>>,
        deleted_for_ever: bool,
        many_revisions: bool,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        for (bytes, promise) in &self.promises {
            let held = cloud.writer().holds(bytes).unwrap();
            let fell_out = held.came && (deleted_for_ever || many_revisions);
            if held.kept == 0 && !fell_out && !promise.excused && !discarded.contains(bytes) {
                missing.push(promise.how.clone());
            }
        }
        missing
    }

    /// What was saved once and lives more than once.
    pub fn doubled(&self, cloud: &Cloud) -> Vec<String> {
        self.promises
            .iter()
            .filter(|(bytes, promise)| {
                promise.times == 1 && cloud.writer().holds(bytes).unwrap().living > 1
            })
            .map(|(_, promise)| promise.how.clone())
            .collect()
    }
}
