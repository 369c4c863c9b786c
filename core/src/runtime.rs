//! The one runtime that network calls run on, shared by every drive of the process.
//!
//! Exported async functions are polled on the caller's thread, which may be a phone's UI thread,
//! so the bindings spawn here and only wait there.

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
