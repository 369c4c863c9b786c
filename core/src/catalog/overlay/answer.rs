//! What the service has just said of an item that we changed.

use super::{TRASH, TRASH_ROOT, seconds, shown};
use crate::catalog::Catalog;
use crate::catalog::change::{Change, Spot};
use crate::catalog::facts::{Facts, Known};
use crate::catalog::merge::{by_uuid, change};
use crate::catalog::mint::place_name;
use crate::catalog::read::key_of;
use crate::catalog::refresh::target;
use crate::catalog::row::{Id, fold, id_text, origin_text};
use crate::catalog::stage::file_facts;
use crate::remote::RemoteFile;
use crate::store::Mark;
use crate::{Error, Result};

/// What the service has just said of an item that we changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The file, in this folder.
    File { parent: Id, file: RemoteFile },
    /// A folder of this name, in this folder.
    Folder { parent: Id, name: String },
    /// It is in the trash since then.
    Trashed { deleted_ms: i64 },
    /// It is on the service nowhere.
    Gone,
}

impl Change<'_> {
    /// Another row that is the same file or folder of the service: a listing was faster than our answer.
    fn unite(&mut self, key: i64, spot: Spot, facts: &Facts) -> Result<()> {
        let others: Vec<i64> = self
            .db
            .prepare_cached(
                "SELECT key FROM served
                 WHERE key <> ?1 AND ((uuid = ?2 AND kind = 3)
                     OR (parent = ?3 AND (kind = 3) = (?4 = 3) AND fold = ?5 AND name = ?6 AND key <> ?3
                         AND (uuid IS NULL OR ?2 IS NULL)))",
            )?
            .query_map(
                (
                    key,
                    facts.uuid,
                    spot.parent,
                    facts.kind,
                    &facts.fold,
                    &facts.name,
                ),
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        for other in others {
            for (child, ..) in self.children(other)? {
                if let Some(below) = shown(self.db, child)? {
                    let spot = Spot {
                        parent: key,
                        space: below.space,
                    };
                    let facts = below.facts.clone();
                    self.write(&below, spot, facts)?;
                }
            }
            self.db
                .prepare_cached("UPDATE theirs SET parent = ?2 WHERE parent = ?1")?
                .execute((other, key))?;
            if self.edit(other)? == 0
                && let Some(row) = shown(self.db, other)?
            {
                self.remove_now(row)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, id: &Id, answer: &Answered) -> Result<()> {
        let Some(key) = key_of(self.db, id)? else {
            return Ok(());
        };
        let Some(before) = shown(self.db, key)? else {
            return Ok(());
        };
        let bits = self.edit(key)?;
        let known = self.known(key)?;
        let (parent, facts) = match answer {
            Answered::Gone => {
                // With all that the service had in it; what is wanted of that stays.
                if bits == 0 {
                    return self.remove(key);
                }
                for below in self.served_children(key)? {
                    self.remove(below.key)?;
                }
                return self.lose_theirs(key);
            }
            Answered::File { parent, file } => {
                let Some(facts) = file_facts(RemoteFile {
                    deleted_ms: None,
                    ..file.clone()
                }) else {
                    return Err(Error::bad_answer("no file where one was made"));
                };
                (self.folder_of(parent, 0)?, facts)
            }
            Answered::Folder { parent, name } => {
                let facts = Facts {
                    kind: before.facts.kind,
                    fold: fold(name),
                    name: name.clone(),
                    ..Facts::default()
                };
                (self.folder_of(parent, 0)?, facts)
            }
            Answered::Trashed { deleted_ms } => {
                let Some(known) = known.as_ref().filter(|known| known.space != TRASH) else {
                    return Ok(());
                };
                let folder = target(self.db, known.parent)?.and_then(|folder| folder.path);
                let facts = Facts {
                    origin: folder.as_ref().map(origin_text),
                    deleted_ms: seconds(Some(*deleted_ms)),
                    ..known.facts.clone()
                };
                (Some(TRASH_ROOT), facts)
            }
        };
        let Some(parent) = parent else {
            return Ok(());
        };
        self.raise(parent)?;
        let space = self.served_space(parent)?.unwrap_or(before.space);
        let spot = Spot { parent, space };
        self.unite(key, spot, &facts)?;
        let mut known = known;
        if bits != 0
            && let Some(other) = known.take_if(|known| is_other(known, spot, &facts))
        {
            // What the service had of it is another file there, and stays.
            self.add(other.parent, &other.facts)?;
        }
        match known {
            Some(known) if bits == 0 => {
                let facts = facts.over(&known.facts);
                let spot = self.in_its_folder(spot)?;
                self.write(&known, spot, facts)
            }
            known => {
                let facts = match &known {
                    Some(known) => facts.over(&known.facts),
                    None => facts,
                };
                self.put_theirs(key, spot, &facts)?;
                let record = place_name(&facts.name, facts.origin.as_deref(), facts.deleted_ms);
                self.record_place(key, parent, record, &facts)?;
                self.derive(key)
            }
        }
    }

    /// The service's file of this uuid is the item's. A listing that shows it elsewhere has been there first, perhaps.
    fn learn(&mut self, id: &Id, uuid: &Id) -> Result<()> {
        let Some(key) = key_of(self.db, id)? else {
            return Ok(());
        };
        let Some(known) = self.known(key)?.filter(|known| known.facts.uuid.is_none()) else {
            return Ok(());
        };
        let now = by_uuid(self.db, uuid)?.unwrap_or(known);
        let spot = Spot {
            parent: now.parent,
            space: now.space,
        };
        let facts = Facts {
            uuid: Some(*uuid),
            ..now.facts
        };
        self.unite(key, spot, &facts)?;
        self.put_theirs(key, spot, &facts)?;
        self.derive(key)
    }
}

/// Whether the service has two files by now: the one that was known, and this elsewhere.
fn is_other(known: &Known, spot: Spot, facts: &Facts) -> bool {
    let same_place = (known.parent, &known.facts.name) == (spot.parent, &facts.name);
    let uuids = known.facts.uuid.zip(facts.uuid);
    !same_place && uuids.is_some_and(|(known, now)| known != now)
}

impl Catalog {
    /// Notes the service's answer as its side of the item. What the outbox wants stays on top of it.
    pub(crate) fn note_answer(&self, id: &Id, answer: &Answered) -> Result<()> {
        let ((), merged) = change(&self.store, |change, _| change.answer(id, answer))?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }

    /// Notes the uuid of an edited file that this catalogue was never told, or has forgotten.
    pub(crate) fn learn_uuid(&self, id: &Id, uuid: &Id) -> Result<()> {
        let ((), merged) = change(&self.store, |change, _| change.learn(id, uuid))?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }

    /// Two ids turned out to be one item: `lost` is told as gone, what is in it goes into `kept`, and so does what a person
    /// has said of it.
    pub(crate) fn merge_into(&self, lost: &Id, kept: &Id) -> Result<()> {
        for mark in [Mark::Pinned, Mark::Favourite, Mark::Opened] {
            if self.store.mark(lost, mark)?.is_some() {
                self.set_mark(&id_text(*kept), mark, true)?;
                self.set_mark(&id_text(*lost), mark, false)?;
            }
        }
        let ((), merged) = change(&self.store, |change, db| {
            let (Some(from), Some(to)) = (key_of(db, lost)?, key_of(db, kept)?) else {
                return Ok(());
            };
            change.edited = true;
            for (child, ..) in change.children(from)? {
                if let Some(below) = shown(db, child)? {
                    let spot = change.in_its_folder(Spot {
                        parent: to,
                        space: below.space,
                    })?;
                    let facts = below.facts.clone();
                    change.write(&below, spot, facts)?;
                }
            }
            db.prepare_cached("UPDATE theirs SET parent = ?2 WHERE parent = ?1")?
                .execute((from, to))?;
            db.prepare_cached("DELETE FROM theirs WHERE key = ?1")?
                .execute([from])?;
            match shown(db, from)? {
                Some(row) => change.remove_now(row),
                None => Ok(()),
            }
        })?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }
}
