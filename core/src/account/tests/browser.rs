#![allow(clippy::unwrap_used)]
use super::*;

/// What a person does in the browser: allows or denies, and is sent back.
async fn browse(url: &str, answer: &'static str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    form.push(("answer".into(), answer.into()));
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(rustls_of_no_use())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let page = client.get(url.clone()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let back = client.post(url).form(&form).send().await.unwrap();
    assert!(back.status().is_redirection(), "{}", back.status());
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    // Browsers ask for an icon and guess addresses; neither may end the wait.
    let origin = &back[..back.find("/?").unwrap()];
    let icon = client
        .get(format!("{origin}/favicon.ico"))
        .send()
        .await
        .unwrap();
    assert_eq!(icon.status(), 404);
    let forged = client
        .get(format!("{origin}/?code=forged&state=forged"))
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status(), 404);
    client.get(back).send().await.unwrap().text().await.unwrap()
}

fn rustls_of_no_use() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

fn service_of(cloud: &Cloud) -> Service {
    let domain: &'static str = Box::leak(cloud.address().to_string().into_boxed_str());
    Service {
        domain,
        ..services()[0]
    }
}

#[tokio::test]
async fn the_browser_signs_in_with_proof_and_a_warning() {
    let (cloud, phone) = (cloud(), Phone::new());
    let account = phone.account();
    let begun = account
        .sign_in_by_browser(&service_of(&cloud), &never())
        .await
        .unwrap();
    assert!(begun.warning().contains("sign out other apps"));
    assert!(begun.url().contains("code_challenge_method=S256"));
    assert!(!begun.url().contains(begun.verifier_for_test()));
    // A connection that never says anything does not keep the browser out.
    let port = begun.port_for_test();
    let _silent = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let url = begun.url().to_owned();
    let browser = tokio::spawn(async move { browse(&url, "allow").await });
    let info = begun.finish(&never()).await.unwrap();
    assert_eq!(info.username, cloud.user());
    assert_eq!(info.service, "Jottacloud");
    assert!(browser.await.unwrap().contains("You are signed in"));
    assert_eq!(phone.tokens().unwrap().client_id, "desktop");
    phone.clock.advance(2 * 3600 * 1000);
    account.refresh(&never()).await.unwrap();
}

#[tokio::test]
async fn a_browser_sign_in_outlasts_a_pause_behind_the_browser() {
    let (cloud, phone) = (cloud(), Phone::new());
    let account = phone.account();
    let begun = account
        .sign_in_by_browser(&service_of(&cloud), &never())
        .await
        .unwrap();
    let url = begun.url().to_owned();
    let finishing = tokio::spawn(async move { begun.finish(&never()).await });
    account.life.stop(State::Paused, Duration::ZERO).unwrap();
    account.store.pause(Duration::from_secs(1)).unwrap();
    assert!(browse(&url, "allow").await.contains("You are signed in"));
    assert!(!finishing.is_finished());
    account.life.start(|| account.store.resume()).unwrap();
    let info = finishing.await.unwrap().unwrap();
    assert_eq!(info.username, cloud.user());
}

#[tokio::test]
async fn a_browser_sign_in_that_was_denied_or_left_changes_nothing() {
    let (cloud, phone) = (cloud(), Phone::new());
    let account = phone.account();
    let begun = account
        .sign_in_by_browser(&service_of(&cloud), &never())
        .await
        .unwrap();
    let url = begun.url().to_owned();
    let browser = tokio::spawn(async move { browse(&url, "deny").await });
    let error = begun.finish(&never()).await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
    assert!(browser.await.unwrap().contains("not signed in"));

    let begun = account
        .sign_in_by_browser(&service_of(&cloud), &never())
        .await
        .unwrap();
    let cancel = never();
    cancel.cancel();
    assert_eq!(begun.finish(&cancel).await, Err(Error::Cancelled));
    assert_eq!(
        (account.state().unwrap(), phone.tokens()),
        (SignIn::Out, None)
    );
}

#[tokio::test]
async fn a_local_cloud_stands_in_for_every_sign_in_server() {
    let (cloud, phone) = (cloud(), Phone::new());
    let account = phone.account_at(Some(Endpoints::at(&cloud.url()))).unwrap();
    for service in services() {
        let begun = account.sign_in_by_browser(service, &never()).await.unwrap();
        let page = format!("{}/auth/realms/{}/", cloud.url(), service.realm);
        assert!(begun.url().starts_with(&page), "{}", begun.url());
    }
}
