//! §5.1, §5.2, §5.5: allocate and upload.

use serde_json::json;

use crate::client::{Client, md5};

#[tokio::test]
async fn an_upload_makes_parents_and_is_there_at_once() {
    let client = Client::new().await;
    let (status, allocated) = client.allocate("/Jotta/Archive/A/B/a.txt", b"hello").await;
    assert_eq!(status, 200);
    assert_eq!(allocated["state"], "INCOMPLETE");
    assert_eq!(allocated["resume_pos"], 0);
    assert_eq!(allocated["name"], "a.txt");
    let (status, sent) = client.send(&allocated["upload_url"], 0, b"hello").await;
    assert_eq!(status, 200);
    assert_eq!(
        (&sent["bytes"], &sent["md5"]),
        (&5.into(), &md5(b"hello").into())
    );
    assert_eq!(sent["modified"], 1_612_325_106_000_i64);
    let file = client.ok("/Jotta/Archive/A/B/a.txt").await;
    let revision = file.at("currentRevision");
    assert_eq!(revision.at("state").text, "COMPLETED");
    assert_eq!(revision.at("created").text, "2020-01-02-T03:04:05Z");
    assert_eq!(revision.at("modified").text, "2021-02-03-T04:05:06Z");
    assert!(file.find("latestRevision").is_none());
    assert_eq!(client.read("/Jotta/Archive/A/B/a.txt").await, b"hello");
}

#[tokio::test]
async fn the_older_path_form_means_jotta() {
    let client = Client::new().await;
    let ask = json!({"path": "Archive/a", "bytes": 0, "md5": md5(b"")});
    let (status, allocated) = client.call("/files/v1/allocate", &ask).await;
    assert_eq!(status, 200);
    client.send(&allocated["upload_url"], 0, b"").await;
    assert_eq!(client.read("/Jotta/Archive/a").await, b"");
}

#[tokio::test]
async fn times_may_be_rfc_3339_jfs_style_or_milliseconds() {
    let client = Client::new().await;
    for time in [
        json!("2021-02-03T05:05:06+01:00"),
        json!("2021-02-03-T04:05:06Z"),
        json!(1_612_325_106_000_i64),
    ] {
        let ask =
            json!({"path": "/jfs/Jotta/Sync/a", "bytes": 1, "md5": md5(b"x"), "modified": time});
        let (_, allocated) = client.call("/files/v1/allocate", &ask).await;
        if allocated["state"] != "COMPLETED" {
            client.send(&allocated["upload_url"], 0, b"x").await;
        }
        let file = client.ok("/Jotta/Sync/a").await;
        assert_eq!(
            file.at("currentRevision/modified").text,
            "2021-02-03-T04:05:06Z",
            "{time}"
        );
        client.done("/Jotta/Sync/a?rm=true").await;
    }
}

#[tokio::test]
async fn the_same_content_again_is_completed_without_bytes_and_takes_the_times() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a", b"hello").unwrap();
    let (_, allocated) = client.allocate("/Jotta/Sync/a", b"hello").await;
    assert_eq!(allocated["state"], "COMPLETED");
    let file = client.ok("/Jotta/Sync/a").await;
    assert_eq!(
        file.at("currentRevision/modified").text,
        "2021-02-03-T04:05:06Z"
    );
    assert_eq!(file.at("currentRevision/number").text, "1");
}

#[tokio::test]
async fn content_known_elsewhere_is_completed_as_the_switch_says() {
    for (answer, foreign, own, old) in [
        ("anyones", true, true, true),
        ("own", false, true, true),
        ("own-current", false, true, false),
    ] {
        let client = Client::with("known_content", answer).await;
        let writer = client.writer();
        writer.plant_foreign(b"somebody else's").unwrap();
        writer.put("/Jotta/Archive/a", b"old").unwrap();
        writer.put("/Jotta/Archive/a", b"mine").unwrap();
        for (path, content, known) in [
            ("/Jotta/Sync/1", &b"somebody else's"[..], foreign),
            ("/Jotta/Sync/2", b"mine", own),
            ("/Jotta/Sync/3", b"old", old),
        ] {
            let (_, allocated) = client.allocate(path, content).await;
            assert_eq!(allocated["state"] == "COMPLETED", known, "{answer}: {path}");
            if known {
                assert_eq!(client.read(path).await, content);
            }
        }
    }
}

