//! A file read by its parts.

use crate::call::{guarded, on_runtime};
use crate::{CancelToken, LommeError, ReadHint};
use lomme::content::Reader;
use std::sync::Arc;
use std::time::Duration;

/// An open file: one version of it, read by any of its parts. Any number of threads may use it, and any number of
/// readers one file. The thin layers wrap it.
#[derive(uniffi::Object)]
pub struct LommeReader(Arc<Reader>);

impl LommeReader {
    pub(crate) fn new(reader: Reader) -> Self {
        Self(Arc::new(reader))
    }
}

#[uniffi::export]
impl LommeReader {
    /// The length of the file in bytes.
    pub fn size(&self) -> Result<u64, LommeError> {
        guarded(|| Ok(self.0.size()))
    }

    /// The version that it reads.
    pub fn content_version(&self) -> Result<String, LommeError> {
        guarded(|| Ok(self.0.content_version().to_owned()))
    }

    /// Reads up to `len` bytes (at most 131,072) at `offset`; less only at the end of the file. Blocks until they are
    /// here, for at most 30 seconds: for a thread made for that. Throws `VersionGone` when the file has changed on the
    /// service and these bytes are not on the device, `Offline`, `Cancelled`, `Paused`, `DiskFull`, `InvalidArgument`.
    pub fn read_at(&self, offset: u64, len: u32) -> Result<Vec<u8>, LommeError> {
        guarded(|| self.0.read_at(offset, len))
    }

    /// `readAt` on a thread of the core's own. A cancel ends this reader's other reads too: open one for each that is
    /// to be cancelled by itself.
    pub async fn read(
        &self,
        offset: u64,
        len: u32,
        cancel: Arc<CancelToken>,
    ) -> Result<Vec<u8>, LommeError> {
        let reader = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let blocked = reader.clone();
            let work = move || blocked.read_at(offset, len);
            let mut reading = lomme::runtime().spawn_blocking(work);
            tokio::select! {
                biased;
                read = &mut reading => return read.unwrap_or_else(panicked),
                () = token.cancelled() => {}
            }
            // It ends what waits at that moment, and this read may be about to.
            loop {
                reader.cancel();
                let patience = Duration::from_millis(20);
                if let Ok(read) = tokio::time::timeout(patience, &mut reading).await {
                    return read.unwrap_or_else(panicked);
                }
            }
        })
        .await
    }

    /// Says how it will be used.
    pub fn hint(&self, hint: ReadHint) -> Result<(), LommeError> {
        guarded(|| {
            self.0.hint(hint.into());
            Ok(())
        })
    }

    /// Ends the reads that wait now, in all threads, with `Cancelled`. Later reads work.
    pub fn interrupt(&self) -> Result<(), LommeError> {
        guarded(|| {
            self.0.cancel();
            Ok(())
        })
    }

    /// Ends it: reads throw `Cancelled` from now on, and the content may be evicted. Doing it twice is fine. (The thin
    /// layers call it `close`, which in Kotlin's generated code frees the handle.)
    pub fn end(&self) -> Result<(), LommeError> {
        guarded(|| {
            self.0.close();
            Ok(())
        })
    }
}

fn panicked<T>(_: tokio::task::JoinError) -> lomme::Result<T> {
    Err(lomme::Error::Bug {
        detail: "panicked".into(),
    })
}
