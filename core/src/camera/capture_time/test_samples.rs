//! Files made by hand for the tests, and a reader that counts.

use std::io::{Read, Result, Seek, SeekFrom};

/// What a sample's EXIF says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) date: &'a str,
    pub(crate) offset: &'a str,
    /// Date, and hour, minute and second.
    pub(crate) gps: Option<(&'a str, [u32; 3])>,
    pub(crate) little: bool,
    /// The date is in the first directory, as TIFF/EP has it.
    pub(crate) first: bool,
}

type Entry = (u16, u16, u32, Vec<u8>);

fn short(little: bool, n: u16) -> [u8; 2] {
    if little {
        n.to_le_bytes()
    } else {
        n.to_be_bytes()
    }
}

fn long(little: bool, n: u32) -> [u8; 4] {
    if little {
        n.to_le_bytes()
    } else {
        n.to_be_bytes()
    }
}

/// A directory that begins at `at`, and after it the values that do not fit into it.
fn directory(little: bool, at: usize, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = short(little, entries.len() as u16).to_vec();
    let mut values: Vec<u8> = Vec::new();
    let values_at = at + 2 + entries.len() * 12 + 4;
    for (tag, kind, count, value) in entries {
        bytes.extend(short(little, *tag));
        bytes.extend(short(little, *kind));
        bytes.extend(long(little, *count));
        if value.len() <= 4 {
            let mut inline = value.clone();
            inline.resize(4, 0);
            bytes.extend(inline);
        } else {
            bytes.extend(long(little, (values_at + values.len()) as u32));
            values.extend(value);
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(values);
    bytes
}

fn ascii(tag: u16, text: &str) -> Option<Entry> {
    let bytes = [text.as_bytes(), b"\0"].concat();
    (!text.is_empty()).then_some((tag, 2, bytes.len() as u32, bytes))
}

pub(crate) fn tiff(fields: Fields) -> Vec<u8> {
    tiff_from(fields, 8).concat()
}

/// The header of a TIFF structure, and its directories, which begin at `at`.
pub(crate) fn tiff_from(fields: Fields, at: usize) -> [Vec<u8>; 2] {
    let little = fields.little;
    let date = ascii(0x9003, fields.date);
    let mut exif: Vec<Entry> = vec![(0x8827, 3, 1, short(little, 100).to_vec())];
    if !fields.first {
        exif.extend(date.clone());
    }
    exif.extend(ascii(0x9011, fields.offset));
    let mut gps: Vec<Entry> = Vec::new();
    if let Some((date, time)) = fields.gps {
        let time = time
            .iter()
            .flat_map(|n| [long(little, n * 10), long(little, 10)]);
        gps.push((7, 5, 3, time.flatten().collect()));
        gps.extend(ascii(0x1d, date));
    }
    // Both types of pointer are written in practice.
    let pointer = if little { 13 } else { 4 };
    let first = |exif_at: usize, gps_at: usize| {
        let mut entries = Vec::from_iter(ascii(0x010f, "Maker"));
        entries.push((0x8769, pointer, 1, long(little, exif_at as u32).to_vec()));
        if fields.gps.is_some() {
            entries.push((0x8825, pointer, 1, long(little, gps_at as u32).to_vec()));
        }
        if fields.first {
            entries.extend(date.clone());
        }
        directory(little, at, &entries)
    };
    let exif_at = at + first(0, 0).len();
    let exif = directory(little, exif_at, &exif);
    let gps_at = exif_at + exif.len();
    let gps = directory(little, gps_at, &gps);
    let mut header = if little {
        b"II\x2a\0".to_vec()
    } else {
        b"MM\0\x2a".to_vec()
    };
    header.extend(long(little, at as u32));
    [header, [first(exif_at, gps_at), exif, gps].concat()]
}

fn segment(code: u8, content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u16 + 2).to_be_bytes();
    [&[0xff, code], &len[..], content].concat()
}

pub(crate) fn jpeg(tiff: &[u8]) -> Vec<u8> {
    [
        b"\xff\xd8".to_vec(),
        segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        b"\xff\xff".to_vec(),
        segment(0xe1, &[b"Exif\0\0", tiff].concat()),
        segment(0xda, b"\x01\x01\0\0\x3f\0"),
        b"\x12\x34\xff\0\x56\xff\xd9".to_vec(),
    ]
    .concat()
}

pub(crate) fn png(tiff: &[u8], before_pixels: bool) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let len = (content.len() as u32).to_be_bytes();
        [&len[..], kind, content, b"crc."].concat()
    };
    let (exif, pixels) = (chunk(b"eXIf", tiff), chunk(b"IDAT", &[7; 100]));
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[1; 13]),
        if before_pixels {
            [exif, pixels].concat()
        } else {
            [pixels, exif].concat()
        },
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// A box.
pub(crate) fn bx(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u32 + 8).to_be_bytes();
    [&len[..], kind, content].concat()
}

/// A box with a 64-bit size.
pub(crate) fn bx64(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let len = (content.len() as u64 + 16).to_be_bytes();
    [&1_u32.to_be_bytes()[..], kind, &len, content].concat()
}

