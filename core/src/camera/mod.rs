//! Camera backup: a phone's photos, videos and chosen folders, completely, once, unchanged, with proof.
//!
//! Invariants:
//! - A name, a path, a date decide nothing about a camera's asset: its content does, and each content is in a destination
//!   once (complaints no. 1, 2, 5). In a chosen folder the relative path decides, as on a computer.
//! - The path in the cloud is chosen once and durable before anything is asked for. Nothing is ever overwritten or skipped
//!   for its name.
//! - What is sent is what was hashed, from the same bytes; what changes under the reader is read again (no. 3, 4, 26).
//! - Only a row that was read again on the service is done. Everything else has exactly one reason why it waits (no. 8, 27).
//! - What an account, a network or a rule holds back leaves the items as they are (no. 31).
//! - Deleting here never deletes there, nor the reverse (no. 19). What somebody deletes in the cloud stays deleted (no. 23).
//! - Who runs holds the file lock `camera/run.lock`, which a kill frees (no. 7).

mod adopt;
mod audit;
mod capture_time;
mod device;
mod export;
mod folder;
mod handover;
mod hashing;
mod held;
mod mirror;
mod place;
mod proof;
mod read;
mod report;
mod rules;
mod run;
mod scan;
mod send;
mod sources;
mod types;
mod why;

use crate::content::{Content, TransferListener};
use crate::disk::Disk;
use crate::drive::{Life, Profile};
use crate::remote::Remote;
use crate::store::Store;
use crate::{CancelToken, Result};
use scan::Scans;
use send::Moving;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub use types::*;

/// The camera backup of one drive.
#[derive(Clone)]
pub struct Camera {
    store: Arc<Store>,
    content: Content,
    remote: Remote,
    disk: Arc<dyn Disk>,
    life: Arc<Life>,
    /// Our own directory: no source may be in it, nor it in a source.
    root: PathBuf,
    dir: PathBuf,
    scans: Scans,
    moving: Moving,
    unfinished: hashing::Unfinished,
    /// Memory is small.
    extension: bool,
}

impl Camera {
    pub(crate) fn new(
        store: Arc<Store>,
        content: Content,
        remote: Remote,
        disk: Arc<dyn Disk>,
        life: Arc<Life>,
        directory: &Path,
        profile: Profile,
    ) -> Result<Self> {
        let dir = directory.join("camera");
        disk.create_dirs(&dir)?;
        let camera = Self {
            store,
            content,
            remote,
            disk,
            life,
            root: directory.to_owned(),
            dir,
            scans: Scans::default(),
            moving: Moving::default(),
            unfinished: hashing::Unfinished::default(),
            extension: profile == Profile::Extension,
        };
        camera.sweep()?;
        Ok(camera)
    }

    // ---- where to ------------------------------------------------------------------------------------------------

    /// The devices of Backup, one for each computer and phone. Ask before a device is claimed or made.
    pub async fn devices(&self, cancel: &CancelToken) -> Result<Vec<Device>> {
        self.life
            .run(cancel, async |cancel| self.list_devices(cancel).await)
            .await
    }

    /// Makes a new device for this phone, and backs up to it from now on. `NameTaken` if there is one of this name,
    /// whatever its case: then claim it with the person's word, or take another name.
    pub async fn create_device(
        &self,
        name: &str,
        kind: DeviceKind,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.life
            .run(cancel, async |cancel| {
                self.make_device(name, kind, cancel).await
            })
            .await
    }

    /// Goes on with a device that is there, because the person says that it is this phone: after a reinstall, or instead of
    /// an old phone. What it holds of the sources is adopted and not sent again; see [`adopt`](Self::adopt).
    pub async fn claim_device(&self, name: &str, cancel: &CancelToken) -> Result<Adopted> {
        self.life
            .run(cancel, async |cancel| self.take_device(name, cancel).await)
            .await
    }

    /// The device that is backed up to. A local read.
    pub fn device(&self) -> Result<Option<String>> {
        device::chosen(&self.store)
    }

    /// Lists what the device holds of each source, one listing a source, and compares it with the ledger: what is there
    /// and not known is adopted, what is known and gone is looked at. Only a complete listing says that something is gone.
    pub async fn adopt(&self, cancel: &CancelToken) -> Result<Adopted> {
        self.life
            .run(cancel, async |cancel| self.adopt_all(cancel).await)
            .await
    }

    // ---- what ----------------------------------------------------------------------------------------------------

