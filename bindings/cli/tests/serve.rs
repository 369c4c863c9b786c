//! A file over HTTP on this machine, as a player asks for it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Running, World};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const FILM: &str = "/KARI-PC/Videos/Båt & tur.mp4";
const PATH: &str = "Backup/KARI-PC/Videos/Båt & tur.mp4";
const SIZE: usize = 12_000_001;

/// A film that is being played.
struct Played {
    world: World,
    film: Vec<u8>,
    serve: Running,
    told: Value,
}

fn play() -> Played {
    let world = World::new();
    let writer = world.cloud.writer();
    writer.put_generated(FILM, 3, SIZE as u64, 0).unwrap();
    world.login();
    let film = writer.read(FILM).unwrap();
    let serve = Running::start(world.command(&["serve", PATH, "--json"]));
    let told = serde_json::from_str(&serve.line()).unwrap();
    Played {
        world,
        film,
        serve,
        told,
    }
}

/// An answer: status, headers in lower case, body.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Played {
    fn host(&self) -> &str {
        let url = self.told["url"].as_str().unwrap();
        url.strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap()
    }

    fn target(&self) -> &str {
        let url = self.told["url"].as_str().unwrap();
        &url["http://".len() + self.host().len()..]
    }

    fn ask(&self, method: &str, target: &str, lines: &[&str]) -> Answer {
        let mut player = Player::connect(self.host());
        player.ask(method, target, &[lines, &["Connection: close"]].concat())
    }

    /// A GET of the film with more header lines, from its own host.
    fn get(&self, lines: &[&str]) -> Answer {
        let host = format!("Host: {}", self.host());
        self.ask("GET", self.target(), &[&[host.as_str()], lines].concat())
    }

    fn served(&self) -> u64 {
        self.world.cloud.counts().content_of("Backup")
    }
}

/// A connection.
struct Player(BufReader<TcpStream>);