/// A HEIF image whose EXIF lies in the media data, or within the metadata.
pub(crate) fn heic(tiff: &[u8], within: bool) -> Vec<u8> {
    let item = [&6_u32.to_be_bytes()[..], b"Exif\0\0", tiff].concat();
    let name = |id: u8, kind: &[u8; 4]| {
        let entry = [&[2, 0, 0, 0, 0, id, 0, 0], &kind[..], b"\0"].concat();
        bx(b"infe", &entry)
    };
    let names = [
        &[0, 0, 0, 0, 0, 2],
        &name(1, b"hvc1")[..],
        &name(2, b"Exif"),
    ]
    .concat();
    let head = bx(b"ftyp", b"heic\0\0\0\0mif1heic");
    let meta = |at: usize| {
        let extent = |at: usize, len: usize| {
            [(at as u32).to_be_bytes(), (len as u32).to_be_bytes()].concat()
        };
        let method = u8::from(within);
        let places = [
            // Version 1, offsets and lengths of 4 bytes, no base, two items of one extent.
            &[1, 0, 0, 0, 0x44, 0, 0, 2],
            &[0, 1, 0, 0, 0, 0, 0, 1][..],
            &extent(1, 1),
            &[0, 2, 0, method, 0, 0, 0, 1],
            &extent(at, item.len()),
        ];
        let children = [
            vec![0; 4],
            bx(b"hdlr", b"\0\0\0\0\0\0\0\0pict"),
            bx(b"iinf", &names),
            bx(b"iloc", &places.concat()),
            bx(b"idat", if within { &item } else { b"" }),
        ];
        bx(b"meta", &children.concat())
    };
    let at = if within {
        0
    } else {
        head.len() + meta(0).len() + 8
    };
    let media = if within { &b"pixels"[..] } else { &item };
    [head, meta(at), bx(b"mdat", media)].concat()
}

/// What a sample movie says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Movie<'a> {
    /// Seconds since 1904.
    pub(crate) header: u64,
    pub(crate) wide: bool,
    pub(crate) date: &'a str,
    /// The text of QuickTime's user data.
    pub(crate) day: &'a str,
    /// The text of iTunes' metadata.
    pub(crate) itunes: &'a str,
}

pub(crate) fn moov(movie: Movie) -> Vec<u8> {
    let header = if movie.wide {
        [&[1, 0, 0, 0][..], &movie.header.to_be_bytes(), &[0; 92]].concat()
    } else {
        let time = (movie.header as u32).to_be_bytes();
        [&[0; 4][..], &time, &[0; 92]].concat()
    };
    let data = |text: &str| bx(b"data", &[b"\0\0\0\x01\0\0\0\0", text.as_bytes()].concat());
    let mut bytes = [bx(b"mvhd", &header), bx(b"trak", &[0; 40])].concat();
    if !movie.date.is_empty() {
        let keys = [
            b"\0\0\0\0\0\0\0\x02".to_vec(),
            bx(b"mdta", b"com.apple.quicktime.make"),
            bx(b"mdta", b"com.apple.quicktime.creationdate"),
        ];
        let items = [
            bx(b"\0\0\0\x01", &data("Apple")),
            bx(b"\0\0\0\x02", &data(movie.date)),
        ];
        let meta = [
            bx(b"hdlr", b"\0\0\0\0\0\0\0\0mdta"),
            bx(b"keys", &keys.concat()),
            bx(b"ilst", &items.concat()),
        ];
        bytes.extend(bx(b"meta", &meta.concat()));
    }
    let mut user = Vec::new();
    if !movie.day.is_empty() {
        let len = (movie.day.len() as u16).to_be_bytes();
        user = bx(
            b"\xa9day",
            &[&len, b"\x55\xc4", movie.day.as_bytes()].concat(),
        );
    }
    if !movie.itunes.is_empty() {
        let items = bx(b"ilst", &bx(b"\xa9day", &data(movie.itunes)));
        let meta = [vec![0; 4], bx(b"hdlr", b"\0\0\0\0\0\0\0\0mdir"), items];
        user.extend(bx(b"meta", &meta.concat()));
    }
    bytes.extend(bx(b"udta", &[user, vec![0; 4]].concat()));
    bx(b"moov", &bytes)
}

/// A movie with its media data in front.
pub(crate) fn mov(movie: Movie) -> Vec<u8> {
    let head = bx(b"ftyp", b"qt  \0\0\0\0qt  ");
    [head, bx(b"wide", b""), bx64(b"mdat", &[9; 50]), moov(movie)].concat()
}

/// A file of any length, zero but for some parts, that counts what is read of it.
pub(crate) struct Counted<'a> {
    pub(crate) len: u64,
    pub(crate) parts: Vec<(u64, &'a [u8])>,
    pub(crate) at: u64,
    pub(crate) bytes: usize,
    pub(crate) reads: u32,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            len: bytes.len() as u64,
            parts: vec![(0, bytes)],
            at: 0,
            bytes: 0,
            reads: 0,
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let len = into.len().min(left);
        into[..len].fill(0);
        for (from, part) in &self.parts {
            for (i, byte) in into[..len].iter_mut().enumerate() {
                let within = (self.at + i as u64).checked_sub(*from);
                if let Some(known) = within.and_then(|at| part.get(at as usize)) {
                    *byte = *known;
                }
            }
        }
        self.at += len as u64;
        self.bytes += len;
        self.reads += 1;
        Ok(len)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}
