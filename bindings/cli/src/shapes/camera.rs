//! The shapes of the camera backup.

use super::{HoldShape, RulesShape, WaitingShape};
use crate::failure::Failure;
use lomme::camera::{
    Adopted, Amount, AssetKind, AssetRules, Batch, CameraHold, CameraPark, CameraRules,
    CameraStatus, Device, ExportFailure, MirrorPending, Next, Preview, ScanResult, Schedule, Skip,
    Source,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A row of `camera device list`.
#[derive(Serialize)]
pub struct DeviceShape<'a> {
    name: &'a str,
    ours: bool,
}

impl<'a> From<&'a Device> for DeviceShape<'a> {
    fn from(device: &'a Device) -> Self {
        Self {
            name: &device.name,
            ours: device.ours,
        }
    }
}

/// `camera device create`, `claim` and `camera adopt`.
#[derive(Serialize)]
pub struct AdoptedShape<'a> {
    pub device: Option<&'a str>,
    #[serde(flatten)]
    pub adopted: AdoptedCountsShape,
}

#[derive(Serialize)]
pub struct AdoptedCountsShape {
    files: u64,
    adopted: u64,
    missing: u64,
}

impl From<Adopted> for AdoptedCountsShape {
    fn from(adopted: Adopted) -> Self {
        Self {
            files: adopted.files,
            adopted: adopted.adopted,
            missing: adopted.missing,
        }
    }
}

/// A source.
#[derive(Serialize)]
pub struct SourceShape<'a> {
    id: u64,
    name: &'a str,
    /// `null` when it is not known on this machine.
    folder: Option<String>,
    /// Whether it is a camera roll.
    roll: bool,
    mount: &'a str,
    rules: SourceRulesShape<'a>,
    from_now: bool,
    mirror: bool,
    scanned_ms: Option<i64>,
    complete_ms: Option<i64>,
}

impl<'a> SourceShape<'a> {
    pub fn new(source: &'a Source, folder: Option<&Path>) -> Self {
        Self {
            id: source.id,
            name: &source.name,
            folder: folder.map(|folder| folder.display().to_string()),
            roll: source.folder.is_none(),
            mount: &source.mount,
            rules: SourceRulesShape::from(&source.rules),
            from_now: source.from_now,
            mirror: source.mirror,
            scanned_ms: source.scanned_ms,
            complete_ms: source.complete_ms,
        }
    }
}

#[derive(Serialize)]
struct SourceRulesShape<'a> {
    only_albums: &'a [String],
    without_albums: &'a [String],
    without_kinds: Vec<&'static str>,
    at_most_bytes: Option<u64>,
    hidden: bool,
    only_favourites: bool,
}

impl<'a> From<&'a AssetRules> for SourceRulesShape<'a> {
    fn from(rules: &'a AssetRules) -> Self {
        Self {
            only_albums: &rules.only_albums,
            without_albums: &rules.without_albums,
            without_kinds: rules
                .without_kinds
                .iter()
                .map(|kind| self::kind(*kind))
                .collect(),
            at_most_bytes: rules.at_most_bytes,
            hidden: rules.with_hidden,
            only_favourites: rules.only_favourites,
        }
    }
}

pub fn kind(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Photo => "photo",
        AssetKind::Video => "video",
        AssetKind::Screenshot => "screenshot",
        AssetKind::ScreenRecording => "screen_recording",
        AssetKind::LivePhoto => "live_photo",
        AssetKind::Burst => "burst",
        AssetKind::Raw => "raw",
        AssetKind::Other => "other",
    }
}

/// `camera add`.
#[derive(Serialize)]
pub struct AddedShape<'a> {
    pub source: SourceShape<'a>,
    pub scan: ScanShape,
}

/// What a scan has found.
#[derive(Serialize)]
pub struct ScanShape {
    /// The source's number.
    source: u64,
    name: String,
    seen: u64,
    added: u64,
    changed: u64,
    gone: u64,
    skipped: u64,
    /// It saw all of the source.
    complete: bool,
}

