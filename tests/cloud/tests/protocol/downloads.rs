//! §4: content and ranges.

use crate::client::{Client, md5, xml};

fn noise(length: usize) -> Vec<u8> {
    (0..length as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

#[tokio::test]
async fn a_file_comes_whole_with_its_length_and_its_bytes() {
    let client = Client::new().await;
    let content = noise(3_000_001);
    client.put("/Jotta/Sync/a.jpg", &content).await;
    let answer = client.get("/Jotta/Sync/a.jpg?mode=bin").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-length"], "3000001");
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert!(answer.bytes().await.unwrap() == content);
}

#[tokio::test]
async fn a_range_is_exactly_those_bytes_clamped_to_the_end() {
    let client = Client::new().await;
    let content = noise(100);
    client.put("/Jotta/Sync/a", &content).await;
    for (range, bytes, said) in [
        ("bytes=5-15", 5..16, "bytes 5-15/100"),
        ("bytes=80-", 80..100, "bytes 80-99/100"),
        ("bytes=81-100000", 81..100, "bytes 81-99/100"),
        ("bytes=0-0", 0..1, "bytes 0-0/100"),
    ] {
        let answer = client.range("/Jotta/Sync/a?mode=bin", range).await;
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(answer.headers()["content-range"], said);
        assert_eq!(answer.headers()["content-length"], bytes.len().to_string());
        assert_eq!(answer.bytes().await.unwrap(), content[bytes]);
    }
}

#[tokio::test]
async fn a_reversed_range_and_one_past_the_end_are_416_by_name() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/a", &noise(100)).await;
    for range in ["bytes=10-2", "bytes=100-", "bytes=500-600"] {
        let (status, error) = xml(client.range("/Jotta/Sync/a?mode=bin", range).await).await;
        assert_eq!(status, 416, "{range}");
        assert!(
            error
                .at("message")
                .text
                .contains("RequestedRangeNotSatisfiedException")
        );
    }
    assert_eq!(client.cloud().counts().content_of("Sync"), 0);
}

#[tokio::test]
async fn an_empty_file_can_be_put_read_and_removed() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/empty", b"").await;
    let file = client.ok("/Jotta/Sync/empty").await;
    assert_eq!(file.at("currentRevision/size").text, "0");
    assert_eq!(
        file.at("currentRevision/md5").text,
        "d41d8cd98f00b204e9800998ecf8427e"
    );
    assert_eq!(client.read("/Jotta/Sync/empty").await, b"");
    client.done("/Jotta/Sync/empty?dl=true").await;
    assert!(
        client
            .ok("/Jotta/Sync/empty")
            .await
            .attribute("deleted")
            .is_some()
    );
}

#[tokio::test]
async fn only_whole_content_can_be_read_and_a_failed_upload_leaves_the_last_good_one() {
    let client = Client::new().await;
    client.allocate("/Jotta/Sync/new", b"never sent").await;
    assert_eq!(client.status("/Jotta/Sync/new?mode=bin").await, 404);
    client.put("/Jotta/Sync/a", b"good").await;
    let (_, allocated) = client.allocate("/Jotta/Sync/a", b"longer content").await;
    client.send(&allocated["upload_url"], 0, b"long").await;
    assert_eq!(client.read("/Jotta/Sync/a").await, b"good");
}

#[tokio::test]
async fn what_is_trashed_or_no_file_has_no_content() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    client.writer().trash("/Jotta/Sync/F/a").unwrap();
    for path in ["/Jotta/Sync/F/a", "/Jotta/Sync/F", "/Jotta/Sync/never"] {
        assert_eq!(
            client.status(&format!("{path}?mode=bin")).await,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn generated_content_is_what_its_md5_says_whole_and_by_ranges() {
    let client = Client::new().await;
    let size = 1_000_003;
    let entry = client
        .writer()
        .put_generated("/Jotta/Sync/video.mp4", 42, size, 0)
        .unwrap();
    let whole = client.read("/Jotta/Sync/video.mp4").await;
    assert_eq!((whole.len() as u64, md5(&whole)), (size, entry.md5));
    let part = client
        .range("/Jotta/Sync/video.mp4?mode=bin", "bytes=777777-777787")
        .await;
    assert_eq!(part.bytes().await.unwrap(), whole[777_777..777_788]);
}

#[tokio::test]
async fn downloads_carry_an_etag_only_when_the_switch_says_so() {
    for (answer, shown) in [("none", false), ("md5", true)] {
        let client = Client::with("etag", answer).await;
        client.put("/Jotta/Sync/a", b"hello").await;
        let answer = client.get("/Jotta/Sync/a?mode=bin").await;
        let etag = answer
            .headers()
            .get("etag")
            .map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(etag, shown.then(|| format!("\"{}\"", md5(b"hello"))));
    }
}
