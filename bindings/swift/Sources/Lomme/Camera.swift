import Foundation
import LommeCore

/// The camera backup of a drive, from `camera()`: a phone's photos, videos and chosen folders, completely, once, unchanged,
/// with proof.
///
/// The platform scans its library and tells what there is; the core decides what of it is sent, when and where to, and
/// remembers all of it. What the generated calls read or write locally is used as it is. What waits is no error: the `hold`
/// of a batch, of `status()` and of `why` says what for.
extension LommeCamera {
    /// Adds a library that the platform scans, and gives its number; it is a mount point of that name in the cloud.
    ///
    /// Throws `InvalidArgument` for a name or mount point that is taken, `NameRefused`.
    public func addLibrary(_ name: String, rules: AssetRules = AssetRules()) throws -> UInt64 {
        try addSource(source: NewCameraSource(name: name, rules: rules))
    }

    /// Adds a folder that the core scans, and gives its number; it is a mount point of that name in the cloud.
    ///
    /// It may not be inside another source nor the reverse, and not in the directory of the drive. Throws `InvalidArgument`
    /// (overlap, a name or mount point that is taken, a folder that is none), `NameRefused`.
    public func addFolder(_ name: String, at folder: URL, rules: AssetRules = AssetRules()) throws -> UInt64 {
        try addSource(source: NewCameraSource(name: name, folder: folder.filePath(), rules: rules))
    }

    /// Begins a scan of a library: a delta from the stored cursor if `kind` wishes and there is one, else all; the answer
    /// says which. A scan that began before of the same source ends.
    public func beginScan(of source: UInt64, kind: CameraScanKind = .delta) throws -> CameraScan {
        try beginScan(source: source, kind: kind)
    }

    /// Records assets, durably; at most 500 at once. Throws `NotKnown` if the scan did not begin in this process,
    /// `InvalidArgument` (too many, an asset without a key or a file).
    public func add(_ assets: [CameraAsset], to scan: CameraScan) throws {
        try addAssets(scan: scan.id, assets: assets)
    }

    /// Notes what a delta says is deleted, by the assets' keys. It counts only if the scan ends with `.complete`.
    public func note(gone keys: [String], in scan: CameraScan) throws {
        try goneAssets(scan: scan.id, keys: keys)
    }

    /// Ends a scan. `cursor`, the platform's own words, is stored together with what follows, after every asset that it
    /// covers.
    @discardableResult
    public func commit(_ scan: CameraScan, cursor: String?, trust: ScanTrust) throws -> CameraScanResult {
        try commitScan(scan: scan.id, cursor: cursor, trust: trust)
    }

    /// Tries again now what waits for its time or for a person.
    public func retryAll() throws {
        try retry(asset: nil)
    }

    /// Tries one asset again now.
    public func retry(_ asset: String, of source: UInt64) throws {
        try retry(asset: AssetName(source: source, asset: asset))
    }

    /// Why an asset is, or is not, in the cloud. Throws `NotKnown`.
    public func why(_ asset: String, of source: UInt64) throws -> AssetWhy {
        try why(source: source, asset: asset)
    }

    /// All proofs of what is in the cloud, each page read when it is asked for.
    public func allReceipts() -> AsyncThrowingStream<AssetReceipt, any Error> {
        let pages = ReceiptPages(camera: self)
        return AsyncThrowingStream(unfolding: { try await pages.next() })
    }
}

/// Calls that may use the network. Each runs on Lomme's own threads, throws `LommeError`, and when its task is cancelled
/// stops in Rust and throws `CancellationError`.
extension LommeCamera {
    /// The devices of Backup, one for each computer and phone. Ask before a device is claimed or made.
    public func devices() async throws -> [BackupDevice] {
        try await cancelling { try await self.devices(cancel: $0) }
    }

    /// Makes a new device for this phone, and backs up to it from now on.
    ///
    /// Throws `NameTaken` if there is one of this name, whatever its case: then claim it with the person's word, or take
    /// another name; `NameRefused`.
    public func createDevice(_ name: String, kind: BackupDeviceKind = .iphone) async throws {
        try await cancelling { try await self.createDevice(name: name, kind: kind, cancel: $0) }
    }

