//! What can be typed to change things.

use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use std::path::PathBuf;

/// What every change can be told.
#[derive(ClapArgs)]
pub struct When {
    /// Only queue it; 'lomme outbox --push' sends it
    #[arg(long)]
    pub later: bool,
}

#[derive(ClapArgs)]
pub struct Put {
    /// Files of this machine
    #[arg(required = true, value_name = "LOCAL", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// A folder, such as 'Sync/Documents', or for one file a new name in it
    pub place: String,

    /// Put it into a file that exists, as its newest version
    #[arg(long, short)]
    pub force: bool,

    #[command(flatten)]
    pub when: When,
}

/// The editor is $VISUAL, else $EDITOR, else vi. Each save is sent while it runs, not more often than the service keeps
/// versions well, and at its end; nothing is sent when nothing has changed.
#[derive(ClapArgs)]
pub struct Edit {
    /// A file
    pub path: String,

    #[command(flatten)]
    pub when: When,
}

#[derive(ClapArgs)]
pub struct Mkdir {
    /// The new folder; the one that it is in must be there
    pub path: String,

    #[command(flatten)]
    pub when: When,
}

#[derive(ClapArgs)]
pub struct Mv {
    /// What to move or rename
    pub from: String,

    /// A folder, or a new name
    pub to: String,

    #[command(flatten)]
    pub when: When,
}

/// The service copies; no content comes to this machine.
#[derive(ClapArgs)]
pub struct Cp {
    /// What to copy
    pub from: String,

    /// A folder, or a new name
    pub to: String,

    #[command(flatten)]
    pub when: When,
}

#[derive(ClapArgs)]
pub struct Rm {
    /// What to move to the trash
    #[arg(required = true)]
    pub paths: Vec<String>,

    /// Folders with all that is in them, too
    #[arg(long, short)]
    pub recursive: bool,

    /// Delete what is in the trash for ever
    #[arg(long)]
    pub for_good: bool,

    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,

    #[command(flatten)]
    pub when: When,
}

#[derive(ClapArgs)]
pub struct Trash {
    /// Delete all of it for ever: of all spaces and computers
    #[arg(long)]
    pub empty: bool,

    /// Do not ask
    #[arg(long, short, requires = "empty")]
    pub yes: bool,
}

#[derive(ClapArgs)]
pub struct Restore {
    /// What lies in the trash, such as 'Trash/a.txt'
    #[arg(required = true)]
    pub paths: Vec<String>,

    #[command(flatten)]
    pub when: When,
}

#[derive(ClapArgs)]
pub struct Versions {
    /// A file
    pub path: String,

    /// With --get: a new file, or a directory to put it in; without it, the current directory
    #[arg(requires = "get", value_hint = ValueHint::AnyPath)]
    pub dest: Option<PathBuf>,

    /// Download this version
    #[arg(long, value_name = "N", conflicts_with = "restore")]
    pub get: Option<u64>,

    /// Make this version the newest; the service does it, no content comes here
    #[arg(long, value_name = "N")]
    pub restore: Option<u64>,

    /// With --get: replace a file that exists
    #[arg(long, short, requires = "get")]
    pub force: bool,
}

#[derive(ClapArgs)]
pub struct Link {
    /// A file or folder
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    pub path: Option<String>,

    /// End the link
    #[arg(long, requires = "path")]
    pub remove: bool,

    /// All links of the account
    #[arg(long)]
    pub list: bool,
}

#[derive(ClapArgs)]
pub struct Conflicts {
    /// Decide the conflict of this number
    #[arg(long, value_name = "N", requires = "which")]
    pub resolve: Option<u64>,

    /// What shall stay
    #[arg(value_enum, requires = "resolve")]
    pub which: Option<Which>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Which {
    /// My content becomes the file's, the copy goes to the trash
    Mine,
    /// The other content stays the file's, my copy goes to the trash
    Theirs,
    /// Both stay as they are
    Both,
}

#[derive(ClapArgs)]
#[group(multiple = false)]
pub struct Outbox {
    /// Send what waits, as far as the rules allow
    #[arg(long)]
    pub push: bool,

    /// Send again what failed or needs a decision: all, or this
    #[arg(long, value_name = "PLACE", num_args = 0..=1)]
    pub retry: Option<Option<String>>,

    /// Give up what is wanted of this; unsent bytes are kept until they are forgotten
    #[arg(long, value_name = "PLACE")]
    pub discard: Option<String>,

    /// Show the bytes that were given up
    #[arg(long)]
    pub discarded: bool,

    /// Write bytes that were given up to a new file
    #[arg(long, num_args = 2, value_names = ["KEY", "DEST"])]
    pub export: Option<Vec<String>>,

    /// Delete bytes that were given up, for ever
    #[arg(long, value_name = "KEY")]
    pub forget: Option<String>,
}
