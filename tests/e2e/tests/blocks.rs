//! Any part of a file: what it costs, and that it is always of one version.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Moment, Rule};
use lomme::catalog::{ItemId, Space};
use lomme::content::{Fetched, Hint, Purpose, Reader};
use lomme::disk::{BlockFile, Disk, OwnFile, RealDisk};
use lomme::{CancelToken, Drive, Error};
use lomme_e2e::{Pocket, blocks_here, walk};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const BLOCK: u64 = 64 * KIB;
const FILM: &str = "/Jotta/Sync/film.mp4";
const THEN: i64 = 1_700_000_000_000;

fn wait<T>(future: impl Future<Output = T>) -> T {
    lomme::runtime().block_on(future)
}

/// A cloud with one film, and a pocket that knows it.
struct World {
    cloud: Cloud,
    pocket: Pocket,
    film: ItemId,
    size: u64,
}

impl World {
    fn new(size: u64) -> Self {
        Self::with(size, RealDisk)
    }

    fn with(size: u64, disk: impl Disk + 'static) -> Self {
        let cloud = Cloud::start(CloudOptions::default()).unwrap();
        cloud.writer().put_generated(FILM, 7, size, THEN).unwrap();
        let pocket = Pocket::with(|options| options.disk = Arc::new(disk)).unwrap();
        let token = cloud.login_token().unwrap();
        wait(pocket.sign_in(&token)).unwrap();
        wait(pocket.index(Space::Sync)).unwrap();
        let film = pocket.item("Sync/film.mp4").unwrap().id;
        cloud.reset_counts();
        Self {
            cloud,
            pocket,
            film,
            size,
        }
    }

    fn reader(&self, hint: Hint) -> Reader {
        let content = self.pocket.drive.content();
        let reader = content
            .open_reader(&self.film, None, Purpose::Stream)
            .unwrap();
        reader.hint(hint);
        reader
    }

    fn fetch(&self) -> Result<Fetched, Error> {
        let content = self.pocket.drive.content();
        wait(content.fetch_to_file(
            &self.film,
            None,
            &self.dest(),
            Purpose::Open,
            None,
            &CancelToken::new(),
        ))
    }

    fn dest(&self) -> PathBuf {
        self.pocket.outer.path().join("film")
    }

    fn sent(&self) -> u64 {
        self.cloud.counts().content_of("Sync")
    }

    fn requests(&self, kind: &str) -> u64 {
        self.cloud.counts().requests_of(kind)
    }

    /// The content of the film that it began with.
    fn is_film(&self, offset: u64, bytes: &[u8]) -> bool {
        bytes == content(7, offset, bytes.len() as u64)
    }

