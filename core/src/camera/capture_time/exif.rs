//! EXIF in JPEG, PNG and TIFF (DNG too): five fields are read where they lie.
//!
//! A directory is never collected and a pointer never followed twice: at most three directories
//! are looked into, each once. Directories that overlap or point at one another, with which a small
//! file can make a general parser allocate gigabytes, therefore cost nothing.

use super::bounded::{Bounded, Cut};
use super::{Clock, offset_in_use};
use std::io::{Read, Seek};

/// Entries of a directory that are looked at. Cameras write fewer than 100.
const ENTRIES: u16 = 1_000;

const ASCII: u16 = 2;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
/// A directory's place, as some programs write it instead of a [`LONG`] (TIFF Technical Note 1).
const IFD: u16 = 13;
/// TIFF tags for the EXIF and GPS directories (Exif 2.32, 4.6.3).
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
/// Tags within them (Exif 2.32, 4.6.5 and 4.6.6).
const DATE_TIME_ORIGINAL: u16 = 0x9003;
const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
const GPS_TIME: u16 = 7;
const GPS_DATE: u16 = 0x1d;

/// In a JPEG: the first APP1 segment with EXIF, before the image data.
pub(super) fn in_jpeg<R: Read + Seek>(file: &mut Bounded<R>) -> Option<Clock> {
    let mut at = 2;
    loop {
        let [mark, code, length @ ..] = file.array::<4>(at)?;
        match (mark, code) {
            // A mark may be preceded by any number of fill bytes.
            (0xff, 0xff) => at += 1,
            // Start of scan, end of image: what follows is no header any more.
            (0xff, 0xda | 0xd9) => return None,
            (0xff, 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let end = at + 2 + u64::from(u16::from_be_bytes(length)).max(2);
                if code == 0xe1 && file.array::<6>(at + 4)? == *b"Exif\0\0" {
                    return in_tiff(file, at + 10, end);
                }
                at = end;
            }
            _ => return None,
        }
    }
}

/// In a PNG: the `eXIf` chunk, which may come before or after the image data.
pub(super) fn in_png<R: Read + Seek>(file: &mut Bounded<R>) -> Option<Clock> {
    let mut at = 8;
    loop {
        let chunk = file.array::<8>(at)?;
        let mut chunk = Cut(&chunk);
        let end = at + 8 + chunk.number(4)?;
        match chunk.0 {
            b"eXIf" => return in_tiff(file, at + 8, end),
            b"IEND" => return None,
            // A checksum follows.
            _ => at = end + 4,
        }
    }
}

/// In a TIFF structure from `start` up to `end` of the file.
pub(super) fn in_tiff<R: Read + Seek>(
    file: &mut Bounded<R>,
    start: u64,
    end: u64,
) -> Option<Clock> {
    let [a, b, c, d, first @ ..] = file.array::<8>(start)?;
    let little = match &[a, b, c, d] {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let mut tiff = Tiff {
        file,
        start,
        end,
        little,
    };
    let first = tiff.u32(first);
    let [original, exif, gps] =
        tiff.entries(first, [DATE_TIME_ORIGINAL, EXIF_DIRECTORY, GPS_DIRECTORY])?;

    let wanted = [DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL];
    let [in_exif, offset] = tiff.directory(exif, wanted).unwrap_or_default();
    // TIFF/EP, and with it many a DNG, has the time in the first directory.
    let mut clock = [in_exif, original]
        .into_iter()
        .find_map(|entry| Clock::parse(&tiff.text(entry?)?))?;
    if clock.offset_minutes.is_none() {
        clock.offset_minutes = offset
            .and_then(|entry| tiff.text(entry))
            .and_then(|text| super::parse_offset(text.trim_ascii()));
    }
    if clock.offset_minutes.is_none() {
        clock.offset_minutes = tiff
            .gps_utc_s(gps)
            .and_then(|utc_s| offset_from(clock.local_s, utc_s));
    }
    Some(clock)
}

/// The offset in minutes that lies between a local time and a GPS time, both in seconds. The two
/// were taken some seconds or minutes apart, and zones are multiples of 15 minutes.
fn offset_from(local_s: i64, utc_s: i64) -> Option<i32> {
    let minutes = (local_s - utc_s + 450).div_euclid(900) * 15;
    offset_in_use(minutes)
}

/// A directory entry.
#[derive(Clone, Copy)]
struct Entry {
    kind: u16,
    count: u32,
    /// The value when it fits, else its place.
    value: [u8; 4],
}

struct Tiff<'a, R> {
    file: &'a mut Bounded<R>,
    start: u64,
    end: u64,
    little: bool,
}

