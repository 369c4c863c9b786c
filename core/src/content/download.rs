//! A whole file to a path.
//!
//! Bytes stream from the network into a part, hashed as they are written on a thread of their own, so
//! that network and MD5 overlap. A break is continued by range from what is there, a few times in this
//! call and then by the next call, in any process. Bytes of two versions cannot mix unnoticed: the part
//! is named by version, and gets its final name only when its size and MD5 are the server's.

use super::ledger::{self, ByteKey};
use super::part::Part;
use super::{Content, Fetched, Purpose, TransferListener};
use crate::catalog::{Item, ItemId, Space};
use crate::remote::RemotePath;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Breaks in a row without a new byte before a call gives up.
const BREAKS: u32 = 4;
/// Chunks between network and disk; a chunk is what one read of a socket gave.
const QUEUE: usize = 8;
/// Bytes received before the ledger is written again, and between two progress calls at the least.
const LEDGER_STEP: u64 = 4 << 20;
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What to fetch: a file as the catalogue has it.
pub(crate) struct Wanted {
    pub item: Item,
    pub path: RemotePath,
    pub size: u64,
    pub md5: [u8; 16],
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
    pub(super) async fn fetch_to_file_inner(
        &self,
        id: &ItemId,
        _want_version: Option<&str>,
        dest: &Path,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Fetched> {
        let mut detail = "";
        let mut fetched = 0;
        for again in [false, true] {
            if again {
                self.catalog.refresh_inner(id, cancel).await?;
            }
            let (catalog, of) = (self.catalog.clone(), id.clone());
            let wanted = blocking(move || catalog.wanted(&of)).await?;
            let got = self.fetch(&wanted, purpose, progress.clone(), &mut fetched, cancel);
            match got.await {
                Ok(part) => {
                    let (bytes, dest, cancel) = (part.len(), dest.to_owned(), cancel.clone());
                    blocking(move || part.place(&dest, &cancel)).await?;
                    return Ok(Fetched {
                        item: wanted.item,
                        bytes,
                        fetched,
                    });
                }
                Err(Failed::Drifted(why)) => detail = why,
                // Not at its place any more: the catalogue finds out whether it is gone or has moved.
                Err(Failed::With(Error::NoSuchItem { .. })) if !again => {}
                Err(Failed::With(error)) => return Err(error),
            }
        }
        Err(Error::ContentMismatch {
            detail: detail.into(),
        })
    }

    async fn fetch(
        &self,
        wanted: &Wanted,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        fetched: &mut u64,
        cancel: &CancelToken,
    ) -> Result<Part, Failed> {
        let (disk, dir, size) = (self.disk.clone(), self.parts.clone(), wanted.size);
        let version = format!("{}-{size}", hex(&wanted.md5));
        let (item, stop) = (wanted.item.id.to_string(), cancel.clone());
        let part = blocking(move || Part::open(disk, &dir, &item, &version, size, &stop)).await?;
        let mut sink = Sink {
            part,
            size,
            fetched: 0,
            uncounted: 0,
            space: wanted.item.space,
            purpose,
            progress,
            told: None,
            content: self.clone(),
        };
        let (mut breaks, mut best) = (0, sink.part.len());
        while sink.part.len() < size {
            let (back, done) = self.stream(wanted, sink, cancel).await?;
            sink = back;
            match done {
                Ok(()) => break,
                Err(Failed::With(error @ Error::Offline { .. })) => {
                    // Only what was never here before is progress: a server that ignores ranges and always
                    // breaks would send the same bytes for ever.
                    breaks = if sink.part.len() > best {
                        1
                    } else {
                        breaks + 1
                    };
                    best = best.max(sink.part.len());
                    if breaks > BREAKS {
                        return Err(error.into());
                    }
                    let pause = Duration::from_millis(fastrand::u64(50..100) << breaks);
                    cancel
                        .run(async {
                            tokio::time::sleep(pause).await;
                            Ok(())
                        })
                        .await?;
                }
                Err(Failed::Drifted(why)) => {
                    *fetched += sink.fetched;
                    blocking(move || sink.part.discard()).await?;
                    return Err(Failed::Drifted(why));
                }
                Err(failed) => return Err(failed),
            }
        }
        *fetched += sink.fetched;
        if sink.part.len() != size || sink.part.md5() != wanted.md5 {
            blocking(move || sink.part.discard()).await?;
            return Err(Failed::Drifted("MD5 or size"));
        }
        sink.tell(true);
        Ok(sink.part)
    }

    /// One request: from where the part ends to where the body does. The part comes back synced, whatever
    /// happened to the body. A request that got none fails at once: the transport has been patient already.
    async fn stream(
        &self,
        wanted: &Wanted,
        mut sink: Sink,
        cancel: &CancelToken,
    ) -> Result<(Sink, Result<(), Failed>)> {
        let from = sink.part.len();
        let mut body = match self.remote.open(&wanted.path, from, None, cancel).await {
            Ok(body) => body,
            // The range starts inside the file as we know it, so the file has become shorter.
            Err(Error::VersionGone) => return Ok((sink, Err(Failed::Drifted("range")))),
            Err(error) => return Err(error),
        };
        if body.total.is_some_and(|total| total != wanted.size) {
            return Ok((sink, Err(Failed::Drifted("size"))));
        }
        if body.offset != from {
            sink.part.restart()?;
        }
        let busy = self.life.busy()?;
        let (send, receive) = mpsc::channel(QUEUE);
        let writer = tokio::task::spawn_blocking(move || {
            let _busy = busy;
            let mut sink = sink;
            let written = sink.drain(receive);
            (sink, written)
        });
        let mut refused = 0;
        let received = async {
            while let Some(bytes) = body.next(cancel).await? {
                // The writer hangs up only when it has failed; its error is told below.
                if let Err(back) = send.send(bytes).await {
                    refused = back.0.len() as u64;
                    break;
                }
            }
            Ok(())
        }
        .await;
        drop(send);
        let (mut sink, written) = writer
            .await
            .map_err(|_| Error::bug("the writer of a download panicked"))?;
        if refused > 0 {
            sink.uncounted += refused;
            sink.count()?;
        }
        let done = match (written, received) {
            (Err(failed), _) => Err(failed),
            (_, Err(error)) => Err(Failed::With(error)),
            (Ok(()), Ok(())) if sink.part.len() < wanted.size => {
                Err(Failed::With(Error::offline("the body ended early")))
            }
            (Ok(()), Ok(())) => Ok(()),
        };
        Ok((sink, done))
    }
}

/// The disk end of a download.
struct Sink {
    part: Part,
    size: u64,
    fetched: u64,
    uncounted: u64,
    space: Space,
    purpose: Purpose,
    progress: Option<Arc<dyn TransferListener>>,
    /// What progress said last, and when.
    told: Option<(u64, Instant)>,
    content: Content,
}

impl Sink {
    fn drain(&mut self, mut receive: mpsc::Receiver<Bytes>) -> Result<(), Failed> {
        let written = self.write_all(&mut receive);
        // Received is received, written or not.
        receive.close();
        while let Some(bytes) = receive.blocking_recv() {
            self.uncounted += bytes.len() as u64;
        }
        let counted = self.count();
        let synced = self.part.sync();
        written?;
        counted?;
        Ok(synced?)
    }

    fn write_all(&mut self, receive: &mut mpsc::Receiver<Bytes>) -> Result<(), Failed> {
        while let Some(bytes) = receive.blocking_recv() {
            self.fetched += bytes.len() as u64;
            self.uncounted += bytes.len() as u64;
            if self.uncounted >= LEDGER_STEP {
                self.count()?;
            }
            if self.part.len() + bytes.len() as u64 > self.size {
                return Err(Failed::Drifted("longer than promised"));
            }
            self.part.append(&bytes)?;
            self.tell(false);
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        if self.uncounted > 0 {
            let key = ByteKey {
                space: self.space,
                purpose: self.purpose,
                network: self.content.network(),
            };
            ledger::add(&self.content.store, key, self.uncounted)?;
            self.uncounted = 0;
        }
        Ok(())
    }

    /// The last call, and only that, says that all is here: not before the hash was right.
    fn tell(&mut self, last: bool) {
        let Some(progress) = &self.progress else {
            return;
        };
        let here = self.part.len();
        let due = self
            .told
            .is_none_or(|(told, at)| here > told && at.elapsed() >= PROGRESS_EVERY);
        if last || (due && here < self.size) {
            progress.on_transfer(here, self.size);
            self.told = Some((here, Instant::now()));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
