import Foundation
import LommeCore

/// Changes: durable and visible here when these return, without the network. `push()` sends them.
extension LommeDrive {
    /// Makes a new file of the content at `content`. It has its id for ever from now on.
    ///
    /// If something here has its name already (case and normalisation do not tell names apart), it gets `name (2)`, and the
    /// item says so. Throws `NotAllowed` (the space), `NameRefused`, `NotKnown`, `NoSuchItem`, `DiskFull`, `DiskFailed`.
    ///
    /// - Parameters:
    ///   - content: a file URL; nobody writes to the file meanwhile.
    ///   - taking: whether the file is the drive's from now on; if not, it stays the caller's and is cloned.
    ///   - modified: when the content was modified; now if absent.
    ///   - key: makes the call harmless to repeat: the same key gives the same item. At most 200 bytes, kept for 30 days. A
    ///     File Provider's `itemTemplate.itemIdentifier` is a good one.
    @discardableResult
    public func createFile(
        in parent: String,
        name: String,
        content: URL,
        taking: Bool = false,
        modified: Date? = nil,
        key: String? = nil
    ) throws -> Item {
        let content = try FileContent(content, taking: taking, modified: modified)
        return try createFile(parent: parent, name: name, content: content, key: key)
    }

    /// Makes a new folder; if a folder of this name is here already, that is the answer.
    @discardableResult
    public func createFolder(in parent: String, name: String, key: String? = nil) throws -> Item {
        try createFolder(parent: parent, name: name, key: key)
    }

    /// Puts a new content into a file. If the service has another than `base` by the time this is sent, both are kept.
    /// Equal bytes are no change.
    ///
    /// - Parameters:
    ///   - base: the `contentVersion` that the change was made from; without it, the one shown now.
    ///   - content: as in `createFile(in:name:content:taking:modified:key:)`.
    @discardableResult
    public func replaceContent(
        of id: String,
        base: String? = nil,
        content: URL,
        taking: Bool = false,
        modified: Date? = nil,
        key: String? = nil
    ) throws -> Item {
        let content = try FileContent(content, taking: taking, modified: modified)
        return try replaceContent(id: id, base: base, content: content, key: key)
    }

    /// Gives an item another folder, another name, or both; between spaces too, where both allow it. A name that is taken
    /// gets a number.
    @discardableResult
    public func move(_ id: String, to parent: String, name: String? = nil, key: String? = nil) throws -> Item {
        try moveTo(id: id, parent: parent, name: name, key: key)
    }

    /// Gives an item another name, as `move(_:to:name:key:)` does.
    @discardableResult
    public func rename(_ id: String, to name: String, key: String? = nil) throws -> Item {
        switch try item(id: id) {
        case .found(let item): try moveTo(id: id, parent: item.parent, name: name, key: key)
        case .gone: throw LommeError.NoSuchItem(detail: "the item to rename is gone")
        case .unknown: throw LommeError.NotKnown(detail: "the item to rename")
        }
    }

    /// Copies a file or a folder. The service does it, no content comes here. From Backup only under a new name: what is
    /// backed up and what is synced are never one folder.
    @discardableResult
    public func copy(_ id: String, to parent: String, name: String? = nil, key: String? = nil) throws -> Item {
        try copyTo(id: id, parent: parent, name: name, key: key)
    }

    /// Moves an item to the trash, where it stays for 30 days; in Sync it disappears from every computer and for anyone it
    /// is shared with. An item that is gone already is fine.
    ///
    /// - Parameters:
    ///   - base: what somebody else has changed since this `contentVersion` is not deleted.
    ///   - recursive: whether a folder may hold anything; if not, `NotAllowed`.
    public func trash(
        _ id: String,
        base: String? = nil,
        recursive: Bool = false,
        key: String? = nil
    ) throws {
        try trash(id: id, base: base, recursive: recursive, key: key)
    }

    /// Takes an item out of the trash, to where it was; under another name if something else has its place by then.
    @discardableResult
    public func restore(_ id: String, key: String? = nil) throws -> Item {
        try restore(id: id, key: key)
    }

    /// Deletes an item of the trash for ever. Never touches a living item at the place it was deleted from.
    public func purge(_ id: String, key: String? = nil) throws {
        try purge(id: id, key: key)
    }

