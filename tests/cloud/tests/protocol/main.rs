//! The cloud's protocol, rule by rule, over real HTTP. Section numbers are those of the protocol facts.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod client;
mod commands;
mod cphash;
mod downloads;
mod errors;
mod events;
mod listings;
mod liststream;
mod names;
mod sharing;
mod switched;
mod thumbnails;
mod trash;
mod uploads;
