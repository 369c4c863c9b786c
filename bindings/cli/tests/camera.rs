//! The camera backup from the command line: what is sent, once, where to, and why not.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Ran, Running, World, wait_until};
use local_cloud::Rule;
use serde_json::{Value, json};
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// 2024-01-31 20:00 in UTC.
const WRITTEN_S: u64 = 1_706_731_200;

/// Signed in, with a device to back up to.
fn world() -> World {
    let world = World::with_sync_files(&[]);
    world
        .run(&["camera", "device", "create", "Pixel"])
        .failed(0);
    world
}

/// A file of this machine that was written long ago.
fn write(world: &World, path: &str, content: &str) -> PathBuf {
    let path = world.here().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let written = UNIX_EPOCH + Duration::from_secs(WRITTEN_S);
    file.set_modified(written).unwrap();
    path
}

/// What lives below a mount point of the device.
fn there(world: &World, mount: &str) -> Vec<String> {
    let prefix = format!("/Pixel/{mount}");
    let entries = world.cloud.writer().paths(&prefix).unwrap();
    let files = entries.into_iter().filter(|entry| entry.is_file);
    let mut paths: Vec<String> = files
        .map(|entry| entry.path[prefix.len() + 1..].to_owned())
        .collect();
    paths.sort();
    paths
}

/// A camera roll with a photo, the same under another name, and a live pair.
fn roll(world: &World) {
    write(world, "roll/Camera/IMG_1.JPG", "one");
    write(world, "roll/Chat/copy of one.jpg", "one");
    write(world, "roll/Camera/IMG_2.HEIC", "still");
    write(world, "roll/Camera/IMG_2.MOV", "moving");
}

fn camera(world: &World, rest: &[&str]) -> Value {
    world.json(&[&["camera"], rest].concat())
}

fn tried(world: &World, rest: &[&str]) -> Ran {
    world.run(&[&["camera"], rest].concat())
}

#[test]
fn a_camera_roll_is_sent_once_by_month_and_a_second_run_sends_nothing() {
    let world = world();
    roll(&world);
    let added = camera(&world, &["add", "roll", "--name", "Photos", "--roll"]);
    assert_eq!(added["source"]["roll"], true);
    assert_eq!(added["source"]["mount"], "Photos");
    assert_eq!(
        (&added["scan"]["seen"], &added["scan"]["complete"]),
        (&3.into(), &true.into())
    );

    let run = camera(&world, &["run"]);
    assert_eq!((&run["done"], &run["remaining"]), (&3.into(), &0.into()));
    assert_eq!(
        (&run["sent_bytes"], &run["next"]),
        (&14.into(), &"idle".into())
    );
    let all = there(&world, "Photos");
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(all[1..], ["2024/01/IMG_2.HEIC", "2024/01/IMG_2.MOV"]);

    let uploads = world.cloud.counts().requests_of("upload");
    assert!(uploads > 0);
    let ran = tried(&world, &["run"]).failed(0);
    assert!(ran.stdout.contains("Photos: 3 items\n"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("0 files in the cloud and proven, 0 B sent"),
        "{}",
        ran.stdout
    );
    assert_eq!(world.cloud.counts().requests_of("upload"), uploads);

    // Renamed and in another album it is the same photo.
    let moved = world.here().join("roll/Camera/renamed.jpg");
    std::fs::rename(world.here().join("roll/Camera/IMG_1.JPG"), moved).unwrap();
    let run = camera(&world, &["run"]);
    assert_eq!((&run["read"], &run["sent_bytes"]), (&1.into(), &0.into()));
    assert_eq!(there(&world, "Photos"), all);

    let receipts = camera(&world, &["receipts"]);
    let receipts = receipts["items"].as_array().unwrap();
    let live = receipts
        .iter()
        .find(|receipt| receipt["role"] == "paired_video")
        .unwrap();
    assert_eq!(live["asset"], "Camera/IMG_2");
    assert_eq!(live["path"], "Pixel/Photos/2024/01/IMG_2.MOV");
    assert!(live["uuid"].is_string() && live["blake3"].is_string());
    let status = camera(&world, &["status"]);
    assert_eq!(status["verified"], json!({"items": 3, "bytes": 14}));
    assert_eq!(status["device"], "Pixel");
    let audit = camera(&world, &["audit", "2"]);
    assert_eq!((&audit["read"], &audit["wrong"]), (&2.into(), &0.into()));
}

#[test]
fn the_month_is_that_of_this_machine_s_clock() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    let in_tokyo = |args: &[&str]| {
        let mut command = world.command(args);
        command.env("TZ", "JST-9");
        common::ended(command.spawn().unwrap()).failed(0);
    };
    in_tokyo(&["camera", "add", "roll", "--roll"]);
    in_tokyo(&["camera", "run"]);
    assert_eq!(there(&world, "roll"), ["2024/02/a.jpg"]);
}

