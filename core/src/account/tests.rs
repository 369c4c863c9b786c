#![allow(clippy::unwrap_used)]
use super::oauth::REQUEST_TIME;
use super::tokens::VAULT_NAME;
use super::*;
use crate::clock::{ManualClock, SystemClock};
use local_cloud::{Cloud, CloudOptions, Rule};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A directory, a vault and a clock; each `account` on them stands for a process.
struct Phone {
    directory: tempfile::TempDir,
    vault: Arc<TestVault>,
    clock: ManualClock,
    hints: Arc<AtomicU32>,
}

/// A vault that can fail.
#[derive(Default)]
struct TestVault {
    inner: MemoryVault,
    full: AtomicBool,
}

impl Vault for TestVault {
    fn get(&self, name: &str) -> Result<Option<Secret>> {
        self.inner.get(name)
    }
    fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::VaultFailed {
                detail: "full".into(),
            });
        }
        self.inner.put(name, secret)
    }
    fn delete(&self, name: &str) -> Result<()> {
        self.inner.delete(name)
    }
}

impl Phone {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            vault: Arc::default(),
            clock: ManualClock::at(SystemClock.now_ms()),
            hints: Arc::default(),
        }
    }

    fn account(&self) -> Arc<Account> {
        self.account_at(None).unwrap()
    }

    fn account_at(&self, endpoints: Option<Endpoints>) -> Result<Arc<Account>> {
        let clock = Arc::new(self.clock.clone());
        let store = Arc::new(Store::open(self.directory.path(), false, clock.clone()).unwrap());
        let hints = self.hints.clone();
        let changed = Arc::new(move || {
            hints.fetch_add(1, Ordering::SeqCst);
        });
        Account::new(
            store,
            self.vault.clone(),
            clock,
            endpoints,
            Life::new(),
            changed,
        )
    }

    fn tokens(&self) -> Option<Tokens> {
        Tokens::load(self.vault.as_ref()).unwrap()
    }
}

fn cloud() -> Cloud {
    Cloud::start(CloudOptions::default()).unwrap()
}

fn never() -> CancelToken {
    CancelToken::new()
}

fn login_token(cloud: &Cloud) -> Secret {
    Secret::new(cloud.login_token().unwrap())
}

/// A phone that is signed in, and the account on it.
async fn signed_in(cloud: &Cloud) -> (Phone, Arc<Account>) {
    let phone = Phone::new();
    let account = phone.account();
    account
        .sign_in(&login_token(cloud), &never())
        .await
        .unwrap();
    cloud.reset_counts();
    (phone, account)
}

fn asked(cloud: &Cloud, kind: &str) -> u64 {
    cloud.counts().requests.get(kind).copied().unwrap_or(0)
}

fn is_again(account: &Account) -> bool {
    matches!(account.state().unwrap(), SignIn::Again(_))
}

#[tokio::test]
async fn a_login_token_signs_in_and_tells_who_and_how_full() {
    let (cloud, phone) = (cloud(), Phone::new());
    cloud.set_account(|account| account.capacity = 5_000_000_000);
    let account = phone.account();
    assert_eq!(account.state().unwrap(), SignIn::Out);
    assert!(matches!(
        account.username(),
        Err(Error::SignInNeeded { .. })
    ));
    let token = account.access_token(None, &never()).await;
    assert!(matches!(token, Err(Error::SignInNeeded { .. })));

    let info = account
        .sign_in(&login_token(&cloud), &never())
        .await
        .unwrap();
    assert_eq!(info.username, cloud.user());
    assert_eq!(info.email.as_deref(), Some("kari@example.com"));
    assert_eq!(info.capacity, Some(5_000_000_000));
    assert_eq!(info.checked_ms, phone.clock.now_ms());
    assert_eq!(account.state().unwrap(), SignIn::In(info.clone()));
    assert_eq!(account.endpoints().unwrap(), Endpoints::at(&cloud.url()));
    assert_eq!(phone.hints.load(Ordering::SeqCst), 1);

    // Another process of the same app sees the same.
    let other = phone.account();
    assert_eq!(other.state().unwrap(), SignIn::In(info));
    cloud.reset_counts();
    other.access_token(None, &never()).await.unwrap();
    assert_eq!(asked(&cloud, "token"), 0);
}

#[tokio::test]
async fn a_login_token_works_once() {
    let cloud = cloud();
    let token = login_token(&cloud);
    Phone::new()
        .account()
        .sign_in(&token, &never())
        .await
        .unwrap();
    let phone = Phone::new();
    let error = phone.account().sign_in(&token, &never()).await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
    assert_eq!(phone.account().state().unwrap(), SignIn::Out);
    assert_eq!(phone.tokens(), None);
}

