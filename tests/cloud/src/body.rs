//! Answers, and the one body type they all have.
//!
//! A body is a small buffer or a channel that a blocking thread fills, never a whole file or listing. Counting and
//! trouble live here, because only here is it known what really left.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use crate::counts::CountBook;
use crate::flow;
use crate::trouble::Spoil;

/// Any answer.
pub type Reply = Response<Body>;

const CHUNK: usize = 64 * 1024;
/// How often a break that was asked for looks whether everything before it has left.
const FLUSH: Duration = Duration::from_millis(15);

enum Source {
    Whole(Bytes),
    Channel(mpsc::Receiver<io::Result<Bytes>>),
}

/// The body of an answer.
pub struct Body {
    source: Source,
    length: Option<u64>,
    ready: Bytes,
    counted: Option<(Arc<CountBook>, String)>,
    cut_after: Option<u64>,
    bytes_per_second: Option<u64>,
    wait: Option<Pin<Box<Sleep>>>,
    spoil: Option<Spoil>,
    /// Fewer bytes come than were announced.
    short: bool,
}

/// Marks an answer that is never sent: the connection breaks instead.
#[derive(Clone, Copy, Debug)]
pub struct Broken;

/// The answer that is never sent.
pub fn no_answer() -> Reply {
    let mut reply = Response::new(Body::whole(Bytes::new()));
    reply.extensions_mut().insert(Broken);
    reply
}

/// How a body breaks on its way out.
pub struct Break {
    /// Break the connection after this many bytes.
    pub cut_after: Option<u64>,
    /// Send no faster than this.
    pub bytes_per_second: Option<u64>,
    /// Add this to the announced length.
    pub wrong_length: Option<i64>,
    /// Change what is sent.
    pub spoil: Spoil,
}

impl Body {
    fn of(source: Source, length: Option<u64>) -> Self {
        Self {
            source,
            length,
            ready: Bytes::new(),
            counted: None,
            cut_after: None,
            bytes_per_second: None,
            wait: None,
            spoil: None,
            short: false,
        }
    }

    /// Whether this is the content of a file.
    pub fn is_content(&self) -> bool {
        self.counted.is_some()
    }

    /// A body that is small enough to hold.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        Self::of(Source::Whole(bytes), Some(length))
    }

    /// A body that `produce` writes on a thread of its own, no faster than the client reads.
    pub fn produced(
        length: Option<u64>,
        produce: impl FnOnce(&mut Outlet) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            let mut outlet = Outlet {
                sender,
                buffer: Vec::with_capacity(CHUNK),
            };
            let result = produce(&mut outlet).and_then(|()| outlet.flush());
            if let Err(error) = result {
                // The client has gone, or sees a body that breaks off.
                let _ = outlet.sender.blocking_send(Err(error));
            }
        });
        Self::of(Source::Channel(receiver), length)
    }

    /// No body, but the length of one: the answer to HEAD.
    pub fn promised(length: u64) -> Self {
        Self::of(Source::Whole(Bytes::new()), Some(length))
    }

    /// Counts what leaves under `key` (`space/mode`).
    pub fn counted(mut self, book: Arc<CountBook>, key: String) -> Self {
        self.counted = Some((book, key));
        self
    }
}

/// Where a producer writes; blocks while the client is slow, fails when it has gone.
pub struct Outlet {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Outlet {
    fn send(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender
            .blocking_send(Ok(chunk.into()))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for Outlet {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.send()
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(wait) = self.wait.as_mut() {
            std::task::ready!(wait.as_mut().poll(cx));
            self.wait = None;
            if self.cut_after == Some(0) && !flow::is_blocked() {
                return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionAborted))));
            }
        }
        if self.cut_after == Some(0) {
            let mut wait = Box::pin(tokio::time::sleep(FLUSH));
            let _ = wait.as_mut().poll(cx);
            self.wait = Some(wait);
            return Poll::Pending;
        }
        while self.ready.is_empty() {
            if self.spoil.as_ref().is_some_and(Spoil::stopped) {
                return Poll::Ready(None);
            }
            let next = match &mut self.source {
                Source::Whole(bytes) => std::mem::take(bytes),
                Source::Channel(receiver) => match std::task::ready!(receiver.poll_recv(cx)) {
                    Some(Ok(bytes)) => bytes,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => Bytes::new(),
                },
            };
            let ended = next.is_empty();
            self.ready = match &mut self.spoil {
                Some(spoil) if ended => spoil.rest(),
                Some(spoil) => spoil.piece(next),
                None => next,
            };
            if ended && self.ready.is_empty() {
                if std::mem::take(&mut self.short) {
                    // The head and what there is must have left before the break is seen.
                    self.cut_after = Some(0);
                    return self.poll_frame(cx);
                }
                return Poll::Ready(None);
            }
        }
        let mut take = self.ready.len() as u64;
        if let Some(rate) = self.bytes_per_second {
            take = take.min((rate / 20).max(1));
            let pause = Duration::from_secs_f64(take as f64 / rate.max(1) as f64);
            self.wait = Some(Box::pin(tokio::time::sleep(pause)));
        }
        if let Some(left) = self.cut_after.as_mut() {
            take = take.min(*left);
            *left -= take;
        }
        if let Some(spoil) = &mut self.spoil {
            take = spoil.sending(take);
        }
        let chunk = self.ready.split_to(take as usize);
        if let Some((book, key)) = &self.counted {
            book.content(key, take);
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        // A break that was asked for must come even after the last byte, and so must what a spoiler holds back.
        self.cut_after.is_none()
            && self.spoil.is_none()
            && self.ready.is_empty()
            && matches!(&self.source, Source::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        // Lengths are said in the header, where trouble can lie about them.
        SizeHint::default()
    }
}

/// Breaks an answer.
pub fn broken(mut reply: Reply, how: Break) -> Reply {
    if let Some(delta) = how.wrong_length {
        let said = reply.body().length.unwrap_or(0);
        let lie = HeaderValue::from(said.saturating_add_signed(delta));
        reply.headers_mut().insert(CONTENT_LENGTH, lie);
    }
    let body = reply.body_mut();
    body.cut_after = how.cut_after;
    body.bytes_per_second = how.bytes_per_second;
    body.short = how.wrong_length.is_some_and(|delta| delta > 0);
    body.spoil = Some(how.spoil);
    reply
}

/// An answer with a body and its length, when known.
pub fn reply(status: u16, content_type: &str, body: Body) -> Reply {
    let length = body.length;
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = reply.headers_mut();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    reply
}

/// An XML answer.
pub fn xml(status: u16, document: String) -> Reply {
    reply(status, "text/xml;charset=UTF-8", Body::whole(document))
}

/// A JSON answer.
pub fn json(status: u16, value: &serde_json::Value) -> Reply {
    reply(
        status,
        "application/json;charset=UTF-8",
        Body::whole(value.to_string()),
    )
}

/// A plain text answer.
pub fn text(status: u16, text: &str) -> Reply {
    reply(
        status,
        "text/plain;charset=UTF-8",
        Body::whole(text.to_owned()),
    )
}
