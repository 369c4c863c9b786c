//! Files that lie, end early, fail and are changed at random.

use super::super::bounded::{BYTES, READS};
use super::super::{DateSource, decide, read};
use super::samples::{
    Counted, Fields, Movie, bx, bx64, heic, jpeg, moov, mov, png, tiff, tiff_from,
};
use super::{DAY_MS, FIELDS, HINTS, LEAP_1904, LEAP_MS, NOW_MS, of};
use std::io::{Cursor, Error, Read, Result, Seek, SeekFrom};

#[test]
fn boxes_that_lie_about_their_size_say_nothing() {
    let head = bx(b"ftyp", b"isom\0\0\0\0");
    let movie = moov(Movie {
        header: LEAP_1904,
        ..Movie::default()
    });
    let with = |size: [u8; 4], rest: &[u8]| {
        let mut file = [&head, &movie[..]].concat();
        file[head.len()..head.len() + 4].copy_from_slice(&size);
        file.extend(rest);
        of(&file)
    };
    // To the end of the file is right; beyond it, and less than a header, is not.
    assert!(with([0; 4], b"").is_some());
    for size in [1, 2, 7, movie.len() as u32 + 1, u32::MAX] {
        assert_eq!(with(size.to_be_bytes(), b""), None, "{size}");
    }
    let wide = |size: u64| {
        let mut file = [head.clone(), bx64(b"moov", &movie[8..])].concat();
        file[head.len() + 8..head.len() + 16].copy_from_slice(&size.to_be_bytes());
        of(&file)
    };
    assert!(wide(movie.len() as u64 + 8).is_some());
    for size in [0, 8, 15, movie.len() as u64 + 9, u64::MAX, 1 << 63] {
        assert_eq!(wide(size), None, "{size}");
    }
    // Cut anywhere, it says nothing or the truth.
    let whole = [head.clone(), movie].concat();
    for len in 0..whole.len() {
        assert_eq!(of(&whole[..len]), None, "{len}");
    }
    // A box within itself, a hundred thousand boxes, and one that never ends.
    let mut nested = Vec::new();
    for _ in 0..1000 {
        nested = bx(b"moov", &nested);
    }
    let many = [head.clone(), bx(b"free", b"").repeat(100_000)].concat();
    for file in [nested, many] {
        let mut reader = Counted::new(&file);
        assert_eq!(read(&mut reader), None);
        assert!(reader.reads <= 2 * READS);
    }
}

#[test]
fn media_data_is_skipped_whatever_its_size() {
    let movie = moov(Movie {
        header: LEAP_1904,
        date: "2024-03-01T01:30:15+0200",
        ..Movie::default()
    });
    let head = bx(b"ftyp", b"qt  \0\0\0\0");
    let media: u64 = 1 << 44;
    let media_head = [&[0, 0, 0, 1], &b"mdat"[..], &media.to_be_bytes()].concat();
    let at = head.len() as u64;
    let mut reader = Counted {
        len: at + media + movie.len() as u64,
        parts: vec![(0, &head), (at, &media_head), (at + media, &movie)],
        at: 0,
        bytes: 0,
        reads: 0,
    };
    let said = read(&mut reader).unwrap();
    assert_eq!(said.quicktime.unwrap().offset_minutes, Some(120));
    assert!(reader.bytes < 2000, "{}", reader.bytes);

    // Directories at the end of a large picture, where most programs write them.
    let gap = 3 << 30;
    let [header, directories] = tiff_from(FIELDS, gap);
    let mut reader = Counted {
        len: (gap + directories.len()) as u64,
        parts: vec![(0, &header), (gap as u64, &directories)],
        at: 0,
        bytes: 0,
        reads: 0,
    };
    assert!(read(&mut reader).unwrap().exif.is_some());
    assert!(reader.bytes < 2000, "{}", reader.bytes);
}

#[test]
fn directories_that_overlap_cost_no_more_than_others() {
    // 20,000 pointers to directories of 60,000 entries each, twelve bytes apart.
    let (pointers, entries) = (20_000_u16, 60_000_u16.to_be_bytes());
    let mut file = b"MM\0\x2a\0\0\0\x08".to_vec();
    file.extend(pointers.to_be_bytes());
    let children = 14 + 12 * u32::from(pointers);
    for i in 0..u32::from(pointers) {
        file.extend(b"\x87\x69\0\x04\0\0\0\x01");
        file.extend((children + 12 * i).to_be_bytes());
    }
    file.extend([0; 4]);
    while file.len() < 2_000_000 {
        file.extend(entries);
        file.extend([0; 10]);
    }
    for file in [
        jpeg(&file[..65_000]),
        heic(&file, true),
        png(&file, true),
        file,
    ] {
        let mut reader = Counted::new(&file);
        assert_eq!(read(&mut reader), None);
        assert!(reader.bytes < 30_000, "{}", reader.bytes);
    }
}

