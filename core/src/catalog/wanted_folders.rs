//! Which folders should be asked about again: what an event hinted at, then what a person or the operating system uses.
//!
//! Hints are kept in memory. They are no truth, and a process that ends loses nothing but speed.

use super::merge::child_folder;
use super::read::freshness;
use super::row::{fold, root_key};
use super::{Catalog, Freshness, ItemId, Space};
use crate::remote::RemotePath;
use crate::{Error, Result};
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Folders hinted at that are remembered; when there are more, it is the spaces themselves.
const HINTS: usize = 1_000;

/// Folders that events hinted at, each with when, as a running number.
#[derive(Default)]
pub(super) struct HintedFolders(Mutex<(u64, HashMap<i64, u64>)>);

impl HintedFolders {
    fn with<T>(&self, work: impl FnOnce(&mut u64, &mut HashMap<i64, u64>) -> T) -> T {
        let mut hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, folders) = &mut *hints;
        work(now, folders)
    }

    fn add(&self, keys: &[i64]) {
        self.with(|now, folders| {
            *now += 1;
            if folders.len() + keys.len() > HINTS {
                folders.clear();
                folders.extend(Space::ALL.map(|space| (root_key(space), *now)));
            }
            folders.extend(keys.iter().map(|key| (*key, *now)));
        });
    }

    /// The moment before a question.
    pub fn now(&self) -> u64 {
        self.with(|now, _| *now)
    }

    /// A folder was asked about after `then`.
    pub fn asked(&self, key: i64, then: u64) {
        self.with(|_, folders| {
            if folders.get(&key).is_some_and(|hinted| *hinted <= then) {
                folders.remove(&key);
            }
        });
    }

    fn keys(&self) -> Vec<i64> {
        self.with(|_, folders| {
            let mut all: Vec<_> = folders.iter().map(|(key, when)| (*when, *key)).collect();
            all.sort_unstable();
            all.into_iter().map(|(_, key)| key).collect()
        })
    }

    pub fn clear(&self) {
        self.with(|_, folders| folders.clear());
    }
}

/// Whether asking again at once would end the same way.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::NoSuchItem { .. }
            | Error::NotKnown { .. }
            | Error::NotAllowed { .. }
            | Error::ManyGone { .. }
            | Error::BadAnswer { .. }
            | Error::Refused { .. }
    )
}

impl Catalog {
    pub(super) fn take_hint(&self, path: &RemotePath) -> Result<()> {
        let keys = self.store.catalog.read(|db| nearest(db, path))?;
        self.hinted.add(&keys);
        Ok(())
    }

    pub(super) fn folders_to_ask(&self, limit: usize) -> Result<Vec<ItemId>> {
        self.settle_marks()?;
        let mut keys = self.hinted.keys();
        let mut met: HashSet<i64> = keys.iter().copied().collect();
        let used = self.store.catalog.read(|db| {
            let mut marked =
                db.prepare_cached("SELECT iif(kind = 3, parent, key) FROM item WHERE flags <> 0")?;
            let mut used = Vec::new();
            for key in marked.query_map([], |row| row.get::<_, i64>(0))? {
                let key = key?;
                if met.insert(key) {
                    let listed_ms = match freshness(db, key)? {
                        Freshness::Never => i64::MIN,
                        Freshness::ListedAt(ms) => ms,
                    };
                    used.push((listed_ms, key));
                }
            }
            Ok(used)
        })?;
        let mut used = used;
        used.sort_unstable();
        keys.extend(used.into_iter().map(|(_, key)| key));
        keys.truncate(limit);
        Ok(self.items(&keys)?.into_iter().map(|item| item.id).collect())
    }

    /// Spaces of which something was not indexed since `since_ms`.
    pub(crate) fn not_indexed_since(&self, since_ms: i64) -> Result<Vec<Space>> {
        self.store.catalog.read(|db| {
            let mut old = Vec::new();
            for space in Space::ALL {
                let sql = match space {
                    Space::Sync | Space::Archive => {
                        "SELECT 1 FROM item WHERE key = ?1 AND ifnull(indexed_ms, ?2 - 1) < ?2"
                    }
                    Space::Trash => {
                        "SELECT 1 FROM item WHERE key = ?1 AND ifnull(listed_ms, ?2 - 1) < ?2"
                    }
                    Space::Backup => {
                        "SELECT 1 FROM item WHERE key = ?1 AND ifnull(listed_ms, ?2 - 1) < ?2
                         UNION ALL SELECT 1 FROM item c JOIN item m ON m.parent = c.key
                         WHERE c.parent = ?1 AND c.key <> ?1 AND m.kind = 2
                             AND ifnull(m.indexed_ms, ?2 - 1) < ?2"
                    }
                };
                if db
                    .prepare_cached(sql)?
                    .exists((root_key(space), since_ms))?
                {
                    old.push(space);
                }
            }
            Ok(old)
        })
    }
}

/// The deepest known folder on the way to a path of the service; for the whole account, the spaces.
fn nearest(db: &Connection, path: &RemotePath) -> Result<Vec<i64>> {
    let (mut key, below) = match path.segments() {
        [] => return Ok(Space::ALL.map(root_key).into()),
        [device] if fold(device) == "jotta" => {
            return Ok([Space::Sync, Space::Archive, Space::Trash]
                .map(root_key)
                .into());
        }
        [device, mount, below @ ..] if fold(device) == "jotta" => {
            let space = match fold(mount).as_str() {
                "sync" => Space::Sync,
                "archive" => Space::Archive,
                "trash" => return Ok(vec![root_key(Space::Trash)]),
                // A mount point of its own workings (Latest, Links, Shared): nothing of it is shown here.
                _ => return Ok(Vec::new()),
            };
            (root_key(space), below)
        }
        all => (root_key(Space::Backup), all),
    };
    for name in below {
        match child_folder(db, key, name)? {
            Some(next) => key = next,
            None => break,
        }
    }
    Ok(vec![key])
}
