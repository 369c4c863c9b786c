//! JFS documents: `user`, `device`, `mountPoint`, `folder` and `file` (protocol facts §2, §3).
//!
//! - Only a COMPLETED `currentRevision` makes a file; `latestRevision` is somebody's unfinished upload. Of the older
//!   `revisions`, too, only what is COMPLETED counts; the others took a number and hold nothing.
//! - A `deleted` mark, whatever its value, is a tombstone.
//! - One name that no item can have spoils the whole listing: leaving the entry out would look like a deletion.
//! - The root must close and the totals in `metadata`, when given, must fit: only then is absence proven.

use super::document::{Entries, Field, md5, uuid};
use super::xml::{Handler, Tag};
use super::{Entry, RemoteFile, RemoteFolder, RemotePath, Revision, SharedLink, names, times};
use crate::{Error, Result};
use std::collections::VecDeque;

/// How many older versions are kept of a file; captures show 4 at most (protocol facts §3.2).
const MAX_OLDER: usize = 64;

/// What a document is about, from its root element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    User,
    Device,
    MountPoint,
    Folder,
    File,
}

/// An open element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Root(Root),
    /// `devices`, `mountPoints`, `folders` or `files`: its children are entries of the listing.
    List(Child),
    Child(Child),
    Revision,
    /// `revisions` of the file that the document is about.
    History,
    OldRevision,
    Leaf(Leaf),
    Ignored,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Child {
    Device,
    MountPoint,
    Folder,
    File,
}

/// An element whose text matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Name,
    Deleted,
    AbsPath,
    PublicUri,
    SharePath,
    Number,
    State,
    Created,
    Modified,
    Updated,
    Mime,
    Size,
    Md5,
    Username,
    Capacity,
    Usage,
    WriteLocked,
}

/// What a `user` document says about the account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub username: Option<String>,
    /// Bytes; -1 is unlimited.
    pub capacity: Option<i64>,
    pub usage: Option<u64>,
    pub write_locked: bool,
}

/// The entry being read: a child, or the root itself.
#[derive(Default)]
struct Draft {
    name: Option<String>,
    uuid: Option<[u8; 16]>,
    deleted_ms: Option<i64>,
    abspath: Option<String>,
    link: Option<String>,
    page: Option<String>,
    revision: Option<DraftRevision>,
}

#[derive(Default)]
struct DraftRevision {
    completed: bool,
    number: Option<u64>,
    size: Option<u64>,
    md5: Option<[u8; 16]>,
    created_ms: Option<i64>,
    modified_ms: Option<i64>,
    updated_ms: Option<i64>,
    mime: Option<String>,
}

/// Reads a JFS document.
pub(crate) struct Jfs {
    /// Whether `abspath` is the place that the items were deleted from.
    trash: bool,
    stack: Vec<Element>,
    field: Field,
    root: Option<Root>,
    about: Draft,
    child: Draft,
    /// Everything before the first entry was read.
    introduced: bool,
    entries: VecDeque<Entry>,
    folders: u64,
    files: u64,
    /// The older revision being read.
    old: Option<DraftRevision>,
    older: Vec<Revision>,
    /// From `metadata`.
    promised_folders: Option<u64>,
    promised_files: Option<u64>,
    pub user: User,
}

impl Jfs {
    pub fn new(trash: bool) -> Self {
        Self {
            trash,
            stack: Vec::new(),
            field: Field::default(),
            root: None,
            about: Draft::default(),
            child: Draft::default(),
            introduced: false,
            entries: VecDeque::new(),
            folders: 0,
            files: 0,
            old: None,
            older: Vec::new(),
            promised_folders: None,
            promised_files: None,
            user: User::default(),
        }
    }

    /// The root, once all that is said about it before its children is known.
    pub fn introduced(&self) -> Option<Root> {
        self.root.filter(|_| self.introduced)
    }

