//! Pins: what a person wants on the device, and the run that brings it there.
//!
//! Invariants:
//! - a pin is a mark in the journal; it fetches nothing, and a run fetches nothing that no pin keeps;
//! - the rules are asked before each file and listened to while it comes, so that a run stops within a second when it may
//!   not go on;
//! - one run at a time in all processes, by a file's lock, which a kill frees at once;
//! - one file's failure holds up no other; only what would fail each of them ends the run;
//! - memory does not grow with what is pinned: files are paged through.

use super::keep::Run;
use super::slot::SlotName;
use super::{Content, Evicted, Pin, PinRun, Purpose, TransferListener};
use crate::catalog::{Item, ItemId, Lookup, Space};
use crate::conditions::{Rules, Situation, Waiting};
use crate::disk::OwnFile;
use crate::runtime::blocking;
use crate::store::Mark;
use crate::{CancelToken, Error, Result};
use std::io;
use std::sync::Arc;
use std::time::Duration;

const LOCK: &str = "pins.lock";
/// How often a run asks whether it may go on, beside being told; and what waits for it, whether it has ended.
const TICK: Duration = Duration::from_millis(500);

impl Content {
    /// An item that can be pinned.
    fn pinnable(&self, id: &ItemId) -> Result<Item> {
        match self.catalog.item(id)? {
            Lookup::Found(item) if item.space == Space::Trash => Err(Error::NotAllowed {
                detail: "in the trash".into(),
            }),
            Lookup::Found(item) => Ok(item),
            Lookup::Gone => Err(Error::NoSuchItem {
                detail: "deleted".into(),
            }),
            Lookup::Unknown => Err(Error::NotKnown {
                detail: "an id".into(),
            }),
        }
    }

    pub(super) fn pin_inner(&self, id: &ItemId, up_to_bytes: u64) -> Result<Pin> {
        self.pinnable(id)?;
        let weight = self.catalog.weight(id)?;
        if weight.unlisted_folders > 0 && up_to_bytes < u64::MAX && weight.bytes <= up_to_bytes {
            return Err(Error::NotKnown {
                detail: "how large a folder is that is not listed yet".into(),
            });
        }
        if weight.bytes > up_to_bytes {
            return Err(Error::LargerThanAllowed {
                bytes: weight.bytes,
                files: weight.files,
            });
        }
        self.catalog.set_mark(id, Mark::Pinned, true)?;
        self.cache.recount();
        let item = self.pinnable(id)?;
        let since_ms = self.since(id)?.unwrap_or_else(|| self.store.now_ms());
        self.pin_of(item, since_ms)
    }

    fn since(&self, id: &ItemId) -> Result<Option<i64>> {
        match crate::catalog::id_bytes(id) {
            Some(bytes) => self.store.mark(&bytes, Mark::Pinned),
            None => Ok(None),
        }
    }

    pub(super) fn unpin_inner(&self, id: &ItemId, drop_content: bool) -> Result<Evicted> {
        if self.since(id)?.is_none() && self.catalog.pinned_by(id)?.is_some() {
            return Err(Error::NotAllowed {
                detail: "a folder above is pinned".into(),
            });
        }
        self.catalog.set_mark(id, Mark::Pinned, false)?;
        self.cache.recount();
        if drop_content {
            self.cache.evict(id)
        } else {
            Ok(Evicted::default())
        }
    }

    pub(super) fn pins_inner(&self) -> Result<Vec<Pin>> {
        let mut pins = Vec::new();
        for (id, since_ms) in self.store.marked(Mark::Pinned)? {
            // What a new catalogue has not met yet has no row to show; the next run finds it.
            if let Lookup::Found(item) = self.catalog.item(&crate::catalog::id_text(id))? {
                pins.push(self.pin_of(item, since_ms)?);
            }
        }
        Ok(pins)
    }

    fn pin_of(&self, item: Item, since_ms: i64) -> Result<Pin> {
        let kept = self.catalog.kept(&item.id)?;
        Ok(Pin {
            item,
            since_ms,
            files: kept.files,
            whole_files: kept.whole_files,
            stale_files: kept.stale_files,
            bytes: kept.bytes,
            whole_bytes: kept.whole_bytes,
            stale_since_ms: kept.stale_since_ms,
        })
    }

