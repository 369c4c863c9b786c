//! XML from a server that may be broken or hostile, read as it comes.
//!
//! The subset that JFS speaks: elements, attributes, text, CDATA, comments, the predefined entities
//! and character references. A DOCTYPE is an error, so there are no entities to blow up. At most one
//! token ([`MAX_TOKEN`]) is held, and nesting and attributes are bounded: memory does not depend on
//! what comes. Tag nesting is checked, so a document that ends early or closes what it has not
//! opened is an error.
//!
//! Not quick-xml, because its readers buffer one token without bound and cannot stop in the middle
//! of one to wait for the network; the tests hold this reader against it.

use crate::{Error, Result};

/// The largest single tag, text or comment, in bytes. Names are at most 255 characters.
pub(crate) const MAX_TOKEN: usize = 256 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 32;
/// A token this long is looked at again only when a quarter more has come, so that a trickle of
/// bytes costs linear time.
const LONG_TOKEN: usize = 4096;

/// What comes next.
pub(crate) enum Step<'a> {
    Open(Tag<'a>),
    /// Text between tags, still escaped; give it to [`unescape`].
    Text(&'a str),
    /// A CDATA section: text as it is.
    Raw(&'a str),
    Close,
    /// More bytes are needed.
    Hungry,
    /// The root is closed and the input has ended.
    End,
}

/// An opening tag.
pub(crate) struct Tag<'a> {
    pub name: &'a str,
    text: &'a str,
    attributes: &'a [Attribute],
}

#[derive(Clone, Copy)]
struct Attribute {
    name: (usize, usize),
    value: (usize, usize),
}

impl Tag<'_> {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Result<Option<String>> {
        for a in self.attributes {
            if &self.text[a.name.0..a.name.1] == name {
                let mut value = String::new();
                unescape(&self.text[a.value.0..a.value.1], &mut value)?;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// A document being read.
pub(crate) struct Xml {
    buffer: Vec<u8>,
    at: usize,
    /// Bytes that must be there before the token at `at` is looked at again.
    wait_for: usize,
    ended: bool,
    started: bool,
    rooted: bool,
    /// A self-closing tag was given out; its `Close` is due.
    closing: bool,
    /// The names of the open elements, one after the other, and where each begins.
    open_names: Vec<u8>,
    open_starts: Vec<usize>,
    attributes: Vec<Attribute>,
}

impl Xml {
    pub fn new() -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            wait_for: 0,
            ended: false,
            started: false,
            rooted: false,
            closing: false,
            open_names: Vec::new(),
            open_starts: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Adds bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that no more bytes will come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next step. After an error the document is of no more use.
    pub fn next(&mut self) -> Result<Step<'_>> {
        if self.closing {
            self.closing = false;
            self.pop();
            return Ok(Step::Close);
        }
        if !self.started && !self.skip_byte_order_mark() {
            return Ok(Step::Hungry);
        }
        loop {
            let rest = &self.buffer[self.at..];
            if rest.is_empty() {
                return self.starved(0);
            }
            if self.open_starts.is_empty() && rest[0] != b'<' && !rest[0].is_ascii_whitespace() {
                return Err(Error::bad_answer("not XML"));
            }
            if rest.len() < self.wait_for && !self.ended {
                return Ok(Step::Hungry);
            }
            let Some(token) = find_token(rest)? else {
                return self.starved(rest.len());
            };
            let end = token.end();
            if end > MAX_TOKEN {
                return Err(too_long());
            }
            self.wait_for = 0;
            let start = self.at;
            self.at += end;
            match token {
                Token::Text { .. } => {
                    if self.open_starts.is_empty() {
                        let text = &self.buffer[start..start + end];
                        if text.iter().all(u8::is_ascii_whitespace) {
                            continue;
                        }
                        return Err(Error::bad_answer("not XML"));
                    }
                    return Ok(Step::Text(utf8(&self.buffer[start..start + end])?));
                }
                Token::CData { .. } => {
                    if self.open_starts.is_empty() {
                        return Err(Error::bad_answer("XML with text outside its root"));
                    }
                    return Ok(Step::Raw(utf8(&self.buffer[start + 9..start + end - 3])?));
                }
                Token::Comment { .. } => {}
                Token::Instruction { .. } => self.check_encoding(start, end)?,
                Token::Close { .. } => {
                    self.close(start + 2, start + end - 1)?;
                    return Ok(Step::Close);
                }
                Token::Open { .. } => return self.open(start + 1, start + end - 1),
            }
        }
    }

    /// There is no whole token.
    fn starved(&mut self, have: usize) -> Result<Step<'_>> {
        if have > MAX_TOKEN {
            return Err(too_long());
        }
        if !self.ended {
            if have > LONG_TOKEN {
                self.wait_for = have + have / 4;
            }
            return Ok(Step::Hungry);
        }
        let blank = self.buffer[self.at..].iter().all(u8::is_ascii_whitespace);
        if self.rooted && self.open_starts.is_empty() && blank {
            Ok(Step::End)
        } else if self.rooted {
            Err(Error::bad_answer("XML that ends too early"))
        } else {
            Err(Error::bad_answer("not XML"))
        }
    }

    /// Whether there is enough to know that none is left.
    fn skip_byte_order_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.buffer.len() < MARK.len() && MARK.starts_with(&self.buffer) && !self.ended {
            return false;
        }
        if self.buffer.starts_with(MARK) {
            self.at = MARK.len();
        }
        self.started = true;
        true
    }

    fn check_encoding(&self, start: usize, end: usize) -> Result<()> {
        let text = utf8(&self.buffer[start..start + end])?;
        let Some((_, declared)) = text.split_once("encoding") else {
            return Ok(());
        };
        let value = declared.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        let value = value.trim_start_matches(['"', '\'']);
        let utf8 = ["utf-8", "utf8", "us-ascii"].iter().any(|name| {
            value
                .get(..name.len())
                .is_some_and(|v| v.eq_ignore_ascii_case(name))
        });
        if text.starts_with("<?xml") && !utf8 {
            return Err(Error::bad_answer("XML that is not UTF-8"));
        }
        Ok(())
    }

    fn pop(&mut self) {
        if let Some(start) = self.open_starts.pop() {
            self.open_names.truncate(start);
        }
    }

    fn close(&mut self, start: usize, end: usize) -> Result<()> {
        let name = self.buffer[start..end].trim_ascii_end();
        let fits = self
            .open_starts
            .last()
            .is_some_and(|&at| &self.open_names[at..] == name);
        if !fits {
            return Err(Error::bad_answer(
                "XML with a closing tag that fits nothing",
            ));
        }
        self.pop();
        Ok(())
    }

    fn open(&mut self, start: usize, mut end: usize) -> Result<Step<'_>> {
        self.closing = self.buffer[start..end].ends_with(b"/");
        if self.closing {
            end -= 1;
        }
        if self.open_starts.is_empty() {
            if self.rooted {
                return Err(Error::bad_answer("XML with two roots"));
            }
            self.rooted = true;
        }
        if self.open_starts.len() >= MAX_DEPTH {
            return Err(Error::bad_answer("XML that is nested too deeply"));
        }
        let text = utf8(&self.buffer[start..end])?;
        let name_end = text
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(text.len());
        if !is_name(&text[..name_end]) {
            return Err(Error::bad_answer("XML with a bad tag"));
        }
        read_attributes(text, name_end, &mut self.attributes)?;
        self.open_starts.push(self.open_names.len());
        self.open_names
            .extend_from_slice(&text.as_bytes()[..name_end]);
        Ok(Step::Open(Tag {
            name: &text[..name_end],
            text,
            attributes: &self.attributes,
        }))
    }
}