    /// When the root was deleted.
    pub fn deleted_ms(&self) -> Option<i64> {
        self.about.deleted_ms
    }

    /// The root as a file, after the end.
    pub fn take_file(&mut self) -> Result<RemoteFile> {
        let about = std::mem::take(&mut self.about);
        (self.about.link, self.about.page) = (about.link.clone(), about.page.clone());
        about.into_file(false)
    }

    /// The older versions of the root, newest first, after the end.
    pub fn take_older(&mut self) -> Vec<Revision> {
        let mut older = std::mem::take(&mut self.older);
        older.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        older
    }

    /// The root's public link, after the end.
    pub fn link(&self) -> Result<Option<SharedLink>> {
        let uri = self.about.link.as_deref();
        uri.map(|uri| SharedLink::new(uri, self.about.page.as_deref()))
            .transpose()
    }

    pub fn waiting(&self) -> usize {
        self.entries.len()
    }

    pub fn take(&mut self, at_most: usize) -> Vec<Entry> {
        self.entries
            .drain(..at_most.min(self.entries.len()))
            .collect()
    }

    fn draft(&mut self) -> &mut Draft {
        let in_child = self.stack.iter().any(|e| matches!(e, Element::Child(_)));
        if in_child {
            &mut self.child
        } else {
            &mut self.about
        }
    }

    fn begin_root(&mut self, tag: &Tag<'_>) -> Result<Element> {
        let root = match tag.name {
            "user" => Root::User,
            "device" => Root::Device,
            "mountPoint" => Root::MountPoint,
            "folder" => Root::Folder,
            "file" => Root::File,
            _ => return Err(Error::bad_answer("a document of an unexpected kind")),
        };
        self.root = Some(root);
        self.about = Draft::begin(tag)?;
        Ok(Element::Root(root))
    }

    fn begin_child(&mut self, child: Child, tag: &Tag<'_>) -> Result<Element> {
        self.child = Draft::begin(tag)?;
        Ok(Element::Child(child))
    }

    fn promise(&mut self, tag: &Tag<'_>) -> Result<()> {
        let total = |name| -> Result<Option<u64>> {
            Ok(tag.attribute(name)?.and_then(|value| value.parse().ok()))
        };
        match self.root {
            Some(Root::Device) => self.promised_folders = total("num_mountpoints")?,
            _ => {
                self.promised_folders = total("num_folders")?;
                self.promised_files = total("num_files")?;
            }
        }
        Ok(())
    }

    fn finish_child(&mut self, child: Child) -> Result<()> {
        let draft = std::mem::take(&mut self.child);
        let entry = match child {
            Child::File => {
                self.files += 1;
                Entry::File(draft.into_file(self.trash)?)
            }
            Child::MountPoint if draft.deleted_ms.is_some() => {
                self.folders += 1;
                return Ok(());
            }
            Child::Device | Child::MountPoint | Child::Folder => {
                self.folders += 1;
                Entry::Folder(draft.into_folder(self.trash)?)
            }
        };
        self.entries.push_back(entry);
        Ok(())
    }

    fn finish_old(&mut self) {
        let old = self.old.take().filter(|old| old.completed);
        let whole = old.filter(|old| old.number.is_some());
        if let Some(Ok(revision)) = whole.map(DraftRevision::finish)
            && self.older.len() < MAX_OLDER
        {
            self.older.push(revision);
        }
    }

    fn finish_root(&mut self) -> Result<()> {
        self.introduced = true;
        let kept = |promised: Option<u64>, found| promised.is_none_or(|n| n == found);
        if self.root == Some(Root::File)
            || kept(self.promised_folders, self.folders) && kept(self.promised_files, self.files)
        {
            return Ok(());
        }
        Err(Error::bad_answer(
            "a listing that is not as long as it says",
        ))
    }

