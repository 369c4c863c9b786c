//! The one scenario that Rust, Kotlin and Swift all play against a running local cloud.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{BulkFile, Cloud, CloudOptions, Rule};
use lomme::catalog::{Freshness, Kind, Lookup, Order, Space};
use lomme::content::{Purpose, TransferListener};
use lomme::{CancelToken, Error, Listener};
use lomme_e2e::Pocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MIB: usize = 1 << 20;

fn cloud() -> Cloud {
    Cloud::start(CloudOptions::default()).unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

#[derive(Default)]
struct Steps(Mutex<Vec<(u64, u64)>>);

impl TransferListener for Steps {
    fn on_transfer(&self, done: u64, total: u64) {
        self.0.lock().unwrap().push((done, total));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_signs_in_and_sees_the_spaces() {
    let cloud = cloud();
    cloud
        .writer()
        .put("/Jotta/Sync/Hello.txt", b"hello")
        .unwrap();
    cloud.writer().device("Laptop", "LAPTOP").unwrap();
    cloud
        .writer()
        .put("/Laptop/Documents/Plan.txt", b"plan")
        .unwrap();
    cloud
        .writer()
        .put("/Jotta/Archive/Old.txt", b"old")
        .unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let names: Vec<_> = pocket
        .drive
        .catalog()
        .roots()
        .unwrap()
        .into_iter()
        .map(|root| root.name)
        .collect();
    assert_eq!(names, ["Sync", "Backup", "Archive", "Trash"]);
    let folder = pocket
        .drive
        .catalog()
        .children(&Space::Sync.root(), Order::Name, None, 10)
        .unwrap();
    assert_eq!(
        (folder.items.len(), folder.freshness),
        (0, Freshness::Never),
        "nothing is fetched by looking"
    );
    for space in [Space::Sync, Space::Backup, Space::Archive] {
        pocket
            .drive
            .catalog()
            .refresh(&space.root(), &CancelToken::new())
            .await
            .unwrap();
    }
    assert_eq!(pocket.item("Sync/Hello.txt").unwrap().size, Some(5));
    assert_eq!(pocket.item("Archive/Old.txt").unwrap().kind, Kind::File);
    let laptop = pocket.item("Backup/Laptop").unwrap();
    assert_eq!(laptop.kind, Kind::Computer);
    pocket.index(Space::Backup).await.unwrap();
    assert_eq!(
        pocket
            .item("Backup/Laptop/Documents/Plan.txt")
            .unwrap()
            .size,
        Some(4)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_5000_is_paged_through_once_each_and_in_order() {
    let cloud = cloud();
    let files = (0..5000).map(|n| BulkFile {
        path: format!("/Jotta/Sync/Big/f{n:04}.bin"),
        seed: n,
        size: 10,
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000,
    });
    cloud.writer().put_many(files).unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let catalog = pocket.drive.catalog();
    let cancel = CancelToken::new();
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    let big = pocket.item("Sync/Big").unwrap();
    let found = catalog.refresh(&big.id, &cancel).await.unwrap();
    assert_eq!((found.files, found.added), (5000, 5000));
    let (mut names, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = catalog
            .children(&big.id, Order::Name, next.as_deref(), 200)
            .unwrap();
        names.extend(page.items.into_iter().map(|item| item.name));
        pages += 1;
        next = page.next;
        if next.is_none() {
            break;
        }
        assert!(next.as_ref().unwrap().len() <= 500);
    }
    assert_eq!(
        names,
        (0..5000)
            .map(|n| format!("f{n:04}.bin"))
            .collect::<Vec<_>>()
    );
    assert!((25..=26).contains(&pages));
    assert_eq!(cloud.counts().content_bytes.values().sum::<u64>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_tells_its_progress_and_is_the_file() {
    let cloud = cloud();
    let content = bytes(9 * MIB + 17);
    cloud
        .writer()
        .put("/Jotta/Sync/film.mp4", &content)
        .unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let item = pocket.item("Sync/film.mp4").unwrap();
    let (dest, steps) = (pocket.outer.path().join("film"), Arc::new(Steps::default()));
    let got = pocket
        .drive
        .content()
        .fetch_to_file(
            &item.id,
            None,
            &dest,
            Purpose::Open,
            Some(steps.clone()),
            &CancelToken::new(),
        )
        .await
        .unwrap();
    assert!(std::fs::read(&dest).unwrap() == content);
    assert_eq!(
        (got.bytes, got.fetched),
        (content.len() as u64, content.len() as u64)
    );
    let steps = steps.0.lock().unwrap();
    assert!(
        steps.is_sorted()
            && steps
                .iter()
                .all(|(_, total)| *total == content.len() as u64)
    );
    assert_eq!(
        steps.iter().filter(|(done, total)| done == total).count(),
        1,
        "all is here is said once, at the end"
    );
    let ledger: u64 = pocket
        .drive
        .content()
        .ledger()
        .unwrap()
        .iter()
        .map(|row| row.bytes)
        .sum();
    assert_eq!(ledger, cloud.counts().content_bytes["Sync/bin"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_cancelled_midway_stops_and_the_next_call_fetches_the_rest() {
    let cloud = cloud();
    let content = bytes(6 * MIB);
    cloud
        .writer()
        .put("/Jotta/Sync/film.mp4", &content)
        .unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let item = pocket.item("Sync/film.mp4").unwrap();
    let dest = pocket.outer.path().join("film");
    cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(MIB as u64));
    let (cancel, steps) = (CancelToken::new(), Arc::new(Steps::default()));
    let stop = async {
        while steps
            .0
            .lock()
            .unwrap()
            .last()
            .is_none_or(|(done, _)| *done < 500_000)
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let content_of = pocket.drive.content();
    let download = content_of.fetch_to_file(
        &item.id,
        None,
        &dest,
        Purpose::Open,
        Some(steps.clone()),
        &cancel,
    );
    let (stopped, ()) = tokio::join!(download, stop);
    assert_eq!(stopped, Err(Error::Cancelled));
    assert!(!dest.exists());
    cloud.trouble().clear();
    let got = content_of
        .fetch_to_file(
            &item.id,
            None,
            &dest,
            Purpose::Open,
            None,
            &CancelToken::new(),
        )
        .await
        .unwrap();
    assert!(
        got.fetched <= content.len() as u64 - 500_000,
        "{}",
        got.fetched
    );
    assert!(std::fs::read(&dest).unwrap() == content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_renewed_without_a_word_and_a_revoked_one_asks_to_sign_in() {
    let cloud = cloud();
    cloud.writer().put("/Jotta/Sync/a.txt", b"a").unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    let tokens = cloud.counts().requests["token"];
    cloud.expire_access_tokens().unwrap();
    assert_eq!(
        catalog
            .refresh(&Space::Sync.root(), &cancel)
            .await
            .unwrap()
            .files,
        1
    );
    assert_eq!(cloud.counts().requests["token"], tokens + 1, "one renewal");
    cloud.revoke_sessions().unwrap();
    let refused = catalog
        .refresh(&Space::Sync.root(), &cancel)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::SignInNeeded { .. }), "{refused:?}");
    assert!(matches!(
        pocket.drive.account().state().unwrap(),
        lomme::account::SignIn::Again(_)
    ));
    assert_eq!(
        pocket.item("Sync/a.txt").unwrap().size,
        Some(1),
        "what is known stays"
    );
    pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
    assert_eq!(
        catalog
            .refresh(&Space::Sync.root(), &cancel)
            .await
            .unwrap()
            .files,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_item_is_gone_only_when_the_service_has_said_so() {
    let cloud = cloud();
    cloud.writer().put("/Jotta/Sync/a.txt", b"a").unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    let stranger = lomme::catalog::ItemId::from_string("never-handed-out");
    assert_eq!(catalog.item(&stranger).unwrap(), Lookup::Unknown);
    assert!(matches!(
        catalog.refresh(&stranger, &cancel).await,
        Err(Error::NotKnown { .. })
    ));
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    let item = pocket.item("Sync/a.txt").unwrap();
    cloud.writer().remove("/Jotta/Sync/a.txt").unwrap();
    let dest = pocket.outer.path().join("a");
    let gone = pocket
        .drive
        .content()
        .fetch_to_file(&item.id, None, &dest, Purpose::Open, None, &cancel)
        .await
        .unwrap_err();
    assert!(matches!(gone, Error::NoSuchItem { .. }), "{gone:?}");
    assert!(!dest.exists());
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    assert_eq!(catalog.item(&item.id).unwrap(), Lookup::Gone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_client_moved_is_still_downloaded_by_its_id() {
    let cloud = cloud();
    cloud
        .writer()
        .put("/Jotta/Sync/Trips/a.jpg", b"a trip")
        .unwrap();
    cloud
        .writer()
        .put("/Jotta/Sync/Trips/b.jpg", b"another")
        .unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    let trips = pocket.item("Sync/Trips").unwrap();
    catalog.refresh(&trips.id, &cancel).await.unwrap();
    let item = pocket.item("Sync/Trips/a.jpg").unwrap();
    cloud
        .writer()
        .move_("/Jotta/Sync/Trips", "/Jotta/Sync/Travel")
        .unwrap();
    let dest = pocket.outer.path().join("a");
    let got = pocket
        .drive
        .content()
        .fetch_to_file(&item.id, None, &dest, Purpose::Open, None, &cancel)
        .await
        .unwrap();
    assert_eq!(
        (got.item.id, std::fs::read(&dest).unwrap()),
        (item.id, b"a trip".to_vec())
    );
    assert_eq!(pocket.item("Sync/Travel").unwrap().id, trips.id);
}

#[derive(Default)]
struct Heard(AtomicU64);

impl Heard {
    async fn wait_beyond(&self, before: u64) {
        for _ in 0..500 {
            if self.0.load(Ordering::SeqCst) > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no hint came");
    }
}

impl Listener for Heard {
    fn on_changed(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
    fn on_account_changed(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_by_another_client_is_heard_and_then_pulled() {
    let cloud = cloud();
    cloud.writer().put("/Jotta/Sync/kept.txt", b"1").unwrap();
    cloud.writer().put("/Jotta/Sync/gone.txt", b"2").unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let (catalog, cancel) = (pocket.drive.catalog(), CancelToken::new());
    let heard = Arc::new(Heard::default());
    let _subscription = pocket.drive.subscribe(heard.clone());
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    let (kept, gone) = (
        pocket.item("Sync/kept.txt").unwrap(),
        pocket.item("Sync/gone.txt").unwrap(),
    );
    let anchor = catalog.current_anchor().unwrap();
    heard.wait_beyond(0).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = heard.0.load(Ordering::SeqCst);

    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        heard.0.load(Ordering::SeqCst),
        before,
        "nothing changed, so nothing is said"
    );
    assert_eq!(catalog.changes(&anchor, 100).unwrap().updated, []);

    cloud
        .writer()
        .put("/Jotta/Sync/kept.txt", b"other")
        .unwrap();
    cloud.writer().trash("/Jotta/Sync/gone.txt").unwrap();
    cloud.writer().put("/Jotta/Sync/new.txt", b"3").unwrap();
    catalog.refresh(&Space::Sync.root(), &cancel).await.unwrap();
    heard.wait_beyond(before).await;
    let changes = catalog.changes(&anchor, 100).unwrap();
    let updated: Vec<_> = changes
        .updated
        .iter()
        .map(|item| item.name.as_str())
        .collect();
    assert!(
        updated.contains(&"kept.txt") && updated.contains(&"new.txt"),
        "{updated:?}"
    );
    assert_eq!(changes.deleted, [gone.id]);
    let now = pocket.item("Sync/kept.txt").unwrap();
    assert_eq!(now.id, kept.id, "an id lives as long as its item");
    assert_ne!(now.content_version, kept.content_version);
    assert_eq!(catalog.changes(&changes.anchor, 100).unwrap().updated, []);
}
