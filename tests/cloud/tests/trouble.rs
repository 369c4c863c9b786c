//! Trouble over real HTTP: what a client sees of each effect.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::Site;
use local_cloud::{Bomb, ErrorForm, Moment, Rule, Stats};
use std::time::{Duration, Instant};

async fn customer(site: &Site, access: &str) -> reqwest::Result<reqwest::Response> {
    let ask = site.http.get(site.url("/account/v1/customer"));
    ask.bearer_auth(access).send().await
}

#[tokio::test]
async fn a_rule_lets_some_requests_pass_strikes_some_and_is_spent() {
    let site = Site::start();
    let access = site.sign_in().await;
    site.cloud.trouble().add(
        Rule::on("customer")
            .after(1)
            .times(2)
            .status(503)
            .retry_after(7),
    );
    let mut seen = Vec::new();
    for _ in 0..5 {
        let answer = customer(&site, &access).await.unwrap();
        let wait = answer
            .headers()
            .get("retry-after")
            .map(|v| v.to_str().unwrap().to_owned());
        seen.push((answer.status().as_u16(), wait));
    }
    let busy = (503, Some("7".to_owned()));
    assert_eq!(
        seen,
        [(200, None), busy.clone(), busy, (200, None), (200, None)]
    );
    assert!(site.cloud.trouble().is_empty(), "spent rules are gone");
}

#[tokio::test]
async fn a_rule_keeps_to_its_kind_path_and_method() {
    let site = Site::start();
    let access = site.sign_in().await;
    let bearer = format!("Bearer {access}");
    site.cloud
        .trouble()
        .add(Rule::on("get").path("/Sync/b").status(500));
    let mut posts = Rule::on_all().status(500);
    posts.method = Some("POST".into());
    site.cloud.trouble().add(posts);
    assert_ne!(site.jfs("GET", "/Jotta/Sync/a", Some(&bearer)).await.0, 500);
    assert_eq!(
        site.jfs("GET", "/Jotta/Sync/b%20c", Some(&bearer)).await.0,
        500
    );
    assert_eq!(
        site.jfs("POST", "/Jotta/Sync/a", Some(&bearer)).await.0,
        500
    );
    site.cloud.trouble().clear();
    assert_ne!(
        site.jfs("GET", "/Jotta/Sync/b%20c", Some(&bearer)).await.0,
        500
    );
}

#[tokio::test]
async fn an_error_comes_in_the_form_asked_for() {
    let site = Site::start();
    let access = site.sign_in().await;
    let message = "no.jotta.backup.errors.SomeException: because";
    let expected = [
        (ErrorForm::Usual, "\"error_id\":\"SomeException\""),
        (ErrorForm::Json, "\"message\":\"because\""),
        (
            ErrorForm::Xml,
            "<message>no.jotta.backup.errors.SomeException: because</message>",
        ),
        (ErrorForm::Html, "<h1>502</h1>"),
        (ErrorForm::Empty, ""),
    ];
    for (form, part) in expected {
        site.cloud.trouble().add(
            Rule::on("customer")
                .once()
                .status(502)
                .form(form)
                .message(message),
        );
        let answer = customer(&site, &access).await.unwrap();
        assert_eq!(answer.status(), 502);
        let text = answer.text().await.unwrap();
        assert!(
            text.contains(part) && text.is_empty() == part.is_empty(),
            "{form:?}: {text}"
        );
    }
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_work_was_done() {
    let site = Site::start();
    let (_, pair) = common::login(&site, &site.cloud.login_token().unwrap()).await;
    site.cloud
        .trouble()
        .add(Rule::on("token").once().lose_answer());
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "jottacli"),
        ("refresh_token", pair["refresh_token"].as_str().unwrap()),
    ];
    let lost = site
        .http
        .post(site.endpoint("token"))
        .form(&form)
        .send()
        .await;
    assert!(lost.is_err());
    let (status, _) = site.refresh("jottacli", &pair["refresh_token"]).await;
    assert_eq!(status, 400, "the token was used up all the same");
}

#[tokio::test]
async fn an_answer_is_cut_at_each_of_ten_places() {
    let site = Site::start();
    let access = site.sign_in().await;
    let whole = customer(&site, &access)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    for place in 0..10 {
        let cut = whole.len() as u64 * place / 10;
        site.cloud
            .trouble()
            .add(Rule::on("customer").once().cut_after(cut));
        let answer = customer(&site, &access).await.unwrap();
        assert_eq!(answer.content_length(), Some(whole.len() as u64));
        assert!(answer.bytes().await.is_err(), "cut at {cut}");
    }
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().cut_after(whole.len() as u64));
    let answer = customer(&site, &access).await.unwrap();
    assert_eq!(
        answer.bytes().await.unwrap(),
        whole,
        "a cut at the end harms nobody"
    );
}

