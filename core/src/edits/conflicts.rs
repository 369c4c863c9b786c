//! What a person is told of two writers, and decides about them.
//!
//! A decision is a change like any other: it is queued with the content that the person has seen as its base, so that
//! somebody who writes again meanwhile is not overwritten, and nothing leaves the history but what goes to the trash.

use super::queue::id as id_of;
use super::state::Held;
use super::{Conflict, ConflictKind, Edits, Park, Resolution};
use crate::catalog::{Item, Kind, Lookup, id_text};
use crate::store::{ConflictRow, EditRow, WantedContent};
use crate::{Error, Result};

impl Edits {
    pub(super) fn list_conflicts(&self, report: bool) -> Result<Vec<Conflict>> {
        let rows = self.store.conflicts()?;
        let told: Vec<Conflict> = rows.iter().filter_map(told).collect();
        if report {
            let news: Vec<i64> = rows
                .iter()
                .filter(|row| !row.told)
                .map(|row| row.n)
                .collect();
            if !news.is_empty() {
                self.store.tell_conflicts(&news)?;
            }
        }
        Ok(told)
    }

    pub(super) fn resolve_conflict(&self, number: u64, resolution: Resolution) -> Result<()> {
        let rows = self.store.conflicts()?;
        let row = i64::try_from(number)
            .ok()
            .and_then(|n| rows.into_iter().find(|row| row.n == n))
            .ok_or_else(|| Error::NotKnown {
                detail: "a conflict of that number".into(),
            })?;
        let kind = told(&row).map(|conflict| conflict.kind);
        let copy = row.copy.map(id_text);
        // Which of the two is whose: after `BothEdited` the copy is ours, after `SlippedIn` it is theirs.
        let takes_copy = match (kind, resolution) {
            (_, Resolution::KeepBoth) => None,
            (Some(ConflictKind::BothEdited), Resolution::KeepMine) => Some(true),
            (Some(ConflictKind::SlippedIn), Resolution::KeepTheirs) => Some(true),
            (Some(ConflictKind::BothEdited | ConflictKind::SlippedIn), _) => Some(false),
            _ => None,
        };
        if let (Some(takes_copy), Some(copy)) = (takes_copy, copy) {
            let copy = match self.catalog.item(&copy)? {
                Lookup::Found(item) => Some(item),
                // It is gone already, so nothing is left to choose from.
                Lookup::Gone | Lookup::Unknown => None,
            };
            if let Some(copy) = copy {
                if takes_copy {
                    self.take_content(&row, &copy)?;
                }
                let version = copy.content_version.as_deref();
                self.queue_trash(&copy.id, version, false, None)?;
            }
        }
        if kind == Some(ConflictKind::HistoryOnly) {
            self.release(&row)?;
        }
        self.store.outbox(|outbox| outbox.remove_conflict(row.n))
    }

    /// The copy's content becomes the item's; the service builds it from what it knows.
    fn take_content(&self, row: &ConflictRow, copy: &Item) -> Result<()> {
        let changed = || Error::VersionGone;
        let id = id_text(row.item);
        let item = self.found(&id)?;
        if item.kind != Kind::File || copy.kind != Kind::File {
            return Err(changed());
        }
        let copy_id = id_of(&copy.id)?;
        // Bytes that are not sent yet are nowhere to build from.
        if self.store.has_unsent(&copy_id)? {
            return Err(Error::NotAllowed {
                detail: "the copy is not sent yet".into(),
            });
        }
        let theirs = self.catalog.theirs(&copy_id)?.ok_or_else(changed)?;
        let (Some(md5), Some(size)) = (theirs.md5, theirs.size) else {
            return Err(changed());
        };
        let base = self.base_for_content(&id, item.content_version.as_deref())?;
        self.store.outbox(|outbox| {
            let mut wanted = self.row(outbox, &row.item, super::queue::FILE, base.clone())?;
            if wanted.content.is_some() {
                // Newer bytes of ours wait to be sent: they are what the person wants now.
                return Ok(());
            }
            wanted.content = Some(WantedContent {
                file: String::new(),
                size,
                md5,
                blake3: None,
                created_ms: theirs.created_ms,
                modified_ms: theirs.modified_ms,
            });
            outbox.put(&wanted)
        })?;
        self.catalog.settle_edits(&[row.item])
    }

    /// The person has seen what is in the history only: the item is uploaded to again.
    fn release(&self, row: &ConflictRow) -> Result<()> {
        self.store.outbox(|outbox| match outbox.get(&row.item)? {
            Some(edit) if Held::of(&edit) == Some(Held::Park(Park::HistoryOnly)) => {
                outbox.put_progress(&EditRow { held: None, ..edit })
            }
            _ => Ok(()),
        })
    }
}

/// `None` for what a newer Lomme has written.
fn told(row: &ConflictRow) -> Option<Conflict> {
    Some(Conflict {
        number: row.n.unsigned_abs(),
        kind: serde_json::from_str(&row.kind).ok()?,
        item: id_text(row.item),
        copy: row.copy.map(id_text),
        name: crate::remote::names::decode(&row.name),
        at_ms: row.at_ms,
        told: row.told,
    })
}
