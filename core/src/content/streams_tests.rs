#![allow(clippy::unwrap_used)]
use super::*;
use std::sync::Mutex;

#[test]
fn a_stream_is_added_as_long_as_it_makes_the_whole_faster_and_taken_back_when_it_does_not() {
    let mut streams = Streams::new(4);
    assert_eq!(streams.count, 2);
    streams.measured(100.0);
    assert_eq!(streams.count, 3);
    streams.measured(120.0);
    assert_eq!(streams.count, 4);
    streams.measured(121.0);
    assert_eq!((streams.count, streams.settled), (3, true));

    let mut streams = Streams::new(2);
    streams.measured(100.0);
    assert_eq!((streams.count, streams.settled), (2, true));
}

#[derive(Default)]
struct Steps(Mutex<Vec<u64>>);

impl TransferListener for Steps {
    fn on_transfer(&self, done: u64, _total: u64) {
        self.0.lock().unwrap().push(done);
    }
}

#[test]
fn progress_never_goes_back_and_says_that_all_is_here_only_at_the_end() {
    let steps = Arc::new(Steps::default());
    let mut teller = Teller::new(Some(steps.clone()));
    for here in [5, 9, 3, 10] {
        teller.tell(here, 10);
        std::thread::sleep(PROGRESS_EVERY);
    }
    teller.tell(9, 10);
    teller.tell_all(10);
    assert_eq!(*steps.0.lock().unwrap(), [5, 9, 10]);
}
