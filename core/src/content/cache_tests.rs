#![allow(clippy::unwrap_used)]
use super::super::slot::{self, SlotFiles};
use super::*;
use crate::catalog::LocalCopy;
use crate::catalog::pocket::{Pocket, d, f};
use crate::disk::RealDisk;
use crate::store::Mark;
use tempfile::TempDir;

const KIB: u64 = 1024;

/// A tree of Sync with `Docs` (`a`, `b`) and `c`, and the slots of it.
struct Room {
    pocket: Pocket,
    dir: TempDir,
    cache: Cache,
}

impl Room {
    fn new() -> Self {
        let pocket = Pocket::new();
        list(&pocket, 1);
        // Seen, so that the ids are in the journal.
        pocket.names(&["Sync", "Docs"], Default::default());
        Self::on(pocket, TempDir::new().unwrap())
    }

    fn on(pocket: Pocket, dir: TempDir) -> Self {
        let cache = Cache::new(
            pocket.store(),
            pocket.catalog.clone(),
            Arc::new(RealDisk),
            dir.path(),
        )
        .unwrap();
        let room = Self { pocket, dir, cache };
        room.limit(u64::MAX, 0);
        room
    }

    /// As after the next start.
    fn reopened(self) -> Self {
        Self::on(self.pocket, self.dir)
    }

    /// The next start finds a damaged catalogue.
    fn rebuilt(self) -> Self {
        let Self { pocket, dir, cache } = self;
        drop(cache);
        Self::on(pocket.rebuilt(), dir)
    }

    fn limit(&self, budget_bytes: u64, free_floor_bytes: u64) -> Evicted {
        let limits = CacheLimits {
            budget_bytes,
            free_floor_bytes,
        };
        self.cache.set_limits(limits).unwrap()
    }

    fn name(&self, path: &[&str]) -> SlotName {
        let item = self.pocket.find(path).unwrap();
        SlotName {
            version: item.content_version.unwrap(),
            id: item.id,
        }
    }

    /// Makes the slot of the file's version of now, with 100 KiB of it here; a second later than the last.
    fn slot(&self, path: &[&str], whole: bool) -> SlotName {
        let name = self.name(path);
        self.pocket.clock.advance(1_000);
        self.cache.enter(&name, Space::Sync, 100 * KIB).unwrap();
        let files = SlotFiles::open(&RealDisk, self.cache.dir(), &name).unwrap();
        files.set_whole(whole).unwrap();
        drop(files);
        self.cache.note(&name, 100 * KIB, whole).unwrap();
        if whole {
            self.pocket
                .catalog
                .note_local(&name.id, &name.version, true)
                .unwrap();
        }
        self.cache.recount();
        name
    }

    fn here(&self, name: &SlotName) -> bool {
        let facts = slot::facts(&RealDisk, self.cache.dir(), name).unwrap();
        let row = self.rows().contains(name);
        assert_eq!(facts.is_some(), row, "files and rows agree");
        row
    }

    fn rows(&self) -> Vec<SlotName> {
        let rows = self.cache.rows_after(None).unwrap();
        rows.iter().map(Row::name).collect()
    }

    fn pin(&self, path: &[&str], on: bool) {
        let id = bytes_of(&self.pocket.id(path)).unwrap();
        self.pocket.store().set_mark(&id, Mark::Pinned, on).unwrap();
        self.cache.recount();
    }

    fn local(&self, path: &[&str]) -> LocalCopy {
        self.pocket.find(path).unwrap().local
    }
}

/// `version` makes other content of the same names.
fn list(pocket: &Pocket, version: u64) {
    pocket.lists(&["Sync"], vec![d("Docs"), f("c", 3, 30 + version)]);
    pocket.lists(
        &["Sync", "Docs"],
        vec![f("a", 1, 10 + version), f("b", 2, 20 + version)],
    );
}

