//! What must work under every answer of every switch: a plain day's work.

use local_cloud::Switches;

use crate::client::Client;

#[tokio::test]
async fn a_plain_days_work_succeeds_under_every_answer_of_every_switch() {
    for (label, switches) in Switches::each_alternative() {
        let client = Client::under(switches).await;
        client.put("/Jotta/Sync/Docs/a.txt", b"one").await;
        client.put("/Jotta/Sync/Docs/a.txt", b"two").await;
        client.done("/Jotta/Sync/Empty?mkDir=true").await;
        assert_eq!(
            client.read("/Jotta/Sync/Docs/a.txt").await,
            b"two",
            "{label}"
        );
        let moved = client
            .to("/Jotta/Sync/Docs/a.txt", "mv", "/Jotta/Sync/Docs/b.txt")
            .await;
        assert_eq!(moved.0, 200, "{label}");
        let moved = client
            .to("/Jotta/Sync/Docs/", "mvDir", "/Jotta/Archive/Docs")
            .await;
        assert_eq!(moved.0, 200, "{label}");
        let copied = client
            .to("/Jotta/Archive/Docs/b.txt", "cp", "/Jotta/Sync/c.txt")
            .await;
        assert_eq!(copied.0, 200, "{label}");
        client.done("/Jotta/Sync/c.txt?dl=true").await;
        assert_eq!(
            client.status("/Jotta/Sync/c.txt?mode=bin").await,
            404,
            "{label}"
        );
        let restored = client
            .cphash("/Jotta/Sync/c.txt", b"two", "2001-01-01-T00:00:00Z")
            .await;
        assert_eq!(restored.0, 200, "{label}");
        assert_eq!(client.read("/Jotta/Sync/c.txt").await, b"two", "{label}");
        let stream = client.ok("/Jotta/Sync?mode=liststream").await;
        assert_eq!(stream.at("stats/files").text, "1", "{label}");
        assert_eq!(stream.at("stats/folders").text, "2", "{label}");
    }
}
