//! The camera backup of a drive. See `lomme::camera`: nothing is decided here.

use crate::call::{guarded, on_runtime};
use crate::foreign::with_progress;
use crate::{
    AdoptedFiles, AfterUpload, AssetName, AssetProof, AssetRules, AssetWhy, BackupDevice,
    BackupDeviceKind, CameraAsset, CameraAudit, CameraBatch, CameraBudget, CameraPreview,
    CameraRules, CameraScan, CameraScanKind, CameraScanResult, CameraSource, CameraStatus,
    CancelToken, ExportFailure, ExportRequest, FreeUpProposal, LommeError, MirrorPending,
    NewCameraSource, ProgressListener, ProofFile, ProvideOutcome, ReceiptPage, ScanTrust,
    TroubledPage, UploadEnd, UploadPlan, into_records,
};
use lomme::camera::{Asset, Camera};
use lomme::content::TransferListener;
use std::path::Path;
use std::sync::Arc;

/// The camera backup of a drive: a phone's photos, videos and chosen folders, completely, once, unchanged, with proof.
///
/// The platform scans its library and tells what there is; the core decides what of it is sent, when and where to, and
/// remembers all of it. The thin layers wrap this; use theirs.
#[derive(uniffi::Object)]
pub struct LommeCamera(Arc<lomme::Drive>);

impl LommeCamera {
    pub(crate) fn new(drive: Arc<lomme::Drive>) -> Self {
        Self(drive)
    }

    fn core(&self) -> &Camera {
        self.0.camera()
    }
}

#[uniffi::export]
impl LommeCamera {
    // Where to.

