//! What may run by itself now: what the platform has told of the device, and the person's rules.
//!
//! Who runs something asks before each file and listens while it runs, so that what is no longer allowed stops at once.
//! The situation is this process's own; the rules are in the journal and hold for all.

use super::cache::Cache;
use super::ledger::Ledger;
use super::{Network, Purpose};
use crate::conditions::{Circumstances, Rules, Situation, Waiting, Work, decide};
use crate::store::Store;
use crate::{Error, Result};
use std::sync::Arc;
use tokio::sync::watch;

const RULES: &str = "rules";

#[derive(Clone)]
pub(super) struct Gate {
    store: Arc<Store>,
    cache: Cache,
    ledger: Ledger,
    situation: Arc<watch::Sender<Situation>>,
}

impl Gate {
    pub fn new(store: Arc<Store>, cache: Cache, ledger: Ledger) -> Self {
        Self {
            store,
            cache,
            ledger,
            situation: Arc::new(watch::Sender::new(Situation::default())),
        }
    }

    pub fn situation(&self) -> Situation {
        *self.situation.borrow()
    }

    /// Who listens is told, whatever has changed.
    pub fn set_situation(&self, situation: Situation) {
        self.situation.send_replace(situation);
    }

    pub fn rules(&self) -> Result<Rules> {
        let stored = self.store.setting(RULES)?;
        // The default rules forbid what costs money: a safe reading of what cannot be read.
        Ok(stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    pub fn set_rules(&self, rules: Rules) -> Result<()> {
        let json = serde_json::to_string(&rules).map_err(|_| Error::bug("rules"))?;
        self.store.update_setting(RULES, |_| Ok((Some(json), ())))?;
        self.situation.send_modify(|_| ());
        Ok(())
    }

    /// Resolves when the situation or the rules change from now on.
    pub fn listen(&self) -> watch::Receiver<Situation> {
        self.situation.subscribe()
    }

    pub fn metered_this_month(&self) -> Result<u64> {
        self.ledger.metered_this_month()
    }

    pub fn count_sent(&self, bytes: u64) -> Result<()> {
        match self.situation().counted_as() {
            Network::Metered if bytes > 0 => self.ledger.add_sent(bytes),
            _ => Ok(()),
        }
    }

    /// May `bytes` for a pin come now, beside `in_flight` bytes that are coming? 0 where they are not known.
    pub fn for_pin(&self, bytes: u64, in_flight: u64) -> Result<Option<Waiting>> {
        self.for_work(Purpose::Pin, bytes, in_flight, true)
    }

    /// The same for any purpose.
    pub fn for_work(
        &self,
        purpose: Purpose,
        bytes: u64,
        in_flight: u64,
        by_itself: bool,
    ) -> Result<Option<Waiting>> {
        let situation = self.situation();
        let metered = match situation.counted_as() {
            Network::Metered => in_flight,
            _ => 0,
        };
        let circumstances = Circumstances {
            signed_in: crate::account::is_signed_in(&self.store)?,
            metered_bytes: self.ledger.metered_this_month()?.saturating_add(metered),
            // What is cached makes place for what is pinned.
            free_bytes: self.cache.free_for_pins()?,
            floor_bytes: self.cache.limits()?.free_floor_bytes,
        };
        let work = Work {
            purpose,
            bytes,
            by_itself,
        };
        Ok(decide(&work, &self.rules()?, &situation, &circumstances).err())
    }
}
