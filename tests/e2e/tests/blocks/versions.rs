//! Never bytes of two versions, whatever the service does.

use crate::world::*;
use local_cloud::{Moment, Rule};
use lomme::catalog::Space;
use lomme::content::Hint;
use lomme::{CancelToken, Error};
use lomme_e2e::blocks_here;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_file_that_another_writer_changes_gives_version_gone_and_never_a_mix() {
    for moment in [
        Moment::BeforeWork,
        Moment::BeforeAnswer,
        Moment::AtByte(1000),
    ] {
        let world = World::new(2 * MIB);
        let reader = world.reader(Hint::Unknown);
        let before = reader.read_at(0, 65_536).unwrap();
        let other = another(world.size);
        let strike = move |writer: &local_cloud::Writer| {
            writer.put(FILM, &other).unwrap();
        };
        let rule = Rule::on("bin").once().strike(moment, strike);
        world.cloud.trouble().add(rule);
        match reader.read_at(MIB, 65_536) {
            // It was confirmed before the other writer came.
            Ok(bytes) if matches!(moment, Moment::AtByte(_)) => {
                assert!(world.is_film(MIB, &bytes), "{moment:?}");
            }
            got => {
                assert_eq!(got.err(), Some(Error::VersionGone), "{moment:?}");
                assert_eq!(blocks_here(&world.pocket.slots()), 1, "{moment:?}");
            }
        }
        assert_eq!(reader.read_at(MIB + 900_000, 10), Err(Error::VersionGone));
        assert!(reader.read_at(0, 65_536).unwrap() == before, "{moment:?}");
        world.cloud.reset_counts();
        assert_eq!(reader.read_at(MIB + 700_000, 10), Err(Error::VersionGone));
        assert_eq!(world.sent(), 0, "{moment:?}: it is not asked for again");
        // The catalogue has found out behind the reader's back.
        let version = reader.content_version().to_owned();
        wait_until(|| {
            let item = world.pocket.item("Sync/film.mp4").unwrap();
            item.content_version != Some(version.clone())
        });
        let reader = world.reader(Hint::Unknown);
        let bytes = reader.read_at(MIB, 65_536).unwrap();
        let other = another(world.size);
        assert!(bytes == other[MIB as usize..][..65_536], "{moment:?}");
    }
}

#[test]
fn content_that_comes_back_after_another_is_confirmed_by_its_revision_only() {
    let world = World::new(2 * MIB);
    let reader = world.reader(Hint::Random);
    let film = reader.read_at(0, 65_536).unwrap();
    assert!(world.is_film(0, &film));
    let other = another(world.size);
    world.cloud.trouble().add(
        Rule::on("bin")
            .once()
            .strike(Moment::BeforeWork, move |writer| {
                writer.put(FILM, &other).unwrap();
            }),
    );
    let size = world.size;
    world.cloud.trouble().add(
        Rule::on("get")
            .once()
            .strike(Moment::BeforeWork, move |writer| {
                writer.put_generated(FILM, 7, size, THEN).unwrap();
            }),
    );
    let bytes = reader.read_at(MIB, 65_536).unwrap();
    assert!(world.is_film(MIB, &bytes), "what lay between is dropped");
    assert_eq!(world.requests("bin"), 3);
}

#[test]
fn a_writer_who_never_rests_gives_a_reader_no_mix() {
    let world = World::new(2 * MIB);
    let (film, other) = (content(7, 0, world.size), another(world.size));
    let writer = world.cloud.writer();
    let stop = AtomicI64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while stop.load(Ordering::SeqCst) == 0 {
                writer.put(FILM, &other).unwrap();
                std::thread::sleep(Duration::from_millis(3));
                writer.put_generated(FILM, 7, world.size, THEN).unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let (mut seed, mut good) = (3, 0);
        let until = Instant::now() + Duration::from_secs(4);
        while Instant::now() < until {
            drop(wait(
                world
                    .pocket
                    .drive
                    .catalog()
                    .refresh(&Space::Sync.root(), &CancelToken::new()),
            ));
            let reader = world.reader(Hint::Random);
            let item = world.pocket.item("Sync/film.mp4").unwrap();
            for _ in 0..5 {
                let offset = random(&mut seed, world.size - BLOCK) as usize;
                let Ok(bytes) = reader.read_at(offset as u64, BLOCK as u32) else {
                    continue;
                };
                let both = [&film, &other].map(|all| bytes == all[offset..offset + BLOCK as usize]);
                assert!(both[0] || both[1], "a mix");
                let is_film = item.content_version.as_deref() == Some(reader.content_version());
                good += u32::from(is_film);
            }
            drop(reader);
            world.pocket.lose_content();
        }
        stop.store(1, Ordering::SeqCst);
        assert!(good > 0, "some reads went well");
    });
}

