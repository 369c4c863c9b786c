import Foundation
import Lomme
import Testing

/// What needs no service.
@Suite struct OfflineTests {
    let scratch: Scratch
    let drive: LommeDrive

    init() throws {
        scratch = try Scratch()
        drive = try LommeDrive.open(at: scratch.file("drive"), vault: MemoryVault())
    }

    @Test("A drive that nobody signed in to shows its spaces and asks to sign in")
    func signedOut() async throws {
        #expect(try drive.signInState() == .signedOut)
        #expect(try drive.roots().map(\.name) == ["Sync", "Backup", "Archive", "Trash"])
        let error = await failure { try await drive.refresh("sync") }
        guard case LommeError.SignInNeeded? = error else {
            Issue.record("expected SignInNeeded, got \(String(describing: error))")
            return
        }
    }

    @Test("A call whose task was cancelled before it started does not start")
    func cancelledBefore() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await drive.refresh("sync")
        }
        let error = await failure { try await task.value }
        #expect(error is CancellationError)
    }

    @Test("After a close every call is an error and none a crash, and a second close is fine")
    func afterClose() async throws {
        try await drive.close()
        try await drive.close()
        #expect(throws: LommeError.self) { try drive.roots() }
        #expect(throws: LommeError.self) { try drive.currentAnchor() }
        #expect(throws: LommeError.self) { try drive.status() }
        #expect(throws: LommeError.self) { try drive.resume() }
        let folder = await failure { try await drive.refresh("sync") }
        let file = await failure { try await drive.fetch("x", to: scratch.file("x")) }
        for error in [folder, file] {
            guard case LommeError.Closed? = error else {
                Issue.record("expected Closed, got \(String(describing: error))")
                continue
            }
        }
    }

    @Test("Calls on a paused drive throw Paused, and a resume brings them back")
    func paused() async throws {
        try await drive.pause(within: .seconds(5))
        let error = await failure { try await drive.refresh("sync") }
        guard case LommeError.Paused? = error else {
            Issue.record("expected Paused, got \(String(describing: error))")
            return
        }
        try drive.resume()
        #expect(try drive.roots().count == 4)
    }

    @Test("A stream of hints ends when the drive is closed", .timeLimit(.minutes(1)))
    func hintsEnd() async throws {
        let hints = try drive.hints(of: .tree)
        let feed = try drive.changes()
        let listening = Task {
            for await _ in hints {}
            for try await _ in feed {}
            return true
        }
        try await drive.close()
        #expect(try await listening.value)
    }

    @Test("A stream of hints ends when its task is cancelled", .timeLimit(.minutes(1)))
    func hintsCancelled() async throws {
        let feed = try drive.changes()
        let listening = Task {
            for try await _ in feed {}
            return true
        }
        listening.cancel()
        #expect(try await listening.value)
    }

    @Test("A resume hints, because another process may have written meanwhile", .timeLimit(.minutes(1)))
    func resumeHints() async throws {
        var hints = try drive.hints(of: .tree).makeAsyncIterator()
        try await drive.pause(within: .seconds(5))
        try drive.resume()
        #expect(await hints.next() != nil)
    }

    @Test("A URL that is no file is refused")
    func notAFile() async throws {
        let page = try #require(URL(string: "https://example.org/x"))
        #expect(throws: LommeError.self) { try LommeDrive.open(at: page, vault: MemoryVault()) }
        let error = await failure { try await drive.fetch("x", to: page) }
        guard case LommeError.InvalidArgument? = error else {
            Issue.record("expected InvalidArgument, got \(String(describing: error))")
            return
        }
    }
}

/// What needs no drive.
@Suite struct ValueTests {
    @Test("An error tells a person what to do, and an app when to try again")
    func errors() {
        let error = LommeError.SignInNeeded(detail: "for developers")
        #expect(error.localizedDescription == "Please sign in again.")
        #expect(error.retryAdvice() == .needsUser)
        #expect(LommeError.ServerBusy(status: 429, retryAfterMs: 1500, detail: "").retryAdvice() == .after(delayMs: 1500))
    }

    @Test("A memory vault gives back what was put, until it is removed")
    func vault() {
        let vault = MemoryVault()
        #expect(vault.get(name: "token") == nil)
        vault.put(name: "token", secret: "one")
        vault.put(name: "token", secret: "two")
        #expect(vault.get(name: "token") == "two")
        vault.remove(name: "token")
        #expect(vault.get(name: "token") == nil)
    }
}
