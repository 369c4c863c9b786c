#![allow(clippy::unwrap_used)]
use super::*;
use crate::disk::RealDisk;
use std::fs;
use std::time::{Duration, SystemTime};

const JPEG: [u8; 12] = [0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0];

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

fn opened(directory: &Path) -> Arc<Thumbnails> {
    let thumbnails = Thumbnails::new(Arc::new(RealDisk), directory, false, now_ms());
    Arc::new(thumbnails.unwrap())
}

fn name(item: &str, version: &str, size: &'static str) -> Name {
    Name {
        item: format!("{item}-"),
        version: format!("{version}-"),
        size,
    }
}

fn store(thumbnails: &Arc<Thumbnails>, name: &Name, bytes: &[u8]) -> Option<Thumbnail> {
    let busy = crate::drive::Life::new().busy().unwrap();
    let new = New::begin(thumbnails.clone(), &name.text(), busy).unwrap();
    let new = if bytes.is_empty() {
        new
    } else {
        new.write(bytes).unwrap()
    };
    new.finish(name).unwrap()
}

fn age(path: &Path, seconds: u64) {
    let when = SystemTime::now() - Duration::from_secs(seconds);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(when).unwrap();
}

fn in_dir(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory.join("thumbs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn only_three_kinds_of_pictures_are_pictures() {
    assert_eq!(kind(&JPEG), Some("image/jpeg"));
    assert_eq!(kind(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
    assert_eq!(kind(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
    for other in [
        b"".as_slice(),
        b"\xff\xd8",
        b"GIF89a......",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"<?xml version",
        b"<html>......",
        b"\x89PNG\r\n\x1a",
    ] {
        assert_eq!(kind(other), None, "{other:?}");
    }
}

#[test]
fn a_new_version_takes_the_old_ones_place_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    for (item, version, size) in [
        ("a", "1", "WS"),
        ("a", "1", "WL"),
        ("b", "1", "WS"),
        ("ab", "1", "WS"),
    ] {
        let got = store(&thumbnails, &name(item, version, size), &JPEG).unwrap();
        assert_eq!(got.mime, "image/jpeg");
    }
    assert_eq!(thumbnails.bytes().unwrap(), 48);
    assert_eq!(store(&thumbnails, &name("a", "2", "WM"), b""), None);
    assert_eq!(in_dir(dir.path()), ["a-2-WM", "ab-1-WS", "b-1-WS"]);
    assert_eq!(thumbnails.bytes().unwrap(), 24);
    thumbnails.clear().unwrap();
    assert_eq!(in_dir(dir.path()), Vec::<String>::new());
}

#[test]
fn what_is_no_picture_is_none_and_that_is_believed_for_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    let none = name("a", "1", "WS");
    assert_eq!(store(&thumbnails, &none, b"<html>........"), None);
    let kept = |days: i64| {
        let now_ms = now_ms() + days * 24 * 3600 * 1000;
        thumbnails.kept("a-1-WS", now_ms).unwrap()
    };
    assert_eq!(
        fs::metadata(dir.path().join("thumbs/a-1-WS"))
            .unwrap()
            .len(),
        0
    );
    assert_eq!((kept(0), kept(2), kept(-2)), (Some(None), None, None));
}

#[test]
fn a_damaged_file_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    store(&thumbnails, &name("a", "1", "WS"), &JPEG).unwrap();
    assert!(thumbnails.kept("a-1-WS", now_ms()).unwrap().is_some());
    fs::write(dir.path().join("thumbs/a-1-WS"), [0; 100]).unwrap();
    assert_eq!(thumbnails.kept("a-1-WS", now_ms()).unwrap(), None);
}

#[test]
fn what_was_begun_and_not_finished_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    let busy = crate::drive::Life::new().busy().unwrap();
    let new = New::begin(thumbnails.clone(), "a-1-WS", busy).unwrap();
    let new = new.write(&JPEG).unwrap();
    assert_eq!(in_dir(dir.path()).len(), 1);
    assert_eq!(thumbnails.bytes().unwrap(), 0);
    drop(new);
    assert_eq!(in_dir(dir.path()), Vec::<String>::new());
}

#[test]
fn what_a_killed_process_left_goes_and_what_another_writes_stays() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    store(&thumbnails, &name("a", "1", "WS"), &JPEG).unwrap();
    let at = |name: &str| dir.path().join("thumbs").join(name);
    for left in [".a-1-WS.old", ".a-1-WS.held", ".a-1-WS.young"] {
        fs::write(at(left), JPEG).unwrap();
    }
    age(&at(".a-1-WS.old"), 3600);
    age(&at(".a-1-WS.held"), 3600);
    age(&at("a-1-WS"), 3600);
    let _held = RealDisk.open_append(&at(".a-1-WS.held")).unwrap();
    opened(dir.path());
    assert_eq!(
        in_dir(dir.path()),
        [".a-1-WS.held", ".a-1-WS.young", "a-1-WS"]
    );
}

#[test]
fn the_longest_unused_go_when_there_are_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let thumbnails = opened(dir.path());
    let mut large = JPEG.to_vec();
    large.resize(LONGEST as usize, 0);
    for n in 0..16 {
        store(&thumbnails, &name(&format!("i{n:02}"), "1", "WS"), &large).unwrap();
        let path = dir.path().join(format!("thumbs/i{n:02}-1-WS"));
        age(&path, 100_000 - n * 1000);
    }
    assert_eq!(in_dir(dir.path()).len(), 16);
    // Used: it is as if it were new.
    assert!(thumbnails.kept("i00-1-WS", now_ms()).unwrap().is_some());
    store(&thumbnails, &name("new", "1", "WS"), &JPEG).unwrap();
    let left = in_dir(dir.path());
    assert!(left.contains(&"i00-1-WS".to_owned()), "{left:?}");
    assert!(left.contains(&"new-1-WS".to_owned()), "{left:?}");
    assert!(!left.contains(&"i01-1-WS".to_owned()), "{left:?}");
    assert!(left.contains(&"i15-1-WS".to_owned()), "{left:?}");
    assert!(thumbnails.bytes().unwrap() <= BUDGET / 10 * 9 + BLOCK);
}
