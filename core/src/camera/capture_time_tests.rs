#![allow(clippy::unwrap_used)]

#[path = "capture_time/hostile_tests.rs"]
mod hostile;
#[path = "capture_time/test_samples.rs"]
mod samples;

use super::{CaptureTime, Clock, DateSource, Embedded, Hints, decide, read};
use samples::{Fields, Movie, heic, jpeg, moov, mov, png, tiff};
use std::io::Cursor;

const DAY_MS: i64 = 86_400_000;
/// 2026-07-01T12:00:00Z.
const NOW_MS: i64 = 1_782_907_200_000;
/// 2024-02-29T23:30:15Z.
const LEAP_MS: i64 = 1_709_249_415_000;
/// The same in seconds since 1904.
const LEAP_1904: u64 = 1_709_249_415 + 2_082_844_800;

/// Nothing is known but the moment of first sight. The device is two hours ahead of UTC.
const HINTS: Hints = Hints {
    taken_ms: None,
    added_ms: None,
    modified_ms: None,
    first_seen_ms: NOW_MS - 1,
    zone_minutes: 120,
    now_ms: NOW_MS,
};

const FIELDS: Fields = Fields {
    date: "2024:03:01 01:30:15",
    offset: "+02:00",
    gps: None,
    little: false,
    first: false,
};

fn time(utc_ms: i64, offset_minutes: i32, source: DateSource) -> CaptureTime {
    CaptureTime {
        utc_ms,
        offset_minutes,
        source,
    }
}

fn of(bytes: &[u8]) -> Option<Embedded> {
    read(Cursor::new(bytes))
}

/// Milliseconds and offset when the date is from this source.
fn from(source: DateSource, bytes: &[u8]) -> Option<(i64, i32)> {
    let time = decide(of(bytes), &HINTS);
    (time.source == source).then_some((time.utc_ms, time.offset_minutes))
}

#[test]
fn every_container_of_exif_says_the_same_moment() {
    let little = Fields {
        little: true,
        ..FIELDS
    };
    for fields in [FIELDS, little] {
        let tiff = tiff(fields);
        for file in [
            jpeg(&tiff),
            png(&tiff, true),
            png(&tiff, false),
            heic(&tiff, true),
            heic(&tiff, false),
            tiff,
        ] {
            assert_eq!(from(DateSource::Exif, &file), Some((LEAP_MS, 120)));
        }
    }
}

#[test]
fn a_date_in_the_first_directory_counts_when_there_is_no_other() {
    let fields = Fields {
        first: true,
        ..FIELDS
    };
    let file = tiff(fields);
    assert_eq!(from(DateSource::Exif, &file), Some((LEAP_MS, 120)));
}

#[test]
fn without_an_offset_the_devices_zone_at_first_sight_counts() {
    for offset in ["", "   :  ", "+99:99", "+14:15", "-12:15", "02:00", "+2:00"] {
        let file = jpeg(&tiff(Fields { offset, ..FIELDS }));
        assert_eq!(
            from(DateSource::Exif, &file),
            Some((LEAP_MS, 120)),
            "{offset}"
        );
        let elsewhere = Hints {
            zone_minutes: -300,
            ..HINTS
        };
        let there = time(LEAP_MS + 420 * 60_000, -300, DateSource::Exif);
        assert_eq!(decide(of(&file), &elsewhere), there);
        assert_eq!(there.folder(), "2024/03");
    }
}

#[test]
fn without_an_offset_a_gps_time_tells_it() {
    for (date, gps, offset) in [
        ("2024:03:01 05:15:15", ("2024:02:29", [23, 30, 0]), 345),
        ("2024:03:01 01:30:15", ("2024:02:29", [23, 24, 0]), 120),
        ("2024:03:01 01:30:15", ("2024:02:29", [23, 37, 0]), 120),
        ("2024:02:29 20:00:15", ("2024:02:29", [23, 30, 15]), -210),
        ("2024:02:29 11:30:15", ("2024:02:29", [23, 30, 15]), -720),
        ("2024:03:01 13:30:15", ("2024:02:29", [23, 30, 15]), 840),
    ] {
        let gps = Some(gps);
        let fields = Fields {
            date,
            offset: "",
            gps,
            ..FIELDS
        };
        let utc_ms = Clock::parse(date.as_bytes()).unwrap().local_s * 1000 - offset * 60_000;
        let file = heic(&tiff(fields), false);
        let expected = Some((utc_ms, i32::try_from(offset).unwrap()));
        assert_eq!(from(DateSource::Exif, &file), expected, "{date}");
        // What the camera says of the offset goes before.
        let said = Fields {
            offset: "+01:00",
            ..fields
        };
        assert_eq!(from(DateSource::Exif, &jpeg(&tiff(said))).unwrap().1, 60);
    }
}

