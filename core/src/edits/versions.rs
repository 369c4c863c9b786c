//! The kept versions of a file.
//!
//! No public client has read an old revision (protocol facts §13.1), but the service builds content that it knows from MD5
//! and size (`cphash`). So an older version is restored by building it at the file's own place, and read by building it
//! under a temporary name in Archive, never in Sync, where every computer would get it. The temporary name is in the
//! journal before it is on the service, and leaves the journal after it has left the service.

use super::wishes::parse_version;
use super::{Edits, Version};
use crate::catalog::{Action, Answered, Item, ItemId, Kind, Lookup, content_version, id_bytes};
use crate::content::TransferListener;
use crate::remote::{ContentFacts, FileHistory, Presence, RemotePath, Revision};
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::path::Path;
use std::sync::Arc;

/// A temporary file of another process may still be read. After this long nobody reads it.
const READ_BY_THEN_MS: i64 = 60 * 60 * 1000;

impl Edits {
    pub(super) async fn list_versions(
        &self,
        id: &ItemId,
        cancel: &CancelToken,
    ) -> Result<Vec<Version>> {
        let (_, history) = self.history(id, cancel).await?;
        let current = history.file.current.iter().map(|revision| (revision, true));
        let older = history.older.iter().map(|revision| (revision, false));
        Ok(current
            .chain(older)
            .filter_map(|(revision, current)| version(revision, current))
            .collect())
    }

    pub(super) async fn make_newest(
        &self,
        id: &ItemId,
        token: &str,
        cancel: &CancelToken,
    ) -> Result<Item> {
        let item = self.versioned(id, Action::Edit)?;
        let bytes = id_bytes(id).ok_or_else(not_known)?;
        if self.store.has_unsent(&bytes)? {
            return Err(Error::NotAllowed {
                detail: "the file has content that is not sent yet".into(),
            });
        }
        let (path, history) = self.history(id, cancel).await?;
        let wanted = find(&history, token)?;
        let current = history.file.current.as_ref();
        if current.is_some_and(|current| (current.md5, current.size) == (wanted.md5, wanted.size)) {
            return Ok(item);
        }
        let built = self.remote.build(&path, &facts(&wanted), cancel).await?;
        let file = built.ok_or(Error::VersionNotReadable)?;
        let catalog = self.catalog.clone();
        let (of, id) = (bytes, id.clone());
        blocking(move || {
            if let Some(theirs) = catalog.theirs(&of)? {
                let parent = theirs.parent;
                catalog.note_answer(&of, &Answered::File { parent, file })?;
            }
            found(catalog.item(&id)?)
        })
        .await
    }

