//! Uploads against servers that no well-behaved service would be: connections that die, answers that do not come.
#![allow(clippy::unwrap_used)]
use super::cloud_tests::{never, path};
use super::rude_server::RudeServer;
use super::sending::{body, facts};
use super::tests::Tokens;
use super::transport::Patience;
use super::*;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

fn remote(server: &RudeServer, patience: Patience) -> Remote {
    let tokens = Tokens {
        origin: server.origin.clone(),
        count: Default::default(),
    };
    let transport = Transport::with_patience(None, patience).unwrap();
    Remote::new(transport, Arc::new(tokens))
}

/// Takes a request's body.
fn take_body(head: &str, stream: &mut TcpStream) {
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0_usize);
    stream.read_exact(&mut vec![0; length]).unwrap();
}

/// The next request's head on a connection, if there is one.
fn next_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// What a service would say, to be kept connected.
fn answer(head: &str, origin: &str) -> Vec<u8> {
    let body = match head {
        _ if head.contains("/allocate ") => {
            format!(r#"{{"state":"INCOMPLETE","upload_url":"{origin}/up","resume_pos":0}}"#)
        }
        _ if head.contains(" /up ") => "{}".into(),
        _ => r#"<folder name="x"/>"#.into(),
    };
    let length = body.len();
    format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A server that closes its first connection when the second request on it has come, without an answer, and serves all
/// others. And what came second on the first one.
fn closing() -> (RudeServer, Arc<Mutex<Vec<String>>>) {
    let closed_on = Arc::new(Mutex::new(Vec::new()));
    let seen = closed_on.clone();
    let server = RudeServer::start(move |connection, head, stream| {
        let origin = format!("http://{}", stream.local_addr().unwrap());
        let mut head = head.to_owned();
        loop {
            take_body(&head, stream);
            stream.write_all(&answer(&head, &origin)).unwrap();
            match next_head(stream) {
                Some(next) if connection > 0 => head = next,
                Some(next) => return seen.lock().unwrap().push(next),
                None => return,
            }
        }
    });
    (server, closed_on)
}

/// Lets the connection of the last answer go back to those that are kept.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_no_more_twice_than_once_survives_a_connection_that_closes() {
    let place = path("Jotta/Sync/a");
    for kind in ["allocate", "mkDir"] {
        let (server, closed_on) = closing();
        let remote = remote(&server, Patience::default());
        remote.look(&path("Jotta"), &never()).await.unwrap();
        settle().await;
        if kind == "allocate" {
            let told = remote.allocate(&place, &facts(b"a"), true, &never()).await;
            assert!(matches!(told, Ok(Allocated::Send { .. })), "{told:?}");
        } else {
            remote.make_folder(&place, &never()).await.unwrap();
        }
        let closed_on = closed_on.lock().unwrap();
        assert_eq!(closed_on.len(), 1, "the connection was not used again");
        assert!(closed_on[0].starts_with("POST ") && closed_on[0].contains(kind));
        let again = server.requests();
        assert!(again[1].contains(kind), "{again:?}");
    }
}

#[tokio::test]
async fn other_commands_are_not_sent_again_on_another_connection() {
    let (server, closed_on) = closing();
    let remote = remote(&server, Patience::default());
    remote.look(&path("Jotta"), &never()).await.unwrap();
    settle().await;
    let lost = remote.trash_folder(&path("Jotta/Sync/a"), &never()).await;
    assert!(matches!(lost, Err(Error::Offline { .. })), "{lost:?}");
    assert_eq!(closed_on.lock().unwrap().len(), 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_upload_on_a_connection_that_closes_is_announced_again() {
    let (server, closed_on) = closing();
    let remote = remote(&server, Patience::default());
    let content = vec![1; 100_000];
    let size = content.len() as u64;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let told = remote
            .allocate(&path("Jotta/Sync/a"), &facts(&content), true, &never())
            .await;
        let Ok(Allocated::Send { url, resume_at: 0 }) = told else {
            panic!("{told:?}");
        };
        settle().await;
        let sent = remote
            .upload(&url, 0, size, body(&content, 0), |_| {}, &never())
            .await;
        ends.push(sent);
    }
    assert!(matches!(ends[0], Err(Error::Offline { .. })), "{ends:?}");
    assert!(matches!(ends[1], Ok(Sent::Done { .. })), "{ends:?}");
    let closed_on = closed_on.lock().unwrap();
    assert!(closed_on[0].starts_with("POST /up "), "{closed_on:?}");
}

/// A server that takes an upload and says nothing.
fn silent() -> RudeServer {
    RudeServer::start(|_, head, stream| {
        let origin = format!("http://{}", stream.local_addr().unwrap());
        let mut head = head.to_owned();
        while head.contains("/allocate ") {
            take_body(&head, stream);
            stream.write_all(&answer(&head, &origin)).unwrap();
            match next_head(stream) {
                Some(next) => head = next,
                None => return,
            }
        }
        // Until the client goes.
        let _ = std::io::copy(stream, &mut std::io::sink());
    })
}

async fn told_by_silence(patience: Patience, pieces: usize) -> Error {
    let server = silent();
    let remote = remote(&server, patience);
    let told = remote
        .allocate(&path("Jotta/Sync/a"), &facts(&[1; 3_000]), true, &never())
        .await;
    let Ok(Allocated::Send { url, .. }) = told else {
        panic!("{told:?}");
    };
    let body = stream::iter(vec![Ok(Bytes::from_static(&[1; 1_000])); pieces])
        .chain(stream::once(std::future::pending()));
    let sent = remote.upload(&url, 0, 3_000, body, |_| {}, &never()).await;
    sent.unwrap_err()
}

#[tokio::test]
async fn an_upload_on_which_nothing_moves_ends_and_one_whose_last_piece_is_gone_waits_for_its_answer()
 {
    let (soon, late) = (Duration::from_millis(50), Duration::from_secs(60));
    let stuck = Patience {
        stall: soon,
        drain: late,
        ..Default::default()
    };
    assert_eq!(
        told_by_silence(stuck, 2).await,
        Error::offline("the upload stalled")
    );
    let all_gone = Patience {
        stall: late,
        drain: soon,
        ..Default::default()
    };
    assert_eq!(
        told_by_silence(all_gone, 3).await,
        Error::offline("no answer to an upload")
    );
}
