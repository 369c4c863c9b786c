import LommeCore

/// What a hint is about.
public enum DriveHint: Sendable, Hashable {
    /// The local tree changed; `changes(since:)` tells how.
    case tree
    /// The sign-in or the quota changed; `signInState()` tells how.
    case account
}

extension LommeDrive {
    /// Hints that something changed, without saying what. The stream ends when its task is cancelled or the
    /// drive is closed.
    ///
    /// Hints that nobody has taken yet become one, so a slow reader misses nothing and holds nothing up.
    public func hints(of kind: DriveHint) throws -> AsyncStream<Void> {
        try endableHints(of: kind).stream
    }

    fileprivate func endableHints(
        of kind: DriveHint
    ) throws -> (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let subscription = try subscribe(listener: HintRelay(kind, continuation))
        continuation.onTermination = { _ in try? subscription.end() }
        return (stream, continuation)
    }

    /// What changes in the local tree from `anchor` on, as long as the loop runs.
    ///
    /// Store the `anchor` of each page after dealing with it: given to a later call, in another life of the app,
    /// it goes on from there. Throws `AnchorExpired` when it can't; list everything again then. Ends when its task
    /// is cancelled or the drive is closed.
    ///
    /// - Parameters:
    ///   - anchor: where to begin; without it, now.
    ///   - limit: the most items in a page, 1 to 1,000.
    public func changes(since anchor: String? = nil, limit: UInt32 = 200) throws -> ChangeFeed {
        // Subscribed before the anchor is read, or a change between the two would be in neither.
        let hints = try hints(of: .tree)
        return ChangeFeed(hints: hints, anchor: try anchor ?? currentAnchor()) {
            try self.changes(anchor: $0, limit: limit)
        }
    }

    /// As `changes(since:limit:)`, of the working set: what is or came in, and, as deleted, what left it.
    public func workingSetChanges(since anchor: String? = nil, limit: UInt32 = 200) throws -> ChangeFeed {
        let hints = try hints(of: .tree)
        return ChangeFeed(hints: hints, anchor: try anchor ?? currentAnchor()) {
            try self.workingSetChanges(anchor: $0, limit: limit)
        }
    }

    /// As `changes(since:limit:)`, and as long as the sequence or a loop over it lives also a `watch()`, so that what
    /// other devices do comes in at once. Throws `SignInNeeded` when the sign-in ends.
    public func watchedChanges(since anchor: String? = nil, limit: UInt32 = 200) throws -> WatchedChanges {
        let (stream, continuation) = try endableHints(of: .tree)
        let feed = ChangeFeed(hints: stream, anchor: try anchor ?? currentAnchor()) {
            try self.changes(anchor: $0, limit: limit)
        }
        let resumed = try hints(of: .account)
        return WatchedChanges(watching: Watching(self, resumed: resumed, tells: continuation), feed: feed)
    }

    /// The sign-in state now, and again whenever it changes. Ends when its task is cancelled or the drive is closed.
    public func signInStates() throws -> SignInStates {
        SignInStates(drive: self, hints: try hints(of: .account))
    }

    /// The pages of a folder as the local store has it; no network. `refresh(_:)` brings the folder up to date.
    ///
    /// Throws `NotKnown`, `NoSuchItem`, and `PageExpired` when the folder's rows were rebuilt meanwhile.
    ///
    /// - Parameters:
    ///   - parent: the folder.
    ///   - order: how to sort; folders come first in each.
    ///   - limit: the most items in a page, 1 to 1,000.
    public func pages(
        of parent: String,
        order: ListOrder = .name,
        limit: UInt32 = 200
    ) -> FolderPages {
        FolderPages { try self.children(parent: parent, order: order, page: $0, limit: limit) }
    }

    /// The pages of the working set: what the operating system holds and what is in folders that it holds, pinned,
    /// favourite or recently opened. Throws `PageExpired`.
    public func workingSetPages(limit: UInt32 = 200) -> FolderPages {
        FolderPages { try self.workingSet(page: $0, limit: limit) }
    }

    /// The items of a folder as the local store has it, read page by page; otherwise as `pages(of:order:limit:)`.
    public func items(of parent: String, order: ListOrder = .name) -> FolderItems {
        FolderItems(pages: pages(of: parent, order: order))
    }
}

/// The pages of a folder or of the working set, one after the other. Each is read when it is asked for, off the main
/// actor.
public struct FolderPages: AsyncSequence, Sendable {
    public typealias Element = ItemPage

    let read: @Sendable (_ page: String?) throws -> ItemPage

    public func makeAsyncIterator() -> Iterator {
        Iterator(pages: self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let pages: FolderPages
        var page: String?
        var ended = false

        init(pages: FolderPages) {
            self.pages = pages
        }

        public mutating func next() async throws -> ItemPage? {
            guard !ended else { return nil }
            try Task.checkCancellation()
            let read = try pages.read(page)
            page = read.next
            ended = read.next == nil
            return read
        }
    }
}

/// The items of a folder, read page by page.
public struct FolderItems: AsyncSequence, Sendable {
    public typealias Element = Item

