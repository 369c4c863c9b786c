//! What the demo plays on: a seeded cloud and an empty drive, both in a temporary directory.

use super::report::Report;
use crate::failure::Failure;
use local_cloud::{Cloud, CloudOptions, Plan};
use lomme::account::MemoryVault;
use lomme::{Drive, DriveOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// In the order in which it must go: the drive, the cloud, the directory under both.
pub struct Stage {
    pub drive: Arc<Drive>,
    pub cloud: Cloud,
    directory: tempfile::TempDir,
}

/// A file of the demo's own, large enough to be broken off midway: where, and its size.
pub const FILM: (&str, u64) = ("/Jotta/Sync/Videos/Boat trip.mp4", 6_000_000);
/// Where it is once another client has renamed it.
pub const FILM_NOW: &str = "/Jotta/Sync/Videos/Boat trip to Lofoten.mp4";

impl Stage {
    pub fn set(report: &mut Report<'_>) -> Result<Self, Failure> {
        report.step("cloud", "Start a cloud and fill it")?;
        let directory = tempfile::tempdir()?;
        let cloud = Cloud::start(CloudOptions {
            directory: Some(directory.path().join("cloud")),
            ..CloudOptions::default()
        })
        .map_err(cloud_failed)?;
        let seeded = cloud.seed_if_empty(Plan::Demo).map_err(cloud_failed)?;
        let files = seeded + 1;
        let (path, bytes) = FILM;
        cloud
            .writer()
            .put_generated(path, 7, bytes, 1_751_800_000_000)
            .map_err(cloud_failed)?;
        report.say(format!(
            "   It is at {}, with {files} files in it.",
            cloud.url()
        ))?;
        report.fact("url", cloud.url());
        report.fact("files", files);
        let options = DriveOptions::new(
            directory.path().join("drive"),
            Arc::new(MemoryVault::default()),
        );
        Ok(Self {
            drive: Drive::open(options)?,
            cloud,
            directory,
        })
    }

    /// Where the demo downloads to.
    pub fn download_to(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// How many requests the cloud has had.
    pub fn requests(&self) -> u64 {
        self.cloud.counts().requests.values().sum()
    }
}

/// The local cloud failing is this machine's fault, not the product's.
pub fn cloud_failed(error: impl std::fmt::Display) -> Failure {
    Failure::machine(format!("the local cloud: {error}"))
}
