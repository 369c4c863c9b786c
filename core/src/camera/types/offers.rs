//! Sources, the assets that they offer, and what of them is backed up.

use std::path::PathBuf;

/// A source's number, as [`Camera::sources`](crate::camera::Camera::sources) tells it.
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
    pub(in crate::camera) const ALL: [Self; 8] = [
        Self::Photo,
        Self::Video,
        Self::PairedVideo,
        Self::Raw,
        Self::EditedPhoto,
        Self::EditedVideo,
        Self::Adjustment,
        Self::Other,
    ];

    pub(in crate::camera) fn number(self) -> u8 {
        Self::ALL.iter().position(|role| *role == self).unwrap_or(0) as u8
    }

    pub(in crate::camera) fn of(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Other)
    }

    pub(in crate::camera) fn is_video(self) -> bool {
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
    /// Its number, for [`Camera::add_assets`](crate::camera::Camera::add_assets). Known to this process only: after a kill a scan
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
