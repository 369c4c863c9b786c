//! XML from a server that may be broken or hostile, read as it comes.
//!
//! quick-xml finds the parts. What it leaves open is settled here: a part is at most [`MAX_TOKEN`]
//! long, nesting and attributes are bounded, a DOCTYPE is an error (so there are no entities to blow
//! up), there is one root and nothing but blanks outside it, and all is UTF-8. So memory does not
//! depend on what comes, and the end proves that the document is whole.

use crate::{Error, Result};
use futures_util::FutureExt;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use std::str::from_utf8;
use tokio::io::{AsyncBufRead, AsyncReadExt, Take};

/// The largest single tag, text or comment, in bytes. Names are at most 255 characters.
pub(crate) const MAX_TOKEN: u64 = 256 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_ATTRIBUTES: usize = 32;

/// Takes the parts of a document.
pub(crate) trait Handler {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()>;
    /// A piece of text, with its entities replaced.
    fn text(&mut self, text: &str) -> Result<()>;
    fn close(&mut self) -> Result<()>;
}

/// An opening tag.
pub(crate) struct Tag<'a> {
    pub name: &'a str,
    attributes: Vec<Attribute<'a>>,
}

impl<'a> Tag<'a> {
    fn new(start: &'a BytesStart<'_>) -> Result<Self> {
        from_utf8(start).map_err(not_utf8)?;
        let name = from_utf8(start.name().into_inner()).map_err(not_utf8)?;
        if !is_name(name) || start.contains(&b'<') {
            return Err(Error::bad_answer("XML with a bad tag"));
        }
        let attributes = start.attributes().take(MAX_ATTRIBUTES + 1);
        let attributes: Vec<_> = attributes
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| Error::bad_answer("XML with a bad attribute"))?;
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(Error::bad_answer("XML with too many attributes"));
        }
        Ok(Self { name, attributes })
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Result<Option<String>> {
        let mut attributes = self.attributes.iter();
        let Some(attribute) = attributes.find(|a| a.key.as_ref() == name.as_bytes()) else {
            return Ok(None);
        };
        let value = attribute.unescape_value().map_err(broken)?;
        Ok(Some(value.into_owned()))
    }
}

/// A document being read.
pub(crate) struct Xml<R> {
    reader: Reader<Take<R>>,
    buffer: Vec<u8>,
    depth: usize,
    rooted: bool,
}

impl<R: AsyncBufRead + Unpin> Xml<R> {
    pub fn new(source: R) -> Self {
        let mut reader = Reader::from_reader(source.take(MAX_TOKEN));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
            rooted: false,
        }
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// Gives the next part to the handler; `false` at the proven end. After an error, or when it is
    /// dropped before it is done, the document is of no more use.
    pub async fn step(&mut self, handler: &mut impl Handler) -> Result<bool> {
        self.buffer.clear();
        self.reader.get_mut().set_limit(MAX_TOKEN);
        let event = self.reader.read_event_into_async(&mut self.buffer).await;
        if self.reader.get_ref().limit() == 0 {
            return Err(Error::bad_answer("XML with an absurdly long part"));
        }
        match event.map_err(broken)? {
            Event::Start(start) => {
                if self.depth == 0 && std::mem::replace(&mut self.rooted, true) {
                    return Err(Error::bad_answer("XML with two roots"));
                }
                if self.depth >= MAX_DEPTH {
                    return Err(Error::bad_answer("XML that is nested too deeply"));
                }
                self.depth += 1;
                handler.open(&Tag::new(&start)?)?;
            }
            Event::End(_) => {
                self.depth -= 1;
                handler.close()?;
            }
            Event::Text(text) if self.depth > 0 => {
                handler.text(from_utf8(&text).map_err(not_utf8)?)?;
            }
            Event::CData(text) if self.depth > 0 => {
                handler.text(from_utf8(&text).map_err(not_utf8)?)?;
            }
            Event::GeneralRef(entity) if self.depth > 0 => {
                handler.text(resolve(&entity)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::Text(text) if is_blank(&text) => {}
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                return Err(Error::bad_answer("not XML, or text outside its root"));
            }
            Event::Decl(declaration) => check_encoding(&declaration)?,
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(Error::bad_answer("XML with a document type")),
            Event::Eof if self.rooted && self.depth == 0 => return Ok(false),
            Event::Eof => return Err(Error::bad_answer("XML that ends too early")),
            Event::Empty(_) => return Err(Error::bug("an empty element was not expanded")),
        }
        Ok(true)
    }
}

/// Reads a whole document that is in memory.
pub(crate) fn read_whole(
    source: impl AsyncBufRead + Unpin,
    handler: &mut impl Handler,
) -> Result<()> {
    let mut xml = Xml::new(source);
    let all = async {
        while xml.step(handler).await? {}
        Ok(())
    };
    let never_waits = || Err(Error::bug("a document in memory made its reader wait"));
    all.now_or_never().unwrap_or_else(never_waits)
}

/// quick-xml skips a byte order mark only if it comes in one piece.
fn is_blank(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    text.iter().all(u8::is_ascii_whitespace)
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c.is_alphabetic() || c == '_' || c == ':';
    name.starts_with(start)
        && name
            .chars()
            .all(|c| start(c) || c.is_numeric() || c == '-' || c == '.')
}

fn resolve(entity: &BytesRef<'_>) -> Result<char> {
    if let Some(c) = entity.resolve_char_ref().map_err(broken)? {
        return Ok(c);
    }
    let text = from_utf8(entity).ok().and_then(resolve_xml_entity);
    text.and_then(|text| text.chars().next())
        .ok_or_else(|| Error::bad_answer("XML with an unknown entity"))
}

fn check_encoding(declaration: &BytesDecl<'_>) -> Result<()> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name))
            if [&b"utf-8"[..], b"utf8", b"us-ascii"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        Some(_) => Err(not_utf8(())),
    }
}

fn not_utf8<E>(_: E) -> Error {
    Error::bad_answer("XML that is not UTF-8")
}

/// What the source said, or that the document is no XML. quick-xml's words may hold names.
fn broken(error: quick_xml::Error) -> Error {
    let ours = match &error {
        quick_xml::Error::Io(error) => error.get_ref().and_then(|e| e.downcast_ref::<Error>()),
        _ => None,
    };
    ours.cloned()
        .unwrap_or_else(|| Error::bad_answer("broken XML"))
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
