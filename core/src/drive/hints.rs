//! Hints to listeners: no payload, coalesced, in order, never while a lock is held.

use super::Listener;
use crate::runtime;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

const COALESCE: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(crate) struct Hints {
    listeners: Mutex<Vec<(u64, Arc<dyn Listener>)>>,
    next: AtomicU64,
    catalog: AtomicBool,
    account: AtomicBool,
    closed: AtomicBool,
    wake: Arc<Notify>,
}

/// Ends the subscription when dropped.
pub struct Subscription {
    hints: Weak<Hints>,
    id: u64,
}

impl Hints {
    pub fn new() -> Arc<Self> {
        let hints = Arc::new(Self::default());
        let (weak, wake) = (Arc::downgrade(&hints), hints.wake.clone());
        runtime().spawn(async move {
            loop {
                wake.notified().await;
                tokio::time::sleep(COALESCE).await;
                let Some(hints) = weak.upgrade() else { return };
                // Listeners are foreign code and may block.
                if tokio::task::spawn_blocking(move || hints.tell())
                    .await
                    .is_err()
                {
                    continue;
                }
            }
        });
        hints
    }

    pub fn catalog_changed(&self) {
        self.catalog.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    pub fn account_changed(&self) {
        self.account.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    pub fn subscribe(self: &Arc<Self>, listener: Arc<dyn Listener>) -> Subscription {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.closed.load(Ordering::SeqCst) {
            listeners.push((id, listener));
        }
        Subscription {
            hints: Arc::downgrade(self),
            id,
        }
    }

    /// Lets go of every listener, now and from now on: that tells those who wait for hints that none will come.
    pub fn close(&self) {
        let listeners = {
            let mut listeners = self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            self.closed.store(true, Ordering::SeqCst);
            std::mem::take(&mut *listeners)
        };
        // Outside the lock: what goes with a listener may end its own subscription.
        drop(listeners);
    }

    fn tell(&self) {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (catalog, account) = (
            self.catalog.swap(false, Ordering::SeqCst),
            self.account.swap(false, Ordering::SeqCst),
        );
        for (_, listener) in listeners {
            if account {
                listener.on_account_changed();
            }
            if catalog {
                listener.on_changed();
            }
        }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(hints) = self.hints.upgrade() {
            hints
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|(id, _)| *id != self.id);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Count(AtomicUsize, AtomicUsize);

    impl Listener for Count {
        fn on_changed(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        fn on_account_changed(&self) {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn many_changes_become_one_hint_and_none_after_the_subscription() {
        let (hints, count) = (Hints::new(), Arc::new(Count::default()));
        let subscription = hints.subscribe(count.clone());
        for _ in 0..1000 {
            hints.catalog_changed();
        }
        let mut waited = 0;
        while count.0.load(Ordering::SeqCst) == 0 && waited < 500 {
            std::thread::sleep(Duration::from_millis(10));
            waited += 1;
        }
        std::thread::sleep(Duration::from_millis(250));
        assert!(matches!(count.0.load(Ordering::SeqCst), 1 | 2));
        assert_eq!(count.1.load(Ordering::SeqCst), 0);
        drop(subscription);
        hints.catalog_changed();
        hints.account_changed();
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(count.1.load(Ordering::SeqCst), 0);
    }
    #[test]
    fn a_close_lets_go_of_listeners_and_takes_no_new_one() {
        let (hints, count) = (Hints::new(), Arc::new(Count::default()));
        let _before = hints.subscribe(count.clone());
        hints.close();
        let _after = hints.subscribe(count.clone());
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
