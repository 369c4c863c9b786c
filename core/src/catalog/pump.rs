//! A listing's way from the network to SQLite: parsing and comparing overlap, on two threads.

use super::stage::Run;
use crate::drive::Busy;
pub(super) use crate::runtime::blocking;
use crate::{Error, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Batches between the two.
const QUEUE: usize = 4;

pub(super) struct Pump<T> {
    send: mpsc::Sender<Vec<T>>,
    worker: JoinHandle<Result<Run>>,
}

impl<T: Send + 'static> Pump<T> {
    /// `take` gets each batch, on a thread that may block.
    pub fn start(
        begin: impl FnOnce() -> Result<Run> + Send + 'static,
        take: fn(&mut Run, Vec<T>) -> Result<()>,
        busy: Busy,
    ) -> Self {
        let (send, mut receive) = mpsc::channel(QUEUE);
        let worker = tokio::task::spawn_blocking(move || {
            let _busy = busy;
            let mut run = begin()?;
            while let Some(batch) = receive.blocking_recv() {
                take(&mut run, batch)?;
            }
            Ok(run)
        });
        Self { send, worker }
    }

    /// Hands on a batch; whether the worker is still there.
    pub async fn push(&self, batch: Vec<T>) -> bool {
        self.send.send(batch).await.is_ok()
    }

    /// Waits until all is compared and staged. Why the worker has stopped, if it has.
    pub async fn end(self) -> Result<Run> {
        drop(self.send);
        self.worker
            .await
            .map_err(|_| Error::bug("the thread of a listing panicked"))?
    }
}
