#![allow(clippy::unwrap_used)]
use super::super::rude_server::{RudeServer, reply};
use super::super::tests::Tokens;
use super::*;
use std::io::{Read, Write};
use std::net::TcpStream as Raw;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const CONFIRMED: &str = r#"{"SUBSCRIBE":{"PATH":"ALL","LAST_UUID":"x"}}"#;
const TOKEN: &str = "<token><username>us er</username><authToken>s3cret</authToken></token>";

fn never() -> CancelToken {
    CancelToken::new()
}

fn remote(server: &RudeServer) -> Remote {
    let patience = transport::Patience {
        attempts: 1,
        stall: Duration::from_secs(2),
        ping: Duration::from_millis(100),
        ..Default::default()
    };
    let tokens = Tokens {
        origin: server.origin.clone(),
        count: Default::default(),
    };
    let transport = transport::Transport::with_patience(None, patience).unwrap();
    Remote::new(transport, Arc::new(tokens))
}

/// An unmasked frame, as servers send it.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x80 | kind];
    match body.len() {
        short @ 0..126 => out.push(short as u8),
        long @ 126..65536 => {
            out.push(126);
            out.extend((long as u16).to_be_bytes());
        }
        huge => {
            out.push(127);
            out.extend((huge as u64).to_be_bytes());
        }
    }
    out.extend(body);
    out
}

fn text(body: &str) -> Vec<u8> {
    frame(1, body.as_bytes())
}

/// Gives tokens and takes websockets; `talk` has each of these after its handshake.
fn server(talk: impl Fn(&mut Raw) + Send + Sync + 'static) -> RudeServer {
    RudeServer::start(move |_, head, stream| {
        if head.starts_with("GET /rest/token/us%20er/createToken ") {
            let _ = stream.write_all(&reply(200, "", TOKEN));
            return;
        }
        let Some(key) = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key")
                .then_some(value)
        }) else {
            return;
        };
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        if stream.write_all(answer.as_bytes()).is_ok() {
            talk(stream);
        }
    })
}

/// Sends these frames, then keeps the connection open for a while.
fn saying(frames: Vec<Vec<u8>>) -> RudeServer {
    server(move |stream| {
        for frame in &frames {
            if stream.write_all(frame).is_err() {
                return;
            }
        }
        std::thread::sleep(Duration::from_secs(5));
    })
}

fn path(text: &str) -> RemotePath {
    RemotePath::new(text.split('/').map(str::to_owned).collect())
}

