#![allow(clippy::unwrap_used)]

mod migrations;

use super::*;
use crate::Error;
use crate::clock::ManualClock;
use crate::disk::{BlockFile, OwnFile, RealDisk};
use rusqlite::Connection;
use std::fs;
use std::io;
use std::sync::mpsc;
use tempfile::TempDir;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn open(dir: &TempDir) -> Store {
    open_at(dir, &ManualClock::at(1_000_000))
}

fn open_at(dir: &TempDir, clock: &ManualClock) -> Store {
    Store::open(
        dir.path(),
        false,
        Arc::new(clock.clone()),
        Arc::new(RealDisk),
    )
    .unwrap()
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn add_bytes(store: &Store, bytes: i64) {
    store
        .journal
        .write(|db| {
            db.execute(
                "INSERT INTO bytes VALUES ('sync', 'open', 'metered', ?1)
                 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
                [bytes],
            )?;
            Ok(())
        })
        .unwrap();
}

fn bytes(store: &Store) -> i64 {
    store
        .journal
        .read(|db| Ok(db.query_row("SELECT bytes FROM bytes", [], |row| row.get(0))?))
        .unwrap()
}

#[cfg(target_os = "linux")]
fn open_files(dir: &TempDir) -> usize {
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.starts_with(dir.path()))
        .count()
}

#[test]
fn settings_outlive_the_store() {
    let dir = TempDir::new().unwrap();
    open(&dir).set_setting("user", Some("anna")).unwrap();
    let store = open(&dir);
    assert_eq!(store.setting("user").unwrap().as_deref(), Some("anna"));
    store.set_setting("user", None).unwrap();
    assert_eq!(store.setting("user").unwrap(), None);
}

#[test]
fn two_stores_share_one_directory() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (open(&dir), open(&dir));
    std::thread::scope(|scope| {
        for store in [&a, &b] {
            scope.spawn(move || {
                for _ in 0..100 {
                    add_bytes(store, 3);
                }
            });
        }
    });
    assert_eq!((bytes(&a), bytes(&b)), (600, 600));
}

#[test]
fn a_mark_keeps_its_first_time_but_for_the_last_opening() {
    let dir = TempDir::new().unwrap();
    let clock = ManualClock::at(1_000);
    let store = open_at(&dir, &clock);
    for mark in [Mark::Pinned, Mark::Opened] {
        assert!(store.set_mark(&[1; 16], mark, true).unwrap());
    }
    clock.advance(500);
    assert!(!store.set_mark(&[1; 16], Mark::Pinned, true).unwrap());
    assert!(store.set_mark(&[1; 16], Mark::Opened, true).unwrap());
    store.set_mark(&[2; 16], Mark::Pinned, true).unwrap();
    assert_eq!(
        store.marked(Mark::Pinned).unwrap(),
        [([2; 16], 1_500), ([1; 16], 1_000)],
        "the newest first"
    );
    assert_eq!(store.mark(&[1; 16], Mark::Opened).unwrap(), Some(1_500));
    assert!(store.set_mark(&[1; 16], Mark::Pinned, false).unwrap());
    assert!(!store.set_mark(&[1; 16], Mark::Pinned, false).unwrap());
    store.forget_all().unwrap();
    assert_eq!(
        store.marked(Mark::Pinned).unwrap(),
        [],
        "not another account's"
    );
}

#[test]
fn a_damaged_journal_is_a_typed_error_and_never_replaced() {
    let dir = TempDir::new().unwrap();
    let garbage = vec![b'x'; 8192];
    fs::write(dir.path().join("journal.db"), &garbage).unwrap();
    let refused = Store::open(
        dir.path(),
        false,
        Arc::new(ManualClock::at(0)),
        Arc::new(RealDisk),
    )
    .err();
    assert!(matches!(refused, Some(Error::StoreDamaged { .. })));
    assert_eq!(fs::read(dir.path().join("journal.db")).unwrap(), garbage);
}

