#![allow(clippy::unwrap_used)]

mod browser;
mod renewing;
mod sign_in;

use super::oauth::REQUEST_TIME;
use super::tokens::Entry;
use super::*;
use crate::clock::{ManualClock, SystemClock};
use crate::disk::RealDisk;
use crate::drive::State;
use local_cloud::{Cloud, CloudOptions, Rule};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A directory, a vault and a clock; each `account` on them stands for a process.
struct Phone {
    directory: tempfile::TempDir,
    vault: Arc<TestVault>,
    clock: ManualClock,
    hints: Arc<AtomicU32>,
}

/// A vault that can fail.
#[derive(Default)]
struct TestVault {
    inner: MemoryVault,
    /// How often a put fails from now on.
    full: AtomicU32,
    /// Calls wait until this ends, and fail if it does not.
    stuck: AtomicBool,
}

impl TestVault {
    fn wait(&self) -> Result<()> {
        for _ in 0..1_000 {
            if !self.stuck.load(Ordering::SeqCst) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(failed("stuck"))
    }
}

impl Vault for TestVault {
    fn get(&self, name: &str) -> Result<Option<Secret>> {
        self.wait()?;
        self.inner.get(name)
    }
    fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        self.wait()?;
        let one_less = |full: u32| full.checked_sub(1);
        let full = &self.full;
        if full
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
        {
            return Err(failed("full"));
        }
        self.inner.put(name, secret)
    }
    fn delete(&self, name: &str) -> Result<()> {
        self.inner.delete(name)
    }
}

impl Phone {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            vault: Arc::default(),
            clock: ManualClock::at(SystemClock.now_ms()),
            hints: Arc::default(),
        }
    }

    fn account(&self) -> Arc<Account> {
        self.account_at(None).unwrap()
    }

    fn account_at(&self, endpoints: Option<Endpoints>) -> Result<Arc<Account>> {
        let clock = Arc::new(self.clock.clone());
        let store = Arc::new(
            Store::open(
                self.directory.path(),
                false,
                clock.clone(),
                Arc::new(RealDisk),
            )
            .unwrap(),
        );
        let hints = self.hints.clone();
        let changed = Arc::new(move || {
            hints.fetch_add(1, Ordering::SeqCst);
        });
        Account::new(
            store,
            self.vault.clone(),
            clock,
            endpoints,
            Life::new(),
            changed,
        )
    }

    fn entry(&self) -> Entry {
        let clock = Arc::new(self.clock.clone());
        let store = Store::open(self.directory.path(), false, clock, Arc::new(RealDisk)).unwrap();
        Entry::of(&store, self.vault.clone()).unwrap()
    }

    fn tokens(&self) -> Option<Tokens> {
        self.entry().load().unwrap()
    }
}

fn failed(detail: &str) -> Error {
    Error::VaultFailed {
        detail: detail.into(),
    }
}

fn cloud() -> Cloud {
    Cloud::start(CloudOptions::default()).unwrap()
}

fn never() -> CancelToken {
    CancelToken::new()
}

fn login_token(cloud: &Cloud) -> Secret {
    Secret::new(cloud.login_token().unwrap())
}

/// A phone that is signed in, and the account on it.
async fn signed_in(cloud: &Cloud) -> (Phone, Arc<Account>) {
    let phone = Phone::new();
    let account = phone.account();
    account
        .sign_in(&login_token(cloud), &never())
        .await
        .unwrap();
    cloud.reset_counts();
    (phone, account)
}

fn asked(cloud: &Cloud, kind: &str) -> u64 {
    cloud.counts().requests.get(kind).copied().unwrap_or(0)
}

fn is_again(account: &Account) -> bool {
    matches!(account.state().unwrap(), SignIn::Again(_))
}
