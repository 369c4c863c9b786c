//! §4: `mode=thumb`.

use image::{DynamicImage, ImageFormat, ImageReader, RgbImage};
use std::io::Cursor;

use crate::client::Client;

const SIZES: [(&str, u32); 4] = [("WS", 100), ("WM", 400), ("WL", 1000), ("WXL", 2000)];

/// A picture of `width` × `height` that is no plain surface.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x / 3) as u8, (y / 5) as u8, (x * y / 4000) as u8])
    });
    let mut out = Vec::new();
    DynamicImage::from(image)
        .write_to(&mut Cursor::new(&mut out), format)
        .unwrap();
    out
}

fn decoded(bytes: &[u8]) -> (ImageFormat, DynamicImage) {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.unwrap();
    (reader.format().unwrap(), reader.decode().unwrap())
}

async fn thumb(client: &Client, raw: &str, ts: &str) -> Vec<u8> {
    let answer = client.get(&format!("{raw}?mode=thumb&ts={ts}")).await;
    assert_eq!(answer.status(), 200, "{raw} {ts}");
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn pictures_of_three_kinds_come_in_four_sizes_and_keep_their_shape() {
    let client = Client::new().await;
    for (name, format) in [
        ("a.jpg", ImageFormat::Jpeg),
        ("a.png", ImageFormat::Png),
        ("a.webp", ImageFormat::WebP),
    ] {
        let (path, file) = (format!("/Jotta/Sync/{name}"), picture(2400, 1600, format));
        client.writer().put(&path, &file).unwrap();
        for (ts, side) in SIZES {
            let (format, image) = decoded(&thumb(&client, &path, ts).await);
            assert_eq!(format, ImageFormat::Jpeg, "{name} {ts}");
            let (width, height) = (image.width(), image.height());
            assert_eq!(width, side, "{name} {ts}");
            assert!(height.abs_diff(side * 2 / 3) <= 1, "{name} {ts}: {height}");
        }
    }
    let counts = client.cloud().counts();
    assert_eq!(counts.requests_of("thumb"), 12);
    assert!(counts.content_bytes["Sync/thumb"] > 0);
    assert_eq!(counts.content_bytes.get("Sync/bin"), None);
}

#[tokio::test]
async fn a_picture_is_never_made_larger_and_changes_with_its_file() {
    let client = Client::new().await;
    let put = |file: &[u8]| client.writer().put("/Jotta/Archive/a.png", file).unwrap();
    put(&picture(60, 40, ImageFormat::Png));
    let small = thumb(&client, "/Jotta/Archive/a.png", "WXL").await;
    assert_eq!(decoded(&small).1.width(), 60);
    assert_eq!(thumb(&client, "/Jotta/Archive/a.png", "WXL").await, small);
    put(&picture(90, 40, ImageFormat::Png));
    let other = thumb(&client, "/Jotta/Archive/a.png", "WXL").await;
    assert_eq!(decoded(&other).1.width(), 90);
    let sent = (2 * small.len() + other.len()) as u64;
    assert_eq!(client.cloud().counts().content_bytes["Archive/thumb"], sent);
}

#[tokio::test]
async fn the_photos_of_the_demo_have_thumbnails_the_right_way_up() {
    let client = Client::new().await;
    client.cloud().seed(local_cloud::Plan::Demo).unwrap();
    let entries = client.writer().paths("/").unwrap();
    let photos: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_file && entry.path.to_lowercase().ends_with(".jpg"))
        .take(20)
        .collect();
    assert!(!photos.is_empty());
    for photo in photos {
        let path = crate::client::encoded(&photo.path);
        let image = decoded(&thumb(&client, &path, "WS").await).1;
        assert_eq!(image.width().max(image.height()), 100, "{}", photo.path);
    }
}

#[tokio::test]
async fn what_is_no_picture_or_no_size_is_refused() {
    for (answer, expected) in [("404", 404), ("400", 400)] {
        let client = Client::with("thumb_missing", answer).await;
        let mut cut = picture(300, 200, ImageFormat::Png);
        cut.truncate(2000);
        for (name, content) in [
            ("a.txt", b"words".as_slice()),
            ("empty.jpg", b""),
            ("lies.jpg", b"\xff\xd8\xff\xe0 nothing"),
            ("cut.png", &cut),
        ] {
            let path = format!("/Jotta/Sync/{name}");
            client.writer().put(&path, content).unwrap();
            let raw = format!("{path}?mode=thumb&ts=WS");
            assert_eq!(client.status(&raw).await, expected, "{name}");
        }
        client
            .writer()
            .put("/Jotta/Sync/a.png", &picture(9, 9, ImageFormat::Png))
            .unwrap();
        for wrong in ["", "&ts=", "&ts=XS", "&ts=ws", "&ts=100"] {
            let raw = format!("/Jotta/Sync/a.png?mode=thumb{wrong}");
            let (status, error) = client.xml(&raw).await;
            assert_eq!(status, 400, "{wrong}: {error:?}");
        }
        let missing = "/Jotta/Sync/none.jpg?mode=thumb&ts=WS";
        assert_eq!(client.status(missing).await, 404);
        assert_eq!(client.cloud().counts().content_of("Sync"), 0);
    }
}

#[tokio::test]
async fn thumbnails_are_png_where_the_service_is_so() {
    let client = Client::with("thumb_format", "png").await;
    client
        .writer()
        .put("/Jotta/Sync/a.jpg", &picture(500, 300, ImageFormat::Jpeg))
        .unwrap();
    let (format, image) = decoded(&thumb(&client, "/Jotta/Sync/a.jpg", "WM").await);
    assert_eq!((format, image.width()), (ImageFormat::Png, 400));
}

#[tokio::test]
async fn a_picture_that_would_fill_the_memory_is_no_picture() {
    // A PNG head that promises 60,000 × 60,000 pixels.
    let mut bomb = picture(8, 8, ImageFormat::Png);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/bomb.png", &bomb).unwrap();
    let raw = "/Jotta/Sync/bomb.png?mode=thumb&ts=WS";
    assert_eq!(client.status(raw).await, 404);
}
