//! Sources, pages, and the kinds of assets that others lose (complaints no. 15 to 17, 32, 33).
use crate::{Phone, asset, resource, source};
use lomme::CancelToken;
use lomme::camera::{
    AssetKind, AssetRules, AssetState, Budget, CameraHold, CameraPark, ExportFailure, Provided,
    Role, ScanKind, Trust,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_15_and_16_raw_data_and_every_frame_of_a_burst_are_sent_as_they_are() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let bytes = |seed: u8| (0..5_000u32).map(|n| (n as u8) ^ seed).collect::<Vec<u8>>();
    let (jpeg, raw) = (
        phone.write("r/DSC_1.JPG", bytes(1)),
        phone.write("r/DSC_1.DNG", bytes(2)),
    );
    let mut assets = vec![asset(
        "raw",
        vec![
            resource("raw", Role::Raw, "DSC_1.DNG", Some(&raw)),
            resource("jpeg", Role::Photo, "DSC_1.JPG", Some(&jpeg)),
        ],
    )];
    for frame in 0..5u8 {
        let name = format!("IMG_{frame}.HEIC");
        let path = phone.write(&format!("b/{name}"), bytes(10 + frame));
        let mut photo = asset(&name, vec![resource("", Role::Photo, &name, Some(&path))]);
        photo.kinds.push(AssetKind::Burst);
        assets.push(photo);
    }
    phone.scan(library, &assets);
    phone.back_up().await;
    let read = |path: &str| {
        phone
            .writer()
            .read(&format!("/Pixel/Camera/2026/08/{path}"))
            .unwrap()
    };
    assert_eq!((read("DSC_1.JPG"), read("DSC_1.DNG")), (bytes(1), bytes(2)));
    for frame in 0..5u8 {
        assert_eq!(read(&format!("IMG_{frame}.HEIC")), bytes(10 + frame));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_17_what_may_not_be_read_whole_waits_for_a_person_and_nothing_else_of_it_is_sent() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[asset("1", vec![resource("o", Role::Photo, "1.JPG", None)])],
    );
    let camera = phone.camera();
    let request = camera.export_requests(1).unwrap().remove(0);
    camera
        .export_failed(request.id, ExportFailure::NoPermission)
        .unwrap();
    let why = camera.why(library, "1").unwrap();
    assert_eq!(
        why.hold,
        Some(CameraHold::NeedsUser(CameraPark::NoPermission))
    );
    assert_eq!(phone.batch().await.next, lomme::camera::Next::NeedsUser);
    // The person has allowed it.
    camera.retry(Some((library, "1"))).unwrap();
    let request = camera.export_requests(1).unwrap().remove(0);
    let given = phone.write("export", "with its place");
    assert_eq!(
        camera.provide(request.id, &given, false).unwrap(),
        Provided::Queued
    );
    assert!(given.exists(), "borrowed");
    phone.back_up().await;
    assert_eq!(phone.state(library, "1"), AssetState::Verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_32_copies_that_a_kill_has_left_are_swept_and_those_that_rows_have_are_not() {
    let mut phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(
        library,
        &[asset("1", vec![resource("o", Role::Photo, "1.JPG", None)])],
    );
    let request = phone.camera().export_requests(1).unwrap().remove(0);
    let given = phone.write("export", "to be sent");
    phone.camera().provide(request.id, &given, true).unwrap();
    let dir = phone.pocket.options.directory.join("camera");
    std::fs::write(dir.join("77-0123456789abcdef"), "left").unwrap();
    std::fs::write(dir.join("78-0123456789abcdef.part"), "left").unwrap();
    phone.clock.advance(2 * 3_600_000);
    phone.pocket.reopen().unwrap();
    let mut names: Vec<_> = lomme_e2e::walk(&dir).into_keys().collect();
    names.retain(|path| !path.ends_with("run.lock"));
    assert_eq!(names.len(), 1, "{names:?}");
    phone.back_up().await;
    assert_eq!(phone.state(library, "1"), AssetState::Verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_33_the_first_photos_are_sent_before_a_large_library_is_scanned() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let camera = phone.camera();
    let scan = camera.begin_scan(library, ScanKind::Full).unwrap();
    let photos: Vec<_> = (0..3)
        .map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}")))
        .collect();
    camera.add_assets(scan.id, &photos).unwrap();
    let cancel = CancelToken::new();
    let batch = camera
        .run_batch(&Budget::default(), None, &cancel)
        .await
        .unwrap();
    assert_eq!(batch.done, 3);
    // The rest, in pages; what is sent already is shown once more and costs nothing.
    let far: Vec<_> = (0..2_000)
        .map(|n| {
            asset(
                &format!("far {n}"),
                vec![resource("o", Role::Photo, "f.JPG", None)],
            )
        })
        .collect();
    for page in far.chunks(500) {
        camera.add_assets(scan.id, page).unwrap();
    }
    let over = camera.add_assets(scan.id, &far[..501]);
    assert!(matches!(over, Err(lomme::Error::InvalidArgument { .. })));
    let found = camera
        .commit_scan(scan.id, Some("1"), Trust::Complete)
        .unwrap();
    assert_eq!((found.seen, found.gone), (2_003, 0));
    assert_eq!(camera.status().unwrap().to_provide.items, 2_000);
    let ended = camera.commit_scan(scan.id, None, Trust::Complete);
    assert!(
        matches!(ended, Err(lomme::Error::NotKnown { .. })),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_folder_is_in_two_sources_nor_in_the_companions_own_directory() {
    let phone = Phone::new().await;
    let camera = phone.camera();
    std::fs::create_dir_all(phone.roll().join("sub")).unwrap();
    let add = |name: &str, folder: std::path::PathBuf| {
        camera.add_source(&source(name, Some(&folder), AssetRules::default()))
    };
    add("roll", phone.roll()).unwrap();
    std::os::unix::fs::symlink(phone.roll(), phone.pocket.outer.path().join("link")).unwrap();
    for (name, folder) in [
        ("below", phone.roll().join("sub")),
        ("above", phone.pocket.outer.path().to_owned()),
        ("link", phone.pocket.outer.path().join("link/sub")),
        ("own", phone.pocket.options.directory.join("camera")),
        ("roll", std::env::temp_dir()),
    ] {
        let refused = add(name, folder);
        assert!(
            matches!(refused, Err(lomme::Error::InvalidArgument { .. })),
            "{name}: {refused:?}"
        );
    }
    assert_eq!(camera.sources().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_a_folder_is_not_followed_and_a_folder_that_cannot_be_read_makes_nothing_gone() {
    let phone = Phone::new().await;
    phone.write("a.txt", "a");
    phone.write("sub/b.txt", "b");
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), phone.roll().join("link")).unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("secret.txt"),
        phone.roll().join("l.txt"),
    )
    .unwrap();
    let folder = phone.folder();
    assert_eq!(phone.scan_folder(folder).await.seen, 2);
    phone.back_up().await;
    assert_eq!(phone.there("Folder").len(), 2);
    std::fs::rename(phone.roll(), phone.pocket.outer.path().join("elsewhere")).unwrap();
    assert_eq!(
        phone.scan_folder(folder).await.gone,
        0,
        "the folder is not there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_forgets_the_device_and_the_ledger_and_leaves_the_cloud_alone() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
    phone.back_up().await;
    phone.drive().sign_out().unwrap();
    let token = phone.cloud.login_token().unwrap();
    phone.pocket.sign_in(&token).await.unwrap();
    assert_eq!(phone.camera().device().unwrap(), None);
    assert_eq!(phone.camera().sources().unwrap(), []);
    assert_eq!(phone.there("Camera").len(), 1);
    let again = phone.library(AssetRules::default());
    phone.scan(again, &[phone.photo("1", "IMG_1.JPG", "one")]);
    let batch = phone.batch().await;
    assert_eq!(batch.hold, Some(CameraHold::NoDevice));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_listed_with_its_reason_and_the_run_tells_the_first() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut lost = phone.photo("lost", "LOST.JPG", "lost");
    lost.resources[0].path = Some(phone.roll().join("nowhere.jpg"));
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one"), lost]);
    let batch = phone.batch().await;
    let (troubled, _) = phone.camera().troubled(0, 10).unwrap();
    let keys: Vec<_> = troubled.iter().map(|asset| asset.asset.as_str()).collect();
    assert_eq!(keys, ["lost"]);
    assert!(
        matches!(troubled[0].why.hold, Some(CameraHold::Retry { .. })),
        "{troubled:?}"
    );
    assert_eq!(batch.hold, troubled[0].why.hold);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_claimed_device_holds_of_a_source_that_is_added_later_is_not_sent_again() {
    let phone = Phone::new().await;
    phone
        .writer()
        .put("/Pixel/Camera/2020/01/b.jpg", b"one")
        .unwrap();
    let cancel = CancelToken::new();
    phone.camera().claim_device("Pixel", &cancel).await.unwrap();
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "other name.jpg", "one")]);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 1);
    assert_eq!(phone.state(library, "1"), AssetState::Listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_of_the_bytes_that_were_proven_and_of_no_later_ones() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let mut photo = phone.photo("1", "IMG_1.JPG", "one");
    phone.scan(library, std::slice::from_ref(&photo));
    phone.back_up().await;
    let cancel = CancelToken::new();
    let proof = phone
        .camera()
        .prove(library, "1", &[], &cancel)
        .await
        .unwrap();
    assert_eq!(proof, lomme::camera::Proof::Proven);
    phone.write("1/IMG_1.JPG", "two");
    photo.resources[0].stamp = 2;
    phone.scan(library, &[photo]);
    let freed = phone.camera().confirm_freed(library, "1");
    assert!(
        matches!(freed, Err(lomme::Error::InvalidArgument { .. })),
        "{freed:?}"
    );
    phone.clock.advance(60_000);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_that_is_left_is_planned_a_run_says_when_to_come_back() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    phone.scan(library, &[phone.photo("1", "IMG_1.JPG", "one")]);
    let offline = lomme::conditions::Situation {
        network: lomme::content::Network::Offline,
        ..Default::default()
    };
    phone.drive().set_situation(offline).unwrap();
    phone.batch().await;
    phone.drive().set_situation(Default::default()).unwrap();
    let cancel = CancelToken::new();
    assert_eq!(
        phone
            .camera()
            .plan_uploads(10, &cancel)
            .await
            .unwrap()
            .len(),
        1
    );
    let batch = phone.batch().await;
    let later = matches!(batch.next, lomme::camera::Next::After { ms } if ms > 60_000);
    assert!(later && batch.remaining == 1, "{batch:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_platform_has_is_refused_and_nothing_of_its_page_is_recorded() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let fine = phone.photo("1", "IMG_1.JPG", "one");
    let file = |size| lomme::camera::Resource {
        size: Some(size),
        ..resource("o", Role::Photo, "1.JPG", None)
    };
    let mut own = fine.clone();
    own.resources[0].path = Some(phone.pocket.options.directory.join("journal.db"));
    for hostile in [
        asset("2", vec![file(1), file(1)]),
        asset("2", vec![file(u64::MAX)]),
        asset("2", Vec::new()),
        asset("", vec![file(1)]),
        own,
    ] {
        let scan = phone.camera().begin_scan(library, ScanKind::Full).unwrap();
        let added = phone.camera().add_assets(scan.id, &[fine.clone(), hostile]);
        assert!(
            matches!(added, Err(lomme::Error::InvalidArgument { .. })),
            "{added:?}"
        );
    }
    assert_eq!(phone.camera().status().unwrap().to_read.items, 0);
    phone.scan(library, &[asset("far", vec![file(1)])]);
    let request = phone.camera().export_requests(1).unwrap().remove(0);
    let journal = phone.pocket.options.directory.join("journal.db");
    let taken = phone.camera().provide(request.id, &journal, true);
    assert!(
        matches!(taken, Err(lomme::Error::InvalidArgument { .. })),
        "{taken:?}"
    );
    assert!(journal.exists());
}