#[test]
fn an_items_place_outside_the_file_says_nothing() {
    let tiff = tiff(FIELDS);
    for within in [true, false] {
        let file = heic(&tiff, within);
        let places = file.windows(4).position(|part| part == b"iloc").unwrap() + 4;
        let extent = places + 8 + 16 + 8;
        for (at, value) in [
            (extent, u32::MAX),
            (extent + 4, u32::MAX),
            (extent, 1 << 31),
        ] {
            let mut file = file.clone();
            file[at..at + 4].copy_from_slice(&value.to_be_bytes());
            assert_eq!(of(&file), None);
        }
        // Offsets of eight bytes that go round the scale.
        let mut file = file.clone();
        file[places + 4] = 0x88;
        file[places + 7] = 1;
        file[places + 9] = 2;
        file[places + 16..places + 24].fill(0xff);
        assert_eq!(of(&file), None);
    }
}

#[test]
fn what_is_no_picture_and_no_movie_says_nothing() {
    for file in [
        &b""[..],
        b"\xff",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe1\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"II\x2a\0",
        b"MM\0\x2a\xff\xff\xff\xff",
        b"\0\0\0\0ftyp",
        b"GIF89a\x01\0\x01\0",
        b"RIFF\0\0\0\0WEBP",
        &[0xff; 5000],
        &[0; 5000],
    ] {
        assert_eq!(of(file), None);
    }
}

/// Fails from the `left`th read or seek on.
struct Failing<R> {
    inner: R,
    left: u32,
}

impl<R> Failing<R> {
    fn step(&mut self) -> Result<&mut R> {
        self.left = self.left.checked_sub(1).ok_or(Error::other("gone"))?;
        Ok(&mut self.inner)
    }
}

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.step()?.read(into)
    }
}

impl<R: Seek> Seek for Failing<R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.step()?.seek(to)
    }
}

#[test]
fn a_file_that_fails_midway_says_nothing_false() {
    let tiff = tiff(FIELDS);
    let movie = mov(Movie {
        header: LEAP_1904,
        date: "2024-03-01T01:30:15+0200",
        ..Movie::default()
    });
    for file in [
        jpeg(&tiff),
        heic(&tiff, false),
        png(&tiff, false),
        tiff,
        movie,
    ] {
        for left in 0..60 {
            let inner = Cursor::new(&file);
            let time = decide(read(Failing { inner, left }), &HINTS);
            let known = time.source != DateSource::FirstSeen;
            assert_eq!(time.utc_ms, if known { LEAP_MS } else { NOW_MS - 1 });
        }
    }
}

/// One random change, of a kind that finds its way into parsers.
fn mutate(file: &mut Vec<u8>, random: &mut fastrand::Rng) {
    const SIZES: [u32; 12] = [
        0,
        1,
        2,
        7,
        8,
        9,
        15,
        16,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff0,
        u32::MAX,
    ];
    if file.is_empty() {
        return;
    }
    let at = random.usize(0..file.len());
    match random.u8(0..8) {
        0 => file.truncate(at),
        1 => file.insert(at, random.u8(..)),
        2 => {
            file.remove(at);
        }
        3 | 4 if at + 4 <= file.len() => {
            let mut size = SIZES[random.usize(0..SIZES.len())];
            if random.bool() {
                size = random.u32(0..2 * file.len() as u32);
            }
            let bytes = if random.bool() {
                size.to_be_bytes()
            } else {
                size.to_le_bytes()
            };
            file[at..at + 4].copy_from_slice(&bytes);
        }
        5 => {
            let end = random.usize(at..file.len().min(at + 64));
            let part = file[at..end].to_vec();
            let to = random.usize(0..=file.len());
            file.splice(to..to, part);
        }
        6 => file[at] ^= 1 << random.u8(0..8),
        _ => file[at] = random.u8(..),
    }
}

#[test]
fn random_changes_never_panic_nor_read_much_nor_make_a_time_that_cannot_be() {
    let mut random = fastrand::Rng::with_seed(18);
    let fields = Fields {
        offset: "",
        gps: Some(("2024:02:29", [23, 30, 15])),
        ..FIELDS
    };
    let little = Fields {
        little: true,
        first: true,
        ..FIELDS
    };
    let (big, little) = (tiff(fields), tiff(little));
    let movie = Movie {
        header: LEAP_1904,
        date: "2024-03-01T01:30:15+0200",
        day: "2024-03-01T01:30:15+0200",
        itunes: "2024-03-01T01:30:15+0200",
        wide: true,
    };
    let user = Movie { date: "", ..movie };
    let samples = [
        jpeg(&big),
        png(&little, false),
        heic(&big, false),
        heic(&little, true),
        mov(movie),
        mov(user),
        big,
        little,
    ];
    let mut still_said = 0;
    for round in 0..200_000 {
        let mut file = samples[round % samples.len()].clone();
        for _ in 0..random.u8(1..4) {
            mutate(&mut file, &mut random);
        }
        let mut reader = Counted::new(&file);
        let said = read(&mut reader);
        assert!(reader.bytes <= BYTES && reader.reads <= 2 * READS);
        let time = decide(said, &HINTS);
        still_said += u32::from(said.is_some());
        assert!((1990..=2026).contains(&time.year_month().0), "{time:?}");
        assert!(time.utc_ms <= NOW_MS + 2 * DAY_MS, "{time:?}");
        assert!((-720..=840).contains(&time.offset_minutes), "{time:?}");
    }
    // The changes are small enough to reach what lies deep.
    assert!(still_said > 20_000, "{still_said}");
}
