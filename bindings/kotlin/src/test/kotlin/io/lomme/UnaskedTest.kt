package io.lomme

import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The promise. */
class UnaskedTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `browsing, searching, watching, polling and keeping no pins fetch nothing of Sync`() = withCloud { cloud ->
        cloud.seed("demo")
        signedIn(cloud, directory) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED, charging = true, batteryPercent = 100u))
            drive.setRules(FetchRules(onMetered = true, onRoaming = true, batteryAtLeast = 0u, onLowPower = true))
            val watching = launch(Dispatchers.Default) { drive.watch() }
            withTimeout(20.seconds) { while (!drive.status().watching) delay(20.milliseconds) }
            for (root in drive.roots()) drive.refresh(root.id)
            for (space in listOf(DriveSpace.SYNC, DriveSpace.BACKUP, DriveSpace.ARCHIVE)) drive.index(space)
            val anchor = drive.currentAnchor()
            val items = drive.search(SearchQuery("", limit = 1_000u)).items
            assertTrue(items.size > 20) { "${items.size}" }
            for (item in items) {
                drive.pathOf(item.id)
                drive.weight(item.id)
                drive.why(item.id)
                if (item.kind != ItemKind.FILE) {
                    drive.refresh(item.id)
                    drive.pages(item.id).toList()
                } else {
                    // Opened and not read: no byte was asked for.
                    drive.openReader(item.id).close()
                }
            }
            for (text in listOf("a", "photo", "å", "2024")) drive.search(text)
            val file = items.first { it.kind == ItemKind.FILE && it.space == DriveSpace.SYNC }
            drive.setFavourite(file.id, true)
            drive.favourites()
            drive.recents()
            val report = drive.beginHeld()
            drive.addHeld(report, items.map { it.id }.take(500))
            drive.commitHeld(report)
            drive.workingSetPages().toList()
            cloud.put("/Jotta/Sync/from another device.bin", ByteArray(100_000))
            withTimeout(30.seconds) {
                while (drive.find("Sync", "from another device.bin") !is ItemLookup.Found) delay(50.milliseconds)
            }
            drive.poll(5.seconds)
            drive.keepPins()
            drive.changes(anchor)
            drive.status()
            watching.cancelAndJoin()

            assertEquals(emptyList<LedgerRow>(), drive.ledger())
            assertEquals(0, cloud.contentBytesAtRest())
        }
    }
}
