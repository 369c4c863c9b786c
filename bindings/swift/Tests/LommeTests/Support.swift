import Foundation
import Lomme
import Testing

/// A directory of the test's own, removed with it.
final class Scratch: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "lomme-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func file(_ name: String) -> URL {
        url.appending(path: name)
    }
}

/// What an async call threw, or nothing.
func failure<T>(_ call: () async throws -> T) async -> (any Error)? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}

/// Waits for `condition`, at most `seconds`. Whether it came.
func eventually(within seconds: Double = 10, _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}

/// A value that a listener's thread writes and the test reads.
final class Noted<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: [Value] = []

    func note(_ value: Value) {
        lock.withLock { stored.append(value) }
    }

    var all: [Value] {
        lock.withLock { stored }
    }
}

/// Expects a `LommeError` that `matches`.
func expectError<T>(
    _ matches: (LommeError) -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ call: () async throws -> T
) async throws {
    let error = await failure(call)
    let matched = (error as? LommeError).map(matches) ?? false
    #expect(matched, "got \(String(describing: error))", sourceLocation: sourceLocation)
}

/// Bytes that no compression and no coincidence can make.
func randomBytes(_ count: Int) -> Data {
    var generator = SystemRandomNumberGenerator()
    return Data((0..<count / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } })
}

/// A cloud of the test's own, and a drive that is signed in to it.
struct Stage {
    let scratch: Scratch
    let cloud: Cloud
    let drive: LommeDrive

    init() async throws {
        scratch = try Scratch()
        cloud = try Cloud()
        drive = try LommeDrive.open(at: scratch.file("drive"), vault: MemoryVault())
        try await drive.signIn(loginToken: cloud.loginToken())
    }

    /// A file of this machine.
    func local(_ content: String) throws -> URL {
        let file = scratch.file(UUID().uuidString)
        try Data(content.utf8).write(to: file)
        return file
    }

    /// A file of random bytes in Sync, known to the drive.
    func film(_ size: Int) async throws -> (item: Item, content: Data) {
        let content = randomBytes(size)
        try await cloud.put("/Jotta/Sync/film.mp4", content)
        try await drive.refresh("sync")
        return (try drive.found("Sync", "film.mp4"), content)
    }
}

extension LommeDrive {
    func found(_ names: String...) throws -> Item {
        guard case .found(let item) = try find(names: names) else {
            throw Cloud.Trouble(what: "\(names) is not there")
        }
        return item
    }

    /// The names in a folder, as the local store has them.
    func names(_ folder: String) async throws -> [String] {
        try await items(of: folder).reduce(into: []) { $0.append($1.name) }
    }
}

extension LommeReader {
    /// All of it.
    func everything() async throws -> Data {
        try await chunks(in: 0..<size()).reduce(into: Data()) { $0 += $1 }
    }
}

/// A cancel is not a wait for a time-out.
func expectQuick(sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws -> Void) async rethrows {
    let start = ContinuousClock.now
    try await work()
    #expect(ContinuousClock.now - start < .seconds(10), sourceLocation: sourceLocation)
}
