package io.lomme

import java.nio.file.Path
import kotlin.io.path.writeText
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The most common cells of the conflict table, `core/src/edits/CONFLICTS.md`: what the phone wants, and what another did. */
class ConflictTest {
    @TempDir
    lateinit var directory: Path

    private val conflictName = Regex("""a \(Conflict \d{4}-\d{2}-\d{2} \d{2}\.\d{2}\.\d{2}\)\.txt""")

    @Test
    fun `both edited - both are kept, theirs under the name`() = withFile { cloud, drive, file ->
        drive.replaceContent(file.id, local("mine"), base = file.contentVersion)
        cloud.put("/Jotta/Sync/Folder/a.txt", "theirs".toByteArray())
        val settled = drive.settle(file.id)

        val copy = assertInstanceOf(EditOutcome.KeptBoth::class.java, settled.outcome).copy
        drive.settle(copy)
        val conflict = drive.conflicts(report = true).single()
        assertEquals(ConflictKind.BOTH_EDITED, conflict.kind)
        assertEquals(file.id to copy, conflict.item to conflict.copy)
        assertTrue(conflictName.matches(conflict.name)) { conflict.name }
        val tree = cloud.tree("/Jotta/Sync")
        assertEquals(md5("theirs"), tree["Folder/a.txt"])
        assertEquals(md5("mine"), tree["Folder/${conflict.name}"])
        assertTrue(drive.conflicts().single().told)

        drive.resolveConflict(conflict.number, ConflictResolution.KEEP_MINE)
        drive.push()
        assertEquals(mapOf("Folder/" to "-", "Folder/a.txt" to md5("mine")), cloud.tree("/Jotta/Sync"))
        assertTrue(drive.conflicts().isEmpty())
    }

    @Test
    fun `both edited equally - there is no conflict`() = withFile { cloud, drive, file ->
        drive.replaceContent(file.id, local("the same"), base = file.contentVersion)
        cloud.put("/Jotta/Sync/Folder/a.txt", "the same".toByteArray())
        assertEquals(EditOutcome.Done, drive.settle(file.id).outcome)
        assertEquals(mapOf("Folder/" to "-", "Folder/a.txt" to md5("the same")), cloud.tree("/Jotta/Sync"))
        assertTrue(drive.conflicts().isEmpty())
    }

    @Test
    fun `edited and deleted - the edit is stored again`() = withFile { cloud, drive, file ->
        drive.replaceContent(file.id, local("mine"), base = file.contentVersion)
        cloud.trash("/Jotta/Sync/Folder/a.txt")
        drive.settle(file.id)
        assertEquals(mapOf("Folder/" to "-", "Folder/a.txt" to md5("mine")), cloud.tree("/Jotta/Sync"))
        assertEquals(listOf(ConflictKind.EDITED_BUT_DELETED), drive.conflicts().map { it.kind })
        assertEquals(file.id, drive.found("Sync", "Folder", "a.txt").id)
    }

    @Test
    fun `edited and renamed - the edit goes where the file is now`() = withFile { cloud, drive, file ->
        drive.replaceContent(file.id, local("mine"), base = file.contentVersion)
        cloud.move("/Jotta/Sync/Folder/a.txt", "/Jotta/Sync/Folder/b.txt")
        assertEquals(EditOutcome.Done, drive.settle(file.id).outcome)
        assertEquals(mapOf("Folder/" to "-", "Folder/b.txt" to md5("mine")), cloud.tree("/Jotta/Sync"))
        assertTrue(drive.conflicts().isEmpty())
    }

    @Test
    fun `renamed and edited - their content gets our name`() = withFile { cloud, drive, file ->
        drive.rename(file.id, "b.txt")
        cloud.put("/Jotta/Sync/Folder/a.txt", "theirs".toByteArray())
        assertEquals(EditOutcome.Done, drive.settle(file.id).outcome)
        assertEquals(mapOf("Folder/" to "-", "Folder/b.txt" to md5("theirs")), cloud.tree("/Jotta/Sync"))
        assertTrue(drive.conflicts().isEmpty())
    }

