//! A drive on a temporary directory.

use lomme::account::{MemoryVault, Secret};
use lomme::catalog::{Item, ItemId, Lookup, Space};
use lomme::{CancelToken, Drive, DriveOptions, Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A drive, its directory and its vault.
pub struct Pocket {
    /// Everything the drive may write is in here; its neighbours must stay untouched.
    pub outer: tempfile::TempDir,
    /// How it was opened.
    pub options: DriveOptions,
    /// The drive.
    pub drive: Arc<Drive>,
}

impl Pocket {
    /// A new, empty pocket.
    pub fn new() -> Result<Self> {
        Self::with(|_| {})
    }

    /// A new, empty pocket opened as `change` wants.
    pub fn with(change: impl FnOnce(&mut DriveOptions)) -> Result<Self> {
        let outer = tempfile::tempdir()?;
        let mut options =
            DriveOptions::new(outer.path().join("drive"), Arc::new(MemoryVault::default()));
        change(&mut options);
        let drive = Drive::open(options.clone())?;
        Ok(Self {
            outer,
            options,
            drive,
        })
    }

    /// A new pocket, signed in with `login_token`.
    pub async fn signed_in(login_token: &str) -> Result<Self> {
        let pocket = Self::new()?;
        pocket.sign_in(login_token).await?;
        Ok(pocket)
    }

    /// Signs in.
    pub async fn sign_in(&self, login_token: &str) -> Result<()> {
        self.drive
            .account()
            .sign_in(&Secret::new(login_token), &CancelToken::new())
            .await
            .map(drop)
    }

    /// Closes the drive and opens it again, as another process would.
    pub fn reopen(&mut self) -> Result<()> {
        self.drive.close()?;
        self.drive = Drive::open(self.options.clone())?;
        Ok(())
    }

    /// Indexes a space.
    pub async fn index(&self, space: Space) -> Result<lomme::catalog::Refreshed> {
        self.drive
            .catalog()
            .index(space, &|_| {}, &CancelToken::new())
            .await
    }

    /// The item at a path such as `Sync/Documents/a.txt`.
    pub fn item(&self, path: &str) -> Result<Item> {
        let names: Vec<&str> = path.split('/').collect();
        match self.drive.catalog().find(&names)? {
            Lookup::Found(item) => Ok(item),
            Lookup::Gone => Err(Error::NoSuchItem {
                detail: path.into(),
            }),
            Lookup::Unknown => Err(Error::NotKnown {
                detail: path.into(),
            }),
        }
    }

    /// Where content is kept.
    pub fn slots(&self) -> PathBuf {
        self.options.directory.join("slots")
    }

    /// Removes all content from the device, as nobody should: behind the drive's back.
    pub fn lose_content(&self) {
        for file in walk(&self.slots()).into_keys() {
            std::fs::remove_file(file).unwrap();
        }
    }

    /// All items below a folder, by path, read page by page.
    pub fn tree(&self, root: &ItemId) -> Result<BTreeMap<String, Item>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(String::new(), root.clone())];
        while let Some((path, folder)) = folders.pop() {
            let mut next = None;
            loop {
                let page = self.drive.catalog().children(
                    &folder,
                    Default::default(),
                    next.as_deref(),
                    500,
                )?;
                for item in page.items {
                    let path = format!("{path}/{}", item.name);
                    if item.kind != lomme::catalog::Kind::File {
                        folders.push((path.clone(), item.id.clone()));
                    }
                    found.insert(path, item);
                }
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// How many blocks the maps below `dir` say are there.
pub fn blocks_here(dir: &Path) -> usize {
    let maps = walk(dir).into_keys();
    maps.filter(|path| path.extension().is_some_and(|end| end == "map"))
        .map(|path| {
            let map = std::fs::read(path).unwrap_or_default();
            let entries = map.get(64..).unwrap_or_default().chunks_exact(32);
            entries.filter(|entry| **entry != [0; 32]).count()
        })
        .sum()
}

/// Every file below `dir`, with its length; nothing if it is not there.
pub fn walk(dir: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = std::fs::read_dir(dir) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                dirs.push(entry.path());
            } else {
                found.insert(entry.path(), entry.metadata().unwrap().len());
            }
        }
    }
    found
}
