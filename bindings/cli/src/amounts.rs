//! Amounts that people type: bytes, days and times of day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `500`, `10kB`, `1.5GB`, `2GiB`: decimal units, as sizes are shown, and binary ones with an `i`.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "'{}' is no size such as 500, 10kB, 1.5GB or 2GiB",
            text.escape_debug()
        )
    };
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.to_ascii_lowercase();
    let factor: u64 = match unit.strip_suffix('b').unwrap_or(&unit) {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        _ => return Err(wrong()),
    };
    let number = number.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return Err(wrong());
    }
    let whole: u128 = whole.parse().map_err(|_| wrong())?;
    let parts: u128 = part.parse().map_err(|_| wrong())?;
    let of_part = parts * u128::from(factor) / 10_u128.pow(part.len() as u32);
    whole
        .checked_mul(u128::from(factor))
        .and_then(|bytes| u64::try_from(bytes + of_part).ok())
        .ok_or_else(wrong)
}

/// `2025-06-01` (its first moment in UTC), `2025-06-01T12:00:00Z`, or `30d` (so many days ago), in milliseconds since
/// the epoch.
pub fn moment(text: &str) -> Result<i64, String> {
    let days_ago = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    if let Some(days) = days_ago {
        let now = Timestamp::now().as_millisecond();
        return Ok(now - i64::from(days) * 24 * 60 * 60 * 1000);
    }
    let day = text
        .parse::<Date>()
        .ok()
        .filter(|_| text.len() == "2025-06-01".len())
        .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .map(|day| day.timestamp());
    day.or_else(|| text.parse::<Timestamp>().ok())
        .map(|time| time.as_millisecond())
        .ok_or_else(|| {
            format!(
                "'{}' is no time such as 2025-06-01, 2025-06-01T12:00:00Z or 30d",
                text.escape_debug()
            )
        })
}

/// `22:00`, in minutes after midnight.
pub fn minutes(text: &str) -> Result<u16, String> {
    let wrong = || format!("'{}' is no time of day such as 22:00", text.escape_debug());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, most: u16| -> Result<u16, String> {
        let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|number| *number < most);
        number.filter(|_| digits).ok_or_else(wrong)
    };
    if minute.len() != 2 {
        return Err(wrong());
    }
    Ok(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_shown() {
        for (text, expected) in [
            ("0", 0),
            ("500", 500),
            ("10kB", 10_000),
            ("1.5GB", 1_500_000_000),
            ("1.07 GB", 1_070_000_000),
            ("2GiB", 2 << 30),
            ("3m", 3_000_000),
            ("1TB", 1_000_000_000_000),
        ] {
            assert_eq!(bytes(text).unwrap(), expected, "{text}");
        }
        for text in [
            "",
            "B",
            "-1",
            "1.2.3",
            "1.",
            "ten",
            "1e3",
            "99999999TB",
            "1XB",
        ] {
            assert!(bytes(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_day_is_its_first_moment() {
        assert_eq!(moment("2023-11-14").unwrap(), 1_699_920_000_000);
        assert_eq!(moment("2023-11-14T22:13:20Z").unwrap(), 1_700_000_000_000);
        let ago = Timestamp::now().as_millisecond() - moment("2d").unwrap();
        assert!((172_800_000..172_860_000).contains(&ago), "{ago}");
        for text in ["", "yesterday", "2023-13-01", "d", "-1d", "2023-11-14 22"] {
            assert!(moment(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_time_of_day_is_minutes_after_midnight() {
        for (text, expected) in [
            ("00:00", 0),
            ("6:30", 390),
            ("22:00", 1320),
            ("23:59", 1439),
        ] {
            assert_eq!(minutes(text).unwrap(), expected, "{text}");
        }
        for text in [
            "", "22", "24:00", "12:60", "12:5", "-1:00", "+1:00", "001:00", "1:+1",
        ] {
            assert!(minutes(text).is_err(), "{text:?}");
        }
    }
}
