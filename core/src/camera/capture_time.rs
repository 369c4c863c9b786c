//! When a photo or a video was taken, in UTC and on the clocks of the place.
//!
//! What the file says of itself goes before what the platform says of the file: copying, sharing
//! and restoring change the latter. Within a source nothing is repaired: a time that cannot be is
//! unknown, and the next source is asked. A time is decided once, at first sight, and kept, so that
//! a person who travels does not find the same photo in another month.
//!
//! Files come from anybody. Reading is bounded in bytes, seeks and memory, uses no recursion, and
//! what cannot be read is no date, never an error. General parsers of EXIF build a list of all that
//! a file names, which a small hostile file can make too large for a phone; here only the few
//! fields that matter are looked at, where they lie.

mod bounded;
mod boxes;
mod exif;

use bounded::{Bounded, Cut};
use std::io::{Read, Seek};

/// 1990-01-01T00:00:00Z. What is earlier is a camera whose clock was never set.
const EARLIEST_S: i64 = 631_152_000;
/// A clock that is ahead, and zones, may make a time lie in the future by this, in milliseconds.
const AHEAD_MS: i64 = 2 * 86_400_000;

/// Where a capture time comes from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DateSource {
    /// EXIF `DateTimeOriginal` in the file.
    Exif,
    /// QuickTime's creation date in the file, which has a zone.
    QuickTime,
    /// The movie header's creation time in the file, which is UTC.
    MovieHeader,
    /// The platform's word on when it was taken.
    Platform,
    /// When it came onto the device.
    Added,
    /// When the file was last written.
    Modified,
    /// Nothing that can be believed is known of it but when it was first seen.
    FirstSeen,
}

/// When a photo or a video was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CaptureTime {
    /// Milliseconds since 1970-01-01T00:00:00Z. What a file says is in whole seconds.
    pub utc_ms: i64,
    /// Minutes east of Greenwich of the clocks at the place, as far as known; else of the device's.
    pub offset_minutes: i32,
    /// Where the time comes from.
    pub source: DateSource,
}

impl CaptureTime {
    /// Year and month (1 to 12) of the local date, in the Gregorian calendar.
    pub fn year_month(&self) -> (i32, u8) {
        let offset_ms = i64::from(self.offset_minutes) * 60_000;
        let local_s = self.utc_ms.saturating_add(offset_ms).div_euclid(1000);
        // Only a nonsensical time of first sight lies beyond the calendar; it goes to its end.
        let local = jiff::Timestamp::from_second(local_s).unwrap_or(if local_s < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        let date = jiff::tz::Offset::UTC.to_datetime(local);
        (date.year().into(), date.month().unsigned_abs())
    }

    /// Folder of the local date, as in `2026/01`, in ASCII digits whatever the device's language.
    pub fn folder(&self) -> String {
        let (year, month) = self.year_month();
        format!("{year:04}/{month:02}")
    }
}

/// What else is known of a file. Times are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// PhotoKit's `creationDate`, MediaStore's `DATE_TAKEN`.
    pub taken_ms: Option<i64>,
    /// MediaStore's `DATE_ADDED`, which the platform has in seconds.
    pub added_ms: Option<i64>,
    /// The file's time of modification.
    pub modified_ms: Option<i64>,
    /// When the file was first seen.
    pub first_seen_ms: i64,
    /// Minutes east of Greenwich of the device's clock when the file was first seen.
    pub zone_minutes: i32,
    /// Now.
    pub now_ms: i64,
}

/// What a file says of its own capture time. It is not yet known whether that is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Embedded {
    exif: Option<Clock>,
    quicktime: Option<Clock>,
    /// Seconds since 1970-01-01T00:00:00Z.
    movie_header_s: Option<i64>,
}

/// What a file itself says, or `None` when that is nothing. At most 1 MiB of it is read, in any
/// order, by blocking; the reader is left at any place. A file that cannot be read says nothing.
pub fn read<R: Read + Seek>(reader: R) -> Option<Embedded> {
    let mut file = Bounded::new(reader)?;
    let head = file.up_to(0, 8);
    let of_exif = |exif| Embedded {
        exif,
        ..Embedded::default()
    };
    let said = if head.starts_with(b"\xff\xd8") {
        of_exif(exif::in_jpeg(&mut file))
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        of_exif(exif::in_png(&mut file))
    } else if head.starts_with(b"II") || head.starts_with(b"MM") {
        let len = file.len();
        of_exif(exif::in_tiff(&mut file, 0, len))
    } else if boxes::are_in(&head) {
        boxes::read(&mut file)
    } else {
        return None;
    };
    (said != Embedded::default()).then_some(said)
}

