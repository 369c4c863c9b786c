#![allow(clippy::unwrap_used)]
use super::*;
use crate::Error;
use crate::clock::ManualClock;
use crate::disk::RealDisk;
use crate::store::{Identified, Place};
use std::sync::Arc;
use tempfile::TempDir;

fn open(dir: &TempDir) -> Store {
    let clock = Arc::new(ManualClock::at(1_000_000));
    Store::open(dir.path(), false, clock, Arc::new(RealDisk)).unwrap()
}

fn full(id: Id) -> EditRow {
    EditRow {
        place: Some(WantedPlace {
            parent: [2; 16],
            name: "Blåbær.txt".into(),
        }),
        content: Some(WantedContent {
            file: "01-ff".into(),
            size: u64::from(u32::MAX) + 1,
            md5: [3; 16],
            blake3: Some([4; 32]),
            created_ms: Some(-5),
            modified_ms: Some(6),
        }),
        fate: Some(Fate::Trash),
        link: Some(false),
        base: Some(Base {
            parent: [5; 16],
            name: "old".into(),
            uuid: Some([6; 16]),
            md5: Some([7; 16]),
            size: Some(8),
            revision: Some(9),
        }),
        marker: Some("marker".into()),
        sent_ms: Some(10),
        attempts: 11,
        until_ms: Some(12),
        held: Some("held".into()),
        ..EditRow::of(id, 3, 13)
    }
}

#[test]
fn a_row_of_the_outbox_comes_back_as_it_was_put() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let wanted = full([1; 16]);
    store.outbox(|outbox| outbox.put(&wanted)).unwrap();
    drop(store);
    let store = open(&dir);
    let found = store.edit(&[1; 16]).unwrap().unwrap();
    let expected = EditRow {
        n: 1,
        change: 1,
        ..wanted
    };
    assert_eq!(found, expected);
    let new = EditRow {
        is_new: true,
        copy_of: Some([1; 16]),
        ..EditRow::of([2; 16], 2, 1)
    };
    store.outbox(|outbox| outbox.put(&new)).unwrap();
    let found = store.edit(&[2; 16]).unwrap().unwrap();
    let expected = EditRow {
        n: 2,
        change: 2,
        ..new
    };
    assert_eq!(found, expected);
}

#[test]
fn a_row_that_wants_nothing_is_no_row_and_its_removal_is_counted() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store
        .outbox(|outbox| {
            outbox.put(&full([1; 16]))?;
            outbox.add_sent(&[1; 16], &[3; 16])
        })
        .unwrap();
    assert_eq!(store.sent_contents(&[1; 16]).unwrap(), [[3; 16]]);
    let nothing = EditRow::of([1; 16], 3, 13);
    store.outbox(|outbox| outbox.put(&nothing)).unwrap();
    assert_eq!(store.edit(&[1; 16]).unwrap(), None);
    assert!(store.sent_contents(&[1; 16]).unwrap().is_empty());
    assert_eq!(store.all_edits().unwrap(), (vec![], 2));
}

#[test]
fn a_row_keeps_its_place_in_the_queue_and_every_change_has_its_number() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    for id in 1..=3 {
        store.outbox(|outbox| outbox.put(&full([id; 16]))).unwrap();
    }
    let first = store.edit(&[1; 16]).unwrap().unwrap();
    store.outbox(|outbox| outbox.put(&first)).unwrap();
    let order = |after, limit| -> Vec<u8> {
        let rows = store.edits_after(after, limit).unwrap();
        rows.iter().map(|row| row.id[0]).collect()
    };
    assert_eq!(order(0, 10), [1, 2, 3]);
    assert_eq!(order(1, 1), [2]);
    assert_eq!(store.edit(&[1; 16]).unwrap().unwrap().change, 4);
    assert_eq!(store.edits_count().unwrap(), 4);
}

#[test]
fn progress_changes_no_wish_and_counts_as_none() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    store.outbox(|outbox| outbox.put(&full([1; 16]))).unwrap();
    let mut row = store.edit(&[1; 16]).unwrap().unwrap();
    row.marker = None;
    row.attempts = 3;
    // Somebody else's newer wish, which progress must not undo.
    row.place = None;
    store.outbox(|outbox| outbox.put_progress(&row)).unwrap();
    let found = store.edit(&[1; 16]).unwrap().unwrap();
    assert_eq!((found.marker.as_deref(), found.attempts), (None, 3));
    assert!(found.place.is_some());
    assert_eq!(store.edits_count().unwrap(), 1);
}

