//! Another client of the same account, for tests and the seeder: no HTTP, at once.
//!
//! Paths are like `/Jotta/Sync/Docs/a.txt`, without the user. Missing parents are made, devices and mount points too.
//! Times are milliseconds since 1970.

use std::io::Read;
use std::sync::Arc;

use crate::blobs::generated_md5;
use crate::names::JfsPath;
use crate::refusal::Refusal;
use crate::state::State;
use crate::times;
use crate::tree::{Kind, NewContent, Node, TreeError, View, walk};

/// Something at a path.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Like `/Jotta/Sync/Docs/a.txt`.
    pub path: String,
    /// A file; else a folder, a mount point or a device.
    pub is_file: bool,
    /// A file's lifetime id; empty for others.
    pub uuid: String,
    /// Content's size, 0 for others.
    pub size: u64,
    /// Content's MD5 in lower case hex; empty for others and for files with no whole content.
    pub md5: String,
    /// When the client says the content was modified.
    pub modified: i64,
    /// Number of the current revision; 0 for others.
    pub revision: i64,
    /// When it was trashed, if it is in the trash.
    pub deleted: Option<i64>,
}

/// Where a content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Its bytes came here once, wherever they went since.
    pub came: bool,
    /// Files that live, with it as their current content.
    pub living: u64,
    /// Whole revisions that have it: of living files and of the trash, current and older.
    pub kept: u64,
}

/// One file of a bulk insertion. Its content is generated: the same seed and size are the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFile {
    /// Like `/Jotta/Sync/Docs/a.txt`.
    pub path: String,
    /// What the content is made from.
    pub seed: u64,
    /// Bytes.
    pub size: u64,
    /// When the client says it was created.
    pub created: i64,
    /// When the client says it was modified.
    pub modified: i64,
}

/// The other client.
#[derive(Clone)]
pub struct Writer {
    state: Arc<State>,
}

impl Writer {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Writes a file; a new revision if there is one already. Created and modified are now.
    pub fn put(&self, path: &str, content: &[u8]) -> Result<Entry, TreeError> {
        let now = times::now();
        self.put_at(path, content, now, now)
    }

    /// Writes a file with the given times.
    pub fn put_at(
        &self,
        path: &str,
        content: &[u8],
        created: i64,
        modified: i64,
    ) -> Result<Entry, TreeError> {
        let md5 = self.state.blobs.keep_bytes(content)?;
        self.state.tree.write(|view| {
            let content = NewContent {
                blob: view.add_blob(&md5, content.len() as u64, None)?,
                size: content.len() as u64,
                md5,
                created,
                modified,
            };
            give(view, &JfsPath::plain(path), &content)
        })
    }

    /// Writes a file whose content is made from `seed` whenever it is read, and takes no room.
    ///
    /// Its MD5 is calculated once for each seed and size: about a second for every few hundred megabytes.
    pub fn put_generated(
        &self,
        path: &str,
        seed: u64,
        size: u64,
        modified: i64,
    ) -> Result<Entry, TreeError> {
        let known = self.state.tree.read(|view| view.generated(seed, size))?;
        let md5 = known.map_or_else(|| generated_md5(seed, size), |known| known.md5);
        self.state.tree.write(|view| {
            let content = NewContent {
                blob: view.add_blob(&md5, size, Some(seed))?,
                size,
                md5,
                created: modified,
                modified,
            };
            give(view, &JfsPath::plain(path), &content)
        })
    }

