//! What a platform and an app tell the camera backup, and what it tells them.

use crate::conditions::{Rules, Waiting};
use crate::sending::AccountHold;
use crate::{Error, Result};
use std::path::PathBuf;

/// A source's number, as [`Camera::sources`](super::Camera::sources) tells it.
pub type SourceId = u64;

/// What is to be backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// What the app calls it, once for each source: `photos`, `external_primary`, a folder's name.
    pub name: String,
    /// A folder that the core scans itself; `None` for a library that the platform scans.
    pub folder: Option<PathBuf>,
    /// The mount point on the phone's device in the cloud; the name if it is `None`.
    pub mount: Option<String>,
    /// What of it is backed up.
    pub rules: AssetRules,
    /// Only what is first seen after the first scan (complaint no. 40: not by a date).
    pub from_now: bool,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// What the app calls it.
    pub name: String,
    /// The folder that the core scans; `None` for a library.
    pub folder: Option<PathBuf>,
    /// The mount point in the cloud.
    pub mount: String,
    /// What of it is backed up.
    pub rules: AssetRules,
    /// Only what was first seen after the first scan.
    pub from_now: bool,
    /// What is deleted here is deleted in the cloud. Folders only.
    pub mirror: bool,
    /// Where the next delta scan begins: the platform's own words.
    pub cursor: Option<String>,
    /// When it was last scanned, in milliseconds since the epoch.
    pub scanned_ms: Option<i64>,
    /// When all of it was last seen.
    pub complete_ms: Option<i64>,
}

/// What of a source is backed up: a stored predicate, asked when an asset is offered and again before it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AssetRules {
    /// Only these albums (or folders below the source's), if there are any.
    pub only_albums: Vec<String>,
    /// Not these albums.
    pub without_albums: Vec<String>,
    /// Not these kinds.
    pub without_kinds: Vec<AssetKind>,
    /// Not larger than this, in bytes, all files of an asset together.
    pub at_most_bytes: Option<u64>,
    /// Hidden ones too.
    pub with_hidden: bool,
    /// Only what the person has marked as a favourite.
    pub only_favourites: bool,
}

/// What kind of asset it is. One may be several.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum AssetKind {
    /// A still image.
    Photo,
    /// A video.
    Video,
    /// A picture of the screen.
    Screenshot,
    /// A video of the screen.
    ScreenRecording,
    /// A photo with a moment of video.
    LivePhoto,
    /// A frame of a burst.
    Burst,
    /// A sensor's own data.
    Raw,
    /// Any other file.
    Other,
}

/// What a file of an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Role {
    /// The original photo.
    Photo,
    /// The original video.
    Video,
    /// The video of a live photo.
    PairedVideo,
    /// The sensor's data beside a photo.
    Raw,
    /// The photo as edited.
    EditedPhoto,
    /// The video as edited.
    EditedVideo,
    /// How it was edited.
    Adjustment,
    /// Any other file.
    Other,
}

impl Role {
    pub(super) const ALL: [Self; 8] = [
        Self::Photo,
        Self::Video,
        Self::PairedVideo,
        Self::Raw,
        Self::EditedPhoto,
        Self::EditedVideo,
        Self::Adjustment,
        Self::Other,
    ];

    pub(super) fn number(self) -> u8 {
        Self::ALL.iter().position(|role| *role == self).unwrap_or(0) as u8
    }

    pub(super) fn of(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Other)
    }

    pub(super) fn is_video(self) -> bool {
        matches!(self, Self::Video | Self::EditedVideo)
    }
}

/// A photo, a video or a file, as the platform offers it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asset {
    /// The platform's id: it means the same thing in every scan of the source.
    pub key: String,
    /// Its files, all of them; they are backed up together.
    pub resources: Vec<Resource>,
    /// The album, bucket or folder that it is in.
    pub album: String,
    /// What it is.
    pub kinds: Vec<AssetKind>,
    /// When the platform says that it was taken, in milliseconds since the epoch.
    pub taken_ms: Option<i64>,
    /// When it came to the library.
    pub added_ms: Option<i64>,
    /// When it was last changed.
    pub modified_ms: Option<i64>,
    /// It is still being written, or the platform does not show it yet.
    pub pending: bool,
    /// The person has marked it.
    pub favourite: bool,
    /// The person has hidden it.
    pub hidden: bool,
}

/// A file of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The platform's id of it, within the asset.
    pub key: String,
    /// What it is.
    pub role: Role,
    /// Its own name, as it was given by the camera.
    pub name: String,
    /// Bytes, if the platform knows.
    pub size: Option<u64>,
    /// Another number means that its bytes may be other ones: the platform's generation, or the time of the last change.
    pub stamp: i64,
    /// Where the core can read the original bytes; `None` if the platform must provide them. Not a preview, and not bytes
    /// without their place (complaints no. 10, 17).
    pub path: Option<PathBuf>,
}

/// What a scan shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanKind {
    /// All assets.
    Full,
    /// What has changed since the cursor.
    Delta,
}

/// How far a scan can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It had access to all of it, and saw it.
    Complete,
    /// Access is limited, the answer was empty, a volume was missing: nothing is gone for that.
    Partial,
}

/// A scan that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Its number, for [`Camera::add_assets`](super::Camera::add_assets). Known to this process only: after a kill a scan
    /// begins again.
    pub id: u64,
    /// What it must be: a delta from the cursor, or all.
    pub kind: ScanKind,
    /// Where a delta begins.
    pub cursor: Option<String>,
}

