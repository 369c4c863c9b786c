//! Announcing and sending, against the local cloud.
#![allow(clippy::unwrap_used)]
use super::UploadUrl;
use crate::remote::cloud_tests::{cloud, never, path};
use crate::remote::sending::{body, facts, history, put, with};
use crate::remote::*;
use bytes::Bytes;
use futures_util::stream;
use local_cloud::{ErrorForm, Rule};

/// Announces new content and gives the address to send it to.
async fn announced(remote: &Remote, place: &str, content: &[u8]) -> (UploadUrl, u64) {
    let told = remote
        .allocate(&path(place), &facts(content), true, &never())
        .await;
    match told.unwrap() {
        Allocated::Send { url, resume_at } => (url, resume_at),
        Allocated::Done => panic!("nothing was sent yet"),
    }
}

/// Sends all of a content from a position on.
async fn send(remote: &Remote, url: &UploadUrl, content: &[u8], from: u64) -> Result<Sent> {
    let (size, rest) = (content.len() as u64, body(content, from));
    remote.upload(url, from, size, rest, |_| {}, &never()).await
}

#[tokio::test]
async fn an_unfinished_upload_is_no_version_and_no_file() {
    let (cloud, remote, _directory) = cloud().await;
    cloud.writer().put("/Jotta/Sync/a.txt", b"whole").unwrap();
    let new = vec![7; 5_000];
    cloud
        .trouble()
        .add(Rule::on("upload").once().cut_upload_after(1_000));
    for place in ["Jotta/Sync/a.txt", "Jotta/Sync/new.txt"] {
        let told = remote
            .allocate(&path(place), &facts(&new), false, &never())
            .await;
        assert!(matches!(told, Ok(Allocated::Send { resume_at: 0, .. })));
    }
    let found = history(&remote, "Jotta/Sync/a.txt").await;
    assert_eq!(found.file.current.unwrap().md5, facts(b"whole").md5);
    assert_eq!(found.older, []);
    let look = remote.look(&path("Jotta/Sync/new.txt"), &never()).await;
    assert_eq!(look.unwrap(), Presence::Absent);
}

#[tokio::test]
async fn an_upload_goes_on_from_where_the_service_says() {
    for (name, answer, least) in [
        ("partial_upload", "kept", 5_000),
        ("partial_upload", "gone", 6_000),
        ("upload_url", "once", 5_000),
        ("completed_url", "absent", 5_000),
    ] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, name, answer);
        let content: Vec<u8> = (0..5_000_u32).map(|n| n as u8).collect();
        cloud
            .trouble()
            .add(Rule::on("upload").once().cut_upload_after(2_500));
        let sent = put(&remote, "Jotta/Sync/deep/new/a", &content, true)
            .await
            .unwrap();
        assert!(sent >= least, "{name}={answer}: {sent}");
        let stored = cloud.writer().read("/Jotta/Sync/deep/new/a").unwrap();
        assert_eq!(stored, content, "{name}={answer}");
        let current = history(&remote, "Jotta/Sync/deep/new/a").await.file.current;
        let current = current.unwrap();
        assert_eq!(current.created_ms, Some(1_600_000_000_000));
        assert_eq!(current.modified_ms, Some(1_600_000_001_000));
    }
}

#[tokio::test]
async fn a_lost_answer_after_the_last_byte_is_no_loss() {
    let (cloud, remote, _directory) = cloud().await;
    let content = vec![3; 4_000];
    cloud.trouble().add(Rule::on("upload").once().lose_answer());
    assert_eq!(
        put(&remote, "Jotta/Sync/a", &content, false).await,
        Ok(4_000)
    );
    assert_eq!(cloud.counts().requests["upload"], 1);
    assert_eq!(history(&remote, "Jotta/Sync/a").await.older, []);
}

#[tokio::test]
async fn other_bytes_than_were_announced_are_refused_whatever_the_status() {
    for status in ["421", "400", "422"] {
        let (cloud, remote, _directory) = cloud().await;
        with(&cloud, "corrupt_status", status);
        let (announced, sent) = (vec![1; 3_000], vec![2; 3_000]);
        let place = path("Jotta/Sync/a");
        let told = remote
            .allocate(&place, &facts(&announced), true, &never())
            .await;
        let Ok(Allocated::Send { url, .. }) = told else {
            panic!("{told:?}");
        };
        let done = remote
            .upload(&url, 0, 3_000, body(&sent, 0), |_| {}, &never())
            .await;
        assert!(
            matches!(done, Err(Error::ContentMismatch { .. })),
            "{status}: {done:?}"
        );
        let look = remote.look(&place, &never()).await.unwrap();
        assert_eq!(look, Presence::Absent);
    }
}

