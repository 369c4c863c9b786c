package io.lomme

import java.nio.file.Path
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/** The camera backup of this drive: a phone's photos, videos and chosen folders. After [Drive.close] its calls throw `Closed`. */
public val Drive.camera: DriveCamera
    get() = backup

/**
 * The camera backup of a drive, from [Drive.camera]: completely, once, unchanged, with proof.
 *
 * The platform scans its library and tells what there is; the core decides what of it is sent, when and where to, and
 * remembers all of it. Plain functions read or write the local store (milliseconds, never the network), `suspend` functions may
 * touch the network: cancelling the coroutine stops the work in the core before the call returns. What waits is no error:
 * [CameraBatch.hold], [CameraStatus.hold] and [why] say what for.
 */
public class DriveCamera internal constructor(internal val core: LommeCamera) {
    // Where to.

    /** The devices of Backup, one for each computer and phone. Ask before a device is claimed or made. */
    public suspend fun devices(): List<BackupDevice> = cancelling { core.devices(it) }

    /**
     * Makes a new device for this phone, and backs up to it from now on.
     *
     * @throws LommeException `NameTaken` if there is one of this name, whatever its case: then claim it with the person's
     * word, or take another name; `NameRefused`
     */
    public suspend fun createDevice(name: String, kind: BackupDeviceKind = BackupDeviceKind.ANDROID): Unit =
        cancelling { core.createDevice(name, kind, it) }

    /**
     * Goes on with a device that is there, because the person says that it is this phone: after a reinstall, or instead of
     * an old phone. What it holds of the sources is adopted and not sent again.
     *
     * @throws LommeException `NoSuchItem`
     */
    public suspend fun claimDevice(name: String): AdoptedFiles = cancelling { core.claimDevice(name, it) }

    /** The device that is backed up to. */
    public fun device(): String? = core.device()

    /**
     * Lists what the device holds of each source, one listing a source, and compares it with the ledger: what is there and
     * not known is adopted, what is known and gone is looked at. Only a complete listing says that something is gone.
     *
     * @throws LommeException `InvalidArgument` if no device was chosen
     */
    public suspend fun adopt(): AdoptedFiles = cancelling { core.adopt(it) }

    // What.

    /**
     * Adds a source, and gives its number. A folder may not be inside another source nor the reverse, and not in the
     * directory of the drive.
     *
     * @throws LommeException `InvalidArgument` (overlap, a name or mount point that is taken, a folder that is none),
     * `NameRefused`
     */
    public fun addSource(source: NewCameraSource): ULong = core.addSource(source)

    /** [addSource] of a library that the platform scans; it is a mount point of that name in the cloud. */
    public fun addLibrary(name: String, rules: AssetRules = AssetRules()): ULong =
        addSource(NewCameraSource(name, rules = rules))

    /** [addSource] of a folder that the core scans; it is a mount point of that name in the cloud. */
    public fun addFolder(name: String, folder: Path, rules: AssetRules = AssetRules()): ULong =
        addSource(NewCameraSource(name, folder.toString(), rules = rules))

    /** All sources. */
    public fun sources(): List<CameraSource> = core.sources()

    /** Forgets a source. What is in the cloud stays there. */
    public fun removeSource(source: ULong): Unit = core.removeSource(source)

    /** Other rules for a source. What they leave out and was not sent is not sent any more. */
    public fun setSourceRules(source: ULong, rules: AssetRules): Unit = core.setSourceRules(source, rules)

    /**
     * Whether what is deleted in a folder here is deleted in the cloud, too; off at first.
     *
     * @throws LommeException `InvalidArgument` for a library, which is never mirrored
     */
    public fun setMirror(source: ULong, on: Boolean): Unit = core.setMirror(source, on)

    /** What rules would back up of what was scanned so far. */
    public fun preview(source: ULong, rules: AssetRules): CameraPreview = core.preview(source, rules)

    /** When the backup may run. */
    public fun rules(): CameraRules = core.rules()

    /** Sets when the backup may run; what is no longer allowed stops at once. They are stored. */
    public fun setRules(rules: CameraRules): Unit = core.setRules(rules)

