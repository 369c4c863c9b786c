//! What makes room, and what stays.

use super::*;
use lomme::Error;
use lomme::catalog::Space;
use lomme::conditions::{Rules, Waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_opened_stays_within_the_budget_and_pins_are_no_part_of_it() {
    let cloud = cloud();
    for n in 0..6 {
        put(&cloud, &format!("Sync/F/{n}"), n, 400 * KIB);
    }
    let phone = Phone::at(&cloud).await;
    phone.refresh("Sync/F").await;
    phone.pin("Sync/F/0");
    phone.keep().await;
    phone.limit(MIB, 0);
    for n in 1..6 {
        phone.clock.advance(120_000);
        phone.read(&format!("Sync/F/{n}")).await.unwrap();
        let usage = phone.drive().content().usage().unwrap();
        assert!(usage.spaces[0].cached_bytes <= MIB + 64 * KIB, "{usage:?}");
        assert!(usage.spaces[0].pinned_bytes >= 400 * KIB);
    }
    assert_eq!(phone.local("Sync/F/0"), LocalCopy::Whole);
    let here = |n: u32| {
        let id = phone.item(&format!("Sync/F/{n}")).id;
        phone.drive().why(&id).unwrap().local_bytes > 0
    };
    assert!(!here(1) && !here(2) && !here(3), "the least recently used");
    assert!(here(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_has_open_is_not_evicted() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.refresh("Sync/Other").await;
    let film = phone.item("Sync/Other/film.mp4");
    phone.read("Sync/Other/film.mp4").await.unwrap();
    let other = Drive::open(phone.pocket.options.clone()).unwrap();
    let reader = other
        .content()
        .open_reader(&film.id, None, Purpose::Stream)
        .unwrap();
    let (reader, first) = tokio::task::spawn_blocking(move || {
        let first = reader.read_at(0, 1000).unwrap();
        (reader, first)
    })
    .await
    .unwrap();
    let kept = phone.drive().content().evict(&Space::Sync.root()).unwrap();
    assert_eq!((kept.files, kept.kept), (0, 1));
    phone.limit(0, 0);
    assert!(phone.drive().why(&film.id).unwrap().local_bytes > 0);
    let fetched = phone.ledger(Purpose::Stream);
    let reader = tokio::task::spawn_blocking(move || {
        assert_eq!(reader.read_at(0, 1000).unwrap(), first);
        reader
    })
    .await
    .unwrap();
    assert_eq!(phone.ledger(Purpose::Stream), fetched);
    reader.close();
    drop(reader);
    other.close().unwrap();
    let gone = phone.drive().content().evict(&Space::Sync.root()).unwrap();
    assert_eq!((gone.files, gone.kept), (1, 0));
    assert_eq!(phone.drive().why(&film.id).unwrap().local_bytes, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_too_full_is_a_typed_pause_with_nothing_half_written_as_whole() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.refresh("Sync/Other").await;
    phone.limit(1 << 40, 100 * MIB);
    phone.disk.set_free(101 * MIB);
    cloud.reset_counts();
    assert_eq!(
        phone.fetch("Sync/Other/film.mp4").await,
        Err(Error::DiskFull)
    );
    assert_eq!(cloud.counts().content_of("Sync"), 0, "nothing was fetched");
    assert_eq!(phone.local("Sync/Other/film.mp4"), LocalCopy::Absent);

    phone.pin("Sync/Trip");
    let run = phone.keep().await;
    assert_eq!((run.files, run.missing_files), (2, 1), "what fits has come");
    assert_eq!(run.waiting, Some(Waiting::FreeSpace { missing: 2 * MIB }));
    let status = phone.drive().status().unwrap();
    assert_eq!(
        status.waiting,
        Some(Waiting::FreeSpace { missing: 2 * MIB })
    );
    assert_eq!(status.usage.free_bytes, 101 * MIB);
    phone.disk.set_free(104 * MIB);
    assert_eq!(phone.keep().await.missing_files, 0);
    assert_eq!(
        phone.fetch("Sync/Other/film.mp4").await.unwrap().len() as u64,
        2 * MIB
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_catalogue_keeps_the_pins_and_their_content() {
    let cloud = trip();
    let mut phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.keep().await;
    let id = phone.item("Sync/Trip/map.png").id;
    phone.drive().close().unwrap();
    for entry in std::fs::read_dir(&phone.pocket.options.directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("catalog-")
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    phone.pocket.drive = Drive::open(phone.pocket.options.clone()).unwrap();
    phone.limit(0, 0);
    assert_eq!(
        phone.drive().content().usage().unwrap().spaces[0].whole_files,
        3,
        "nothing was evicted"
    );
    cloud.reset_counts();
    let run = phone.keep().await;
    assert_eq!((run.files, run.fetched, run.missing_files), (0, 0, 0));
    assert_eq!(cloud.counts().content_of("Sync"), 0, "nothing came again");
    let map = phone.item("Sync/Trip/map.png");
    assert_eq!(
        (map.id, map.local, map.pinned),
        (id, LocalCopy::Whole, true)
    );
    assert_eq!(phone.drive().content().pins().unwrap()[0].whole_files, 3);
    phone.pocket.reopen().unwrap();
    assert_eq!(phone.local("Sync/Trip/map.png"), LocalCopy::Whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_vanished_behind_the_index_are_noticed_at_the_next_start() {
    let cloud = trip();
    let mut phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.keep().await;
    phone.drive().close().unwrap();
    // As a kill in the middle of an eviction leaves it: the files gone, the rows there.
    for entry in std::fs::read_dir(phone.pocket.options.directory.join("slots")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    phone.clock.advance(120_000);
    phone.pocket.drive = Drive::open(phone.pocket.options.clone()).unwrap();
    assert_eq!(phone.local("Sync/Trip/map.png"), LocalCopy::Absent);
    let usage = phone.drive().content().usage().unwrap();
    assert_eq!(usage.spaces[0], Default::default());
    let run = phone.keep().await;
    assert_eq!((run.files, run.missing_files), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_limits_outlive_the_process_and_the_situation_does_not() {
    let mut phone = Phone::at(&cloud()).await;
    let rules = Rules {
        on_metered: true,
        metered_bytes_a_month: Some(5),
        battery_at_least: 40,
        ..Rules::default()
    };
    phone.drive().set_rules(rules).unwrap();
    phone.limit(7, 9);
    phone.be(Network::Metered);
    phone.pocket.reopen().unwrap();
    let status = phone.drive().status().unwrap();
    assert_eq!(status.rules, rules);
    assert_eq!(status.situation, Situation::default());
    let limits = status.usage.limits;
    assert_eq!((limits.budget_bytes, limits.free_floor_bytes), (7, 9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_leaves_no_content_and_no_pin() {
    let cloud = trip();
    let phone = Phone::at(&cloud).await;
    phone.pin("Sync/Trip");
    phone.keep().await;
    let id = phone.item("Sync/Trip/map.png").id;
    phone.drive().sign_out().unwrap();
    let content = phone.drive().content();
    assert_eq!(content.pins().unwrap(), []);
    assert_eq!(content.usage().unwrap().spaces, [Default::default(); 4]);
    let slots = phone.pocket.options.directory.join("slots");
    assert_eq!(std::fs::read_dir(slots).unwrap().count(), 0);
    assert!(matches!(
        phone.drive().why(&id),
        Err(Error::NotKnown { .. })
    ));
    let run = phone.keep().await;
    assert_eq!(run.waiting, None, "nothing is missing");
}
