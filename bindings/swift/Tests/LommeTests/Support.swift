import Foundation
import Lomme

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

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
