//! The byte ledger: what content cost, by space, purpose and network, for the life of the directory.
//!
//! It is in the journal, because it cannot be fetched again. A running download writes it every few
//! megabytes and whenever it ends, so a kill loses at most that much of the count, never of the bytes.

use super::{LedgerRow, Network, Purpose};
use crate::catalog::Space;
use crate::store::Store;
use crate::{Error, Result};

/// What bytes are counted under.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteKey {
    pub space: Space,
    pub purpose: Purpose,
    pub network: Network,
}

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
    (Network::Metered, "metered"),
];

const SPACES: [(Space, &str); 4] = [
    (Space::Sync, "sync"),
    (Space::Backup, "backup"),
    (Space::Archive, "archive"),
    (Space::Trash, "trash"),
];

fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> Result<&'static str> {
    words
        .iter()
        .find(|(known, _)| known == value)
        .map(|(_, word)| *word)
        .ok_or_else(|| Error::bug("a word is missing"))
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

pub(super) fn add(store: &Store, key: ByteKey, bytes: u64) -> Result<()> {
    let bytes = i64::try_from(bytes).map_err(|_| Error::bug("more bytes than there are"))?;
    store.journal.write(|tx| {
        tx.prepare_cached(
            "INSERT INTO bytes (space, purpose, network, bytes) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
        )?
        .execute((
            word(&SPACES, &key.space)?,
            word(&PURPOSES, &key.purpose)?,
            word(&NETWORKS, &key.network)?,
            bytes,
        ))?;
        Ok(())
    })
}

pub(super) fn rows(store: &Store) -> Result<Vec<LedgerRow>> {
    store.journal.read(|db| {
        let mut query =
            db.prepare_cached("SELECT space, purpose, network, bytes FROM bytes ORDER BY 1, 2, 3")?;
        let mut rows = query.query(())?;
        let mut ledger = Vec::new();
        while let Some(row) = rows.next()? {
            let (space, purpose, network): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            ledger.push(LedgerRow {
                space: meaning(&SPACES, &space)?,
                purpose: meaning(&PURPOSES, &purpose)?,
                network: meaning(&NETWORKS, &network)?,
                bytes: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            });
        }
        Ok(ledger)
    })
}
