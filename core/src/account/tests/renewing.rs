#![allow(clippy::unwrap_used)]
use super::*;

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
