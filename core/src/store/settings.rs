//! Small values in the journal: who is signed in, which hosts.

use super::Store;
use crate::Result;
use rusqlite::OptionalExtension;

impl Store {
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT value FROM setting WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()?)
        })
    }

    /// `None` removes it.
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<()> {
        self.journal.write(|db| {
            match value {
                Some(value) => db.execute(
                    "INSERT INTO setting VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    [key, value],
                )?,
                None => db.execute("DELETE FROM setting WHERE key = ?1", [key])?,
            };
            Ok(())
        })
    }
}
