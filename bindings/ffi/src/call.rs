//! How a call gets from a foreign thread to the core and back.
//!
//! Exported futures are polled on the caller's thread, which may be a phone's UI thread, and Kotlin drops
//! them when a coroutine is cancelled while Swift never does. So the work runs on the core's runtime under a
//! child of the caller's token, and dropping the outer future trips that child: both ways of cancelling
//! take the same path, and neither trips the caller's own token.

use crate::{CancelToken, LommeError};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` on the core's runtime with a child of `cancel`.
pub(crate) async fn on_runtime<T, F>(
    cancel: &CancelToken,
    work: impl FnOnce(lomme::CancelToken) -> F,
) -> Result<T, LommeError>
where
    T: Send + 'static,
    F: Future<Output = lomme::Result<T>> + Send + 'static,
{
    let token = cancel.0.child();
    let _trip = token.cancel_on_drop();
    token.check()?;
    match lomme::runtime().spawn(work(token)).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(LommeError::panicked()),
    }
}

/// Runs a local call, and makes a panic in it an error like any other.
pub(crate) fn guarded<T>(work: impl FnOnce() -> lomme::Result<T>) -> Result<T, LommeError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(LommeError::panicked()),
    }
}
