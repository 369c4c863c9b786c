//! §6: mkDir, mv, mvDir, cp, dl, dlDir, rm, rmDir.

use local_cloud::Switches;

use crate::client::{Client, md5};

#[tokio::test]
async fn mkdir_makes_all_parents_and_the_mount_point_and_is_idempotent() {
    let client = Client::new().await;
    for _ in 0..2 {
        let (status, folder) = client.post("/Jotta/Extra/A/B?mkDir=true").await;
        assert_eq!((status, folder.name.as_str()), (200, "folder"));
        assert_eq!(folder.attribute("name"), Some("B"));
        assert!(folder.find("metadata").is_none());
    }
    assert_eq!(client.ok("/Jotta/Extra").await.names_in("folders"), ["A"]);
    let (status, mount) = client.post("/Jotta/Extra?mkDir=true").await;
    assert_eq!((status, mount.name.as_str()), (200, "mountPoint"));
}

#[tokio::test]
async fn mkdir_revives_a_trashed_folder_without_what_was_in_it() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    client.done("/Jotta/Sync/F?dlDir=true").await;
    let folder = client.done("/Jotta/Sync/F?mkDir=true").await;
    assert!(folder.attribute("deleted").is_none());
    let folder = client.ok("/Jotta/Sync/F").await;
    assert!(folder.named("files", "a").attribute("deleted").is_some());
}

#[tokio::test]
async fn mkdir_onto_a_file_is_refused() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"x").unwrap();
    assert_eq!(client.post("/Jotta/Sync/a?mkDir=true").await.0, 409);
    assert_eq!(client.post("/Jotta/Sync/a/b?mkDir=true").await.0, 409);
}

#[tokio::test]
async fn mv_renames_and_moves_a_file_with_its_uuid_and_makes_parents() {
    let client = Client::new().await;
    let writer = client.writer();
    let before = writer.put("/Jotta/Sync/F/a", b"x").unwrap();
    writer.put("/Jotta/Sync/F/a", b"xy").unwrap();
    let (status, file) = client
        .to("/Jotta/Sync/F/a", "mv", "/Jotta/Archive/G/b c")
        .await;
    assert_eq!((status, file.attribute("name")), (200, Some("b c")));
    let moved = client.ok("/Jotta/Archive/G/b%20c").await;
    assert_eq!(moved.attribute("uuid"), Some(before.uuid.as_str()));
    assert_eq!(moved.at("revisions").children.len(), 1);
    assert_eq!(client.status("/Jotta/Sync/F/a").await, 404);
}

#[tokio::test]
async fn mv_can_change_only_the_case_of_a_name() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/readme", b"x").unwrap();
    assert_eq!(
        client
            .to("/Jotta/Sync/readme", "mv", "/Jotta/Sync/README")
            .await
            .0,
        200
    );
    assert_eq!(client.ok("/Jotta/Sync").await.names_in("files"), ["README"]);
}

#[tokio::test]
async fn moves_between_mount_points_move_their_sizes() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/G/a", b"12345").unwrap();
    client
        .to("/Jotta/Sync/F/", "mvDir", "/Jotta/Archive/F")
        .await;
    assert_eq!(client.ok("/Jotta/Sync").await.at("size").text, "0");
    assert_eq!(client.ok("/Jotta/Archive").await.at("size").text, "5");
    client.cloud().reset_counts();
    client.read("/Jotta/Archive/F/G/a").await;
    assert_eq!(client.cloud().counts().content_bytes["Archive/bin"], 5);
}

#[tokio::test]
async fn mvdir_moves_the_whole_tree_makes_parents_and_works_back() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/G/a", b"x").unwrap();
    let (status, folder) = client
        .to("/Jotta/Sync/F/", "mvDir", "/Jotta/Sync/new_name/sub")
        .await;
    assert_eq!((status, folder.attribute("name")), (200, Some("sub")));
    assert_eq!(client.status("/Jotta/Sync/F").await, 404);
    assert_eq!(client.read("/Jotta/Sync/new_name/sub/G/a").await, b"x");
    assert_eq!(
        client
            .to("/Jotta/Sync/new_name/sub/", "mvDir", "/Jotta/Sync/F")
            .await
            .0,
        200
    );
    assert_eq!(client.read("/Jotta/Sync/F/G/a").await, b"x");
}

