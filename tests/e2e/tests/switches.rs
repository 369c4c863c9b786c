//! What no fact settles: the companion is right under every plausible answer of the service.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Switches};
use lomme::account::SignIn;
use lomme::catalog::{Kind, Lookup, Space};
use lomme::content::Purpose;
use lomme::{CancelToken, Error};
use lomme_e2e::Pocket;
use std::collections::BTreeMap;

/// Size and MD5 of the files below a mount point, and the folders, as the service itself has them.
fn on_the_service(cloud: &Cloud, prefix: &str) -> BTreeMap<String, Option<u64>> {
    let entries = cloud.writer().paths(prefix).unwrap().into_iter();
    entries
        .filter_map(|entry| {
            let below = entry.path.strip_prefix(prefix)?.to_owned();
            (!below.is_empty()).then_some((below, entry.is_file.then_some(entry.size)))
        })
        .collect()
}

fn in_the_pocket(pocket: &Pocket, root: &str) -> BTreeMap<String, Option<u64>> {
    let root = pocket.item(root).unwrap().id;
    let tree = pocket.tree(&root).unwrap().into_iter();
    tree.map(|(path, item)| (path, item.size)).collect()
}

fn assert_equal(cloud: &Cloud, pocket: &Pocket, label: &str) {
    for (root, prefix) in [
        ("Sync", "/Jotta/Sync"),
        ("Archive", "/Jotta/Archive"),
        ("Backup/Laptop", "/Laptop"),
    ] {
        assert_eq!(
            in_the_pocket(pocket, root),
            on_the_service(cloud, prefix),
            "{root} under {label}"
        );
    }
}

async fn refresh_all(pocket: &Pocket, label: &str) {
    for space in Space::ALL {
        let done = pocket
            .drive
            .catalog()
            .refresh(&space.root(), &CancelToken::new())
            .await;
        done.unwrap_or_else(|error| panic!("{space:?} under {label}: {error:?}"));
    }
}

async fn index_all(pocket: &Pocket, label: &str) {
    for space in Space::ALL {
        let done = pocket.index(space).await;
        done.unwrap_or_else(|error| panic!("{space:?} under {label}: {error:?}"));
    }
}

/// A day of one pocket: everything that a phone asks for, while another client works.
async fn day(label: &str, switches: Switches) {
    let cloud = Cloud::start(CloudOptions {
        switches,
        ..CloudOptions::default()
    })
    .unwrap();
    let writer = cloud.writer();
    writer.device("Laptop", "LAPTOP").unwrap();
    for path in [
        "/Jotta/Sync/Docs/plan.txt",
        "/Jotta/Sync/Docs/\u{e6}\u{f8}\u{e5} + # & ;.txt",
        "/Jotta/Sync/Docs/deep/er/note.txt",
        "/Jotta/Archive/old.txt",
        "/Laptop/Pictures/one.jpg",
    ] {
        writer.put(path, path.as_bytes()).unwrap();
    }
    writer.mkdir("/Jotta/Sync/Empty/Emptier").unwrap();
    writer.put("/Jotta/Sync/Docs/rubbish.txt", b"x").unwrap();
    writer.trash("/Jotta/Sync/Docs/rubbish.txt").unwrap();

    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    index_all(&pocket, label).await;
    refresh_all(&pocket, label).await;
    assert_equal(&cloud, &pocket, label);
    let plan = pocket.item("Sync/Docs/plan.txt").unwrap();
    assert!(pocket.item("Trash/rubbish.txt").is_ok(), "{label}");

    writer
        .put("/Jotta/Sync/Docs/plan.txt", b"a newer plan")
        .unwrap();
    writer
        .move_("/Jotta/Sync/Docs/deep", "/Jotta/Sync/Deeper")
        .unwrap();
    writer.trash("/Jotta/Archive/old.txt").unwrap();
    writer.put("/Laptop/Pictures/two.jpg", b"two").unwrap();
    let docs = pocket.item("Sync/Docs").unwrap();
    let catalog = pocket.drive.catalog();
    catalog
        .refresh(&docs.id, &CancelToken::new())
        .await
        .unwrap();
    let newer = pocket.item("Sync/Docs/plan.txt").unwrap();
    assert_eq!(
        (newer.id, newer.size),
        (plan.id.clone(), Some(12)),
        "{label}"
    );
    index_all(&pocket, label).await;
    assert_equal(&cloud, &pocket, label);

    assert_eq!(
        cloud.counts().content_bytes.values().sum::<u64>(),
        0,
        "{label}"
    );
    let dest = pocket.outer.path().join("plan");
    let content = pocket.drive.content();
    content
        .fetch_to_file(
            &plan.id,
            None,
            &dest,
            Purpose::Open,
            None,
            &CancelToken::new(),
        )
        .await
        .unwrap_or_else(|error| panic!("download under {label}: {error:?}"));
    assert_eq!(std::fs::read(&dest).unwrap(), b"a newer plan", "{label}");

    writer.trash("/Jotta/Sync/Docs/plan.txt").unwrap();
    pocket.lose_content();
    let gone = content
        .fetch_to_file(
            &plan.id,
            None,
            &dest,
            Purpose::Open,
            None,
            &CancelToken::new(),
        )
        .await;
    assert!(
        matches!(gone, Err(Error::NoSuchItem { .. })),
        "{label}: {gone:?}"
    );
    catalog
        .refresh(&docs.id, &CancelToken::new())
        .await
        .unwrap();
    catalog
        .refresh(&Space::Trash.root(), &CancelToken::new())
        .await
        .unwrap();
    let trashed = catalog.item(&plan.id).unwrap();
    let Lookup::Found(trashed) = trashed else {
        panic!("an id survives the trash under {label}: {trashed:?}");
    };
    assert_eq!(
        (trashed.space, trashed.kind),
        (Space::Trash, Kind::File),
        "{label}"
    );

    cloud.expire_access_tokens().unwrap();
    refresh_all(&pocket, label).await;
    cloud.revoke_sessions().unwrap();
    let refused = catalog.refresh(&docs.id, &CancelToken::new()).await;
    assert!(
        matches!(refused, Err(Error::SignInNeeded { .. })),
        "{label}: {refused:?}"
    );
    let state = pocket.drive.account().state().unwrap();
    assert!(matches!(state, SignIn::Again(_)), "{label}: {state:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_goes_well_under_each_answer_that_the_service_may_give() {
    for (label, switches) in Switches::each_alternative() {
        day(&label, switches).await;
    }
}
