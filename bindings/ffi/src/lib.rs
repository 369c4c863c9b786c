//! Lomme for Kotlin and Swift: the `lomme` crate's public API carried across by UniFFI. No logic.
//!
//! What holds for every export, checked by `tests/exports.rs` where a program can:
//!
//! - What can fail returns a `Result`: a panic in an export that cannot return one kills a Swift app. A
//!   panic inside a fallible export becomes [`LommeError::Bug`].
//! - What reads the local store is synchronous and never touches the network; what may touch the network is
//!   `async`, takes a [`CancelToken`], and runs on the core's own threads (see `call`).
//! - Platform code is called only with no lock of ours held, one call at a time and in order for each
//!   listener; its exceptions never cross with their text.
//! - What queues a change is synchronous too: it is on the disk when the call returns, and `push` sends it.
//! - A reader's blocking read is for threads made for that; it has an `async` twin. A writer's calls all block, and so does
//!   the camera's `provide`, which hashes.
//! - Ids, versions, anchors and page tokens are strings; bytes cross as paths, and by a reader or writer at most 128 KiB a call.
//! - No type is named like one of Foundation, Kotlin or Android.

mod call;
mod camera;
mod cancel;
mod drive;
mod error;
mod foreign;
mod reader;
mod sign_in;
mod types;
mod writer;

pub use camera::LommeCamera;
pub use cancel::CancelToken;
pub use drive::{DriveSubscription, LommeDrive};
pub use error::{LommeError, RetryAdvice};
pub use foreign::{CallbackError, DriveListener, ProgressListener, SecretVault};
pub use reader::LommeReader;
pub use sign_in::BrowserSignIn;
pub use types::*;
pub use writer::LommeWriter;

uniffi::setup_scaffolding!();
