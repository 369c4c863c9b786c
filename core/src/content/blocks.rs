//! A slot in this process: its files, what is on its way, and what may be believed.
//!
//! Invariants:
//! - all readers and fetches of a slot share one [`Slot`], and with it its flights: a block that is on its way is waited for
//!   and never asked for a second time;
//! - what has landed becomes a map entry, and may be handed out, only when its flight is confirmed (see `confirm`), or when
//!   the MD5 of the whole was right;
//! - a block is read by its hash or not at all. One that does not fit counts as absent from then on;
//! - the files are open while somebody has the slot, but for a pause: then they are closed, and opened again by the next
//!   who needs them.

use super::slot::{ABSENT, BLOCK, Hash, SlotFiles, SlotName, WINDOW};
use super::ticket::Ticket;
use crate::catalog::Space;
use crate::disk::Disk;
use crate::remote::{RemotePath, Revision};
use crate::{CancelToken, Error, Result};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a thread waits without looking whether another process has brought what it waits for.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Why a flight did not bring all of its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The service has another content now, or lies.
    Gone(&'static str),
    /// The same content under another revision: what comes from now on can be confirmed.
    Again,
    /// The body broke. What was confirmed of it is here.
    Broken(Error),
    /// Anything else.
    With(Error),
}

/// What the service says of a version beside its content. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub revision: Option<u64>,
    pub updated_ms: Option<i64>,
}

impl Stamp {
    pub fn of(revision: &Revision) -> Self {
        Self {
            revision: revision.number,
            updated_ms: revision.updated_ms,
        }
    }

    /// Whether both can be of one revision: by its number if both know it, else by the time.
    fn fits(&self, other: &Self) -> bool {
        match (self.revision, other.revision) {
            (Some(one), Some(two)) => one == two,
            _ => match (self.updated_ms, other.updated_ms) {
                (Some(one), Some(two)) => one == two,
                _ => true,
            },
        }
    }
}

