//! A document that is read while it arrives, by a [`Handler`] that knows its grammar.

use super::transport::{Answer, Stream};
use super::xml::{Handler, Xml};
use crate::{CancelToken, Error, Result};

/// This many bytes without one entry is not a listing, whatever it is.
const MAX_BARREN: u64 = 8 * 1024 * 1024;

/// A [`Handler`] of entries.
pub(crate) trait Entries: Handler {
    /// How many entries were found so far.
    fn found(&self) -> u64;
}

/// An answer that is being read.
pub(crate) struct Document<H> {
    xml: Xml<Stream>,
    pub handler: H,
    found: u64,
    /// Where the last entry was found.
    found_at: u64,
    ended: bool,
    /// Or what went wrong: a document that broke once proves nothing ever after.
    sound: Result<()>,
}

impl<H: Entries> Document<H> {
    pub fn new(answer: Answer, handler: H) -> Self {
        Self {
            xml: Xml::new(answer.into_stream()),
            handler,
            found: 0,
            found_at: 0,
            ended: false,
            sound: Ok(()),
        }
    }

    /// Reads until `enough` or to the proven end.
    pub async fn read(&mut self, enough: impl Fn(&H) -> bool, cancel: &CancelToken) -> Result<()> {
        self.sound.clone()?;
        // Whoever drops this call may leave the reader in the middle of a part.
        self.sound = Err(Error::Cancelled);
        self.sound = cancel.run(self.read_on(enough)).await;
        self.sound.clone()
    }

    async fn read_on(&mut self, enough: impl Fn(&H) -> bool) -> Result<()> {
        while !self.ended && !enough(&self.handler) {
            self.ended = !self.xml.step(&mut self.handler).await?;
            let (found, position) = (self.handler.found(), self.xml.position());
            if found > self.found {
                (self.found, self.found_at) = (found, position);
            } else if position - self.found_at > MAX_BARREN {
                return Err(Error::bad_answer("an endless answer with nothing in it"));
            }
        }
        Ok(())
    }
}

/// The text of one field, collected from its pieces.
#[derive(Default)]
pub(crate) struct Field(String);

impl Field {
    const MAX: usize = 64 * 1024;

    pub fn start(&mut self) {
        self.0.clear();
    }

    pub fn text(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        if self.0.len() > Self::MAX {
            return Err(Error::bad_answer("an absurdly long text"));
        }
        Ok(())
    }

    pub fn get(&self) -> &str {
        &self.0
    }
}

/// 32 hex digits in either case, as the uploader happened to write them.
pub(crate) fn md5(text: &str) -> Option<[u8; 16]> {
    hex16(text.trim().bytes())
}

/// A UUID, with its dashes or without.
pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    hex16(text.trim().bytes().filter(|&b| b != b'-'))
}

fn hex16(mut digits: impl Iterator<Item = u8>) -> Option<[u8; 16]> {
    let mut out = [0; 16];
    let mut nibble = || {
        char::from(digits.next()?)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    for byte in &mut out {
        *byte = nibble()? << 4 | nibble()?;
    }
    digits.next().is_none().then_some(out)
}

/// Runs a whole document through a handler, in pieces of `piece` bytes.
#[cfg(test)]
pub(crate) fn run(handler: &mut impl Handler, input: &[u8], piece: usize) -> Result<()> {
    let pieces = futures_util::stream::iter(input.chunks(piece).map(Ok::<_, std::io::Error>));
    super::xml::read_whole(tokio_util::io::StreamReader::new(pieces), handler)
}
