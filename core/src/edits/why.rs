//! What waits in the outbox, and why: one reason each, by the predicate that drives the run (complaint no. 27).
//!
//! The order of reasons: what only a person releases comes first, then what holds all of them, then another item, then
//! time. Nothing here touches the network.

use super::queue::{FOLDER, id as id_of};
use super::state::Held;
use super::{AccountHold, Edits, Hold, Pending, Wish};
use crate::catalog::{Id, ItemId, Lookup, id_text};
use crate::conditions::Waiting;
use crate::sending::Pause;
use crate::store::{EditRow, Fate};
use crate::{Error, Result};
use std::collections::HashSet;

/// Content of one item is sent at most once in this time, because only five versions are kept.
pub(super) const SETTLING_MS: i64 = 30_000;
/// Rows of a page.
pub(super) const PAGE: u32 = 500;

/// What holds all items, read once for many of them.
pub(super) struct Weather {
    now_ms: i64,
    /// Nobody waits for it: the rules for background work hold what adds bytes.
    by_itself: bool,
    sending: Option<Waiting>,
    asking: Option<Waiting>,
    pause: Option<Pause>,
    written: HashSet<Id>,
}

impl Weather {
    pub fn paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Whether bytes may not be sent now, whatever the item.
    pub fn forbids_sending(&self) -> bool {
        self.sending.is_some()
    }
}

/// What must reach the service before another change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// It has the name that the other one wants, and is to leave it.
    HasTheName(Id),
    Other(Id),
}

impl Before {
    pub fn id(self) -> Id {
        match self {
            Self::HasTheName(id) | Self::Other(id) => id,
        }
    }
}

impl Edits {
    /// What holds all items now.
    pub(super) fn weather(&self, by_itself: bool) -> Result<Weather> {
        Ok(Weather {
            now_ms: self.store.now_ms(),
            by_itself,
            sending: self.content.waiting_to_send(by_itself)?,
            asking: self.content.waiting_to_send(false)?,
            pause: Pause::read(&self.store)?,
            written: self
                .store
                .drafts()?
                .into_iter()
                .filter(|draft| draft.session)
                .map(|draft| draft.id)
                .collect(),
        })
    }

    /// The one reason why a row waits.
    pub(super) fn hold(&self, row: &EditRow, weather: &Weather) -> Result<Option<Hold>> {
        let held = Held::of(row);
        if let Some(Held::Park(park)) = held {
            return Ok(Some(Hold::NeedsUser(park)));
        }
        if row.content.is_some() && weather.written.contains(&row.id) {
            return Ok(Some(Hold::BeingWritten));
        }
        let sends = sends_bytes(row);
        let waiting = if sends {
            weather.sending
        } else {
            weather.asking
        };
        match waiting {
            Some(Waiting::SignIn) => return Ok(Some(Hold::Account(AccountHold::SignIn))),
            Some(waiting) => return Ok(Some(Hold::Conditions(waiting))),
            None => {}
        }
        let adds = sends || row.copy_of.is_some();
        if let Some(pause) = &weather.pause
            && pause.holds(adds, weather.now_ms)
        {
            return Ok(Some(Hold::Account(pause.told())));
        }
        if let Some(before) = self.comes_after(row)?
            && self.who_steps_aside(row)? != Some(row.id)
        {
            return Ok(Some(Hold::After(id_text(before.id()))));
        }
        // A clock that was set back must not hold anything for ever.
        let sent_ms = row.sent_ms.max(self.sending.sent_lately(&row.id));
        if let (true, true, Some(sent_ms)) = (weather.by_itself, sends, sent_ms)
            && (0..SETTLING_MS).contains(&(weather.now_ms - sent_ms))
            && row.attempts == 0
            && row.marker.is_none()
        {
            let until_ms = sent_ms + SETTLING_MS;
            return Ok(Some(Hold::Settling { until_ms }));
        }
        if let (Some(until_ms), Some(Held::Failed { class, status })) = (row.until_ms, held)
            && weather.now_ms < until_ms
        {
            let error = class.error(status);
            return Ok(Some(Hold::Retry { until_ms, error }));
        }
        Ok(None)
    }

    /// The item whose change must reach the service before this row's.
    pub(super) fn comes_after(&self, row: &EditRow) -> Result<Option<Before>> {
        if row.fate == Some(Fate::Trash) && row.kind == FOLDER {
            return Ok(self.leaves_first(row)?.map(Before::Other));
        }
        // What is copied must be there first, as it is wanted.
        if let Some(source) = row.copy_of
            && let Some(source) = self.store.edit(&source)?
            && (source.is_new || source.content.is_some())
        {
            return Ok(Some(Before::Other(source.id)));
        }
        let Some(place) = &row.place else {
            return Ok(None);
        };
        if let Some(parent) = self.store.edit(&place.parent)?
            && parent.id != row.id
            && (parent.is_new || parent.place.is_some() || parent.fate == Some(Fate::Restore))
        {
            return Ok(Some(Before::Other(parent.id)));
        }
        let Some(holder) =
            self.catalog
                .their_holder_of_name(&place.parent, &place.name, Some(&row.id))?
        else {
            return Ok(None);
        };
        let holder = id_of(&holder)?;
        let leaves = holder != row.id
            && self.store.edit(&holder)?.is_some_and(|other| {
                other.fate == Some(Fate::Trash)
                    || other.place.is_some_and(|wanted| {
                        wanted.parent != place.parent || wanted.name != place.name
                    })
            });
        Ok(leaves.then_some(Before::HasTheName(holder)))
    }

