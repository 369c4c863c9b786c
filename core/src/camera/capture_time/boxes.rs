//! Boxes of the ISO base media file format (ISO/IEC 14496-12): QuickTime, MP4, HEIF.
//!
//! Only headers are read and what lies between is skipped, so media data costs nothing. A box that
//! does not lie within its parent makes the rest of the parent unreadable. The way down is fixed
//! in code: nothing recurses.

use super::bounded::{Bounded, Cut};
use super::{Clock, Embedded, exif};
use std::io::{Read, Seek};

/// Bytes of one table that are looked at: the items of an image, the keys of a movie.
const TABLE: usize = 256 << 10;
/// Seconds from 1904-01-01, where the format's time begins, to 1970-01-01.
const EPOCH_1904: u64 = 2_082_844_800;

const CREATION_DATE: &[u8] = b"com.apple.quicktime.creationdate";
const DAY: [u8; 4] = *b"\xa9day";

/// A box's place in the file, in bytes.
struct Place {
    kind: [u8; 4],
    /// Where its content begins.
    body: u64,
    end: u64,
}

impl Place {
    /// The box at `at`, in a parent that ends at `end`.
    fn read<R: Read + Seek>(file: &mut Bounded<R>, at: u64, end: u64) -> Option<Self> {
        if at >= end {
            return None;
        }
        let head = file.up_to(at, 16);
        let mut head = Cut(&head);
        let size = head.number(4)?;
        let kind = head.take(4)?.try_into().ok()?;
        let (header, size) = match size {
            0 => (8, end - at),
            1 => (16, head.number(8)?),
            size => (8, size),
        };
        let body = at + header;
        let own_end = at.checked_add(size)?;
        (body <= own_end && own_end <= end).then_some(Self {
            kind,
            body,
            end: own_end,
        })
    }

    fn content<R: Read + Seek>(&self, file: &mut Bounded<R>, most: usize) -> Vec<u8> {
        let len = usize::try_from(self.end - self.body).unwrap_or(usize::MAX);
        file.up_to(self.body, len.min(most))
    }

    /// The first child of each of these kinds, among those from `from`.
    fn children<R: Read + Seek, const N: usize>(
        &self,
        file: &mut Bounded<R>,
        from: u64,
        kinds: [&[u8; 4]; N],
    ) -> [Option<Place>; N] {
        let mut found = [const { None }; N];
        let mut at = from;
        while let Some(child) = Place::read(file, at, self.end) {
            at = child.end;
            if let Some(i) = kinds.iter().position(|kind| **kind == child.kind) {
                found[i].get_or_insert(child);
            }
        }
        found
    }
}

