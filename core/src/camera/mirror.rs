//! A folder whose deletions follow in the cloud, as a computer's do. Off at first, and never for a library.
//!
//! - Only what a complete scan has not shown any more, and what the cloud has exactly as it was sent, goes to the trash there.
//! - If that is much, a person must allow it (complaint no. 22).
//! - What was removed here to free space is not a deletion.

use super::sources::known;
use super::types::MirrorPending;
use super::{Camera, SourceId};
use crate::remote::Presence;
use crate::runtime::blocking;
use crate::store::{ADOPTED, CameraLedger, EntryRow, GONE, SourceRow, VERIFIED};
use crate::{CancelToken, Result};

/// So many, or a part of all, may go without a question.
const MANY: u64 = 50;
const MANY_PART: u64 = 10;

impl Camera {
    pub(super) fn count_mirror(&self, id: SourceId) -> Result<MirrorPending> {
        let source = self.source(id)?;
        self.pending_of(&source)
    }

    fn pending_of(&self, source: &SourceRow) -> Result<MirrorPending> {
        if !source.mirror {
            return Ok(MirrorPending::default());
        }
        self.store.camera_read(|ledger| {
            let gone = ledger.to_mirror(source.n)?.len() as u64;
            let of = gone + ledger.here(source.n)?.len() as u64;
            let new = ledger.gone_after(source.n, source.confirmed_ms.unwrap_or(i64::MIN))?;
            let asks = new > MANY.max(of / MANY_PART);
            Ok(MirrorPending { gone, of, asks })
        })
    }

    pub(super) fn allow_mirror(&self, id: SourceId) -> Result<()> {
        let now = self.store.now_ms();
        self.store.camera(|ledger| {
            let source = known(ledger, id)?;
            ledger.put_source(&SourceRow {
                confirmed_ms: Some(now),
                ..source
            })?;
            Ok(())
        })
    }

    /// Moves to the cloud's trash what mirrored folders have not any more; how many files.
    pub(super) async fn mirror_all(&self, cancel: &CancelToken) -> Result<u64> {
        let store = self.store.clone();
        let sources = blocking(move || store.camera_read(|ledger| ledger.sources())).await?;
        let mut trashed = 0;
        for source in sources.into_iter().filter(|source| source.mirror) {
            let (camera, of) = (self.clone(), source.clone());
            let pending = blocking(move || camera.pending_of(&of)).await?;
            if pending.gone == 0 || pending.asks {
                continue;
            }
            let (store, n) = (self.store.clone(), source.n);
            let gone = blocking(move || store.camera_read(|ledger| ledger.to_mirror(n))).await?;
            for (asset, entry) in gone {
                cancel.check()?;
                trashed += u64::from(self.mirror_one(asset, entry, cancel).await?);
            }
        }
        Ok(trashed)
    }

    async fn mirror_one(&self, asset: i64, entry: i64, cancel: &CancelToken) -> Result<bool> {
        let store = self.store.clone();
        let still = move || store.camera_read(|ledger| still_gone(ledger, asset, entry));
        let Some(row) = blocking(still).await? else {
            return Ok(false);
        };
        let path = self.remote_path(&row.mount, &row.path)?;
        // Another content there is somebody else's: it stays.
        let ours = match self.remote.look(&path, cancel).await? {
            Presence::File(history) => super::send::has(&history, &row),
            Presence::Folder | Presence::Tombstone { .. } | Presence::Absent => false,
        };
        if ours {
            self.remote.trash_file(&path, cancel).await?;
        }
        let store = self.store.clone();
        blocking(move || {
            store.camera(|ledger| {
                if still_gone(ledger, asset, entry)?.is_some() {
                    ledger.remove_asset(asset)?;
                    ledger.remove_entry(entry)?;
                }
                Ok(())
            })
        })
        .await?;
        Ok(ours)
    }
}

/// The entry, if it is still to go: the file may be back, or the person may have changed their mind.
fn still_gone(ledger: &CameraLedger<'_>, asset: i64, entry: i64) -> Result<Option<EntryRow>> {
    let Some(asset) = ledger.asset(asset)?.filter(|asset| asset.here == GONE) else {
        return Ok(None);
    };
    let mirrored = ledger
        .source(asset.source)?
        .is_some_and(|source| source.mirror);
    let entry = ledger.entry(entry)?;
    Ok(entry.filter(|entry| mirrored && matches!(entry.state, ADOPTED | VERIFIED)))
}
