import Foundation
import LommeCore

/// An open file: one version of it, whatever happens to the file meanwhile. From `openReader(of:)`.
///
/// `readAt(offset:len:)` is for a thread of the app's own; the calls here never hold up the thread they are called on, and
/// so fit an `AVAssetResourceLoader`'s delegate: `chunks(in:)` for what one loading request asks, a reader for each request.
extension LommeReader {
    /// The most bytes that one read brings.
    public static let most = 131_072

    /// Reads up to `count` bytes (at most `most`) at `offset`; fewer only at the end of the file. Fetches what is not on
    /// the device.
    ///
    /// Cancelling the task ends this reader's other reads too. Throws `VersionGone` when the file has changed on the service
    /// and these bytes are not on the device.
    public func read(at offset: UInt64, count: Int) async throws -> Data {
        guard let length = UInt32(exactly: count) else {
            throw LommeError.InvalidArgument(detail: "a count that makes no sense")
        }
        return try await cancelling { try await self.read(offset: offset, len: length, cancel: $0) }
    }

    /// The bytes from the range's lower bound up to its upper bound or the end of the file, part by part, each read when
    /// it is asked for.
    public func chunks(in range: Range<UInt64>, of count: Int = LommeReader.most) -> FileChunks {
        FileChunks(reader: self, range: range, count: count)
    }

    /// Ends it: reads throw `Cancelled` from now on, and the content may be evicted. Closing twice is fine, and so is
    /// letting go of it.
    public func close() {
        // It fails only where Lomme has a bug, and then nothing more can be done.
        try? end()
    }
}

extension LommeDrive {
    /// Opens a file to read any part of it. No network by itself: the reads fetch what is not on the device.
    ///
    /// Throws `NotKnown`, `NoSuchItem`, `NotAllowed`, and `VersionGone` if `version` is neither the newest known nor on the
    /// device.
    public func openReader(
        of id: String,
        version: String? = nil,
        purpose: FetchPurpose = .stream
    ) throws -> LommeReader {
        try openReader(id: id, wantVersion: version, purpose: purpose)
    }
}

/// Parts of a file, one after the other. Each is read when it is asked for.
public struct FileChunks: AsyncSequence, Sendable {
    public typealias Element = Data

    let reader: LommeReader
    let range: Range<UInt64>
    let count: Int

    public func makeAsyncIterator() -> Iterator {
        Iterator(chunks: self)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        var offset: UInt64

        init(chunks: FileChunks) {
            self.chunks = chunks
            offset = chunks.range.lowerBound
        }

        public mutating func next() async throws -> Data? {
            guard offset < chunks.range.upperBound else { return nil }
            let left = Int(clamping: chunks.range.upperBound - offset)
            let data = try await chunks.reader.read(at: offset, count: Swift.min(chunks.count, left))
            guard !data.isEmpty else { return nil }
            offset += UInt64(data.count)
            return data
        }
    }
}
