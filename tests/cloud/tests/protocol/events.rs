//! §8: change events.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::client::{Client, xml};

type Socket = WebSocketStream<TcpStream>;

async fn token(client: &Client) -> String {
    let url = format!(
        "{}/rest/token/{}/createToken",
        client.cloud().url(),
        client.user()
    );
    let answer = client.request(reqwest::Method::GET, &url).send().await;
    let (status, token) = xml(answer.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(token.at("username").text, client.user());
    token.at("authToken").text.clone()
}

async fn connect(client: &Client, token: &str) -> Option<Socket> {
    let address = client.cloud().address();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/ws/{}/{token}", client.user());
    let connected = tokio_tungstenite::client_async(url, stream).await;
    connected.ok().map(|(socket, _)| socket)
}

async fn say(socket: &mut Socket, what: &Value) {
    socket.send(Message::text(what.to_string())).await.unwrap();
}

/// The next frame; `None` when the connection has ended.
async fn hear(socket: &mut Socket) -> Option<Value> {
    let next = tokio::time::timeout(Duration::from_secs(10), socket.next());
    match next.await.expect("something comes") {
        Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).unwrap()),
        Some(Ok(other)) => panic!("{other:?}"),
        Some(Err(_)) | None => None,
    }
}

async fn subscribed(client: &Client) -> Socket {
    let mut socket = connect(client, &token(client).await).await.unwrap();
    let ask = json!({"SUBSCRIBE": {"path": "ALL", "UA": "test"}});
    say(&mut socket, &ask).await;
    let answer = hear(&mut socket).await.unwrap();
    assert_eq!(answer["SUBSCRIBE"]["PATH"], "ALL");
    let uuid = answer["SUBSCRIBE"]["LAST_UUID"].as_str().unwrap();
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "1"));
    socket
}

/// The words of the next events, until one is of `last`; with the places they tell.
async fn until(
    client: &Client,
    socket: &mut Socket,
    last: &str,
) -> Vec<(String, String, Option<String>)> {
    let mut heard = Vec::new();
    loop {
        let said = hear(socket).await.unwrap();
        let event = &said["EVENT"];
        assert_eq!(event["U"], client.user(), "{said}");
        assert!(event["TS"].as_i64().unwrap() > 1_600_000_000_000);
        let place = |key: &str| {
            let user = format!("/{}", client.user());
            let place = event["D"][key].as_str()?;
            Some(place.strip_prefix(&user).unwrap().to_owned())
        };
        let what = event["ST"].as_str().unwrap().to_owned();
        let ended = what == last;
        heard.push((what, place("FROM").unwrap(), place("TO")));
        if ended {
            return heard;
        }
    }
}

fn one(what: &str, from: &str) -> (String, String, Option<String>) {
    (what.into(), from.into(), None)
}

#[tokio::test]
async fn an_upload_is_told_with_all_that_is_known_of_the_file() {
    let client = Client::new().await;
    let mut socket = subscribed(&client).await;
    client.put("/Jotta/Archive/a b.txt", b"hello").await;
    let said = hear(&mut socket).await.unwrap();
    assert!(said["Length"].as_u64().unwrap() > 100);
    let (event, data) = (&said["EVENT"], &said["EVENT"]["D"]);
    assert_eq!(
        (&event["T"], &event["ST"]),
        (&json!("PATH"), &json!("NEW_UPLOAD"))
    );
    assert_eq!(
        data["FROM"],
        format!("/{}/Jotta/Archive/a b.txt", client.user())
    );
    assert_eq!(data["md5"], crate::client::md5(b"hello"));
    // Numbers of a file are strings.
    assert_eq!(
        (&data["size"], &data["revision"]),
        (&json!("5"), &json!("1"))
    );
    assert_eq!(data["mimeType"], "TEXT_PLAIN");
    assert_eq!(data["modified"], "2021-02-03-T04:05:06Z");
    let entry = client.writer().entry("/Jotta/Archive/a b.txt").unwrap();
    assert_eq!(data["fileuuid"], entry.unwrap().uuid);
}

#[tokio::test]
async fn every_change_that_anybody_makes_is_told_in_order() {
    let client = Client::new().await;
    let mut socket = subscribed(&client).await;
    client.done("/Jotta/Sync/dir?mkDir=true").await;
    assert_eq!(
        until(&client, &mut socket, "CREATE_DIR").await,
        [one("CREATE_DIR", "/Jotta/Sync/dir")]
    );
    client.put("/Jotta/Sync/dir/a", b"a").await;
    until(&client, &mut socket, "NEW_UPLOAD").await;
    client
        .to("/Jotta/Sync/dir/a", "mv", "/Jotta/Sync/dir/b")
        .await;
    client
        .to("/Jotta/Sync/dir/", "mvDir", "/Jotta/Sync/new")
        .await;
    let moves = until(&client, &mut socket, "MOVE_DIR").await;
    let moved = |what: &str, from: &str, to: &str| (what.into(), from.into(), Some(to.into()));
    assert_eq!(
        moves,
        [
            moved("MOVE", "/Jotta/Sync/dir/a", "/Jotta/Sync/dir/b"),
            moved("MOVE_DIR", "/Jotta/Sync/dir", "/Jotta/Sync/new"),
        ]
    );
    client.done("/Jotta/Sync/new/b?dl=true").await;
    client
        .cphash("/Jotta/Sync/new/b", b"a", "2020-01-02T03:04:05Z")
        .await;
    client.done("/Jotta/Sync/new/b?rm=true").await;
    client.done("/Jotta/Sync/new?dlDir=true").await;
    let rest = until(&client, &mut socket, "DELETE_DIR").await;
    assert_eq!(rest[0], one("DELETE", "/Jotta/Sync/new/b"));
    assert_eq!(rest[1], one("RESTORE", "/Jotta/Sync/new/b"));
    assert_eq!(
        rest[rest.len() - 2],
        one("HARD_DELETE_FILE", "/Jotta/Sync/new/b")
    );
    client.done("/Jotta/Sync/new?rmDir=true").await;
    client.done("/Laptop?type=LAPTOP").await;
    client.done("/Laptop/Docs").await;
    client.done("/Laptop/Docs?dl=true").await;
    client.done("/Laptop?rm=true").await;
    let heard = until(&client, &mut socket, "DELETE_DEVICE").await;
    let words: Vec<&str> = heard.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(
        words,
        [
            "HARD_DELETE_DIR",
            "CREATE_DEVICE",
            "CREATE_DIR",
            "DELETE_MP",
            "DELETE_DEVICE"
        ]
    );

    let writer = client.writer();
    writer.put("/Jotta/Sync/by a writer", b"x").unwrap();
    writer.trash("/Jotta/Sync/by a writer").unwrap();
    assert_eq!(
        until(&client, &mut socket, "DELETE").await,
        [
            one("NEW_UPLOAD", "/Jotta/Sync/by a writer"),
            one("DELETE", "/Jotta/Sync/by a writer")
        ]
    );
}

