//! Why something waits: one reason each, by the predicate that drives the run (complaint no. 27).
//!
//! The order of reasons: what only a person releases comes first, then what holds everything, then the item's own time.

use super::device::chosen;
use super::held::Held;
use super::place::is_deleted;
use super::proof::shown_path;
use super::scan::About;
use super::sources::known;
use super::{
    AssetState, AssetWhy, Camera, CameraHold, CameraPark, Skip, SourceId, TroubledAsset, rules,
};
use crate::conditions::{Circumstances, Waiting, Work, decide};
use crate::content::Purpose;
use crate::sending::{AccountHold, Pause};
use crate::store::{ADOPTED, EXPORT, EntryRow, HERE, PHOTOS, READ, ResourceRow, VERIFIED, VIDEOS};
use crate::{Error, Result};

/// What holds all that is to be sent, read once for many.
pub(super) struct Weather {
    pub now_ms: i64,
    photos: Option<CameraHold>,
    videos: Option<CameraHold>,
    /// The account was paused, and is asked again with one item.
    pub probing: bool,
}

impl Weather {
    /// Why nothing of a lane may be sent now.
    pub fn of(&self, lane: u8) -> Option<&CameraHold> {
        match lane {
            VIDEOS => self.videos.as_ref(),
            _ => self.photos.as_ref(),
        }
    }

    /// Whether files may be read and hashed now: for that no network and no account is needed.
    pub fn may_read(&self) -> bool {
        match &self.photos {
            None | Some(CameraHold::NoDevice) => self.photos.is_none(),
            Some(CameraHold::Account(_)) => true,
            Some(CameraHold::Conditions(waiting)) => !matches!(
                waiting,
                Waiting::Charger | Waiting::Battery { .. } | Waiting::LowPower
            ),
            Some(_) => false,
        }
    }
}

impl Camera {
    /// What holds everything now. `bytes` are those that are to be sent next.
    pub(super) fn weather(&self, bytes: u64) -> Result<Weather> {
        let rules = rules::read(&self.store)?;
        let now_ms = self.store.now_ms();
        let situation = self.content.situation();
        let pause = Pause::read(&self.store)?;
        let common = if chosen(&self.store)?.is_none() {
            Some(CameraHold::NoDevice)
        } else if rules.paused {
            Some(CameraHold::Paused)
        } else {
            let schedule = rules.schedule.as_ref();
            schedule
                .and_then(|schedule| schedule.waits_until(now_ms, situation.zone_minutes))
                .map(|from_ms| CameraHold::Schedule { from_ms })
        };
        let hold = |of: &crate::conditions::Rules| -> Result<Option<CameraHold>> {
            if let Some(common) = &common {
                return Ok(Some(common.clone()));
            }
            let circumstances = Circumstances {
                signed_in: crate::account::is_signed_in(&self.store)?,
                metered_bytes: self.content.metered_this_month()?,
                // Sending takes no room here.
                free_bytes: u64::MAX,
                floor_bytes: 0,
            };
            let work = Work {
                purpose: Purpose::Camera,
                bytes,
                by_itself: true,
            };
            match decide(&work, of, &situation, &circumstances) {
                Err(Waiting::SignIn) => return Ok(Some(CameraHold::Account(AccountHold::SignIn))),
                Err(waiting) => return Ok(Some(CameraHold::Conditions(waiting))),
                Ok(()) => {}
            }
            let held = pause.as_ref().filter(|pause| pause.holds(true, now_ms));
            Ok(held.map(|pause| CameraHold::Account(pause.told())))
        };
        Ok(Weather {
            now_ms,
            photos: hold(&rules.rules)?,
            videos: hold(rules.videos.as_ref().unwrap_or(&rules.rules))?,
            probing: pause.is_some(),
        })
    }

