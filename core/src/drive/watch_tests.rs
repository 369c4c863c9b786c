#![allow(clippy::unwrap_used)]
use super::*;
use crate::account::{MemoryVault, Secret};
use crate::catalog::{Lookup, Space};
use crate::{DriveOptions, Listener};
use local_cloud::{Cloud, CloudOptions, Rule, Switches};
use std::sync::Arc;

/// A day in a few seconds.
const HASTY: Habits = Habits {
    gather: Duration::from_millis(50),
    poll: Duration::from_millis(400),
    vague: Duration::from_millis(1500),
    budget: Duration::from_secs(10),
    first_pause: Duration::from_millis(50),
    longest_pause: Duration::from_millis(400),
    steady: Duration::from_secs(5),
    pins: Duration::from_millis(100),
    held_pins: Duration::from_millis(500),
};

struct World {
    cloud: Cloud,
    drive: Arc<Drive>,
    _directory: tempfile::TempDir,
}

impl World {
    /// A drive that has indexed `Sync/Docs/a` and `Sync/Other/b` and has a person's eye on `Docs`.
    async fn new(events: &str) -> Self {
        let mut switches = Switches::default();
        switches.set("events", events).unwrap();
        let cloud = Cloud::start(CloudOptions {
            switches,
            ..CloudOptions::default()
        })
        .unwrap();
        cloud.writer().put("/Jotta/Sync/Docs/a", b"a").unwrap();
        cloud.writer().put("/Jotta/Sync/Other/b", b"b").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let vault = Arc::new(MemoryVault::default());
        let drive = Drive::open(DriveOptions::new(directory.path().join("drive"), vault)).unwrap();
        let (token, never) = (cloud.login_token().unwrap(), CancelToken::new());
        let account = drive.account();
        account.sign_in(&Secret::new(token), &never).await.unwrap();
        for space in Space::ALL {
            drive.catalog.index(space, &|_| {}, &never).await.unwrap();
        }
        let world = Self {
            cloud,
            drive,
            _directory: directory,
        };
        let Lookup::Found(docs) = world.find("Docs") else {
            panic!("it was indexed");
        };
        world.drive.catalog.set_favourite(&docs.id, true).unwrap();
        world
    }

    fn find(&self, path: &str) -> Lookup {
        let names: Vec<&str> = std::iter::once("Sync").chain(path.split('/')).collect();
        self.drive.catalog.find(&names).unwrap()
    }

    fn knows(&self, path: &str) -> bool {
        matches!(self.find(path), Lookup::Found(_))
    }

    fn watch(&self) -> (CancelToken, tokio::task::JoinHandle<Result<()>>) {
        let (drive, cancel) = (self.drive.clone(), CancelToken::new());
        let token = cancel.clone();
        let watching = tokio::spawn(async move { drive.watch_as(HASTY, &token).await });
        (cancel, watching)
    }

    fn watching(&self) -> bool {
        self.drive.status().unwrap().watching
    }

