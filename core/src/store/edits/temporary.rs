//! Temporary files that we have on the service.

use crate::Result;
use crate::store::Store;

impl Store {
    /// Notes a temporary file on the service, before it is made; it is deleted there whatever happens here.
    pub fn add_temporary(&self, path: &str) -> Result<()> {
        let now = self.now_ms();
        self.journal.write(|db| {
            db.prepare_cached("INSERT OR REPLACE INTO temporary VALUES (?1, ?2)")?
                .execute((path, now))?;
            Ok(())
        })
    }

    pub fn remove_temporary(&self, path: &str) -> Result<()> {
        self.journal.write(|db| {
            db.prepare_cached("DELETE FROM temporary WHERE path = ?1")?
                .execute([path])?;
            Ok(())
        })
    }

    /// The temporary files, and since when they are.
    pub fn temporaries(&self) -> Result<Vec<(String, i64)>> {
        self.journal.read(|db| {
            Ok(db
                .prepare_cached("SELECT path, since_ms FROM temporary ORDER BY since_ms")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?)
        })
    }
}