impl ScanShape {
    pub fn new(source: &Source, found: ScanResult, complete: bool) -> Self {
        Self {
            source: source.id,
            name: source.name.clone(),
            seen: found.seen,
            added: found.added,
            changed: found.changed,
            gone: found.gone,
            skipped: found.skipped,
            complete,
        }
    }
}

/// `camera preview`.
#[derive(Serialize)]
pub struct PreviewShape<'a> {
    assets: u64,
    bytes: u64,
    /// How many each rule leaves out.
    skipped: BTreeMap<&'static str, u64>,
    albums: Vec<AlbumShape<'a>>,
}

#[derive(Serialize)]
struct AlbumShape<'a> {
    album: &'a str,
    assets: u64,
    included: u64,
}

impl<'a> From<&'a Preview> for PreviewShape<'a> {
    fn from(preview: &'a Preview) -> Self {
        let albums = preview.albums.iter().map(|album| AlbumShape {
            album: &album.album,
            assets: album.items,
            included: album.included,
        });
        let skipped = preview.skipped.iter();
        Self {
            assets: preview.items,
            bytes: preview.bytes,
            skipped: skipped
                .map(|(skip, number)| (self::skip(*skip), *number))
                .collect(),
            albums: albums.collect(),
        }
    }
}

pub fn skip(skip: Skip) -> &'static str {
    match skip {
        Skip::BeforeStart => "before_start",
        Skip::OtherAlbum => "other_album",
        Skip::Album => "album",
        Skip::Kind => "kind",
        Skip::Size => "size",
        Skip::Hidden => "hidden",
        Skip::NotFavourite => "not_favourite",
    }
}

/// `camera mirror`.
#[derive(Serialize)]
pub struct MirrorShape {
    mirror: bool,
    gone: u64,
    of: u64,
    asks: bool,
    /// With `allow`: how many went to the cloud's trash.
    trashed: u64,
}

impl MirrorShape {
    pub fn new(mirror: bool, pending: MirrorPending, trashed: u64) -> Self {
        Self {
            mirror,
            gone: pending.gone,
            of: pending.of,
            asks: pending.asks,
            trashed,
        }
    }
}

/// `camera when`.
#[derive(Serialize)]
pub struct WhenShape {
    rules: RulesShape,
    schedule: Option<ScheduleShape>,
    paused: bool,
}

#[derive(Serialize)]
struct ScheduleShape {
    days: Vec<&'static str>,
    /// Minutes after midnight.
    from_minute: u16,
    to_minute: u16,
}

impl From<&CameraRules> for WhenShape {
    fn from(when: &CameraRules) -> Self {
        let schedule = when.schedule.as_ref().map(|schedule| ScheduleShape {
            days: days(schedule),
            from_minute: schedule.from_minute,
            to_minute: schedule.to_minute,
        });
        Self {
            rules: RulesShape::from(&when.rules),
            schedule,
            paused: when.paused,
        }
    }
}

pub fn days(schedule: &Schedule) -> Vec<&'static str> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let chosen = names.into_iter().zip(schedule.days);
    chosen.filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

/// `camera run`, and a line of `camera watch`.
#[derive(Serialize)]
pub struct BackupShape {
    scans: Vec<ScanShape>,
    done: u64,
    sent_bytes: u64,
    read: u64,
    trashed: u64,
    remaining: u64,
    bytes_left: u64,
    needs_user: u64,
    /// `now`, `after` (with `next_ms`), `when_online`, `when_unmetered`, `when_charging`, `when_provided`, `needs_user` or
    /// `idle`.
    next: &'static str,
    next_ms: Option<u64>,
    hold: Option<HoldShape>,
}

