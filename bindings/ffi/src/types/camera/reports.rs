//! Devices, counts and explanations: what a screen of the backup shows.

use super::CameraHold;
use crate::types::into_records;
use lomme::camera as core;

twin! {
    /// A kind of device of Backup.
    BackupDeviceKind = lomme::camera::DeviceKind {
        /// An Android phone or tablet.
        Android,
        /// An iPhone.
        Iphone,
        /// An iPad.
        Ipad,
        /// A computer: for the command line and tests.
        Workstation,
    }
}

/// A device of Backup.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BackupDevice {
    /// Its name, which is its identity: there are no two of one name, whatever the case.
    pub name: String,
    /// It is the one that this phone backs up to.
    pub ours: bool,
}

impl From<core::Device> for BackupDevice {
    fn from(device: core::Device) -> Self {
        Self {
            name: device.name,
            ours: device.ours,
        }
    }
}

/// What a listing of the phone's own device has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AdoptedFiles {
    /// Files there.
    pub files: u64,
    /// Files that the ledger did not know: from now on their content is not sent again.
    pub adopted: u64,
    /// Files that the ledger believed there, and that are gone: deleted by somebody, or to be sent again.
    pub missing: u64,
}

impl From<core::Adopted> for AdoptedFiles {
    fn from(adopted: core::Adopted) -> Self {
        Self {
            files: adopted.files,
            adopted: adopted.adopted,
            missing: adopted.missing,
        }
    }
}

twin! {
    /// Which rule leaves an asset out.
    SkipRule = lomme::camera::Skip {
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
}

/// How many assets a rule leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SkipCount {
    /// The rule: the first that does.
    pub rule: SkipRule,
    /// Assets.
    pub items: u64,
}

/// What rules would do.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraPreview {
    /// Assets that would be backed up.
    pub items: u64,
    /// Their bytes, as far as the platform has told.
    pub bytes: u64,
    /// Assets left out, by the rule that does it.
    pub skipped: Vec<SkipCount>,
    /// Each album.
    pub albums: Vec<AlbumPreview>,
}

impl From<core::Preview> for CameraPreview {
    fn from(preview: core::Preview) -> Self {
        let skipped = preview.skipped.into_iter().map(|(rule, items)| SkipCount {
            rule: rule.into(),
            items,
        });
        Self {
            items: preview.items,
            bytes: preview.bytes,
            skipped: skipped.collect(),
            albums: into_records(preview.albums),
        }
    }
}

/// An album in a preview.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AlbumPreview {
    /// Its name.
    pub album: String,
    /// Assets in it.
    pub items: u64,
    /// Those that would be backed up.
    pub included: u64,
}

impl From<core::AlbumPreview> for AlbumPreview {
    fn from(preview: core::AlbumPreview) -> Self {
        Self {
            album: preview.album,
            items: preview.items,
            included: preview.included,
        }
    }
}

/// What a mirrored folder would delete in the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MirrorPending {
    /// Files that are gone here and there in the cloud.
    pub gone: u64,
    /// Files of the folder that are known.
    pub of: u64,
    /// They are so many that a person must allow it first: `confirmMirror`.
    pub asks: bool,
}

impl From<core::MirrorPending> for MirrorPending {
    fn from(pending: core::MirrorPending) -> Self {
        Self {
            gone: pending.gone,
            of: pending.of,
            asks: pending.asks,
        }
    }
}

twin! {
    /// Where an asset is on its way.
    AssetState = lomme::camera::AssetState {
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
}

/// An asset of a source, to name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, uniffi::Record)]
pub struct AssetName {
    /// The source.
    pub source: u64,
    /// The asset's key.
    pub asset: String,
}

/// What an asset waits for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AssetWhy {
    /// Where it is on its way.
    pub state: AssetState,
    /// The rule that leaves it out.
    pub skipped: Option<SkipRule>,
    /// The one reason why it waits; none if nothing holds it: it is done, or in its turn.
    pub hold: Option<CameraHold>,
    /// Where its files are, or will be, in the cloud: below the mount point.
    pub paths: Vec<String>,
    /// All of that in a sentence in English, for developers and support.
    pub explanation: String,
}

