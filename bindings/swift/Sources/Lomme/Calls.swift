import Foundation
import LommeCore

extension LommeDrive {
    /// Opens a directory, and makes it if it is missing. No network.
    ///
    /// Throws `StoreTooNew`, `StoreDamaged`, `DiskFailed`, `DiskFull`.
    ///
    /// - Parameters:
    ///   - directory: a directory of the drive's own, as a file URL. An app and its extension may open the
    ///     same one.
    ///   - vault: where tokens live.
    ///   - profile: the kind of process; it sets how much memory the drive may use.
    ///   - endpoints: the service's hosts, where they are not those of the sign-in.
    public static func open(
        at directory: URL,
        vault: SecretVault,
        profile: DriveProfile = .app,
        endpoints: CloudEndpoints? = nil
    ) throws -> LommeDrive {
        guard directory.isFileURL else {
            throw LommeError.InvalidArgument(detail: "the directory is no file URL")
        }
        let options = DriveOptions(directory: directory.path, profile: profile, endpoints: endpoints)
        return try open(options: options, vault: vault)
    }
}

/// Calls that may use the network. Each runs on Lomme's own threads, throws `LommeError`, and when its task is
/// cancelled stops in Rust and throws `CancellationError`.
extension LommeDrive {
    /// Signs in with a personal login token, which works once.
    ///
    /// Throws `LoginRefused` (get a new token) and `OtherAccount` (this directory is somebody else's).
    @discardableResult
    public func signIn(loginToken: String) async throws -> AccountInfo {
        try await cancelling { try await self.signIn(loginToken: loginToken, cancel: $0) }
    }

    /// Starts a sign-in through the browser at the service of that name, one of `cloudServices()`.
    ///
    /// Show the result's `warning()` first, open its `url()`, then wait with `finish()`.
    public func signInByBrowser(service: String) async throws -> BrowserSignIn {
        try await cancelling { try await self.signInByBrowser(service: service, cancel: $0) }
    }

    /// Asks the service for the account's quota and locks. Throws `SignInNeeded`.
    @discardableResult
    public func refreshAccount() async throws -> AccountInfo {
        try await cancelling { try await self.refreshAccount(cancel: $0) }
    }

    /// Asks the service for one folder (or one file, or a space's root) and stores what it says.
    ///
    /// Throws `NotKnown`, `NoSuchItem`, `SignInNeeded`, `Offline`, `ServerBusy`, `BadAnswer`.
    @discardableResult
    public func refresh(_ id: String) async throws -> RefreshOutcome {
        try await cancelling { try await self.refresh(id: id, cancel: $0) }
    }

    /// Asks the service for everything in a space and stores it: names, sizes, times and hashes, and not one byte
    /// of content.
    ///
    /// - Parameter progress: hears the number of entries read so far, at most some ten times a second, from a
    ///   thread of Lomme's.
    @discardableResult
    public func index(
        _ space: DriveSpace,
        progress: (@Sendable (_ entries: UInt64) -> Void)? = nil
    ) async throws -> RefreshOutcome {
        let listener = progress.map { hear in ProgressRelay { entries, _ in hear(entries) } }
        return try await cancelling {
            try await self.index(space: space, progress: listener, cancel: $0)
        }
    }

