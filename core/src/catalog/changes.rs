//! The change feed: one sequence over everything, with tombstones.
//!
//! Every change takes the next number inside the transaction that makes it, and SQLite has one
//! writer, so numbers appear in order and a reader that has seen `n` has seen all up to `n`. An
//! item has one number, its newest, and is either there or gone: it comes once.

use super::flags::PinnedFolders;
use super::read::{Meta, row_of};
use super::row::id_text;
use super::token::{anchor, anchor_seq};
use super::{Catalog, Changes};
use crate::{Error, Result};

/// Whose changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    All,
    WorkingSet,
}

impl Feed {
    /// Number, key, id, and whether it is gone from the feed's view.
    fn sql(self) -> &'static str {
        match self {
            Self::All => {
                "SELECT seq, key, NULL, 0 FROM item WHERE seq > ?1
                 UNION ALL SELECT seq, NULL, id, 1 FROM gone WHERE seq > ?1
                 ORDER BY 1 LIMIT ?2"
            }
            Self::WorkingSet => {
                "SELECT seq, key, id, ws = 2 FROM item WHERE seq > ?1 AND ws <> 0
                 UNION ALL SELECT seq, NULL, id, 1 FROM gone WHERE seq > ?1
                 ORDER BY 1 LIMIT ?2"
            }
        }
    }
}

enum Change {
    Updated(i64),
    Gone(super::row::Id),
    /// Nobody was ever told of it.
    Nothing,
}

impl Catalog {
    pub(super) fn read_anchor(&self) -> Result<String> {
        let meta = self.store.catalog.read(Meta::read)?;
        Ok(anchor(meta.instance, meta.seq))
    }

    pub(super) fn read_changes(&self, since: &str, limit: u32, feed: Feed) -> Result<Changes> {
        if !(1..=1_000).contains(&limit) {
            return Err(Error::invalid("limit is not 1 to 1,000"));
        }
        let mut deleted = Vec::new();
        let (rows, anchor, more) = self.store.catalog.read(|db| {
            let meta = Meta::read(db)?;
            let seq = anchor_seq(meta.instance, since)?;
            let in_a_gap = db
                .prepare_cached("SELECT 1 FROM gap WHERE before < ?1 AND ?1 < after")?
                .exists([seq])?;
            if seq > meta.seq || in_a_gap {
                // A power cut has taken back what it had seen.
                return Err(Error::AnchorExpired);
            }
            let mut both = db.prepare_cached(feed.sql())?;
            let mut page = both
                .query_map((seq, limit + 1), |row| {
                    let change = match (row.get(3)?, row.get(1)?, row.get(2)?) {
                        (false, Some(key), _) => Change::Updated(key),
                        (true, _, Some(id)) => Change::Gone(id),
                        _ => Change::Nothing,
                    };
                    Ok((row.get::<_, i64>(0)?, change))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let more = page.len() > limit as usize;
            page.truncate(limit as usize);
            let end = match page.last() {
                Some((seq, _)) if more => *seq,
                _ => meta.seq,
            };
            let life = meta.life();
            let mut rows = Vec::new();
            let mut pinned = PinnedFolders::default();
            for (_, change) in page {
                match change {
                    Change::Updated(key) => rows.extend(row_of(db, &life, key, &mut pinned)?),
                    Change::Gone(id) => deleted.push(id_text(id)),
                    Change::Nothing => {}
                }
            }
            Ok((rows, anchor(meta.instance, end), more))
        })?;
        Ok(Changes {
            updated: self.with_ids(rows)?,
            deleted,
            anchor,
            more,
        })
    }
}
