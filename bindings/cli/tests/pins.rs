//! What is kept on this machine, and what is not.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, stdout_of};
use local_cloud::{Cloud, CloudOptions, Rule};
use std::time::Duration;

fn with_trip() -> World {
    World::with_sync_files(&[
        ("Trip/map.pdf", &[1; 200_000]),
        ("Trip/In/ticket.pdf", &[2; 70_000]),
        ("other.txt", b"other"),
    ])
}

#[test]
fn a_pinned_folder_is_read_without_the_network() {
    let mut world = with_trip();
    let pinned = world.json(&["pin", "Sync/Trip"]);
    assert_eq!(pinned["run"], serde_json::Value::Null);
    assert_eq!(pinned["pin"]["item"]["path"], "Sync/Trip");
    assert_eq!(
        (&pinned["pin"]["files"], &pinned["pin"]["bytes"]),
        (&2.into(), &270_000.into())
    );
    assert_eq!(
        world.cloud.counts().content_of("Sync"),
        0,
        "a pin fetches nothing"
    );
    let run = world.json(&["keep"]);
    assert_eq!(
        (&run["files"], &run["fetched"]),
        (&2.into(), &270_000.into())
    );
    assert_eq!(
        (&run["missing_files"], &run["waiting"]),
        (&0.into(), &serde_json::Value::Null)
    );
    assert_eq!(world.cloud.counts().content_of("Sync"), 270_000);
    assert_eq!(world.json(&["keep"])["fetched"], 0, "nothing changed");
    let pins = world.json(&["pins"]);
    assert_eq!(pins["items"][0]["whole_files"], 2);
    assert_eq!(pins["items"][0]["stale_since_ms"], serde_json::Value::Null);
    let ledger = world.json(&["status"])["ledger"].clone();
    assert_eq!(
        (&ledger[0]["purpose"], &ledger[0]["bytes"]),
        (&"pin".into(), &270_000.into())
    );
    assert_eq!(ledger[0]["network"], "unmetered");

    // In the air.
    world.cloud = Cloud::start(CloudOptions::default()).unwrap();
    let (code, bytes) = stdout_of(world.command(&["cat", "Sync/Trip/map.pdf"]));
    assert!(code == 0 && bytes == [1; 200_000]);
    let got = world.json(&["get", "Sync/Trip/In/ticket.pdf"]);
    assert_eq!(
        (&got["fetched"], &got["item"]["local"]),
        (&0.into(), &"whole".into())
    );
    assert_eq!(got["item"]["pinned"], true);
    let ran = world.run(&["get", "Sync/other.txt", "--json"]).failed(5);
    assert_eq!(ran.error()["kind"], "offline");
}

