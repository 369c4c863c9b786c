//! A folder as a camera roll: the command line plays the phone's platform, which knows what belongs together.
//!
//! - Which folder a roll is, is kept in our own file beside the drive, by the source's name: the core knows a library only,
//!   not where it is.
//! - Files of one stem in one folder are one asset, if they can be: a photo with its video (a live pair), its raw data and
//!   its adjustments. Where that is open to doubt, each file is an asset of its own.
//! - No link is followed. What cannot be read makes the scan partial, so that nothing is gone for that.

use crate::failure::Failure;
use crate::names::shown;
use crate::place::Place;
use crate::vault::{private_dir, replace};
use lomme::camera::{
    Asset, AssetKind, Camera, Resource, Role, ScanKind, ScanResult, SourceId, Trust,
};
use lomme::{CancelToken, Error};
use std::collections::{BTreeMap, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most assets in a page, as the core takes them.
const PAGE: usize = 500;
/// Folders in folders.
const DEPTH: usize = 100;
const FILE: &str = "rolls.json";

/// The folders of the camera rolls, by the source's name.
pub struct Rolls {
    directory: PathBuf,
    folders: BTreeMap<String, PathBuf>,
}

impl Rolls {
    pub fn read(place: &Place) -> Result<Self, Failure> {
        let directory = place.directory().to_owned();
        let folders = match std::fs::read(directory.join(FILE)) {
            Ok(text) => serde_json::from_slice(&text).map_err(|_| {
                Failure::machine(format!("{FILE} in the data directory is damaged"))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { directory, folders })
    }

    /// Where a source's files are: of a roll as we know it, of a folder as the core does.
    pub fn folder<'a>(&'a self, source: &'a lomme::camera::Source) -> Option<&'a Path> {
        match &source.folder {
            Some(folder) => Some(folder),
            None => self.folders.get(&source.name).map(PathBuf::as_path),
        }
    }

    /// Before the source is made: a source whose folder is not known could never be scanned.
    pub fn put(&mut self, name: &str, folder: &Path) -> Result<(), Failure> {
        if folder.to_str().is_none() {
            return Err(Failure::usage(
                "a camera roll needs a folder whose name is text",
            ));
        }
        self.folders.insert(name.to_owned(), folder.to_owned());
        let text = serde_json::to_vec(&self.folders).map_err(std::io::Error::from)?;
        private_dir(&self.directory)?;
        Ok(replace(&self.directory, &self.directory.join(FILE), &text)?)
    }
}

/// The core has forgotten its sources.
pub fn forget(place: &Place) -> Result<(), Failure> {
    match std::fs::remove_file(place.directory().join(FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Scans a camera roll; blocks.
pub fn scan(
    camera: &Camera,
    source: SourceId,
    root: &Path,
    seen: &dyn Fn(u64),
    cancel: &CancelToken,
) -> Result<ScanResult, Error> {
    let scan = camera.begin_scan(source, ScanKind::Full)?;
    let mut walk = Walk::new(root);
    let (mut page, mut count) = (Vec::new(), 0);
    while let Some(assets) = walk.next_folder() {
        cancel.check()?;
        count += assets.len() as u64;
        page.extend(assets);
        while page.len() >= PAGE {
            let rest = page.split_off(PAGE);
            camera.add_assets(scan.id, &page)?;
            page = rest;
        }
        seen(count);
    }
    camera.add_assets(scan.id, &page)?;
    let trust = if walk.complete {
        Trust::Complete
    } else {
        Trust::Partial
    };
    camera.commit_scan(scan.id, None, trust)
}

struct Walk<'a> {
    root: &'a Path,
    /// Below the root, with how deep they are and whether they are hidden.
    folders: Vec<(String, usize, bool)>,
    complete: bool,
}

/// A file of a folder.
struct Found {
    name: String,
    meta: Metadata,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path) -> Self {
        Self {
            root,
            folders: vec![(String::new(), 0, false)],
            complete: true,
        }
    }

    /// The assets of the next folder; `None` at the end.
    fn next_folder(&mut self) -> Option<Vec<Asset>> {
        let (below, depth, hidden) = self.folders.pop()?;
        let directory = self.root.join(&below);
        let mut stems: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        let Ok(entries) = std::fs::read_dir(&directory) else {
            self.complete = false;
            return Some(Vec::new());
        };
        for entry in entries {
            // A link says of itself that it is one, and is passed by.
            let told = entry.and_then(|entry| Ok((entry.file_name(), entry.metadata()?)));
            let Ok((name, meta)) = told else {
                self.complete = false;
                continue;
            };
            let Some(name) = name.to_str().map(str::to_owned) else {
                self.complete = false;
                continue;
            };
            if meta.is_dir() {
                if depth < DEPTH {
                    let hidden = hidden || name.starts_with('.');
                    self.folders.push((join(&below, &name), depth + 1, hidden));
                } else {
                    self.complete = false;
                }
            } else if meta.is_file() {
                let stem = split(&name).0.to_owned();
                stems.entry(stem).or_default().push(Found { name, meta });
            }
        }
        let names: HashSet<String> = stems
            .values()
            .flatten()
            .map(|file| file.name.clone())
            .collect();
        let mut assets = Vec::new();
        for (stem, files) in stems {
            // Such a stem would be the key of two assets.
            let is_name = names.contains(&stem);
            for (key, files) in grouped(&stem, files, is_name) {
                let hidden = hidden || key.starts_with('.');
                assets.push(asset(&directory, &below, &key, files, hidden));
            }
        }
        Some(assets)
    }
}

/// Files of one stem, as assets: each with its key in the folder, and its files with their roles.
fn grouped(stem: &str, mut files: Vec<Found>, is_name: bool) -> Vec<(String, Vec<(Role, Found)>)> {
    files.sort_by(|one, two| one.name.cmp(&two.name));
    let of = |role: Role| {
        files
            .iter()
            .filter(|file| role_of(&file.name) == role)
            .count()
    };
    let (photos, videos) = (of(Role::Photo), of(Role::Video));
    let others = of(Role::Other);
    let mains = if photos > 0 {
        photos
    } else {
        videos.max(of(Role::Raw))
    };
    // More than one photo, or two videos: nobody knows what belongs to what.
    let sure = mains == 1 && videos <= 1 && (photos == 1 || files.len() == 1) && others == 0;
    if !sure || is_name {
        return files
            .into_iter()
            .map(|file| (file.name.clone(), vec![(role_of(&file.name), file)]))
            .collect();
    }
    let parts = files.into_iter().map(|file| match role_of(&file.name) {
        Role::Video if photos == 1 => (Role::PairedVideo, file),
        role => (role, file),
    });
    vec![(stem.to_owned(), parts.collect())]
}

fn asset(
    directory: &Path,
    album: &str,
    key: &str,
    files: Vec<(Role, Found)>,
    hidden: bool,
) -> Asset {
    let has = |role: Role| files.iter().any(|(other, _)| *other == role);
    let mut kinds = vec![match &files[..] {
        files if files.iter().any(|(role, _)| *role == Role::Photo) => AssetKind::Photo,
        [(Role::Video, _), ..] => AssetKind::Video,
        [(Role::Raw, _), ..] => AssetKind::Raw,
        _ => AssetKind::Other,
    }];
    if has(Role::PairedVideo) {
        kinds.push(AssetKind::LivePhoto);
    }
    if has(Role::Photo) && has(Role::Raw) {
        kinds.push(AssetKind::Raw);
    }
    Asset {
        key: join(album, key),
        album: album.to_owned(),
        kinds,
        taken_ms: None,
        added_ms: None,
        modified_ms: files.iter().map(|(_, file)| modified_ms(&file.meta)).max(),
        pending: false,
        favourite: false,
        hidden,
        resources: files
            .into_iter()
            .map(|(role, file)| Resource {
                role,
                size: Some(file.meta.len()),
                // Another time or another file of the name: its bytes may be other ones.
                stamp: file.meta.mtime().wrapping_mul(1_000_000_000)
                    ^ file.meta.mtime_nsec()
                    ^ file.meta.ino().cast_signed().rotate_left(32),
                path: Some(directory.join(&file.name)),
                key: file.name.clone(),
                name: file.name,
            })
            .collect(),
    }
}

fn modified_ms(meta: &Metadata) -> i64 {
    meta.mtime() * 1_000 + meta.mtime_nsec() / 1_000_000
}

/// Where the files of an asset are: its resources are named by their file names, beside each other.
pub fn files_of(root: &Path, asset: &str, resources: &[String]) -> Vec<PathBuf> {
    let folder = asset.rsplit_once('/').map_or("", |(folder, _)| folder);
    let of = |name: &String| match name.as_str() {
        // A folder's asset is one file, and its key is its path.
        "" => root.join(asset),
        name => root.join(folder).join(name),
    };
    resources.iter().map(of).collect()
}

/// The folder as the system knows it, if it overlaps with no other source and not with our own directory.
pub fn checked(
    folder: &Path,
    place: &Place,
    sources: &[lomme::camera::Source],
    rolls: &Rolls,
) -> Result<PathBuf, Failure> {
    let said = shown(&folder.display().to_string());
    let real = std::fs::canonicalize(folder)
        .map_err(|error| Failure::usage(format!("'{said}' cannot be read: {}", error.kind())))?;
    if !real.is_dir() {
        return Err(Failure::usage(format!("'{said}' is no folder")));
    }
    let own = std::fs::canonicalize(place.directory())?;
    let others = sources.iter().filter_map(|source| rolls.folder(source));
    for other in others.chain([own.as_path()]) {
        if real.starts_with(other) || other.starts_with(&real) {
            return Err(Failure::usage(format!(
                "'{said}' overlaps with '{}'",
                shown(&other.display().to_string())
            )));
        }
    }
    Ok(real)
}

fn role_of(name: &str) -> Role {
    match split(name).1.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "heic" | "heif" | "png" | "webp" | "gif" | "avif" | "tif" | "tiff"
        | "bmp" => Role::Photo,
        "mp4" | "mov" | "m4v" | "3gp" | "mkv" | "webm" | "avi" | "mts" => Role::Video,
        "dng" | "cr2" | "cr3" | "nef" | "arw" | "raf" | "orf" | "rw2" => Role::Raw,
        "aae" => Role::Adjustment,
        _ => Role::Other,
    }
}

/// Stem and ending. A name that begins with its only dot is all stem.
fn split(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() => (stem, end),
        _ => (name, ""),
    }
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The assets of a folder with these files: keys with the roles of their files.
    fn assets(names: &[&str]) -> Vec<(String, Vec<Role>)> {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let mut walk = Walk::new(directory.path());
        let mut all = Vec::new();
        while let Some(assets) = walk.next_folder() {
            all.extend(assets);
        }
        assert!(walk.complete);
        let mut keys: Vec<_> = all
            .into_iter()
            .map(|asset| {
                let roles = asset.resources.iter().map(|resource| resource.role);
                (asset.key.clone(), roles.collect())
            })
            .collect();
        keys.sort_by(|one: &(String, Vec<Role>), two| one.0.cmp(&two.0));
        keys
    }

    fn one(key: &str, roles: &[Role]) -> (String, Vec<Role>) {
        (key.to_owned(), roles.to_vec())
    }

    #[test]
    fn a_photo_with_its_video_its_raw_data_and_its_adjustments_is_one_asset() {
        assert_eq!(
            assets(&[
                "IMG_1.HEIC",
                "IMG_1.MOV",
                "a/IMG_2.DNG",
                "a/IMG_2.JPG",
                "b/IMG_2.AAE",
                "b/IMG_2.JPG"
            ]),
            [
                one("IMG_1", &[Role::Photo, Role::PairedVideo]),
                one("a/IMG_2", &[Role::Raw, Role::Photo]),
                one("b/IMG_2", &[Role::Adjustment, Role::Photo]),
            ]
        );
    }

    #[test]
    fn a_file_alone_has_the_stem_as_its_key_and_another_album_is_another_asset() {
        assert_eq!(
            assets(&["a/1.jpg", "b/1.jpg", "c/1.mp4", "d/1.cr2"]),
            [
                one("a/1", &[Role::Photo]),
                one("b/1", &[Role::Photo]),
                one("c/1", &[Role::Video]),
                one("d/1", &[Role::Raw]),
            ]
        );
    }

    #[test]
    fn where_it_is_open_what_belongs_to_what_each_file_is_its_own() {
        assert_eq!(
            assets(&[
                "1.heic",
                "1.jpg",
                "1.jpg.mp4",
                "1.mov",
                "2.mov",
                "2.mp4",
                "3.txt",
                "3.jpg"
            ]),
            [
                one("1.heic", &[Role::Photo]),
                one("1.jpg", &[Role::Photo]),
                one("1.jpg.mp4", &[Role::Video]),
                one("1.mov", &[Role::Video]),
                one("2.mov", &[Role::Video]),
                one("2.mp4", &[Role::Video]),
                one("3.jpg", &[Role::Photo]),
                one("3.txt", &[Role::Other]),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_makes_a_scan_partial_and_a_link_is_passed_by() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let mut walk = Walk::new(&gone);
        assert!(walk.next_folder().unwrap().is_empty());
        assert!(!walk.complete);
        std::fs::write(directory.path().join("1.jpg"), "1").unwrap();
        std::os::unix::fs::symlink("1.jpg", directory.path().join("2.jpg")).unwrap();
        std::os::unix::fs::symlink("..", directory.path().join("up")).unwrap();
        let mut walk = Walk::new(directory.path());
        assert_eq!(walk.next_folder().unwrap().len(), 1);
        assert!(walk.complete && walk.next_folder().is_none());
    }

    #[test]
    fn files_of_an_asset_are_found_again() {
        let root = Path::new("/roll");
        let parts = ["1.heic".to_owned(), "1.mov".to_owned()];
        assert_eq!(
            files_of(root, "a/1", &parts),
            [root.join("a/1.heic"), root.join("a/1.mov")]
        );
        assert_eq!(
            files_of(root, "a/1.txt", &[String::new()]),
            [root.join("a/1.txt")]
        );
    }
}
