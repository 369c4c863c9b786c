//! A document that is read while it arrives, by a [`Handler`] that knows its grammar.

use super::transport::Answer;
use super::xml::{Step, Tag, Xml};
use crate::{CancelToken, Error, Result};

/// This many bytes without one entry is not a listing, whatever it is.
const MAX_BARREN: usize = 8 * 1024 * 1024;

/// Takes the parts of a document.
pub(crate) trait Handler {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()>;
    /// Text, still escaped.
    fn text(&mut self, text: &str) -> Result<()>;
    /// Text as it is.
    fn raw(&mut self, text: &str) -> Result<()>;
    fn close(&mut self) -> Result<()>;
    /// How many entries were found so far.
    fn found(&self) -> u64;
}

/// An answer that is being read.
pub(crate) struct Document<H> {
    answer: Answer,
    xml: Xml,
    pub handler: H,
    barren: usize,
    found: u64,
    ended: bool,
    /// What went wrong: a document that broke once proves nothing ever after.
    broken: Option<Error>,
}

impl<H: Handler> Document<H> {
    pub fn new(answer: Answer, handler: H) -> Self {
        Self {
            answer,
            xml: Xml::new(),
            handler,
            barren: 0,
            found: 0,
            ended: false,
            broken: None,
        }
    }

    /// Reads until `enough` or to the proven end; `false` at the end.
    pub async fn read(
        &mut self,
        enough: impl Fn(&H) -> bool,
        cancel: &CancelToken,
    ) -> Result<bool> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let done = self.read_on(enough, cancel).await;
        if let Err(error) = &done
            && *error != Error::Cancelled
        {
            self.broken = Some(error.clone());
        }
        done
    }

    async fn read_on(&mut self, enough: impl Fn(&H) -> bool, cancel: &CancelToken) -> Result<bool> {
        while !self.ended {
            if self.parse(&enough)? {
                return Ok(true);
            }
            if self.ended {
                break;
            }
            let Some(bytes) = self.answer.chunk(cancel).await? else {
                self.xml.end();
                continue;
            };
            if self.handler.found() > self.found {
                self.found = self.handler.found();
                self.barren = 0;
            }
            self.barren += bytes.len();
            if self.barren > MAX_BARREN {
                return Err(Error::bad_answer("an endless answer with nothing in it"));
            }
            self.xml.feed(&bytes);
        }
        Ok(enough(&self.handler))
    }

    /// Whether the handler has enough; `false` when bytes are needed or the end was reached.
    fn parse(&mut self, enough: impl Fn(&H) -> bool) -> Result<bool> {
        loop {
            if enough(&self.handler) {
                return Ok(true);
            }
            match self.xml.next()? {
                Step::Open(tag) => self.handler.open(&tag)?,
                Step::Text(text) => self.handler.text(text)?,
                Step::Raw(text) => self.handler.raw(text)?,
                Step::Close => self.handler.close()?,
                Step::Hungry => return Ok(false),
                Step::End => {
                    self.ended = true;
                    return Ok(false);
                }
            }
        }
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
        super::xml::unescape(text, &mut self.0)?;
        self.check()
    }

    pub fn raw(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        self.check()
    }

    fn check(&self) -> Result<()> {
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
pub(crate) fn run<H: Handler>(handler: &mut H, input: &[u8], piece: usize) -> Result<()> {
    let mut xml = Xml::new();
    let mut pieces = input.chunks(piece);
    loop {
        match xml.next()? {
            Step::Open(tag) => handler.open(&tag)?,
            Step::Text(text) => handler.text(text)?,
            Step::Raw(text) => handler.raw(text)?,
            Step::Close => handler.close()?,
            Step::Hungry => match pieces.next() {
                Some(bytes) => xml.feed(bytes),
                None => xml.end(),
            },
            Step::End => return Ok(()),
        }
    }
}