/// A whole token at the start of the input; the length includes its delimiters.
enum Token {
    Text { end: usize },
    CData { end: usize },
    Comment { end: usize },
    Instruction { end: usize },
    Close { end: usize },
    Open { end: usize },
}

impl Token {
    fn end(&self) -> usize {
        match *self {
            Self::Text { end }
            | Self::CData { end }
            | Self::Comment { end }
            | Self::Instruction { end }
            | Self::Close { end }
            | Self::Open { end } => end,
        }
    }
}

/// `None` when the token is not whole yet.
fn find_token(input: &[u8]) -> Result<Option<Token>> {
    const CDATA: &[u8] = b"<![CDATA[";
    if input[0] != b'<' {
        let end = input.iter().position(|&b| b == b'<');
        return Ok(end.map(|end| Token::Text { end }));
    }
    Ok(match input.get(1) {
        None => None,
        Some(b'?') => find(input, 2, b"?>").map(|end| Token::Instruction { end }),
        Some(b'/') => find(input, 2, b">").map(|end| Token::Close { end }),
        Some(b'!') => {
            if input.starts_with(b"<!--") {
                find(input, 4, b"-->").map(|end| Token::Comment { end })
            } else if input.starts_with(CDATA) {
                find(input, CDATA.len(), b"]]>").map(|end| Token::CData { end })
            } else if b"<!--".starts_with(input) || CDATA.starts_with(input) {
                None
            } else {
                return Err(Error::bad_answer("XML with a document type, or HTML"));
            }
        }
        Some(_) => find_tag_end(input).map(|end| Token::Open { end }),
    })
}

