//! What the demo plays on: a seeded cloud and an empty drive, both in a temporary directory.

use super::report::Report;
use crate::failure::Failure;
use local_cloud::{Cloud, CloudOptions, Plan};
use lomme::account::MemoryVault;
use lomme::conditions::Situation;
use lomme::content::Network;
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
/// A video to play parts of: where it is in the cloud, how a person finds it, and its size.
pub const STREAMED: (&str, &str, u64) = (
    "/KARI-PC/Videos/A week in Lofoten.mp4",
    "Backup/KARI-PC/Videos/A week in Lofoten.mp4",
    60_000_000,
);

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
        let files = seeded + 2;
        let writer = cloud.writer();
        for (seed, path, bytes) in [(7, FILM.0, FILM.1), (8, STREAMED.0, STREAMED.2)] {
            writer
                .put_generated(path, seed, bytes, 1_751_800_000_000)
                .map_err(cloud_failed)?;
        }
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
        let drive = Drive::open(options)?;
        drive.set_situation(Situation {
            network: Network::Unmetered,
            ..Situation::default()
        })?;
        Ok(Self {
            drive,
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
