//! The one place that renews tokens.
//!
//! A refresh token works once, and showing it twice ends the sign-in for everybody who holds one of
//! its successors. So:
//! - one refresh at a time: a gate between the threads of a process, and a lease row in the journal
//!   between processes. The lease outlives both tries of a refresh; no lock is held while it waits;
//! - the vault is read again once the lease is ours: somebody else may have done it;
//! - a new pair is in the vault before anybody gets to use it. If the vault goes on failing, the pair
//!   is kept in memory, with the lease, and stored first thing next time;
//! - a refresh that has begun is not cancelled with the call that needed it: it runs on its own, and
//!   a pause waits for it, because a suspended process loses the answer. While paused none begins;
//! - no answer means "maybe used": the vault is read again, and the token shown once more. Only
//!   the server's `invalid_grant` ends the sign-in; a dead network does not.

use super::oauth::{self, NoGrant};
use super::record::Record;
use super::tokens::{Entry, Tokens};
use super::{Secret, Vault};
use crate::clock::Clock;
use crate::drive::Life;
use crate::remote::Transport;
use crate::runtime::blocking;
use crate::store::{Lease, Store};
use crate::{CancelToken, Error, Result};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const LEASE: &str = "token-refresh";
/// Longer than two requests and the pause between them.
const LEASE_TIME: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(200);
/// Between tries to store a new pair; short enough for the lease.
const VAULT_PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];

pub(crate) struct Refresher {
    store: Arc<Store>,
    entry: Entry,
    clock: Arc<dyn Clock>,
    transport: Transport,
    changed: Arc<dyn Fn() + Send + Sync>,
    life: Arc<Life>,
    /// This process's name on the lease.
    holder: String,
    /// One refresh at a time in this process; holds a pair that the vault would not take.
    gate: Arc<tokio::sync::Mutex<Option<Unsaved>>>,
    /// Held from a look into the vault to the change that follows from it, on threads that may block.
    vault_lock: std::sync::Mutex<()>,
}

struct Unsaved {
    /// The refresh token that the pair replaces.
    replaces: Secret,
    tokens: Tokens,
    /// Kept as long as we can: whoever gets it would show the used token again.
    lease: Lease,
}

impl Refresher {
    pub fn new(
        store: Arc<Store>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        transport: Transport,
        changed: Arc<dyn Fn() + Send + Sync>,
        life: Arc<Life>,
    ) -> Result<Self> {
        Ok(Self {
            entry: Entry::of(&store, vault)?,
            store,
            clock,
            transport,
            changed,
            life,
            holder: super::random_text()?,
            gate: Arc::default(),
            vault_lock: std::sync::Mutex::new(()),
        })
    }

    /// A token that is good for now and is not `stale`.
    pub async fn access_token(
        self: &Arc<Self>,
        stale: Option<&Secret>,
        cancel: &CancelToken,
    ) -> Result<Secret> {
        cancel.check()?;
        let (me, refused) = (self.clone(), stale.cloned());
        if let Some(access) = blocking(move || me.usable(refused.as_ref())).await? {
            return Ok(access);
        }
        let busy = self.life.busy()?;
        let (me, stale) = (self.clone(), stale.cloned());
        let renewal = tokio::spawn(async move {
            let _busy = busy;
            let mut unsaved = me.gate.clone().lock_owned().await;
            let runtime = Handle::current();
            blocking(move || runtime.block_on(me.renew(stale.as_ref(), &mut unsaved))).await
        });
        cancel
            .run(async {
                renewal
                    .await
                    .unwrap_or_else(|_| Err(Error::bug("a refresh that stopped")))
            })
            .await
    }

    /// Puts the pair of a new sign-in into the vault. Blocks.
    pub fn put(&self, tokens: &Tokens) -> Result<()> {
        let _held = self
            .vault_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.entry.save(tokens)
    }

    /// Removes the pair.
    pub fn remove(&self) -> Result<()> {
        let _held = self
            .vault_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.entry.delete()
    }

    /// The access token in the vault; `None` when it must be renewed first.
    fn usable(&self, stale: Option<&Secret>) -> Result<Option<Secret>> {
        let tokens = self.current()?;
        let good = self.clock.now_ms() < tokens.renew_ms && stale != Some(&tokens.access);
        Ok(good.then_some(tokens.access))
    }

    /// The pair of the account that the directory belongs to.
    fn current(&self) -> Result<Tokens> {
        let record = Record::load(&self.store)?
            .filter(|record| !record.leaving)
            .ok_or_else(|| sign_in_needed("nobody is signed in"))?;
        let tokens = self
            .entry
            .load()?
            .filter(|tokens| tokens.username == record.username);
        // The vault is the truth: the mark in the journal only follows it.
        if record.again == tokens.is_some() {
            self.mark(tokens.is_none())?;
        }
        tokens.ok_or_else(|| sign_in_needed("the sign-in has ended"))
    }

