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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        lomme::runtime().block_on(future)
    }

    #[test]
    fn the_work_runs_on_the_core_s_threads_and_not_on_the_caller_s() {
        let caller = std::thread::current().id();
        let ran_on = wait(on_runtime(&CancelToken::new(), |_| async {
            Ok(std::thread::current().id())
        }));
        assert_ne!(ran_on.unwrap(), caller);
    }

    #[test]
    fn a_panic_is_a_typed_error_without_its_text() {
        let error = wait(on_runtime::<(), _>(&CancelToken::new(), |_| async {
            panic!("a secret")
        }));
        assert_eq!(error, Err(LommeError::panicked()));
        assert_eq!(
            guarded::<()>(|| panic!("a secret")),
            Err(LommeError::panicked())
        );
    }

    #[test]
    fn a_token_cancelled_before_keeps_the_work_from_starting() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let started = Arc::new(AtomicBool::new(false));
        let mark = started.clone();
        let result = wait(on_runtime(&cancel, |_| {
            mark.store(true, Ordering::SeqCst);
            async { Ok(()) }
        }));
        assert!(matches!(result, Err(LommeError::Cancelled { .. })));
        assert!(!started.load(Ordering::SeqCst));
    }

    #[test]
    fn a_cancel_while_it_runs_reaches_the_work() {
        let cancel = Arc::new(CancelToken::new());
        let from_elsewhere = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            from_elsewhere.cancel();
        });
        let result = wait(on_runtime::<(), _>(&cancel, |token| async move {
            token.cancelled().await;
            token.check()
        }));
        assert!(matches!(result, Err(LommeError::Cancelled { .. })));
    }

    #[test]
    fn a_dropped_future_cancels_its_work_and_not_the_caller_s_token() {
        let cancel = CancelToken::new();
        let (stopped, seen) = std::sync::mpsc::channel();
        let call = on_runtime::<(), _>(&cancel, |token| async move {
            token.cancelled().await;
            stopped.send(()).unwrap();
            token.check()
        });
        wait(async { tokio::time::timeout(Duration::from_millis(50), call).await }).unwrap_err();
        seen.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(!cancel.is_cancelled());
    }

    #[test]
    fn a_finished_result_beats_a_cancel() {
        let cancel = Arc::new(CancelToken::new());
        let inner = cancel.clone();
        let result = wait(on_runtime(&cancel, |_| async move {
            inner.cancel();
            Ok(7)
        }));
        assert_eq!(result, Ok(7));
    }
}
