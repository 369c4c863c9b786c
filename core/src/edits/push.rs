//! The run: what waits is brought to the service, one item after another, in the order in which it was wanted.
//!
//! - An item whose change must come after another's is met again in the next pass; a pass that got nothing done is the last.
//! - What an error says of the account pauses the account, and no item of it; what it says of an item holds that item back,
//!   longer each time, and never the next one (complaints no. 27, 31).
//! - Who runs holds `push.lock`, a file lock that a kill frees.

use super::state::{Held, Pause, Reason};
use super::why::{PAGE, Weather, sends_bytes};
use super::{Edits, Hold, Outcome, Park, PushRun, Settled};
use crate::catalog::{Id, ItemId};
use crate::content::TransferListener;
use crate::disk::BlockFile;
use crate::runtime::blocking;
use crate::store::EditRow;
use crate::{CancelToken, Error, Result, RetryAdvice};
use std::sync::Arc;
use std::time::Duration;

/// Failures of an item's own, in a row, after which a person must look.
const PATIENCE: u32 = 5;
/// The first wait after such a failure, in milliseconds; it doubles.
const FIRST_MS: i64 = 5_000;
/// How long `settle` waits for another run, each time it looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Edits {
    pub(super) async fn push_all(
        &self,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<PushRun> {
        let _lock = self.push_lock().await?.ok_or(Error::StoreBusy)?;
        self.sweep_temporaries(cancel).await.or_else(passing)?;
        let mut run = PushRun::default();
        loop {
            let done = run.done;
            self.pass(&mut run, progress.as_ref(), cancel).await?;
            if run.done == done {
                return Ok(run);
            }
        }
    }

    /// One walk over what waits.
    async fn pass(
        &self,
        run: &mut PushRun,
        progress: Option<&Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<()> {
        let (mut after, mut common) = (0, None);
        (run.left, run.next_ms) = (0, None);
        loop {
            let (store, at) = (self.store.clone(), after);
            let rows = blocking(move || store.edits_after(at, PAGE)).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.n;
            for row in rows {
                cancel.check()?;
                let hold = self.try_row(row, true, run, progress, cancel).await?;
                let Some(hold) = hold else {
                    continue;
                };
                run.left += 1;
                note_time(run, &hold);
                common = match common {
                    None => Some(Some(hold)),
                    Some(Some(same)) if same == hold => Some(Some(same)),
                    Some(_) => Some(None),
                };
            }
        }
        run.hold = common.flatten();
        Ok(())
    }

    /// Tries a row, unless something holds it; what holds it then.
    async fn try_row(
        &self,
        row: EditRow,
        by_itself: bool,
        run: &mut PushRun,
        progress: Option<&Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Option<Hold>> {
        let (edits, of) = (self.clone(), row.clone());
        let held = blocking(move || {
            // A row may have gone or changed since the page was read.
            let Some(now) = edits.store.edit(&of.id)? else {
                return Ok(None);
            };
            let weather: Weather = edits.weather(by_itself)?;
            Ok(Some((edits.hold(&now, &weather)?, now, weather.paused())))
        })
        .await?;
        let Some((hold, row, paused)) = held else {
            return Ok(None);
        };
        if hold.is_some() {
            return Ok(hold);
        }
        let (id, bytes) = (
            row.id,
            if sends_bytes(&row) {
                row.content.as_ref().map_or(0, |content| content.size)
            } else {
                0
            },
        );
        match self.carry_out(row, cancel).await {
            Ok(_) => {
                run.done += 1;
                run.sent_bytes += bytes;
                if let Some(listener) = progress {
                    listener.on_transfer(run.sent_bytes, run.sent_bytes);
                }
                if paused {
                    let store = self.store.clone();
                    blocking(move || Pause::end(&store)).await?;
                }
                Ok(None)
            }
            Err(error) => {
                let edits = self.clone();
                blocking(move || edits.failed(&id, error, by_itself)).await
            }
        }
    }

    /// What follows from a failure. What ends the run comes back as the error.
    fn failed(&self, id: &Id, error: Error, by_itself: bool) -> Result<Option<Hold>> {
        if matches!(
            error,
            Error::Cancelled | Error::Paused | Error::Closed | Error::StoreBusy | Error::DiskFull
        ) {
            return Err(error);
        }
        if let Some(reason) = Reason::of(&error) {
            let asked = match error.retry() {
                RetryAdvice::After(wait) => Some(wait),
                _ => None,
            };
            Pause::begin(&self.store, reason, asked)?;
        } else {
            let park = match &error {
                Error::NameRefused { .. } => Some(Park::NameRefused),
                Error::NotAllowed { .. } => Some(Park::NotAllowed),
                Error::VersionNotReadable | Error::NoSuchItem { .. } => Some(Park::SourceGone),
                Error::VersionGone => Some(Park::HistoryOnly),
                Error::DiskFailed { .. } => Some(Park::BytesLost),
                Error::NameTaken => Some(Park::PlaceTaken),
                _ => None,
            };
            let now = self.store.now_ms();
            self.store.outbox(|outbox| {
                let Some(mut row) = outbox.get(id)? else {
                    return Ok(());
                };
                row.attempts += 1;
                let many = row.attempts >= PATIENCE;
                let park = park.or_else(|| many.then_some(Park::ManyFailures));
                row.held = Some(match park {
                    Some(park) => Held::Park(park).text(),
                    None => Held::by(&error).text(),
                });
                row.until_ms = Some(now + (FIRST_MS << row.attempts.min(8)));
                outbox.put_progress(&row)
            })?;
        }
        if !by_itself {
            return Err(error);
        }
        match self.store.edit(id)? {
            Some(row) => self.hold(&row, &self.weather(true)?),
            None => Ok(None),
        }
    }

    pub(super) async fn settle_item(
        &self,
        item: &ItemId,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Settled> {
        let id = super::queue::id(item)?;
        let _lock = loop {
            match self.push_lock().await? {
                Some(lock) => break lock,
                None => crate::remote::pause(LOOK_AGAIN, cancel).await?,
            }
        };
        let mut outcome = Outcome::Done;
        // What comes before it first; each step gets something done, or fails.
        let mut chain = vec![id];
        while let Some(at) = chain.last().copied() {
            cancel.check()?;
            let edits = self.clone();
            let next = blocking(move || {
                let Some(row) = edits.store.edit(&at)? else {
                    return Ok(None);
                };
                let before = edits.comes_after(&row)?;
                Ok(Some((row, before)))
            })
            .await?;
            match next {
                None => {
                    chain.pop();
                }
                Some((_, Some(before))) if !chain.contains(&before) && chain.len() < 1_000 => {
                    chain.push(before);
                }
                Some((row, _)) => {
                    let of = row.id;
                    match self.carry_out(row, cancel).await {
                        Ok(done) if of == id => {
                            // Both are kept only once the copy is there, too.
                            if let Outcome::KeptBoth { copy } = &done {
                                chain.insert(0, super::queue::id(copy)?);
                            }
                            if done != Outcome::Done {
                                outcome = done;
                            }
                        }
                        Ok(_) => {}
                        Err(error) => {
                            let edits = self.clone();
                            let failure = error.clone();
                            blocking(move || edits.failed(&of, failure, false).map(drop)).await?;
                            return Err(error);
                        }
                    }
                }
            }
        }
        if let Some(listener) = progress {
            listener.on_transfer(1, 1);
        }
        let (catalog, of) = (self.catalog.clone(), item.clone());
        let item = blocking(move || Ok(super::writer::here(catalog.item(&of)?))).await?;
        let outcome = if item.is_none() && outcome == Outcome::Done {
            Outcome::Gone
        } else {
            outcome
        };
        Ok(Settled { item, outcome })
    }

    async fn push_lock(&self) -> Result<Option<Box<dyn BlockFile>>> {
        let staging = self.staging.clone();
        blocking(move || staging.lock("push.lock")).await
    }
}

/// What passes by itself is no reason to stop before the first item.
fn passing(error: Error) -> Result<()> {
    match error {
        Error::Offline { .. } | Error::ServerBusy { .. } | Error::SignInNeeded { .. } => Ok(()),
        Error::BadAnswer { .. } | Error::Refused { .. } | Error::AccountLocked => Ok(()),
        error => Err(error),
    }
}

fn note_time(run: &mut PushRun, hold: &Hold) {
    let until = match hold {
        Hold::Settling { until_ms } | Hold::Retry { until_ms, .. } => Some(*until_ms),
        Hold::Account(super::AccountHold::Busy { until_ms }) => Some(*until_ms),
        _ => None,
    };
    run.next_ms = match (run.next_ms, until) {
        (Some(before), Some(until)) => Some(before.min(until)),
        (before, until) => before.or(until),
    };
}