    /// Goes on with a device that is there, because the person says that it is this phone: after a reinstall, or instead of
    /// an old phone. What it holds of the sources is adopted and not sent again.
    @discardableResult
    public func claimDevice(_ name: String) async throws -> AdoptedFiles {
        try await cancelling { try await self.claimDevice(name: name, cancel: $0) }
    }

    /// Lists what the device holds of each source, one listing a source, and compares it with the ledger. Only a complete
    /// listing says that something is gone. Throws `InvalidArgument` if no device was chosen.
    @discardableResult
    public func adopt() async throws -> AdoptedFiles {
        try await cancelling { try await self.adopt(cancel: $0) }
    }

    /// Scans a folder source, without following links. Touches no network. Throws `InvalidArgument` for a library,
    /// `DiskFailed`.
    @discardableResult
    public func scanFolder(_ source: UInt64) async throws -> CameraScanResult {
        try await cancelling { try await self.scanFolder(source: source, cancel: $0) }
    }

    /// One slice of work: reads and hashes what was offered, sends it, and reads it again there; as far as the budget and the
    /// person's rules allow.
    ///
    /// It can end at any moment and be called again; the answer's `next` says when. A cancel ends it within a second, and a
    /// kill loses nothing but what was under way. Throws `StoreBusy` while another process runs.
    ///
    /// - Parameters:
    ///   - time: how long it may take; until nothing is left if absent.
    ///   - bytes: about how many bytes it may send.
    ///   - progress: as for `fetch(_:version:to:purpose:progress:)`, for all bytes to send.
    @discardableResult
    public func runBatch(
        within time: Duration? = nil,
        bytes: UInt64? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> CameraBatch {
        let budget = CameraBudget(timeMs: time?.milliseconds, bytes: bytes)
        let listener = progressListener(progress)
        return try await cancelling { try await self.runBatch(budget: budget, progress: listener, cancel: $0) }
    }

    /// Takes the bytes that were asked for, on a thread made for that: a file of the caller's with the original bytes, renamed
    /// away or copied and removed if `taking`, else left as it is. What was taken is never lost, whatever is cancelled.
    ///
    /// Throws `InvalidArgument` if it is no plain file, `DiskFailed`, `DiskFull`.
    @discardableResult
    public func provide(_ request: UInt64, _ file: URL, taking: Bool = true) async throws -> ProvideOutcome {
        let path = try file.filePath()
        return try await blocking { try self.provide(request: request, path: path, take: taking) }
    }

    /// Plans uploads for the operating system to send while no process of the app runs: announces up to `limit` contents, the
    /// first in the queue, as far as the rules allow.
    ///
    /// Hand them all to a background `URLSession` at once, each with its headers and its file, its `id` as the task's
    /// description. What is planned is left alone by `runBatch` until it is settled or too old; if both send it, nothing is
    /// there twice.
    public func planUploads(limit: UInt32) async throws -> [UploadPlan] {
        try await cancelling { try await self.planUploads(limit: limit, cancel: $0) }
    }

    /// Proves now that the cloud has an asset, and that it is what is here: reads it there, and hashes it here. Files that
    /// the core cannot read itself must be given, by the file's key in the asset. Nothing is removed.
    public func prove(_ asset: String, of source: UInt64, files: [String: URL] = [:]) async throws -> AssetProof {
        let files = try files.map { ProofFile(file: $0.key, path: try $0.value.filePath()) }
        return try await cancelling {
            try await self.prove(source: source, asset: asset, files: files, cancel: $0)
        }
    }

    /// Reads at most `most` contents of what is believed in the cloud again, what was read longest ago first: a daily
    /// portion.
    @discardableResult
    public func audit(_ most: UInt32) async throws -> CameraAudit {
        try await cancelling { try await self.audit(most: most, cancel: $0) }
    }
}

/// Receipts, page by page. One reader at a time.
private actor ReceiptPages {
    private let camera: LommeCamera
    private var page: ArraySlice<AssetReceipt> = []
    private var after: UInt64 = 0

    init(camera: LommeCamera) {
        self.camera = camera
    }

    func next() throws -> AssetReceipt? {
        if page.isEmpty {
            let more = try camera.receipts(after: after, limit: 500)
            (page, after) = (more.receipts[...], more.next)
        }
        return page.popFirst()
    }
}
