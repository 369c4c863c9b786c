//! What the end-to-end tests share: a pocket on a temporary directory, and disks that forget, fill up and die.
#![allow(
    clippy::unwrap_used,
    reason = "a test helper that fails should fail the test"
)]

pub mod faults;
mod forgetful;
pub mod lives;
mod mortal;
mod pocket;
pub mod powercut;
pub mod system;
mod tight;

pub use forgetful::ForgetfulDisk;
pub use mortal::MortalDisk;
pub use pocket::{Pocket, blocks_here, walk};
pub use tight::TightDisk;
