import Foundation
import Lomme
import Testing

/// The most common cells of the conflict table, `core/src/edits/CONFLICTS.md`: what the phone wants, and what another did.
/// Contents differ by their lengths: mine has 4 bytes, theirs 6.
@Suite(.timeLimit(.minutes(2))) struct ConflictTests {
    let stage: Stage
    let cloud: Cloud
    let drive: LommeDrive
    let file: Item

    /// A cloud with one file, `Sync/Folder/a.txt`, that the drive knows.
    init() async throws {
        stage = try await Stage()
        cloud = stage.cloud
        drive = stage.drive
        try await cloud.put("/Jotta/Sync/Folder/a.txt", Data("one".utf8))
        try await drive.index(.sync)
        // A file that is followed wherever it goes is one whose folder was listed, as whoever shows it does.
        try await drive.refresh(drive.found("Sync", "Folder").id)
        file = try drive.found("Sync", "Folder", "a.txt")
    }

    @Test("Both edited: both are kept, theirs under the name")
    func bothEdited() async throws {
        try writeMine()
        try await writeTheirs()
        guard case .keptBoth(let copy) = try await drive.settle(file.id).outcome else {
            Issue.record("not kept both")
            return
        }
        try await drive.settle(copy)
        let conflict = try #require(try drive.conflicts(report: true).first)
        #expect(conflict.kind == .bothEdited)
        #expect(conflict.item == file.id)
        #expect(conflict.copy == copy)
        #expect(conflict.name.contains(/^a \(Conflict \d{4}-\d{2}-\d{2} \d{2}\.\d{2}\.\d{2}\)\.txt$/))
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "6", "Folder/\(conflict.name)": "4"])
        #expect(try drive.conflicts(report: false).map(\.told) == [true])

        try drive.resolveConflict(number: conflict.number, resolution: .keepMine)
        try await drive.push()
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "4"])
        #expect(try kinds().isEmpty)
    }

    @Test("Both edited equally: there is no conflict")
    func bothEditedEqually() async throws {
        try writeMine()
        try await cloud.put("/Jotta/Sync/Folder/a.txt", Data("mine".utf8))
        #expect(try await drive.settle(file.id).outcome == .done)
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "4"])
        #expect(try kinds().isEmpty)
    }

    @Test("Edited and deleted: the edit is stored again")
    func editedAndDeleted() async throws {
        try writeMine()
        try await cloud.trash("/Jotta/Sync/Folder/a.txt")
        try await drive.settle(file.id)
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "4"])
        #expect(try kinds() == [.editedButDeleted])
        #expect(try drive.found("Sync", "Folder", "a.txt").id == file.id)
    }

    @Test("Edited and renamed: the edit goes where the file is now")
    func editedAndRenamed() async throws {
        try writeMine()
        try await cloud.move("/Jotta/Sync/Folder/a.txt", to: "/Jotta/Sync/Folder/b.txt")
        #expect(try await drive.settle(file.id).outcome == .done)
        #expect(try await tree() == ["Folder/": "-", "Folder/b.txt": "4"])
        #expect(try kinds().isEmpty)
    }

    @Test("Renamed and edited: their content gets our name")
    func renamedAndEdited() async throws {
        try drive.rename(file.id, to: "b.txt")
        try await writeTheirs()
        #expect(try await drive.settle(file.id).outcome == .done)
        #expect(try await tree() == ["Folder/": "-", "Folder/b.txt": "6"])
        #expect(try kinds().isEmpty)
    }

    @Test("Renamed and deleted: it is gone, and that is told")
    func renamedAndDeleted() async throws {
        try drive.rename(file.id, to: "b.txt")
        try await cloud.trash("/Jotta/Sync/Folder/a.txt")
        try await drive.settle(file.id)
        #expect(try await tree() == ["Folder/": "-"])
        #expect(try kinds() == [.changedButDeleted])
        #expect(try drive.outbox().isEmpty)
    }

    @Test("A new name taken by a file: ours gets another")
    func nameTaken() async throws {
        let ours = try drive.createFile(in: file.parent, name: "new.txt", content: stage.local("mine"))
        try await cloud.put("/Jotta/Sync/Folder/new.txt", Data("theirs".utf8))
        let settled = try await drive.settle(ours.id)
        #expect(settled.outcome == .renamed)
        let name = try #require(settled.item?.name)
        #expect(
            try await tree() == ["Folder/": "-", "Folder/a.txt": "3", "Folder/new.txt": "6", "Folder/\(name)": "4"])
        #expect(try kinds() == [.nameTaken])
    }

    @Test("A new folder and the same folder: they are one")
    func sameFolder() async throws {
        let ours = try drive.createFolder(in: file.parent, name: "New")
        let inside = try drive.createFile(in: ours.id, name: "mine.txt", content: stage.local("mine"))
        try await cloud.put("/Jotta/Sync/Folder/New/theirs.txt", Data("theirs".utf8))
        try await drive.settle(inside.id)
        #expect(
            try await tree() == [
                "Folder/": "-", "Folder/a.txt": "3", "Folder/New/": "-", "Folder/New/mine.txt": "4",
                "Folder/New/theirs.txt": "6",
            ])
        #expect(try kinds().isEmpty)
    }

    @Test("Trashed and edited: it stays")
    func trashedAndEdited() async throws {
        try drive.trash(file.id, base: file.contentVersion)
        try await writeTheirs()
        #expect(try await drive.settle(file.id).outcome == .givenUp)
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "6"])
        #expect(try kinds() == [.deletedButEdited])
        #expect(try await drive.names(file.parent) == ["a.txt"])
    }

    @Test("Edited and its folder deleted: the folder is made again for it")
    func folderDeleted() async throws {
        try writeMine()
        try await cloud.trash("/Jotta/Sync/Folder")
        try await drive.settle(file.id)
        #expect(try await tree() == ["Folder/": "-", "Folder/a.txt": "4"])
        #expect(try kinds().contains(.folderRestored))
    }

    private func writeMine() throws {
        try drive.replaceContent(of: file.id, base: file.contentVersion, content: stage.local("mine"))
    }

    private func writeTheirs() async throws {
        try await cloud.put("/Jotta/Sync/Folder/a.txt", Data("theirs".utf8))
    }

    private func tree() async throws -> [String: String] {
        try await cloud.tree("/Jotta/Sync")
    }

    private func kinds() throws -> [ConflictKind] {
        try drive.conflicts(report: false).map(\.kind)
    }
}
