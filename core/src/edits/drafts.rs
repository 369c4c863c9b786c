//! What a start finds of an earlier life: drafts and strays of the staging directory; and what was discarded.
//!
//! A draft of a single call is undone, because its caller never heard "saved". A draft of a writer is never dropped: it is
//! published if its path was given away, because others may have finished it, and waits for a person else (complaint
//! no. 35: what a dead writer left is not published by itself).

use super::queue::{FILE, Purpose};
use super::state::Held;
use super::{Discarded, Edits, Park};
use crate::catalog::{Id, id_text};
use crate::sending::Hashed;
use crate::store::{DiscardedRow, DraftRow, EditRow, WantedContent, WantedPlace};
use crate::{Error, Result};
use std::collections::HashSet;
use std::path::Path;

/// A stray younger than this may be another process's between two steps, in milliseconds.
const YOUNG_MS: i64 = 60_000;

impl Edits {
    /// Brings drafts, rows and staged files together.
    pub(super) fn recover(&self) -> Result<()> {
        for draft in self.store.drafts()? {
            if !self.staging.is_live(&draft.file)? {
                self.recover_draft(&draft)?;
            }
        }
        self.park_lost()?;
        self.remove_strays()
    }

    /// Items with changes that the service does not have.
    pub(crate) fn unsent(&self) -> Result<u64> {
        self.store.count_unsent()
    }

    /// Removes all staged files: the account leaves, and their rows with it.
    pub(crate) fn clear(&self) -> Result<()> {
        self.close_files();
        let names = self.staging.names()?;
        names.iter().try_for_each(|name| self.staging.remove(name))
    }

    fn recover_draft(&self, draft: &DraftRow) -> Result<()> {
        let there = self.staging.len(&draft.file)?;
        if there.is_none() && (self.store.now_ms() - draft.since_ms).abs() < YOUNG_MS {
            // Another process may be between its row and its file.
            return Ok(());
        }
        let left = there.filter(|_| draft.session);
        let before = draft.base.as_ref().and_then(|base| base.size);
        let nothing = left == Some(0) && before.unwrap_or(0) == 0;
        if left.is_none() || nothing {
            self.staging.remove(&draft.file)?;
            return self.store.outbox(|outbox| outbox.remove_draft(&draft.file));
        }
        let staged = self.staging.hash(&draft.file)?;
        let base = draft.base.as_ref();
        if base.is_some_and(|base| (base.md5, base.size) == (Some(staged.md5), Some(staged.size))) {
            self.staging.remove(&draft.file)?;
            return self.store.outbox(|outbox| outbox.remove_draft(&draft.file));
        }
        if draft.handed_out && staged.size > 0 {
            let purpose = match &draft.place {
                Some(place) => Purpose::New(place.clone()),
                None => Purpose::Over(draft.base.clone()),
            };
            let times = (None, None);
            let kept = self.keep_staged(&draft.id, purpose, &draft.file, &staged, times, None);
            if !matches!(kept, Err(Error::NoSuchItem { .. })) {
                return kept.map(drop);
            }
        }
        self.park_draft(draft, &staged)
    }

    /// What a dead writer has left waits for a person: as the item's content, or aside if newer content of it waits, or if
    /// the item was discarded meanwhile and is nowhere.
    pub(super) fn park_draft(&self, draft: &DraftRow, staged: &Hashed) -> Result<()> {
        let now = self.store.now_ms();
        let place = draft.place.clone();
        let place = place.map(|place| self.place_now(&draft.id, place));
        let place = place.transpose()?;
        self.store.outbox(|outbox| {
            outbox.remove_draft(&draft.file)?;
            let nowhere = draft.place.is_none() && draft.base.is_none();
            if nowhere || outbox.get(&draft.id)?.is_some() {
                let place = draft.place.as_ref().map(|place| &place.name);
                let name = place.or(draft.base.as_ref().map(|base| &base.name));
                return outbox.add_discarded(&DiscardedRow {
                    file: draft.file.clone(),
                    id: draft.id,
                    name: name.cloned().unwrap_or_default(),
                    size: staged.size,
                    at_ms: now,
                });
            }
            outbox.put(&EditRow {
                is_new: place.is_some(),
                place: place.clone(),
                base: draft.base.clone(),
                content: Some(WantedContent {
                    file: draft.file.clone(),
                    size: staged.size,
                    md5: staged.md5,
                    blake3: Some(staged.blake3),
                    created_ms: None,
                    modified_ms: Some(draft.since_ms),
                }),
                held: Some(Held::Park(Park::Recovered).text()),
                ..EditRow::of(draft.id, FILE, draft.since_ms)
            })
        })?;
        self.catalog.settle_edits(&[draft.id])
    }

