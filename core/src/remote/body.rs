//! File content, `mode=bin`.

use super::transport::{Answer, Span};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;

/// A body of file content.
pub(crate) struct Body {
    /// Where the bytes start, as the service confirmed it (0 when it answered 200 to a range).
    pub offset: u64,
    /// The whole file's size, from Content-Range or Content-Length, when told.
    pub total: Option<u64>,
    /// Bytes that are still promised, when told.
    left: Option<u64>,
    answer: Answer,
}

impl Body {
    /// Takes an answer to a GET of `span`.
    pub(crate) async fn new(answer: Answer, span: Span, cancel: &CancelToken) -> Result<Self> {
        let length = answer.content_length();
        let (offset, total, left) = match answer.status {
            200 => (0, length, length),
            206 => {
                let range = answer.content_range().and_then(Range::parse);
                let range = range
                    .filter(|range| range.answers(span))
                    .ok_or_else(|| Error::bad_answer("another range than the one asked for"))?;
                if length.is_some_and(|length| length != range.length()) {
                    return Err(Error::bad_answer("a range that is not as long as it says"));
                }
                (span.from, range.total, Some(range.length()))
            }
            416 => return Err(Error::VersionGone),
            _ => return Err(answer.refusal(cancel).await),
        };
        Ok(Self {
            offset,
            total,
            left,
            answer,
        })
    }

    /// The next bytes; `None` at the end; `Offline` when the body breaks or stalls (30 s).
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Option<Bytes>> {
        let chunk = self.answer.chunk(cancel).await?;
        let Some(left) = &mut self.left else {
            return Ok(chunk);
        };
        match &chunk {
            None if *left > 0 => return Err(Error::offline("the content ended too early")),
            None => {}
            Some(bytes) => {
                *left = left
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(|| Error::bad_answer("more content than promised"))?;
            }
        }
        Ok(chunk)
    }
}

/// `Content-Range: bytes <first>-<last>/<total or *>`
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = match total.trim() {
            "*" => None,
            digits => Some(digits.parse().ok()?),
        };
        let range = Self {
            first: first.trim().parse().ok()?,
            last: last.trim().parse().ok()?,
            total,
        };
        let sound = range.first <= range.last
            && range.last < u64::MAX
            && range.total.is_none_or(|total| range.last < total);
        sound.then_some(range)
    }

    /// Whether it is what was asked for. An open end may come in pieces, which only costs another request; a bounded
    /// one must come whole, or to the end of the file.
    fn answers(&self, asked: Span) -> bool {
        let end = self.last + 1;
        self.first == asked.from
            && asked
                .to
                .is_none_or(|to| end == to || (end < to && self.total == Some(end)))
    }

    fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn a_content_range_must_make_sense() {
        let range = |first, last, total| Some(Range { first, last, total });
        assert_eq!(Range::parse("bytes 5-9/10"), range(5, 9, Some(10)));
        assert_eq!(Range::parse("bytes 0-0/*"), range(0, 0, None));
        for text in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes */10",
            "items 5-9/10",
            "bytes -5-9/10",
            "bytes 0-18446744073709551615/*",
            "bytes 0-99999999999999999999/*",
            "bytes a-b/c",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }
}