#[tokio::test]
async fn mvdir_needs_its_slash_only_when_the_switch_says_so() {
    for (answer, expected) in [("optional", 200), ("required", 404)] {
        let client = Client::with("mvdir_slash", answer).await;
        client.writer().mkdir("/Jotta/Sync/F").unwrap();
        let (status, error) = client.to("/Jotta/Sync/F", "mvDir", "/Jotta/Sync/G").await;
        assert_eq!(status, expected);
        if expected == 404 {
            assert!(
                error
                    .at("message")
                    .text
                    .contains("NoSuchPathException: Source directory")
            );
            assert_eq!(
                client
                    .to("/Jotta/Sync/F/", "mvDir", "/Jotta/Sync/G")
                    .await
                    .0,
                200
            );
        }
    }
}

#[tokio::test]
async fn a_folder_cannot_be_moved_into_itself() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    assert_eq!(
        client
            .to("/Jotta/Sync/F/", "mvDir", "/Jotta/Sync/F/G/H")
            .await
            .0,
        400
    );
    assert_eq!(client.read("/Jotta/Sync/F/a").await, b"x");
    assert_eq!(
        client.ok("/Jotta/Sync/F").await.names_in("folders").len(),
        0
    );
}

#[tokio::test]
async fn file_and_folder_verbs_are_not_interchangeable() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    assert_eq!(
        client.to("/Jotta/Sync/F", "mv", "/Jotta/Sync/G").await.0,
        404
    );
    assert_eq!(
        client
            .to("/Jotta/Sync/F/a/", "mvDir", "/Jotta/Sync/G")
            .await
            .0,
        404
    );
    for command in [
        "/F?rm=true",
        "/F/a?rmDir=true",
        "/F?dl=true",
        "/F/a?dlDir=true",
    ] {
        assert_eq!(
            client.post(&format!("/Jotta/Sync{command}")).await.0,
            404,
            "{command}"
        );
    }
    assert_eq!(client.read("/Jotta/Sync/F/a").await, b"x");
}

#[tokio::test]
async fn a_missing_source_is_404_in_the_services_words() {
    let client = Client::new().await;
    let (status, error) = client.to("/Jotta/Sync/a", "mv", "/Jotta/Sync/b").await;
    assert_eq!(status, 404);
    assert!(
        error
            .at("message")
            .text
            .contains("NoSuchFileException: Source file")
    );
    let (status, error) = client.to("/Jotta/Sync/F/", "mvDir", "/Jotta/Sync/G").await;
    assert_eq!(status, 404);
    assert!(
        error
            .at("message")
            .text
            .contains("NoSuchPathException: Source directory")
    );
}

#[tokio::test]
async fn cp_gives_a_file_of_its_own_with_the_same_content_and_time() {
    let client = Client::new().await;
    let source = client
        .writer()
        .put_at("/Jotta/Sync/a", b"hello", 1000, 1_612_325_106_789)
        .unwrap();
    let (status, copy) = client.to("/Jotta/Sync/a", "cp", "/Jotta/Archive/F/b").await;
    assert_eq!(status, 200);
    let read = client.ok("/Jotta/Archive/F/b").await;
    for field in ["size", "md5", "modified"] {
        let path = format!("currentRevision/{field}");
        assert_eq!(copy.at(&path).text, read.at(&path).text);
    }
    assert_eq!(
        read.at("currentRevision/modified").text,
        "2021-02-03-T04:05:06Z"
    );
    assert_ne!(read.attribute("uuid"), Some(source.uuid.as_str()));
    client
        .cphash("/Jotta/Archive/F/b", b"hello", "2000-01-01-T00:00:00Z")
        .await;
    let source = client.ok("/Jotta/Sync/a").await;
    assert_eq!(
        source.at("currentRevision/modified").text,
        "2021-02-03-T04:05:06Z"
    );
}

