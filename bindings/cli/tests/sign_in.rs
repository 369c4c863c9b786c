//! Signing in and out.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn a_login_token_from_stdin_signs_in_and_works_once() {
    let world = World::new();
    let token = world.token();
    let ran = world.run_with(&["login"], &format!("  {token}\n"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("kari@example.com"), "{}", ran.stdout);
    assert_eq!(world.run(&["logout"]).code, 0);
    let again = world.run_with(&["login", "--json"], &token).failed(3);
    assert_eq!(again.error()["kind"], "login_refused");
    assert_eq!(again.error()["retry"], "needs_user");
}

#[test]
fn programs_are_told_who_signed_in_and_that_nobody_is_after_signing_out() {
    let world = World::new();
    let ran = world
        .run_with(&["login", "--json"], &world.token())
        .failed(0);
    let account = ran.json();
    assert_eq!(account["sign_in"], "in");
    assert_eq!(account["email"], "kari@example.com");
    assert_eq!(account["username"], world.cloud.user());
    assert_eq!(ran.stderr, "");
    assert_eq!(account, world.json(&["status"])["account"]);
    let out = world.json(&["logout"]);
    assert_eq!(out["sign_in"], "out");
    assert!(out["username"].is_null() && out["email"].is_null(), "{out}");
    assert_eq!(out, world.json(&["status"])["account"]);
}

#[test]
fn a_mistyped_token_is_refused_and_never_repeated() {
    let world = World::new();
    let ran = world.run_with(&["login"], "not-a-token-at-all\n").failed(3);
    assert!(!ran.stderr.contains("not-a-token"), "{}", ran.stderr);
    assert_eq!(world.json(&["status"])["account"]["sign_in"], "out");
}

#[test]
fn an_empty_stdin_is_wrong_usage() {
    let world = World::new();
    assert_eq!(
        world.run(&["login", "--json"]).failed(2).error()["kind"],
        "usage"
    );
}

#[test]
fn a_token_is_not_taken_from_the_command_line() {
    let world = World::new();
    let token = world.token();
    world.run(&["login", &token]).failed(2);
    world.login();
}

#[test]
fn nothing_works_before_a_sign_in_and_the_error_says_what_to_do() {
    let world = World::new();
    for args in [
        &["ls"][..],
        &["tree"],
        &["index"],
        &["get", "Sync/a"],
        &["ls", "Sync", "--offline"],
        &["cat", "Sync/a"],
        &["serve", "Sync/a"],
        &["thumb", "Sync/a"],
        &["pin", "Sync/a"],
        &["pins"],
        &["unpin", "Sync/a"],
        &["keep"],
        &["evict", "Sync/a"],
        &["usage"],
        &["find", "a"],
        &["recent"],
        &["favourite"],
        &["watch"],
        &["why", "Sync/a"],
    ] {
        let ran = world.run(args).failed(3);
        assert!(ran.stderr.contains("lomme login"), "{}", ran.stderr);
    }
}

#[test]
fn status_tells_who_is_signed_in_and_what_was_fetched() {
    let world = World::with_sync_files(&[("a.txt", b"twelve bytes")]);
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    assert_eq!(world.run(&["get", "Sync/a.txt"]).code, 0);
    let status = world.json(&["status"]);
    assert_eq!(status["account"]["sign_in"], "in");
    assert_eq!(status["account"]["email"], "kari@example.com");
    assert_eq!(status["items"]["Sync"], 1);
    assert_eq!(status["ledger"][0]["space"], "Sync");
    assert_eq!(status["ledger"][0]["purpose"], "open");
    assert_eq!(status["ledger"][0]["bytes"], 12);
    let text = world.run(&["status"]);
    assert!(text.stdout.contains("kari@example.com"), "{}", text.stdout);
}