    /// Writes many generated files in one transaction; answers how many. Quickest when files of one folder come
    /// together.
    pub fn put_many(&self, files: impl IntoIterator<Item = BulkFile>) -> Result<u64, TreeError> {
        self.state.tree.write_much(|view| {
            let mut count = 0;
            let mut folder: Option<(Vec<String>, Node)> = None;
            for file in files {
                let mut segments = JfsPath::plain(&file.path).segments;
                let name = segments.pop().unwrap_or_default();
                let parent = match folder.take() {
                    Some((path, node)) if path == segments => node,
                    _ => make_folders(view, &segments)?,
                };
                let (blob, md5) = match view.generated(file.seed, file.size)? {
                    Some(known) => (known.id, known.md5),
                    None => {
                        let md5 = generated_md5(file.seed, file.size);
                        (view.add_blob(&md5, file.size, Some(file.seed))?, md5)
                    }
                };
                let content = NewContent {
                    blob,
                    size: file.size,
                    md5,
                    created: file.created,
                    modified: file.modified,
                };
                let node = view.file_in(&parent, &name)?;
                view.add_revision(&node, &content)?;
                folder = Some((segments, parent));
                count += 1;
            }
            Ok(count)
        })
    }

    /// Makes a device of a type (`WORKSTATION`, `ANDROID`, …).
    pub fn device(&self, name: &str, kind: &str) -> Result<(), TreeError> {
        self.state
            .tree
            .write(|view| view.make_device(name, kind).map(drop))
    }

    /// Makes a folder and its parents.
    pub fn mkdir(&self, path: &str) -> Result<(), TreeError> {
        self.state
            .tree
            .write(|view| make_folders(view, &JfsPath::plain(path).segments).map(drop))
    }

    /// Gives a file or folder another name in the same folder.
    pub fn rename(&self, path: &str, name: &str) -> Result<(), TreeError> {
        let mut to = JfsPath::plain(path);
        to.segments.pop();
        to.segments.push(name.to_owned());
        self.move_(path, &to.text())
    }

    /// Moves a file or folder to another path.
    pub fn move_(&self, from: &str, to: &str) -> Result<(), TreeError> {
        let (mut from, to) = (JfsPath::plain(from), JfsPath::plain(to));
        from.slash = true;
        self.state.tree.write(|view| {
            let node = there(view, &from)?;
            match node.kind {
                Kind::File => view.move_file(&from, &to),
                _ => view.move_folder(&from, &to),
            }
            .map(drop)
        })
    }

    /// Puts a file, folder or mount point into the trash.
    pub fn trash(&self, path: &str) -> Result<(), TreeError> {
        let path = JfsPath::plain(path);
        self.state.tree.write(|view| {
            let node = there(view, &path)?;
            view.trash(&node)
        })
    }

    /// Removes a file, folder, mount point or device for good.
    pub fn remove(&self, path: &str) -> Result<(), TreeError> {
        let path = JfsPath::plain(path);
        self.state.tree.write(|view| {
            let node = there(view, &path)?;
            view.remove(&node)
        })
    }

    /// Sets the modification time of a file, as cphash does.
    pub fn touch(&self, path: &str, modified: i64) -> Result<(), TreeError> {
        let path = JfsPath::plain(path);
        self.state.tree.write(|view| {
            let node = there(view, &path)?;
            let revision = view.revision(node.current)?;
            let revision = revision.ok_or_else(|| missing(&path))?;
            view.touch(&node, &revision, revision.created, modified)
                .map(drop)
        })
    }

    /// Gives a file or folder a public link, or takes it away.
    pub fn share(&self, path: &str, shared: bool) -> Result<(), TreeError> {
        let path = JfsPath::plain(path);
        self.state
            .tree
            .write(|view| view.share(&path, shared).map(drop))
    }

