//! What of a source is backed up, and when.
//!
//! Pure functions decide and explain, so that what runs and what a screen says cannot differ (complaints no. 27, 40).

use super::scan::About;
use super::{
    AlbumPreview, AssetKind, AssetRules, Camera, CameraRules, Preview, Schedule, Skip, SourceId,
    types::json,
};
use crate::Result;
use crate::store::{AssetRow, HERE, Store};
use std::collections::BTreeMap;

pub(super) const RULES: &str = "camera rules";
/// Rows of a page.
const PAGE: u32 = 500;
const DAY_MINUTES: i64 = 24 * 60;

pub(super) fn read(store: &Store) -> Result<CameraRules> {
    let stored = store.setting(RULES)?;
    // The default rules forbid what costs money: a safe reading of what cannot be read.
    Ok(stored
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

pub(super) fn write(store: &Store, rules: &CameraRules) -> Result<()> {
    if let Some(schedule) = &rules.schedule
        && (i64::from(schedule.from_minute) >= DAY_MINUTES
            || i64::from(schedule.to_minute) > DAY_MINUTES)
    {
        return Err(crate::Error::invalid("an hour that no day has"));
    }
    let text = json(rules)?;
    store.update_setting(RULES, |_| Ok((Some(text), ())))
}

/// The rule that leaves an asset out; the first that does.
pub(super) fn skip(
    rules: &AssetRules,
    from_now: bool,
    fresh: bool,
    album: &str,
    about: &About,
    bytes: u64,
) -> Option<Skip> {
    let is_in = |albums: &[String]| {
        albums.iter().any(|other| {
            album == other
                || album
                    .strip_prefix(other.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    if from_now && !fresh {
        Some(Skip::BeforeStart)
    } else if !rules.only_albums.is_empty() && !is_in(&rules.only_albums) {
        Some(Skip::OtherAlbum)
    } else if is_in(&rules.without_albums) {
        Some(Skip::Album)
    } else if about
        .kinds
        .iter()
        .any(|kind| rules.without_kinds.contains(kind))
    {
        Some(Skip::Kind)
    } else if rules.at_most_bytes.is_some_and(|most| bytes > most) {
        Some(Skip::Size)
    } else if about.hidden && !rules.with_hidden {
        Some(Skip::Hidden)
    } else if rules.only_favourites && !about.favourite {
        Some(Skip::NotFavourite)
    } else {
        None
    }
}

impl Schedule {
    /// When its hours begin next, in milliseconds since the epoch; `None` while they last. A schedule without any hour
    /// never begins: its time is the end of time.
    pub(super) fn waits_until(&self, now_ms: i64, zone_minutes: i32) -> Option<i64> {
        let zone_ms = i64::from(zone_minutes) * 60_000;
        let minute = (now_ms + zone_ms).div_euclid(60_000);
        let (day, of_day) = (
            minute.div_euclid(DAY_MINUTES),
            minute.rem_euclid(DAY_MINUTES),
        );
        let (from, to) = (i64::from(self.from_minute), i64::from(self.to_minute));
        let to = if to <= from { to + DAY_MINUTES } else { to };
        // 1970-01-01 was a Thursday.
        let on = |day: i64| self.days[(day + 3).rem_euclid(7) as usize];
        let lasts = (on(day) && (from..to).contains(&of_day))
            || (on(day - 1) && (from..to).contains(&(of_day + DAY_MINUTES)));
        if lasts {
            return None;
        }
        let next = (day..=day + 7).find(|next| on(*next) && next * DAY_MINUTES + from > minute);
        Some(next.map_or(i64::MAX, |next| {
            (next * DAY_MINUTES + from) * 60_000 - zone_ms
        }))
    }
}

impl Camera {
    pub(super) fn preview_rules(&self, id: SourceId, rules: &AssetRules) -> Result<Preview> {
        let source = self.source(id)?;
        let (mut preview, mut after) = (Preview::default(), 0);
        let mut skipped: BTreeMap<Skip, u64> = BTreeMap::new();
        let mut albums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        loop {
            let page = self.store.camera_read(|ledger| {
                let rows = ledger.assets_after(source.n, after, PAGE)?;
                let bytes = |row: &AssetRow| ledger.bytes_of(row.n);
                rows.into_iter()
                    .map(|row| bytes(&row).map(|bytes| (row, bytes)))
                    .collect::<Result<Vec<_>>>()
            })?;
            let Some((last, _)) = page.last() else { break };
            after = last.n;
            for (row, bytes) in page.iter().filter(|(row, _)| row.here == HERE) {
                let about = About::of(row);
                let album = albums.entry(row.album.clone()).or_default();
                album.0 += 1;
                match skip(
                    rules,
                    source.from_now,
                    row.fresh,
                    &row.album,
                    &about,
                    *bytes,
                ) {
                    Some(why) => *skipped.entry(why).or_default() += 1,
                    None => {
                        album.1 += 1;
                        preview.items += 1;
                        preview.bytes += bytes;
                    }
                }
            }
        }
        preview.skipped = skipped.into_iter().collect();
        preview.albums = albums
            .into_iter()
            .map(|(album, (items, included))| AlbumPreview {
                album,
                items,
                included,
            })
            .collect();
        Ok(preview)
    }
}

/// What a file's name says that it is.
pub(super) fn kind_of(name: &str) -> AssetKind {
    let end = name
        .rsplit_once('.')
        .map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some(
            "jpg" | "jpeg" | "heic" | "heif" | "png" | "webp" | "gif" | "avif" | "tif" | "tiff"
            | "bmp",
        ) => AssetKind::Photo,
        Some("mp4" | "mov" | "m4v" | "3gp" | "mkv" | "webm" | "avi" | "mts") => AssetKind::Video,
        Some("dng" | "cr2" | "cr3" | "nef" | "arw" | "raf" | "orf" | "rw2") => AssetKind::Raw,
        _ => AssetKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-25 was a Wednesday.
    const WEDNESDAY: i64 = 1_795_564_800_000;
    const HOUR: i64 = 3_600_000;

    fn nights(days: [bool; 7]) -> Schedule {
        Schedule {
            days,
            from_minute: 22 * 60,
            to_minute: 6 * 60,
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let wednesdays = nights([false, false, true, false, false, false, false]);
        let at = |hour: i64| wednesdays.waits_until(WEDNESDAY + hour * HOUR, 0);
        assert_eq!(at(21), Some(WEDNESDAY + 22 * HOUR));
        assert_eq!(at(22), None);
        assert_eq!(at(29), None, "Thursday at five");
        assert_eq!(at(30), Some(WEDNESDAY + (7 * 24 + 22) * HOUR));
        assert_eq!(
            at(5),
            Some(WEDNESDAY + 22 * HOUR),
            "Tuesday's night is none"
        );
    }

    #[test]
    fn the_hours_are_the_devices_own() {
        let every = nights([true; 7]);
        let noon = WEDNESDAY + 12 * HOUR;
        assert_eq!(every.waits_until(noon, 0), Some(WEDNESDAY + 22 * HOUR));
        assert_eq!(every.waits_until(noon, 11 * 60), None, "it is 23 there");
        assert_eq!(
            every.waits_until(noon, -5 * 60),
            Some(WEDNESDAY + 27 * HOUR)
        );
        let never = nights([false; 7]);
        assert_eq!(never.waits_until(noon, 0), Some(i64::MAX));
    }

    #[test]
    fn an_album_is_a_folder_and_all_below_it_and_no_other_of_like_name() {
        let rules = AssetRules {
            without_albums: vec!["Chat".into()],
            ..AssetRules::default()
        };
        let of = |album: &str| skip(&rules, false, true, album, &About::default(), 0);
        assert_eq!(of("Chat"), Some(Skip::Album));
        assert_eq!(of("Chat/Sent"), Some(Skip::Album));
        assert_eq!(of("Chats"), None);
    }
}