#[tokio::test]
async fn cp_onto_a_trashed_file_stays_in_the_trash_until_cphash_repairs_it() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"new").unwrap();
    client.writer().put("/Jotta/Sync/b", b"old").unwrap();
    client.writer().trash("/Jotta/Sync/b").unwrap();
    let (status, copy) = client.to("/Jotta/Sync/a", "cp", "/Jotta/Sync/b").await;
    assert_eq!((status, copy.attribute("deleted").is_some()), (200, true));
    assert_eq!(copy.at("currentRevision/md5").text, md5(b"new"));
    assert_eq!(client.status("/Jotta/Sync/b?mode=bin").await, 404);
    assert_eq!(
        client
            .cphash("/Jotta/Sync/b", b"new", "2000-01-01-T00:00:00Z")
            .await
            .0,
        200
    );
    assert_eq!(client.read("/Jotta/Sync/b").await, b"new");
}

#[tokio::test]
async fn onto_a_live_item_commands_refuse_or_overwrite_as_the_switch_says() {
    for answer in ["reject", "overwrite"] {
        for unique in ["409", "400", "412"] {
            let mut switches = Switches::default();
            switches.set("onto_live", answer).unwrap();
            switches.set("unique_status", unique).unwrap();
            let client = Client::under(switches).await;
            let writer = client.writer();
            for name in ["a", "b", "c"] {
                writer
                    .put(&format!("/Jotta/Sync/{name}"), name.as_bytes())
                    .unwrap();
                writer
                    .put(&format!("/Jotta/Sync/F{name}/{name}"), name.as_bytes())
                    .unwrap();
            }
            let refused = answer == "reject";
            let expected = if refused {
                unique.parse().unwrap()
            } else {
                200
            };
            let sync = |name: &str| format!("/Jotta/Sync/{name}");
            for (from, verb, to) in [("a", "mv", "c"), ("b", "cp", "c"), ("Fa/", "mvDir", "Fc")] {
                let (status, el) = client.to(&sync(from), verb, &sync(to)).await;
                assert_eq!(status, expected, "{verb} under {answer}");
                if refused {
                    assert!(el.at("message").text.contains("UniqueFileException"));
                }
            }
            assert_eq!(client.status(&sync("a")).await == 404, !refused);
            let content = if refused { b"c" } else { b"b" };
            assert_eq!(client.read(&sync("c")).await, content);
            assert_eq!(client.status(&sync("Fc/a")).await == 200, !refused);
            if !refused {
                let file = client.ok(&sync("c")).await;
                assert_eq!(file.at("revisions").children.len(), 2);
            }
        }
    }
}

#[tokio::test]
async fn dl_hides_a_file_and_again_or_on_a_missing_one_is_no_error() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"x").unwrap();
    let first = client.done("/Jotta/Sync/a?dl=true").await;
    assert!(first.attribute("deleted").is_some());
    let again = client.done("/Jotta/Sync/a?dl=true").await;
    assert_eq!(first.attribute("deleted"), again.attribute("deleted"));
    client.done("/Jotta/Sync/never?dl=true").await;
}

#[tokio::test]
async fn dldir_stamps_everything_below_and_keeps_its_content_data() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/G/a", b"hello").unwrap();
    let folder = client.done("/Jotta/Sync/F?dlDir=true").await;
    assert_eq!(folder.name, "folder");
    assert!(folder.attribute("deleted").is_some());
    let inner = client.ok("/Jotta/Sync/F/G").await;
    let file = inner.named("files", "a");
    assert_eq!(file.attribute("deleted"), folder.attribute("deleted"));
    assert_eq!(file.at("currentRevision/md5").text, md5(b"hello"));
}