    fn mark(&self, again: bool) -> Result<()> {
        Record::update(&self.store, |record| {
            Ok(record.map(|record| Record { again, ..record }))
        })?;
        (self.changed)();
        Ok(())
    }

    /// Asks store and vault on the thread that it is polled on: give it one that may block.
    async fn renew(&self, stale: Option<&Secret>, unsaved: &mut Option<Unsaved>) -> Result<Secret> {
        if let Some(mut pair) = unsaved.take() {
            if let Err(error) = self.keep(&pair.replaces, &pair.tokens) {
                if let Ok(Some(lease)) = self.take_lease() {
                    pair.lease = lease;
                }
                *unsaved = Some(pair);
                return Err(error);
            }
            self.give_back(&pair.lease);
        }
        let begun = Instant::now();
        let lease = loop {
            self.life.check()?;
            if let Some(access) = self.usable(stale)? {
                return Ok(access);
            }
            match self.take_lease()? {
                Some(lease) => break lease,
                None if begun.elapsed() > LEASE_TIME * 2 => return Err(Error::StoreBusy),
                None => tokio::time::sleep(PAUSE.mul_f64(0.25 + fastrand::f64() / 2.0)).await,
            }
        };
        let renewed = self.renew_as_holder(stale, &lease, unsaved).await;
        if unsaved.is_none() {
            self.give_back(&lease);
        }
        renewed
    }

    fn take_lease(&self) -> Result<Option<Lease>> {
        self.store.acquire_lease(LEASE, &self.holder, LEASE_TIME)
    }

    fn give_back(&self, lease: &Lease) {
        // If the store is paused by now, the lease runs out by itself.
        let _ = self.store.release(lease);
    }

    async fn renew_as_holder(
        &self,
        stale: Option<&Secret>,
        lease: &Lease,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<Secret> {
        let mut lost = None;
        for _ in 0..2 {
            if lost.is_some() {
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(access) = self.usable(stale)? {
                return Ok(access);
            }
            let old = self.current()?;
            if !self.store.holds(lease)? {
                // A suspension let it run out: whoever has it now does the work.
                return Err(Error::StoreBusy);
            }
            self.life.check()?;
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", old.refresh.reveal()),
                ("client_id", old.client_id.as_str()),
            ];
            let never = CancelToken::new();
            match oauth::ask(&self.transport, &old.token_endpoint, &form, &never).await {
                Ok(grant) => {
                    let tokens = old.renewed(grant, self.clock.now_ms());
                    return match self.keep_patiently(&old.refresh, &tokens).await {
                        Ok(true) => Ok(tokens.access),
                        Ok(false) => self.usable(None)?.ok_or(Error::StoreBusy),
                        Err(error) => {
                            *unsaved = Some(Unsaved {
                                replaces: old.refresh,
                                tokens,
                                lease: lease.clone(),
                            });
                            Err(error)
                        }
                    };
                }
                Err(NoGrant::Refused { detail }) => return self.refused(&old, lease, &detail),
                Err(NoGrant::Failed(error)) => return Err(error),
                Err(NoGrant::Lost(error)) => lost = Some(error),
            }
        }
        Err(lost.unwrap_or_else(|| Error::bug("a refresh without a reason")))
    }

    /// Stores a pair; a vault that fails is asked again a few times.
    async fn keep_patiently(&self, replaces: &Secret, tokens: &Tokens) -> Result<bool> {
        for pause in VAULT_PAUSES {
            if let Ok(kept) = self.keep(replaces, tokens) {
                return Ok(kept);
            }
            tokio::time::sleep(pause).await;
        }
        self.keep(replaces, tokens)
    }

    /// Stores a pair, unless the vault has changed since its predecessor was read there.
    fn keep(&self, replaces: &Secret, tokens: &Tokens) -> Result<bool> {
        let _held = self
            .vault_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current = self.entry.load()?;
        if current.is_none_or(|current| current.refresh != *replaces) {
            return Ok(false);
        }
        self.entry.save(tokens)?;
        Ok(true)
    }

    /// The server does not take `old`: it is dead, unless somebody has replaced it meanwhile.
    fn refused(&self, old: &Tokens, lease: &Lease, detail: &str) -> Result<Secret> {
        if self.bury(old, lease)? {
            self.mark(true)?;
            return Err(sign_in_needed(detail));
        }
        self.usable(Some(&old.access))?.ok_or(Error::StoreBusy)
    }

    /// Removes a dead pair; `false` when it may have a successor.
    fn bury(&self, old: &Tokens, lease: &Lease) -> Result<bool> {
        let _held = self
            .vault_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current = self.entry.load()?;
        let replaced = current.is_some_and(|current| current.refresh != old.refresh);
        if replaced || !self.store.holds(lease)? {
            return Ok(false);
        }
        self.entry.delete()?;
        Ok(true)
    }
}

fn sign_in_needed(detail: &str) -> Error {
    Error::SignInNeeded {
        detail: detail.into(),
    }
}
