//! The service's times, as milliseconds since the epoch in whole seconds.
//!
//! Five forms are on the wire (protocol facts §11): JFS's `2026-01-02-T03:04:05Z` and its `+0100`
//! variant, RFC 3339 with and without decimals, epoch milliseconds; an empty text means unknown.
//! The same moment comes with decimals in a liststream and without in a listing, so decimals are
//! cut off: otherwise every refresh would look like a change.

const DAY_S: i64 = 86_400;

/// Milliseconds since the epoch; `None` when the text is empty or says no time.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let ms: i64 = text.parse().ok()?;
        return ms.div_euclid(1000).checked_mul(1000);
    }
    let mut rest = Rest(text.as_bytes());
    let (year, month) = (rest.number(4)?, rest.after(b'-', 2)?);
    let day = rest.after(b'-', 2)?;
    rest.eat(b'-');
    if !rest.eat(b'T') && !rest.eat(b't') && !rest.eat(b' ') {
        return None;
    }
    let (hour, minute) = (rest.number(2)?, rest.after(b':', 2)?);
    let second = rest.after(b':', 2)?;
    if rest.eat(b'.') {
        rest.number(1)?;
        while rest.number(1).is_some() {}
    }
    let offset = rest.offset()?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range || !rest.0.is_empty() {
        return None;
    }
    let of_day = hour * 3600 + minute * 60 + second.min(59) - offset;
    Some((days_since_epoch(year, month, day) * DAY_S + of_day) * 1000)
}

/// As JFS writes times; `None` for a moment that no calendar has.
pub(crate) fn jfs(ms: i64) -> Option<String> {
    Some(format!(
        "{}",
        whole_seconds(ms)?.strftime("%Y-%m-%d-T%H:%M:%SZ")
    ))
}

/// As the JSON API takes times (RFC 3339); `None` for a moment that no calendar has.
pub(crate) fn rfc3339(ms: i64) -> Option<String> {
    Some(format!(
        "{}",
        whole_seconds(ms)?.strftime("%Y-%m-%dT%H:%M:%SZ")
    ))
}

/// Years have four digits on the wire.
fn whole_seconds(ms: i64) -> Option<jiff::Timestamp> {
    let moment = jiff::Timestamp::from_second(ms.div_euclid(1000)).ok()?;
    (moment >= jiff::Timestamp::from_second(-62_135_596_800).ok()?).then_some(moment)
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = tail;
        Some(head.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
    }

    fn after(&mut self, mark: u8, digits: usize) -> Option<i64> {
        if self.eat(mark) {
            self.number(digits)
        } else {
            None
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    /// Seconds east of Greenwich.
    fn offset(&mut self) -> Option<i64> {
        if self.eat(b'Z') || self.eat(b'z') {
            return Some(0);
        }
        let sign = if self.eat(b'+') {
            1
        } else if self.eat(b'-') {
            -1
        } else {
            return None;
        };
        let hours = self.number(2)?;
        self.eat(b':');
        let minutes = self.number(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, in the Gregorian calendar, for years from 0.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = |year: i64| year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let months: i64 = (1..month).map(|m| days_in(year, m)).sum();
    before(year) - before(1970) + months + day - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{jfs, parse, rfc3339};

    #[test]
    fn the_five_forms_say_the_same_moment() {
        let moment = Some(1_767_323_045_000);
        for text in [
            "2026-01-02-T03:04:05Z",
            "2026-01-02-T04:04:05+0100",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.987Z",
            "2026-01-01T21:34:05-05:30",
            "1767323045999",
        ] {
            assert_eq!(parse(text), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_unknown() {
        for text in [
            "",
            " ",
            "-",
            "now",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:04:05Zx",
            "2026-01-02T03:04:05+99:00",
            "99999999999999999999999",
            "２026-01-02T03:04:05Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_agrees_with_another_implementation() {
        for year in [
            0, 1, 1600, 1899, 1900, 1969, 1970, 1972, 2000, 2024, 2026, 2100, 9998,
        ] {
            for month in 1..=12 {
                for day in [1, 28] {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:59Z");
                    let other: jiff::Timestamp = text.parse().unwrap();
                    assert_eq!(parse(&text), Some(other.as_millisecond()), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back_in_whole_seconds() {
        assert_eq!(
            jfs(1_767_323_045_987).as_deref(),
            Some("2026-01-02-T03:04:05Z")
        );
        assert_eq!(
            rfc3339(1_767_323_045_987).as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        for ms in [0_i64, -1, 999, -62_135_596_800_000, 253_402_207_200_000] {
            let whole = ms.div_euclid(1000) * 1000;
            assert_eq!(jfs(ms).as_deref().and_then(parse), Some(whole), "{ms}");
            assert_eq!(rfc3339(ms).as_deref().and_then(parse), Some(whole), "{ms}");
        }
        for ms in [i64::MIN, i64::MAX, -62_135_596_800_001] {
            assert_eq!((jfs(ms), rfc3339(ms)), (None, None), "{ms}");
        }
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        let alphabet = b"0123456789-T:Z+. ";
        for _ in 0..200_000 {
            let text: String = (0..random.usize(0..26))
                .map(|_| char::from(alphabet[random.usize(0..alphabet.len())]))
                .collect();
            if let Some(ms) = parse(&text) {
                assert_eq!(ms.rem_euclid(1000), 0);
            }
        }
    }
}