#[tokio::test]
async fn a_length_that_lies_is_seen_as_such() {
    let site = Site::start();
    let access = site.sign_in().await;
    let whole = customer(&site, &access)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().wrong_length(10));
    let answer = customer(&site, &access).await.unwrap();
    assert_eq!(answer.content_length(), Some(whole.len() as u64 + 10));
    assert!(answer.bytes().await.is_err(), "fewer bytes than promised");
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().wrong_length(-10));
    let answer = customer(&site, &access).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), whole[..whole.len() - 10]);
}

#[tokio::test]
async fn a_slow_answer_takes_its_time() {
    let site = Site::start();
    let access = site.sign_in().await;
    site.cloud.trouble().add(
        Rule::on("customer")
            .once()
            .delay(Duration::from_millis(200)),
    );
    let start = Instant::now();
    customer(&site, &access).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200));
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().bytes_per_second(1_000));
    let start = Instant::now();
    let bytes = customer(&site, &access)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let least = Duration::from_millis(bytes.len() as u64 * 8 / 10);
    assert!(
        start.elapsed() >= least,
        "{:?} for {} bytes",
        start.elapsed(),
        bytes.len()
    );
}

#[tokio::test]
async fn text_and_bytes_of_an_answer_can_be_changed() {
    let site = Site::start();
    let access = site.sign_in().await;
    let whole = customer(&site, &access)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    site.cloud.trouble().add(
        Rule::on("customer")
            .once()
            .replace("\"username\":", "\"nobody\":"),
    );
    let changed = customer(&site, &access)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(changed, whole.replace("\"username\":", "\"nobody\":"));
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().flip_byte(3));
    let flipped = customer(&site, &access)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let differ: Vec<usize> = (0..whole.len())
        .filter(|at| flipped[*at] != whole.as_bytes()[*at])
        .collect();
    assert_eq!(differ, [3]);
}

#[tokio::test]
async fn tokens_die_at_the_request_that_a_rule_names() {
    let site = Site::start();
    let access = site.sign_in().await;
    site.cloud
        .trouble()
        .add(Rule::on("customer").after(1).once().expire_tokens());
    assert_eq!(customer(&site, &access).await.unwrap().status(), 200);
    assert_eq!(customer(&site, &access).await.unwrap().status(), 401);
    assert_eq!(site.cloud.live_sessions().unwrap(), 1);
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().revoke_tokens());
    assert_eq!(customer(&site, &access).await.unwrap().status(), 401);
    assert_eq!(site.cloud.live_sessions().unwrap(), 0);
}

#[tokio::test]
async fn a_gigabyte_of_garbage_is_sent_without_being_held() {
    let site = Site::start();
    let access = site.sign_in().await;
    site.cloud
        .trouble()
        .add(Rule::on("customer").once().garbage(1 << 30));
    let mut answer = customer(&site, &access).await.unwrap();
    assert_eq!(answer.content_length(), Some(1 << 30));
    let mut bytes = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        bytes += piece.len();
        if bytes > 40 << 20 {
            break;
        }
    }
    assert!(bytes > 40 << 20);
}

#[tokio::test]
async fn every_bomb_begins_like_an_answer() {
    let site = Site::start();
    let access = site.sign_in().await;
    for bomb in [
        Bomb::Entities,
        Bomb::Nesting,
        Bomb::Attribute,
        Bomb::Text,
        Bomb::Attributes,
    ] {
        site.cloud
            .trouble()
            .add(Rule::on("customer").once().bomb(bomb));
        let mut answer = customer(&site, &access).await.unwrap();
        let first = answer.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(b"<?xml "), "{bomb:?}");
    }
}

/// A cloud with a few files in Sync.
async fn furnished() -> (Site, String) {
    let site = Site::start();
    let writer = site.cloud.writer();
    writer.put("/Jotta/Sync/F/a.txt", b"first").unwrap();
    writer.put("/Jotta/Sync/F/b & c.txt", b"second").unwrap();
    writer
        .put_generated("/Jotta/Sync/F/large.bin", 9, 3_000_000, 0)
        .unwrap();
    let bearer = format!("Bearer {}", site.sign_in().await);
    (site, bearer)
}

