#![allow(clippy::unwrap_used)]

//! Pulls from a background job, and the hints that come before them.

use super::cloud_tests::World;
use super::*;
use std::time::Duration;

fn path(text: &str) -> RemotePath {
    let names = text.split('/').filter(|name| !name.is_empty());
    RemotePath::new(names.map(str::to_owned).collect())
}

async fn poll(world: &World, budget: Duration) -> crate::drive::Polled {
    world.drive.poll(budget, &CancelToken::new()).await.unwrap()
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_asks_for_hints_first_then_for_what_is_used_and_then_for_what_was_never_indexed() {
    let world = World::new(&[
        "/Jotta/Sync/pinned/a",
        "/Jotta/Sync/other/b",
        "/Jotta/Sync/idle/c",
    ])
    .await;
    world.index(Space::Sync).await.unwrap();
    let catalog = world.catalog();
    let id = |names: &[&str]| match catalog.find(names).unwrap() {
        Lookup::Found(item) => item.id,
        _ => panic!("not there"),
    };
    let (pinned, other) = (id(&["Sync", "pinned"]), id(&["Sync", "other"]));
    catalog.set_mark(&pinned, Mark::Pinned, true).unwrap();
    let opened = id(&["Sync", "other", "b"]);
    catalog.set_mark(&opened, Mark::Opened, true).unwrap();
    assert_eq!(catalog.wanting_refresh(10).unwrap().len(), 2);
    catalog.hint(&path("Jotta/Sync/other/deeper/new")).unwrap();
    catalog.hint(&path("Jotta/Latest/x")).unwrap();
    assert_eq!(catalog.wanting_refresh(10).unwrap(), [other, pinned]);
    world
        .writer()
        .put("/Jotta/Sync/pinned/new", b"new")
        .unwrap();
    world.writer().put("/Jotta/Sync/idle/new", b"new").unwrap();
    let polled = poll(&world, LONG).await;
    assert!(!polled.more);
    // Two folders, and the three spaces that were never indexed.
    assert_eq!((polled.folders, polled.found.added), (5, 1));
    assert!(matches!(
        catalog.find(&["Sync", "pinned", "new"]).unwrap(),
        Lookup::Found(_)
    ));
    let again = poll(&world, LONG).await;
    assert_eq!((again.folders, again.found.added), (2, 0));
    let served: u64 = world.cloud.counts().content_bytes.values().sum();
    assert_eq!(served, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_without_a_budget_asks_nothing_and_says_that_there_is_more() {
    let world = World::new(&["/Jotta/Sync/a"]).await;
    let polled = poll(&world, Duration::ZERO).await;
    assert_eq!((polled.folders, polled.more), (0, true));
    assert_eq!(world.catalog().counts().unwrap(), [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_is_forgotten_once_its_folder_was_asked_for_and_many_hints_become_a_few() {
    let world = World::new(&["/Jotta/Sync/a/x", "/laptop/Pictures/p"]).await;
    world.index(Space::Sync).await.unwrap();
    let catalog = world.catalog();
    catalog.hint(&path("jotta/sync/A/x")).unwrap();
    catalog.hint(&path("laptop/Pictures")).unwrap();
    catalog.hint(&path("Jotta/Trash")).unwrap();
    assert_eq!(catalog.wanting_refresh(10).unwrap().len(), 3);
    world.refresh("Sync/a").await.unwrap();
    let left = catalog.wanting_refresh(10).unwrap();
    assert_eq!(left, [Space::Backup.root(), Space::Trash.root()]);
    catalog.hint(&path("")).unwrap();
    assert_eq!(catalog.wanting_refresh(10).unwrap().len(), 4);
    poll(&world, LONG).await;
    assert_eq!(catalog.wanting_refresh(10).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_great_loss_found_by_a_poll_is_told_after_the_rest_was_done() {
    let world = World::new(&[]).await;
    let file = |n: u64| local_cloud::BulkFile {
        path: format!("/Jotta/Sync/many/{n}"),
        seed: n,
        size: n,
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000,
    };
    world.writer().put_many((0..100).map(file)).unwrap();
    world.index(Space::Sync).await.unwrap();
    let catalog = world.catalog();
    catalog.hint(&path("Jotta/Sync")).unwrap();
    world.writer().remove("/Jotta/Sync/many").unwrap();
    world.writer().put("/Jotta/Archive/new", b"new").unwrap();
    let told = world.drive.poll(LONG, &CancelToken::new()).await;
    assert_eq!(told, Err(Error::ManyGone { gone: 101, of: 101 }));
    assert_eq!(catalog.counts().unwrap(), [101, 0, 1, 0]);
    catalog.accept_disappearance(Space::Sync).unwrap();
    world.refresh("Sync").await.unwrap();
    assert_eq!(catalog.counts().unwrap()[0], 0);
}
