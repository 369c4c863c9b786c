//! Public links, and the trash as a whole: asked of the service now, because only it knows them.

use super::{Edits, Emptied, Link};
use crate::catalog::{ItemId, Lookup, Space, id_bytes};
use crate::remote::{RemotePath, SharedLink, names};
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};

impl Edits {
    pub(super) async fn link_of(&self, id: &ItemId, cancel: &CancelToken) -> Result<Option<Link>> {
        let bytes = id_bytes(id).ok_or_else(|| Error::NotKnown {
            detail: "an id".into(),
        })?;
        let (catalog, of) = (self.catalog.clone(), id.clone());
        let (item, path) = blocking(move || match catalog.item(&of)? {
            Lookup::Found(item) => Ok((item, catalog.their_path(&bytes)?)),
            Lookup::Gone => Err(Error::NoSuchItem {
                detail: "deleted".into(),
            }),
            Lookup::Unknown => Err(Error::NotKnown {
                detail: "an id".into(),
            }),
        })
        .await?;
        let Some(path) = path.filter(|_| item.space != Space::Trash) else {
            return Ok(None);
        };
        let shared = self.remote.shared_link(&path, cancel).await?;
        shared
            .map(|shared| {
                Ok(Link {
                    url: self.remote.link_url(&shared)?,
                    item: Some(item.id),
                    name: item.name,
                })
            })
            .transpose()
    }

    pub(super) async fn all_links(&self, cancel: &CancelToken) -> Result<Vec<Link>> {
        let shared = self.remote.links(cancel).await?;
        let edits = self.clone();
        blocking(move || {
            shared
                .into_iter()
                .map(|(path, shared)| edits.link_at(&path, &shared))
                .collect()
        })
        .await
    }

    fn link_at(&self, path: &RemotePath, shared: &SharedLink) -> Result<Link> {
        let shown: Vec<String> = path
            .segments()
            .iter()
            .map(|name| names::decode(name))
            .collect();
        let mut place: Vec<&str> = shown.iter().map(String::as_str).collect();
        if place
            .first()
            .is_some_and(|device| device.eq_ignore_ascii_case("Jotta"))
        {
            place.remove(0);
        } else {
            place.insert(0, Space::Backup.name());
        }
        let item = match self.catalog.find(&place)? {
            Lookup::Found(item) => Some(item.id),
            Lookup::Gone | Lookup::Unknown => None,
        };
        Ok(Link {
            item,
            name: shown.last().cloned().unwrap_or_default(),
            url: self.remote.link_url(shared)?,
        })
    }

    /// What the trash held is asked for again: the answer counts, but names nothing.
    pub(super) async fn drop_trash(&self, cancel: &CancelToken) -> Result<Emptied> {
        let (files, folders) = self.remote.empty_trash(cancel).await?;
        self.catalog
            .refresh_inner(&Space::Trash.root(), cancel)
            .await?;
        Ok(Emptied { files, folders })
    }
}
