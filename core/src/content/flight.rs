//! Blocks on their way: one request for one run of blocks.
//!
//! The body is written block by block, and hashed, on a thread of its own; what is in the file wakes those who wait for it
//! as soon as the version is confirmed. Between network and disk there are a few blocks that are used again and again: what
//! the client hands on is a small piece of a large buffer, so keeping pieces would keep megabytes. A flight that nobody waits for any more is cancelled. Every byte that comes is
//! counted, whether it is kept or not.

use super::Content;
use super::blocks::{BodyState, Lost, Slot};
use super::confirm::Pace;
use super::ledger::ByteKey;
use super::slot::{BLOCK, Hash, SlotFiles};
use super::ticket::Ticket;
use crate::md5::Md5;
use crate::remote::Body;
use crate::runtime::{blocking, runtime};
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Full blocks between network and disk.
const QUEUE: usize = 4;
/// What is read and thrown away at most, for a reader, of a service that answers a range with the whole file.
const PASS_OVER: u64 = 16 << 20;
/// Bytes of a slot that the cache is told of at once.
const NOTE_STEP: u64 = 4 << 20;

/// How a flight is flown.
pub(super) struct How {
    pub key: ByteKey,
    pub pace: Pace,
    /// For a reader: finds out by itself where the file has gone, and passes over only so much.
    pub reading: bool,
    /// The flight is of all blocks, so the MD5 of what comes proves the whole.
    pub prove: bool,
    /// Bytes received.
    pub received: Arc<AtomicU64>,
    /// Held while the body comes.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Content {
    /// Flies a flight that [`Slot::obtain`] has begun.
    pub(super) fn fly(&self, ticket: &Ticket, how: How) {
        let (content, slot, id) = (self.clone(), ticket.slot.clone(), ticket.id);
        let (run, cancel) = (ticket.run.clone(), ticket.cancel.clone());
        let reading = how.reading;
        runtime().spawn(async move {
            // Whoever waits hears of it, also if this stops in the middle.
            let mut ends = Ends {
                slot: slot.clone(),
                id,
                outcome: Err(Lost::With(Error::bug("a flight that stopped"))),
            };
            let mut outcome = Ok(());
            let flown = content
                .life
                .run(&cancel, async |cancel| {
                    outcome = content.flight(&slot, id, run, how, cancel).await;
                    if reading && matches!(outcome, Err(Lost::Gone(_))) {
                        content.refresh_behind(slot.name.id.clone());
                    }
                    if !cancel.is_cancelled() && slot.take_unnoted(NOTE_STEP) {
                        let (content, slot) = (content.clone(), slot.clone());
                        // The index of the cache; it is made anew from the files.
                        drop(blocking(move || content.note(&slot)).await);
                    }
                    // The life tells a pause from a cancel.
                    match &outcome {
                        Err(Lost::With(Error::Cancelled)) => Err(Error::Cancelled),
                        _ => Ok(()),
                    }
                })
                .await;
            ends.outcome = flown.map_err(Lost::With).and(outcome);
        });
    }