    /// Adds a source. A folder may not be inside another source nor the reverse, and not in the directory of the core.
    ///
    /// Errors: `InvalidArgument` (overlap, a name or mount point that is taken, a folder that is none), `NameRefused`.
    pub fn add_source(&self, source: &NewSource) -> Result<SourceId> {
        self.put_source(source)
    }

    /// All sources. A local read.
    pub fn sources(&self) -> Result<Vec<Source>> {
        self.list_sources()
    }

    /// Forgets a source. What is in the cloud stays there.
    pub fn remove_source(&self, id: SourceId) -> Result<()> {
        self.drop_source(id)
    }

    /// Other rules for a source. What they leave out and was not sent is not sent any more (complaint no. 6).
    pub fn set_source_rules(&self, id: SourceId, rules: &AssetRules) -> Result<()> {
        self.put_source_rules(id, rules)
    }

    /// Whether what is deleted in a folder here is deleted in the cloud, too; off at first, and never for a library.
    /// `InvalidArgument` for a library.
    pub fn set_mirror(&self, id: SourceId, on: bool) -> Result<()> {
        self.put_mirror(id, on)
    }

    /// What rules would back up of what was scanned so far (complaint no. 40). A local read.
    pub fn preview(&self, id: SourceId, rules: &AssetRules) -> Result<Preview> {
        self.preview_rules(id, rules)
    }

    /// When the backup may run.
    pub fn rules(&self) -> Result<CameraRules> {
        rules::read(&self.store)
    }

    /// Sets when the backup may run; what is no longer allowed stops at once.
    pub fn set_rules(&self, rules: &CameraRules) -> Result<()> {
        rules::write(&self.store, rules)?;
        // Who runs looks again.
        self.content.set_situation(self.content.situation());
        Ok(())
    }

    // ---- scans ---------------------------------------------------------------------------------------------------

    /// Begins a scan of a library: a delta from the stored cursor if `kind` wishes and there is one, else all. A scan
    /// that began before of the same source ends.
    pub fn begin_scan(&self, source: SourceId, kind: ScanKind) -> Result<Scan> {
        self.start_scan(source, kind)
    }

    /// Records assets, durably; at most 500 at once. `NotKnown` if the scan did not begin in this process.
    pub fn add_assets(&self, scan: u64, assets: &[Asset]) -> Result<()> {
        self.offer(scan, assets)
    }

    /// Notes what a delta says is deleted. It counts only if the scan ends with [`Trust::Complete`].
    pub fn gone_assets(&self, scan: u64, keys: &[String]) -> Result<()> {
        self.note_gone(scan, keys)
    }

    /// Ends a scan. The cursor is stored together with what follows from it, after every asset that it covers.
    pub fn commit_scan(&self, scan: u64, cursor: Option<&str>, trust: Trust) -> Result<ScanResult> {
        self.end_scan(scan, cursor, trust)
    }

    /// Scans a folder source, without following links. Touches no network.
    pub async fn scan_folder(&self, source: SourceId, cancel: &CancelToken) -> Result<ScanResult> {
        self.life
            .run(cancel, async |cancel| {
                self.walk_folder(source, cancel).await
            })
            .await
    }

    // ---- work ----------------------------------------------------------------------------------------------------

