//! Changes from the command line: told before, queued, sent, and never lost.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, World, names_in};
use local_cloud::Cloud;
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// What lives below Sync: paths, with `/` after a folder's.
fn sync(world: &World) -> Vec<String> {
    let entries = world.cloud.writer().paths("/Jotta/Sync").unwrap();
    let mut paths: Vec<String> = entries
        .into_iter()
        .map(|entry| {
            let slash = if entry.is_file { "" } else { "/" };
            let path = entry.path.strip_prefix("/Jotta/Sync/").unwrap();
            format!("{path}{slash}")
        })
        .collect();
    paths.sort();
    paths
}

fn local(world: &World, name: &str, content: &str) {
    std::fs::write(world.here().join(name), content).unwrap();
}

/// The MD5 that the cloud has of a file in Sync.
fn md5(cloud: &Cloud, path: &str) -> String {
    let entry = cloud.writer().entry(&format!("/Jotta/Sync/{path}"));
    entry.unwrap().unwrap().md5
}

/// Runs `lomme edit` with an editor made of these lines of shell; `$1` is the file.
fn edit(world: &World, path: &str, editor: &str, rest: &[&str]) -> Ran {
    let script = world.here().join("editor");
    std::fs::write(&script, format!("#!/bin/sh\n{editor}\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = world.command(&[&["edit", path], rest].concat());
    command
        .env("EDITOR", &script)
        .env("PATH", std::env::var_os("PATH").unwrap());
    common::ended(command.spawn().unwrap())
}

#[test]
fn files_are_put_renamed_moved_and_copied_and_the_service_has_it_at_once() {
    let world = World::with_sync_files(&[("Notes/old.txt", b"old")]);
    local(&world, "a.txt", "a");
    local(&world, "b.txt", "bb");
    let ran = world
        .run(&["put", "a.txt", "b.txt", "Sync/Notes"])
        .failed(0);
    assert!(
        ran.stdout.contains("Sync/Notes/a.txt: done"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("every computer"), "{}", ran.stderr);
    world.run(&["mkdir", "Sync/New"]).failed(0);
    world.run(&["mv", "Sync/Notes/a.txt", "Sync/New"]).failed(0);
    world
        .run(&["mv", "Sync/New/a.txt", "Sync/New/A b.txt"])
        .failed(0);
    let copied = world.json(&["cp", "Sync/Notes/old.txt", "Sync/New/copy.txt"]);
    assert_eq!(
        (&copied["sent"], &copied["outcome"]),
        (&true.into(), &"done".into())
    );
    assert_eq!(copied["item"]["path"], "Sync/New/copy.txt");
    assert_eq!(
        sync(&world),
        [
            "New/",
            "New/A b.txt",
            "New/copy.txt",
            "Notes/",
            "Notes/b.txt",
            "Notes/old.txt"
        ]
    );
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
    assert_eq!(world.json(&["outbox"])["items"], Value::Array(vec![]));
}

#[test]
fn a_file_that_exists_is_replaced_only_when_that_is_said() {
    let world = World::with_sync_files(&[("a.txt", b"old")]);
    local(&world, "a.txt", "new");
    world.run(&["put", "a.txt", "Sync"]).failed(7);
    assert_eq!(sync(&world), ["a.txt"]);
    let before = md5(&world.cloud, "a.txt");
    world.run(&["put", "a.txt", "Sync", "--force"]).failed(0);
    assert_ne!(md5(&world.cloud, "a.txt"), before);
    let versions = world.json(&["versions", "Sync/a.txt"]);
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
    world.run(&["put", "nowhere.txt", "Sync"]).failed(2);
}

#[test]
fn what_is_to_wait_waits_shows_at_once_and_is_sent_by_a_push() {
    let world = World::with_sync_files(&[("a.txt", b"a")]);
    world.json(&["ls", "Sync"]);
    let before = world.cloud.counts().requests_of("upload");
    local(&world, "b.txt", "bb");
    let put = world.json(&["put", "b.txt", "Sync", "--later"]);
    assert_eq!(put["items"][0]["sent"], false);
    world
        .run(&["mv", "Sync/a.txt", "Sync/c.txt", "--later"])
        .failed(0);
    assert_eq!(sync(&world), ["a.txt"]);
    let shown = world.json(&["ls", "Sync", "--offline"]);
    let names: Vec<&Value> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["name"])
        .collect();
    assert_eq!(names, ["b.txt", "c.txt"]);
    assert_eq!(world.cloud.counts().requests_of("upload"), before);
    let unsent = world.json(&["status"])["unsent"].clone();
    assert_eq!((&unsent["items"], &unsent["bytes"]), (&2.into(), &2.into()));
    let outbox = world.json(&["outbox"]);
    assert_eq!(outbox["items"].as_array().unwrap().len(), 2);

    let push = world.json(&["outbox", "--push"]);
    assert_eq!((&push["done"], &push["left"]), (&2.into(), &0.into()));
    assert_eq!(sync(&world), ["b.txt", "c.txt"]);
}

#[test]
fn without_the_service_a_change_is_kept_and_the_command_says_that_it_will_be_sent() {
    let world = World::with_sync_files(&[("a.txt", b"a")]);
    world.json(&["ls", "Sync"]);
    local(&world, "b.txt", "bb");
    let nowhere = ["--cloud", "http://127.0.0.1:9"];
    let ran = world
        .run(&[&["put", "b.txt", "Sync"], &nowhere[..]].concat())
        .failed(0);
    assert!(ran.stdout.contains("will be sent"), "{}", ran.stdout);
    world.run(&["outbox", "--retry"]).failed(0);
    assert_eq!(sync(&world), ["a.txt", "b.txt"]);
}

#[test]
fn rm_tells_that_it_reaches_all_computers_and_does_nothing_without_a_yes() {
    let world = World::with_sync_files(&[("a.txt", b"a"), ("Folder/b.txt", b"b")]);
    let ran = world.run_with(&["rm", "Sync/a.txt"], "no\n").failed(7);
    assert!(ran.stderr.contains("all computers"), "{}", ran.stderr);
    assert_eq!(
        world.run(&["rm", "Sync/a.txt", "--json"]).failed(7).error()["kind"],
        "not_confirmed"
    );
    assert_eq!(sync(&world), ["Folder/", "Folder/b.txt", "a.txt"]);

    world.run_with(&["rm", "Sync/a.txt"], "y\n").failed(0);
    world.run(&["rm", "Sync/Folder", "--yes"]).failed(7);
    assert_eq!(sync(&world), ["Folder/", "Folder/b.txt"]);
    world
        .run(&["rm", "Sync/Folder", "--yes", "--recursive"])
        .failed(0);
    assert!(sync(&world).is_empty());

    world.run(&["restore", "Trash/a.txt"]).failed(0);
    assert_eq!(sync(&world), ["a.txt"]);
    world.run(&["rm", "Sync/a.txt", "--yes"]).failed(0);
    world.run(&["rm", "Trash/a.txt", "--yes"]).failed(2);
    world
        .run(&["rm", "Trash/a.txt", "--for-good", "--yes"])
        .failed(0);
    world.run_with(&["trash", "--empty"], "\n").failed(7);
    let emptied = world.json(&["trash", "--empty", "--yes"]);
    assert_eq!(emptied["folders"], 1);
    let trash = world.json(&["ls", "Trash", "--refresh"]);
    assert_eq!(trash["items"], Value::Array(vec![]));
}

#[test]
fn an_editor_s_saves_are_sent_and_nothing_when_nothing_has_changed() {
    let world = World::with_sync_files(&[("a.txt", b"one\n")]);
    let same = edit(&world, "Sync/a.txt", ":", &[]).failed(0);
    assert!(
        same.stdout.contains("Nothing was changed"),
        "{}",
        same.stdout
    );
    let before = md5(&world.cloud, "a.txt");
    // With a pause, so that the first save is seen while the editor runs; by renaming, as editors do.
    let editor =
        "echo two >>\"$1\"; sleep 1; { cat \"$1\"; echo three; } >\"$1.new\"; mv \"$1.new\" \"$1\"";
    edit(&world, "Sync/a.txt", editor, &[]).failed(0);
    assert_ne!(md5(&world.cloud, "a.txt"), before);
    let size = world.json(&["versions", "Sync/a.txt"])["items"][0]["size"].clone();
    assert_eq!(size, 14);
    let left = names_in(&world.data());
    assert!(
        left.iter().all(|name| !name.starts_with("edit-")),
        "{left:?}"
    );
}

#[test]
fn an_edit_of_what_somebody_else_has_changed_keeps_both_and_tells() {
    let world = World::with_sync_files(&[("a.txt", b"one\n")]);
    world.json(&["ls", "Sync"]);
    // The other computer writes while the editor is open.
    let theirs = format!(
        "curl -sf -X PUT --data-binary theirs '{}/_local/file?path=/Jotta/Sync/a.txt' >/dev/null; echo mine >\"$1\"",
        world.cloud.url()
    );
    let ran = edit(&world, "Sync/a.txt", &theirs, &[]).failed(0);
    assert!(ran.stdout.contains("both are kept"), "{}", ran.stdout);
    let files = sync(&world);
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files[0].starts_with("a (Conflict "), "{files:?}");
    let conflicts = world.json(&["conflicts"]);
    let conflict = &conflicts["items"][0];
    assert_eq!(conflict["kind"], "both_edited");
    let number = conflict["number"].to_string();
    world.run(&["conflicts", "--resolve", &number]).failed(2);
    world
        .run(&["conflicts", "--resolve", &number, "theirs"])
        .failed(0);
    assert_eq!(sync(&world), ["a.txt"]);
    assert_eq!(world.json(&["conflicts"])["items"], Value::Array(vec![]));
}

#[test]
fn an_older_version_is_downloaded_and_made_the_newest() {
    let world = World::with_sync_files(&[("a.txt", b"one"), ("a.txt", b"two, longer")]);
    let versions = world.json(&["versions", "Sync/a.txt"]);
    let old = versions["items"][1].clone();
    assert_eq!((&old["size"], &old["current"]), (&3.into(), &false.into()));
    let number = old["number"].to_string();
    world
        .run(&["versions", "Sync/a.txt", "--get", &number, "old.txt"])
        .failed(0);
    assert_eq!(std::fs::read(world.here().join("old.txt")).unwrap(), b"one");
    world
        .run(&["versions", "Sync/a.txt", "--get", &number, "old.txt"])
        .failed(7);
    let restored = world.json(&["versions", "Sync/a.txt", "--restore", &number]);
    assert_eq!(restored["size"], 3);
    world
        .run(&["versions", "Sync/a.txt", "--restore", "99"])
        .failed(4);
}

#[test]
fn a_link_is_made_listed_and_ended() {
    let world = World::with_sync_files(&[("a.txt", b"a")]);
    let ran = world.run(&["link", "Sync/a.txt"]).failed(0);
    assert!(
        ran.stderr.contains("Anyone who has the link"),
        "{}",
        ran.stderr
    );
    let url = ran.stdout.trim().to_owned();
    assert!(url.starts_with("http"), "{url}");
    let links = world.json(&["link", "--list"]);
    assert_eq!(links["items"][0]["url"], url.as_str());
    assert_eq!(world.json(&["link", "Sync/a.txt", "--remove"]), Value::Null);
    assert_eq!(
        world.json(&["link", "--list"])["items"],
        Value::Array(vec![])
    );
    world.run(&["link"]).failed(2);
}

#[test]
fn what_is_given_up_is_kept_until_it_is_forgotten() {
    let world = World::with_sync_files(&[("a.txt", b"a")]);
    local(&world, "b.txt", "my words");
    world.run(&["put", "b.txt", "Sync", "--later"]).failed(0);
    world.run(&["outbox", "--discard", "Sync/b.txt"]).failed(0);
    assert_eq!(world.json(&["outbox"])["items"], Value::Array(vec![]));
    let kept = world.json(&["outbox", "--discarded"])["items"][0].clone();
    assert_eq!((&kept["name"], &kept["size"]), (&"b.txt".into(), &8.into()));
    let key = kept["key"].as_str().unwrap();
    world
        .run(&["outbox", "--export", key, "back.txt"])
        .failed(0);
    assert_eq!(
        std::fs::read(world.here().join("back.txt")).unwrap(),
        b"my words"
    );
    let rest = world.json(&["outbox", "--forget", key]);
    assert_eq!(rest["items"], Value::Array(vec![]));
}

#[test]
fn in_a_directory_that_cannot_be_written_nothing_is_accepted_and_nothing_is_lost() {
    use std::os::unix::process::CommandExt;
    let world = World::with_sync_files(&[("old.txt", b"old")]);
    local(&world, "a.txt", "a");
    world.run(&["ls", "Sync"]).failed(0);
    world
        .run(&["put", "--later", "a.txt", "Sync/kept.txt"])
        .failed(0);
    let everything = [world.data(), world.here()];
    let writable = |yes: bool| {
        let mut dirs: Vec<_> = everything.to_vec();
        dirs.push(world.data().parent().unwrap().to_owned());
        while let Some(path) = dirs.pop() {
            let is_dir = path.is_dir();
            let mode = match (yes, is_dir) {
                (true, true) => 0o700,
                (true, false) => 0o600,
                (false, true) => 0o555,
                (false, false) => 0o444,
            };
            let below = std::fs::read_dir(&path).into_iter().flatten();
            if everything.iter().any(|root| path.starts_with(root)) {
                dirs.extend(below.map(|entry| entry.unwrap().path()));
            }
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    writable(false);
    let mut command = world.command(&["put", "--json", "a.txt", "Sync/new.txt"]);
    // To the superuser every directory is writable.
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let ran = common::ended(command.spawn().unwrap());
    writable(true);
    assert_ne!(ran.code, 0);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("disk_failed"), "{told}");
    assert_eq!(sync(&world), ["old.txt"]);
    world.run(&["outbox", "--push"]).failed(0);
    assert_eq!(sync(&world), ["kept.txt", "old.txt"]);
}
