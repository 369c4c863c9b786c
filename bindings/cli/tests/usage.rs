//! What is typed, and what stands in the help.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, ended, interrupt};
use std::io::{BufRead, BufReader};

#[test]
fn help_lists_every_command_and_every_exit_code() {
    let world = World::new();
    let help = world.run(&["--help"]).failed(0).stdout;
    for word in [
        "demo",
        "login",
        "ls",
        "tree",
        "get",
        "status",
        "logout",
        "cloud",
        "index",
        "completions",
        "cat",
        "serve",
        "thumb",
        "pin",
        "unpin",
        "keep",
        "evict",
        "usage",
        "find",
        "recent",
        "favourite",
        "watch",
        "rules",
        "why",
        "sign-in needed",
        "no such item",
        "130",
    ] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
}

#[test]
fn wrong_usage_is_told_in_json_too() {
    let world = World::new();
    let ran = world.run(&["ls", "--nonsense", "--json"]).failed(2);
    assert_eq!(ran.error()["kind"], "usage");
    assert_eq!(ran.error()["retry"], "never");
    assert!(
        ran.error()["detail"]
            .as_str()
            .unwrap()
            .contains("--nonsense")
    );
    let ran = world.run(&["ls", "--offline", "--refresh"]).failed(2);
    assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
}

#[test]
fn completions_know_the_commands_in_every_shell() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.run(&["completions", shell]).failed(0).stdout;
        for command in ["login", "tree", "completions", "serve", "unpin", "find"] {
            assert!(script.contains(command), "{command} in {shell}");
        }
    }
    world.run(&["completions", "nosuchshell"]).failed(2);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_this_machines_fault() {
    let world = World::new();
    let ran = world
        .run(&["status", "--dir", "/dev/null/lomme", "--json"])
        .failed(8);
    assert_eq!(ran.error()["kind"], "disk_failed");
}

#[test]
fn without_a_choice_the_data_directory_is_the_platforms() {
    let world = World::new();
    let mut command = world.command(&["status", "--json"]);
    let ran = ended(command.env_remove("LOMME_DIR").spawn().unwrap()).failed(0);
    let expected = if cfg!(target_os = "macos") {
        "Library/Application Support/lomme"
    } else {
        ".local/share/lomme"
    };
    let directory = ran.json()["directory"].as_str().unwrap().to_owned();
    assert!(directory.ends_with(expected), "{directory}");
}

#[test]
fn the_cloud_for_developers_prints_a_token_that_signs_in_and_stops_at_ctrl_c() {
    let world = World::new();
    let mut child = world.command(&["cloud", "--json"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let cloud: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(
        cloud["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    let ran = world.run_with(&["login"], cloud["login_token"].as_str().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(world.json(&["tree", "Sync"])["files"].as_u64().unwrap() > 10);
    interrupt(&child);
    ended(child).failed(0);
}

#[test]
fn a_cloud_over_tls_is_trusted_only_with_its_authority() {
    let world = World::new();
    let mut child = world
        .command(&[
            "cloud",
            "--seed",
            "none",
            "--tls-self-signed",
            "ca",
            "--json",
        ])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let cloud: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| cloud[name].as_str().unwrap().to_owned();
    let (url, token, ca) = (text("url"), text("login_token"), text("ca"));
    let distrusted = world
        .run_with(&["login", "--cloud", &url, "--json"], &token)
        .failed(5);
    assert_eq!(distrusted.error()["kind"], "offline");
    let trust = ["--cloud", &url, "--ca-file", &ca];
    world
        .run_with(&[&["login"], &trust[..]].concat(), &token)
        .failed(0);
    world
        .run(&[&["ls", "Archive"], &trust[..]].concat())
        .failed(0);
    interrupt(&child);
    ended(child).failed(0);
}