const A: &[&str] = &["Sync", "Docs", "a"];
const B: &[&str] = &["Sync", "Docs", "b"];
const C: &[&str] = &["Sync", "c"];
const DOCS: &[&str] = &["Sync", "Docs"];

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let room = Room::new();
    let (a, b, c) = (room.slot(A, true), room.slot(B, false), room.slot(C, false));
    room.pocket.clock.advance(MINUTE_MS);
    room.cache.used(&a).unwrap();
    let evicted = room.limit(250 * KIB, 0);
    assert_eq!((evicted.files, evicted.bytes), (1, 100 * KIB));
    assert!(room.here(&a) && !room.here(&b) && room.here(&c));
    assert_eq!(room.limit(150 * KIB, 0).files, 1);
    assert!(room.here(&a) && !room.here(&c));
    assert_eq!(room.local(A), LocalCopy::Whole);
    assert_eq!(room.limit(0, 0).files, 1);
    assert_eq!(room.local(A), LocalCopy::Absent);
}

#[test]
fn an_older_version_goes_before_all_else_and_when_the_newest_is_whole() {
    let room = Room::new();
    let (old_c, a, b) = (
        room.slot(C, false),
        room.slot(A, false),
        room.slot(B, false),
    );
    room.pocket.clock.advance(2 * MINUTE_MS);
    room.cache.used(&old_c).unwrap();
    list(&room.pocket, 2);
    let old_a = a;
    room.limit(250 * KIB, 0);
    assert!(!room.here(&old_a), "older versions by their last use too");
    assert!(room.here(&old_c) && room.here(&b));
    let c = room.slot(C, true);
    assert!(room.here(&c) && !room.here(&old_c));
}

#[test]
fn what_is_pinned_itself_or_by_a_folder_above_stays() {
    let room = Room::new();
    let (a, c) = (room.slot(A, true), room.slot(C, true));
    room.pin(DOCS, true);
    room.pin(C, true);
    assert_eq!(
        room.limit(0, 0),
        Evicted {
            kept: 0,
            ..Default::default()
        }
    );
    let reserved = room.cache.reserve(10 * KIB, Purpose::Open).unwrap();
    drop(reserved);
    assert!(room.here(&a) && room.here(&c));
    let kept = room.cache.evict(&room.pocket.id(&["Sync"])).unwrap();
    assert_eq!((kept.files, kept.kept), (0, 2));
    room.pin(DOCS, false);
    let evicted = room.cache.evict(&room.pocket.id(&["Sync"])).unwrap();
    assert_eq!((evicted.files, evicted.kept), (1, 1));
    assert!(!room.here(&a) && room.here(&c));
}

#[test]
fn what_somebody_has_open_stays() {
    let room = Room::new();
    let (a, b) = (room.slot(A, false), room.slot(B, false));
    let open = SlotFiles::open(&RealDisk, room.cache.dir(), &a).unwrap();
    let evicted = room.limit(0, 0);
    assert_eq!((evicted.files, evicted.kept), (1, 1));
    assert!(room.here(&a) && !room.here(&b));
    assert_eq!(room.cache.evict(&a.id).unwrap().kept, 1);
    drop(open);
    assert_eq!(room.cache.evict(&a.id).unwrap().files, 1);
    assert!(!room.here(&a));
}

#[test]
fn a_pinned_copy_that_is_stale_stays_until_its_successor_is_whole() {
    let room = Room::new();
    let old = room.slot(A, true);
    room.pin(DOCS, true);
    list(&room.pocket, 2);
    assert!(matches!(room.local(A), LocalCopy::Stale { .. }));
    assert_eq!(room.cache.evict(&old.id).unwrap().kept, 1);
    let new = room.slot(A, false);
    assert!(room.here(&old) && room.here(&new));
    assert_eq!(room.limit(0, 0).files, 0);
    assert!(room.here(&old));
    let new = room.slot(A, true);
    assert!(!room.here(&old) && room.here(&new));
    assert_eq!(room.local(A), LocalCopy::Whole);
}

