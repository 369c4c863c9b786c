//! Of several connections that send bytes of one upload (a client that lost one and resumed), only the newest writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who writes to which upload.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<String, Arc<Mutex<u64>>>>);

/// The right to write to an upload, until somebody newer takes it.
#[derive(Debug)]
pub struct Turn {
    newest: Arc<Mutex<u64>>,
    mine: u64,
}

impl Turns {
    /// The newest turn; all older ones of this upload are over once this returns.
    pub fn take(&self, upload: &str) -> Turn {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|_, newest| Arc::strong_count(newest) > 1);
        let newest = uploads.entry(upload.to_owned()).or_default().clone();
        drop(uploads);
        let mine = {
            let mut number = newest.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            *number
        };
        Turn { newest, mine }
    }
}

impl Turn {
    /// Works while nobody can take the turn; `None` when somebody did.
    pub fn work<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        (*newest == self.mine).then(work)
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;

    #[test]
    fn only_the_newest_turn_of_an_upload_works() {
        let turns = Turns::default();
        let (first, other) = (turns.take("a"), turns.take("b"));
        assert_eq!(first.work(|| 1), Some(1));
        let second = turns.take("a");
        assert_eq!((first.work(|| 1), second.work(|| 2)), (None, Some(2)));
        assert_eq!(other.work(|| 3), Some(3));
    }
}
