//! Whether the drive runs, and what runs in it.
//!
//! Every network call runs inside [`Life::run`], so that [`Life::stop`] can ask all of them to
//! stop in-band and wait until the last has let go of its files. Nothing starts while stopped.

use crate::{CancelToken, Error, Result};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Paused,
    Closed,
}

pub(crate) struct Life {
    inner: Mutex<Inner>,
    idle: Condvar,
}

struct Inner {
    state: State,
    running: usize,
    /// Cancelled by the next stop; a new one is made at each start.
    epoch: CancelToken,
}

/// Counts as running until dropped. Hold it wherever a file of the drive may be open.
pub(crate) struct Busy(Arc<Life>);

impl Life {
    pub fn new() -> Arc<Self> {
        let inner = Inner {
            state: State::Running,
            running: 0,
            epoch: CancelToken::new(),
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            idle: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Paused` or `Closed` unless running.
    pub fn check(&self) -> Result<()> {
        self.lock().state.check()
    }

    /// Waits until running. `Closed` when that can never be.
    pub async fn resumed(&self, cancel: &CancelToken) -> Result<()> {
        cancel
            .run(async {
                while self.check() == Err(Error::Paused) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                self.check()
            })
            .await
    }

    fn enter(self: &Arc<Self>) -> Result<(Busy, CancelToken)> {
        let mut inner = self.lock();
        inner.state.check()?;
        inner.running += 1;
        Ok((Busy(self.clone()), inner.epoch.clone()))
    }

    /// Runs a network call with a token that is cancelled by the caller and by a stop.
    pub async fn run<T>(
        self: &Arc<Self>,
        cancel: &CancelToken,
        work: impl AsyncFnOnce(&CancelToken) -> Result<T>,
    ) -> Result<T> {
        let (busy, epoch) = self.enter()?;
        cancel.check()?;
        let token = cancel.child();
        let done = {
            let mut work = std::pin::pin!(work(&token));
            tokio::select! {
                biased;
                done = &mut work => done,
                () = epoch.cancelled() => {
                    token.cancel();
                    work.await
                }
            }
        };
        drop(busy);
        match done {
            Err(Error::Cancelled) if !cancel.is_cancelled() => {
                Err(self.check().err().unwrap_or(Error::Paused))
            }
            done => done,
        }
    }

    /// Counts as running until the guard is dropped, for work that outlives its future.
    pub fn busy(self: &Arc<Self>) -> Result<Busy> {
        Ok(self.enter()?.0)
    }

    /// Asks everything to stop and waits for it. `StoreBusy` when the deadline passes first; even
    /// then nothing new starts.
    pub fn stop(&self, state: State, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        let mut inner = self.lock();
        if inner.state != State::Closed {
            inner.state = state;
        }
        inner.epoch.cancel();
        while inner.running > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::StoreBusy);
            }
            inner = self
                .idle
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(())
    }

    /// Lets calls in again, once `open` has opened what they need. A closed life stays closed.
    pub fn start(&self, open: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut inner = self.lock();
        match inner.state {
            State::Closed => return Err(Error::Closed),
            State::Running => {}
            State::Paused => {
                open()?;
                inner.state = State::Running;
                inner.epoch = CancelToken::new();
            }
        }
        Ok(())
    }
}

impl State {
    fn check(self) -> Result<()> {
        match self {
            Self::Running => Ok(()),
            Self::Paused => Err(Error::Paused),
            Self::Closed => Err(Error::Closed),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.idle.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stop_cancels_what_runs_and_waits_for_it() {
        let life = Life::new();
        let running = life.clone();
        let call = tokio::spawn(async move {
            running
                .run(&CancelToken::new(), async |token| {
                    token.cancelled().await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err::<(), _>(Error::Cancelled)
                })
                .await
        });
        while life.lock().running == 0 {
            tokio::task::yield_now().await;
        }
        let stopping = life.clone();
        tokio::task::spawn_blocking(move || stopping.stop(State::Paused, Duration::from_secs(5)))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(life.lock().running, 0);
        assert_eq!(call.await.unwrap(), Err(Error::Paused));
        assert_eq!(life.check(), Err(Error::Paused));
        life.start(|| Ok(())).unwrap();
        assert_eq!(life.run(&CancelToken::new(), async |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_cancel_before_the_start_is_obeyed() {
        let cancel = CancelToken::new();
        cancel.cancel();
        assert_eq!(
            Life::new().run(&cancel, async |_| Ok(())).await,
            Err(Error::Cancelled)
        );
    }

    #[test]
    fn a_closed_life_never_starts_again() {
        let life = Life::new();
        life.stop(State::Closed, Duration::ZERO).unwrap();
        life.stop(State::Paused, Duration::ZERO).unwrap();
        assert_eq!(
            life.start(|| panic!("nothing is opened")),
            Err(Error::Closed)
        );
    }

    #[test]
    fn a_stop_that_cannot_finish_says_so_at_its_deadline() {
        let life = Life::new();
        let _busy = life.busy().unwrap();
        assert_eq!(
            life.stop(State::Paused, Duration::from_millis(10)),
            Err(Error::StoreBusy)
        );
    }
}
