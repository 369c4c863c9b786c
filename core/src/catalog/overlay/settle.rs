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
            let mut all: Vec<Id> = ids.to_vec();
            all.sort_unstable();
            all.dedup();
            let (count, newest) = self.store.newest_changes(&all)?;
            // Each of these rows explains one change that was missed: its newest, or that it was removed. If they explain
            // all of them, nothing else has changed.
            let mut explained = 0;
            for (id, newest) in all.iter().zip(newest) {
                explained += i64::from(match newest {
                    Some(newest) => newest > seen,
                    None => change.is_wanted(id)?,
                });
            }
            let count = if count - seen == explained {
                count
            } else {
                let (rows, count) = self.store.all_edits()?;
                let mut met: HashSet<Id> = all.iter().copied().collect();
                all.extend(rows.into_iter().filter(|id| met.insert(*id)));
                let edited: Vec<Option<Id>> = db
                    .prepare_cached("SELECT id FROM item WHERE edit <> 0")?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                all.extend(edited.into_iter().flatten().filter(|id| met.insert(*id)));
                count
            };
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
