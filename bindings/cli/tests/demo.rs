//! The walk-through, and that it can fail.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;

#[test]
fn the_demo_passes_and_ends_with_no_byte_of_sync_fetched_unasked() {
    let world = World::new();
    let ran = world.run(&["demo"]).failed(0);
    assert_eq!(
        ran.stdout.lines().last(),
        Some("Sync bytes fetched unasked: 0")
    );
    assert_eq!(ran.stderr, "");
    assert!(
        ran.stdout.contains("At the destination: nothing."),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("(1 refresh)"), "{}", ran.stdout);
    assert!(
        !world.data().exists(),
        "the demo leaves a person's own directory alone"
    );
}

#[test]
fn the_demo_fails_when_one_byte_of_sync_is_fetched_behind_its_back() {
    let world = World::new();
    let ran = world.run(&["demo", "--plant-a-byte"]).failed(10);
    assert_eq!(
        ran.stdout.lines().last(),
        Some("Sync bytes fetched unasked: 1")
    );
    assert!(ran.stderr.contains("unasked"), "{}", ran.stderr);
}

#[test]
fn the_demo_tells_programs_the_same_story() {
    let world = World::new();
    let told = world.json(&["demo"]);
    assert_eq!(told["sync_bytes_unasked"], 0);
    let steps: Vec<_> = told["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "cloud",
            "sign_in",
            "index",
            "browse",
            "consequences",
            "changes",
            "download",
            "resume",
            "token",
            "search",
            "stream",
            "pin",
            "thumbnail",
            "watch",
            "edit",
            "conflict",
            "version",
            "link",
            "trash",
            "camera",
            "proof",
            "ledger"
        ]
    );
    for count in told["counts"].as_array().unwrap() {
        assert_eq!(count["ledger"], count["served"], "{count}");
    }
    let resume = &told["steps"][7];
    let (bytes, fetched) = (
        resume["bytes"].as_u64().unwrap(),
        resume["fetched_after_the_break"].as_u64().unwrap(),
    );
    assert!(fetched > 0 && fetched < bytes, "{resume}");
    assert_eq!(told["steps"][8]["refreshes"], 1);
    let stream = &told["steps"][10];
    let (asked, fetched) = (
        stream["asked"].as_u64().unwrap(),
        stream["fetched"].as_u64().unwrap(),
    );
    assert!(
        asked > 0 && asked <= fetched && fetched <= 2 * asked,
        "{stream}"
    );
    let pin = &told["steps"][11];
    assert_eq!(
        (&pin["fetched"], &pin["requests"]),
        (&pin["bytes"], &0.into())
    );
    // One file waits, however many changes it has.
    let edit = &told["steps"][14];
    assert_eq!(
        (&edit["waited"], &edit["sent_bytes"]),
        (&1.into(), &27.into())
    );
    // Six files, one of them a copy: by month, and none a second time.
    let (camera, proof) = (&told["steps"][19], &told["steps"][20]);
    assert_eq!(
        (&camera["files"], &camera["months"]),
        (&5.into(), &2.into())
    );
    assert!(camera["sent_bytes"].as_u64() > Some(0), "{camera}");
    assert_eq!(proof["sent_bytes"], 0);
    let planted = world.run(&["demo", "--plant-a-byte", "--json"]).failed(10);
    assert_eq!(planted.json()["sync_bytes_unasked"], 1);
    assert_eq!(planted.error()["kind"], "demo_failed");
}
