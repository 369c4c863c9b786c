//! The time formats of the service (protocol facts §11). Inside, a time is milliseconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as i64)
}

/// Year, month, day of a day count since 1970 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

fn clock(ms: i64) -> (i64, i64, i64, i64, i64, i64, i64) {
    let seconds = ms.div_euclid(1000);
    let (y, m, d) = civil(seconds.div_euclid(86_400));
    let s = seconds.rem_euclid(86_400);
    (y, m, d, s / 3600, s / 60 % 60, s % 60, ms.rem_euclid(1000))
}

/// `2026-01-02-T03:04:05Z`, JFS's own.
pub fn jfs(ms: i64) -> String {
    let (y, m, d, h, min, s, _) = clock(ms);
    format!("{y:04}-{m:02}-{d:02}-T{h:02}:{min:02}:{s:02}Z")
}

/// `2026-01-02T03:04:05.123Z`, liststream's.
pub fn rfc3339_millis(ms: i64) -> String {
    let (y, m, d, h, min, s, milli) = clock(ms);
    format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}.{milli:03}Z")
}

/// Any of the forms that clients send: JFS's, RFC 3339, either with an offset. `None` when it is not a time.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let plain = text.replacen("-T", "T", 1);
    plain
        .parse::<jiff::Timestamp>()
        .ok()
        .map(|t| t.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_reads_as_the_same_moment() {
        let ms = 1_767_323_045_000;
        for text in [
            "2026-01-02-T03:04:05Z",
            "2026-01-02-T04:04:05+0100",
            "2026-01-02T03:04:05Z",
            "2026-01-02T04:04:05+01:00",
            "2026-01-02T03:04:05.000Z",
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
        }
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn written_times_agree_with_an_independent_calendar() {
        for ms in [
            0_i64,
            951_782_400_000,
            -1,
            1_767_323_045_123,
            4_102_444_799_999,
        ] {
            let other = jiff::Timestamp::from_millisecond(ms).ok();
            assert_eq!(
                rfc3339_millis(ms),
                other.map(|t| format!("{t:.3}")).unwrap_or_default()
            );
            assert_eq!(parse(&jfs(ms)), Some(ms.div_euclid(1000) * 1000));
        }
    }
}
