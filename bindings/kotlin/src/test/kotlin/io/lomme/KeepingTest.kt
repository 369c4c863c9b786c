package io.lomme

import java.nio.file.Path
import java.util.Collections
import kotlin.io.path.readBytes
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What stays on the device, why, and what leaves it. */
class KeepingTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a document that was fetched opens in a tunnel`() = withDrive { cloud, drive ->
        val content = Random(1).nextBytes(300_000)
        cloud.put("/Jotta/Sync/letter.odt", content)
        drive.refresh("sync")
        val letter = drive.found("Sync", "letter.odt")
        assertEquals(LocalCopy.Absent, letter.local)
        assertEquals(LocalCopy.Absent, drive.why(letter.id).local)
        val first = drive.fetchToFile(letter.id, directory.resolve("one"))
        assertEquals(letter.contentVersion, first.item.contentVersion)

        drive.setSituation(DeviceSituation(NetworkKind.OFFLINE))
        cloud.close()
        val again = drive.fetchToFile(letter.id, directory.resolve("two"), wantVersion = letter.contentVersion)
        assertArrayEquals(content, directory.resolve("two").readBytes())
        assertEquals(0u.toULong(), again.fetched)
        drive.openReader(letter.id).use { assertArrayEquals(content, it.inputStream().readAllBytes()) }
        assertEquals(LocalCopy.Whole, drive.found("Sync", "letter.odt").local)
        val why = drive.why(letter.id)
        assertEquals(LocalCopy.Whole, why.local)
        assertEquals(content.size.toULong(), why.localBytes)
        assertNull(why.pinnedBy)
        assertTrue(why.explanation.isNotBlank() && "letter" !in why.explanation) { why.explanation }
    }

    @Test
    fun `a file that the caller changes is the caller's, and the copy in the cache stays`() = withDrive { cloud, drive ->
        val content = Random(2).nextBytes(300_000)
        cloud.put("/Jotta/Sync/a.bin", content)
        drive.refresh("sync")
        val file = directory.resolve("a.bin")
        val id = drive.found("Sync", "a.bin").id
        drive.fetchToFile(id, file)
        file.toFile().writeText("mine")
        drive.openReader(id).use { assertArrayEquals(content, it.inputStream().readAllBytes()) }
    }

    @Test
    fun `a pinned folder is kept, readable offline, and gone after an unpin that drops it`() = withDrive { cloud, drive ->
        val files = plant(cloud)
        drive.index(DriveSpace.SYNC)
        val flight = drive.found("Sync", "Flight")
        val pin = drive.pin(flight.id, upToBytes = 10_000_000)
        assertEquals(files.size.toULong(), pin.files)
        assertEquals(0u.toULong(), pin.wholeFiles)
        assertEquals(0, cloud.contentBytes()) { "a pin fetches nothing itself" }
        assertTrue(drive.found("Sync", "Flight", "Deep", "3.bin").pinned)

        val steps = Collections.synchronizedList(mutableListOf<Pair<ULong, ULong>>())
        val run = drive.keepPins { done, total -> steps += done to total }
        val bytes = files.values.sumOf { it.size }.toULong()
        assertEquals(files.size.toULong(), run.files)
        assertEquals(bytes, run.fetched)
        assertEquals(0u.toULong(), run.missingFiles)
        assertNull(run.waiting)
        assertEquals(emptyList<PinFailure>(), run.failed)
        assertEquals(bytes to bytes, steps.last())
        assertEquals(listOf(FetchPurpose.PIN), drive.ledger().map { it.purpose })
        assertEquals(files.size.toULong(), drive.pins().single().wholeFiles)
        val again = drive.keepPins()
        assertEquals(0u.toULong(), again.fetched)

        assertEquals(bytes.toLong(), cloud.contentBytesAtRest())
        cloud.close()
        drive.setSituation(DeviceSituation(NetworkKind.OFFLINE))
        for ((path, content) in files) {
            val item = drive.found("Sync", "Flight", *path.split("/").toTypedArray())
            assertEquals(LocalCopy.Whole, item.local)
            assertEquals(flight.id, drive.why(item.id).pinnedBy)
            drive.openReader(item.id).use { assertArrayEquals(content, it.inputStream().readAllBytes()) }
        }
        val kept = drive.evict(flight.id)
        assertEquals(EvictionOutcome(0u, 0u, files.size.toULong()), kept)
        val inside = assertThrows<LommeException.NotAllowed> {
            drive.unpin(drive.found("Sync", "Flight", "1.bin").id, dropContent = true)
        }
        assertEquals(RetryAdvice.Never, inside.retryAdvice())

        val dropped = drive.unpin(flight.id, dropContent = true)
        assertEquals(files.size.toULong(), dropped.files)
        assertTrue(dropped.bytes >= bytes) { "$dropped" }
        assertEquals(emptyList<PinnedItem>(), drive.pins())
        assertEquals(LocalCopy.Absent, drive.found("Sync", "Flight", "1.bin").local)
        val offline = assertThrows<LommeException.Offline> {
            drive.openReader(drive.found("Sync", "Flight", "1.bin").id).use { it.readAt(0, 10) }
        }
        assertEquals(RetryAdvice.WhenOnline, offline.retryAdvice())
    }

    @Test
    fun `a folder larger than was allowed is not pinned, and says how large it is`() = withDrive { cloud, drive ->
        val files = plant(cloud)
        drive.index(DriveSpace.SYNC)
        val flight = drive.found("Sync", "Flight")
        val bytes = files.values.sumOf { it.size }.toULong()
        assertEquals(ItemWeight(files.size.toULong(), bytes, 0u), drive.weight(flight.id))
        val error = assertThrows<LommeException.LargerThanAllowed> { drive.pin(flight.id, upToBytes = 1_000) }
        assertEquals(bytes to files.size.toULong(), error.bytes to error.files)
        assertEquals(RetryAdvice.NeedsUser, error.retryAdvice())
        assertEquals(emptyList<PinnedItem>(), drive.pins())
    }

    @Test
    fun `on a metered network pins wait and say so, and what a person opens does not wait`() = withDrive { cloud, drive ->
        val files = plant(cloud)
        drive.index(DriveSpace.SYNC)
        val flight = drive.found("Sync", "Flight")
        drive.pin(flight.id, upToBytes = 10_000_000)
        drive.setSituation(DeviceSituation(NetworkKind.METERED, batteryPercent = 80u))
        val run = drive.keepPins()
        assertEquals(WaitReason.Metered, run.waiting)
        assertEquals(files.size.toULong(), run.missingFiles)
        assertEquals(0, cloud.contentBytes())
        assertEquals(WaitReason.Metered, drive.status().waiting)
        val one = drive.found("Sync", "Flight", "1.bin")
        assertEquals(WaitReason.Metered, drive.why(one.id).waiting)
        assertTrue("metered" in WaitReason.Metered.text()) { WaitReason.Metered.text() }

        drive.fetchToFile(one.id, directory.resolve("1.bin"))
        assertEquals(LocalCopy.Whole, drive.found("Sync", "Flight", "1.bin").local)

        drive.setRules(FetchRules(onMetered = true, meteredBytesAMonth = 1_000u))
        assertTrue(drive.keepPins().waiting is WaitReason.DataCap)
        drive.setSituation(DeviceSituation(NetworkKind.METERED, charging = false, batteryPercent = 80u))
        drive.setRules(FetchRules(onMetered = true, onlyCharging = true))
        assertEquals(WaitReason.Charger, drive.keepPins().waiting)
        drive.setRules(FetchRules(onMetered = true, batteryAtLeast = 90u))
        assertEquals(WaitReason.Battery(80u, 90u), drive.keepPins().waiting)
        drive.setSituation(DeviceSituation(NetworkKind.UNMETERED, batteryPercent = 90u))
        assertNull(drive.keepPins().waiting)
        assertNull(drive.status().waiting)
        assertEquals(files.size.toULong(), drive.pins().single().wholeFiles)
    }

    @Test
    fun `a pinned file that changed on the service is stale until the pins were kept again`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/plan.txt", "old".toByteArray())
        drive.refresh("sync")
        val plan = drive.found("Sync", "plan.txt")
        drive.pin(plan.id, upToBytes = 1_000)
        drive.keepPins()
        cloud.put("/Jotta/Sync/plan.txt", "newer".toByteArray())
        drive.refresh("sync")
        val stale = drive.found("Sync", "plan.txt").local
        assertTrue(stale is LocalCopy.Stale && stale.sinceMs > 0) { "$stale" }
        assertEquals(1u.toULong(), drive.pins().single().staleFiles)
        assertNotNull(drive.pins().single().staleSinceMs)
        drive.keepPins()
        assertEquals(LocalCopy.Whole, drive.found("Sync", "plan.txt").local)
        drive.openReader(plan.id).use { assertArrayEquals("newer".toByteArray(), it.readAt(0, 100)) }
    }

    @Test
    fun `keeping pins can be cancelled before it starts and in the middle, and goes on later`() = withDrive { cloud, drive ->
        val content = Random(3).nextBytes(4_000_000)
        cloud.put("/Jotta/Sync/film.mp4", content)
        drive.refresh("sync")
        val film = drive.found("Sync", "film.mp4")
        drive.pin(film.id, upToBytes = 10_000_000)
        val before = cloud.requests()
        val never = launch(start = CoroutineStart.UNDISPATCHED) {
            currentCoroutineContext().job.cancel()
            drive.keepPins()
        }
        never.join()
        assertTrue(never.isCancelled)
        assertEquals(before, cloud.requests())

        cloud.trouble("""{"kind":"bin","bytes_per_second":400000}""")
        val midway = CompletableDeferred<Unit>()
        val job = launch { drive.keepPins { done, _ -> if (done > 200_000u) midway.complete(Unit) } }
        midway.await()
        assertQuick { job.cancelAndJoin() }
        assertTrue(job.isCancelled)
        assertTrue(cloud.contentBytesAtRest() < content.size) { "the core went on behind the cancel" }
        cloud.noTrouble()
        val run = drive.keepPins()
        assertEquals(1u.toULong(), run.files)
        assertTrue(run.fetched < content.size.toULong()) { "$run" }
        drive.openReader(film.id).use { assertArrayEquals(content, it.inputStream().readAllBytes()) }
    }

    @Test
    fun `progress is a flow that ends with the result, and who stops collecting stops the work`() = withDrive { cloud, drive ->
        val content = Random(4).nextBytes(3_000_000)
        cloud.put("/Jotta/Sync/film.mp4", content)
        val indexed = drive.indexing(DriveSpace.SYNC).toList().last()
        assertEquals(1u.toULong(), (indexed as Step.Done).result.files)
        val film = drive.found("Sync", "film.mp4")
        cloud.trouble("""{"kind":"bin","bytes_per_second":400000}""")
        val file = directory.resolve("film.mp4")
        val some = drive.fetching(film.id, file).first { it is Step.Going && it.done > 100_000u }
        assertEquals(content.size.toULong(), (some as Step.Going).total)
        assertTrue(cloud.contentBytesAtRest() < content.size) { "the core went on behind the collector" }
        cloud.noTrouble()
        val steps = drive.fetching(film.id, file).toList()
        assertEquals(content.size.toULong(), (steps.last() as Step.Done).result.bytes)
        assertArrayEquals(content, file.readBytes())
        drive.pin(film.id, upToBytes = 10_000_000)
        val kept = drive.keepingPins().toList().last()
        assertEquals(0u.toULong(), (kept as Step.Done).result.missingFiles)
    }

    @Test
    fun `usage says what is where, and eviction makes room`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/a.bin", Random(5).nextBytes(500_000))
        cloud.put("/Jotta/Archive/b.bin", Random(6).nextBytes(700_000))
        drive.refresh("sync")
        drive.refresh("archive")
        val a = drive.found("Sync", "a.bin")
        val b = drive.found("Archive", "b.bin")
        assertEquals(CacheLimits(), drive.usage().limits)
        drive.fetchToFile(a.id, directory.resolve("a"))
        drive.fetchToFile(b.id, directory.resolve("b"))
        fun cached(space: DriveSpace) = drive.usage().spaces.first { it.space == space }
        assertTrue(cached(DriveSpace.SYNC).cachedBytes >= 500_000u) { "${drive.usage()}" }
        assertTrue(cached(DriveSpace.ARCHIVE).cachedBytes >= 700_000u) { "${drive.usage()}" }
        assertEquals(1u.toULong(), cached(DriveSpace.SYNC).wholeFiles)
        assertTrue(drive.usage().freeBytes > 0u)
        assertEquals(drive.usage().spaces, drive.status().usage.spaces)

        val evicted = drive.evict(a.id)
        assertEquals(1u.toULong(), evicted.files)
        assertTrue(evicted.bytes >= 500_000u) { "$evicted" }
        assertEquals(LocalCopy.Absent, drive.found("Sync", "a.bin").local)
        assertEquals(0u.toULong(), cached(DriveSpace.SYNC).cachedBytes)

        val limited = drive.setLimits(CacheLimits(budgetBytes = 0u))
        assertEquals(1u.toULong(), limited.files)
        assertEquals(LocalCopy.Absent, drive.found("Archive", "b.bin").local)
        assertEquals(CacheLimits(budgetBytes = 0u), drive.usage().limits)
    }

    /** A folder with a folder in it; the contents by path below it. */
    private fun plant(cloud: Cloud): Map<String, ByteArray> {
        val sizes = mapOf("1.bin" to 1_000, "2.bin" to 200_000, "Deep/3.bin" to 300_001)
        val files = sizes.mapValues { (path, size) -> Random(path.hashCode()).nextBytes(size) }
        for ((path, content) in files) cloud.put("/Jotta/Sync/Flight/$path", content)
        cloud.put("/Jotta/Sync/not pinned.bin", ByteArray(50_000))
        return files
    }

    private fun withDrive(test: suspend CoroutineScope.(Cloud, Drive) -> Unit) = withCloud { cloud ->
        signedIn(cloud, directory) { drive -> test(cloud, drive) }
    }
}
