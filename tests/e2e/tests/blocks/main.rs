//! Any part of a file: what it costs, and that it is always of one version.
#![allow(clippy::unwrap_used, missing_docs)]

mod cost;
mod life;
mod small_disk;
mod versions;
mod world;