    /// Why nothing of what waits may go on; `None` if some of it may.
    pub(super) fn held_all(&self, weather: &Weather) -> Result<Option<CameraHold>> {
        let (reads, lanes) = self.store.camera_read(|ledger| {
            let reads = ledger.resources_wanted(READ)?.items > 0;
            let mut lanes = Vec::new();
            for lane in [PHOTOS, VIDEOS] {
                if ledger.lane_waits(lane)? {
                    lanes.push(lane);
                }
            }
            Ok((reads, lanes))
        })?;
        if reads && weather.may_read() {
            return Ok(None);
        }
        if lanes.iter().any(|lane| weather.of(*lane).is_none()) {
            return Ok(None);
        }
        let first = lanes.first().copied().or(reads.then_some(PHOTOS));
        Ok(first.and_then(|lane| weather.of(lane).cloned()))
    }

    pub(super) fn list_troubled(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<(Vec<TroubledAsset>, u64)> {
        let from = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = self
            .store
            .camera_read(|ledger| ledger.troubled(from, limit))?;
        let last = rows.last().map_or(after, |row| row.n.unsigned_abs());
        let mut troubled = Vec::new();
        for row in rows {
            let source = row.source.unsigned_abs();
            let why = self.explain(source, &row.key)?;
            troubled.push(TroubledAsset {
                source,
                asset: row.key,
                why,
            });
        }
        Ok((troubled, last))
    }

    pub(super) fn explain(&self, id: SourceId, key: &str) -> Result<AssetWhy> {
        let (asset, parts) = self.store.camera_read(|ledger| {
            let source = known(ledger, id)?;
            let asset = ledger.asset_of_key(source.n, key)?;
            let asset = asset.ok_or_else(|| Error::NotKnown {
                detail: "an asset".into(),
            })?;
            let mut parts = Vec::new();
            for resource in ledger.resources_of(asset.n)? {
                let entry = match resource.entry {
                    Some(entry) => ledger.entry(entry)?,
                    None => None,
                };
                parts.push((resource, entry));
            }
            Ok((asset, parts))
        })?;
        let skipped: Option<Skip> = asset
            .skipped
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let entries: Vec<_> = parts
            .iter()
            .filter_map(|(_, entry)| entry.as_ref())
            .collect();
        let all = entries.len() == parts.len();
        let least = entries.iter().map(|entry| entry.state).min();
        let state = if all && entries.iter().any(|entry| is_deleted(entry)) {
            AssetState::DeletedInCloud
        } else if all && least == Some(VERIFIED) {
            AssetState::Verified
        } else if all && least >= Some(ADOPTED) {
            AssetState::Listed
        } else if skipped.is_some() {
            AssetState::Skipped
        } else if all {
            AssetState::Placed
        } else if asset.here != HERE {
            AssetState::Gone
        } else {
            AssetState::Seen
        };
        let waits = matches!(state, AssetState::Placed | AssetState::Seen);
        let hold = if waits {
            let weather = self.weather(0)?;
            if About::of(&asset).pending {
                Some(CameraHold::Settling {
                    until_ms: weather.now_ms + super::scan::SETTLE_MS,
                })
            } else {
                first_hold(&parts, &weather)
            }
        } else {
            None
        };
        let paths = entries
            .iter()
            .map(|entry| shown_path(&entry.path))
            .collect();
        let explanation = sentence(state, skipped, hold.as_ref());
        Ok(AssetWhy {
            state,
            skipped: skipped.filter(|_| state == AssetState::Skipped),
            hold,
            paths,
            explanation,
        })
    }
}

/// The first part that waits says why; what needs a person before the others.
fn first_hold(parts: &[(ResourceRow, Option<EntryRow>)], weather: &Weather) -> Option<CameraHold> {
    let holds: Vec<CameraHold> = parts
        .iter()
        .filter_map(|(resource, entry)| hold_of(resource, entry.as_ref(), weather))
        .collect();
    let person = |hold: &&CameraHold| matches!(hold, CameraHold::NeedsUser(_));
    holds.iter().find(person).or(holds.first()).cloned()
}

/// Why a file of an asset waits.
fn hold_of(
    resource: &ResourceRow,
    entry: Option<&EntryRow>,
    weather: &Weather,
) -> Option<CameraHold> {
    let later = |held: Option<Held>, until_ms: Option<i64>| match (held, until_ms) {
        (Some(Held::Park(park)), _) => Some(CameraHold::NeedsUser(park)),
        (Some(held), Some(until)) if until > weather.now_ms => Some(held.told(until)),
        (None, Some(until_ms)) if until_ms > weather.now_ms => {
            Some(CameraHold::Settling { until_ms })
        }
        _ => None,
    };
    match entry {
        Some(entry) if entry.state >= ADOPTED => None,
        Some(entry) => {
            let own = later(Held::of(entry.held.as_deref()), entry.until_ms);
            match own {
                Some(hold @ CameraHold::NeedsUser(_)) => Some(hold),
                own => weather.of(entry.lane).cloned().or(own),
            }
        }
        None => {
            let own = later(Held::of(resource.held.as_deref()), resource.until_ms);
            own.or_else(|| (resource.way == EXPORT).then_some(CameraHold::ToProvide))
                .or_else(|| {
                    (!weather.may_read())
                        .then(|| weather.of(0).cloned())
                        .flatten()
                })
        }
    }
}

fn sentence(state: AssetState, skipped: Option<Skip>, hold: Option<&CameraHold>) -> String {
    let state = match state {
        AssetState::Seen => "It is still to be read",
        AssetState::Placed => "It is read and waits to be sent",
        AssetState::Listed => "The cloud has it, by a listing",
        AssetState::Verified => "The cloud has it, and it was read there",
        AssetState::DeletedInCloud => "Somebody has deleted it in the cloud",
        AssetState::Gone => "It is not on the device any more",
        AssetState::Skipped => {
            return match skipped {
                Some(Skip::BeforeStart) => "It was there before the backup began.",
                Some(Skip::OtherAlbum) => "Its album was not chosen.",
                Some(Skip::Album) => "Its album is left out.",
                Some(Skip::Kind) => "Its kind is left out.",
                Some(Skip::Size) => "It is larger than allowed.",
                Some(Skip::Hidden) => "It is hidden.",
                Some(Skip::NotFavourite) => "It is no favourite.",
                None => "A rule leaves it out.",
            }
            .into();
        }
    };
    match hold {
        None => format!("{state}."),
        Some(hold) => format!("{state}: {}", reason(hold)),
    }
}

/// A hold in words.
fn reason(hold: &CameraHold) -> String {
    match hold {
        CameraHold::NoDevice => "no device to back up to was chosen.".into(),
        CameraHold::Paused => "the backup is paused.".into(),
        CameraHold::Schedule { .. } => "the hours of the schedule have not begun.".into(),
        CameraHold::Account(AccountHold::SignIn) => "nobody is signed in.".into(),
        CameraHold::Account(AccountHold::Full) => "the account is full.".into(),
        CameraHold::Account(AccountHold::Locked) => "the account is locked.".into(),
        CameraHold::Account(AccountHold::Busy { .. }) => {
            "the service is busy or out of reach.".into()
        }
        CameraHold::Conditions(waiting) => waiting.to_string(),
        CameraHold::Settling { .. } => "it may still change.".into(),
        CameraHold::ToProvide => "the platform must provide its bytes.".into(),
        CameraHold::NotProvided { .. } => "the platform could not provide its bytes yet.".into(),
        CameraHold::Retry { error, .. } => format!("it failed and is tried again: {error}."),
        CameraHold::NeedsUser(park) => match park {
            CameraPark::NoPermission => "the app may not read it.",
            CameraPark::Unsupported => "the platform cannot give its original bytes.",
            CameraPark::UnstableSource => "its bytes are other ones each time they are read.",
            CameraPark::Unreadable => "it cannot be read.",
            CameraPark::Refused => "the service refuses it.",
            CameraPark::ManyFailures => "it failed many times.",
        }
        .into(),
    }
}

impl std::fmt::Display for CameraHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&reason(self))
    }
}
