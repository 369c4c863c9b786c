//! Leases: who may do something that only one process at a time may do.
//!
//! A lease is a row with a holder, a generation and an end, so no lock is held while it is used
//! and a suspended or killed holder blocks nobody for longer than its time. A holder that lost it
//! finds out, because every change of hands raises the generation.
//!
//! The end is wall-clock time. A clock that was set back makes an old end look far away, so an
//! end more than twice the lease's length ahead counts as past.

use super::Store;
use crate::Result;
use rusqlite::OptionalExtension;
use std::time::Duration;

/// A taken lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    pub name: String,
    pub holder: String,
    pub generation: i64,
}

impl Store {
    /// Takes the lease `name` until `ttl` from now, if it is free, expired or ours.
    pub fn acquire_lease(&self, name: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>> {
        let now = self.now_ms();
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 4);
        let generation: Option<i64> = self.journal.write(|db| {
            Ok(db
                .query_row(
                    "INSERT INTO lease VALUES (?1, ?2, 1, ?3 + ?4, ?4)
                     ON CONFLICT (name) DO UPDATE SET
                         generation = generation + (holder IS NOT excluded.holder),
                         holder = excluded.holder,
                         expires_ms = excluded.expires_ms,
                         ttl_ms = excluded.ttl_ms
                     WHERE holder IS NULL
                        OR holder = excluded.holder
                        OR expires_ms <= ?3
                        OR expires_ms > ?3 + 2 * lease.ttl_ms
                     RETURNING generation",
                    (name, holder, now, ttl_ms),
                    |row| row.get(0),
                )
                .optional()?)
        })?;
        Ok(generation.map(|generation| Lease {
            name: name.to_owned(),
            holder: holder.to_owned(),
            generation,
        }))
    }

    /// Whether the lease is still ours. One that has run out is, until somebody takes it.
    pub fn holds(&self, lease: &Lease) -> Result<bool> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT 1 FROM lease WHERE name = ?1 AND holder = ?2 AND generation = ?3",
                )?
                .exists((&lease.name, &lease.holder, lease.generation))?)
        })
    }

    /// Gives it back; fine if it is not ours any more.
    pub fn release(&self, lease: &Lease) -> Result<()> {
        self.journal.write(|db| {
            // The row stays, so that its generation never comes again.
            db.execute(
                "UPDATE lease SET holder = NULL, generation = generation + 1
                 WHERE name = ?1 AND holder = ?2 AND generation = ?3",
                (&lease.name, &lease.holder, lease.generation),
            )?;
            Ok(())
        })
    }
}
