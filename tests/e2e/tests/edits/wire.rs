//! Connections that close, answers that get lost, and a service that tells of bytes that it does not have.

use super::{Phone, files};
use local_cloud::{ErrorForm, Rule};
use lomme::catalog::Space;

async fn phone_in(rules: impl IntoIterator<Item = Rule>) -> Phone {
    let phone = Phone::new(&[("Sync/known", "known")]).await;
    for rule in rules {
        phone.cloud.trouble().add(rule);
    }
    phone
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_closes_fails_no_item_where_it_is_safe_to_ask_again() {
    let closes = |kind: &str| Rule::on(kind).once().lose_answer();
    let phone = phone_in([
        closes("allocate"),
        closes("mkDir"),
        Rule::on("upload").once().cut_upload_after(0),
    ])
    .await;
    let sync = Space::Sync.root();
    phone
        .drive()
        .edits()
        .create_folder(&sync, "f", None)
        .unwrap();
    phone.create("Sync/f", "a", "new");
    // This one needs no bytes, so what got lost is that it is there.
    phone.create("Sync", "b", "known");
    phone.push_all().await;
    let expected = [("b", "known"), ("f/a", "new"), ("known", "known")];
    assert_eq!(phone.server("Sync"), files(&expected));
    assert_eq!(phone.drive().edits().conflicts(false).unwrap(), []);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_takes_no_bytes_is_asked_for_again_also_when_it_says_so_early() {
    let large = "x".repeat(20 << 20);
    for status in [404, 409, 410, 416] {
        let refuses = Rule::on("upload").once().status(status);
        let phone = phone_in([refuses.form(ErrorForm::Html)]).await;
        phone.create("Sync", "large", &large);
        phone.push_all().await;
        assert_eq!(phone.server("Sync")["large"].len(), large.len(), "{status}");
        phone.agrees().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_tells_of_bytes_that_it_does_not_have_gets_them_all() {
    let lies = Rule::on("allocate").replace("\"resume_pos\":0", "\"resume_pos\":3");
    let phone = phone_in([lies]).await;
    phone.create("Sync", "new", "content");
    phone.push_all().await;
    assert_eq!(phone.server("Sync")["new"], "content");
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_which_the_service_never_has_all_holds_up_no_other_item() {
    let phone = phone_in([Rule::on("upload").status(420)]).await;
    phone.create("Sync", "a", "never taken");
    let sync = Space::Sync.root();
    phone
        .drive()
        .edits()
        .create_folder(&sync, "f", None)
        .unwrap();
    phone.create("Sync/f", "b", "known");
    let run = phone.push().await;
    assert_eq!(run.left, 1, "{:?}", phone.drive().edits().outbox());
    assert_eq!(phone.writer().read("/Jotta/Sync/f/b").unwrap(), b"known");
    phone.cloud.trouble().clear();
    phone.wait(&run);
    phone.push_all().await;
    assert_eq!(phone.server("Sync")["a"], "never taken");
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_answer_tells_of_other_bytes_is_looked_at_again_and_is_no_conflict() {
    for lie in [
        Rule::on("upload").once().wrong_hash(),
        Rule::on("upload")
            .once()
            .replace("\"bytes\":3", "\"bytes\":4"),
        Rule::on("upload")
            .once()
            .replace("\"path\"", &format!("\"{}\"", "x".repeat(1 << 20))),
    ] {
        let phone = phone_in([lie]).await;
        phone.create("Sync", "new", "new");
        let run = phone.push().await;
        assert_eq!(run.left, 1, "a lie was believed");
        phone.wait(&run);
        phone.push_all().await;
        let expected = [("known", "known"), ("new", "new")];
        assert_eq!(phone.server("Sync"), files(&expected));
        assert_eq!(phone.drive().edits().conflicts(false).unwrap(), []);
        phone.agrees().await;
    }
}
