//! A service that fails and lies: each time a typed error, nothing lost, and nothing written outside of the
//! directory.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Bomb, Cloud, CloudOptions, ErrorForm, Rule, Stats};
use lomme::account::SignIn;
use lomme::catalog::{Item, Space};
use lomme::content::Purpose;
use lomme::{CancelToken, Error};
use lomme_e2e::{Pocket, walk};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

const FILM: u64 = 3 << 20;

struct World {
    cloud: Cloud,
    pocket: Pocket,
}

/// A cloud with a few files and a pocket that knows them all.
async fn world() -> World {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    let writer = cloud.writer();
    writer
        .put_generated("/Jotta/Sync/film.mp4", 7, FILM, 1_700_000_000_000)
        .unwrap();
    for n in 0..40 {
        writer
            .put(
                &format!("/Jotta/Sync/Docs/{n}.txt"),
                format!("text {n}").as_bytes(),
            )
            .unwrap();
    }
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    pocket
        .drive
        .catalog()
        .refresh(&Space::Sync.root(), &CancelToken::new())
        .await
        .unwrap();
    World { cloud, pocket }
}

impl World {
    fn tree(&self) -> BTreeMap<String, Item> {
        self.pocket.tree(&Space::Sync.root()).unwrap()
    }

    /// Makes trouble, lets `call` fail in it, and proves that nothing was lost or written elsewhere and that all
    /// is well again when the trouble is over.
    async fn fails<T>(
        &self,
        trouble: Vec<Rule>,
        call: impl AsyncFnOnce(&Pocket) -> Result<T, Error>,
    ) -> Error {
        let (before, neighbours) = (self.tree(), self.neighbours());
        let anchor = self.pocket.drive.catalog().current_anchor().unwrap();
        for rule in trouble {
            self.cloud.trouble().add(rule);
        }
        let failed = call(&self.pocket).await.err().expect("the call fails");
        self.cloud.trouble().clear();
        assert_eq!(self.tree(), before, "nothing is lost: {failed:?}");
        let changes = self.pocket.drive.catalog().changes(&anchor, 100).unwrap();
        assert_eq!(
            (changes.updated, changes.deleted),
            (vec![], vec![]),
            "and nothing is told: {failed:?}"
        );
        assert_eq!(
            self.neighbours(),
            neighbours,
            "nothing is written elsewhere: {failed:?}"
        );
        self.pocket.index(Space::Sync).await.unwrap();
        assert_eq!(self.tree(), before, "all is well afterwards: {failed:?}");
        failed
    }

    /// What lies beside the drive's directory.
    fn neighbours(&self) -> Vec<std::path::PathBuf> {
        let drive = self.pocket.outer.path().join("drive");
        walk(self.pocket.outer.path())
            .into_keys()
            .filter(|path| !path.starts_with(&drive))
            .collect()
    }

    async fn get(&self) -> Result<u64, Error> {
        let item = self.pocket.item("Sync/film.mp4").unwrap();
        let dest = self.pocket.outer.path().join("film");
        let got = self
            .pocket
            .drive
            .content()
            .fetch_to_file(
                &item.id,
                None,
                &dest,
                Purpose::Open,
                None,
                &CancelToken::new(),
            )
            .await?;
        assert!(
            std::fs::read(&dest).unwrap()
                == self.cloud.writer().read("/Jotta/Sync/film.mp4").unwrap()
        );
        std::fs::remove_file(dest).unwrap();
        Ok(got.fetched)
    }
}

async fn index(pocket: &Pocket) -> Result<(), Error> {
    pocket.index(Space::Sync).await.map(drop)
}

