//! What the phone's own device holds, by one listing a source.
//!
//! - After a reinstall the ledger is empty and the cloud is not: what a listing shows there, with size and MD5, is believed
//!   and not sent again (complaints no. 1, 5). It is no proof: for that each file is read by itself.
//! - Only a complete listing says that something is gone. What was proven there before was deleted by somebody, and that
//!   is respected (no. 23); what was never proven is sent again (no. 9).
//! - If much is gone at once, nothing is concluded (no. 22).

use super::device::{chosen, no_device};
use super::{Adopted, Camera};
use crate::catalog::{Marks, fold};
use crate::remote::{Presence, RemotePath, TreeEntry};
use crate::runtime::blocking;
use crate::store::{ADOPTED, CameraLedger, DELETED, EntryRow, PHOTOS, PLACED, SourceRow, VERIFIED};
use crate::{CancelToken, Error, Result};

/// Rows in one transaction.
const ROWS: usize = 500;
/// So many may be gone, or a part of all, before a person must say something.
const MANY: usize = 50;
const MANY_PART: usize = 10;

struct Shown {
    path: String,
    md5: [u8; 16],
    size: u64,
    modified_ms: Option<i64>,
}

impl Camera {
    pub(super) async fn adopt_all(&self, cancel: &CancelToken) -> Result<Adopted> {
        let store = self.store.clone();
        let (device, sources) = blocking(move || {
            let sources = store.camera_read(|ledger| ledger.sources())?;
            Ok((chosen(&store)?.ok_or_else(no_device)?, sources))
        })
        .await?;
        let mut adopted = Adopted::default();
        for source in sources {
            let path = RemotePath::new(vec![device.clone(), source.mount.clone()]);
            self.adopt_source(&source, &path, &mut adopted, cancel)
                .await?;
            self.note_adopted(source.n).await?;
        }
        Ok(adopted)
    }

    /// Learns what the device holds of sources that were added since it was last listed: else it would be sent again.
    pub(super) async fn adopt_new(&self, cancel: &CancelToken) -> Result<()> {
        let store = self.store.clone();
        let (device, sources) = blocking(move || {
            let mut sources = store.camera_read(|ledger| ledger.sources())?;
            sources.retain(|source| source.adopted_ms.is_none());
            Ok((chosen(&store)?, sources))
        })
        .await?;
        let Some(device) = device else {
            return Ok(());
        };
        for source in sources {
            let path = RemotePath::new(vec![device.clone(), source.mount.clone()]);
            let mut adopted = Adopted::default();
            match self
                .adopt_source(&source, &path, &mut adopted, cancel)
                .await
            {
                // What is there is known by then, and what is not is for a person to look at.
                Err(Error::ManyGone { .. }) => {}
                done => done?,
            }
            self.note_adopted(source.n).await?;
        }
        Ok(())
    }