#[tokio::test]
async fn a_listing_can_carry_hostile_names() {
    let (site, bearer) = furnished().await;
    let names = [
        "../../evil",
        "a/b",
        "nul\0here",
        "",
        ".",
        "CON",
        "new\nline",
    ];
    for name in names {
        let rule = || Rule::on_all().path("/F").once().rename("b & c.txt", name);
        let wire = name.replace('\0', "&#0;").replace('\n', "&#10;");
        site.cloud.trouble().add(rule());
        let (_, listing) = site.jfs("GET", "/Jotta/Sync/F", Some(&bearer)).await;
        assert!(
            listing.contains(&format!("name=\"{wire}\"")),
            "{name:?}: {listing}"
        );
        assert!(!listing.contains("b &amp; c.txt"), "{listing}");
        site.cloud.trouble().add(rule());
        let (_, listing) = site
            .jfs("GET", "/Jotta/Sync/F?mode=liststream", Some(&bearer))
            .await;
        assert!(
            listing.contains(&format!("<filename>{wire}</filename>")),
            "{name:?}: {listing}"
        );
    }
}

#[tokio::test]
async fn the_end_of_a_liststream_can_lie_in_three_ways() {
    let (site, bearer) = furnished().await;
    let list = async || {
        site.jfs("GET", "/Jotta/Sync?mode=liststream", Some(&bearer))
            .await
            .1
    };
    let honest = list().await;
    let (before, _) = honest.split_once("<stats>").unwrap();
    let (_, after) = honest.split_once("</stats>").unwrap();
    site.cloud
        .trouble()
        .add(Rule::on("liststream").once().stats(Stats::Cut));
    assert_eq!(list().await, before);
    site.cloud
        .trouble()
        .add(Rule::on("liststream").once().stats(Stats::LeftOut));
    assert_eq!(list().await, format!("{before}{after}"));
    site.cloud
        .trouble()
        .add(Rule::on("liststream").once().stats(Stats::Wrong));
    let files = |text: &str| text.matches("<filename>").count();
    assert_eq!(files(&list().await), files(&honest) + 1);
    assert_eq!(list().await, honest, "and then it is honest again");
}

#[tokio::test]
async fn hashes_lie_in_listings_of_both_kinds() {
    let (site, bearer) = furnished().await;
    for (path, kind) in [
        ("/Jotta/Sync/F", "get"),
        ("/Jotta/Sync/F?mode=liststream", "liststream"),
    ] {
        let hashes = |text: &str| -> Vec<String> {
            let parts = text.split("<md5>").skip(1);
            parts.map(|part| part[..32].to_owned()).collect()
        };
        let honest = hashes(&site.jfs("GET", path, Some(&bearer)).await.1);
        site.cloud.trouble().add(Rule::on(kind).once().wrong_hash());
        let lies = hashes(&site.jfs("GET", path, Some(&bearer)).await.1);
        assert_eq!((honest.len(), lies.len()), (3, 3));
        for (honest, lie) in honest.iter().zip(&lies) {
            assert_ne!(honest, lie);
            assert_eq!(honest[1..], lie[1..]);
        }
    }
}