#[test]
fn signing_out_forgets_the_tokens_and_the_tree_but_not_downloads() {
    let world = World::with_sync_files(&[("a.txt", b"twelve bytes")]);
    assert_eq!(world.run(&["get", "Sync/a.txt"]).code, 0);
    assert_eq!(world.run(&["logout"]).code, 0);
    world.run(&["ls", "Sync", "--offline"]).failed(3);
    assert_eq!(world.json(&["status"])["items"]["Sync"], 0);
    assert_eq!(common::names_in(&world.data().join("vault")), [""; 0]);
    assert_eq!(
        fs::read(world.here().join("a.txt")).unwrap(),
        b"twelve bytes"
    );
    assert_eq!(world.run(&["logout"]).code, 0, "signing out twice is fine");
}

#[test]
fn secrets_are_in_the_vault_alone_and_only_their_owner_can_read_it() {
    let world = World::with_sync_files(&[("a.txt", b"x")]);
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    let vault = world.data().join("vault");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&world.data()), mode(&vault)), (0o700, 0o700));
    let mut parts = Vec::new();
    for name in common::names_in(&vault) {
        assert_eq!(mode(&vault.join(&name)), 0o600);
        let secret = fs::read_to_string(vault.join(&name)).unwrap();
        // Tokens are long runs of these; structure around them is not secret.
        let is_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        parts.extend(
            secret
                .split(|c| !is_token(c))
                .filter(|p| p.len() > 30)
                .map(str::to_owned),
        );
    }
    assert!(!parts.is_empty(), "the vault holds tokens");
    let drive = world.data().join("drive");
    for name in common::names_in(&drive) {
        let Ok(bytes) = fs::read(drive.join(&name)) else {
            continue;
        };
        for part in &parts {
            let found = bytes
                .windows(part.len())
                .any(|window| window == part.as_bytes());
            assert!(!found, "a token is in {name}");
        }
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let world = World::new();
    let token = world.token();
    let ran = world
        .run_with(&["login", "--cloud", "http://cloud.example"], &token)
        .failed(2);
    assert!(ran.stderr.contains("https"), "{}", ran.stderr);
    let ran = world.run_with(&["login"], &token);
    assert_eq!(ran.code, 0, "the token is unused: {}", ran.stderr);
}

#[test]
fn an_unknown_or_ambiguous_service_is_answered_with_the_known_ones() {
    let world = World::new();
    for asked in ["nowhere", "elgiganten"] {
        let ran = world.run(&["login", "--browser", asked]).failed(2);
        for known in ["id.jottacloud.com", "cloud.elgiganten.se", "Elkjøp"] {
            assert!(ran.stderr.contains(known), "{}", ran.stderr);
        }
    }
}

#[test]
fn the_browser_sign_in_warns_first_and_follows_the_page() {
    let world = World::new();
    let url = world.cloud.url();
    let mut child = world
        .command(&["login", "--browser", "--cloud", &url])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut before = String::new();
    let page = loop {
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no page to open: {before}"));
        match line.trim().strip_prefix(&url) {
            Some(page) => break page.to_owned(),
            None => before.push_str(&line),
        }
    };
    assert!(
        before.contains("sign out"),
        "the warning comes first: {before}"
    );
    let (path, query) = page.split_once('?').unwrap();
    let answer = http(
        &world.cloud.address().to_string(),
        "POST",
        path,
        &format!("{query}&answer=allow"),
    );
    let location = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location")
            .then(|| value.to_owned())
    });
    let location = location.unwrap_or_else(|| panic!("no way back: {answer}"));
    let back = location.strip_prefix("http://localhost").unwrap();
    let (port, target) = back.split_once('/').unwrap();
    http(
        &format!("127.0.0.1{port}"),
        "GET",
        &format!("/{target}"),
        "",
    );
    let ran = common::ended(child);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("kari@example.com"), "{}", ran.stdout);
    assert_eq!(world.json(&["status"])["account"]["sign_in"], "in");
    world.run(&["ls", "Sync"]).failed(0);
}

/// A browser's request, as plain as can be.
fn http(address: &str, method: &str, target: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
