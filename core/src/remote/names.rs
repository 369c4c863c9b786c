//! Names on the server and names to show.
//!
//! Some characters make trouble in JFS URLs, so rclone stores look-alikes in their place: full
//! width for `" * : < > ? | % /`, the "symbol for" block for control characters, and `‛` before a
//! look-alike that is meant literally. Whoever uses both would see `：` where they wrote `:`, so
//! names are shown with the look-alikes turned back, as rclone shows them, and written the same way.
//!
//! A shown name still cannot hurt a path: `/`, NUL, control characters, `.` and `..` stay look-alikes.
//! Requests always use the server's own spelling, never one computed from a shown name.

use crate::{Error, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const QUOTE: char = '\u{201B}';
const WIDE_DOT: char = '\u{FF0E}';

/// Everything but RFC 3986's unreserved characters: `+` would be read as a space, and `%`, `#`, `?`
/// and `;` have each broken some client (protocol facts §11).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Which characters have look-alikes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// rclone's for Jottacloud.
    Server,
    /// What no name may contain on any screen or disk; rclone's own standard.
    Shown,
}

impl Dialect {
    /// The look-alike of a character that must not stand for itself.
    fn disguise(self, c: char) -> Option<char> {
        let offset = match c {
            '\0'..='\u{1F}' => 0x2400,
            '\u{7F}' => return Some('\u{2421}'),
            '/' => 0xFEE0,
            '"' | '*' | ':' | '<' | '>' | '?' | '|' | '%' if self == Self::Server => 0xFEE0,
            _ => return None,
        };
        char::from_u32(u32::from(c) + offset)
    }

    /// The character behind a look-alike.
    fn reveal(self, c: char) -> Option<char> {
        let code = u32::from(c);
        let plain = match code {
            0x2400..=0x241F => code - 0x2400,
            0x2421 => 0x7F,
            0xFF01..=0xFF5E => code - 0xFEE0,
            _ => return None,
        };
        let plain = char::from_u32(plain)?;
        (self.disguise(plain) == Some(c)).then_some(plain)
    }

    fn encode(self, name: &str) -> String {
        match name {
            "." => return WIDE_DOT.into(),
            ".." => return [WIDE_DOT; 2].iter().collect(),
            "\u{FF0E}" => return [QUOTE, WIDE_DOT].iter().collect(),
            "\u{FF0E}\u{FF0E}" => return [QUOTE, WIDE_DOT, QUOTE, WIDE_DOT].iter().collect(),
            _ => {}
        }
        let mut out = String::with_capacity(name.len());
        for c in name.chars() {
            if let Some(disguise) = self.disguise(c) {
                out.push(disguise);
            } else {
                if c == QUOTE || self.reveal(c).is_some() {
                    out.push(QUOTE);
                }
                out.push(c);
            }
        }
        out
    }

    fn decode(self, name: &str) -> String {
        match name {
            "\u{FF0E}" => return ".".into(),
            "\u{FF0E}\u{FF0E}" => return "..".into(),
            "\u{201B}\u{FF0E}" => return WIDE_DOT.into(),
            "\u{201B}\u{FF0E}\u{201B}\u{FF0E}" => return [WIDE_DOT; 2].iter().collect(),
            _ => {}
        }
        let mut out = String::with_capacity(name.len());
        let mut quoted = false;
        for c in name.chars() {
            let plain = self.reveal(c);
            match (c, plain) {
                (QUOTE, _) if !quoted => {
                    quoted = true;
                    continue;
                }
                (QUOTE, _) => out.push(c),
                (_, Some(plain)) => out.push(if quoted { c } else { plain }),
                (_, None) => {
                    if quoted {
                        out.push(QUOTE);
                    }
                    out.push(c);
                }
            }
            quoted = false;
        }
        if quoted {
            out.push(QUOTE);
        }
        out
    }
}

/// The name to show for a server's name.
pub(crate) fn decode(server: &str) -> String {
    if server.is_ascii() && !server.bytes().any(|b| b.is_ascii_control()) {
        return server.to_owned();
    }
    Dialect::Shown.encode(&Dialect::Server.decode(server))
}

/// The server's name for a name that a person gave.
pub(crate) fn encode(shown: &str) -> String {
    Dialect::Server.encode(&Dialect::Shown.decode(shown))
}

/// Bytes of the longest name: 255 characters, the service's own limit, of four bytes each.
const MAX_BYTES: usize = 1024;

