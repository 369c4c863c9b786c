//! Cancellation, in-band.
//!
//! A token is latched: once cancelled it stays so, and cancelling before the call starts works.
//! Dropping a future is never the contract, because a Swift task's cancellation does not reach
//! Rust. A finished result beats a cancel.

use crate::{Error, Result};
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// A latched wish to stop. Clones share the wish; [`child`](Self::child) inherits it one way.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(CancellationToken);

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every call that holds this token, or a child of it, to stop.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A token that is cancelled with this one, and whose own cancel does not reach this one.
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }

    /// Cancels the token when the guard is dropped.
    pub fn cancel_on_drop(&self) -> impl Drop + Send + use<> {
        self.0.clone().drop_guard()
    }

    /// `Err(Cancelled)` once cancelled.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Resolves when cancelled.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }

    /// Runs `work` until it ends or the token is cancelled. Wrap network waits only, never a
    /// database write.
    pub async fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.0.cancelled() => Err(Error::Cancelled),
        }
    }
}
