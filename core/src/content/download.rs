//! A whole file to a path.
//!
//! The file is brought into its slot and handed out from there. What is here already is not asked for again: opening what is
//! on the phone makes no request at all.

use super::fill::{Filled, Wanted};
use super::slot::SlotName;
use super::streams::Teller;
use super::{Content, Fetched, Purpose, TransferListener, slot};
use crate::catalog::{Item, ItemId};
use crate::remote::{RemoteFile, RemotePath};
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::path::Path;
use std::sync::Arc;

/// How often a file is mended that was found damaged when it was handed out.
const MENDED: u32 = 3;

impl Content {
    pub(crate) async fn fetch_to_file_inner(
        &self,
        id: &ItemId,
        want_version: Option<&str>,
        dest: &Path,
        purpose: Purpose,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Fetched> {
        let mut teller = Teller::new(progress);
        let mut fetched = 0;
        for _ in 0..MENDED {
            let (catalog, of) = (self.catalog.clone(), id.clone());
            let wanted = blocking(move || catalog.wanted(&of)).await?;
            let newest = wanted.item.content_version.as_deref();
            let wanted_older = want_version.filter(|version| Some(*version) != newest);
            let filled = match self.older(&wanted, wanted_older.map(str::to_owned)).await? {
                Some(older) => older,
                None => match self.bring(&wanted, purpose, &mut teller, cancel).await {
                    Err(offline @ Error::Offline { .. }) => {
                        let content = self.clone();
                        let of = wanted.clone();
                        let version = blocking(move || content.kept_version(&of)).await?;
                        self.older(&wanted, version).await?.ok_or(offline)?
                    }
                    brought => brought?,
                },
            };
            fetched += filled.fetched;
            let (item, bytes) = (filled.item.clone(), filled.slot.size);
            let (content, to, stop) = (self.clone(), dest.to_owned(), cancel.clone());
            let of = id.clone();
            let handed_out = move || {
                let done = content.hand_out(filled, &to, &stop)?;
                if done {
                    content.opened(&of, purpose);
                }
                Ok(done)
            };
            if blocking(handed_out).await? {
                teller.tell_all(bytes);
                return Ok(Fetched {
                    item,
                    bytes,
                    fetched,
                });
            }
        }
        Err(Error::DiskFailed {
            detail: "what was written is not what is read".into(),
        })
    }

    /// Writes a version that is not the newest to `dest`, if all of it is here; its length.
    pub(crate) async fn hand_out_version(
        &self,
        item: &Item,
        dest: &Path,
        cancel: &CancelToken,
    ) -> Result<Option<u64>> {
        let name = SlotName {
            id: item.id.clone(),
            version: item.content_version.clone().unwrap_or_default(),
        };
        let here = self.cache.whole_versions(&item.id)?.contains(&name.version);
        if !here {
            return Ok(None);
        }
        let (catalog, of) = (self.catalog.clone(), item.id.clone());
        let wanted = blocking(move || catalog.wanted(&of)).await?;
        match self.older(&wanted, Some(name.version)).await? {
            Some(filled) => self.give(filled, dest, cancel).await,
            None => Ok(None),
        }
    }

    /// Writes content to `dest` that the service has built at `path` for us: a version of `item`, which says which.
    pub(crate) async fn fetch_built(
        &self,
        item: Item,
        path: RemotePath,
        built: &RemoteFile,
        dest: &Path,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<u64> {
        let current = built.current.as_ref();
        let (size, md5) = current.map(|now| (now.size, now.md5)).unwrap_or_default();
        let version = item.content_version.clone();
        let wanted = Wanted {
            item,
            path,
            size,
            md5,
            revision: current.and_then(|now| now.number),
            updated_ms: current.and_then(|now| now.updated_ms),
        };
        for _ in 0..MENDED {
            let filled = self
                .fill(&wanted, Purpose::Open, progress.clone(), cancel)
                .await?;
            // Whatever came in its place is not what was asked for.
            if filled.item.content_version != version {
                return Err(Error::VersionGone);
            }
            if let Some(bytes) = self.give(filled, dest, cancel).await? {
                return Ok(bytes);
            }
        }
        Err(Error::DiskFailed {
            detail: "what was written is not what is read".into(),
        })
    }

    async fn give(&self, filled: Filled, dest: &Path, cancel: &CancelToken) -> Result<Option<u64>> {
        let bytes = filled.slot.size;
        let (content, to, stop) = (self.clone(), dest.to_owned(), cancel.clone());
        let done = blocking(move || content.hand_out(filled, &to, &stop)).await?;
        Ok(done.then_some(bytes))
    }

    /// A version that is not the newest, if all of it is here.
    async fn older(&self, wanted: &Wanted, version: Option<String>) -> Result<Option<Filled>> {
        let Some(version) = version else {
            return Ok(None);
        };
        let (content, of) = (self.clone(), wanted.clone());
        blocking(move || {
            let Some(slot) = content.older_slot(&of, &version)? else {
                return Ok(None);
            };
            Ok(Some(Filled {
                item: Item {
                    size: Some(slot.size),
                    content_version: Some(version),
                    ..of.item
                },
                fetched: 0,
                slot,
                proved: false,
            }))
        })
        .await
    }

    /// Removes a slot that is of no use any more, unless somebody has it open.
    pub(super) async fn drop_slot(&self, name: Option<SlotName>) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        let content = self.clone();
        blocking(move || {
            if slot::remove_unused(&*content.disk, content.cache.dir(), &name)? {
                content.cache.forget(&name)?;
                let (id, version) = (&name.id, &name.version);
                content.catalog.note_local(id, version, false)?;
            }
            Ok(())
        })
        .await
    }
}
