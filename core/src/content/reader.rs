//! A file read by any of its parts, by threads made for that.
//!
//! A reader has one version, and no state that matters: what it has read is in the slot, and serves everybody. It waits on
//! flights and never inside the runtime. During a pause its files are closed and its reads fail; afterwards it goes on.

use super::ahead::Ahead;
use super::blocks::{Lost, Slot, State};
use super::cache::Reserved;
use super::confirm::Pace;
use super::flight::How;
use super::ledger::ByteKey;
use super::slot::BLOCK;
use super::ticket::Ticket;
use super::{Content, Network, Purpose};
use crate::catalog::ItemId;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes of one read.
const LARGEST: u32 = 128 * 1024;
/// How long a read waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a read tries again, when what it waits for has failed or was damaged.
const TRIES: u32 = 4;
/// Blocks of one request, at the most.
const FLIGHT: u64 = (4 << 20) / BLOCK;
/// Bytes for which a reader reserves place at once.
const ROOM: u64 = 16 << 20;

/// How a reader will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Hint {
    /// Found out from the reads.
    #[default]
    Unknown,
    /// From front to back: reads ahead.
    Sequential,
    /// Here and there: fetches what is asked for and nothing else.
    Random,
    /// A player: reads ahead, and confirms the version every two seconds instead of with every request.
    Streaming,
}

/// An open file. Any number of threads may use it, and any number of readers one file.
///
/// It reads one version: when the file has changed on the service, parts that are not on the device give `VersionGone`,
/// and never bytes of another version.
pub struct Reader {
    content: Content,
    size: u64,
    version: String,
    purpose: Purpose,
    inner: Mutex<Inner>,
    /// Raised by each cancel.
    cancels: AtomicU64,
}

struct Inner {
    /// `None` once closed.
    slot: Option<Arc<Slot>>,
    ahead: Ahead,
    /// What was asked for ahead.
    coming: Vec<Ticket>,
    /// The block that was read last, proved. A player reads it in small pieces.
    last: Option<(u64, Arc<Vec<u8>>)>,
    room: Option<Reserved>,
    room_left: u64,
}

/// One read.
struct Read<'a> {
    reader: &'a Reader,
    slot: Arc<Slot>,
    playing: bool,
    until: Instant,
    cancels: u64,
    tries: u32,
}

impl Content {
    pub(super) fn open_reader_inner(
        &self,
        id: &ItemId,
        want_version: Option<&str>,
        purpose: Purpose,
    ) -> Result<Reader> {
        let _busy = self.life.busy()?;
        let wanted = self.catalog.wanted(id)?;
        let newest = wanted.item.content_version.as_deref();
        let older = match want_version {
            Some(version) => (Some(version) != newest).then(|| version.to_owned()),
            None if self.network() == Network::Offline => self.kept_version(&wanted)?,
            None => None,
        };
        let slot = match older {
            None => self.slot(&wanted)?,
            Some(version) => self
                .older_slot(&wanted, &version)?
                .ok_or(Error::VersionGone)?,
        };
        self.opened(id, purpose);
        Ok(Reader {
            content: self.clone(),
            size: slot.size,
            version: slot.name.version.clone(),
            purpose,
            inner: Mutex::new(Inner {
                slot: Some(slot),
                ahead: Ahead::new(self.read_ahead),
                coming: Vec::new(),
                last: None,
                room: None,
                room_left: 0,
            }),
            cancels: AtomicU64::new(0),
        })
    }
}

impl Reader {
    /// The length of the file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The version that it reads.
    pub fn content_version(&self) -> &str {
        &self.version
    }

    /// Reads up to `len` bytes (at most 131,072) at `offset`; less only at the end of the file. Blocks until they are here,
    /// for at most 30 seconds. Not for a thread that runs futures or a user interface.
    ///
    /// Errors: `VersionGone`, `Offline` (no bytes for 30 seconds too), `Cancelled` (after [`cancel`](Self::cancel) or
    /// [`close`](Self::close)), `Paused`, `DiskFull`, `InvalidArgument`.
    pub fn read_at(&self, offset: u64, len: u32) -> Result<Vec<u8>> {
        if len > LARGEST {
            return Err(Error::invalid("a read of more than 128 KiB"));
        }
        let _busy = self.content.life.busy()?;
        let cancels = self.cancels.load(Ordering::SeqCst);
        let end = offset.saturating_add(u64::from(len)).min(self.size);
        let (slot, playing, step) = {
            let mut inner = self.lock();
            let slot = inner.slot.clone().ok_or(Error::Cancelled)?;
            if offset >= end {
                return Ok(Vec::new());
            }
            let step = inner.ahead.read(offset, end - offset);
            if step.jumped {
                inner.coming.clear();
            }
            inner.coming.retain(|ticket| ticket.outcome().is_none());
            (slot, inner.ahead.is_playing(), step)
        };
        let mut read = Read {
            reader: self,
            slot,
            playing,
            until: Instant::now() + PATIENCE,
            cancels,
            tries: 0,
        };
        // An account that has left gives nothing, not even the block that was read last.
        read.slot.files()?;
        let more = blocks_of(&step.more, self.size);
        let bytes = read.bytes(offset..end, more.end)?;
        // What cannot be asked for ahead is asked for when it is read.
        let _ = read.ahead(more);
        Ok(bytes)
    }

