import Foundation
import Lomme
import Testing

/// What stays on the device, why, and what leaves it.
@Suite(.timeLimit(.minutes(3))) struct KeepingTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive
    /// Sizes by path below the folder that is pinned.
    let sizes = [["1.bin"]: 1_000, ["2.bin"]: 200_000, ["Deep", "3.bin"]: 300_000]

    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
    }

    @Test("A document that was fetched opens in a tunnel, and the drive says why")
    func offline() async throws {
        let (letter, content) = try await stage.film(300_000)
        #expect(letter.local == .absent)
        let first = try await drive.fetch(letter.id, to: stage.scratch.file("one"))
        #expect(first.item.contentVersion == letter.contentVersion)
        try drive.setSituation(situation: DeviceSituation(network: .offline))
        cloud.stop()
        let two = stage.scratch.file("two")
        let again = try await drive.fetch(letter.id, version: letter.contentVersion, to: two)
        #expect(try Data(contentsOf: two) == content)
        #expect(again.fetched == 0)
        #expect(try await drive.openReader(of: letter.id).everything() == content)
        let why = try drive.why(id: letter.id)
        #expect(why.local == .whole)
        #expect(why.localBytes == UInt64(content.count))
        #expect(why.pinnedBy == nil)
        #expect(!why.explanation.isEmpty)
    }

    @Test("A pinned folder is kept, readable offline, and gone after an unpin that drops it")
    func pinned() async throws {
        let files = try await plant()
        let flight = try drive.found("Sync", "Flight")
        let pin = try drive.pin(id: flight.id, upToBytes: 10_000_000)
        #expect(pin.files == 3 && pin.wholeFiles == 0)
        #expect(try await cloud.contentBytes() == 0, "a pin fetches nothing itself")

        let steps = Noted<[UInt64]>()
        let run = try await drive.keepPins { steps.note([$0, $1]) }
        let bytes = UInt64(files.values.map(\.count).reduce(0, +))
        #expect(run == PinRun(files: 3, fetched: bytes, missingFiles: 0, missingBytes: 0, waiting: nil, failed: []))
        #expect(steps.all.last == [bytes, bytes])
        #expect(try drive.ledger().map(\.purpose) == [.pin])
        #expect(try drive.pins().map(\.wholeFiles) == [3])
        #expect(try await cloud.contentBytesAtRest() == bytes)

        cloud.stop()
        try drive.setSituation(situation: DeviceSituation(network: .offline))
        for (path, content) in files {
            let item = try drive.item(path)
            #expect(item.local == .whole && item.pinned)
            #expect(try drive.why(id: item.id).pinnedBy == flight.id)
            #expect(try await drive.openReader(of: item.id).everything() == content)
        }
        #expect(try drive.evict(id: flight.id) == EvictionOutcome(files: 0, bytes: 0, kept: 3))
        let dropped = try drive.unpin(id: flight.id, dropContent: true)
        #expect(dropped.files == 3 && dropped.bytes >= bytes)
        #expect(try drive.pins().isEmpty)
        let one = try drive.item(["1.bin"])
        #expect(one.local == .absent)
        try await expectError({ if case .Offline = $0 { $0.retryAdvice() == .whenOnline } else { false } }) {
            try await drive.openReader(of: one.id).read(at: 0, count: 10)
        }
    }

    @Test("A folder larger than was allowed is not pinned, and says how large it is")
    func larger() async throws {
        let files = try await plant()
        let flight = try drive.found("Sync", "Flight").id
        let bytes = UInt64(files.values.map(\.count).reduce(0, +))
        #expect(try drive.weight(id: flight) == ItemWeight(files: 3, bytes: bytes, unlistedFolders: 0))
        try await expectError({
            guard case .LargerThanAllowed(bytes, 3, _) = $0 else { return false }
            return $0.retryAdvice() == .needsUser && $0.localizedDescription.contains("space")
        }) { try drive.pin(id: flight, upToBytes: 1_000) }
        #expect(try drive.pins().isEmpty)
    }

    @Test("On a metered network pins wait and say so, and what a person opens does not wait")
    func metered() async throws {
        _ = try await plant()
        _ = try drive.pin(id: drive.found("Sync", "Flight").id, upToBytes: 10_000_000)
        try drive.setSituation(situation: DeviceSituation(network: .metered, batteryPercent: 80))
        let run = try await drive.keepPins()
        #expect(run.waiting == .metered && run.missingFiles == 3)
        #expect(try await cloud.contentBytes() == 0)
        #expect(try drive.status().waiting == .metered)
        let one = try drive.item(["1.bin"])
        let waiting = try #require(try drive.why(id: one.id).waiting)
        #expect("\(waiting)".contains("metered"))
        try await drive.fetch(one.id, to: stage.scratch.file("1.bin"))

        try drive.setRules(rules: FetchRules(onMetered: true, batteryAtLeast: 90))
        #expect(try await drive.keepPins().waiting == .battery(percent: 80, atLeast: 90))
        try drive.setSituation(situation: DeviceSituation(network: .unmetered, batteryPercent: 90))
        #expect(try await drive.keepPins().waiting == nil)
        #expect(try drive.pins().map(\.wholeFiles) == [3])
        #expect(try drive.status().waiting == nil)
    }

    @Test("Keeping pins can be cancelled before it starts and in the middle, and goes on later")
    func cancelled() async throws {
        let (film, content) = try await stage.film(4_000_000)
        _ = try drive.pin(id: film.id, upToBytes: 10_000_000)
        let requests = try await cloud.requests()
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await drive.keepPins()
        }
        #expect(await failure { try await before.value } is CancellationError)
        #expect(try await cloud.requests() == requests)

        try await cloud.trouble(#"{"kind": "bin", "bytes_per_second": 400000}"#)
        let steps = Noted<UInt64>()
        let midway = Task { try await drive.keepPins { done, _ in steps.note(done) } }
        #expect(try await eventually { steps.all.last ?? 0 > 200_000 })
        await expectQuick {
            midway.cancel()
            #expect(await failure { try await midway.value } is CancellationError)
        }
        #expect(try await cloud.contentBytesAtRest() < UInt64(content.count))
        try await cloud.noTrouble()
        let run = try await drive.keepPins()
        #expect(run.files == 1 && run.fetched < UInt64(content.count))
        #expect(try await drive.openReader(of: film.id).everything() == content)
    }

    @Test("Progress is a stream that ends with the result, and a loop that ends stops the work")
    func steps() async throws {
        let content = randomBytes(3_000_000)
        try await cloud.put("/Jotta/Sync/film.mp4", content)
        var indexed: RefreshOutcome?
        for try await case .done(let outcome) in drive.indexing(.sync) { indexed = outcome }
        #expect(indexed?.files == 1)
        let film = try drive.found("Sync", "film.mp4").id
        let file = stage.scratch.file("film.mp4")
        try await cloud.trouble(#"{"kind": "bin", "bytes_per_second": 400000}"#)
        for try await case .going(let done, let total) in drive.fetching(film, to: file) where done > 100_000 {
            #expect(total == 3_000_000)
            break
        }
        #expect(try await cloud.contentBytesAtRest() < 3_000_000, "the core went on behind the loop")
        try await cloud.noTrouble()
        var last: Step<FetchedFile>?
        for try await step in drive.fetching(film, to: file) { last = step }
        guard case .done(let fetched)? = last else {
            Issue.record("it ended with \(String(describing: last))")
            return
        }
        #expect(fetched.bytes == 3_000_000)
        #expect(try Data(contentsOf: file) == content)
        _ = try drive.pin(id: film, upToBytes: 10_000_000)
        for try await case .done(let run) in drive.keepingPins() { #expect(run.missingFiles == 0) }
    }

    @Test("Usage says what is where, and eviction makes room")
    func usage() async throws {
        let (film, _) = try await stage.film(500_000)
        #expect(try drive.usage().limits == CacheLimits())
        try await drive.fetch(film.id, to: stage.scratch.file("film"))
        let sync = try #require(try drive.usage().spaces.first { $0.space == .sync })
        #expect(sync.cachedBytes >= 500_000 && sync.wholeFiles == 1)
        #expect(try drive.status().usage.freeBytes > 0)
        #expect(try drive.evict(id: film.id).files == 1)
        #expect(try drive.found("Sync", "film.mp4").local == .absent)
        try await drive.fetch(film.id, to: stage.scratch.file("film"))
        #expect(try drive.setLimits(limits: CacheLimits(budgetBytes: 0)).files == 1)
        #expect(try drive.usage().limits == CacheLimits(budgetBytes: 0))
    }

    @Test("A thumbnail is a picture, smaller than its file, and comes once")
    func thumbnail() async throws {
        try await cloud.seed("demo")
        for space in [DriveSpace.sync, .backup, .archive] { try await drive.index(space) }
        let photos = try drive.search(query: SearchQuery(text: ".jpg")).items.filter { $0.size ?? 0 > 0 }
        let photo = try #require(photos.max { $0.size ?? 0 < $1.size ?? 0 })
        let thumbnail = try #require(try await drive.thumbnail(of: photo.id, size: .small))
        let picture = try Data(contentsOf: URL(filePath: thumbnail.path), options: .alwaysMapped)
        let magic: [String: [UInt8]] = [
            "image/jpeg": [0xFF, 0xD8, 0xFF], "image/png": [0x89, 0x50, 0x4E, 0x47], "image/webp": [0x52, 0x49, 0x46, 0x46],
        ]
        let expected = try #require(magic[thumbnail.mime])
        #expect(Array(picture.prefix(expected.count)) == expected)
        #expect(UInt64(picture.count) < photo.size ?? 0)
        #expect(try drive.ledger().map(\.purpose) == [.thumbnail])
        #expect(try await cloud.contentBytesAtRest() == UInt64(picture.count))
        #expect(try drive.usage().thumbnailBytes == UInt64(picture.count))
        cloud.stop()
        #expect(try await drive.thumbnail(of: photo.id, size: .small) == thumbnail)
    }

    /// A folder with a folder in it; the contents by path below it.
    private func plant() async throws -> [[String]: Data] {
        let files = sizes.mapValues(randomBytes)
        for (path, content) in files {
            try await cloud.put("/Jotta/Sync/Flight/" + path.joined(separator: "/"), content)
        }
        try await cloud.put("/Jotta/Sync/not pinned.bin", randomBytes(50_000))
        try await drive.index(.sync)
        return files
    }
}

extension LommeDrive {
    /// What is at a path below the folder that these tests pin.
    fileprivate func item(_ path: [String]) throws -> Item {
        guard case .found(let item) = try find(names: ["Sync", "Flight"] + path) else {
            throw Cloud.Trouble(what: "\(path) is not there")
        }
        return item
    }
}
