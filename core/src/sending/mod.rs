//! Content on its way to the service, whoever sends it.
//!
//! - What is announced is what leaves: the bytes are hashed again while they are sent, and the last of them is held back if
//!   they are other ones (see `body`).
//! - How far an upload is says the service alone. After any doubt it is announced again, and the position that is told then
//!   is believed, but not for ever.
//! - Who has an answer has no proof yet: the caller reads the file again.

mod body;
mod both_hashes;
mod failure;
mod lanes;
mod pause;

use crate::drive::Life;
use crate::remote::{Allocated, ContentFacts, Remote, RemotePath, Sent};
use crate::{CancelToken, Error, Result};
pub(crate) use body::{Foreign, Origin, Outgoing};
pub(crate) use both_hashes::{Hashed, PIECE, both_hashes};
pub(crate) use failure::Class;
pub(crate) use lanes::{LARGE, Lanes};
pub use pause::AccountHold;
pub(crate) use pause::{Pause, Reason};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a content is announced before it is left to a later run.
const ANNOUNCED: u32 = 6;
/// After so many times that a position led nowhere, all is sent: the service may not have what it says.
const BELIEVED: u32 = 2;

/// Who sends.
pub(crate) struct Sender<'a> {
    pub remote: &'a Remote,
    pub life: &'a Arc<Life>,
}

impl Sender<'_> {
    /// Brings a content to a path. `moved` has how many of its bytes are there. With `only_new`, `NameTaken` if something is
    /// there.
    pub async fn deliver(
        &self,
        path: &RemotePath,
        facts: &ContentFacts,
        only_new: bool,
        outgoing: &Outgoing,
        moved: &Arc<AtomicU64>,
        cancel: &CancelToken,
    ) -> Result<()> {
        let mut last = Error::bug("nothing was announced");
        let (mut believed, mut nowhere) = (0, 0);
        for _ in 0..ANNOUNCED {
            let allocated = self.remote.allocate(path, facts, only_new, cancel).await?;
            let Allocated::Send { url, resume_at } = allocated else {
                return Ok(());
            };
            if resume_at != believed {
                (believed, nowhere) = (resume_at, 0);
            }
            let resume_at = if nowhere < BELIEVED { resume_at } else { 0 };
            moved.store(resume_at, Ordering::Relaxed);
            let counter = moved.clone();
            let count = move |bytes| {
                counter.fetch_add(bytes, Ordering::Relaxed);
            };
            let body = body::body(outgoing, self.life.busy()?, resume_at, cancel).await?;
            let sent = self
                .remote
                .upload(&url, resume_at, outgoing.size, body, count, cancel)
                .await;
            match sent {
                Ok(Sent::Done { size, md5 }) => {
                    let right = size.is_none_or(|size| size == outgoing.size)
                        && md5.is_none_or(|md5| md5 == outgoing.md5);
                    return match right {
                        true => Ok(()),
                        false => Err(Error::ContentMismatch {
                            detail: "the service tells of other bytes than were sent".into(),
                        }),
                    };
                }
                Ok(Sent::Incomplete) => {
                    nowhere += 1;
                    last = Error::bad_answer("an upload of which the service never has all");
                }
                Err(error @ Error::Offline { .. }) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}
