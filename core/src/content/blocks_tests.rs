#![allow(clippy::unwrap_used)]
use super::super::slots::Slots;
use super::*;
use crate::catalog::ItemId;
use crate::disk::RealDisk;

fn slot(dir: &std::path::Path, blocks: u64) -> Arc<Slot> {
    let name = SlotName {
        id: ItemId::from_string("0123456789abcdef0123456789abcdef"),
        version: format!("fedcba9876543210fedcba9876543210-{}", blocks * BLOCK),
    };
    let slots = Slots::new(Arc::new(RealDisk), dir.to_owned());
    let path = RemotePath::new(vec!["Jotta".into(), "Sync".into(), "a".into()]);
    slots.get(name, &path, Space::Sync).unwrap()
}

fn stamp(revision: Option<u64>, updated_ms: Option<i64>) -> Stamp {
    Stamp {
        revision,
        updated_ms,
    }
}

/// The headers of a flight have come, and blocks of sevens.
fn land(slot: &Slot, id: u64, blocks: u64) {
    let files = slot.files().unwrap();
    let mut state = slot.lock();
    let flight = state.find(id).unwrap();
    flight.headers.get_or_insert_with(Instant::now);
    let first = flight.run.start + flight.landed;
    drop(state);
    let bytes = vec![7; BLOCK as usize];
    for block in first..first + blocks {
        files.write(&bytes, block * BLOCK).unwrap();
        let hash = *blake3::hash(&bytes).as_bytes();
        slot.land(&files, id, &[hash]).unwrap();
    }
}

fn is_here(slot: &Slot, block: u64, trusting: bool) -> bool {
    let found = slot.read_block(block, trusting, &mut Vec::new()).unwrap();
    found.is_ok()
}

#[test]
fn a_block_on_its_way_is_waited_for_and_not_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot(dir.path(), 20);
    let (first, begun) = slot.obtain(4..8, false);
    assert!(begun);
    let (same, begun) = slot.obtain(6..9, false);
    assert_eq!((same.id, begun), (first.id, false));
    let (before, begun) = slot.obtain(0..9, false);
    assert_eq!((before.run.clone(), begun), (0..4, true));
    assert_eq!(slot.missing(0..20, 5).unwrap(), Some(8..13));
    slot.finish(first.id, Ok(()));
    assert_eq!(first.outcome(), Some(Ok(())));
    assert_eq!(slot.missing(0..20, 5).unwrap(), Some(4..9));
}

#[test]
fn a_flight_that_nobody_waits_for_any_more_is_cancelled_unless_it_is_nearly_there() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot(dir.path(), 20);
    let (one, _) = slot.obtain(0..10, false);
    let (two, _) = slot.obtain(0..10, false);
    let cancel = one.cancel.clone();
    drop(one);
    assert!(!cancel.is_cancelled());
    land(&slot, two.id, 3);
    drop(two);
    assert!(cancel.is_cancelled());
    let (near, _) = slot.obtain(10..20, false);
    let cancel = near.cancel.clone();
    land(&slot, near.id, 6);
    drop(near);
    assert!(!cancel.is_cancelled());
}

#[test]
fn what_has_landed_is_here_for_nobody_before_it_is_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot(dir.path(), 4);
    let (flight, _) = slot.obtain(0..4, false);
    land(&slot, flight.id, 2);
    assert!(!is_here(&slot, 0, false) && !is_here(&slot, 0, true));
    assert_eq!(slot.in_file(0, 4).unwrap(), 2);
    slot.lock().good = Some(Instant::now() - super::super::confirm::TRUST * 2);
    assert!(!is_here(&slot, 0, true), "an old answer is worth nothing");
    slot.lock().good = Some(Instant::now() - super::super::confirm::TRUST / 2);
    assert!(is_here(&slot, 0, true) && is_here(&slot, 1, true));
    assert!(!is_here(&slot, 0, false));
    slot.lock().find(flight.id).unwrap().confirmed = true;
    land(&slot, flight.id, 1);
    assert!((0..3).all(|block| is_here(&slot, block, false)));
    assert!(!is_here(&slot, 3, true));
    assert_eq!(flight.settled(), 3 * BLOCK);
}

#[test]
fn another_revision_of_the_same_content_takes_nothing_that_was_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot(dir.path(), 9);
    slot.expect(stamp(Some(3), Some(50)));
    let (old, _) = slot.obtain(0..3, false);
    let (sure, _) = slot.obtain(3..6, false);
    let (new, _) = slot.obtain(6..9, false);
    land(&slot, old.id, 1);
    land(&slot, sure.id, 1);
    let mut state = slot.lock();
    state.find(sure.id).unwrap().confirmed = true;
    assert!(state.expects(&stamp(Some(3), Some(60))));
    assert!(!state.expects(&stamp(Some(4), Some(50))));
    state.adopt(stamp(Some(4), Some(50)));
    assert!(state.expects(&stamp(Some(4), None)));
    let lost = [old.id, sure.id, new.id].map(|id| state.find(id).unwrap().lost.clone());
    assert_eq!(lost, [Some(Lost::Again), None, None]);
}

#[test]
fn without_a_number_revisions_are_told_apart_by_their_time() {
    let known = stamp(None, Some(50));
    assert!(known.fits(&stamp(Some(4), Some(50))));
    assert!(!known.fits(&stamp(Some(4), Some(51))));
    assert!(known.fits(&stamp(Some(4), None)));
    assert!(Stamp::default().fits(&known));
    let mut both = known;
    both.revision = Some(4);
    assert!(both.fits(&stamp(Some(4), Some(51))), "the number decides");
}

#[test]
fn a_block_whose_bytes_are_not_its_own_any_more_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let slot = slot(dir.path(), 2);
    let (flight, _) = slot.obtain(0..2, false);
    land(&slot, flight.id, 2);
    slot.prove(&[flight.id]).unwrap();
    assert!(slot.files().unwrap().whole().unwrap());
    let files = slot.files().unwrap();
    files.write(b"x", BLOCK + 5).unwrap();
    let damaged = slot.read_block(1, false, &mut Vec::new()).unwrap();
    assert_eq!(damaged, Err(true));
    assert!(!files.whole().unwrap());
    assert!(is_here(&slot, 0, false) && !is_here(&slot, 1, false));
}
