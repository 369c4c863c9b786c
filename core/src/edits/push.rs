//! What waits is brought to the service: all of it, or one item that somebody waits for.
//!
//! - A walk that got nothing done is the last.
//! - What an error says of the account pauses the account, and no item of it; what it says of an item holds that item back,
//!   longer each time, and never the next one (complaints no. 27, 31).
//! - Who sends holds `push.lock`, a file lock that a kill frees. Who waits for one item says so by another lock,
//!   `push.next`, and a run of any process makes way.

use super::run::{Run, bytes_of};
use super::state::Held;
use super::{Edits, Outcome, Park, PushRun, Settled};
use crate::catalog::{Id, ItemId};
use crate::content::{Teller, TransferListener};
use crate::disk::BlockFile;
use crate::runtime::blocking;
use crate::sending::Pause;
use crate::store::{EditRow, Store};
use crate::{CancelToken, Error, Result};
use std::sync::Arc;
use std::time::Duration;

/// Failures of an item's own, in a row, after which a person must look.
const PATIENCE: u32 = 5;
/// The first wait after such a failure, in milliseconds; it doubles.
const FIRST_MS: i64 = 5_000;
/// How long is waited for another run, each time it is looked.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(100);
const LOCK: &str = "push.lock";
const NEXT: &str = "push.next";

impl Edits {
    pub(super) async fn push_all(
        &self,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<PushRun> {
        let mut lock = Some(self.try_lock(LOCK, true).await?.ok_or(Error::StoreBusy)?);
        self.sweep_temporaries(cancel).await.or_else(passing)?;
        let store = self.store.clone();
        let (bytes, told) = blocking(move || Ok((store.unsent_bytes()?, newest(&store)?))).await?;
        let mut run = Run::new(self, progress, bytes, cancel);
        let mut idle = 0;
        loop {
            let (done, steps) = (run.report.done, run.steps());
            run.pass().await?;
            if std::mem::take(&mut run.yielding) {
                drop(lock.take());
                lock = Some(self.lock_after_others(cancel).await?);
            } else if run.report.done > done {
                idle = 0;
            } else if run.steps() > steps && idle < PATIENCE {
                // Something stepped aside, and others can go on.
                idle += 1;
            } else {
                break;
            }
        }
        run.tell_end();
        let store = self.store.clone();
        let mut report = std::mem::take(&mut run.report);
        report.conflicts = blocking(move || {
            let all = store.conflicts()?;
            Ok(all.iter().filter(|conflict| conflict.n > told).count() as u64)
        })
        .await?;
        drop(lock);
        Ok(report)
    }

    /// The lock, once nobody waits for one item any more.
    async fn lock_after_others(&self, cancel: &CancelToken) -> Result<Box<dyn BlockFile>> {
        loop {
            crate::remote::pause(LOOK_AGAIN, cancel).await?;
            if !self.somebody_waits().await?
                && let Some(lock) = self.try_lock(LOCK, true).await?
            {
                return Ok(lock);
            }
        }
    }

    /// Whether somebody, in any process, waits for one item.
    pub(super) async fn somebody_waits(&self) -> Result<bool> {
        Ok(self.try_lock(NEXT, true).await?.is_none())
    }

    async fn try_lock(
        &self,
        name: &'static str,
        alone: bool,
    ) -> Result<Option<Box<dyn BlockFile>>> {
        let staging = self.staging.clone();
        blocking(move || staging.lock(name, alone)).await
    }

    /// What follows from a failure; `own` if others had no trouble meanwhile. What ends a run comes back as the error.
    pub(super) fn failed(&self, id: &Id, error: Error, own: bool) -> Result<()> {
        if matches!(
            error,
            Error::Cancelled | Error::Paused | Error::Closed | Error::StoreBusy | Error::DiskFull
        ) {
            return Err(error);
        }
        let paused = Pause::for_error(&self.store, &error, own)?;
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
            if paused {
                // The account's failure is not the item's; only who had part in it is remembered, to be asked last.
                row.held = Some(Held::by(&error).text());
                row.until_ms = None;
                return outbox.put_progress(&row);
            }
            row.attempts += 1;
            let many = row.attempts >= PATIENCE;
            let park = park.or_else(|| many.then_some(Park::ManyFailures));
            row.held = Some(match park {
                Some(park) => Held::Park(park).text(),
                None => Held::by(&error).text(),
            });
            row.until_ms = Some(now + (FIRST_MS << row.attempts.min(8)));
            outbox.put_progress(&row)
        })
    }

    pub(super) async fn settle_item(
        &self,
        item: &ItemId,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Settled> {
        let id = super::queue::id(item)?;
        let mut next = None;
        let _lock = loop {
            if let Some(lock) = self.try_lock(LOCK, true).await? {
                break lock;
            }
            if next.is_none() {
                next = self.try_lock(NEXT, false).await?;
            }
            crate::remote::pause(LOOK_AGAIN, cancel).await?;
        };
        drop(next);
        let mut teller = Teller::new(progress);
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
                let before = match edits.who_steps_aside(&row)? {
                    Some(who) if who == row.id => None,
                    Some(who) => Some(who),
                    None => edits.comes_after(&row)?.map(super::why::Before::id),
                };
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
                    match self.carry_out_told(row, &mut teller, cancel).await {
                        Ok(done) if of == id => {
                            // Both are kept only once the copy is there, too.
                            if let Outcome::KeptBoth { copy } = &done {
                                chain.insert(0, super::queue::id(copy)?);
                            }
                            if done != Outcome::Done {
                                outcome = done;
                            }
                        }
                        // What stepped aside waits for the others in turn.
                        Ok(_) if chain.len() > 1 => {
                            chain.pop();
                        }
                        Ok(_) => {}
                        Err(error) => {
                            let edits = self.clone();
                            let failure = error.clone();
                            blocking(move || edits.failed(&of, failure, false)).await?;
                            return Err(error);
                        }
                    }
                }
            }
        }
        let (catalog, of) = (self.catalog.clone(), item.clone());
        let item = blocking(move || Ok(super::writer::here(catalog.item(&of)?))).await?;
        teller.tell_all(item.as_ref().and_then(|item| item.size).unwrap_or(0).max(1));
        let outcome = if item.is_none() && outcome == Outcome::Done {
            Outcome::Gone
        } else {
            outcome
        };
        Ok(Settled { item, outcome })
    }

    async fn carry_out_told(
        &self,
        row: EditRow,
        teller: &mut Teller,
        cancel: &CancelToken,
    ) -> Result<Outcome> {
        let (id, total) = (row.id, bytes_of(&row));
        let mut tick = tokio::time::interval(TICK);
        let mut work = std::pin::pin!(self.carry_out(row, cancel));
        let done = loop {
            tokio::select! {
                biased;
                done = &mut work => break done,
                _ = tick.tick() => teller.tell(self.sending.moved_of(&id), total),
            }
        };
        self.sending.ended(&id);
        done
    }
}

/// The number of the newest conflict.
fn newest(store: &Store) -> Result<i64> {
    Ok(store.conflicts()?.first().map_or(0, |conflict| conflict.n))
}

/// What passes by itself is no reason to stop before the first item.
fn passing(error: Error) -> Result<()> {
    match error {
        Error::Offline { .. } | Error::ServerBusy { .. } | Error::SignInNeeded { .. } => Ok(()),
        Error::BadAnswer { .. } | Error::Refused { .. } | Error::AccountLocked => Ok(()),
        error => Err(error),
    }
}
