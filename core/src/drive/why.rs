//! Why an item's content is, or is not, on the device, and a change of it on the service: one answer from what the other
//! services know.

use super::{Drive, Why};
use crate::catalog::{Item, ItemId, Kind, LocalCopy, Lookup};
use crate::edits::{AccountHold, Hold};
use crate::{Error, Result};

impl Drive {
    pub(super) fn explain(&self, id: &ItemId) -> Result<Why> {
        let item = match self.catalog.item(id)? {
            Lookup::Found(item) => item,
            Lookup::Gone => {
                return Err(Error::NoSuchItem {
                    detail: "deleted".into(),
                });
            }
            Lookup::Unknown => {
                return Err(Error::NotKnown {
                    detail: "an id".into(),
                });
            }
        };
        let pinned_by = self.catalog.pinned_by(id)?;
        let local_bytes = self.content.bytes_here(&item)?;
        let waiting = match pinned_by {
            Some(_) => self.content.waiting(Some(id))?,
            None if item.kind == Kind::File && item.local != LocalCopy::Whole => {
                self.content.waiting_to_open()?
            }
            None => None,
        };
        let here = sentence(&item, local_bytes);
        let kept = match &pinned_by {
            Some(by) if by == id => " It is pinned.",
            Some(_) => " A folder above it is pinned.",
            None if item.kind == Kind::File && local_bytes > 0 => {
                " Nothing pins it, so it may go when the cache needs the place."
            }
            None => " Nothing pins it, so it comes when it is opened.",
        };
        let why = match (&pinned_by, waiting) {
            (_, Some(waiting)) => format!(" {waiting}"),
            (Some(_), None) if item.kind == Kind::File && item.local != LocalCopy::Whole => {
                " Nothing holds it back: the next run over the pins fetches it.".to_owned()
            }
            _ => String::new(),
        };
        let unsent = self.edits.pending(id)?;
        let change = match unsent.as_ref().map(|pending| &pending.hold) {
            None => String::new(),
            Some(None) => {
                " A change of it is not sent yet: the next run over the outbox sends it.".into()
            }
            Some(Some(hold)) => format!(" A change of it is not sent yet: {}.", because(hold)),
        };
        Ok(Why {
            local: item.local,
            local_bytes,
            pinned_by,
            waiting,
            unsent,
            explanation: format!("{here}{kept}{why}{change}"),
        })
    }
}

/// What holds a change, after a colon.
fn because(hold: &Hold) -> String {
    match hold {
        Hold::Conditions(waiting) => waiting.to_string().trim_end_matches('.').to_owned(),
        Hold::Account(AccountHold::SignIn) => "nobody is signed in".into(),
        Hold::Account(AccountHold::Full) => "the account is full".into(),
        Hold::Account(AccountHold::Locked) => "the account is locked".into(),
        Hold::Account(AccountHold::Busy { .. }) => "the service is busy or out of reach".into(),
        Hold::After(other) => format!("that of {other} comes first"),
        Hold::Settling { .. } => "more saves may follow".into(),
        Hold::BeingWritten => "it is being written".into(),
        Hold::Retry { error, .. } => format!("it failed and is tried again ({error})"),
        Hold::NeedsUser(park) => format!("a person must decide ({park:?})"),
    }
}

fn sentence(item: &Item, local_bytes: u64) -> String {
    match (item.kind, item.local) {
        (Kind::File, LocalCopy::Whole) => "All of it is on the device.".to_owned(),
        (Kind::File, LocalCopy::Stale { .. }) => {
            "An older version of it is on the device; the file has changed since.".to_owned()
        }
        (Kind::File, LocalCopy::Absent) if local_bytes > 0 => format!(
            "{local_bytes} of its {} bytes are on the device.",
            item.size.unwrap_or(0)
        ),
        (Kind::File, LocalCopy::Absent) => "It is not on the device.".to_owned(),
        _ => format!("The files in it take {local_bytes} bytes on the device."),
    }
}