    let pages: FolderPages

    public func makeAsyncIterator() -> Iterator {
        Iterator(pages: pages.makeAsyncIterator())
    }

    public struct Iterator: AsyncIteratorProtocol {
        var pages: FolderPages.Iterator
        var items = [Item]().makeIterator()

        init(pages: FolderPages.Iterator) {
            self.pages = pages
        }

        public mutating func next() async throws -> Item? {
            while true {
                if let item = items.next() { return item }
                guard let page = try await pages.next() else { return nil }
                items = page.items.makeIterator()
            }
        }
    }
}

/// Pages of changes, each pulled from the local store when it is asked for; a page is never empty.
///
/// Meant for one loop: two loops over the same feed share its hints. Ask for a feed for each.
public struct ChangeFeed: AsyncSequence, Sendable {
    public typealias Element = ChangePage

    let hints: AsyncStream<Void>
    let anchor: String
    let read: @Sendable (_ anchor: String) throws -> ChangePage

    public func makeAsyncIterator() -> Iterator {
        Iterator(hints: hints.makeAsyncIterator(), anchor: anchor, read: read)
    }

    public struct Iterator: AsyncIteratorProtocol {
        var hints: AsyncStream<Void>.Iterator
        var anchor: String
        let read: @Sendable (_ anchor: String) throws -> ChangePage

        public mutating func next() async throws -> ChangePage? {
            while !Task.isCancelled {
                if let page = try ifOpen({ try read(anchor) }) {
                    anchor = page.anchor
                    if !page.updated.isEmpty || !page.deleted.isEmpty { return page }
                    if page.more { continue }
                }
                guard await hints.next() != nil else { return nil }
            }
            return nil
        }
    }
}

/// Pages of changes, with a `watch()` that lasts as long as this or a loop over it. Meant for one loop.
public struct WatchedChanges: AsyncSequence, Sendable {
    public typealias Element = ChangePage

    let watching: Watching
    let feed: ChangeFeed

    public func makeAsyncIterator() -> Iterator {
        Iterator(watching: watching, feed: feed.makeAsyncIterator())
    }

    public struct Iterator: AsyncIteratorProtocol {
        let watching: Watching
        var feed: ChangeFeed.Iterator

        public mutating func next() async throws -> ChangePage? {
            if let page = try await feed.next() { return page }
            if !Task.isCancelled { try await watching.end() }
            return nil
        }
    }
}

/// A watch in a task of its own, which ends with this. When it fails, it ends the hints of the tree, so that who waits for
/// them finds out.
final class Watching: Sendable {
    private let task: Task<Void, any Error>

    init(_ drive: LommeDrive, resumed: AsyncStream<Void>, tells tree: AsyncStream<Void>.Continuation) {
        task = Task {
            defer { tree.finish() }
            var resumed = resumed.makeAsyncIterator()
            repeat {
                do {
                    try await drive.watch()
                } catch LommeError.Paused {
                    // Again after the resume, of which there is a hint.
                } catch LommeError.Closed {
                    return
                }
            } while await resumed.next() != nil
        }
    }

    deinit {
        task.cancel()
    }

    /// Waits for its end, and throws what it failed with.
    func end() async throws {
        try await task.value
    }
}

/// Sign-in states, each different from the one before. Meant for one loop.
public struct SignInStates: AsyncSequence, Sendable {
    public typealias Element = SignInState

    let drive: LommeDrive
    let hints: AsyncStream<Void>

    public func makeAsyncIterator() -> Iterator {
        Iterator(drive: drive, hints: hints.makeAsyncIterator())
    }

    public struct Iterator: AsyncIteratorProtocol {
        let drive: LommeDrive
        var hints: AsyncStream<Void>.Iterator
        var last: SignInState?

        init(drive: LommeDrive, hints: AsyncStream<Void>.Iterator) {
            self.drive = drive
            self.hints = hints
        }

        public mutating func next() async throws -> SignInState? {
            while !Task.isCancelled {
                if let state = try ifOpen({ try drive.signInState() }), state != last {
                    last = state
                    return state
                }
                guard await hints.next() != nil else { return nil }
            }
            return nil
        }
    }
}

/// What a read gives, or nothing while the drive is paused (resuming brings a hint) or once it is closed (which
/// ends the hints).
func ifOpen<Output>(_ read: () throws -> Output) throws -> Output? {
    do {
        return try read()
    } catch LommeError.Paused {
        return nil
    } catch LommeError.Closed {
        return nil
    }
}

/// Rust lets go of it when the drive is closed, and that ends the stream.
private final class HintRelay: DriveListener {
    private let kind: DriveHint
    private let continuation: AsyncStream<Void>.Continuation

    init(_ kind: DriveHint, _ continuation: AsyncStream<Void>.Continuation) {
        self.kind = kind
        self.continuation = continuation
    }

    deinit {
        continuation.finish()
    }

    func onChanged() {
        if kind == .tree { continuation.yield() }
    }

    func onAccountChanged() {
        if kind == .account { continuation.yield() }
    }
}