    /// The place of a new file that gets its row now. Another may have got the name while it was written.
    pub(super) fn place_now(&self, item: &Id, place: WantedPlace) -> Result<WantedPlace> {
        match self.free_place(place.parent, place.name.clone(), Some(item)) {
            // A start must not fail for a name; the service will tell that it is taken.
            Err(Error::NotAllowed { .. }) => Ok(place),
            free => free,
        }
    }

    /// A row whose bytes are missing is never dropped: a person hears of it.
    fn park_lost(&self) -> Result<()> {
        let mut after = 0;
        loop {
            let rows = self.store.edits_after(after, super::why::PAGE)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.n;
            for row in rows {
                let file = row.content.as_ref().map(|content| content.file.as_str());
                let Some(file) = file.filter(|file| !file.is_empty()) else {
                    continue;
                };
                let held = Some(Held::Park(Park::BytesLost).text());
                if self.staging.len(file)?.is_none() && row.held != held {
                    self.store.outbox(|outbox| match outbox.get(&row.id)? {
                        // Unless another process has put newer bytes meanwhile.
                        Some(now) if now.content == row.content => {
                            outbox.put_progress(&EditRow { held, ..now })
                        }
                        _ => Ok(()),
                    })?;
                }
            }
        }
    }

    fn remove_strays(&self) -> Result<()> {
        let young = |written_ms: Option<i64>| {
            let now = self.store.now_ms();
            written_ms.is_none_or(|ms| (now - ms).abs() <= YOUNG_MS)
        };
        self.staging.remove_halves(young)?;
        let names = self.staging.names()?;
        if names.is_empty() {
            return Ok(());
        }
        let mut known: HashSet<String> = self
            .store
            .drafts()?
            .into_iter()
            .map(|row| row.file)
            .collect();
        known.extend(self.store.discarded()?.into_iter().map(|row| row.file));
        let (ids, _) = self.store.all_edits()?;
        for id in ids {
            let content = self.store.edit(&id)?.and_then(|row| row.content);
            known.extend(content.map(|content| content.file));
        }
        for name in names.iter().filter(|name| !known.contains(*name)) {
            if !young(self.staging.written_ms(name)?) && !self.staging.is_live(name)? {
                self.staging.remove(name)?;
            }
        }
        Ok(())
    }

    pub(super) fn list_discarded(&self) -> Result<Vec<Discarded>> {
        let rows = self.store.discarded()?;
        Ok(rows
            .into_iter()
            .map(|row| Discarded {
                key: row.file,
                item: id_text(row.id),
                name: crate::remote::names::decode(&row.name),
                size: row.size,
                at_ms: row.at_ms,
            })
            .collect())
    }

    fn discarded_row(&self, key: &str) -> Result<DiscardedRow> {
        let rows = self.store.discarded()?;
        let found = rows.into_iter().find(|row| row.file == key);
        found.ok_or_else(|| Error::NotKnown {
            detail: "discarded bytes of that key".into(),
        })
    }

    pub(super) fn write_discarded(&self, key: &str, dest: &Path) -> Result<()> {
        let row = self.discarded_row(key)?;
        self.staging.copy_out(&row.file, dest)
    }

    pub(super) fn drop_discarded(&self, key: &str) -> Result<()> {
        let row = self.discarded_row(key)?;
        // The row first: bytes without a row are a stray, a row without bytes would be a lie.
        self.store
            .outbox(|outbox| outbox.remove_discarded(&row.file))?;
        self.staging.remove(&row.file)
    }
}
