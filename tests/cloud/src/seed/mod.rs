//! What a cloud is filled with: the same paths, bytes and times at every run.

mod demo;
mod jpeg;
mod media;
mod names;

use crate::tree::TreeError;
use crate::writer::{BulkFile, Writer};
use std::str::FromStr;

/// 1 June 2025, noon, in milliseconds; the seeder's times follow from it.
pub(crate) const NOON: i64 = 1_748_779_200_000;
pub(crate) const DAY: i64 = 86_400_000;

/// How to fill a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Not at all.
    None,
    /// A person's Sync, two computers' backups and an Archive, with everything that a client should have met.
    Demo,
    /// Many small files in Sync, whose content is generated when it is read.
    Scale {
        /// Files in all.
        files: u64,
        /// Folders that hold them.
        folders: u64,
    },
}

/// A plan that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no plan {0:?}: there are none, demo, scale:FILES and scale:FILES:FOLDERS")]
pub struct UnknownPlan(String);

impl FromStr for Plan {
    type Err = UnknownPlan;

    fn from_str(text: &str) -> Result<Self, UnknownPlan> {
        let unknown = || UnknownPlan(text.to_owned());
        let mut parts = text.split(':');
        let plan = match parts.next() {
            Some("none") => Self::None,
            Some("demo") => Self::Demo,
            Some("scale") => {
                let mut number = || {
                    parts
                        .next()
                        .map(|n| n.parse::<u64>().map_err(|_| unknown()))
                };
                let files = number().ok_or_else(unknown)??;
                let folders = number().transpose()?.unwrap_or(files / 20);
                let folders = folders.max(1);
                Self::Scale { files, folders }
            }
            _ => return Err(unknown()),
        };
        if parts.next().is_some() {
            return Err(unknown());
        }
        Ok(plan)
    }
}

impl Plan {
    /// Fills the cloud and says with how many files.
    pub fn fill(self, writer: &Writer) -> Result<u64, TreeError> {
        match self {
            Self::None => Ok(0),
            Self::Demo => demo::fill(writer),
            Self::Scale { files, folders } => writer.put_many(scale(files, folders)),
        }
    }
}

/// `files` files in `folders` folders below `/Jotta/Sync/Scale`: up to 100 folders lie side by side.
pub fn scale(files: u64, folders: u64) -> impl Iterator<Item = BulkFile> {
    // Folder by folder, so that those of one folder come together.
    (0..folders).flat_map(move |folder| {
        let here = files / folders + u64::from(folder < files % folders);
        (0..here).map(move |file| {
            let seed = folder * 1_000_003 + file;
            BulkFile {
                path: format!(
                    "/Jotta/Sync/Scale/part {:03}/folder {folder:05}/file {file:05}.{}",
                    folder / 100,
                    ["txt", "jpg", "pdf", "docx"][(seed % 4) as usize],
                ),
                seed,
                size: 100 + seed * 7_919 % 4_000,
                created: NOON - 400 * DAY,
                modified: NOON - (seed % 400) as i64 * DAY,
            }
        })
    })
}

/// `count` files of about `bytes` bytes in one folder.
pub fn folder(path: &str, count: u64, bytes: u64) -> impl Iterator<Item = BulkFile> + use<> {
    let path = path.trim_end_matches('/').to_owned();
    (0..count).map(move |file| BulkFile {
        path: format!("{path}/file {file:05}.txt"),
        seed: file,
        size: bytes + file % 10,
        created: NOON,
        modified: NOON + file as i64 * 1_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_is_read_from_its_name() {
        assert_eq!("demo".parse(), Ok(Plan::Demo));
        let thousand = Plan::Scale {
            files: 1_000,
            folders: 50,
        };
        assert_eq!("scale:1000".parse(), Ok(thousand));
        assert_eq!("scale:1000:50".parse(), Ok(thousand));
        for bad in ["", "Demo", "scale", "scale:x", "scale:1:2:3", "demo:1"] {
            assert!(bad.parse::<Plan>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_large_tree_has_exactly_the_files_and_folders_asked_for() {
        let files: Vec<_> = scale(1_003, 50).collect();
        let paths: BTreeSet<_> = files.iter().map(|file| &file.path).collect();
        assert_eq!((files.len(), paths.len()), (1_003, 1_003));
        let folders: BTreeSet<_> = paths
            .iter()
            .filter_map(|path| path.rsplit_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        assert_eq!(folders.len(), 50);
    }
}