    fn finish_leaf(&mut self, leaf: Leaf) {
        let field = std::mem::take(&mut self.field);
        let text = field.get();
        if let Some(old) = &mut self.old {
            old.set(leaf, text);
            self.field = field;
            return;
        }
        let draft = self.draft();
        match leaf {
            Leaf::Name => draft.name = Some(text.to_owned()),
            Leaf::Deleted => draft.deleted_ms = Some(tombstone(text)),
            Leaf::AbsPath => draft.abspath = Some(text.to_owned()),
            Leaf::PublicUri => {
                draft.link = Some(text.trim().to_owned()).filter(|uri| !uri.is_empty());
            }
            Leaf::SharePath => draft.page = Some(text.trim().to_owned()),
            Leaf::Username => self.user.username = Some(text.trim().to_owned()),
            Leaf::Capacity => self.user.capacity = text.trim().parse().ok(),
            Leaf::Usage => self.user.usage = text.trim().parse().ok(),
            Leaf::WriteLocked => self.user.write_locked = text.trim() == "true",
            _ => {
                if let Some(revision) = &mut draft.revision {
                    revision.set(leaf, text);
                }
            }
        }
        self.field = field;
    }
}

impl Handler for Jfs {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        use Element::{
            Child as InChild, History, Ignored, List, OldRevision, Revision as InRevision,
            Root as InRoot,
        };
        let element = match (self.stack.last(), tag.name) {
            (None, _) => self.begin_root(tag)?,
            (Some(InRoot(Root::User)), "devices") => List(Child::Device),
            (Some(InRoot(Root::Device)), "mountPoints") => List(Child::MountPoint),
            (Some(InRoot(Root::MountPoint | Root::Folder)), "folders") => List(Child::Folder),
            (Some(InRoot(Root::MountPoint | Root::Folder)), "files") => List(Child::File),
            (Some(InRoot(_)), "metadata") => {
                self.promise(tag)?;
                Ignored
            }
            (Some(List(Child::Device)), "device") => self.begin_child(Child::Device, tag)?,
            (Some(List(Child::MountPoint)), "mountPoint") => {
                self.begin_child(Child::MountPoint, tag)?
            }
            (Some(List(Child::Folder)), "folder") => self.begin_child(Child::Folder, tag)?,
            (Some(List(Child::File)), "file") => self.begin_child(Child::File, tag)?,
            (Some(InRoot(Root::File) | InChild(Child::File)), "currentRevision") => {
                self.draft().revision = Some(DraftRevision::default());
                InRevision
            }
            (Some(InRoot(Root::File)), "revisions") => History,
            (Some(History), "revision") => {
                self.old = Some(DraftRevision::default());
                OldRevision
            }
            (Some(&parent @ (InRoot(_) | InChild(_) | InRevision | OldRevision)), name) => {
                leaf(parent, name).map_or(Ignored, Element::Leaf)
            }
            _ => Ignored,
        };
        if matches!(element, List(_)) {
            self.introduced = true;
        }
        if matches!(element, Element::Leaf(_)) {
            self.field.start();
        }
        self.stack.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.stack.last() {
            Some(Element::Leaf(_)) => self.field.text(text),
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<()> {
        match self.stack.last().copied() {
            Some(Element::Leaf(leaf)) => self.finish_leaf(leaf),
            Some(Element::Child(child)) => self.finish_child(child)?,
            Some(Element::OldRevision) => self.finish_old(),
            Some(Element::Root(_)) => self.finish_root()?,
            _ => {}
        }
        self.stack.pop();
        Ok(())
    }
}

impl Entries for Jfs {
    fn found(&self) -> u64 {
        self.folders + self.files
    }
}

fn leaf(parent: Element, name: &str) -> Option<Leaf> {
    let in_revision = matches!(parent, Element::Revision | Element::OldRevision);
    let in_user = parent == Element::Root(Root::User);
    Some(match name {
        "number" if in_revision => Leaf::Number,
        "state" if in_revision => Leaf::State,
        "created" if in_revision => Leaf::Created,
        "modified" if in_revision => Leaf::Modified,
        "updated" if in_revision => Leaf::Updated,
        "mime" if in_revision => Leaf::Mime,
        "size" if in_revision => Leaf::Size,
        "md5" if in_revision => Leaf::Md5,
        _ if in_revision => return None,
        "username" if in_user => Leaf::Username,
        "capacity" if in_user => Leaf::Capacity,
        "usage" if in_user => Leaf::Usage,
        "write-locked" if in_user => Leaf::WriteLocked,
        "name" => Leaf::Name,
        "deleted" => Leaf::Deleted,
        "abspath" => Leaf::AbsPath,
        "publicURI" => Leaf::PublicUri,
        "publicSharePath" => Leaf::SharePath,
        _ => return None,
    })
}

/// The time of a deletion; 0 when the mark has no time in it.
fn tombstone(text: &str) -> i64 {
    times::parse(text).unwrap_or(0)
}

impl Draft {
    fn begin(tag: &Tag<'_>) -> Result<Self> {
        Ok(Self {
            name: tag.attribute("name")?,
            uuid: tag.attribute("uuid")?.as_deref().and_then(uuid),
            deleted_ms: tag.attribute("deleted")?.as_deref().map(tombstone),
            ..Self::default()
        })
    }

