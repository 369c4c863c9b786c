//! The name of a conflict copy, in the desktop client's form: `name (Conflict 2026-11-23 18.05.09).ext`, in UTC.
//!
//! A name that is cut to fit loses nothing but letters: the mark and the end, which says what kind of file it is, stay.

use crate::Result;

/// The longest name, in bytes of UTF-8: whatever the service counts in (protocol facts §13.9), this is no more than 255.
const LONGEST: usize = 255;
/// How a mark begins.
const MARK: &str = " (Conflict ";
/// Seconds that are tried before another moment is no help.
const TRIES: i64 = 3_600;

/// A free name for a copy of what is called `name`. Names are in the service's spelling.
pub(super) fn conflict_name(
    name: &str,
    now_ms: i64,
    taken: impl Fn(&str) -> Result<bool>,
) -> Result<String> {
    let second = now_ms.div_euclid(1_000);
    let mut last = String::new();
    for later in 0..TRIES {
        last = at(name, second + later);
        if !taken(&last)? {
            return Ok(last);
        }
    }
    Ok(last)
}

/// Whether a name has been made so before, or looks like it.
pub(super) fn is_conflict_name(name: &str) -> bool {
    name.contains(MARK)
}

fn at(name: &str, second: i64) -> String {
    // A moment that no calendar has is a clock that was never set.
    let moment = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mark = format!("{MARK}{})", moment.strftime("%Y-%m-%d %H.%M.%S"));
    let (stem, end) = match name.rfind('.') {
        // A name that begins with its only dot has no end.
        Some(dot) if dot > 0 && name.len() - dot <= 32 => name.split_at(dot),
        _ => (name, ""),
    };
    let room = LONGEST.saturating_sub(mark.len() + end.len());
    let mut cut = room.min(stem.len());
    while !stem.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{mark}{end}", &stem[..cut])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 2026-11-23 18:05:09 UTC.
    const NOW: i64 = 1_795_457_109_000;

    #[test]
    fn a_copy_is_named_as_the_desktop_client_names_it() {
        for (name, copy) in [
            ("a.txt", "a (Conflict 2026-11-23 18.05.09).txt"),
            ("a", "a (Conflict 2026-11-23 18.05.09)"),
            (".profile", ".profile (Conflict 2026-11-23 18.05.09)"),
            ("a.tar.gz", "a.tar (Conflict 2026-11-23 18.05.09).gz"),
        ] {
            assert_eq!(conflict_name(name, NOW, |_| Ok(false)).unwrap(), copy);
        }
    }

    #[test]
    fn a_second_that_is_taken_gives_the_next() {
        let first = "a (Conflict 2026-11-23 18.05.09).txt";
        let name = conflict_name("a.txt", NOW + 999, |name| Ok(name == first)).unwrap();
        assert_eq!(name, "a (Conflict 2026-11-23 18.05.10).txt");
    }

    #[test]
    fn a_long_name_is_cut_between_letters_and_keeps_its_end() {
        let long = format!("{}.jpeg", "å".repeat(125));
        let name = conflict_name(&long, NOW, |_| Ok(false)).unwrap();
        assert!(name.len() <= 255 && name.len() > 250);
        assert!(name.ends_with("å (Conflict 2026-11-23 18.05.09).jpeg"));
    }

    #[test]
    fn a_clock_that_was_never_set_still_gives_a_name() {
        assert!(conflict_name("a", i64::MIN, |_| Ok(true)).is_ok());
    }
}
