//! A file read by any of its parts, by threads made for that.

use crate::Result;

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
pub struct Reader {}

impl Reader {
    /// The length of the file in bytes.
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// The version that it reads.
    pub fn content_version(&self) -> &str {
        todo!()
    }

    /// Reads up to `len` bytes (at most 131,072) at `offset`; less only at the end of the file. Blocks until they are here,
    /// for at most 30 seconds. Not for a thread that runs futures or a user interface.
    ///
    /// Errors: `VersionGone`, `Offline` (no bytes for 30 seconds too), `Cancelled` (after [`cancel`](Self::cancel) or
    /// [`close`](Self::close)), `Paused`, `DiskFull`, `InvalidArgument`.
    pub fn read_at(&self, _offset: u64, _len: u32) -> Result<Vec<u8>> {
        todo!()
    }

    /// Says how it will be used.
    pub fn hint(&self, _hint: Hint) {
        todo!()
    }

    /// Ends the reads that wait now, in all threads, with `Cancelled`. Later reads work.
    pub fn cancel(&self) {
        todo!()
    }

    /// Ends it: reads give `Cancelled` from now on, and the content may be evicted. Dropping it does the same.
    pub fn close(&self) {
        todo!()
    }
}