    @Test
    fun `renamed and deleted - it is gone, and that is told`() = withFile { cloud, drive, file ->
        drive.rename(file.id, "b.txt")
        cloud.trash("/Jotta/Sync/Folder/a.txt")
        drive.settle(file.id)
        assertEquals(mapOf("Folder/" to "-"), cloud.tree("/Jotta/Sync"))
        assertEquals(listOf(ConflictKind.CHANGED_BUT_DELETED), drive.conflicts().map { it.kind })
        assertTrue(drive.outbox().isEmpty())
    }

    @Test
    fun `a new name taken by a file - ours gets another`() = withFile { cloud, drive, file ->
        val ours = drive.createFile(file.parent, "new.txt", local("mine"))
        cloud.put("/Jotta/Sync/Folder/new.txt", "theirs".toByteArray())
        val settled = drive.settle(ours.id)
        assertEquals(EditOutcome.Renamed, settled.outcome)
        val tree = cloud.tree("/Jotta/Sync")
        assertEquals(md5("theirs"), tree["Folder/new.txt"])
        assertEquals(md5("mine"), tree["Folder/${settled.item!!.name}"])
        assertEquals(listOf(ConflictKind.NAME_TAKEN), drive.conflicts().map { it.kind })
    }

    @Test
    fun `a new folder and the same folder - they are one`() = withFile { cloud, drive, file ->
        val ours = drive.createFolder(file.parent, "New")
        val inside = drive.createFile(ours.id, "mine.txt", local("mine"))
        cloud.put("/Jotta/Sync/Folder/New/theirs.txt", "theirs".toByteArray())
        drive.settle(inside.id)
        val tree = cloud.tree("/Jotta/Sync").filterKeys { it.startsWith("Folder/New") }
        assertEquals(
            mapOf("Folder/New/" to "-", "Folder/New/mine.txt" to md5("mine"), "Folder/New/theirs.txt" to md5("theirs")),
            tree,
        )
        assertTrue(drive.conflicts().isEmpty())
    }

    @Test
    fun `trashed and edited - it stays`() = withFile { cloud, drive, file ->
        drive.trash(file.id, base = file.contentVersion)
        cloud.put("/Jotta/Sync/Folder/a.txt", "theirs".toByteArray())
        assertEquals(EditOutcome.GivenUp, drive.settle(file.id).outcome)
        assertEquals(mapOf("Folder/" to "-", "Folder/a.txt" to md5("theirs")), cloud.tree("/Jotta/Sync"))
        assertEquals(listOf(ConflictKind.DELETED_BUT_EDITED), drive.conflicts().map { it.kind })
        assertEquals(listOf("a.txt"), drive.names(file.parent))
    }

    @Test
    fun `edited and its folder deleted - the folder is made again for it`() = withFile { cloud, drive, file ->
        drive.replaceContent(file.id, local("mine"), base = file.contentVersion)
        cloud.trash("/Jotta/Sync/Folder")
        drive.settle(file.id)
        assertEquals(mapOf("Folder/" to "-", "Folder/a.txt" to md5("mine")), cloud.tree("/Jotta/Sync"))
        assertTrue(ConflictKind.FOLDER_RESTORED in drive.conflicts().map { it.kind })
    }

    /** A cloud with one file, `Sync/Folder/a.txt`, that the drive knows. */
    private fun withFile(test: suspend (Cloud, Drive, Item) -> Unit) = withCloud { cloud ->
        cloud.put("/Jotta/Sync/Folder/a.txt", "one".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.index(DriveSpace.SYNC)
            // A file that is followed wherever it goes is one whose folder was listed, as whoever shows it does.
            drive.refresh(drive.found("Sync", "Folder").id)
            test(cloud, drive, drive.found("Sync", "Folder", "a.txt"))
        }
    }

    private fun local(content: String): Path = directory.resolve(content).apply { writeText(content) }
}
