//! The commands, one file each.

pub mod arrange;
pub mod camera;
pub mod cat;
pub mod cloud;
pub mod completions;
pub mod conflicts;
pub mod edit;
pub mod evict;
pub mod favourite;
pub mod find;
pub mod get;
pub mod index;
pub mod keep;
pub mod link;
pub mod login;
pub mod logout;
pub mod ls;
pub mod outbox;
pub mod pin;
pub mod put;
pub mod rm;
pub mod rules;
mod sending;
pub mod serve;
pub mod status;
pub mod thumb;
pub mod tree;
pub mod usage;
pub mod versions;
pub mod watch;
pub mod why;

use indicatif::DecimalBytes;

/// A size for people: decimal, as the service's own pages and phones count.
pub fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// A time for people, in UTC and to the minute, as wide as any other.
pub fn time(ms: Option<i64>) -> String {
    ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || format!("{:16}", "-"),
            |time| time.strftime("%Y-%m-%d %H:%M").to_string(),
        )
}

/// `1 file`, `2 files`.
pub fn count(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}