    async fn flight(
        &self,
        slot: &Arc<Slot>,
        id: u64,
        run: Range<u64>,
        how: How,
        cancel: &CancelToken,
    ) -> Result<(), Lost> {
        let (from, to) = (run.start * BLOCK, (run.end * BLOCK).min(slot.size));
        let all = from == 0 && to == slot.size;
        let path = slot.lock().path.clone();
        let body = match self
            .remote
            .open(&path, from, (!all).then_some(to), cancel)
            .await
        {
            Ok(body) => body,
            // The range starts inside the file as we know it, so the file has become shorter.
            Err(Error::VersionGone) => return Err(Lost::Gone("range")),
            Err(Error::NoSuchItem { .. }) if how.reading => {
                return Err(self.look_for(slot, cancel).await);
            }
            Err(error) => return Err(Lost::With(error)),
        };
        if body.total.is_some_and(|total| total != slot.size) {
            return Err(Lost::Gone("size"));
        }
        if !all && body.offset == from && from > 0 && body.total.is_none() {
            return Err(Lost::With(Error::bad_answer("a range of who knows what")));
        }
        let pass_over = from - body.offset;
        {
            let mut state = slot.lock();
            state.ignores_ranges |= pass_over > 0;
            if let Some(flight) = state.find(id) {
                flight.headers = Some(Instant::now());
            }
        }
        slot.tell();
        if how.reading && pass_over > PASS_OVER {
            return Err(Lost::With(Error::bad_answer("no ranges of a large file")));
        }
        let (pace, prove) = (how.pace, how.prove && all);
        let coming = self.take(slot, id, (pass_over, from, to), body, how, cancel);
        let (came, confirmed) = tokio::join!(coming, self.confirm(slot, id, pace, cancel));
        match (came, confirmed) {
            // Its MD5 has proved it, whatever a question says.
            (Ok(()), _) if prove => Ok(()),
            (Err(lost @ Lost::With(_)), _) | (Ok(()), Err(lost)) => Err(lost),
            // What broke and is of another version is of another version.
            (Err(_), Err(lost @ (Lost::Gone(_) | Lost::Again))) => Err(lost),
            (came, _) => came,
        }
    }

    /// Takes the body in. Tells the flight how that ended before it returns.
    async fn take(
        &self,
        slot: &Arc<Slot>,
        id: u64,
        (pass_over, from, to): (u64, u64, u64),
        body: Body,
        how: How,
        cancel: &CancelToken,
    ) -> Result<(), Lost> {
        let prove = how.prove && from == 0 && to == slot.size;
        let taken = self
            .pour(slot, id, (pass_over, from, to), body, &how, prove, cancel)
            .await;
        drop(how.permit);
        let done = taken.and_then(|sound| match sound {
            true => Ok(()),
            false => Err(Lost::Gone("MD5")),
        });
        let mut state = slot.lock();
        if let Some(flight) = state.find(id) {
            flight.body = match &done {
                Ok(()) => BodyState::Landed,
                Err(Lost::Broken(_)) => BodyState::Broken,
                Err(_) => BodyState::Dropped,
            };
        }
        drop(state);
        slot.tell();
        done
    }