#[tokio::test]
async fn a_sign_in_that_stopped_halfway_goes_on_with_the_same_token() {
    let (cloud, phone) = (cloud(), Phone::new());
    let (account, token) = (phone.account(), login_token(&cloud));
    cloud.trouble().add(Rule::on("customer").status(503));
    let error = account.sign_in(&token, &never()).await.unwrap_err();
    assert!(matches!(error, Error::ServerBusy { .. }), "{error:?}");
    assert_eq!(
        (account.state().unwrap(), phone.tokens()),
        (SignIn::Out, None)
    );
    cloud.trouble().clear();
    account.sign_in(&token, &never()).await.unwrap();
    assert!(matches!(account.state().unwrap(), SignIn::In(_)));
}

#[tokio::test]
async fn a_directory_belongs_to_one_account_until_it_signs_out() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let kept = phone.tokens().unwrap();
    Record::update(&account.store, |record| {
        Ok(record.map(|record| Record {
            username: "somebody".into(),
            ..record
        }))
    })
    .unwrap();
    let error = account
        .sign_in(&login_token(&cloud), &never())
        .await
        .unwrap_err();
    assert_eq!(error, Error::OtherAccount);
    assert_eq!(phone.tokens(), Some(kept));
    account.sign_out(|| Ok(())).unwrap();
    account
        .sign_in(&login_token(&cloud), &never())
        .await
        .unwrap();
    assert_eq!(account.username().unwrap(), cloud.user());
}

#[tokio::test]
async fn tokens_are_renewed_before_they_run_out_and_when_refused() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let first = account.access_token(None, &never()).await.unwrap();
    phone.clock.advance(58 * 60 * 1000);
    assert_eq!(account.access_token(None, &never()).await.unwrap(), first);
    assert_eq!(asked(&cloud, "token"), 0);
    phone.clock.advance(60 * 1000);
    let second = account.access_token(None, &never()).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(asked(&cloud, "token"), 1);
    // Refused though it should be good; a refusal of the old one brings nothing new.
    assert_eq!(
        account.access_token(Some(&first), &never()).await.unwrap(),
        second
    );
    assert_eq!(asked(&cloud, "token"), 1);
    let third = account.access_token(Some(&second), &never()).await.unwrap();
    assert_ne!(third, second);
    assert_eq!(asked(&cloud, "token"), 2);
    assert_eq!(phone.tokens().unwrap().access, third);
}

#[tokio::test]
async fn a_request_with_an_expired_token_renews_it_unseen() {
    let cloud = cloud();
    let (_phone, account) = signed_in(&cloud).await;
    cloud.expire_access_tokens().unwrap();
    account.refresh(&never()).await.unwrap();
    assert_eq!(asked(&cloud, "token"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_in_many_processes_send_one_refresh() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let stale = account.access_token(None, &never()).await.unwrap();
    cloud.expire_access_tokens().unwrap();
    cloud
        .trouble()
        .add(Rule::on("token").delay(Duration::from_millis(150)));
    let mut calls = tokio::task::JoinSet::new();
    for process in [account, phone.account(), phone.account()] {
        for _ in 0..8 {
            let (process, stale) = (process.clone(), stale.clone());
            calls.spawn(async move { process.access_token(Some(&stale), &never()).await.unwrap() });
        }
    }
    let tokens = calls.join_all().await;
    assert!(
        tokens
            .iter()
            .all(|token| *token != stale && *token == tokens[0])
    );
    assert_eq!(asked(&cloud, "token"), 1);
    assert_eq!(cloud.live_sessions().unwrap(), 1);
}

#[tokio::test]
async fn a_process_that_died_while_renewing_holds_others_up_for_a_bounded_time() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let dead = Store::open(phone.directory.path(), false, Arc::new(phone.clock.clone())).unwrap();
    dead.acquire_lease("token-refresh", "dead", Duration::from_secs(90))
        .unwrap()
        .unwrap();
    phone.clock.advance(3600 * 1000);
    dead.acquire_lease("token-refresh", "dead", Duration::from_secs(90))
        .unwrap()
        .unwrap();
    let waiting = tokio::spawn({
        let account = account.clone();
        async move { account.access_token(None, &never()).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished());
    assert_eq!(asked(&cloud, "token"), 0);
    phone.clock.advance(91 * 1000);
    waiting.await.unwrap().unwrap();
    assert_eq!(asked(&cloud, "token"), 1);
    assert!(
        Duration::from_secs(90) > REQUEST_TIME * 2 + Duration::from_secs(1),
        "the lease outlives both tries"
    );
}

#[tokio::test]
async fn a_revoked_sign_in_asks_to_sign_in_again_and_keeps_the_directory() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let hints = phone.hints.load(Ordering::SeqCst);
    cloud.revoke_sessions().unwrap();
    let error = account.refresh(&never()).await.unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error:?}");
    assert!(is_again(&account) && is_again(&phone.account()));
    assert!(phone.hints.load(Ordering::SeqCst) > hints);
    assert_eq!(phone.tokens(), None);
    assert_eq!(account.username().unwrap(), cloud.user());
    // It does not go on asking.
    cloud.reset_counts();
    account.refresh(&never()).await.unwrap_err();
    assert_eq!(cloud.counts().requests.values().sum::<u64>(), 0);
    account
        .sign_in(&login_token(&cloud), &never())
        .await
        .unwrap();
    assert!(matches!(account.state().unwrap(), SignIn::In(_)));
    account.refresh(&never()).await.unwrap();
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_tried_once_more_and_then_ends_the_sign_in() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    cloud.trouble().add(Rule::on("token").once().lose_answer());
    let error = account.access_token(None, &never()).await.unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error:?}");
    assert_eq!(asked(&cloud, "token"), 2);
    assert!(is_again(&account));
}

