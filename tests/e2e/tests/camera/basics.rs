//! What reaches the cloud, where, and that it does so once.
use crate::{Phone, asset, files, resource};
use lomme::CancelToken;
use lomme::camera::{AssetRules, AssetState, CameraHold, DeviceKind, Next, Provided, Role};

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_a_library_are_sent_once_by_month_with_a_receipt_each() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let assets = [
        phone.photo("1", "IMG_1.JPG", "one"),
        phone.photo("2", "IMG_2.JPG", "two"),
    ];
    let found = phone.scan(library, &assets);
    assert_eq!((found.seen, found.added, found.gone), (2, 2, 0));
    let batch = phone.back_up().await;
    assert_eq!((batch.done, batch.sent_bytes), (2, 6));
    let all = files([("2026/08/IMG_1.JPG", "one"), ("2026/08/IMG_2.JPG", "two")]);
    assert_eq!(phone.there("Camera"), all);
    let (receipts, _) = phone.camera().receipts(0, 100).unwrap();
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[0].path, "Pixel/Camera/2026/08/IMG_1.JPG");
    assert_eq!(receipts[0].md5, "f97c5d29941bfb1b2fdab0874906ab82");
    assert!(receipts[0].uuid.is_some() && receipts[0].revision == Some(1));
    let before = phone.cloud.counts().requests.values().sum::<u64>();
    let again = phone.scan(library, &assets);
    assert_eq!((again.seen, again.added, again.changed), (2, 0, 0));
    let batch = phone.back_up().await;
    assert_eq!((batch.done, batch.read), (0, 0));
    assert_eq!(
        phone.cloud.counts().requests.values().sum::<u64>(),
        before,
        "nothing new is no request"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_its_paths_and_a_change_is_a_new_version() {
    let phone = Phone::new().await;
    phone.write("a.txt", "one");
    phone.write("sub/b.txt", "two");
    phone.write("sub/copy.txt", "two");
    let folder = phone.folder();
    assert_eq!(phone.scan_folder(folder).await.added, 3);
    phone.back_up().await;
    let all = files([
        ("a.txt", "one"),
        ("sub/b.txt", "two"),
        ("sub/copy.txt", "two"),
    ]);
    assert_eq!(phone.there("Folder"), all);
    phone.write("a.txt", "one more");
    phone.clock.advance(20_000);
    assert_eq!(phone.scan_folder(folder).await.changed, 1);
    phone.clock.advance(20_000);
    assert_eq!(phone.back_up().await.done, 1);
    assert_eq!(phone.there("Folder")["a.txt"], "one more");
    let entry = phone
        .writer()
        .entry("/Pixel/Folder/a.txt")
        .unwrap()
        .unwrap();
    assert_eq!(entry.revision, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_the_platform_must_provide_are_asked_for_and_what_is_there_is_not_kept() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let hidden = |key: &str, name: &str| asset(key, vec![resource("o", Role::Photo, name, None)]);
    phone.scan(
        library,
        &[hidden("1", "IMG_1.HEIC"), hidden("2", "IMG_2.HEIC")],
    );
    let batch = phone.batch().await;
    assert_eq!((batch.remaining, batch.next), (2, Next::WhenProvided));
    assert_eq!(batch.hold, Some(CameraHold::ToProvide));
    let requests = phone.camera().export_requests(10).unwrap();
    assert_eq!(requests.len(), 2);
    let given = phone.write("export", "the original");
    assert_eq!(
        phone
            .camera()
            .provide(requests[0].id, &given, true)
            .unwrap(),
        Provided::Queued
    );
    assert!(!given.exists(), "it is ours now");
    phone.batch().await;
    let given = phone.write("export", "the original");
    let twin = phone
        .camera()
        .provide(requests[1].id, &given, true)
        .unwrap();
    assert_eq!(
        twin,
        Provided::AlreadyThere,
        "the same content under another name"
    );
    assert_eq!(phone.there("Camera").len(), 1);
    let key = |n: usize| requests[n].asset.clone();
    for n in [0, 1] {
        assert_eq!(phone.state(library, &key(n)), AssetState::Verified);
    }
    let kept = lomme_e2e::walk(&phone.pocket.outer.path().join("drive/camera"));
    assert!(
        kept.keys().all(|path| path.ends_with("run.lock")),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_5_a_reinstall_adopts_what_the_claimed_device_has_and_sends_nothing() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let content = |n: usize| format!("photo {n}");
    let photos: Vec<_> = (0..20)
        .map(|n| phone.photo(&n.to_string(), &format!("IMG_{n}.JPG"), content(n)))
        .collect();
    phone.scan(library, &photos);
    phone.back_up().await;
    let before = phone.there("Camera");
    let Phone { cloud, pocket, .. } = phone;
    pocket.drive.close().unwrap();
    let phone = Phone::of(cloud).await;
    let cancel = CancelToken::new();
    let taken = phone
        .camera()
        .create_device("pixel", DeviceKind::Android, &cancel)
        .await;
    assert_eq!(taken, Err(lomme::Error::NameTaken));
    let library = phone.library(AssetRules::default());
    let adopted = phone.camera().claim_device("PIXEL", &cancel).await.unwrap();
    assert_eq!(
        (adopted.files, adopted.adopted, adopted.missing),
        (20, 20, 0)
    );
    // Other ids, other names: only the content is the same.
    let photos: Vec<_> = (0..20)
        .map(|n| phone.photo(&format!("new {n}"), &format!("{n}.jpeg"), content(n)))
        .collect();
    phone.scan(library, &photos);
    phone.cloud.reset_counts();
    let batch = phone.back_up().await;
    assert_eq!((batch.done, batch.sent_bytes, batch.read), (0, 0, 20));
    let requests: u64 = phone.cloud.counts().requests.values().sum();
    assert_eq!(requests, 0);
    assert_eq!(phone.there("Camera"), before);
    assert_eq!(phone.state(library, "new 3"), AssetState::Listed);
}
