//! Change events over the service's websocket: hints, never truth.
//!
//! The service tells what changed as it happens, and nothing of what happened before (protocol facts §8), so whoever
//! connects must look for itself once. What comes is read in bounded memory; a frame that makes no sense is no event,
//! and an event whose places make no sense is one about the whole account. TLS is the transport's own: the same roots,
//! and in plain text only within this machine. The token is a part of the address, so no error tells an address.

use super::transport::is_loopback;
use super::xml::{Handler, Tag, read_whole};
use super::{MAX_JSON, Remote, RemotePath, errors, names, success, transport};
use crate::account::Secret;
use crate::{CancelToken, Error, Result};
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite};

/// The longest frame that is read. An event is a few hundred bytes and two paths.
const MAX_FRAME: usize = 64 * 1024;
/// The deepest path that is believed.
const MAX_DEPTH: usize = 64;
/// Pings in a row without a word before the connection is given up.
const PINGS: u32 = 3;

/// Something changed somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Where, as far as told: device, mount point and names. Empty for the whole account.
    pub paths: Vec<RemotePath>,
}

/// A subscription that runs.
pub(crate) struct Events {
    socket: WebSocketStream<Box<dyn Stream>>,
    username: String,
    /// Told before the subscription was confirmed.
    early: Option<Event>,
    /// When anything came last.
    heard: Instant,
    /// When to ask whether the service is still there.
    ask: Instant,
    ping: Duration,
    stall: Duration,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Remote {
    /// Connects to the change events. `Ok(None)` when the service has no such thing.
    pub async fn events(&self, cancel: &CancelToken) -> Result<Option<Events>> {
        let username = self.tokens.username()?;
        let Some(token) = self.events_token(&username, cancel).await? else {
            return Ok(None);
        };
        cancel.run(self.connect(username, token)).await
    }

    async fn events_token(&self, username: &str, cancel: &CancelToken) -> Result<Option<Secret>> {
        let mut path = String::from("/rest/token/");
        names::push_segment(&mut path, username);
        path.push_str("/createToken");
        let url = transport::safe_url(&self.tokens.endpoints()?.jfs)?.join(&path);
        let url = url.map_err(|_| Error::bug("an address that cannot be made"))?;
        let answer = self.get(url.as_str(), None, cancel).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let mut answer = success(answer, cancel).await?;
        let mut document = TokenDocument::default();
        let body = answer.read(MAX_JSON, cancel).await?;
        read_whole(body.as_slice(), &mut document)?;
        document.token().map(Some)
    }

    async fn connect(&self, username: String, token: Secret) -> Result<Option<Events>> {
        let patience = self.transport.patience();
        let base = self.tokens.endpoints()?.websocket()?;
        let url = {
            let mut url = String::from(base.as_str());
            names::push_segment(&mut url, &username);
            url.push('/');
            names::push_segment(&mut url, token.reveal());
            Secret::new(url)
        };
        let opened = timeout(patience.connect, self.stream(&base)).await;
        let stream = opened.map_err(|_| Error::offline("the events do not connect"))??;
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_FRAME)
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        let upgraded = client_async_with_config(url.reveal(), stream, Some(config));
        let socket = match timeout(patience.stall, upgraded).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(tungstenite::Error::Http(answer))) => {
                return match answer.status().as_u16() {
                    404 => Ok(None),
                    // The address carries the token: a refusal of it is not one of the sign-in.
                    status @ (401 | 403) => Err(Error::ServerBusy {
                        status,
                        retry_after: None,
                    }),
                    status => Err(errors::refusal(status, None, &[])),
                };
            }
            _ => return Err(Error::offline("the events cannot be subscribed to")),
        };
        let mut events = Events {
            socket,
            username,
            early: None,
            heard: Instant::now(),
            ask: Instant::now() + patience.ping,
            ping: patience.ping,
            stall: patience.stall,
        };
        events.subscribe().await?;
        Ok(Some(events))
    }

    async fn stream(&self, url: &Url) -> Result<Box<dyn Stream>> {
        let offline = |error: std::io::Error| Error::offline(error.kind().to_string());
        let secure = url.scheme() == "wss";
        if !secure && !is_loopback(url) {
            return Err(Error::invalid(
                "events neither over TLS nor of this machine",
            ));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Error::invalid("a service without a host"));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((host, port)).await.map_err(offline)?;
        tcp.set_nodelay(true).map_err(offline)?;
        if !secure {
            return Ok(Box::new(tcp));
        }
        let name = rustls::pki_types::ServerName::try_from(host.to_owned())
            .map_err(|_| Error::invalid("a host that cannot have a certificate"))?;
        let tls = TlsConnector::from(Arc::new(self.transport.tls().clone()));
        let tls = tls.connect(name, tcp).await.map_err(offline)?;
        Ok(Box::new(tls))
    }
}

