import Foundation
import Lomme
import Testing

/// Finding things without the service, and following what other devices do.
@Suite(.timeLimit(.minutes(3))) struct FindingTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive

    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
    }

    @Test("A search knows å, folds accents and case, and finds parts of words")
    func search() async throws {
        for name in ["Blåbær.txt", "blabar.txt", "Crème brûlée.txt", "Øl på fjellet.txt"] {
            try await cloud.put("/Jotta/Sync/\(name)", Data("x".utf8))
        }
        try await drive.index(.sync)
        cloud.stop()
        let names = { text in try drive.search(query: SearchQuery(text: text)).items.map(\.name) }
        #expect(try names("BLÅ") == ["Blåbær.txt"])
        #expect(try names("blabar") == ["blabar.txt"])
        #expect(try names("creme brulee") == ["Crème brûlée.txt"])
        #expect(try names("fjell øl") == ["Øl på fjellet.txt"])
        #expect(try names("jelle") == ["Øl på fjellet.txt"])
        #expect(try names("ol fjell").isEmpty)
    }

    @Test("A search is filtered by space, kind, size and date, limited, and says what it does not know")
    func filters() async throws {
        try await cloud.put("/Jotta/Sync/holiday small.jpg", randomBytes(16), modified: 1_700_000_000_000)
        try await cloud.put("/Jotta/Sync/holiday large.jpg", randomBytes(16_000), modified: 1_710_000_000_000)
        try await cloud.put("/Jotta/Sync/Holiday/holiday.txt", randomBytes(32), modified: 1_720_000_000_000)
        try await cloud.put("/Jotta/Archive/holiday.jpg", randomBytes(32), modified: 1_730_000_000_000)
        try await drive.refresh("sync")
        #expect(try drive.search(query: SearchQuery(text: "holiday.txt")).unlistedFolders > 0)
        try await drive.index(.sync)
        try await drive.index(.archive)
        let found = { query in try drive.search(query: query).items.map(\.name).sorted() }
        #expect(try found(SearchQuery(text: "holiday", spaces: [.archive])) == ["holiday.jpg"])
        #expect(try found(SearchQuery(text: "holiday", kind: .folder)) == ["Holiday"])
        #expect(try found(SearchQuery(text: "holiday", atLeast: 1_000)) == ["holiday large.jpg"])
        let dates = SearchQuery(text: "holiday", modifiedFromMs: 1_710_000_000_000, modifiedBeforeMs: 1_730_000_000_000)
        #expect(try found(dates) == ["holiday large.jpg", "holiday.txt"])
        let two = try drive.search(query: SearchQuery(text: "holiday", limit: 2))
        #expect(two.items.count == 2 && two.more)
    }

    @Test("Recents and favourites")
    func recents() async throws {
        try await cloud.put("/Jotta/Sync/old.txt", Data("a".utf8), modified: 1_500_000_000_000)
        try await cloud.put("/Jotta/Sync/new.txt", Data("a".utf8), modified: 1_700_000_000_000)
        try await drive.refresh("sync")
        #expect(try drive.recents(limit: 10).map(\.name) == ["new.txt", "old.txt"])
        let old = try drive.found("Sync", "old.txt")
        try await drive.fetch(old.id, to: stage.scratch.file("old.txt"))
        #expect(try drive.recents(limit: 1).map(\.name) == ["old.txt"])
        try drive.setFavourite(id: old.id, on: true)
        #expect(try drive.favourites().map(\.id) == [old.id])
        #expect(try drive.found("Sync", "old.txt").favourite)
        try drive.setFavourite(id: old.id, on: false)
        #expect(try drive.favourites().isEmpty)
        #expect(try drive.isDescendant(ancestor: "sync", id: old.id))
        #expect(try !drive.isDescendant(ancestor: "archive", id: old.id))
    }

    @Test("The working set has what the system holds, and tells what comes and goes")
    func workingSet() async throws {
        try await cloud.put("/Jotta/Sync/Held/a.txt", Data("x".utf8))
        try await cloud.put("/Jotta/Sync/Other/c.txt", Data("x".utf8))
        try await drive.index(.sync)
        let held = try drive.found("Sync", "Held").id
        let anchor = try drive.currentAnchor()
        let forgotten = try drive.beginHeld()
        let report = try drive.beginHeld()
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try drive.commitHeld(report: forgotten)
        }
        try drive.addHeld(report: report, ids: [held, "an id that nobody knows"])
        try drive.commitHeld(report: report)
        let rows = try await drive.workingSetPages(limit: 1).reduce(into: [Item]()) { $0 += $1.items }
        #expect(rows.map(\.name).contains("a.txt") && !rows.map(\.name).contains("c.txt"))
        var feed = try drive.workingSetChanges(since: anchor).makeAsyncIterator()
        let came = try await feed.next()
        #expect(came?.updated.map(\.name).contains("a.txt") == true)

        let full = try drive.currentAnchor()
        try drive.commitHeld(report: drive.beginHeld())
        let left = try drive.workingSetChanges(anchor: full, limit: 100).deleted
        #expect(left.contains(try drive.found("Sync", "Held", "a.txt").id))
        try await expectError({ if case .AnchorExpired = $0 { true } else { false } }) {
            try drive.workingSetChanges(anchor: "nonsense", limit: 100)
        }
    }

    @Test("A watch hears of another device's change, and a sequence tells what it was")
    func watched() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await drive.index(.sync)
        let changes = try drive.watchedChanges()
        let names = Noted<String>()
        let hearing = Task {
            for try await page in changes { page.updated.forEach { names.note($0.name) } }
        }
        defer { hearing.cancel() }
        #expect(try await eventually(within: 30) { try drive.status().watching })
        try await cloud.put("/Jotta/Sync/new.txt", Data("new".utf8))
        #expect(try await eventually(within: 30) { names.all.contains("new.txt") })
        #expect(try await cloud.contentBytes() == 0)
    }

    @Test("A watch is cancelled at once, also before it starts, and ends with its sequence")
    func watchCancelled() async throws {
        let requests = try await cloud.requests()
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await drive.watch()
        }
        #expect(await failure { try await before.value } is CancellationError)
        #expect(try await cloud.requests() == requests)
        let midway = Task { try await drive.watch() }
        #expect(try await eventually(within: 30) { try drive.status().watching })
        await expectQuick {
            midway.cancel()
            #expect(await failure { try await midway.value } is CancellationError)
        }
        #expect(try await eventually(within: 30) { try !drive.status().watching })
        var changes = try Optional(drive.watchedChanges())
        #expect(try await eventually(within: 30) { try drive.status().watching })
        #expect(changes != nil)
        changes = nil
        #expect(try await eventually(within: 30) { try !drive.status().watching })
    }

    @Test("A pause delays watched changes, and a close ends them")
    func watchPaused() async throws {
        try await drive.refresh("sync")
        let changes = try drive.watchedChanges()
        let names = Noted<String>()
        let ends = Noted<String>()
        Task {
            let error = await failure { for try await page in changes { page.updated.forEach { names.note($0.name) } } }
            ends.note(error.map { "\($0)" } ?? "well")
        }
        #expect(try await eventually(within: 30) { try drive.status().watching })
        try await drive.pause(within: .seconds(5))
        try drive.resume()
        #expect(try await eventually(within: 30) { try drive.status().watching })
        try await cloud.put("/Jotta/Sync/after.txt", Data("a".utf8))
        #expect(try await eventually(within: 30) { names.all.contains("after.txt") })
        #expect(ends.all.isEmpty)
        try await drive.close()
        #expect(try await eventually(within: 30) { ends.all == ["well"] })
    }

    @Test("Watched changes whose sign-in was revoked say so, however many there are")
    func watchRevoked() async throws {
        try await drive.refresh("sync")
        let ends = Noted<Bool>()
        for _ in 0..<2 {
            let changes = try drive.watchedChanges()
            Task {
                let error = await failure { for try await _ in changes {} }
                if case LommeError.SignInNeeded? = error { ends.note(true) } else { ends.note(false) }
            }
        }
        #expect(try await eventually(within: 30) { try drive.status().watching })
        // The look after the connection is over: only the refresh finds out.
        try await Task.sleep(for: .seconds(3))
        try await cloud.revokeTokens()
        try await expectError({ if case .SignInNeeded = $0 { true } else { false } }) { try await drive.refresh("sync") }
        #expect(try await eventually(within: 30) { ends.all == [true, true] })
    }

    @Test("When a great part of a space disappears, nothing is removed before a person has said so")
    func manyGone() async throws {
        try await cloud.fill("/Jotta/Sync/Many", count: 3_000)
        try await drive.index(.sync)
        try await cloud.remove("/Jotta/Sync/Many")
        try await expectError({
            guard case .ManyGone(let gone, let known, _) = $0 else { return false }
            return gone >= 3_000 && known >= gone && $0.retryAdvice() == .needsUser
        }) { try await drive.index(.sync) }
        _ = try drive.found("Sync", "Many")
        try drive.acceptDisappearance(space: .sync)
        #expect(try await drive.index(.sync).deleted >= 3_000)
    }

    @Test("Browsing, searching, watching, polling and keeping no pins fetch nothing of Sync")
    func unasked() async throws {
        try await cloud.seed("demo")
        try drive.setSituation(situation: DeviceSituation(network: .unmetered, charging: true, batteryPercent: 100))
        try drive.setRules(rules: FetchRules(onMetered: true, onRoaming: true, onLowPower: true))
        let watching = Task { try await drive.watch() }
        #expect(try await eventually(within: 30) { try drive.status().watching })
        for space in [DriveSpace.sync, .backup, .archive] { try await drive.index(space) }
        let items = try drive.search(query: SearchQuery(text: "", limit: 1_000)).items
        #expect(items.count > 20)
        for item in items {
            _ = try drive.why(id: item.id)
            _ = try drive.weight(id: item.id)
            if item.kind == .file {
                // Opened and not read: no byte was asked for.
                try drive.openReader(of: item.id).close()
            } else {
                try await drive.refresh(item.id)
                _ = try await drive.names(item.id)
            }
        }
        try drive.setFavourite(id: #require(items.first).id, on: true)
        _ = try drive.recents(limit: 100)
        let report = try drive.beginHeld()
        try drive.addHeld(report: report, ids: Array(items.map(\.id).prefix(500)))
        try drive.commitHeld(report: report)
        _ = try await drive.workingSetPages().reduce(into: 0) { $0 += $1.items.count }
        try await cloud.put("/Jotta/Sync/from another device.bin", randomBytes(100_000))
        #expect(try await eventually(within: 30) { (try? drive.found("Sync", "from another device.bin")) != nil })
        try await drive.poll(within: .seconds(5))
        try await drive.keepPins()
        watching.cancel()
        _ = await failure { try await watching.value }
        #expect(try drive.ledger().isEmpty)
        #expect(try await cloud.contentBytesAtRest() == 0)
    }
}