#[test]
fn a_gps_time_that_gives_no_offset_in_use_is_ignored() {
    for gps in [
        ("2024:02:28", [23, 30, 15]),
        ("2024:03:01", [14, 0, 0]),
        ("2024:02:29", [11, 0, 0]),
        ("2024:02:29", [99, 0, 0]),
        ("2024:02:30", [23, 30, 15]),
        ("1980:01:06", [0, 0, 0]),
        ("", [23, 30, 15]),
        ("junk", [23, 30, 15]),
        ("2024:02:29", [u32::MAX / 10; 3]),
    ] {
        let file = jpeg(&tiff(Fields {
            offset: "",
            gps: Some(gps),
            ..FIELDS
        }));
        assert_eq!(
            from(DateSource::Exif, &file),
            Some((LEAP_MS, 120)),
            "{gps:?}"
        );
    }
    // A GPS time of zero parts of a second.
    let mut file = tiff(Fields {
        offset: "",
        gps: Some(("2024:02:29", [22, 30, 15])),
        ..FIELDS
    });
    assert_eq!(from(DateSource::Exif, &file).unwrap().1, 180);
    let at = file
        .windows(4)
        .rposition(|part| part == 10_u32.to_be_bytes())
        .unwrap();
    file[at..at + 4].fill(0);
    assert_eq!(from(DateSource::Exif, &file).unwrap().1, 120);
}

#[test]
fn the_best_source_that_says_a_time_is_taken() {
    let exif = of(&tiff(FIELDS)).unwrap().exif;
    let movie = of(&mov(Movie {
        header: LEAP_1904 + 1,
        date: "2024-02-29T18:30:17-0500",
        ..Movie::default()
    }));
    let mut said = Embedded {
        exif,
        ..movie.unwrap()
    };
    let mut hints = Hints {
        taken_ms: Some(LEAP_MS + 3000),
        added_ms: Some(LEAP_MS + 4000),
        modified_ms: Some(LEAP_MS + 5999),
        ..HINTS
    };
    let check = |said, hints: &Hints, expected| assert_eq!(decide(Some(said), hints), expected);
    check(said, &hints, time(LEAP_MS, 120, DateSource::Exif));
    said.exif = None;
    check(
        said,
        &hints,
        time(LEAP_MS + 2000, -300, DateSource::QuickTime),
    );
    said.quicktime = None;
    check(
        said,
        &hints,
        time(LEAP_MS + 1000, 120, DateSource::MovieHeader),
    );
    said.movie_header_s = None;
    check(
        said,
        &hints,
        time(LEAP_MS + 3000, 120, DateSource::Platform),
    );
    hints.taken_ms = Some(0);
    check(said, &hints, time(LEAP_MS + 4000, 120, DateSource::Added));
    hints.added_ms = Some(NOW_MS + 2 * DAY_MS + 1);
    check(
        said,
        &hints,
        time(LEAP_MS + 5999, 120, DateSource::Modified),
    );
    hints.modified_ms = Some(i64::MIN);
    check(said, &hints, time(NOW_MS - 1, 120, DateSource::FirstSeen));
    assert_eq!(decide(None, &hints).source, DateSource::FirstSeen);
}

#[test]
fn an_impossible_date_is_unknown() {
    for date in [
        "0000:00:00 00:00:00",
        "1970:01:01 00:00:00",
        "1989:12:31 23:59:59",
        "2099:01:01 00:00:00",
        "2026:07:04 12:00:00",
        "2024:13:01 00:00:00",
        "2024:00:01 00:00:00",
        "2024:02:30 00:00:00",
        "2023:02:29 00:00:00",
        "2024:01:01 24:00:00",
        "2024:01:01 00:60:00",
        "2024:01:01 00:00:61",
        "    :  :     :  :  ",
        "2024:01:01",
        "2024:01:01 00:00",
        "2024:01:01 00:00:00x",
        "+024:01:01 00:00:00",
        "２024:01:01 00:00:00",
        "",
        "\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}",
    ] {
        let file = jpeg(&tiff(Fields { date, ..FIELDS }));
        let hints = Hints {
            taken_ms: Some(LEAP_MS),
            ..HINTS
        };
        let expected = time(LEAP_MS, 120, DateSource::Platform);
        assert_eq!(decide(of(&file), &hints), expected, "{date}");
        let date = date.replacen(':', "-", 2).replace(' ', "T");
        let file = mov(Movie {
            date: &date,
            header: LEAP_1904,
            ..Movie::default()
        });
        assert_eq!(
            from(DateSource::MovieHeader, &file),
            Some((LEAP_MS, 120)),
            "{date}"
        );
    }
    let mut file = tiff(FIELDS);
    let at = file.windows(4).position(|part| part == b"2024").unwrap();
    file[at..at + 19].fill(0xff);
    assert_eq!(of(&file), None);
}

