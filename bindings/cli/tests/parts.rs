//! Parts of files, whole files to stdout, thumbnails.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, names_in, stdout_of};
use local_cloud::Rule;
use std::fs;

const FILM: &str = "/Jotta/Sync/film.mp4";
const SIZE: u64 = 5_000_003;

/// A world with a film in it, and the film's bytes.
fn with_film() -> (World, Vec<u8>) {
    let world = World::with_sync_files(&[]);
    let writer = world.cloud.writer();
    writer.put_generated(FILM, 1, SIZE, 0).unwrap();
    let film = writer.read(FILM).unwrap();
    assert_eq!(film.len() as u64, SIZE);
    (world, film)
}

#[test]
fn a_part_is_the_very_bytes_that_were_asked_for() {
    let (world, film) = with_film();
    let last = film.len() - 1;
    for (range, first, end) in [
        ("0-0", 0, 1),
        ("0-99999", 0, 100_000),
        ("65535-65536", 65_535, 65_537),
        ("131071-400000", 131_071, 400_001),
        ("4999990-", 4_999_990, film.len()),
        ("4999990-99999999", 4_999_990, film.len()),
        ("-7", film.len() - 7, film.len()),
        ("-99999999", 0, film.len()),
    ] {
        let name = format!("film.mp4.{first}-{}", end - 1);
        let got = world.json(&["get", "Sync/film.mp4", "--range", range]);
        assert_eq!(got["saved_as"], name.as_str(), "{range}");
        assert_eq!(got["range"][0], first, "{range}");
        assert_eq!(got["range"][1], end - 1, "{range}");
        assert_eq!(got["bytes"], end - first, "{range}");
        assert_eq!(got["item"]["path"], "Sync/film.mp4");
        let file = world.here().join(name);
        assert!(fs::read(&file).unwrap() == film[first..end], "{range}");
        fs::remove_file(file).unwrap();
        for args in [
            &["cat", "Sync/film.mp4", "--range", range][..],
            &["get", "Sync/film.mp4", "-", "--range", range],
        ] {
            let (code, bytes) = stdout_of(world.command(args));
            assert!(code == 0 && bytes == film[first..end], "{args:?}");
        }
    }
    assert_eq!(names_in(&world.here()), [""; 0], "nothing else is left");
    let beyond = format!("{}-", last + 1);
    for range in [&beyond, "-0"] {
        let ran = world
            .run(&["get", "Sync/film.mp4", "--range", range])
            .failed(2);
        assert!(ran.stderr.contains("5000003 bytes"), "{}", ran.stderr);
    }
    world
        .run(&["get", "Sync/film.mp4", "--range", "4-2"])
        .failed(2);
}

#[test]
fn a_part_costs_little_more_than_itself_and_nothing_the_second_time() {
    let (world, _) = with_film();
    world.run(&["ls", "Sync"]).failed(0);
    let served = || world.cloud.counts().content_of("Sync");
    let got = world.json(&["get", "Sync/film.mp4", "--range", "1000000-1499999"]);
    assert_eq!(got["fetched"], served());
    assert!((500_000..=1_000_000).contains(&served()), "{}", served());
    let before = served();
    let got = world.json(&[
        "get",
        "Sync/film.mp4",
        "again",
        "--range",
        "1100000-1399999",
    ]);
    assert_eq!((&got["fetched"], served()), (&0.into(), before));
    let status = world.json(&["status"]);
    assert_eq!(status["ledger"][0]["bytes"], before);
    assert_eq!(status["ledger"][0]["purpose"], "open");
    let whole = world.json(&["get", "Sync/film.mp4"]);
    assert!(
        whole["fetched"].as_u64().unwrap() < SIZE - 400_000,
        "{whole}"
    );
}

#[test]
fn a_part_replaces_nothing_unasked() {
    let (world, film) = with_film();
    let mine = world.here().join("mine");
    fs::write(&mine, "mine").unwrap();
    let part = ["get", "Sync/film.mp4", "mine", "--range", "0-9"];
    world.run(&part).failed(7);
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
    world.run(&[&part[..], &["--force"]].concat()).failed(0);
    assert_eq!(fs::read(&mine).unwrap(), film[..10]);
}

