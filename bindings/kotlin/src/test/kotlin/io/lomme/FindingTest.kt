package io.lomme

import java.nio.file.Path
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Finding things without the service. */
class FindingTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a search knows å, folds accents and case, and finds parts of words`() = withDrive { cloud, drive ->
        for (name in listOf("Blåbær.txt", "blabar.txt", "Crème brûlée.txt", "Øl på fjellet.txt", "tax 2025.txt")) {
            cloud.put("/Jotta/Sync/$name", "x".toByteArray())
        }
        drive.index(DriveSpace.SYNC)
        cloud.close()
        fun names(text: String) = drive.search(text).items.map { it.name }
        assertEquals(listOf("Blåbær.txt"), names("blåbær"))
        assertEquals(listOf("blabar.txt"), names("blabar"))
        assertEquals(listOf("Blåbær.txt"), names("BLÅ"))
        assertEquals(listOf("Crème brûlée.txt"), names("creme brulee"))
        assertEquals(listOf("Øl på fjellet.txt"), names("fjell øl"))
        assertEquals(emptyList<String>(), names("ol fjell"))
        assertEquals(listOf("Øl på fjellet.txt"), names("jelle"))
        assertEquals(listOf("tax 2025.txt"), names("t 25"))
        assertEquals(emptyList<String>(), names("no such thing"))
        assertEquals(5, drive.search("").items.size)
    }

    @Test
    fun `a search is filtered by space, kind, type, size and date, and limited`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/holiday small.jpg", ByteArray(10), modified = 1_700_000_000_000)
        cloud.put("/Jotta/Sync/holiday large.jpg", ByteArray(10_000), modified = 1_710_000_000_000)
        cloud.put("/Jotta/Sync/Holiday/holiday.txt", ByteArray(20), modified = 1_720_000_000_000)
        cloud.put("/Jotta/Archive/holiday.jpg", ByteArray(30), modified = 1_730_000_000_000)
        for (space in listOf(DriveSpace.SYNC, DriveSpace.ARCHIVE)) drive.index(space)
        drive.refresh("sync")
        fun found(query: SearchQuery) = drive.search(query).items.map { it.name }.sorted()
        assertEquals(5, drive.search("holiday").items.size)
        assertEquals(listOf("holiday.jpg"), found(SearchQuery("holiday", spaces = listOf(DriveSpace.ARCHIVE))))
        assertEquals(listOf("Holiday"), found(SearchQuery("holiday", kind = ItemKind.FOLDER)))
        assertEquals(listOf("holiday large.jpg"), found(SearchQuery("holiday", atLeast = 1_000u)))
        assertEquals(listOf("holiday small.jpg"), found(SearchQuery("holiday", atMost = 10u)))
        assertEquals(
            listOf("holiday large.jpg", "holiday.txt"),
            found(SearchQuery("holiday", modifiedFromMs = 1_710_000_000_000, modifiedBeforeMs = 1_730_000_000_000)),
        )
        assertEquals(
            listOf("holiday large.jpg", "holiday small.jpg"),
            found(SearchQuery("holiday", spaces = listOf(DriveSpace.SYNC), mime = "image/")),
        )
        val two = drive.search("holiday", limit = 2)
        assertEquals(2, two.items.size)
        assertTrue(two.more)
        assertFalse(drive.search("holiday").more)
        assertThrows<LommeException.InvalidArgument> { drive.search("holiday", limit = 0) }
    }

    @Test
    fun `a search says how many folders it does not know`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/One/Two/a.txt", "a".toByteArray())
        drive.refresh("sync")
        assertTrue(drive.search("a.txt").unlistedFolders > 0u)
        drive.index(DriveSpace.SYNC)
        val found = drive.search(SearchQuery("a.txt", spaces = listOf(DriveSpace.SYNC)))
        assertEquals(0u.toULong(), found.unlistedFolders)
        assertEquals(listOf("a.txt"), found.items.map { it.name })
    }

    @Test
    fun `what was opened here or changed anywhere is recent, and the newest is first`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/older.txt", "a".toByteArray(), modified = 1_600_000_000_000)
        cloud.put("/Jotta/Sync/old.txt", "a".toByteArray(), modified = 1_500_000_000_000)
        cloud.put("/Jotta/Sync/new.txt", "a".toByteArray(), modified = 1_700_000_000_000)
        drive.refresh("sync")
        assertEquals(listOf("new.txt", "older.txt", "old.txt"), drive.recents().map { it.name })
        drive.fetchToFile(drive.found("Sync", "old.txt").id, directory.resolve("old.txt"))
        assertEquals(listOf("old.txt", "new.txt"), drive.recents(limit = 2).map { it.name })
    }

    @Test
    fun `favourites are kept, found and taken back`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        cloud.put("/Jotta/Sync/b.txt", "b".toByteArray())
        drive.refresh("sync")
        val a = drive.found("Sync", "a.txt")
        assertFalse(a.favourite)
        drive.setFavourite(a.id, true)
        assertEquals(listOf(a.id), drive.favourites().map { it.id })
        assertTrue(drive.found("Sync", "a.txt").favourite)
        assertEquals(listOf(a.id), drive.search(SearchQuery("", favourites = true)).items.map { it.id })
        drive.setFavourite(a.id, false)
        assertEquals(emptyList<Item>(), drive.favourites())
        assertThrows<LommeException.NotKnown> { drive.setFavourite("no such id", true) }
    }

    @Test
    fun `a folder knows what is in it, however deep`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/One/Two/a.txt", ByteArray(7))
        cloud.put("/Jotta/Sync/One/b.txt", ByteArray(5))
        drive.index(DriveSpace.SYNC)
        val one = drive.found("Sync", "One").id
        val a = drive.found("Sync", "One", "Two", "a.txt").id
        assertTrue(drive.isDescendant(one, a))
        assertTrue(drive.isDescendant("sync", a))
        assertTrue(drive.isDescendant(a, a))
        assertFalse(drive.isDescendant(a, one))
        assertFalse(drive.isDescendant("archive", a))
        assertEquals(ItemWeight(2u, 12u, 0u), drive.weight(one))
        assertEquals(ItemWeight(1u, 7u, 0u), drive.weight(a))
    }

    @Test
    fun `the working set has what the system holds, and tells what comes and goes`() = withDrive { cloud, drive ->
        for (name in listOf("a.txt", "b.txt")) cloud.put("/Jotta/Sync/Held/$name", "x".toByteArray())
        cloud.put("/Jotta/Sync/Other/c.txt", "x".toByteArray())
        drive.index(DriveSpace.SYNC)
        val held = drive.found("Sync", "Held").id
        // A folder's own listing tells more of its files than an index.
        drive.refresh(held)
        val anchor = drive.currentAnchor()

        val forgotten = drive.beginHeld()
        val report = drive.beginHeld()
        assertThrows<LommeException.InvalidArgument> { drive.commitHeld(forgotten) }
        drive.addHeld(report, listOf(held, "an id that nobody knows"))
        assertThrows<LommeException.InvalidArgument> { drive.addHeld(report, List(501) { held }) }
        drive.commitHeld(report)

        fun names(items: List<Item>) = items.map { it.name }.filter { it.endsWith(".txt") }.sorted()
        val rows = drive.workingSetPages(limit = 1).toList()
        assertTrue(rows.all { (it.next?.length ?: 0) <= 500 })
        assertEquals(listOf("a.txt", "b.txt"), names(rows.flatMap { it.items }))
        val came = drive.workingSetChangesSince(anchor).first()
        assertEquals(listOf("a.txt", "b.txt"), names(came.updated))

        val before = drive.currentAnchor()
        val next = async { drive.workingSetChangesSince(before).first() }
        cloud.put("/Jotta/Sync/Held/d.txt", "x".toByteArray())
        cloud.put("/Jotta/Sync/Other/e.txt", "x".toByteArray())
        drive.refresh(drive.found("Sync", "Other").id)
        drive.refresh(held)
        assertEquals(listOf("d.txt"), names(next.await().updated))

        val full = drive.currentAnchor()
        drive.commitHeld(drive.beginHeld())
        val gone = drive.workingSetChanges(full).deleted
        assertTrue(drive.found("Sync", "Held", "a.txt").id in gone) { "$gone" }
        assertEquals(emptyList<String>(), names(drive.workingSet().items))
        assertThrows<LommeException.AnchorExpired> { drive.workingSetChanges("nonsense") }
        assertThrows<LommeException.PageExpired> { drive.workingSet(page = "nonsense") }
    }

    private fun withDrive(test: suspend CoroutineScope.(Cloud, Drive) -> Unit) = withCloud { cloud ->
        signedIn(cloud, directory) { drive -> test(cloud, drive) }
    }
}