#[tokio::test]
async fn a_completed_allocate_has_an_upload_url_only_when_the_switch_says_so() {
    for (answer, shown) in [("present", true), ("absent", false)] {
        let client = Client::with("completed_url", answer).await;
        client.writer().put("/Jotta/Sync/a", b"hello").unwrap();
        let (_, allocated) = client.allocate("/Jotta/Sync/a", b"hello").await;
        assert_eq!(allocated.get("upload_url").is_some(), shown);
    }
}

#[tokio::test]
async fn a_partial_body_is_420_and_the_next_allocate_goes_on_where_it_ended() {
    let client = Client::new().await;
    let content = b"one byte at a time";
    let (_, first) = client.allocate("/Jotta/Sync/a", content).await;
    let (status, error) = client.send(&first["upload_url"], 0, &content[..4]).await;
    assert_eq!(
        (status, &error["error_id"]),
        (420, &"IncompleteUploadOpenApiException".into())
    );
    let file = client.ok("/Jotta/Sync/a").await;
    assert!(file.find("currentRevision").is_none());
    assert_eq!(file.at("latestRevision/state").text, "INCOMPLETE");
    assert_eq!(file.at("latestRevision/size").text, "4");
    let listed = client.ok("/Jotta/Sync").await;
    assert!(
        listed
            .named("files", "a")
            .find("latestRevision/size")
            .is_none()
    );
    for at in 4..content.len() {
        let (_, again) = client.allocate("/Jotta/Sync/a", content).await;
        assert_eq!(again["resume_pos"], at);
        assert_eq!(again["state"], "INCOMPLETE");
        let byte = &content[at..=at];
        let (status, _) = client.send(&again["upload_url"], at as u64, byte).await;
        assert_eq!(status, if at + 1 == content.len() { 200 } else { 420 });
    }
    assert_eq!(client.read("/Jotta/Sync/a").await, content);
    assert_eq!(
        client
            .ok("/Jotta/Sync/a")
            .await
            .at("currentRevision/number")
            .text,
        "1"
    );
}

#[tokio::test]
async fn kept_bytes_are_forgotten_when_the_switch_says_so() {
    let client = Client::with("partial_upload", "gone").await;
    let (_, first) = client.allocate("/Jotta/Sync/a", b"hello").await;
    assert_eq!(client.send(&first["upload_url"], 0, b"hel").await.0, 420);
    let (_, again) = client.allocate("/Jotta/Sync/a", b"hello").await;
    assert_eq!(again["resume_pos"], 0);
    assert_eq!(client.send(&again["upload_url"], 3, b"lo").await.0, 416);
    assert_eq!(client.send(&again["upload_url"], 0, b"hello").await.0, 200);
}

#[tokio::test]
async fn one_upload_url_takes_several_chunks_or_one() {
    for (answer, second) in [("reusable", 200), ("once", 404)] {
        let client = Client::with("upload_url", answer).await;
        let (_, allocated) = client.allocate("/Jotta/Sync/a", b"hello").await;
        assert_eq!(
            client.send(&allocated["upload_url"], 0, b"hel").await.0,
            420
        );
        assert_eq!(
            client.send(&allocated["upload_url"], 3, b"lo").await.0,
            second,
            "{answer}"
        );
        client.put("/Jotta/Sync/a", b"hello").await;
        assert_eq!(client.read("/Jotta/Sync/a").await, b"hello");
    }
}