#[tokio::test]
async fn an_error_of_the_body_comes_back_as_itself_and_a_cancel_ends_the_upload() {
    let (cloud, remote, _directory) = cloud().await;
    let place = path("Jotta/Sync/a");
    let announce = async || {
        let told = remote
            .allocate(&place, &facts(&[1; 3_000]), true, &never())
            .await;
        match told.unwrap() {
            Allocated::Send { url, .. } => url,
            Allocated::Done => panic!("nothing was sent"),
        }
    };
    let url = announce().await;
    let broken = stream::iter([Ok(Bytes::from_static(&[1; 500])), Err(Error::DiskFull)]);
    let done = remote
        .upload(&url, 0, 3_000, broken, |_| {}, &never())
        .await;
    assert_eq!(done, Err(Error::DiskFull));
    let url = announce().await;
    let cancel = CancelToken::new();
    let stop = cancel.clone();
    let endless = stream::unfold(0, move |n| {
        let stop = stop.clone();
        async move {
            if n == 2 {
                stop.cancel();
                std::future::pending::<()>().await;
            }
            Some((Ok(Bytes::from_static(&[1; 500])), n + 1))
        }
    });
    let done = remote
        .upload(&url, 0, 3_000, endless, |_| {}, &cancel)
        .await;
    assert_eq!(done, Err(Error::Cancelled));
    assert!(cloud.writer().read("/Jotta/Sync/a").is_err());
}

#[tokio::test]
async fn a_used_up_address_and_a_wrong_position_ask_for_another_announcement() {
    let (cloud, remote, _directory) = cloud().await;
    with(&cloud, "upload_url", "once");
    let content = vec![5; 3_000];
    let (url, _) = announced(&remote, "Jotta/Sync/a", &content).await;
    cloud
        .trouble()
        .add(Rule::on("upload").once().cut_upload_after(1_000));
    let broken = send(&remote, &url, &content, 0).await;
    assert!(matches!(broken, Err(Error::Offline { .. })), "{broken:?}");
    // Used up (404), and then asked to go on behind what came (416).
    assert_eq!(send(&remote, &url, &content, 0).await, Ok(Sent::Incomplete));
    let (url, resume_at) = announced(&remote, "Jotta/Sync/a", &content).await;
    assert_eq!(resume_at, 1_000);
    let beyond = send(&remote, &url, &content, 2_000).await;
    assert_eq!(beyond, Ok(Sent::Incomplete));
    let (url, resume_at) = announced(&remote, "Jotta/Sync/a", &content).await;
    let done = send(&remote, &url, &content, resume_at).await;
    assert!(matches!(done, Ok(Sent::Done { .. })), "{done:?}");
    assert_eq!(cloud.writer().read("/Jotta/Sync/a").unwrap(), content);
    // Once all is there, its address is gone as well.
    assert_eq!(send(&remote, &url, &content, 0).await, Ok(Sent::Incomplete));
}

#[tokio::test]
async fn what_an_upload_is_told_is_about_the_address_or_the_bytes_and_not_the_name() {
    let (cloud, remote, _directory) = cloud().await;
    let content = vec![6; 2_000];
    let (url, _) = announced(&remote, "Jotta/Sync/a", &content).await;
    let told = async |rule: Rule| {
        cloud.trouble().add(rule.once());
        send(&remote, &url, &content, 0).await
    };
    for status in [404, 409, 410, 416, 420] {
        for form in [ErrorForm::Usual, ErrorForm::Html, ErrorForm::Empty] {
            let again = told(Rule::on("upload").status(status).form(form)).await;
            assert_eq!(again, Ok(Sent::Incomplete), "{status}");
        }
    }
    for status in [400, 409, 412] {
        let taken = "no.jotta.backup.errors.UniqueFileException: /u/a already exists";
        let taken = told(Rule::on("upload").status(status).message(taken)).await;
        assert_eq!(taken, Err(Error::NameTaken), "{status}");
    }
    let other = told(Rule::on("upload").status(421).form(ErrorForm::Empty)).await;
    assert!(
        matches!(other, Err(Error::ContentMismatch { .. })),
        "{other:?}"
    );
    let refused = told(Rule::on("upload").status(400).form(ErrorForm::Empty)).await;
    assert!(
        matches!(refused, Err(Error::Refused { status: 400, .. })),
        "{refused:?}"
    );
    let busy = told(Rule::on("upload").status(503).retry_after(9)).await;
    let wait = Some(std::time::Duration::from_secs(9));
    let (status, retry_after) = (503, wait);
    assert_eq!(
        busy,
        Err(Error::ServerBusy {
            status,
            retry_after
        })
    );
    let redirected = told(Rule::on("upload").status(307)).await;
    assert!(
        matches!(redirected, Err(Error::BadAnswer { .. })),
        "{redirected:?}"
    );
    let behind = remote
        .upload(&url, 2_001, 2_000, body(&content, 0), |_| {}, &never())
        .await;
    assert!(matches!(behind, Err(Error::Bug { .. })), "{behind:?}");
    assert_eq!(
        put(&remote, "Jotta/Sync/a", &content, true).await,
        Ok(2_000)
    );
}

