import Foundation
import LommeCore

/// How far a call is, and at last its result.
public enum Step<Output: Sendable>: Sendable {
    /// `done` of `total` so far, cumulative; an index has no total.
    case going(done: UInt64, total: UInt64?)
    /// It is done; nothing follows.
    case done(Output)
}

/// Calls as streams. Each begins at once, and is cancelled when its loop ends. A slow loop gets the newest step only, and
/// always the last.
extension LommeDrive {
    /// `fetch(_:version:to:purpose:progress:)` as a stream.
    public func fetching(
        _ id: String,
        version wantVersion: String? = nil,
        to destination: URL,
        purpose: FetchPurpose = .open
    ) -> AsyncThrowingStream<Step<FetchedFile>, any Error> {
        steps { going in
            try await self.fetch(id, version: wantVersion, to: destination, purpose: purpose) { going($0, $1) }
        }
    }

    /// `keepPins(progress:)` as a stream.
    public func keepingPins() -> AsyncThrowingStream<Step<PinRun>, any Error> {
        steps { going in try await self.keepPins { going($0, $1) } }
    }

    /// `push(progress:)` as a stream.
    public func pushing() -> AsyncThrowingStream<Step<PushRun>, any Error> {
        steps { going in try await self.push { going($0, $1) } }
    }

    /// `settle(_:progress:)` as a stream.
    public func settling(_ id: String) -> AsyncThrowingStream<Step<SettledEdit>, any Error> {
        steps { going in try await self.settle(id) { going($0, $1) } }
    }

    /// `index(_:progress:)` as a stream.
    public func indexing(_ space: DriveSpace) -> AsyncThrowingStream<Step<RefreshOutcome>, any Error> {
        steps { going in try await self.index(space) { going($0, nil) } }
    }
}

extension LommeCamera {
    /// `runBatch(within:bytes:progress:)` as a stream.
    public func runningBatch(
        within time: Duration? = nil,
        bytes: UInt64? = nil
    ) -> AsyncThrowingStream<Step<CameraBatch>, any Error> {
        steps { going in try await self.runBatch(within: time, bytes: bytes) { going($0, $1) } }
    }
}

private typealias Going = @Sendable (UInt64, UInt64?) -> Void

private func steps<Output>(
    _ call: @escaping @Sendable (@escaping Going) async throws -> Output
) -> AsyncThrowingStream<Step<Output>, any Error> {
    AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
        let task = Task {
            do {
                let output = try await call { continuation.yield(.going(done: $0, total: $1)) }
                continuation.yield(.done(output))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
    }
}
