//! Watching: the tree follows what others do, and nothing of it is content.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Switches};
use lomme::catalog::Space;
use lomme::conditions::Situation;
use lomme::content::{Network, Purpose};
use lomme::{CancelToken, Error, Listener, Result};
use lomme_e2e::Pocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Heard(AtomicUsize);

impl Listener for Heard {
    fn on_changed(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn on_account_changed(&self) {}
}

async fn world(events: &str) -> (Cloud, Pocket) {
    let mut switches = Switches::default();
    switches.set("events", events).unwrap();
    let cloud = Cloud::start(CloudOptions {
        switches,
        ..CloudOptions::default()
    })
    .unwrap();
    cloud.writer().put("/Jotta/Sync/Docs/a.txt", b"a").unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    (cloud, pocket)
}

fn watch(pocket: &Pocket) -> (CancelToken, tokio::task::JoinHandle<Result<()>>) {
    let (drive, cancel) = (pocket.drive.clone(), CancelToken::new());
    let token = cancel.clone();
    let watching = tokio::spawn(async move { drive.watch(&token).await });
    (cancel, watching)
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn watching(pocket: &Pocket) -> bool {
    pocket.drive.status().unwrap().watching
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_follows_and_a_listener_hears_while_no_content_moves() {
    let (cloud, pocket) = world("on").await;
    let heard = Arc::new(Heard::default());
    let _subscription = pocket.drive.subscribe(heard.clone());
    let (cancel, watch) = watch(&pocket);
    until("watching", || watching(&pocket)).await;
    let before = heard.0.load(Ordering::SeqCst);
    let text = b"a longer text".as_slice();
    cloud.writer().put("/Jotta/Sync/Docs/a.txt", text).unwrap();
    until("the change", || {
        pocket.item("Sync/Docs/a.txt").unwrap().size == Some(13)
    })
    .await;
    until("a hint", || heard.0.load(Ordering::SeqCst) > before).await;
    cancel.cancel();
    assert_eq!(watch.await.unwrap(), Err(Error::Cancelled));
    assert!(!watching(&pocket));
    assert_eq!(cloud.counts().content_of("Sync"), 0, "the server's count");
    let ledger = pocket.drive.content().ledger().unwrap();
    assert_eq!(ledger, [], "the client's count");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_file_that_changes_comes_by_itself_where_the_rules_allow_it() {
    let (cloud, pocket) = world("on").await;
    let content = pocket.drive.content();
    let id = pocket.item("Sync/Docs/a.txt").unwrap().id;
    let situation = |network| Situation {
        network,
        charging: Some(true),
        ..Situation::default()
    };
    pocket
        .drive
        .set_situation(situation(Network::Unmetered))
        .unwrap();
    content.pin(&id, u64::MAX).unwrap();
    let cancel = CancelToken::new();
    assert_eq!(content.keep_pins(None, &cancel).await.unwrap().files, 1);
    let (watched, watch) = watch(&pocket);
    until("watching", || watching(&pocket)).await;
    let text = b"a longer text".as_slice();
    cloud.writer().put("/Jotta/Sync/Docs/a.txt", text).unwrap();
    until("the new version", || {
        content.pins().unwrap()[0].whole_bytes == 13
    })
    .await;
    watched.cancel();
    let _ = watch.await.unwrap();
    let ledger = content.ledger().unwrap();
    assert!(ledger.iter().all(|row| row.purpose == Purpose::Pin));
    assert_eq!(ledger.iter().map(|row| row.bytes).sum::<u64>(), 14);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_events_the_tree_is_looked_at_at_once_and_watching_says_no() {
    let (cloud, pocket) = world("absent").await;
    let docs = pocket.item("Sync/Docs").unwrap();
    pocket
        .drive
        .catalog()
        .set_favourite(&docs.id, true)
        .unwrap();
    cloud.writer().put("/Jotta/Sync/Docs/b.txt", b"b").unwrap();
    let (cancel, watch) = watch(&pocket);
    until("the look", || pocket.item("Sync/Docs/b.txt").is_ok()).await;
    assert!(!watching(&pocket));
    assert_eq!(cloud.counts().requests_of("websocket"), 0);
    cancel.cancel();
    let begun = Instant::now();
    assert_eq!(watch.await.unwrap(), Err(Error::Cancelled));
    assert!(begun.elapsed() < Duration::from_secs(2));
}
