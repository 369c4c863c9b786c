//! A pull from a background job: what matters most first, until the budget ends.
//!
//! The budget is looked at before each request. One that is under way is not cut off, because half a listing is worth
//! nothing. Nothing is fetched but listings.

use super::{Drive, Polled};
use crate::catalog::Refreshed;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::time::{Duration, Instant};

/// Folders asked for in one poll.
const FOLDERS: usize = 1_000;

/// A space that was indexed within this time is not indexed again.
const INDEXED_MS: i64 = 60 * 60 * 1_000;

impl Drive {
    pub(super) async fn poll_for(&self, budget: Duration, cancel: &CancelToken) -> Result<Polled> {
        let until = Instant::now().checked_add(budget);
        let over = || until.is_some_and(|until| Instant::now() >= until);
        let mut polled = Polled::default();
        // What needs a person's word is told at the end, so that it holds nothing else up.
        let mut needs_word = None;
        let catalog = self.catalog.clone();
        let folders = blocking(move || catalog.wanting_refresh(FOLDERS)).await?;
        for id in folders {
            if over() {
                polled.more = true;
                break;
            }
            polled.folders += 1;
            let found = self.catalog.refresh(&id, cancel).await;
            add(&mut polled.found, &mut needs_word, found)?;
        }
        let (catalog, since) = (self.catalog.clone(), self.store.now_ms() - INDEXED_MS);
        for space in blocking(move || catalog.not_indexed_since(since)).await? {
            if over() {
                polled.more = true;
                break;
            }
            polled.folders += 1;
            let found = self.catalog.index(space, &|_| {}, cancel).await;
            add(&mut polled.found, &mut needs_word, found)?;
        }
        needs_word.map_or(Ok(polled), Err)
    }
}

fn add(
    total: &mut Refreshed,
    needs_word: &mut Option<Error>,
    found: Result<Refreshed>,
) -> Result<()> {
    match found {
        Ok(found) => {
            total.folders += found.folders;
            total.files += found.files;
            total.added += found.added;
            total.changed += found.changed;
            total.moved += found.moved;
            total.deleted += found.deleted;
            Ok(())
        }
        Err(error @ Error::ManyGone { .. }) => {
            needs_word.get_or_insert(error);
            Ok(())
        }
        // Gone meanwhile, or hidden by something else at its place: not the other folders' trouble.
        Err(Error::NoSuchItem { .. } | Error::NotKnown { .. } | Error::NotAllowed { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
