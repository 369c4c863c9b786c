//! Bodies that a client must survive: noise in place of an answer, and XML made to hurt its reader.
//! All are made while they are sent, so a gigabyte costs no memory.

use super::Bomb;
use std::fmt::Write as _;

const PIECE: usize = 64 * 1024;

/// A body made piece by piece.
#[derive(Clone, Debug)]
pub struct Filler {
    head: Vec<u8>,
    unit: Vec<u8>,
    units: u64,
    tail: Vec<u8>,
}

impl Filler {
    /// `bytes` of noise that is no XML, no JSON and no text.
    pub fn garbage(bytes: u64) -> Self {
        // One odd multiplier walks through all residues, so no two neighbours are equal.
        let unit: Vec<u8> = (0..PIECE as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80)
            .collect();
        let rest = usize::try_from(bytes % PIECE as u64).unwrap_or(0);
        Self {
            head: Vec::new(),
            tail: unit[..rest].to_vec(),
            units: bytes / PIECE as u64,
            unit,
        }
    }

    /// One of the XML bombs.
    pub fn bomb(bomb: Bomb) -> Self {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        match bomb {
            Bomb::Entities => {
                let mut text =
                    format!("{declaration}<!DOCTYPE folder [<!ENTITY a0 \"lots of text\">");
                for level in 1..=12 {
                    let below = level - 1;
                    let _ = write!(
                        text,
                        "<!ENTITY a{level} \"{}\">",
                        format!("&a{below};").repeat(10)
                    );
                }
                text.push_str(
                    "<!ENTITY file SYSTEM \"file:///etc/passwd\">]><folder name=\"&a12;\">\
                     <path>&file;</path><abspath>&a12;</abspath></folder>",
                );
                Self::whole(text)
            }
            Bomb::Nesting => Self {
                head: format!("{declaration}<folder name=\"deep\"><folders>").into_bytes(),
                unit: "<folder name=\"a\"><folders>"
                    .repeat(PIECE / 26)
                    .into_bytes(),
                units: 1_000,
                tail: Vec::new(),
            },
            Bomb::Attribute => Self {
                head: format!("{declaration}<folder name=\"").into_bytes(),
                unit: vec![b'a'; PIECE],
                units: 16 * 1024,
                tail: b"\"></folder>".to_vec(),
            },
            Bomb::Text => Self {
                head: format!("{declaration}<folder name=\"long\"><path>").into_bytes(),
                unit: vec![b'a'; PIECE],
                units: 16 * 1024,
                tail: b"</path></folder>".to_vec(),
            },
            Bomb::Attributes => Self {
                head: format!("{declaration}<folder name=\"many\"").into_bytes(),
                unit: " a=\"b\"".repeat(PIECE / 6).into_bytes(),
                units: 1_000,
                tail: b"></folder>".to_vec(),
            },
        }
    }

    fn whole(text: String) -> Self {
        Self {
            head: text.into_bytes(),
            unit: Vec::new(),
            units: 0,
            tail: Vec::new(),
        }
    }

    /// Length of the whole body.
    pub fn length(&self) -> u64 {
        let ends = self.head.len() + self.tail.len();
        ends as u64 + self.unit.len() as u64 * self.units
    }
}

impl Iterator for Filler {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if !self.head.is_empty() {
            return Some(std::mem::take(&mut self.head));
        }
        if self.units > 0 {
            self.units -= 1;
            return Some(self.unit.clone());
        }
        let tail = std::mem::take(&mut self.tail);
        (!tail.is_empty()).then_some(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_has_the_length_asked_for_and_is_not_utf_8() {
        for bytes in [0, 1, 65_535, 65_536, 200_000] {
            let filler = Filler::garbage(bytes);
            assert_eq!(filler.length(), bytes);
            let all: Vec<u8> = filler.flatten().collect();
            assert_eq!(all.len() as u64, bytes);
            assert!(all.is_empty() || std::str::from_utf8(&all).is_err());
        }
    }

    #[test]
    fn the_entity_bomb_is_small_on_the_wire() {
        assert!(Filler::bomb(Bomb::Entities).length() < 4_096);
        assert!(Filler::bomb(Bomb::Attribute).length() > 1 << 30);
        assert!(Filler::bomb(Bomb::Nesting).length() > 60_000_000);
    }
}
