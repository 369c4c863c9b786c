//! A cloud with a film, and a pocket that knows it.

use local_cloud::{Cloud, CloudOptions};
use lomme::catalog::{ItemId, Space};
use lomme::content::{Fetched, Hint, Purpose, Reader};
use lomme::disk::{Disk, RealDisk};
use lomme::{CancelToken, Error};
use lomme_e2e::{Pocket, walk};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const KIB: u64 = 1024;
pub const MIB: u64 = 1024 * KIB;
pub const BLOCK: u64 = 64 * KIB;
pub const FILM: &str = "/Jotta/Sync/film.mp4";
pub const THEN: i64 = 1_700_000_000_000;

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    lomme::runtime().block_on(future)
}

/// A cloud with one film, and a pocket that knows it.
pub struct World {
    pub cloud: Cloud,
    pub pocket: Pocket,
    pub film: ItemId,
    pub size: u64,
}

impl World {
    pub fn new(size: u64) -> Self {
        Self::with(size, RealDisk)
    }

    pub fn with(size: u64, disk: impl Disk + 'static) -> Self {
        let cloud = Cloud::start(CloudOptions::default()).unwrap();
        cloud.writer().put_generated(FILM, 7, size, THEN).unwrap();
        let pocket = Pocket::with(|options| options.disk = Arc::new(disk)).unwrap();
        let token = cloud.login_token().unwrap();
        wait(pocket.sign_in(&token)).unwrap();
        wait(pocket.index(Space::Sync)).unwrap();
        let film = pocket.item("Sync/film.mp4").unwrap().id;
        cloud.reset_counts();
        Self {
            cloud,
            pocket,
            film,
            size,
        }
    }

    pub fn reader(&self, hint: Hint) -> Reader {
        let content = self.pocket.drive.content();
        let reader = content
            .open_reader(&self.film, None, Purpose::Stream)
            .unwrap();
        reader.hint(hint);
        reader
    }

    pub fn fetch(&self) -> Result<Fetched, Error> {
        let content = self.pocket.drive.content();
        wait(content.fetch_to_file(
            &self.film,
            None,
            &self.dest(),
            Purpose::Open,
            None,
            &CancelToken::new(),
        ))
    }

    pub fn dest(&self) -> PathBuf {
        self.pocket.outer.path().join("film")
    }

    pub fn sent(&self) -> u64 {
        self.cloud.counts().content_of("Sync")
    }

    pub fn requests(&self, kind: &str) -> u64 {
        self.cloud.counts().requests_of(kind)
    }

    /// The content of the film that it began with.
    pub fn is_film(&self, offset: u64, bytes: &[u8]) -> bool {
        bytes == content(7, offset, bytes.len() as u64)
    }

    /// Damages the file of the slot that ends so, with the file's bytes in the hand.
    pub fn damage(&self, end: &str, how: impl Fn(&mut Vec<u8>)) {
        let files = walk(&self.pocket.slots()).into_keys();
        for path in files.filter(|path| path.extension().is_some_and(|e| e == end)) {
            let mut bytes = std::fs::read(&path).unwrap();
            how(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

/// Generated content, as the cloud makes it.
pub fn content(seed: u64, offset: u64, len: u64) -> Vec<u8> {
    thread_local! {
        static MAKER: Cloud = Cloud::start(CloudOptions::default()).unwrap();
    }
    MAKER.with(|maker| {
        let path = format!("/Jotta/Archive/{seed}-{}", offset + len);
        let writer = maker.writer();
        if writer.entry(&path).unwrap().is_none() {
            writer
                .put_generated(&path, seed, offset + len, THEN)
                .unwrap();
        }
        writer.read(&path).unwrap()[offset as usize..].to_vec()
    })
}

pub fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 16) % below
}

/// Content of the same length as the film's.
pub fn another(size: u64) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

/// Open files of this process below `dir`.
#[cfg(target_os = "linux")]
pub fn open_below(dir: &Path) -> Vec<PathBuf> {
    let dir = dir.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(&dir))
        .collect()
}

pub fn wait_until(mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain");
}