/// Refuses what cannot be one name in a path. Whoever sends it is broken or hostile.
pub(crate) fn check(name: &str) -> Result<()> {
    let usable = !name.is_empty()
        && name.len() <= MAX_BYTES
        && name != "."
        && name != ".."
        && !name.contains('/')
        && !name.contains('\0');
    if usable {
        Ok(())
    } else {
        Err(Error::bad_answer("a name that no item can have"))
    }
}

/// Adds a segment to a URL path.
pub(crate) fn push_segment(url: &mut String, name: &str) {
    url.extend(utf8_percent_encode(name, RESERVED));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_spelled_as_rclone_spells_them() {
        for (shown, server) in [
            ("plain.txt", "plain.txt"),
            ("a:b*c?d\"e<f>g|h%i", "a：b＊c？d＂e＜f＞g｜h％i"),
            ("100 %", "100 ％"),
            ("a：b", "a‛：b"),
            (
                "back\\slash 'quote' `tick` #&+,;=@$!()[]{}^~",
                "back\\slash 'quote' `tick` #&+,;=@$!()[]{}^~",
            ),
            (" leading and trailing ", " leading and trailing "),
            ("trailing.", "trailing."),
            (".hidden", ".hidden"),
            (
                "bl\u{e5}b\u{e6}r \u{4e16}\u{754c} \u{1F600}",
                "bl\u{e5}b\u{e6}r \u{4e16}\u{754c} \u{1F600}",
            ),
            ("␊", "␊"),
            ("␡", "␡"),
            ("／", "／"),
            ("．", "．"),
            ("．．", "．．"),
        ] {
            assert_eq!(encode(shown), server, "encode {shown}");
            assert_eq!(decode(server), shown, "decode {server}");
        }
        assert_eq!(Dialect::Server.encode(".."), "．．");
        assert_eq!(Dialect::Server.encode("．."), "．.");
        assert_eq!(Dialect::Server.encode("‛"), "‛‛");
        assert_eq!(Dialect::Server.encode("a\nb\0c/d\u{7f}"), "a␊b␀c／d␡");
        assert_eq!(Dialect::Server.decode("‛"), "‛");
        assert_eq!(Dialect::Server.decode("‛x"), "‛x");
    }

    #[test]
    fn encoding_and_decoding_round_trips_for_every_string() {
        let mut random = fastrand::Rng::with_seed(11);
        let odd: Vec<char> = "./‛．：:%％␀\0␊\n␡\u{7f}／a b‛＂\"\u{FFFD}é\u{10FFFF}"
            .chars()
            .collect();
        for _ in 0..200_000 {
            let name: String = (0..random.usize(0..7))
                .map(|_| {
                    if random.bool() {
                        odd[random.usize(0..odd.len())]
                    } else {
                        random.char(..)
                    }
                })
                .collect();
            for dialect in [Dialect::Server, Dialect::Shown] {
                let encoded = dialect.encode(&name);
                assert_eq!(dialect.decode(&encoded), name, "{name:?} as {encoded:?}");
                if !name.is_empty() {
                    check(&encoded).unwrap();
                }
            }
            let shown = Dialect::Shown.encode(&name);
            assert_eq!(decode(&encode(&shown)), shown, "{name:?}");
        }
    }

    #[test]
    fn a_shown_name_can_never_be_a_path() {
        let mut random = fastrand::Rng::with_seed(13);
        let odd: Vec<char> = "./‛．␀／：a".chars().collect();
        for _ in 0..100_000 {
            let server: String = (0..random.usize(1..6))
                .map(|_| odd[random.usize(0..odd.len())])
                .collect();
            if check(&server).is_ok() {
                check(&decode(&server)).unwrap();
            }
        }
    }

    #[test]
    fn hostile_names_are_bad_answers() {
        for name in ["", ".", "..", "a/b", "../x", "/", "a\0"] {
            assert!(
                matches!(check(name), Err(Error::BadAnswer { .. })),
                "{name:?}"
            );
        }
        let longest = "\u{1F600}".repeat(255);
        check(&longest).unwrap();
        let huge = check(&longest.repeat(2));
        assert!(matches!(huge, Err(Error::BadAnswer { .. })), "{huge:?}");
        for name in ["...", ". ", "a..b", "\\", " "] {
            check(name).unwrap();
        }
    }

    #[test]
    fn a_url_segment_escapes_everything_outside_unreserved() {
        let mut url = String::new();
        push_segment(&mut url, "a+b #%?&;/\\é~-._'(:@");
        assert_eq!(url, "a%2Bb%20%23%25%3F%26%3B%2F%5C%C3%A9~-._%27%28%3A%40");
    }
}
