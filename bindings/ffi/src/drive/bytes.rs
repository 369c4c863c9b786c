//! Bytes: fetched, read in parts, kept and let go.

use super::LommeDrive;
use crate::call::{guarded, on_runtime};
use crate::foreign::with_progress;
use crate::{
    CacheLimits, CacheUsage, CancelToken, EvictionOutcome, FetchPurpose, FetchedFile, LedgerRow,
    LommeError, LommeReader, PinRun, PinnedItem, ProgressListener, ThumbnailFile, ThumbnailSize,
    into_records,
};
use lomme::catalog::ItemId;
use lomme::content::TransferListener;
use std::path::PathBuf;
use std::sync::Arc;

#[uniffi::export]
impl LommeDrive {
    /// Writes a whole file to the path `destination`, over whatever is there, once its size and MD5 are the service's,
    /// and gives the item as of these bytes. What is on the device is not fetched again; what a broken or cancelled call
    /// leaves is kept in the drive's directory, and the next call, in any process, goes on from it. The directory of
    /// `destination` must exist; the file there is the caller's and shares nothing with the cache.
    ///
    /// `want_version` is a `contentVersion`; if it is not the newest known it is handed out when all of it is on the
    /// device, else the newest; without a network, an older version that is on the device. The result says
    /// which. Where the volume cannot share blocks between copies, a file of more than 16 MiB that is not pinned leaves the
    /// cache with this call. Throws `NotKnown`, `NoSuchItem`, `NotAllowed` (not a file, or in the trash), `ContentMismatch`, `DiskFull`,
    /// `Cancelled` and what `refresh` throws.
    pub async fn fetch_to_file(
        &self,
        id: String,
        want_version: Option<String>,
        destination: String,
        purpose: FetchPurpose,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<FetchedFile, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let path = PathBuf::from(destination);
            let fetched = with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                let (content, wanted) = (drive.content(), want_version.as_deref());
                content
                    .fetch_to_file(&id, wanted, &path, purpose.into(), listener, &token)
                    .await
            });
            Ok(fetched.await?.into())
        })
        .await
    }

    /// Opens a file to read any part of it. No network by itself: what is on the device is served from there, and the
    /// rest is fetched by the reads. `want_version` as in `fetchToFile`, but `VersionGone` if it is not the newest known
    /// and not on the device. Throws `NotKnown`, `NoSuchItem`, `NotAllowed`, `VersionGone`.
    pub fn open_reader(
        &self,
        id: String,
        want_version: Option<String>,
        purpose: FetchPurpose,
    ) -> Result<Arc<LommeReader>, LommeError> {
        guarded(|| {
            let content = self.0.content();
            let wanted = want_version.as_deref();
            let reader = content.open_reader(&ItemId::from_string(id), wanted, purpose.into())?;
            Ok(Arc::new(LommeReader::new(reader)))
        })
    }

    /// A thumbnail of at least this kind of size, from the device or from the service; none when the service has none
    /// for this content: never that of an older one, so none too until a new content is sent (its bytes are on the
    /// device). Fetches just this one, and never the file. Throws what `fetchToFile` throws.
    pub async fn thumbnail(
        &self,
        id: String,
        size: ThumbnailSize,
        cancel: Arc<CancelToken>,
    ) -> Result<Option<ThumbnailFile>, LommeError> {
        let drive = self.0.clone();
        let id = ItemId::from_string(id);
        on_runtime(&cancel, |token| async move {
            let thumbnail = drive.content().thumbnail(&id, size.into(), &token).await?;
            thumbnail.as_ref().map(ThumbnailFile::of).transpose()
        })
        .await
    }

    /// Pins a file or folder: its content is kept on the device from the next `keepPins` on. Fetches nothing itself, and
    /// needs no network. Throws `LargerThanAllowed` when more than `up_to_bytes` are known to be in it (nothing is
    /// pinned then), `NotKnown`, `NoSuchItem`, `NotAllowed` (in the trash).
    pub fn pin(&self, id: String, up_to_bytes: u64) -> Result<PinnedItem, LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            Ok(self.0.content().pin(&id, up_to_bytes)?.into())
        })
    }

    /// Unpins. With `drop_content` the content leaves the device now, as by `evict`; else it becomes part of the cache.
    /// Throws `NotAllowed` when not it but a folder above is pinned.
    pub fn unpin(&self, id: String, drop_content: bool) -> Result<EvictionOutcome, LommeError> {
        guarded(|| {
            let id = ItemId::from_string(id);
            Ok(self.0.content().unpin(&id, drop_content)?.into())
        })
    }

    /// All pins, the newest first.
    pub fn pins(&self) -> Result<Vec<PinnedItem>, LommeError> {
        guarded(|| Ok(into_records(self.0.content().pins()?)))
    }

    /// Brings all pinned content up to date, as far as the rules allow: lists the pinned folders, then fetches what is
    /// missing or has changed. Beside what a person asks for at this moment, this is the only way that content comes;
    /// a watch calls it after a change.
    /// Call it when something was pinned, when the situation changed and from a background job; it may end at any moment
    /// and be called again. `progress` hears the bytes that have come of all that were missing.
    pub async fn keep_pins(
        &self,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<PinRun, LommeError> {
        let drive = self.0.clone();
        on_runtime(&cancel, |token| async move {
            let run = with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                drive.content().keep_pins(listener, &token).await
            });
            Ok(run.await?.into())
        })
        .await
    }

    /// Removes the content of a file, or of all files in a folder, from the device; the items stay. What is pinned, open
    /// or being fetched stays too, and is counted.
    pub fn evict(&self, id: String) -> Result<EvictionOutcome, LommeError> {
        guarded(|| Ok(self.0.content().evict(&ItemId::from_string(id))?.into()))
    }

    /// What the content takes on the device.
    pub fn usage(&self) -> Result<CacheUsage, LommeError> {
        guarded(|| Ok(self.0.content().usage()?.into()))
    }

    /// Sets how much of the device the cache may take, and evicts what is too much at once.
    pub fn set_limits(&self, limits: CacheLimits) -> Result<EvictionOutcome, LommeError> {
        guarded(|| Ok(self.0.content().set_limits(limits.into())?.into()))
    }

    /// All content bytes ever received by this directory, by space, purpose and kind of network.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>, LommeError> {
        guarded(|| Ok(into_records(self.0.content().ledger()?)))
    }
}
