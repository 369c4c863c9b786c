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
    let dead = Store::open(
        phone.directory.path(),
        false,
        Arc::new(phone.clock.clone()),
        Arc::new(crate::disk::RealDisk),
    )
    .unwrap();
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
    phone.vault.full.store(u32::MAX, Ordering::SeqCst);
    for _ in 0..2 {
        let error = account.access_token(None, &never()).await.unwrap_err();
        assert!(matches!(error, Error::VaultFailed { .. }), "{error:?}");
    }
    assert_eq!(phone.tokens(), before);
    phone.vault.full.store(0, Ordering::SeqCst);
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
            None => phone.entry().delete().unwrap(),
            Some(text) => phone.entry().write_for_test(text),
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

#[tokio::test]
async fn a_pause_waits_for_a_renewal_that_has_begun_and_none_begins_while_paused() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let before = phone.tokens().unwrap();
    phone.clock.advance(2 * 3600 * 1000);
    cloud
        .trouble()
        .add(Rule::on("token").delay(Duration::from_millis(600)));
    let cancel = never();
    let call = tokio::spawn({
        let (account, cancel) = (account.clone(), cancel.clone());
        async move { account.access_token(None, &cancel).await }
    });
    while asked(&cloud, "token") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The call that needed it is gone; the renewal is not.
    cancel.cancel();
    call.await.unwrap().unwrap_err();
    let life = account.life.clone();
    tokio::task::spawn_blocking(move || life.stop(State::Paused, Duration::from_secs(30)))
        .await
        .unwrap()
        .unwrap();
    let after = phone.tokens().unwrap();
    assert_ne!(after.refresh, before.refresh, "the answer came in time");
    assert_eq!(
        account.access_token(Some(&after.access), &never()).await,
        Err(Error::Paused)
    );
    assert_eq!(asked(&cloud, "token"), 1);
}

#[tokio::test]
async fn a_renewal_that_waits_for_its_turn_gives_up_at_a_pause() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    let other = Store::open(
        phone.directory.path(),
        false,
        Arc::new(phone.clock.clone()),
        Arc::new(crate::disk::RealDisk),
    )
    .unwrap();
    other
        .acquire_lease("token-refresh", "other", Duration::from_secs(90))
        .unwrap()
        .unwrap();
    let call = tokio::spawn({
        let account = account.clone();
        async move { account.access_token(None, &never()).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let life = account.life.clone();
    tokio::task::spawn_blocking(move || life.stop(State::Paused, Duration::from_secs(30)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(call.await.unwrap(), Err(Error::Paused));
    assert_eq!(asked(&cloud, "token"), 0);
}

#[tokio::test]
async fn a_vault_that_fails_for_a_moment_still_gets_the_new_pair() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    phone.clock.advance(2 * 3600 * 1000);
    phone.vault.full.store(2, Ordering::SeqCst);
    let access = account.access_token(None, &never()).await.unwrap();
    assert_eq!(phone.tokens().unwrap().access, access);
    assert_eq!(asked(&cloud, "token"), 1);
}

#[tokio::test]
async fn no_other_process_shows_a_used_token_while_its_successor_is_not_in_the_vault() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let other = phone.account();
    phone.clock.advance(2 * 3600 * 1000);
    phone.vault.full.store(u32::MAX, Ordering::SeqCst);
    let error = account.access_token(None, &never()).await.unwrap_err();
    assert!(matches!(error, Error::VaultFailed { .. }), "{error:?}");
    let waiting = tokio::spawn(async move { other.access_token(None, &never()).await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!waiting.is_finished());
    assert_eq!(asked(&cloud, "token"), 1);
    phone.vault.full.store(0, Ordering::SeqCst);
    let access = account.access_token(None, &never()).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(access.clone()));
    // The lease is free again: the other's next renewal need not wait for it to run out.
    let (next, patient) = (phone.account(), never());
    let renewed = tokio::time::timeout(
        Duration::from_secs(30),
        next.access_token(Some(&access), &patient),
    );
    assert_ne!(renewed.await.unwrap().unwrap(), access);
    assert_eq!(asked(&cloud, "token"), 2);
    assert_eq!(cloud.live_sessions().unwrap(), 1);
}

/// On a runtime of one thread, so that a call on it would hold up everything.
#[tokio::test]
async fn a_vault_that_takes_its_time_does_not_hold_up_the_runtime() {
    let cloud = cloud();
    let (phone, account) = signed_in(&cloud).await;
    let (token, patient) = (login_token(&cloud), never());
    let free_later = async || {
        phone.vault.stuck.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        phone.vault.stuck.store(false, Ordering::SeqCst);
    };
    let ((), found) = tokio::join!(biased; free_later(), account.access_token(None, &patient));
    found.unwrap();
    phone.clock.advance(2 * 3600 * 1000);
    let ((), renewed) = tokio::join!(biased; free_later(), account.access_token(None, &patient));
    renewed.unwrap();
    // Free only once the sign-in has come to its put.
    phone.vault.stuck.store(true, Ordering::SeqCst);
    cloud.reset_counts();
    let free_at_the_put = async {
        while asked(&cloud, "customer") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        phone.vault.stuck.store(false, Ordering::SeqCst);
    };
    let ((), signed_in) = tokio::join!(biased; free_at_the_put, account.sign_in(&token, &patient));
    signed_in.unwrap();
}
