//! Pins, and the runs that keep them.

use super::*;
use local_cloud::Rule;
use lomme::Error;
use lomme::catalog::Space;
use lomme::conditions::{Rules, Waiting};
use lomme::content::TransferListener;
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn content_of(phone: &Phone) -> &lomme::content::Content {
    phone.drive().content()
}

#[derive(Default)]
struct Steps(Mutex<Vec<(u64, u64)>>);

impl TransferListener for Steps {
    fn on_transfer(&self, done: u64, total: u64) {
        self.0.lock().unwrap().push((done, total));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_folder_is_on_the_device_after_a_run_and_nothing_else_is() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    let trip = phone.item("Sync/Trip");
    let content = phone.drive().content();
    let unknown = content.pin(&trip.id, 1 << 40);
    assert!(
        matches!(unknown, Err(Error::NotKnown { .. })),
        "nobody can say how large a folder is that was never listed: {unknown:?}"
    );
    let pin = content.pin(&trip.id, u64::MAX).unwrap();
    assert_eq!((pin.item.id, pin.files), (trip.id.clone(), 0), "not listed");
    assert_eq!(
        cloud.counts().content_of("Sync"),
        0,
        "a pin fetches nothing"
    );
    let steps = Arc::new(Steps::default());
    let run = phone
        .drive()
        .content()
        .keep_pins(Some(steps.clone()), &CancelToken::new())
        .await
        .unwrap();
    assert_eq!(
        run,
        PinRun {
            files: 3,
            fetched: TRIP_BYTES,
            ..PinRun::default()
        }
    );
    let steps = steps.0.lock().unwrap().clone();
    assert!(steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.last(), Some(&(TRIP_BYTES, TRIP_BYTES)));
    let ends = steps.iter().filter(|step| step.0 == TRIP_BYTES).count();
    assert_eq!(ends, 1, "only the last says that all is here");

    let pins = phone.drive().content().pins().unwrap();
    assert_eq!((pins.len(), pins[0].files, pins[0].whole_files), (1, 3, 3));
    assert_eq!(
        (pins[0].bytes, pins[0].whole_bytes),
        (TRIP_BYTES, TRIP_BYTES)
    );
    assert!(phone.item("Sync/Trip/Hotel/voucher.txt").pinned);
    let usage = phone.drive().content().usage().unwrap();
    assert_eq!(usage.spaces[0].whole_files, 3);
    assert!(usage.spaces[0].pinned_bytes >= TRIP_BYTES);
    assert_eq!(usage.spaces[0].cached_bytes, 0);

    assert_eq!(phone.ledger(Purpose::Pin), TRIP_BYTES, "exactly the pinned");
    assert_eq!(cloud.counts().content_of("Sync"), TRIP_BYTES);
    let total: u64 = phone
        .drive()
        .content()
        .ledger()
        .unwrap()
        .iter()
        .map(|row| row.bytes)
        .sum();
    assert_eq!(total, TRIP_BYTES, "for no other purpose");

    // In a tunnel.
    let voucher = cloud
        .writer()
        .read("/Jotta/Sync/Trip/Hotel/voucher.txt")
        .unwrap();
    cloud.stop();
    assert_eq!(phone.read("Sync/Trip/Hotel/voucher.txt").await, Ok(voucher));
    assert_eq!(
        phone.read("Sync/Trip/map.png").await.unwrap().len() as u64,
        3 * MIB
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_fetches_nothing_and_asks_little() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.keep().await;
    cloud.reset_counts();
    let again = phone.keep().await;
    assert_eq!(again, PinRun::default());
    assert_eq!(cloud.counts().content_of("Sync"), 0);
    assert_eq!(
        cloud.counts().requests.values().sum::<u64>(),
        0,
        "folders listed within 15 minutes: {:?}",
        cloud.counts()
    );
    phone.clock.advance(16 * 60_000);
    phone.keep().await;
    let asked: u64 = cloud.counts().requests.values().sum();
    assert!((1..=4).contains(&asked), "{:?}", cloud.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_stale_until_the_next_run_and_readable_meanwhile() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.keep().await;
    let old = phone.read("Sync/Trip/ticket.pdf").await.unwrap();
    let version = phone.item("Sync/Trip/ticket.pdf").content_version.unwrap();
    let new = vec![7; 200_000];
    cloud
        .writer()
        .put("/Jotta/Sync/Trip/ticket.pdf", &new)
        .unwrap();
    phone.clock.advance(60_000);
    phone.refresh("Sync/Trip").await;
    let since_ms = NOV_2026 + 60_000;
    assert_eq!(
        phone.local("Sync/Trip/ticket.pdf"),
        LocalCopy::Stale { since_ms }
    );
    let pin = phone.drive().content().pins().unwrap().remove(0);
    assert_eq!((pin.whole_files, pin.stale_files), (2, 1));
    assert_eq!(pin.stale_since_ms, Some(since_ms));
    // The stale copy is pinned until its successor is whole.
    let id = phone.item("Sync/Trip/ticket.pdf").id;
    assert_eq!(phone.drive().content().evict(&id).unwrap().kept, 1);
    let drive = phone.drive().clone();
    let reader_id = id.clone();
    let read = tokio::task::spawn_blocking(move || {
        let reader = drive
            .content()
            .open_reader(&reader_id, Some(&version), Purpose::Open)?;
        reader.read_at(0, 1000)
    })
    .await
    .unwrap();
    assert_eq!(read.unwrap(), old[..1000]);

    // In a tunnel the old copy is opened, whoever asks and however.
    phone.be(Network::Offline);
    cloud.trouble().add(Rule::on_all().lose_answer());
    assert_eq!(phone.read("Sync/Trip/ticket.pdf").await.unwrap(), old);
    let dest = phone.pocket.outer.path().join("ticket");
    let fetched = content_of(&phone)
        .fetch_to_file(&id, None, &dest, Purpose::Open, None, &CancelToken::new())
        .await
        .unwrap();
    assert_eq!(std::fs::read(&dest).unwrap(), old);
    assert_eq!(
        (fetched.item.size, fetched.bytes, fetched.fetched),
        (Some(300 * KIB), 300 * KIB, 0),
        "the item as of these bytes"
    );
    cloud.trouble().clear();
    phone.be(Network::Unmetered);
    let wanted = fetched.item.content_version.unwrap();
    let again = content_of(&phone)
        .fetch_to_file(
            &id,
            Some(&wanted),
            &dest,
            Purpose::Open,
            None,
            &CancelToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(again.bytes, 300 * KIB, "the version that was wanted");

    let run = phone.keep().await;
    assert_eq!((run.files, run.fetched), (1, 200_000));
    assert_eq!(phone.local("Sync/Trip/ticket.pdf"), LocalCopy::Whole);
    assert_eq!(phone.read("Sync/Trip/ticket.pdf").await.unwrap(), new);
    let usage = phone.drive().content().usage().unwrap();
    assert_eq!(usage.spaces[0].cached_bytes, 0, "the old version has gone");
    assert_eq!(usage.spaces[0].whole_files, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_to_a_metered_network_stops_a_run_within_a_second() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    let mut slow = Rule::on("bin");
    slow.bytes_per_second = Some(200 * KIB);
    cloud.trouble().add(slow);
    let drive = phone.drive().clone();
    let run =
        tokio::spawn(async move { drive.content().keep_pins(None, &CancelToken::new()).await });
    while cloud.counts().content_of("Sync") < 200 * KIB {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let switched = Instant::now();
    phone.be(Network::Metered);
    let run = run.await.unwrap().unwrap();
    assert!(
        switched.elapsed() < Duration::from_secs(1),
        "{:?}",
        switched.elapsed()
    );
    assert_eq!(run.waiting, Some(Waiting::Metered));
    assert!(run.missing_files > 0 && run.missing_bytes > 0);
    assert_eq!(run.failed, []);
    let sent = cloud.counts().content_of("Sync");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let later = cloud.counts().content_of("Sync");
    assert!(later < sent + 64 * KIB, "it goes on: {sent}, {later}");
    assert_eq!(
        phone.drive().status().unwrap().waiting,
        Some(Waiting::Metered)
    );
    let why = phone
        .drive()
        .why(&phone.item("Sync/Trip/map.png").id)
        .unwrap();
    assert_eq!(why.waiting, Some(Waiting::Metered));
    assert_eq!(why.pinned_by, Some(phone.item("Sync/Trip").id));
    assert!(why.explanation.contains("metered"), "{}", why.explanation);

    // Allowed by the rules, the rest comes, and what is here already does not come again.
    cloud.trouble().clear();
    let rules = Rules {
        on_metered: true,
        ..Rules::default()
    };
    phone.drive().set_rules(rules).unwrap();
    let rest = phone.keep().await;
    assert_eq!((rest.missing_files, rest.waiting), (0, None));
    assert_eq!(phone.drive().status().unwrap().waiting, None);
    assert!(phone.ledger(Purpose::Pin) < TRIP_BYTES + 512 * KIB);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_months_limit_holds_back_what_would_pass_it_and_ends_with_the_month() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.be(Network::Metered);
    let rules = Rules {
        on_metered: true,
        metered_bytes_a_month: Some(MIB),
        ..Rules::default()
    };
    phone.drive().set_rules(rules).unwrap();
    let run = phone.keep().await;
    assert_eq!((run.files, run.missing_files), (2, 1), "what fits has come");
    let (used, cap) = (300 * KIB + 700, MIB);
    assert!(matches!(run.waiting, Some(Waiting::DataCap { .. })));
    assert_eq!(
        phone.drive().status().unwrap().waiting,
        Some(Waiting::DataCap { used, cap })
    );
    phone
        .drive()
        .set_rules(Rules {
            metered_bytes_a_month: Some(3 * MIB),
            ..rules
        })
        .unwrap();
    assert_eq!(
        phone.keep().await.missing_files,
        1,
        "with what has come it is too much"
    );
    phone.clock.advance(31 * 24 * 60 * 60_000);
    assert_eq!(phone.keep().await.missing_files, 0, "another month");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_a_run_says_so_and_asks_nothing() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.refresh("Sync/Trip").await;
    phone.pin("Sync/Trip");
    phone.be(Network::Offline);
    cloud.reset_counts();
    let run = phone.keep().await;
    assert_eq!(run.waiting, Some(Waiting::NoNetwork));
    assert_eq!(run.missing_files, 2, "as far as known");
    assert_eq!(cloud.counts().requests.values().sum::<u64>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_that_fails_holds_up_no_other() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    let mut wrong = Rule::on("bin");
    wrong.path = Some("ticket.pdf".into());
    wrong.flip_byte = Some(1000);
    cloud.trouble().add(wrong);
    let run = phone.keep().await;
    assert_eq!((run.files, run.missing_files), (2, 1));
    let id = phone.item("Sync/Trip/ticket.pdf").id;
    assert!(
        matches!(&run.failed[..], [(of, Error::ContentMismatch { .. })] if *of == id),
        "{:?}",
        run.failed
    );
    cloud.trouble().clear();
    assert_eq!(phone.keep().await.missing_files, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_larger_than_allowed_is_refused_and_nothing_is_pinned() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pocket.index(Space::Sync).await.unwrap();
    let content = phone.drive().content();
    let trip = phone.item("Sync/Trip");
    assert_eq!(
        content.pin(&trip.id, TRIP_BYTES - 1),
        Err(Error::LargerThanAllowed {
            bytes: TRIP_BYTES,
            files: 3
        })
    );
    assert_eq!(content.pins().unwrap(), []);
    assert!(!phone.item("Sync/Trip").pinned);
    content.pin(&trip.id, TRIP_BYTES).unwrap();
    let inside = phone.item("Sync/Trip/Hotel").id;
    assert!(matches!(
        content.unpin(&inside, true),
        Err(Error::NotAllowed { .. })
    ));
    phone.keep().await;
    content.unpin(&trip.id, false).unwrap();
    assert_eq!(
        phone.local("Sync/Trip/map.png"),
        LocalCopy::Whole,
        "kept as cache"
    );
    content.pin(&trip.id, TRIP_BYTES).unwrap();
    let dropped = content.unpin(&trip.id, true).unwrap();
    assert_eq!((dropped.files, dropped.kept), (3, 0));
    assert_eq!(phone.local("Sync/Trip/map.png"), LocalCopy::Absent);
    assert!(!phone.item("Sync/Trip/map.png").pinned);
    let why = phone
        .drive()
        .why(&phone.item("Sync/Trip/map.png").id)
        .unwrap();
    assert_eq!(
        (why.local_bytes, why.pinned_by, why.waiting),
        (0, None, None)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_fetch_nothing_twice() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    let other = Drive::open(phone.pocket.options.clone()).unwrap();
    let never = CancelToken::new();
    let (a, b, c) = tokio::join!(
        phone.drive().content().keep_pins(None, &never),
        phone.drive().content().keep_pins(None, &never),
        other.content().keep_pins(None, &never),
    );
    let files: u64 = [a, b, c].into_iter().map(|run| run.unwrap().files).sum();
    assert_eq!(files, 3);
    assert_eq!(cloud.counts().content_of("Sync"), TRIP_BYTES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_small_files_come_many_at_once() {
    let cloud = cloud();
    let files = (0..1000).map(|n| BulkFile {
        path: format!("/Jotta/Sync/Many/{}/{n}", n % 10),
        seed: n,
        size: 2 * KIB,
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000,
    });
    cloud.writer().put_many(files).unwrap();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Many");
    let mut far = Rule::on("bin");
    far.delay_ms = Some(20);
    cloud.trouble().add(far);
    let begun = Instant::now();
    let run = phone.keep().await;
    let took = begun.elapsed();
    assert_eq!((run.files, run.fetched), (1000, 1000 * 2 * KIB));
    assert!(
        took < Duration::from_secs(10),
        "one after the other the latency alone is 20 s: {took:?}"
    );
    assert_eq!(
        cloud.counts().requests_of("bin"),
        1000,
        "one request a file"
    );
}
