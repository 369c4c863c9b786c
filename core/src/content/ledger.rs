//! The byte ledger: what content cost, by space, purpose and network, for the life of the directory.
//!
//! It is in the journal, because it cannot be fetched again. Bytes are added up in memory and written every few megabytes and
//! at most four times a second, at the end of a fetch, when a reader closes and before a pause. So a kill loses at most that
//! much of the count, never of the bytes, and two thousand small files are not two thousand transactions: a fetch that ends
//! while others run leaves its bytes to the last of them. Whoever reads the ledger here sees what waits, too.

use super::{LedgerRow, Network, Purpose};
use crate::catalog::Space;
use crate::conditions::month;
use crate::store::Store;
use crate::{Error, Result};
use rusqlite::Transaction;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that wait in memory, at the most, but for those that come within [`PAUSE`].
const STEP: u64 = 4 << 20;
/// The least time between two writes for that: each waits for the disk, and a fast download would do little else.
const PAUSE: Duration = Duration::from_millis(250);

/// What bytes are counted under, beside the network that brings them.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteKey {
    pub space: Space,
    pub purpose: Purpose,
}

/// The ledger of one drive.
#[derive(Clone)]
pub(super) struct Ledger {
    store: Arc<Store>,
    waiting: Arc<Mutex<Waiting>>,
    /// Held by who writes and by who reads, so that no bytes are seen twice or not at all; never by who counts.
    writing: Arc<Mutex<()>>,
}

type Words = (&'static str, &'static str, &'static str);

#[derive(Default)]
struct Waiting {
    rows: BTreeMap<Words, u64>,
    bytes: u64,
    /// When it was last written.
    written: Option<Instant>,
    /// Calls that will write when they end.
    calls: usize,
}

/// A call that may bring bytes, until it ends or is dropped.
pub(super) struct Call(Option<Ledger>);

const PURPOSES: [(Purpose, &str); 6] = [
    (Purpose::Open, "open"),
    (Purpose::Stream, "stream"),
    (Purpose::Pin, "pin"),
    (Purpose::Thumbnail, "thumbnail"),
    (Purpose::Edit, "edit"),
    (Purpose::Camera, "camera"),
];

const NETWORKS: [(Network, &str); 4] = [
    (Network::Offline, "offline"),
    (Network::Unknown, "unknown"),
    (Network::Unmetered, "unmetered"),
    (Network::Metered, METERED),
];

const METERED: &str = "metered";

const SPACES: [(Space, &str); 4] = [
    (Space::Sync, "sync"),
    (Space::Backup, "backup"),
    (Space::Archive, "archive"),
    (Space::Trash, "trash"),
];

/// The word for a value; every value has one.
fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    let found = words.iter().find(|(known, _)| known == value);
    found.map_or("other", |(_, word)| *word)
}

fn meaning<T: Copy>(words: &[(T, &str)], stored: &str) -> Result<T> {
    words
        .iter()
        .find(|(_, word)| *word == stored)
        .map(|(meaning, _)| *meaning)
        .ok_or_else(|| Error::StoreDamaged {
            detail: "the byte ledger".into(),
        })
}

impl Ledger {
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            waiting: Arc::default(),
            writing: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts bytes. Touches no file.
    pub fn add(&self, key: ByteKey, network: Network, bytes: u64) {
        let words = (
            word(&SPACES, &key.space),
            word(&PURPOSES, &key.purpose),
            word(&NETWORKS, &network),
        );
        let mut waiting = self.lock();
        *waiting.rows.entry(words).or_default() += bytes;
        waiting.bytes += bytes;
    }

    /// A call begins that may bring bytes.
    pub fn begin(&self) -> Call {
        self.lock().calls += 1;
        Call(Some(self.clone()))
    }

    /// Writes what waits, once it is a few megabytes.
    pub fn write_if_due(&self) -> Result<()> {
        {
            let waiting = self.lock();
            let just_now = waiting.written.is_some_and(|at| at.elapsed() < PAUSE);
            if waiting.bytes < STEP || just_now {
                return Ok(());
            }
        }
        self.write_if_can()
    }