#[test]
fn what_rules_leave_out_is_told_before_and_afterwards() {
    let world = world();
    roll(&world);
    write(&world, "roll/.trashed/gone.jpg", "gone");
    camera(&world, &["add", "roll", "--roll"]);
    let preview = camera(&world, &["preview", "roll"]);
    assert_eq!(
        (&preview["assets"], &preview["bytes"]),
        (&3.into(), &17.into())
    );
    assert_eq!(preview["skipped"], json!({"hidden": 1}));
    // Only tried out.
    let tried_out = camera(&world, &["preview", "roll", "--only-album", "Camera"]);
    assert_eq!(tried_out["skipped"], json!({"other_album": 2}));
    let ran = tried(&world, &["preview", "roll", "--without-album", "Chat"]).failed(0);
    assert!(
        ran.stdout
            .contains("1 left out because its album is left out"),
        "{}",
        ran.stdout
    );
    assert_eq!(camera(&world, &["preview", "roll"]), preview);

    let set = camera(
        &world,
        &["rules", "roll", "--without-album", "Chat", "--at-most", "5"],
    );
    assert_eq!(set["rules"]["at_most_bytes"], 5);
    let why = camera(&world, &["why", "roll", "Chat/copy of one"]);
    assert_eq!(
        (&why["state"], &why["skipped"]),
        (&"skipped".into(), &"album".into())
    );
    let why = camera(&world, &["why", "roll", "Camera/IMG_2"]);
    assert_eq!(why["skipped"], "size", "both halves count");
    camera(&world, &["run"]);
    assert_eq!(there(&world, "roll"), ["2024/01/IMG_1.JPG"]);
    let why = camera(&world, &["why", "1", "Camera/IMG_1"]);
    assert_eq!(
        (&why["state"], &why["hold"]),
        (&"verified".into(), &Value::Null)
    );
    assert_eq!(why["paths"], json!(["2024/01/IMG_1.JPG"]));

    camera(&world, &["rules", "roll", "--everything"]);
    assert_eq!(camera(&world, &["run"])["sent_bytes"], 11);
    tried(&world, &["why", "roll", "nothing"]).failed(4);
    tried(&world, &["why", "nowhere", "nothing"]).failed(4);
}

#[test]
fn only_what_comes_from_now_on_is_sent_if_that_was_said() {
    let world = world();
    write(&world, "roll/old.jpg", "old");
    camera(&world, &["add", "roll", "--roll", "--from-now"]);
    write(&world, "roll/new.jpg", "new");
    camera(&world, &["run"]);
    assert_eq!(there(&world, "roll"), ["2024/01/new.jpg"]);
}

#[test]
fn a_folder_keeps_its_paths_and_a_mirrored_one_its_deletions() {
    let world = world();
    for name in ["a.txt", "sub/b.txt", "sub/same as b.txt"] {
        write(&world, &format!("notes/{name}"), "text");
    }
    camera(&world, &["add", "notes", "--mount", "My notes"]);
    camera(&world, &["run"]);
    let all = ["a.txt", "sub/b.txt", "sub/same as b.txt"];
    assert_eq!(there(&world, "My notes"), all);

    std::fs::remove_file(world.here().join("notes/a.txt")).unwrap();
    camera(&world, &["run"]);
    assert_eq!(there(&world, "My notes"), all, "absence is not deletion");
    let mirror = camera(&world, &["mirror", "notes", "on"]);
    assert_eq!(
        mirror,
        json!({"mirror": true, "gone": 1, "of": 3, "asks": false, "trashed": 0})
    );
    assert_eq!(camera(&world, &["run"])["trashed"], 1);
    assert_eq!(there(&world, "My notes"), all[1..]);
    assert_eq!(camera(&world, &["mirror", "notes", "off"])["mirror"], false);

    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    tried(&world, &["mirror", "roll", "on"]).failed(2);
}