    fn content_bytes(&self) -> u64 {
        self.cloud.counts().content_bytes.values().sum()
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many listings of any kind were asked for.
fn listings(cloud: &Cloud) -> u64 {
    let counts = cloud.counts();
    ["get", "list", "liststream"]
        .iter()
        .map(|kind| counts.requests_of(kind))
        .sum()
}

#[derive(Default)]
struct Heard(AtomicUsize);

impl Listener for Heard {
    fn on_changed(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn on_account_changed(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_client_does_is_followed_folder_by_folder_without_a_byte_of_content() {
    let world = World::new("on").await;
    let heard = Arc::new(Heard::default());
    let _subscription = world.drive.subscribe(heard.clone());
    let (cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    // The look after the connection is over.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, told) = (listings(&world.cloud), heard.0.load(Ordering::SeqCst));
    let writer = world.cloud.writer();
    writer.put("/Jotta/Sync/Other/new", b"new").unwrap();
    until("an upload", || world.knows("Other/new")).await;
    until("a hint", || heard.0.load(Ordering::SeqCst) > told).await;
    assert_eq!(
        listings(&world.cloud),
        before + 1,
        "its folder, and no more"
    );

    writer.put("/Jotta/Sync/Other/new", b"newer").unwrap();
    until("a new version", || match world.find("Other/new") {
        Lookup::Found(item) => item.size == Some(5),
        _ => false,
    })
    .await;
    let Lookup::Found(item) = world.find("Other/new") else {
        panic!("it is there");
    };
    writer
        .move_("/Jotta/Sync/Other/new", "/Jotta/Sync/Docs/moved")
        .unwrap();
    until("a move", || {
        world.knows("Docs/moved") && !world.knows("Other/new")
    })
    .await;
    let Lookup::Found(moved) = world.find("Docs/moved") else {
        panic!("it is there");
    };
    assert_eq!(moved.id, item.id);
    writer.trash("/Jotta/Sync/Docs/moved").unwrap();
    until("a deletion", || !world.knows("Docs/moved")).await;
    writer.mkdir("/Jotta/Sync/Docs/deep/er").unwrap();
    until("a folder", || world.knows("Docs/deep")).await;

    cancel.cancel();
    assert_eq!(watch.await.unwrap(), Err(Error::Cancelled));
    assert!(!world.watching());
    assert_eq!(world.content_bytes(), 0);
    assert_eq!(world.drive.content.ledger().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_events_is_a_few_questions() {
    let world = World::new("on").await;
    let (cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = listings(&world.cloud);
    for n in 0..500 {
        let path = format!("/Jotta/Sync/Other/file {n}");
        world.cloud.writer().put(&path, b"x").unwrap();
    }
    until("the last", || world.knows("Other/file 499")).await;
    let asked = listings(&world.cloud) - before;
    assert!(asked < 50, "{asked} questions for 500 events");
    cancel.cancel();
    let _ = watch.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_cut_it_connects_again_and_looks_at_what_it_may_have_missed() {
    let world = World::new("on").await;
    let (cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    world
        .cloud
        .trouble()
        .add(Rule::on("createToken").times(3).status(503));
    world
        .cloud
        .trouble()
        .add(Rule::on("websocket").times(2).lose_answer());
    world.cloud.cut_listeners();
    until("cut", || !world.watching()).await;
    world
        .cloud
        .writer()
        .put("/Jotta/Sync/Docs/missed", b"x")
        .unwrap();
    until("connected again", || world.watching()).await;
    until("caught up", || world.knows("Docs/missed")).await;
    world
        .cloud
        .writer()
        .put("/Jotta/Sync/Other/after", b"x")
        .unwrap();
    until("followed", || world.knows("Other/after")).await;
    cancel.cancel();
    let _ = watch.await.unwrap();
    assert_eq!(world.content_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_no_events_or_they_fail_it_looks_by_itself_now_and_then() {
    for events in ["absent", "refused"] {
        let world = World::new(if events == "absent" { "absent" } else { "on" }).await;
        if events == "refused" {
            world
                .cloud
                .trouble()
                .add(Rule::on("createToken").status(400));
        }
        let (cancel, watch) = world.watch();
        for n in 0..3 {
            let name = format!("new {n}");
            let path = format!("/Jotta/Sync/Docs/{name}");
            world.cloud.writer().put(&path, b"x").unwrap();
            until(events, || world.knows(&format!("Docs/{name}"))).await;
            assert!(!world.watching(), "{events}");
        }
        cancel.cancel();
        assert_eq!(watch.await.unwrap(), Err(Error::Cancelled));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_frames_do_no_harm_and_cost_little() {
    let world = World::new("on").await;
    let (cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = listings(&world.cloud);
    let user = world.cloud.user().to_owned();
    for n in 0..200 {
        for place in [
            format!("/{user}/Jotta/Sync/../../etc/{n}"),
            format!("/{user}/Jotta/Sync/Docs\u{0}{n}"),
            format!("/somebody/Jotta/Sync/{n}"),
            format!("/{user}{}", "/deep".repeat(500)),
        ] {
            let frame = serde_json::json!({"EVENT": {"D": {"FROM": place}}});
            world.cloud.send_to_listeners(frame.to_string());
        }
        world.cloud.send_to_listeners("{\"EVENT\":");
        world.cloud.send_to_listeners(vec![0xff; 100]);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(world.watching(), "nothing of that ends the connection");
    let asked = listings(&world.cloud) - before;
    assert!(asked < 10, "{asked} questions");
    world.cloud.send_to_listeners(vec![b'x'; 1 << 20]);
    until("the huge one ends it", || {
        world.cloud.counts().requests_of("websocket") > 1
    })
    .await;
    until("connected again", || world.watching()).await;
    world
        .cloud
        .writer()
        .put("/Jotta/Sync/Other/after", b"x")
        .unwrap();
    until("followed", || world.knows("Other/after")).await;
    cancel.cancel();
    let _ = watch.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_about_everything_is_looked_after_but_not_at_any_price() {
    let world = World::new("on").await;
    let (cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = listings(&world.cloud);
    let frame = r#"{"EVENT":{"T":"PHOTOS","ST":"PhotoAdded","D":{"photo_id":"x"}}}"#;
    for _ in 0..20 {
        world.cloud.send_to_listeners(frame);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("a look", || listings(&world.cloud) > before).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    // `Docs` at each look, and no two looks within a second and a half.
    let asked = listings(&world.cloud) - before;
    assert!((1..=3).contains(&asked), "{asked}");
    cancel.cancel();
    let _ = watch.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_a_pause_and_with_a_sign_in_that_has_ended() {
    let world = World::new("on").await;
    let (_cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    let drive = world.drive.clone();
    let paused = tokio::task::spawn_blocking(move || drive.pause(Duration::from_secs(5)));
    paused.await.unwrap().unwrap();
    assert_eq!(watch.await.unwrap(), Err(Error::Paused));
    world.drive.resume().unwrap();

    let (_cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    world.cloud.revoke_sessions().unwrap();
    world.cloud.cut_listeners();
    let ended = tokio::time::timeout(Duration::from_secs(20), watch).await;
    let ended = ended.unwrap().unwrap();
    assert!(
        matches!(ended, Err(Error::SignInNeeded { .. })),
        "{ended:?}"
    );
    let cancel = CancelToken::new();
    let at_once = world.drive.watch_as(HASTY, &cancel).await;
    assert!(matches!(at_once, Err(Error::SignInNeeded { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_another_call_finds_ended_ends_a_watch_whose_connection_stands() {
    let world = World::new("on").await;
    let (_cancel, watch) = world.watch();
    until("watching", || world.watching()).await;
    // The look after the connection is over, and nothing more is asked.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.cloud.revoke_sessions().unwrap();
    let (sync, never) = (Space::Sync.root(), CancelToken::new());
    let refreshed = world.drive.catalog.refresh(&sync, &never).await;
    assert!(
        matches!(refreshed, Err(Error::SignInNeeded { .. })),
        "{refreshed:?}"
    );
    let ended = tokio::time::timeout(Duration::from_secs(10), watch).await;
    let ended = ended.unwrap().unwrap();
    assert!(
        matches!(ended, Err(Error::SignInNeeded { .. })),
        "{ended:?}"
    );
}