#[tokio::test]
async fn a_change_that_failed_is_not_told() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/a", b"a").await;
    client.put("/Jotta/Sync/b", b"b").await;
    let mut socket = subscribed(&client).await;
    // Makes the parents of the destination, then fails: all of that is taken back.
    let (status, _) = client.to("/Jotta/Sync/a", "mv", "/Jotta/Sync/b").await;
    assert_eq!(status, 409);
    client.writer().mkdir("/Jotta/Sync/after").unwrap();
    assert_eq!(
        until(&client, &mut socket, "CREATE_DIR").await,
        [one("CREATE_DIR", "/Jotta/Sync/after")]
    );
}

#[tokio::test]
async fn a_ping_is_answered_and_nothing_comes_before_a_subscription() {
    let client = Client::new().await;
    let mut socket = connect(&client, &token(&client).await).await.unwrap();
    client.writer().put("/Jotta/Sync/a", b"a").unwrap();
    say(&mut socket, &json!({"PING": "Ok"})).await;
    assert_eq!(hear(&mut socket).await, Some(json!({"PONG": "ok"})));
    assert_eq!(client.cloud().counts().requests_of("websocket"), 1);
    assert_eq!(client.cloud().counts().requests_of("createToken"), 1);
}

#[tokio::test]
async fn a_token_is_needed_for_a_token_and_that_one_for_the_connection() {
    let client = Client::new().await;
    let (origin, user) = (client.cloud().url(), client.user());
    let url = format!("{origin}/rest/token/{user}/createToken");
    assert_eq!(client.http().get(&url).send().await.unwrap().status(), 401);
    assert!(connect(&client, "0123456789").await.is_none());
    let good = token(&client).await;
    let plain = format!("{origin}/ws/{user}/{good}");
    assert_eq!(
        client.http().get(&plain).send().await.unwrap().status(),
        400
    );
    assert!(connect(&client, &good).await.is_some());
}

#[tokio::test]
async fn without_events_there_is_no_token_and_a_silent_service_never_says_a_word() {
    let client = Client::with("events", "absent").await;
    let url = format!(
        "{}/rest/token/{}/createToken",
        client.cloud().url(),
        client.user()
    );
    let answer = client.request(reqwest::Method::GET, &url).send().await;
    assert_eq!(answer.unwrap().status(), 404);

    let client = Client::with("events", "silent").await;
    let mut socket = connect(&client, &token(&client).await).await.unwrap();
    say(&mut socket, &json!({"SUBSCRIBE": {"path": "ALL"}})).await;
    say(&mut socket, &json!({"PING": "Ok"})).await;
    client.writer().put("/Jotta/Sync/a", b"a").unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(300), socket.next());
    assert!(silence.await.is_err());
}

#[tokio::test]
async fn connections_can_be_cut_and_anything_can_be_sent() {
    let client = Client::new().await;
    let (mut one, mut other) = (subscribed(&client).await, subscribed(&client).await);
    assert_eq!(client.cloud().listeners(), 2);
    client.cloud().send_to_listeners(*b"\xff\xfe");
    for socket in [&mut one, &mut other] {
        let frame = socket.next().await.unwrap().unwrap();
        assert_eq!(frame, Message::binary(b"\xff\xfe".as_slice()));
    }
    client.cloud().send_to_listeners(vec![b'x'; 1 << 20]);
    assert_eq!(one.next().await.unwrap().unwrap().len(), 1 << 20);
    client.cloud().cut_listeners();
    for _ in 0..100 {
        if client.cloud().listeners() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.cloud().listeners(), 0);
    assert_eq!(hear(&mut one).await, None);
}

#[tokio::test]
async fn who_is_told_too_much_at_once_is_cut_off_and_can_come_again() {
    let client = Client::new().await;
    let flooded = subscribed(&client).await;
    client
        .cloud()
        .seed(local_cloud::Plan::Scale {
            files: 9000,
            folders: 100,
        })
        .unwrap();
    for _ in 0..500 {
        if client.cloud().listeners() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.cloud().listeners(), 0);
    drop(flooded);
    let mut socket = subscribed(&client).await;
    client.writer().mkdir("/Jotta/Sync/after").unwrap();
    until(&client, &mut socket, "CREATE_DIR").await;
}
