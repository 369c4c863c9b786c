//! What can be typed about the camera backup.

use super::content::{Cap, cap, yes};
use crate::amounts::{bytes, minutes};
use clap::{ArgAction, Args as ClapArgs, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct Camera {
    #[command(subcommand)]
    pub command: CameraCommand,
}

/// A SOURCE is named by its name or its number, an asset by its KEY, as 'receipts' and 'free-up' show it.
#[derive(Subcommand)]
pub enum CameraCommand {
    /// Choose the device of Backup that is backed up to
    #[command(subcommand)]
    Device(CameraDevice),
    /// Back up a folder of this machine: as it is, or as a camera roll
    Add(CameraAdd),
    /// Show what is backed up
    Sources,
    /// Back it up no longer; what is in the cloud stays there
    Remove(OneSource),
    /// Show what of a source is backed up, or set it
    Rules(SourceRules),
    /// Tell what rules would back up, and what they leave out; without rules, the source's own
    Preview(SourceRules),
    /// Delete in the cloud what is deleted in a folder here, or not; 'allow' lets go at once what is much
    Mirror(CameraMirror),
    /// Show when the backup may run, or set it
    When(CameraWhen),
    /// Look what is there; touches no network
    Scan(SomeSource),
    /// Scan, and send until nothing is left
    Run(CameraRun),
    /// Scan and send whenever files change, until Ctrl-C
    Watch(CameraWatch),
    /// Show what is backed up and what is left
    Status,
    /// Tell why a photo is, or is not, in the cloud
    Why(OneAsset),
    /// Try again now what waits for its time or for you
    Retry(SomeAsset),
    /// Send something again that was deleted in the cloud
    Again(OneAsset),
    /// Show the proof of each file that is in the cloud
    Receipts,
    /// Prove what may be removed here, or move it to a trash
    FreeUp(CameraFreeUp),
    /// List what the device holds, so that it is not sent again
    Adopt,
    /// Read again some of what is believed in the cloud, what was read longest ago first
    Audit(CameraAudit),
}

#[derive(Subcommand)]
pub enum CameraDevice {
    /// Show the devices of Backup
    List,
    /// Make a new device, and back up to it
    Create {
        /// Its name, which no other device has
        name: String,

        /// What it is
        #[arg(long, value_enum, default_value_t = CameraDeviceKind::Workstation)]
        kind: CameraDeviceKind,
    },
    /// Go on with a device that is there, as after a reinstall; what it holds is not sent again
    Claim {
        /// Its name
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CameraDeviceKind {
    Android,
    Iphone,
    Ipad,
    Workstation,
}

#[derive(ClapArgs)]
pub struct CameraAdd {
    /// A folder of this machine
    #[arg(value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,

    /// What to call it here; the folder's own name without it
    #[arg(long)]
    pub name: Option<String>,

    /// What to call it on the device in the cloud; the name without it
    #[arg(long)]
    pub mount: Option<String>,

    /// Only what comes from now on
    #[arg(long)]
    pub from_now: bool,

    /// A camera roll: each photo and video once, by month, whatever its name and album
    #[arg(long)]
    pub roll: bool,
}

#[derive(ClapArgs)]
pub struct OneSource {
    pub source: String,
}

#[derive(ClapArgs)]
pub struct SomeSource {
    /// All of them without it
    pub source: Option<String>,
}

#[derive(ClapArgs)]
pub struct OneAsset {
    pub source: String,

    pub key: String,
}

#[derive(ClapArgs)]
pub struct SomeAsset {
    /// All that waits without it
    #[arg(requires = "key")]
    pub source: Option<String>,

    pub key: Option<String>,
}

#[derive(ClapArgs)]
pub struct SourceRules {
    pub source: String,

    #[command(flatten)]
    pub rules: RuleFlags,
}

/// What is said replaces what was said before of the same.
#[derive(ClapArgs)]
pub struct RuleFlags {
    /// Begin with no rule: all that is not hidden
    #[arg(long)]
    pub everything: bool,

    /// Only this album or folder, and what is below it; can be repeated
    #[arg(long = "only-album", value_name = "ALBUM")]
    pub only_albums: Vec<String>,

    /// Not this album or folder; can be repeated
    #[arg(long = "without-album", value_name = "ALBUM")]
    pub without_albums: Vec<String>,

    /// Nothing of this kind; can be repeated
    #[arg(long = "without-kind", value_name = "KIND", value_enum)]
    pub without_kinds: Vec<CameraKind>,

    /// Nothing that is larger, or 'none' for no limit
    #[arg(long, value_name = "BYTES", value_parser = cap)]
    pub at_most: Option<Cap>,

    /// Only favourites, of a library that has such
    #[arg(long)]
    pub favourites: bool,

    /// Hidden ones, too
    #[arg(long)]
    pub hidden: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CameraKind {
    Photo,
    Video,
    Screenshot,
    ScreenRecording,
    LivePhoto,
    Burst,
    Raw,
    Other,
}

#[derive(ClapArgs)]
pub struct CameraMirror {
    /// A folder; never a camera roll
    pub source: String,

    #[arg(value_enum)]
    pub how: MirrorHow,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum MirrorHow {
    On,
    Off,
    Allow,
}

#[derive(ClapArgs)]
pub struct CameraWhen {
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

    /// Only on these days, such as mon,tue; every day without it
    #[arg(
        long,
        value_name = "DAYS",
        value_enum,
        value_delimiter = ',',
        requires = "from"
    )]
    pub days: Vec<Day>,

    /// Only from this time on, by this machine's clock, such as 22:00
    #[arg(long, value_name = "TIME", value_parser = minutes, requires = "to")]
    pub from: Option<u16>,

    /// Until this time, of the next day if it is not later
    #[arg(long, value_name = "TIME", value_parser = minutes, requires = "from")]
    pub to: Option<u16>,

    /// At any time again
    #[arg(long, conflicts_with_all = ["from", "to", "days"])]
    pub always: bool,

    /// Send nothing until --resume
    #[arg(long, conflicts_with = "resume")]
    pub pause: bool,

    /// Go on after --pause
    #[arg(long)]
    pub resume: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[derive(ClapArgs)]
pub struct CameraRun {
    /// End after about this time
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,

    /// Send about so much and no more
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub bytes: Option<u64>,
}

#[derive(ClapArgs)]
pub struct CameraWatch {
    /// All of them without it
    pub source: Option<String>,

    /// End after this time
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

#[derive(ClapArgs)]
pub struct CameraFreeUp {
    /// Only what has been known here and unchanged for so many days
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub days: u32,

    /// At most so many, the largest first
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,

    /// Move what is proven to the trash
    #[arg(long, requires = "trash")]
    pub remove: bool,

    /// A directory on the same disk, in no source
    #[arg(long, value_name = "DIR", requires = "remove", value_hint = ValueHint::DirPath)]
    pub trash: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct CameraAudit {
    /// How many
    #[arg(default_value_t = 100)]
    pub most: u32,
}
