//! §2, §3.1 to §3.3, §3.5: what GET shows.

use local_cloud::{CloudOptions, Switches};
use reqwest::Method;

use crate::client::{Client, md5, xml};

#[tokio::test]
async fn the_customer_is_named_with_quota_and_usage() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Archive/a", b"12345").unwrap();
    let url = format!("{}/account/v1/customer", client.cloud().url());
    let answer = client.request(Method::GET, &url).send().await.unwrap();
    let customer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(customer["username"], client.user());
    assert_eq!(
        (&customer["usage"], &customer["quota"]),
        (&5.into(), &(-1).into())
    );
    assert_eq!(customer["write_locked"], false);
}

#[tokio::test]
async fn the_user_has_its_devices_and_its_capacity_as_elements() {
    let client = Client::new().await;
    client.writer().device("Kari's PC", "LAPTOP").unwrap();
    client.writer().put("/Kari's PC/C/a", b"123").unwrap();
    let user = client.ok("").await;
    assert_eq!(user.name, "user");
    assert_eq!(user.at("username").text, client.user());
    assert_eq!(user.at("capacity").text, "-1");
    assert_eq!(user.at("usage").text, "3");
    let devices: Vec<_> = user.at("devices").children.iter().collect();
    let names: Vec<_> = devices.iter().map(|d| d.at("name").text.as_str()).collect();
    assert_eq!(names, ["Jotta", "Kari's PC"]);
    assert_eq!(devices[0].at("type").text, "JOTTA");
    assert_eq!(devices[1].at("type").text, "LAPTOP");
    assert_eq!(devices[1].at("size").text, "3");
    assert_eq!(devices[1].at("sid").text.len(), 36);
}

#[tokio::test]
async fn a_device_lists_its_mount_points_and_counts_them() {
    let client = Client::new().await;
    let device = client.ok("/Jotta").await;
    assert_eq!(device.name, "device");
    assert_eq!(device.at("user").text, client.user());
    let mounts = &device.at("mountPoints").children;
    let names: Vec<_> = mounts.iter().map(|m| m.at("name").text.as_str()).collect();
    assert_eq!(names, ["Archive", "Sync", "Latest", "Shared", "Trash"]);
    assert_eq!(
        device.at("metadata").attribute("num_mountpoints"),
        Some("5")
    );
    assert_eq!(client.ok("/jOTTA").await.at("name").text, "Jotta");
}

#[tokio::test]
async fn a_mount_point_shows_its_size_or_an_empty_element() {
    for (answer, expected) in [("number", "3"), ("empty", "")] {
        let client = Client::with("mount_size", answer).await;
        client.writer().put("/Jotta/Sync/a", b"123").unwrap();
        let device = client.ok("/Jotta").await;
        let mounts = &device.at("mountPoints").children;
        let sync = mounts.iter().find(|m| m.at("name").text == "Sync").unwrap();
        assert_eq!(sync.at("size").text, expected, "under {answer}");
    }
}

#[tokio::test]
async fn a_new_device_has_no_mount_points_element() {
    let client = Client::new().await;
    let device = client.done("/Phone?type=ANDROID").await;
    assert!(device.find("mountPoints").is_none());
    assert_eq!(device.at("type").text, "ANDROID");
}

#[tokio::test]
async fn making_a_device_answers_201_even_if_it_exists() {
    let client = Client::new().await;
    assert_eq!(client.post("/Phone?type=ANDROID").await.0, 201);
    let (status, device) = client.post("/phone?type=IPHONE").await;
    assert_eq!((status, device.at("type").text.as_str()), (201, "ANDROID"));
}

#[tokio::test]
async fn making_a_mount_point_answers_201_then_200() {
    let client = Client::new().await;
    client.done("/Phone?type=ANDROID").await;
    let (status, mount) = client.post("/Phone/Camera").await;
    assert_eq!((status, mount.name.as_str()), (201, "mountPoint"));
    assert!(mount.find("metadata").is_none());
    assert_eq!(client.post("/Phone/camera").await.0, 200);
    assert_eq!(client.ok("/Phone/Camera").await.at("device").text, "Phone");
}

