//! Thumbnails: just the one that was asked for, once, and never the file.
#![allow(clippy::unwrap_used, missing_docs)]

use image::{DynamicImage, ImageFormat, RgbImage};
use local_cloud::{Cloud, CloudOptions, Rule, Switches};
use lomme::catalog::{ItemId, Space};
use lomme::content::{Network, Purpose, Thumbnail, ThumbnailSize};
use lomme::edits::NewContent;
use lomme::{CancelToken, Error, Result};
use lomme_e2e::{Pocket, walk};
use std::io::Cursor;
use std::time::Duration;

const SIZES: [ThumbnailSize; 4] = [
    ThumbnailSize::Small,
    ThumbnailSize::Medium,
    ThumbnailSize::Large,
    ThumbnailSize::Huge,
];

/// A photo of `width` pixels, two thirds as high.
fn photo(width: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, width * 2 / 3, |x, y| {
        image::Rgb([(x / 3) as u8, (y / 5) as u8, (x * y / 4000) as u8])
    });
    let mut out = Vec::new();
    DynamicImage::from(image)
        .write_to(&mut Cursor::new(&mut out), ImageFormat::Jpeg)
        .unwrap();
    out
}

/// A cloud with `Sync/Photos/a.jpg`, and a pocket that knows it.
async fn with_photo(switches: Switches) -> (Cloud, Pocket, ItemId) {
    let options = CloudOptions {
        switches,
        ..CloudOptions::default()
    };
    let cloud = Cloud::start(options).unwrap();
    let path = "/Jotta/Sync/Photos/a.jpg";
    cloud.writer().put(path, &photo(2400)).unwrap();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let id = pocket.item("Sync/Photos/a.jpg").unwrap().id;
    (cloud, pocket, id)
}

async fn thumbnail(pocket: &Pocket, id: &ItemId, size: ThumbnailSize) -> Result<Option<Thumbnail>> {
    let content = pocket.drive.content();
    content.thumbnail(id, size, &CancelToken::new()).await
}

fn width(thumbnail: &Thumbnail) -> u32 {
    let bytes = std::fs::read(&thumbnail.path).unwrap();
    image::load_from_memory(&bytes).unwrap().width()
}