#[test]
fn a_new_catalogue_takes_nothing_of_what_is_pinned() {
    let room = Room::new();
    let (a, b, c) = (room.slot(A, true), room.slot(B, true), room.slot(C, true));
    room.pin(DOCS, true);
    let room = room.rebuilt();
    assert!(room.pocket.find(A).is_none(), "nothing is listed yet");
    assert_eq!(room.rows().len(), 3, "adopted");
    let usage = room.cache.usage().unwrap()[0];
    assert_eq!(usage.whole_files, 3);
    assert!(usage.pinned_bytes > 0 && usage.cached_bytes > 0);
    room.limit(0, 0);
    assert!(room.here(&a) && room.here(&b) && !room.here(&c));
    list(&room.pocket, 1);
    room.pocket.names(DOCS, Default::default());
    room.cache.heal_local().unwrap();
    assert_eq!(room.local(A), LocalCopy::Whole);
    assert_eq!(room.name(A), a);
}

#[test]
fn a_catalogue_that_is_replaced_while_we_run_is_noticed_with_the_next_count() {
    let room = Room::new();
    let a = room.slot(A, false);
    let store = room.pocket.store();
    store
        .catalog
        .write(|db| Ok(db.execute_batch("DELETE FROM slot")?))
        .unwrap();
    room.cache.note(&a, 50 * KIB, false).unwrap();
    assert_eq!(room.rows(), [a], "told of, it is adopted");
}

#[test]
fn files_without_a_row_are_adopted_and_rows_without_files_go() {
    let room = Room::new();
    let (a, b) = (room.slot(A, true), room.slot(B, false));
    let (c, nobody) = (
        room.name(C),
        SlotName {
            id: id_text([0xee; 16]),
            version: room.name(C).version,
        },
    );
    // A kill between row and files, of a file that was there and of one that was to come.
    assert!(slot::remove_unused(&RealDisk, room.cache.dir(), &a).unwrap());
    room.cache.enter(&c, Space::Sync, 100).unwrap();
    room.cache.forget(&b).unwrap();
    SlotFiles::open(&RealDisk, room.cache.dir(), &nobody).unwrap();
    let room = room.reopened();
    assert_eq!(
        room.rows().len(),
        2,
        "a row of a moment ago may belong to somebody who makes the files now, unless it was whole"
    );
    room.pocket.clock.advance(MINUTE_MS);
    let room = room.reopened();
    assert_eq!(room.rows(), [b], "adopted");
    assert_eq!(room.local(A), LocalCopy::Absent);
    let files = slot::all(&RealDisk, room.cache.dir()).unwrap();
    assert!(!files.contains(&nobody), "content of what nobody knows");
}

/// Found by killing a pocket 200 times: the row of what had just been used was believed for a minute, and that of a slot
/// which had lost half of its files for ever.
#[test]
fn a_removal_that_a_kill_cuts_off_anywhere_is_no_whole_file_after_it() {
    for cut_off_after in 0..3 {
        let room = Room::new();
        let name = room.slot(&["Sync", "c"], true);
        assert_eq!(room.local(&["Sync", "c"]), LocalCopy::Whole);
        let path = |end: &str| room.cache.dir().join(format!("{}.{end}", name.stem()));
        std::fs::File::create(path("map")).unwrap();
        for end in ["data", "map"].iter().take(cut_off_after) {
            std::fs::remove_file(path(end)).unwrap();
        }
        let room = room.reopened();
        assert_eq!(room.local(&["Sync", "c"]), LocalCopy::Absent);
    }
}

/// As when a large file is moved out to its destination.
#[test]
fn a_slot_whose_data_a_kill_left_elsewhere_is_no_whole_file_after_it() {
    let room = Room::new();
    let name = room.slot(&["Sync", "c"], true);
    let data = room.cache.dir().join(format!("{}.data", name.stem()));
    std::fs::remove_file(data).unwrap();
    let room = room.reopened();
    assert_eq!(room.local(&["Sync", "c"]), LocalCopy::Absent);
}

#[test]
fn what_readers_were_not_told_before_a_kill_they_are_told_at_the_next_start() {
    let room = Room::new();
    let a = room.slot(A, true);
    room.pocket
        .catalog
        .note_local(&a.id, &a.version, false)
        .unwrap();
    let room = room.reopened();
    assert_eq!(room.local(A), LocalCopy::Whole);
    assert!(slot::remove_unused(&RealDisk, room.cache.dir(), &a).unwrap());
    room.cache.forget(&a).unwrap();
    let room = room.reopened();
    assert_eq!(room.local(A), LocalCopy::Absent);
}

