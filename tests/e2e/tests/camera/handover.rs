//! An operating system that runs upload plans late, twice, never, and in another process; and mirrored folders.
use crate::Phone;
use lomme::camera::{AfterUpload, AssetRules, AssetState, UploadEnd};
use lomme::{CancelToken, Drive};
use lomme_e2e::system::run;

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_run_late_twice_or_never_and_are_settled_elsewhere_bring_each_photo_once() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let photos: Vec<_> = (0..6)
        .map(|n| phone.photo(&n.to_string(), &format!("{n}.JPG"), format!("photo {n}")))
        .collect();
    phone.scan(library, &photos);
    let (cancel, camera) = (CancelToken::new(), phone.camera());
    // Only reads and places: nothing may be sent yet.
    let offline = lomme::conditions::Situation {
        network: lomme::content::Network::Offline,
        ..Default::default()
    };
    phone.drive().set_situation(offline).unwrap();
    phone.batch().await;
    phone.drive().set_situation(Default::default()).unwrap();
    let plans = camera.plan_uploads(10, &cancel).await.unwrap();
    assert_eq!(plans.len(), 6);
    let secrets = format!("{plans:?}");
    assert!(
        !secrets.contains("Bearer") && !secrets.contains("http"),
        "{secrets}"
    );
    let journal = std::fs::read(phone.pocket.options.directory.join("journal.db")).unwrap();
    let token = plans[0].headers[0]
        .1
        .trim_start_matches("Bearer ")
        .as_bytes();
    assert!(
        !journal.windows(token.len()).any(|bytes| bytes == token),
        "a token is stored"
    );
    for plan in &plans {
        camera.note_upload(&plan.id, "task").unwrap();
    }
    assert_eq!(phone.batch().await.done, 0, "what is planned is left alone");
    // The first is done, and done again; the second fails; the third is never run; the others run late, in another process.
    assert_eq!(run(&plans[0]).await, UploadEnd::Answered { status: 200 });
    let twice = run(&plans[0]).await;
    let end = UploadEnd::Answered { status: 200 };
    assert_eq!(
        camera.settle_upload(&plans[0].id, end).unwrap(),
        AfterUpload::ToVerify
    );
    assert_eq!(
        camera.settle_upload(&plans[0].id, twice).unwrap(),
        AfterUpload::Settled
    );
    let refused = UploadEnd::Answered { status: 401 };
    assert_eq!(
        camera.settle_upload(&plans[1].id, refused).unwrap(),
        AfterUpload::ToPlan
    );
    for plan in &plans[3..] {
        assert_eq!(run(plan).await, end);
    }
    let other = Drive::open(phone.pocket.options.clone()).unwrap();
    for plan in plans[3..].iter().rev() {
        assert_eq!(
            other.camera().settle_upload(&plan.id, end).unwrap(),
            AfterUpload::ToVerify
        );
    }
    other.close().unwrap();
    assert_eq!(
        camera.settle_upload("nobody knows it", end).unwrap(),
        AfterUpload::Settled
    );
    // The system has lost the third, and has one that is not ours.
    let unknown = camera.reconcile_uploads(&["stranger".into()]).unwrap();
    assert_eq!(unknown, ["stranger"]);
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 6);
    for n in 0..6 {
        assert_eq!(phone.state(library, &n.to_string()), AssetState::Verified);
    }
    assert_eq!(
        phone.cloud.counts().requests["upload"],
        7,
        "six, and one of them twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_what_was_begun_is_handed_over_as_a_file_that_goes_when_it_is_settled() {
    let phone = Phone::new().await;
    let library = phone.library(AssetRules::default());
    let bytes: Vec<u8> = (0..9_000_000u32).map(|n| (n >> 6) as u8).collect();
    phone.scan(library, &[phone.photo("1", "large.jpg", &bytes)]);
    let cut = local_cloud::Rule::on("upload").cut_upload_after(8_000_000);
    phone.cloud.trouble().add(cut.times(6));
    phone.batch().await;
    phone.cloud.trouble().clear();
    phone.clock.advance(3_600_000);
    phone.camera().retry(None).unwrap();
    // What paused the account is asked again by a run, not by a plan.
    let cancel = CancelToken::new();
    let plans = phone.camera().plan_uploads(1, &cancel).await.unwrap();
    if let Some(plan) = plans.first() {
        assert!(plan.bytes < 5_000_000, "{plan:?}");
        assert_eq!(run(plan).await, UploadEnd::Answered { status: 200 });
        phone
            .camera()
            .settle_upload(&plan.id, UploadEnd::Answered { status: 200 })
            .unwrap();
    }
    phone.back_up().await;
    assert_eq!(phone.there("Camera").len(), 1);
    let kept = lomme_e2e::walk(&phone.pocket.outer.path().join("drive/camera"));
    assert!(
        kept.keys().all(|path| path.ends_with("run.lock")),
        "{kept:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirrored_folder_deletes_on_evidence_only_and_much_only_with_a_persons_word() {
    let phone = Phone::new().await;
    for n in 0..80 {
        phone.write(&format!("{n}.txt"), format!("file {n}"));
    }
    let folder = phone.folder();
    phone.scan_folder(folder).await;
    phone.back_up().await;
    std::fs::remove_file(phone.roll().join("0.txt")).unwrap();
    phone.scan_folder(folder).await;
    assert_eq!(phone.back_up().await.trashed, 0, "not mirrored at first");
    phone.camera().set_mirror(folder, true).unwrap();
    assert_eq!(phone.back_up().await.trashed, 1);
    assert_eq!(phone.there("Folder").len(), 79);
    // Somebody else has changed one there that is deleted here: it stays.
    phone
        .writer()
        .put("/Pixel/Folder/1.txt", b"a computer's")
        .unwrap();
    for n in 1..70 {
        std::fs::remove_file(phone.roll().join(format!("{n}.txt"))).unwrap();
    }
    phone.scan_folder(folder).await;
    let pending = phone.camera().mirror_pending(folder).unwrap();
    assert_eq!((pending.gone, pending.asks), (69, true));
    assert_eq!(
        phone.back_up().await.trashed,
        0,
        "so many need a person's word"
    );
    phone.camera().confirm_mirror(folder).unwrap();
    // An app that scans before each run: what was allowed stays allowed.
    phone.clock.advance(60_000);
    phone.scan_folder(folder).await;
    assert_eq!(phone.back_up().await.trashed, 68);
    assert_eq!(phone.there("Folder").len(), 11);
    assert_eq!(phone.there("Folder")["1.txt"], "a computer's");
    // The card is out: the folder is empty, and nothing follows.
    for n in 70..80 {
        std::fs::remove_file(phone.roll().join(format!("{n}.txt"))).unwrap();
    }
    assert_eq!(phone.scan_folder(folder).await.gone, 0);
    assert_eq!(phone.back_up().await.trashed, 0);
    let library = phone.library(AssetRules::default());
    assert!(phone.camera().set_mirror(library, true).is_err());
}