#[test]
fn a_directory_that_cannot_be_used_is_a_typed_error() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let clock = Arc::new(ManualClock::at(0));
    let refused = Store::open(
        &file.join("below"),
        false,
        clock.clone(),
        Arc::new(RealDisk),
    )
    .err();
    assert!(matches!(refused, Some(Error::DiskFailed { .. })));
    // The journal's place is taken by a directory: SQLite cannot open it, whoever asks.
    fs::create_dir(dir.path().join("journal.db")).unwrap();
    let refused = Store::open(dir.path(), false, clock, Arc::new(RealDisk)).err();
    assert!(matches!(refused, Some(Error::DiskFailed { .. })));
}

#[test]
fn a_full_disk_is_a_typed_error_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.set_setting("before", Some("kept")).unwrap();
    let full = store.journal.write(|db| {
        let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        db.execute(
            "INSERT INTO setting VALUES ('big', hex(zeroblob(100000)))",
            [],
        )?;
        Ok(())
    });
    assert_eq!(full, Err(Error::DiskFull));
    assert_eq!(store.setting("before").unwrap().as_deref(), Some("kept"));
    assert_eq!(store.setting("big").unwrap(), None);
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let failed: Result<()> = store.journal.write(|db| {
        db.execute("INSERT INTO setting VALUES ('a', 'b')", [])?;
        Err(Error::Cancelled)
    });
    assert_eq!(failed, Err(Error::Cancelled));
    assert_eq!(store.setting("a").unwrap(), None);
}

#[test]
fn a_write_that_a_power_cut_may_take_back_leaves_the_next_one_durable() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let put = |db: &rusqlite::Transaction<'_>, value: &str| -> Result<()> {
        db.execute("INSERT OR REPLACE INTO setting VALUES ('a', ?1)", [value])?;
        Ok(())
    };
    store.journal.write(|db| put(db, "1")).unwrap();
    assert!(store.journal.is_durable());
    store.journal.write_lightly(|db| put(db, "2")).unwrap();
    assert!(!store.journal.is_durable());
    store.journal.write(|db| put(db, "3")).unwrap();
    assert!(store.journal.is_durable());
}

#[test]
fn a_writer_that_waits_too_long_hears_that_the_store_is_busy() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (open(&dir), open(&dir));
    let (started, wait) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    std::thread::scope(|scope| {
        let a = &a;
        scope.spawn(move || {
            a.journal.write(|_| {
                started.send(()).unwrap();
                ended.recv().unwrap();
                Ok(())
            })
        });
        wait.recv().unwrap();
        let before = Instant::now();
        assert_eq!(b.set_setting("x", Some("y")), Err(Error::StoreBusy));
        assert_eq!(a.set_setting("x", Some("y")), Err(Error::StoreBusy));
        assert!(before.elapsed() < Duration::from_secs(12));
        end.send(()).unwrap();
    });
    b.set_setting("x", Some("y")).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_paused_store_has_no_open_file_and_lets_nobody_in() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.set_setting("user", Some("anna")).unwrap();
    store.catalog.read(|_| Ok(())).unwrap();
    assert!(open_files(&dir) > 0);
    store.pause(Duration::from_secs(1)).unwrap();
    assert_eq!(open_files(&dir), 0);
    assert_eq!(names(&dir), ["catalog-1.db", "journal.db"]);
    assert_eq!(store.setting("user"), Err(Error::Paused));
    assert_eq!(store.catalog.write(|_| Ok(())), Err(Error::Paused));
    store.resume().unwrap();
    assert_eq!(store.setting("user").unwrap().as_deref(), Some("anna"));
}

#[test]
fn a_closed_store_says_so_for_ever() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.pause(Duration::from_secs(1)).unwrap();
    store.close(Duration::from_secs(1)).unwrap();
    assert_eq!(store.setting("user"), Err(Error::Closed));
    store.resume().unwrap();
    store.pause(Duration::from_secs(1)).unwrap();
    assert_eq!(store.setting("user"), Err(Error::Closed));
}