#[test]
fn a_great_deletion_waits_for_a_word() {
    let world = world();
    for number in 0..60 {
        write(&world, &format!("notes/{number}.txt"), &number.to_string());
    }
    camera(&world, &["add", "notes"]);
    camera(&world, &["mirror", "notes", "on"]);
    camera(&world, &["run"]);
    for number in 1..60 {
        std::fs::remove_file(world.here().join(format!("notes/{number}.txt"))).unwrap();
    }
    assert_eq!(camera(&world, &["run"])["trashed"], 0);
    assert_eq!(there(&world, "notes").len(), 60);
    assert_eq!(camera(&world, &["mirror", "notes", "on"])["asks"], true);
    let allowed = camera(&world, &["mirror", "notes", "allow"]);
    assert_eq!(
        (&allowed["trashed"], &allowed["gone"], &allowed["asks"]),
        (&59.into(), &0.into(), &false.into())
    );
    assert_eq!(there(&world, "notes"), ["0.txt"]);
}

#[test]
fn a_reinstall_claims_the_device_and_sends_nothing_again() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["run"]);
    let uploads = world.cloud.counts().requests_of("upload");
    std::fs::remove_dir_all(world.data()).unwrap();
    world.login();
    camera(&world, &["add", "roll", "--roll"]);
    tried(&world, &["run"]).failed(2);
    tried(&world, &["device", "create", "pixel"]).failed(7);
    let devices = camera(&world, &["device", "list"]);
    assert_eq!(devices["items"], json!([{"name": "Pixel", "ours": false}]));
    let claimed = camera(&world, &["device", "claim", "Pixel"]);
    assert_eq!(
        claimed,
        json!({"device": "Pixel", "files": 3, "adopted": 3, "missing": 0})
    );
    let run = camera(&world, &["run"]);
    assert_eq!((&run["read"], &run["remaining"]), (&4.into(), &0.into()));
    assert_eq!(run["sent_bytes"], 0);
    assert_eq!(world.cloud.counts().requests_of("upload"), uploads);
    tried(&world, &["device", "claim", "Nobody"]).failed(4);
}

#[test]
fn a_source_that_is_added_to_a_claimed_device_is_known_there() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["run"]);
    std::fs::remove_dir_all(world.data()).unwrap();
    world.login();
    camera(&world, &["device", "claim", "Pixel"]);
    let ran = tried(&world, &["add", "roll", "--roll"]).failed(0);
    assert!(ran.stdout.contains("holds 3 files of it"), "{}", ran.stdout);
    assert_eq!(camera(&world, &["run"])["sent_bytes"], 0);
    assert_eq!(camera(&world, &["adopt"])["files"], 3);
}

#[test]
fn space_is_freed_only_of_what_is_proven_and_nothing_is_deleted() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    assert_eq!(
        camera(&world, &["free-up", "--days", "0"])["items"],
        json!([])
    );
    camera(&world, &["run"]);
    // Another client has deleted one in the cloud, and one has changed here.
    world
        .cloud
        .writer()
        .trash("/Pixel/roll/2024/01/IMG_2.MOV")
        .unwrap();
    let told = camera(&world, &["free-up", "--days", "0"]);
    let proofs: Vec<_> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["asset"], &item["proof"]))
        .collect();
    assert_eq!(proofs.len(), 3, "{told}");
    for (asset, proof) in proofs {
        let proven = asset != "Camera/IMG_2";
        assert_eq!(proof == "proven", proven, "{asset} {proof}");
    }
    assert_eq!((&told["proven"], &told["bytes"]), (&2.into(), &6.into()));
    let chat = world.here().join("roll/Chat/copy of one.jpg");
    assert!(chat.exists(), "nothing is moved unasked");

    write(&world, "roll/Chat/copy of one.jpg", "two");
    std::fs::create_dir(world.here().join("roll/bin")).unwrap();
    tried(
        &world,
        &["free-up", "--days", "0", "--remove", "--trash", "roll/bin"],
    )
    .failed(2);
    tried(&world, &["free-up", "--remove"]).failed(2);
    std::fs::create_dir(world.here().join("bin")).unwrap();
    let freed = camera(
        &world,
        &["free-up", "--days", "0", "--remove", "--trash", "bin"],
    );
    let moved: Vec<&Value> = freed["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["proof"] == "proven")
        .collect();
    assert_eq!(moved.len(), 1, "{freed}");
    assert_eq!(moved[0]["asset"], "Camera/IMG_1");
    let to = moved[0]["moved_to"][0].as_str().unwrap();
    assert_eq!(std::fs::read(to).unwrap(), b"one");
    assert!(!world.here().join("roll/Camera/IMG_1.JPG").exists());
    assert!(chat.exists(), "what has changed stays");
    assert!(world.here().join("roll/Camera/IMG_2.HEIC").exists());
    camera(&world, &["run"]);
    let all = there(&world, "roll");
    assert!(
        all.iter()
            .any(|path| path == "2024/01/IMG_1.JPG" || path.contains("copy of one")),
        "what was freed stays in the cloud: {all:?}"
    );
}