    /// From the network to the disk. `false` if the MD5 of the whole was wrong.
    #[allow(clippy::too_many_arguments, reason = "one step of `take`")]
    async fn pour(
        &self,
        slot: &Arc<Slot>,
        id: u64,
        (pass_over, from, to): (u64, u64, u64),
        mut body: Body,
        how: &How,
        prove: bool,
        cancel: &CancelToken,
    ) -> Result<bool, Lost> {
        let busy = self.life.busy().map_err(Lost::With)?;
        let landing = (slot.clone(), self.ledger.clone());
        let (send, mut receive) = mpsc::channel::<Vec<u8>>(QUEUE);
        let (give_back, mut empty) = mpsc::channel::<Vec<u8>>(QUEUE);
        let writer = tokio::task::spawn_blocking(move || {
            let _busy = busy;
            let (slot, ledger) = landing;
            let mut landing = Landing::new(slot.clone(), slot.files()?, id, from, prove);
            while let Some(mut block) = receive.blocking_recv() {
                landing.add(&block)?;
                ledger.write_if_due()?;
                block.clear();
                // Whoever filled it may have gone.
                drop(give_back.try_send(block));
            }
            match landing.finish() {
                // The MD5 says more than a confirmation could.
                Some(md5) if md5 == slot.md5 => slot.prove(&[id]).map(|()| true),
                Some(_) => Ok(false),
                None => Ok(true),
            }
        });
        let mut pass_over = pass_over;
        let mut left = to - from;
        let count = |bytes: &Bytes| {
            let bytes = bytes.len() as u64;
            how.received.fetch_add(bytes, Ordering::Relaxed);
            self.ledger.add(how.key, self.network(), bytes);
        };
        let received: Result<(), Lost> = async {
            let mut block = Vec::with_capacity(BLOCK as usize);
            'body: while left > 0 {
                let next = body.next(cancel).await.map_err(lost_body)?;
                let early = || Lost::Broken(Error::offline("the body ended early"));
                let mut bytes = next.ok_or_else(early)?;
                count(&bytes);
                if pass_over > 0 {
                    let over = pass_over.min(bytes.len() as u64);
                    pass_over -= over;
                    bytes = bytes.split_off(over as usize);
                }
                bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                left -= bytes.len() as u64;
                while !bytes.is_empty() {
                    let room = BLOCK as usize - block.len();
                    block.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                    if block.len() < BLOCK as usize && (left > 0 || !bytes.is_empty()) {
                        continue;
                    }
                    // The writer hangs up only when it has failed; its error is told below.
                    if send.send(std::mem::take(&mut block)).await.is_err() {
                        break 'body;
                    }
                    block = empty.try_recv().unwrap_or_default();
                    block.reserve_exact(BLOCK as usize);
                }
            }
            if left == 0 && to == slot.size {
                // The end of the body must be the end of the file.
                while let Some(bytes) = body.next(cancel).await.map_err(lost_body)? {
                    count(&bytes);
                    if !bytes.is_empty() {
                        return Err(Lost::Gone("longer than promised"));
                    }
                }
            }
            Ok(())
        }
        .await;
        drop(send);
        let written: Result<bool> = writer
            .await
            .unwrap_or_else(|_| Err(Error::bug("the writer of a download panicked")));
        match (written, received) {
            (Err(error), _) => Err(Lost::With(error)),
            (Ok(_), Err(lost)) => Err(lost),
            (Ok(sound), Ok(())) => Ok(sound),
        }
    }

    /// The file is not where it was known. It may have moved, and then a reader goes on.
    async fn look_for(&self, slot: &Arc<Slot>, cancel: &CancelToken) -> Lost {
        let found = async {
            self.catalog.refresh_inner(&slot.name.id, cancel).await?;
            let (content, slot) = (self.clone(), slot.clone());
            blocking(move || {
                let wanted = content.catalog.wanted(&slot.name.id)?;
                let mut state = slot.lock();
                let moved = state.path != wanted.path;
                if (wanted.md5, wanted.size) != (slot.md5, slot.size) || !moved {
                    state.gone = true;
                    return Ok(Lost::Gone("place"));
                }
                state.path = wanted.path;
                Ok(Lost::Again)
            })
            .await
        };
        match found.await {
            Ok(lost) => lost,
            Err(Error::NoSuchItem { .. } | Error::NotKnown { .. } | Error::NotAllowed { .. }) => {
                slot.lock().gone = true;
                Lost::Gone("place")
            }
            Err(error) => Lost::With(error),
        }
    }
}

fn lost_body(error: Error) -> Lost {
    match error {
        Error::Offline { .. } => Lost::Broken(error),
        error => Lost::With(error),
    }
}

/// Tells how a flight ended when it is dropped.
struct Ends {
    slot: Arc<Slot>,
    id: u64,
    outcome: Result<(), Lost>,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.slot.finish(self.id, self.outcome.clone());
    }
}

/// The disk end of a flight.
struct Landing {
    slot: Arc<Slot>,
    files: Arc<SlotFiles>,
    id: u64,
    at: u64,
    md5: Option<Md5>,
}

impl Landing {
    fn new(slot: Arc<Slot>, files: Arc<SlotFiles>, id: u64, from: u64, prove: bool) -> Self {
        debug_assert!(from.is_multiple_of(BLOCK));
        Self {
            slot,
            files,
            id,
            at: from,
            md5: prove.then(Md5::new),
        }
    }

    /// Takes the next block, whole.
    fn add(&mut self, block: &[u8]) -> Result<()> {
        self.files.write(block, self.at)?;
        if let Some(md5) = &mut self.md5 {
            md5.update(block);
        }
        let hash: Hash = blake3::hash(block).into();
        self.at += block.len() as u64;
        self.slot.land(&self.files, self.id, &[hash])
    }

    /// The MD5 of the whole, if it was wanted and all has come.
    fn finish(self) -> Option<[u8; 16]> {
        let complete = self.at == self.files.size();
        self.md5.filter(|_| complete).map(Md5::finalize)
    }
}
