//! `mode=liststream`: a whole tree in one stream (protocol facts §3.4).
//!
//! Its end is proven by `stats`, in the counting of the vendor's own parser: one for each `folder`
//! element, and one for the first file in a folder not counted yet. A stream that was cut has no
//! `stats`. The service leaves nothing but live, COMPLETED files in it.

use super::document::{Entries, Field, md5};
use super::xml::{Handler, Tag};
use super::{RemoteFile, RemotePath, Revision, TreeEntry, TreeTotals, names, times};
use crate::{Error, Result};
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Far beyond any tree of a person, and little enough for the hundreds of entries in memory at a time.
const MAX_PATH_BYTES: usize = 16 * 1024;
/// Folders below the place that was asked for.
const MAX_DEPTH: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Folder,
    File,
    Stats,
    Leaf(Leaf),
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Path,
    FileName,
    Md5,
    Size,
    Created,
    Modified,
    Folders,
    Files,
}

/// The fields of the element being read. Texts keep their room from one entry to the next.
#[derive(Default)]
struct Draft {
    path: String,
    name: String,
    has_path: bool,
    has_name: bool,
    md5: Option<[u8; 16]>,
    size: Option<u64>,
    created_ms: Option<i64>,
    modified_ms: Option<i64>,
}

/// Reads a liststream.
pub(crate) struct ListStream {
    place: Place,
    stack: Vec<Element>,
    field: Field,
    draft: Draft,
    entries: VecDeque<TreeEntry>,
    /// The folders counted so far, as keyed hashes: eight bytes for a folder of any name.
    counted: HashSet<u64>,
    hasher: RandomState,
    totals: TreeTotals,
    promised_folders: Option<u64>,
    promised_files: Option<u64>,
}

impl ListStream {
    /// A stream of what is at `path`: device, mount point and folders.
    pub fn new(path: &RemotePath) -> Result<Self> {
        Ok(Self {
            place: Place::new(path)?,
            stack: Vec::new(),
            field: Field::default(),
            draft: Draft::default(),
            entries: VecDeque::new(),
            counted: HashSet::new(),
            hasher: RandomState::new(),
            totals: TreeTotals {
                folders: 0,
                files: 0,
            },
            promised_folders: None,
            promised_files: None,
        })
    }

    pub fn waiting(&self) -> usize {
        self.entries.len()
    }

    pub fn take(&mut self, at_most: usize) -> Vec<TreeEntry> {
        self.entries
            .drain(..at_most.min(self.entries.len()))
            .collect()
    }

    /// The totals, after the end of the document.
    pub fn proven(&self) -> Result<TreeTotals> {
        let (Some(folders), Some(files)) = (self.promised_folders, self.promised_files) else {
            return Err(Error::bad_answer("a liststream without its totals"));
        };
        if (TreeTotals { folders, files }) == self.totals {
            Ok(self.totals)
        } else {
            Err(Error::bad_answer(
                "a liststream that is not as long as it says",
            ))
        }
    }

    fn finish_folder(&mut self) -> Result<()> {
        if !self.draft.has_path {
            return Err(Error::bad_answer("a folder without a path"));
        }
        let folder = self.place.below(&self.draft.path)?;
        self.counted.insert(self.hasher.hash_one(&folder));
        self.count_folder(folder);
        Ok(())
    }

    fn count_folder(&mut self, folder: Vec<String>) {
        self.totals.folders += 1;
        self.entries.push_back(TreeEntry::Folder { folder });
    }

    fn finish_file(&mut self) -> Result<()> {
        let draft = &self.draft;
        let (true, true, Some(size), Some(md5)) =
            (draft.has_path, draft.has_name, draft.size, draft.md5)
        else {
            return Err(Error::bad_answer("a file without path, name, size or MD5"));
        };
        names::check(&draft.name)?;
        let file = RemoteFile {
            name: draft.name.clone(),
            uuid: None,
            current: Some(Revision {
                number: None,
                size,
                md5,
                created_ms: draft.created_ms,
                modified_ms: draft.modified_ms,
                updated_ms: None,
                mime: None,
            }),
            deleted_ms: None,
            shared: None,
            trashed_from: None,
        };
        let folder = self.place.below(&self.draft.path)?;
        if self.counted.insert(self.hasher.hash_one(&folder)) {
            self.count_folder(folder.clone());
        }
        self.totals.files += 1;
        self.entries.push_back(TreeEntry::File { folder, file });
        Ok(())
    }

