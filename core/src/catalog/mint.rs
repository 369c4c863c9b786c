//! Ids, given when an item first leaves the core.
//!
//! An id is in the journal before a caller sees it and in the catalogue before this returns, so an
//! item has one id in all processes and, found again by uuid or place, after a rebuild too. A
//! place names its parent by id, so the folders above an item get theirs first.

use super::flags::restore;
use super::row::{FILE, Id};
use crate::store::{Identified, Identities, Place, Store, new_id};
use crate::{Error, Result};
use rusqlite::{OptionalExtension, Row, Transaction};

struct Nameless {
    key: i64,
    parent_key: i64,
    parent: Option<Id>,
    name: String,
    kind: u8,
    uuid: Option<Id>,
}

/// Gives ids to those of `keys` that have none.
pub(super) fn mint(db: &Transaction<'_>, store: &Store, keys: &[i64]) -> Result<()> {
    let mut levels = vec![keys.to_vec()];
    loop {
        let mut above = Vec::new();
        for key in levels.last().into_iter().flatten() {
            let item = read(db, *key)?.filter(|item| item.parent.is_none());
            above.extend(item.map(|item| item.parent_key));
        }
        if above.is_empty() {
            break;
        }
        above.sort_unstable();
        above.dedup();
        levels.push(above);
    }
    // All in one transaction of the journal: it waits for the disk.
    let given = store.identifying(|journal| {
        let mut given = Vec::new();
        for keys in levels.iter().rev() {
            for key in keys {
                if let Some(item) = read(db, *key)? {
                    let place = item.place()?;
                    let id = journal.identify(&place)?;
                    given.push((item.key, give(db, journal, item.key, id, place)?));
                }
            }
        }
        Ok(given)
    })?;
    restore(db, store, &given)
}

/// Gives `key` the id `id`, or a new one if that is another item's; which it was. The caller restores its flags.
pub(super) fn give(
    db: &Transaction<'_>,
    journal: &Identities<'_>,
    key: i64,
    id: Id,
    place: Place,
) -> Result<Id> {
    let taken = db
        .prepare_cached("SELECT 1 FROM item WHERE id = ?1")?
        .exists([id])?;
    let id = if taken {
        let id = new_id()?;
        journal.record(&Identified { id, place })?;
        id
    } else {
        id
    };
    db.prepare_cached("UPDATE item SET id = ?2 WHERE key = ?1")?
        .execute((key, id))?;
    // An id that comes back was told as deleted, so it must be told as changed.
    let back = db
        .prepare_cached("DELETE FROM gone WHERE id = ?1")?
        .execute([id])?;
    if back > 0 {
        db.execute_batch("UPDATE meta SET seq = seq + 1")?;
        db.prepare_cached(
            "UPDATE item SET told_seq = ifnull(told_seq, seq), seq = (SELECT seq FROM meta)
             WHERE key = ?1",
        )?
        .execute([key])?;
    }
    Ok(id)
}

/// The recorded name of an item. In the trash a name may come several times, so there it is the whole
/// place that it was deleted from, and when.
pub(super) fn place_name(name: &str, origin: Option<&str>, deleted_ms: Option<i64>) -> String {
    match origin {
        Some(origin) => format!("{origin}/{name}@{}", deleted_ms.unwrap_or(0)),
        None => name.to_owned(),
    }
}

/// The folder that something in the trash was deleted from, its name, and when: what [`place_name`] was made of.
pub(super) fn parse_place_name(recorded: &str) -> Option<(&str, &str, Option<i64>)> {
    let (place, deleted_ms) = recorded.rsplit_once('@')?;
    let (origin, name) = place.rsplit_once('/')?;
    let deleted_ms: i64 = deleted_ms.parse().ok()?;
    Some((origin, name, Some(deleted_ms).filter(|ms| *ms != 0)))
}

fn read(db: &Transaction<'_>, key: i64) -> Result<Option<Nameless>> {
    Ok(db
        .prepare_cached(
            "SELECT i.key, i.parent, p.id, i.name, i.kind, i.uuid, i.origin, i.deleted_ms
             FROM item i JOIN item p ON p.key = i.parent
             WHERE i.key = ?1 AND i.id IS NULL",
        )?
        .query_row([key], nameless)
        .optional()?)
}

fn nameless(row: &Row<'_>) -> rusqlite::Result<Nameless> {
    let name: String = row.get(3)?;
    let origin: Option<String> = row.get(6)?;
    let kind: u8 = row.get(4)?;
    Ok(Nameless {
        key: row.get(0)?,
        parent_key: row.get(1)?,
        parent: row.get(2)?,
        name: place_name(&name, origin.as_deref(), row.get(7)?),
        kind,
        uuid: row.get::<_, Option<Id>>(5)?.filter(|_| kind == FILE),
    })
}

impl Nameless {
    fn place(&self) -> Result<Place> {
        Ok(Place {
            parent: self
                .parent
                .ok_or_else(|| Error::bug("an item above has no id"))?,
            name: self.name.clone(),
            kind: self.kind,
            uuid: self.uuid,
        })
    }
}