    /// Says how it will be used.
    pub fn hint(&self, hint: Hint) {
        self.lock().ahead.hint(hint);
    }

    /// Ends the reads that wait now, in all threads, with `Cancelled`. Later reads work.
    pub fn cancel(&self) {
        self.cancels.fetch_add(1, Ordering::SeqCst);
        let slot = self.lock().slot.clone();
        if let Some(slot) = slot {
            // Not between a look of a waiting thread and its sleep.
            drop(slot.lock());
            slot.tell();
        }
    }

    /// Ends it: reads give `Cancelled` from now on, and the content may be evicted. Dropping it does the same.
    pub fn close(&self) {
        self.cancel();
        let (slot, coming) = {
            let mut inner = self.lock();
            (inner.last, inner.room) = (None, None);
            (inner.slot.take(), std::mem::take(&mut inner.coming))
        };
        drop(coming);
        if let Some(slot) = slot {
            // What cannot be written now is written by whoever comes next, or made anew from the files.
            // Not in a pause, which must find no open file.
            if let Ok(_busy) = self.content.life.busy() {
                if slot.take_unnoted(1) {
                    drop(self.content.note(&slot));
                }
                drop(self.content.ledger.write());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

/// The blocks that some bytes are in.
fn blocks_of(bytes: &Range<u64>, size: u64) -> Range<u64> {
    let end = bytes.end.min(size);
    if bytes.start >= end {
        return 0..0;
    }
    bytes.start / BLOCK..end.div_ceil(BLOCK)
}

impl Read<'_> {
    /// The bytes of a range. What is missing is asked for all at once, up to the block `further` where it reaches on.
    fn bytes(&mut self, range: Range<u64>, further: u64) -> Result<Vec<u8>> {
        let blocks = blocks_of(&range, self.slot.size);
        let mut found = Vec::new();
        for block in blocks.clone() {
            found.push(self.here(block)?);
        }
        let mut tickets = Vec::new();
        for (block, _) in blocks
            .clone()
            .zip(&found)
            .filter(|(_, here)| here.is_none())
        {
            if !self.slot.lock().gone {
                tickets.push(self.ask(block, blocks.end.max(further))?);
            }
        }
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        for (block, here) in blocks.zip(found) {
            let whole = match here {
                Some(here) => here,
                None => self.wait_for(block, blocks_end(&range).max(further), &mut tickets)?,
            };
            let starts = block * BLOCK;
            let from = range.start.saturating_sub(starts) as usize;
            let to = (range.end - starts).min(whole.len() as u64) as usize;
            bytes.extend_from_slice(&whole[from..to]);
            self.reader.lock().last = Some((block, whole));
        }
        // What comes beyond this read is for the next ones.
        tickets.retain(|ticket| ticket.outcome().is_none());
        self.reader.lock().coming.append(&mut tickets);
        Ok(bytes)
    }

    /// A block, if it is on the device.
    fn here(&mut self, block: u64) -> Result<Option<Arc<Vec<u8>>>> {
        let last = self.reader.lock().last.clone();
        if let Some((at, bytes)) = last
            && at == block
        {
            return Ok(Some(bytes));
        }
        let mut bytes = Vec::new();
        match self.slot.read_block(block, self.playing, &mut bytes)? {
            Ok(()) => Ok(Some(Arc::new(bytes))),
            Err(damaged) => {
                if damaged {
                    self.failed(Error::DiskFailed {
                        detail: "what was written is not what is read".into(),
                    })?;
                    self.reader.content.note_damaged(&self.slot)?;
                }
                Ok(None)
            }
        }
    }

    fn wait_for(
        &mut self,
        block: u64,
        end: u64,
        tickets: &mut Vec<Ticket>,
    ) -> Result<Arc<Vec<u8>>> {
        let (slot, content) = (self.slot.clone(), &self.reader.content);
        loop {
            if let Some(bytes) = self.here(block)? {
                return Ok(bytes);
            }
            if self.is_cancelled() {
                return Err(Error::Cancelled);
            }
            content.life.check()?;
            if slot.lock().gone {
                return Err(Error::VersionGone);
            }
            if Instant::now() >= self.until {
                return Err(Error::offline("no bytes for 30 seconds"));
            }
            let at = tickets.iter().position(|t| t.run.contains(&block));
            let Some(at) = at else {
                let ticket = self.ask(block, end)?;
                tickets.push(ticket);
                continue;
            };
            if let Some(outcome) = tickets[at].outcome() {
                tickets.swap_remove(at);
                match outcome {
                    // It is here now, or it was evicted or damaged meanwhile.
                    Ok(()) => self.failed(Error::offline("blocks that do not stay"))?,
                    Err(Lost::Gone(_)) => return Err(Error::VersionGone),
                    Err(Lost::Again) => self.failed(Error::VersionGone)?,
                    Err(Lost::Broken(error)) => self.failed(error)?,
                    // Not by us: whoever had begun it has no use for it any more.
                    Err(Lost::With(Error::Cancelled)) => {}
                    Err(Lost::With(error)) => return Err(error),
                }
                continue;
            }
            let (id, cancels) = (tickets[at].id, self.cancels);
            slot.wait(self.until, |state: &State| {
                state.stirs(id, block, self.playing)
                    || self.reader.cancels.load(Ordering::SeqCst) != cancels
            });
        }
    }

    fn is_cancelled(&self) -> bool {
        self.reader.cancels.load(Ordering::SeqCst) != self.cancels
    }

    /// Another try, unless there were enough.
    fn failed(&mut self, error: Error) -> Result<()> {
        self.tries += 1;
        if self.tries > TRIES {
            return Err(error);
        }
        if self.tries > 1 {
            let pause = Duration::from_millis(fastrand::u64(25..50) << self.tries);
            self.slot
                .wait(Instant::now() + pause, |_| self.is_cancelled());
        }
        Ok(())
    }

    /// Asks for a missing block and for those that are missing right behind it, up to `end`; or waits for who has.
    fn ask(&self, block: u64, end: u64) -> Result<Ticket> {
        let end = end.max(block + 1).min(self.slot.blocks());
        let run = self.slot.missing(block..end, FLIGHT)?;
        let run = run.filter(|run| run.start == block);
        self.begin(run.unwrap_or(block..block + 1))
    }

    fn begin(&self, run: Range<u64>) -> Result<Ticket> {
        let (ticket, begun) = self.slot.obtain(run, !self.playing);
        if begun {
            if let Err(error) = self.reserve(self.slot.bytes_of(&ticket.run)) {
                self.slot.finish(ticket.id, Err(Lost::With(error.clone())));
                return Err(error);
            }
            let space = self.slot.lock().space;
            let purpose = self.reader.purpose;
            let how = How {
                key: ByteKey { space, purpose },
                pace: if self.playing {
                    Pace::PLAYING
                } else {
                    Pace::READING
                },
                reading: true,
                prove: false,
                received: Arc::default(),
                permit: None,
            };
            self.reader.content.fly(&ticket, how);
        }
        Ok(ticket)
    }

    /// Asks for what will be read next.
    fn ahead(&self, more: Range<u64>) -> Result<()> {
        let mut at = more.start;
        while at < more.end {
            let Some(run) = self.slot.missing(at..more.end, FLIGHT)? else {
                return Ok(());
            };
            if self.slot.lock().gone {
                return Ok(());
            }
            at = run.end;
            let ticket = self.begin(run)?;
            self.reader.lock().coming.push(ticket);
        }
        Ok(())
    }

    fn reserve(&self, bytes: u64) -> Result<()> {
        let left = self.reader.lock().room_left;
        if left >= bytes {
            self.reader.lock().room_left -= bytes;
            return Ok(());
        }
        let room = ROOM.max(bytes).min(self.slot.size.max(bytes));
        let content = &self.reader.content;
        let reserved = content.cache.reserve(room, self.reader.purpose)?;
        let mut inner = self.reader.lock();
        (inner.room, inner.room_left) = (Some(reserved), room - bytes);
        Ok(())
    }
}

fn blocks_end(bytes: &Range<u64>) -> u64 {
    bytes.end.div_ceil(BLOCK)
}
