//! Sign-in over real HTTP, as a client meets it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Site, claims, login};
use local_cloud::CloudOptions;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const OLD: &str = "Session doesn't have required client";

#[tokio::test]
async fn a_login_token_leads_to_tokens_that_the_api_takes() {
    let site = Site::start();
    let token = site.cloud.login_token().unwrap();
    assert!(!token.contains('='), "base64url without padding");
    let parts: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    assert_eq!(parts["realm"], "jottacloud");
    assert_eq!(parts["username"], site.cloud.user());

    let link = parts["well_known_link"].as_str().unwrap();
    let found: Value = site
        .http
        .get(link)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(found["token_endpoint"], site.endpoint("token"));

    let (status, pair) = login(&site, &token).await;
    assert_eq!(status, 200, "{pair}");
    assert_eq!(pair["expires_in"], 3600);
    assert_eq!(pair["refresh_expires_in"], 0);
    assert_eq!(pair["scope"], "openid email offline_access");
    let refresh = pair["refresh_token"].as_str().unwrap();
    let subject = claims(refresh)["sub"].as_str().unwrap().to_owned();
    assert!(
        subject.ends_with(&format!(":{}", site.cloud.user())),
        "{subject}"
    );

    let (status, customer) = site.customer(pair["access_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    assert!(customer.contains(site.cloud.user()));
}

#[tokio::test]
async fn a_login_token_works_once() {
    let site = Site::start();
    let token = site.cloud.login_token().unwrap();
    assert_eq!(login(&site, &token).await.0, 200);
    let (status, answer) = login(&site, &token).await;
    assert_eq!(status, 401);
    assert_eq!(answer["error"], "invalid_grant");
    assert_eq!(answer["error_description"], "Invalid user credentials");
}

#[tokio::test]
async fn a_login_token_of_one_realm_is_worth_nothing_in_another() {
    let site = Site::start();
    let token = site
        .cloud
        .login_token_at(&site.cloud.url(), "elkjop")
        .unwrap();
    assert_eq!(login(&site, &token).await.0, 401);
}

#[tokio::test]
async fn an_api_call_without_a_good_token_is_refused_with_the_services_words() {
    let site = Site::start();
    let (status, text) = site.jfs("GET", "", Some("Bearer nonsense")).await;
    assert_eq!(status, 401);
    assert!(
        text.contains("BadCredentialsException: Bad credentials"),
        "{text}"
    );
    assert!(text.contains("<error>"), "XML on JFS: {text}");
    let (status, text) = site.jfs("GET", "", None).await;
    assert_eq!(status, 401);
    assert!(text.contains("Token mismatch!"), "{text}");
    let (status, text) = site.customer("nonsense").await;
    assert_eq!(status, 401);
    assert!(text.contains("error_id"), "JSON on the API host: {text}");
}

#[tokio::test]
async fn refreshing_gives_a_new_pair_and_reuse_ends_the_family() {
    let site = Site::start();
    let (_, first) = login(&site, &site.cloud.login_token().unwrap()).await;
    let (status, second) = site.refresh("jottacli", &first["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);

    let (status, refused) = site.refresh("jottacli", &first["refresh_token"]).await;
    assert_eq!((status, &refused["error"]), (400, &"invalid_grant".into()));
    assert_eq!(refused["error_description"], OLD);
    let (status, cut_off) = site.refresh("jottacli", &second["refresh_token"]).await;
    assert_eq!(
        status, 400,
        "the holder of the newest token is cut off too: {cut_off}"
    );
    assert_eq!(site.cloud.live_sessions().unwrap(), 0);
    let (status, _) = site
        .customer(second["access_token"].as_str().unwrap())
        .await;
    assert_eq!(status, 200, "access tokens live to their end");
}

#[tokio::test]
async fn a_refresh_token_of_another_client_is_refused_and_stays_good() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    assert_eq!(site.refresh("desktop", &pair["refresh_token"]).await.0, 400);
    assert_eq!(
        site.refresh("unheard-of", &pair["refresh_token"]).await.0,
        400
    );
    assert_eq!(
        site.refresh("jottacli", &pair["refresh_token"]).await.0,
        200
    );
}

#[tokio::test]
async fn an_upper_case_grant_type_is_unsupported() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    let refresh = pair["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "REFRESH_TOKEN"),
        ("refresh_token", refresh),
        ("client_id", "jottacli"),
    ];
    let (status, answer) = site.token(&form).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &"unsupported_grant_type".into())
    );
    assert_eq!(
        site.refresh("jottacli", &pair["refresh_token"]).await.0,
        200
    );
}