#[tokio::test]
async fn a_lie_about_what_was_sent_is_told_or_is_no_answer() {
    let (cloud, remote, _directory) = cloud().await;
    let sent = async |number: u8, rule: Rule| {
        let content = vec![number; 2_000];
        let place = format!("Jotta/Sync/{number}");
        let (url, _) = announced(&remote, &place, &content).await;
        cloud.trouble().add(rule.once());
        send(&remote, &url, &content, 0).await
    };
    let shorter = Rule::on("upload").replace("\"bytes\":2000", "\"bytes\":1999");
    let Ok(Sent::Done { size, .. }) = sent(1, shorter).await else {
        panic!("no answer");
    };
    assert_eq!(size, Some(1_999));
    let Ok(Sent::Done { md5, .. }) = sent(2, Rule::on("upload").wrong_hash()).await else {
        panic!("no answer");
    };
    assert!(md5.is_some() && md5 != Some(facts(&[2; 2_000]).md5));
    let silent = Ok(Sent::Done {
        size: None,
        md5: None,
    });
    assert_eq!(sent(3, Rule::on("upload").garbage(100)).await, silent);
    let negative = Rule::on("upload").replace("\"bytes\":2000", "\"bytes\":-1");
    assert_eq!(sent(4, negative).await, silent);
    let huge = sent(5, Rule::on("upload").garbage(1 << 30)).await;
    assert!(matches!(huge, Err(Error::BadAnswer { .. })), "{huge:?}");
    let cut = sent(6, Rule::on("upload").cut_after(10)).await;
    assert!(matches!(cut, Err(Error::Offline { .. })), "{cut:?}");
}

#[tokio::test]
async fn an_answer_that_lies_about_an_upload_is_no_allocation() {
    let (cloud, remote, _directory) = cloud().await;
    let place = path("Jotta/Sync/a");
    let told = async |rule: Rule| {
        cloud.trouble().add(rule.once());
        let told = remote
            .allocate(&place, &facts(&[1; 100]), true, &never())
            .await;
        let Err(error @ Error::BadAnswer { .. }) = told else {
            panic!("{told:?}");
        };
        assert!(
            !format!("{error} {error:?}").contains("secret"),
            "{error:?}"
        );
    };
    for address in [
        "http://127.0.0.2",
        "https://127.0.0.1",
        "https://evil.example/secret",
        "http://secret:secret@127.0.0.1",
        "http://secret@127.0.0.1",
        "//127.0.0.1",
        "file:///secret",
    ] {
        told(Rule::on("allocate").replace("http://127.0.0.1", address)).await;
    }
    for position in ["101", "99999999999999999999", "-1", "0.5", "\"0\""] {
        let lie = format!("\"resume_pos\":{position}");
        told(Rule::on("allocate").replace("\"resume_pos\":0", &lie)).await;
    }
    told(Rule::on("allocate").replace("\"state\"", "\"stale\"")).await;
    told(Rule::on("allocate").replace("\"upload_url\"", "\"upload_uri\"")).await;
    told(Rule::on("allocate").garbage(100)).await;
    told(Rule::on("allocate").garbage(1 << 30)).await;
    // That all is there already leaves nothing that could be sent.
    cloud.trouble().add(
        Rule::on("allocate")
            .once()
            .replace("\"resume_pos\":0", "\"resume_pos\":100"),
    );
    let (_, resume_at) = announced(&remote, "Jotta/Sync/a", &[1; 100]).await;
    assert_eq!(resume_at, 0);
}

