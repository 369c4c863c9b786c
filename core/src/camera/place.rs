//! Where a content goes in the cloud: chosen once, stored before anything is asked for, never changed.
//!
//! - Of a library: `YYYY/MM/name`, by the date on the clocks of the place (complaint no. 18). A name that another content
//!   has gets a mark from the hash, so that a retry, a kill and a second phone choose the same (complaint no. 2).
//! - All files of an asset have one stem, so that a live photo's halves stay together (no. 13).
//! - Of a folder: the relative path. Two that the service does not tell apart get a mark from the path, which an edit of the
//!   file does not change (no. 39).

use super::Role;
use super::capture_time::CaptureTime;
use crate::catalog::fold;
use crate::remote::names;
use crate::store::{
    AssetRow, CameraLedger, DELETED, EntryRow, PHOTOS, PLACED, ResourceRow, SourceRow, VIDEOS,
};
use crate::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// Longest name, in bytes: what follows from it stays below the service's limit.
const LONGEST: usize = 200;
/// Digits of a hash in a mark, the fewest first.
const DIGITS: [usize; 4] = [6, 10, 20, 32];

/// What was read of a file.
pub(super) struct Read {
    pub md5: [u8; 16],
    pub size: u64,
    pub taken: CaptureTime,
    pub modified_ms: Option<i64>,
}

pub(super) struct Places<'a, 'b> {
    pub ledger: &'a CameraLedger<'b>,
    pub source: &'a SourceRow,
    pub rank: i64,
}

impl Places<'_, '_> {
    /// The entry of a content that was just read; made if there is none.
    pub fn entry_of(
        &self,
        asset: &mut AssetRow,
        resource: &ResourceRow,
        read: &Read,
    ) -> Result<EntryRow> {
        if self.source.root.is_some() {
            return self.entry_of_path(asset, resource, read);
        }
        let mount = &self.source.mount;
        if let Some(entry) = self.ledger.entry_of_content(mount, &read.md5, read.size)? {
            return Ok(entry);
        }
        let path = self.camera_path(asset, resource, read)?;
        let mut entry = self.new_entry(path, resource, read);
        // As the cloud is to show it, in a timeline, too.
        entry.modified_ms = Some(read.taken.utc_ms);
        entry.created_ms = Some(read.taken.utc_ms);
        entry.n = self.ledger.put_entry(&entry)?;
        Ok(entry)
    }

    fn new_entry(&self, path: String, resource: &ResourceRow, read: &Read) -> EntryRow {
        let video = Role::of(resource.role).is_video();
        EntryRow {
            n: 0,
            mount: self.source.mount.clone(),
            fold: fold(&path),
            path,
            md5: read.md5,
            size: read.size,
            modified_ms: read.modified_ms,
            created_ms: None,
            state: PLACED,
            lane: if video { VIDEOS } else { PHOTOS },
            begun: false,
            wanted: Some(self.rank),
            uuid: None,
            revision: None,
            verified_ms: None,
            attempts: 0,
            until_ms: None,
            held: None,
        }
    }

    fn camera_path(
        &self,
        asset: &mut AssetRow,
        resource: &ResourceRow,
        read: &Read,
    ) -> Result<String> {
        let folder = asset
            .folder
            .get_or_insert_with(|| read.taken.folder())
            .clone();
        let free = |path: &str| {
            let taken = self
                .ledger
                .is_taken(&self.source.mount, &fold(path), &read.md5, read.size);
            taken.map(|taken| !taken)
        };
        if asset.stem.is_none() {
            let all = self.ledger.resources_of(asset.n)?;
            let first = all.first().map_or(&resource.name, |first| &first.name);
            let (stem, _) = split(&wire_name(first));
            // All files of the asset must find their place beside it.
            let fits = |stem: &str| -> Result<bool> {
                for other in &all {
                    let path = format!("{folder}/{}", file_name(stem, other, None));
                    let free = match other.md5.zip(other.size).filter(|_| other.n != resource.n) {
                        Some((md5, size)) => {
                            !self
                                .ledger
                                .is_taken(&self.source.mount, &fold(&path), &md5, size)?
                        }
                        None => free(&path)?,
                    };
                    if !free {
                        return Ok(false);
                    }
                }
                Ok(true)
            };
            let mut chosen = stem.clone();
            for digits in DIGITS {
                if fits(&chosen)? {
                    break;
                }
                chosen = marked(&stem, &read.md5, digits);
            }
            asset.stem = Some(chosen);
        }
        let stem = asset.stem.clone().unwrap_or_default();
        for digits in [0].into_iter().chain(DIGITS) {
            let stem = match digits {
                0 => stem.clone(),
                digits => marked(&stem, &read.md5, digits),
            };
            let path = format!("{folder}/{}", file_name(&stem, resource, Some(&read.md5)));
            if free(&path)? {
                return Ok(path);
            }
        }
        Err(Error::bug("a content whose name two others have"))
    }