#[tokio::test]
async fn a_refresh_that_the_server_was_too_busy_for_is_tried_once_more_and_succeeds() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    cloud.trouble().add(Rule::on("token").once().status(503));
    account.access_token(None, &never()).await.unwrap();
    assert_eq!(asked(&cloud, "token"), 2);
    assert!(matches!(account.state().unwrap(), SignIn::In(_)));
}

#[tokio::test]
async fn a_dead_network_or_server_never_ends_the_sign_in() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let kept = phone.tokens();
    phone.clock.advance(2 * 3600 * 1000);
    for (status, form) in [
        (503, local_cloud::ErrorForm::Usual),
        (401, local_cloud::ErrorForm::Html),
        (404, local_cloud::ErrorForm::Html),
    ] {
        cloud
            .trouble()
            .add(Rule::on("token").status(status).form(form));
        let error = account.access_token(None, &never()).await.unwrap_err();
        assert!(
            !matches!(error, Error::SignInNeeded { .. }),
            "{status}: {error:?}"
        );
        cloud.trouble().clear();
    }
    let port = cloud.address().port();
    cloud.stop();
    let error = account.access_token(None, &never()).await.unwrap_err();
    assert!(
        matches!(error, Error::Offline { .. }),
        "{error:?} at {port}"
    );
    assert!(matches!(account.state().unwrap(), SignIn::In(_)));
    assert_eq!(phone.tokens(), kept);
}

#[tokio::test]
async fn a_cancelled_call_does_not_lose_the_refresh_it_began() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    cloud
        .trouble()
        .add(Rule::on("token").delay(Duration::from_millis(400)));
    let cancel = never();
    let later = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        later.cancel();
    });
    assert_eq!(
        account.access_token(None, &cancel).await,
        Err(Error::Cancelled)
    );
    account.access_token(None, &never()).await.unwrap();
    assert_eq!(asked(&cloud, "token"), 1);
    assert_eq!(
        account.access_token(None, &cancel).await,
        Err(Error::Cancelled)
    );
}

#[tokio::test]
async fn a_pair_that_the_vault_would_not_take_is_not_used_and_not_lost() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let before = phone.tokens();
    phone.clock.advance(2 * 3600 * 1000);
    phone.vault.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = account.access_token(None, &never()).await.unwrap_err();
        assert!(matches!(error, Error::VaultFailed { .. }), "{error:?}");
    }
    assert_eq!(phone.tokens(), before);
    phone.vault.full.store(false, Ordering::SeqCst);
    let access = account.access_token(None, &never()).await.unwrap();
    assert_eq!(phone.tokens().unwrap().access, access);
    assert_eq!(asked(&cloud, "token"), 1);
    account.refresh(&never()).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_came_back_empty_asks_to_sign_in_again() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    for entry in [None, Some("nonsense"), Some("{\"version\":99}")] {
        match entry {
            None => phone.vault.delete(VAULT_NAME).unwrap(),
            Some(text) => phone.vault.put(VAULT_NAME, &Secret::new(text)).unwrap(),
        }
        let error = account.access_token(None, &never()).await.unwrap_err();
        assert!(matches!(error, Error::SignInNeeded { .. }), "{error:?}");
        assert!(is_again(&account));
        account
            .sign_in(&login_token(&cloud), &never())
            .await
            .unwrap();
        assert!(!is_again(&account));
    }
}