/// Where `mark` ends.
fn find(input: &[u8], from: usize, mark: &[u8]) -> Option<usize> {
    let found = input[from..].windows(mark.len()).position(|w| w == mark)?;
    Some(from + found + mark.len())
}

/// Where an opening tag ends; a `>` inside a quoted value is no end.
fn find_tag_end(input: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, &byte) in input.iter().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::bad_answer("XML that is not UTF-8"))
}

fn is_name(name: &str) -> bool {
    let start = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b':' || b >= 0x80;
    name.bytes().next().is_some_and(start)
        && name
            .bytes()
            .all(|b| start(b) || b.is_ascii_digit() || b == b'-' || b == b'.')
}

fn read_attributes(text: &str, mut at: usize, out: &mut Vec<Attribute>) -> Result<()> {
    let bad = || Error::bad_answer("XML with a bad attribute");
    let bytes = text.as_bytes();
    let skip_space = |at: &mut usize| {
        let before = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_whitespace) {
            *at += 1;
        }
        *at > before
    };
    out.clear();
    loop {
        let spaced = skip_space(&mut at);
        if at == bytes.len() {
            return Ok(());
        }
        let name_start = at;
        while at < bytes.len() && bytes[at] != b'=' && !bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let name = (name_start, at);
        skip_space(&mut at);
        if !spaced || bytes.get(at) != Some(&b'=') || !is_name(&text[name.0..name.1]) {
            return Err(bad());
        }
        at += 1;
        skip_space(&mut at);
        let quote = match bytes.get(at) {
            Some(&quote @ (b'"' | b'\'')) => quote,
            _ => return Err(bad()),
        };
        let start = at + 1;
        let length = bytes[start..]
            .iter()
            .position(|&b| b == quote)
            .ok_or_else(bad)?;
        let value = (start, start + length);
        let twice = out
            .iter()
            .any(|a| text[a.name.0..a.name.1] == text[name.0..name.1]);
        if twice || text[value.0..value.1].contains('<') || out.len() >= MAX_ATTRIBUTES {
            return Err(bad());
        }
        out.push(Attribute { name, value });
        at = value.1 + 1;
    }
}

/// Appends text with its entities replaced.
pub(crate) fn unescape(text: &str, out: &mut String) -> Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let entity = &rest[at + 1..];
        let (name, after) = entity
            .split_once(';')
            .filter(|(name, _)| name.len() <= 10)
            .ok_or_else(bad_entity)?;
        out.push(resolve(name)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(())
}

fn resolve(entity: &str) -> Result<char> {
    Ok(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = entity.strip_prefix('#').ok_or_else(bad_entity)?;
            let (digits, radix) = match number.strip_prefix('x') {
                Some(hex) => (hex, 16),
                None => (number, 10),
            };
            if digits.starts_with('+') {
                return Err(bad_entity());
            }
            u32::from_str_radix(digits, radix)
                .ok()
                .and_then(char::from_u32)
                .filter(|&c| c != '\0')
                .ok_or_else(bad_entity)?
        }
    })
}

fn bad_entity() -> Error {
    Error::bad_answer("XML with an unknown entity")
}

fn too_long() -> Error {
    Error::bad_answer("XML with an absurdly long part")
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
