//! Where things are: the data directory on this machine, and items by the paths that people type.

use crate::failure::Failure;
use crate::names::shown;
use crate::vault::{FileVault, private_dir};
use lomme::account::SignIn;
use lomme::catalog::{Catalog, Freshness, Item, ItemId, Kind, Lookup, Order, Space};
use lomme::conditions::Situation;
use lomme::{CancelToken, Drive, DriveOptions, Endpoints};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The data directory: `vault` is ours, `drive` is the core's.
pub struct Place {
    directory: PathBuf,
    endpoints: Option<Endpoints>,
    situation: Situation,
}

impl Place {
    /// The directory asked for, or the platform's usual one; `endpoints` instead of the sign-in's hosts.
    pub fn new(
        asked: Option<PathBuf>,
        endpoints: Option<Endpoints>,
        situation: Situation,
    ) -> Result<Self, Failure> {
        let directory = match asked {
            Some(directory) if directory.as_os_str().is_empty() => {
                return Err(Failure::usage("the data directory's name is empty"));
            }
            Some(directory) => directory,
            None => usual_directory()?,
        };
        Ok(Self {
            directory,
            endpoints,
            situation,
        })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Opens the drive, signed in or not.
    pub fn open(&self) -> Result<Arc<Drive>, Failure> {
        let drive = self.directory.join("drive");
        private_dir(&drive).map_err(|error| {
            Failure::machine(format!(
                "the directory {} cannot be used: {}",
                shown(&self.directory.display().to_string()),
                error.kind()
            ))
        })?;
        let vault = Arc::new(FileVault::new(self.directory.join("vault")));
        let mut options = DriveOptions::new(drive, vault);
        options.endpoints = self.endpoints.clone();
        let drive = Drive::open(options)?;
        drive.set_situation(self.situation)?;
        Ok(drive)
    }

    /// Opens the drive of somebody who is, or was, signed in: local reads work in both cases.
    pub fn open_signed_in(&self) -> Result<Arc<Drive>, Failure> {
        let drive = self.open()?;
        match drive.account().state()? {
            SignIn::Out => Err(Failure::sign_in_needed()),
            SignIn::In(_) | SignIn::Again(_) => Ok(drive),
        }
    }
}

fn usual_directory() -> Result<PathBuf, Failure> {
    let set = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = || set("HOME").ok_or_else(|| Failure::usage("HOME is not set; use --dir"));
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library/Application Support/lomme"));
    }
    match set("XDG_DATA_HOME") {
        Some(data) => Ok(data.join("lomme")),
        None => Ok(home()?.join(".local/share/lomme")),
    }
}

/// Finds what `path` names: `id:ID`, or names from the space down. Unless `offline`, folders on the
/// way that this machine does not know are asked for, one by one.
pub async fn find(
    catalog: &Catalog,
    path: &str,
    offline: bool,
    cancel: &CancelToken,
) -> Result<Item, Failure> {
    if let Some(id) = path.strip_prefix("id:") {
        return match catalog.item(&ItemId::from_string(id))? {
            Lookup::Found(item) => Ok(item),
            Lookup::Gone => Err(Failure::no_such_item(format!("{} is gone", shown(path)))),
            Lookup::Unknown => Err(Failure::not_known(format!(
                "{} is not known here",
                shown(path)
            ))),
        };
    }
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let Some(space) = names.first().and_then(|name| space(name)) else {
        return Err(Failure::usage(format!(
            "'{}' does not start with Sync, Backup, Archive or Trash",
            shown(path)
        )));
    };
    let names = [&[space.name()], &names[1..]].concat();
    if let Lookup::Found(item) = catalog.find(&names)? {
        return Ok(item);
    }
    if offline {
        return Err(Failure::not_known(format!(
            "'{}' is not known here",
            shown(path)
        )));
    }
    let mut folder = space.root();
    for depth in 2..=names.len() {
        let mut found = catalog.find(&names[..depth])?;
        if !matches!(found, Lookup::Found(_)) {
            catalog.refresh(&folder, cancel).await?;
            found = catalog.find(&names[..depth])?;
        }
        match found {
            Lookup::Found(item) if depth == names.len() => return Ok(item),
            Lookup::Found(item) => folder = item.id,
            Lookup::Gone | Lookup::Unknown => break,
        }
    }
    Err(Failure::no_such_item(format!(
        "there is no '{}'",
        shown(path)
    )))
}

/// [`find`] of a file, for what works on files alone.
pub async fn find_file(
    catalog: &Catalog,
    path: &str,
    cancel: &CancelToken,
) -> Result<Item, Failure> {
    let item = find(catalog, path, false, cancel).await?;
    if item.kind == Kind::File {
        return Ok(item);
    }
    Err(Failure::usage(format!(
        "'{}' is a folder; this works on a file",
        shown(path)
    )))
}

/// A space by its name, in any case.
pub fn space(name: &str) -> Option<Space> {
    Space::ALL
        .into_iter()
        .find(|space| space.name().eq_ignore_ascii_case(name))
}

/// An item's path as people type it and as JSON has it: from the space down, joined by `/`.
pub fn path_of(catalog: &Catalog, id: &ItemId) -> Result<String, Failure> {
    let names: Vec<String> = catalog
        .path_of(id)?
        .into_iter()
        .map(|item| item.name)
        .collect();
    Ok(names.join("/"))
}

/// How fresh the rows of a folder are.
pub fn freshness(catalog: &Catalog, folder: &ItemId) -> Result<Freshness, Failure> {
    match catalog.children(folder, Order::Name, None, 1) {
        Ok(page) => Ok(page.freshness),
        Err(lomme::Error::NotKnown { .. }) => Ok(Freshness::Never),
        Err(error) => Err(error.into()),
    }
}
