//! What writers were told is saved, and what the same person has since given up.

use local_cloud::Cloud;
use md5::{Digest, Md5};
use std::collections::{BTreeMap, BTreeSet};

/// Who saved something, and where: a phone and its item, or the computer and a number.
pub type Holder = (usize, String);

/// A content that somebody saved.
#[derive(Default)]
struct Promise {
    how: String,
    /// Who was told that it is saved, and has saved nothing newer there before it was sent.
    owed: BTreeSet<Holder>,
    /// How often somebody was told so.
    times: u64,
    /// How often it may have been saved besides: the one who saved it did not live to be told.
    tried: u64,
    /// Who saved it: a phone, or the computer.
    savers: BTreeSet<usize>,
    /// What was perhaps saved over it by its own holder, before it was sent.
    perhaps: Vec<(Holder, Vec<u8>)>,
}

/// The contents that must be somewhere in the end.
#[derive(Default)]
pub struct Saved {
    promises: BTreeMap<Vec<u8>, Promise>,
    /// By content version.
    versions: BTreeMap<String, Vec<u8>>,
    /// By content version, those that it was written over.
    over: BTreeMap<String, BTreeSet<String>>,
    /// Who has moved a file that showed it a content version. Another who saves over that version may have been between its
    /// upload and the answer: what is not where it was put looks gone then, and is stored again (`CONFLICTS.md`, content that
    /// is gone).
    moved: BTreeSet<(String, usize)>,
    next: u64,
}

/// Where else than among what lives and what is kept a content may be, or why it may be nowhere.
pub struct Elsewhere {
    /// What the phones keep as discarded.
    pub discarded: BTreeSet<Vec<u8>>,
    /// What once came to the service may be gone from it.
    pub falls_out: bool,
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
        self.note(&bytes);
        bytes
    }

    /// These are a content that somebody is about to save.
    pub fn note(&mut self, bytes: &[u8]) {
        self.versions.insert(version(bytes), bytes.to_vec());
    }

    /// Whether anybody has made these, whole.
    pub fn knows(&self, bytes: &[u8]) -> bool {
        self.versions.contains_key(&version(bytes))
    }

    /// A content that somebody was told is saved, to save again.
    pub fn any(&self, random: &mut fastrand::Rng) -> Option<Vec<u8>> {
        let told = || {
            self.promises
                .iter()
                .filter(|(_, promise)| promise.times > 0)
        };
        let count = told().count();
        (count > 0)
            .then(|| told().nth(random.usize(..count)))
            .flatten()
            .map(|(bytes, _)| bytes.clone())
    }

    /// These are written over what shows this version.
    pub fn over(&mut self, bytes: &[u8], before: Option<&str>) {
        let versions = self.over.entry(version(bytes)).or_default();
        versions.extend(before.map(str::to_owned));
    }

    /// Somebody was told that these are saved.
    pub fn told(&mut self, bytes: Vec<u8>, holder: Holder, how: String) {
        let promise = self.promises.entry(bytes).or_default();
        if promise.times == 0 {
            promise.how = how;
        }
        promise.times += 1;
        promise.savers.insert(holder.0);
        promise.owed.insert(holder);
    }

    /// Somebody died while saving these: perhaps they are saved, and nobody was told.
    pub fn tried(&mut self, bytes: &[u8]) {
        self.promises.entry(bytes.to_owned()).or_default().tried += 1;
    }

    /// The content of a version.
    pub fn of_version(&self, version: &str) -> Option<Vec<u8>> {
        self.versions.get(version).cloned()
    }

    /// A phone shows these: if they were perhaps saved over something, they were.
    pub fn shown(&mut self, phone: usize, bytes: &[u8]) {
        for promise in self.promises.values_mut() {
            let over = promise.perhaps.iter().filter(|(_, newer)| newer == bytes);
            for (holder, _) in over.filter(|(holder, _)| holder.0 == phone) {
                promise.owed.remove(holder);
            }
        }
    }

    /// Somebody moves a file that shows this version, or the folder that it is in.
    pub fn moves(&mut self, who: usize, version: &str) {
        self.moved.insert((version.to_owned(), who));
    }

    /// Whether anybody but its savers has moved it, or what it was saved over.
    fn is_moved(&self, bytes: &[u8], promise: &Promise) -> bool {
        let mut before = BTreeSet::from([version(bytes)]);
        loop {
            let all = before.iter().filter_map(|version| self.over.get(version));
            let more: BTreeSet<_> = all.flatten().cloned().collect();
            if more.is_subset(&before) {
                break;
            }
            before.extend(more);
        }
        self.moved.iter().any(|(version, who)| {
            before.contains(version) && promise.savers.iter().any(|saver| saver != who)
        })
    }

    /// Who of a phone is owed these: this holder, or else any.
    pub fn holder(&self, bytes: &[u8], holder: Holder) -> Option<Holder> {
        let owed = &self.promises.get(bytes)?.owed;
        let any = || owed.iter().find(|other| other.0 == holder.0);
        owed.get(&holder).or_else(any).cloned()
    }

    /// This holder has saved something newer over these, which were not sent yet.
    pub fn excuse(&mut self, bytes: &[u8], holder: &Holder) {
        if let Some(promise) = self.promises.get_mut(bytes) {
            promise.owed.remove(holder);
        }
    }

    /// The same, but it did not live to be told so: one of the two must be there.
    pub fn perhaps_excuse(&mut self, bytes: &[u8], holder: Holder, newer: Vec<u8>) {
        if let Some(promise) = self.promises.get_mut(bytes) {
            promise.perhaps.push((holder, newer));
        }
    }

    /// What is not kept.
    pub fn missing(&self, cloud: &Cloud, elsewhere: &Elsewhere) -> Vec<String> {
        let owed = self.promises.iter().filter(|(bytes, promise)| {
            let excused = |holder| {
                let newer = promise.perhaps.iter().filter(|(of, _)| of == holder);
                newer
                    .into_iter()
                    .any(|(_, newer)| elsewhere.keeps(cloud, newer))
            };
            promise.owed.iter().any(|holder| !excused(holder)) && !elsewhere.keeps(cloud, bytes)
        });
        owed.map(|(_, promise)| promise.how.clone()).collect()
    }

    /// What was saved once and lives more than once.
    pub fn doubled(&self, cloud: &Cloud) -> Vec<String> {
        self.promises
            .iter()
            .filter(|(bytes, promise)| {
                promise.times == 1
                    && promise.tried == 0
                    && !self.is_moved(bytes, promise)
                    && cloud.writer().holds(bytes).unwrap().living > 1
            })
            .map(|(bytes, promise)| {
                let entries = cloud.writer().paths("/Jotta").unwrap();
                let of = |md5: &str, size| format!("{md5}-{size}") == version(bytes);
                let there = entries.iter().filter(|entry| of(&entry.md5, entry.size));
                let paths: Vec<_> = there.map(|entry| &entry.path).collect();
                format!("{}: {paths:?}", promise.how)
            })
            .collect()
    }
}

impl Elsewhere {
    fn keeps(&self, cloud: &Cloud, bytes: &[u8]) -> bool {
        let held = cloud.writer().holds(bytes).unwrap();
        held.kept > 0 || (held.came && self.falls_out) || self.discarded.contains(bytes)
    }
}

/// The content version of these.
pub fn version(bytes: &[u8]) -> String {
    let digest = Md5::digest(bytes);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}-{}", bytes.len())
}
