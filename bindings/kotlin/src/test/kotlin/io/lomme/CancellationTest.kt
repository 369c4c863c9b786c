package io.lomme

import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.TimeoutCancellationException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Stopping, at every moment that matters. */
class CancellationTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a coroutine cancelled before it starts asks nothing of the service`() = withDrive { cloud, drive ->
        val before = cloud.requests()
        coroutineScope {
            val job = launch(start = CoroutineStart.UNDISPATCHED) {
                currentCoroutineContext().job.cancel()
                drive.refresh("sync")
            }
            job.join()
            assertTrue(job.isCancelled)
        }
        assertEquals(before, cloud.requests())
    }

    @Test
    fun `a token cancelled before the call asks nothing of the service, and stays cancelled`() = withDrive { cloud, _ ->
        val token = CancelToken()
        token.cancel()
        assertTrue(token.isCancelled())
        val raw = LommeDrive.open(DriveOptions(directory.resolve("raw").toString()), MemoryVault())
        val before = cloud.requests()
        repeat(2) { assertThrows<LommeException.Cancelled> { raw.signIn(cloud.loginToken(), token) } }
        assertEquals(before, cloud.requests())
        raw.shutDown()
    }

    @Test
    fun `a cancel during a back-off ends it at once`() = withDrive { cloud, drive ->
        cloud.trouble("""{"kind":"get","status":503,"retry_after":2}""")
        val before = cloud.requests()
        coroutineScope {
            val job = launch(Dispatchers.Default) { drive.refresh("sync") }
            while (cloud.requests() == before) delay(20.milliseconds)
            delay(200.milliseconds)
            val asked = cloud.requests()
            assertQuick { job.cancelAndJoin() }
            assertTrue(job.isCancelled)
            delay(2500.milliseconds)
            assertEquals(asked, cloud.requests()) { "it went on when the back-off was over" }
        }
    }

    @Test
    fun `a cancel while the service does not answer ends the wait at once`() = withDrive { cloud, drive ->
        cloud.trouble("""{"kind":"get","delay_ms":20000}""")
        coroutineScope {
            val job = launch(Dispatchers.Default) { drive.refresh("sync") }
            delay(500.milliseconds)
            assertTrue(job.isActive)
            assertQuick { job.cancelAndJoin() }
            assertTrue(job.isCancelled)
        }
    }

    @Test
    fun `a time-out of the caller's own is one, whatever the core says`() = withDrive { cloud, drive ->
        cloud.trouble("""{"kind":"get","delay_ms":20000}""")
        assertQuick {
            assertThrows<TimeoutCancellationException> { withTimeout(300.milliseconds) { drive.refresh("sync") } }
        }
    }

    @Test
    fun `cancelling one of two calls leaves the other alone`() = withDrive { cloud, drive ->
        cloud.trouble("""[{"kind":"get","path":"Sync","delay_ms":60000},{"kind":"get","delay_ms":1500}]""")
        val before = cloud.requests("get")
        coroutineScope {
            val one = launch(Dispatchers.Default) { drive.refresh("sync") }
            val other = async(Dispatchers.Default) { drive.refresh("archive") }
            while (cloud.requests("get") < before + 2) delay(20.milliseconds)
            one.cancelAndJoin()
            assertTrue(one.isCancelled)
            assertEquals(0u.toULong(), other.await().files)
        }
    }

    @Test
    fun `hundreds of calls at once, cancelled at any moment, all end, and the drive goes on`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        val random = Random(5)
        coroutineScope {
            repeat(300) { number ->
                val job = launch(Dispatchers.Default) {
                    drive.refresh("archive")
                    drive.pages("archive").toList()
                }
                if (number % 3 != 0) {
                    launch(Dispatchers.Default) {
                        delay(random.nextLong(100).milliseconds)
                        job.cancel()
                    }
                }
            }
        }
        drive.refresh("sync")
        assertEquals(listOf("a.txt"), drive.names("sync"))
    }

    @Test
    fun `a progress listener that throws stops the download, and the caller gets what it threw`() =
        withDrive { cloud, drive ->
            cloud.put("/Jotta/Sync/film.mp4", Random(3).nextBytes(3_000_000))
            drive.refresh("sync")
            cloud.trouble("""{"kind":"bin","bytes_per_second":500000}""")
            val mine = IllegalArgumentException("the screen is gone")
            val thrown = assertThrows<IllegalArgumentException> {
                drive.fetchToFile(drive.found("Sync", "film.mp4").id, directory.resolve("film.mp4")) { _, _ -> throw mine }
            }
            assertEquals(mine.message, thrown.message)
        }

    @Test
    fun `closing the drive ends a download with a typed error`() = withDrive { cloud, drive ->
        cloud.put("/Jotta/Sync/film.mp4", Random(4).nextBytes(3_000_000))
        drive.refresh("sync")
        cloud.trouble("""{"kind":"bin","bytes_per_second":300000}""")
        val midway = CompletableDeferred<Unit>()
        coroutineScope {
            val outcome = async(Dispatchers.Default) {
                runCatching {
                    drive.fetchToFile(drive.found("Sync", "film.mp4").id, directory.resolve("film.mp4")) { done, _ ->
                        if (done > 0u) midway.complete(Unit)
                    }
                }
            }
            midway.await()
            withContext(Dispatchers.IO) { drive.close() }
            val failure = withTimeout(10.seconds) { outcome.await() }.exceptionOrNull()
            assertTrue(failure is LommeException.Closed) { "$failure" }
        }
    }

    private fun withDrive(test: suspend CoroutineScope.(Cloud, Drive) -> Unit) = withCloud { cloud ->
        signedIn(cloud, directory) { drive -> test(cloud, drive) }
    }
}