    /// Damages the file of the slot that ends so, with the file's bytes in the hand.
    fn damage(&self, end: &str, how: impl Fn(&mut Vec<u8>)) {
        let files = walk(&self.pocket.slots()).into_keys();
        for path in files.filter(|path| path.extension().is_some_and(|e| e == end)) {
            let mut bytes = std::fs::read(&path).unwrap();
            how(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

/// Generated content, as the cloud makes it.
fn content(seed: u64, offset: u64, len: u64) -> Vec<u8> {
    thread_local! {
        static MAKER: Cloud = Cloud::start(CloudOptions::default()).unwrap();
    }
    MAKER.with(|maker| {
        let path = format!("/Jotta/Archive/{seed}-{}", offset + len);
        let writer = maker.writer();
        if writer.entry(&path).unwrap().is_none() {
            writer
                .put_generated(&path, seed, offset + len, THEN)
                .unwrap();
        }
        writer.read(&path).unwrap()[offset as usize..].to_vec()
    })
}

fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 16) % below
}

#[test]
fn random_reads_cost_at_most_twice_what_was_asked_and_nothing_is_read_ahead() {
    let world = World::new(40 * MIB);
    let whole = content(7, 0, world.size);
    let reader = world.reader(Hint::Unknown);
    let mut seed = 1;
    let (mut asked, count) = (0, 60);
    for _ in 0..count {
        let offset = random(&mut seed, world.size - BLOCK);
        let bytes = reader.read_at(offset, BLOCK as u32).unwrap();
        assert!(bytes == whole[offset as usize..(offset + BLOCK) as usize]);
        asked += BLOCK;
    }
    assert!(world.sent() <= 2 * asked, "{} for {asked}", world.sent());
    assert!(world.requests("bin") <= count);
    reader.close();
    let ledger = world.pocket.drive.content().ledger().unwrap();
    let counted: u64 = ledger.iter().map(|row| row.bytes).sum();
    assert_eq!(counted, world.sent());
}

#[test]
fn reads_from_front_to_back_are_read_ahead_in_few_requests_and_every_byte_comes_once() {
    let world = World::new(12 * MIB + 5);
    let whole = content(7, 0, world.size);
    let reader = world.reader(Hint::Unknown);
    let mut at = 0;
    while at < world.size {
        let bytes = reader.read_at(at, 50_000).unwrap();
        assert!(
            bytes == whole[at as usize..at as usize + bytes.len()],
            "{at}"
        );
        assert!(bytes.len() == 50_000 || at + bytes.len() as u64 == world.size);
        at += bytes.len() as u64;
    }
    assert_eq!(world.sent(), world.size);
    assert!(world.requests("bin") <= 14, "{}", world.requests("bin"));
    assert_eq!(reader.read_at(world.size, 10).unwrap(), b"");
    assert_eq!(reader.read_at(u64::MAX, 10).unwrap(), b"");
    let too_much = reader.read_at(0, 131_073).unwrap_err();
    assert!(matches!(too_much, Error::InvalidArgument { .. }));
    world.cloud.reset_counts();
    assert_eq!(world.fetch().unwrap().fetched, 0, "all blocks are here");
    assert_eq!(world.requests("bin"), 0);
    assert!(std::fs::read(world.dest()).unwrap() == whole);
}

#[test]
fn a_jump_ends_what_was_asked_for_ahead() {
    let world = World::new(40 * MIB);
    let reader = world.reader(Hint::Sequential);
    for n in 0..20 {
        reader.read_at(n * 64 * KIB, 65_536).unwrap();
    }
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(MIB));
    // The next window is four times as long as this test would wait for.
    for n in 20..40 {
        reader.read_at(n * 64 * KIB, 65_536).unwrap();
    }
    reader.hint(Hint::Random);
    let begun = world.sent();
    reader.read_at(30 * MIB, 65_536).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let after = world.sent() - begun;
    assert!(after < MIB, "{after} more came");
}

#[test]
fn many_readers_of_one_block_make_one_request() {
    let world = World::new(4 * MIB);
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").delay(Duration::from_millis(300)));
    let readers: Vec<_> = (0..8).map(|_| world.reader(Hint::Random)).collect();
    std::thread::scope(|scope| {
        for reader in &readers {
            for _ in 0..2 {
                scope.spawn(|| {
                    let bytes = reader.read_at(MIB + 100, 30_000).unwrap();
                    assert!(world.is_film(MIB + 100, &bytes));
                });
            }
        }
    });
    assert_eq!((world.requests("bin"), world.sent()), (1, BLOCK));
}

#[test]
fn the_first_byte_is_two_round_trips_away() {
    let world = World::new(4 * MIB);
    let reader = world.reader(Hint::Random);
    reader.read_at(0, 10).unwrap();
    let trip = Duration::from_millis(250);
    world.cloud.trouble().add(Rule::on_all().delay(trip));
    let begun = Instant::now();
    reader.read_at(2 * MIB, 10).unwrap();
    let took = begun.elapsed();
    assert!(took >= 2 * trip, "not before it was confirmed: {took:?}");
    assert!(took < 3 * trip, "{took:?}");
}

#[test]
fn a_small_file_is_one_request_and_a_second_time_none() {
    let world = World::new(50 * KIB);
    assert_eq!(world.fetch().unwrap().fetched, 50 * KIB);
    let requests: u64 = world.cloud.counts().requests.values().sum();
    assert_eq!((requests, world.requests("bin")), (1, 1));
    std::fs::remove_file(world.dest()).unwrap();
    let file = world.pocket.item("Sync/film.mp4").unwrap();
    world.cloud.stop();
    let again = wait(world.pocket.drive.content().fetch_to_file(
        &world.film,
        None,
        &world.pocket.outer.path().join("film"),
        Purpose::Open,
        None,
        &CancelToken::new(),
    ));
    let again = again.unwrap();
    assert_eq!(
        (again.fetched, again.item.content_version),
        (0, file.content_version)
    );
}

#[test]
fn what_is_here_is_read_without_a_network_and_the_rest_says_that_there_is_none() {
    let world = World::new(4 * MIB);
    let before = world.reader(Hint::Random);
    let bytes = before.read_at(MIB, 100_000).unwrap();
    drop(before);
    world.cloud.trouble().add(Rule::on_all().status(503));
    let (size, film) = (world.size, world.film.clone());
    world.cloud.stop();
    let content = world.pocket.drive.content();
    let reader = content.open_reader(&film, None, Purpose::Stream).unwrap();
    assert_eq!(reader.size(), size);
    assert!(reader.read_at(MIB, 100_000).unwrap() == bytes);
    let begun = Instant::now();
    let missing = reader.read_at(3 * MIB, 10).unwrap_err();
    assert!(matches!(missing, Error::Offline { .. }), "{missing:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_damaged_block_is_found_and_fetched_again() {
    let world = World::new(4 * MIB);
    let read = |offset| {
        let reader = world.reader(Hint::Random);
        let bytes = reader.read_at(offset, 1000).unwrap();
        assert!(world.is_film(offset, &bytes));
    };
    read(MIB);
    assert_eq!(world.sent(), BLOCK);
    world.damage("data", |bytes| bytes[MIB as usize + 40_000] ^= 1);
    read(MIB);
    assert_eq!(world.sent(), 2 * BLOCK);
    world.damage("map", |bytes| bytes[64 + 32 * 16 + 3] ^= 1);
    read(MIB);
    assert_eq!(world.sent(), 3 * BLOCK);
    world.damage("data", |bytes| bytes.truncate(MIB as usize + 17));
    read(MIB);
    assert_eq!(world.sent(), 4 * BLOCK);
    world.damage("map", |bytes| bytes.clear());
    read(MIB);
    assert_eq!(world.sent(), 5 * BLOCK);
    read(MIB);
    assert_eq!(world.sent(), 5 * BLOCK);
}

#[test]
fn a_whole_file_that_was_damaged_is_mended_before_it_is_handed_out() {
    let world = World::new(12 * MIB);
    world.fetch().unwrap();
    for (damaged, mended) in [(1, 1), (60, 60)] {
        world.cloud.reset_counts();
        world.damage("data", |bytes| {
            for n in 0..damaged {
                bytes[(n * 3 * BLOCK) as usize] ^= 1;
            }
        });
        let got = world.fetch().unwrap();
        assert_eq!(got.fetched, mended * BLOCK);
        assert_eq!(world.sent(), mended * BLOCK);
        assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
    }
}

#[test]
fn blocks_that_were_read_are_not_fetched_again_with_the_whole_in_any_process() {
    let mut world = World::new(12 * MIB);
    let reader = world.reader(Hint::Random);
    for n in [0, 3, 5, 11] {
        reader.read_at(n * MIB, 65_536).unwrap();
    }
    drop(reader);
    world.pocket.reopen().unwrap();
    assert_eq!(world.fetch().unwrap().fetched, 12 * MIB - 4 * BLOCK);
    assert_eq!(world.sent(), 12 * MIB);
    assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
}

#[test]
fn two_drives_on_one_directory_use_each_others_blocks() {
    let world = World::new(4 * MIB);
    let other = Drive::open(world.pocket.options.clone()).unwrap();
    let here = world.reader(Hint::Random);
    let open = |drive: &Drive| {
        let content = drive.content();
        content
            .open_reader(&world.film, None, Purpose::Stream)
            .unwrap()
    };
    let there = open(&other);
    there.hint(Hint::Random);
    for n in 0..30 {
        let (one, two) = if n % 2 == 0 {
            (&here, &there)
        } else {
            (&there, &here)
        };
        let first = one.read_at(n * BLOCK, 65_536).unwrap();
        assert!(two.read_at(n * BLOCK, 65_536).unwrap() == first);
        assert!(world.is_film(n * BLOCK, &first));
    }
    assert_eq!(world.sent(), 30 * BLOCK);
    std::thread::scope(|scope| {
        for reader in [&here, &there] {
            scope.spawn(|| {
                for n in 30..64 {
                    let bytes = reader.read_at(n * BLOCK, 65_536).unwrap();
                    assert!(world.is_film(n * BLOCK, &bytes));
                }
            });
        }
    });
    drop((here, there));
    assert_eq!(world.fetch().unwrap().fetched, 0);
}

/// Content of the same length as the film's.
fn another(size: u64) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

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
fn a_body_that_breaks_is_read_on() {
    let world = World::new(40 * MIB);
    let reader = world.reader(Hint::Sequential);
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").times(3).cut_after(100_000));
    for n in 0..10 {
        let bytes = reader.read_at(n * BLOCK, BLOCK as u32).unwrap();
        assert!(world.is_film(n * BLOCK, &bytes));
    }
    world.cloud.trouble().add(Rule::on("bin").cut_after(10));
    let failed = reader.read_at(30 * MIB, 10).unwrap_err();
    assert!(matches!(failed, Error::Offline { .. }), "{failed:?}");
}

#[test]
fn a_player_confirms_the_version_only_now_and_then() {
    let world = World::new(16 * MIB);
    let reader = world.reader(Hint::Streaming);
    let begun = Instant::now();
    for n in 0..256 {
        let bytes = reader.read_at(n * BLOCK, BLOCK as u32).unwrap();
        assert_eq!(bytes.len() as u64, BLOCK);
    }
    let asked = world.requests("get");
    assert!(
        asked <= 2 + begun.elapsed().as_secs(),
        "{asked} in {:?}",
        begun.elapsed()
    );
    drop(reader);
    // What came is confirmed in the end, and kept.
    wait_until(|| blocks_here(&world.pocket.slots()) == 256);
    assert_eq!(world.sent(), world.size);
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

#[cfg(target_os = "linux")]
#[test]
fn a_pause_closes_the_files_of_readers_and_a_resume_lets_them_go_on() {
    let world = World::new(4 * MIB);
    let reader = world.reader(Hint::Random);
    reader.read_at(0, 100).unwrap();
    assert!(!open_below(world.pocket.outer.path()).is_empty());
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").delay(Duration::from_secs(60)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| reader.read_at(MIB, 100));
        wait_until(|| world.requests("bin") == 2);
        world.pocket.drive.pause(Duration::from_secs(5)).unwrap();
        assert_eq!(waiting.join().unwrap(), Err(Error::Paused));
    });
    assert_eq!(open_below(world.pocket.outer.path()), Vec::<PathBuf>::new());
    assert_eq!(reader.read_at(0, 100), Err(Error::Paused));
    reader.hint(Hint::Unknown);
    world.cloud.trouble().clear();
    world.pocket.drive.resume().unwrap();
    let bytes = reader.read_at(0, 100).unwrap();
    assert!(world.is_film(0, &bytes));
    assert!(world.is_film(MIB, &reader.read_at(MIB, 100).unwrap()));
    world.pocket.drive.close().unwrap();
    assert_eq!(open_below(world.pocket.outer.path()), Vec::<PathBuf>::new());
    assert_eq!(reader.read_at(0, 100), Err(Error::Closed));
}

#[test]
fn a_reader_of_an_account_that_has_left_gives_nothing_and_leaves_nothing() {
    let world = World::new(4 * MIB);
    let reader = world.reader(Hint::Random);
    reader.read_at(0, 100).unwrap();
    world.pocket.drive.sign_out().unwrap();
    assert!(reader.read_at(0, 100).is_err());
    assert!(reader.read_at(MIB, 100).is_err());
    assert_eq!(walk(&world.pocket.slots()).len(), 0);
}

#[test]
fn a_cancel_ends_the_reads_that_wait_and_a_close_all_of_them() {
    let world = World::new(4 * MIB);
    let reader = world.reader(Hint::Random);
    world
        .cloud
        .trouble()
        .add(Rule::on("bin").delay(Duration::from_secs(60)));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting = [0, MIB].map(|at| {
            scope.spawn({
                let reader = &reader;
                move || reader.read_at(at, 10)
            })
        });
        wait_until(|| world.requests("bin") == 2);
        reader.cancel();
        for waited in waiting {
            assert_eq!(waited.join().unwrap(), Err(Error::Cancelled));
        }
        world.cloud.trouble().clear();
        assert!(reader.read_at(0, 10).is_ok(), "later reads work");
        reader.close();
        assert_eq!(reader.read_at(0, 10), Err(Error::Cancelled));
    });
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_large_file_leaves_the_cache_with_its_caller_and_a_small_one_stays() {
    let world = World::new(20 * MIB);
    world.fetch().unwrap();
    assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
    let left = walk(&world.pocket.slots());
    let held = left.values().sum::<u64>();
    let reflinks = held > 0;
    assert!(reflinks || left.is_empty(), "{left:?}");
    let small = World::new(MIB);
    small.fetch().unwrap();
    assert_eq!(blocks_here(&small.pocket.slots()), 16);
    let open = World::new(20 * MIB);
    let reader = open.reader(Hint::Random);
    reader.read_at(0, 10).unwrap();
    open.fetch().unwrap();
    open.cloud.reset_counts();
    assert!(open.is_film(9 * MIB, &reader.read_at(9 * MIB, 10).unwrap()));
    assert_eq!(open.sent(), 0, "what somebody has open stays");
}