    fn entry_of_path(
        &self,
        asset: &mut AssetRow,
        resource: &ResourceRow,
        read: &Read,
    ) -> Result<EntryRow> {
        let path = match (&asset.folder, &asset.stem) {
            (Some(folder), Some(name)) => join(folder, name),
            _ => {
                let (folder, name) = self.place_of_path(&asset.key)?;
                let path = join(&folder, &name);
                (asset.folder, asset.stem) = (Some(folder), Some(name));
                path
            }
        };
        let entry = match self.ledger.entry_at(&self.source.mount, &fold(&path))? {
            Some(entry) if (entry.md5, entry.size) == (read.md5, read.size) => return Ok(entry),
            // A new version of the same file.
            Some(entry) => EntryRow {
                md5: read.md5,
                size: read.size,
                modified_ms: read.modified_ms,
                state: PLACED,
                wanted: Some(self.rank),
                attempts: 0,
                until_ms: None,
                held: None,
                ..entry
            },
            None => self.new_entry(path, resource, read),
        };
        let n = self.ledger.put_entry(&entry)?;
        Ok(EntryRow { n, ..entry })
    }

    /// Folder and name of a relative path, such that no other asset of the source has it.
    fn place_of_path(&self, key: &str) -> Result<(String, String)> {
        let names: Vec<String> = key.split('/').map(wire_name).collect();
        let (name, folders) = names
            .split_last()
            .ok_or_else(|| Error::bug("a file without a path"))?;
        let folder = folders.join("/");
        let digest = crate::md5::digest(key.as_bytes());
        for digits in [0].into_iter().chain(DIGITS) {
            let name = match digits {
                0 => name.clone(),
                digits => {
                    let (stem, end) = split(name);
                    format!("{}{end}", marked(&stem, &digest, digits))
                }
            };
            let other = self.ledger.asset_at(self.source.n, &folder, &name)?;
            if !other {
                return Ok((folder, name));
            }
        }
        Err(Error::bug("a path that two others have"))
    }

    /// The path is taken by something that is not ours: another one.
    pub fn other_path(
        &self,
        asset: &mut AssetRow,
        resource: &ResourceRow,
        read: &Read,
    ) -> Result<String> {
        match self.source.root {
            None => self.camera_path(asset, resource, read),
            Some(_) => {
                let (stem, end) = split(asset.stem.as_deref().unwrap_or_default());
                let name = format!(
                    "{}{end}",
                    marked(&stem, &crate::md5::digest(asset.key.as_bytes()), 10)
                );
                let folder = asset.folder.clone().unwrap_or_default();
                asset.stem = Some(name.clone());
                Ok(join(&folder, &name))
            }
        }
    }
}

/// Whether a person has deleted it there, and that is respected.
pub(super) fn is_deleted(entry: &EntryRow) -> bool {
    entry.state == DELETED
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// A name as the service spells it: composed, not too long, with its end.
fn wire_name(shown: &str) -> String {
    let composed: String = shown.nfc().collect();
    let name = names::encode(composed.trim());
    if names::check(&name).is_err() {
        return "file".into();
    }
    let (stem, end) = split(&name);
    let mut room = LONGEST.saturating_sub(end.len()).min(stem.len());
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{end}", &stem[..room])
}

/// The stem, and the end with its dot.
fn split(name: &str) -> (String, &str) {
    match name.rfind('.') {
        // A name that begins with its only dot has no end.
        Some(dot) if dot > 0 && name.len() - dot <= 16 => (name[..dot].to_owned(), &name[dot..]),
        _ => (name.to_owned(), ""),
    }
}

/// `stem (a1b2c3)`.
fn marked(stem: &str, md5: &[u8; 16], digits: usize) -> String {
    let hex: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{stem} ({})", &hex[..digits.min(hex.len())])
}

/// A file's name beside the others of its asset. What was edited says so, and by which content once that is known.
fn file_name(stem: &str, resource: &ResourceRow, md5: Option<&[u8; 16]>) -> String {
    let name = wire_name(&resource.name);
    let (_, end) = split(&name);
    match (Role::of(resource.role), md5) {
        (Role::EditedPhoto | Role::EditedVideo, Some(md5)) => {
            let hex: String = md5[..3].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{stem} (edited {hex}){end}")
        }
        (Role::EditedPhoto | Role::EditedVideo, None) => format!("{stem} (edited){end}"),
        _ => format!("{stem}{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_end_and_is_never_too_long() {
        let long = format!("{}.JPEG", "ä".repeat(300));
        let name = wire_name(&long);
        assert!(name.len() <= LONGEST && name.ends_with(".JPEG"), "{name}");
        assert_eq!(wire_name("IMG_1.HEIC"), "IMG_1.HEIC");
        assert_eq!(wire_name("e\u{301}.jpg"), "é.jpg");
        assert_eq!(wire_name(".."), "．．");
        assert_eq!(wire_name(" "), "file");
        assert_eq!(wire_name("a/b.jpg").matches('/').count(), 0);
    }
}
