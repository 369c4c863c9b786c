//! What can be typed.

mod camera;
mod content;
mod edits;

use crate::failure::EXIT_CODES;
pub use camera::*;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueHint};
pub use content::*;
pub use edits::*;
use std::path::PathBuf;

/// A pocket for Jottacloud and its sister services: browse, search, play, keep files offline, and change them.
#[derive(Parser)]
#[command(name = "lomme", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Args {
    /// Where the local tree and the sign-in are kept
    #[arg(long, global = true, help_heading = "Everywhere", env = "LOMME_DIR", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,

    /// A service elsewhere, such as a local cloud; http only on this machine
    #[arg(long, global = true, help_heading = "Everywhere", env = "LOMME_CLOUD", value_name = "URL", value_hint = ValueHint::Url)]
    pub cloud: Option<String>,

    /// Certificates (PEM) to trust beside the public ones, for a --cloud over TLS
    #[arg(long, global = true, help_heading = "Everywhere", env = "LOMME_CA_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,

    /// Print JSON for programs; errors too, on stderr
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,

    /// No progress bars and no remarks
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,

    /// The network costs money, which nobody can find out by itself; without it, it is taken for free
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub metered: bool,

    /// The network is a foreign operator's; metered too
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub roaming: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// See in a minute what this does, without an account
    Demo(Demo),
    /// Sign in with a personal login token from stdin, or through the browser
    Login(Login),
    /// List a folder; without PATH the spaces
    Ls(Ls),
    /// Show everything below a folder
    Tree(Tree),
    /// Ask the service for all names of a space; no file content moves
    Index(Index),
    /// Download a file, or a part of it; a broken download goes on where it stopped
    Get(Get),
    /// Write a file, or a part of it, to stdout
    Cat(Cat),
    /// Play a file: a URL on this machine in which any player can seek
    Serve(Serve),
    /// Fetch the thumbnail of a picture or video, and not the file
    Thumb(Thumb),
    /// Keep a file or folder on this machine; without PATH, show what is kept
    #[command(visible_alias = "pins")]
    Pin(Pin),
    /// Keep it no longer
    Unpin(Unpin),
    /// Bring all that is pinned up to date, as far as the rules allow
    Keep,
    /// Remove the content of a file or folder from this machine; nothing is deleted in the cloud
    Evict(Evict),
    /// Show what content takes on this machine, or set how much it may
    Usage(Usage),
    /// Send files of this machine to a folder
    Put(Put),
    /// Change a file in your editor; each save is sent
    Edit(Edit),
    /// Make a folder
    Mkdir(Mkdir),
    /// Move or rename
    Mv(Mv),
    /// Copy; the service does it
    Cp(Cp),
    /// Move to the trash, where it stays for 30 days
    Rm(Rm),
    /// Show the trash, or empty it
    Trash(Trash),
    /// Take something out of the trash, to where it was
    Restore(Restore),
    /// Show the kept versions of a file; download one, or make it the newest
    Versions(Versions),
    /// Make a public link, or end it
    Link(Link),
    /// Show where two writers met, and decide
    Conflicts(Conflicts),
    /// Show what waits to be sent, and why; send it, or give it up
    Outbox(Outbox),
    /// Back up photos and folders of this machine, and prove it
    Camera(Camera),
    /// Find by name, without the network
    Find(Find),
    /// Show the files last changed anywhere or opened here
    Recent(Recent),
    /// Make something a favourite; without PATH, show the favourites
    Favourite(Favourite),
    /// Show changes as they come, until Ctrl-C, and keep what is pinned up to date; fetches nothing else
    Watch,
    /// Show what may be fetched by itself, or set it
    Rules(Rules),
    /// Tell why a file is, or is not, on this machine
    Why(Why),
    /// Show who is signed in, what is known and kept here, and the byte ledger
    Status(Status),
    /// Sign out: the tokens and the local tree go, downloaded files stay
    Logout,
    /// Run a local cloud to develop an app against; prints a login token
    Cloud(Cloud),
    /// Print a completion script for a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
}

/// A login token is read from stdin, never from an argument: those are visible to every program
/// on the machine and stay in the shell's history.
#[derive(ClapArgs)]
pub struct Login {
    /// Sign in through the browser; for another service than Jottacloud, its name or domain
    #[arg(long, value_name = "SERVICE", num_args = 0..=1, default_missing_value = "jottacloud")]
    pub browser: Option<String>,
}

#[derive(ClapArgs)]
pub struct Ls {
    /// Such as 'Sync/Documents', 'Backup/Laptop', 'Archive', 'Trash' or 'id:ID'
    pub path: Option<String>,

    /// Sizes and times (UTC) too
    #[arg(long, short)]
    pub long: bool,

    /// What may be done to each item, and where it leads
    #[arg(long)]
    pub capabilities: bool,

    #[command(flatten)]
    pub network: Network,
}

#[derive(ClapArgs)]
pub struct Tree {
    /// Without it, all spaces
    pub path: Option<String>,

    /// How many levels to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub depth: Option<u32>,

    #[command(flatten)]
    pub network: Network,
}

/// Without either, the service is asked only for what was never listed.
#[derive(ClapArgs)]
pub struct Network {
    /// Only what is known here; no network
    #[arg(long, conflicts_with = "refresh")]
    pub offline: bool,

    /// Ask the service again
    #[arg(long, short)]
    pub refresh: bool,
}

#[derive(ClapArgs)]
pub struct Index {
    /// Sync, Backup, Archive or Trash; all of them without it
    #[arg(value_name = "SPACE", ignore_case = true, value_parser = ["Sync", "Backup", "Archive", "Trash"])]
    pub spaces: Vec<String>,

    /// Believe it when a great part of a space has disappeared
    #[arg(long, requires = "spaces")]
    pub accept_gone: bool,
}

#[derive(ClapArgs)]
pub struct Status {
    /// Ask the service for the quota first
    #[arg(long, short)]
    pub refresh: bool,
}

#[derive(ClapArgs)]
pub struct Demo {
    /// Fetch a byte behind Lomme's back, to see the demo fail
    #[arg(long, hide = true)]
    pub plant_a_byte: bool,
}

#[derive(ClapArgs)]
pub struct Cloud {
    /// On this machine only; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Keep the cloud's files here; a temporary directory without it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,

    /// What to fill an empty cloud with: demo, none, scale:FILES or scale:FILES:FOLDERS
    #[arg(long, value_name = "PLAN", default_value = "demo")]
    pub seed: local_cloud::Plan,

    /// How long access tokens live, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub access_token_ttl: u64,

    /// Serve TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,

    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,

    /// Serve TLS with a throw-away certificate; its authority is written to ca.pem in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "tls_cert", value_hint = ValueHint::DirPath)]
    pub tls_self_signed: Option<PathBuf>,

    /// Answer an open question of the protocol otherwise; can be repeated
    #[arg(long = "switch", value_name = "NAME=ANSWER")]
    pub switches: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