#[test]
fn reservations_add_up_and_are_given_back() {
    let room = Room::new();
    let (a, b) = (room.slot(A, false), room.slot(B, false));
    room.limit(320 * KIB, 0);
    let first = room.cache.reserve(100 * KIB, Purpose::Open).unwrap();
    assert!(room.here(&a) && room.here(&b));
    let second = room.cache.reserve(100 * KIB, Purpose::Open).unwrap();
    assert!(!room.here(&a) && room.here(&b), "too much together");
    drop((first, second));
    room.cache.recount();
    let _third = room.cache.reserve(200 * KIB, Purpose::Open).unwrap();
    assert!(room.here(&b), "given back");
}

#[test]
fn a_file_larger_than_the_budget_may_come_and_is_the_first_to_go() {
    let room = Room::new();
    room.limit(50 * KIB, 0);
    let reserved = room.cache.reserve(100 * KIB, Purpose::Open).unwrap();
    let a = room.slot(A, false);
    drop(reserved);
    assert!(room.here(&a));
    let _next = room.cache.reserve(KIB, Purpose::Open).unwrap();
    assert!(!room.here(&a));
}

#[test]
fn what_comes_for_a_pin_does_not_count_against_the_budget() {
    let room = Room::new();
    let c = room.slot(C, false);
    room.limit(100 * KIB, 0);
    let _reserved = room.cache.reserve(1 << 40, Purpose::Pin).err();
    let _reserved = room.cache.reserve(500 * KIB, Purpose::Pin).unwrap();
    assert!(room.here(&c));
}

#[test]
fn nothing_is_promised_that_would_take_the_floor() {
    let room = Room::new();
    let free = room.cache.free_bytes().unwrap();
    room.limit(u64::MAX, free * 2);
    let c = room.slot(C, false);
    let full = room.cache.reserve(1, Purpose::Open);
    assert_eq!(full.err(), Some(Error::DiskFull));
    assert_eq!(room.cache.state().reserved, 0, "nothing is promised");
    room.limit(u64::MAX, free / 2);
    let much = room.cache.reserve(free / 2 + (64 << 20), Purpose::Pin);
    assert_eq!(much.err(), Some(Error::DiskFull));
    let _fits = room.cache.reserve(free / 4, Purpose::Open).unwrap();
    let more = room.cache.reserve(free / 4 + (64 << 20), Purpose::Open);
    assert_eq!(more.err(), Some(Error::DiskFull), "reservations add up");
    assert!(room.here(&c), "nothing is given up for what cannot fit");
}

#[test]
fn a_last_use_is_written_once_a_minute() {
    let room = Room::new();
    let a = room.slot(A, false);
    let used = || -> i64 {
        room.pocket
            .store()
            .catalog
            .read(|db| Ok(db.query_row("SELECT used_ms FROM slot", [], |row| row.get(0))?))
            .unwrap()
    };
    room.cache.used(&a).unwrap();
    let first = used();
    room.pocket.clock.advance(MINUTE_MS - 1);
    room.cache.used(&a).unwrap();
    assert_eq!(used(), first);
    room.pocket.clock.advance(1);
    room.cache.used(&a).unwrap();
    assert_eq!(used(), first + MINUTE_MS);
    room.pocket.clock.advance(-10 * MINUTE_MS);
    room.cache.used(&a).unwrap();
    assert_eq!(used(), first - 9 * MINUTE_MS, "a clock that was set back");
}

#[test]
fn limits_outlive_the_process_and_what_cannot_be_read_is_the_default() {
    let room = Room::new();
    room.limit(7, 9);
    let limits = room.cache.limits().unwrap();
    assert_eq!((limits.budget_bytes, limits.free_floor_bytes), (7, 9));
    room.pocket
        .store()
        .set_setting(LIMITS, Some("{\"budget\":1}"))
        .unwrap();
    assert_eq!(room.cache.limits().unwrap(), CacheLimits::default());
}
