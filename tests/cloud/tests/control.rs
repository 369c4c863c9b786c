//! The control endpoints, as tests in other languages use them.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Site, login};
use serde_json::{Value, json};

impl Site {
    async fn control(
        &self,
        method: &str,
        what: &str,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        let method = method.parse().unwrap();
        let ask = self
            .http
            .request(method, self.url(&format!("/_local/{what}")));
        let answer = ask.body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    async fn done(&self, method: &str, what: &str) {
        let (status, answer) = self.control(method, what, "").await;
        assert_eq!(status, 200, "{what}: {answer}");
    }
}

#[tokio::test]
async fn a_login_token_can_be_had_and_used() {
    let site = Site::start();
    let (_, answer) = site.control("POST", "login-token", "").await;
    let (status, _) = login(&site, answer["login_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn files_are_written_moved_touched_and_deleted_by_another_client() {
    let site = Site::start();
    let writer = site.cloud.writer();
    let (status, entry) = site
        .control(
            "PUT",
            "file?path=/Jotta/Sync/a%20b%2Bc.txt&modified=1700000000000",
            "hello",
        )
        .await;
    assert_eq!((status, &entry["size"]), (200, &json!(5)));
    assert_eq!(entry["modified"], 1_700_000_000_000_i64);
    assert_eq!(writer.read("/Jotta/Sync/a b+c.txt").unwrap(), b"hello");

    site.done("POST", "mkdir?path=/Jotta/Sync/new/deep").await;
    site.done(
        "POST",
        "move?from=/Jotta/Sync/a%20b%2Bc.txt&to=/Jotta/Sync/new/d.txt",
    )
    .await;
    assert_eq!(writer.read("/Jotta/Sync/new/d.txt").unwrap(), b"hello");
    assert_eq!(writer.entry("/Jotta/Sync/a b+c.txt").unwrap(), None);

    site.done(
        "POST",
        "touch?path=/Jotta/Sync/new/d.txt&modified=1600000000000",
    )
    .await;
    let (_, entry) = site
        .control("GET", "entry?path=/Jotta/Sync/new/d.txt", "")
        .await;
    assert_eq!(entry["modified"], 1_600_000_000_000_i64);

    let (_, tree) = site.control("GET", "tree?path=/Jotta/Sync", "").await;
    let expected = "-  -  /Jotta/Sync/new/\n-  -  /Jotta/Sync/new/deep/\n\
                    5d41402abc4b2a76b9719d911017c592  5  /Jotta/Sync/new/d.txt\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(tree.as_str().unwrap()), sorted(expected));

    site.done("DELETE", "file?path=/Jotta/Sync/new/d.txt").await;
    assert!(
        writer
            .entry("/Jotta/Sync/new/d.txt")
            .unwrap()
            .unwrap()
            .deleted
            .is_some()
    );
    site.done("DELETE", "file?path=/Jotta/Sync/new&for_good=true")
        .await;
    assert_eq!(writer.entry("/Jotta/Sync/new").unwrap(), None);
}

#[tokio::test]
async fn counts_are_read_and_reset_and_control_is_not_counted() {
    let site = Site::start();
    let access = site.sign_in().await;
    site.customer(&access).await;
    let (_, counts) = site.control("GET", "counts", "").await;
    assert_eq!(counts["requests"], json!({"token": 1, "customer": 1}));
    site.done("POST", "counts/reset").await;
    let (_, counts) = site.control("GET", "counts", "").await;
    assert_eq!(
        counts,
        json!({"requests": {}, "content_bytes": {}, "received_bytes": 0})
    );
}

#[tokio::test]
async fn tokens_expire_or_are_revoked() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    let access = pair["access_token"].as_str().unwrap();
    site.done("POST", "tokens/expire").await;
    assert_eq!(site.customer(access).await.0, 401);
    let (status, pair) = site.refresh("jottacli", &pair["refresh_token"]).await;
    assert_eq!(status, 200);
    site.done("POST", "tokens/revoke").await;
    assert_eq!(
        site.customer(pair["access_token"].as_str().unwrap())
            .await
            .0,
        401
    );
    assert_eq!(
        site.refresh("jottacli", &pair["refresh_token"]).await.0,
        400
    );
    site.done("POST", "tokens/ttl?ms=1000").await;
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    assert_eq!(pair["expires_in"], 1);
}

#[tokio::test]
async fn trouble_is_made_by_json_and_ended() {
    let site = Site::start();
    let access = site.sign_in().await;
    let rules = json!([
        {"kind": "customer", "after": 1, "times": 1, "status": 429, "retry_after": 3, "form": "html"},
        {"kind": "customer", "after": 2, "times": 1, "strikes": [
            {"moment": "before_work", "ops": [
                {"put": {"path": "/Jotta/Sync/other.txt", "text": "another writer"}},
                {"mkdir": {"path": "/Jotta/Sync/made"}},
                {"move": {"from": "/Jotta/Sync/other.txt", "to": "/Jotta/Sync/made/moved.txt"}},
            ]},
            {"moment": {"at_byte": 10}, "ops": [{"remove": {"path": "/Jotta/Sync/gone.txt"}}]},
        ]},
    ]);
    site.cloud
        .writer()
        .put("/Jotta/Sync/gone.txt", b"x")
        .unwrap();
    let (status, answer) = site.control("POST", "trouble", rules.to_string()).await;
    assert_eq!((status, answer), (200, json!({"rules": 2})));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(site.customer(&access).await.0);
    }
    assert_eq!(seen, [200, 429, 200]);
    let moved = site
        .cloud
        .writer()
        .read("/Jotta/Sync/made/moved.txt")
        .unwrap();
    assert_eq!(moved, b"another writer");
    assert_eq!(
        site.cloud.writer().entry("/Jotta/Sync/gone.txt").unwrap(),
        None
    );

    site.control("POST", "trouble", json!({"status": 500}).to_string())
        .await;
    assert_eq!(site.customer(&access).await.0, 500);
    site.done("DELETE", "trouble").await;
    assert_eq!(site.customer(&access).await.0, 200);
}

#[tokio::test]
async fn a_rule_with_a_misspelt_effect_is_refused() {
    let site = Site::start();
    let (status, answer) = site.control("POST", "trouble", "{\"cut_at\": 5}").await;
    assert_eq!(status, 400);
    assert!(
        answer["message"].as_str().unwrap().contains("cut_at"),
        "{answer}"
    );
    assert!(site.cloud.trouble().is_empty());
}

#[tokio::test]
async fn a_folder_of_five_thousand_files_and_a_whole_tree_are_seeded() {
    let site = Site::start();
    let (status, answer) = site
        .control("POST", "folder?path=/Jotta/Archive/Many&files=5000", "")
        .await;
    assert_eq!((status, answer), (200, json!({"files": 5000})));
    assert_eq!(
        site.cloud
            .writer()
            .paths("/Jotta/Archive/Many")
            .unwrap()
            .len(),
        5_000
    );
    let (status, answer) = site.control("POST", "seed?plan=demo", "").await;
    assert!(
        status == 200 && answer["files"].as_u64().unwrap() > 90,
        "{answer}"
    );
    assert_eq!(
        site.control("POST", "seed?plan=everything", "").await.0,
        400
    );
}

#[tokio::test]
async fn switches_and_the_account_are_set_and_shown() {
    let site = Site::start();
    site.done("POST", "switch?name=stale_refresh_text&value=stale")
        .await;
    site.done("POST", "account?capacity=1000&write_locked=true")
        .await;
    let (_, state) = site.control("GET", "state", "").await;
    assert_eq!(state["switches"]["stale_refresh_text"], "stale");
    assert_eq!(
        (&state["capacity"], &state["write_locked"]),
        (&json!(1000), &json!(true))
    );
    assert_eq!(
        site.control("POST", "switch?name=stale_refresh_text&value=new", "")
            .await
            .0,
        400
    );
    assert_eq!(
        site.control("POST", "switch?name=nonsense&value=1", "")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn parameters_may_come_as_json() {
    let site = Site::start();
    let ask = site
        .http
        .post(site.url("/_local/mkdir"))
        .json(&json!({"path": "/Jotta/Sync/by json"}));
    assert_eq!(ask.send().await.unwrap().status(), 200);
    assert!(
        site.cloud
            .writer()
            .entry("/Jotta/Sync/by json")
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_web_page_cannot_steer_the_cloud() {
    let site = Site::start();
    let ask = site
        .http
        .post(site.url("/_local/login-token"))
        .header("origin", "https://example.com");
    let answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(!answer.text().await.unwrap().contains("login_token\""));
}

#[tokio::test]
async fn a_refused_refresh_token_is_told_what_the_switches_say() {
    for (value, text) in [
        ("client", "Session doesn't have required client"),
        ("stale", "Stale token"),
    ] {
        let site = Site::start();
        site.done(
            "POST",
            &format!("switch?name=stale_refresh_text&value={value}"),
        )
        .await;
        site.done("POST", "switch?name=reuse_kills_access_tokens&value=yes")
            .await;
        let (_, first) = login(&site, &site.cloud.login_token().unwrap()).await;
        let (_, second) = site.refresh("jottacli", &first["refresh_token"]).await;
        let (_, refused) = site.refresh("jottacli", &first["refresh_token"]).await;
        assert_eq!(refused["error_description"], text);
        assert_eq!(
            site.customer(second["access_token"].as_str().unwrap())
                .await
                .0,
            401
        );
    }
}

#[tokio::test]
async fn browser_sign_ins_live_side_by_side_where_the_switch_says_so() {
    let site = Site::start();
    site.done("POST", "switch?name=one_browser_session&value=no")
        .await;
    let (_, first) = site.exchange(&site.browse(None).await, None).await;
    site.exchange(&site.browse(None).await, None).await;
    assert_eq!(
        site.refresh("desktop", &first["refresh_token"]).await.0,
        200
    );
}

#[tokio::test]
async fn listeners_can_be_counted_sent_anything_and_cut_off() {
    let site = Site::start();
    site.done("POST", "events/cut").await;
    let (status, _) = site.control("POST", "events/send", "{\"EVENT\"").await;
    assert_eq!(status, 200);
    let (_, state) = site.control("GET", "state", "").await;
    assert_eq!(state["listeners"], 0);
}
