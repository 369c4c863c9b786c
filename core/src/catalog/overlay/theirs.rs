//! The service's side of what something is wanted of, and who asks for it.

use crate::catalog::change::{Change, Spot};
use crate::catalog::facts::{Facts, Known, facts};
use crate::catalog::read::key_of;
use crate::catalog::refresh::target;
use crate::catalog::row::{Id, fold, id_bytes, id_text};
use crate::catalog::{Catalog, ItemId};
use crate::remote::{RemoteFile, RemotePath};
use crate::{Error, Result};
use rusqlite::OptionalExtension;

/// The service's side of an item, as last known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theirs {
    pub parent: Id,
    /// In the service's spelling.
    pub name: String,
    pub uuid: Option<Id>,
    pub md5: Option<[u8; 16]>,
    pub size: Option<u64>,
    pub revision: Option<u64>,
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
    pub shared: Option<bool>,
    /// In the trash: since when.
    pub deleted_ms: Option<i64>,
    /// Where it is on the service; in the trash, where it was.
    pub path: RemotePath,
}

impl Change<'_> {
    /// The service says something new of a row that something is wanted of.
    pub(in crate::catalog) fn update_theirs(
        &mut self,
        before: &Known,
        spot: Spot,
        facts: &Facts,
    ) -> Result<()> {
        if (before.parent, before.space, &before.facts) == (spot.parent, spot.space, facts) {
            return Ok(());
        }
        self.put_theirs(before.key, spot, facts)?;
        self.counts.changed += 1;
        self.derive(before.key)
    }

    pub(super) fn put_theirs(&mut self, key: i64, spot: Spot, facts: &Facts) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO theirs (key, parent, space, kind, name, fold, size, md5, modified_ms,
                     created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(rusqlite::params![
                key,
                spot.parent,
                spot.space,
                facts.kind,
                facts.name,
                facts.fold,
                facts.size,
                facts.md5,
                facts.modified_ms,
                facts.created_ms,
                facts.updated_ms,
                facts.uuid,
                facts.revision,
                facts.mime,
                facts.shared,
                facts.deleted_ms,
                facts.origin,
            ])?;
        Ok(())
    }

    /// The service has it no more.
    pub(in crate::catalog) fn lose_theirs(&mut self, key: i64) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM theirs WHERE key = ?1")?
            .execute([key])?;
        self.counts.deleted += 1;
        self.derive(key)
    }

    /// The space that the service has a row in.
    pub(super) fn served_space(&self, key: i64) -> Result<Option<u8>> {
        Ok(target(self.db, key)?.map(|target| target.space))
    }

    pub(super) fn theirs(&self, key: i64) -> Result<Option<(Spot, Facts)>> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT parent, space, kind, name, fold, size, md5, modified_ms, created_ms, updated_ms, uuid,
                     revision, mime, shared, deleted_ms, origin
                 FROM theirs WHERE key = ?1",
            )?
            .query_row([key], |row| {
                let spot = Spot {
                    parent: row.get(0)?,
                    space: row.get(1)?,
                };
                Ok((spot, facts(row, 2)?))
            })
            .optional()?)
    }
}

