//! What reads and fetches cost, in bytes, requests and time.

use crate::world::*;
use local_cloud::Rule;
use lomme::content::{Hint, Purpose};
use lomme::{CancelToken, Drive, Error};
use lomme_e2e::blocks_here;
use std::time::{Duration, Instant};

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