    /// Why pinned content that is missing below `id`, or anywhere, does not come; `None` if nothing is missing or
    /// nothing holds it back.
    pub(crate) fn waiting(&self, id: Option<&ItemId>) -> Result<Option<Waiting>> {
        let pins = match id {
            Some(id) => vec![id.clone()],
            None => self.catalog.outermost_pins()?,
        };
        let mut least: Option<u64> = None;
        for pin in pins {
            match self.catalog.kept(&pin) {
                Ok(kept) => least = least.into_iter().chain(kept.least_missing).min(),
                // A new catalogue has not met it yet, or it is gone.
                Err(Error::NotKnown { .. }) => least = least.or(Some(0)),
                Err(Error::NoSuchItem { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match least {
            Some(bytes) => self.gate.for_pin(bytes, 0),
            None => Ok(None),
        }
    }

    /// Why a file that a person opens now would not come.
    pub(crate) fn waiting_to_open(&self) -> Result<Option<Waiting>> {
        self.gate.for_work(Purpose::Open, 0, 0, false)
    }

    /// Why a change would not be sent: by itself, or because somebody waits for it.
    pub(crate) fn waiting_to_send(&self, by_itself: bool) -> Result<Option<Waiting>> {
        self.gate.for_work(Purpose::Edit, 0, 0, by_itself)
    }

    /// Bytes of a file's newest version that are here, or of all files in a folder.
    pub(crate) fn bytes_here(&self, item: &Item) -> Result<u64> {
        match &item.content_version {
            Some(version) => {
                let taken = self.cache.bytes_here(&SlotName {
                    id: item.id.clone(),
                    version: version.clone(),
                })?;
                // A device gives places in whole pages, so a file takes a little more than it has.
                Ok(taken.min(item.size.unwrap_or(taken)))
            }
            None => Ok(self.catalog.kept(&item.id)?.whole_bytes),
        }
    }

    /// Bytes that metered networks have carried this month.
    pub(crate) fn metered_this_month(&self) -> Result<u64> {
        self.gate.metered_this_month()
    }

    /// Counts bytes that were sent now, if the network is metered.
    pub(crate) fn count_sent(&self, bytes: u64) -> Result<()> {
        self.gate.count_sent(bytes)
    }

    pub(crate) fn situation(&self) -> Situation {
        self.gate.situation()
    }

    /// Tells of each change of the situation or the rules from now on.
    pub(crate) fn situation_changes(&self) -> tokio::sync::watch::Receiver<Situation> {
        self.gate.listen()
    }

    pub(crate) fn set_situation(&self, situation: Situation) {
        self.gate.set_situation(situation);
    }

    pub(crate) fn rules(&self) -> Result<Rules> {
        self.gate.rules()
    }

    pub(crate) fn set_rules(&self, rules: Rules) -> Result<()> {
        self.gate.set_rules(rules)
    }

    pub(super) async fn keep_pins_inner(
        &self,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<PinRun> {
        let _alone = self.one_at_a_time(cancel).await?;
        let stop = cancel.child();
        let mut run = Run::new(self.clone(), progress);
        let (done, held) = {
            let mut work = std::pin::pin!(run.work(&stop));
            tokio::select! {
                biased;
                done = &mut work => (done, Ok(None)),
                held = self.held_back() => {
                    stop.cancel();
                    (work.await, held.map(Some))
                }
            }
        };
        match (done, held) {
            (Err(Error::Cancelled), _) if cancel.is_cancelled() => Err(Error::Cancelled),
            // The network that has just gone may have told of itself too.
            (Err(_), Ok(Some(waiting))) => run.end(Some(waiting)).await,
            (Err(_), Err(error)) | (Err(error), _) => Err(error),
            (Ok(waiting), _) => run.end(waiting).await,
        }
    }

    /// Waits until no other run is under way, in any process.
    async fn one_at_a_time(&self, cancel: &CancelToken) -> Result<Box<dyn OwnFile>> {
        loop {
            let (disk, path) = (self.disk.clone(), self.cache.lock_path(LOCK));
            let lock = blocking(move || match disk.open_append(&path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                lock => Ok(Some(lock?)),
            });
            if let Some(lock) = lock.await? {
                return Ok(lock);
            }
            cancel
                .run(async {
                    tokio::time::sleep(TICK / 5).await;
                    Ok(())
                })
                .await?;
        }
    }

    /// Resolves when the run may not go on.
    async fn held_back(&self) -> Result<Waiting> {
        let mut told = self.gate.listen();
        loop {
            let _ = tokio::time::timeout(TICK, told.changed()).await;
            let gate = self.gate.clone();
            if let Some(waiting) = blocking(move || gate.for_pin(0, 0)).await? {
                return Ok(waiting);
            }
        }
    }
}
