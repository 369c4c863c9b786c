//! What a cloud is filled with.

mod jpeg;
mod media;
