//! Where the catalogue stood before the service was asked.
//!
//! An answer is about the time of the question: rows that are newer it says nothing about, and in
//! another life of the catalogue (after a sign-out, or a damaged file) it has no place at all.

use super::row::Id;
use crate::{Error, Result};
use rusqlite::Connection;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    instance: Id,
    /// Rows changed after this are newer than the answer.
    pub seq: i64,
    /// Keys from here on did not exist.
    pub next_key: i64,
}

impl Moment {
    pub fn now(db: &Connection) -> Result<Self> {
        Ok(db
            .prepare_cached("SELECT instance, seq, next_key FROM meta")?
            .query_row([], |row| {
                Ok(Self {
                    instance: row.get(0)?,
                    seq: row.get(1)?,
                    next_key: row.get(2)?,
                })
            })?)
    }

    /// `StoreBusy` in another life: ask the service again.
    pub fn check(&self, db: &Connection) -> Result<()> {
        if Self::now(db)?.instance == self.instance {
            Ok(())
        } else {
            Err(Error::StoreBusy)
        }
    }
}
