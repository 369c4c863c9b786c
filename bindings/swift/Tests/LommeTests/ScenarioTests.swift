import Foundation
import Lomme
import Testing

/// What an app does from the first sign-in on. Each test has a cloud and a drive of its own.
@Suite(.timeLimit(.minutes(2))) struct ScenarioTests {
    let scratch: Scratch
    let cloud: Cloud
    let drive: LommeDrive

    init() throws {
        scratch = try Scratch()
        cloud = try Cloud()
        drive = try LommeDrive.open(at: scratch.file("drive"), vault: MemoryVault())
    }

    @Test("A login token signs in once, and the account is told")
    func signsIn() async throws {
        let token = try await cloud.loginToken()
        let account = try await drive.signIn(loginToken: token)
        #expect(!account.username.isEmpty)
        #expect(try drive.signInState() == .signedIn(account: account))
        #expect(try await drive.refreshAccount().username == account.username)

        let other = try LommeDrive.open(at: scratch.file("other"), vault: MemoryVault())
        try await expectError({ if case .LoginRefused = $0 { true } else { false } }) {
            try await other.signIn(loginToken: token)
        }
        #expect(try other.signInState() == .signedOut)
    }

    @Test("The three spaces are listed, each item with what may be done and where that leads")
    func spaces() async throws {
        try await cloud.put("/Jotta/Sync/letter.txt", Data("dear".utf8))
        try await cloud.put("/Jotta/Archive/old.txt", Data("old".utf8))
        try await cloud.put("/Laptop/Documents/tax.txt", Data("tax".utf8))
        try await signIn()
        for root in try drive.roots() {
            try await drive.refresh(root.id)
        }
        #expect(try await names("sync").contains("letter.txt"))
        #expect(try await names("archive") == ["old.txt"])
        #expect(try await names("backup") == ["Laptop"])

        let letter = try drive.found("Sync", "letter.txt")
        #expect(letter.size == 4)
        #expect(letter.capabilities.first { $0.action == .trash }?.consequence == .deletedOnAllComputers)
        #expect(try drive.pathOf(id: letter.id).map(\.id) == ["sync", letter.id])
        let laptop = try drive.found("Backup", "Laptop")
        #expect(laptop.kind == .computer)
        try await drive.refresh(laptop.id)
        #expect(try await names(laptop.id) == ["Documents"])
    }

    @Test("A folder of 5,000 files comes in pages, each file once and sorted, and moves no content")
    func pages() async throws {
        try await cloud.fill("/Jotta/Sync/Many", count: 5_000)
        try await signIn()
        try await drive.refresh("sync")
        let many = try drive.found("Sync", "Many")
        #expect(try await drive.refresh(many.id).files == 5_000)

        var sizes: [Int] = []
        var names: [String] = []
        for try await page in drive.pages(of: many.id, limit: 500) {
            sizes.append(page.items.count)
            names += page.items.map(\.name)
        }
        #expect(sizes == Array(repeating: 500, count: 10))
        #expect(Set(names).count == 5_000)
        #expect(names == names.sorted())

        #expect(try drive.ledger().isEmpty)
        #expect(try await cloud.contentBytes() == 0)
    }

    @Test("An index tells how far it is and moves no content")
    func index() async throws {
        try await cloud.fill("/Jotta/Sync/Many", count: 3_000)
        try await signIn()
        let seen = Noted<UInt64>()
        #expect(try await drive.index(.sync) { seen.note($0) }.files == 3_000)
        #expect(!seen.all.isEmpty)
        #expect(seen.all == seen.all.sorted())
        #expect(try drive.ledger().isEmpty)
        #expect(try await cloud.contentBytes() == 0)
    }

    @Test("A download gets the very bytes, tells how far it is, and is in the ledger")
    func download() async throws {
        let content = randomBytes(3_000_000)
        try await cloud.put("/Jotta/Sync/film.mp4", content)
        try await signIn()
        try drive.setSituation(situation: DeviceSituation(network: .unmetered))
        try await drive.refresh("sync")
        let steps = Noted<[UInt64]>()
        let file = scratch.file("film.mp4")
        let done = try await drive.fetch(drive.found("Sync", "film.mp4").id, to: file) { steps.note([$0, $1]) }

        #expect(try Data(contentsOf: file) == content)
        #expect(done.bytes == 3_000_000)
        #expect(done.fetched == 3_000_000)
        #expect(steps.all.last == [3_000_000, 3_000_000])
        #expect(steps.all.map { $0[0] } == steps.all.map { $0[0] }.sorted())
        let row = LedgerRow(space: .sync, purpose: .open, network: .unmetered, bytes: 3_000_000)
        #expect(try drive.ledger() == [row])
        #expect(try await cloud.contentBytes() == 3_000_000)
    }

    @Test("A cancelled download stops in Rust at once, leaves no file, and is continued by the next")
    func cancelledMidway() async throws {
        let content = randomBytes(4_000_000)
        try await cloud.put("/Jotta/Sync/film.mp4", content)
        try await signIn()
        try await drive.refresh("sync")
        let film = try drive.found("Sync", "film.mp4").id
        let file = scratch.file("film.mp4")
        try await cloud.trouble(#"{"kind": "bin", "bytes_per_second": 1000000}"#)

        let steps = Noted<UInt64>()
        let task = Task { try await drive.fetch(film, to: file) { done, _ in steps.note(done) } }
        #expect(try await eventually { steps.all.last ?? 0 > 500_000 })
        let start = ContinuousClock.now
        task.cancel()
        #expect(await failure { try await task.value } is CancellationError)
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(!FileManager.default.fileExists(atPath: file.path))
        // The cloud has to notice that the connection is gone.
        try await Task.sleep(for: .milliseconds(200))
        let served = try await cloud.contentBytes()
        #expect(served < 4_000_000)
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await cloud.contentBytes() == served, "Rust went on after the cancel")

        try await cloud.noTrouble()
        let done = try await drive.fetch(film, to: file)
        #expect(try Data(contentsOf: file) == content)
        #expect(done.fetched < done.bytes)
    }

    @Test("A call whose task was cancelled before it started asks nothing of the service")
    func cancelledBefore() async throws {
        try await signIn()
        let before = try await cloud.requests()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await drive.refresh("sync")
        }
        #expect(await failure { try await task.value } is CancellationError)
        #expect(try await cloud.requests() == before)
        #expect(try await drive.refresh("sync").files == 0)
    }

    @Test("A cancel during a back-off ends it at once")
    func cancelledWaiting() async throws {
        try await signIn()
        try await cloud.trouble(#"{"kind": "get", "status": 503, "retry_after": 2}"#)
        let before = try await cloud.requests()
        let task = Task { try await drive.refresh("sync") }
        #expect(try await eventually { try await cloud.requests() > before })
        try await Task.sleep(for: .milliseconds(200))
        let start = ContinuousClock.now
        task.cancel()
        #expect(await failure { try await task.value } is CancellationError)
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test("Cancelling one of two calls leaves the other alone")
    func cancelledOne() async throws {
        try await signIn()
        try await cloud.trouble(#"[{"kind": "get", "path": "Sync", "delay_ms": 60000}, {"kind": "get", "delay_ms": 1500}]"#)
        let before = try await cloud.requests("get")
        let one = Task { try await drive.refresh("sync") }
        let other = Task { try await drive.refresh("archive") }
        #expect(try await eventually { try await cloud.requests("get") == before + 2 })
        one.cancel()
        #expect(await failure { try await one.value } is CancellationError)
        #expect(try await other.value.files == 0)
    }

    @Test("However many calls are cancelled at whatever moment, each ends at once as cancelled or done, and the drive works on")
    func cancelledAtAnyMoment() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await signIn()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let call = Task { try await drive.refresh("sync") }
                    try await Task.sleep(for: .microseconds(.random(in: 0...30_000)))
                    call.cancel()
                    let error = await failure { try await call.value }
                    #expect(error == nil || error is CancellationError)
                }
            }
            try await group.waitForAll()
        }
        #expect(ContinuousClock.now - start < .seconds(30))
        try await drive.refresh("sync")
        #expect(try await names("sync") == ["a.txt"])
    }

    @Test("Closing the drive ends a download with a typed error")
    func closedMidway() async throws {
        try await cloud.put("/Jotta/Sync/film.mp4", randomBytes(3_000_000))
        try await signIn()
        try await drive.refresh("sync")
        try await cloud.trouble(#"{"kind": "bin", "bytes_per_second": 300000}"#)
        let film = try drive.found("Sync", "film.mp4").id
        let steps = Noted<UInt64>()
        let task = Task {
            try await drive.fetch(film, to: scratch.file("film.mp4")) { done, _ in steps.note(done) }
        }
        #expect(try await eventually { steps.all.last ?? 0 > 0 })
        try await drive.close()
        try await expectError({ if case .Closed = $0 { true } else { false } }) { try await task.value }
    }

    @Test("An expired access token is refreshed without a word")
    func expired() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await signIn()
        let before = try await cloud.requests("token")
        try await cloud.expireTokens()
        try await drive.refresh("sync")
        #expect(try await names("sync") == ["a.txt"])
        #expect(try await cloud.requests("token") > before)
        guard case .signedIn = try drive.signInState() else {
            Issue.record("no longer signed in")
            return
        }
    }

    @Test("A revoked sign-in asks to sign in again, is heard of, and loses nothing local")
    func revoked() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await signIn()
        try await drive.refresh("sync")
        let states = try drive.signInStates()
        let heard = Task {
            for try await state in states {
                if case .signInAgain = state { return true }
            }
            return false
        }
        try await cloud.revokeTokens()
        try await expectError({
            if case .SignInNeeded = $0 { $0.retryAdvice() == .needsUser } else { false }
        }) { try await drive.refresh("sync") }
        #expect(try await heard.value)
        #expect(try await names("sync") == ["a.txt"])

        try await signIn()
        try await drive.refresh("sync")
        #expect(try await names("sync") == ["a.txt"])
    }

    @Test("A vault that fails is a typed error, and what it said does not get out")
    func failingVault() async throws {
        let drive = try LommeDrive.open(at: scratch.file("failing"), vault: FailingVault(error: Cloud.Trouble(what: "hush")))
        let error = await failure { try await drive.signIn(loginToken: cloud.loginToken()) }
        #expect(error as? LommeError == .VaultFailed(detail: "failed"))
        let locked = try LommeDrive.open(at: scratch.file("locked"), vault: FailingVault(error: CallbackError.Locked))
        let told = await failure { try await locked.signIn(loginToken: cloud.loginToken()) }
        #expect(told as? LommeError == .VaultFailed(detail: "locked"))
    }

    @Test("An item that another client deleted for good is proven gone")
    func gone() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await cloud.put("/Jotta/Sync/b.txt", Data("b".utf8))
        try await signIn()
        try await drive.refresh("sync")
        let gone = try drive.found("Sync", "a.txt").id
        try await cloud.remove("/Jotta/Sync/a.txt")
        let file = scratch.file("a.txt")
        try await expectError({ if case .NoSuchItem = $0 { true } else { false } }) {
            try await drive.fetch(gone, to: file)
        }
        #expect(!FileManager.default.fileExists(atPath: file.path))
        try await drive.refresh("sync")
        #expect(try drive.item(id: gone) == .gone)
        #expect(try await names("sync") == ["b.txt"])
    }

    @Test("A change that another client made is heard after a refresh")
    func heardOf() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await signIn()
        try await drive.refresh("sync")
        let feed = try drive.changes()
        let heard = Task {
            for try await page in feed {
                return page
            }
            throw CancellationError()
        }
        try await cloud.put("/Jotta/Sync/from-the-laptop.txt", Data("new".utf8))
        try await drive.refresh("sync")
        let page = try await heard.value
        #expect(page.updated.map(\.name) == ["from-the-laptop.txt"])
        #expect(page.deleted.isEmpty)
        #expect(try drive.changes(anchor: page.anchor, limit: 100).updated.isEmpty)
    }

    @Test("A feed that starts at an old anchor tells what was missed, and an unknown anchor is an error")
    func missed() async throws {
        try await signIn()
        try await drive.refresh("sync")
        let anchor = try drive.currentAnchor()
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await drive.refresh("sync")
        var feed = try drive.changes(since: anchor).makeAsyncIterator()
        #expect(try await feed.next()?.updated.map(\.name) == ["a.txt"])
        try await expectError({ if case .AnchorExpired = $0 { true } else { false } }) {
            var feed = try drive.changes(since: "nonsense").makeAsyncIterator()
            _ = try await feed.next()
        }
    }

    @Test("The sample of the README signs in and lists Sync")
    func sample() async throws {
        try await cloud.put("/Jotta/Sync/hello.txt", Data("hello".utf8))
        let directory = scratch.file("sample")
        try await listSync(in: directory, loginToken: cloud.loginToken(), vault: MemoryVault())
        let drive = try LommeDrive.open(at: directory, vault: MemoryVault())
        #expect(try drive.find(names: ["Sync", "hello.txt"]) != .unknown)
    }

    @Test("The sample reads a part, keeps a folder and hears of a change")
    func sampleOnDemand() async throws {
        try await cloud.put("/KARI-PC/Videos/film.mp4", Data(count: 200_000))
        try await signIn()
        // The other client goes on until it was heard.
        let writing = Task {
            for n in 0..<100 {
                try await Task.sleep(for: .milliseconds(300))
                try await cloud.put("/KARI-PC/Videos/new \(n).txt", Data("new".utf8))
            }
        }
        try await onDemand(drive)
        writing.cancel()
        let fetched = try drive.ledger().map(\.bytes).reduce(0, +)
        #expect(fetched >= 200_000)
    }

    @Test("The samples of the README are the ones that are compiled here")
    func samplesAreTheReadmes() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let readme = try String(
            contentsOf: tests.appending(path: "../../../../README.md").standardized,
            encoding: .utf8
        )
        let shown = readme.components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```").first
        }
        let compiled = try ["Sample.swift", "SampleOnDemand.swift", "SampleEditing.swift"].map {
            try String(contentsOf: tests.appending(path: $0), encoding: .utf8)
                .components(separatedBy: "// README\n").last
        }
        #expect(shown == compiled)
    }

    private func signIn() async throws {
        try await drive.signIn(loginToken: cloud.loginToken())
    }

    private func names(_ folder: String) async throws -> [String] {
        try await drive.names(folder)
    }
}

private final class FailingVault: SecretVault {
    let error: any Error

    init(error: any Error) {
        self.error = error
    }

    func get(name: String) throws -> String? {
        nil
    }

    func put(name: String, secret: String) throws {
        throw error
    }

    func remove(name: String) throws {}
}
