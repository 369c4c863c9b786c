//! Small values in the journal: who is signed in, which hosts.

use super::Store;
use crate::Result;
use rusqlite::{Connection, OptionalExtension};

impl Store {
    pub fn setting(&self, key: &str) -> Result<Option<String>> {
        self.journal.read(|db| read(db, key))
    }

    /// Replaces a value by what `change` makes of it, in one transaction; `None` removes it.
    pub fn update_setting<T>(
        &self,
        key: &str,
        change: impl FnOnce(Option<String>) -> Result<(Option<String>, T)>,
    ) -> Result<T> {
        self.journal.write(|db| {
            let (value, result) = change(read(db, key)?)?;
            match value {
                Some(value) => db.execute(
                    "INSERT INTO setting VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    [key, &value],
                )?,
                None => db.execute("DELETE FROM setting WHERE key = ?1", [key])?,
            };
            Ok(result)
        })
    }

    #[cfg(test)]
    pub fn set_setting(&self, key: &str, value: Option<&str>) -> Result<()> {
        self.update_setting(key, |_| Ok((value.map(str::to_owned), ())))
    }
}

fn read(db: &Connection, key: &str) -> Result<Option<String>> {
    Ok(db
        .prepare_cached("SELECT value FROM setting WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?)
}
