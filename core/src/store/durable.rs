//! Commits that wait for the disk together.
//!
//! A sync makes durable whatever was written before it began, so whoever committed while another sync was running needs
//! only the next one, and shares it. A thousand small uploads, or several threads that save, wait for the disk a few
//! times and not a thousand times each.

use crate::Result;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Durable {
    state: Mutex<State>,
    synced: Condvar,
}

#[derive(Default)]
struct State {
    committed: u64,
    /// The last commit that is durable.
    synced: u64,
    syncing: bool,
}

impl Durable {
    /// Something was committed now; its number. Called before the next commit can be.
    pub fn note(&self) -> u64 {
        let mut state = self.lock();
        state.committed += 1;
        state.committed
    }

    /// Waits until the commit of this number is durable; `sync` makes durable what was written before it began.
    pub fn wait(&self, number: u64, sync: impl Fn() -> Result<()>) -> Result<()> {
        let mut state = self.lock();
        while state.synced < number {
            if state.syncing {
                state = self
                    .synced
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.syncing = true;
            let all = state.committed;
            drop(state);
            let done = sync();
            state = self.lock();
            state.syncing = false;
            self.synced.notify_all();
            // The others try for themselves.
            done?;
            state.synced = state.synced.max(all);
        }
        Ok(())
    }

    #[cfg(test)]
    pub fn is_all(&self) -> bool {
        let state = self.lock();
        state.synced == state.committed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Error;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::channel;

    #[test]
    fn who_commits_while_another_syncs_shares_the_next_sync() {
        let durable = Durable::default();
        let syncs = AtomicU64::new(0);
        let (begin, begun) = channel();
        let (end, ended) = channel::<()>();
        std::thread::scope(|scope| {
            let (durable, syncs) = (&durable, &syncs);
            let first = durable.note();
            scope.spawn(move || {
                let slow = || {
                    begin.send(()).unwrap();
                    ended.recv().unwrap();
                    syncs.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                };
                durable.wait(first, slow).unwrap();
            });
            begun.recv().unwrap();
            let numbers: Vec<u64> = (0..10).map(|_| durable.note()).collect();
            for number in numbers {
                scope.spawn(move || {
                    let sync = || {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    };
                    durable.wait(number, sync).unwrap();
                });
            }
            end.send(()).unwrap();
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_sync_that_fails_makes_nothing_durable_and_the_next_tries_again() {
        let durable = Durable::default();
        let number = durable.note();
        assert_eq!(
            durable.wait(number, || Err(Error::DiskFull)),
            Err(Error::DiskFull)
        );
        let tried = AtomicU64::new(0);
        let sync = || {
            tried.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        durable.wait(number, sync).unwrap();
        durable.wait(number, sync).unwrap();
        assert_eq!(tried.load(Ordering::SeqCst), 1, "durable is durable");
    }
}