#[test]
fn what_is_freed_of_a_mirrored_folder_stays_in_the_cloud() {
    let world = world();
    write(&world, "notes/a.txt", "a");
    write(&world, "notes/b.txt", "b");
    camera(&world, &["add", "notes"]);
    camera(&world, &["mirror", "notes", "on"]);
    camera(&world, &["run"]);
    std::fs::create_dir(world.here().join("bin")).unwrap();
    write(&world, "notes/c.txt", "c");
    let freed = camera(
        &world,
        &["free-up", "--days", "0", "--remove", "--trash", "bin"],
    );
    assert_eq!((&freed["proven"], &freed["bytes"]), (&2.into(), &2.into()));
    assert_eq!(common::names_in(&world.here().join("notes")), ["c.txt"]);
    assert_eq!(camera(&world, &["run"])["trashed"], 0);
    assert_eq!(there(&world, "notes"), ["a.txt", "b.txt", "c.txt"]);
}

#[test]
fn when_the_backup_may_run_is_set_and_told_and_holds_it_back() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["when", "--pause"]);
    let ran = tried(&world, &["run", "--json"]).failed(7);
    assert_eq!(ran.json()["hold"]["hold"], "paused");
    assert_eq!(ran.error()["kind"], "waiting");
    let why = camera(&world, &["why", "roll", "a"]);
    assert_eq!(why["hold"]["hold"], "paused");
    camera(&world, &["when", "--resume"]);
    let ran = tried(&world, &["run", "--metered"]).failed(7);
    assert!(ran.stderr.contains("metered"), "{}", ran.stderr);
    let when = camera(
        &world,
        &[
            "when",
            "--on-metered",
            "yes",
            "--days",
            "mon,sun",
            "--from",
            "22:00",
            "--to",
            "6:00",
        ],
    );
    assert_eq!(
        (&when["rules"]["on_metered"], &when["paused"]),
        (&true.into(), &false.into())
    );
    assert_eq!(
        when["schedule"],
        json!({"days": ["mon", "sun"], "from_minute": 1320, "to_minute": 360})
    );
    let ran = tried(&world, &["when", "--always"]).failed(0);
    assert!(
        ran.stdout.contains("hours                 any"),
        "{}",
        ran.stdout
    );
    tried(&world, &["when", "--days", "mon"]).failed(2);
    tried(&world, &["when", "--from", "25:00", "--to", "6:00"]).failed(2);
    let run = camera(&world, &["run", "--metered"]);
    assert_eq!(run["sent_bytes"], 1);
}

#[test]
fn what_was_deleted_in_the_cloud_stays_so_until_it_is_wanted_again() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["run"]);
    let path = "/Pixel/roll/2024/01/a.jpg";
    world.cloud.writer().trash(path).unwrap();
    assert_eq!(camera(&world, &["adopt"])["missing"], 1);
    camera(&world, &["run"]);
    assert_eq!(there(&world, "roll"), Vec::<String>::new());
    let why = camera(&world, &["why", "roll", "a"]);
    assert_eq!(why["state"], "deleted_in_cloud");
    camera(&world, &["again", "roll", "a"]);
    camera(&world, &["run"]);
    assert_eq!(there(&world, "roll"), ["2024/01/a.jpg"]);
}

#[test]
fn a_file_that_cannot_be_read_needs_a_person_and_holds_up_no_other() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    let other = write(&world, "roll/b.jpg", "b");
    camera(&world, &["add", "roll", "--roll"]);
    std::fs::remove_file(&other).unwrap();
    std::fs::create_dir(&other).unwrap();
    // So deep that the scan does not see all, and the other is not taken for gone.
    let deep = "d/".repeat(101);
    std::fs::create_dir_all(world.here().join("roll").join(deep)).unwrap();
    let ran = tried(&world, &["run", "--json"]).failed(7);
    let run = ran.json();
    assert_eq!(run["scans"][0]["complete"], false);
    assert_eq!((&run["done"], &run["needs_user"]), (&1.into(), &1.into()));
    assert_eq!(ran.error()["kind"], "needs_user");
    let why = camera(&world, &["why", "roll", "b"]);
    assert_eq!(
        (&why["hold"]["hold"], &why["hold"]["why"]),
        (&"needs_user".into(), &"unreadable".into())
    );
    std::fs::remove_dir(&other).unwrap();
    write(&world, "roll/b.jpg", "b");
    let retried = camera(&world, &["retry", "roll", "b"]);
    assert_eq!(retried["needs_user"], 0);
    assert_eq!(camera(&world, &["run"])["done"], 1);
}

