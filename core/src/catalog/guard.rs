//! The guard against mass disappearance: a listing may be complete, authenticated and still wrong about the world (a
//! share that was unmounted, an account that was emptied by mistake, a server's bad day).
//!
//! When a great part of a space would go at once, nothing goes until a person has said that it is right. What has only
//! moved does not count, and nor does what turns up under a new name with the same content. The trash is not guarded:
//! emptying it is one deliberate act, and no content is kept for it.

use super::merge::with_all_below;
use super::overlay::served_items;
use super::row::{FILE, space};
use super::stage::Run;
use super::unseen::Unseen;
use super::{Catalog, Space};
use crate::store::Store;
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension};

/// So many may always go.
const FEW: u64 = 50;

/// A share of one in so many may always go.
const SHARE: u64 = 10;

/// For how long a person's word holds.
const ACCEPTED_MS: i64 = 10 * 60 * 1_000;

/// What a listing would remove.
#[derive(Default)]
struct Loss {
    folders: u64,
    files: u64,
    /// Of the files' content.
    content: Vec<u64>,
}

/// Checks that what a listing did not show may go. `added` items of the merge are new, with keys from `base` on.
/// Whether a person had to say so: then call [`done`] after it went.
pub(super) fn check(run: &Run, base: i64, added: u64, unseen: &[Unseen]) -> Result<bool> {
    let guarded = space(run.scope.space);
    if unseen.is_empty() || guarded == Space::Trash {
        return Ok(false);
    }
    let (gone, of) = run.store.catalog.read(|db| {
        let of = served_items(db, run.scope.space)?.saturating_sub(added);
        if of <= FEW {
            return Ok((0, of));
        }
        let mut loss = loss(run, db, unseen)?;
        let gone = loss.folders + loss.files;
        if gone > FEW && gone * SHARE > of && added > 0 {
            let (folders, files) = found_again(db, base, run.new, &mut loss.content)?;
            return Ok((gone.saturating_sub(folders.min(loss.folders) + files), of));
        }
        Ok((gone, of))
    })?;
    if gone <= FEW || gone * SHARE <= of {
        return Ok(false);
    }
    let said = run.store.setting(&key(guarded))?;
    let said: Option<i64> = said.and_then(|ms| ms.parse().ok());
    let now = run.store.now_ms();
    if said.is_some_and(|said| now.saturating_sub(said).saturating_abs() <= ACCEPTED_MS) {
        return Ok(true);
    }
    Err(Error::ManyGone { gone, of })
}

/// What a person said was for this once.
pub(super) fn done(store: &Store, space: Space) -> Result<()> {
    store.update_setting(&key(space), |_| Ok((None, ())))
}

fn key(space: Space) -> String {
    format!("disappearance of {}", space.name())
}

fn loss(run: &Run, db: &Connection, unseen: &[Unseen]) -> Result<Loss> {
    let mut loss = Loss::default();
    let mut row =
        db.prepare_cached("SELECT kind, md5, size FROM served WHERE key = ?1 AND told <= ?2")?;
    for item in with_all_below(db, unseen.to_vec())? {
        let found: Option<(u8, Option<[u8; 16]>, Option<i64>)> = row
            .query_row((item.key, run.moment.seq), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match found {
            Some((FILE, md5, size)) => {
                loss.files += 1;
                loss.content.extend(content(md5, size));
            }
            Some(_) => loss.folders += 1,
            None => {}
        }
    }
    Ok(loss)
}

/// Enough of a content's hash for a count.
fn content(md5: Option<[u8; 16]>, size: Option<i64>) -> Option<u64> {
    let [a, b, c, d, e, f, g, h, ..] = md5?;
    Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ size.unwrap_or(0).unsigned_abs())
}

/// New folders, and how many of the lost contents are in new files.
fn found_again(db: &Connection, base: i64, new: i64, lost: &mut [u64]) -> Result<(u64, u64)> {
    let (mut folders, mut found) = (0, Vec::new());
    let mut query =
        db.prepare_cached("SELECT kind, md5, size FROM item WHERE key >= ?1 AND key < ?2")?;
    let mut rows = query.query((base, base + new))?;
    while let Some(row) = rows.next()? {
        if row.get::<_, u8>(0)? == FILE {
            found.extend(content(row.get(1)?, row.get(2)?));
        } else {
            folders += 1;
        }
    }
    lost.sort_unstable();
    found.sort_unstable();
    let (mut lost, mut same) = (lost.iter().peekable(), 0);
    for content in &found {
        while lost.next_if(|other| *other < content).is_some() {}
        same += u64::from(lost.next_if_eq(&content).is_some());
    }
    Ok((folders, same))
}

impl Catalog {
    pub(super) fn accept_loss(&self, space: Space) -> Result<()> {
        let now = self.store.now_ms();
        self.store
            .update_setting(&key(space), |_| Ok((Some(now.to_string()), ())))
    }
}
