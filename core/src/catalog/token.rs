//! Page tokens and anchors: opaque, at most 500 bytes, and bound to one life of the catalogue.

use super::Order;
use super::row::Id;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A folded name longer than this stays out of the token (base64 of it would not fit), and is looked up by key.
const FOLD_MAX: usize = 300;

/// The last row of the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub file: bool,
    pub key: i64,
    /// The number sorted by, for files by time or size.
    pub number: i64,
    /// The folded name, for folders and by name; `None` if too long.
    pub fold: Option<String>,
}

/// What a token must fit.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub instance: Id,
    pub parent: i64,
    pub order: Order,
}

impl Bound {
    fn head(&self) -> Vec<u8> {
        let order = match self.order {
            Order::Name => 0,
            Order::Newest => 1,
            Order::Largest => 2,
        };
        let mut head = vec![1, order];
        head.extend(&self.instance[..6]);
        head.extend(self.parent.to_be_bytes());
        head
    }

    pub fn encode(&self, after: &After) -> String {
        let mut bytes = self.head();
        let fold = after.fold.as_deref().filter(|fold| fold.len() <= FOLD_MAX);
        bytes.push(u8::from(after.file) | u8::from(fold.is_some()) << 1);
        bytes.extend(after.key.to_be_bytes());
        bytes.extend(after.number.to_be_bytes());
        bytes.extend(fold.unwrap_or_default().as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn decode(&self, token: &str) -> Result<After> {
        self.try_decode(token).ok_or(Error::PageExpired)
    }

    fn try_decode(&self, token: &str) -> Option<After> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let rest = bytes.strip_prefix(self.head().as_slice())?;
        let (flags, rest) = rest.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (number, fold) = rest.split_first_chunk()?;
        let fold = String::from_utf8(fold.to_vec()).ok()?;
        Some(After {
            file: flags & 1 != 0,
            key: i64::from_be_bytes(*key),
            number: i64::from_be_bytes(*number),
            fold: (flags & 2 != 0).then_some(fold),
        })
    }
}

/// An anchor: which life of the catalogue, and the last change seen of it.
pub(super) fn anchor(instance: Id, seq: i64) -> String {
    let mut bytes = instance.to_vec();
    bytes.extend(seq.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The last change that `anchor` has seen, if it is of this life.
pub(super) fn anchor_seq(instance: Id, anchor: &str) -> Result<i64> {
    let decode = || {
        let bytes = URL_SAFE_NO_PAD.decode(anchor).ok()?;
        let seq = bytes.strip_prefix(instance.as_slice())?;
        Some(i64::from_be_bytes(seq.try_into().ok()?))
    };
    decode().ok_or(Error::AnchorExpired)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BOUND: Bound = Bound {
        instance: [7; 16],
        parent: 12,
        order: Order::Name,
    };

    fn after(fold: Option<&str>) -> After {
        After {
            file: true,
            key: 99,
            number: -5,
            fold: fold.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_goes_out_and_comes_back_in_at_most_500_bytes() {
        let longest = "x".repeat(FOLD_MAX);
        for fold in [None, Some(""), Some("blåbær"), Some(longest.as_str())] {
            let token = BOUND.encode(&after(fold));
            assert!(token.len() <= 500);
            assert_eq!(BOUND.decode(&token).unwrap(), after(fold));
        }
        let token = BOUND.encode(&after(Some(&"å".repeat(255))));
        assert!(token.len() <= 500);
        assert_eq!(BOUND.decode(&token).unwrap(), after(None));
    }

    #[test]
    fn a_token_of_another_folder_order_or_life_has_expired() {
        let token = BOUND.encode(&after(Some("a")));
        let others = [
            Bound {
                parent: 13,
                ..BOUND
            },
            Bound {
                order: Order::Newest,
                ..BOUND
            },
            Bound {
                instance: [8; 16],
                ..BOUND
            },
        ];
        for other in others {
            assert_eq!(other.decode(&token), Err(Error::PageExpired));
        }
    }

    #[test]
    fn garbage_is_no_token_and_no_anchor() {
        for text in ["", "!", "AAAA", &"A".repeat(600)] {
            assert_eq!(BOUND.decode(text), Err(Error::PageExpired));
            assert_eq!(anchor_seq([7; 16], text), Err(Error::AnchorExpired));
        }
    }

    #[test]
    fn an_anchor_belongs_to_one_life() {
        let text = anchor([7; 16], 42);
        assert_eq!(anchor_seq([7; 16], &text), Ok(42));
        assert_eq!(anchor_seq([8; 16], &text), Err(Error::AnchorExpired));
    }
}
