//! A part of a file, as HTTP names it: `A-B` with both ends in it, `A-` to the end, `-N` for the last N bytes.

use std::ops::Range;
use std::str::FromStr;

/// What was asked for, before the size of the file is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first and the last byte.
    FromTo(u64, u64),
    /// All from this byte on.
    From(u64),
    /// So many bytes at the end.
    Last(u64),
}

impl Part {
    /// The bytes of a file of this size; `None` if it has none of them.
    pub fn within(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::FromTo(first, last) => first..last.saturating_add(1).min(size),
            Self::From(first) => first..size,
            Self::Last(bytes) => size.saturating_sub(bytes)..size,
        };
        (!range.is_empty()).then_some(range)
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a part is 'A-B', 'A-' or '-N', in bytes from 0";
        let (first, last) = text.split_once('-').ok_or(WRONG)?;
        match (first, last) {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(Self::From),
            (first, last) => number(first)
                .zip(number(last))
                .filter(|(first, last)| first <= last)
                .map(|(first, last)| Self::FromTo(first, last)),
        }
        .ok_or(WRONG)
    }
}

/// Digits alone. A number beyond all files is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_both_its_ends_and_stays_within_the_file() {
        for (text, size, expected) in [
            ("0-0", 10, Some(0..1)),
            ("2-4", 10, Some(2..5)),
            ("2-400", 10, Some(2..10)),
            ("9-", 10, Some(9..10)),
            ("-3", 10, Some(7..10)),
            ("-300", 10, Some(0..10)),
            ("0-99999999999999999999999", 10, Some(0..10)),
            ("10-", 10, None),
            ("10-12", 10, None),
            ("99999999999999999999999-", 10, None),
            ("-0", 10, None),
            ("0-", 0, None),
            ("-1", 0, None),
        ] {
            let part: Part = text.parse().unwrap();
            assert_eq!(part.within(size), expected, "{text} of {size}");
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in [
            "", "-", "5", "4-2", "a-b", "+1-2", "1-+2", " 1-2", "1-2,4-5", "1--2", "0x1-2",
        ] {
            assert!(text.parse::<Part>().is_err(), "{text:?}");
        }
    }
}
