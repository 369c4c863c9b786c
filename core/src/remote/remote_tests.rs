#![allow(clippy::unwrap_used)]
use super::rude_server::{RudeServer, reply};
use super::*;
use std::io::Write;
use std::time::{Duration, Instant};

/// Tokens `t0`, `t1`, …: a new one for each that was refused.
pub(super) struct Tokens {
    pub origin: String,
    pub count: std::sync::Mutex<u32>,
}

impl TokenSource for Tokens {
    fn access_token<'a>(
        &'a self,
        stale: Option<&'a Secret>,
        _cancel: &'a CancelToken,
    ) -> Pin<Box<dyn Future<Output = Result<Secret>> + Send + 'a>> {
        let mut count = self.count.lock().unwrap();
        if stale.is_some() {
            *count += 1;
        }
        let token = Secret::new(format!("t{count}"));
        Box::pin(async move { Ok(token) })
    }

    fn username(&self) -> Result<String> {
        Ok("us er".into())
    }

    fn endpoints(&self) -> Result<Endpoints> {
        Ok(Endpoints::at(&self.origin))
    }
}

fn remote(server: &RudeServer) -> Remote {
    let patience = transport::Patience {
        attempts: 1,
        stall: Duration::from_secs(2),
        ..Default::default()
    };
    let transport = Transport::with_patience(None, patience).unwrap();
    let tokens = Tokens {
        origin: server.origin.clone(),
        count: Default::default(),
    };
    Remote::new(transport, Arc::new(tokens))
}

fn path(segments: &[&str]) -> RemotePath {
    RemotePath::new(segments.iter().map(|&s| s.to_owned()).collect())
}

fn never() -> CancelToken {
    CancelToken::new()
}

/// Reads a listing and a liststream of the same answer to the end.
async fn both(answer: impl Into<Vec<u8>>) -> [Result<()>; 2] {
    let server = RudeServer::saying(answer);
    let (remote, place) = (remote(&server), path(&["Jotta", "Archive"]));
    let listed = async {
        let mut list = remote.list(&place, &never()).await?;
        while list.next(&never()).await?.is_some() {}
        Ok(())
    };
    let streamed = async {
        let mut tree = remote.tree(&place, &never()).await?;
        while tree.next(&never()).await?.is_some() {}
        Ok(())
    };
    [listed.await, streamed.await]
}