#[tokio::test]
async fn bytes_with_another_hash_are_421_and_leave_a_corrupt_revision() {
    for (answer, expected) in [("421", 421), ("400", 400), ("422", 422)] {
        let client = Client::with("corrupt_status", answer).await;
        client.put("/Jotta/Sync/a", b"good").await;
        let (_, allocated) = client.allocate("/Jotta/Sync/a", b"hello").await;
        let (status, error) = client.send(&allocated["upload_url"], 0, b"hEllo").await;
        assert_eq!(
            (status, &error["error_id"]),
            (expected, &"CorruptUploadOpenApiException".into())
        );
        let file = client.ok("/Jotta/Sync/a").await;
        assert_eq!(file.at("currentRevision/number").text, "1");
        assert_eq!(file.at("latestRevision/state").text, "CORRUPT");
        assert!(file.find("latestRevision/size").is_none());
        let (_, again) = client.allocate("/Jotta/Sync/a", b"hello").await;
        assert_eq!(
            (&again["state"], &again["resume_pos"]),
            (&"CORRUPT".into(), &0.into())
        );
        assert_eq!(client.send(&again["upload_url"], 0, b"hello").await.0, 200);
        assert_eq!(client.read("/Jotta/Sync/a").await, b"hello");
        assert_eq!(
            client
                .ok("/Jotta/Sync/a")
                .await
                .at("currentRevision/number")
                .text,
            "2"
        );
    }
}

#[tokio::test]
async fn a_failed_revision_becomes_an_old_one_when_a_later_upload_completes() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/a", b"one").await;
    client.allocate("/Jotta/Sync/a", b"never comes").await;
    client.put("/Jotta/Sync/a", b"three").await;
    let file = client.ok("/Jotta/Sync/a").await;
    assert_eq!(file.at("currentRevision/number").text, "3");
    assert!(file.find("latestRevision").is_none());
    let old: Vec<_> = file
        .at("revisions")
        .all("revision")
        .map(|r| (r.at("number").text.as_str(), r.at("state").text.as_str()))
        .collect();
    assert_eq!(old, [("2", "INCOMPLETE"), ("1", "COMPLETED")]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_kept_and_no_wrong_file_comes_of_it() {
    let client = Client::new().await;
    let content = vec![7; 300_000];
    let (_, allocated) = client.allocate("/Jotta/Sync/a", &content).await;
    let rule = local_cloud::Rule::on("upload")
        .cut_upload_after(100_000)
        .once();
    client.cloud().trouble().add(rule);
    let broken = client
        .request(
            reqwest::Method::POST,
            allocated["upload_url"].as_str().unwrap(),
        )
        .body(content.clone())
        .send()
        .await;
    assert!(broken.is_err());
    assert!(
        client
            .ok("/Jotta/Sync/a")
            .await
            .find("currentRevision")
            .is_none()
    );
    let (_, again) = client.allocate("/Jotta/Sync/a", &content).await;
    assert_eq!(again["resume_pos"], 100_000);
    client.put("/Jotta/Sync/a", &content).await;
    assert!(client.read("/Jotta/Sync/a").await == content);
}

#[tokio::test]
async fn a_size_that_the_bytes_do_not_have_makes_no_file() {
    let client = Client::new().await;
    let (status, allocated) = client
        .allocate_as("/Jotta/Sync/a", 100, &md5(b"short"))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        client.send(&allocated["upload_url"], 0, b"short").await.0,
        420
    );
    let (_, allocated) = client
        .allocate_as("/Jotta/Sync/b", 3, &md5(b"longer"))
        .await;
    assert_eq!(
        client.send(&allocated["upload_url"], 0, b"longer").await.0,
        400
    );
    for path in ["/Jotta/Sync/a", "/Jotta/Sync/b"] {
        assert!(client.ok(path).await.find("currentRevision").is_none());
    }
    assert_eq!(
        client.allocate_as("/Jotta/Sync/c", -1, &md5(b"")).await.0,
        400
    );
}

