import Foundation
import Lomme
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A phone's library on its way to the cloud. Contents differ by their lengths.
@Suite(.timeLimit(.minutes(2))) struct CameraTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive
    let camera: LommeCamera

    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
        camera = try drive.camera()
        try drive.setSituation(situation: DeviceSituation(network: .unmetered))
        try await camera.createDevice("Pixel")
    }

    @Test("A library in pages is there once, with a receipt for each file, and a second run asks nothing")
    func library() async throws {
        let library = try camera.addLibrary("photos")
        let pair = [
            file("still", .photo, "IMG_5.HEIC", try local("5 still", "a moment")),
            file("film", .pairedVideo, "IMG_5.MOV", try local("5 film", "and how it moved")),
        ]
        let roll = [
            try photo("1", "IMG_1.JPG", "one"),
            try photo("2", "IMG_2.JPG", "two!"),
            try photo("3", "IMG_3.JPG", "three"),
            try photo("4", "Copy of 1.JPG", "one"),
            CameraAsset(key: "5", files: pair, kinds: [.photo, .livePhoto], takenMs: taken, modifiedMs: taken),
        ]
        let found = try scan(camera, library, roll, cursor: "token 1")
        #expect(found == CameraScanResult(seen: 5, added: 5, changed: 0, gone: 0, skipped: 0))
        let preview = try camera.preview(source: library, rules: AssetRules(withoutKinds: [.livePhoto]))
        #expect(preview.items == 4)
        #expect(preview.skipped == [SkipCount(rule: .kind, items: 1)])

        let steps = Noted<UInt64>()
        let batch = try await camera.runBatch { done, _ in steps.note(done) }
        #expect(batch.done == 5)
        #expect(batch.remaining == 0)
        #expect(batch.next == .idle)
        #expect(batch.hold == nil)
        #expect(batch.sentBytes == 36)
        #expect(steps.all == steps.all.sorted())
        let there = [
            "2026/": "-", "2026/08/": "-", "2026/08/IMG_1.JPG": "3", "2026/08/IMG_2.JPG": "4", "2026/08/IMG_3.JPG": "5",
            "2026/08/IMG_5.HEIC": "8", "2026/08/IMG_5.MOV": "16",
        ]
        #expect(try await cloud.tree("/Pixel/photos") == there)

        let receipts = try await camera.allReceipts().reduce(into: []) { $0.append($1) }
        #expect(receipts.count == 6)
        #expect(try camera.receipts(after: 0, limit: 2).receipts == Array(receipts.prefix(2)))
        let copy = try #require(receipts.first { $0.asset == "4" })
        #expect(copy.name == "Copy of 1.JPG")
        #expect(copy.path == "Pixel/photos/2026/08/IMG_1.JPG")
        #expect(copy.md5 == "f97c5d29941bfb1b2fdab0874906ab82")
        #expect(copy.blake3?.count == 64)
        #expect(Set(receipts.filter { $0.asset == "5" }.map(\.file)) == ["still", "film"])
        #expect(try camera.status().verified == ItemAmount(items: 5, bytes: 36))
        #expect(try camera.why("4", of: library).state == .verified)

        let before = try await cloud.requests()
        let delta = try camera.beginScan(of: library)
        #expect(delta.kind == .delta)
        #expect(delta.cursor == "token 1")
        try camera.add(roll, to: delta)
        try camera.commit(delta, cursor: "token 2", trust: .complete)
        let again = try await camera.runBatch(within: .seconds(60))
        #expect(again.done == 0)
        #expect(again.read == 0)
        #expect(try await cloud.requests() == before)
        #expect(try camera.sources().map(\.cursor) == ["token 2"])
    }

    @Test("What the platform must give is asked for, and what it cannot give holds up nothing else")
    func exports() async throws {
        let library = try camera.addLibrary("photos")
        let roll = ["a", "b", "c"].map { key in
            CameraAsset(key: key, files: [file("original", .photo, "\(key).HEIC", nil)], takenMs: taken, modifiedMs: taken)
        }
        try scan(camera, library, roll)
        let waits = try await camera.runBatch()
        #expect(waits.next == .whenProvided)
        #expect(waits.hold == .toProvide)
        let requests = try camera.exportRequests(limit: 20).sorted { $0.asset < $1.asset }
        #expect(requests.map(\.asset) == ["a", "b", "c"])
        try camera.exportFailed(request: requests[0].id, why: .notLocal)
        let (given, lent) = (try local("export b", "bee"), try local("export c", "seas"))
        #expect(try await camera.provide(requests[1].id, given) == .queued)
        #expect(try await camera.provide(requests[2].id, lent, taking: false) == .queued)
        #expect(!FileManager.default.fileExists(atPath: given.path))
        #expect(FileManager.default.fileExists(atPath: lent.path))

        #expect(try await camera.runBatch().done == 2)
        #expect(try await photos() == ["b.HEIC": "3", "c.HEIC": "4"])
        guard case .notProvided(let why, _) = try camera.why("a", of: library).hold else {
            Issue.record("it does not wait")
            return
        }
        #expect(why == .notLocal)
        #expect(try camera.troubled(after: 0, limit: 10).assets.map(\.asset) == ["a"])
        #expect(try camera.exportRequests(limit: 20).isEmpty)

        try camera.retry("a", of: library)
        let late = try #require(try camera.exportRequests(limit: 20).first)
        #expect(late.asset == "a")
        #expect(try await camera.provide(late.id, local("export a", "bee")) == .alreadyThere)
        #expect(try await camera.runBatch().next == .idle)
        #expect(try await photos() == ["b.HEIC": "3", "c.HEIC": "4"])
        #expect(try camera.why("a", of: library).state == .verified)
    }

    @Test("After a reinstall the device is claimed, and nothing is sent again")
    func reinstall() async throws {
        try scan(camera, camera.addLibrary("photos"), (1...5).map { try photo("\($0)", "IMG_\($0).JPG", "photo \($0)") })
        #expect(try await camera.runBatch().done == 5)
        let before = try await cloud.tree("/Pixel/photos")

        let reinstalled = try LommeDrive.open(at: stage.scratch.file("again"), vault: MemoryVault())
        try await reinstalled.signIn(loginToken: cloud.loginToken())
        try reinstalled.setSituation(situation: DeviceSituation(network: .unmetered))
        let camera = try reinstalled.camera()
        let library = try camera.addLibrary("photos")
        #expect(try await camera.devices() == [BackupDevice(name: "Pixel", ours: false)])
        try await expectError({ if case .NameTaken = $0 { true } else { false } }) {
            try await camera.createDevice("pixel")
        }
        #expect(try await camera.claimDevice("PIXEL") == AdoptedFiles(files: 5, adopted: 5, missing: 0))
        #expect(try camera.device() == "Pixel")

        // Other ids and other names: only the content is the same.
        try scan(camera, library, (1...5).map { try photo("new \($0)", "\($0).jpeg", "photo \($0)") })
        let asked = try await cloud.requests()
        let batch = try await camera.runBatch()
        #expect(batch.done == 0)
        #expect(batch.sentBytes == 0)
        #expect(batch.read == 5)
        #expect(try await cloud.requests() == asked)
        #expect(try await cloud.tree("/Pixel/photos") == before)
        #expect(try camera.why("new 3", of: library).state == .listed)
        try await reinstalled.close()
    }

    @Test("The system sends plans late, twice or never, and the next run proves what is there")
    func plans() async throws {
        try scan(camera, camera.addLibrary("photos"), (1...3).map { try photo("\($0)", "IMG_\($0).JPG", "photo \($0)") })
        #expect(try await camera.runBatch(bytes: 0).read == 3)
        let plans = try await camera.planUploads(limit: 10)
        #expect(plans.count == 3)
        for plan in plans {
            let text = "\(plan) \(plan.headers)"
            #expect(text.contains(plan.id))
            #expect(!plan.headers.map(\.value).contains { text.contains($0) } && !text.contains(plan.url))
            try camera.noteUpload(plan: plan.id, task: "a task")
        }
        #expect(try await camera.runBatch().done == 0)
        for plan in [plans[0], plans[1], plans[1]] { _ = try await send(plan) }
        #expect(try camera.settleUpload(plan: plans[0].id, end: .answered(status: 200)) == .toVerify)
        #expect(try camera.settleUpload(plan: plans[1].id, end: .answered(status: 200)) == .toVerify)
        #expect(try camera.settleUpload(plan: plans[1].id, end: .answered(status: 200)) == .settled)
        #expect(try camera.reconcileUploads(live: ["forgotten"]) == ["forgotten"])
        let again = try await camera.planUploads(limit: 10)
        #expect(again.count == 1)
        let status = try await send(again[0])
        #expect(try camera.settleUpload(plan: again[0].id, end: .answered(status: status)) == .toVerify)
        let batch = try await camera.runBatch()
        #expect(batch.done == 3)
        #expect(batch.remaining == 0)
        #expect(try await photos() == ["IMG_1.JPG": "7", "IMG_2.JPG": "7", "IMG_3.JPG": "7"])
    }

    @Test("The person's rules hold it back and why says so, and a cancel ends a run at once")
    func rules() async throws {
        let library = try camera.addLibrary("photos")
        try scan(camera, library, [try photo("1", "IMG_1.JPG", String(repeating: "a long photo ", count: 100_000))])
        try drive.setSituation(situation: DeviceSituation(network: .metered))
        let held = try await camera.runBatch()
        #expect(held.done == 0)
        #expect(held.remaining == 1)
        #expect(held.next == .whenUnmetered)
        #expect(held.hold == .conditions(reason: .metered))
        let why = try camera.why("1", of: library)
        #expect(why.hold == .conditions(reason: .metered))
        #expect(why.explanation.contains("metered"))
        #expect(why.paths == ["2026/08/IMG_1.JPG"])

        try drive.setSituation(situation: DeviceSituation(network: .unmetered, zoneMinutes: 60))
        try camera.setRules(rules: CameraRules(paused: true))
        #expect(try await camera.runBatch().hold == .paused)
        let never = CameraRules(schedule: CameraSchedule(days: [], fromMinute: 60, toMinute: 120))
        try camera.setRules(rules: never)
        #expect(try camera.rules() == never)
        #expect(try await camera.runBatch().hold == .outsideHours(fromMs: .max))
        try camera.setRules(rules: CameraRules())

        try await cloud.trouble(#"{"kind": "upload", "delay_ms": 20000}"#)
        let uploads = try await cloud.requests("upload")
        let run = Task { [camera] in try await camera.runBatch() }
        #expect(try await eventually { try await cloud.requests("upload") > uploads })
        await expectQuick {
            run.cancel()
            #expect(await failure { try await run.value } is CancellationError)
        }
        try await cloud.noTrouble()
        var done: UInt64?
        for try await step in camera.runningBatch() {
            if case .done(let batch) = step { done = batch.done }
        }
        #expect(done == 1)
    }

    @Test("Space is freed only of what is proven now")
    func freeUp() async throws {
        let library = try camera.addLibrary("photos")
        let exported = CameraAsset(
            key: "2", files: [file("o", .photo, "IMG_2.HEIC", nil)], takenMs: taken, modifiedMs: taken)
        try scan(camera, library, [try photo("1", "IMG_1.JPG", "one"), exported])
        let request = try #require(try camera.exportRequests(limit: 1).first)
        try await camera.provide(request.id, local("export", "number two"))
        #expect(try await camera.runBatch().done == 2)
        #expect(try camera.proposeFreeUp(limit: 10, days: 0).map(\.asset) == ["2", "1"])
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try camera.confirmFreed(source: library, asset: "1")
        }
        #expect(try await camera.prove("1", of: library) == .proven)
        #expect(try await camera.prove("2", of: library) == .unreadable)
        #expect(try await camera.prove("2", of: library, files: ["o": local("export", "number two")]) == .proven)
        #expect(try await camera.prove("2", of: library, files: ["o": local("export", "number too")]) == .changed)
        try camera.confirmFreed(source: library, asset: "1")
        #expect(try camera.proposeFreeUp(limit: 10, days: 0).map(\.asset) == ["2"])
        #expect(try await photos() == ["IMG_1.JPG": "3", "IMG_2.HEIC": "10"])
    }

    @Test("The sample of the package's README backs up a photo")
    func sample() async throws {
        let here = URL(filePath: #filePath)
        let sample = try String(contentsOf: here.appending(path: "../SampleCamera.swift").standardized, encoding: .utf8)
        let readme = try String(contentsOf: here.appending(path: "../../../README.md").standardized, encoding: .utf8)
        let code = sample.components(separatedBy: "// README\n")[1]
        let shown = readme.components(separatedBy: "```swift\n")[1].components(separatedBy: "```")[0]
        #expect(code == shown)
        try await backUp(drive, photo: local("boat.jpg", "a boat"))
        let receipts = try camera.receipts(after: 0, limit: 10).receipts
        #expect(receipts.map(\.name) == ["boat.jpg"])
        #expect(receipts.map(\.size) == [6])
    }

    /// 2026-08-09 10:11:12 UTC.
    private let taken: Int64 = 1_786_270_272_000

    /// A scan of all of a library, in pages of two.
    @discardableResult
    private func scan(
        _ camera: LommeCamera,
        _ library: UInt64,
        _ all: [CameraAsset],
        cursor: String? = nil
    ) throws -> CameraScanResult {
        let scan = try camera.beginScan(of: library, kind: .full)
        for start in stride(from: 0, to: all.count, by: 2) {
            try camera.add(Array(all[start..<min(start + 2, all.count)]), to: scan)
        }
        return try camera.commit(scan, cursor: cursor, trust: .complete)
    }

    private func photo(_ key: String, _ name: String, _ content: String) throws -> CameraAsset {
        let photo = file("", .photo, name, try local("photo \(key)", content))
        return CameraAsset(key: key, files: [photo], takenMs: taken, modifiedMs: taken)
    }

    private func file(_ key: String, _ role: AssetRole, _ name: String, _ url: URL?) -> AssetFile {
        AssetFile(key: key, role: role, name: name, stamp: 1, path: url?.path)
    }

    /// A file of this machine, written long ago: what was written just now rests.
    private func local(_ name: String, _ content: String) throws -> URL {
        let url = stage.scratch.file(name)
        try Data(content.utf8).write(to: url)
        let then = Date(timeIntervalSince1970: TimeInterval(taken) / 1000)
        try FileManager.default.setAttributes([.modificationDate: then], ofItemAtPath: url.path)
        return url
    }

    /// The photos of the month in the cloud, with their lengths.
    private func photos() async throws -> [String: String] {
        let tree = try await cloud.tree("/Pixel/photos").filter { !$0.key.hasSuffix("/") }
        return Dictionary(uniqueKeysWithValues: tree.map { (String($0.key.dropFirst("2026/08/".count)), $0.value) })
    }

    /// What the operating system would do. The status of the answer.
    private func send(_ plan: UploadPlan) async throws -> UInt16 {
        var request = URLRequest(url: try #require(URL(string: plan.url)))
        request.httpMethod = "POST"
        for header in plan.headers { request.setValue(header.value, forHTTPHeaderField: header.name) }
        request.httpBody = try Data(contentsOf: URL(filePath: plan.file))
        let (_, response) = try await URLSession.shared.data(for: request)
        return UInt16(try #require(response as? HTTPURLResponse).statusCode)
    }
}
