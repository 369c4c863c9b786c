//! Which catalogue file is in use.
//!
//! The journal says it, every call on the catalogue looks there first, and a number is never used
//! twice. So a file can be given up while another process has it open: that process notices with
//! its next call. Given-up files are removed much later, when nobody can still be using them.

use super::Db;
use crate::Result;
use crate::clock::Clock;
use crate::disk::Disk;
use rusqlite::OptionalExtension;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A process that had a file open this long after its end has made no call in all that time.
const KEEP_MS: i64 = 7 * 24 * 60 * 60 * 1000;

pub(super) struct Generations {
    directory: PathBuf,
    journal: Arc<Db>,
    clock: Arc<dyn Clock>,
}

impl Generations {
    pub fn new(directory: &Path, journal: Arc<Db>, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: directory.to_owned(),
            journal,
            clock,
        }
    }

    pub fn current(&self) -> Result<i64> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT max(n) FROM generation")?
                .query_row([], |row| row.get(0))?)
        })
    }

    pub fn path(&self, generation: i64) -> PathBuf {
        path(&self.directory, generation)
    }

    /// Gives up `damaged`, unless another thread or process already has; the number to use now.
    pub fn replace(&self, damaged: i64) -> Result<i64> {
        let now = self.clock.now_ms();
        self.journal.write(|db| {
            db.execute(
                "INSERT INTO generation SELECT max(n) + 1, ?2 FROM generation HAVING max(n) = ?1",
                (damaged, now),
            )?;
            Ok(db.query_row("SELECT max(n) FROM generation", [], |row| row.get(0))?)
        })
    }
}

fn path(directory: &Path, generation: i64) -> PathBuf {
    directory.join(format!("catalog-{generation}.db"))
}

/// Removes the files of generations that ended long ago.
pub(super) fn remove_old(
    directory: &Path,
    journal: &Db,
    clock: &dyn Clock,
    disk: &dyn Disk,
) -> Result<()> {
    let old: Option<i64> = journal.read(|db| {
        Ok(db
            .query_row(
                "SELECT max(n) FROM generation WHERE started_ms < ?1 AND n > 1",
                [clock.now_ms().saturating_sub(KEEP_MS)],
                |row| row.get(0),
            )
            .optional()?
            .flatten())
    })?;
    let Some(first_kept) = old else {
        return Ok(());
    };
    for generation in 1..first_kept {
        let main = path(directory, generation);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = main.clone().into_os_string();
            name.push(suffix);
            disk.remove(Path::new(&name))?;
        }
    }
    journal.write(|db| {
        db.execute("DELETE FROM generation WHERE n < ?1", [first_kept])?;
        Ok(())
    })
}
