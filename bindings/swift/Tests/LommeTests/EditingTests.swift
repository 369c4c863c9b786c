import Foundation
import Lomme
import Testing

/// What a person changes on the phone, and what of it the service has. Contents differ by their lengths.
@Suite(.timeLimit(.minutes(2))) struct EditingTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive

    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
        try drive.setSituation(situation: DeviceSituation(network: .unmetered))
    }

    @Test("Changes show at once without the network, and a push brings them all")
    func changes() async throws {
        try await cloud.put("/Jotta/Sync/Old/a.txt", Data("a".utf8))
        try await cloud.put("/Jotta/Sync/gone.txt", Data("gone".utf8))
        try await cloud.put("/Jotta/Sync/move.txt", Data("moved".utf8))
        try await drive.index(.sync)
        let before = try await cloud.requests()

        let folder = try drive.createFolder(in: "sync", name: "New")
        let file = try drive.createFile(in: folder.id, name: "letter.txt", content: stage.local("my letter"))
        #expect(try drive.rename(file.id, to: "Letter.txt").id == file.id)
        try drive.move(drive.found("Sync", "move.txt").id, to: folder.id, name: "moved.txt")
        try drive.copy(drive.found("Sync", "Old", "a.txt").id, to: folder.id, name: "copy.txt")
        try drive.trash(drive.found("Sync", "gone.txt").id)

        #expect(try await drive.names(folder.id).sorted() == ["Letter.txt", "copy.txt", "moved.txt"])
        #expect(try await drive.names("sync") == ["New", "Old"])
        #expect(try drive.outbox().count == 5)
        #expect(try drive.pendingEdit(id: file.id)?.wishes.contains(.create) == true)
        #expect(try drive.status().unsent == 5)
        #expect(try drive.why(id: file.id).unsent?.hold == .after(item: folder.id))
        #expect(try await cloud.requests() == before)

        let run = try await drive.push()
        #expect(run.done == 5)
        #expect(run.left == 0)
        #expect(try drive.outbox().isEmpty)
        #expect(try drive.status().unsent == 0)
        #expect(try drive.why(id: file.id).unsent == nil)
        let tree = try await cloud.tree("/Jotta/Sync")
        #expect(
            tree == [
                "New/": "-", "New/Letter.txt": "9", "New/copy.txt": "1", "New/moved.txt": "5", "Old/": "-", "Old/a.txt": "1",
            ])
        #expect(try drive.found("Sync", "New", "Letter.txt").id == file.id)
        #expect(try await cloud.contentBytes() == 0)
    }

    @Test("A create that waits for the service is there when it returns, and its key makes it harmless to repeat")
    func untilRemote() async throws {
        try await drive.refresh("sync")
        let content = try stage.local("my letter")
        let steps = Noted<UInt64>()
        let settled = try await drive.createFileUntilRemote(
            in: "sync", name: "a.txt", content: content, key: "template 1"
        ) { done, _ in steps.note(done) }
        #expect(settled.outcome == .done)
        #expect(try await cloud.tree("/Jotta/Sync") == ["a.txt": "9"])
        #expect(steps.all == steps.all.sorted())
        let again = try drive.createFile(in: "sync", name: "a.txt", content: content, key: "template 1")
        #expect(again.id == settled.item?.id)
        #expect(try drive.outbox().isEmpty)

        let file = again.id
        let replaced = try await drive.replaceContentUntilRemote(of: file, content: stage.local("longer than before"))
        #expect(replaced.item?.size == 18)
        #expect(try await drive.versions(of: file).count == 2)
        try await drive.moveUntilRemote(file, to: drive.createFolder(in: "sync", name: "Folder").id)
        #expect(try await cloud.tree("/Jotta/Sync") == ["Folder/": "-", "Folder/a.txt": "18"])
        #expect(try await drive.trashUntilRemote(file).outcome != .givenUp)
        #expect(try await cloud.tree("/Jotta/Sync") == ["Folder/": "-"])
    }

    @Test("A writer writes here and there, and publishes all of it or nothing")
    func writer() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("0123456789".utf8))
        try await drive.refresh("sync")
        let file = try drive.found("Sync", "a.txt")
        try await drive.openWriter(of: file.id, mode: .update).committing { writer in
            #expect(try writer.len() == 10)
            try writer.write(Data("ab".utf8), at: 2)
            try writer.setLen(len: 6)
            #expect(try writer.read(at: 0, count: 10) == Data("01ab45".utf8))
            try writer.sync()
            #expect(try String(contentsOfFile: writer.stagedPath(), encoding: .utf8) == "01ab45")
        }
        struct Stopped: Error {}
        let half = try await drive.openWriter(of: file.id, mode: .truncate)
        #expect(throws: Stopped.self) {
            try half.committing { writer in
                try writer.write(Data("half a thought".utf8), at: 0)
                throw Stopped()
            }
        }
        try await drive.settle(file.id)
        #expect(try await cloud.tree("/Jotta/Sync") == ["a.txt": "6"])
        let back = stage.scratch.file("back")
        try await drive.fetch(file.id, to: back)
        #expect(try Data(contentsOf: back) == Data("01ab45".utf8))
    }

    @Test("An older version is read, and made the newest")
    func versions() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("one".utf8))
        try await cloud.put("/Jotta/Sync/a.txt", Data("two, and longer".utf8))
        try await drive.refresh("sync")
        let file = try drive.found("Sync", "a.txt")
        let versions = try await drive.versions(of: file.id)
        #expect(versions.map(\.current) == [true, false])
        let old = try #require(versions.last)
        let dest = stage.scratch.file("old")
        #expect(try await drive.fetchVersion(old.token, of: file.id, to: dest) == 3)
        #expect(try Data(contentsOf: dest) == Data("one".utf8))
        #expect(try await cloud.tree("/Jotta/Archive").isEmpty)
        #expect(try await drive.restoreVersion(old.token, of: file.id).size == 3)
        #expect(try await cloud.tree("/Jotta/Sync") == ["a.txt": "3"])
    }

    @Test("A public link is made, told and ended")
    func links() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await drive.refresh("sync")
        let file = try drive.found("Sync", "a.txt")
        #expect(try await drive.link(of: file.id) == nil)
        try drive.setLink(of: file.id, on: true)
        try await drive.settle(file.id)
        let link = try #require(try await drive.link(of: file.id))
        #expect(link.item == file.id)
        #expect(link.url.hasPrefix("http"))
        #expect(try await drive.links().map(\.url) == [link.url])
        try drive.setLink(of: file.id, on: false)
        try await drive.settle(file.id)
        #expect(try await drive.links().isEmpty)
    }

    @Test("The trash gives back what was put there, with its id, and forgets what is purged")
    func trash() async throws {
        try await cloud.put("/Jotta/Sync/a.txt", Data("a".utf8))
        try await cloud.put("/Jotta/Sync/b.txt", Data("bb".utf8))
        try await drive.refresh("sync")
        let (a, b) = (try drive.found("Sync", "a.txt"), try drive.found("Sync", "b.txt"))
        try await drive.trashUntilRemote(a.id)
        try await drive.trashUntilRemote(b.id)
        #expect(try await cloud.tree("/Jotta/Sync").isEmpty)
        #expect(try await drive.names("trash") == ["a.txt", "b.txt"])
        #expect(try drive.restore(a.id).id == a.id)
        try await drive.settle(a.id)
        #expect(try await cloud.tree("/Jotta/Sync") == ["a.txt": "1"])
        try drive.purge(b.id)
        #expect(try await drive.settle(b.id).outcome == .gone)
        #expect(try await drive.emptyTrash().files == 0)
    }

    @Test("What is given up is undone here, and its bytes are kept until they are forgotten")
    func discarded() async throws {
        try await drive.refresh("sync")
        let file = try drive.createFile(in: "sync", name: "a.txt", content: stage.local("my words"))
        try drive.discardEdit(of: file.id)
        #expect(try drive.outbox().isEmpty)
        #expect(try await drive.names("sync").isEmpty)
        let kept = try #require(try drive.discardedEdits().first)
        #expect(kept.size == 8)
        try drive.exportDiscarded(kept.key, to: stage.scratch.file("kept"))
        #expect(try Data(contentsOf: stage.scratch.file("kept")) == Data("my words".utf8))
        try drive.forgetDiscarded(key: kept.key)
        #expect(try drive.discardedEdits().isEmpty)
    }

    @Test("Without the service a change waits, says why, and goes when the service is back")
    func waits() async throws {
        try await drive.refresh("sync")
        let file = try drive.createFile(in: "sync", name: "a.txt", content: stage.local("a"))
        try drive.setSituation(situation: DeviceSituation(network: .offline))
        #expect(try await drive.push().left == 1)
        #expect(try drive.pendingEdit(id: file.id)?.hold == .conditions(reason: .noNetwork))
        var outboxes = try drive.outboxes().makeAsyncIterator()
        #expect(try await outboxes.next()?.map(\.id) == [file.id])

        try drive.setSituation(situation: DeviceSituation(network: .unmetered))
        var done: UInt64?
        for try await step in drive.pushing() {
            if case .done(let run) = step { done = run.done }
        }
        #expect(done == 1)
        #expect(try await cloud.tree("/Jotta/Sync") == ["a.txt": "1"])
    }

    @Test("The sample of the README makes a folder and two files, and the service has them")
    func sample() async throws {
        try await drive.refresh("sync")
        try await edit(drive, photo: stage.local("a boat"))
        let tree = try await cloud.tree("/Jotta/Sync")
        #expect(tree == ["Notes/": "-", "Notes/Our boat.jpg": "6", "Notes/log.txt": "11"])
    }
}
