//! A whole file into its slot.
//!
//! What is missing comes in runs from the front, several at once where that is faster, while the MD5 follows. The file is
//! whole when size and MD5 are the service's, and only then. What a broken, cancelled or killed call has brought stays, and
//! the next call, in any process, goes on from it. A small file that is not here at all is one request: its MD5 needs no
//! other proof.

use super::blocks::{Lost, Slot};
use super::cache::Reserved;
use super::confirm::Pace;
use super::flight::How;
use super::follow::Following;
use super::ledger::ByteKey;
use super::slot::{BLOCK, WINDOW};
use super::streams::{PROGRESS_EVERY, Streams, Teller};
use super::ticket::Ticket;
use super::{Content, Purpose, TransferListener};
use crate::catalog::Item;
use crate::remote::RemotePath;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Breaks in a row without a new block before a call gives up.
const BREAKS: u32 = 4;
/// A file of up to this many bytes comes in one request.
const SMALL: u64 = 8 << 20;
/// Bytes of a larger one in one request.
const CHUNK: std::ops::RangeInclusive<u64> = 8 << 20..=32 << 20;

/// What to fetch: a file as the catalogue has it.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub item: Item,
    pub path: RemotePath,
    pub size: u64,
    pub md5: [u8; 16],
    /// `None` while only a liststream has told of it.
    pub revision: Option<u64>,
    pub updated_ms: Option<i64>,
}

/// A file that is here as a whole.
pub(super) struct Filled {
    /// The item as of these bytes.
    pub item: Item,
    /// Bytes that came over the network in this call.
    pub fetched: u64,
    pub(super) slot: Arc<Slot>,
    /// The MD5 was right in this call, so all blocks have just been read.
    pub(super) proved: bool,
}