#[test]
fn what_is_handed_out_shares_nothing_with_the_cache() {
    let world = World::new(MIB);
    world.fetch().unwrap();
    std::fs::write(world.dest(), b"the caller's own").unwrap();
    let reader = world.reader(Hint::Random);
    assert!(world.is_film(0, &reader.read_at(0, 1000).unwrap()));
    world.cloud.reset_counts();
    world.fetch().unwrap();
    assert_eq!(world.sent(), 0);
    assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
}

/// A disk that is full after so many bytes of blocks.
#[derive(Clone)]
struct SmallDisk(Arc<AtomicI64>);

struct SmallFile(Box<dyn BlockFile>, Arc<AtomicI64>);

impl Disk for SmallDisk {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dirs(dir)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        RealDisk.open_append(path)
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        RealDisk.open_read(path)
    }
    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        RealDisk.len(path)
    }
    fn written_ms(&self, path: &Path) -> io::Result<Option<i64>> {
        RealDisk.written_ms(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        RealDisk.names(dir)
    }
    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        let file = RealDisk.open_blocks(path, create)?;
        Ok(Box::new(SmallFile(file, self.0.clone())))
    }
    fn clone_file(&self, _from: &Path, _to: &Path) -> io::Result<bool> {
        Ok(false)
    }
    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_space(dir)
    }
}