/// What the ledger has, as (purpose, bytes).
fn ledger(pocket: &Pocket) -> Vec<(Purpose, u64)> {
    let rows = pocket.drive.content().ledger().unwrap();
    rows.iter()
        .filter(|row| row.space == Space::Sync && row.network == Network::Unknown)
        .map(|row| (row.purpose, row.bytes))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_has_thumbnails_in_four_sizes_and_is_itself_never_fetched() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    let mut widths = Vec::new();
    for size in SIZES {
        let got = thumbnail(&pocket, &id, size).await.unwrap().unwrap();
        assert_eq!(got.mime, "image/jpeg");
        assert!(got.path.starts_with(pocket.outer.path().join("drive")));
        widths.push(width(&got));
        // From the device, the second time.
        assert_eq!(thumbnail(&pocket, &id, size).await.unwrap(), Some(got));
    }
    assert!(widths.is_sorted_by(|a, b| a < b), "{widths:?}");
    let counts = cloud.counts();
    assert_eq!(counts.requests_of("thumb"), 4);
    assert_eq!(counts.content_bytes.get("Sync/bin"), None);
    let sent = counts.content_bytes["Sync/thumb"];
    assert_eq!(ledger(&pocket), [(Purpose::Thumbnail, sent)]);
    let usage = pocket.drive.status().unwrap().usage;
    assert_eq!(usage.thumbnail_bytes, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_the_same_at_the_same_time_shares_one_request() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    cloud
        .trouble()
        .add(Rule::on("thumb").delay(Duration::from_millis(300)));
    let asks = (0..8).map(|_| {
        let (drive, id) = (pocket.drive.clone(), id.clone());
        tokio::spawn(async move {
            let content = drive.content();
            let cancel = CancelToken::new();
            content.thumbnail(&id, ThumbnailSize::Small, &cancel).await
        })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert!(ask.await.unwrap().unwrap().is_some());
    }
    assert_eq!(cloud.counts().requests_of("thumb"), 1);

    // A cancel of one of them is its own business.
    let (one, other) = (CancelToken::new(), CancelToken::new());
    let content = pocket.drive.content();
    let ((), first, second) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            one.cancel();
        },
        content.thumbnail(&id, ThumbnailSize::Large, &one),
        content.thumbnail(&id, ThumbnailSize::Large, &other),
    );
    assert_eq!(first, Err(Error::Cancelled));
    assert!(second.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waited_for_a_request_that_failed_shares_its_failure() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    let refusal = Rule::on("thumb").status(403);
    cloud
        .trouble()
        .add(refusal.delay(Duration::from_millis(300)));
    let content = pocket.drive.content();
    let cancel = CancelToken::new();
    let ask = || content.thumbnail(&id, ThumbnailSize::Small, &cancel);
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    for got in [a, b, c] {
        assert!(matches!(got, Err(Error::Refused { .. })), "{got:?}");
    }
    assert_eq!(cloud.counts().requests_of("thumb"), 1);
    cloud.trouble().clear();
    assert!(ask().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_gets_a_new_thumbnail_and_a_moved_one_is_found() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    let small = ThumbnailSize::Small;
    let before = thumbnail(&pocket, &id, small).await.unwrap().unwrap();
    let writer = cloud.writer();
    writer.put("/Jotta/Sync/Photos/a.jpg", &photo(60)).unwrap();
    let cancel = CancelToken::new();
    let catalog = pocket.drive.catalog();
    catalog.refresh(&id, &cancel).await.unwrap();
    let after = thumbnail(&pocket, &id, small).await.unwrap().unwrap();
    assert_ne!(after.path, before.path);
    assert_eq!(width(&after), 60);
    assert!(!before.path.exists(), "the old version's has gone");

    writer
        .move_("/Jotta/Sync/Photos/a.jpg", "/Jotta/Sync/Photos/b.jpg")
        .unwrap();
    let moved = thumbnail(&pocket, &id, ThumbnailSize::Medium).await;
    assert_eq!(width(&moved.unwrap().unwrap()), 60);
    writer.remove("/Jotta/Sync/Photos/b.jpg").unwrap();
    let gone = thumbnail(&pocket, &id, ThumbnailSize::Large).await;
    assert!(matches!(gone, Err(Error::NoSuchItem { .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_is_asked_for_once_however_the_service_says_so() {
    for answer in ["404", "400"] {
        let mut switches = Switches::default();
        switches.set("thumb_missing", answer).unwrap();
        let (cloud, pocket, _) = with_photo(switches).await;
        cloud.writer().put("/Jotta/Sync/a.txt", b"words").unwrap();
        pocket.index(Space::Sync).await.unwrap();
        let id = pocket.item("Sync/a.txt").unwrap().id;
        for _ in 0..3 {
            let got = thumbnail(&pocket, &id, ThumbnailSize::Small).await;
            assert_eq!(got, Ok(None), "{answer}");
        }
        assert_eq!(cloud.counts().requests_of("thumb"), 1, "{answer}");
        assert_eq!(cloud.counts().content_of("Sync"), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thumbnails_can_be_seen_without_a_network_and_in_another_process() {
    let (cloud, mut pocket, id) = with_photo(Switches::default()).await;
    let here = thumbnail(&pocket, &id, ThumbnailSize::Small).await.unwrap();
    cloud.stop();
    pocket.reopen().unwrap();
    assert_eq!(
        thumbnail(&pocket, &id, ThumbnailSize::Small).await,
        Ok(here)
    );
    let not_here = thumbnail(&pocket, &id, ThumbnailSize::Medium).await;
    assert!(matches!(not_here, Err(Error::Offline { .. })));
    pocket.drive.sign_out().unwrap();
    let left = walk(&pocket.outer.path().join("drive/thumbs"));
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_or_hostile_answer_costs_little_and_leaves_nothing() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    let thumbs = pocket.outer.path().join("drive/thumbs");
    cloud.trouble().add(Rule::on("thumb").once().cut_after(100));
    let cut = thumbnail(&pocket, &id, ThumbnailSize::Small).await;
    assert!(matches!(cut, Err(Error::Offline { .. })), "{cut:?}");
    assert!(walk(&thumbs).is_empty());
    assert_eq!(ledger(&pocket), [(Purpose::Thumbnail, 100)]);
    let again = thumbnail(&pocket, &id, ThumbnailSize::Small).await;
    assert!(again.unwrap().is_some());

    cloud
        .trouble()
        .add(Rule::on("thumb").once().garbage(1 << 30));
    let before = ledger(&pocket)[0].1;
    let got = thumbnail(&pocket, &id, ThumbnailSize::Medium).await;
    assert_eq!(got, Ok(None));
    let took = ledger(&pocket)[0].1 - before;
    assert!(took < 1 << 20, "{took} bytes were taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_the_trash_or_no_file_has_no_thumbnail() {
    let (cloud, pocket, _) = with_photo(Switches::default()).await;
    cloud.writer().trash("/Jotta/Sync/Photos/a.jpg").unwrap();
    pocket.index(Space::Sync).await.unwrap();
    pocket.index(Space::Trash).await.unwrap();
    for path in ["Trash/a.jpg", "Sync/Photos"] {
        let id = pocket.item(path).unwrap().id;
        let refused = thumbnail(&pocket, &id, ThumbnailSize::Small).await;
        assert!(matches!(refused, Err(Error::NotAllowed { .. })), "{path}");
    }
    assert_eq!(cloud.counts().requests_of("thumb"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_content_that_is_not_sent_has_no_thumbnail_and_never_that_of_the_old_one() {
    let (cloud, pocket, id) = with_photo(Switches::default()).await;
    let (small, cancel) = (ThumbnailSize::Small, CancelToken::new());
    let before = thumbnail(&pocket, &id, small).await.unwrap().unwrap();
    let edits = pocket.drive.edits();
    let edited = pocket.outer.path().join("edited.jpg");
    let replace = |width| {
        std::fs::write(&edited, photo(width)).unwrap();
        let content = NewContent::of(&edited);
        edits.replace_content(&id, None, content, None).unwrap()
    };
    replace(60);
    assert_eq!(thumbnail(&pocket, &id, small).await, Ok(None));
    assert_eq!(cloud.counts().requests_of("thumb"), 1);
    // The old content again: its picture is the right one, and is here.
    replace(2400);
    assert_eq!(thumbnail(&pocket, &id, small).await, Ok(Some(before)));
    replace(60);
    edits.settle(&id, None, &cancel).await.unwrap();
    let after = thumbnail(&pocket, &id, small).await.unwrap().unwrap();
    assert_eq!(width(&after), 60);
    let folder = pocket.item("Sync/Photos").unwrap().id;
    let content = NewContent::of(&edited);
    let new = edits
        .create_file(&folder, "new.jpg", content, None)
        .unwrap();
    assert_eq!(thumbnail(&pocket, &new.id, small).await, Ok(None));
}
