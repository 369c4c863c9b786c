//! Change events over a websocket (protocol facts §8): a token for an address, then JSON in text frames.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use crate::body::{Body, Reply, xml};
use crate::jfs::{mime, xml::Xml};
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::Events;
use crate::times;
use crate::tree::{News, Told, uuid};

/// Tokens that are good at a time; the oldest goes for a new one.
const TOKENS: usize = 64;
/// How long a client may take to read a frame.
const PATIENCE: Duration = Duration::from_secs(30);
/// A client has nothing long to say.
const LONGEST: usize = 64 * 1024;

/// The tokens that addresses may carry, the newest last.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<VecDeque<String>>);

impl Tokens {
    fn make(&self) -> String {
        let token = uuid().replace('-', "");
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() == TOKENS {
            tokens.pop_front();
        }
        tokens.push_back(token.clone());
        token
    }

    fn are_good(&self, token: &str) -> bool {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().any(|good| good == token)
    }
}

/// The kind of a request, for the counts.
pub fn kind_of(path: &str) -> &'static str {
    if path.starts_with("/ws/") {
        "websocket"
    } else {
        "createToken"
    }
}

/// `GET rest/token/<user>/createToken` and `GET ws/<user>/<token>`.
pub async fn handle(state: &Arc<State>, mut request: Request<Incoming>) -> Result<Reply, Refusal> {
    if state.switches().events == Events::Absent {
        return Err(Refusal::not_found("no such page"));
    }
    let path = request.uri().path().to_owned();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", "rest", "token", user, "createToken"] if user == state.user => {
            state.auth.check(request.headers())?;
            let mut out = Xml::document();
            out.open("token", &[])
                .leaf("username", user)
                .leaf("authToken", &state.event_tokens.make())
                .close("token");
            Ok(xml(200, out.into_string()))
        }
        ["", "ws", user, token] if user == state.user && state.event_tokens.are_good(token) => {
            upgrade(state, &mut request)
        }
        _ => Err(Refusal::bad_credentials()),
    }
}

fn upgrade(state: &Arc<State>, request: &mut Request<Incoming>) -> Result<Reply, Refusal> {
    let headers = request.headers();
    let wants = headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let (Some(key), true) = (headers.get("Sec-WebSocket-Key"), wants) else {
        return Err(Refusal::invalid("this is for websockets"));
    };
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|error| Refusal::invalid(error.to_string()))?;
    let (state, upgraded) = (state.clone(), hyper::upgrade::on(request));
    tokio::spawn(async move {
        if let Ok(stream) = upgraded.await {
            let mut config = WebSocketConfig::default();
            config.max_message_size = Some(LONGEST);
            config.max_frame_size = Some(LONGEST);
            let stream = TokioIo::new(stream);
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
            listen(state, socket).await;
        }
    });
    let mut reply = Response::new(Body::whole(""));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("Sec-WebSocket-Accept", accept);
    Ok(reply)
}

/// Tells one client what it subscribed to, until either end goes. One that cannot keep up is cut off.
async fn listen<S>(state: Arc<State>, mut socket: WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Before the first word, so that nothing after the answer to SUBSCRIBE can be missed.
    let Ok(mut feed) = state.on_tree(|tree| Ok(tree.subscribe())).await else {
        return;
    };
    let mut subscribed = false;
    loop {
        let message = tokio::select! {
            told = feed.recv() => match told {
                Ok(Told::Change(news)) if subscribed => Message::text(event(&state.user, &news)),
                Ok(Told::Change(_)) => continue,
                Ok(Told::Frame(bytes)) => match String::from_utf8(bytes.to_vec()) {
                    Ok(text) => Message::text(text),
                    Err(_) => Message::binary(bytes),
                },
                Ok(Told::Cut) | Err(_) => return,
            },
            said = socket.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    let silent = state.switches().events == Events::Silent;
                    let said: Value = serde_json::from_str(&text).unwrap_or_default();
                    if silent {
                        continue;
                    } else if said.get("SUBSCRIBE").is_some() {
                        subscribed = true;
                        let answer = json!({"PATH": "ALL", "LAST_UUID": time_uuid(times::now())});
                        Message::text(json!({"SUBSCRIBE": answer}).to_string())
                    } else if said.get("PING").is_some() {
                        Message::text(json!({"PONG": "ok"}).to_string())
                    } else {
                        continue;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        match tokio::time::timeout(PATIENCE, socket.send(message)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// `{"EVENT": …}` as the service words it. Numbers of files are strings there.
fn event(user: &str, news: &News) -> String {
    let place = |names: &[String]| {
        names
            .iter()
            .fold(format!("/{user}"), |path, name| path + "/" + name)
    };
    let mut data = json!({
        "FROM": place(&news.from),
        "actorDevice": "WEBAPP",
        "uuid": time_uuid(news.at),
    });
    if let Some(to) = &news.to {
        data["TO"] = place(to).into();
    }
    if let Some(file) = &news.file {
        let name = news.from.last().map_or("", String::as_str);
        for (key, value) in [
            ("created", times::jfs(file.created)),
            ("modified", times::jfs(file.modified)),
            ("updated", times::jfs(file.updated)),
            ("dfs", "1".to_owned()),
            ("fileuuid", file.uuid.clone()),
            ("md5", file.md5.clone()),
            (
                "mimeType",
                mime(name).to_uppercase().replace(['/', '-'], "_"),
            ),
            ("revision", file.revision.to_string()),
            ("size", file.size.to_string()),
            ("x-id", "1".to_owned()),
        ] {
            data[key] = value.into();
        }
    }
    let (meta, word) = match news.what {
        // No client has told how new times alone are said.
        "TOUCH" => (true, "NEW_UPLOAD"),
        "SHARE_FILE" | "UNSHARE_FILE" => (true, news.what),
        _ => (false, news.what),
    };
    let event = json!({
        "U": user,
        "A": user,
        "T": if meta { "META" } else { "PATH" },
        "ST": word,
        "TS": news.at,
        "D": data,
        "uuid": time_uuid(news.at),
        "unixnano": news.at as f64 / 1000.0,
    });
    let length = event.to_string().len();
    json!({"EVENT": event, "Length": length}).to_string()
}

/// A version 1 UUID: a moment, in ms since 1970, and randomness in place of a machine's address.
fn time_uuid(ms: i64) -> String {
    /// From 1582-10-15, where these UUIDs begin to count, to 1970, in steps of 100 ns.
    const EPOCH: i64 = 0x01b2_1dd2_1381_4000;
    let ticks = ms.saturating_mul(10_000).saturating_add(EPOCH);
    let (low, mid, high) = (
        ticks & 0xffff_ffff,
        ticks >> 32 & 0xffff,
        ticks >> 48 & 0xfff,
    );
    let random = uuid();
    format!("{low:08x}-{mid:04x}-1{high:03x}{}", &random[18..])
}

#[cfg(test)]
mod tests {
    use super::time_uuid;

    #[test]
    fn a_uuid_of_a_moment_says_that_it_is_one() {
        // The example of RFC 9562, appendix A.1.
        let uuid = time_uuid(1_645_557_742_000);
        assert!(uuid.starts_with("c232ab00-9414-11ec-"), "{uuid}");
        assert_eq!(uuid.len(), 36);
    }
}
