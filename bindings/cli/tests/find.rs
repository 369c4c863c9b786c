//! Finding, and hearing of changes.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Running, World};
use serde_json::Value;
use std::time::Duration;

fn paths(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["path"].as_str().unwrap())
        .collect()
}

fn with_names() -> World {
    let world = World::with_sync_files(&[
        ("Mat/Blåbærsyltetøy.txt", &[1; 5_000]),
        ("Mat/Blabar.txt", b"x"),
        ("Mat/Café crème.md", b"y"),
        ("ål.txt", b"z"),
    ]);
    let writer = world.cloud.writer();
    let old = 1_600_000_000_000;
    writer
        .put_at("/KARI-PC/Docs/Old blåbær.txt", b"old", old, old)
        .unwrap();
    world
}

#[test]
fn names_are_found_in_all_spaces_without_the_network_and_letters_are_letters() {
    let world = with_names();
    world.run(&["index"]).failed(0);
    let before = world.cloud.counts();
    let found = world.json(&["find", "BLÅBÆR"]);
    assert_eq!(found["unlisted_folders"], 0);
    assert_eq!(found["more"], false);
    assert_eq!(
        paths(&found),
        [
            "Sync/Mat/Blåbærsyltetøy.txt",
            "Backup/KARI-PC/Docs/Old blåbær.txt"
        ]
    );
    assert_eq!(paths(&world.json(&["find", "å"])).len(), 3);
    assert_eq!(
        paths(&world.json(&["find", "cafe", "creme"])),
        ["Sync/Mat/Café crème.md"]
    );
    assert_eq!(
        paths(&world.json(&["find", "nothing of the kind"])),
        [""; 0]
    );
    let text = world.run(&["find", "syltetøy"]).failed(0);
    assert_eq!(text.stdout, "Sync/Mat/Blåbærsyltetøy.txt\n");
    assert_eq!(text.stderr, "");
    assert_eq!(world.cloud.counts(), before, "a search asks nobody");
}

#[test]
fn a_search_can_be_narrowed() {
    let world = with_names();
    world.run(&["index"]).failed(0);
    for (args, expected) in [
        (
            &["blåbær", "--in", "backup"][..],
            &["Backup/KARI-PC/Docs/Old blåbær.txt"][..],
        ),
        (
            &["blåbær", "--larger", "5kB"],
            &["Sync/Mat/Blåbærsyltetøy.txt"],
        ),
        (
            &["blåbær", "--smaller", "4.9kB"],
            &["Backup/KARI-PC/Docs/Old blåbær.txt"],
        ),
        (
            &["blåbær", "--since", "2021-01-01"],
            &["Sync/Mat/Blåbærsyltetøy.txt"],
        ),
        (
            &["blåbær", "--before", "2021-01-01"],
            &["Backup/KARI-PC/Docs/Old blåbær.txt"],
        ),
        (&["mat", "--kind", "folder"], &["Sync/Mat"]),
        (&["mat", "--kind", "file"], &[]),
    ] {
        let found = world.json(&[&["find"], args].concat());
        assert_eq!(paths(&found), expected, "{args:?}");
    }
    let first = world.json(&["find", "--limit", "1"]);
    assert_eq!((paths(&first).len(), &first["more"]), (1, &true.into()));
    let text = world.run(&["find", "--limit", "1"]).failed(0);
    assert!(text.stderr.contains("more than 1"), "{}", text.stderr);
    let long = world.run(&["find", "old", "--long"]).failed(0).stdout;
    assert!(long.contains("2020-09-13 12:26  Backup/"), "{long}");
    world.run(&["find", "x", "--since", "tomorrow"]).failed(2);
    world.run(&["find", "x", "--in", "elsewhere"]).failed(2);
}