#[test]
fn a_pin_that_is_too_large_says_how_large_and_pins_nothing() {
    let world = with_trip();
    let pin = ["pin", "Sync/Trip", "--up-to", "100kB"];
    let ran = world.run(&pin).failed(7);
    for part in ["270000 bytes", "2 files", "100.00 kB", "--up-to"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let ran = world.run(&[&pin[..], &["--json"]].concat()).failed(7);
    assert_eq!(ran.error()["kind"], "larger_than_allowed");
    assert_eq!(world.json(&["pins"])["items"].as_array().unwrap().len(), 0);
    world
        .run(&["pin", "Sync/Trip", "--up-to", "270kB"])
        .failed(0);
    let text = world.run(&["pins"]).failed(0).stdout;
    assert!(text.contains("Sync/Trip  0 of 2 files here"), "{text}");
}

#[test]
fn a_pin_follows_what_changes_and_says_since_when_it_is_stale() {
    let world = with_trip();
    let now = world.json(&["pin", "Sync/Trip", "--now"]);
    assert_eq!(now["pin"]["whole_files"], 2, "{now}");
    assert_eq!(now["run"]["fetched"], 270_000);
    let writer = world.cloud.writer();
    writer.put("/Jotta/Sync/Trip/map.pdf", &[9; 1000]).unwrap();
    world.run(&["ls", "Sync/Trip", "--refresh"]).failed(0);
    let pin = world.json(&["pins"])["items"][0].clone();
    assert_eq!(
        (&pin["whole_files"], &pin["stale_files"]),
        (&1.into(), &1.into())
    );
    assert!(pin["stale_since_ms"].as_i64().unwrap() > 1_700_000_000_000);
    assert!(world.run(&["pins"]).stdout.contains("stale since"));
    assert_eq!(world.json(&["keep"])["fetched"], 1000);
    assert_eq!(world.json(&["pins"])["items"][0]["stale_files"], 0);
}

#[test]
fn the_rules_hold_back_what_is_pinned_and_say_why() {
    let world = with_trip();
    world.run(&["pin", "Sync/Trip"]).failed(0);
    let held = world.run(&["keep", "--metered", "--json"]).failed(7);
    assert_eq!(held.json()["waiting"]["reason"], "metered");
    assert_eq!(held.json()["missing_bytes"], 270_000);
    assert_eq!(held.error()["kind"], "waiting");
    assert_eq!(
        world.json(&["status", "--metered"])["waiting"]["reason"],
        "metered"
    );
    let why = world.json(&["why", "Sync/Trip/map.pdf", "--metered"]);
    assert_eq!(why["local"], "absent");
    assert_eq!(
        (&why["pinned_by"], &why["waiting"]["reason"]),
        (&"Sync/Trip".into(), &"metered".into())
    );
    let said = world.run(&["why", "Sync/Trip/map.pdf", "--metered"]).stdout;
    assert!(
        said.contains(why["explanation"].as_str().unwrap()),
        "{said}"
    );
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
    // What a person asks for is not held back.
    world.run(&["get", "Sync/other.txt", "--roaming"]).failed(0);
    let rules = world.json(&["rules", "--on-metered", "yes"]);
    assert_eq!(
        (&rules["on_metered"], &rules["on_roaming"]),
        (&true.into(), &false.into())
    );
    let held = world.run(&["keep", "--roaming", "--json"]).failed(7);
    assert_eq!(held.json()["waiting"]["reason"], "roaming");
    world.run(&["rules", "--monthly", "100kB"]).failed(0);
    assert_eq!(world.json(&["rules"])["metered_bytes_a_month"], 100_000);
    let capped = world.run(&["keep", "--metered", "--json"]).failed(7);
    assert_eq!(capped.json()["waiting"]["reason"], "data_cap");
    let none = world.json(&["rules", "--monthly", "none"]);
    assert_eq!(none["metered_bytes_a_month"], serde_json::Value::Null);
    assert_eq!(world.json(&["keep", "--metered"])["missing_files"], 0);
    let ledger = world.json(&["status"])["ledger"].clone();
    let metered: u64 = ledger
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["network"] == "metered")
        .map(|row| row["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(metered, 270_005);
}

#[test]
fn what_cannot_come_has_its_own_exit_code() {
    let world = with_trip();
    world.run(&["pin", "Sync/Trip"]).failed(0);
    let bad = Rule::on("bin").path("/Jotta/Sync/Trip/map.pdf").status(500);
    world.cloud.trouble().add(bad);
    let ran = world.run(&["keep", "--json"]).failed(6);
    assert_eq!(ran.error()["kind"], "server_busy");
    assert_eq!(ran.json()["missing_files"], 1);
    assert_eq!(ran.json()["failed"][0]["path"], "Sync/Trip/map.pdf");
    assert_eq!(
        ran.json()["files"],
        1,
        "one failure does not keep the others"
    );
}

#[test]
fn unpinning_keeps_or_drops_and_eviction_spares_what_is_pinned() {
    let world = with_trip();
    world.run(&["pin", "Sync/Trip", "--now"]).failed(0);
    let spared = world.json(&["evict", "Sync/Trip"]);
    assert_eq!((&spared["files"], &spared["kept"]), (&0.into(), &2.into()));
    let text = world.run(&["evict", "Sync/Trip"]).failed(0).stdout;
    assert!(text.contains("2 files stayed"), "{text}");
    let usage = world.json(&["usage"])["spaces"]["Sync"].clone();
    assert_eq!(usage["whole_files"], 2);
    assert!(
        usage["pinned_bytes"].as_u64().unwrap() >= 270_000,
        "{usage}"
    );
    let inner = world.run(&["unpin", "Sync/Trip/In", "--json"]).failed(7);
    assert_eq!(inner.error()["kind"], "not_allowed");
    assert_eq!(world.json(&["unpin", "Sync/Trip"])["files"], 0);
    let usage = world.json(&["usage"])["spaces"]["Sync"].clone();
    assert_eq!(
        (&usage["pinned_bytes"], &usage["whole_files"]),
        (&0.into(), &2.into())
    );
    assert!(
        usage["cached_bytes"].as_u64().unwrap() >= 270_000,
        "{usage}"
    );
    let gone = world.json(&["evict", "Sync/Trip/In/ticket.pdf"]);
    assert_eq!((&gone["files"], &gone["kept"]), (&1.into(), &0.into()));
    assert_eq!(world.json(&["usage"])["spaces"]["Sync"]["whole_files"], 1);

    world.run(&["pin", "Sync/Trip", "--now"]).failed(0);
    let dropped = world.json(&["unpin", "Sync/Trip", "--drop"]);
    assert_eq!(dropped["files"], 2);
    let usage = world.json(&["usage"])["spaces"]["Sync"].clone();
    assert_eq!(
        (&usage["cached_bytes"], &usage["whole_files"]),
        (&0.into(), &0.into())
    );
    assert_eq!(
        world.json(&["ls", "Sync/Trip"])["items"][1]["local"],
        "absent"
    );
    // The cloud still has it all.
    assert_eq!(
        world.json(&["get", "Sync/Trip/map.pdf"])["fetched"],
        200_000
    );
}

#[test]
fn a_smaller_budget_makes_room_at_once_and_spares_the_latest() {
    let world = with_trip();
    world.run(&["get", "Sync/Trip/map.pdf"]).failed(0);
    std::thread::sleep(Duration::from_millis(20));
    world.run(&["get", "Sync/Trip/In/ticket.pdf"]).failed(0);
    let used = world.json(&["usage", "--budget", "150kB", "--floor", "1MB"]);
    assert_eq!(
        (&used["budget_bytes"], &used["free_floor_bytes"]),
        (&150_000.into(), &1_000_000.into())
    );
    assert_eq!(used["evicted"]["files"], 1);
    let kept = world.json(&["ls", "Sync/Trip/In"]);
    assert_eq!(kept["items"][0]["local"], "whole");
    assert_eq!(
        world.json(&["usage"])["budget_bytes"],
        150_000,
        "it is remembered"
    );
    assert_eq!(world.json(&["usage"])["evicted"], serde_json::Value::Null);
    let text = world.run(&["usage"]).failed(0).stdout;
    assert!(text.contains("150.00 kB"), "{text}");
    assert_eq!(world.json(&["status"])["usage"]["budget_bytes"], 150_000);
}