    /// Writes a whole file to `destination`, over whatever is there, once its size and MD5 are the service's, and gives
    /// the item as of these bytes.
    ///
    /// What is on the device is not fetched again; what a broken or cancelled call leaves is kept in the drive's
    /// directory, and the next call goes on from it. If `wantVersion` is not the newest known, it is handed out when all of
    /// it is on the device, else the newest; without a network, an older version that is on the device. The result says
    /// which. Where the volume cannot share blocks between copies, a file of more than 16 MiB that is not pinned leaves the
    /// cache with this call. Throws `NoSuchItem`, `ContentMismatch`, `DiskFull` and what `refresh(_:)` throws.
    ///
    /// - Parameters:
    ///   - id: the file.
    ///   - wantVersion: a `contentVersion`; without it, the newest.
    ///   - destination: a file URL; the file there is the caller's.
    ///   - purpose: what the bytes are for; the byte ledger counts them under it.
    ///   - progress: hears the bytes on the disk and the bytes in all, cumulative, at most some ten times a second,
    ///     the last before the result, from a thread of Lomme's.
    @discardableResult
    public func fetch(
        _ id: String,
        version wantVersion: String? = nil,
        to destination: URL,
        purpose: FetchPurpose = .open,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> FetchedFile {
        guard destination.isFileURL else {
            throw LommeError.InvalidArgument(detail: "the destination is no file URL")
        }
        let listener = progressListener(progress)
        return try await cancelling {
            try await self.fetchToFile(
                id: id,
                wantVersion: wantVersion,
                destination: destination.path,
                purpose: purpose,
                progress: listener,
                cancel: $0
            )
        }
    }

    /// A thumbnail of at least this kind of size, from the device or from the service; nothing when the service has
    /// none. Fetches just this one, and never the file. The file is the cache's: copy it to keep it.
    public func thumbnail(of id: String, size: ThumbnailSize = .medium) async throws -> ThumbnailFile? {
        try await cancelling { try await self.thumbnail(id: id, size: size, cancel: $0) }
    }

    /// Brings all pinned content up to date, as far as the rules allow.
    ///
    /// Beside what a person asks for at this moment, this is the only way that content comes; `watch()` does it after a change. Call it when something was
    /// pinned, when the situation changed and from a background task; it may end at any moment and be called again.
    ///
    /// - Parameter progress: as for `fetch(_:version:to:purpose:progress:)`, for all bytes that were missing.
    @discardableResult
    public func keepPins(
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> PinRun {
        let listener = progressListener(progress)
        return try await cancelling { try await self.keepPins(progress: listener, cancel: $0) }
    }

    /// Asks the service about what matters most until `budget` is over: folders that an event hinted at, then what is
    /// held, pinned or recently opened, then whole spaces. Fetches no content. For a background task.
    @discardableResult
    public func poll(within budget: Duration) async throws -> PollOutcome {
        try await cancelling { try await self.poll(budgetMs: budget.milliseconds, cancel: $0) }
    }

    /// Stays connected to the service's change events until the task is cancelled: each leads to a refresh of the folder
    /// concerned, which `changes(since:)` then tells of. Connects again by itself. After a change it keeps the pins, as `keepPins()`
    /// does, and it fetches nothing else.
    ///
    /// Throws `SignInNeeded` when the sign-in ends, `Paused`, `Closed`.
    public func watch() async throws {
        try await cancelling { try await self.watch(cancel: $0) }
    }

    /// Makes the drive ready for the suspension of the process: stops network calls, finishes writes and closes
    /// every file. Calls throw `Paused` until `resume()`; streams wait.
    ///
    /// Throws `StoreBusy` when the deadline passes first; nothing new starts even then, so call it again.
    public func pause(within deadline: Duration) async throws {
        try await blocking { try self.pause(deadlineMs: deadline.milliseconds) }
    }

    /// Stops network calls, closes every file, and makes every later call throw `Closed`. Streams end. Closing
    /// twice is fine.
    public func close() async throws {
        try await blocking { try self.shutDown() }
    }
}

extension BrowserSignIn {
    /// Waits until the browser has come back. Works once; a cancelled one is over.
    @discardableResult
    public func finish() async throws -> AccountInfo {
        try await cancelling { try await self.finish(cancel: $0) }
    }
}

extension Duration {
    /// In whole milliseconds, and never less than none.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}

/// Runs what may wait for seconds on a thread that nobody else needs: tasks share few.
func blocking<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(with: Result(catching: work))
        }
    }
}

/// As the generated code wants it.
func progressListener(
    _ progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)?
) -> (any ProgressListener)? {
    progress.map { hear in ProgressRelay { done, total in hear(done, total ?? done) } }
}

/// A closure as the generated code wants it.
private final class ProgressRelay: ProgressListener {
    private let hear: @Sendable (UInt64, UInt64?) -> Void

    init(_ hear: @escaping @Sendable (UInt64, UInt64?) -> Void) {
        self.hear = hear
    }

    func onProgress(done: UInt64, total: UInt64?) {
        hear(done, total)
    }
}
