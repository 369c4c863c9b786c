//! The outbox on the tree: the columns of a row are what an app sees, the service's side stands beside them.

use super::{Catalog, ItemId};
use crate::Result;
use crate::catalog::row::Id;
use crate::remote::{RemoteFile, RemotePath};

/// The service's side of an item, as last known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theirs {
    pub parent: Id,
    /// In the service's spelling.
    pub name: String,
    /// 2 a folder, 3 a file (0 and 1 are roots and computers).
    pub kind: u8,
    pub uuid: Option<Id>,
    pub md5: Option<[u8; 16]>,
    pub size: Option<u64>,
    pub revision: Option<u64>,
    pub created_ms: Option<i64>,
    pub modified_ms: Option<i64>,
    pub shared: Option<bool>,
    /// In the trash: since when.
    pub deleted_ms: Option<i64>,
    /// Where it is on the service; in the trash, where it was.
    pub path: RemotePath,
}

/// What the service has just said of an item that we changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The file, in this folder.
    File { parent: Id, file: RemoteFile },
    /// A folder of this name, in this folder.
    Folder { parent: Id, name: String },
    /// It is in the trash since then.
    Trashed { deleted_ms: i64 },
    /// It is on the service nowhere.
    Gone,
}

impl Catalog {
    /// Brings the effective view of these items to what the outbox says of them now, in one transaction, and tells the
    /// feed. Reads the whole outbox instead if the catalogue has missed a change of it.
    pub(crate) fn settle_edits(&self, ids: &[Id]) -> Result<()> {
        let _ = ids;
        todo!("overlay")
    }

    /// The service's side; `None` for what the service never had, or is not known to have any more.
    pub(crate) fn theirs(&self, id: &Id) -> Result<Option<Theirs>> {
        let _ = id;
        todo!("overlay")
    }

    /// Where the service has a folder or file, by its id.
    pub(crate) fn their_path(&self, id: &Id) -> Result<Option<RemotePath>> {
        let _ = id;
        todo!("overlay")
    }

    /// Notes the service's answer as its side of the item. What the outbox wants stays on top of it.
    pub(crate) fn note_answer(&self, id: &Id, answer: &Answered) -> Result<()> {
        let _ = (id, answer);
        todo!("overlay")
    }

    /// What has a name (folded) in a folder, in the view that an app sees.
    pub(crate) fn holder_of_name(
        &self,
        parent: &Id,
        name: &str,
        but: Option<&Id>,
    ) -> Result<Option<ItemId>> {
        let _ = (parent, name, but);
        todo!("overlay")
    }

    /// What has a name (folded) in a folder on the service's side, as last known.
    pub(crate) fn their_holder_of_name(&self, parent: &Id, name: &str) -> Result<Option<ItemId>> {
        let _ = (parent, name);
        todo!("overlay")
    }

    /// Two ids turned out to be one item: `lost` is told as gone, what is in it goes into `kept`.
    pub(crate) fn merge_into(&self, lost: &Id, kept: &Id) -> Result<()> {
        let _ = (lost, kept);
        todo!("overlay")
    }
}