#[tokio::test]
async fn rm_and_rmdir_remove_for_good_and_answer_the_parent() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/F/a", b"x").unwrap();
    client.writer().put("/Jotta/Sync/F/b", b"x").unwrap();
    let parent = client.done("/Jotta/Sync/F/a?rm=true").await;
    assert_eq!(
        (parent.name.as_str(), parent.attribute("name")),
        ("folder", Some("F"))
    );
    assert_eq!(client.status("/Jotta/Sync/F/a").await, 404);
    assert_eq!(client.post("/Jotta/Sync/F/a?rm=true").await.0, 404);
    let parent = client.done("/Jotta/Sync/F?rmDir=true").await;
    assert_eq!(parent.name, "mountPoint");
    assert_eq!(client.status("/Jotta/Sync/F").await, 404);
    assert!(client.ok("/Jotta/Trash").await.find("folders").is_none());
}

#[tokio::test]
async fn a_mount_point_can_be_trashed_revived_and_removed() {
    let client = Client::new().await;
    client.writer().put("/PC/C/a", b"x").unwrap();
    let mount = client.done("/PC/C?dl=true").await;
    assert_eq!(mount.name, "mountPoint");
    mount.at("deleted");
    let device = client.ok("/PC").await;
    device.at("mountPoints/mountPoint/deleted");
    assert_eq!(
        device.at("mountPoints/mountPoint/abspath").text,
        format!("/{}/PC", client.user())
    );
    assert_eq!(client.post("/PC/C").await.0, 201);
    assert!(
        client
            .ok("/PC")
            .await
            .find("mountPoints/mountPoint/deleted")
            .is_none()
    );
    let device = client.done("/PC/C?rm=true").await;
    assert_eq!(
        (device.name.as_str(), device.find("mountPoints").is_none()),
        ("device", true)
    );
    assert_eq!(client.status("/PC/C").await, 404);
}

#[tokio::test]
async fn a_device_is_removed_whole_and_jotta_never() {
    let client = Client::new().await;
    client.writer().put("/PC/C/a", b"x").unwrap();
    let user = client.done("/PC?rm=true").await;
    assert_eq!(
        (user.name.as_str(), user.at("devices").children.len()),
        ("user", 1)
    );
    assert_eq!(client.status("/PC/C/a").await, 404);
    assert_eq!(client.post("/Jotta?rm=true").await.0, 400);
    assert_eq!(client.status("/Jotta/Sync").await, 200);
}

#[tokio::test]
async fn the_views_of_jotta_take_nothing() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"x").unwrap();
    for view in ["Trash", "Links", "Latest", "Shared"] {
        assert_eq!(
            client.post(&format!("/Jotta/{view}/F?mkDir=true")).await.0,
            400
        );
        assert_eq!(
            client.allocate(&format!("/Jotta/{view}/a"), b"").await.0,
            400
        );
        assert_eq!(
            client
                .to("/Jotta/Sync/a", "mv", &format!("/Jotta/{view}/a"))
                .await
                .0,
            400
        );
    }
}

#[tokio::test]
async fn paths_that_were_trashed_or_left_can_be_used_again() {
    let client = Client::new().await;
    let writer = client.writer();
    writer.put("/Jotta/Sync/a", b"x").unwrap();
    writer.put("/Jotta/Sync/gone", b"y").unwrap();
    writer.put("/Jotta/Sync/F/b", b"z").unwrap();
    writer.put("/Jotta/Sync/G/c", b"w").unwrap();
    writer.trash("/Jotta/Sync/gone").unwrap();
    writer.trash("/Jotta/Sync/G").unwrap();
    assert_eq!(
        client.to("/Jotta/Sync/a", "mv", "/Jotta/Sync/gone").await.0,
        200
    );
    assert_eq!(
        client
            .to("/Jotta/Sync/F/", "mvDir", "/Jotta/Sync/G")
            .await
            .0,
        200
    );
    assert_eq!(client.read("/Jotta/Sync/gone").await, b"x");
    assert_eq!(client.read("/Jotta/Sync/G/b").await, b"z");
    assert_eq!(client.ok("/Jotta/Sync").await.names_in("folders"), ["G"]);
    let trash = client.ok("/Jotta/Trash").await;
    assert_eq!(
        (trash.names_in("folders"), trash.names_in("files")),
        (vec!["G".into()], vec!["gone".into()])
    );
}