#[tokio::test]
async fn content_is_cut_at_any_place_and_counted_as_far_as_it_went() {
    let (site, bearer) = furnished().await;
    let whole = site.cloud.writer().read("/Jotta/Sync/F/large.bin").unwrap();
    let url = site.url(&format!(
        "/jfs/{}/Jotta/Sync/F/large.bin?mode=bin",
        site.cloud.user()
    ));
    for cut in [0, 1, 65_535, 65_536, 65_537, 1_000_000, 2_999_999] {
        site.cloud.reset_counts();
        site.cloud
            .trouble()
            .add(Rule::on("bin").once().cut_after(cut));
        let mut answer = site
            .http
            .get(&url)
            .header("authorization", &bearer)
            .send()
            .await
            .unwrap();
        let mut got = Vec::new();
        let broke = loop {
            match answer.chunk().await {
                Ok(Some(piece)) => got.extend_from_slice(&piece),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broke, "cut at {cut}");
        assert_eq!(got.len() as u64, cut);
        assert_eq!(got, whole[..got.len()]);
        assert_eq!(site.cloud.counts().content_of("Sync"), cut);
    }
}

#[tokio::test]
async fn a_client_that_reads_late_gets_every_byte_before_the_cut() {
    let (site, bearer) = furnished().await;
    let path = "/Jotta/Sync/F/film.mp4";
    let writer = site.cloud.writer();
    writer.put_generated(path, 1, 8_000_000, 0).unwrap();
    let url = site.url(&format!("/jfs/{}{path}?mode=bin", site.cloud.user()));
    // Some of these are more than the sockets hold, and not more than the server holds beside them.
    for cut in (1..=28).map(|step| step * 250_000) {
        let rule = Rule::on("bin").once().cut_after(cut);
        site.cloud.trouble().add(rule);
        let ask = site.http.get(&url).header("authorization", &bearer);
        let mut answer = ask.send().await.unwrap();
        tokio::time::sleep(Duration::from_millis(80)).await;
        let mut got = 0;
        while let Ok(Some(piece)) = answer.chunk().await {
            got += piece.len() as u64;
        }
        assert_eq!(got, cut);
    }
}

#[tokio::test]
async fn text_that_looks_like_a_hash_is_safe_inside_content() {
    let (site, bearer) = furnished().await;
    let content = b"<md5>0123</md5><stats>1</stats>";
    site.cloud
        .writer()
        .put("/Jotta/Sync/F/t.xml", content)
        .unwrap();
    site.cloud
        .trouble()
        .add(Rule::on("bin").once().wrong_hash().stats(Stats::Cut));
    let (_, text) = site
        .jfs("GET", "/Jotta/Sync/F/t.xml?mode=bin", Some(&bearer))
        .await;
    assert_eq!(text.as_bytes(), content);
}

#[tokio::test]
async fn another_writer_strikes_at_the_moment_asked_for() {
    let (site, bearer) = furnished().await;
    let put = |text: &'static str| {
        move |writer: &local_cloud::Writer| {
            writer.put("/Jotta/Sync/F/a.txt", text.as_bytes()).unwrap();
        }
    };
    let read = async || {
        site.jfs("GET", "/Jotta/Sync/F/a.txt?mode=bin", Some(&bearer))
            .await
            .1
    };
    site.cloud.trouble().add(
        Rule::on("bin")
            .once()
            .strike(Moment::BeforeWork, put("before work")),
    );
    assert_eq!(
        read().await,
        "before work",
        "the client gets what the other has just written"
    );
    site.cloud.trouble().add(
        Rule::on("bin")
            .once()
            .strike(Moment::BeforeAnswer, put("before answer")),
    );
    assert_eq!(
        read().await,
        "before work",
        "the content was chosen before the strike"
    );
    assert_eq!(read().await, "before answer");
}

#[tokio::test]
async fn another_writer_strikes_in_the_middle_of_a_download() {
    let (site, bearer) = furnished().await;
    let url = site.url(&format!(
        "/jfs/{}/Jotta/Sync/F/large.bin?mode=bin",
        site.cloud.user()
    ));
    let rule = Rule::on("bin")
        .once()
        .strike(Moment::AtByte(1_500_000), |writer| {
            writer.put("/Jotta/Sync/F/large.bin", b"small now").unwrap();
        });
    site.cloud.trouble().add(rule);
    let mut answer = site
        .http
        .get(&url)
        .header("authorization", &bearer)
        .send()
        .await
        .unwrap();
    let mut got = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        got += piece.len();
    }
    assert_eq!(
        got, 3_000_000,
        "the download goes on with what it began with"
    );
    let entry = site
        .cloud
        .writer()
        .entry("/Jotta/Sync/F/large.bin")
        .unwrap()
        .unwrap();
    assert_eq!((entry.size, entry.revision), (9, 2));
}

#[tokio::test]
async fn an_upload_that_breaks_keeps_what_came() {
    let (site, bearer) = furnished().await;
    let content = vec![7_u8; 500_000];
    let md5 = "00000000000000000000000000000001";
    let allocate = async || -> serde_json::Value {
        let body = serde_json::json!({
            "path": "/jfs/Jotta/Sync/F/up.bin", "bytes": content.len(), "md5": md5,
        });
        let ask = site
            .http
            .post(site.url("/files/v1/allocate"))
            .header("authorization", &bearer);
        ask.json(&body).send().await.unwrap().json().await.unwrap()
    };
    let first = allocate().await;
    assert_eq!(first["resume_pos"], 0);
    site.cloud
        .trouble()
        .add(Rule::on("upload").once().cut_upload_after(123_456));
    let ask = site
        .http
        .post(first["upload_url"].as_str().unwrap())
        .header("authorization", &bearer);
    let sent = ask
        .header("content-type", "application/octet-stream")
        .body(content.clone())
        .send()
        .await;
    assert!(sent.is_err());
    assert_eq!(allocate().await["resume_pos"], 123_456);
}