    /// Writes what waits. What cannot be written now waits on; the bytes themselves need not.
    pub fn write_if_can(&self) -> Result<()> {
        match self.write() {
            Err(Error::StoreBusy | Error::Paused | Error::Closed) => Ok(()),
            done => done,
        }
    }

    /// Writes what waits.
    pub fn write(&self) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, bytes) = {
            let mut waiting = self.lock();
            waiting.written = Some(Instant::now());
            (
                std::mem::take(&mut waiting.rows),
                std::mem::take(&mut waiting.bytes),
            )
        };
        if rows.is_empty() {
            return Ok(());
        }
        let now = self.store.now_ms();
        let written = self.store.journal.write(|tx| {
            let mut add = tx.prepare_cached(
                "INSERT INTO bytes (space, purpose, network, bytes) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
            )?;
            for ((space, purpose, network), bytes) in &rows {
                add.execute((space, purpose, network, whole(*bytes)))?;
            }
            let metered = rows
                .iter()
                .filter(|((_, _, network), _)| *network == METERED);
            add_metered(tx, month(now), metered.map(|(_, bytes)| *bytes).sum())
        });
        if written.is_err() {
            let mut waiting = self.lock();
            for (words, bytes) in rows {
                *waiting.rows.entry(words).or_default() += bytes;
            }
            waiting.bytes += bytes;
        }
        written
    }

    /// Counts bytes that were sent over a metered network, which has its limit for both ways.
    pub fn add_sent(&self, bytes: u64) -> Result<()> {
        let month = month(self.store.now_ms());
        self.store
            .journal
            .write_lightly(|tx| add_metered(tx, month, bytes))
    }

    /// All rows, with what waits.
    pub fn rows(&self) -> Result<Vec<LedgerRow>> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        self.store.journal.read(|db| {
            let mut query =
                db.prepare_cached("SELECT space, purpose, network, bytes FROM bytes")?;
            let mut rows = query.query(())?;
            while let Some(row) = rows.next()? {
                let bytes = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
                all.insert((row.get(0)?, row.get(1)?, row.get(2)?), bytes);
            }
            Ok(())
        })?;
        let waiting = self.lock().rows.clone();
        for ((space, purpose, network), bytes) in waiting {
            *all.entry((space.into(), purpose.into(), network.into()))
                .or_default() += bytes;
        }
        let rows = all.into_iter().map(|((space, purpose, network), bytes)| {
            Ok(LedgerRow {
                space: meaning(&SPACES, &space)?,
                purpose: meaning(&PURPOSES, &purpose)?,
                network: meaning(&NETWORKS, &network)?,
                bytes,
            })
        });
        rows.collect()
    }

    /// Bytes that metered networks have brought in this calendar month (UTC), with what waits.
    pub fn metered_this_month(&self) -> Result<u64> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let month = month(self.store.now_ms());
        let written: i64 = self.store.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT ifnull(sum(bytes), 0) FROM metered WHERE month = ?1")?
                .query_row([month], |row| row.get(0))?)
        })?;
        let waiting = self.lock();
        let metered = waiting.rows.iter();
        let metered = metered.filter(|((_, _, network), _)| *network == METERED);
        let waiting: u64 = metered.map(|(_, bytes)| *bytes).sum();
        Ok(u64::try_from(written).unwrap_or(0) + waiting)
    }
}

impl Call {
    /// Ends it. The last call that runs gets the ledger, to write what waits with [`Ledger::write_if_can`].
    pub fn end(mut self) -> Option<Ledger> {
        let ledger = self.0.take()?;
        let mut waiting = ledger.lock();
        waiting.calls -= 1;
        let due = waiting.calls == 0 && waiting.bytes > 0;
        drop(waiting);
        due.then_some(ledger)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(ledger) = &self.0 {
            ledger.lock().calls -= 1;
        }
    }
}

fn add_metered(tx: &Transaction<'_>, month: i64, bytes: u64) -> Result<()> {
    if bytes > 0 {
        tx.prepare_cached(
            "INSERT INTO metered (month, bytes) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
        )?
        .execute((month, whole(bytes)))?;
    }
    Ok(())
}

fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
