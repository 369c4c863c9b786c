//! Sources, their rules, and what a scan of them offers.

use crate::FetchRules;
use crate::types::into_records;
use lomme::camera as core;
use std::path::PathBuf;

/// What is to be backed up.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NewCameraSource {
    /// What the app calls it, once for each source: `photos`, `external_primary`, a folder's name.
    pub name: String,
    /// The path of a folder that the core scans itself; absent for a library that the platform scans.
    #[uniffi(default = None)]
    pub folder: Option<String>,
    /// The mount point on the phone's device in the cloud; the name if absent.
    #[uniffi(default = None)]
    pub mount: Option<String>,
    /// What of it is backed up.
    #[uniffi(default)]
    pub rules: AssetRules,
    /// Only what is first seen after the first scan, whatever its date.
    #[uniffi(default = false)]
    pub from_now: bool,
}

impl From<NewCameraSource> for core::NewSource {
    fn from(new: NewCameraSource) -> Self {
        Self {
            name: new.name,
            folder: new.folder.map(PathBuf::from),
            mount: new.mount,
            rules: new.rules.into(),
            from_now: new.from_now,
        }
    }
}

/// A source of the camera backup.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraSource {
    /// Its number, for all calls that take a source.
    pub id: u64,
    /// What the app calls it.
    pub name: String,
    /// The path of the folder that the core scans; none for a library.
    pub folder: Option<String>,
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
    /// When it was last scanned, in milliseconds since 1970.
    pub scanned_ms: Option<i64>,
    /// When all of it was last seen, in milliseconds since 1970.
    pub complete_ms: Option<i64>,
}

impl From<core::Source> for CameraSource {
    fn from(source: core::Source) -> Self {
        Self {
            id: source.id,
            name: source.name,
            folder: source.folder.map(|path| super::work::path_text(&path)),
            mount: source.mount,
            rules: source.rules.into(),
            from_now: source.from_now,
            mirror: source.mirror,
            cursor: source.cursor,
            scanned_ms: source.scanned_ms,
            complete_ms: source.complete_ms,
        }
    }
}

/// What of a source is backed up. Asked when an asset is offered, and again before it is sent. Whatever is left out
/// forbids nothing but hidden assets.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct AssetRules {
    /// Only these albums (or folders below the source's), if there are any.
    #[uniffi(default = [])]
    pub only_albums: Vec<String>,
    /// Not these albums.
    #[uniffi(default = [])]
    pub without_albums: Vec<String>,
    /// Not these kinds.
    #[uniffi(default = [])]
    pub without_kinds: Vec<AssetKind>,
    /// Not larger than this, in bytes, all files of an asset together.
    #[uniffi(default = None)]
    pub at_most_bytes: Option<u64>,
    /// Hidden ones too.
    #[uniffi(default = false)]
    pub with_hidden: bool,
    /// Only what the person has marked as a favourite.
    #[uniffi(default = false)]
    pub only_favourites: bool,
}

impl From<core::AssetRules> for AssetRules {
    fn from(rules: core::AssetRules) -> Self {
        Self {
            only_albums: rules.only_albums,
            without_albums: rules.without_albums,
            without_kinds: into_records(rules.without_kinds),
            at_most_bytes: rules.at_most_bytes,
            with_hidden: rules.with_hidden,
            only_favourites: rules.only_favourites,
        }
    }
}

impl From<AssetRules> for core::AssetRules {
    fn from(rules: AssetRules) -> Self {
        Self {
            only_albums: rules.only_albums,
            without_albums: rules.without_albums,
            without_kinds: into_records(rules.without_kinds),
            at_most_bytes: rules.at_most_bytes,
            with_hidden: rules.with_hidden,
            only_favourites: rules.only_favourites,
        }
    }
}

twin! {
    /// What kind of asset it is. One may be several.
    AssetKind = lomme::camera::AssetKind {
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
}

twin! {
    /// What a file of an asset is.
    AssetRole = lomme::camera::Role {
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
}

/// A photo, a video or a file, as the platform offers it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraAsset {
    /// The platform's id: it means the same thing in every scan of the source.
    pub key: String,
    /// Its files, all of them; they are backed up together.
    pub files: Vec<AssetFile>,
    /// The album, bucket or folder that it is in; the parts of a path in it are told apart by `/`.
    #[uniffi(default = "")]
    pub album: String,
    /// What it is.
    #[uniffi(default = [])]
    pub kinds: Vec<AssetKind>,
    /// When the platform says that it was taken, in milliseconds since 1970.
    #[uniffi(default = None)]
    pub taken_ms: Option<i64>,
    /// When it came to the library, in milliseconds since 1970.
    #[uniffi(default = None)]
    pub added_ms: Option<i64>,
    /// When it was last changed, in milliseconds since 1970. What was changed in the last seconds rests before it is read.
    #[uniffi(default = None)]
    pub modified_ms: Option<i64>,
    /// It is still being written, or the platform does not show it yet.
    #[uniffi(default = false)]
    pub pending: bool,
    /// The person has marked it.
    #[uniffi(default = false)]
    pub favourite: bool,
    /// The person has hidden it.
    #[uniffi(default = false)]
    pub hidden: bool,
}

impl From<CameraAsset> for core::Asset {
    fn from(asset: CameraAsset) -> Self {
        Self {
            key: asset.key,
            resources: into_records(asset.files),
            album: asset.album,
            kinds: into_records(asset.kinds),
            taken_ms: asset.taken_ms,
            added_ms: asset.added_ms,
            modified_ms: asset.modified_ms,
            pending: asset.pending,
            favourite: asset.favourite,
            hidden: asset.hidden,
        }
    }
}

/// A file of an asset.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AssetFile {
    /// The platform's id of it, within the asset.
    pub key: String,
    /// What it is.
    pub role: AssetRole,
    /// Its own name, as it was given by the camera.
    pub name: String,
    /// Another number means that its bytes may be other ones: the platform's generation, or the time of the last change.
    pub stamp: i64,
    /// Bytes, if the platform knows.
    #[uniffi(default = None)]
    pub size: Option<u64>,
    /// The path where the core can read the original bytes; absent if the platform must provide them. Not a preview, and
    /// not bytes without their place.
    #[uniffi(default = None)]
    pub path: Option<String>,
}

