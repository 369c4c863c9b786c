//! One version of one file, as HTTP has it: what `lomme serve` answers.
//!
//! Invariants:
//! - only a request that names this machine and knows the secret gets anything: other users of the machine can't guess
//!   it, and a web page can't have its own name point here (DNS rebinding);
//! - all answers are of one version. When the service has another one, answers stop, and so does the command;
//! - a media type that a browser would run as a page or a script is not passed on.

use crate::failure::Failure;
use crate::names::local;
use crate::part::Part;
use crate::pour::{Pour, landed};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Uri};
use lomme::Error;
use lomme::catalog::{Item, ItemId};
use lomme::content::{Content, Hint, Purpose, Reader};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What every answer is made from.
pub struct Play {
    content: Content,
    id: ItemId,
    /// Held open as long as the file is played, so that what came is not evicted between two requests.
    held: Reader,
    mime: String,
    port: u16,
    url: String,
    /// The path of the URL, with the secret in it.
    path: String,
    /// The name, percent-encoded.
    name: String,
    gone: Arc<Notify>,
}

impl Play {
    pub fn new(content: Content, item: &Item, port: u16) -> Result<Self, Failure> {
        let version = item.content_version.as_deref();
        let held = content.open_reader(&item.id, version, Purpose::Stream)?;
        let name = encoded(&local(&item.name));
        let path = format!("/{}/{name}", secret()?);
        Ok(Self {
            content,
            id: item.id.clone(),
            held,
            mime: mime(item.mime.as_deref()),
            port,
            url: format!("http://127.0.0.1:{port}{path}"),
            path,
            name,
            gone: Arc::default(),
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn mime(&self) -> &str {
        &self.mime
    }

    pub fn size(&self) -> u64 {
        self.held.size()
    }

    /// Resolves when the version that is played is no longer to be had.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }

    /// Answers a request; its body is of no interest.
    pub async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        match self.plan(request) {
            Err(refusal) => *refusal,
            Ok(part) => self.serve(request.method(), part).await,
        }
    }

    /// The part asked for, `None` for all of it; or the refusal.
    fn plan<B>(&self, request: &Request<B>) -> Result<Option<Range<u64>>, Box<Response<Body>>> {
        if !is_for_here(request.uri(), request.headers(), self.port) {
            let refusal = said(StatusCode::FORBIDDEN, "not a name of this machine\n");
            return Err(Box::new(refusal));
        }
        if !same(request.uri().path(), &self.path) {
            let refusal = said(StatusCode::NOT_FOUND, "no such page\n");
            return Err(Box::new(refusal));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = said(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
            set(&mut refusal, ALLOW, "GET, HEAD");
            return Err(Box::new(refusal));
        }
        // Parts are of GET alone (RFC 9110, 14.2).
        let part = match *request.method() {
            Method::GET => part(request.headers(), &self.tag()),
            _ => None,
        };
        let Some(part) = part else { return Ok(None) };
        let size = self.size();
        part.within(size).map(Some).ok_or_else(|| {
            let mut refusal = said(StatusCode::RANGE_NOT_SATISFIABLE, "beyond the end\n");
            set(&mut refusal, CONTENT_RANGE, &format!("bytes */{size}"));
            Box::new(refusal)
        })
    }

    async fn serve(&self, method: &Method, part: Option<Range<u64>>) -> Response<Body> {
        let size = self.size();
        let range = part.clone().unwrap_or(0..size);
        let body = match *method {
            Method::GET => match self.pour(range.clone()).await {
                Ok(body) => body,
                Err(error) => return self.failed(&error),
            },
            _ => Body::Said(None),
        };
        let mut answer = Response::new(body);
        set(&mut answer, CONTENT_TYPE, &self.mime);
        set(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(&mut answer, ACCEPT_RANGES, "bytes");
        set(&mut answer, ETAG, &self.tag());
        set(&mut answer, CACHE_CONTROL, "no-store");
        set(
            &mut answer,
            CONTENT_DISPOSITION,
            &format!("inline; filename*=UTF-8''{}", self.name),
        );
        let length = range.end - range.start;
        set(&mut answer, CONTENT_LENGTH, &length.to_string());
        if part.is_some() {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            set(&mut answer, CONTENT_RANGE, &range);
        }
        answer
    }

    /// A body whose first bytes are here, so that what fails at once is told by a status.
    async fn pour(&self, range: Range<u64>) -> Result<Body, Error> {
        let (content, id) = (self.content.clone(), self.id.clone());
        let version = self.held.content_version().to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            content.open_reader(&id, Some(&version), Purpose::Stream)
        });
        let reader = opened.await.unwrap_or_else(|_| {
            Err(Error::Bug {
                detail: "a reader that did not open".into(),
            })
        })?;
        let left = range.end - range.start;
        let mut pour = Pour::new(reader, range, Hint::Streaming);
        let first = match pour.next() {
            Some(read) => Some(landed(read.await)?.into()),
            None => None,
        };
        Ok(Body::Poured(Poured {
            pour,
            first,
            read: None,
            left,
            gone: self.gone.clone(),
        }))
    }

    fn failed(&self, error: &Error) -> Response<Body> {
        if is_gone(error) {
            self.gone.notify_one();
            return said(StatusCode::GONE, "the file has changed on the service\n");
        }
        let status = match error {
            Error::Offline { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        said(status, "it cannot be read now\n")
    }

    fn tag(&self) -> String {
        format!("\"{}\"", self.held.content_version())
    }
}

/// Whether no later request can have the version either.
fn is_gone(error: &Error) -> bool {
    matches!(
        error,
        Error::VersionGone
            | Error::NoSuchItem { .. }
            | Error::NotKnown { .. }
            | Error::NotAllowed { .. }
    )
}

/// One host, named as this machine and this port.
fn is_for_here(uri: &Uri, headers: &HeaderMap, port: u16) -> bool {
    let is_here = |authority: &Authority| {
        let host = authority.host();
        let named = host == "127.0.0.1" || host.eq_ignore_ascii_case("localhost");
        let bare = authority.as_str() == host;
        let named = named && !authority.as_str().contains('@');
        named && (authority.port_u16() == Some(port) || (bare && port == 80))
    };
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts
        .next()
        .and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| is_here(&host))
        && hosts.next().is_none()
        && uri.authority().is_none_or(is_here)
}

/// Compares in a time that tells nothing of where they differ.
fn same(left: &str, right: &str) -> bool {
    let differs = |(left, right): (u8, u8)| left ^ right;
    left.len() == right.len()
        && left
            .bytes()
            .zip(right.bytes())
            .map(differs)
            .fold(0, |a, b| a | b)
            == 0
}

/// The one part that is asked for. Whatever else a Range says, or if it is of another version, all is sent: that is
/// always a right answer.
fn part(headers: &HeaderMap, tag: &str) -> Option<Part> {
    let mut ranges = headers.get_all(RANGE).iter();
    let (range, None) = (ranges.next()?, ranges.next()) else {
        return None;
    };
    if headers.get_all(IF_RANGE).iter().any(|known| known != tag) {
        return None;
    }
    let (unit, part) = range.to_str().ok()?.split_once('=')?;
    unit.eq_ignore_ascii_case("bytes")
        .then(|| part.trim().parse().ok())?
}

/// What the service says that it is, if a browser does no more with it than show or play it.
fn mime(told: Option<&str>) -> String {
    let told = told.unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !part.is_empty() && part.chars().all(fine)
    };
    let harmless = match told.split_once('/') {
        Some(("video" | "audio", kind)) => is_token(kind),
        Some(("image", kind)) => is_token(kind) && !kind.contains("xml"),
        Some(("text", "plain") | ("application", "pdf")) => true,
        _ => false,
    };
    if harmless {
        told
    } else {
        "application/octet-stream".into()
    }
}

/// 128 bits that nobody can guess.
fn secret() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::machine(format!("no random numbers: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// A segment of a URL.
fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte.into());
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn said(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::Said(Some(Bytes::from_static(text.as_bytes()))));
    *answer.status_mut() = status;
    set(&mut answer, CONTENT_TYPE, "text/plain");
    answer
}

fn set(answer: &mut Response<Body>, name: HeaderName, value: &str) {
    // All of them are ASCII that we made or checked.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// The body of an answer.
pub enum Body {
    Said(Option<Bytes>),
    Poured(Poured),
}

/// Bytes of the file, one read at a time and no faster than the player takes them.
pub struct Poured {
    pour: Pour,
    first: Option<Bytes>,
    read: Option<JoinHandle<lomme::Result<Vec<u8>>>>,
    left: u64,
    gone: Arc<Notify>,
}

impl Poured {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<lomme::Result<Bytes>>> {
        let bytes = match self.first.take() {
            Some(first) => Ok(first),
            None => {
                if self.read.is_none() {
                    self.read = self.pour.next();
                }
                let Some(read) = &mut self.read else {
                    return Poll::Ready(None);
                };
                let Poll::Ready(done) = Pin::new(read).poll(context) else {
                    return Poll::Pending;
                };
                self.read = None;
                landed(done).map(Bytes::from)
            }
        };
        match &bytes {
            Ok(bytes) => self.left -= bytes.len() as u64,
            Err(error) if is_gone(error) => self.gone.notify_one(),
            Err(_) => {}
        }
        Poll::Ready(Some(bytes))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Said(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Poured(poured) => poured
                .poll(context)
                .map(|bytes| bytes.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Said(text) => text.is_none(),
            Self::Poured(poured) => poured.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Said(text) => text.as_ref().map_or(0, |text| text.len() as u64),
            Self::Poured(poured) => poured.left,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_request_that_names_this_machine_is_answered() {
        let here =
            |host: &str, port| is_for_here(&"/a".parse().unwrap(), &headers(&[(HOST, host)]), port);
        for host in ["127.0.0.1:81", "localhost:81", "LOCALHOST:81"] {
            assert!(here(host, 81), "{host}");
        }
        assert!(here("127.0.0.1", 80) && here("localhost:80", 80));
        for host in [
            "evil.example:81",
            "localhost.evil.example:81",
            "evil.example@127.0.0.1:81",
            "127.0.0.1:82",
            "127.0.0.1",
            "0.0.0.0:81",
            "127.0.0.1.:81",
            "",
            "127.0.0.1:81:81",
        ] {
            assert!(!here(host, 81), "{host}");
        }
        let uri: Uri = "/a".parse().unwrap();
        assert!(!is_for_here(&uri, &HeaderMap::new(), 81), "no host");
        let twice = headers(&[(HOST, "localhost:81"), (HOST, "evil.example")]);
        assert!(!is_for_here(&uri, &twice, 81), "two hosts");
        let uri: Uri = "http://evil.example:81/a".parse().unwrap();
        let host = headers(&[(HOST, "localhost:81")]);
        assert!(!is_for_here(&uri, &host, 81), "two names");
    }

    #[test]
    fn one_part_of_the_version_that_is_played_is_served_as_a_part_and_all_else_as_all() {
        let tag = "\"v\"";
        let asked = |lines: &[(HeaderName, &str)]| part(&headers(lines), tag);
        for (range, expected) in [
            ("bytes=1-2", Some(Part::FromTo(1, 2))),
            ("Bytes=1-", Some(Part::From(1))),
            ("bytes=-5", Some(Part::Last(5))),
            ("bytes= 1-2 ", Some(Part::FromTo(1, 2))),
            ("bytes=1-2,4-5", None),
            ("bytes=2-1", None),
            ("bytes=", None),
            ("bytes", None),
            ("items=1-2", None),
        ] {
            assert_eq!(asked(&[(RANGE, range)]), expected, "{range}");
        }
        let (one, other) = ((RANGE, "bytes=0-0"), (RANGE, "bytes=1-1"));
        assert_eq!(asked(&[one.clone(), other]), None);
        assert!(asked(&[one.clone(), (IF_RANGE, tag)]).is_some());
        for known in ["\"w\"", "W/\"v\"", "Sat, 29 Oct 1994 19:43:31 GMT"] {
            assert_eq!(asked(&[one.clone(), (IF_RANGE, known)]), None, "{known}");
        }
    }

    #[test]
    fn a_media_type_that_a_browser_would_run_is_not_passed_on() {
        for (told, expected) in [
            ("video/mp4", "video/mp4"),
            ("Audio/X-FLAC", "audio/x-flac"),
            ("application/pdf", "application/pdf"),
            ("image/png", "image/png"),
            ("image/svg+xml", "application/octet-stream"),
            ("text/html", "application/octet-stream"),
            ("text/plain; charset=x", "application/octet-stream"),
            ("video/mp4\r\nX: y", "application/octet-stream"),
            ("video/", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(mime(Some(told)), expected, "{told:?}");
        }
    }

    #[test]
    fn secrets_differ_and_are_compared_as_a_whole() {
        let (one, two) = (secret().unwrap(), secret().unwrap());
        assert!(one != two && one.len() == 32);
        assert!(same("/ab/c", "/ab/c"));
        for other in ["/ab/d", "/ab", "", "/ab/c/"] {
            assert!(!same("/ab/c", other), "{other}");
        }
    }

    #[test]
    fn a_name_is_one_segment_of_the_address() {
        assert_eq!(encoded("Båt & tur?.mp4"), "B%C3%A5t%20%26%20tur%3F.mp4");
    }
}
