//! What can be typed about content: fetching, keeping, finding.

use crate::amounts::{bytes, moment};
use crate::part::Part;
use clap::{ArgAction, Args as ClapArgs, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct Get {
    /// A file, such as 'Sync/Documents/a.txt' or 'id:ID'
    pub path: String,

    /// A new file, or a directory to put it in; without it, the current directory. A part can go to '-', stdout
    #[arg(value_hint = ValueHint::AnyPath)]
    pub dest: Option<PathBuf>,

    /// Only these bytes: 'A-B' with both ends, 'A-' to the end, '-N' for the last N; not verified as a whole is
    #[arg(long, value_name = "PART", allow_hyphen_values = true)]
    pub range: Option<Part>,

    /// Replace a file that exists
    #[arg(long, short)]
    pub force: bool,
}

/// The bytes come as they are, with no MD5 compared at the end: 'get' does that.
#[derive(ClapArgs)]
pub struct Cat {
    /// A file
    pub path: String,

    /// Only these bytes: 'A-B' with both ends, 'A-' to the end, '-N' for the last N
    #[arg(long, value_name = "PART", allow_hyphen_values = true)]
    pub range: Option<Part>,
}

/// Only this machine can reach the URL, and only who knows it: it holds a secret.
#[derive(ClapArgs)]
pub struct Serve {
    /// A file
    pub path: String,

    /// On this machine only; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
}

#[derive(ClapArgs)]
pub struct Thumb {
    /// A picture or a video
    pub path: String,

    /// A new file, or a directory to put it in, or '-' for stdout; without it, the current directory
    #[arg(value_hint = ValueHint::AnyPath)]
    pub dest: Option<PathBuf>,

    /// How large, as the service makes them
    #[arg(long, value_enum, default_value_t = ThumbSize::Medium)]
    pub size: ThumbSize,

    /// Replace a file that exists
    #[arg(long, short)]
    pub force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ThumbSize {
    Small,
    Medium,
    Large,
    Huge,
}

#[derive(ClapArgs)]
pub struct Pin {
    /// A file or folder
    pub path: Option<String>,

    /// Refuse what is larger, and say how large it is
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1GiB")]
    pub up_to: u64,

    /// Fetch it now, as 'keep' does
    #[arg(long, requires = "path")]
    pub now: bool,
}

#[derive(ClapArgs)]
pub struct Unpin {
    /// What was pinned
    pub path: String,

    /// Remove its content from this machine, too
    #[arg(long)]
    pub drop: bool,
}

#[derive(ClapArgs)]
pub struct Evict {
    /// A file or folder
    pub path: String,
}

#[derive(ClapArgs)]
pub struct Usage {
    /// What all content that is not pinned may take; the least recently used goes first
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub budget: Option<u64>,

    /// What must stay free on the disk
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub floor: Option<u64>,
}

#[derive(ClapArgs)]
pub struct Find {
    /// Words that the name must all contain, in any case; without them, any name
    pub text: Vec<String>,

    /// Only in Sync, Backup, Archive or Trash; can be repeated. Without it, everywhere but in the trash
    #[arg(long = "in", value_name = "SPACE", ignore_case = true, value_parser = ["Sync", "Backup", "Archive", "Trash"])]
    pub spaces: Vec<String>,

    /// Only files, or only folders
    #[arg(long, value_enum)]
    pub kind: Option<FindKind>,

    /// Only media types that start so, as in 'image/'
    #[arg(long, value_name = "TYPE")]
    pub mime: Option<String>,

    /// Files of at least this size, such as 10MB
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub larger: Option<u64>,

    /// Files of at most this size
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub smaller: Option<u64>,

    /// Files modified then or later: 2025-06-01, or 30d for days ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<i64>,

    /// Files modified earlier
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub before: Option<i64>,

    /// Only favourites
    #[arg(long)]
    pub favourites: bool,

    /// Sizes and times (UTC) too
    #[arg(long, short)]
    pub long: bool,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum FindKind {
    File,
    Folder,
}

#[derive(ClapArgs)]
pub struct Recent {
    /// Sizes and times (UTC) too
    #[arg(long, short)]
    pub long: bool,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

#[derive(ClapArgs)]
pub struct Favourite {
    /// Anything with a name
    pub path: Option<String>,

    /// No longer
    #[arg(long, requires = "path")]
    pub off: bool,
}

#[derive(ClapArgs)]
pub struct Why {
    /// A file or folder
    pub path: String,
}

/// They hold for what is pinned. What a person asks for at this moment is never held back.
#[derive(ClapArgs)]
pub struct Rules {
    /// On a network that costs money (--metered)
    #[arg(long, value_name = "YES|NO", value_parser = yes, action = ArgAction::Set)]
    pub on_metered: Option<bool>,

    /// On a foreign operator's network (--roaming), if metered ones are allowed
    #[arg(long, value_name = "YES|NO", value_parser = yes, action = ArgAction::Set)]
    pub on_roaming: Option<bool>,

    /// Bytes a month over metered networks at the most, or 'none'
    #[arg(long, value_name = "BYTES", value_parser = cap)]
    pub monthly: Option<Cap>,

    /// Only on a charger
    #[arg(long, value_name = "YES|NO", value_parser = yes, action = ArgAction::Set)]
    pub only_charging: Option<bool>,

    /// Not with less battery than this, unless on a charger
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub battery: Option<u8>,

    /// While the device saves power
    #[arg(long, value_name = "YES|NO", value_parser = yes, action = ArgAction::Set)]
    pub on_low_power: Option<bool>,
}

/// A limit, or none.
#[derive(Clone, Copy)]
pub struct Cap(pub Option<u64>);

pub(super) fn cap(text: &str) -> Result<Cap, String> {
    match text {
        "none" => Ok(Cap(None)),
        text => bytes(text).map(|bytes| Cap(Some(bytes))),
    }
}

pub(super) fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("'yes' or 'no'".into()),
    }
}
