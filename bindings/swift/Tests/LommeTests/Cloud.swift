import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A local cloud as a process of its own, and the test's hand on it. tests/cloud/README.md tells what it obeys.
/// It ends with this object, and with the test's process if that dies first.
final class Cloud: @unchecked Sendable {
    // Only read after `init`.
    private let process = Process()
    private let input = Pipe()
    let url: String

    /// An empty cloud on a free port, with its files in a temporary directory.
    init() throws {
        let output = Pipe()
        process.executableURL = URL(filePath: #filePath).appending(path: "../../../build/local-cloud").standardized
        process.arguments = ["--json", "--seed", "none", "--until-stdin-closes"]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Trouble(what: "the local cloud did not start") }
            line += more
        }
        url = try JSONDecoder().decode(Ready.self, from: line).url
    }

    deinit {
        stop()
    }

    /// From now on nobody answers.
    func stop() {
        try? input.fileHandleForWriting.close()
        // A cloud that was started meanwhile may have inherited the pipe, and would keep this one alive, and with it the
        // thread that waits here.
        process.terminate()
        process.waitUntilExit()
    }

    /// A new personal login token, which works once.
    func loginToken() async throws -> String {
        struct Answer: Decodable { let login_token: String }
        return try JSONDecoder().decode(Answer.self, from: await ask("POST", "login-token")).login_token
    }

    /// Another client writes a file; missing parents are made. `modified` is in milliseconds since 1970.
    func put(_ path: String, _ content: Data, modified: Int64? = nil) async throws {
        var parameters = ["path": path]
        parameters["modified"] = modified.map { "\($0)" }
        try await ask("PUT", "file", parameters, content)
    }

    /// Fills the cloud by a plan: `demo`, `scale:FILES:FOLDERS`.
    func seed(_ plan: String) async throws {
        try await ask("POST", "seed", ["plan": plan])
    }

    /// Another client writes many small files.
    func fill(_ folder: String, count: Int) async throws {
        try await ask("POST", "folder", ["path": folder, "files": "\(count)"])
    }

    /// Another client removes a file or folder for good.
    func remove(_ path: String) async throws {
        try await ask("DELETE", "file", ["path": path, "for_good": "true"])
    }

    /// Another client moves a file or folder to the trash.
    func trash(_ path: String) async throws {
        try await ask("DELETE", "file", ["path": path])
    }

    /// Another client moves or renames.
    func move(_ from: String, to: String) async throws {
        try await ask("POST", "move", ["from": from, "to": to])
    }

    /// What lives below `path`: for each path its bytes, `-` for a folder.
    func tree(_ path: String) async throws -> [String: String] {
        let text = String(decoding: try await ask("GET", "tree", ["path": path]), as: UTF8.self)
        return text.split(separator: "\n").reduce(into: [:]) { tree, line in
            let parts = line.components(separatedBy: "  ")
            let place = parts.dropFirst(2).joined(separator: "  ")
            tree[String(place.dropFirst(path.count + 1))] = parts[1]
        }
    }

    /// From now on requests that the rule picks go wrong.
    func trouble(_ rule: String) async throws {
        try await ask("POST", "trouble", [:], Data(rule.utf8))
    }

    /// All is well again.
    func noTrouble() async throws {
        try await ask("DELETE", "trouble")
    }

    /// All access tokens are expired from now on.
    func expireTokens() async throws {
        try await ask("POST", "tokens/expire")
    }

    /// All sign-ins are revoked.
    func revokeTokens() async throws {
        try await ask("POST", "tokens/revoke")
    }

    /// Requests of the service answered so far.
    func requests() async throws -> UInt64 {
        try await counts().requests.values.reduce(0, +)
    }

    /// Requests of one kind answered so far.
    func requests(_ kind: String) async throws -> UInt64 {
        try await counts().requests[kind] ?? 0
    }

    /// Bytes of file content served so far.
    func contentBytes() async throws -> UInt64 {
        try await counts().content_bytes.values.reduce(0, +)
    }

    /// The same, when no more come: the cloud needs a moment to notice that nobody listens.
    func contentBytesAtRest() async throws -> UInt64 {
        while true {
            let served = try await contentBytes()
            try await Task.sleep(for: .seconds(1))
            if try await contentBytes() == served { return served }
        }
    }

    private func counts() async throws -> Counts {
        try JSONDecoder().decode(Counts.self, from: await ask("GET", "counts"))
    }

    @discardableResult
    private func ask(
        _ method: String,
        _ control: String,
        _ parameters: [String: String] = [:],
        _ body: Data? = nil
    ) async throws -> Data {
        guard var components = URLComponents(string: "\(url)/_local/\(control)") else {
            throw Trouble(what: "no URL: \(url)")
        }
        if !parameters.isEmpty {
            components.queryItems = parameters.map { URLQueryItem(name: $0.key, value: $0.value) }
        }
        guard let target = components.url else { throw Trouble(what: "no URL: \(components)") }
        var request = URLRequest(url: target)
        request.httpMethod = method
        request.httpBody = body
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, 200..<300 ~= status else {
            throw Trouble(what: "\(method) \(control): \(response) \(String(decoding: data, as: UTF8.self))")
        }
        return data
    }

    struct Trouble: Error {
        let what: String
    }

    private struct Ready: Decodable {
        let url: String
    }

    private struct Counts: Decodable {
        let requests: [String: UInt64]
        let content_bytes: [String: UInt64]
    }
}