impl<R: Read + Seek> Tiff<'_, R> {
    fn u16(&self, bytes: [u8; 2]) -> u16 {
        if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        }
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }
    }

    /// Up to `len` bytes at `offset` within the structure.
    fn up_to(&mut self, offset: u32, len: usize) -> Vec<u8> {
        let at = self.start.saturating_add(u64::from(offset));
        let room = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        self.file.up_to(at, len.min(room))
    }

    /// The first entry of each of these tags, in the directory at `offset`.
    fn entries<const N: usize>(
        &mut self,
        offset: u32,
        tags: [u16; N],
    ) -> Option<[Option<Entry>; N]> {
        let count: [u8; 2] = self.up_to(offset, 2).try_into().ok()?;
        let count = self.u16(count).min(ENTRIES);
        let bytes = self.up_to(offset.checked_add(2)?, usize::from(count) * 12);
        let mut found = [None; N];
        for entry in bytes.chunks_exact(12) {
            let &[t0, t1, k0, k1, c0, c1, c2, c3, v0, v1, v2, v3] = entry else {
                return None;
            };
            let tag = self.u16([t0, t1]);
            for (wanted, found) in tags.iter().zip(&mut found) {
                if tag == *wanted && found.is_none() {
                    *found = Some(Entry {
                        kind: self.u16([k0, k1]),
                        count: self.u32([c0, c1, c2, c3]),
                        value: [v0, v1, v2, v3],
                    });
                }
            }
        }
        Some(found)
    }

    /// As [`Self::entries`], in the directory that `pointer` names.
    fn directory<const N: usize>(
        &mut self,
        pointer: Option<Entry>,
        tags: [u16; N],
    ) -> Option<[Option<Entry>; N]> {
        let pointer =
            pointer.filter(|entry| matches!(entry.kind, LONG | IFD) && entry.count == 1)?;
        self.entries(self.u32(pointer.value), tags)
    }

    /// A short text, up to its first NUL.
    fn text(&mut self, entry: Entry) -> Option<Vec<u8>> {
        let len = usize::try_from(entry.count).ok().filter(|len| *len <= 64)?;
        if entry.kind != ASCII {
            return None;
        }
        let mut text = if len <= 4 {
            entry.value[..len].to_vec()
        } else {
            self.up_to(self.u32(entry.value), len)
        };
        if let Some(end) = text.iter().position(|byte| *byte == 0) {
            text.truncate(end);
        }
        Some(text)
    }

    /// The GPS date and time, which are UTC, in seconds since the epoch.
    fn gps_utc_s(&mut self, pointer: Option<Entry>) -> Option<i64> {
        let [time, date] = self.directory(pointer, [GPS_TIME, GPS_DATE])?;
        let time = time.filter(|entry| entry.kind == RATIONAL && entry.count == 3)?;
        let mut of_day = 0;
        let bytes: [u8; 24] = self.up_to(self.u32(time.value), 24).try_into().ok()?;
        for (part, unit_s) in bytes.chunks_exact(8).zip([3600, 60, 1]) {
            let &[n0, n1, n2, n3, d0, d1, d2, d3] = part else {
                return None;
            };
            let (over, under) = (self.u32([n0, n1, n2, n3]), self.u32([d0, d1, d2, d3]));
            of_day += (u64::from(over) * unit_s).checked_div(u64::from(under))?;
        }
        let mut text = self.text(date?)?.trim_ascii().to_vec();
        text.extend_from_slice(b" 00:00:00");
        let day = Clock::parse(&text)?;
        let of_day = i64::try_from(of_day).ok().filter(|s| *s <= 86_400)?;
        Some(day.local_s + of_day)
    }
}