#[tokio::test]
async fn a_folder_shows_children_with_current_revisions_and_counts_tombstones() {
    let client = Client::new().await;
    let writer = client.writer();
    writer
        .put_at(
            "/Jotta/Sync/F/a.txt",
            b"hello",
            1_577_934_245_999,
            1_612_325_106_000,
        )
        .unwrap();
    writer.put("/Jotta/Sync/F/gone.txt", b"x").unwrap();
    writer.mkdir("/Jotta/Sync/F/sub").unwrap();
    writer.mkdir("/Jotta/Sync/F/old").unwrap();
    writer.trash("/Jotta/Sync/F/gone.txt").unwrap();
    writer.trash("/Jotta/Sync/F/old").unwrap();
    let folder = client.ok("/Jotta/Sync/F").await;
    assert_eq!(folder.name, "folder");
    assert_eq!(folder.attribute("name"), Some("F"));
    assert_eq!(
        folder.at("path").text,
        format!("/{}/Jotta/Sync", client.user())
    );
    assert_eq!(folder.at("path").attribute("xml:space"), Some("preserve"));
    assert!(
        folder
            .named("folders", "sub")
            .attribute("deleted")
            .is_none()
    );
    let old = folder.named("folders", "old");
    assert!(old.attribute("deleted").unwrap().ends_with('Z'));
    assert_eq!(
        old.at("abspath").text,
        format!("/{}/Jotta/Sync/F", client.user())
    );
    let file = folder.named("files", "a.txt");
    assert_eq!(file.attribute("uuid").unwrap().len(), 36);
    let revision = file.at("currentRevision");
    for (field, value) in [
        ("number", "1"),
        ("state", "COMPLETED"),
        ("created", "2020-01-02-T03:04:05Z"),
        ("modified", "2021-02-03-T04:05:06Z"),
        ("mime", "text/plain"),
        ("size", "5"),
        ("md5", &md5(b"hello")),
    ] {
        assert_eq!(revision.at(field).text, value, "{field}");
    }
    assert!(
        folder
            .named("files", "gone.txt")
            .attribute("deleted")
            .is_some()
    );
    let metadata = folder.at("metadata");
    assert_eq!(metadata.attribute("total"), Some("4"));
    assert_eq!(metadata.attribute("num_folders"), Some("2"));
    assert_eq!(metadata.attribute("num_files"), Some("2"));
}

#[tokio::test]
async fn an_empty_folder_has_neither_folders_nor_files() {
    let client = Client::new().await;
    client.writer().mkdir("/Jotta/Sync/F").unwrap();
    let folder = client.ok("/Jotta/Sync/F").await;
    assert!(folder.find("folders").is_none() && folder.find("files").is_none());
}

#[tokio::test]
async fn a_folder_of_many_pages_is_listed_whole_and_in_order() {
    let client = Client::new().await;
    let file = |i| local_cloud::BulkFile {
        path: format!("/Jotta/Sync/F/{i:05}"),
        seed: 1,
        size: 10,
        created: 0,
        modified: 0,
    };
    client.writer().put_many((0..1777).map(file)).unwrap();
    let names = client.ok("/Jotta/Sync/F").await.names_in("files");
    assert_eq!(names.len(), 1777);
    assert!(names.is_sorted());
}

#[tokio::test]
async fn a_file_keeps_its_uuid_and_five_revisions_newest_first() {
    let client = Client::new().await;
    let writer = client.writer();
    let first = writer.put("/Jotta/Sync/a", b"0").unwrap();
    for i in 1..8 {
        writer
            .put("/Jotta/Sync/a", i.to_string().as_bytes())
            .unwrap();
    }
    let file = client.ok("/Jotta/Sync/a").await;
    assert_eq!(file.name, "file");
    assert_eq!(file.attribute("uuid"), Some(first.uuid.as_str()));
    assert_eq!(file.at("currentRevision/number").text, "8");
    let old: Vec<_> = file
        .at("revisions")
        .all("revision")
        .map(|r| r.at("number").text.as_str())
        .collect();
    assert_eq!(old, ["7", "6", "5", "4"]);
    let listed = client.ok("/Jotta/Sync").await;
    assert!(listed.named("files", "a").find("revisions").is_none());
}

#[tokio::test]
async fn a_trashed_path_is_shown_with_deleted_or_is_404() {
    for (answer, expected) in [("200", 200), ("404", 404)] {
        let client = Client::with("trashed_get", answer).await;
        let writer = client.writer();
        writer.put("/Jotta/Sync/F/a", b"x").unwrap();
        writer.trash("/Jotta/Sync/F").unwrap();
        for path in ["/Jotta/Sync/F", "/Jotta/Sync/F/a"] {
            let (status, el) = client.xml(path).await;
            assert_eq!(status, expected, "{path} under {answer}");
            assert_eq!(el.attribute("deleted").is_some(), expected == 200);
        }
    }
}

#[tokio::test]
async fn mode_list_is_flat_and_shows_tombstones_too() {
    let client = Client::new().await;
    let writer = client.writer();
    writer.put("/Jotta/Sync/a", b"x").unwrap();
    writer.put("/Jotta/Sync/F/b", b"y").unwrap();
    writer.put("/Jotta/Sync/F/c", b"z").unwrap();
    writer.trash("/Jotta/Sync/F/c").unwrap();
    let list = client.ok("/Jotta/Sync?mode=list").await;
    assert_eq!(list.name, "filedirlist");
    let folders = &list.at("folders").children;
    let names: Vec<_> = folders
        .iter()
        .map(|f| f.attribute("name").unwrap())
        .collect();
    assert_eq!(names, ["Sync", "F"]);
    assert_eq!(
        folders[1].at("path").text,
        format!("/{}/Jotta/Sync", client.user())
    );
    assert_eq!(folders[1].names_in("files"), ["b", "c"]);
    assert!(
        folders[1]
            .named("files", "c")
            .attribute("deleted")
            .is_some()
    );
}