impl Catalog {
    /// The service's side; `None` for what the service never had, or is not known to have any more.
    pub(crate) fn theirs(&self, id: &Id) -> Result<Option<Theirs>> {
        let item = id_text(*id);
        let key = match self.key(&item) {
            Ok(key) => key,
            Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = self.store.catalog.read(|db| {
            let row: Option<(i64, Facts)> = db
                .prepare_cached(
                    "SELECT parent, kind, name, fold, size, md5, modified_ms, created_ms, updated_ms, uuid,
                         revision, mime, shared, deleted_ms, origin
                     FROM served WHERE key = ?1",
                )?
                .query_row([key], |row| Ok((row.get(0)?, facts(row, 1)?)))
                .optional()?;
            let path = target(db, key)?.and_then(|target| target.path);
            Ok(row.zip(path))
        })?;
        let Some(((parent, facts), path)) = found else {
            return Ok(None);
        };
        let Some(parent) = self.items(&[parent])?.pop() else {
            return Ok(None);
        };
        Ok(Some(Theirs {
            parent: id_bytes(&parent.id).ok_or_else(|| Error::bug("a folder without an id"))?,
            name: facts.name,
            uuid: facts.uuid,
            md5: facts.md5,
            size: facts.size.map(i64::unsigned_abs),
            revision: facts.revision.map(i64::unsigned_abs),
            created_ms: facts.created_ms,
            modified_ms: facts.modified_ms,
            shared: facts.shared,
            deleted_ms: facts.deleted_ms,
            path,
        }))
    }

    /// Whether the service never had it, or has it no more: there is nothing to ask.
    pub(in crate::catalog) fn is_only_here(&self, id: &ItemId) -> Result<bool> {
        let Some(id) = id_bytes(id) else {
            return Ok(false);
        };
        self.store.catalog.read(|db| {
            let Some(key) = key_of(db, &id)? else {
                return Ok(false);
            };
            let served = db
                .prepare_cached("SELECT 1 FROM served WHERE key = ?1")?
                .exists([key])?;
            Ok(!served)
        })
    }

    /// Where the service has a folder or file, by its id.
    pub(crate) fn their_path(&self, id: &Id) -> Result<Option<RemotePath>> {
        let Ok(key) = self.key(&id_text(*id)) else {
            return Ok(None);
        };
        let target = self.store.catalog.read(|db| target(db, key))?;
        Ok(target.and_then(|target| target.path))
    }

    /// What has a name in a folder, in the view that an app sees. Case and normalisation do not tell names apart.
    pub(crate) fn holder_of_name(
        &self,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        self.holder("item", parent, name, but)
    }

    /// What has a name in a folder of the service, as last known.
    pub(crate) fn their_holder_of_name(
        &self,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        self.holder("served", parent, name, but)
    }

    /// The file or folder that the service has at a place, or the file with this uuid, if an app knows it by another id
    /// than `but`.
    pub(crate) fn known_otherwise(
        &self,
        (parent, name): (&Id, &str),
        file: Option<&RemoteFile>,
        but: &Id,
    ) -> Result<Option<Id>> {
        let Ok(folder) = self.key(&id_text(*parent)) else {
            return Ok(None);
        };
        let uuid = file.and_then(|file| file.uuid);
        self.store.catalog.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT id FROM served
                     WHERE id IS NOT NULL AND id <> ?1 AND ((kind = 3 AND uuid = ?2)
                         OR (parent = ?3 AND key <> ?3 AND (kind = 3) = ?4 AND fold = ?5
                             AND (uuid IS NULL OR ?2 IS NULL)))
                     ORDER BY uuid IS NULL, name <> ?6 LIMIT 1",
                )?
                .query_row(
                    (but, uuid, folder, file.is_some(), fold(name), name),
                    |row| row.get(0),
                )
                .optional()?)
        })
    }

    fn holder(
        &self,
        view: &str,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        let Ok(folder) = self.key(&id_text(*parent)) else {
            return Ok(None);
        };
        let found: Option<i64> = self.store.catalog.read(|db| {
            let mut found = None;
            for file in [false, true] {
                found = found.or(db
                    .prepare_cached(&format!(
                        "SELECT key FROM {view}
                         WHERE parent = ?1 AND (kind = 3) = ?2 AND fold = ?3 AND key <> ?1 AND id IS NOT ?4
                         ORDER BY name <> ?5 LIMIT 1"
                    ))?
                    .query_row((folder, file, fold(name), but, name), |row| row.get(0))
                    .optional()?);
            }
            Ok(found)
        })?;
        Ok(match found {
            Some(key) => self.items(&[key])?.pop().map(|item| item.id),
            None => None,
        })
    }
}
