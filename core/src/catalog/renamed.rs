//! A renamed file whose uuid was never told.
//!
//! A liststream tells no uuids, so of a file whose folder was never listed by itself there is only the name and the content
//! to go by. When such a folder is listed and the name is missing, one new file in it with the very same content is the
//! file under another name. If it were not (somebody deleted one and stored the same bytes again beside it), the id would
//! go on with the same content in the same folder, so nobody would get or lose anything by it. Where two could be it, or
//! the content says nothing because it is empty, none is.

use super::stage::Run;
use crate::Result;
use rusqlite::OptionalExtension;
use std::collections::HashMap;

/// Missing items looked at.
const LOST: usize = 20_000;

/// Some things of one content: the one, or more.
enum Few<T> {
    One(T),
    More,
}

fn count<T>(all: &mut HashMap<([u8; 16], i64), Few<T>>, content: ([u8; 16], i64), what: T) {
    all.entry(content)
        .and_modify(|few| *few = Few::More)
        .or_insert(Few::One(what));
}

impl Run {
    /// For a folder listing: says of staged files that they are known ones.
    pub fn recognise_renamed(&mut self) -> Result<()> {
        if self.new == 0 {
            return Ok(());
        }
        let mut unseen = self.unseen(LOST, true)?;
        if unseen.is_empty() {
            return Ok(());
        }
        unseen.extend(self.unseen(LOST, false)?);
        let mut lost = HashMap::new();
        for file in self.lost_files(&unseen)? {
            if let ((Some(md5), Some(size @ 1..)), None) = (file.content, file.uuid) {
                count(&mut lost, (md5, size), (file.key, file.left));
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        let renamed = self.store.catalog.read(|db| {
            let mut staged = HashMap::new();
            let mut query = db.prepare_cached(
                "SELECT n, md5, size, uuid FROM stage WHERE run = ?1 AND kind = 3 AND key < 0",
            )?;
            let mut rows = query.query([self.run])?;
            while let Some(row) = rows.next()? {
                let content: (Option<[u8; 16]>, Option<i64>) = (row.get(1)?, row.get(2)?);
                let (Some(md5), Some(size)) = content else {
                    continue;
                };
                let what: (i64, Option<[u8; 16]>) = (row.get(0)?, row.get(3)?);
                count(&mut staged, (md5, size), what);
            }
            let mut known = db.prepare_cached(
                "SELECT 1 FROM served WHERE uuid = ?1 UNION ALL SELECT 1 FROM gone WHERE uuid = ?1",
            )?;
            let mut renamed = Vec::new();
            for (content, lost) in lost {
                if let (Few::One((key, true)), Some(Few::One((n, Some(uuid))))) =
                    (lost, staged.remove(&content))
                    && known.query_row([uuid], |_| Ok(())).optional()?.is_none()
                {
                    renamed.push((n, key));
                }
            }
            Ok(renamed)
        })?;
        if renamed.is_empty() {
            return Ok(());
        }
        self.store.catalog.write(|db| {
            self.still(db)?;
            let mut tell =
                db.prepare_cached("UPDATE stage SET key = ?3 WHERE run = ?1 AND n = ?2")?;
            for (n, key) in &renamed {
                tell.execute((self.run, n, key))?;
            }
            Ok(())
        })?;
        for (_, key) in renamed {
            self.marks.mark(key);
        }
        Ok(())
    }
}
