#![allow(clippy::unwrap_used)]
use super::super::rude_server::{RudeServer, reply};
use super::*;
use std::io::Write;
use std::time::Instant;

fn transport() -> Transport {
    let patience = Patience {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(300),
        attempts: 3,
        ..Patience::default()
    };
    Transport::with_patience(None, patience).unwrap()
}

async fn get(server: &RudeServer) -> Result<Answer> {
    let token = Secret::new("hush-token");
    transport()
        .get(
            &format!("{}/jfs/u/a?q", server.origin),
            Some(&token),
            None,
            &CancelToken::new(),
        )
        .await
}

#[tokio::test]
async fn a_get_is_sent_again_until_the_server_has_recovered() {
    let server = RudeServer::start(|n, _, stream| {
        let answer = match n {
            0 => reply(503, "", "busy"),
            1 => b"HTTP/1.1 200 O".to_vec(),
            _ => reply(200, "", "fine"),
        };
        stream.write_all(&answer).unwrap();
    });
    let mut answer = get(&server).await.unwrap();
    assert_eq!(
        answer.read(100, &CancelToken::new()).await.unwrap(),
        b"fine"
    );
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests()[0].contains("authorization: Bearer hush-token"));
}

#[tokio::test]
async fn a_get_that_came_in_too_slowly_is_sent_again() {
    let server = RudeServer::start(|n, _, stream| {
        let answer = match n {
            0 => reply(408, "", ""),
            _ => reply(200, "", "fine"),
        };
        stream.write_all(&answer).unwrap();
    });
    assert_eq!(get(&server).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_stays_busy_or_asks_for_time_is_left_alone() {
    let busy = RudeServer::saying(reply(502, "", ""));
    let refusal = get(&busy).await.unwrap().refusal(&CancelToken::new()).await;
    assert_eq!(
        refusal,
        Error::ServerBusy {
            status: 502,
            retry_after: None
        }
    );
    assert_eq!(busy.requests().len(), 3);

    let asks = RudeServer::saying(reply(429, "Retry-After: 60\r\n", ""));
    let refusal = get(&asks).await.unwrap().refusal(&CancelToken::new()).await;
    let retry_after = Some(Duration::from_secs(60));
    assert_eq!(
        refusal,
        Error::ServerBusy {
            status: 429,
            retry_after
        }
    );
    assert_eq!(asks.requests().len(), 1);
}

#[tokio::test]
async fn what_was_refused_is_not_asked_again() {
    for status in [400, 401, 403, 404, 416, 302, 501] {
        let server = RudeServer::saying(reply(status, "", ""));
        assert_eq!(get(&server).await.unwrap().status, status);
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_so_no_token_travels() {
    let other = RudeServer::saying(reply(200, "", "stolen"));
    let location = format!("Location: {}/jfs/u/a\r\n", other.origin);
    let server = RudeServer::saying(reply(302, &location, ""));
    let refusal = get(&server)
        .await
        .unwrap()
        .refusal(&CancelToken::new())
        .await;
    assert!(matches!(refusal, Error::BadAnswer { .. }));
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_form_is_posted_once_whatever_happens() {
    let server = RudeServer::saying(reply(503, "", ""));
    let url = format!("{}/token", server.origin);
    let answer = transport()
        .post_form(&url, &[("a", "b c")], &CancelToken::new())
        .await
        .unwrap();
    assert_eq!((answer.status, server.requests().len()), (503, 1));

    let mute = RudeServer::start(|_, _, _| {});
    let url = format!("{}/token", mute.origin);
    let lost = transport()
        .post_form(&url, &[], &CancelToken::new())
        .await
        .err()
        .unwrap();
    assert!(lost.maybe_done && matches!(lost.error, Error::Offline { .. }));
    assert_eq!(mute.requests().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_offline_and_surely_not_done() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/secret-name");
    let none = transport()
        .post_form(&url, &[], &CancelToken::new())
        .await
        .err()
        .unwrap();
    assert!(!none.maybe_done);
    let error = transport()
        .get(&url, None, None, &CancelToken::new())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Offline { .. }));
    assert!(!format!("{error} {error:?} {none:?}").contains("secret"));
}

#[tokio::test]
async fn silence_ends_an_answer_before_and_within_its_body() {
    let mute = RudeServer::start(|_, _, _| std::thread::sleep(Duration::from_secs(20)));
    let patience = Patience {
        connect: Duration::from_millis(100),
        stall: Duration::from_millis(300),
        attempts: 3,
        ..Patience::default()
    };
    let begun = Instant::now();
    let transport = Transport::with_patience(None, patience).unwrap();
    let error = transport
        .get(&mute.origin, None, None, &CancelToken::new())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Offline { .. }));
    assert_eq!(mute.requests().len(), 1, "waited once, not three times");
    assert!(begun.elapsed() < Duration::from_secs(5));

    let stalls = RudeServer::start(|_, _, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            .unwrap();
        std::thread::sleep(Duration::from_secs(20));
    });
    let mut answer = get(&stalls).await.unwrap();
    let error = answer.read(1000, &CancelToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Offline { .. }));
}

#[tokio::test]
async fn a_cancel_is_obeyed_while_waiting_for_the_server_and_between_attempts() {
    for server in [
        RudeServer::start(|_, _, _| std::thread::sleep(Duration::from_secs(20))),
        RudeServer::saying(reply(503, "Retry-After: 2\r\n", "")),
    ] {
        let cancel = CancelToken::new();
        let later = cancel.clone();
        let patience = Patience {
            attempts: 100,
            ..Patience::default()
        };
        let transport = Transport::with_patience(None, patience).unwrap();
        let begun = Instant::now();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            later.cancel();
        });
        let error = transport
            .get(&server.origin, None, None, &cancel)
            .await
            .err()
            .unwrap();
        assert_eq!(error, Error::Cancelled);
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_offline_and_a_huge_one_is_refused() {
    let short = RudeServer::saying(
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nshort",
    );
    let error = get(&short)
        .await
        .unwrap()
        .read(1000, &CancelToken::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Offline { .. }));
    let long = RudeServer::saying(reply(200, "", &"x".repeat(5000)));
    let error = get(&long)
        .await
        .unwrap()
        .read(1000, &CancelToken::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }));
}

#[test]
fn a_token_goes_only_to_https_or_this_machine() {
    for url in [
        "https://jfs.jottacloud.com/jfs/",
        "http://127.0.0.1:8080/",
        "http://127.9.9.9/",
        "http://[::1]:80/",
        "http://localhost/",
    ] {
        assert!(safe_url(url).is_ok(), "{url}");
    }
    for url in [
        "http://jfs.jottacloud.com/jfs/",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:pass@example.org/",
        "",
        "nonsense",
        "https://",
    ] {
        assert!(
            matches!(safe_url(url), Err(Error::InvalidArgument { .. })),
            "{url}"
        );
    }
}

#[test]
fn extra_roots_must_be_certificates() {
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        assert!(
            matches!(
                Transport::new(Some(pem)),
                Err(Error::InvalidArgument { .. })
            ),
            "{pem}"
        );
    }
}

#[tokio::test]
async fn connections_can_be_dropped_and_made_again() {
    let server = RudeServer::saying(reply(200, "", "fine"));
    let transport = transport();
    for _ in 0..2 {
        let mut answer = transport
            .get(&server.origin, None, None, &CancelToken::new())
            .await
            .unwrap();
        assert_eq!(answer.read(10, &CancelToken::new()).await.unwrap(), b"fine");
        transport.reset_connections();
    }
    assert_eq!(server.requests().len(), 2);
}
