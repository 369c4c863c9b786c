//! Whether what came is of the version that it was asked for.
//!
//! The service is not known to give an ETag, and a path may get other content at any moment. So a range counts only if,
//! after its headers came, the file is asked for again and is the same: MD5, size and revision number (or, while no number
//! is known, the time of the update). The answer was made from one revision when its headers were sent, and a revision
//! number never comes back, so a file that is the same afterwards was the same then. One question confirms all flights whose
//! headers came before it was sent.
//!
//! When it is asked:
//! - for a reader: at once, while the body still comes, so that its first byte is two round trips away;
//! - for a player: at once the first time, then every two seconds. Between two questions it takes bytes that are not
//!   confirmed yet, if the last question was answered well less than [`TRUST`] before their headers came. They reach nobody
//!   else and are in no map before the next question; if that fails, the player is told at its next read. A file that
//!   changes to other content of the same size while it plays can so show a player less than two seconds of the other one;
//! - for a whole file: a little later and then once a second, to keep what a kill would cost small. Its MD5 proves it anyway,
//!   so a fetch that ends before asks nothing.
//!
//! What cannot be confirmed is dropped. When the service has another content, the version is gone: what is here still serves.

use super::Content;
use super::blocks::{BodyState, Lost, Slot, Stamp, State};
use crate::catalog::ItemId;
use crate::remote::{RemoteFile, RemotePath};
use crate::runtime::{blocking, runtime};
use crate::{CancelToken, Error, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a player believes an answer.
pub(super) const TRUST: Duration = Duration::from_secs(2);

/// How soon the version is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// After the headers of the flight.
    pub after: Duration,
    /// After the last question.
    pub every: Duration,
}

impl Pace {
    pub const READING: Self = Self {
        after: Duration::ZERO,
        every: Duration::ZERO,
    };
    pub const PLAYING: Self = Self {
        after: Duration::ZERO,
        every: TRUST,
    };
    pub const WHOLE: Self = Self {
        after: Duration::from_millis(300),
        every: Duration::from_secs(1),
    };
}

/// What a flight does next about its confirmation.
enum Next {
    Done(Result<(), Lost>),
    Ask(RemotePath, Instant),
    Wait(Option<Instant>),
}

/// Says that nobody asks any more, also when the question is given up.
struct Asking<'a>(&'a Slot);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().asking = false;
        self.0.tell();
    }
}

impl Content {
    /// Waits until a flight is confirmed, asking when it must.
    pub(super) async fn confirm(
        &self,
        slot: &Arc<Slot>,
        id: u64,
        pace: Pace,
        cancel: &CancelToken,
    ) -> Result<(), Lost> {
        loop {
            let mut told = std::pin::pin!(slot.told.notified());
            told.as_mut().enable();
            let next = next(&mut slot.lock(), id, pace);
            match next {
                Next::Done(done) => return done,
                Next::Wait(until) => {
                    let waited = async {
                        match until {
                            Some(until) => drop(tokio::time::timeout_at(until.into(), told).await),
                            None => told.await,
                        }
                        Ok(())
                    };
                    cancel.run(waited).await.map_err(Lost::With)?;
                }
                Next::Ask(path, sent) => {
                    let asking = Asking(slot);
                    let file = self.remote.stat(&path, cancel).await;
                    let (judged, asked) = (slot.clone(), sent);
                    let fits = blocking(move || judge(&judged, asked, file)).await;
                    drop(asking);
                    if let Err(error) = fits {
                        return Err(match error {
                            Error::Offline { .. } => Lost::Broken(error),
                            error => Lost::With(error),
                        });
                    }
                }
            }
        }
    }

    /// Lets the catalogue find out what has become of an item, without anybody waiting for it.
    pub(super) fn refresh_behind(&self, id: ItemId) {
        let content = self.clone();
        runtime().spawn(async move {
            let never = CancelToken::new();
            // Whoever wants to know asks again; here nobody does.
            drop(
                content
                    .life
                    .run(&never, async |cancel| {
                        content.catalog.refresh_inner(&id, cancel).await
                    })
                    .await,
            );
        });
    }
}

fn next(state: &mut State, id: u64, pace: Pace) -> Next {
    let (asking, gone, asked) = (state.asking, state.gone, state.asked);
    let Some(flight) = state.find(id) else {
        return Next::Done(Err(Lost::With(Error::bug("a flight that nobody knows"))));
    };
    if let Some(lost) = &flight.lost {
        return Next::Done(Err(lost.clone()));
    }
    let over = flight.body != BodyState::Coming;
    if flight.confirmed
        || flight.body == BodyState::Dropped
        || (over && flight.landed == 0 && flight.headers.is_some())
    {
        return Next::Done(Ok(()));
    }
    if gone {
        return Next::Done(Err(Lost::Gone("version")));
    }
    let Some(headers) = flight.headers.filter(|_| !asking) else {
        return Next::Wait(None);
    };
    let now = Instant::now();
    let due = if flight.hurry || flight.body == BodyState::Broken {
        now
    } else {
        let again = asked.map_or(now, |asked| asked + pace.every);
        (headers + pace.after).max(again)
    };
    if due > now {
        return Next::Wait(Some(due));
    }
    state.asking = true;
    state.asked = Some(now);
    Next::Ask(state.path.clone(), now)
}

/// What the answer to a question means for the flights whose headers came before it was sent. An error is the asker's alone:
/// the next flight asks for itself.
fn judge(slot: &Slot, sent: Instant, file: Result<RemoteFile>) -> Result<()> {
    let current = match file {
        Ok(file) => file.current,
        Err(Error::NoSuchItem { .. }) => None,
        Err(error) => return Err(error),
    };
    let files = slot.files()?;
    let mut state = slot.lock();
    let same = current.filter(|now| now.md5 == slot.md5 && now.size == slot.size);
    match same {
        Some(revision) => {
            let stamp = Stamp::of(&revision);
            let expected = state.expects(&stamp);
            state.adopt(stamp);
            state.good = Some(sent);
            if expected {
                let before = |at: Instant| at <= sent;
                for flight in &mut state.flights {
                    flight.confirmed |= flight.headers.is_some_and(before) && flight.lost.is_none();
                }
            }
            state.settle(slot, &files)
        }
        None => {
            state.gone = true;
            for flight in &mut state.flights {
                if !flight.confirmed && flight.headers.is_some() {
                    flight.lost.get_or_insert(Lost::Gone("version"));
                }
            }
            Ok(())
        }
    }
}