/// What a scan has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanResult {
    /// Assets shown.
    pub seen: u64,
    /// Never seen before.
    pub added: u64,
    /// Seen before, and different now.
    pub changed: u64,
    /// Not there any more. Nothing in the cloud follows from it, unless a folder is mirrored.
    pub gone: u64,
    /// Left out by a rule.
    pub skipped: u64,
}

/// Which rule leaves an asset out.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Skip {
    /// It was there before the source was added "from now on".
    BeforeStart,
    /// Not in one of the chosen albums.
    OtherAlbum,
    /// In an album that is left out.
    Album,
    /// Of a kind that is left out.
    Kind,
    /// Larger than allowed.
    Size,
    /// Hidden.
    Hidden,
    /// Not a favourite.
    NotFavourite,
}

/// What rules would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Assets that would be backed up, and their bytes as far as the platform has told.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
    /// Assets left out, by the rule that does it.
    pub skipped: Vec<(Skip, u64)>,
    /// Each album, how many assets it has, and how many of them would be backed up.
    pub albums: Vec<AlbumPreview>,
}

/// An album in a preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlbumPreview {
    /// Its name.
    pub album: String,
    /// Assets in it.
    pub items: u64,
    /// Those that would be backed up.
    pub included: u64,
}

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
    /// After the platform has provided bytes: see [`Camera::export_requests`](super::Camera::export_requests).
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
    /// For [`Camera::provide`](super::Camera::provide).
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
    /// For [`Camera::settle_upload`](super::Camera::settle_upload): what the system's task is called.
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
    /// The next [`run_batch`](super::Camera::run_batch) reads it in the cloud, which proves it.
    ToVerify,
    /// It is planned again by the next [`plan_uploads`](super::Camera::plan_uploads), or sent by a run.
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

/// Where an asset is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetState {
    /// Its bytes are still to be read.
    Seen,
    /// Its place in the cloud is chosen, and it waits to be sent.
    Placed,
    /// The cloud has it, by a listing.
    Listed,
    /// The cloud has it: it was read there by itself.
    Verified,
    /// A rule leaves it out.
    Skipped,
    /// Somebody has deleted it in the cloud, which is respected.
    DeletedInCloud,
    /// It is not here any more, and was not sent.
    Gone,
}

/// What an asset waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetWhy {
    /// Where it is on its way.
    pub state: AssetState,
    /// The rule that leaves it out.
    pub skipped: Option<Skip>,
    /// The one reason why it waits; `None` if nothing holds it: it is done, or in its turn.
    pub hold: Option<CameraHold>,
    /// Where its files are, or will be, in the cloud: below the mount point.
    pub paths: Vec<String>,
    /// All of that in a sentence, for developers and support.
    pub explanation: String,
}

/// An asset that has failed or needs a person.
#[derive(Clone, Debug, PartialEq)]
pub struct TroubledAsset {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// Why it waits.
    pub why: AssetWhy,
}

/// A photo's proof: what was sent, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// The file of the asset.
    pub resource: String,
    /// What it is.
    pub role: Role,
    /// Its own name.
    pub name: String,
    /// Device, mount point and path in the cloud.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, as the service knows them: 32 hexadecimal digits.
    pub md5: String,
    /// Of the bytes, as they were read here: 64 hexadecimal digits.
    pub blake3: Option<String>,
    /// The service's id of the file.
    pub uuid: Option<String>,
    /// The service's number of the revision.
    pub revision: Option<u64>,
    /// When it was last read there, in milliseconds since the epoch.
    pub verified_ms: i64,
}

/// Counts, from the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraStatus {
    /// The device that is backed up to.
    pub device: Option<String>,
    /// Files whose bytes are to be read, and their bytes as far as told.
    pub to_read: Amount,
    /// Files whose bytes the platform must provide.
    pub to_provide: Amount,
    /// Contents to be sent.
    pub to_send: Amount,
    /// Contents in the cloud, by a listing only.
    pub listed: Amount,
    /// Contents in the cloud, read there by themselves.
    pub verified: Amount,
    /// Contents that somebody has deleted in the cloud.
    pub deleted_in_cloud: Amount,
    /// Assets left out by rules.
    pub skipped: Amount,
    /// What needs a person.
    pub needs_user: u64,
    /// Bytes of what is being sent that have left.
    pub moving_bytes: u64,
    /// The one reason why nothing runs, if there is one.
    pub hold: Option<CameraHold>,
    /// How long the rest takes, at least and at most, in seconds: from the speed of the last minutes, if there is one.
    pub seconds_left: Option<(u64, u64)>,
}

/// How many, and how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
}

impl From<crate::store::Tally> for Amount {
    fn from(tally: crate::store::Tally) -> Self {
        Self {
            items: tally.items,
            bytes: tally.bytes,
        }
    }
}

/// An asset that may be removed here, after it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeUp {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Its files, so that the platform can give those that the core cannot read itself.
    pub resources: Vec<String>,
}

/// Files that the platform gives for a proof: of an asset's resource, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// The resource's key.
    pub resource: String,
    /// Where its original bytes are.
    pub path: PathBuf,
}

/// What became of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The cloud has exactly these bytes, now. It may be moved to the platform's trash.
    Proven,
    /// The cloud does not have it, or not exactly it. It is sent again.
    NotThere,
    /// What is here has changed since it was sent.
    Changed,
    /// It cannot be read here.
    Unreadable,
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::bug("a value of the camera"))
}