impl From<AssetFile> for core::Resource {
    fn from(file: AssetFile) -> Self {
        Self {
            key: file.key,
            role: file.role.into(),
            name: file.name,
            size: file.size,
            stamp: file.stamp,
            path: file.path.map(PathBuf::from),
        }
    }
}

twin! {
    /// What a scan shows.
    CameraScanKind = lomme::camera::ScanKind {
        /// All assets.
        Full,
        /// What has changed since the cursor.
        Delta,
    }
}

twin! {
    /// How far a scan can be believed.
    ScanTrust = lomme::camera::Trust {
        /// It had access to all of it, and saw it.
        Complete,
        /// Access is limited, the answer was empty, a volume was missing: nothing is gone for that.
        Partial,
    }
}

/// A scan that has begun.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraScan {
    /// Its number, for `addAssets`. Known to this process only: after a kill a scan begins again.
    pub id: u64,
    /// What it must be: a delta from the cursor, or all.
    pub kind: CameraScanKind,
    /// Where a delta begins; none in a full scan.
    pub cursor: Option<String>,
}

impl From<core::Scan> for CameraScan {
    fn from(scan: core::Scan) -> Self {
        Self {
            id: scan.id,
            kind: scan.kind.into(),
            cursor: scan.cursor,
        }
    }
}

/// What a scan has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraScanResult {
    /// Assets shown.
    pub seen: u64,
    /// Never seen before.
    pub added: u64,
    /// Seen before, and different now.
    pub changed: u64,
    /// Not there any more. Nothing in the cloud follows from it, unless a folder is mirrored.
    pub gone: u64,
    /// Left out by a rule, of those that are new or different.
    pub skipped: u64,
}

impl From<core::ScanResult> for CameraScanResult {
    fn from(result: core::ScanResult) -> Self {
        Self {
            seen: result.seen,
            added: result.added,
            changed: result.changed,
            gone: result.gone,
            skipped: result.skipped,
        }
    }
}

/// When the camera backup may run. Whatever is left out is the most careful choice.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraRules {
    /// For photos and files.
    #[uniffi(default)]
    pub rules: FetchRules,
    /// For videos; as `rules` if absent.
    #[uniffi(default = None)]
    pub videos: Option<FetchRules>,
    /// Only in these hours; at any time if absent.
    #[uniffi(default = None)]
    pub schedule: Option<CameraSchedule>,
    /// Nothing runs.
    #[uniffi(default = false)]
    pub paused: bool,
}

impl From<core::CameraRules> for CameraRules {
    fn from(rules: core::CameraRules) -> Self {
        Self {
            rules: rules.rules.into(),
            videos: rules.videos.map(FetchRules::from),
            schedule: rules.schedule.map(CameraSchedule::from),
            paused: rules.paused,
        }
    }
}

impl From<CameraRules> for core::CameraRules {
    fn from(rules: CameraRules) -> Self {
        Self {
            rules: rules.rules.into(),
            videos: rules.videos.map(lomme::conditions::Rules::from),
            schedule: rules.schedule.map(core::Schedule::from),
            paused: rules.paused,
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ScheduleDay {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl ScheduleDay {
    /// As the core counts them.
    const WEEK: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

/// Days and hours, by the device's own clock (`zoneMinutes` of the situation).
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraSchedule {
    /// The days. A span over midnight belongs to the day it begins on. Without any, nothing ever runs.
    pub days: Vec<ScheduleDay>,
    /// When it begins, in minutes after midnight.
    pub from_minute: u16,
    /// When it ends, in minutes after midnight; before or at `fromMinute` it is the next day's.
    pub to_minute: u16,
}

impl From<core::Schedule> for CameraSchedule {
    fn from(schedule: core::Schedule) -> Self {
        let on = ScheduleDay::WEEK.into_iter().zip(schedule.days);
        Self {
            days: on.filter_map(|(day, on)| on.then_some(day)).collect(),
            from_minute: schedule.from_minute,
            to_minute: schedule.to_minute,
        }
    }
}

impl From<CameraSchedule> for core::Schedule {
    fn from(schedule: CameraSchedule) -> Self {
        Self {
            days: ScheduleDay::WEEK.map(|day| schedule.days.contains(&day)),
            from_minute: schedule.from_minute,
            to_minute: schedule.to_minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_keeps_its_days_both_ways() {
        let nights = CameraSchedule {
            days: vec![ScheduleDay::Monday, ScheduleDay::Sunday],
            from_minute: 22 * 60,
            to_minute: 6 * 60,
        };
        let core = core::Schedule::from(nights.clone());
        assert_eq!(core.days, [true, false, false, false, false, false, true]);
        assert_eq!(CameraSchedule::from(core), nights);
    }

    /// The literals of the defaults have to be written out for the other side.
    #[test]
    fn the_rules_that_are_left_out_are_the_core_s() {
        assert_eq!(
            AssetRules::default(),
            AssetRules::from(core::AssetRules::default())
        );
    }
}
