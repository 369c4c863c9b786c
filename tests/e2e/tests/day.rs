//! A day in the life of a phone: browsing, searching, watching and refreshing bring not one byte of Sync's content.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{BulkFile, Cloud, CloudOptions};
use lomme::catalog::{Item, Kind, Order, Search, Space};
use lomme::clock::ManualClock;
use lomme::conditions::{Rules, Situation};
use lomme::content::{Network, Purpose};
use lomme::{CancelToken, Error};
use lomme_e2e::Pocket;
use std::sync::Arc;
use std::time::Duration;

const START_MS: i64 = 1_790_000_000_000;
const HOUR_MS: i64 = 3_600_000;

fn cloud() -> Cloud {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    cloud
        .writer()
        .put_many((0..3_000).map(|n| BulkFile {
            path: format!(
                "/Jotta/Sync/area {}/folder {}/picture {n}.jpg",
                n / 600,
                n / 20
            ),
            seed: n,
            size: 1_000 + n,
            created: START_MS,
            modified: START_MS + n as i64 * 1000,
        }))
        .unwrap();
    cloud
        .writer()
        .put("/Jotta/Archive/Ticket.pdf", b"a ticket for the flight")
        .unwrap();
    cloud
}

fn children(pocket: &Pocket, of: &Item) -> Vec<Item> {
    let page = pocket
        .drive
        .catalog()
        .children(&of.id, Order::Newest, None, 200)
        .unwrap();
    page.items
}

/// An hour: a walk down the tree, a few searches, a pull from the background job, and other people's work.
async fn hour(pocket: &Pocket, cloud: &Cloud, chance: &mut fastrand::Rng, anchor: &mut String) {
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    let mut at = catalog.roots().unwrap().swap_remove(0);
    while at.kind != Kind::File {
        catalog.refresh(&at.id, &cancel).await.unwrap();
        let below = children(pocket, &at);
        at = below[chance.usize(..below.len())].clone();
    }
    assert_eq!(catalog.path_of(&at.id).unwrap().len(), 4);
    for text in ["p", "pic", "picture 2", "FOLDER 1", "nothing like it"] {
        catalog.search(&Search::new(text)).unwrap();
    }
    catalog.set_favourite(&at.id, chance.bool()).unwrap();
    catalog.recents(64).unwrap();
    catalog.weight(&Space::Sync.root()).unwrap();
    catalog.working_set(None, 200).unwrap();
    let epoch = catalog.begin_held().unwrap();
    catalog.add_held(epoch, &[at.parent.clone()]).unwrap();
    catalog.commit_held(epoch).unwrap();
    pocket.drive.status().unwrap();
    pocket.drive.why(&at.id).unwrap();
    pocket.drive.content().usage().unwrap();
    // A reader that nobody reads from fetches nothing.
    let content = pocket.drive.content();
    let reader = content.open_reader(&at.id, None, Purpose::Open).unwrap();
    assert_eq!(reader.size(), at.size.unwrap());

    let n = chance.u64(..3_000);
    let path = format!(
        "/Jotta/Sync/area {}/folder {}/picture {n}.jpg",
        n / 600,
        n / 20
    );
    cloud.writer().put(&path, &n.to_le_bytes()).unwrap();
    let budget = Duration::from_millis(200);
    pocket.drive.poll(budget, &cancel).await.unwrap();
    content.keep_pins(None, &cancel).await.unwrap();
    loop {
        let changes = catalog.working_set_changes(anchor, 500).unwrap();
        *anchor = changes.anchor;
        if !changes.more {
            break;
        }
    }
}

async fn a_day(with_events: bool) {
    let cloud = cloud();
    if !with_events {
        let mut switches = cloud.switches();
        switches.set("events", "absent").unwrap();
        cloud.set_switches(switches).unwrap();
    }
    let clock = ManualClock::at(START_MS);
    let told = clock.clone();
    let pocket = Pocket::with(|options| options.clock = Arc::new(told)).unwrap();
    pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
    for space in Space::ALL {
        pocket.index(space).await.unwrap();
    }
    let ticket = pocket.item("Archive/Ticket.pdf").unwrap();
    pocket.drive.content().pin(&ticket.id, 1_000).unwrap();
    pocket.drive.set_rules(Rules::default()).unwrap();
    let (stop, watching) = (CancelToken::new(), pocket.drive.clone());
    let watch = tokio::spawn({
        let stop = stop.clone();
        async move { watching.watch(&stop).await }
    });
    let mut chance = fastrand::Rng::with_seed(11);
    let mut anchor = pocket.drive.catalog().current_anchor().unwrap();
    for hour_of_day in 0..24 {
        let network = if hour_of_day % 3 == 0 {
            Network::Metered
        } else {
            Network::Unmetered
        };
        let situation = Situation {
            network,
            ..Situation::default()
        };
        pocket.drive.set_situation(situation).unwrap();
        hour(&pocket, &cloud, &mut chance, &mut anchor).await;
        clock.advance(HOUR_MS);
    }
    stop.cancel();
    assert_eq!(watch.await.unwrap(), Err(Error::Cancelled));

    let ledger = pocket.drive.content().ledger().unwrap();
    let asked: Vec<_> = ledger
        .iter()
        .map(|row| (row.space, row.purpose, row.bytes))
        .collect();
    assert_eq!(
        asked,
        [(Space::Archive, Purpose::Pin, ticket.size.unwrap())]
    );
    let counts = cloud.counts();
    assert_eq!(counts.content_of("Sync"), 0, "the server's own count");
    assert_eq!(counts.content_of("Archive"), ticket.size.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_browsing_searching_watching_and_refreshing_fetches_no_byte_of_sync() {
    a_day(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_a_day_without_change_events() {
    a_day(false).await;
}
