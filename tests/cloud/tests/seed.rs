//! What the seeder puts into a cloud.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Entry, Plan, Switches};
use std::collections::BTreeMap;

fn seeded(plan: Plan) -> (Cloud, u64) {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    let files = cloud.seed(plan).unwrap();
    (cloud, files)
}

fn files(cloud: &Cloud, below: &str) -> Vec<Entry> {
    let all = cloud.writer().paths(below).unwrap();
    all.into_iter().filter(|entry| entry.is_file).collect()
}

#[test]
fn the_demo_fills_all_three_spaces_and_says_with_how_many_files() {
    let (cloud, count) = seeded(Plan::Demo);
    assert_eq!(files(&cloud, "/").len() as u64, count);
    for space in [
        "/Jotta/Sync",
        "/Jotta/Archive",
        "/KARI-PC",
        "/Karis MacBook",
    ] {
        assert!(files(&cloud, space).len() >= 9, "{space}");
    }
}

#[test]
fn two_runs_of_the_demo_are_alike() {
    let look = || -> BTreeMap<String, (String, u64, i64, i64)> {
        let (cloud, _) = seeded(Plan::Demo);
        let all = files(&cloud, "/").into_iter();
        all.map(|file| {
            (
                file.path,
                (file.md5, file.size, file.modified, file.revision),
            )
        })
        .collect()
    };
    assert_eq!(look(), look());
}

#[test]
fn an_existing_cloud_is_not_seeded_again() {
    let (cloud, _) = seeded(Plan::Demo);
    assert_eq!(cloud.seed_if_empty(Plan::Demo).unwrap(), 0);
    let fresh = Cloud::start(CloudOptions::default()).unwrap();
    assert!(fresh.seed_if_empty(Plan::Demo).unwrap() > 0);
}

#[test]
fn the_demo_has_versions_trash_a_link_and_names_of_255_characters() {
    let (cloud, _) = seeded(Plan::Demo);
    let writer = cloud.writer();
    let report = writer
        .entry("/Jotta/Sync/Documents/Report.docx")
        .unwrap()
        .unwrap();
    assert_eq!(report.revision, 5);
    for gone in ["/Jotta/Sync/Notes/Old idea.md", "/Jotta/Archive/Unsorted"] {
        assert!(
            writer.entry(gone).unwrap().unwrap().deleted.is_some(),
            "{gone}"
        );
    }
    let odd = files(&cloud, "/Jotta/Sync/Odd names");
    let longest = odd
        .iter()
        .filter(|file| file.path.rsplit('/').next().unwrap().chars().count() == 255);
    assert_eq!(longest.count(), 2);
    assert!(
        odd.iter()
            .any(|file| file.path.ends_with("/trailing space "))
    );
    assert!(
        odd.iter().any(|file| file.path.contains("cafe\u{301}")),
        "decomposed as it was written"
    );
}

#[test]
fn the_demo_fits_under_every_answer_of_every_switch() {
    for (name, switches) in Switches::each_alternative() {
        let options = CloudOptions {
            switches,
            ..CloudOptions::default()
        };
        let cloud = Cloud::start(options).unwrap();
        assert!(
            cloud.seed(Plan::Demo).is_ok_and(|files| files > 90),
            "{name}"
        );
    }
}

#[test]
fn pictures_are_jpegs_with_exif_and_documents_are_what_their_names_say() {
    let (cloud, _) = seeded(Plan::Demo);
    let writer = cloud.writer();
    let mut seen = BTreeMap::new();
    for file in files(&cloud, "/") {
        let (_, end) = file.path.rsplit_once('.').unwrap_or(("", ""));
        let end = end.to_lowercase();
        let magic: &[&[u8]] = match end.as_str() {
            "jpg" => &[b"\xff\xd8\xff\xe1", b"Exif\0\0II*\0"],
            "pdf" => &[b"%PDF-1.4"],
            "docx" => &[b"PK\x03\x04", b"word/document.xml"],
            "mp4" => &[b"ftypisom", b"moov"],
            _ => continue,
        };
        let content = writer.read(&file.path).unwrap();
        for part in magic {
            assert!(
                content.windows(part.len()).any(|window| window == *part),
                "{}",
                file.path
            );
        }
        *seen.entry(end).or_insert(0) += 1;
    }
    let kinds: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["docx", "jpg", "mp4", "pdf"]);
}

#[test]
fn a_large_tree_takes_no_room_for_content() {
    let plan: Plan = "scale:2000:100".parse().unwrap();
    let (cloud, count) = seeded(plan);
    assert_eq!(count, 2_000);
    let all = cloud.writer().paths("/Jotta/Sync/Scale").unwrap();
    assert_eq!(all.iter().filter(|entry| entry.is_file).count(), 2_000);
    let some = all.iter().find(|entry| entry.is_file).unwrap();
    assert_eq!(
        cloud.writer().read(&some.path).unwrap().len() as u64,
        some.size
    );
    let blobs = cloud.directory().join("blobs");
    assert_eq!(bytes_below(&blobs), 0);
    cloud.writer().put("/Jotta/Sync/a", b"12345").unwrap();
    assert_eq!(bytes_below(&blobs), 5, "what is written does take room");
}

fn bytes_below(directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                bytes_below(&path)
            } else {
                path.metadata().unwrap().len()
            }
        })
        .sum()
}