/// Blocks on their way.
pub(super) struct Flight {
    pub id: u64,
    pub run: Range<u64>,
    /// Blocks from the start of the run that are in the file.
    pub landed: u64,
    /// The hashes of the last of them: those that are not in the map yet.
    pending: Vec<Hash>,
    /// When the headers of the answer came.
    pub headers: Option<Instant>,
    pub confirmed: bool,
    /// Somebody waits for the confirmation.
    pub hurry: bool,
    pub body: BodyState,
    pub lost: Option<Lost>,
    /// Who waits for it or has begun it for later.
    pub interest: usize,
    pub cancel: CancelToken,
    outcome: Arc<OnceLock<Result<(), Lost>>>,
    /// Bytes that became map entries.
    settled: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyState {
    Coming,
    /// Complete.
    Landed,
    /// Broke off; what landed can still be confirmed.
    Broken,
    /// Nothing of it counts any more.
    Dropped,
}

pub(super) struct State {
    pub path: RemotePath,
    pub space: Space,
    pub stamp: Stamp,
    /// The service no longer has this version.
    pub gone: bool,
    /// The account has left: nothing may be read or come any more.
    left: bool,
    /// The service answered a range with the whole file.
    pub ignores_ranges: bool,
    pub flights: Vec<Flight>,
    next: u64,
    /// Somebody asks for the version at this moment.
    pub asking: bool,
    /// When the last question was sent, and the last that was answered well.
    pub asked: Option<Instant>,
    pub good: Option<Instant>,
    /// Bytes that the cache has not been told of.
    unnoted: u64,
}

/// A slot in this process.
pub(super) struct Slot {
    pub name: SlotName,
    pub size: u64,
    pub md5: [u8; 16],
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    files: Mutex<Option<Arc<SlotFiles>>>,
    state: Mutex<State>,
    /// Threads wait here.
    landed: Condvar,
    /// Tasks wait here.
    pub told: Notify,
}

impl Slot {
    pub fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        name: SlotName,
        path: RemotePath,
        space: Space,
    ) -> Result<Self> {
        let (md5, size) = name
            .content()
            .ok_or_else(|| Error::bug("a version that is none"))?;
        let state = State {
            path,
            space,
            stamp: Stamp::default(),
            gone: false,
            left: false,
            ignores_ranges: false,
            flights: Vec::new(),
            next: 0,
            asking: false,
            asked: None,
            good: None,
            unnoted: 0,
        };
        Ok(Self {
            name,
            size,
            md5,
            disk,
            dir,
            files: Mutex::default(),
            state: Mutex::new(state),
            landed: Condvar::new(),
            told: Notify::new(),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait.
    pub fn tell(&self) {
        self.landed.notify_all();
        self.told.notify_waiters();
    }

    /// The files, opened if a pause had closed them.
    pub fn files(&self) -> Result<Arc<SlotFiles>> {
        if self.lock().left {
            return Err(left());
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = &*files {
            return Ok(files.clone());
        }
        let opened = Arc::new(SlotFiles::open(&*self.disk, &self.dir, &self.name)?);
        Ok(files.insert(opened).clone())
    }

    pub fn files_are_open(&self) -> bool {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.is_some()
    }

    /// Somebody opens this version, which is the newest that the catalogue knows, as `stamp` says.
    pub fn expect(&self, stamp: Stamp) {
        let mut state = self.lock();
        if state.gone || state.stamp == Stamp::default() {
            state.gone = false;
            state.adopt(stamp);
        }
    }

    /// The account has left.
    pub fn leave(&self) {
        self.lock().left = true;
        self.close_files();
    }

    pub fn close_files(&self) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The files if nobody else in this process is using them; then they are no longer the slot's.
    pub fn take_files(&self) -> Option<SlotFiles> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match Arc::try_unwrap(files.take()?) {
            Ok(alone) => Some(alone),
            Err(shared) => {
                *files = Some(shared);
                None
            }
        }
    }

    /// How many blocks the content has.
    pub fn blocks(&self) -> u64 {
        self.size.div_ceil(BLOCK)
    }

    /// Bytes in a run of blocks.
    pub fn bytes_of(&self, run: &Range<u64>) -> u64 {
        (run.end * BLOCK).min(self.size) - (run.start * BLOCK).min(self.size)
    }

    /// Reads a block if it is here, proved. `trusting` takes what [`State::trusts`] too. `Err(true)` when it was damaged.
    pub fn read_block(
        &self,
        block: u64,
        trusting: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<Result<(), bool>> {
        let files = self.files()?;
        let mut hash = files.hashes(block, 1)?.first().copied().unwrap_or(ABSENT);
        if hash == ABSENT && trusting {
            hash = self.lock().trusted(block).unwrap_or(ABSENT);
        }
        if hash == ABSENT {
            return Ok(Err(false));
        }
        buffer.resize(files.len_of(block), 0);
        let read = files.read(buffer, block * BLOCK)?;
        if read == buffer.len() && blake3::hash(buffer) == hash {
            return Ok(Ok(()));
        }
        files.forget(block)?;
        Ok(Err(true))
    }

    /// The next run of blocks in `within` that are neither here nor on their way, at most `limit` of them.
    pub fn missing(&self, within: Range<u64>, limit: u64) -> Result<Option<Range<u64>>> {
        let files = self.files()?;
        let end = within.end.min(self.blocks());
        let mut found: Option<Range<u64>> = None;
        let mut at = within.start;
        while at < end {
            let hashes = files.hashes(at, WINDOW.min(end - at))?;
            if hashes.is_empty() {
                break;
            }
            let state = self.lock();
            for hash in hashes {
                let absent = hash == ABSENT && state.covering(at).is_none();
                match &mut found {
                    Some(run) if !absent || run.end - run.start >= limit => return Ok(found),
                    Some(run) => run.end += 1,
                    None if absent => found = Some(at..at + 1),
                    None => {}
                }
                at += 1;
            }
        }
        Ok(found)
    }

    /// Bytes that the map says are here.
    pub fn bytes_here(&self) -> Result<u64> {
        let files = self.files()?;
        let (mut at, mut here) = (0, 0);
        while at < files.blocks() {
            let hashes = files.hashes(at, WINDOW)?;
            for hash in &hashes {
                if *hash != ABSENT {
                    here += files.len_of(at) as u64;
                }
                at += 1;
            }
            if hashes.is_empty() {
                break;
            }
        }
        Ok(here)
    }

    /// Waits for a flight that brings `block`, or begins one for the run that starts with it. The flag says that it was
    /// begun, and must be flown.
    pub fn obtain(self: &Arc<Self>, run: Range<u64>, hurry: bool) -> (Ticket, bool) {
        let mut state = self.lock();
        if let Some(at) = state
            .flights
            .iter()
            .position(|flight| flight.run.contains(&run.start))
        {
            let flight = &mut state.flights[at];
            flight.interest += 1;
            flight.hurry |= hurry;
            let ticket = self.ticket(flight);
            drop(state);
            self.told.notify_waiters();
            return (ticket, false);
        }
        let next_flight = state.flights.iter().map(|flight| flight.run.start);
        let end = next_flight
            .filter(|start| *start > run.start)
            .min()
            .map_or(run.end, |start| run.end.min(start));
        let id = state.next;
        state.next += 1;
        state.flights.push(Flight {
            id,
            run: run.start..end,
            landed: 0,
            pending: Vec::new(),
            headers: None,
            confirmed: false,
            hurry,
            body: BodyState::Coming,
            lost: None,
            interest: 1,
            cancel: CancelToken::new(),
            outcome: Arc::default(),
            settled: Arc::default(),
        });
        let last = state.flights.len() - 1;
        (self.ticket(&state.flights[last]), true)
    }

    fn ticket(self: &Arc<Self>, flight: &Flight) -> Ticket {
        Ticket {
            slot: self.clone(),
            id: flight.id,
            run: flight.run.clone(),
            outcome: flight.outcome.clone(),
            settled: flight.settled.clone(),
            cancel: flight.cancel.clone(),
        }
    }

    /// More blocks of a flight are in the file.
    pub fn land(&self, files: &SlotFiles, id: u64, hashes: &[Hash]) -> Result<()> {
        let mut state = self.lock();
        if let Some(flight) = state.find(id) {
            flight.landed += hashes.len() as u64;
            flight.pending.extend_from_slice(hashes);
        }
        state.settle(self, files)?;
        drop(state);
        // Only threads wait for single blocks.
        self.landed.notify_all();
        Ok(())
    }

    /// The MD5 of the whole was right, over what these flights have landed and what the map had.
    pub fn prove(&self, hashed: &[u64]) -> Result<()> {
        let files = self.files()?;
        let mut state = self.lock();
        for flight in &mut state.flights {
            // Whatever a question has told meanwhile: these bytes are the version's.
            if flight.landed > 0 && hashed.contains(&flight.id) {
                (flight.confirmed, flight.lost) = (true, None);
            }
        }
        state.settle(self, &files)?;
        drop(state);
        files.set_whole(true)?;
        self.tell();
        Ok(())
    }

    /// A flight is over.
    pub fn finish(&self, id: u64, outcome: Result<(), Lost>) {
        let mut state = self.lock();
        if let Some(at) = state.flights.iter().position(|flight| flight.id == id) {
            let flight = state.flights.swap_remove(at);
            drop(flight.outcome.set(outcome));
        }
        drop(state);
        self.tell();
    }

    /// Waits until `ready` says so, something else has happened, or it is time to look again.
    pub fn wait(&self, until: Instant, ready: impl Fn(&State) -> bool) {
        let state = self.lock();
        if ready(&state) {
            return;
        }
        let left = until.saturating_duration_since(Instant::now());
        drop(self.landed.wait_timeout(state, left.min(LOOK_AGAIN)));
    }

    /// How many blocks from `from` on, at most `limit`, are in the file: confirmed or not, proved or not.
    pub fn in_file(&self, from: u64, limit: u64) -> Result<u64> {
        let files = self.files()?;
        let state = self.lock();
        if let Some(flight) = state.covering(from) {
            let landed = flight.run.start + flight.landed;
            if landed > from {
                return Ok((landed - from).min(limit));
            }
        }
        let hashes = files.hashes(from, limit)?;
        let here = hashes.iter().take_while(|hash| **hash != ABSENT).count();
        Ok(here as u64)
    }

    /// Bytes that have become map entries since the last call, once they are at least so many.
    pub fn take_unnoted(&self, at_least: u64) -> bool {
        let mut state = self.lock();
        let due = state.unnoted >= at_least.max(1);
        if due {
            state.unnoted = 0;
        }
        due
    }

    /// Forgets everything, after the MD5 of the whole was wrong.
    pub fn forget_all(&self) -> Result<()> {
        self.files()?.forget_all()
    }
}

impl State {
    pub fn find(&mut self, id: u64) -> Option<&mut Flight> {
        self.flights.iter_mut().find(|flight| flight.id == id)
    }

    pub fn covering(&self, block: u64) -> Option<&Flight> {
        self.flights
            .iter()
            .find(|flight| flight.run.contains(&block))
    }

    /// Takes what the service says of this version. What is on its way may be of another revision, so it is asked for again.
    pub fn adopt(&mut self, stamp: Stamp) {
        if !self.stamp.fits(&stamp) {
            for flight in &mut self.flights {
                if !flight.confirmed && flight.headers.is_some() {
                    flight.lost.get_or_insert(Lost::Again);
                }
            }
        }
        self.stamp = Stamp {
            revision: stamp.revision.or(self.stamp.revision),
            updated_ms: stamp.updated_ms.or(self.stamp.updated_ms),
        };
    }

    /// Whether the service's word fits what was expected.
    pub fn expects(&self, stamp: &Stamp) -> bool {
        self.stamp.fits(stamp)
    }

    /// Writes the map entries of what is confirmed.
    pub fn settle(&mut self, slot: &Slot, files: &SlotFiles) -> Result<()> {
        for flight in &mut self.flights {
            if !flight.confirmed || flight.pending.is_empty() {
                continue;
            }
            let first = flight.run.start + flight.landed - flight.pending.len() as u64;
            files.put_hashes(first, &flight.pending)?;
            let bytes = slot.bytes_of(&(first..first + flight.pending.len() as u64));
            flight.settled.fetch_add(bytes, Ordering::Relaxed);
            flight.pending.clear();
            self.unnoted += bytes;
        }
        Ok(())
    }

    /// For a player: the hash of a block that has landed and is not confirmed, if the version was confirmed in the two
    /// seconds before its headers came. The next confirmation covers it.
    fn trusted(&self, block: u64) -> Option<Hash> {
        let flight = self.covering(block)?;
        let fresh = flight.headers?.checked_duration_since(self.good?)? <= super::confirm::TRUST;
        let begins = flight.run.start + flight.landed - flight.pending.len() as u64;
        let at = usize::try_from(block.checked_sub(begins)?).ok()?;
        let sound = fresh && flight.lost.is_none() && !self.gone;
        flight.pending.get(at).copied().filter(|_| sound)
    }

    /// Whether a reader that waits for a block has anything new to look at.
    pub fn stirs(&self, id: u64, block: u64, trusting: bool) -> bool {
        let Some(flight) = self.flights.iter().find(|flight| flight.id == id) else {
            return true;
        };
        let here = block < flight.run.start + flight.landed;
        here && (flight.confirmed || (trusting && self.trusted(block).is_some()))
    }
}

/// What a slot of an account that has left gives.
fn left() -> Error {
    Error::NotKnown {
        detail: "an item of an account that has signed out".into(),
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
