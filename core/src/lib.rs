//! Lomme: the core of a phone companion for Jottacloud and its white-label sisters.
//!
//! [`Drive`] opens a directory and hands out the services: [`account`] (sign-in), [`catalog`]
//! (the local tree of Sync, Backup, Archive and Trash), [`content`] (bytes on demand) and
//! [`edits`] (the outbox).
//! Data flows one way: drive → services → `remote` and `store`. What reads the local store is
//! synchronous and never touches the network; what may touch the network is `async` and takes a
//! [`CancelToken`].
//!
//! Not one byte of file content moves unless a caller named a [`content::Purpose`] for it.

pub mod account;
pub mod camera;
mod cancel;
pub mod catalog;
pub mod clock;
pub mod conditions;
pub mod content;
pub mod disk;
mod drive;
pub mod edits;
mod error;
mod md5;
mod remote;
mod runtime;
mod sending;
mod store;

pub use cancel::CancelToken;
pub use drive::{Drive, DriveOptions, Listener, Polled, Profile, Status, Subscription, Why};
pub use error::{Error, Result, RetryAdvice};
pub use remote::Endpoints;
pub use runtime::runtime;