#[tokio::test]
async fn an_access_token_ends_with_its_time_and_the_session_goes_on() {
    let site = Site::with(CloudOptions {
        access_token_ttl: Duration::from_millis(1),
        ..CloudOptions::default()
    });
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        site.customer(pair["access_token"].as_str().unwrap())
            .await
            .0,
        401
    );
    // What lives for a moment can't be used on a slow machine.
    site.cloud.set_access_token_ttl(Duration::from_secs(3600));
    let (status, pair) = site.refresh("jottacli", &pair["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(
        site.customer(pair["access_token"].as_str().unwrap())
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn two_sign_ins_by_login_token_live_side_by_side() {
    let site = Site::start();
    let (_, first) = login(&site, &site.cloud.login_token().unwrap()).await;
    let (_, second) = login(&site, &site.cloud.login_token().unwrap()).await;
    assert_eq!(
        site.refresh("jottacli", &first["refresh_token"]).await.0,
        200
    );
    assert_eq!(
        site.refresh("jottacli", &second["refresh_token"]).await.0,
        200
    );
}

#[tokio::test]
async fn the_browser_flow_gives_tokens_to_a_program_that_proves_itself_by_pkce() {
    let site = Site::start();
    let verifier = "a-long-enough-verifier-that-nobody-else-knows-0123456789";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let code = site.browse(Some(&challenge)).await;
    let (status, answer) = site.exchange(&code, Some("another verifier")).await;
    assert_eq!(status, 400, "{answer}");

    let code = site.browse(Some(&challenge)).await;
    let (status, pair) = site.exchange(&code, Some(verifier)).await;
    assert_eq!(status, 200, "{pair}");
    assert_eq!(pair["scope"], "openid email offline_access jotta-default");
    assert_eq!(
        site.customer(pair["access_token"].as_str().unwrap())
            .await
            .0,
        200
    );

    let (status, _) = site.exchange(&code, Some(verifier)).await;
    assert_eq!(status, 400, "a code works once");
    let (status, _) = site.refresh("desktop", &pair["refresh_token"]).await;
    assert_eq!(status, 400, "and a second use ends what came of the first");
}

#[tokio::test]
async fn the_browser_flow_tolerates_a_client_without_pkce() {
    let site = Site::start();
    let code = site.browse(None).await;
    assert_eq!(site.exchange(&code, None).await.0, 200);
}

#[tokio::test]
async fn a_second_browser_sign_in_ends_the_first_when_its_access_token_ends() {
    let site = Site::start();
    let (_, first) = site.exchange(&site.browse(None).await, None).await;
    let (_, second) = site.exchange(&site.browse(None).await, None).await;
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(site.customer(access).await.0, 200, "not yet");
    assert_eq!(
        site.refresh("desktop", &first["refresh_token"]).await.0,
        400
    );
    assert_eq!(
        site.refresh("desktop", &second["refresh_token"]).await.0,
        200
    );
}

#[tokio::test]
async fn a_code_goes_to_a_program_on_this_machine_only() {
    let site = Site::start();
    for bad in [
        "https://example.com/",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
    ] {
        let query = [
            ("client_id", "desktop"),
            ("redirect_uri", bad),
            ("response_type", "code"),
            ("answer", "allow"),
        ];
        let answer = site
            .http
            .post(site.endpoint("auth"))
            .form(&query)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{bad}");
        assert!(answer.headers().get("location").is_none());
    }
}

#[tokio::test]
async fn a_person_who_cancels_sends_the_program_away_with_access_denied() {
    let site = Site::start();
    let form = [
        ("client_id", "desktop"),
        ("redirect_uri", "http://127.0.0.1:1/cb"),
        ("response_type", "code"),
        ("state", "a b&c"),
        ("answer", "deny"),
    ];
    let answer = site
        .http
        .post(site.endpoint("auth"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap();
    assert_eq!(
        location,
        "http://127.0.0.1:1/cb?state=a%20b%26c&error=access_denied"
    );
}

#[tokio::test]
async fn userinfo_names_the_user_and_wants_a_token() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    let ask = site.http.get(site.endpoint("userinfo"));
    let answer = ask
        .bearer_auth(pair["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let info: Value = answer.json().await.unwrap();
    assert_eq!(info["preferred_username"], site.cloud.user());
    assert_eq!(info["username"], site.cloud.user());
    let ask = site
        .http
        .get(site.endpoint("userinfo"))
        .send()
        .await
        .unwrap();
    assert_eq!(ask.status(), 401);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let site = Site::start();
    for (endpoint, field, expected) in [("logout", "refresh_token", 204), ("revoke", "token", 200)]
    {
        let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
        let form = [
            ("client_id", "jottacli"),
            (field, pair["refresh_token"].as_str().unwrap()),
        ];
        let answer = site
            .http
            .post(site.endpoint(endpoint))
            .form(&form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), expected);
        assert_eq!(
            site.refresh("jottacli", &pair["refresh_token"]).await.0,
            400
        );
        assert_eq!(
            site.customer(pair["access_token"].as_str().unwrap())
                .await
                .0,
            401
        );
    }
}

#[tokio::test]
async fn sessions_survive_a_restart_of_the_cloud() {
    let directory = tempfile::tempdir().unwrap();
    let options = CloudOptions {
        directory: Some(directory.path().to_owned()),
        ..CloudOptions::default()
    };
    let site = Site::with(options.clone());
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    let unused = site.cloud.login_token().unwrap();
    site.cloud.stop();
    let site = Site::with(options);
    assert_eq!(
        site.customer(pair["access_token"].as_str().unwrap())
            .await
            .0,
        200
    );
    assert_eq!(
        site.refresh("jottacli", &pair["refresh_token"]).await.0,
        200
    );
    assert_eq!(login(&site, &unused).await.0, 200);
}

#[tokio::test]
async fn revoked_sessions_take_their_access_tokens_with_them() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    site.cloud.revoke_sessions().unwrap();
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
}

#[tokio::test]
async fn a_client_id_in_a_basic_header_counts_as_one_in_the_form() {
    let site = Site::start();
    let (_, pair) = login(&site, &site.cloud.login_token().unwrap()).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", pair["refresh_token"].as_str().unwrap()),
    ];
    let ask = site
        .http
        .post(site.endpoint("token"))
        .basic_auth("jottacli", Some(""))
        .form(&form);
    assert_eq!(ask.send().await.unwrap().status(), 200);
}
