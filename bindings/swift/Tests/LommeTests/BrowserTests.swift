import Foundation
import Lomme
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Signing in through a browser, whose part the test plays.
@Suite(.timeLimit(.minutes(2))) struct BrowserTests {
    let scratch: Scratch
    let cloud: Cloud
    let drive: LommeDrive

    init() throws {
        scratch = try Scratch()
        cloud = try Cloud()
        drive = try LommeDrive.open(
            at: scratch.file("drive"),
            vault: MemoryVault(),
            endpoints: cloudEndpointsAt(origin: cloud.url)
        )
    }

    @Test("A browser signs in, after a warning")
    func allowed() async throws {
        let started = try await drive.signInByBrowser(service: "Jottacloud")
        #expect(try started.warning().contains("sign out"))
        let page = try started.url()
        let finishing = Task { try await started.finish() }
        try await browse(page, answer: "allow")
        let account = try await finishing.value
        #expect(try drive.signInState() == .signedIn(account: account))
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        #expect(try await drive.refresh("sync").files == 1)
    }

    @Test("A person who says no stays signed out")
    func denied() async throws {
        let started = try await drive.signInByBrowser(service: "Jottacloud")
        let page = try started.url()
        let finishing = Task { try await started.finish() }
        try await browse(page, answer: "deny")
        try await expectError({ if case .LoginRefused = $0 { true } else { false } }) {
            try await finishing.value
        }
        #expect(try drive.signInState() == .signedOut)
    }

    @Test("A person who never comes back can be given up on, and that sign-in is over")
    func givenUp() async throws {
        let started = try await drive.signInByBrowser(service: "Jottacloud")
        let finishing = Task { try await started.finish() }
        try await Task.sleep(for: .milliseconds(200))
        let start = ContinuousClock.now
        finishing.cancel()
        #expect(await failure { try await finishing.value } is CancellationError)
        #expect(ContinuousClock.now - start < .seconds(2))
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try await started.finish()
        }
        #expect(try drive.signInState() == .signedOut)
    }

    @Test("Jottacloud is among the services, and one that is not is refused")
    func services() async throws {
        #expect(try cloudServices().contains { $0.name == "Jottacloud" })
        try await expectError({ if case .InvalidArgument = $0 { true } else { false } }) {
            try await drive.signInByBrowser(service: "No such service")
        }
    }

    /// Opens the page, answers its form, and follows it back.
    private func browse(_ page: String, answer: String) async throws {
        let url = try #require(URL(string: page))
        let (_, opened) = try await URLSession.shared.data(from: url)
        #expect((opened as? HTTPURLResponse)?.statusCode == 200)
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
        let query = try #require(URLComponents(string: page)?.percentEncodedQuery)
        request.httpBody = Data("\(query)&answer=\(answer)".utf8)
        _ = try await URLSession.shared.data(for: request)
    }
}