impl Events {
    /// The next event; `Offline` when the connection has ended or is silent. Fine to drop and call again.
    pub async fn next(&mut self, cancel: &CancelToken) -> Result<Event> {
        cancel.run(self.told()).await
    }

    async fn subscribe(&mut self) -> Result<()> {
        let wish = serde_json::json!({"SUBSCRIBE": {
            "path": "ALL",
            "UA": concat!("lomme/", env!("CARGO_PKG_VERSION")),
        }});
        self.say(wish.to_string()).await?;
        // The first word proves that the subscription holds: what happens from here on is told.
        let until = Instant::now() + self.stall;
        while self.early.is_none() {
            let frame = timeout_at(until, self.socket.next()).await;
            let frame = frame.map_err(|_| Error::offline("the events are silent"))?;
            let Some(text) = self.text(frame)? else {
                continue;
            };
            self.early = read(&text, &self.username);
            if is_confirmation(&text) {
                break;
            }
        }
        Ok(())
    }

    async fn told(&mut self) -> Result<Event> {
        if let Some(event) = self.early.take() {
            return Ok(event);
        }
        loop {
            match timeout_at(self.ask, self.socket.next()).await {
                Ok(frame) => {
                    let text = self.text(frame)?;
                    if let Some(event) = text.and_then(|text| read(&text, &self.username)) {
                        return Ok(event);
                    }
                }
                Err(_) if self.heard.elapsed() >= self.ping * PINGS => {
                    return Err(Error::offline("the events are silent"));
                }
                Err(_) => {
                    self.ask = Instant::now() + self.ping;
                    self.say(r#"{"PING":"Ok"}"#.into()).await?;
                }
            }
        }
    }

    async fn say(&mut self, text: String) -> Result<()> {
        match timeout(self.stall, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Error::offline("the events have ended")),
        }
    }

    /// The text of a frame, if it has one.
    fn text(
        &mut self,
        frame: Option<tungstenite::Result<Message>>,
    ) -> Result<Option<tungstenite::Utf8Bytes>> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                Err(Error::offline("the events have ended"))
            }
            Some(Ok(_)) => Ok(None),
        }
    }
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "EVENT")]
    event: Option<EventFrame>,
}

#[derive(Deserialize)]
struct EventFrame {
    #[serde(rename = "D")]
    data: Option<Value>,
}

fn is_confirmation(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Confirmation {
        #[serde(rename = "SUBSCRIBE")]
        _subscribe: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Confirmation>(text).is_ok()
}

/// The event in a frame, if it is one.
fn read(text: &str, username: &str) -> Option<Event> {
    let data = serde_json::from_str::<Frame>(text).ok()?.event?.data;
    let mut paths = Vec::new();
    for key in ["FROM", "TO"] {
        match data.as_ref().and_then(|data| data.get(key)) {
            None | Some(Value::Null) => {}
            Some(place) => match place.as_str().and_then(|place| path_of(place, username)) {
                Some(path) => paths.push(path),
                // Half of a move would be a hint at the wrong half of the truth.
                None => return Some(Event { paths: Vec::new() }),
            },
        }
    }
    Some(Event { paths })
}

/// A path as events have it, `/<user>/<device>/…`.
fn path_of(place: &str, username: &str) -> Option<RemotePath> {
    let place = place.strip_prefix('/')?;
    let mut segments = place.strip_suffix('/').unwrap_or(place).split('/');
    if segments.next()? != username {
        return None;
    }
    let names: Vec<String> = segments.take(MAX_DEPTH + 1).map(str::to_owned).collect();
    let sound = (1..=MAX_DEPTH).contains(&names.len())
        && names.iter().all(|name| names::check(name).is_ok());
    sound.then(|| RemotePath::new(names))
}

/// `<token><username/><authToken/></token>`
#[derive(Default)]
struct TokenDocument {
    depth: usize,
    inside: bool,
    token: String,
}

impl TokenDocument {
    fn token(self) -> Result<Secret> {
        let token = Secret::new(self.token.trim());
        // A segment of an address, and no path.
        let plausible = (1..=2048).contains(&token.reveal().len())
            && names::check(token.reveal()).is_ok()
            && token.reveal().bytes().all(|byte| byte.is_ascii_graphic());
        plausible
            .then_some(token)
            .ok_or_else(|| Error::bad_answer("no token for the events"))
    }
}

impl Handler for TokenDocument {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        self.depth += 1;
        if self.depth == 1 && tag.name != "token" {
            return Err(Error::bad_answer("a document of an unexpected kind"));
        }
        self.inside = self.depth == 2 && tag.name == "authToken";
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        if self.inside {
            self.token.push_str(text);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.depth -= 1;
        self.inside = false;
        Ok(())
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