    /// The content of a file, whole. For small files.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let path = JfsPath::plain(path);
        let known = self.state.tree.read(|view| {
            let node = there(view, &path)?;
            match view.revision(node.current)?.and_then(|r| r.blob) {
                Some(blob) => view.blob(blob),
                None => Ok(None),
            }
        })?;
        let known = known.ok_or_else(|| missing(&path))?;
        let mut content = Vec::new();
        self.state
            .blobs
            .read(&known, 0)?
            .read_to_end(&mut content)?;
        Ok(content)
    }

    /// What is at a path, also in the trash.
    pub fn entry(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let path = JfsPath::plain(path);
        self.state.tree.read(|view| match view.find(&path)? {
            Some(node) => Ok(Some(entry(view, &node)?)),
            None => Ok(None),
        })
    }

    /// Where a content is, over the whole account.
    pub fn holds(&self, content: &[u8]) -> Result<Held, TreeError> {
        let md5 = hex(content);
        self.state
            .tree
            .read(|view| view.whereabouts(&md5, content.len() as u64))
    }

    /// Every live file and folder below `prefix`, a folder before what is in it. `/` is everything.
    pub fn paths(&self, prefix: &str) -> Result<Vec<Entry>, TreeError> {
        let path = JfsPath::plain(prefix);
        self.state.tree.read(|view| {
            let mut roots = Vec::new();
            match view.find(&path)? {
                Some(node) => roots.push(node),
                None if path.segments.is_empty() => {
                    view.each_child::<TreeError>(0, Kind::Device, false, |device| {
                        roots.push(device.clone());
                        Ok(())
                    })?;
                }
                None => return Err(missing(&path)),
            }
            let mut entries = Vec::new();
            for root in &roots {
                walk::<TreeError>(view, root, false, false, |step| {
                    if step.folder.id != root.id || path.segments.is_empty() {
                        entries.push(entry(view, step.folder)?);
                    }
                    view.each_child::<TreeError>(step.folder.id, Kind::File, false, |file| {
                        entries.push(entry(view, file)?);
                        Ok(())
                    })?;
                    Ok(())
                })?;
            }
            Ok(entries)
        })
    }

    /// Makes content known to the service that this account never held.
    pub fn plant_foreign(&self, content: &[u8]) -> Result<(), TreeError> {
        let md5 = self.state.blobs.keep_bytes(content)?;
        self.state
            .tree
            .write(|view| view.add_blob(&md5, content.len() as u64, None).map(drop))
    }
}

fn hex(content: &[u8]) -> String {
    use md5::{Digest, Md5};
    Md5::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn missing(path: &JfsPath) -> TreeError {
    Refusal::new(
        404,
        "no.jotta.backup.errors.NoSuchFileException",
        format!("File {} does not exist", path.absolute()),
    )
    .into()
}

fn there(view: &View<'_>, path: &JfsPath) -> Result<Node, TreeError> {
    view.find(path)?.ok_or_else(|| missing(path))
}

/// Folders with all parents, the device (a workstation) included.
fn make_folders(view: &View<'_>, segments: &[String]) -> Result<Node, TreeError> {
    if let Some(device) = segments.first() {
        view.make_device(device, "WORKSTATION")?;
    }
    view.make_folders(&JfsPath {
        segments: segments.to_vec(),
        slash: false,
    })
}

fn give(view: &View<'_>, path: &JfsPath, content: &NewContent) -> Result<Entry, TreeError> {
    if let [parents @ .., _] = path.segments.as_slice() {
        make_folders(view, parents)?;
    }
    let node = view.file_for_content(path)?;
    let node = view.add_revision(&node, content)?;
    entry(view, &node)
}

fn entry(view: &View<'_>, node: &Node) -> Result<Entry, TreeError> {
    let path = view
        .names_of(node)?
        .iter()
        .fold(String::new(), |path, name| path + "/" + name);
    let revision = view.revision(node.current)?;
    Ok(Entry {
        path,
        is_file: node.kind == Kind::File,
        uuid: node.uuid.clone(),
        size: revision
            .as_ref()
            .and_then(|r| u64::try_from(r.size?).ok())
            .unwrap_or(0),
        md5: revision
            .as_ref()
            .map_or_else(String::new, |r| r.md5.to_ascii_lowercase()),
        modified: revision.as_ref().map_or(node.changed, |r| r.modified),
        revision: revision.as_ref().map_or(0, |r| r.number),
        deleted: node.deleted,
    })
}