impl From<core::AssetWhy> for AssetWhy {
    fn from(why: core::AssetWhy) -> Self {
        Self {
            state: why.state.into(),
            skipped: why.skipped.map(SkipRule::from),
            hold: why.hold.map(CameraHold::from),
            paths: why.paths,
            explanation: why.explanation,
        }
    }
}

/// An asset that has failed or needs a person.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TroubledAsset {
    /// The source.
    pub source: u64,
    /// The asset.
    pub asset: String,
    /// Why it waits.
    pub why: AssetWhy,
}

impl From<core::TroubledAsset> for TroubledAsset {
    fn from(troubled: core::TroubledAsset) -> Self {
        Self {
            source: troubled.source,
            asset: troubled.asset,
            why: troubled.why.into(),
        }
    }
}

/// Assets that have failed or need a person, in the order in which they were first seen.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TroubledPage {
    /// The assets; none when there are no more.
    pub assets: Vec<TroubledAsset>,
    /// What the next call takes as `after`.
    pub next: u64,
}

impl From<(Vec<core::TroubledAsset>, u64)> for TroubledPage {
    fn from((assets, next): (Vec<core::TroubledAsset>, u64)) -> Self {
        Self {
            assets: assets.into_iter().map(TroubledAsset::from).collect(),
            next,
        }
    }
}

/// Counts of the camera backup, from its ledger.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraStatus {
    /// The device that is backed up to.
    pub device: Option<String>,
    /// Files whose bytes are to be read, and their bytes as far as told.
    pub to_read: ItemAmount,
    /// Files whose bytes the platform must provide.
    pub to_provide: ItemAmount,
    /// Contents to be sent.
    pub to_send: ItemAmount,
    /// Contents in the cloud, by a listing only.
    pub listed: ItemAmount,
    /// Contents in the cloud, read there by themselves.
    pub verified: ItemAmount,
    /// Contents that somebody has deleted in the cloud.
    pub deleted_in_cloud: ItemAmount,
    /// Assets left out by rules.
    pub skipped: ItemAmount,
    /// How many need a person.
    pub needs_user: u64,
    /// Bytes of what is being sent that have left.
    pub moving_bytes: u64,
    /// The one reason why nothing runs, if there is one.
    pub hold: Option<CameraHold>,
    /// How long the rest takes: from the speed of the last minutes, if there is one.
    pub time_left: Option<CameraTimeLeft>,
}

impl From<core::CameraStatus> for CameraStatus {
    fn from(status: core::CameraStatus) -> Self {
        let left = status.seconds_left;
        Self {
            device: status.device,
            to_read: status.to_read.into(),
            to_provide: status.to_provide.into(),
            to_send: status.to_send.into(),
            listed: status.listed.into(),
            verified: status.verified.into(),
            deleted_in_cloud: status.deleted_in_cloud.into(),
            skipped: status.skipped.into(),
            needs_user: status.needs_user,
            moving_bytes: status.moving_bytes,
            hold: status.hold.map(CameraHold::from),
            time_left: left.map(|(least_seconds, most_seconds)| CameraTimeLeft {
                least_seconds,
                most_seconds,
            }),
        }
    }
}

/// How long it takes, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraTimeLeft {
    /// Seconds, at least.
    pub least_seconds: u64,
    /// Seconds, at most.
    pub most_seconds: u64,
}

/// How many, and how many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ItemAmount {
    /// How many.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
}

impl From<core::Amount> for ItemAmount {
    fn from(amount: core::Amount) -> Self {
        Self {
            items: amount.items,
            bytes: amount.bytes,
        }
    }
}