    fn checked_name(&mut self) -> Result<String> {
        let name = self
            .name
            .take()
            .ok_or_else(|| Error::bad_answer("an item without a name"))?;
        names::check(&name)?;
        Ok(name)
    }

    fn into_folder(mut self, trash: bool) -> Result<RemoteFolder> {
        Ok(RemoteFolder {
            name: self.checked_name()?,
            deleted_ms: self.deleted_ms,
            trashed_from: self.trashed_from(trash)?,
        })
    }

    fn into_file(mut self, trash: bool) -> Result<RemoteFile> {
        let current = match self.revision.take() {
            Some(revision) if revision.completed => Some(revision.finish()?),
            _ => None,
        };
        Ok(RemoteFile {
            name: self.checked_name()?,
            uuid: self.uuid,
            current,
            deleted_ms: self.deleted_ms,
            shared: Some(self.link.is_some()),
            trashed_from: self.trashed_from(trash)?,
        })
    }

    /// `abspath` without its first segment, the user.
    fn trashed_from(&self, trash: bool) -> Result<Option<RemotePath>> {
        let Some(path) = self.abspath.as_deref().filter(|_| trash) else {
            return Ok(None);
        };
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        segments.next();
        let segments: Vec<String> = segments.map(str::to_owned).collect();
        for segment in &segments {
            names::check(segment)?;
        }
        Ok(Some(RemotePath::new(segments)))
    }
}

impl DraftRevision {
    fn set(&mut self, leaf: Leaf, text: &str) {
        match leaf {
            Leaf::State => self.completed = text.trim() == "COMPLETED",
            Leaf::Number => self.number = text.trim().parse().ok(),
            Leaf::Size => self.size = text.trim().parse().ok(),
            Leaf::Md5 => self.md5 = md5(text),
            Leaf::Created => self.created_ms = times::parse(text),
            Leaf::Modified => self.modified_ms = times::parse(text),
            Leaf::Updated => self.updated_ms = times::parse(text),
            Leaf::Mime => self.mime = Some(text.to_owned()).filter(|m| !m.is_empty()),
            _ => {}
        }
    }

    fn finish(self) -> Result<Revision> {
        let (Some(size), Some(md5)) = (self.size, self.md5) else {
            return Err(Error::bad_answer(
                "a COMPLETED revision without size or MD5",
            ));
        };
        Ok(Revision {
            number: self.number,
            size,
            md5,
            created_ms: self.created_ms,
            modified_ms: self.modified_ms,
            updated_ms: self.updated_ms,
            mime: self.mime,
        })
    }
}

#[cfg(test)]
#[path = "jfs_tests.rs"]
mod tests;