    // Scans.

    /**
     * Begins a scan of a library: a delta from the stored cursor if [kind] wishes and there is one, else all; the answer says
     * which. A scan that began before of the same source ends.
     *
     * @throws LommeException `InvalidArgument` for a folder
     */
    public fun beginScan(source: ULong, kind: CameraScanKind = CameraScanKind.DELTA): CameraScan =
        core.beginScan(source, kind)

    /**
     * Records assets, durably; at most 500 at once.
     *
     * @throws LommeException `NotKnown` if the scan did not begin in this process; `InvalidArgument` (too many, an asset
     * without a key or a file)
     */
    public fun addAssets(scan: CameraScan, assets: List<CameraAsset>): Unit = core.addAssets(scan.id, assets)

    /** Notes what a delta says is deleted, by the assets' keys. It counts only if the scan ends with [ScanTrust.COMPLETE]. */
    public fun goneAssets(scan: CameraScan, keys: List<String>): Unit = core.goneAssets(scan.id, keys)

    /** Ends a scan. [cursor], the platform's own words, is stored together with what follows, after every asset that it covers. */
    public fun commitScan(scan: CameraScan, cursor: String?, trust: ScanTrust): CameraScanResult =
        core.commitScan(scan.id, cursor, trust)

    /**
     * Scans a folder source, without following links. Touches no network.
     *
     * @throws LommeException `InvalidArgument` for a library; `DiskFailed`
     */
    public suspend fun scanFolder(source: ULong): CameraScanResult = cancelling { core.scanFolder(source, it) }

    // Work.

    /**
     * One slice of work: reads and hashes what was offered, sends it, and reads it again there; as far as [budget] and the
     * person's rules allow. It can end at any moment and be called again; [CameraBatch.next] says when. A cancel ends it
     * within a second, and a kill loses nothing but what was under way. [onProgress] hears bytes on another thread; if it
     * throws, the call stops and throws that.
     *
     * @throws LommeException `StoreBusy` while another process runs
     */
    public suspend fun runBatch(
        budget: CameraBudget = CameraBudget(),
        onProgress: ((done: ULong, total: ULong) -> Unit)? = null,
    ): CameraBatch = cancelling { token ->
        if (onProgress == null) {
            core.runBatch(budget, null, token)
        } else {
            val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
            relay.orThrow { core.runBatch(budget, relay, token) }
        }
    }

    /** [runBatch] within [time]: for a background job. */
    public suspend fun runBatch(time: Duration): CameraBatch =
        runBatch(CameraBudget(timeMs = time.inWholeMilliseconds.coerceAtLeast(0).toULong()))

    /** What the platform must provide next, as far as there is room to keep it until it is sent. */
    public fun exportRequests(limit: Int = EXPORTS): List<ExportRequest> = core.exportRequests(count(limit))

    /**
     * Takes the bytes that were asked for: a file of the caller's with the original bytes, renamed away or copied and removed
     * if [take], else left as it is. Blocks for as long as it hashes: for a thread made for that. [provideAsync] does not.
     *
     * @throws LommeException `InvalidArgument` if it is no plain file; `DiskFailed`, `DiskFull`
     */
    public fun provide(request: ULong, file: Path, take: Boolean = true): ProvideOutcome =
        core.provide(request, file.toString(), take)

    /** [provide] on a thread made for that. A cancel is looked at when it is done: what was taken is never lost. */
    public suspend fun provideAsync(request: ULong, file: Path, take: Boolean = true): ProvideOutcome =
        withContext(Dispatchers.IO) { provide(request, file, take) }

    /** Says why bytes cannot be provided; the next is not held up by it. */
    public fun exportFailed(request: ULong, why: ExportFailure): Unit = core.exportFailed(request, why)

    /**
     * Plans uploads for the operating system to send while no process of the app runs: announces up to [limit] contents, the
     * first in the queue, as far as the rules allow. Hand them all to the system at once: each is a POST of a file with those
     * headers, and what they hold is secret. What is planned is left alone by [runBatch] until it is settled or too old; if both
     * send it, nothing is there twice.
     */
    public suspend fun planUploads(limit: Int): List<UploadPlan> = cancelling { core.planUploads(count(limit), it) }

