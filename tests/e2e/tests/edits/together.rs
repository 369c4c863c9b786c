//! Many changes at once: what must not run beside each other, and what one failing item does to the others.
use crate::{Phone, files};
use local_cloud::{Moment, Rule};
use lomme::catalog::Space;
use lomme::clock::Clock;
use lomme::edits::{AccountHold, ConflictKind, Hold, NewContent, Outcome, Park};
use lomme::{CancelToken, Error};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_swapped_are_swapped() {
    let phone = Phone::new(&[
        ("Sync/a", "one"),
        ("Sync/b", "two"),
        ("Sync/D/x", "three"),
        ("Sync/E/x", "four"),
    ])
    .await;
    for (one, two) in [("a", "b"), ("D", "E")] {
        let first = phone.rename(&format!("Sync/{one}"), "aside");
        phone.rename(&format!("Sync/{two}"), one);
        let again = phone.rename("Sync/aside", two);
        assert_eq!(first.id, again.id);
    }
    phone.push_all().await;
    let swapped = files(&[
        ("a", "two"),
        ("b", "one"),
        ("D/x", "four"),
        ("E/x", "three"),
    ]);
    assert_eq!(phone.server("Sync"), swapped);
    assert_eq!(phone.drive().edits().conflicts(false).unwrap(), []);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_waits_for_gets_out_of_a_circle_of_names() {
    let phone = Phone::new(&[("Sync/a", "1"), ("Sync/b", "2"), ("Sync/c", "3")]).await;
    phone.rename("Sync/c", "aside");
    phone.rename("Sync/b", "c");
    phone.rename("Sync/a", "b");
    let item = phone.rename("Sync/aside", "a");
    let cancel = CancelToken::new();
    let settled = phone.drive().edits().settle(&item.id, None, &cancel).await;
    assert_eq!(settled.unwrap().outcome, Outcome::Done);
    assert_eq!(phone.server("Sync")["a"], "3");
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("a", "3"), ("b", "1"), ("c", "2")])
    );
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_moves_into_the_folder_that_gets_its_name() {
    let phone = Phone::new(&[
        ("Sync/notes", "text"),
        ("Sync/Old/kept", "k"),
        ("Sync/Old/out", "o"),
    ])
    .await;
    let edits = phone.drive().edits();
    let file = phone.rename("Sync/notes", "aside");
    let folder = edits
        .create_folder(&Space::Sync.root(), "notes", None)
        .unwrap();
    edits
        .move_to(&file.id, &folder.id, Some("text"), None)
        .unwrap();
    // And a folder that gives its name and one of its files to a new one, and goes.
    let new = edits
        .create_folder(&Space::Sync.root(), "New", None)
        .unwrap();
    edits
        .move_to(&phone.item("Sync/Old/out").id, &new.id, None, None)
        .unwrap();
    phone.trash("Sync/Old");
    edits
        .move_to(&new.id, &Space::Sync.root(), Some("Old"), None)
        .unwrap();
    phone.push_all().await;
    assert_eq!(
        phone.server("Sync"),
        files(&[("notes/text", "text"), ("Old/out", "o")])
    );
    assert_eq!(edits.conflicts(false).unwrap(), []);
    phone.look().await;
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_new_files_in_new_folders_arrive_in_one_run() {
    let phone = Phone::new(&[]).await;
    let edits = phone.drive().edits();
    let mut expected = BTreeMap::new();
    for folder in 0..5 {
        let name = format!("F{folder}");
        edits
            .create_folder(&Space::Sync.root(), &name, None)
            .unwrap();
        for file in 0..20 {
            let content = format!("{folder} {file}");
            phone.create(&format!("Sync/{name}"), &format!("{file}"), &content);
            expected.insert(format!("{name}/{file}"), content);
        }
    }
    let run = phone.push().await;
    assert_eq!((run.done, run.left, run.conflicts), (105, 0, 0));
    assert_eq!(
        run.sent_bytes,
        expected
            .values()
            .map(|content| content.len() as u64)
            .sum::<u64>()
    );
    assert_eq!(phone.server("Sync"), expected);
    phone.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_always_fails_stops_no_other() {
    let phone = Phone::new(&[]).await;
    let poison = phone.create("Sync", "poison", "p");
    for name in ["a", "b", "c", "d", "e", "f"] {
        phone.create("Sync", name, name);
    }
    let edits = phone.drive().edits();
    phone
        .cloud
        .trouble()
        .add(Rule::on("get").path("poison").status(500));
    for _ in 0..40 {
        let run = phone.push().await;
        if matches!(run.hold, Some(Hold::NeedsUser(_))) {
            break;
        }
        phone.wait(&run);
        phone.create("Sync", &format!("{}", fastrand::u64(..)), "more");
    }
    let pending = edits.pending(&poison.id).unwrap().unwrap();
    assert_eq!(pending.hold, Some(Hold::NeedsUser(Park::ManyFailures)));
    let waits = edits.outbox().unwrap();
    assert!(waits.len() <= 2, "{waits:?}");
    assert!(phone.server("Sync").len() >= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_service_is_down_one_item_asks_and_the_pause_grows_by_one_step() {
    let phone = Phone::new(&[]).await;
    for name in ["a", "b", "c", "d", "e", "f"] {
        phone.create("Sync", name, name);
    }
    let edits = phone.drive().edits();
    phone.cloud.trouble().add(Rule::on("allocate").status(503));
    let now = phone.clock.now_ms();
    let run = phone.push().await;
    assert_eq!((run.done, run.left), (0, 6));
    let first = run.next_ms.unwrap() - now;
    assert!(matches!(
        run.hold,
        Some(Hold::Account(AccountHold::Busy { .. }))
    ));
    let asked = phone.cloud.counts().requests_of("allocate");
    phone.wait(&run);
    let run = phone.push().await;
    assert_eq!(run.done, 0);
    assert_eq!(
        run.next_ms.unwrap() - phone.clock.now_ms(),
        first.max(10_000)
    );
    assert_eq!(phone.cloud.counts().requests_of("allocate"), asked + 1);
    phone.cloud.trouble().clear();
    phone.wait(&run);
    phone.push_all().await;
    assert_eq!(phone.server("Sync").len(), 6);
    assert_eq!(edits.conflicts(false).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slips_in_while_a_new_file_is_sent_is_kept_also_when_the_answer_is_lost() {
    for lost in [false, true] {
        let phone = Phone::new(&[]).await;
        phone.create("Sync", "new.txt", "ours");
        let rule = Rule::on("allocate").once();
        phone
            .cloud
            .trouble()
            .add(rule.strike(Moment::BeforeAnswer, |writer| {
                writer.put("/Jotta/Sync/new.txt", b"theirs").unwrap();
            }));
        if lost {
            phone
                .cloud
                .trouble()
                .add(Rule::on("upload").once().lose_answer());
        }
        for _ in 0..3 {
            let run = phone.push().await;
            phone.wait(&run);
        }
        let server = phone.server("Sync");
        let mut contents: Vec<&str> = server.values().map(String::as_str).collect();
        contents.sort_unstable();
        assert_eq!(contents, ["ours", "theirs"], "{lost}: {server:?}");
        let kinds: Vec<ConflictKind> = conflicts(&phone);
        let kind = match lost {
            // Theirs had the name by the time that ours was announced again.
            true => ConflictKind::NameTaken,
            false => ConflictKind::BothEdited,
        };
        assert_eq!(kinds, [kind], "{lost}");
        phone.look().await;
        phone.agrees().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_one_item_does_not_wait_for_all_the_others() {
    let phone = Phone::new(&[]).await;
    let large = "x".repeat(9 << 20);
    let large = phone.create("Sync", "large", &large);
    // Its upload hangs.
    phone
        .cloud
        .trouble()
        .add(Rule::on("upload").once().delay(Duration::from_secs(60)));
    let edits = phone.drive().edits().clone();
    let all = tokio::spawn(async move { edits.push(None, &CancelToken::new()).await });
    while phone.cloud.counts().requests_of("upload") == 0 {
        tokio::task::yield_now().await;
    }
    let small = phone.create("Sync", "small", "s");
    let edits = phone.drive().edits();
    let settled = edits
        .settle(&small.id, None, &CancelToken::new())
        .await
        .unwrap();
    assert_eq!(settled.outcome, Outcome::Done);
    let waits = edits.pending(&large.id).unwrap();
    assert!(waits.is_some(), "the large file was not waited for");
    let run = all.await.unwrap().unwrap();
    assert_eq!(run.left, 0);
    assert_eq!(phone.server("Sync").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_thrown_away_while_it_is_sent_does_not_come_back() {
    let phone = Phone::new(&[]).await;
    let new = phone.create("Sync", "new", "n");
    let edits = phone.drive().edits().clone();
    let id = new.id.clone();
    phone.cloud.trouble().add(
        Rule::on("upload")
            .once()
            .strike(Moment::BeforeAnswer, move |_| {
                edits.trash(&id, None, false, None).unwrap();
            }),
    );
    for _ in 0..3 {
        phone.push().await;
    }
    assert_eq!(phone.server("Sync"), files(&[]));
    let edits = phone.drive().edits();
    for discarded in edits.discarded().unwrap() {
        assert_eq!(discarded.item, new.id);
        edits.forget_discarded(&discarded.key).unwrap();
    }
    phone.agrees().await;
    assert!(matches!(
        edits.settle(&new.id, None, &CancelToken::new()).await,
        Ok(_) | Err(Error::NoSuchItem { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_thrown_away_is_not_kept_in_a_copy_for_the_next_file_of_its_name() {
    for sent in [false, true] {
        let phone = Phone::new(&[]).await;
        let old = phone.create("Sync", "name", "old").id;
        let (edits, new) = (phone.drive().edits().clone(), phone.local("new"));
        let replace = move || {
            edits.trash(&old, None, false, None).unwrap();
            let (sync, content) = (Space::Sync.root(), NewContent::of(&new));
            edits.create_file(&sync, "NAME", content, None).unwrap();
        };
        if sent {
            phone.push_all().await;
            replace();
        } else {
            let rule = Rule::on("upload").once();
            let rule = rule.strike(Moment::BeforeAnswer, move |_| replace());
            phone.cloud.trouble().add(rule);
        }
        // All within one second, as the service tells times.
        phone.push_all().await;
        // The service's spelling is the one that it has had.
        assert_eq!(phone.server("Sync"), files(&[("name", "new")]), "{sent}");
        assert_eq!(conflicts(&phone), [], "{sent}");
        for discarded in phone.drive().edits().discarded().unwrap() {
            let edits = phone.drive().edits();
            edits.forget_discarded(&discarded.key).unwrap();
        }
        phone.agrees().await;
    }
}

fn conflicts(phone: &Phone) -> Vec<ConflictKind> {
    let all = phone.drive().edits().conflicts(false).unwrap();
    all.into_iter().map(|conflict| conflict.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_whose_answer_got_lost_is_renamed_and_saved_again_as_the_same_file() {
    for (name, content) in [
        ("new", "saved again"),
        ("other", "first"),
        ("other", "saved again"),
    ] {
        let phone = Phone::new(&[]).await;
        let new = phone.create("Sync", "new", "first");
        // All that follows the upload is lost, so the run does not see what it did.
        phone.cloud.trouble().add(Rule::on("upload").lose_answer());
        phone
            .cloud
            .trouble()
            .add(Rule::on("allocate").after(1).status(503));
        phone.push().await;
        phone.cloud.trouble().clear();
        assert_eq!(phone.server("Sync"), files(&[("new", "first")]));
        if name != "new" {
            phone.rename("Sync/new", name);
        }
        if content != "first" {
            phone.edit(&format!("Sync/{name}"), content);
        }
        phone.drive().edits().retry(None).unwrap();
        phone.push_all().await;
        assert_eq!(phone.server("Sync"), files(&[(name, content)]));
        assert_eq!(phone.item(&format!("Sync/{name}")).id, new.id);
        assert_eq!(conflicts(&phone), []);
        phone.agrees().await;
    }
}