#[cfg(target_os = "linux")]
#[test]
fn a_pause_ends_work_that_does_not_end_by_itself() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let (started, wait) = mpsc::channel();
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| {
            store.catalog.write(|db| {
                started.send(()).unwrap();
                Ok(db.query_row(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                     SELECT count(*) FROM n",
                    [],
                    |row| row.get::<_, i64>(0),
                )?)
            })
        });
        wait.recv().unwrap();
        let before = Instant::now();
        store.pause(Duration::from_millis(100)).unwrap();
        assert!(before.elapsed() < Duration::from_secs(1));
        assert_eq!(open_files(&dir), 0);
        assert_eq!(endless.join().unwrap(), Err(Error::Paused));
    });
}

#[test]
fn a_damaged_catalogue_is_replaced_by_the_next_generation() {
    let dir = TempDir::new().unwrap();
    let clock = ManualClock::at(1_000_000);
    drop(open_at(&dir, &clock));
    fs::write(dir.path().join("catalog-1.db"), vec![b'x'; 8192]).unwrap();
    let store = open_at(&dir, &clock);
    assert_eq!(store.catalog.generation().unwrap(), 2);
    let roots: i64 = store
        .catalog
        .read(|db| Ok(db.query_row("SELECT count(*) FROM item", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(roots, 4);
    assert!(names(&dir).contains(&"catalog-1.db".to_owned()));

    drop(store);
    clock.advance(8 * DAY_MS);
    drop(open_at(&dir, &clock));
    assert!(!names(&dir).contains(&"catalog-1.db".to_owned()));
    assert!(names(&dir).contains(&"catalog-2.db".to_owned()));
}

#[test]
fn a_catalogue_of_another_schema_is_replaced() {
    let dir = TempDir::new().unwrap();
    drop(open(&dir));
    let db = Connection::open(dir.path().join("catalog-1.db")).unwrap();
    db.pragma_update(None, "user_version", 77).unwrap();
    drop(db);
    assert_eq!(open(&dir).catalog.generation().unwrap(), 2);
}

#[test]
fn damage_that_a_read_meets_moves_every_process_to_the_next_generation() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (open(&dir), open(&dir));
    b.catalog.read(|_| Ok(())).unwrap();
    let met: Result<()> = a.catalog.read(|_| {
        Err(Error::StoreDamaged {
            detail: "met".into(),
        })
    });
    assert_eq!(met, Err(Error::StoreBusy));
    let instance = |store: &Store| -> Vec<u8> {
        store
            .catalog
            .read(|db| Ok(db.query_row("SELECT instance FROM meta", [], |row| row.get(0))?))
            .unwrap()
    };
    assert_eq!(b.catalog.generation().unwrap(), 2);
    assert_eq!(instance(&a), instance(&b));
}

#[test]
fn a_lease_has_one_holder_until_it_ends() {
    let dir = TempDir::new().unwrap();
    let clock = ManualClock::at(1_000_000);
    let (a, b) = (open_at(&dir, &clock), open_at(&dir, &clock));
    let ttl = Duration::from_secs(60);
    let first = a.acquire_lease("token", "a", ttl).unwrap().unwrap();
    assert_eq!(b.acquire_lease("token", "b", ttl).unwrap(), None);
    assert_eq!(
        a.acquire_lease("token", "a", ttl).unwrap(),
        Some(first.clone())
    );
    clock.advance(60_001);
    assert!(a.holds(&first).unwrap());
    let second = b.acquire_lease("token", "b", ttl).unwrap().unwrap();
    assert!(second.generation > first.generation);
    assert!(!a.holds(&first).unwrap());
    a.release(&first).unwrap();
    assert!(b.holds(&second).unwrap());
    b.release(&second).unwrap();
    assert!(!b.holds(&second).unwrap());
    let third = a.acquire_lease("token", "a", ttl).unwrap().unwrap();
    assert!(third.generation > second.generation);
}

#[test]
fn a_clock_set_back_does_not_make_a_lease_last_for_ever() {
    let dir = TempDir::new().unwrap();
    let clock = ManualClock::at(100 * DAY_MS);
    let store = open_at(&dir, &clock);
    let ttl = Duration::from_secs(60);
    store.acquire_lease("token", "dead", ttl).unwrap().unwrap();
    clock.advance(-500);
    assert_eq!(store.acquire_lease("token", "me", ttl).unwrap(), None);
    clock.advance(-DAY_MS);
    assert!(store.acquire_lease("token", "me", ttl).unwrap().is_some());
}

#[test]
fn an_identity_is_found_again_by_uuid_or_else_by_place() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let place = |name: &str, uuid| Place {
        parent: [9; 16],
        name: name.into(),
        kind: 3,
        uuid,
    };
    let first = store
        .identify(&[place("a", Some([1; 16])), place("b", None)])
        .unwrap();
    assert_eq!(
        store.identify(&[place("moved", Some([1; 16]))]).unwrap()[0],
        first[0]
    );
    assert_eq!(
        store.identify(&[place("b", Some([2; 16]))]).unwrap()[0],
        first[1]
    );
    assert_ne!(
        store.identify(&[place("b", Some([3; 16]))]).unwrap()[0],
        first[1]
    );
    store.forget(&[first[0]]).unwrap();
    assert_eq!(store.identity(&first[0]).unwrap(), None);
}

#[test]
fn many_processes_may_open_a_new_directory_at_once() {
    for _ in 0..5 {
        let dir = TempDir::new().unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|_| scope.spawn(|| open(&dir))).collect();
            for store in all {
                assert_eq!(store.join().unwrap().catalog.generation().unwrap(), 1);
            }
        });
    }
}