enum Failed {
    /// What came is not what the catalogue promised: the file has changed, or the service lies.
    Drifted(&'static str),
    With(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::With(error.into())
    }
}

impl Content {
    /// Brings all of a file into its slot. When the file has changed on the service, the newest version comes.
    ///
    /// Errors: as [`fetch_to_file`](Self::fetch_to_file).
    pub(super) async fn fill(
        &self,
        wanted: &Wanted,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Filled> {
        let teller = &mut Teller::new(progress);
        let filled = self.bring(wanted, purpose, teller, cancel).await?;
        teller.tell_all(filled.slot.size);
        Ok(filled)
    }

    /// `fill` without the last word to the listener.
    pub(super) async fn bring(
        &self,
        wanted: &Wanted,
        purpose: Purpose,
        teller: &mut Teller,
        cancel: &CancelToken,
    ) -> Result<Filled> {
        let call = self.ledger.begin();
        let brought = self.bring_newest(wanted, purpose, teller, cancel).await;
        let counted = match call.end() {
            Some(ledger) => blocking(move || ledger.write_if_can()).await,
            None => Ok(()),
        };
        let filled = brought?;
        counted.map(|()| filled)
    }

    async fn bring_newest(
        &self,
        wanted: &Wanted,
        purpose: Purpose,
        teller: &mut Teller,
        cancel: &CancelToken,
    ) -> Result<Filled> {
        let mut wanted = wanted.clone();
        let received = Arc::new(AtomicU64::new(0));
        let (mut detail, mut before) = ("", None);
        for again in [false, true] {
            if again {
                let id = &wanted.item.id;
                self.catalog.refresh_inner(id, cancel).await?;
                let (catalog, of) = (self.catalog.clone(), id.clone());
                wanted = blocking(move || catalog.wanted(&of)).await?;
                teller.begin_again();
            }
            let (content, of) = (self.clone(), wanted.clone());
            let begun = blocking(move || content.begin_fill(&of, purpose)).await?;
            let slot = begun.slot.clone();
            let key = ByteKey {
                space: wanted.item.space,
                purpose,
            };
            let brought = self
                .bring_version(begun, key, teller, &received, cancel)
                .await;
            match brought {
                Ok(proved) => {
                    self.drop_slot(before.filter(|name| *name != slot.name))
                        .await?;
                    return Ok(Filled {
                        item: wanted.item,
                        fetched: received.load(Ordering::Relaxed),
                        slot,
                        proved,
                    });
                }
                Err(Failed::Drifted(why)) => detail = why,
                // Not at its place any more: the catalogue finds out whether it is gone or has moved.
                Err(Failed::With(Error::NoSuchItem { .. })) if !again => {}
                Err(Failed::With(error)) => return Err(error),
            }
            before = Some(slot.name.clone());
        }
        Err(Error::ContentMismatch {
            detail: detail.into(),
        })
    }

    /// The slot, what is in it, and place for the rest.
    fn begin_fill(&self, wanted: &Wanted, purpose: Purpose) -> Result<Begun> {
        let slot = self.slot(wanted)?;
        if slot.files()?.whole()? {
            return Ok(Begun { slot, rest: None });
        }
        let here = slot.bytes_here()?;
        let missing = slot.size.saturating_sub(here);
        let room = self.cache.reserve(missing, purpose)?;
        Ok(Begun {
            slot,
            rest: Some((here, room)),
        })
    }

    /// Brings what is missing of one version. The flag says whether that took a proof by MD5.
    async fn bring_version(
        &self,
        begun: Begun,
        key: ByteKey,
        teller: &mut Teller,
        received: &Arc<AtomicU64>,
        cancel: &CancelToken,
    ) -> Result<bool, Failed> {
        let Begun { slot, rest } = begun;
        let slot = &slot;
        let Some((here, room)) = rest else {
            return Ok(false);
        };
        let mut fetch = Fetch {
            content: self,
            slot,
            key,
            received,
            flying: Vec::new(),
            settled: here,
            room,
            arrived: here,
            breaks: 0,
            next: 0,
            not_before: Instant::now(),
            dropped: None,
            spoiled: false,
        };
        let proved = if here == 0 && (1..=SMALL).contains(&slot.size) {
            fetch.at_once(teller, cancel).await
        } else {
            Ok(false)
        };
        let proved = match proved {
            Ok(false) => fetch.in_runs(teller, cancel).await,
            proved => proved.map(drop),
        };
        fetch.let_go(cancel);
        drop(fetch);
        let (content, slot, drifted) = (
            self.clone(),
            slot.clone(),
            matches!(proved, Err(Failed::Drifted(MD5))),
        );
        let kept = proved.is_ok() && key.purpose == Purpose::Pin;
        let noted = blocking(move || {
            if drifted {
                slot.forget_all()?;
            }
            if kept {
                // It will be read where there is no network to mend it from.
                slot.files()?.sync()?;
            }
            content.note(&slot)
        });
        let noted = noted.await;
        proved?;
        noted?;
        Ok(true)
    }
}

const MD5: &str = "MD5";

/// A slot that is about to be filled.
struct Begun {
    slot: Arc<Slot>,
    /// Bytes that are here and place for the others; `None` if all are.
    rest: Option<(u64, Reserved)>,
}

/// One version on its way into its slot.
struct Fetch<'a> {
    content: &'a Content,
    slot: &'a Arc<Slot>,
    key: ByteKey,
    received: &'a Arc<AtomicU64>,
    flying: Vec<Ticket>,
    /// Bytes that are in the map, but for those of flights that still fly.
    settled: u64,
    room: Reserved,
    /// Bytes that are not in `room` any more.
    arrived: u64,
    breaks: u32,
    /// Where to look for the next missing run.
    next: u64,
    not_before: Instant,
    /// From this block on something has landed that does not count.
    dropped: Option<u64>,
    /// The MD5 may have gone over what does not count.
    spoiled: bool,
}

impl Fetch<'_> {
    /// The whole file in one request. `false` when it broke.
    async fn at_once(&mut self, teller: &mut Teller, cancel: &CancelToken) -> Result<bool, Failed> {
        let all = 0..self.slot.blocks();
        if !self.begin(all.clone(), true, cancel).await? {
            return Ok(false);
        }
        let alone = self.flying.iter().all(|ticket| ticket.run == all);
        loop {
            let told = self.slot.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            self.harvest(cancel)?;
            if self.flying.is_empty() {
                // A flight of all blocks that ends well has proved them.
                return Ok(alone && self.breaks == 0);
            }
            self.tell(teller);
            wait(told, PROGRESS_EVERY, cancel).await?;
        }
    }

