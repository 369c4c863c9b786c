//! Downloads.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, ended, interrupt, names_in};
use local_cloud::Rule;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn a_file_is_downloaded_under_its_own_name_into_the_current_directory() {
    let world = World::with_sync_files(&[("Docs/a.txt", b"hello")]);
    let got = world.json(&["get", "Sync/Docs/a.txt"]);
    assert_eq!(got["saved_as"], "a.txt");
    assert_eq!((&got["bytes"], &got["fetched"]), (&5.into(), &5.into()));
    assert_eq!(got["item"]["path"], "Sync/Docs/a.txt");
    assert_eq!(fs::read(world.here().join("a.txt")).unwrap(), b"hello");
    assert_eq!(names_in(&world.here()), ["a.txt"], "nothing else is left");
}

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let world = World::with_sync_files(&[("a.txt", b"theirs")]);
    let mine = world.here().join("a.txt");
    fs::write(&mine, "mine").unwrap();
    let ran = world.run(&["get", "Sync/a.txt", "--json"]).failed(7);
    assert_eq!(ran.error()["kind"], "exists");
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    assert_eq!(
        world.cloud.counts().content_of("Sync"),
        0,
        "nothing was fetched for it"
    );
    assert_eq!(world.run(&["get", "Sync/a.txt", "--force"]).code, 0);
    assert_eq!(fs::read(&mine).unwrap(), b"theirs");
}

#[test]
fn a_link_at_the_destination_is_not_followed() {
    let world = World::with_sync_files(&[("a.txt", b"theirs")]);
    let precious = world.here().join("precious");
    fs::write(&precious, "mine").unwrap();
    std::os::unix::fs::symlink("precious", world.here().join("a.txt")).unwrap();
    world.run(&["get", "Sync/a.txt"]).failed(7);
    assert_eq!(world.run(&["get", "Sync/a.txt", "--force"]).code, 0);
    assert_eq!(fs::read(&precious).unwrap(), b"mine");
    assert_eq!(fs::read(world.here().join("a.txt")).unwrap(), b"theirs");
}

#[test]
fn a_destination_can_be_a_directory_or_a_new_name_but_nothing_else() {
    let world = World::with_sync_files(&[("a.txt", b"hello")]);
    fs::create_dir(world.here().join("in")).unwrap();
    assert_eq!(
        world.json(&["get", "Sync/a.txt", "in"])["saved_as"],
        "in/a.txt"
    );
    assert_eq!(
        world.json(&["get", "Sync/a.txt", "b.txt"])["saved_as"],
        "b.txt"
    );
    world.run(&["get", "Sync/a.txt", "missing/"]).failed(2);
    world.run(&["get", "Sync/a.txt", "missing/b.txt"]).failed(8);
    world.run(&["get", "Sync/a.txt", "-"]).failed(2);
    assert_eq!(names_in(&world.here()), ["b.txt", "in"]);
}

#[test]
fn a_hostile_name_never_becomes_a_path_or_a_hidden_file() {
    let world = World::with_sync_files(&[(".bashrc", b"1"), ("a\u{202e}b", b"2"), ("-rf", b"3")]);
    for (path, saved) in [
        ("Sync/.bashrc", "_bashrc"),
        ("Sync/a\u{202e}b", "a_b"),
        ("Sync/-rf", "_rf"),
    ] {
        assert_eq!(world.json(&["get", path])["saved_as"], saved);
    }
    assert_eq!(names_in(&world.here()), ["_bashrc", "_rf", "a_b"]);
}

#[test]
fn a_folder_and_a_missing_file_are_told_apart() {
    let world = World::with_sync_files(&[("Docs/a.txt", b"hello")]);
    world.run(&["get", "Sync/Docs"]).failed(2);
    world.run(&["get", "Sync/Docs/b.txt"]).failed(4);
    assert_eq!(names_in(&world.here()), [""; 0]);
}

#[test]
fn content_that_is_not_what_was_promised_gets_no_name() {
    let world = World::with_sync_files(&[("a.txt", b"hello")]);
    world.cloud.trouble().add(Rule::on("bin").flip_byte(2));
    let ran = world.run(&["get", "Sync/a.txt", "--json"]).failed(9);
    assert_eq!(ran.error()["kind"], "content_mismatch");
    assert_eq!(names_in(&world.here()), [""; 0]);
}

#[test]
fn ctrl_c_keeps_what_came_and_the_next_get_fetches_only_the_rest() {
    const SIZE: u64 = 3_000_000;
    let world = World::with_sync_files(&[]);
    let writer = world.cloud.writer();
    writer
        .put_generated("/Jotta/Sync/film.mp4", 1, SIZE, 0)
        .unwrap();
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(1_000_000));
    let child = world.command(&["get", "Sync/film.mp4"]).spawn().unwrap();
    let began = Instant::now();
    while world.cloud.counts().content_of("Sync") < 1_000_000 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing comes");
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(&child);
    let ran = ended(child).failed(130);
    assert!(ran.stderr.contains("goes on from there"), "{}", ran.stderr);
    let lines = ran.stderr.lines().count();
    assert_eq!(lines, 2, "no bar without a terminal: {}", ran.stderr);
    assert_eq!(names_in(&world.here()), [""; 0]);
    world.cloud.trouble().clear();
    let got = world.json(&["get", "Sync/film.mp4"]);
    let fetched = got["fetched"].as_u64().unwrap();
    assert!(fetched < SIZE - 500_000, "{fetched} fetched again");
    assert_eq!(
        fs::metadata(world.here().join("film.mp4")).unwrap().len(),
        SIZE
    );
}
