//! The tree kept fresh by the service's change events.
//!
//! An event is a hint: it says which folder to ask, and what is asked is the truth. Missed events cannot be asked for, so
//! after every connection the tree is looked at once as if nothing had been told, and where there are no events that is
//! done every few minutes.
//!
//! Four loops run beside each other: one listens, one asks, one brings pinned content up to date, one looks after the
//! sign-in, so that none holds up another. They share what is wished, which is bounded: too many hints are one about everything. When one ends, the
//! others are told to stop, and all are waited for.

use super::{Drive, Listener};
use crate::account::SignIn;
use crate::catalog::Refreshed;
use crate::remote::{Events, RemotePath, pause};
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result, RetryAdvice};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Hints that are kept apart.
const HINTS: usize = 64;

/// How long what takes.
#[derive(Clone, Copy)]
struct Habits {
    /// Hints are gathered for this long before anything is asked.
    gather: Duration,
    /// Between two looks at everything: where there are no events, and after events that do not say where.
    poll: Duration,
    vague: Duration,
    /// For one look at everything.
    budget: Duration,
    /// Between two attempts to connect: the first and the longest.
    first_pause: Duration,
    longest_pause: Duration,
    /// A connection that lasted this long was a good one.
    steady: Duration,
    /// Between two runs over the pins, and after one that had to wait.
    pins: Duration,
    held_pins: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            gather: Duration::from_secs(1),
            poll: minute * 5,
            vague: minute,
            budget: minute,
            first_pause: Duration::from_secs(1),
            longest_pause: minute * 5,
            steady: minute,
            pins: minute,
            held_pins: minute * 15,
        }
    }
}

/// What is to be asked.
#[derive(Default)]
struct Wishes {
    paths: HashSet<RemotePath>,
    /// Everything: there may be changes that nobody has told.
    unheard: bool,
    /// Everything: something was told that does not say where. In its own time.
    vague: bool,
}

struct Watch<'a> {
    drive: &'a Drive,
    habits: Habits,
    wishes: Mutex<Wishes>,
    wished: Notify,
    changed: Notify,
}

/// Says that a connection stands, until dropped.
struct Watching<'a>(&'a AtomicUsize);

impl<'a> Watching<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Wakes who looks after the sign-in.
#[derive(Default)]
struct SignInNews(Notify);

impl Listener for SignInNews {
    fn on_changed(&self) {}

    fn on_account_changed(&self) {
        self.0.notify_one();
    }
}

impl Drive {
    /// Stays connected to the service's change events until cancelled: each is a hint that leads to a refresh of the folder
    /// concerned, and then to [`Listener::on_changed`](super::Listener::on_changed). Reconnects by itself with growing
    /// pauses; polls instead where the service has no events. Brings no content, but that after a change it keeps the pins,
    /// as far as the rules allow. Ends with `Cancelled`, `Paused`, `Closed` or `SignInNeeded`.
    pub async fn watch(&self, cancel: &CancelToken) -> Result<()> {
        self.watch_as(Habits::default(), cancel).await
    }

    async fn watch_as(&self, habits: Habits, cancel: &CancelToken) -> Result<()> {
        self.life
            .run(cancel, async |cancel| {
                let watch = Watch {
                    drive: self,
                    habits,
                    wishes: Mutex::default(),
                    wished: Notify::new(),
                    changed: Notify::new(),
                };
                Err(watch.run(cancel).await)
            })
            .await
    }
}