#[test]
fn a_search_says_when_folders_are_not_indexed() {
    let world = with_names();
    world.run(&["ls", "Sync"]).failed(0);
    let found = world.json(&["find", "blåbær"]);
    assert_eq!(paths(&found), [""; 0]);
    assert!(found["unlisted_folders"].as_u64().unwrap() > 0, "{found}");
    let text = world.run(&["find", "blåbær"]).failed(0);
    assert!(text.stderr.contains("lomme index"), "{}", text.stderr);
    assert_eq!(world.run(&["find", "blåbær", "--quiet"]).stderr, "");
}

#[test]
fn recent_files_and_favourites_are_shown() {
    let world = with_names();
    world.run(&["index"]).failed(0);
    let recent = world.json(&["recent"]);
    assert_eq!(paths(&recent).len(), 5);
    assert_eq!(paths(&recent)[4], "Backup/KARI-PC/Docs/Old blåbær.txt");
    assert_eq!(paths(&world.json(&["recent", "--limit", "2"])).len(), 2);
    world
        .run(&["get", "Backup/KARI-PC/Docs/Old blåbær.txt"])
        .failed(0);
    assert_eq!(
        paths(&world.json(&["recent"]))[0],
        "Backup/KARI-PC/Docs/Old blåbær.txt",
        "it was opened last"
    );
    assert_eq!(world.json(&["favourite", "Sync/Mat"])["favourite"], true);
    assert_eq!(paths(&world.json(&["favourite"])), ["Sync/Mat"]);
    assert_eq!(paths(&world.json(&["find", "--favourites"])), ["Sync/Mat"]);
    assert_eq!(
        world.json(&["favourite", "Sync/Mat", "--off"])["favourite"],
        false
    );
    assert_eq!(paths(&world.json(&["favourite"])), [""; 0]);
}

#[test]
fn a_found_name_cannot_command_the_terminal() {
    let world = World::with_sync_files(&[("find me\u{202e}gpj.exe", b"x")]);
    world.run(&["index"]).failed(0);
    for args in [&["find", "me"][..], &["recent"], &["find", "me", "--json"]] {
        let text = world.run(args).failed(0).stdout;
        assert!(
            text.contains("find me\\u") && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}

#[test]
fn a_watch_prints_what_another_client_does_and_fetches_no_content() {
    let world = with_names();
    world.run(&["index"]).failed(0);
    // What nobody has seen is not told of when it goes.
    let seen = world.json(&["ls", "Sync"]);
    let id = seen["items"][1]["id"].clone();
    let watch = Running::start(world.command(&["watch", "--json"]));
    let writer = world.cloud.writer();
    // The watch may not be connected yet, so the other client goes on.
    let mut told = None;
    for n in 0..40 {
        let path = format!("/Jotta/Sync/Mat/new {n}.txt");
        writer.put(&path, b"new").unwrap();
        while let Some(line) = watch.line_within(Duration::from_millis(500)) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let path = line["item"]["path"].as_str().unwrap_or_default();
            if path.starts_with("Sync/Mat/new ") {
                told = Some(line);
                break;
            }
        }
        if told.is_some() {
            break;
        }
    }
    let told = told.expect("a change that was told");
    assert_eq!(told["change"], "updated");
    writer.remove("/Jotta/Sync/ål.txt").unwrap();
    let deleted = loop {
        let line: Value = serde_json::from_str(&watch.line()).unwrap();
        if line["change"] == "deleted" {
            break line;
        }
    };
    assert_eq!(deleted["id"], id);
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
    assert_eq!(watch.stop(), 0);
}

#[test]
fn a_watch_prints_what_another_command_finds_out() {
    let world = with_names();
    world.run(&["ls", "Sync"]).failed(0);
    let watch = Running::start(world.command(&["watch"]));
    std::thread::sleep(Duration::from_millis(300));
    world.run(&["ls", "Sync/Mat"]).failed(0);
    let mut lines = Vec::new();
    while !lines.contains(&"updated  Sync/Mat/Café crème.md".to_owned()) {
        lines.push(watch.line());
    }
    assert_eq!(watch.stop(), 0);
}
