//! How many items there are, where what is shown and what the service has are not the same number.

use super::NOWHERE;
use crate::Result;
use rusqlite::Connection;

/// How many items the service has in a space, as last known: not what is only here, and where the service has it.
pub(in crate::catalog) fn served_items(db: &Connection, space: u8) -> Result<u64> {
    let shown: i64 = db
        .prepare_cached("SELECT items FROM tally WHERE space = ?1")?
        .query_row([space], |row| row.get(0))?;
    // Of the rows that something is wanted of the service's side counts; what is in a folder is where that is, for both.
    let differs: i64 = db
        .prepare_cached(
            "WITH RECURSIVE apart (key, here, there) AS (
                 SELECT t.key, i.space, t.space FROM theirs t JOIN item i ON i.key = t.key
                 WHERE t.kind < 3 AND t.space <> i.space
                 UNION ALL
                 SELECT i.key, a.here, a.there FROM apart a JOIN item i ON i.parent = a.key
                 WHERE i.edit = 0 AND i.key <> a.key
             )
             SELECT (SELECT count(*) FROM theirs WHERE space = ?1)
                 - (SELECT count(*) FROM item WHERE edit <> 0 AND space = ?1)
                 + (SELECT ifnull(sum((a.there = ?1) - (a.here = ?1)), 0)
                    FROM apart a JOIN item i ON i.key = a.key WHERE i.edit = 0)",
        )?
        .query_row([space], |row| row.get(0))?;
    Ok((shown + differs).max(0).unsigned_abs())
}

/// How many items nobody sees, because they are to be gone for ever. They are counted in the trash.
pub(in crate::catalog) fn hidden_items(db: &Connection) -> Result<u64> {
    let hidden: i64 = db
        .prepare_cached(
            "WITH RECURSIVE hidden (key) AS (
                 SELECT key FROM item WHERE parent = ?1
                 UNION ALL
                 SELECT i.key FROM hidden h JOIN item i ON i.parent = h.key
             )
             SELECT count(*) FROM hidden",
        )?
        .query_row([NOWHERE], |row| row.get(0))?;
    Ok(hidden.unsigned_abs())
}
