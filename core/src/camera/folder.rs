//! The core's own scan of a folder.
//!
//! - No link is followed, and what is neither a file nor a folder is passed by.
//! - A folder that cannot be read, that is empty or that is not there makes the scan partial: nothing is gone for that
//!   (complaint no. 22: a card that was taken out).
//! - What has not changed is not opened, and costs one comparison.

use super::rules::kind_of;
use super::scan::Offered;
use super::{Asset, AssetKind, Camera, Resource, Role, ScanKind, ScanResult, SourceId, Trust};
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::fs::Metadata;
use std::hash::Hasher;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files compared at once.
const PAGE: usize = 500;
/// Folders in folders.
const DEPTH: usize = 100;

struct Seen {
    key: String,
    size: u64,
    modified_ms: i64,
    stamp: i64,
}

impl Camera {
    pub(super) async fn walk_folder(
        &self,
        id: SourceId,
        cancel: &CancelToken,
    ) -> Result<ScanResult> {
        let (camera, cancel) = (self.clone(), cancel.clone());
        blocking(move || {
            let source = camera.source(id)?;
            let root = source
                .root
                .clone()
                .ok_or_else(|| Error::invalid("a library is scanned by the platform"))?;
            let scan = camera.begin(&source, ScanKind::Full);
            let mut walk = Walk::new(&root, &camera.root);
            loop {
                cancel.check()?;
                let page = walk.page();
                if page.is_empty() {
                    break;
                }
                let hashes: Vec<i64> = page.iter().map(Seen::hash).collect();
                let keys = page.iter().map(|seen| seen.key.as_str());
                camera.offer_changed(scan, keys, &hashes, |at| Ok(Some(page[at].asset())))?;
            }
            let trust = if walk.complete {
                Trust::Complete
            } else {
                Trust::Partial
            };
            camera.end_scan(scan, None, trust)
        })
        .await
    }
}

struct Walk<'a> {
    root: &'a Path,
    /// The core's own directory, which is no part of any source.
    own: &'a Path,
    folders: Vec<(PathBuf, String, usize)>,
    open: Option<(std::fs::ReadDir, String, usize)>,
    complete: bool,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, own: &'a Path) -> Self {
        Self {
            root,
            own,
            folders: vec![(root.to_owned(), String::new(), 0)],
            open: None,
            complete: true,
        }
    }

    /// The next files; none at the end.
    fn page(&mut self) -> Vec<Seen> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some((entries, below, depth)) = &mut self.open else {
                let Some((path, below, depth)) = self.folders.pop() else {
                    break;
                };
                match std::fs::read_dir(&path) {
                    Ok(entries) => self.open = Some((entries, below, depth)),
                    Err(_) => self.complete = false,
                }
                continue;
            };
            let Some(entry) = entries.next() else {
                self.open = None;
                continue;
            };
            let Ok(entry) = entry else {
                self.complete = false;
                continue;
            };
            let name = entry.file_name();
            // Not a name that can be told to anybody; it stays where it is, and nothing is said to be gone.
            let Some(name) = name.to_str() else {
                self.complete = false;
                continue;
            };
            // Not followed: it says of a link that it is one.
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(_) => {
                    self.complete = false;
                    continue;
                }
            };
            let key = match below.as_str() {
                "" => name.to_owned(),
                below => format!("{below}/{name}"),
            };
            if meta.is_dir() {
                let path = self.root.join(&key);
                if path == self.own {
                    continue;
                }
                match *depth < DEPTH {
                    true => self.folders.push((path, key, *depth + 1)),
                    false => self.complete = false,
                }
            } else if meta.is_file() {
                page.push(Seen::new(key, &meta));
            }
        }
        page
    }
}

impl Seen {
    fn new(key: String, meta: &Metadata) -> Self {
        let mut stamp = Offered(blake3::Hasher::new());
        for number in [meta.mtime(), meta.mtime_nsec(), meta.ino().cast_signed()] {
            stamp.write(&number.to_le_bytes());
        }
        Self {
            key,
            size: meta.len(),
            modified_ms: meta.mtime() * 1_000 + meta.mtime_nsec() / 1_000_000,
            stamp: stamp.finish().cast_signed(),
        }
    }

    fn hash(&self) -> i64 {
        (self.stamp ^ self.size.cast_signed().rotate_left(32)).wrapping_mul(31)
    }

    fn asset(&self) -> Asset {
        let (album, name) = self.key.rsplit_once('/').unwrap_or(("", &self.key));
        let kind = kind_of(name);
        let role = match kind {
            AssetKind::Video => Role::Video,
            AssetKind::Photo => Role::Photo,
            _ => Role::Other,
        };
        Asset {
            key: self.key.clone(),
            album: album.to_owned(),
            kinds: vec![kind],
            taken_ms: None,
            added_ms: None,
            modified_ms: Some(self.modified_ms),
            pending: false,
            favourite: false,
            hidden: false,
            resources: vec![Resource {
                key: String::new(),
                role,
                name: name.to_owned(),
                size: Some(self.size),
                stamp: self.stamp,
                path: None,
            }],
        }
    }
}