    async fn note_adopted(&self, source: i64) -> Result<()> {
        let (store, now) = (self.store.clone(), self.store.now_ms());
        blocking(move || {
            store.camera(|ledger| {
                if let Some(row) = ledger.source(source)? {
                    ledger.put_source(&SourceRow {
                        adopted_ms: Some(now),
                        ..row
                    })?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn adopt_source(
        &self,
        source: &SourceRow,
        path: &RemotePath,
        adopted: &mut Adopted,
        cancel: &CancelToken,
    ) -> Result<()> {
        // Before the listing: what is proven while it comes may not be in it.
        let believed = self.believed(source).await?;
        let mut tree = match self.remote.tree(path, cancel).await {
            // The mount point is not there yet.
            Err(Error::NoSuchItem { .. }) => return Ok(()),
            tree => tree?,
        };
        let mut seen = Marks::default();
        let mut page = Vec::new();
        let mut ended = false;
        while !ended {
            match tree.next(cancel).await? {
                Some(batch) => {
                    for entry in batch {
                        if let TreeEntry::File { mut folder, file } = entry
                            && let Some(current) = file.current
                        {
                            folder.push(file.name);
                            page.push(Shown {
                                path: folder.join("/"),
                                md5: current.md5,
                                size: current.size,
                                modified_ms: current.modified_ms,
                            });
                        }
                    }
                }
                None => ended = true,
            }
            while page.len() >= ROWS || ended && !page.is_empty() {
                let rest = page.split_off(page.len().min(ROWS));
                let batch = std::mem::replace(&mut page, rest);
                adopted.files += batch.len() as u64;
                let (camera, mount) = (self.clone(), source.mount.clone());
                let (numbers, new) = blocking(move || camera.note_shown(&mount, batch)).await?;
                adopted.adopted += new;
                for n in numbers {
                    seen.mark(n);
                }
            }
        }
        // The listing has proven by its own totals that it is whole.
        self.look_for_missing(believed, &seen, adopted, cancel)
            .await
    }

    /// The numbers of the entries that a listing shows, and how many are new.
    fn note_shown(&self, mount: &str, shown: Vec<Shown>) -> Result<(Vec<i64>, u64)> {
        self.store.camera_lightly(|ledger| {
            let (mut numbers, mut new) = (Vec::new(), 0);
            for shown in shown {
                let key = fold(&shown.path);
                let entry = ledger.entry_at(mount, &key)?;
                let same = |entry: &EntryRow| (entry.md5, entry.size) == (shown.md5, shown.size);
                let n = match entry {
                    Some(entry) if same(&entry) => {
                        // With a copy of ours it stays in the queue, which ends the copy once it is proven.
                        let queued = entry.state == PLACED && ledger.has_staged(entry.n)?;
                        if matches!(entry.state, PLACED | DELETED) && !queued {
                            ledger.put_entry(&EntryRow {
                                state: ADOPTED,
                                wanted: None,
                                held: None,
                                until_ms: None,
                                ..entry.clone()
                            })?;
                        }
                        entry.n
                    }
                    // A newer version of it waits here to be sent.
                    Some(entry) if entry.state == PLACED => entry.n,
                    // Somebody has put another content there: ours is not there any more.
                    Some(entry) => {
                        self.want_again_there(ledger, entry)?;
                        new += 1;
                        self.insert_shown(ledger, mount, key, shown)?
                    }
                    None => {
                        new += 1;
                        self.insert_shown(ledger, mount, key, shown)?
                    }
                };
                numbers.push(n);
            }
            Ok((numbers, new))
        })
    }

    fn insert_shown(
        &self,
        ledger: &CameraLedger<'_>,
        mount: &str,
        key: String,
        shown: Shown,
    ) -> Result<i64> {
        ledger.put_entry(&EntryRow {
            n: 0,
            mount: mount.to_owned(),
            path: shown.path,
            fold: key,
            md5: shown.md5,
            size: shown.size,
            modified_ms: shown.modified_ms,
            created_ms: None,
            state: ADOPTED,
            lane: PHOTOS,
            begun: true,
            wanted: None,
            uuid: None,
            revision: None,
            verified_ms: None,
            attempts: 0,
            until_ms: None,
            held: None,
        })
    }

    /// An entry is not there, or not as it was: it is sent again, to its own path, by whoever is here and has its bytes.
    fn want_again_there(&self, ledger: &CameraLedger<'_>, entry: EntryRow) -> Result<()> {
        ledger.put_entry(&EntryRow {
            state: PLACED,
            wanted: Some(entry.modified_ms.unwrap_or(0)),
            uuid: None,
            revision: None,
            verified_ms: None,
            attempts: 0,
            until_ms: None,
            held: None,
            ..entry
        })?;
        Ok(())
    }

    /// The entries of a source that are believed there.
    async fn believed(&self, source: &SourceRow) -> Result<Vec<i64>> {
        let (store, mount) = (self.store.clone(), source.mount.clone());
        blocking(move || {
            let (mut all, mut after) = (Vec::new(), 0);
            loop {
                let page = store.camera_read(|ledger| ledger.entries_after(&mount, after, 500))?;
                let Some(last) = page.last() else { break };
                after = last.n;
                all.extend(page.iter().map(|entry| entry.n));
            }
            Ok(all)
        })
        .await
    }

    async fn look_for_missing(
        &self,
        all: Vec<i64>,
        seen: &Marks,
        adopted: &mut Adopted,
        cancel: &CancelToken,
    ) -> Result<()> {
        let missing: Vec<i64> = all.iter().copied().filter(|n| !seen.has(*n)).collect();
        if missing.len() > MANY.max(all.len() / MANY_PART) {
            return Err(Error::ManyGone {
                gone: missing.len() as u64,
                of: all.len() as u64,
            });
        }
        for n in missing {
            let store = self.store.clone();
            let Some(entry) = blocking(move || store.camera_read(|ledger| ledger.entry(n))).await?
            else {
                continue;
            };
            adopted.missing += u64::from(!self.check_entry(&entry, cancel).await?);
        }
        Ok(())
    }

    /// Reads what is believed there by itself; whether it is there.
    pub(super) async fn check_entry(&self, entry: &EntryRow, cancel: &CancelToken) -> Result<bool> {
        let path = self.remote_path(&entry.mount, &entry.path)?;
        let presence = self.remote.look(&path, cancel).await?;
        // Where the whole mount point is gone, nobody has deleted a photo.
        if presence == Presence::Absent {
            let mount = self.remote_path(&entry.mount, "")?;
            if self.remote.look(&mount, cancel).await? != Presence::Folder {
                return Ok(false);
            }
        }
        let (camera, entry) = (self.clone(), entry.clone());
        blocking(move || match presence {
            Presence::File(history) if super::send::has(&history, &entry) => {
                camera.proven(entry.n, &history)?;
                Ok(true)
            }
            // Deleted by somebody: in the trash now, or for good after it was proven.
            Presence::Tombstone { .. } => camera.note_deleted(&entry).map(|()| false),
            Presence::Absent if entry.state == VERIFIED => {
                camera.note_deleted(&entry).map(|()| false)
            }
            // Never proven, or another content: whoever has the bytes sends them again.
            Presence::Absent | Presence::Folder | Presence::File(_) => {
                camera
                    .store
                    .camera(|ledger| camera.want_again_there(ledger, entry))?;
                Ok(false)
            }
        })
        .await
    }

    fn note_deleted(&self, entry: &EntryRow) -> Result<()> {
        self.store.camera(|ledger| {
            if let Some(now) = ledger
                .entry(entry.n)?
                .filter(|now| now.state == entry.state)
            {
                ledger.put_entry(&EntryRow {
                    state: DELETED,
                    wanted: None,
                    ..now
                })?;
            }
            Ok(())
        })
    }
}
