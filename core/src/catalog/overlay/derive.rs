//! What an app sees of a row: the service's side, and what is wanted on top.

use super::{CONTENT, HIDDEN, KEPT, LINK, NEW, NOWHERE, PLACE, TRASH, TRASH_ROOT, WANTED};
use super::{seconds, shown};
use crate::Result;
use crate::catalog::change::{Change, Spot};
use crate::catalog::facts::Known;
use crate::catalog::refresh::target;
use crate::catalog::row::{self, FILE, fold, origin_path, origin_text};
use crate::store::{EditRow, Fate};
use rusqlite::OptionalExtension;

impl Change<'_> {
    /// Makes what an app sees of a row: the service's side, and what is wanted on top.
    pub(super) fn derive(&mut self, key: i64) -> Result<()> {
        let Some(before) = shown(self.db, key)? else {
            return Ok(());
        };
        let wish = match before.id {
            Some(id) => self.store.edit(&id)?,
            None => None,
        };
        match (wish, self.edit(key)?) {
            (Some(wish), bits) => self.overlay(before, bits, &wish),
            (None, 0) => Ok(()),
            (None, _) => self.lay_bare(before),
        }
    }

    /// Nothing is wanted of the row any more.
    fn lay_bare(&mut self, before: Known) -> Result<()> {
        let key = before.key;
        let Some((spot, facts)) = self.theirs(key)? else {
            if before.facts.kind != FILE && self.has_children(key)? {
                return self.set_edit(key, KEPT);
            }
            return self.remove_now(before);
        };
        self.db
            .prepare_cached("DELETE FROM theirs WHERE key = ?1")?
            .execute([key])?;
        self.hide((self.edit(key)?, 0), &before)?;
        self.set_edit(key, 0)?;
        let there = shown(self.db, spot.parent)?.is_some();
        if !there {
            // The folder that it was in on the service is gone.
            return self.remove_now(before);
        }
        let spot = self.in_its_folder(spot)?;
        self.write(&before, spot, facts)?;
        self.settle_local(key)
    }

    /// Puts what is wanted on top.
    fn overlay(&mut self, before: Known, bits: u8, wish: &EditRow) -> Result<()> {
        let key = before.key;
        if bits & WANTED == 0 && bits != KEPT {
            // The first wish: what an app saw until now is the service's side.
            let spot = Spot {
                parent: before.parent,
                space: self.served_space(key)?.unwrap_or(before.space),
            };
            self.put_theirs(key, spot, &before.facts)?;
        }
        let theirs = self.theirs(key)?;
        let (mut spot, mut facts) = theirs.clone().unwrap_or_else(|| {
            let spot = Spot {
                parent: before.parent,
                space: before.space,
            };
            (spot, before.facts.clone())
        });
        let mut now = if wish.is_new { NEW } else { 0 };
        if let Some(content) = &wish.content {
            now |= CONTENT;
            facts.size = i64::try_from(content.size).ok();
            facts.md5 = Some(content.md5);
            facts.modified_ms = seconds(content.modified_ms);
            facts.created_ms = seconds(content.created_ms);
            facts.revision = None;
        }
        if let Some(link) = wish.link {
            now |= LINK;
            facts.shared = Some(link);
        }
        match (wish.fate, &wish.place) {
            (Some(Fate::Purge), _) => {
                now |= HIDDEN;
                spot = Spot {
                    parent: NOWHERE,
                    space: TRASH,
                };
            }
            (Some(Fate::Trash), _) => {
                now |= PLACE;
                if let Some((theirs, _)) = &theirs
                    && theirs.space != TRASH
                {
                    let folder = target(self.db, theirs.parent)?.and_then(|folder| folder.path);
                    facts.origin = folder.as_ref().map(origin_text);
                    facts.deleted_ms = seconds(Some(wish.since_ms));
                    spot = Spot {
                        parent: TRASH_ROOT,
                        space: TRASH,
                    };
                }
            }
            (Some(Fate::Restore), _) => {
                now |= PLACE;
                if let Some(origin) = facts.origin.take() {
                    facts.deleted_ms = None;
                    let root = row::root_key(row::origin_space(&origin));
                    let folder = self.folder_for(&origin_path(&origin))?;
                    spot.parent = folder.unwrap_or(root);
                }
            }
            (None, Some(place)) => {
                now |= PLACE;
                if let Some(parent) = self.folder_of(&place.parent, 0)? {
                    spot.parent = parent;
                }
                facts.name.clone_from(&place.name);
                facts.fold = fold(&place.name);
            }
            (None, None) => {}
        }
        if now != bits {
            self.set_edit(key, now)?;
            self.hide((bits, now), &before)?;
        }
        let spot = self.in_its_folder(spot)?;
        self.write(&before, spot, facts)?;
        self.db
            .prepare_cached("UPDATE item SET ws = 1 WHERE key = ?1 AND ws <> 1 AND parent <> 0")?
            .execute([key])?;
        match &wish.content {
            Some(content) if !content.file.is_empty() => self.put_local(key, 1),
            _ => self.settle_local(key),
        }
    }

    /// What is to be gone for ever is told as gone, and as back if it is not to be any more.
    fn hide(&mut self, (was, is): (u8, u8), row: &Known) -> Result<()> {
        if was & HIDDEN == is & HIDDEN {
            return Ok(());
        }
        if is & HIDDEN == 0 {
            self.db
                .prepare_cached("DELETE FROM gone WHERE id = ?1")?
                .execute([row.id])?;
            return Ok(());
        }
        let seq = self.next_seq();
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO gone (id, seq, kind, name) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((row.id, seq, row.facts.kind, &row.facts.name))?;
        Ok(())
    }

    fn put_local(&self, key: i64, local: u8) -> Result<()> {
        self.db
            .prepare_cached(
                "UPDATE item SET local = ?2, stale_ms = iif(?2 = 2, ifnull(stale_ms, 0), NULL)
                 WHERE key = ?1 AND local <> ?2",
            )?
            .execute((key, local))?;
        Ok(())
    }

    /// Whether the content is here, by the slots.
    fn settle_local(&self, key: i64) -> Result<()> {
        let Some(row) = shown(self.db, key)?.filter(|row| row.facts.kind == FILE) else {
            return Ok(());
        };
        let newest = row
            .facts
            .md5
            .map(|md5| row::content_version(md5, row.facts.size.unwrap_or(0).unsigned_abs()));
        let local: u8 = self
            .db
            .prepare_cached(
                "SELECT iif(version = ?2, 1, 2) FROM slot WHERE id = ?1 AND whole = 1
                 ORDER BY version <> ?2 LIMIT 1",
            )?
            .query_row((row.id.unwrap_or_default(), newest), |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        self.put_local(key, local)
    }
}
