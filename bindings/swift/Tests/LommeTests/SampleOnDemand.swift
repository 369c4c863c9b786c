// The second sample of the README, compiled and run: a test fails when the two differ.

import Lomme

// README
func onDemand(_ drive: LommeDrive) async throws {
    try await drive.index(.backup)                        // names, and no content
    let found = try drive.search(query: SearchQuery(text: "film"))
    guard let film = found.items.first else { return }    // offline, as a person types
    let reader = try drive.openReader(of: film.id)
    let end = try await reader.read(at: reader.size() - 1_000, count: 1_000)
    print(end.count, "of", try reader.size(), "bytes")    // its block, and no other
    _ = try drive.pin(id: film.parent, upToBytes: 1_000_000_000)
    print(try await drive.keepPins().files, "file for the flight")
    for try await page in try drive.watchedChanges() {
        print("changed:", page.updated.map(\.name))
        break
    }
}