#[test]
fn without_the_service_the_backup_waits_and_nothing_is_lost() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    let nowhere = ["run", "--cloud", "http://127.0.0.1:9"];
    let ran = tried(&world, &nowhere).failed(5);
    assert!(ran.stderr.contains("the backup waits"), "{}", ran.stderr);
    let status = camera(&world, &["status"]);
    assert_eq!(status["to_send"], json!({"items": 1, "bytes": 1}));
    assert_eq!(status["hold"]["why"], "busy");
    camera(&world, &["retry"]);
    assert_eq!(camera(&world, &["run"])["done"], 1);
}

#[test]
fn a_photo_that_fails_alone_is_told_and_tried_again() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    let refusal = Rule::on("allocate").status(400);
    world.cloud.trouble().add(refusal);
    let ran = tried(&world, &["run"]).failed(6);
    assert!(ran.stdout.contains("1 file left"), "{}", ran.stdout);
    assert!(ran.stdout.contains("tried again"), "{}", ran.stdout);
    let why = camera(&world, &["why", "roll", "a"]);
    assert_eq!(why["hold"]["hold"], "retry");
    world.cloud.trouble().clear();
    camera(&world, &["retry"]);
    camera(&world, &["run"]);
    assert_eq!(there(&world, "roll"), ["2024/01/a.jpg"]);
}

#[test]
fn after_a_sign_out_nothing_is_backed_up() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    world.run(&["logout"]).failed(0);
    tried(&world, &["sources"]).failed(3);
    world.login();
    assert_eq!(camera(&world, &["sources"])["items"], json!([]));
    assert!(!world.data().join("rolls.json").exists());
}

#[test]
fn sources_overlap_neither_with_each_other_nor_with_our_own_directory() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    tried(&world, &["add", "roll", "--name", "again"]).failed(2);
    tried(&world, &["add", "roll/Camera", "--roll"]).failed(2);
    tried(&world, &["add", ".", "--name", "all", "--roll"]).failed(2);
    let data = world.data();
    tried(&world, &["add", data.to_str().unwrap(), "--roll"]).failed(2);
    tried(&world, &["add", "nowhere"]).failed(2);
    write(&world, "other/a.txt", "a");
    tried(&world, &["add", "other", "--name", "roll"]).failed(2);
    let sources = camera(&world, &["sources"]);
    assert_eq!(sources["items"].as_array().unwrap().len(), 1);
    let folder = std::fs::canonicalize(world.here().join("roll")).unwrap();
    assert_eq!(sources["items"][0]["folder"], folder.to_str().unwrap());
    assert_eq!(camera(&world, &["remove", "roll"]), Value::Null);
    assert_eq!(camera(&world, &["sources"])["items"], json!([]));
}

#[test]
fn a_folder_that_is_not_there_any_more_makes_nothing_gone() {
    let world = world();
    roll(&world);
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["run"]);
    std::fs::rename(world.here().join("roll"), world.here().join("away")).unwrap();
    let scan = camera(&world, &["scan", "roll"])["items"][0].clone();
    assert_eq!(
        (&scan["gone"], &scan["complete"]),
        (&0.into(), &false.into())
    );
    let ran = tried(&world, &["scan"]).failed(0);
    assert!(ran.stderr.contains("Not all of 'roll'"), "{}", ran.stderr);
}

#[test]
fn a_name_from_the_disk_cannot_command_the_terminal() {
    let world = world();
    write(&world, "roll/\u{1b}[2Jalbum/a\u{202e}b.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    camera(&world, &["run"]);
    for args in [
        &["preview", "roll"][..],
        &["receipts"],
        &["free-up", "--days=0"],
    ] {
        let ran = tried(&world, args).failed(0);
        let harmless = !ran.stdout.contains(['\u{1b}', '\u{202e}']);
        assert!(
            harmless && ran.stdout.contains("\\u{"),
            "{args:?}: {}",
            ran.stdout
        );
    }
}

#[test]
fn a_watch_sends_what_comes_and_ends_by_itself_or_with_ctrl_c() {
    let world = world();
    write(&world, "roll/a.jpg", "a");
    camera(&world, &["add", "roll", "--roll"]);
    let watch = Running::start(world.command(&["camera", "watch", "--json"]));
    let first: Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(first["done"], 1);
    write(&world, "roll/b.jpg", "b");
    wait_until("second photo", || there(&world, "roll").len() == 2);
    assert_eq!(watch.stop(), 0);
    tried(&world, &["watch", "roll", "--seconds", "1"]).failed(0);
}