    fn finish_leaf(&mut self, leaf: Leaf) -> Result<()> {
        let text = self.field.get();
        let draft = &mut self.draft;
        match leaf {
            Leaf::Path => {
                draft.has_path = true;
                draft.path.push_str(text);
            }
            Leaf::FileName => {
                draft.has_name = true;
                draft.name.push_str(text);
            }
            Leaf::Md5 => draft.md5 = md5(text),
            Leaf::Size => draft.size = text.trim().parse().ok(),
            Leaf::Created => draft.created_ms = times::parse(text),
            Leaf::Modified => draft.modified_ms = times::parse(text),
            Leaf::Folders => self.promised_folders = text.trim().parse().ok(),
            Leaf::Files => self.promised_files = text.trim().parse().ok(),
        }
        // Texts of one entry add up.
        if draft.path.len().max(draft.name.len()) > MAX_PATH_BYTES {
            return Err(Error::bad_answer("an absurdly long path"));
        }
        Ok(())
    }
}

impl Handler for ListStream {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        let element = match (self.stack.last(), tag.name) {
            (None, "error" | "html") => {
                return Err(Error::bad_answer("a document of an unexpected kind"));
            }
            (None, _) => Element::Other,
            (Some(Element::Folder | Element::File), "path") => Element::Leaf(Leaf::Path),
            (Some(Element::File), "filename") => Element::Leaf(Leaf::FileName),
            (Some(Element::File), "md5") => Element::Leaf(Leaf::Md5),
            (Some(Element::File), "size") => Element::Leaf(Leaf::Size),
            (Some(Element::File), "created") => Element::Leaf(Leaf::Created),
            (Some(Element::File), "modified") => Element::Leaf(Leaf::Modified),
            (Some(Element::Stats), "folders") => Element::Leaf(Leaf::Folders),
            (Some(Element::Stats), "files") => Element::Leaf(Leaf::Files),
            (Some(Element::Other), "folder") => Element::Folder,
            (Some(Element::Other), "file") => Element::File,
            (Some(Element::Other), "stats") => Element::Stats,
            _ => Element::Other,
        };
        match element {
            Element::Folder | Element::File => self.draft.clear(),
            Element::Leaf(_) => self.field.start(),
            Element::Stats | Element::Other => {}
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
        match self.stack.pop() {
            Some(Element::Leaf(leaf)) => self.finish_leaf(leaf)?,
            Some(Element::Folder) => self.finish_folder()?,
            Some(Element::File) => self.finish_file()?,
            _ => {}
        }
        Ok(())
    }
}

impl Entries for ListStream {
    fn found(&self) -> u64 {
        self.totals.folders + self.totals.files
    }
}

impl Draft {
    fn clear(&mut self) {
        self.path.clear();
        self.name.clear();
        self.has_path = false;
        self.has_name = false;
        self.md5 = None;
        self.size = None;
        self.created_ms = None;
        self.modified_ms = None;
    }
}

/// Turns the stream's paths, `/<mount point>/<folders>`, into paths below the mount point.
struct Place {
    /// The mount point and the folders that were asked for. Names ignore case on the service.
    asked: Vec<String>,
}

impl Place {
    fn new(path: &RemotePath) -> Result<Self> {
        match path.segments() {
            [_device, asked @ ..] if !asked.is_empty() => Ok(Self {
                asked: asked.to_vec(),
            }),
            _ => Err(Error::bug("a liststream of no mount point")),
        }
    }

    fn below(&self, path: &str) -> Result<Vec<String>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = path.split('/');
        let mut folder = Vec::new();
        for (depth, asked) in self.asked.iter().enumerate() {
            let segment = segments
                .next()
                .filter(|segment| same_name(segment, asked))
                .ok_or_else(|| Error::bad_answer("a liststream of another place"))?;
            if depth > 0 {
                folder.push(segment.to_owned());
            }
        }
        for segment in segments {
            names::check(segment)?;
            if folder.len() == MAX_DEPTH {
                return Err(Error::bad_answer("an absurdly deep path"));
            }
            folder.push(segment.to_owned());
        }
        Ok(folder)
    }
}

fn same_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
#[path = "liststream_tests.rs"]
mod tests;
