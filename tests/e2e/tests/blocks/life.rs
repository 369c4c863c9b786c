//! Damage, pauses, full disks, and what is handed out.

use crate::small_disk::SmallDisk;
use crate::world::*;
use local_cloud::Rule;
use lomme::Error;
use lomme::content::Hint;
use lomme_e2e::{blocks_here, walk};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

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
