//! Content is identity: no duplicates, no silent skips (complaints no. 1 to 7).
use crate::{Phone, asset, files, resource};
use local_cloud::{Moment, Rule, Writer};
use lomme::CancelToken;
use lomme::camera::{
    AssetRules, AssetState, CameraHold, CameraPark, DeviceKind, ExportFailure, Next, Provided,
    Role, ScanKind, Skip, Trust,
};
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

#[tokio::test(flavor = "multi_thread")]
async fn no_1_another_id_another_path_or_another_name_sends_nothing_again() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
    phone.back_up().await;
    // A card out and in: other ids, and the old ones are gone.
    let again = phone.scan(library, &[phone.photo("99", "DSC_7.JPG", "one")]);
    assert_eq!((again.added, again.gone), (1, 1));
    let batch = phone.back_up().await;
    assert_eq!((batch.done, batch.sent_bytes), (0, 0));
    assert_eq!(phone.there("Camera"), files([("2026/08/IMG_1.JPG", "one")]));
    assert_eq!(phone.state(library, "99"), AssetState::Verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_2_two_photos_of_one_name_are_both_there_under_names_that_a_retry_would_choose() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let one = phone.photo("1", "IMG_0001.JPG", "one");
    let two = phone.photo("2", "img_0001.jpg", "two");
    phone.scan(library, &[one, two]);
    phone.back_up().await;
    let all = phone.there("Camera");
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(
        all.values().map(String::as_str).collect::<Vec<_>>().len(),
        2
    );
    let marked: Vec<_> = all.keys().filter(|path| path.contains(" (")).collect();
    let digest = |content: &str| match content {
        "one" => "f97c5d",
        _ => "b8a9f7",
    };
    assert_eq!(marked.len(), 1);
    assert!(
        marked[0].contains(&format!("({})", digest(&all[marked[0]]))),
        "{marked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_2_what_is_there_under_the_name_and_is_not_ours_is_not_touched() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone
        .writer()
        .put("/Pixel/Camera/2026/08/IMG_1.JPG", b"another phone's")
        .unwrap();
    phone
        .writer()
        .put("/Pixel/Camera/2026/08/IMG_2.JPG", b"two")
        .unwrap();
    phone.scan(
        library,
        &[
            phone.photo("1", "IMG_1.JPG", "one"),
            phone.photo("2", "IMG_2.JPG", "two"),
        ],
    );
    phone.back_up().await;
    let all = files([
        ("2026/08/IMG_1.JPG", "another phone's"),
        ("2026/08/IMG_1 (f97c5d).JPG", "one"),
        ("2026/08/IMG_2.JPG", "two"),
    ]);
    assert_eq!(phone.there("Camera"), all);
    let entry = phone
        .writer()
        .entry("/Pixel/Camera/2026/08/IMG_1.JPG")
        .unwrap()
        .unwrap();
    assert_eq!(entry.revision, 1);
    assert_eq!(
        phone.state(library, "2"),
        AssetState::Listed,
        "ours from before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_3_what_was_written_a_moment_ago_or_is_pending_rests_first() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let path = phone.write("1/IMG_1.JPG", "one");
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    let written_ms = written
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as i64;
    // The phone's clock stands at the moment of writing.
    phone
        .clock
        .advance(written_ms + 500 - lomme::clock::Clock::now_ms(&phone.clock));
    let mut photo = asset(
        "1",
        vec![resource("", Role::Photo, "IMG_1.JPG", Some(&path))],
    );
    phone.scan(library, std::slice::from_ref(&photo));
    let batch = phone.batch().await;
    assert_eq!((batch.done, batch.remaining), (0, 1));
    assert!(
        matches!(batch.next, Next::After { ms } if ms <= 10_000),
        "{batch:?}"
    );
    let why = phone.camera().why(library, "1").unwrap();
    assert!(
        matches!(why.hold, Some(CameraHold::Settling { .. })),
        "{why:?}"
    );
    phone.clock.advance(10_500);
    photo.pending = true;
    phone.scan(library, std::slice::from_ref(&photo));
    assert_eq!(phone.batch().await.done, 0, "not shown yet by the platform");
    photo.pending = false;
    phone.scan(library, &[photo]);
    assert_eq!(phone.back_up().await.done, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_3_an_in_place_change_is_read_again_and_both_contents_are_kept() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut photo = phone.photo("1", "IMG_1.JPG", "as taken");
    phone.scan(library, std::slice::from_ref(&photo));
    phone.back_up().await;
    phone.write("1/IMG_1.JPG", "as processed");
    photo.resources[0].stamp = 2;
    photo.resources[0].size = Some(12);
    let found = phone.scan(library, std::slice::from_ref(&photo));
    assert_eq!((found.added, found.changed), (0, 1));
    phone.clock.advance(20_000);
    phone.back_up().await;
    let all = phone.there("Camera");
    assert_eq!(all.len(), 2);
    assert_eq!(all["2026/08/IMG_1.JPG"], "as taken");
    assert!(all.values().any(|content| content == "as processed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_4_what_is_other_bytes_each_time_is_never_sent_and_waits_for_a_person() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photo = phone.photo("1", "IMG_1.JPG", vec![b'a'; 300_000]);
    let path = photo.resources[0].path.clone().unwrap();
    phone.scan(library, &[photo, phone.photo("2", "IMG_2.JPG", "two")]);
    // Each time between its hashing and its sending it becomes another one, of the same length and time.
    let turns = AtomicU8::new(b'b');
    let change = move |_: &Writer| {
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let bytes = vec![turns.fetch_add(1, SeqCst); 300_000];
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
    };
    let rule = Rule::on("allocate").strike(Moment::BeforeWork, change);
    phone.cloud.trouble().add(rule);
    for _ in 0..4 {
        phone.batch().await;
        phone.clock.advance(3_600_000);
    }
    let why = phone.camera().why(library, "1").unwrap();
    assert_eq!(
        why.hold,
        Some(CameraHold::NeedsUser(CameraPark::UnstableSource)),
        "{why:?}"
    );
    assert_eq!(
        phone.state(library, "2"),
        AssetState::Verified,
        "the next is not held up"
    );
    let there = phone.there("Camera");
    assert_eq!(there, files([("2026/08/IMG_2.JPG", "two")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_6_a_rule_that_leaves_it_out_later_takes_it_out_of_the_queue_and_back() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut chat = phone.photo("1", "IMG_1.JPG", "a chat's");
    chat.album = "Chat/Received".into();
    phone.scan(library, &[chat, phone.photo("2", "IMG_2.JPG", "two")]);
    phone.cloud.trouble().add(Rule::on("allocate").status(503));
    phone.batch().await;
    let rules = AssetRules {
        without_albums: vec!["Chat".into()],
        ..AssetRules::default()
    };
    let preview = phone.camera().preview(library, &rules).unwrap();
    assert_eq!(
        (preview.items, preview.skipped.as_slice()),
        (1, &[(Skip::Album, 1)][..])
    );
    phone.camera().set_source_rules(library, &rules).unwrap();
    phone.cloud.trouble().clear();
    phone.clock.advance(3_600_000);
    phone.back_up().await;
    assert_eq!(phone.there("Camera"), files([("2026/08/IMG_2.JPG", "two")]));
    assert_eq!(
        phone.camera().why(library, "1").unwrap().skipped,
        Some(Skip::Album)
    );
    phone
        .camera()
        .set_source_rules(library, &AssetRules::default())
        .unwrap();
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_7_two_runs_at_once_are_one() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos: Vec<_> = (0..30)
        .map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}")))
        .collect();
    phone.scan(library, &photos);
    let other = lomme::Drive::open(phone.pocket.options.clone()).unwrap();
    let (budget, cancel) = (Default::default(), CancelToken::new());
    let (one, two) = tokio::join!(
        phone.camera().run_batch(&budget, None, &cancel),
        other.camera().run_batch(&budget, None, &cancel)
    );
    assert_eq!(
        [&one, &two]
            .iter()
            .filter(|run| ***run == Err(lomme::Error::StoreBusy))
            .count(),
        1
    );
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 30);
    assert_eq!(phone.cloud.counts().requests["upload"], 30);
    other.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_11_one_asset_that_cannot_be_had_holds_up_no_other() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let far = |key: &str| asset(key, vec![resource("o", Role::Photo, "IMG.HEIC", None)]);
    let mut lost = phone.photo("lost", "LOST.JPG", "lost");
    lost.resources[0].path = Some(phone.roll().join("nowhere.jpg"));
    phone.scan(
        library,
        &[far("icloud"), far("forbidden"), far("fine"), lost],
    );
    let camera = phone.camera();
    phone.batch().await;
    for request in camera.export_requests(10).unwrap() {
        match request.asset.as_str() {
            "icloud" => camera
                .export_failed(request.id, ExportFailure::NotLocal)
                .unwrap(),
            "forbidden" => camera
                .export_failed(request.id, ExportFailure::NoPermission)
                .unwrap(),
            _ => {
                let given = phone.write("export", "fine");
                assert_eq!(
                    camera.provide(request.id, &given, true).unwrap(),
                    Provided::Queued
                );
            }
        }
    }
    phone.batch().await;
    assert_eq!(phone.there("Camera"), files([("2026/08/IMG.HEIC", "fine")]));
    let hold = |key: &str| camera.why(library, key).unwrap().hold;
    assert!(matches!(
        hold("icloud"),
        Some(CameraHold::NotProvided {
            why: ExportFailure::NotLocal,
            ..
        })
    ));
    assert_eq!(
        hold("forbidden"),
        Some(CameraHold::NeedsUser(CameraPark::NoPermission))
    );
    assert!(
        matches!(hold("lost"), Some(CameraHold::Retry { .. })),
        "{:?}",
        hold("lost")
    );
    assert_eq!(camera.status().unwrap().needs_user, 1);
    // A later try asks for what was not local.
    phone.clock.advance(2 * 3_600_000);
    let again: Vec<_> = camera
        .export_requests(10)
        .unwrap()
        .into_iter()
        .map(|r| r.asset)
        .collect();
    assert_eq!(again, ["icloud"]);
    camera.retry(Some((library, "forbidden"))).unwrap();
    assert_eq!(camera.export_requests(10).unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_13_the_halves_of_a_live_photo_share_a_stem_also_if_another_has_their_name() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[phone.photo("0", "IMG_1.MOV", "somebody's video of that name")],
    );
    phone.back_up().await;
    let still = phone.write("l/IMG_1.HEIC", "still");
    let video = phone.write("l/IMG_1.MOV", "moment");
    let edited = phone.write("l/render.JPG", "edited");
    let live = asset(
        "live",
        vec![
            resource("v", Role::PairedVideo, "IMG_1.MOV", Some(&video)),
            resource("e", Role::EditedPhoto, "FullSizeRender.JPG", Some(&edited)),
            resource("p", Role::Photo, "IMG_1.HEIC", Some(&still)),
        ],
    );
    phone.scan_as(library, &[live], Trust::Partial);
    phone.back_up().await;
    let all = phone.there("Camera");
    let of = |content: &str| all.iter().find(|file| file.1 == content).unwrap().0.clone();
    let stem = |path: &str| path.rsplit_once('.').unwrap().0.to_owned();
    assert_eq!(stem(&of("still")), stem(&of("moment")));
    assert!(of("still").contains("IMG_1 ("), "{all:?}");
    assert!(
        of("edited").starts_with(&format!("{} (edited ", stem(&of("still")))),
        "{all:?}"
    );
    assert_eq!(all.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_14_an_edit_is_sent_beside_the_original_and_the_original_is_not_sent_again() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut photo = phone.photo("1", "IMG_1.JPG", "original");
    phone.scan(library, std::slice::from_ref(&photo));
    phone.back_up().await;
    let render = phone.write("1/render.jpg", "brighter");
    photo.resources.push(resource(
        "r",
        Role::EditedPhoto,
        "FullSizeRender.jpg",
        Some(&render),
    ));
    phone.scan(library, std::slice::from_ref(&photo));
    phone.clock.advance(20_000);
    let batch = phone.back_up().await;
    assert_eq!((batch.done, batch.read), (1, 1));
    let all = phone.there("Camera");
    assert_eq!(all["2026/08/IMG_1.JPG"], "original");
    let edited: Vec<_> = all
        .keys()
        .filter(|path| path.contains("IMG_1 (edited "))
        .collect();
    assert_eq!(edited.len(), 1, "{all:?}");
    // Reverted: what was sent stays.
    photo.resources.pop();
    phone.scan(library, &[photo]);
    phone.back_up().await;
    assert_eq!(phone.there("Camera"), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_18_the_month_is_the_cameras_own_whatever_the_file_times_say_and_never_changes() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut photo = phone.photo("1", "IMG_1.JPG", exif("2019:12:31 23:59:58"));
    photo.taken_ms = Some(1_700_000_000_000);
    phone.scan(library, &[photo]);
    phone.back_up().await;
    assert_eq!(
        phone.there("Camera").into_keys().collect::<Vec<_>>(),
        ["2019/12/IMG_1.JPG"]
    );
    let entry = phone
        .writer()
        .entry("/Pixel/Camera/2019/12/IMG_1.JPG")
        .unwrap()
        .unwrap();
    assert_eq!(entry.modified / 86_400_000, 18_261, "2019-12-31");
}

/// A JPEG that says when it was taken, and nothing else.
fn exif(taken: &str) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    // One entry: the EXIF directory, which follows.
    tiff.extend(1u16.to_le_bytes());
    tiff.extend([0x69, 0x87, 4, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(1u16.to_le_bytes());
    tiff.extend([0x03, 0x90, 2, 0, 20, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(taken.as_bytes());
    tiff.push(0);
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe1];
    jpeg.extend((tiff.len() as u16 + 8).to_be_bytes());
    jpeg.extend(b"Exif\0\0");
    jpeg.extend(tiff);
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

#[tokio::test(flavor = "multi_thread")]
async fn no_19_deleting_here_deletes_nothing_there_and_the_reverse() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos = [
        phone.photo("1", "IMG_1.JPG", "one"),
        phone.photo("2", "IMG_2.JPG", "two"),
    ];
    phone.scan(library, &photos);
    phone.back_up().await;
    assert_eq!(phone.scan(library, &photos[1..]).gone, 1);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 2);
    let delta = phone.camera().begin_scan(library, ScanKind::Delta).unwrap();
    assert_eq!(
        (delta.kind, delta.cursor.as_deref()),
        (ScanKind::Delta, Some("cursor"))
    );
    phone.camera().gone_assets(delta.id, &["2".into()]).unwrap();
    let ended = phone
        .camera()
        .commit_scan(delta.id, Some("later"), Trust::Complete)
        .unwrap();
    assert_eq!(ended.gone, 1);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 2);
    phone
        .writer()
        .trash("/Pixel/Camera/2026/08/IMG_2.JPG")
        .unwrap();
    phone.camera().adopt(&CancelToken::new()).await.unwrap();
    assert!(phone.roll().join("2/IMG_2.JPG").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_22_a_partial_or_an_empty_answer_says_nothing_about_what_it_does_not_show() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos = [
        phone.photo("1", "IMG_1.JPG", "one"),
        phone.photo("2", "IMG_2.JPG", "two"),
    ];
    phone.scan(library, &photos);
    let partial = phone.scan_as(library, &photos[..1], Trust::Partial);
    assert_eq!(partial.gone, 0);
    let empty = phone.scan(library, &[]);
    assert_eq!(empty.gone, 0);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_23_what_somebody_deletes_in_the_cloud_stays_deleted_until_a_person_sends_it_again() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photo = phone.photo("1", "IMG_1.JPG", "one");
    phone.scan(library, std::slice::from_ref(&photo));
    phone.back_up().await;
    phone
        .writer()
        .trash("/Pixel/Camera/2026/08/IMG_1.JPG")
        .unwrap();
    let cancel = CancelToken::new();
    assert_eq!(phone.camera().adopt(&cancel).await.unwrap().missing, 1);
    assert_eq!(phone.state(library, "1"), AssetState::DeletedInCloud);
    phone.scan(library, &[photo]);
    phone.back_up().await;
    assert_eq!(phone.there("Camera"), files([]));
    phone.camera().upload_again(library, "1").unwrap();
    phone.back_up().await;
    assert_eq!(phone.there("Camera"), files([("2026/08/IMG_1.JPG", "one")]));
    assert_eq!(phone.state(library, "1"), AssetState::Verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_40_from_now_on_is_what_was_first_seen_later_and_a_new_album_is_told() {
    let phone = Phone::new().await;
    let mut new = crate::source("Camera", None, AssetRules::default());
    new.from_now = true;
    let library = phone.camera().add_source(&new).unwrap();
    let old = phone.photo("1", "IMG_1.JPG", "there before");
    assert_eq!(phone.scan(library, std::slice::from_ref(&old)).skipped, 1);
    // Older by its date, and new here.
    let mut restored = phone.photo("2", "IMG_2.JPG", "restored");
    restored.taken_ms = Some(1_500_000_000_000);
    restored.album = "Gallery".into();
    phone.scan(library, &[old, restored]);
    phone.back_up().await;
    assert_eq!(
        phone.there("Camera"),
        files([("2017/07/IMG_2.JPG", "restored")])
    );
    assert_eq!(
        phone.camera().why(library, "1").unwrap().skipped,
        Some(Skip::BeforeStart)
    );
    let preview = phone
        .camera()
        .preview(library, &AssetRules::default())
        .unwrap();
    let albums: Vec<_> = preview
        .albums
        .iter()
        .map(|a| (a.album.as_str(), a.items, a.included))
        .collect();
    assert_eq!(albums, [("Camera", 1, 0), ("Gallery", 1, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_of_another_phone_is_claimed_by_a_persons_word_only() {
    let phone = Phone::new().await;
    phone.writer().device("Galaxy", "ANDROID").unwrap();
    phone
        .writer()
        .put("/Galaxy/Camera/2026/08/IMG_1.JPG", b"one")
        .unwrap();
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
    phone.back_up().await;
    // Another device's copy is not adopted: its owner may delete it. An entry of our own costs no bytes.
    assert_eq!(phone.there("Camera").len(), 1);
    assert_eq!(phone.cloud.counts().requests.get("upload"), None);
    let cancel = CancelToken::new();
    let made = phone
        .camera()
        .create_device("galaxy", DeviceKind::Android, &cancel)
        .await;
    assert_eq!(made, Err(lomme::Error::NameTaken));
    let all = phone.camera().devices(&cancel).await.unwrap();
    let names: Vec<_> = all
        .iter()
        .map(|device| (device.name.as_str(), device.ours))
        .collect();
    assert_eq!(names, [("Galaxy", false), ("Pixel", true)]);
    phone
        .camera()
        .claim_device("Galaxy", &cancel)
        .await
        .unwrap();
    assert_eq!(
        phone.state(library, "1"),
        AssetState::Seen,
        "what is proven elsewhere proves nothing here"
    );
    phone.back_up().await;
    assert_eq!(phone.state(library, "1"), AssetState::Listed);
}