    /// Makes a public link, or ends it. `link(of:)` tells it once it is made.
    @discardableResult
    public func setLink(of id: String, on: Bool, key: String? = nil) throws -> Item {
        try setLink(id: id, on: on, key: key)
    }

    /// Opens a new file for writing. It appears, and is sent, when the writer commits.
    public func createWriter(in parent: String, name: String) throws -> LommeWriter {
        try createWriter(parent: parent, name: name)
    }

    /// What waits, at once and again whenever the local tree has changed. Ends when its task is cancelled or the drive is
    /// closed; a pause only delays it.
    public func outboxes() throws -> AsyncThrowingStream<[PendingEdit], any Error> {
        let hints = try hints(of: .tree)
        return AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                do {
                    var last: [PendingEdit]?
                    func tell() throws {
                        guard let now = try ifOpen({ try self.outbox() }), now != last else { return }
                        last = now
                        continuation.yield(now)
                    }
                    try tell()
                    for await _ in hints { try tell() }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Makes what failed or needs a person due again: one item, or all. The next `push()` sends it.
    public func retryEdits(of id: String? = nil) throws {
        try retryEdits(id: id)
    }

    /// Gives up what is wanted of an item. It looks again as the service has it; a new item disappears. Unsent bytes are
    /// kept under `discardedEdits()` until `forgetDiscarded(key:)`.
    public func discardEdit(of id: String) throws {
        try discardEdit(id: id)
    }

    /// Writes discarded bytes to a file.
    public func exportDiscarded(_ key: String, to destination: URL) throws {
        try exportDiscarded(key: key, destination: destination.filePath())
    }
}

/// Changes of which the service must hear. Each call runs on Lomme's own threads, throws `LommeError`, and when its task is
/// cancelled stops in Rust and throws `CancellationError`; a change that was queued stays queued.
extension LommeDrive {
    /// Sends what waits, in order, as far as the network, the account and the person's rules allow.
    ///
    /// Call it after a change, when the network is back and from a background task; it may end at any moment and be called
    /// again. Throws `StoreBusy` while another process pushes.
    ///
    /// - Parameter progress: as for `fetch(_:version:to:purpose:progress:)`, for all bytes to send.
    @discardableResult
    public func push(
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> PushRun {
        let listener = progressListener(progress)
        return try await cancelling { try await self.push(progress: listener, cancel: $0) }
    }

    /// Returns when the service has all that is wanted of an item, and what must come before it; sends it now, whatever the
    /// rules for background work say. Throws what stopped it; the change stays queued then.
    ///
    /// This is what `createItem` and `modifyItem` of a File Provider wait for: queue the change, then settle it.
    @discardableResult
    public func settle(
        _ id: String,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> SettledEdit {
        let listener = progressListener(progress)
        return try await cancelling { try await self.settle(id: id, progress: listener, cancel: $0) }
    }

    /// `createFile(in:name:content:taking:modified:key:)`, and not done before the service has it.
    @discardableResult
    public func createFileUntilRemote(
        in parent: String,
        name: String,
        content: URL,
        taking: Bool = false,
        modified: Date? = nil,
        key: String? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> SettledEdit {
        let item = try createFile(
            in: parent, name: name, content: content, taking: taking, modified: modified, key: key)
        return try await settle(item.id, progress: progress)
    }

    /// `createFolder(in:name:key:)`, and not done before the service has it.
    @discardableResult
    public func createFolderUntilRemote(in parent: String, name: String, key: String? = nil) async throws -> SettledEdit {
        try await settle(createFolder(in: parent, name: name, key: key).id)
    }

    /// `replaceContent(of:base:content:taking:modified:key:)`, and not done before the service has it.
    @discardableResult
    public func replaceContentUntilRemote(
        of id: String,
        base: String? = nil,
        content: URL,
        taking: Bool = false,
        modified: Date? = nil,
        key: String? = nil,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> SettledEdit {
        let item = try replaceContent(
            of: id, base: base, content: content, taking: taking, modified: modified, key: key)
        return try await settle(item.id, progress: progress)
    }

    /// `move(_:to:name:key:)`, and not done before the service has it.
    @discardableResult
    public func moveUntilRemote(
        _ id: String,
        to parent: String,
        name: String? = nil,
        key: String? = nil
    ) async throws -> SettledEdit {
        try await settle(move(id, to: parent, name: name, key: key).id)
    }

    /// `trash(_:base:recursive:key:)`, and not done before the service has it.
    @discardableResult
    public func trashUntilRemote(
        _ id: String,
        base: String? = nil,
        recursive: Bool = false,
        key: String? = nil
    ) async throws -> SettledEdit {
        try trash(id, base: base, recursive: recursive, key: key)
        return try await settle(id)
    }

    /// Opens a file for writing, all of it anew or (`.update`) with the content that it has, which is fetched if it is not on
    /// the device. A durable row is there before this returns; while it is open, nothing of the item is sent.
    public func openWriter(of id: String, mode: WriteMode, base: String? = nil) async throws -> LommeWriter {
        try await cancelling { try await self.openWriter(id: id, base: base, mode: mode, cancel: $0) }
    }

    /// The kept versions of a file, the newest first; the service keeps five.
    public func versions(of id: String) async throws -> [FileVersion] {
        try await cancelling { try await self.versions(id: id, cancel: $0) }
    }

    /// Makes an older version, named by its `token`, the newest; the service does it, no content comes here. Throws
    /// `VersionNotReadable` where the service lists the version and does not know its content any more.
    @discardableResult
    public func restoreVersion(_ version: String, of id: String) async throws -> Item {
        try await cancelling { try await self.restoreVersion(id: id, version: version, cancel: $0) }
    }

    /// Writes an older version, named by its `token`, to `destination`, and gives its length in bytes. It is built under a
    /// temporary name in Archive, never in Sync, and deleted there for ever. Throws `VersionNotReadable`, `DiskFull`.
    @discardableResult
    public func fetchVersion(
        _ version: String,
        of id: String,
        to destination: URL,
        progress: (@Sendable (_ done: UInt64, _ total: UInt64) -> Void)? = nil
    ) async throws -> UInt64 {
        let path = try destination.filePath()
        let listener = progressListener(progress)
        return try await cancelling {
            try await self.fetchVersion(id: id, version: version, destination: path, progress: listener, cancel: $0)
        }
    }

    /// Deletes all of the trash for ever: of all spaces and computers. Ask the person before.
    @discardableResult
    public func emptyTrash() async throws -> EmptiedTrash {
        try await cancelling { try await self.emptyTrash(cancel: $0) }
    }

    /// The public link of an item, if there is one.
    public func link(of id: String) async throws -> PublicLink? {
        try await cancelling { try await self.link(id: id, cancel: $0) }
    }

    /// All public links of the account.
    public func links() async throws -> [PublicLink] {
        try await cancelling { try await self.links(cancel: $0) }
    }
}

/// A file open for writing: bytes written anywhere in it, published as a whole by `commit()` or not at all. Its calls block,
/// each for one write to the disk: not for the main actor.
extension LommeWriter {
    /// The most bytes that one read brings.
    public static let most = 131_072

    /// Runs `body`, then commits; if it throws, nothing is published.
    @discardableResult
    public func committing(_ body: (LommeWriter) throws -> Void) throws -> Item {
        do {
            try body(self)
            return try commit()
        } catch {
            try? abort()
            throw error
        }
    }

    /// Reads up to `count` bytes (at most `most`) at `offset`; fewer only at the end.
    public func read(at offset: UInt64, count: Int) throws -> Data {
        guard let length = UInt32(exactly: count) else {
            throw LommeError.InvalidArgument(detail: "a count that makes no sense")
        }
        return try readAt(offset: offset, len: length)
    }

    /// Writes all of `bytes` at `offset`; what lies between the end and there becomes zeros.
    public func write(_ bytes: Data, at offset: UInt64) throws {
        var done = 0
        while done < bytes.count {
            let part = bytes.dropFirst(done).prefix(Self.most)
            try writeAt(offset: offset + UInt64(done), bytes: Data(part))
            done += part.count
        }
    }
}

extension FileContent {
    /// The content of the file at `url`.
    public init(_ url: URL, taking: Bool = false, modified: Date? = nil, created: Date? = nil) throws {
        self.init(
            path: try url.filePath(),
            take: taking,
            modifiedMs: modified.map(\.milliseconds),
            createdMs: created.map(\.milliseconds)
        )
    }
}

extension Date {
    /// Since 1970.
    fileprivate var milliseconds: Int64 {
        Int64((timeIntervalSince1970 * 1000).rounded())
    }
}

extension URL {
    func filePath() throws -> String {
        guard isFileURL else { throw LommeError.InvalidArgument(detail: "the URL is no file URL") }
        return path
    }
}