#[tokio::test]
async fn latest_lists_the_newest_files_first_with_at_least_ten() {
    let client = Client::new().await;
    for i in 0..15 {
        client
            .writer()
            .put(&format!("/Jotta/Sync/{i:02}"), b"x")
            .unwrap();
    }
    let latest = client.ok("/Jotta/Latest?sort=updated&max=3&web=true").await;
    assert_eq!(latest.name, "searchresult");
    let names = latest.names_in("files");
    assert_eq!(names.len(), 10);
    assert_eq!(names[0], "14");
    assert_eq!(latest.at("metadata").attribute("total"), Some("15"));
}

#[tokio::test]
async fn head_has_the_headers_of_get_or_is_refused() {
    for (answer, expected) in [("served", 200), ("refused", 405)] {
        let client = Client::with("head", answer).await;
        client.writer().put("/Jotta/Sync/a", b"hello").unwrap();
        let url = client.jfs("/Jotta/Sync/a?mode=bin");
        let answer = client.request(Method::HEAD, &url).send().await.unwrap();
        assert_eq!(answer.status(), expected);
        if expected == 200 {
            assert_eq!(answer.headers()["content-length"], "5");
        }
        assert_eq!(client.cloud().counts().content_of("Sync"), 0);
    }
}

#[tokio::test]
async fn folders_show_times_only_when_the_switch_says_so() {
    for (answer, shown) in [("absent", false), ("present", true)] {
        let client = Client::with("folder_times", answer).await;
        client.writer().mkdir("/Jotta/Sync/F/G").unwrap();
        let folder = client.ok("/Jotta/Sync/F").await;
        assert_eq!(folder.find("modified").is_some(), shown);
        assert_eq!(
            folder.named("folders", "G").find("modified").is_some(),
            shown
        );
    }
}

#[tokio::test]
async fn everything_is_there_after_the_cloud_starts_again_on_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let options = CloudOptions {
        directory: Some(directory.path().to_owned()),
        ..CloudOptions::default()
    };
    let client = Client::of(options.clone()).await;
    client.put("/Jotta/Sync/F/a", b"hello").await;
    let before = client.ok("/Jotta/Sync/F/a").await;
    drop(client);
    let client = Client::of(options).await;
    let after = client.ok("/Jotta/Sync/F/a").await;
    assert_eq!(before.attribute("uuid"), after.attribute("uuid"));
    assert_eq!(client.read("/Jotta/Sync/F/a").await, b"hello");
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_bytes_by_space() {
    let client = Client::new().await;
    let writer = client.writer();
    for path in ["/Jotta/Sync/a", "/Jotta/Archive/a", "/PC/C/a"] {
        writer.put(path, b"12345").unwrap();
    }
    client.cloud().reset_counts();
    client.ok("/Jotta/Sync").await;
    client
        .get("/Jotta/Sync?mode=liststream")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(
        client.cloud().counts().content_bytes.len(),
        0,
        "listing moves no content"
    );
    client.read("/Jotta/Archive/a").await;
    client.read("/PC/C/a").await;
    client
        .range("/PC/C/a?mode=bin", "bytes=1-2")
        .await
        .bytes()
        .await
        .unwrap();
    client.done("/Jotta/Sync/F?mkDir=true").await;
    let counts = client.cloud().counts();
    assert_eq!(counts.content_of("Sync"), 0);
    assert_eq!(counts.content_bytes["Archive/bin"], 5);
    assert_eq!(counts.content_bytes["Backup/bin"], 7);
    for (kind, count) in [("get", 1), ("liststream", 1), ("bin", 3), ("mkDir", 1)] {
        assert_eq!(counts.requests_of(kind), count, "{kind}");
    }
    client.cloud().reset_counts();
    assert_eq!(client.cloud().counts(), local_cloud::Counts::default());
}

#[tokio::test]
async fn switches_can_be_set_by_name_and_enumerated() {
    for (label, switches) in Switches::each_alternative().into_iter().skip(1) {
        let (name, answer) = label.split_once('=').unwrap();
        assert_eq!(switches.get(name), Some(answer));
        assert_ne!(Switches::default().get(name), Some(answer));
        let mut set = Switches::default();
        set.set(name, answer).unwrap();
        assert_eq!(set, switches);
    }
    assert!(Switches::default().set("onto_live", "maybe").is_err());
    assert!(Switches::default().set("no_such", "yes").is_err());
    assert!(Switches::each_alternative().len() > Switches::all().len());
}

#[tokio::test]
async fn a_call_without_a_live_token_is_401_in_xml() {
    let client = Client::new().await;
    let request = client
        .http()
        .get(client.jfs("/Jotta"))
        .bearer_auth("nonsense");
    let (status, error) = xml(request.send().await.unwrap()).await;
    assert_eq!((status, error.at("code").text.as_str()), (401, "401"));
    assert!(error.at("message").text.contains("BadCredentialsException"));
}