#[tokio::test]
async fn an_upload_goes_only_to_the_services_hosts_and_over_tls() {
    let remote = Remote::new(
        Transport::new(None).unwrap(),
        Arc::new(crate::remote::tests::Tokens {
            origin: "https://cloud.example".into(),
            count: Default::default(),
        }),
    );
    let told = |url: &str| {
        let answer = serde_json::json!({"state": "INCOMPLETE", "upload_url": url, "resume_pos": 3});
        remote.allocated(answer.to_string().as_bytes(), 10)
    };
    let allowed = told("https://cloud.example/up/1?x");
    assert!(
        matches!(allowed, Ok(Allocated::Send { resume_at: 3, .. })),
        "{allowed:?}"
    );
    for url in [
        "http://cloud.example/up/1",
        "http://127.0.0.1/up/1",
        "https://cloud.example:8443/up/1",
        "https://cloud.example.evil.example/up/1",
        "https://cloud.example@evil.example/up/1",
        "https://user@cloud.example/up/1",
        "",
    ] {
        let told = told(url);
        assert!(
            matches!(told, Err(Error::BadAnswer { .. })),
            "{url}: {told:?}"
        );
    }
}

#[tokio::test]
async fn names_are_announced_as_they_are() {
    let (cloud, remote, _directory) = cloud().await;
    with(&cloud, "percent", "accepted");
    for (number, name) in [
        "100%",
        "50%25 off",
        "a%2Fb",
        "%00",
        "a+b&c=d?e#f;g",
        "back\\slash \"quote\" 'it'",
        " leading and trailing ",
        "trailing.",
        "e\u{301}",
        "\u{e9}",
        "\u{4e16}\u{754c} \u{1F600}",
        "50\u{ff05}",
        "\u{202e}cod.exe",
        "tab\tand\nline",
    ]
    .into_iter()
    .enumerate()
    {
        let content = vec![number as u8; 10];
        let place = RemotePath::new(vec!["Jotta".into(), "Sync".into(), name.into()]);
        let text = format!("Jotta/Sync/{name}");
        assert_eq!(
            put(&remote, &text, &content, true).await,
            Ok(10),
            "{name:?}"
        );
        let stored = cloud.writer().read(&format!("/{text}")).unwrap();
        assert_eq!(stored, content, "{name:?}");
        let there = remote.stat(&place, &never()).await.unwrap();
        assert_eq!(there.name, name);
    }
    // Where a path may not hold a percent sign, an announcement may: the file is there, and nobody can look at it.
    with(&cloud, "percent", "allocate-only");
    assert_eq!(put(&remote, "Jotta/Sync/1%", b"one", true).await, Ok(3));
    let look = remote.look(&path("Jotta/Sync/1%"), &never()).await;
    assert!(
        matches!(look, Err(Error::Refused { status: 400, .. })),
        "{look:?}"
    );
    with(&cloud, "percent", "refused");
    let refused = put(&remote, "Jotta/Sync/2%", b"two", true).await;
    assert!(
        matches!(refused, Err(Error::NameRefused { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn content_that_the_service_has_is_not_sent_again_wherever_it_had_it_from() {
    // Where content counts as known: in the same place, elsewhere, in the trash, in an old version.
    for (switch, known) in [
        ("anyones", [true, true, true, true]),
        ("own", [true, true, true, true]),
        ("own-current", [true, true, true, false]),
    ] {
        for address in ["present", "absent"] {
            let (cloud, remote, _directory) = cloud().await;
            let mut switches = local_cloud::Switches::default();
            switches.set("known_content", switch).unwrap();
            switches.set("completed_url", address).unwrap();
            cloud.set_switches(switches).unwrap();
            let writer = cloud.writer();
            writer.put("/Jotta/Sync/same", b"same").unwrap();
            writer
                .put("/Jotta/Archive/elsewhere", b"elsewhere")
                .unwrap();
            writer.put("/Jotta/Archive/trash", b"trash").unwrap();
            writer.trash("/Jotta/Archive/trash").unwrap();
            writer.put("/Jotta/Archive/v", b"older").unwrap();
            writer.put("/Jotta/Archive/v", b"newer").unwrap();
            let contents = ["same", "elsewhere", "trash", "older"];
            for (content, known) in contents.into_iter().zip(known) {
                let place = format!("Jotta/Sync/{content}");
                let content = content.as_bytes();
                let sent = put(&remote, &place, content, false).await.unwrap();
                let expected = if known { 0 } else { content.len() as u64 };
                assert_eq!(sent, expected, "{switch} {place}");
                let current = history(&remote, &place).await.file.current.unwrap();
                assert_eq!(current.md5, facts(content).md5);
                assert_eq!(current.modified_ms, Some(1_600_000_001_000));
            }
        }
    }
}