/// Whether a file that begins like this is made of boxes. QuickTime files of old have no `ftyp`.
pub(super) fn are_in(head: &[u8]) -> bool {
    matches!(
        head.get(4..8),
        Some(b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot")
    )
}

/// What an image's items and a movie's header say.
pub(super) fn read<R: Read + Seek>(file: &mut Bounded<R>) -> Embedded {
    let mut embedded = Embedded::default();
    let len = file.len();
    let mut at = 0;
    while let Some(place) = Place::read(file, at, len) {
        at = place.end;
        match &place.kind {
            b"meta" => embedded.exif = exif_item(file, &place),
            b"moov" => movie(file, &place, &mut embedded),
            _ => continue,
        }
        if embedded != Embedded::default() {
            break;
        }
    }
    embedded
}

/// EXIF that is an item of a HEIF image (ISO/IEC 23008-12, A.2.1).
fn exif_item<R: Read + Seek>(file: &mut Bounded<R>, meta: &Place) -> Option<Clock> {
    let children = meta.body.checked_add(4)?;
    let [names, places, data] = meta.children(file, children, [b"iinf", b"iloc", b"idat"]);
    let id = exif_id(&names?.content(file, TABLE))?;
    let (in_data, start, len) = extent(&places?.content(file, TABLE), id)?;
    let (base, limit) = if in_data {
        data.map(|data| (data.body, data.end))?
    } else {
        (0, file.len())
    };
    let start = base.checked_add(start)?;
    let end = match len {
        // To the end of where it lies.
        0 => limit,
        len => start.checked_add(len).filter(|end| *end <= limit)?,
    };
    // The item tells how far in the TIFF structure begins.
    let skip = u32::from_be_bytes(file.array(start)?);
    let start = start.checked_add(4)?.checked_add(u64::from(skip))?;
    exif::in_tiff(file, start, end)
}

/// The number of the first item that is EXIF.
fn exif_id(table: &[u8]) -> Option<u64> {
    let mut table = Cut(table);
    let version = table.number(1)?;
    table.take(3)?;
    let count = table.number(if version == 0 { 2 } else { 4 })?;
    for _ in 0..count {
        let size = usize::try_from(table.number(4)?.checked_sub(4)?).ok()?;
        let mut entry = Cut(table.take(size)?);
        let is_entry = entry.take(4)? == b"infe";
        let id_size = match entry.number(1)? {
            2 => 2,
            3 => 4,
            // Older entries have no item type.
            _ => continue,
        };
        entry.take(3)?;
        let id = entry.number(id_size)?;
        entry.take(2)?;
        if is_entry && entry.take(4)? == b"Exif" {
            return Some(id);
        }
    }
    None
}

/// Where the item lies: whether in the `idat` box or in the file, from where, how many bytes.
/// EXIF is small and not cut up, so that its first extent is all of it.
fn extent(table: &[u8], wanted: u64) -> Option<(bool, u64, u64)> {
    let mut table = Cut(table);
    let version = table.number(1)?;
    table.take(3)?;
    let sizes = table.number(2)?;
    let size = |shift: u32| (sizes >> shift & 0xf) as usize;
    let (offset_size, length_size, base_size) = (size(12), size(8), size(4));
    let index_size = if version == 0 { 0 } else { size(0) };
    let id_size = match version {
        0 | 1 => 2,
        2 => 4,
        _ => return None,
    };
    let count = table.number(id_size)?;
    for _ in 0..count {
        let id = table.number(id_size)?;
        let method = match version {
            0 => 0,
            _ => table.number(2)? & 0xf,
        };
        let another_file = table.number(2)? != 0;
        let base = table.number(base_size)?;
        let extents = usize::try_from(table.number(2)?).ok()?;
        let mut extents = Cut(table.take(extents * (index_size + offset_size + length_size))?);
        if id == wanted {
            extents.take(index_size)?;
            let start = base.checked_add(extents.number(offset_size)?)?;
            let len = extents.number(length_size)?;
            return (method <= 1 && !another_file).then_some((method == 1, start, len));
        }
    }
    None
}

/// A movie's own times, from its `moov` box.
fn movie<R: Read + Seek>(file: &mut Bounded<R>, moov: &Place, embedded: &mut Embedded) {
    let [header, meta, user] = moov.children(file, moov.body, [b"mvhd", b"meta", b"udta"]);
    embedded.movie_header_s = header.and_then(|header| header_s(&header.content(file, 12)));
    embedded.quicktime = meta.and_then(|meta| metadata(file, &meta)).or_else(|| {
        let user = user?;
        let [meta, day] = user.children(file, user.body, [b"meta", &DAY]);
        let day = day.map(|day| day.content(file, 64));
        meta.and_then(|meta| metadata(file, &meta)).or_else(|| {
            // The text comes after its length and its language (QuickTime File Format, user data).
            let day = day?;
            let mut day = Cut(&day);
            let len = usize::try_from(day.number(2)?).ok()?;
            day.take(2)?;
            Clock::parse(day.take(len)?)
        })
    });
}

/// Creation time of a movie header, in seconds since 1970. It is UTC; 0 is a camera's "unknown".
fn header_s(header: &[u8]) -> Option<i64> {
    let mut header = Cut(header);
    let version = header.number(1)?;
    header.take(3)?;
    let time = header.number(if version == 1 { 8 } else { 4 })?;
    i64::try_from(time.checked_sub(EPOCH_1904)?).ok()
}

/// The creation date among a movie's metadata: by Apple's key, else iTunes' day.
fn metadata<R: Read + Seek>(file: &mut Bounded<R>, meta: &Place) -> Option<Clock> {
    // A QuickTime `meta` box begins with its children, an MP4 one with version and flags.
    let children = match &file.array::<8>(meta.body)?[4..] {
        b"hdlr" | b"keys" | b"ilst" => meta.body,
        _ => meta.body.checked_add(4)?,
    };
    let [keys, list] = meta.children(file, children, [b"keys", b"ilst"]);
    let list = list?;
    let key = keys.and_then(|keys| key_number(&keys.content(file, TABLE)));
    let key = key.unwrap_or(DAY);
    let [by_key, day] = list.children(file, list.body, [&key, &DAY]);
    [by_key, day].into_iter().flatten().find_map(|item| {
        let [data] = item.children(file, item.body, [b"data"]);
        let data = data?.content(file, 64);
        // Type and locale come before the text.
        Clock::parse(data.get(8..)?)
    })
}

/// The number of the creation date's key, as its items are named.
fn key_number(table: &[u8]) -> Option<[u8; 4]> {
    let mut table = Cut(table);
    table.take(4)?;
    let count = u32::try_from(table.number(4)?).ok()?;
    for number in 1..=count {
        let size = usize::try_from(table.number(4)?.checked_sub(4)?).ok()?;
        let mut key = Cut(table.take(size)?);
        key.take(4)?;
        if key.0 == CREATION_DATE {
            return Some(number.to_be_bytes());
        }
    }
    None
}