    /// What is in a folder on the service and is wanted elsewhere must be out of it before it goes to the trash; what is
    /// wanted in it must be there, so that it goes along.
    fn leaves_first(&self, folder: &EditRow) -> Result<Option<Id>> {
        let Some(path) = self.catalog.their_path(&folder.id)? else {
            return Ok(None);
        };
        let item = id_text(folder.id);
        let mut after = 0;
        loop {
            let rows = self.store.edits_after(after, PAGE)?;
            let Some(last) = rows.last() else {
                return Ok(None);
            };
            after = last.n;
            for row in &rows {
                if row.id == folder.id || row.place.is_none() && row.content.is_none() {
                    continue;
                }
                let there = self.catalog.their_path(&row.id)?;
                let inside_there = there.is_some_and(|there| {
                    there.segments().len() > path.segments().len()
                        && there.segments().starts_with(path.segments())
                });
                if inside_there || self.catalog.is_descendant(&item, &id_text(row.id))? {
                    return Ok(Some(row.id));
                }
            }
        }
    }

    pub(super) fn list_outbox(&self) -> Result<Vec<Pending>> {
        let weather = self.weather(true)?;
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let rows = self.store.edits_after(after, PAGE)?;
            let Some(last) = rows.last() else {
                return Ok(all);
            };
            after = last.n;
            for row in &rows {
                all.push(self.tell(row, &weather)?);
            }
        }
    }

    pub(super) fn pending_of(&self, item: &ItemId) -> Result<Option<Pending>> {
        let Some(row) = self.store.edit(&id_of(item)?)? else {
            return Ok(None);
        };
        self.tell(&row, &self.weather(true)?).map(Some)
    }

    fn tell(&self, row: &EditRow, weather: &Weather) -> Result<Pending> {
        let id = id_text(row.id);
        let item = match self.catalog.item(&id)? {
            Lookup::Found(item) => Some(item),
            Lookup::Gone | Lookup::Unknown => None,
        };
        Ok(Pending {
            id,
            item: item.filter(|_| !matches!(row.fate, Some(Fate::Trash | Fate::Purge))),
            wishes: wishes(row),
            bytes: row
                .content
                .as_ref()
                .filter(|_| sends_bytes(row))
                .map_or(0, |content| content.size),
            since_ms: row.since_ms,
            hold: self.hold(row, weather)?,
        })
    }

    pub(super) fn try_again(&self, item: Option<&ItemId>) -> Result<()> {
        self.sending.forget(item.map(id_of).transpose()?.as_ref());
        if Pause::read(&self.store)?.is_some() {
            Pause::ask_again(&self.store)?;
        }
        let Some(item) = item else {
            let (ids, _) = self.store.all_edits()?;
            return self.store.outbox(|outbox| {
                for id in &ids {
                    if let Some(row) = outbox.get(id)? {
                        outbox.put_progress(&released(row))?;
                    }
                }
                Ok(())
            });
        };
        let id = id_of(item)?;
        self.store.outbox(|outbox| {
            let row = outbox.get(&id)?.ok_or_else(|| Error::NotKnown {
                detail: "nothing of it waits".into(),
            })?;
            outbox.put_progress(&released(row))
        })
    }
}

/// The row, to be tried at once. Its marker stays: it says where to look first.
fn released(row: EditRow) -> EditRow {
    EditRow {
        held: None,
        until_ms: None,
        attempts: 0,
        sent_ms: None,
        ..row
    }
}

/// Whether it takes bytes from this device to the service.
pub(super) fn sends_bytes(row: &EditRow) -> bool {
    row.content
        .as_ref()
        .is_some_and(|content| !content.file.is_empty() && content.size > 0)
}

fn wishes(row: &EditRow) -> Vec<Wish> {
    let new = match (row.is_new, row.copy_of) {
        (true, Some(_)) => Some(Wish::Copy),
        (true, None) => Some(Wish::Create),
        (false, _) => None,
    };
    let fate = row.fate.map(|fate| match fate {
        Fate::Trash => Wish::Trash,
        Fate::Restore => Wish::Restore,
        Fate::Purge => Wish::Purge,
    });
    let link = row
        .link
        .map(|on| if on { Wish::Link } else { Wish::Unlink });
    let content = (!row.is_new && row.content.is_some()).then_some(Wish::Content);
    let place = (!row.is_new && row.place.is_some()).then_some(Wish::Place);
    // What comes out of the trash does so before anything else can be done to it.
    let (first, last) = match fate {
        Some(Wish::Restore) => (fate, None),
        fate => (None, fate),
    };
    [first, new, content, place, link, last]
        .into_iter()
        .flatten()
        .collect()
}