impl Player {
    fn connect(host: &str) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, method: &str, target: &str, lines: &[&str]) {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        write!(
            self.0.get_mut(),
            "{method} {target} HTTP/1.1\r\n{lines}\r\n"
        )
        .unwrap();
    }

    fn ask(&mut self, method: &str, target: &str, lines: &[&str]) -> Answer {
        self.send(method, target, lines);
        let mut line = || {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = std::iter::from_fn(|| {
            let line = line();
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        })
        .collect();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        if method != "HEAD" {
            answer.body = vec![0; length];
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }
}

#[test]
fn every_range_is_the_very_bytes_and_fetches_little_more() {
    let played = play();
    assert_eq!(played.told["mime"], "video/mp4");
    assert_eq!(played.told["item"]["path"], PATH);
    assert!(
        played.target().ends_with("/B%C3%A5t%20%26%20tur.mp4"),
        "{}",
        played.target()
    );
    assert_eq!(played.served(), 0, "nothing is fetched before it is played");
    let mut asked = 0;
    for (range, first, end) in [
        ("-300000", SIZE - 300_000, SIZE),
        ("0-299999", 0, 300_000),
        ("6000000-6500000", 6_000_000, 6_500_001),
        ("6100000-6100000", 6_100_000, 6_100_001),
        ("3000000-3400000", 3_000_000, 3_400_001),
        ("11900000-", 11_900_000, SIZE),
        ("11900000-99999999", 11_900_000, SIZE),
    ] {
        let answer = played.get(&[&format!("Range: bytes={range}")]);
        assert_eq!(answer.status, 206, "{range}");
        let told = format!("bytes {first}-{}/{SIZE}", end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
        assert_eq!(answer.header("content-type"), Some("video/mp4"));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert!(answer.body == played.film[first..end], "{range}");
        asked += (end - first) as u64;
    }
    assert!(
        played.served() <= 2 * asked,
        "{} of {asked}",
        played.served()
    );
    let status = played.world.json(&["status"]);
    assert_eq!(status["ledger"][0]["purpose"], "stream");
    assert_eq!(status["ledger"][0]["bytes"], played.served());
    assert_eq!(played.serve.stop(), 0);
}

#[test]
fn without_a_range_all_comes_and_head_tells_of_it_without_fetching() {
    let played = play();
    let host = format!("Host: {}", played.host());
    let head = played.ask("HEAD", played.target(), &[&host, "Range: bytes=0-9"]);
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-length"),
        Some(SIZE.to_string().as_str())
    );
    let disposition = head.header("content-disposition").unwrap();
    assert_eq!(
        disposition,
        "inline; filename*=UTF-8''B%C3%A5t%20%26%20tur.mp4"
    );
    assert_eq!(played.served(), 0);
    let tag = head.header("etag").unwrap();
    let of_it = played.get(&["Range: bytes=5-9", &format!("If-Range: {tag}")]);
    assert!(of_it.status == 206 && of_it.body == played.film[5..10]);
    let all = played.get(&[]);
    assert!(all.status == 200 && all.body == played.film);
    assert_eq!(all.header("content-range"), None);
    assert_eq!(played.served(), SIZE as u64);
    for lines in [
        &["Range: bytes=5-9", "If-Range: \"another\""][..],
        &["Range: bytes=0-0,5-9"],
        &["Range: bytes=9-5"],
        &["Range: lines=5-9"],
    ] {
        let all = played.get(lines);
        assert!(all.status == 200 && all.body == played.film, "{lines:?}");
    }
    assert_eq!(played.served(), SIZE as u64, "the second time it is here");
}

#[test]
fn what_is_beyond_the_end_is_told_with_the_size() {
    let played = play();
    for range in ["12000001-", "99999999-99999999", "-0"] {
        let answer = played.get(&[&format!("Range: bytes={range}")]);
        assert_eq!(answer.status, 416, "{range}");
        let told = format!("bytes */{SIZE}");
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
    }
    assert_eq!(played.served(), 0);
}

#[test]
fn only_who_knows_the_secret_and_names_this_machine_gets_anything() {
    let played = play();
    let host = format!("Host: {}", played.host());
    let (target, port) = (played.target(), played.host().split(':').nth(1).unwrap());
    let secret = target.split('/').nth(1).unwrap();
    assert!(secret.len() >= 32, "{secret}");
    let other = format!(
        "/{}{}",
        "0".repeat(secret.len()),
        &target[1 + secret.len()..]
    );
    let directory = format!("/{secret}/");
    let deeper = format!("{target}/..");
    for path in ["/", &other, &directory, &deeper, "/favicon.ico"] {
        assert_eq!(played.ask("GET", path, &[&host]).status, 404, "{path}");
    }
    let evil = format!("Host: evil.example:{port}");
    for lines in [&[evil.as_str()][..], &["Host: 127.0.0.1:1"]] {
        assert_eq!(played.ask("GET", target, lines).status, 403, "{lines:?}");
    }
    let named = format!("Host: localhost:{port}");
    assert_eq!(played.ask("HEAD", target, &[&named]).status, 200);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = played.ask(method, target, &[&host]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
    assert_eq!(played.served(), 0);
    let again = Running::start(played.world.command(&["serve", PATH, "--json"]));
    let again: Value = serde_json::from_str(&again.line()).unwrap();
    assert!(!again["url"].as_str().unwrap().contains(secret), "{again}");
}

#[test]
fn many_players_at_once_fetch_each_byte_once() {
    let played = play();
    let asking = |n: usize| {
        let first = (n % 4) * 2_000_000;
        let answer = played.get(&[&format!("Range: bytes={first}-{}", first + 999_999)]);
        assert_eq!(answer.status, 206);
        assert!(answer.body == played.film[first..first + 1_000_000], "{n}");
    };
    std::thread::scope(|scope| {
        for n in 0..16 {
            scope.spawn(move || asking(n));
        }
    });
    assert!(played.served() < 2 * 4_000_000, "{}", played.served());
}

#[test]
fn one_connection_carries_many_requests_and_a_player_that_leaves_stops_the_fetching() {
    let played = play();
    let host = format!("Host: {}", played.host());
    let mut player = Player::connect(played.host());
    for first in [11_000_000, 0, 7_000_000_usize] {
        let range = format!("Range: bytes={first}-{}", first + 9_999);
        let answer = player.ask("GET", played.target(), &[&host, &range]);
        assert!(answer.body == played.film[first..first + 10_000], "{first}");
    }
    // One that asks for all, takes little and leaves.
    let slow = local_cloud::Rule::on("bin").bytes_per_second(2_000_000);
    played.world.cloud.trouble().add(slow);
    player.send("GET", played.target(), &[&host]);
    let mut some = [0; 100_000];
    player.0.read_exact(&mut some).unwrap();
    drop(player);
    std::thread::sleep(Duration::from_millis(500));
    let before = played.served();
    std::thread::sleep(Duration::from_millis(1000));
    assert!(
        played.served() - before < 300_000,
        "{before}, then {}",
        played.served()
    );
    assert!(played.served() < SIZE as u64 / 2, "{}", played.served());
}

#[test]
fn a_file_that_changes_is_never_mixed_and_ends_the_playing() {
    let mut played = play();
    let first = played.get(&["Range: bytes=0-99999"]);
    assert!(first.body == played.film[..100_000]);
    let writer = played.world.cloud.writer();
    writer.put_generated(FILM, 4, SIZE as u64, 0).unwrap();
    std::thread::sleep(Duration::from_millis(2_500));
    let next = played.get(&["Range: bytes=6000000-6099999"]);
    assert_eq!(next.status, 410);
    assert_eq!(played.serve.code(), 9);
    let error: Value = serde_json::from_str(&played.serve.stderr()).unwrap();
    assert_eq!(error["error"]["kind"], "version_gone");
}

#[test]
fn what_is_here_plays_without_the_network() {
    let played = play();
    assert!(played.get(&[]).body == played.film);
    // While it plays, the version is confirmed every two seconds; what is not confirmed is not kept.
    std::thread::sleep(Duration::from_millis(2_500));
    let trouble = played.world.cloud.trouble();
    trouble.add(local_cloud::Rule::on_all().lose_answer());
    let again = Running::start(played.world.command(&["serve", PATH, "--quiet"]));
    let url = again.line();
    let (host, target) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut player = Player::connect(host);
    let target = format!("/{target}");
    let lines = [
        &format!("Host: {host}")[..],
        "Range: bytes=-1000000",
        "Connection: close",
    ];
    let answer = player.ask("GET", &target, &lines);
    assert_eq!(answer.status, 206);
    assert!(answer.body == played.film[SIZE - 1_000_000..]);
    assert_eq!(again.stop(), 0);
}

#[test]
fn a_folder_cannot_be_played_and_a_port_in_use_is_said() {
    let played = play();
    let world = &played.world;
    world.run(&["serve", "Backup/KARI-PC/Videos"]).failed(2);
    let port = played.host().split(':').nth(1).unwrap();
    let taken = world.run(&["serve", PATH, "--port", port]).failed(8);
    assert!(taken.stderr.contains(port), "{}", taken.stderr);
}
