//! Looking around, online and offline.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use serde_json::Value;

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[test]
fn without_a_path_the_four_spaces_are_listed() {
    let world = World::with_sync_files(&[]);
    assert_eq!(
        world.run(&["ls"]).stdout,
        "Sync/\nBackup/\nArchive/\nTrash/\n"
    );
}

#[test]
fn a_folder_that_was_never_listed_is_asked_for_then_read_without_the_network() {
    let world = World::with_sync_files(&[
        ("Docs/b.txt", b"b"),
        ("Docs/a.txt", b"a"),
        ("Docs/In/x", b"x"),
    ]);
    assert_eq!(
        world.run(&["ls", "Sync/Docs"]).stdout,
        "In/\na.txt\nb.txt\n"
    );
    let before = world.cloud.counts().requests;
    assert_eq!(
        world.run(&["ls", "Sync/Docs"]).stdout,
        "In/\na.txt\nb.txt\n"
    );
    assert_eq!(world.cloud.counts().requests, before);
    let writer = world.cloud.writer();
    writer.put("/Jotta/Sync/Docs/c.txt", b"c").unwrap();
    assert_eq!(
        names(&world.json(&["ls", "Sync/Docs"])),
        ["In", "a.txt", "b.txt"]
    );
    assert_eq!(
        names(&world.json(&["ls", "Sync/Docs", "--refresh"])),
        ["In", "a.txt", "b.txt", "c.txt"]
    );
}

#[test]
fn offline_shows_what_is_known_and_says_what_is_not() {
    let mut world = World::with_sync_files(&[("Docs/a.txt", b"a"), ("Other/b.txt", b"b")]);
    assert_eq!(world.run(&["ls", "Sync/Docs"]).code, 0);
    world
        .cloud
        .trouble()
        .add(local_cloud::Rule::on_all().status(500));
    assert_eq!(
        world.run(&["ls", "Sync/Docs", "--offline"]).stdout,
        "a.txt\n"
    );
    let unknown = world
        .run(&["ls", "Sync/Other", "--offline", "--json"])
        .failed(4);
    assert_eq!(unknown.error()["kind"], "not_known");
    assert_eq!(unknown.error()["retry"], "when_online");
    world.cloud = local_cloud::Cloud::start(local_cloud::CloudOptions::default()).unwrap();
    let down = world.run(&["ls", "Sync/Other", "--json"]).failed(5);
    assert_eq!(down.error()["kind"], "offline");
}

#[test]
fn what_does_not_exist_has_its_own_exit_code() {
    let world = World::with_sync_files(&[("Docs/a.txt", b"a")]);
    for path in [
        "Sync/nothing",
        "Sync/Docs/nothing",
        "Sync/nothing/deeper",
        "Archive/nothing",
    ] {
        let ran = world.run(&["ls", path, "--json"]).failed(4);
        assert_eq!(ran.error()["kind"], "no_such_item", "{path}");
    }
    world.run(&["ls", "Elsewhere/a"]).failed(2);
}

#[test]
fn paths_are_found_in_any_case_and_by_id() {
    let world = World::with_sync_files(&[("Docs/a.txt", b"a")]);
    let list = world.json(&["ls", "sync/docs"]);
    assert_eq!(list["items"][0]["path"], "Sync/Docs/a.txt");
    let id = format!("id:{}", list["items"][0]["id"].as_str().unwrap());
    let one = world.json(&["ls", &id]);
    assert_eq!(one["items"][0]["path"], "Sync/Docs/a.txt");
    assert_eq!(one["items"][0]["size"], 1);
}

#[test]
fn an_item_says_what_may_be_done_and_where_it_leads() {
    let world = World::with_sync_files(&[("a.txt", b"a")]);
    let list = world.json(&["ls", "Sync"]);
    let capabilities = &list["items"][0]["capabilities"];
    assert_eq!(capabilities["trash"], "deleted_on_all_computers");
    assert_eq!(capabilities["edit"], "reaches_all_computers");
    let text = world.run(&["ls", "Sync", "--capabilities"]).stdout;
    assert!(text.contains("deleted_on_all_computers"), "{text}");
}

#[test]
fn a_long_listing_shows_size_and_time() {
    let world = World::with_sync_files(&[]);
    let writer = world.cloud.writer();
    writer
        .put_at("/Jotta/Sync/a.txt", &[0; 1500], 0, 1_700_000_000_000)
        .unwrap();
    let text = world.run(&["ls", "Sync", "--long"]).stdout;
    assert!(text.contains("1.50 kB  2023-11-14 22:13  a.txt"), "{text}");
}

#[test]
fn a_tree_is_learned_at_once_and_shown_whole() {
    let world =
        World::with_sync_files(&[("A/B/c.txt", b"12345"), ("A/d.txt", b"1"), ("e.txt", b"")]);
    let text = world.run(&["tree", "Sync"]).stdout;
    assert_eq!(
        text,
        "Sync\n  A/\n    B/\n      c.txt  5 B\n    d.txt  1 B\n  e.txt  0 B\n\n3 files in 2 folders, 6 B\n"
    );
    assert_eq!(world.cloud.counts().requests_of("liststream"), 1);
    let short = world
        .run(&["tree", "Sync", "--depth", "1", "--offline"])
        .stdout;
    assert!(short.starts_with("Sync\n  A/\n  e.txt"), "{short}");
    let json = world.json(&["tree", "Sync/A"]);
    assert_eq!(json["files"], 2);
    assert_eq!(json["items"][0]["path"], "Sync/A/B");
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
}

