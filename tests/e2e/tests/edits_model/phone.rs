//! A phone: a drive on a disk that may die at any step, and the next process after it.

use crate::writers::Open;
use lomme::account::{MemoryVault, Secret};
use lomme::catalog::{Item, ItemId, Kind, Space};
use lomme::clock::ManualClock;
use lomme::{CancelToken, Drive, DriveOptions};
use lomme_e2e::MortalDisk;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory in memory where there is one: nothing here asks whether the machine keeps what it syncs.
pub fn directory() -> tempfile::TempDir {
    let outer = match Path::new("/dev/shm") {
        memory if memory.is_dir() => tempfile::tempdir_in(memory),
        _ => tempfile::tempdir(),
    };
    outer.unwrap()
}

pub struct Phone {
    pub number: usize,
    pub drive: Arc<Drive>,
    pub disk: MortalDisk,
    pub outer: tempfile::TempDir,
    /// Its open writers.
    pub open: Vec<Open>,
    /// Everything that something was ever wanted of.
    pub wished: BTreeSet<ItemId>,
    options: DriveOptions,
}

impl Phone {
    pub fn new(number: usize, clock: &ManualClock) -> Self {
        let outer = directory();
        let disk = MortalDisk::default();
        let vault = Arc::new(MemoryVault::default());
        let mut options = DriveOptions::new(outer.path().join("drive"), vault);
        options.disk = Arc::new(disk.clone());
        options.clock = Arc::new(clock.clone());
        Self {
            number,
            drive: Drive::open(options.clone()).unwrap(),
            disk,
            outer,
            open: Vec::new(),
            wished: BTreeSet::new(),
            options,
        }
    }

    pub async fn sign_in(&self, token: &str) -> lomme::Result<()> {
        let (account, cancel) = (self.drive.account(), CancelToken::new());
        let done = account.sign_in(&Secret::new(token), &cancel).await;
        done.map(drop)
    }

    /// The process is killed here, if it is not dead yet, and another one starts, perhaps with the catalogue lost or damaged.
    pub async fn next_process(&mut self, random: &mut fastrand::Rng) -> lomme::Result<()> {
        let next = self.disk.again();
        // Not on this thread: what ends only now, ends on it.
        let drive = self.drive.clone();
        let _ = tokio::task::spawn_blocking(move || drive.close()).await;
        self.disk = next;
        self.options.disk = Arc::new(self.disk.clone());
        match random.u8(..8) {
            0 => self.spoil_catalogue(|path| std::fs::remove_file(path).unwrap()),
            1 => self.spoil_catalogue(|path| std::fs::write(path, vec![b'x'; 8192]).unwrap()),
            _ => {}
        }
        self.drive = Drive::open(self.options.clone())?;
        Ok(())
    }

    fn spoil_catalogue(&self, spoil: impl Fn(&Path)) {
        for path in lomme_e2e::walk(&self.options.directory).into_keys() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with("catalog-") {
                continue;
            }
            if name.ends_with(".db") {
                spoil(&path);
            } else {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }

    /// A file with these bytes, as an app would give it.
    pub fn file_of(&self, bytes: &[u8]) -> PathBuf {
        let path = self.outer.path().join("given");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Every item of a space as it looks here, by path.
    pub fn tree(&self, space: Space) -> lomme::Result<BTreeMap<String, Item>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(String::new(), space.root())];
        while let Some((path, folder)) = folders.pop() {
            let catalog = self.drive.catalog();
            for item in catalog
                .children(&folder, Default::default(), None, 500)?
                .items
            {
                let path = format!("{path}/{}", item.name);
                if item.kind != Kind::File {
                    folders.push((path.clone(), item.id.clone()));
                }
                found.insert(path, item);
            }
        }
        Ok(found)
    }

    /// The contents that were given up here, whole.
    pub fn discarded(&self) -> lomme::Result<Vec<Vec<u8>>> {
        let edits = self.drive.edits();
        let mut contents = Vec::new();
        for given_up in edits.discarded()? {
            let path = self.outer.path().join("exported");
            let _ = std::fs::remove_file(&path);
            edits.export_discarded(&given_up.key, &path)?;
            contents.push(std::fs::read(&path).unwrap());
        }
        Ok(contents)
    }
}