#[test]
fn a_file_goes_to_stdout_as_it_is_and_the_second_time_without_the_network() {
    let (world, film) = with_film();
    let (code, bytes) = stdout_of(world.command(&["cat", "Sync/film.mp4"]));
    assert!(code == 0 && bytes == film);
    assert_eq!(world.cloud.counts().content_of("Sync"), SIZE);
    world.cloud.trouble().add(Rule::on_all().status(500));
    let (code, bytes) = stdout_of(world.command(&["cat", "id:sync", "--json"]));
    assert_eq!((code, bytes.len()), (2, 0), "a folder has no bytes");
    let (code, bytes) = stdout_of(world.command(&["cat", "Sync/film.mp4"]));
    assert!(code == 0 && bytes == film);
}

#[test]
fn an_empty_file_is_no_bytes() {
    let world = World::with_sync_files(&[("empty", b"")]);
    let (code, bytes) = stdout_of(world.command(&["cat", "Sync/empty"]));
    assert_eq!((code, bytes.len()), (0, 0));
    world.run(&["cat", "Sync/empty", "--range", "0-"]).failed(2);
}

#[test]
fn who_stops_reading_a_file_ends_it_without_a_word() {
    let (world, _) = with_film();
    let mut child = world.command(&["cat", "Sync/film.mp4"]).spawn().unwrap();
    drop(child.stdout.take());
    let ran = common::ended(child).failed(141);
    assert_eq!(ran.stderr, "");
    assert!(world.cloud.counts().content_of("Sync") < SIZE);
}

#[test]
fn ctrl_c_ends_a_read_that_waits() {
    let (world, _) = with_film();
    world.run(&["ls", "Sync"]).failed(0);
    let slow = Rule::on("bin").bytes_per_second(10_000);
    world.cloud.trouble().add(slow);
    let child = world.command(&["cat", "Sync/film.mp4"]).spawn().unwrap();
    common::wait_until("a request", || world.cloud.counts().requests_of("bin") > 0);
    common::interrupt(&child);
    let began = std::time::Instant::now();
    let ran = common::ended_raw(child);
    assert_eq!(ran.0, 130);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn a_thumbnail_is_a_picture_and_the_file_is_not_fetched() {
    let world = World::new();
    world.cloud.seed(local_cloud::Plan::Demo).unwrap();
    world.login();
    let path = "Backup/KARI-PC/Pictures/2023 Lofoten/IMG_4021.JPG";
    let mut sizes = Vec::new();
    for size in ["small", "medium", "large", "huge"] {
        let got = world.json(&["thumb", path, "--size", size]);
        let saved = got["saved_as"].as_str().unwrap();
        assert!(saved.starts_with(&format!("IMG_4021.{size}.")), "{saved}");
        let bytes = fs::read(world.here().join(saved)).unwrap();
        assert_eq!(got["bytes"], bytes.len());
        let magic: &[u8] = match got["mime"].as_str().unwrap() {
            "image/jpeg" => &[0xff, 0xd8, 0xff],
            "image/png" => b"\x89PNG\r\n",
            "image/webp" => b"RIFF",
            other => panic!("{other}"),
        };
        assert!(bytes.starts_with(magic), "{size}");
        sizes.push(bytes.len());
    }
    assert!(sizes[0] < sizes[3], "{sizes:?}");
    let counts = world.cloud.counts();
    assert_eq!(counts.requests_of("bin"), 0, "the file was fetched");
    let status = world.json(&["status"]);
    assert_eq!(status["ledger"].as_array().unwrap().len(), 1);
    assert_eq!(status["ledger"][0]["purpose"], "thumbnail");
    assert_eq!(status["ledger"][0]["bytes"], counts.content_of("Backup"));
    let (code, again) = stdout_of(world.command(&["thumb", path, "-", "--size", "small"]));
    assert_eq!((code, again.len()), (0, sizes[0]));
    assert_eq!(
        world.cloud.counts().content_of("Backup"),
        counts.content_of("Backup")
    );
    world.run(&["thumb", path, "--size", "small"]).failed(7);
    let none = world
        .run(&["thumb", "Sync/Documents/Budget.csv", "--json"])
        .failed(4);
    assert_eq!(none.error()["kind"], "no_such_item");
}
