//! Durable notes of many workers, written together.
//!
//! A transaction of the journal waits for the disk, whatever is in it. Who comes while one is being written waits for the
//! next and shares it, so that a thousand small uploads do not wait for the disk a thousand times each. Nobody goes on
//! before what it noted is durable.

use crate::store::{Outbox, Store};
use crate::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

type Note = Box<dyn FnOnce(&Outbox<'_>) -> Result<()> + Send>;

#[derive(Clone, Default)]
pub(super) struct Commits(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    notes: Vec<(Note, oneshot::Sender<Result<()>>)>,
    /// Somebody is writing.
    busy: bool,
}

impl Commits {
    /// Runs `note` in a durable transaction, together with those of others. It sees what they have written before it; if
    /// one of them fails, so do all.
    pub async fn write(
        &self,
        store: &Arc<Store>,
        note: impl FnOnce(&Outbox<'_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (tell, told) = oneshot::channel();
        let lead = {
            let mut queue = self.lock();
            queue.notes.push((Box::new(note), tell));
            !std::mem::replace(&mut queue.busy, true)
        };
        if lead {
            let (all, store) = (self.clone(), store.clone());
            tokio::task::spawn_blocking(move || all.write_all(&store));
        }
        told.await
            .unwrap_or_else(|_| Err(Error::bug("a note that was dropped")))
    }

    fn write_all(&self, store: &Store) {
        loop {
            let notes = {
                let mut queue = self.lock();
                if queue.notes.is_empty() {
                    queue.busy = false;
                    return;
                }
                std::mem::take(&mut queue.notes)
            };
            let (notes, tells): (Vec<_>, Vec<_>) = notes.into_iter().unzip();
            let done = store.outbox(|outbox| {
                for note in notes {
                    note(outbox)?;
                }
                Ok(())
            });
            for tell in tells {
                // Who was cancelled does not listen any more.
                let _ = tell.send(done.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