impl BlockFile for SmallFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.1.fetch_sub(bytes.len() as i64, Ordering::SeqCst) < bytes.len() as i64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write_at(bytes, offset)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn disk_bytes(&self) -> io::Result<u64> {
        self.0.disk_bytes()
    }
    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
    fn try_lock(&self, alone: bool) -> io::Result<bool> {
        self.0.try_lock(alone)
    }
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.0.is_at(path)
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_half_written_counts() {
    for size in [4 * MIB, 24 * MIB] {
        let disk = SmallDisk(Arc::new(AtomicI64::new(2 * MIB as i64)));
        let world = World::with(size, disk.clone());
        assert_eq!(world.fetch().err(), Some(Error::DiskFull), "{size}");
        assert!(!world.dest().exists());
        let reader = world.reader(Hint::Random);
        let full = reader.read_at(size - BLOCK, 100).err();
        assert_eq!(full, Some(Error::DiskFull), "{size}");
        disk.0.store(i64::MAX, Ordering::SeqCst);
        assert!(world.is_film(size - BLOCK, &reader.read_at(size - BLOCK, 100).unwrap()));
        drop(reader);
        world.fetch().unwrap();
        assert!(world.is_film(0, &std::fs::read(world.dest()).unwrap()));
    }
}

/// Open files of this process below `dir`.
#[cfg(target_os = "linux")]
fn open_below(dir: &Path) -> Vec<PathBuf> {
    let dir = dir.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(&dir))
        .collect()
}

fn wait_until(mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain");
}