#[tokio::test]
async fn an_allocate_without_md5_is_refused_in_the_services_words() {
    let client = Client::new().await;
    let ask = json!({"path": "/jfs/Jotta/Sync/a", "bytes": 1});
    let (status, error) = client.call("/files/v1/allocate", &ask).await;
    assert_eq!(status, 400);
    assert_eq!(
        error["message"],
        "Upload without md5 no longer supported. Use header JMd5."
    );
}

#[tokio::test]
async fn reject_conflicts_refuses_a_live_file_and_the_default_makes_a_revision() {
    for (answer, expected) in [("409", 409), ("400", 400), ("412", 412)] {
        let client = Client::with("unique_status", answer).await;
        client.put("/Jotta/Sync/a", b"one").await;
        let ask = |handler: &str| json!({"path": "/jfs/Jotta/Sync/A", "bytes": 3, "md5": md5(b"two"), "conflict_handler": handler});
        let (status, error) = client
            .call("/files/v1/allocate", &ask("REJECT_CONFLICTS"))
            .await;
        assert_eq!(
            (status, &error["error_id"]),
            (expected, &"UniqueFileException".into())
        );
        let (status, allocated) = client
            .call("/files/v1/allocate", &ask("CREATE_NEW_REVISION"))
            .await;
        assert_eq!(status, 200);
        client.send(&allocated["upload_url"], 0, b"two").await;
        let folder = client.ok("/Jotta/Sync").await;
        assert_eq!(
            folder.names_in("files"),
            ["a"],
            "one entry, in its first spelling"
        );
        assert_eq!(client.read("/Jotta/Sync/a").await, b"two");
    }
}

#[tokio::test]
async fn an_upload_onto_a_trashed_path_gives_a_live_file() {
    for (answer, same) in [("revives", true), ("anew", false)] {
        let client = Client::with("upload_onto_trashed", answer).await;
        let first = client.writer().put("/Jotta/Sync/F/a", b"one").unwrap();
        client.writer().trash("/Jotta/Sync/F").unwrap();
        client.put("/Jotta/Sync/F/a", b"two").await;
        let file = client.ok("/Jotta/Sync/F/a").await;
        assert!(file.attribute("deleted").is_none());
        assert_eq!(
            file.attribute("uuid") == Some(first.uuid.as_str()),
            same,
            "{answer}"
        );
        assert!(
            client
                .ok("/Jotta/Sync/F")
                .await
                .attribute("deleted")
                .is_none()
        );
        let trash = client.ok("/Jotta/Trash").await;
        assert_eq!(trash.names_in("files").len(), usize::from(!same));
        assert_eq!(
            client.ok("/Jotta/Sync/F").await.names_in("files"),
            ["a"],
            "a live item hides tombstones"
        );
    }
}

#[tokio::test]
async fn the_md5_is_given_back_in_the_case_it_came_in() {
    let client = Client::new().await;
    let upper = md5(b"hello").to_uppercase();
    let (_, allocated) = client.allocate_as("/Jotta/Sync/a", 5, &upper).await;
    client.send(&allocated["upload_url"], 0, b"hello").await;
    assert_eq!(
        client
            .ok("/Jotta/Sync/a")
            .await
            .at("currentRevision/md5")
            .text,
        upper
    );
}

