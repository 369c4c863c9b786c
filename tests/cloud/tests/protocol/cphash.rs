//! §5.3: cphash in its four outcomes.

use crate::client::{Client, md5};

const TIME: &str = "2001-02-03-T04:05:06Z";

#[tokio::test]
async fn on_the_same_content_only_the_times_change() {
    for (answer, number) in [("in-place", "1"), ("new-revision", "2")] {
        let client = Client::with("touch", answer).await;
        client.writer().put("/Jotta/Sync/a", b"hello").unwrap();
        let (status, file) = client.cphash("/Jotta/Sync/a", b"hello", TIME).await;
        assert_eq!((status, file.name.as_str()), (200, "file"));
        let file = client.ok("/Jotta/Sync/a").await;
        for field in ["created", "modified"] {
            assert_eq!(file.at(&format!("currentRevision/{field}")).text, TIME);
        }
        assert_eq!(file.at("currentRevision/number").text, number, "{answer}");
        client.cphash("/Jotta/Sync/a", b"hello", TIME).await;
        assert_eq!(
            client
                .ok("/Jotta/Sync/a")
                .await
                .at("currentRevision/number")
                .text,
            number
        );
    }
}

#[tokio::test]
async fn known_content_makes_a_file_or_a_revision_without_bytes() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Archive/a", b"known").unwrap();
    client.writer().put("/Jotta/Sync/b", b"other").unwrap();
    for path in ["/Jotta/Sync/F/new", "/Jotta/Sync/b"] {
        let (status, file) = client.cphash(path, b"known", TIME).await;
        assert_eq!(status, 200);
        assert_eq!(file.at("currentRevision/md5").text, md5(b"known"));
        assert_eq!(client.read(path).await, b"known");
    }
    assert_eq!(
        client
            .ok("/Jotta/Sync/b")
            .await
            .at("currentRevision/number")
            .text,
        "2"
    );
}

#[tokio::test]
async fn an_old_version_is_built_again_unless_the_service_forgot_its_content() {
    for (answer, expected) in [("anyones", 200), ("own", 200), ("own-current", 404)] {
        let client = Client::with("known_content", answer).await;
        client.writer().put("/Jotta/Sync/a", b"old").unwrap();
        client.writer().put("/Jotta/Sync/a", b"new").unwrap();
        let (status, _) = client.cphash("/Jotta/Archive/old", b"old", TIME).await;
        assert_eq!(status, expected, "{answer}");
        if expected == 200 {
            assert_eq!(client.read("/Jotta/Archive/old").await, b"old");
        }
    }
}

#[tokio::test]
async fn a_trashed_file_is_restored_with_its_parents_and_uuid() {
    let client = Client::new().await;
    let before = client.writer().put("/Jotta/Sync/F/G/a", b"hello").unwrap();
    client.writer().put("/Jotta/Sync/F/G/b", b"stays").unwrap();
    client.writer().trash("/Jotta/Sync/F").unwrap();
    for _ in 0..2 {
        let (status, file) = client.cphash("/Jotta/Sync/F/G/a", b"hello", TIME).await;
        assert_eq!((status, file.attribute("deleted")), (200, None));
    }
    let file = client.ok("/Jotta/Sync/F/G/a").await;
    assert_eq!(file.attribute("uuid"), Some(before.uuid.as_str()));
    let folder = client.ok("/Jotta/Sync/F/G").await;
    assert!(folder.attribute("deleted").is_none());
    assert!(folder.named("files", "b").attribute("deleted").is_some());
    assert_eq!(client.read("/Jotta/Sync/F/G/a").await, b"hello");
}

#[tokio::test]
async fn unknown_content_is_404_and_changes_nothing() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"here").unwrap();
    for path in ["/Jotta/Sync/a", "/Jotta/Sync/F/new"] {
        let (status, error) = client.cphash(path, b"never seen", TIME).await;
        assert_eq!((status, error.name.as_str()), (404, "error"));
    }
    assert_eq!(client.read("/Jotta/Sync/a").await, b"here");
    assert_eq!(client.status("/Jotta/Sync/F").await, 404);
}

#[tokio::test]
async fn unreadable_times_are_silently_now() {
    let client = Client::new().await;
    client
        .writer()
        .put_at("/Jotta/Sync/a", b"hello", 0, 0)
        .unwrap();
    assert_eq!(
        client.cphash("/Jotta/Sync/a", b"hello", "tomorrow").await.0,
        200
    );
    let file = client.ok("/Jotta/Sync/a").await;
    assert_ne!(
        file.at("currentRevision/modified").text,
        "1970-01-01-T00:00:00Z"
    );
}