    /// What is missing, run by run, with the MD5 behind it.
    async fn in_runs(&mut self, teller: &mut Teller, cancel: &CancelToken) -> Result<(), Failed> {
        loop {
            let following = Arc::new(Following::default());
            for ticket in &self.flying {
                following.own(ticket.run.clone());
            }
            let busy = self.content.life.busy()?;
            let (slot, of) = (self.slot.clone(), following.clone());
            let mut follower = tokio::task::spawn_blocking(move || {
                let _busy = busy;
                of.run(&slot)
            });
            let brought = self.runs(&following, &follower, teller, cancel).await;
            following.stop(self.slot);
            let md5 = (&mut follower)
                .await
                .map_err(|_| Error::bug("the MD5 of a download panicked"))?;
            brought?;
            if std::mem::take(&mut self.spoiled) {
                continue;
            }
            if md5? != Some(self.slot.md5) {
                return Err(Failed::Drifted(MD5));
            }
            let hashed: Vec<_> = self.flying.iter().map(|ticket| ticket.id).collect();
            let slot = self.slot.clone();
            return Ok(blocking(move || slot.prove(&hashed)).await?);
        }
    }

    /// Flies until the MD5 has been through.
    async fn runs(
        &mut self,
        following: &Following,
        follower: &tokio::task::JoinHandle<Result<Option<[u8; 16]>>>,
        teller: &mut Teller,
        cancel: &CancelToken,
    ) -> Result<(), Failed> {
        let mut streams = Streams::new(self.content.most_streams);
        let blocks = self.slot.blocks();
        let chunk = (self.slot.size / 16).clamp(*CHUNK.start(), *CHUNK.end()) / BLOCK;
        loop {
            let told = self.slot.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            self.harvest(cancel)?;
            if let Some(block) = self.dropped.take()
                && following.may_have_read(block)
            {
                self.spoiled = true;
                return Ok(());
            }
            if follower.is_finished() {
                return Ok(());
            }
            if following.take_damaged() {
                self.next = self.next.min(following.at());
            }
            let ignores_ranges = self.slot.lock().ignores_ranges;
            let (most, chunk) = match ignores_ranges {
                true => (1, blocks),
                false => (streams.count, chunk),
            };
            while self.coming() < most && Instant::now() >= self.not_before {
                let (slot, from) = (self.slot.clone(), self.next);
                let run = blocking(move || slot.missing(from..blocks, chunk)).await?;
                let Some(run) = run else {
                    self.next = blocks;
                    break;
                };
                self.next = run.end;
                if !self.begin(run.clone(), false, cancel).await? {
                    break;
                }
                following.own(run);
            }
            if self.next >= blocks && self.flying.is_empty() {
                // A block that was found damaged, or that somebody else did not bring after all.
                let at = following.at();
                let slot = self.slot.clone();
                let near = at..(at + WINDOW).min(blocks);
                if let Some(run) = blocking(move || slot.missing(near, 1)).await? {
                    self.next = run.start;
                    continue;
                }
            }
            streams.look(self.received.load(Ordering::Relaxed));
            self.tell(teller);
            wait(told, PROGRESS_EVERY, cancel).await?;
        }
    }

