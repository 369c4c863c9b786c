//! What goes wrong on the way, and that it loses, doubles and hides nothing (complaints no. 8, 9, 12, 20, 25 to 33).
use crate::{Phone, asset, files, resource};
use local_cloud::{Moment, Rule};
use lomme::CancelToken;
use lomme::camera::{
    AssetKind, AssetRules, AssetState, Budget, CameraHold, CameraRules, ExportFailure, Next, Proof,
    Provided, Role, Schedule,
};
use lomme::conditions::{Rules, Situation, Waiting};
use lomme::content::Network;
use lomme::edits::AccountHold;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn no_8_after_any_error_an_item_is_done_or_says_why_it_is_not_and_goes_on() {
    for status in [400, 403, 404, 409, 413, 421, 429, 500, 503] {
        let phone = Phone::new().await;
        let library = phone.library(AssetRules::default());
        phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
        for kind in ["allocate", "upload"] {
            phone
                .cloud
                .trouble()
                .add(Rule::on(kind).status(status).once());
        }
        for _ in 0..4 {
            let batch = phone.batch().await;
            let why = phone.camera().why(library, "1").unwrap();
            let done = why.state == AssetState::Verified;
            assert_eq!(done, batch.remaining == 0, "{status}: {batch:?} {why:?}");
            assert!(done || why.hold.is_some(), "{status}: {why:?}");
            phone.clock.advance(3_600_000);
        }
        assert_eq!(
            phone.there("Camera"),
            files([("2026/08/IMG_1.JPG", "one")]),
            "{status}"
        );
        assert_eq!(phone.state(library, "1"), AssetState::Verified, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_9_what_the_cloud_has_lost_or_has_wrong_is_found_by_the_audit_and_sent_again() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos: Vec<_> = (0..5)
        .map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}")))
        .collect();
    phone.scan(library, &photos);
    phone.back_up().await;
    // Another content under its path, by a service that lies or another program.
    phone
        .writer()
        .put("/Pixel/Camera/2026/08/3.JPG", b"")
        .unwrap();
    phone.clock.advance(86_400_000);
    let cancel = CancelToken::new();
    assert_eq!(phone.camera().audit(100, &cancel).await.unwrap(), (5, 1));
    assert_eq!(phone.state(library, "3"), AssetState::Placed);
    phone.back_up().await;
    let there = phone.there("Camera");
    for n in 0..5 {
        assert!(
            there
                .values()
                .any(|content| *content == format!("photo {n}")),
            "{there:?}"
        );
    }
    assert_eq!(phone.camera().audit(100, &cancel).await.unwrap(), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_12_copies_of_what_the_platform_gives_have_a_budget_and_none_is_left() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let far: Vec<_> = (0..4)
        .map(|n| {
            let mut file = resource("o", Role::Photo, &format!("{n}.HEIC"), None);
            // Two and a half gigabytes each, as the platform says.
            file.size = Some(1_500_000_000);
            asset(&n.to_string(), vec![file])
        })
        .collect();
    phone.scan(library, &far);
    let requests = phone.camera().export_requests(10).unwrap();
    assert_eq!(requests.len(), 1, "two would be more than 2 GiB");
    let given = phone.write("export", "small after all");
    phone
        .camera()
        .provide(requests[0].id, &given, true)
        .unwrap();
    phone.batch().await;
    let kept = lomme_e2e::walk(&phone.pocket.outer.path().join("drive/camera"));
    assert!(
        kept.keys().all(|path| path.ends_with("run.lock")),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_20_nothing_is_proposed_or_proven_that_is_not_there_exactly_as_it_is_here_now() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let names = ["fine", "changed", "lost", "wrong", "unsent"];
    let photos: Vec<_> = names
        .iter()
        .map(|name| phone.photo(name, &format!("{name}.JPG"), format!("content of {name}")))
        .collect();
    phone.scan(library, &photos[..4]);
    phone.back_up().await;
    phone.scan(library, &photos);
    let camera = phone.camera();
    assert_eq!(
        camera.propose_free_up(10, 30).unwrap(),
        [],
        "they are too young"
    );
    phone.clock.advance(31 * 86_400_000);
    let mut proposed: Vec<_> = camera
        .propose_free_up(10, 30)
        .unwrap()
        .into_iter()
        .map(|p| p.asset)
        .collect();
    proposed.sort();
    assert_eq!(proposed, ["changed", "fine", "lost", "wrong"]);
    phone.write("changed/changed.JPG", "Content of changed");
    phone
        .writer()
        .trash("/Pixel/Camera/2026/08/lost.JPG")
        .unwrap();
    phone
        .writer()
        .put("/Pixel/Camera/2026/08/wrong.JPG", b"")
        .unwrap();
    let cancel = CancelToken::new();
    for (name, proof) in [
        ("fine", Proof::Proven),
        ("changed", Proof::Changed),
        ("lost", Proof::NotThere),
        ("wrong", Proof::NotThere),
        ("unsent", Proof::NotThere),
    ] {
        assert_eq!(
            camera.prove(library, name, &[], &cancel).await.unwrap(),
            proof,
            "{name}"
        );
        let freed = camera.confirm_freed(library, name);
        assert_eq!(freed.is_ok(), proof == Proof::Proven, "{name}");
    }
    // What was freed is not gone from the cloud, nor wanted again.
    phone.scan(library, &photos[1..]);
    phone.clock.advance(60_000);
    phone.batch().await;
    assert_eq!(phone.there("Camera")["2026/08/fine.JPG"], "content of fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_25_a_large_video_goes_on_at_the_services_position_and_is_done_when_it_is_read_there() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let bytes: Vec<u8> = (0..6_000_000u32).map(|n| (n >> 5) as u8).collect();
    let path = phone.write("v/film.mp4", &bytes);
    let mut film = asset(
        "v",
        vec![resource("", Role::Video, "film.mp4", Some(&path))],
    );
    film.kinds = vec![AssetKind::Video];
    phone.scan(library, &[film]);
    phone
        .cloud
        .trouble()
        .add(Rule::on("upload").cut_upload_after(4_000_000).once());
    phone
        .cloud
        .trouble()
        .add(Rule::on("upload").after(1).lose_answer().once());
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 1);
    assert_eq!(phone.state(library, "v"), AssetState::Verified);
    let received = phone.cloud.counts().received_bytes;
    assert!(received < 6_000_000 + 500_000, "{received} bytes were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_26_a_file_that_grows_while_it_is_sent_is_not_published_until_it_rests() {
    let phone = Phone::new().await;
    let folder = phone.folder();
    let path = phone.write("film.mp4", vec![b'a'; 400_000]);
    phone.scan_folder(folder).await;
    let growing = path.clone();
    let grow = move |_: &_| {
        std::fs::write(&growing, vec![b'a'; 500_000]).unwrap();
    };
    phone
        .cloud
        .trouble()
        .add(Rule::on("allocate").strike(Moment::BeforeWork, grow).once());
    phone.batch().await;
    assert_eq!(phone.there("Folder"), files([]));
    phone.clock.advance(60_000);
    phone.scan_folder(folder).await;
    phone.clock.advance(60_000);
    phone.back_up().await;
    assert_eq!(phone.there("Folder")["film.mp4"].len(), 500_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_27_whatever_holds_it_back_one_reason_is_told_and_the_run_says_when_to_come_back() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
    let camera = phone.camera();
    let told = async || {
        let batch = phone.batch().await;
        let why = camera.why(library, "1").unwrap();
        assert_eq!(batch.hold, why.hold, "one reason, told alike");
        assert_eq!(camera.status().unwrap().hold, why.hold);
        (why.hold.unwrap(), batch.next)
    };
    let mut situation = Situation {
        network: Network::Metered,
        ..Situation::default()
    };
    phone.drive().set_situation(situation).unwrap();
    assert_eq!(
        told().await,
        (
            CameraHold::Conditions(Waiting::Metered),
            Next::WhenUnmetered
        )
    );
    situation.network = Network::Offline;
    phone.drive().set_situation(situation).unwrap();
    assert_eq!(
        told().await,
        (CameraHold::Conditions(Waiting::NoNetwork), Next::WhenOnline)
    );
    situation.network = Network::Unmetered;
    situation.charging = Some(false);
    phone.drive().set_situation(situation).unwrap();
    let rules = |rules: Rules| CameraRules {
        rules,
        ..CameraRules::default()
    };
    camera
        .set_rules(&rules(Rules {
            only_charging: true,
            ..Rules::default()
        }))
        .unwrap();
    assert_eq!(
        told().await,
        (CameraHold::Conditions(Waiting::Charger), Next::WhenCharging)
    );
    let paused = CameraRules {
        paused: true,
        ..CameraRules::default()
    };
    camera.set_rules(&paused).unwrap();
    assert_eq!(told().await, (CameraHold::Paused, Next::NeedsUser));
    let never = CameraRules {
        schedule: Some(Schedule {
            days: [false; 7],
            from_minute: 0,
            to_minute: 60,
        }),
        ..CameraRules::default()
    };
    camera.set_rules(&never).unwrap();
    assert!(matches!(
        told().await,
        (CameraHold::Schedule { .. }, Next::After { .. })
    ));
    camera.set_rules(&CameraRules::default()).unwrap();
    phone.back_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_29_a_change_to_a_metered_network_stops_what_is_under_way_and_the_months_limit_counts_what_is_sent()
 {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[phone.photo("1", "IMG_1.JPG", vec![b'a'; 3_000_000])],
    );
    phone
        .cloud
        .trouble()
        .add(Rule::on("upload").delay(Duration::from_secs(2)).once());
    let (budget, cancel) = (Budget::default(), CancelToken::new());
    let run = phone.camera().run_batch(&budget, None, &cancel);
    let change = async {
        while phone.camera().status().unwrap().moving_bytes == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let situation = Situation {
            network: Network::Metered,
            ..Situation::default()
        };
        phone.drive().set_situation(situation).unwrap();
    };
    let (batch, ()) = tokio::join!(run, change);
    let batch = batch.unwrap();
    assert_eq!(
        (batch.done, batch.hold),
        (0, Some(CameraHold::Conditions(Waiting::Metered)))
    );
    phone.cloud.trouble().clear();
    let limited = |bytes| CameraRules {
        rules: Rules {
            on_metered: true,
            metered_bytes_a_month: Some(bytes),
            ..Rules::default()
        },
        ..CameraRules::default()
    };
    phone.camera().set_rules(&limited(2_000_000)).unwrap();
    assert_eq!(
        phone.batch().await.done,
        0,
        "it does not fit into the month"
    );
    phone.camera().set_rules(&limited(4_000_000)).unwrap();
    assert_eq!(phone.batch().await.done, 1);
    phone.scan(
        library,
        &[phone.photo("2", "IMG_2.JPG", vec![b'b'; 2_000_000])],
    );
    assert_eq!(phone.batch().await.done, 0, "3 of 4 MB are used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_31_a_full_account_pauses_the_account_asks_with_one_item_and_leaves_the_items() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos: Vec<_> = (0..40)
        .map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}")))
        .collect();
    phone.scan(library, &photos);
    phone.cloud.set_account(|account| account.capacity = 10);
    let batch = phone.batch().await;
    assert_eq!(
        batch.hold,
        Some(CameraHold::Account(AccountHold::Full)),
        "{batch:?}"
    );
    phone.clock.advance(3_600_000);
    phone.cloud.reset_counts();
    phone.batch().await;
    assert_eq!(
        phone.cloud.counts().requests["allocate"],
        1,
        "one item asks"
    );
    phone.cloud.set_account(|account| account.capacity = -1);
    phone.camera().retry(None).unwrap();
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_returns_and_a_later_run_goes_on() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[phone.photo("1", "IMG_1.JPG", vec![b'a'; 3_000_000])],
    );
    phone
        .cloud
        .trouble()
        .add(Rule::on("upload").delay(Duration::from_secs(2)).once());
    let (budget, cancel) = (Budget::default(), CancelToken::new());
    let run = phone.camera().run_batch(&budget, None, &cancel);
    let stop = async {
        while phone.camera().status().unwrap().moving_bytes == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let (run, ()) = tokio::join!(run, stop);
    assert_eq!(run, Err(lomme::Error::Cancelled));
    let slice = Budget {
        time_ms: Some(0),
        bytes: None,
    };
    let batch = phone
        .camera()
        .run_batch(&slice, None, &CancelToken::new())
        .await
        .unwrap();
    assert_eq!(
        (batch.done, batch.next),
        (0, Next::Now),
        "the slice had no time"
    );
    phone.back_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_photos_go_before_the_backlog_and_no_film_holds_them_up() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut old: Vec<_> = (0..30)
        .map(|n| {
            let mut photo = phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}"));
            photo.taken_ms = Some(crate::TAKEN + 86_400_000);
            photo
        })
        .collect();
    let path = phone.write("v/film.mp4", vec![b'v'; 20_000_000]);
    let mut film = asset(
        "v",
        vec![resource("", Role::Video, "film.mp4", Some(&path))],
    );
    film.taken_ms = Some(crate::TAKEN + 2 * 86_400_000);
    old.push(film);
    phone.scan(library, &old);
    let mut fresh = phone.photo("fresh", "FRESH.JPG", "the newest here, whatever its date");
    fresh.taken_ms = Some(1_500_000_000_000);
    old.push(fresh);
    phone.scan(library, &old);
    phone.cloud.trouble().add(
        Rule::on("upload")
            .path("film")
            .bytes_per_second(2_000_000)
            .once(),
    );
    let one = Budget {
        time_ms: None,
        bytes: Some(1),
    };
    phone
        .camera()
        .run_batch(&one, None, &CancelToken::new())
        .await
        .unwrap();
    assert!(
        phone.there("Camera").contains_key("2017/07/FRESH.JPG"),
        "{:?}",
        phone.there("Camera").keys()
    );
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_the_platform_that_provides_nothing_new_ends_and_says_what_it_waits_for() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[asset("1", vec![resource("o", Role::Photo, "1.HEIC", None)])],
    );
    let request = phone.camera().export_requests(1).unwrap().remove(0);
    phone
        .camera()
        .export_failed(request.id, ExportFailure::Gone)
        .unwrap();
    let given = phone.write("late", "late");
    assert_eq!(
        phone.camera().provide(request.id, &given, true).unwrap(),
        Provided::NotWanted
    );
    assert!(given.exists(), "it stays the caller's");
    assert_eq!(phone.batch().await.next, Next::Idle);
    assert_eq!(phone.state(library, "1"), AssetState::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_that_are_too_short_for_one_film_get_there_all_the_same() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let bytes: Vec<u8> = (0..30_000_000u32).map(|n| (n >> 4) as u8).collect();
    let film = phone.write("v/film.mp4", bytes);
    let mut assets = vec![asset(
        "v",
        vec![resource("", Role::Video, "film.mp4", Some(&film))],
    )];
    assets[0].kinds = vec![AssetKind::Video];
    assets.extend(
        (0..20).map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}"))),
    );
    phone.scan(library, &assets);
    let slice = Budget {
        time_ms: Some(40),
        bytes: None,
    };
    let cancel = CancelToken::new();
    for _ in 0..1_000 {
        let batch = phone
            .camera()
            .run_batch(&slice, None, &cancel)
            .await
            .unwrap();
        if batch.remaining == 0 {
            break;
        }
    }
    assert_eq!(phone.there("Camera").len(), 21);
}