#[tokio::test]
async fn a_full_quota_and_a_write_lock_refuse_with_the_status_of_their_switches() {
    for (answer, expected) in [("402", 402), ("403", 403), ("507", 507)] {
        let client = Client::with("quota", answer).await;
        client.put("/Jotta/Sync/a", b"12345").await;
        client.cloud().set_account(|account| account.capacity = 8);
        assert_eq!(client.allocate("/Jotta/Sync/b", b"abcd").await.0, expected);
        assert_eq!(client.status("/Jotta/Sync/b").await, 404);
        assert_eq!(client.allocate("/Jotta/Sync/b", b"abc").await.0, 200);
        assert_eq!(client.ok("").await.at("capacity").text, "8");
        // What needs no room is done in a full account too.
        client.cloud().set_account(|account| account.capacity = 1);
        assert_eq!(
            client
                .cphash("/Jotta/Sync/a", b"12345", "2001-01-01-T00:00:00Z")
                .await
                .0,
            200
        );
        assert_eq!(client.allocate("/Jotta/Sync/a", b"12345").await.0, 200);
        let to = client.to("/Jotta/Sync/a", "cp", "/Jotta/Sync/c").await.0;
        assert_eq!((to, client.status("/Jotta/Sync/c").await), (expected, 404));
    }
    for (answer, expected) in [("403", 403), ("423", 423), ("500", 500)] {
        let client = Client::with("write_locked", answer).await;
        client
            .cloud()
            .set_account(|account| account.write_locked = true);
        assert_eq!(client.allocate("/Jotta/Sync/b", b"abcd").await.0, expected);
        assert_eq!(client.post("/Jotta/Sync/F?mkDir=true").await.0, expected);
        assert_eq!(client.status("/Jotta/Sync").await, 200);
    }
}

#[tokio::test]
async fn of_two_uploads_at_once_the_switch_says_which_stays_on_top() {
    for (answer, top, below, number) in [
        ("allocated-last", &b"second"[..], &b"first"[..], "2"),
        ("completed-last", b"first", b"second", "3"),
    ] {
        let client = Client::with("upload_order", answer).await;
        let (_, first) = client.allocate("/Jotta/Sync/a", b"first").await;
        let (_, second) = client.allocate("/Jotta/Sync/a", b"second").await;
        for (allocated, content) in [(second, &b"second"[..]), (first, b"first")] {
            let (status, _) = client.send(&allocated["upload_url"], 0, content).await;
            assert_eq!(status, 200);
        }
        assert_eq!(client.read("/Jotta/Sync/a").await, top, "{answer}");
        let file = client.ok("/Jotta/Sync/a").await;
        assert_eq!(file.at("currentRevision/number").text, number);
        assert_eq!(file.at("revisions/revision/md5").text, md5(below));
    }
}

#[tokio::test]
async fn a_connection_that_was_resumed_elsewhere_writes_nothing_more() {
    let client = Client::new().await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i >> 3) as u8).collect();
    let (_, allocated) = client.allocate("/Jotta/Sync/a", &content).await;
    let url = allocated["upload_url"].as_str().unwrap();
    let (feed, body) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async {
        let chunk = body.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), body))
    });
    let slow = client
        .request(reqwest::Method::POST, url)
        .body(reqwest::Body::wrap_stream(body));
    let slow = tokio::spawn(slow.send());
    feed.send(content[..2_000_000].to_vec()).await.unwrap();
    while client.allocate("/Jotta/Sync/a", &content).await.1["resume_pos"].as_u64()
        < Some(1_000_000)
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let (status, _) = client
        .send(&allocated["upload_url"], 1_000_000, &content[1_000_000..])
        .await;
    assert_eq!(status, 200);
    // The older connection goes on with other bytes: it is refused, or broken off before it has sent them all.
    let _ = feed.send(vec![0; 1_000_000]).await;
    drop(feed);
    if let Ok(answer) = slow.await.unwrap() {
        assert_eq!(answer.status(), 409);
    }
    // Not over a connection: the client may not know yet that the older one is closed.
    assert!(client.writer().read("/Jotta/Sync/a").unwrap() == content);
}

#[tokio::test]
async fn an_upload_that_began_later_is_still_the_latest_when_an_earlier_one_completes() {
    let client = Client::new().await;
    let (_, first) = client.allocate("/Jotta/Sync/a", b"first").await;
    client.allocate("/Jotta/Sync/a", b"second").await;
    assert_eq!(client.send(&first["upload_url"], 0, b"first").await.0, 200);
    let file = client.ok("/Jotta/Sync/a").await;
    assert_eq!(file.at("currentRevision/number").text, "1");
    assert_eq!(file.at("latestRevision/number").text, "2");
    assert!(file.find("revisions").is_none());
}
