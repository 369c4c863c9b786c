#![allow(clippy::unwrap_used)]
use super::*;
use crate::clock::ManualClock;
use crate::disk::RealDisk;

/// 2026-11-30T23:59:59Z.
const LAST_OF_NOVEMBER: i64 = 1_796_083_199_000;

const OPEN: ByteKey = ByteKey {
    space: Space::Sync,
    purpose: Purpose::Open,
};

fn ledger(dir: &std::path::Path, clock: &ManualClock) -> Ledger {
    let store = Store::open(dir, false, Arc::new(clock.clone()), Arc::new(RealDisk)).unwrap();
    Ledger::new(Arc::new(store))
}

fn sum(ledger: &Ledger) -> u64 {
    ledger.rows().unwrap().iter().map(|row| row.bytes).sum()
}

#[test]
fn bytes_are_told_at_once_and_written_when_the_last_call_ends() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(LAST_OF_NOVEMBER);
    let (here, there) = (ledger(dir.path(), &clock), ledger(dir.path(), &clock));
    let (one, two) = (here.begin(), here.begin());
    here.add(OPEN, Network::Unmetered, 5);
    here.add(OPEN, Network::Metered, 7);
    assert_eq!((sum(&here), sum(&there)), (12, 0));
    assert!(one.end().is_none());
    assert_eq!((sum(&here), sum(&there)), (12, 0));
    two.end().unwrap().write_if_can().unwrap();
    assert_eq!((sum(&here), sum(&there)), (12, 12));
    here.add(OPEN, Network::Unmetered, STEP - 1);
    here.write_if_due().unwrap();
    assert_eq!(sum(&there), 12);
    here.add(OPEN, Network::Unmetered, 1);
    // A fast download does not wait for the disk at every step.
    here.write_if_due().unwrap();
    assert_eq!((sum(&here), sum(&there)), (12 + STEP, 12));
    std::thread::sleep(PAUSE);
    here.write_if_due().unwrap();
    assert_eq!(sum(&there), 12 + STEP);
}

#[test]
fn bytes_over_metered_networks_are_told_by_the_calendar_month() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(LAST_OF_NOVEMBER);
    let ledger = ledger(dir.path(), &clock);
    ledger.add(OPEN, Network::Unmetered, 100);
    ledger.add(OPEN, Network::Metered, 7);
    assert_eq!(ledger.metered_this_month().unwrap(), 7);
    ledger.write().unwrap();
    ledger.add(OPEN, Network::Metered, 2);
    assert_eq!(ledger.metered_this_month().unwrap(), 9);
    ledger.write().unwrap();
    clock.advance(1000);
    assert_eq!(ledger.metered_this_month().unwrap(), 0);
    clock.advance(-1000);
    assert_eq!(ledger.metered_this_month().unwrap(), 9);
}

#[test]
fn bytes_that_cannot_be_written_now_wait_and_are_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path(), &ManualClock::at(0));
    let call = ledger.begin();
    ledger.add(OPEN, Network::Metered, 9);
    ledger.store.pause(Duration::from_secs(1)).unwrap();
    call.end().unwrap().write_if_can().unwrap();
    ledger.store.resume().unwrap();
    assert_eq!((sum(&ledger), ledger.metered_this_month().unwrap()), (9, 9));
    ledger.write().unwrap();
    assert_eq!((sum(&ledger), ledger.metered_this_month().unwrap()), (9, 9));
}
