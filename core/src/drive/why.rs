//! Why an item's content is, or is not, on the device: one answer from what the other services know.

use super::{Drive, Why};
use crate::catalog::{Item, ItemId, Kind, LocalCopy, Lookup};
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
        Ok(Why {
            local: item.local,
            local_bytes,
            pinned_by,
            waiting,
            explanation: format!("{here}{kept}{why}"),
        })
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
