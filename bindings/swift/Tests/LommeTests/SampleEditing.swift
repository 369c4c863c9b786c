// The third sample of the README, compiled and run: a test fails when the two differ.

import Foundation
import Lomme

// README
func edit(_ drive: LommeDrive, photo: URL) async throws {
    let notes = try drive.createFolder(in: "sync", name: "Notes")         // here at once, offline too
    let file = try drive.createFile(in: notes.id, name: "boat.jpg", content: photo)
    try drive.rename(file.id, to: "Our boat.jpg")                         // one wish more, not one request more
    try drive.createWriter(in: notes.id, name: "log.txt").committing { writer in
        try writer.write(Data("We sailed.\n".utf8), at: 0)                // if it throws, nothing is published
    }
    print(try drive.outbox().count, "changes wait")
    print(try await drive.push().done, "sent")                            // after a kill, simply again
    for conflict in try drive.conflicts(report: true) { print(conflict.name, conflict.kind) }
}