#[test]
fn a_tree_below_a_folder_that_was_only_listed_is_learned_too() {
    let world = World::with_sync_files(&[("A/B/c.txt", b"12345")]);
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    assert!(
        world
            .run(&["tree", "Sync", "--offline"])
            .stdout
            .contains("(not listed)")
    );
    assert!(world.run(&["tree", "Sync"]).stdout.contains("c.txt"));
}

#[test]
fn indexing_tells_what_it_found_and_moves_no_content() {
    let world = World::with_sync_files(&[("A/b.txt", b"12345"), ("c.txt", b"1")]);
    let found = world.json(&["index", "sync"]);
    assert_eq!(found["items"][0]["space"], "Sync");
    assert_eq!(found["items"][0]["files"], 2);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.json(&["index"])["items"].as_array().unwrap().len(), 4);
    assert_eq!(world.cloud.counts().content_of("Sync"), 0);
}

#[test]
fn a_hostile_name_cannot_reach_the_terminal() {
    let world =
        World::with_sync_files(&[("photo\u{202e}gpj.exe", b"x"), ("zero\u{200b}width", b"y")]);
    for args in [
        &["ls", "Sync"][..],
        &["ls", "Sync", "--json"],
        &["tree", "Sync"],
    ] {
        let text = world.run(args).stdout;
        assert!(
            text.contains("u{202e}") || text.contains("\\u202e"),
            "{text}"
        );
        assert!(
            !text.contains(['\u{202e}', '\u{200b}', '\u{1b}']),
            "{text:?}"
        );
    }
    let json = world.json(&["ls", "Sync"]);
    assert_eq!(names(&json), ["photo\u{202e}gpj.exe", "zero\u{200b}width"]);
    let missing = world.run(&["ls", "Sync/\u{1b}[2J"]).failed(4);
    assert!(!missing.stderr.contains('\u{1b}'), "{:?}", missing.stderr);
}

#[test]
fn a_name_that_a_hostile_server_made_up_stays_text() {
    let world = World::with_sync_files(&[("plain.txt", b"x")]);
    for hostile in [
        "\u{1b}]0;owned\u{7}",
        "../../up",
        "a\u{9b}31mb",
        "line\nbreak",
    ] {
        world.cloud.trouble().clear();
        let rule = local_cloud::Rule::on_all().rename("plain.txt", hostile);
        world.cloud.trouble().add(rule);
        let ran = world.run(&["ls", "Sync", "--refresh"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            !said.trim_end().contains(['\u{1b}', '\u{7}', '\u{9b}']),
            "{said:?}"
        );
        assert!(ran.code == 0 || ran.code == 6, "{said:?}");
        assert!(
            ran.stdout.lines().count() <= 1,
            "one name is one line: {said:?}"
        );
    }
}

#[test]
fn a_sign_in_that_was_ended_elsewhere_leaves_what_is_known_readable() {
    let world = World::with_sync_files(&[("a.txt", b"x")]);
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    world.cloud.revoke_sessions().unwrap();
    let ran = world.run(&["ls", "Sync", "--refresh", "--json"]).failed(3);
    assert_eq!(ran.error()["kind"], "sign_in_needed");
    assert_eq!(world.json(&["status"])["account"]["sign_in"], "again");
    assert_eq!(world.run(&["ls", "Sync", "--offline"]).stdout, "a.txt\n");
    world.login();
    assert_eq!(world.run(&["ls", "Sync", "--refresh"]).stdout, "a.txt\n");
}

#[test]
fn an_answer_without_sense_changes_nothing_and_has_its_own_exit_code() {
    let world = World::with_sync_files(&[("a.txt", b"x")]);
    assert_eq!(world.run(&["ls", "Sync"]).code, 0);
    world.cloud.trouble().add(
        local_cloud::Rule::on_all()
            .path("/Jotta/Sync")
            .garbage(10_000),
    );
    let ran = world.run(&["ls", "Sync", "--refresh", "--json"]).failed(6);
    assert_eq!(ran.error()["kind"], "bad_answer");
    assert_eq!(world.run(&["ls", "Sync"]).stdout, "a.txt\n");
}

#[test]
fn a_reader_that_hangs_up_is_no_error_worth_a_word() {
    let files: Vec<String> = (0..3000)
        .map(|n| format!("many/file-with-a-long-name-{n}.txt"))
        .collect();
    let world = World::with_sync_files(&[]);
    for file in &files {
        world
            .cloud
            .writer()
            .put_generated(&format!("/Jotta/Sync/{file}"), 1, 1, 0)
            .unwrap();
    }
    assert_eq!(world.run(&["index", "Sync"]).code, 0);
    let mut child = world
        .command(&["ls", "Sync/many", "--json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = common::ended(child).failed(141);
    assert_eq!(ran.stderr, "");
}
