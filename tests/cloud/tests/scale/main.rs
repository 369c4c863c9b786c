//! What must hold at scale. A program of its own, because it measures its own memory.
#![allow(clippy::unwrap_used)]

#[path = "../protocol/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
mod hundred_thousand;