/// Makes, syncs or removes nothing.
struct Full {
    makes: bool,
    syncs: bool,
}

impl Disk for Full {
    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        if self.makes {
            RealDisk.create_dirs(dir)
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OwnFile>> {
        RealDisk.open_append(path)
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn io::Read + Send>> {
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
    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn open_blocks(&self, path: &Path, create: bool) -> io::Result<Box<dyn BlockFile>> {
        RealDisk.open_blocks(path, create)
    }

    fn clone_file(&self, from: &Path, to: &Path) -> io::Result<bool> {
        RealDisk.clone_file(from, to)
    }

    fn free_space(&self, _dir: &Path) -> io::Result<u64> {
        Ok(0)
    }

    fn sync_log(&self, path: &Path) -> io::Result<()> {
        if self.syncs {
            RealDisk.sync_log(path)
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        RealDisk.names(dir)
    }
}

#[test]
fn the_store_makes_and_removes_files_through_the_disk_it_is_given() {
    let dir = TempDir::new().unwrap();
    let clock = ManualClock::at(1_000_000);
    let open_on =
        |disk: Arc<dyn Disk>| Store::open(dir.path(), false, Arc::new(clock.clone()), disk).err();
    assert_eq!(
        open_on(Arc::new(Full {
            makes: false,
            syncs: true
        })),
        Some(Error::DiskFull)
    );
    assert_eq!(names(&dir), [] as [String; 0]);
    assert_eq!(open_on(Arc::new(RealDisk)), None);
    fs::write(dir.path().join("catalog-1.db"), vec![b'x'; 8192]).unwrap();
    assert_eq!(open_on(Arc::new(RealDisk)), None);
    clock.advance(8 * DAY_MS);
    assert_eq!(
        open_on(Arc::new(Full {
            makes: true,
            syncs: true
        })),
        Some(Error::DiskFull)
    );
    assert!(names(&dir).contains(&"catalog-1.db".to_owned()));
    assert_eq!(open_on(Arc::new(RealDisk)), None);
    assert!(!names(&dir).contains(&"catalog-1.db".to_owned()));
}

#[test]
fn what_cannot_be_made_durable_is_not_said_to_be_written() {
    let dir = TempDir::new().unwrap();
    drop(open(&dir));
    let clock = Arc::new(ManualClock::at(1_000_000));
    let disk = Full {
        makes: true,
        syncs: false,
    };
    let written = Store::open(dir.path(), false, clock, Arc::new(disk))
        .and_then(|store| store.set_setting("a", Some("b")));
    assert_eq!(written, Err(Error::DiskFull));
}
