//! §6.6: the virtual Trash.

use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn trash_shows_only_the_top_of_what_was_deleted_with_its_place() {
    let client = Client::new().await;
    let writer = client.writer();
    writer.put("/Jotta/Sync/F/G/a", b"x").unwrap();
    writer.put("/Jotta/Archive/b", b"y").unwrap();
    writer.put("/PC/C/c", b"z").unwrap();
    for path in ["/Jotta/Sync/F", "/Jotta/Archive/b", "/PC/C"] {
        writer.trash(path).unwrap();
    }
    let trash = client.ok("/Jotta/Trash").await;
    assert_eq!(trash.name, "mountPoint");
    assert_eq!(trash.at("size").text, "");
    assert_eq!(trash.names_in("folders"), ["C", "F"]);
    assert_eq!(trash.names_in("files"), ["b"]);
    let user = client.user();
    for (group, name, place) in [
        ("folders", "F", format!("/{user}/Jotta/Sync")),
        ("folders", "C", format!("/{user}/PC")),
        ("files", "b", format!("/{user}/Jotta/Archive")),
    ] {
        let el = trash.named(group, name);
        assert_eq!(el.at("abspath").text, place);
        assert_eq!(el.attribute("contextType"), Some("TRASH"));
        assert!(el.attribute("deleted").is_some());
    }
}

#[tokio::test]
async fn the_same_name_can_be_in_the_trash_several_times() {
    let client = Client::new().await;
    for folder in ["F", "G"] {
        let path = format!("/Jotta/Sync/{folder}/a");
        client.writer().put(&path, b"x").unwrap();
        client.writer().trash(&path).unwrap();
    }
    assert_eq!(
        client.ok("/Jotta/Trash").await.names_in("files"),
        ["a", "a"]
    );
}

#[tokio::test]
async fn entries_cannot_be_reached_through_trash_and_there_is_no_restore_verb() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"x").unwrap();
    client.writer().trash("/Jotta/Sync/a").unwrap();
    assert_eq!(client.status("/Jotta/Trash/a").await, 404);
    assert_eq!(client.post("/Jotta/Trash/a?rm=true").await.0, 404);
    assert_eq!(
        client.to("/Jotta/Trash/a", "mv", "/Jotta/Sync/b").await.0,
        404
    );
    let (status, error) = client.post("/Jotta/Sync/a?restore=true").await;
    assert_eq!(status, 500);
    assert!(
        error
            .at("message")
            .text
            .contains("don't dont have any command")
    );
}

#[tokio::test]
async fn rm_at_the_original_path_purges_one_tombstone() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    client.writer().put("/Jotta/Sync/b", b"x").unwrap();
    client.writer().trash("/Jotta/Sync/F").unwrap();
    client.writer().trash("/Jotta/Sync/b").unwrap();
    client.done("/Jotta/Sync/F?rmDir=true").await;
    client.done("/Jotta/Sync/b?rm=true").await;
    let trash = client.ok("/Jotta/Trash").await;
    assert!(trash.find("folders").is_none() && trash.find("files").is_none());
}

#[tokio::test]
async fn purge_trash_removes_all_and_says_how_many() {
    let client = Client::new().await;
    let writer = client.writer();
    writer.put("/Jotta/Sync/F/G/a", b"x").unwrap();
    writer.put("/Jotta/Sync/b", b"live").unwrap();
    writer.trash("/Jotta/Sync/F").unwrap();
    let (status, counts) = client.call("/files/v1/purge_trash", &json!({})).await;
    assert_eq!((status, counts), (200, json!({"files": 1, "folders": 2})));
    assert_eq!(client.status("/Jotta/Sync/F").await, 404);
    assert_eq!(client.read("/Jotta/Sync/b").await, b"live");
}

#[tokio::test]
async fn other_devices_have_a_trash_only_when_the_switch_says_so() {
    for (answer, expected) in [("jotta-only", 404), ("each", 200)] {
        let client = Client::with("device_trash", answer).await;
        let writer = client.writer();
        for path in ["/PC/C/a", "/Jotta/Sync/b"] {
            writer.put(path, b"x").unwrap();
            writer.trash(path).unwrap();
        }
        let (status, trash) = client.xml("/PC/Trash").await;
        assert_eq!(status, expected);
        if expected == 200 {
            assert_eq!(trash.names_in("files"), ["a"]);
        }
        assert_eq!(
            client.ok("/Jotta/Trash").await.names_in("files"),
            ["a", "b"]
        );
    }
}

#[tokio::test]
async fn trash_is_listed_on_jotta_as_the_switch_says() {
    for (answer, listed) in [("yes", true), ("no", false)] {
        let client = Client::with("trash_listed", answer).await;
        let device = client.ok("/Jotta").await;
        let mut mounts = device.at("mountPoints").children.iter();
        assert_eq!(mounts.any(|m| m.at("name").text == "Trash"), listed);
    }
}

#[tokio::test]
async fn what_was_trashed_alone_stays_an_entry_when_its_folder_follows() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    client.writer().put("/Jotta/Sync/F/b", b"y").unwrap();
    client.done("/Jotta/Sync/F/a?dl=true").await;
    client.done("/Jotta/Sync/F?dlDir=true").await;
    let trash = client.ok("/Jotta/Trash").await;
    assert_eq!(trash.names_in("folders"), ["F"]);
    assert_eq!(trash.names_in("files"), ["a"]);
}
