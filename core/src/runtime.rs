//! The one runtime that network calls run on, shared by every drive of the process.
//!
//! Exported async functions are polled on the caller's thread, which may be a phone's UI thread,
//! so the bindings spawn here and only wait there.

use crate::{Error, Result};
use std::sync::OnceLock;
use tokio::runtime::{Builder, Handle, Runtime};

/// The shared runtime: two worker threads, made at first use.
pub fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            #[allow(
                clippy::expect_used,
                reason = "without threads nothing in the process can work"
            )]
            Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("lomme")
                .enable_all()
                .build()
                .expect("the operating system gives threads")
        })
        .handle()
}

/// Runs what may block (SQLite, the platform's vault) where it cannot hold up the two workers.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::bug("work that stopped")))
}