#[test]
fn drafts_conflicts_and_discarded_bytes_come_back_as_they_were_put() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let draft = DraftRow {
        file: "01-aa".into(),
        id: [1; 16],
        place: full([1; 16]).place,
        base: full([1; 16]).base,
        session: true,
        handed_out: false,
        since_ms: 5,
    };
    let conflict = ConflictRow {
        n: 0,
        kind: "kind".into(),
        item: [1; 16],
        copy: Some([2; 16]),
        at_ms: 6,
        name: "name".into(),
        theirs: Some(([9; 16], 10)),
        told: false,
    };
    let discarded = DiscardedRow {
        file: "01-bb".into(),
        id: [1; 16],
        name: "name".into(),
        size: 7,
        at_ms: 8,
    };
    let n = store
        .outbox(|outbox| {
            outbox.put_draft(&draft)?;
            outbox.add_discarded(&discarded)?;
            outbox.add_conflict(&conflict)
        })
        .unwrap();
    assert_eq!(store.drafts().unwrap(), [draft]);
    assert_eq!(store.discarded().unwrap(), [discarded]);
    store.tell_conflicts(&[n]).unwrap();
    let told = ConflictRow {
        n,
        told: true,
        ..conflict
    };
    assert_eq!(store.conflicts().unwrap(), [told]);
    store
        .outbox(|outbox| {
            outbox.remove_draft("01-aa")?;
            outbox.remove_discarded("01-bb")?;
            outbox.remove_conflict(n)
        })
        .unwrap();
    assert!(store.drafts().unwrap().is_empty());
    assert!(store.discarded().unwrap().is_empty());
    assert!(store.conflicts().unwrap().is_empty());
}

#[test]
fn the_key_of_an_operation_is_remembered_for_thirty_days() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let key = |key: &str| store.outbox(|outbox| outbox.operation(key)).unwrap();
    let put = |key: &str, id: u8, at_ms| {
        store
            .outbox(|outbox| outbox.put_operation(key, &[id; 16], at_ms))
            .unwrap();
    };
    put("one", 1, 0);
    assert_eq!(key("one"), Some([1; 16]));
    put("two", 2, OPERATIONS_KEPT_MS + 1);
    assert_eq!((key("one"), key("two")), (None, Some([2; 16])));
}

#[test]
fn several_rows_change_together_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir);
    let failed = store.outbox(|outbox| {
        outbox.put(&full([1; 16]))?;
        outbox.record(&Identified {
            id: [1; 16],
            place: Place {
                parent: [2; 16],
                name: "a".into(),
                kind: 3,
                uuid: None,
            },
        })?;
        Err::<(), _>(Error::DiskFull)
    });
    assert_eq!(failed, Err(Error::DiskFull));
    assert_eq!(store.edit(&[1; 16]).unwrap(), None);
    assert_eq!(store.identity(&[1; 16]).unwrap(), None);
    assert_eq!(store.edits_count().unwrap(), 0);
}

#[test]
fn a_journal_of_the_third_version_keeps_what_is_unsent() {
    let dir = TempDir::new().unwrap();
    let old = Connection::open(dir.path().join("journal.db")).unwrap();
    old.execute_batch(include_str!("../testdata/journal-v3.sql"))
        .unwrap();
    drop(old);
    let store = open(&dir);
    let row = store.edit(&[10; 16]).unwrap().unwrap();
    assert_eq!(row.place.unwrap().name, "Årsrapport.txt");
    assert_eq!(row.content.unwrap().file, "0a-01");
    assert_eq!(row.base.unwrap().revision, Some(4));
    assert_eq!((row.attempts, row.until_ms), (2, Some(950_000)));
    assert_eq!(store.edits_count().unwrap(), 7);
    assert_eq!(store.sent_contents(&[10; 16]).unwrap(), [[12; 16]]);
    assert!(store.drafts().unwrap()[0].handed_out);
    assert_eq!(store.conflicts().unwrap()[0].copy, Some([16; 16]));
    assert_eq!(store.discarded().unwrap()[0].size, 5);
    assert_eq!(store.temporaries().unwrap(), [(".lomme-1".into(), 990_000)]);
    let operation = store.outbox(|outbox| outbox.operation("template 1"));
    assert_eq!(operation.unwrap(), Some([10; 16]));
}

#[test]
fn a_staged_file_has_a_name_of_ours_or_none() {
    check_file("0a1b-ff").unwrap();
    for name in ["", "../x", "a/b", "x.part", "."] {
        assert!(check_file(name).is_err(), "{name}");
    }
}
