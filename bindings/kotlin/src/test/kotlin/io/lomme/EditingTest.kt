package io.lomme

import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.io.path.readBytes
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What a person changes on the phone, and what of it the service has. */
class EditingTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `changes show at once without the network, and a push brings them all`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/Old/a.txt", "a".toByteArray())
        cloud.put("/Jotta/Sync/gone.txt", "gone".toByteArray())
        cloud.put("/Jotta/Sync/move.txt", "move".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.index(DriveSpace.SYNC)
            val before = cloud.requests()

            val folder = drive.createFolder("sync", "New")
            val file = drive.createFile(folder.id, "letter.txt", local("letter", "dear"))
            val renamed = drive.rename(file.id, "Letter.txt")
            assertEquals(file.id, renamed.id)
            val moved = drive.moveTo(drive.found("Sync", "move.txt").id, folder.id, "moved.txt")
            drive.copyTo(drive.found("Sync", "Old", "a.txt").id, folder.id, "copy.txt")
            drive.trash(drive.found("Sync", "gone.txt").id)

            assertEquals(listOf("Letter.txt", "copy.txt", "moved.txt"), drive.names(folder.id).sorted())
            assertEquals(listOf("New", "Old"), drive.names("sync"))
            assertEquals(moved.id, drive.found("Sync", "New", "moved.txt").id)
            assertEquals(5, drive.outbox().size)
            assertTrue(EditWish.CREATE in drive.pendingEdit(file.id)!!.wishes)
            assertEquals(5uL, drive.status().unsent)
            assertEquals(EditHold.After(folder.id), drive.why(file.id).unsent!!.hold)
            assertEquals(before, cloud.requests(), "no network")

            val run = drive.push()
            assertEquals(5uL to 0uL, run.done to run.left)
            assertNull(run.hold)
            assertTrue(drive.outbox().isEmpty())
            assertEquals(0uL, drive.status().unsent)
            assertNull(drive.why(file.id).unsent)
            assertEquals(
                mapOf(
                    "New/" to "-",
                    "New/Letter.txt" to md5("dear"),
                    "New/copy.txt" to md5("a"),
                    "New/moved.txt" to md5("move"),
                    "Old/" to "-",
                    "Old/a.txt" to md5("a"),
                ),
                cloud.tree("/Jotta/Sync"),
            )
            assertEquals(ItemLookup.Found(drive.found("Sync", "New", "Letter.txt")), drive.item(file.id))
            assertEquals(0, cloud.contentBytes(), "nothing came here for it")
        }
    }

    @Test
    fun `a change outlives the process, and repeating it with its key changes nothing`() = withCloud { cloud ->
        val vault = MemoryVault()
        val first = open(directory.resolve("lomme"), vault).use { drive ->
            drive.signIn(cloud.loginToken())
            drive.refresh("sync")
            drive.createFile("sync", "a.txt", local("a", "a"), key = "document 1")
        }
        open(directory.resolve("lomme"), vault).use { drive ->
            val again = drive.createFile("sync", "a.txt", local("a", "a"), key = "document 1")
            assertEquals(first.id, again.id)
            assertEquals(1uL, drive.push().done)
            assertEquals(mapOf("a.txt" to md5("a")), cloud.tree("/Jotta/Sync"))
        }
    }

    @Test
    fun `new content becomes a version, and settle returns when the service has it`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "one".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val file = drive.found("Sync", "a.txt")
            drive.replaceContent(file.id, local("two", "two"), base = file.contentVersion)
            val steps = mutableListOf<ULong>()
            val settled = drive.settle(file.id) { done, _ -> steps += done }
            assertEquals(EditOutcome.Done, settled.outcome)
            assertEquals(3uL, settled.item!!.size)
            assertEquals(mapOf("a.txt" to md5("two")), cloud.tree("/Jotta/Sync"))
            assertEquals(2, drive.versions(file.id).size)
            assertEquals(steps.sorted(), steps)

            val requests = cloud.requests("upload")
            drive.replaceContent(file.id, local("same", "two"))
            drive.push()
            assertEquals(requests, cloud.requests("upload"), "equal bytes are no change")
        }
    }

    @Test
    fun `a writer writes here and there, and publishes all of it or nothing`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "0123456789".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            drive.refresh("sync")
            val file = drive.found("Sync", "a.txt")
            drive.openWriter(file.id, WriteMode.UPDATE).use { writer ->
                assertEquals(10L, writer.length)
                writer.writeAt(2, "ab".toByteArray())
                writer.length = 6
                val read = ByteArray(10)
                assertEquals(6, writer.readAt(0, read))
                assertEquals("01ab45", read.decodeToString(0, 6))
                writer.sync()
                assertEquals("01ab45", writer.stagedPath.readText())
                writer.commit()
            }
            drive.openWriter(file.id, WriteMode.TRUNCATE).use { it.writeAt(0, "half a thou".toByteArray()) }
            drive.settle(file.id)
            assertEquals(mapOf("a.txt" to md5("01ab45")), cloud.tree("/Jotta/Sync"))
        }
    }

    @Test
    fun `a new file by a writer is nowhere before its commit`() = withCloud { cloud ->
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val content = ByteArray(300_000) { it.toByte() }
            val id = drive.createWriter("sync", "new.bin").use { writer ->
                writer.channel().use { channel ->
                    val bytes = ByteBuffer.wrap(content)
                    while (bytes.hasRemaining()) channel.write(bytes)
                    assertEquals(emptyList<String>(), drive.names("sync"))
                }
                writer.item
            }
            assertEquals(id, drive.found("Sync", "new.bin").id)
            assertEquals(EditOutcome.Done, drive.settle(id).outcome)
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            drive.fetchToFile(id, directory.resolve("back"))
            assertArrayEquals(content, directory.resolve("back").readBytes())
        }
    }

    @Test
    fun `an older version is read, and made the newest`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "one".toByteArray())
        cloud.put("/Jotta/Sync/a.txt", "two, and longer".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            drive.refresh("sync")
            val file = drive.found("Sync", "a.txt")
            val versions = drive.versions(file.id)
            assertEquals(listOf(true, false), versions.map { it.current })
            val old = versions.last()
            assertEquals(3uL, drive.fetchVersion(file.id, old.token, directory.resolve("old")))
            assertEquals("one", directory.resolve("old").readText())
            assertEquals(emptyMap<String, String>(), cloud.tree("/Jotta/Archive"), "nothing is left of the way there")

            val restored = drive.restoreVersion(file.id, old.token)
            assertEquals(3uL, restored.size)
            assertEquals(mapOf("a.txt" to md5("one")), cloud.tree("/Jotta/Sync"))
        }
    }

    @Test
    fun `a public link is made, told and ended`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val file = drive.found("Sync", "a.txt")
            assertNull(drive.link(file.id))
            drive.setLink(file.id, true)
            drive.settle(file.id)
            val link = drive.link(file.id)!!
            assertEquals("a.txt" to file.id, link.name to link.item)
            assertTrue(link.url.startsWith("http")) { link.url }
            assertEquals(listOf(link.url), drive.links().map { it.url })
            drive.setLink(file.id, false)
            drive.settle(file.id)
            assertTrue(drive.links().isEmpty())
        }
    }

    @Test
    fun `the trash gives back what was put there, with its id, and forgets what is purged`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        cloud.put("/Jotta/Sync/b.txt", "b".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val (a, b) = drive.found("Sync", "a.txt") to drive.found("Sync", "b.txt")
            for (item in listOf(a, b)) {
                drive.trash(item.id)
                drive.settle(item.id)
            }
            assertEquals(emptyMap<String, String>(), cloud.tree("/Jotta/Sync"))
            assertEquals(listOf("a.txt", "b.txt"), drive.names("trash"))

            assertEquals(a.id, drive.restore(a.id).id)
            drive.settle(a.id)
            assertEquals(mapOf("a.txt" to md5("a")), cloud.tree("/Jotta/Sync"))
            drive.purge(b.id)
            assertEquals(EditOutcome.Gone, drive.settle(b.id).outcome)
            drive.refresh("trash")
            assertEquals(emptyList<String>(), drive.names("trash"))
            assertEquals(0uL, drive.emptyTrash().files)
        }
    }

    @Test
    fun `what is given up is undone here, and its bytes are kept until they are forgotten`() = withCloud { cloud ->
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val file = drive.createFile("sync", "a.txt", local("a", "my words"))
            drive.discardEdit(file.id)
            assertTrue(drive.outbox().isEmpty())
            assertEquals(emptyList<String>(), drive.names("sync"))
            val kept = drive.discardedEdits().single()
            assertEquals("a.txt" to 8uL, kept.name to kept.size)
            drive.exportDiscarded(kept.key, directory.resolve("kept"))
            assertEquals("my words", directory.resolve("kept").readText())
            drive.forgetDiscarded(kept.key)
            assertTrue(drive.discardedEdits().isEmpty())
            assertEquals(0uL, drive.push().done)
            assertEquals(emptyMap<String, String>(), cloud.tree("/Jotta/Sync"))
        }
    }

    @Test
    fun `without the service a change waits, says why, and goes when the service is back`() = withCloud { cloud ->
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            val file = drive.createFile("sync", "a.txt", local("a", "a"))
            drive.setSituation(DeviceSituation(NetworkKind.OFFLINE))
            val run = drive.push()
            assertEquals(0uL to 1uL, run.done to run.left)
            assertEquals(EditHold.Conditions(WaitReason.NoNetwork), drive.pendingEdit(file.id)!!.hold)
            assertEquals(listOf(file.id), drive.outboxes().first().map { it.id })

            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            val steps = drive.pushing().toList()
            assertEquals(1uL, (steps.last() as Step.Done).result.done)
            assertEquals(mapOf("a.txt" to md5("a")), cloud.tree("/Jotta/Sync"))
        }
    }

    @Test
    fun `what a space forbids is refused, and nothing is queued`() = withCloud { cloud ->
        cloud.put("/Laptop/Documents/tax.txt", "tax".toByteArray())
        signedIn(cloud, directory) { drive ->
            drive.index(DriveSpace.BACKUP)
            val tax = drive.found("Backup", "Laptop", "Documents", "tax.txt")
            assertThrows<LommeException.NotAllowed> { drive.replaceContent(tax.id, local("a", "a")) }
            assertThrows<LommeException.NotAllowed> { drive.createFile("trash", "a.txt", local("a", "a")) }
            assertFalse(drive.outbox().any())
        }
    }

    private fun local(name: String, content: String): Path = directory.resolve(name).apply { writeText(content) }
}
