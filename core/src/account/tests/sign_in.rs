#![allow(clippy::unwrap_used)]
use super::*;

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
    let token = login_token(&cloud);
    let error = account.sign_in(&token, &never()).await.unwrap_err();
    assert_eq!(error, Error::OtherAccount);
    assert_eq!(phone.tokens(), Some(kept));
    account.sign_out(|| Ok(())).unwrap();
    // The token works once, and that was not its fault: the same call goes on.
    account.sign_in(&token, &never()).await.unwrap();
    assert_eq!(account.username().unwrap(), cloud.user());
}

#[tokio::test]
async fn accounts_in_two_directories_share_a_vault_without_touching_each_other() {
    let cloud = cloud();
    let (one, first) = signed_in(&cloud).await;
    let two = Phone {
        vault: one.vault.clone(),
        ..Phone::new()
    };
    let second = two.account();
    second
        .sign_in(&login_token(&cloud), &never())
        .await
        .unwrap();
    assert_ne!(one.tokens(), two.tokens());
    second.sign_out(|| Ok(())).unwrap();
    assert_eq!(two.tokens(), None);
    first.refresh(&never()).await.unwrap();
    assert_eq!(asked(&cloud, "token"), 1, "the second sign-in's alone");
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