    pub(super) async fn read_version(
        &self,
        id: &ItemId,
        token: &str,
        dest: &Path,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<u64> {
        let item = self.versioned(id, Action::Versions)?;
        let (_, history) = self.history(id, cancel).await?;
        let wanted = find(&history, token)?;
        let item = Item {
            size: Some(wanted.size),
            content_version: Some(content_version(wanted.md5, wanted.size)),
            ..item
        };
        if let Some(bytes) = self.content.hand_out_version(&item, dest, cancel).await? {
            return Ok(bytes);
        }
        self.sweep_temporaries(cancel).await?;
        let name = format!(
            ".lomme-{:032x}",
            u128::from_be_bytes(crate::store::new_id()?)
        );
        let store = self.store.clone();
        let noted = name.clone();
        blocking(move || store.add_temporary(&noted)).await?;
        let read = self
            .read_built(&name, &wanted, item, dest, progress, cancel)
            .await;
        // With a token of its own: who cancels still leaves nothing behind.
        let removed = self.remove_temporary(&name, &CancelToken::new()).await;
        let bytes = read?;
        // What could not be removed now is removed by the next sweep.
        drop(removed);
        Ok(bytes)
    }

    async fn read_built(
        &self,
        name: &str,
        wanted: &Revision,
        item: Item,
        dest: &Path,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<u64> {
        let path = temporary(name);
        let built = self.remote.build(&path, &facts(wanted), cancel).await?;
        let file = built.ok_or(Error::VersionNotReadable)?;
        self.content
            .fetch_built(item, path, &file, dest, progress, cancel)
            .await
    }

    async fn remove_temporary(&self, name: &str, cancel: &CancelToken) -> Result<()> {
        match self.remote.remove_file(&temporary(name), cancel).await {
            Ok(()) | Err(Error::NoSuchItem { .. }) => {}
            Err(error) => return Err(error),
        }
        let (store, name) = (self.store.clone(), name.to_owned());
        blocking(move || store.remove_temporary(&name)).await
    }

    /// Deletes what an earlier life has left on the service.
    pub(super) async fn sweep_temporaries(&self, cancel: &CancelToken) -> Result<()> {
        let store = self.store.clone();
        let left = blocking(move || {
            let now = store.now_ms();
            let mut left = store.temporaries()?;
            left.retain(|(_, since_ms)| !(*since_ms..*since_ms + READ_BY_THEN_MS).contains(&now));
            Ok(left)
        })
        .await?;
        for (name, _) in left {
            self.remove_temporary(&name, cancel).await?;
        }
        Ok(())
    }

    async fn history(
        &self,
        id: &ItemId,
        cancel: &CancelToken,
    ) -> Result<(RemotePath, FileHistory)> {
        self.versioned(id, Action::Versions)?;
        let bytes = id_bytes(id).ok_or_else(not_known)?;
        for again in [false, true] {
            if again {
                // It may have moved.
                self.catalog.refresh_inner(id, cancel).await?;
            }
            let (catalog, of) = (self.catalog.clone(), bytes);
            let path = blocking(move || catalog.their_path(&of)).await?;
            // What was never sent has no versions.
            let path = path.ok_or_else(|| Error::NotAllowed {
                detail: "the file is not on the service yet".into(),
            })?;
            if let Presence::File(history) = self.remote.look(&path, cancel).await? {
                return Ok((path, *history));
            }
        }
        Err(Error::NoSuchItem {
            detail: "the file is gone".into(),
        })
    }

    fn versioned(&self, id: &ItemId, action: Action) -> Result<Item> {
        let item = found(self.catalog.item(id)?)?;
        if item.kind != Kind::File {
            return Err(Error::NotAllowed {
                detail: "only files have versions".into(),
            });
        }
        self.allowed(&item, action)?;
        Ok(item)
    }
}

fn found(lookup: Lookup) -> Result<Item> {
    match lookup {
        Lookup::Found(item) => Ok(item),
        Lookup::Gone => Err(Error::NoSuchItem {
            detail: "deleted".into(),
        }),
        Lookup::Unknown => Err(not_known()),
    }
}

fn not_known() -> Error {
    Error::NotKnown {
        detail: "an id".into(),
    }
}

fn temporary(name: &str) -> RemotePath {
    RemotePath::new(vec!["Jotta".into(), "Archive".into(), name.into()])
}

fn facts(revision: &Revision) -> ContentFacts {
    ContentFacts {
        size: revision.size,
        md5: revision.md5,
        created_ms: revision.created_ms,
        modified_ms: revision.modified_ms,
    }
}

/// `None` for a revision without a number, which cannot be asked for.
fn version(revision: &Revision, current: bool) -> Option<Version> {
    let number = revision.number?;
    let content_version = content_version(revision.md5, revision.size);
    Some(Version {
        token: format!("{number}-{content_version}"),
        number,
        current,
        size: revision.size,
        modified_ms: revision.modified_ms,
        updated_ms: revision.updated_ms,
        content_version,
    })
}

/// The revision that a token names, if it is still kept.
fn find(history: &FileHistory, token: &str) -> Result<Revision> {
    let parsed = token
        .split_once('-')
        .and_then(|(number, version)| Some((number.parse::<u64>().ok()?, parse_version(version)?)));
    let Some((number, (md5, size))) = parsed else {
        return Err(Error::invalid("no version"));
    };
    let mut all = history.file.current.iter().chain(&history.older);
    all.find(|revision| (revision.number, revision.md5, revision.size) == (Some(number), md5, size))
        .cloned()
        .ok_or(Error::VersionGone)
}
