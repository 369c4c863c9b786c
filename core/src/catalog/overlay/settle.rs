//! The catalogue follows the outbox.

use crate::Result;
use crate::catalog::Catalog;
use crate::catalog::merge::change;
use crate::catalog::row::Id;
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

fn seen_edits(db: &Connection) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT edits FROM meta")?
        .query_row([], |row| row.get(0))?)
}

impl Catalog {
    /// Brings what an app sees of these items to what the outbox says of them now, in one transaction, and tells the
    /// feed. Reads the whole outbox instead if the catalogue has missed a change of it.
    pub(crate) fn settle_edits(&self, ids: &[Id]) -> Result<()> {
        let ((), merged) = change(&self.store, |change, db| {
            let seen = seen_edits(db)?;
            let missed = self.store.changed_after(seen)?;
            let (mut all, count) = match missed {
                Some((changed, count)) => ([changed, ids.to_vec()].concat(), count),
                None => {
                    let (rows, count) = self.store.all_edits()?;
                    let edited: Vec<Option<Id>> = db
                        .prepare_cached("SELECT id FROM item WHERE edit <> 0")?
                        .query_map([], |row| row.get(0))?
                        .collect::<rusqlite::Result<_>>()?;
                    let edited = edited.into_iter().flatten();
                    (
                        ids.iter().copied().chain(rows).chain(edited).collect(),
                        count,
                    )
                }
            };
            let mut met = HashSet::new();
            all.retain(|id| met.insert(*id));
            for id in &all {
                change.settle(id)?;
            }
            if change.edited {
                change.drop_kept()?;
            }
            db.prepare_cached("UPDATE meta SET edits = ?1")?
                .execute([count])?;
            Ok(())
        })?;
        if merged.changed {
            (self.changed)();
        }
        Ok(())
    }

    /// Reads the outbox again if it has changed elsewhere.
    pub(in crate::catalog) fn settle_other_edits(&self) -> Result<()> {
        let count = self.store.edits_count()?;
        if self.store.catalog.read(seen_edits)? == count {
            return Ok(());
        }
        self.settle_edits(&[])
    }

    /// The same, once for each drive, before rows are read.
    pub(in crate::catalog) fn settle_edits_once(&self) -> Result<()> {
        if !self.edits_settled.load(Ordering::Relaxed) {
            self.settle_other_edits()?;
            self.edits_settled.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
