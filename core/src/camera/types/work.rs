//! When and where to it runs, in what slices, and why something waits.

use super::Role;
use super::SourceId;
use crate::Error;
use crate::conditions::{Rules, Waiting};
use crate::sending::AccountHold;
use std::path::PathBuf;

/// When the camera backup may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CameraRules {
    /// For photos and files.
    pub rules: Rules,
    /// For videos; the same if `None`.
    pub videos: Option<Rules>,
    /// Only in these hours; at any time if `None`.
    pub schedule: Option<Schedule>,
    /// Nothing runs.
    pub paused: bool,
}

/// Days and hours, by the device's own clock.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Schedule {
    /// Monday is the first. A span over midnight belongs to the day it begins on.
    pub days: [bool; 7],
    /// Minutes after midnight.
    pub from_minute: u16,
    /// Minutes after midnight; before or at `from_minute` it is the next day's.
    pub to_minute: u16,
}

/// A kind of device of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// An Android phone or tablet.
    Android,
    /// An iPhone.
    Iphone,
    /// An iPad.
    Ipad,
    /// A computer: for the command line and tests.
    Workstation,
}

/// A device of Backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, which is its identity: there are no two of one name, whatever the case.
    pub name: String,
    /// It is the one that this phone backs up to.
    pub ours: bool,
}

/// What a listing of the phone's own device has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Files there.
    pub files: u64,
    /// Files that the ledger did not know: from now on their content is not sent again.
    pub adopted: u64,
    /// Files that the ledger believed there, and that are gone: deleted by somebody, or to be sent again.
    pub missing: u64,
}

/// Room for one slice of work.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// How long it may take, in milliseconds; until nothing is left if `None`.
    pub time_ms: Option<u64>,
    /// About how many bytes it may send.
    pub bytes: Option<u64>,
}

/// What a slice has done, and when to come back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Contents that are proven in the cloud since it began.
    pub done: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Files whose bytes were read.
    pub read: u64,
    /// Files moved to the cloud's trash because a mirrored folder has them no more.
    pub trashed: u64,
    /// What is left, files that are to be read or provided included.
    pub remaining: u64,
    /// Bytes that are left, as far as known.
    pub bytes_left: u64,
    /// When to call again.
    pub next: Next,
    /// The one reason why what is left waits, if it is one.
    pub hold: Option<CameraHold>,
}

/// When to call again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// At once: the budget was used up.
    Now,
    /// After a time, in milliseconds.
    After {
        /// From now.
        ms: u64,
    },
    /// When there is a network.
    WhenOnline,
    /// When there is an unmetered network.
    WhenUnmetered,
    /// When the device is charging.
    WhenCharging,
    /// After the platform has provided bytes: see [`Camera::export_requests`](crate::camera::Camera::export_requests).
    WhenProvided,
    /// After a person has done something.
    NeedsUser,
    /// When there is something new.
    #[default]
    Idle,
}

/// Why something waits.
#[derive(Clone, Debug, PartialEq)]
pub enum CameraHold {
    /// No device was chosen to back up to.
    NoDevice,
    /// The person has paused the backup.
    Paused,
    /// Outside the hours of the schedule, until this time, in milliseconds since the epoch.
    Schedule {
        /// When the hours begin.
        from_ms: i64,
    },
    /// The account waits.
    Account(AccountHold),
    /// The network, the power or the space does not allow it.
    Conditions(Waiting),
    /// It may still change, until this time.
    Settling {
        /// When it is looked at.
        until_ms: i64,
    },
    /// The platform must provide its bytes.
    ToProvide,
    /// The platform could not provide its bytes; it is asked again at this time.
    NotProvided {
        /// Why not.
        why: ExportFailure,
        /// When it is asked again.
        until_ms: i64,
    },
    /// It failed, and is tried again at this time.
    Retry {
        /// When.
        until_ms: i64,
        /// How it failed.
        error: Error,
    },
    /// A person must see to it.
    NeedsUser(CameraPark),
}

/// Why something needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum CameraPark {
    /// The app may not read it.
    NoPermission,
    /// The platform cannot give its original bytes.
    Unsupported,
    /// Its bytes are other ones each time they are read (complaint no. 4).
    UnstableSource,
    /// The device cannot read it.
    Unreadable,
    /// The service refuses it.
    Refused,
    /// It failed many times.
    ManyFailures,
}

/// What the platform is asked for: the original bytes of a file, as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// For [`Camera::provide`](crate::camera::Camera::provide).
    pub id: u64,
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// The file of the asset.
    pub resource: String,
    /// What it is.
    pub role: Role,
    /// Bytes, if known.
    pub size: Option<u64>,
}

/// Why the platform could not provide bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ExportFailure {
    /// They are in the platform's own cloud, and cannot be had now.
    NotLocal,
    /// The app may not read them, or not without leaving something out (such as the place).
    NoPermission,
    /// The asset has changed meanwhile.
    Changed,
    /// The asset is gone.
    Gone,
    /// There are no original bytes.
    Unsupported,
}

/// An upload that the operating system is to send: a POST of a file, which must stay until it has ended.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadPlan {
    /// For [`Camera::settle_upload`](crate::camera::Camera::settle_upload): what the system's task is called.
    pub id: String,
    /// Where to. A secret: never log it.
    pub url: String,
    /// Names and values, the authorization among them. A secret, stored nowhere, and good for about an hour.
    pub headers: Vec<(String, String)>,
    /// The body: all of this file.
    pub file: PathBuf,
    /// Bytes of the body.
    pub bytes: u64,
    /// When it is not worth beginning any more, in milliseconds since the epoch: plan again.
    pub not_after_ms: i64,
}

impl std::fmt::Debug for UploadPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadPlan")
            .field("id", &self.id)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// How the operating system's task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadEnd {
    /// There was an answer.
    Answered {
        /// Its HTTP status.
        status: u16,
    },
    /// There was none.
    NoAnswer,
    /// The system or the app has cancelled it.
    Cancelled,
}

/// What follows from the end of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterUpload {
    /// Nothing: it is known to be settled.
    Settled,
    /// The next [`run_batch`](crate::camera::Camera::run_batch) reads it in the cloud, which proves it.
    ToVerify,
    /// It is planned again by the next [`plan_uploads`](crate::camera::Camera::plan_uploads), or sent by a run.
    ToPlan,
}

/// What a mirrored folder would delete in the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorPending {
    /// Files that are gone here and there in the cloud.
    pub gone: u64,
    /// Files of the folder that are known.
    pub of: u64,
    /// They are so many that a person must allow it first.
    pub asks: bool,
}

/// What became of provided bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provided {
    /// They wait here to be sent.
    Queued,
    /// The cloud has them.
    AlreadyThere,
    /// Nobody wants them any more.
    NotWanted,
}