    /// Begins a flight. `false` when there is no place for it now, or when another already brings it.
    async fn begin(
        &mut self,
        run: std::ops::Range<u64>,
        prove: bool,
        cancel: &CancelToken,
    ) -> Result<bool, Failed> {
        let streams = self.content.streams.clone();
        let permit = if self.coming() == 0 {
            let permit = async {
                let permit = streams.acquire_owned().await;
                permit.map_err(|_| Error::bug("a closed semaphore"))
            };
            cancel.run(permit).await?
        } else {
            match streams.try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => {
                    self.next = run.start;
                    return Ok(false);
                }
            }
        };
        // While it waited somebody else may have brought it. (A look at a page of the map: no work for another thread.)
        if self
            .slot
            .missing(run.clone(), run.end - run.start)?
            .as_ref()
            != Some(&run)
        {
            self.next = self.next.min(run.start);
            return Ok(false);
        }
        let (ticket, begun) = self.slot.obtain(run.clone(), false);
        if !begun {
            return Ok(false);
        }
        self.next = self.next.min(ticket.run.end);
        let how = How {
            key: self.key,
            pace: Pace::WHOLE,
            reading: false,
            prove,
            received: self.received.clone(),
            permit: Some(permit),
        };
        self.content.fly(&ticket, how);
        self.flying.push(ticket);
        Ok(true)
    }

    /// Takes in how flights have ended.
    fn harvest(&mut self, cancel: &CancelToken) -> Result<(), Failed> {
        cancel.check()?;
        let mut at = 0;
        while at < self.flying.len() {
            let Some(outcome) = self.flying[at].outcome() else {
                at += 1;
                continue;
            };
            let ticket = self.flying.swap_remove(at);
            self.settled += ticket.settled();
            if outcome.is_err() {
                self.next = self.next.min(ticket.run.start);
                let kept = ticket.run.start + ticket.settled() / BLOCK;
                self.dropped = Some(self.dropped.map_or(kept, |dropped| dropped.min(kept)));
            }
            match outcome {
                Ok(()) => self.breaks = 0,
                Err(Lost::Gone(why)) => return Err(Failed::Drifted(why)),
                // The MD5 may have gone over what is dropped now.
                Err(Lost::Again) => return Err(Failed::Drifted("revision")),
                Err(Lost::Broken(error)) => self.broke(ticket.settled(), error)?,
                Err(Lost::With(Error::Cancelled)) => {
                    self.broke(ticket.settled(), Error::Cancelled)?;
                }
                // A request that got no answer: the transport has been patient already.
                Err(Lost::With(error)) => return Err(Failed::With(error)),
            }
        }
        Ok(())
    }

    /// Only what was never here before is progress: a server that ignores ranges and always breaks would send the same
    /// bytes for ever.
    fn broke(&mut self, brought: u64, error: Error) -> Result<(), Failed> {
        self.breaks = if brought > 0 { 1 } else { self.breaks + 1 };
        if self.breaks > BREAKS {
            return Err(Failed::With(error));
        }
        let pause = Duration::from_millis(fastrand::u64(50..100) << self.breaks);
        self.not_before = Instant::now() + pause;
        Ok(())
    }

    fn coming(&self) -> usize {
        self.flying.iter().filter(|t| t.is_coming()).count()
    }

    /// Ends the flights. When nothing more may come, not even their last blocks do.
    fn let_go(&mut self, cancel: &CancelToken) {
        let flying = self.flying.drain(..);
        match cancel.is_cancelled() {
            true => flying.for_each(Ticket::stop),
            false => flying.for_each(drop),
        }
    }

    /// What is on the disk needs no place kept for it.
    fn tell(&mut self, teller: &mut Teller) {
        let here = self.here();
        self.room.arrived(here - self.arrived.min(here));
        self.arrived = here.max(self.arrived);
        teller.tell(here, self.slot.size);
    }

    /// Bytes that are here for good.
    fn here(&self) -> u64 {
        let flying: u64 = self.flying.iter().map(Ticket::settled).sum();
        self.settled + flying
    }
}

/// Waits until something has happened, or for a while.
async fn wait(
    told: impl Future<Output = ()>,
    at_most: Duration,
    cancel: &CancelToken,
) -> Result<()> {
    let waited = async {
        drop(tokio::time::timeout(at_most, told).await);
        Ok(())
    };
    cancel.run(waited).await
}