    /** Notes that the system has taken a plan, and what it calls it. */
    public fun noteUpload(plan: String, task: String): Unit = core.noteUpload(plan, task)

    /** The system's task of a plan has ended. In any process, in any order, as often as it is told: an unknown plan is settled. */
    public fun settleUpload(plan: String, end: UploadEnd): AfterUpload = core.settleUpload(plan, end)

    /**
     * Compares with the ids of the plans that the system still has: those it has lost are planned again, and those that are
     * not known here come back, to be cancelled.
     */
    public fun reconcileUploads(live: List<String>): List<String> = core.reconcileUploads(live)

    /** What the next run would delete in the cloud because a mirrored folder has it no more. */
    public fun mirrorPending(source: ULong): MirrorPending = core.mirrorPending(source)

    /** A person allows that what is pending now is deleted, although it is much. */
    public fun confirmMirror(source: ULong): Unit = core.confirmMirror(source)

    /** Tries again now what waits for its time or for a person. */
    public fun retry(): Unit = core.retry(null)

    /** Tries one asset again now. */
    public fun retry(source: ULong, asset: String): Unit = core.retry(AssetName(source, asset))

    /** Sends an asset again that somebody has deleted in the cloud. */
    public fun uploadAgain(source: ULong, asset: String): Unit = core.uploadAgain(source, asset)

    // Proofs.

    /** Counts, from the ledger. */
    public fun status(): CameraStatus = core.status()

    /**
     * Why an asset is, or is not, in the cloud.
     *
     * @throws LommeException `NotKnown`
     */
    public fun why(source: ULong, asset: String): AssetWhy = core.why(source, asset)

    /** A page of assets that have failed or need a person, after [TroubledPage.next] of the page before. */
    public fun troubled(after: ULong = 0u, limit: Int = PAGE): TroubledPage = core.troubled(after, count(limit))

    /** A page of proofs of what is in the cloud, after [ReceiptPage.next] of the page before. */
    public fun receipts(after: ULong = 0u, limit: Int = PAGE): ReceiptPage = core.receipts(after, count(limit))

    /** All proofs of what is in the cloud, each page read when it is asked for. */
    public fun allReceipts(): Flow<AssetReceipt> = flow {
        var after = 0uL
        while (true) {
            val page = withContext(Dispatchers.IO) { receipts(after) }
            if (page.receipts.isEmpty()) break
            page.receipts.forEach { emit(it) }
            after = page.next
        }
    }

    /**
     * Assets that may be removed here to free space: all their files are proven, and they are not younger than so many
     * [days], nor favourites. The largest come first. [prove] each before it is removed.
     */
    public fun proposeFreeUp(limit: Int = PAGE, days: Int = 0): List<FreeUpProposal> =
        core.proposeFreeUp(count(limit), count(days))

    /**
     * Proves now that the cloud has an asset, and that it is what is here: reads it there, and hashes it here. Files that the
     * core cannot read itself must be given, by the file's key in the asset. Nothing is removed.
     */
    public suspend fun prove(source: ULong, asset: String, files: Map<String, Path> = emptyMap()): AssetProof =
        cancelling { core.prove(source, asset, files.map { (key, path) -> ProofFile(key, path.toString()) }, it) }

    /**
     * The platform has moved an asset to its trash after a proof.
     *
     * @throws LommeException `InvalidArgument` if it was not proven in the last hour
     */
    public fun confirmFreed(source: ULong, asset: String): Unit = core.confirmFreed(source, asset)

    /** Reads at most [most] contents of what is believed in the cloud again, what was read longest ago first: a daily portion. */
    public suspend fun audit(most: Int): CameraAudit = cancelling { core.audit(count(most), it) }

    private fun count(limit: Int): UInt = limit.coerceAtLeast(0).toUInt()

    private companion object {
        const val PAGE = 500
        const val EXPORTS = 20
    }
}
