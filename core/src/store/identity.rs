//! The ids that left the core, in the journal.
//!
//! An id is durable here before a caller sees it, so that a rebuilt catalogue gives the same item
//! the same id. An item is known by its `uuid` when the service has told it, else by its place:
//! the parent's id and the name as the service spells it. Because the parent is an id and not a
//! path, moving a folder changes one row, however much is in it.

use super::Store;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// Where an item is, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub parent: [u8; 16],
    pub name: String,
    pub kind: u8,
    pub uuid: Option<[u8; 16]>,
}

/// An id and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identified {
    pub id: [u8; 16],
    pub place: Place,
}

/// The ids in one transaction of the journal.
pub(crate) struct Identities<'a>(&'a Transaction<'a>);

impl Identities<'_> {
    /// The id of a place: the one recorded before, else a new one, recorded now.
    pub fn identify(&self, place: &Place) -> Result<[u8; 16]> {
        let id = match recorded(self.0, place)? {
            Some(id) => id,
            None => new_id()?,
        };
        put(self.0, &id, place)?;
        Ok(id)
    }

    /// Records an id at its place.
    pub fn record(&self, identity: &Identified) -> Result<()> {
        put(self.0, &identity.id, &identity.place)
    }
}

impl Store {
    /// Runs `work` on the ids, in one transaction.
    pub fn identifying<T>(&self, work: impl FnOnce(&Identities<'_>) -> Result<T>) -> Result<T> {
        self.journal.write(|db| work(&Identities(db)))
    }

    /// The ids of these places: those recorded before, else new ones, recorded now.
    #[cfg(test)]
    pub fn identify(&self, places: &[Place]) -> Result<Vec<[u8; 16]>> {
        self.identifying(|ids| places.iter().map(|place| ids.identify(place)).collect())
    }

    /// Records ids at their places, new ones and moved ones alike.
    pub fn record(&self, identities: &[Identified]) -> Result<()> {
        if identities.is_empty() {
            return Ok(());
        }
        self.journal.write(|db| {
            identities
                .iter()
                .try_for_each(|identity| put(db, &identity.id, &identity.place))
        })
    }

    /// The recorded place of an id.
    pub fn identity(&self, id: &[u8; 16]) -> Result<Option<Place>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT parent, name, kind, uuid FROM identity WHERE id = ?1")?
                .query_row([id], place)
                .optional()?)
        })
    }

    /// Forgets ids whose items the service has said are gone.
    pub fn forget(&self, ids: &[[u8; 16]]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.journal.write(|db| {
            let mut delete = db.prepare_cached("DELETE FROM identity WHERE id = ?1")?;
            for id in ids {
                delete.execute([id])?;
            }
            Ok(())
        })
    }

    /// Forgets every id and what was said of it: the account has left this directory.
    pub fn forget_all(&self) -> Result<()> {
        self.journal.write(|db| {
            db.execute_batch(
                "DELETE FROM identity; DELETE FROM mark; DELETE FROM held; DELETE FROM edit; DELETE FROM sent;
                 DELETE FROM draft; DELETE FROM operation; DELETE FROM conflict; DELETE FROM discarded;
                 DELETE FROM temporary;
                 DELETE FROM setting WHERE key LIKE 'disappearance of %';",
            )?;
            super::marks::count_change(db)
        })
    }
}

/// A new random id.
pub(crate) fn new_id() -> Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| Error::bug("no random numbers"))?;
    Ok(id)
}

fn recorded(db: &Connection, wanted: &Place) -> Result<Option<[u8; 16]>> {
    if let Some(uuid) = wanted.uuid {
        let by_uuid = db
            .prepare_cached("SELECT id FROM identity WHERE uuid = ?1")?
            .query_row([uuid], |row| row.get(0))
            .optional()?;
        if by_uuid.is_some() {
            return Ok(by_uuid);
        }
    }
    // Two uuids that differ are two files, even in one place.
    Ok(db
        .prepare_cached(
            "SELECT id FROM identity
             WHERE parent = ?1 AND name = ?2 AND kind = ?3 AND (uuid IS NULL OR ?4 IS NULL)",
        )?
        .query_row(
            (wanted.parent, &wanted.name, wanted.kind, wanted.uuid),
            |row| row.get(0),
        )
        .optional()?)
}

pub(super) fn put(db: &Transaction<'_>, id: &[u8; 16], place: &Place) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO identity (id, parent, name, kind, uuid) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET
             parent = excluded.parent,
             name = excluded.name,
             kind = excluded.kind,
             uuid = coalesce(excluded.uuid, uuid)",
    )?
    .execute((id, place.parent, &place.name, place.kind, place.uuid))?;
    Ok(())
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        parent: row.get(0)?,
        name: row.get(1)?,
        kind: row.get(2)?,
        uuid: row.get(3)?,
    })
}