#[test]
fn a_range_of_a_file_of_another_length_is_not_believed() {
    let world = World::new(2 * MIB);
    let reader = world.reader(Hint::Random);
    world
        .cloud
        .writer()
        .put_generated(FILM, 8, 3 * MIB, THEN)
        .unwrap();
    assert_eq!(reader.read_at(MIB, 100), Err(Error::VersionGone));
    let shorter = World::new(2 * MIB);
    let reader = shorter.reader(Hint::Random);
    shorter.cloud.writer().put(FILM, b"short").unwrap();
    assert_eq!(reader.read_at(MIB, 100), Err(Error::VersionGone));
    assert_eq!(blocks_here(&world.pocket.slots()), 0);
    assert_eq!(blocks_here(&shorter.pocket.slots()), 0);
}

#[test]
fn a_lie_about_the_length_of_a_range_is_not_believed() {
    for delta in [1, -1, 70_000, -70_000] {
        let world = World::new(2 * MIB);
        let reader = world.reader(Hint::Random);
        world
            .cloud
            .trouble()
            .add(Rule::on("bin").wrong_length(delta));
        let failed = reader.read_at(MIB, 100).unwrap_err();
        let fits = matches!(failed, Error::BadAnswer { .. } | Error::Offline { .. });
        assert!(fits, "{delta}: {failed:?}");
        assert_eq!(blocks_here(&world.pocket.slots()), 0);
    }
}

#[test]
fn a_file_that_moves_is_read_on() {
    let world = World::new(2 * MIB);
    wait(
        world
            .pocket
            .drive
            .catalog()
            .refresh(&Space::Sync.root(), &CancelToken::new()),
    )
    .unwrap();
    let reader = world.reader(Hint::Random);
    reader.read_at(0, 100).unwrap();
    let writer = world.cloud.writer();
    writer.move_(FILM, "/Jotta/Sync/moved.mp4").unwrap();
    let bytes = reader.read_at(MIB, 100).unwrap();
    assert!(world.is_film(MIB, &bytes));
    writer.remove("/Jotta/Sync/moved.mp4").unwrap();
    assert_eq!(reader.read_at(MIB + 500_000, 100), Err(Error::VersionGone));
    assert!(reader.read_at(MIB, 100).unwrap() == bytes);
}

#[test]
fn a_service_that_knows_no_ranges_still_serves_within_bounds() {
    let world = World::new(24 * MIB);
    world.cloud.trouble().add(Rule::on("bin").ignore_range());
    let reader = world.reader(Hint::Random);
    let bytes = reader.read_at(2 * MIB, 100).unwrap();
    assert!(world.is_film(2 * MIB, &bytes));
    let far = reader.read_at(20 * MIB, 100).unwrap_err();
    assert!(matches!(far, Error::BadAnswer { .. }), "{far:?}");
    drop(reader);
    world.cloud.reset_counts();
    world.fetch().unwrap();
    assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
    assert!(world.sent() <= 4 * world.size, "{}", world.sent());
}

#[test]
fn a_player_is_told_within_two_seconds_that_the_version_is_gone() {
    let world = World::new(16 * MIB);
    let reader = world.reader(Hint::Streaming);
    reader.read_at(0, BLOCK as u32).unwrap();
    world
        .cloud
        .writer()
        .put(FILM, &another(world.size))
        .unwrap();
    let struck = Instant::now();
    let gone = loop {
        let n = 16 + struck.elapsed().as_millis() as u64 / 50;
        match reader.read_at(n * BLOCK, 1000) {
            Ok(_) => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => break error,
        }
        assert!(struck.elapsed() < Duration::from_secs(4));
    };
    assert_eq!(gone, Error::VersionGone);
    let reader = world.reader(Hint::Random);
    if let Ok(kept) = reader.read_at(16 * BLOCK, 1000) {
        let other = another(17 * BLOCK);
        assert!(kept == other[16 * BLOCK as usize..][..1000] || world.is_film(16 * BLOCK, &kept));
    }
}