    /// The devices of Backup, one for each computer and phone. Ask before a device is claimed or made. Throws
    /// `SignInNeeded`, `Offline`.
    pub async fn devices(&self, cancel: Arc<CancelToken>) -> Result<Vec<BackupDevice>, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(into_records(camera.devices(&token).await?))
        })
        .await
    }

    /// Makes a new device for this phone, and backs up to it from now on. Throws `NameTaken` if there is one of this name,
    /// whatever its case (then claim it with the person's word, or take another name), `NameRefused`, `SignInNeeded`,
    /// `Offline`.
    pub async fn create_device(
        &self,
        name: String,
        kind: BackupDeviceKind,
        cancel: Arc<CancelToken>,
    ) -> Result<(), LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            camera.create_device(&name, kind.into(), &token).await
        })
        .await
    }

    /// Goes on with a device that is there, because the person says that it is this phone: after a reinstall, or instead of
    /// an old phone. What it holds of the sources is adopted and not sent again. Throws
    /// `NoSuchItem`, `SignInNeeded`, `Offline`.
    pub async fn claim_device(
        &self,
        name: String,
        cancel: Arc<CancelToken>,
    ) -> Result<AdoptedFiles, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(camera.claim_device(&name, &token).await?.into())
        })
        .await
    }

    /// The device that is backed up to. A local read.
    pub fn device(&self) -> Result<Option<String>, LommeError> {
        guarded(|| self.core().device())
    }

    /// Lists what the device holds of each source, one listing a source, and compares it with the ledger: what is there
    /// and not known is adopted, what is known and gone is looked at. Only a complete listing says that something is gone.
    /// Throws `InvalidArgument` if no device was chosen, `SignInNeeded`, `Offline`.
    pub async fn adopt(&self, cancel: Arc<CancelToken>) -> Result<AdoptedFiles, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(camera.adopt(&token).await?.into())
        })
        .await
    }

    // What.

    /// Adds a source, and gives its number. A folder may not be inside another source nor the reverse, and not in the
    /// directory of the drive. Throws `InvalidArgument` (overlap, a name or mount point that is taken, a folder that is
    /// none), `NameRefused`.
    pub fn add_source(&self, source: NewCameraSource) -> Result<u64, LommeError> {
        guarded(|| self.core().add_source(&source.into()))
    }

    /// All sources. A local read.
    pub fn sources(&self) -> Result<Vec<CameraSource>, LommeError> {
        guarded(|| Ok(into_records(self.core().sources()?)))
    }

    /// Forgets a source. What is in the cloud stays there. Throws `NotKnown`.
    pub fn remove_source(&self, source: u64) -> Result<(), LommeError> {
        guarded(|| self.core().remove_source(source))
    }

    /// Other rules for a source. What they leave out and was not sent is not sent any more. Throws `NotKnown`.
    pub fn set_source_rules(&self, source: u64, rules: AssetRules) -> Result<(), LommeError> {
        guarded(|| self.core().set_source_rules(source, &rules.into()))
    }

    /// Whether what is deleted in a folder here is deleted in the cloud, too; off at first. Throws `InvalidArgument` for a
    /// library, which is never mirrored, `NotKnown`.
    pub fn set_mirror(&self, source: u64, on: bool) -> Result<(), LommeError> {
        guarded(|| self.core().set_mirror(source, on))
    }

    /// What rules would back up of what was scanned so far. A local read. Throws `NotKnown`.
    pub fn preview(&self, source: u64, rules: AssetRules) -> Result<CameraPreview, LommeError> {
        guarded(|| Ok(self.core().preview(source, &rules.into())?.into()))
    }

    /// When the backup may run. A local read.
    pub fn rules(&self) -> Result<CameraRules, LommeError> {
        guarded(|| Ok(self.core().rules()?.into()))
    }

    /// Sets when the backup may run; what is no longer allowed stops at once. They are stored.
    pub fn set_rules(&self, rules: CameraRules) -> Result<(), LommeError> {
        guarded(|| self.core().set_rules(&rules.into()))
    }

    // Scans.

    /// Begins a scan of a library: a delta from the stored cursor if `kind` wishes and there is one, else all. A scan that
    /// began before of the same source ends. Throws `NotKnown`, `InvalidArgument` for a folder.
    pub fn begin_scan(&self, source: u64, kind: CameraScanKind) -> Result<CameraScan, LommeError> {
        guarded(|| Ok(self.core().begin_scan(source, kind.into())?.into()))
    }

    /// Records assets, durably; at most 500 at once. Throws `NotKnown` if the scan did not begin in this process,
    /// `InvalidArgument` (too many, an asset without a key or a file).
    pub fn add_assets(&self, scan: u64, assets: Vec<CameraAsset>) -> Result<(), LommeError> {
        guarded(|| {
            let assets: Vec<Asset> = into_records(assets);
            self.core().add_assets(scan, &assets)
        })
    }

    /// Notes what a delta says is deleted, by the assets' keys. It counts only if the scan ends with `Complete`. Throws
    /// `NotKnown` if the scan did not begin in this process.
    pub fn gone_assets(&self, scan: u64, keys: Vec<String>) -> Result<(), LommeError> {
        guarded(|| self.core().gone_assets(scan, &keys))
    }

    /// Ends a scan. The cursor is stored together with what follows from it, after every asset that it covers. Throws
    /// `NotKnown` if the scan did not begin in this process.
    pub fn commit_scan(
        &self,
        scan: u64,
        cursor: Option<String>,
        trust: ScanTrust,
    ) -> Result<CameraScanResult, LommeError> {
        guarded(|| {
            let camera = self.core();
            Ok(camera
                .commit_scan(scan, cursor.as_deref(), trust.into())?
                .into())
        })
    }

    /// Scans a folder source, without following links. Touches no network. Throws `NotKnown`, `InvalidArgument` for a
    /// library, `DiskFailed`.
    pub async fn scan_folder(
        &self,
        source: u64,
        cancel: Arc<CancelToken>,
    ) -> Result<CameraScanResult, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(camera.scan_folder(source, &token).await?.into())
        })
        .await
    }

    // Work.

    /// One slice of work: reads and hashes what was offered, sends it, and reads it again there; as far as the budget and
    /// the person's rules allow. What holds it back is no error but in the answer. It can end at any moment and be called
    /// again; a cancel ends it within a second, and a kill loses nothing but what was under way. `progress` hears bytes.
    /// One process runs at a time: throws `StoreBusy` while another does.
    pub async fn run_batch(
        &self,
        budget: CameraBudget,
        progress: Option<Arc<dyn ProgressListener>>,
        cancel: Arc<CancelToken>,
    ) -> Result<CameraBatch, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            let batch = with_progress(progress, |bridge| async move {
                let listener = bridge.map(|bridge| bridge as Arc<dyn TransferListener>);
                camera.run_batch(&budget.into(), listener, &token).await
            });
            Ok(batch.await?.into())
        })
        .await
    }

    /// What the platform must provide next, at most `limit`, as far as there is room to keep it until it is sent. A local
    /// read.
    pub fn export_requests(&self, limit: u32) -> Result<Vec<ExportRequest>, LommeError> {
        guarded(|| Ok(into_records(self.core().export_requests(limit)?)))
    }

    /// Takes the bytes that were asked for: the path of a file of the caller's with the original bytes, which is renamed
    /// away or copied and removed if `take`, else left as it is. Blocks while it hashes, so call it on a thread made for
    /// that. Throws `InvalidArgument` if it is no plain file, `DiskFailed`, `DiskFull`.
    pub fn provide(
        &self,
        request: u64,
        path: String,
        take: bool,
    ) -> Result<ProvideOutcome, LommeError> {
        guarded(|| {
            let camera = self.core();
            Ok(camera.provide(request, Path::new(&path), take)?.into())
        })
    }

    /// Says why bytes cannot be provided; the next is not held up by it.
    pub fn export_failed(&self, request: u64, why: ExportFailure) -> Result<(), LommeError> {
        guarded(|| self.core().export_failed(request, why.into()))
    }

    /// Plans uploads for the operating system to send while no process of the app runs: announces up to `limit` contents,
    /// the first in the queue, as far as the rules allow. Hand them all to the system at once. What is planned is left alone
    /// by `runBatch` until it is settled or too old; if both send it, nothing is there twice. Throws `SignInNeeded`,
    /// `Offline`.
    pub async fn plan_uploads(
        &self,
        limit: u32,
        cancel: Arc<CancelToken>,
    ) -> Result<Vec<UploadPlan>, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(into_records(camera.plan_uploads(limit, &token).await?))
        })
        .await
    }

    /// Notes that the system has taken a plan, and what it calls it.
    pub fn note_upload(&self, plan: String, task: String) -> Result<(), LommeError> {
        guarded(|| self.core().note_upload(&plan, &task))
    }

    /// The system's task of a plan has ended. In any process, in any order, as often as it is told: an unknown plan is
    /// settled.
    pub fn settle_upload(&self, plan: String, end: UploadEnd) -> Result<AfterUpload, LommeError> {
        guarded(|| Ok(self.core().settle_upload(&plan, end.into())?.into()))
    }

    /// Compares with the ids of the plans that the system still has: those it has lost are planned again, and those that are
    /// not known here come back, to be cancelled.
    pub fn reconcile_uploads(&self, live: Vec<String>) -> Result<Vec<String>, LommeError> {
        guarded(|| self.core().reconcile_uploads(&live))
    }

    /// What the next run would delete in the cloud because a mirrored folder has it no more. A local read. Throws
    /// `NotKnown`.
    pub fn mirror_pending(&self, source: u64) -> Result<MirrorPending, LommeError> {
        guarded(|| Ok(self.core().mirror_pending(source)?.into()))
    }

    /// A person allows that what is pending now is deleted, although it is much. Throws `NotKnown`.
    pub fn confirm_mirror(&self, source: u64) -> Result<(), LommeError> {
        guarded(|| self.core().confirm_mirror(source))
    }

    /// Tries again now what waits for its time or for a person; one asset if it is named, else all. Throws `NotKnown`.
    pub fn retry(&self, asset: Option<AssetName>) -> Result<(), LommeError> {
        guarded(|| {
            let named = asset.as_ref();
            let named = named.map(|name| (name.source, name.asset.as_str()));
            self.core().retry(named)
        })
    }

    /// Sends an asset again that somebody has deleted in the cloud. Throws `NotKnown`.
    pub fn upload_again(&self, source: u64, asset: String) -> Result<(), LommeError> {
        guarded(|| self.core().upload_again(source, &asset))
    }

    // Proofs.

    /// Counts, from the ledger. A local read.
    pub fn status(&self) -> Result<CameraStatus, LommeError> {
        guarded(|| Ok(self.core().status()?.into()))
    }

    /// Why an asset is, or is not, in the cloud. A local read. Throws `NotKnown`.
    pub fn why(&self, source: u64, asset: String) -> Result<AssetWhy, LommeError> {
        guarded(|| Ok(self.core().why(source, &asset)?.into()))
    }

    /// Assets that have failed or need a person, with the reason of each, up to `limit` after `next` of the page before (0 at
    /// first). A local read.
    pub fn troubled(&self, after: u64, limit: u32) -> Result<TroubledPage, LommeError> {
        guarded(|| Ok(self.core().troubled(after, limit)?.into()))
    }

    /// Proofs of what is in the cloud, up to `limit` after `next` of the page before (0 at first). A local read.
    pub fn receipts(&self, after: u64, limit: u32) -> Result<ReceiptPage, LommeError> {
        guarded(|| Ok(self.core().receipts(after, limit)?.into()))
    }

    /// Assets that may be removed here to free space, up to `limit`: all their files are proven, and they are not younger
    /// than so many `days`, nor favourites. The largest come first. Prove each before it is removed. A local read.
    pub fn propose_free_up(
        &self,
        limit: u32,
        days: u32,
    ) -> Result<Vec<FreeUpProposal>, LommeError> {
        guarded(|| Ok(into_records(self.core().propose_free_up(limit, days)?)))
    }

    /// Proves now that the cloud has an asset, and that it is what is here: reads it there, and hashes it here. Files that
    /// the core cannot read itself must be given. Nothing is removed. Throws `NotKnown`, `SignInNeeded`, `Offline`.
    pub async fn prove(
        &self,
        source: u64,
        asset: String,
        files: Vec<ProofFile>,
        cancel: Arc<CancelToken>,
    ) -> Result<AssetProof, LommeError> {
        let camera = self.core().clone();
        let files: Vec<lomme::camera::ProofFile> = into_records(files);
        on_runtime(&cancel, |token| async move {
            Ok(camera.prove(source, &asset, &files, &token).await?.into())
        })
        .await
    }

    /// The platform has moved an asset to its trash after a proof. Throws `InvalidArgument` if it was not proven in the last
    /// hour, `NotKnown`.
    pub fn confirm_freed(&self, source: u64, asset: String) -> Result<(), LommeError> {
        guarded(|| self.core().confirm_freed(source, &asset))
    }

    /// Reads some of what is believed in the cloud again, at most `most` contents, what was read longest ago first: a daily
    /// portion. Throws `SignInNeeded`, `Offline`.
    pub async fn audit(
        &self,
        most: u32,
        cancel: Arc<CancelToken>,
    ) -> Result<CameraAudit, LommeError> {
        let camera = self.core().clone();
        on_runtime(&cancel, |token| async move {
            Ok(camera.audit(most, &token).await?.into())
        })
        .await
    }
}