async fn refresh(pocket: &Pocket) -> Result<(), Error> {
    let docs = pocket.item("Sync/Docs")?;
    pocket
        .drive
        .catalog()
        .refresh(&docs.id, &CancelToken::new())
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_login_token_is_refused_and_says_nothing_of_itself() {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    let pocket = Pocket::new().unwrap();
    let used = cloud.login_token().unwrap();
    pocket.sign_in(&used).await.unwrap();
    pocket.drive.sign_out().unwrap();
    for bad in [
        "",
        "nonsense",
        "bm9uc2Vuc2U",
        &used[..used.len() - 8],
        &used,
    ] {
        let refused = pocket.sign_in(bad).await.unwrap_err();
        assert!(
            matches!(refused, Error::LoginRefused { .. }),
            "{bad}: {refused:?}"
        );
        assert!(bad.is_empty() || !format!("{refused} {refused:?}").contains(bad));
        assert_eq!(pocket.drive.account().state().unwrap(), SignIn::Out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_asks_to_sign_in_and_keeps_everything() {
    let world = world().await;
    let failed = {
        let before = world.tree();
        world.cloud.revoke_sessions().unwrap();
        let failed = index(&world.pocket).await.unwrap_err();
        assert_eq!(world.tree(), before);
        failed
    };
    assert!(matches!(failed, Error::SignInNeeded { .. }), "{failed:?}");
    assert!(matches!(
        world.pocket.drive.account().state().unwrap(),
        SignIn::Again(_)
    ));
    world
        .pocket
        .sign_in(&world.cloud.login_token().unwrap())
        .await
        .unwrap();
    assert_eq!(world.get().await.unwrap(), FILM);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_liststream_changes_nothing() {
    let world = world().await;
    world
        .cloud
        .writer()
        .trash("/Jotta/Sync/Docs/7.txt")
        .unwrap();
    world
        .cloud
        .writer()
        .put("/Jotta/Sync/Docs/new.txt", b"new")
        .unwrap();
    for stats in [Stats::Cut, Stats::LeftOut, Stats::Wrong] {
        let before = world.tree();
        world
            .cloud
            .trouble()
            .add(Rule::on("liststream").stats(stats));
        let failed = index(&world.pocket).await.unwrap_err();
        world.cloud.trouble().clear();
        assert!(
            matches!(failed, Error::BadAnswer { .. }),
            "{stats:?}: {failed:?}"
        );
        assert_eq!(world.tree(), before, "{stats:?}");
    }
    for bytes in [0, 1, 40, 500, 3000] {
        let before = world.tree();
        world
            .cloud
            .trouble()
            .add(Rule::on("liststream").cut_after(bytes));
        let failed = index(&world.pocket).await.unwrap_err();
        world.cloud.trouble().clear();
        assert!(
            matches!(failed, Error::Offline { .. } | Error::BadAnswer { .. }),
            "{bytes}: {failed:?}"
        );
        assert_eq!(world.tree(), before, "{bytes}");
    }
    index(&world.pocket).await.unwrap();
    assert!(world.pocket.item("Sync/Docs/7.txt").is_err());
    assert_eq!(
        world.pocket.item("Sync/Docs/new.txt").unwrap().size,
        Some(3)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xml_that_is_made_to_hurt_is_refused() {
    let world = world().await;
    for bomb in [
        Bomb::Entities,
        Bomb::Nesting,
        Bomb::Attribute,
        Bomb::Text,
        Bomb::Attributes,
    ] {
        let failed = world
            .fails(vec![Rule::on("liststream").bomb(bomb)], index)
            .await;
        assert!(
            matches!(failed, Error::BadAnswer { .. }),
            "{bomb:?}: {failed:?}"
        );
        let failed = world
            .fails(
                vec![Rule::on("list").bomb(bomb), Rule::on("get").bomb(bomb)],
                refresh,
            )
            .await;
        assert!(
            matches!(failed, Error::BadAnswer { .. }),
            "{bomb:?}: {failed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gigabyte_of_garbage_instead_of_xml_is_refused_at_once() {
    let world = world().await;
    let begun = Instant::now();
    for kind in ["liststream", "get"] {
        let rule = vec![Rule::on(kind).garbage(1 << 30)];
        let failed = match kind {
            "get" => world.fails(rule, refresh).await,
            _ => world.fails(rule, index).await,
        };
        assert!(matches!(failed, Error::BadAnswer { .. }), "{failed:?}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(120),
        "it is not read to its end"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_name_is_refused_wherever_it_stands() {
    let world = world().await;
    for name in ["../evil", "..", ".", "a/b", "/etc/passwd", "nul\u{0}", ""] {
        let failed = world
            .fails(vec![Rule::on("liststream").rename("3.txt", name)], index)
            .await;
        assert!(
            matches!(failed, Error::BadAnswer { .. }),
            "{name:?}: {failed:?}"
        );
        let failed = world
            .fails(vec![Rule::on("get").rename("3.txt", name)], refresh)
            .await;
        assert!(
            matches!(failed, Error::BadAnswer { .. }),
            "{name:?}: {failed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captive_portals_page_is_not_a_listing() {
    let world = world().await;
    for status in [200, 403, 511] {
        let rule = || Rule::on_all().status(status).form(ErrorForm::Html);
        let failed = world.fails(vec![rule()], refresh).await;
        assert!(
            matches!(
                failed,
                Error::BadAnswer { .. } | Error::Refused { .. } | Error::ServerBusy { .. }
            ),
            "{status}: {failed:?}"
        );
        world.fails(vec![rule()], index).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_length_never_makes_a_file() {
    let world = world().await;
    for delta in [1_i64, 100_000, -1, -100_000] {
        let rule = Rule::on("bin").wrong_length(delta);
        let failed = world
            .fails(vec![rule], async |_: &Pocket| world.get().await)
            .await;
        assert!(
            matches!(
                failed,
                Error::ContentMismatch { .. } | Error::Offline { .. }
            ),
            "{delta}: {failed:?}"
        );
    }
    // What a lie left behind may be used and may not, but the file is the file.
    assert!((1..=2 * FILM).contains(&world.get().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_hash_or_a_flipped_byte_never_makes_a_file() {
    let world = world().await;
    let rule = Rule::on("bin").flip_byte(FILM / 2);
    let failed = world
        .fails(vec![rule], async |_: &Pocket| world.get().await)
        .await;
    assert!(
        matches!(failed, Error::ContentMismatch { .. }),
        "{failed:?}"
    );
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").flip_byte(FILM / 2).once());
    assert_eq!(
        world.get().await.unwrap(),
        2 * FILM,
        "one bad transfer is made good by the next, and both count"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_cut_at_any_of_ten_places_is_an_error_when_it_lasts_and_continued_when_it_does_not()
{
    let world = world().await;
    for place in [
        0,
        1,
        1000,
        16_384,
        65_536,
        262_144,
        FILM / 3,
        FILM / 2,
        FILM - 65_537,
        FILM - 1,
    ] {
        world.pocket.lose_content();
        let always = Rule::on("bin").ignore_range().cut_after(place);
        let failed = world
            .fails(vec![always], async |_: &Pocket| world.get().await)
            .await;
        assert!(
            matches!(failed, Error::Offline { .. }),
            "{place}: {failed:?}"
        );
        world.get().await.unwrap();
        world.pocket.lose_content();
        world.cloud.reset_counts();
        world
            .cloud
            .trouble()
            .add(Rule::on("bin").cut_after(place).once());
        let fetched = world.get().await.unwrap();
        world.cloud.trouble().clear();
        let sent = world.cloud.counts().content_bytes["Sync/bin"];
        assert!(
            fetched >= FILM && fetched <= sent,
            "{place}: {fetched} of {sent}"
        );
        assert!(
            sent <= FILM + (1 << 20),
            "{place}: no more than the break lost is sent again: {sent}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_always_breaks_gives_up_and_the_next_call_goes_on() {
    let world = world().await;
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").cut_after(100_000).times(1));
    world.cloud.trouble().add(Rule::on("bin").cut_after(0));
    let failed = world.get().await.unwrap_err();
    assert!(matches!(failed, Error::Offline { .. }), "{failed:?}");
    world.cloud.trouble().clear();
    let fetched = world.get().await.unwrap();
    assert!((FILM - 100_000..FILM).contains(&fetched), "{fetched}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ignores_ranges_and_always_breaks_is_given_up() {
    let world = world().await;
    let rule = Rule::on("bin").ignore_range().cut_after(FILM / 2);
    let failed = world
        .fails(vec![rule], async |_: &Pocket| world.get().await)
        .await;
    assert!(matches!(failed, Error::Offline { .. }), "{failed:?}");
    let sent = world.cloud.counts().content_bytes["Sync/bin"];
    assert!(sent <= 6 * FILM / 2, "it is not fetched for ever: {sent}");
    world.cloud.trouble().add(Rule::on("bin").ignore_range());
    assert_eq!(
        world.get().await.unwrap(),
        FILM,
        "and where it does not break it serves"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_service_is_asked_again_and_then_named() {
    let world = world().await;
    for status in [429, 500, 502, 503, 504] {
        world
            .cloud
            .trouble()
            .add(Rule::on_all().status(status).times(2));
        refresh(&world.pocket).await.unwrap();
        world.cloud.trouble().clear();
    }
    let failed = world.fails(vec![Rule::on_all().status(503)], refresh).await;
    assert!(
        matches!(failed, Error::ServerBusy { status: 503, .. }),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_changed_while_it_is_read_is_never_a_mix() {
    let world = world().await;
    let other: Vec<u8> = (0..FILM as u32 + 5).map(|n| (n % 251) as u8).collect();
    let content = other.clone();
    world.cloud.trouble().add(Rule::on("bin").once().strike(
        local_cloud::Moment::AtByte(FILM / 2),
        move |writer| {
            writer.put("/Jotta/Sync/film.mp4", &content).unwrap();
        },
    ));
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").once().cut_after(FILM / 2 + 1));
    assert_eq!(world.pocket.item("Sync/film.mp4").unwrap().size, Some(FILM));
    world.get().await.unwrap();
    assert_eq!(
        world.pocket.item("Sync/film.mp4").unwrap().size,
        Some(other.len() as u64)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_obeyed_before_the_start_and_during_the_wait_between_tries() {
    let world = world().await;
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let docs = world.pocket.item("Sync/Docs").unwrap();
    world.cloud.reset_counts();
    assert_eq!(
        world
            .pocket
            .drive
            .catalog()
            .refresh(&docs.id, &cancelled)
            .await,
        Err(Error::Cancelled)
    );
    assert_eq!(world.cloud.counts().requests.values().sum::<u64>(), 0);

    world
        .cloud
        .trouble()
        .add(Rule::on_all().delay(Duration::from_secs(60)));
    let cancel = CancelToken::new();
    let stop = cancel.clone();
    let stopper = async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
        Instant::now()
    };
    let (refreshed, asked) = join(
        world.pocket.drive.catalog().refresh(&docs.id, &cancel),
        stopper,
    )
    .await;
    assert_eq!(refreshed, Err(Error::Cancelled));
    assert!(asked.elapsed() < Duration::from_secs(10));
}

async fn join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    tokio::join!(a, b)
}
