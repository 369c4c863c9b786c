package io.lomme

import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.drop
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Following what other devices do. */
class FollowingTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a watch hears of another device's change, and a flow tells what it was`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        drive.index(DriveSpace.SYNC)
        val heard = async { drive.watchedChangesSince(drive.currentAnchor()).first { page -> page.updated.any { it.name == "new.txt" } } }
        drive.untilWatching(true)
        cloud.put("/Jotta/Sync/new.txt", "new".toByteArray())
        withTimeout(30.seconds) { heard.await() }
        drive.untilWatching(false)
        assertEquals(0, cloud.contentBytes())
    }

    @Test
    fun `a watch is cancelled at once, also before it starts`() = withDrive { cloud, drive ->
        val before = cloud.requests()
        val never = launch(start = CoroutineStart.UNDISPATCHED) {
            currentCoroutineContext().job.cancel()
            drive.watch()
        }
        never.join()
        assertTrue(never.isCancelled)
        assertEquals(before, cloud.requests())
        val watching = launch(Dispatchers.Default) { drive.watch() }
        drive.untilWatching(true)
        assertQuick { watching.cancelAndJoin() }
        assertTrue(watching.isCancelled)
        drive.untilWatching(false)
    }

    @Test
    fun `a pause delays watched changes, and a close ends them`() = withDrive { cloud, drive ->
        drive.refresh("sync")
        val pages = async { drive.watchedChangesSince(drive.currentAnchor()).toList() }
        drive.untilWatching(true)
        withContext(Dispatchers.IO) { drive.pause() }
        drive.resume()
        drive.untilWatching(true)
        cloud.put("/Jotta/Sync/after.txt", "a".toByteArray())
        while (drive.find("Sync", "after.txt") !is ItemLookup.Found) delay(50.milliseconds)
        delay(300.milliseconds)
        withContext(Dispatchers.IO) { drive.close() }
        val names = withTimeout(10.seconds) { pages.await() }.flatMap { page -> page.updated.map { it.name } }
        assertTrue("after.txt" in names) { "$names" }
    }

    @Test
    fun `a watch whose sign-in was revoked says so`() = withDrive { cloud, drive ->
        drive.refresh("sync")
        val outcome = async { runCatching { drive.watchedChangesSince(drive.currentAnchor()).toList() } }
        drive.untilWatching(true)
        // The look after the connection is over: only the refresh finds out.
        delay(3.seconds)
        cloud.revokeTokens()
        assertThrows<LommeException.SignInNeeded> { drive.refresh("sync") }
        val failure = withTimeout(60.seconds) { outcome.await() }.exceptionOrNull()
        assertTrue(failure is LommeException.SignInNeeded) { "$failure" }
    }

    @Test
    fun `hints come after every change of the tree`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        val hint = async(start = CoroutineStart.UNDISPATCHED) { drive.hints().drop(1).first() }
        delay(200.milliseconds)
        assertFalse(hint.isCompleted)
        drive.refresh("sync")
        withTimeout(10.seconds) { hint.await() }
    }

    @Test
    fun `a poll finds what changed in what matters, within its budget`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/Folder/a.txt", "a".toByteArray())
        drive.index(DriveSpace.SYNC)
        drive.setFavourite(drive.found("Sync", "Folder").id, true)
        drive.pin(drive.found("Sync", "Folder").id, upToBytes = 1_000)
        cloud.put("/Jotta/Sync/Folder/b.txt", "b".toByteArray())
        val polled = drive.poll(20.seconds)
        assertTrue(polled.folders > 0u) { "$polled" }
        assertTrue(drive.find("Sync", "Folder", "b.txt") is ItemLookup.Found)
        assertEquals(0, cloud.contentBytes())
    }

    @Test
    fun `when a great part of a space disappears, nothing is removed before a person has said so`() = withDrive { cloud, drive ->
        cloud.fill("/Jotta/Sync/Many", 3_000)
        cloud.put("/Jotta/Sync/stays.txt", "a".toByteArray())
        drive.index(DriveSpace.SYNC)
        cloud.remove("/Jotta/Sync/Many")
        val error = assertThrows<LommeException.ManyGone> { drive.index(DriveSpace.SYNC) }
        assertTrue(error.gone >= 3_000u && error.known >= error.gone) { "${error.gone} of ${error.known}" }
        assertEquals(RetryAdvice.NeedsUser, error.retryAdvice())
        assertTrue(drive.find("Sync", "Many") is ItemLookup.Found)
        drive.acceptDisappearance(DriveSpace.SYNC)
        assertTrue(drive.index(DriveSpace.SYNC).deleted >= 3_000u)
        assertTrue(drive.find("Sync", "Many") !is ItemLookup.Found)
        assertTrue(drive.find("Sync", "stays.txt") is ItemLookup.Found)
    }

    private suspend fun Drive.untilWatching(now: Boolean) {
        withTimeout(20.seconds) { while (status().watching != now) delay(20.milliseconds) }
    }

    private fun withDrive(test: suspend CoroutineScope.(Cloud, Drive) -> Unit) = withCloud { cloud ->
        signedIn(cloud, directory) { drive -> test(cloud, drive) }
    }
}