impl BackupShape {
    pub fn new(scans: Vec<ScanShape>, batch: &Batch, needs_user: u64) -> Self {
        let (next, next_ms) = match batch.next {
            Next::Now => ("now", None),
            Next::After { ms } => ("after", Some(ms)),
            Next::WhenOnline => ("when_online", None),
            Next::WhenUnmetered => ("when_unmetered", None),
            Next::WhenCharging => ("when_charging", None),
            Next::WhenProvided => ("when_provided", None),
            Next::NeedsUser => ("needs_user", None),
            Next::Idle => ("idle", None),
        };
        Self {
            scans,
            done: batch.done,
            sent_bytes: batch.sent_bytes,
            read: batch.read,
            trashed: batch.trashed,
            remaining: batch.remaining,
            bytes_left: batch.bytes_left,
            needs_user,
            next,
            next_ms,
            hold: batch.hold.as_ref().map(HoldShape::from),
        }
    }
}

impl From<&CameraHold> for HoldShape {
    fn from(hold: &CameraHold) -> Self {
        let timed = |name, why, until_ms| {
            let mut shape = Self::named(name);
            (shape.why, shape.until_ms) = (why, Some(until_ms));
            shape
        };
        match hold {
            CameraHold::NoDevice => Self::named("no_device"),
            CameraHold::Paused => Self::named("paused"),
            CameraHold::Schedule { from_ms } => timed("schedule", None, *from_ms),
            CameraHold::Account(account) => Self::of_account(account),
            CameraHold::Conditions(waiting) => {
                let mut shape = Self::named("conditions");
                shape.waiting = Some(WaitingShape::from(waiting));
                shape
            }
            CameraHold::Settling { until_ms } => timed("settling", None, *until_ms),
            CameraHold::ToProvide => Self::named("to_provide"),
            CameraHold::NotProvided { why, until_ms } => {
                timed("not_provided", Some(not_provided(*why)), *until_ms)
            }
            CameraHold::Retry { until_ms, error } => {
                let kind = Failure::from(error.clone()).kind();
                timed("retry", Some(kind), *until_ms)
            }
            CameraHold::NeedsUser(park) => {
                let mut shape = Self::named("needs_user");
                shape.why = Some(parked(*park));
                shape
            }
        }
    }
}

fn not_provided(why: ExportFailure) -> &'static str {
    match why {
        ExportFailure::NotLocal => "not_local",
        ExportFailure::NoPermission => "no_permission",
        ExportFailure::Changed => "changed",
        ExportFailure::Gone => "gone",
        ExportFailure::Unsupported => "unsupported",
    }
}

fn parked(park: CameraPark) -> &'static str {
    match park {
        CameraPark::NoPermission => "no_permission",
        CameraPark::Unsupported => "unsupported",
        CameraPark::UnstableSource => "unstable_source",
        CameraPark::Unreadable => "unreadable",
        CameraPark::Refused => "refused",
        CameraPark::ManyFailures => "many_failures",
    }
}

/// `camera status`.
#[derive(Serialize)]
pub struct CameraStatusShape<'a> {
    device: Option<&'a str>,
    to_read: AmountShape,
    to_provide: AmountShape,
    to_send: AmountShape,
    listed: AmountShape,
    verified: AmountShape,
    deleted_in_cloud: AmountShape,
    skipped: AmountShape,
    needs_user: u64,
    hold: Option<HoldShape>,
}

#[derive(Serialize)]
struct AmountShape {
    items: u64,
    bytes: u64,
}

impl From<Amount> for AmountShape {
    fn from(amount: Amount) -> Self {
        Self {
            items: amount.items,
            bytes: amount.bytes,
        }
    }
}

impl<'a> From<&'a CameraStatus> for CameraStatusShape<'a> {
    fn from(status: &'a CameraStatus) -> Self {
        Self {
            device: status.device.as_deref(),
            to_read: status.to_read.into(),
            to_provide: status.to_provide.into(),
            to_send: status.to_send.into(),
            listed: status.listed.into(),
            verified: status.verified.into(),
            deleted_in_cloud: status.deleted_in_cloud.into(),
            skipped: status.skipped.into(),
            needs_user: status.needs_user,
            hold: status.hold.as_ref().map(HoldShape::from),
        }
    }
}