#[tokio::test]
async fn signing_out_works_offline_and_survives_an_interruption() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let token = login_token(&cloud);
    let interrupted = account.sign_out(|| Err(Error::DiskFull));
    assert_eq!(interrupted, Err(Error::DiskFull));
    drop(account);

    let account = phone.account();
    assert!(account.is_leaving().unwrap());
    assert_eq!(
        (account.state().unwrap(), phone.tokens()),
        (SignIn::Out, None)
    );
    assert!(matches!(
        account.username(),
        Err(Error::SignInNeeded { .. })
    ));
    assert_eq!(
        account.sign_in(&token, &never()).await,
        Err(Error::OtherAccount)
    );

    cloud.stop();
    let forgotten = AtomicBool::new(false);
    account
        .sign_out(|| {
            forgotten.store(true, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
    assert!(forgotten.load(Ordering::SeqCst) && !account.is_leaving().unwrap());
    assert_eq!(account.state().unwrap(), SignIn::Out);
    account.sign_out(|| Ok(())).unwrap();
}

#[tokio::test]
async fn a_sign_out_during_a_refresh_stays_signed_out() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    cloud
        .trouble()
        .add(Rule::on("token").delay(Duration::from_millis(300)));
    let renewing = tokio::spawn({
        let account = account.clone();
        async move { account.access_token(None, &never()).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    account.sign_out(|| Ok(())).unwrap();
    let error = renewing.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::SignInNeeded { .. }), "{error:?}");
    assert_eq!(
        (account.state().unwrap(), phone.tokens()),
        (SignIn::Out, None)
    );
}

#[tokio::test]
async fn tokens_are_in_no_file_and_no_text() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    account.refresh(&never()).await.unwrap();
    let tokens = phone.tokens().unwrap();
    let secrets = [tokens.access.reveal(), tokens.refresh.reveal()];
    let mut files = 0;
    for entry in std::fs::read_dir(phone.directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
        }
    }
    assert!(files > 0);
    let texts = format!(
        "{tokens:?} {:?} {:?}",
        account.state().unwrap(),
        tokens.access
    );
    assert!(secrets.iter().all(|secret| !texts.contains(secret)));
}

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
async fn a_sign_in_server_that_sends_elsewhere_is_not_followed() {
    use crate::remote::rude_server::{RudeServer, reply};
    let elsewhere = RudeServer::saying(reply(200, "", "{}"));
    for endpoint in [
        format!("{}/token", elsewhere.origin),
        "http://example.org/token".into(),
        "nonsense".into(),
    ] {
        let server = RudeServer::saying(reply(
            200,
            "",
            &format!("{{\"token_endpoint\":\"{endpoint}\"}}"),
        ));
        let json = format!(
            r#"{{"username":"u","realm":"r","well_known_link":"{}/x","auth_token":"hush"}}"#,
            server.origin
        );
        let token = Secret::new(URL_SAFE_NO_PAD.encode(json));
        let error = Phone::new()
            .account()
            .sign_in(&token, &never())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::BadAnswer { .. }), "{error:?}");
        assert_eq!(server.requests().len(), 1);
        assert!(!server.requests()[0].contains("hush"));
    }
    assert_eq!(elsewhere.requests().len(), 0);
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

#[tokio::test]
async fn a_cloud_over_tls_is_trusted_only_with_its_root() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let tls = Some(local_cloud::Tls { certificate, key });
    let cloud = Cloud::start(CloudOptions {
        tls,
        ..CloudOptions::default()
    })
    .unwrap();
    let token = login_token(&cloud);

    let stranger = Phone::new();
    let error = stranger
        .account()
        .sign_in(&token, &never())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Offline { detail } if detail.contains("TLS")),
        "{error:?}"
    );
    assert_eq!(cloud.counts().requests.values().sum::<u64>(), 0);

    let phone = Phone::new();
    let endpoints = Endpoints {
        extra_roots_pem: Some(cert.pem()),
        ..Endpoints::at(&cloud.url())
    };
    let account = phone.account_at(Some(endpoints)).unwrap();
    account.sign_in(&token, &never()).await.unwrap();
    account.refresh(&never()).await.unwrap();
}
