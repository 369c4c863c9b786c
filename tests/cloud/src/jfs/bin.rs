//! `mode=bin`: content, whole or a range (protocol facts §4).

use std::io::{self, Read, Write};
use std::sync::Arc;

use hyper::Request;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, HeaderValue, RANGE};

use super::render::mime;
use crate::body::{Body, Reply, reply};
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::Etag;
use crate::tree::{Kind, Known, Node, TreeError, View};

/// Content that may be read, and what it is counted under.
pub struct Readable {
    name: String,
    content: Known,
    space: String,
}

impl Readable {
    /// The current content of a live file; `None` for anything else.
    pub fn of(view: &View<'_>, node: &Node) -> Result<Option<Self>, TreeError> {
        if node.kind != Kind::File || node.deleted.is_some() {
            return Ok(None);
        }
        let blob = view.revision(node.current)?.and_then(|r| r.blob);
        let Some(blob) = blob else { return Ok(None) };
        let Some(content) = view.blob(blob)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            name: node.name.clone(),
            content,
            space: view.space_of(node)?,
        }))
    }

    /// The current content at a path.
    pub fn at(view: &View<'_>, path: &JfsPath) -> Result<Self, TreeError> {
        let readable = match view.find(path)? {
            Some(node) => Self::of(view, &node)?,
            None => None,
        };
        readable.ok_or_else(|| {
            Refusal::new(
                404,
                "no.jotta.backup.errors.NoSuchFileException",
                format!("File {} does not exist", path.absolute()),
            )
            .into()
        })
    }

    /// Which content.
    pub fn content(&self) -> &Known {
        &self.content
    }

    /// What it is counted under.
    pub fn space(&self) -> &str {
        &self.space
    }
}

/// GET with `mode=bin`.
pub async fn bin<B>(
    state: &Arc<State>,
    path: JfsPath,
    request: &Request<B>,
) -> Result<Reply, Refusal> {
    let readable = state
        .on_tree(move |tree| tree.read(|view| Readable::at(view, &path)))
        .await?;
    content(state, readable, request, "bin")
}

/// An answer with content, or the range of it that the request names.
pub fn content<B>(
    state: &Arc<State>,
    readable: Readable,
    request: &Request<B>,
    mode: &str,
) -> Result<Reply, Refusal> {
    let size = readable.content.size;
    let range = match request.headers().get(RANGE) {
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .and_then(|v| range(v, size))
                .ok_or_else(|| {
                    Refusal::new(
                        416,
                        "no.jotta.backup.errors.RequestedRangeNotSatisfiedException",
                        format!("Requested range not satisfiable, size is {size}"),
                    )
                })?,
        ),
        None => None,
    };
    let (start, end) = range.unwrap_or((0, size));
    let length = end - start;
    let key = format!("{}/{mode}", readable.space);
    let owner = state.clone();
    let content = readable.content.clone();
    let body = if request.method() == hyper::Method::HEAD {
        Body::promised(length)
    } else {
        Body::produced(Some(length), move |outlet| {
            copy(&mut *owner.blobs.read(&content, start)?, length, outlet)
        })
    };
    let body = body.counted(state.counts.clone(), key);
    let status = if range.is_some() { 206 } else { 200 };
    let mut answer = reply(status, mime(&readable.name), body);
    let headers = answer.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if range.is_some() {
        let value = format!("bytes {start}-{}/{size}", end - 1);
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(CONTENT_RANGE, value);
        }
    }
    if state.switches().etag == Etag::Md5
        && let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", readable.content.md5))
    {
        headers.insert(ETAG, value);
    }
    Ok(answer)
}

fn copy(from: &mut dyn Read, length: u64, to: &mut dyn Write) -> io::Result<()> {
    let mut left = length;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let want = left.min(buffer.len() as u64) as usize;
        let n = from.read(&mut buffer[..want])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&buffer[..n])?;
        left -= n as u64;
    }
    Ok(())
}

/// Start and end (exclusive, within the size) of a `Range` header; `None` when it cannot be served.
fn range(header: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.trim(), last.trim()) {
        ("", last) => (size.saturating_sub(last.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => {
            let last: u64 = last.parse().ok()?;
            (first.parse().ok()?, last.saturating_add(1).min(size))
        }
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_clamped_to_the_size_and_refused_when_they_hold_nothing() {
        assert_eq!(range("bytes=5-15", 100), Some((5, 16)));
        assert_eq!(range("bytes=80-", 100), Some((80, 100)));
        assert_eq!(range("bytes=81-100000", 100), Some((81, 100)));
        assert_eq!(range("bytes=-20", 100), Some((80, 100)));
        for bad in [
            "bytes=10-2",
            "bytes=100-",
            "bytes=100-200",
            "bytes=x-3",
            "bytes=3",
            "lines=1-2",
            "bytes=-0",
        ] {
            assert_eq!(range(bad, 100), None, "{bad}");
        }
        assert_eq!(range("bytes=0-", 0), None);
    }
}
