//! What is on the phone: a library of photos as the platform has it, and a folder.

use lomme::camera::{Asset, AssetKind, Resource, Role};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A photo of the library.
pub struct Photo {
    /// The platform's id, which a card that was out and in has anew.
    pub id: u64,
    pub album: &'static str,
    pub taken_ms: i64,
    pub stamp: i64,
    pub hidden: bool,
    /// By role: the name and the content.
    pub files: BTreeMap<u8, (String, Vec<u8>)>,
    /// Its bytes must be asked for.
    pub far: bool,
}

pub const ROLES: [Role; 4] = [
    Role::Photo,
    Role::Video,
    Role::PairedVideo,
    Role::EditedPhoto,
];
pub const ALBUMS: [&str; 3] = ["Camera", "Chat", "Screenshots"];
const NAMES: [&str; 4] = ["IMG_1", "img_1", "IMG_2", "\u{e5}"];
/// 2026-08-09 and half a year.
const TAKEN: i64 = 1_786_270_272_000;
const HALF_A_YEAR: i64 = 180 * 86_400_000;

pub struct Roll {
    pub photos: Vec<Photo>,
    next: u64,
    dir: PathBuf,
}

impl Roll {
    pub fn new(dir: &Path) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        Self {
            photos: Vec::new(),
            next: 0,
            dir: dir.to_owned(),
        }
    }

    pub fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Bytes that nothing else has, or sometimes those of another photo.
    fn bytes(&mut self, random: &mut fastrand::Rng) -> Vec<u8> {
        let old = self.photos.iter().flat_map(|photo| photo.files.values());
        let old: Vec<&Vec<u8>> = old.map(|(_, bytes)| bytes).collect();
        if !old.is_empty() && random.u8(..4) == 0 {
            return old[random.usize(..old.len())].clone();
        }
        let mut bytes = format!("bytes {} ", self.fresh()).into_bytes();
        let more = match random.u8(..20) {
            0 => random.usize(100_000..300_000),
            _ => random.usize(..200),
        };
        bytes.resize(bytes.len() + more, b'.');
        bytes
    }

    pub fn add(&mut self, random: &mut fastrand::Rng) {
        let name = NAMES[random.usize(..NAMES.len())];
        let mut files = BTreeMap::new();
        match random.u8(..4) {
            0 => {
                files.insert(1, (format!("{name}.MOV"), self.bytes(random)));
            }
            1 => {
                files.insert(0, (format!("{name}.HEIC"), self.bytes(random)));
                files.insert(2, (format!("{name}.MOV"), self.bytes(random)));
            }
            _ => {
                files.insert(0, (format!("{name}.JPG"), self.bytes(random)));
            }
        }
        let id = self.fresh();
        self.photos.push(Photo {
            id,
            album: ALBUMS[random.usize(..ALBUMS.len())],
            taken_ms: TAKEN - random.i64(0..HALF_A_YEAR),
            stamp: 1,
            hidden: random.u8(..8) == 0,
            files,
            far: random.u8(..4) == 0,
        });
        self.write(self.photos.len() - 1);
    }

    /// A photo is edited: another render beside it, or the same file rewritten by the system.
    pub fn edit(&mut self, random: &mut fastrand::Rng) -> Option<u64> {
        let at = self.any(random)?;
        let bytes = self.bytes(random);
        let photo = &mut self.photos[at];
        photo.stamp += 1;
        if random.bool() && photo.files.contains_key(&0) {
            photo.files.insert(3, ("FullSizeRender.jpg".into(), bytes));
        } else {
            let role = *photo.files.keys().next().unwrap();
            photo.files.get_mut(&role).unwrap().1 = bytes;
        }
        let id = photo.id;
        self.write(at);
        Some(id)
    }

    pub fn any(&self, random: &mut fastrand::Rng) -> Option<usize> {
        (!self.photos.is_empty()).then(|| random.usize(..self.photos.len()))
    }

    pub fn path(&self, photo: &Photo, role: u8) -> PathBuf {
        self.dir
            .join(format!("{}-{}-{role}", photo.id, photo.stamp))
    }

    pub fn write(&self, at: usize) {
        let photo = &self.photos[at];
        for (role, (_, bytes)) in &photo.files {
            std::fs::write(self.path(photo, *role), bytes).unwrap();
        }
    }

    pub fn remove(&mut self, at: usize) -> Photo {
        let photo = self.photos.remove(at);
        for role in photo.files.keys() {
            std::fs::remove_file(self.path(&photo, *role)).unwrap();
        }
        photo
    }

    /// A card out and in: everything has another id.
    pub fn renumber(&mut self) {
        for at in 0..self.photos.len() {
            for role in self.photos[at].files.keys() {
                std::fs::remove_file(self.path(&self.photos[at], *role)).unwrap();
            }
            self.photos[at].id = self.fresh();
            self.write(at);
        }
    }

    pub fn assets(&self) -> Vec<Asset> {
        self.photos.iter().map(|photo| self.asset(photo)).collect()
    }

    fn asset(&self, photo: &Photo) -> Asset {
        let resource = |(role, (name, bytes)): (&u8, &(String, Vec<u8>))| Resource {
            key: role.to_string(),
            role: ROLES[usize::from(*role)],
            name: name.clone(),
            size: Some(bytes.len() as u64),
            stamp: photo.stamp,
            path: (!photo.far).then(|| self.path(photo, *role)),
        };
        Asset {
            key: photo.id.to_string(),
            resources: photo.files.iter().map(resource).collect(),
            album: photo.album.into(),
            kinds: vec![AssetKind::Photo],
            taken_ms: Some(photo.taken_ms),
            added_ms: None,
            modified_ms: Some(photo.taken_ms),
            pending: false,
            favourite: false,
            hidden: photo.hidden,
        }
    }
}
