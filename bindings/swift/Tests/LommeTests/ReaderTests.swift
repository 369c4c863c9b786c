import Foundation
import Lomme
import Testing

/// Files read by their parts, as a player does.
@Suite(.timeLimit(.minutes(3))) struct ReaderTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive

    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
    }

    @Test("A big video is read in parts by two tasks, and the service sends little more than was asked for")
    func parts() async throws {
        let (film, content) = try await stage.film(32 << 20)
        let reader = try drive.openReader(of: film.id)
        try reader.hint(hint: .random)
        #expect(try reader.size() == UInt64(content.count))
        #expect(try reader.contentVersion() == film.contentVersion)
        let part = 64 << 10
        let asked = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<20 {
                        let offset = Int.random(in: 0..<content.count - part)
                        let read = try await reader.read(at: UInt64(offset), count: part)
                        #expect(read == content[offset..<offset + part])
                    }
                    return 20 * part
                }
            }
            return try await group.reduce(0, +)
        }
        let served = try await cloud.contentBytesAtRest()
        // A read that is not aligned touches two blocks.
        #expect(served > 0 && served <= 2 * UInt64(asked) + UInt64(part))
        let ledger = try drive.ledger()
        #expect(ledger.map(\.bytes).reduce(0, +) == served)
        #expect(ledger.allSatisfy { $0.purpose == .stream })
    }

    @Test("Two loops over all of a file get it once, and a third offline gets it from the device")
    func once() async throws {
        let (film, content) = try await stage.film(4 << 20)
        async let one = drive.openReader(of: film.id).everything()
        async let other = drive.openReader(of: film.id).everything()
        #expect(try await one == content)
        #expect(try await other == content)
        #expect(try await cloud.contentBytesAtRest() == UInt64(content.count))
        cloud.stop()
        #expect(try await drive.openReader(of: film.id).everything() == content)
    }

    @Test("A range is read from its lower bound to its upper bound or the end")
    func ranges() async throws {
        let (film, content) = try await stage.film(200_000)
        let reader = try drive.openReader(of: film.id)
        let middle = try await reader.chunks(in: 50_000..<150_000, of: 30_000).reduce(into: [Data]()) { $0.append($1) }
        #expect(middle.map(\.count) == [30_000, 30_000, 30_000, 10_000])
        #expect(Data(middle.joined()) == content[50_000..<150_000])
        let end = try await reader.chunks(in: 199_990..<UInt64.max).reduce(into: Data()) { $0 += $1 }
        #expect(end == content[199_990...])
        #expect(try await reader.read(at: 300_000, count: 10).isEmpty)
        #expect(try reader.readAt(offset: 7, len: 10) == content[7..<17])
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try await reader.read(at: 0, count: -1)
        }
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try await reader.read(at: 0, count: LommeReader.most + 1)
        }
    }

    @Test("A file that changes while it is read gives its old bytes or VersionGone, and never a mixture")
    func changes() async throws {
        let (film, content) = try await stage.film(8 << 20)
        let reader = try drive.openReader(of: film.id)
        try reader.hint(hint: .random)
        let first = try await reader.read(at: 0, count: 65_536)
        #expect(first == content[..<65_536])
        try await cloud.put("/Jotta/Sync/film.mp4", randomBytes(8 << 20))
        try await drive.refresh("sync")
        try await expectError({ if case .VersionGone = $0 { $0.retryAdvice() == .now } else { false } }) {
            try await reader.read(at: 4 << 20, count: 65_536)
        }
        #expect(try await reader.read(at: 0, count: 65_536) == first)
    }

    @Test("A cancelled task ends its read, before the start and in the middle, and the reader goes on")
    func cancelled() async throws {
        let (film, content) = try await stage.film(1 << 20)
        let reader = try drive.openReader(of: film.id)
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await reader.read(at: 0, count: 1000)
        }
        #expect(await failure { try await before.value } is CancellationError)
        #expect(try await cloud.requests("bin") == 0)

        try await cloud.trouble(#"{"kind": "bin", "delay_ms": 20000, "times": 1}"#)
        let midway = Task { try await reader.read(at: 0, count: 1000) }
        #expect(try await eventually { try await cloud.requests("bin") > 0 })
        await expectQuick {
            midway.cancel()
            #expect(await failure { try await midway.value } is CancellationError)
        }
        #expect(try await reader.read(at: 0, count: 1000) == content[..<1000])
    }

    @Test("Closing the reader ends its reads, and so does closing the drive")
    func closed() async throws {
        let (film, _) = try await stage.film(1 << 20)
        try await cloud.trouble(#"{"kind": "bin", "delay_ms": 20000}"#)
        let reader = try drive.openReader(of: film.id)
        let one = Task { try await reader.read(at: 0, count: 1000) }
        #expect(try await eventually { try await cloud.requests("bin") > 0 })
        reader.close()
        reader.close()
        try await expectError({ if case .Cancelled = $0 { true } else { false } }) { try await one.value }
        let asked = try await cloud.requests("bin")
        let again = try drive.openReader(of: film.id)
        let other = Task { try await again.read(at: 0, count: 1000) }
        #expect(try await eventually { try await cloud.requests("bin") > asked })
        try await drive.close()
        try await expectError({ if case .Closed = $0 { true } else { false } }) { try await other.value }
        try await expectError({ if case .Closed = $0 { true } else { false } }) { try drive.openReader(of: film.id) }
    }
}