impl Watch<'_> {
    async fn run(&self, cancel: &CancelToken) -> Error {
        let all = cancel.child();
        let until = async |lane: Result<Infallible>| {
            all.cancel();
            let Err(error) = lane;
            error
        };
        let (listening, asking, keeping, signed_in) = tokio::join!(
            async { until(self.listen(&all).await).await },
            async { until(self.ask(&all).await).await },
            async { until(self.keep_pins(&all).await).await },
            async { until(self.signed_in(&all).await).await },
        );
        let mut ends = [listening, asking, keeping, signed_in].into_iter();
        // The others were only told to stop.
        ends.find(|error| *error != Error::Cancelled)
            .unwrap_or(Error::Cancelled)
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wish(&self, add: impl FnOnce(&mut Wishes)) {
        add(&mut self.wishes());
        self.wished.notify_one();
    }

    /// Connects again and again.
    async fn listen(&self, cancel: &CancelToken) -> Result<Infallible> {
        let Habits {
            poll, first_pause, ..
        } = self.habits;
        let mut wait = first_pause;
        let mut looked: Option<Instant> = None;
        loop {
            let mut asked_to_wait = Duration::ZERO;
            match self.drive.remote.events(cancel).await {
                Ok(Some(events)) => {
                    let begun = Instant::now();
                    looked = Some(begun);
                    self.wish(|wishes| wishes.unheard = true);
                    let error = self.follow(events, cancel).await;
                    if ends(&error) {
                        return Err(error);
                    }
                    if begun.elapsed() >= self.habits.steady {
                        wait = first_pause;
                    }
                }
                Ok(None) => {
                    looked = Some(Instant::now());
                    self.wish(|wishes| wishes.unheard = true);
                    pause(poll, cancel).await?;
                    continue;
                }
                Err(error) if ends(&error) => return Err(error),
                // The events do not work, but all else may.
                Err(error) => {
                    let due = looked.is_none_or(|looked| looked.elapsed() >= poll);
                    if due && !matches!(error, Error::Offline { .. }) {
                        looked = Some(Instant::now());
                        self.wish(|wishes| wishes.unheard = true);
                    }
                    if let Error::ServerBusy { retry_after, .. } = error {
                        asked_to_wait = retry_after.unwrap_or_default();
                    }
                }
            }
            let wish = wait.mul_f64(0.5 + fastrand::f64() / 2.0).max(asked_to_wait);
            pause(wish, cancel).await?;
            wait = (wait * 2).min(self.habits.longest_pause);
        }
    }

    /// Takes down what one connection tells, until it ends.
    async fn follow(&self, mut events: Events, cancel: &CancelToken) -> Error {
        let _watching = Watching::begin(&self.drive.watching);
        loop {
            let event = match events.next(cancel).await {
                Ok(event) => event,
                Err(error) => return error,
            };
            self.wish(|wishes| {
                wishes.vague |= event.paths.is_empty();
                wishes.paths.extend(event.paths);
                if wishes.paths.len() > HINTS {
                    wishes.paths.clear();
                    wishes.vague = true;
                }
            });
        }
    }

    /// Asks the service for what is wished.
    async fn ask(&self, cancel: &CancelToken) -> Result<Infallible> {
        let mut vague_from = Instant::now();
        loop {
            let vague = self.wishes().vague;
            let woken = async {
                let wished = self.wished.notified();
                if vague {
                    // Told or not: then it is time.
                    let _ = timeout_at(vague_from, wished).await;
                } else {
                    wished.await;
                }
                Ok(())
            };
            cancel.run(woken).await?;
            pause(self.habits.gather, cancel).await?;
            let (paths, everything) = {
                let mut wishes = self.wishes();
                let vague = wishes.vague && Instant::now() >= vague_from;
                let everything = wishes.unheard || vague;
                wishes.unheard = false;
                wishes.vague &= !everything;
                (std::mem::take(&mut wishes.paths), everything)
            };
            let asked = if everything {
                let asked = self.ask_everything(paths, cancel).await;
                vague_from = Instant::now() + self.habits.vague;
                asked
            } else {
                self.ask_folders(paths, cancel).await
            };
            match asked {
                Ok(found) if found.added + found.changed + found.moved + found.deleted > 0 => {
                    self.changed.notify_one();
                }
                Ok(_) => {}
                Err(error) if ends(&error) => return Err(error),
                // What was hinted at is asked again, in its own time; what only a person can mend is not.
                Err(error) => {
                    let again =
                        !matches!(error.retry(), RetryAdvice::NeedsUser | RetryAdvice::Never);
                    self.wishes().vague |= again;
                }
            }
        }
    }

    async fn ask_everything(
        &self,
        hints: HashSet<RemotePath>,
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        self.hint(hints, 0).await?;
        let polled = self.drive.poll(self.habits.budget, cancel).await?;
        if polled.more {
            self.wishes().vague = true;
        }
        Ok(polled.found)
    }

    /// Asks for the folders that were hinted at, and for no more than as many.
    async fn ask_folders(
        &self,
        hints: HashSet<RemotePath>,
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        let most = hints.len();
        let mut all = Refreshed::default();
        for folder in self.hint(hints, most).await? {
            let found = match self.drive.catalog.refresh(&folder, cancel).await {
                Ok(found) => found,
                // Gone meanwhile, which is what the event was about.
                Err(Error::NoSuchItem { .. } | Error::NotKnown { .. }) => continue,
                Err(error) => return Err(error),
            };
            all.added += found.added;
            all.changed += found.changed;
            all.moved += found.moved;
            all.deleted += found.deleted;
        }
        Ok(all)
    }

    /// Notes hints, and gives up to `most` folders that want to be asked.
    async fn hint(
        &self,
        hints: HashSet<RemotePath>,
        most: usize,
    ) -> Result<Vec<crate::catalog::ItemId>> {
        let catalog = self.drive.catalog.clone();
        blocking(move || {
            for path in &hints {
                catalog.hint(path)?;
            }
            if most == 0 {
                return Ok(Vec::new());
            }
            catalog.wanting_refresh(most)
        })
        .await
    }

    /// Keeps the pins after a change.
    async fn keep_pins(&self, cancel: &CancelToken) -> Result<Infallible> {
        let mut from = Instant::now();
        loop {
            let due = async {
                self.changed.notified().await;
                sleep_until(from).await;
                Ok(())
            };
            cancel.run(due).await?;
            let content = self.drive.content.clone();
            let kept = match blocking(move || content.pins()).await {
                Ok(pins) if pins.is_empty() => continue,
                Ok(_) => self.drive.content.keep_pins(None, cancel).await,
                Err(error) => Err(error),
            };
            let wait = match kept {
                Ok(run) if run.waiting.is_some() => self.habits.held_pins,
                Err(error) if ends(&error) => return Err(error),
                // What failed is tried again after the next change, and by whoever calls for the pins.
                Ok(_) | Err(_) => self.habits.pins,
            };
            from = Instant::now() + wait;
        }
    }

    /// Ends when the sign-in has, whichever call found out: a connection that stands does not tell.
    async fn signed_in(&self, cancel: &CancelToken) -> Result<Infallible> {
        let news = Arc::new(SignInNews::default());
        let _subscription = self.drive.hints.subscribe(news.clone());
        loop {
            let account = self.drive.account.clone();
            match blocking(move || account.state()).await {
                Ok(SignIn::Out | SignIn::Again(_)) => {
                    return Err(Error::SignInNeeded {
                        detail: "the sign-in has ended".into(),
                    });
                }
                Err(error) if ends(&error) => return Err(error),
                // What cannot be read now is found out by the next request.
                Ok(SignIn::In(_)) | Err(_) => {}
            }
            let told = async {
                news.0.notified().await;
                Ok(())
            };
            cancel.run(told).await?;
        }
    }
}

/// Whether watching makes no more sense.
fn ends(error: &Error) -> bool {
    matches!(
        error,
        Error::Cancelled
            | Error::Paused
            | Error::Closed
            | Error::SignInNeeded { .. }
            | Error::StoreDamaged { .. }
            | Error::StoreTooNew { .. }
            | Error::InvalidArgument { .. }
            | Error::Bug { .. }
    )
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