#[test]
fn a_time_up_to_two_days_ahead_and_from_1990_on_is_believed() {
    let earliest_ms = 631_152_000_000;
    let mut hints = Hints {
        zone_minutes: 0,
        ..HINTS
    };
    for (taken_ms, believed) in [
        (earliest_ms - 1, false),
        (earliest_ms, true),
        (NOW_MS + 2 * DAY_MS, true),
        (NOW_MS + 2 * DAY_MS + 1, false),
        (i64::MAX, false),
    ] {
        hints.taken_ms = Some(taken_ms);
        let source = decide(None, &hints).source;
        assert_eq!(source == DateSource::Platform, believed, "{taken_ms}");
    }
}

#[test]
fn a_movies_creation_date_is_read_in_every_form_of_its_zone() {
    for (date, offset) in [
        ("2024-02-29T23:30:15Z", 0),
        ("2024-03-01T01:30:15+0200", 120),
        ("2024-03-01T01:30:15+02:00", 120),
        ("2024-03-01T01:30:15+02", 120),
        ("2024-03-01T05:15:15.250+05:45", 345),
        ("2024-02-29T18:30:15-0500", -300),
        ("2024-03-01T01:30:15", 120),
    ] {
        let header = 0;
        let empty = Movie::default();
        for file in [
            mov(Movie {
                date,
                header,
                ..empty
            }),
            mov(Movie {
                day: date,
                header,
                ..empty
            }),
            mov(Movie {
                itunes: date,
                header,
                ..empty
            }),
            mov(Movie {
                date,
                day: "2020-01-01T00:00:00Z",
                ..empty
            }),
            moov(Movie { date, ..empty }),
        ] {
            assert_eq!(
                from(DateSource::QuickTime, &file),
                Some((LEAP_MS, offset)),
                "{date}"
            );
        }
    }
    // A year alone is no time.
    let file = mov(Movie {
        day: "2024",
        itunes: "2024",
        ..Movie::default()
    });
    assert_eq!(of(&file), None);
}

#[test]
fn a_movie_header_is_utc_since_1904_and_0_is_unknown() {
    for wide in [false, true] {
        let of_header = |header| {
            let movie = Movie {
                header,
                wide,
                ..Movie::default()
            };
            from(DateSource::MovieHeader, &mov(movie))
        };
        assert_eq!(of_header(LEAP_1904), Some((LEAP_MS, 120)));
        for unknown in [0, 1, 2_082_844_799, 2_082_844_800, 1_709_249_415] {
            assert_eq!(of_header(unknown), None);
        }
    }
    let far = mov(Movie {
        header: u64::MAX,
        wide: true,
        ..Movie::default()
    });
    assert_eq!(decide(of(&far), &HINTS).source, DateSource::FirstSeen);
}

#[test]
fn the_local_date_makes_the_folder() {
    for (utc_s, offset_minutes, folder) in [
        (1_704_067_199, 0, "2023/12"),
        (1_704_067_200, 0, "2024/01"),
        (1_704_067_199, 1, "2024/01"),
        (1_704_067_200, -1, "2023/12"),
        (1_704_063_600, 60, "2024/01"),
        (1_704_063_599, 60, "2023/12"),
        (1_704_067_200 - 14 * 3600, 840, "2024/01"),
        (1_704_067_200 + 12 * 3600 - 1, -720, "2023/12"),
        (1_709_249_415, 0, "2024/02"),
        (1_709_249_415, 30, "2024/03"),
        (951_868_799, 0, "2000/02"),
        (951_868_800, 0, "2000/03"),
        (4_107_542_399, 0, "2100/02"),
        (4_107_542_400, 0, "2100/03"),
    ] {
        let time = time(utc_s * 1000, offset_minutes, DateSource::Platform);
        assert_eq!(time.folder(), folder, "{utc_s} {offset_minutes}");
    }
    for utc_ms in [i64::MIN, i64::MAX, 0, -1] {
        for offset_minutes in [i32::MIN, i32::MAX, 0] {
            let month = time(utc_ms, offset_minutes, DateSource::FirstSeen)
                .year_month()
                .1;
            assert!((1..=12).contains(&month));
        }
    }
}

#[test]
fn the_calendar_agrees_with_counting_days() {
    let mut days = 7305;
    for year in 1990..=2101 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        for (month, len) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            for day in 1..=len {
                let text = format!("{year}:{month:02}:{day:02} 00:00:00");
                let clock = Clock::parse(text.as_bytes()).unwrap();
                assert_eq!(clock.local_s, days * 86_400, "{text}");
                for offset in [-720, -1, 0, 1, 345, 840] {
                    for of_day in [0, 86_399] {
                        let local_s = days * 86_400 + of_day;
                        let utc_ms = (local_s - i64::from(offset) * 60) * 1000;
                        let time = time(utc_ms, offset, DateSource::Exif);
                        assert_eq!(time.year_month(), (year, month), "{text} {offset}");
                    }
                }
                days += 1;
            }
            let text = format!("{year}:{month:02}:{:02} 00:00:00", len + 1);
            assert_eq!(Clock::parse(text.as_bytes()), None, "{text}");
        }
    }
}