    /// One slice of work: reads and hashes what was offered, sends it, and reads it again there; as far as the budget and
    /// the person's rules allow. It can end at any moment and be called again; a cancel ends it within a second, and a kill
    /// loses nothing but what was under way. One process runs at a time: `StoreBusy` while another does.
    pub async fn run_batch(
        &self,
        budget: &Budget,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Batch> {
        self.life
            .run(cancel, async |cancel| {
                self.run_slice(budget, progress, cancel).await
            })
            .await
    }

    /// What the platform must provide next, as far as there is room to keep it until it is sent (complaint no. 12).
    pub fn export_requests(&self, limit: u32) -> Result<Vec<ExportRequest>> {
        self.list_exports(limit)
    }

    /// Takes the bytes that were asked for: a file of the caller's with the original bytes, renamed away or copied. Blocks
    /// while it hashes, so call it on a thread made for that.
    pub fn provide(&self, request: u64, path: &Path, take: bool) -> Result<Provided> {
        self.take_export(request, path, take)
    }

    /// Says why bytes cannot be provided; the next is not held up by it (complaint no. 11).
    pub fn export_failed(&self, request: u64, why: ExportFailure) -> Result<()> {
        self.fail_export(request, why)
    }

    /// Plans uploads for the operating system to send while no process of the app runs: announces up to `limit` contents, the
    /// first in the queue, as far as the rules allow. Hand them all to the system at once. What is planned is left alone by
    /// [`run_batch`](Self::run_batch) until it is settled or too old; if both send it, nothing is there twice.
    pub async fn plan_uploads(&self, limit: u32, cancel: &CancelToken) -> Result<Vec<UploadPlan>> {
        self.life
            .run(cancel, async |cancel| self.plan(limit, cancel).await)
            .await
    }

    /// Notes that the system has taken a plan.
    pub fn note_upload(&self, plan: &str, task: &str) -> Result<()> {
        self.note_task(plan, task)
    }

    /// The system's task of a plan has ended. In any process, in any order, as often as it is told: an unknown plan is
    /// settled.
    pub fn settle_upload(&self, plan: &str, end: UploadEnd) -> Result<AfterUpload> {
        self.settle(plan, end)
    }

    /// Compares with the plans that the system still has: those it has lost are planned again, and those that are not known
    /// here come back, to be cancelled.
    pub fn reconcile_uploads(&self, live: &[String]) -> Result<Vec<String>> {
        self.reconcile(live)
    }

    /// What the next run would delete in the cloud because a mirrored folder has it no more. A local read.
    pub fn mirror_pending(&self, id: SourceId) -> Result<MirrorPending> {
        self.count_mirror(id)
    }

    /// A person allows that what is pending now is deleted, although it is much.
    pub fn confirm_mirror(&self, id: SourceId) -> Result<()> {
        self.allow_mirror(id)
    }

    /// Tries again now what waits for its time or for a person; one asset if it is named, else all.
    pub fn retry(&self, asset: Option<(SourceId, &str)>) -> Result<()> {
        self.try_again(asset)
    }

    /// Sends an asset again that somebody has deleted in the cloud.
    pub fn upload_again(&self, source: SourceId, asset: &str) -> Result<()> {
        self.want_again(source, asset)
    }

    // ---- proofs --------------------------------------------------------------------------------------------------

    /// Counts, from the ledger. A local read.
    pub fn status(&self) -> Result<CameraStatus> {
        self.report()
    }

    /// Why an asset is, or is not, in the cloud. A local read. `NotKnown`.
    pub fn why(&self, source: SourceId, asset: &str) -> Result<AssetWhy> {
        self.explain(source, asset)
    }

    /// Assets that have failed or need a person, with the reason of each: up to `limit` after the last of the answer before
    /// (0 at first). A local read.
    pub fn troubled(&self, after: u64, limit: u32) -> Result<(Vec<TroubledAsset>, u64)> {
        self.list_troubled(after, limit)
    }

    /// Proofs of what is in the cloud, up to `limit` after the last of the answer before (0 at first). A local read.
    pub fn receipts(&self, after: u64, limit: u32) -> Result<(Vec<Receipt>, u64)> {
        self.list_receipts(after, limit)
    }

    /// Assets that may be removed here to free space: all their files are proven, and they are not younger than so many
    /// days, nor favourites. The largest come first. Prove each before it is removed. A local read.
    pub fn propose_free_up(&self, limit: u32, days: u32) -> Result<Vec<FreeUp>> {
        self.list_removable(limit, days)
    }

    /// Proves now that the cloud has an asset, and that it is what is here: reads it there, and hashes it here. Files that
    /// the core cannot read itself must be given. Nothing is removed.
    pub async fn prove(
        &self,
        source: SourceId,
        asset: &str,
        files: &[ProofFile],
        cancel: &CancelToken,
    ) -> Result<Proof> {
        self.life
            .run(cancel, async |cancel| {
                self.prove_asset(source, asset, files, cancel).await
            })
            .await
    }

    /// The platform has moved an asset to its trash after a proof. `InvalidArgument` if it was not proven in the last hour.
    pub fn confirm_freed(&self, source: SourceId, asset: &str) -> Result<()> {
        self.note_freed(source, asset)
    }

    /// Reads some of what is believed in the cloud again, what was read longest ago first: a daily portion. How many were
    /// read, and how many were not what the ledger says.
    pub async fn audit(&self, most: u32, cancel: &CancelToken) -> Result<(u64, u64)> {
        self.life
            .run(cancel, async |cancel| self.audit_some(most, cancel).await)
            .await
    }

    pub(crate) fn clear(&self) -> Result<()> {
        self.forget_all()
    }
}

#[cfg(test)]
mod tests;
