//! §3.4: the recursive stream, checked as the vendor's own parser checks it.

use std::collections::{BTreeMap, BTreeSet};

use local_cloud::Switches;

use crate::client::{Client, El, md5};

/// Folders and files as rclone reads them; fails unless the counts match.
fn parse(root: &El) -> (BTreeSet<String>, BTreeMap<String, El>) {
    let mut folders = BTreeSet::new();
    let mut files = BTreeMap::new();
    let (mut folder_count, mut file_count) = (0, 0);
    for el in &root.children {
        match el.name.as_str() {
            "folder" => {
                folder_count += 1;
                assert!(
                    folders.insert(el.at("path").text.clone()),
                    "{el:?} came twice"
                );
            }
            "file" => {
                let path = el.at("path").text.clone();
                if folders.insert(path.clone()) {
                    folder_count += 1;
                }
                file_count += 1;
                let path = format!("{path}/{}", el.at("filename").text);
                assert!(files.insert(path, el.clone()).is_none());
            }
            _ => {}
        }
    }
    assert_eq!(root.at("stats/folders").text, folder_count.to_string());
    assert_eq!(root.at("stats/files").text, file_count.to_string());
    (folders, files)
}

fn answers(switches: &[&str]) -> Vec<(String, Switches)> {
    Switches::each_alternative()
        .into_iter()
        .filter(|(label, _)| {
            label == "defaults" || switches.iter().any(|s| label.starts_with(&format!("{s}=")))
        })
        .collect()
}

#[tokio::test]
async fn stats_count_every_folder_and_file_once_under_every_answer() {
    for (label, switches) in answers(&["liststream_root", "liststream_folders", "liststream_order"])
    {
        let client = Client::under(switches).await;
        let writer = client.writer();
        writer
            .put_at(
                "/Jotta/Sync/a.txt",
                b"hello",
                1_577_934_245_123,
                1_612_325_106_456,
            )
            .unwrap();
        writer.put("/Jotta/Sync/F/b", b"y").unwrap();
        writer.put("/Jotta/Sync/F/c", b"y").unwrap();
        writer.put("/Jotta/Sync/only-folders/G/d", b"z").unwrap();
        writer.mkdir("/Jotta/Sync/empty").unwrap();
        writer.put("/Jotta/Sync/gone/e", b"z").unwrap();
        writer.trash("/Jotta/Sync/gone").unwrap();
        writer.put("/Jotta/Sync/F/gone", b"z").unwrap();
        writer.trash("/Jotta/Sync/F/gone").unwrap();
        client
            .allocate("/Jotta/Sync/F/incomplete", b"never sent")
            .await;
        let stream = client.ok("/Jotta/Sync?mode=liststream").await;
        let (folders, files) = parse(&stream);
        let expected = [
            "/Sync",
            "/Sync/F",
            "/Sync/empty",
            "/Sync/only-folders",
            "/Sync/only-folders/G",
        ];
        assert_eq!(folders.iter().collect::<Vec<_>>(), expected, "{label}");
        let expected = [
            "/Sync/F/b",
            "/Sync/F/c",
            "/Sync/a.txt",
            "/Sync/only-folders/G/d",
        ];
        assert_eq!(files.keys().collect::<Vec<_>>(), expected, "{label}");
        let file = &files["/Sync/a.txt"];
        for (field, value) in [
            ("md5", md5(b"hello").as_str()),
            ("size", "5"),
            ("created", "2020-01-02T03:04:05.123Z"),
            ("modified", "2021-02-03T04:05:06.456Z"),
        ] {
            assert_eq!(file.at(field).text, value);
        }
        let direct = stream.all("folder").count();
        let all = label == "liststream_folders=all";
        assert_eq!(direct, if all { 5 } else { 2 }, "{label}");
    }
}

#[tokio::test]
async fn the_stream_is_compact_and_its_root_is_named_by_the_switch() {
    for name in ["filedirlist", "root", "liststream"] {
        let client = Client::with("liststream_root", name).await;
        client.writer().put("/Jotta/Sync/a", b"x").unwrap();
        let text = client
            .get("/Jotta/Sync?mode=liststream")
            .await
            .text()
            .await
            .unwrap();
        assert!(!text.contains('\n') && !text.contains("> <"), "{text}");
        assert_eq!(El::parse(&text).name, name);
    }
}

#[tokio::test]
async fn a_subfolder_can_be_the_root_and_paths_still_begin_at_the_mount_point() {
    let client = Client::new().await;
    client.writer().put("/PC/C/A/B/c", b"x").unwrap();
    let (folders, files) = parse(&client.ok("/PC/C/A?mode=liststream").await);
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), ["/C/A", "/C/A/B"]);
    assert_eq!(files.into_keys().collect::<Vec<_>>(), ["/C/A/B/c"]);
}

#[tokio::test]
async fn a_missing_or_trashed_root_is_404_in_xml() {
    let client = Client::new().await;
    client.writer().mkdir("/Jotta/Sync/gone").unwrap();
    client.writer().trash("/Jotta/Sync/gone").unwrap();
    for path in ["/Jotta/Sync/never", "/Jotta/Sync/gone", "/Jotta/Nope"] {
        let (status, error) = client.xml(&format!("{path}?mode=liststream")).await;
        assert_eq!((status, error.name.as_str()), (404, "error"), "{path}");
    }
}

#[tokio::test]
async fn a_file_whose_new_upload_failed_is_listed_with_its_last_whole_content() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/a", b"good").await;
    client.allocate("/Jotta/Sync/a", b"never comes").await;
    let (_, files) = parse(&client.ok("/Jotta/Sync?mode=liststream").await);
    assert_eq!(files["/Sync/a"].at("md5").text, md5(b"good"));
}
