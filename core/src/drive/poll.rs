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
        // What is wrong with one folder is told at the end, so that it holds nothing else up.
        let mut bad = Bad::default();
        let catalog = self.catalog.clone();
        let folders = blocking(move || catalog.wanting_refresh(FOLDERS)).await?;
        for id in folders {
            if over() {
                polled.more = true;
                break;
            }
            polled.folders += 1;
            let found = self.catalog.refresh(&id, cancel).await;
            bad.add(&mut polled.found, found)?;
        }
        let (catalog, since) = (self.catalog.clone(), self.store.now_ms() - INDEXED_MS);
        for space in blocking(move || catalog.not_indexed_since(since)).await? {
            if over() {
                polled.more = true;
                break;
            }
            polled.folders += 1;
            let found = self.catalog.index(space, &|_| {}, cancel).await;
            bad.add(&mut polled.found, found)?;
        }
        bad.first.map_or(Ok(polled), Err)
    }
}

/// Failures in a row after which it is not the single folder's fault.
const IN_A_ROW: u32 = 4;

/// What went wrong on the way.
#[derive(Default)]
struct Bad {
    first: Option<Error>,
    in_a_row: u32,
}

impl Bad {
    /// Adds what one listing found. An error ends the poll if it is everybody's.
    fn add(&mut self, total: &mut Refreshed, found: Result<Refreshed>) -> Result<()> {
        let error = match found {
            Ok(found) => {
                self.in_a_row = 0;
                total.folders += found.folders;
                total.files += found.files;
                total.added += found.added;
                total.changed += found.changed;
                total.moved += found.moved;
                total.deleted += found.deleted;
                return Ok(());
            }
            // Gone meanwhile, or hidden by something else at its place: not the other folders' trouble.
            Err(Error::NoSuchItem { .. } | Error::NotKnown { .. } | Error::NotAllowed { .. }) => {
                return Ok(());
            }
            Err(error) => error,
        };
        self.in_a_row += 1;
        let its_own = match error {
            Error::ManyGone { .. } => true,
            Error::BadAnswer { .. } | Error::Refused { .. } | Error::ServerBusy { .. } => {
                self.in_a_row < IN_A_ROW
            }
            _ => false,
        };
        if its_own {
            self.first.get_or_insert(error);
            return Ok(());
        }
        Err(error)
    }
}