async fn connected(server: &RudeServer) -> Events {
    remote(server).events(&never()).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_event_tells_its_places_without_the_user() {
    let event = r#"{"EVENT":{"U":"us er","T":"PATH","ST":"MOVE","TS":1,"D":{"FROM":"/us er/Jotta/Sync/a b",
        "TO":"/us er/Jotta/Sync/c/","revision":"3","size":"17"},"unixnano":1.5},"Length":9}"#;
    let photo = r#"{"EVENT":{"T":"PHOTOS","ST":"PhotoAdded","D":{"photo_id":"x"}}}"#;
    let server = saying(vec![text(CONFIRMED), text(event), text(photo)]);
    let mut events = connected(&server).await;
    let both = vec![path("Jotta/Sync/a b"), path("Jotta/Sync/c")];
    assert_eq!(events.next(&never()).await.unwrap().paths, both);
    assert_eq!(events.next(&never()).await.unwrap().paths, []);
    let requests = server.requests();
    assert!(requests[0].contains("Bearer t0"));
    assert!(requests[1].starts_with("GET /ws/us%20er/s3cret HTTP/1.1\r\n"));
    assert!(!requests[1].to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn an_event_before_the_confirmation_is_not_lost() {
    let event = r#"{"EVENT":{"D":{"FROM":"/us er/Jotta/Sync/a"}}}"#;
    let server = saying(vec![text(event), text(CONFIRMED)]);
    let got = connected(&server).await.next(&never()).await.unwrap();
    assert_eq!(got.paths, [path("Jotta/Sync/a")]);
}

#[test]
fn a_place_that_makes_no_sense_is_no_place() {
    let deep = format!("/u{}", "/a".repeat(65));
    let long = format!("/u/{}", "a".repeat(5000));
    for place in [
        "",
        "/",
        "u",
        "u/Jotta",
        "/u",
        "/u/",
        "/U/Jotta",
        "/other/Jotta",
        "//u/Jotta",
        "/u//a",
        "/u/Jotta/..",
        "/u/../u/a",
        "/u/./a",
        "/u/a\0b",
        "/u/a//",
        &deep,
    ] {
        assert_eq!(path_of(place, "u"), None, "{place}");
        let event = serde_json::json!({"EVENT": {"D": {"FROM": place, "TO": "/u/Jotta"}}});
        let event = read(&event.to_string(), "u").unwrap();
        assert_eq!(event.paths, [], "{place}");
    }
    assert_eq!(path_of("/u/Jotta", "u"), Some(path("Jotta")));
    assert_eq!(path_of(&deep[..130], "u").unwrap().segments().len(), 64);
    let _ = path_of(&long, "u");
}

#[test]
fn what_is_no_event_is_ignored_and_an_odd_one_is_about_everything() {
    for frame in [
        "",
        "x",
        "{}",
        "[]",
        "null",
        "5",
        "\"EVENT\"",
        r#"{"PONG":"ok"}"#,
        r#"{"EVENT":null}"#,
        r#"{"EVENT":5}"#,
        r#"{"EVENT":[1,2,3]}"#,
        r#"{"event":{}}"#,
        r#"{"EVENT":{"D":{"FROM":"/u/a"}}"#,
        &"[".repeat(60_000),
        &"{\"EVENT\":".repeat(5_000),
    ] {
        assert_eq!(read(frame, "u"), None, "{}", &frame[..frame.len().min(50)]);
    }
    for frame in [
        r#"{"EVENT":{}}"#,
        r#"{"EVENT":{"D":5}}"#,
        r#"{"EVENT":{"D":{"FROM":5}}}"#,
        r#"{"EVENT":{"D":{"FROM":["/u/a"],"TO":"/u/b"}}}"#,
        r#"{"EVENT":{"D":{"TO":{}}}}"#,
    ] {
        assert_eq!(read(frame, "u"), Some(Event { paths: vec![] }), "{frame}");
    }
}

#[tokio::test]
async fn without_events_there_is_nothing_and_that_is_no_error() {
    let server = RudeServer::saying(reply(404, "", "whoever says so"));
    assert!(remote(&server).events(&never()).await.unwrap().is_none());
    let no_socket = RudeServer::start(|_, head, stream| {
        let token = head.starts_with("GET /rest/");
        let answer = if token {
            reply(200, "", TOKEN)
        } else {
            reply(404, "", "")
        };
        let _ = stream.write_all(&answer);
    });
    assert!(remote(&no_socket).events(&never()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_refusal_is_an_error_that_does_not_tell_the_token() {
    for (status, busy) in [
        (503, true),
        (401, true),
        (403, true),
        (400, false),
        (302, false),
    ] {
        let server = RudeServer::start(move |_, head, stream| {
            let token = head.starts_with("GET /rest/");
            let answer = if token {
                reply(200, "", TOKEN)
            } else {
                reply(status, "Location: http://127.0.0.1:1/\r\n", "")
            };
            let _ = stream.write_all(&answer);
        });
        let error = remote(&server).events(&never()).await.err().unwrap();
        assert_eq!(matches!(error, Error::ServerBusy { .. }), busy, "{error:?}");
        assert!(
            !format!("{error:?} {error}").contains("s3cret"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_one_is_a_bad_answer() {
    let long = format!("<token><authToken>{}</authToken></token>", "a".repeat(5000));
    for body in [
        "",
        "<html/>",
        "<token/>",
        "<token><authToken/></token>",
        "<token><authToken>..</authToken></token>",
        "<token><authToken>a/b</authToken></token>",
        "<token><authToken>a b</authToken></token>",
        "<token><x><authToken>a</authToken></x></token>",
        &long,
    ] {
        let server = RudeServer::saying(reply(200, "", body));
        let error = remote(&server).events(&never()).await.err().unwrap();
        assert!(
            matches!(error, Error::BadAnswer { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn hostile_frames_end_the_connection_or_nothing() {
    let event = text(r#"{"EVENT":{"D":{"FROM":"/us er/Jotta"}}}"#);
    let harmless = [
        text("not JSON"),
        frame(2, &[0; 60_000]),
        frame(9, b"ping"),
        frame(10, b"unasked pong"),
        text(&"x".repeat(65_000)),
    ];
    for frame in harmless {
        let server = saying(vec![text(CONFIRMED), frame, event.clone()]);
        let got = connected(&server).await.next(&never()).await.unwrap();
        assert_eq!(got.paths, [path("Jotta")]);
    }
    let fatal = [
        frame(1, &vec![b'x'; 70_000]),
        // A frame that promises 2^60 bytes.
        vec![0x81, 127, 0x10, 0, 0, 0, 0, 0, 0, 0],
        frame(1, b"\xff\xfe"),
        frame(3, b"a kind that is not known"),
        frame(8, b""),
        vec![0xf1, 0],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for frame in fatal {
        let server = saying(vec![text(CONFIRMED), frame, event.clone()]);
        let got = connected(&server).await.next(&never()).await;
        assert!(matches!(got, Err(Error::Offline { .. })), "{got:?}");
    }
}

#[tokio::test]
async fn a_message_in_endless_parts_is_cut_off() {
    let server = server(|stream| {
        let _ = stream.write_all(&text(CONFIRMED));
        let mut part = frame(1, &[b'x'; 60_000]);
        part[0] = 0x01;
        while stream.write_all(&part).is_ok() {
            part[0] = 0x00;
        }
    });
    let got = connected(&server).await.next(&never()).await;
    assert!(matches!(got, Err(Error::Offline { .. })), "{got:?}");
}

#[tokio::test]
async fn silence_is_asked_about_and_then_given_up() {
    let (heard, asked) = std::sync::mpsc::channel();
    let server = server(move |stream| {
        let _ = stream.write_all(&text(CONFIRMED));
        let mut bytes = [0; 1000];
        let mut count = 0;
        while let Ok(n @ 1..) = stream.read(&mut bytes) {
            count += n;
            let _ = heard.send(count);
        }
    });
    let begun = Instant::now();
    let got = connected(&server).await.next(&never()).await;
    assert!(matches!(got, Err(Error::Offline { .. })), "{got:?}");
    let waited = begun.elapsed();
    assert!(
        (Duration::from_millis(290)..Duration::from_secs(2)).contains(&waited),
        "{waited:?}"
    );
    // SUBSCRIBE is longer than 40 bytes, each PING shorter.
    assert!(asked.try_iter().last().unwrap() > 60, "it was asked");
}

#[tokio::test]
async fn a_service_that_answers_pings_is_waited_for() {
    let server = server(|stream| {
        let _ = stream.write_all(&text(CONFIRMED));
        let mut bytes = [0; 1000];
        let begun = std::time::Instant::now();
        while let Ok(1..) = stream.read(&mut bytes) {
            let _ = stream.write_all(&text(r#"{"PONG":"ok"}"#));
            if begun.elapsed() > Duration::from_millis(800) {
                let _ = stream.write_all(&text(r#"{"EVENT":{"D":{"FROM":"/us er/Jotta"}}}"#));
            }
        }
    });
    let got = connected(&server).await.next(&never()).await.unwrap();
    assert_eq!(got.paths, [path("Jotta")]);
}

#[tokio::test]
async fn who_never_confirms_is_offline_and_a_cancel_does_not_wait_for_that() {
    let server = saying(vec![text(r#"{"PONG":"ok"}"#)]);
    let got = remote(&server).events(&never()).await.err().unwrap();
    assert!(matches!(got, Error::Offline { .. }), "{got:?}");

    let (cancel, begun) = (CancelToken::new(), Instant::now());
    let remote = remote(&server);
    let (got, ()) = tokio::join!(remote.events(&cancel), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(got.err(), Some(Error::Cancelled));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn plain_text_is_for_this_machine_only() {
    let server = saying(vec![text(CONFIRMED)]);
    let url = Url::parse("ws://192.0.2.1/ws/").unwrap();
    let refused = remote(&server).stream(&url).await.err().unwrap();
    assert!(matches!(refused, Error::InvalidArgument { .. }));
}