#[tokio::test]
async fn a_path_is_sent_in_the_servers_spelling_and_fully_escaped() {
    let server = RudeServer::saying(reply(200, "", "<folder name=\"x\"/>"));
    let place = path(&["Jotta", "Archive", "a+b %#?;\u{e9}/".trim_end_matches('/')]);
    let list = remote(&server).list(&place, &never()).await.unwrap();
    assert_eq!(list.listing, Listing::Folder { deleted_ms: None });
    let request = &server.requests()[0];
    assert!(
        request
            .starts_with("GET /jfs/us%20er/Jotta/Archive/a%2Bb%20%25%23%3F%3B%C3%A9 HTTP/1.1\r\n"),
        "{request}"
    );
    for hostile in ["..", "a/b", ""] {
        let error = remote(&server)
            .list(&path(&["Jotta", hostile]), &never())
            .await
            .err()
            .unwrap();
        assert!(matches!(error, Error::InvalidArgument { .. }));
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_no_more() {
    let server = RudeServer::start(|_, head, stream| {
        let good = head.contains("Bearer t1");
        let answer = if good {
            reply(200, "", "<folder name=\"x\"/>")
        } else {
            reply(401, "", "")
        };
        stream.write_all(&answer).unwrap();
    });
    remote(&server)
        .list(&path(&["Jotta"]), &never())
        .await
        .unwrap();
    assert_eq!(server.requests().len(), 2);

    let stubborn = RudeServer::saying(reply(401, "", ""));
    let error = remote(&stubborn)
        .list(&path(&["Jotta"]), &never())
        .await
        .err()
        .unwrap();
    // The renewal went well, so the sign-in has not ended: the state says so, and so must the error.
    assert!(
        matches!(error, Error::ServerBusy { status: 401, .. }),
        "{error:?}"
    );
    assert_eq!(stubborn.requests().len(), 2);
}

#[tokio::test]
async fn a_captive_portal_is_a_bad_answer() {
    for body in [
        "<!DOCTYPE html><html>Welcome</html>",
        "<html><body>Welcome</body></html>",
        "Welcome",
        "",
    ] {
        for got in both(reply(200, "Content-Type: text/html\r\n", body)).await {
            assert!(
                matches!(got, Err(Error::BadAnswer { .. })),
                "{body}: {got:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_listing_that_was_cut_proves_nothing() {
    let body = "<folder name=\"F\"><folders><folder name=\"a\"><path>/Archive/a</path></folder>";
    for got in both(reply(200, "", body)).await {
        assert!(matches!(got, Err(Error::BadAnswer { .. })), "{got:?}");
    }
    let broken =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n{body}");
    for got in both(broken).await {
        assert!(matches!(got, Err(Error::Offline { .. })), "{got:?}");
    }
}

#[tokio::test]
async fn a_document_that_broke_stays_broken() {
    let body = format!(
        "<folder name=\"F\"><folders>{}</oops>",
        "<folder name=\"a\"/>".repeat(600)
    );
    let server = RudeServer::saying(reply(200, "", &body));
    let mut list = remote(&server)
        .list(&path(&["Jotta"]), &never())
        .await
        .unwrap();
    assert_eq!(list.next(&never()).await.unwrap().unwrap().len(), 512);
    let first = list.next(&never()).await;
    assert!(matches!(first, Err(Error::BadAnswer { .. })));
    assert_eq!(list.next(&never()).await, first);
}

#[tokio::test]
async fn endless_garbage_of_any_kind_is_refused_early() {
    let starts: [(&str, &str); 6] = [
        ("", "\u{0}garbage "),
        ("<folder name=\"F\"><path>", "garbage "),
        ("<folder name=\"F\">", "<x/>"),
        ("<folder name=\"F\">", "<!-- -->"),
        ("<folder name=\"F\"", " "),
        ("<folder name=\"F\">", "<a>"),
    ];
    for (start, unit) in starts {
        let sent = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counted = sent.clone();
        let server = RudeServer::start(move |_, _, stream| {
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{start}");
            let block = unit.repeat(64 * 1024 / unit.len());
            let mut alive = stream.write_all(head.as_bytes()).is_ok();
            for _ in 0..16 * 1024 {
                alive = alive && stream.write_all(block.as_bytes()).is_ok();
                if !alive {
                    return;
                }
                counted.fetch_add(block.len() as u64, std::sync::atomic::Ordering::SeqCst);
            }
        });
        let (remote, place) = (remote(&server), path(&["Jotta", "Archive"]));
        let begun = Instant::now();
        let listed = async {
            let mut list = remote.list(&place, &never()).await?;
            while list.next(&never()).await?.is_some() {}
            Ok::<(), Error>(())
        };
        assert!(
            matches!(listed.await, Err(Error::BadAnswer { .. })),
            "{start}{unit}"
        );
        let mut tree = remote.tree(&place, &never()).await.unwrap();
        assert!(
            matches!(tree.next(&never()).await, Err(Error::BadAnswer { .. })),
            "{start}{unit}"
        );
        drop(tree);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let sent = sent.load(std::sync::atomic::Ordering::SeqCst);
        assert!(
            sent < 64 * 1024 * 1024,
            "took {sent} bytes of {start}{unit}"
        );
    }
}

async fn open(answer: impl Into<Vec<u8>>, from: u64) -> Result<(u64, Option<u64>, Vec<u8>)> {
    open_to(answer, from, None).await
}

async fn open_to(
    answer: impl Into<Vec<u8>>,
    from: u64,
    to: Option<u64>,
) -> Result<(u64, Option<u64>, Vec<u8>)> {
    let server = RudeServer::saying(answer);
    let mut body = remote(&server)
        .open(&path(&["Jotta", "Sync", "a"]), from, to, &never())
        .await?;
    let head = &server.requests()[0];
    match to {
        Some(to) => assert!(head.contains(&format!("range: bytes={from}-{}\r\n", to - 1))),
        None => {
            let ranged = head.contains(&format!("range: bytes={from}-\r\n"));
            assert_eq!(ranged, from > 0);
        }
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next(&never()).await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok((body.offset, body.total, bytes))
}

#[tokio::test]
async fn a_bounded_range_comes_whole_or_up_to_the_end_of_the_file() {
    let ranged =
        |range: &str, body: &str| reply(206, &format!("Content-Range: bytes {range}\r\n"), body);
    let got = open_to(ranged("2-4/9", "cde"), 2, Some(5)).await.unwrap();
    assert_eq!(got, (2, Some(9), b"cde".to_vec()));
    let from_the_start = open_to(ranged("0-1/9", "ab"), 0, Some(2)).await.unwrap();
    assert_eq!(from_the_start, (0, Some(9), b"ab".to_vec()));
    let clamped = open_to(ranged("2-3/4", "cd"), 2, Some(100)).await.unwrap();
    assert_eq!(clamped, (2, Some(4), b"cd".to_vec()));
    let unknown = open_to(ranged("2-4/*", "cde"), 2, Some(5)).await.unwrap();
    assert_eq!(unknown, (2, None, b"cde".to_vec()));
    let no_ranges = open_to(reply(200, "", "abcdef"), 2, Some(4)).await.unwrap();
    assert_eq!(no_ranges, (0, Some(6), b"abcdef".to_vec()));
    for (range, body) in [
        ("2-3/9", "cd"),
        ("2-3/*", "cd"),
        ("2-8/9", "cdefghi"),
        ("3-4/9", "de"),
        ("1-4/9", "bcde"),
        ("2-5/6", "cdef"),
    ] {
        let got = open_to(ranged(range, body), 2, Some(5)).await;
        assert!(
            matches!(got, Err(Error::BadAnswer { .. })),
            "{range}: {got:?}"
        );
    }
    let beyond = open_to(reply(416, "", ""), 9, Some(12)).await;
    assert_eq!(beyond, Err(Error::VersionGone));
}

async fn thumb(thumb: (u16, &str), file: (u16, &str)) -> (Result<Option<Vec<u8>>>, usize) {
    let answers = [thumb, file].map(|(status, body)| reply(status, "", body));
    let server = RudeServer::start(move |_, head, stream| {
        let which = usize::from(!head.contains("?mode=thumb&ts=WL "));
        let _ = stream.write_all(&answers[which]);
    });
    let got = async {
        let place = path(&["Jotta", "Sync", "a"]);
        let Some(mut body) = remote(&server).thumb(&place, "WL", &never()).await? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next(&never()).await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    };
    (got.await, server.requests().len())
}

#[tokio::test]
async fn there_is_no_thumbnail_only_if_there_is_the_file() {
    let file = "<file name=\"a\" uuid=\"01234567-89ab-4cde-8f01-23456789abcd\"><currentRevision><number>1</number>\
        <state>COMPLETED</state><size>1</size><md5>0cc175b9c0f1b6a831c399e269772661</md5></currentRevision></file>";
    let gone = "<error><code>404</code><message>x.NoSuchFileException: a</message></error>";
    assert_eq!(
        thumb((200, "picture"), (500, "")).await,
        (Ok(Some(b"picture".to_vec())), 1)
    );
    for refusal in [(404, gone), (400, ""), (404, "no"), (415, "")] {
        let (got, requests) = thumb(refusal, (200, file)).await;
        assert_eq!((got, requests), (Ok(None), 2), "{refusal:?}");
        let (got, _) = thumb(refusal, (404, gone)).await;
        assert!(matches!(got, Err(Error::NoSuchItem { .. })), "{got:?}");
        let (got, _) = thumb(refusal, (503, "")).await;
        assert!(matches!(got, Err(Error::ServerBusy { .. })), "{got:?}");
    }
    for (status, requests) in [(503, 1), (401, 2), (403, 1)] {
        let (got, asked) = thumb((status, ""), (200, file)).await;
        assert!(got.is_err(), "{status}: {got:?}");
        assert_eq!(asked, requests, "{status}");
    }
}

#[tokio::test]
async fn an_empty_range_is_never_sent() {
    let server = RudeServer::saying(reply(200, "", "abcdef"));
    for to in [0, 4, 5] {
        let got = remote(&server)
            .open(&path(&["Jotta", "Sync", "a"]), 5, Some(to), &never())
            .await
            .err();
        assert!(matches!(got, Some(Error::InvalidArgument { .. })));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn content_comes_whole_or_from_where_it_was_asked() {
    assert_eq!(
        open(reply(200, "", "abcdef"), 0).await.unwrap(),
        (0, Some(6), b"abcdef".to_vec())
    );
    let part = reply(206, "Content-Range: bytes 2-5/6\r\n", "cdef");
    assert_eq!(open(part, 2).await.unwrap(), (2, Some(6), b"cdef".to_vec()));
    assert_eq!(
        open(reply(200, "", "abcdef"), 2).await.unwrap(),
        (0, Some(6), b"abcdef".to_vec())
    );
    assert_eq!(open(reply(416, "", ""), 9).await, Err(Error::VersionGone));
}

#[tokio::test]
async fn content_that_does_not_fit_its_range_or_length_is_an_error() {
    for (range, body) in [
        ("bytes 3-5/6", "def"),
        ("bytes 2-5/6", "cde"),
        ("bytes 2-5/6", "cdefg"),
        ("bytes 5-2/6", "cdef"),
        ("nonsense", "cdef"),
    ] {
        let got = open(reply(206, &format!("Content-Range: {range}\r\n"), body), 2).await;
        assert!(
            matches!(got, Err(Error::BadAnswer { .. })),
            "{range}: {got:?}"
        );
    }
    assert!(matches!(
        open(reply(206, "", "cdef"), 2).await,
        Err(Error::BadAnswer { .. })
    ));
    let lying = "HTTP/1.1 200 OK\r\nContent-Length: 60\r\nConnection: close\r\n\r\nabcdef";
    assert!(matches!(open(lying, 0).await, Err(Error::Offline { .. })));
    let chunked = "HTTP/1.1 206 X\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 2-9/10\r\nConnection: close\r\n\r\n\
        2\r\ncd\r\n0\r\n\r\n";
    assert!(matches!(open(chunked, 2).await, Err(Error::Offline { .. })));
}

#[tokio::test]
async fn a_missing_file_is_proven_by_the_services_words_only() {
    let words =
        "<error><code>404</code><message>x.NoSuchFileException: /u/secret</message></error>";
    let got = open(reply(404, "", words), 0).await;
    assert_eq!(
        got,
        Err(Error::NoSuchItem {
            detail: "NoSuchFileException".into()
        })
    );
    assert!(matches!(
        open(reply(404, "", "no"), 0).await,
        Err(Error::BadAnswer { .. })
    ));
}

#[tokio::test]
async fn a_customer_is_both_answers_in_one() {
    let server = RudeServer::start(|_, head, stream| {
        let answer = if head.starts_with("GET /account/v1/customer ") {
            reply(
                200,
                "",
                r#"{"username":"u1","email":"e","name":null,"usage":5,"quota":-1,"write_locked":false,"locked_cause":{}}"#,
            )
        } else if head.starts_with("GET /jfs/u1 ") {
            reply(
                200,
                "",
                "<user><username>u1</username><capacity>100</capacity><usage>7</usage><write-locked>true</write-locked></user>",
            )
        } else {
            reply(404, "", "")
        };
        stream.write_all(&answer).unwrap();
    });
    let customer = remote(&server).customer(&never()).await.unwrap();
    assert_eq!(
        customer,
        Customer {
            username: "u1".into(),
            email: Some("e".into()),
            name: None,
            usage: 7,
            quota: Some(100),
            write_locked: true
        }
    );
}

#[tokio::test]
async fn an_account_without_a_usable_name_is_a_bad_answer() {
    for body in [
        "{}",
        "[]",
        "null",
        r#"{"username":"../x"}"#,
        r#"{"username":""}"#,
    ] {
        let server = RudeServer::saying(reply(200, "", body));
        let got = remote(&server).customer(&never()).await;
        assert!(
            matches!(got, Err(Error::BadAnswer { .. })),
            "{body}: {got:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_left_in_the_middle_of_a_tag_never_seems_to_end() {
    let server = RudeServer::start(|_, _, stream| {
        let body = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<folder name=\"F\"><folders><fol";
        let _ = stream.write_all(body.as_bytes());
        std::thread::sleep(Duration::from_secs(4));
        let _ = stream.write_all(b"der name=\"a\"/></folders></folder>");
    });
    let (remote, place) = (remote(&server), path(&["Jotta", "Archive"]));
    let soon = Duration::from_millis(50);

    let mut list = remote.list(&place, &never()).await.unwrap();
    let cancel = CancelToken::new();
    let (cancelled, ()) = tokio::join!(list.next(&cancel), async {
        tokio::time::sleep(soon).await;
        cancel.cancel();
    });
    assert_eq!(cancelled, Err(Error::Cancelled));
    assert_eq!(list.next(&never()).await, Err(Error::Cancelled));

    let mut list = remote.list(&place, &never()).await.unwrap();
    let token = never();
    assert!(tokio::time::timeout(soon, list.next(&token)).await.is_err());
    assert_eq!(list.next(&never()).await, Err(Error::Cancelled));

    let mut list = remote.list(&place, &never()).await.unwrap();
    let stalled = list.next(&never()).await;
    assert!(matches!(stalled, Err(Error::Offline { .. })));
    assert_eq!(list.next(&never()).await, stalled);
}