/// The capture time, from the best source that says a time between 1990 and two days from now.
pub fn decide(embedded: Option<Embedded>, hints: &Hints) -> CaptureTime {
    let said = embedded.unwrap_or_default();
    let zone = hints.zone_minutes;
    let of_clock = |clock: Clock| {
        let offset = clock.offset_minutes.unwrap_or(zone);
        let utc_s = clock.local_s - i64::from(offset) * 60;
        (utc_s.saturating_mul(1000), offset)
    };
    let in_zone = |ms: i64| (ms, zone);
    let header_ms = said.movie_header_s.map(|s| s.saturating_mul(1000));
    [
        (DateSource::Exif, said.exif.map(of_clock)),
        (DateSource::QuickTime, said.quicktime.map(of_clock)),
        (DateSource::MovieHeader, header_ms.map(in_zone)),
        (DateSource::Platform, hints.taken_ms.map(in_zone)),
        (DateSource::Added, hints.added_ms.map(in_zone)),
        (DateSource::Modified, hints.modified_ms.map(in_zone)),
    ]
    .into_iter()
    .find_map(|(source, time)| {
        let (utc_ms, offset_minutes) = time?;
        let local_ms = utc_ms.saturating_add(i64::from(offset_minutes) * 60_000);
        let can_be =
            local_ms >= EARLIEST_S * 1000 && utc_ms <= hints.now_ms.saturating_add(AHEAD_MS);
        can_be.then_some(CaptureTime {
            utc_ms,
            offset_minutes,
            source,
        })
    })
    .unwrap_or(CaptureTime {
        utc_ms: hints.first_seen_ms,
        offset_minutes: zone,
        source: DateSource::FirstSeen,
    })
}

/// What a clock showed, and how far ahead of UTC it was, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    /// Seconds from 1970-01-01T00:00:00 on the same clock.
    local_s: i64,
    /// Minutes east of Greenwich.
    offset_minutes: Option<i32>,
}

impl Clock {
    /// Reads EXIF's `2026:01:02 03:04:05` and ISO 8601's `2026-01-02T03:04:05.6+01:00`. `None` when
    /// no calendar or day has it, when it is before 1990, and when an offset is there but is none.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut text = Cut(text.trim_ascii());
        let year = digits(&mut text, 4)?;
        let month = after(&mut text, b":-", 2)?;
        let day = after(&mut text, b":-", 2)?;
        let hour = after(&mut text, b" T", 2)?;
        let minute = after(&mut text, b":", 2)?;
        // A leap second has no place on the scale.
        let second = after(&mut text, b":", 2).filter(|s| *s <= 60)?.min(59);
        if let Some(decimals) = text.0.strip_prefix(b".") {
            let len = decimals.iter().take_while(|b| b.is_ascii_digit()).count();
            text = Cut(&decimals[len..]);
        }
        let offset_minutes = match text.0 {
            [] => None,
            offset => Some(parse_offset(offset)?),
        };
        let part = |n: i64| i8::try_from(n).ok();
        let time = jiff::civil::DateTime::new(
            i16::try_from(year).ok()?,
            part(month)?,
            part(day)?,
            part(hour)?,
            part(minute)?,
            part(second)?,
            0,
        );
        let local_s = jiff::tz::Offset::UTC
            .to_timestamp(time.ok()?)
            .ok()?
            .as_second();
        (local_s >= EARLIEST_S).then_some(Self {
            local_s,
            offset_minutes,
        })
    }
}

/// Minutes east of Greenwich from `Z`, `+01:00`, `+0100` or `+01`.
fn parse_offset(text: &[u8]) -> Option<i32> {
    let mut text = Cut(text);
    let sign = match text.take(1)? {
        b"Z" if text.0.is_empty() => return Some(0),
        b"+" => 1,
        b"-" => -1,
        _ => return None,
    };
    let hours = digits(&mut text, 2)?;
    let minutes = match text.0 {
        [] => 0,
        [b':', ..] => after(&mut text, b":", 2)?,
        _ => digits(&mut text, 2)?,
    };
    if !text.0.is_empty() || minutes > 59 {
        return None;
    }
    offset_in_use(sign * (hours * 60 + minutes))
}

/// Minutes east of Greenwich, if clocks are set so anywhere.
fn offset_in_use(minutes: i64) -> Option<i32> {
    let minutes = i32::try_from(minutes).ok()?;
    (-12 * 60..=14 * 60).contains(&minutes).then_some(minutes)
}

fn digits(text: &mut Cut, len: usize) -> Option<i64> {
    let digits = text.take(len)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
}

/// Digits after one of these marks.
fn after(text: &mut Cut, marks: &[u8], len: usize) -> Option<i64> {
    let mark = text.take(1)?;
    if !marks.contains(mark.first()?) {
        return None;
    }
    digits(text, len)
}

#[cfg(test)]
#[path = "capture_time_tests.rs"]
mod tests;
