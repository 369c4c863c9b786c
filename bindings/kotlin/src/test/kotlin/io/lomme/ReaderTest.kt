package io.lomme

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.channels.NonWritableChannelException
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Files read by their parts, as a proxy file descriptor or a player does. */
class ReaderTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a big video is read in parts by two threads, and the service sends little more than was asked for`() =
        withFilm(32 * MIB) { cloud, drive, film, content ->
            drive.openReader(film.id).use { reader ->
                reader.hint(ReadHint.RANDOM)
                assertEquals(content.size.toLong(), reader.size)
                assertEquals(film.contentVersion, reader.contentVersion)
                val asked = coroutineScope {
                    List(2) { thread ->
                        async(Dispatchers.IO) {
                            val random = Random(thread)
                            List(20) {
                                val buffer = ByteArray(64 * KIB)
                                val offset = random.nextInt(content.size - buffer.size)
                                assertEquals(buffer.size, reader.readAt(offset.toLong(), buffer))
                                assertArrayEquals(content.copyOfRange(offset, offset + buffer.size), buffer)
                                buffer.size
                            }.sum()
                        }
                    }.awaitAll().sum()
                }
                val served = cloud.contentBytesAtRest()
                // A read that is not aligned touches two blocks.
                assertTrue(served in 1..2L * asked + 64 * KIB) { "$served for $asked" }
                assertEquals(served, drive.ledger().sumOf { it.bytes }.toLong())
                assertTrue(drive.ledger().all { it.purpose == FetchPurpose.STREAM }) { "${drive.ledger()}" }
            }
        }

    @Test
    fun `two threads that read all of a file at the same time get it once`() =
        withFilm(4 * MIB) { cloud, drive, film, content ->
            val readers = List(2) { drive.openReader(film.id) }
            coroutineScope {
                readers.map { reader ->
                    async(Dispatchers.IO) { reader.use { assertArrayEquals(content, it.inputStream().readAllBytes()) } }
                }.awaitAll()
            }
            assertEquals(content.size.toLong(), cloud.contentBytesAtRest())
        }

    @Test
    fun `what was read once is read again without the service`() = withFilm(MIB) { cloud, drive, film, content ->
        drive.openReader(film.id).use { it.inputStream().readAllBytes() }
        val served = cloud.contentBytesAtRest()
        cloud.close()
        drive.openReader(film.id).use { assertArrayEquals(content, it.inputStream().readAllBytes()) }
        assertEquals(served, drive.ledger().sumOf { it.bytes }.toLong())
    }

    @Test
    fun `the end of a file, a place behind it and arguments without sense`() = withFilm(200_000) { _, drive, film, content ->
        drive.openReader(film.id).use { reader ->
            val buffer = ByteArray(150_000)
            assertEquals(50_000, reader.readAt(150_000, buffer))
            assertArrayEquals(content.copyOfRange(150_000, 200_000), buffer.copyOf(50_000))
            assertEquals(0, reader.readAt(200_000, buffer))
            assertEquals(0, reader.readAt(Long.MAX_VALUE, buffer))
            assertEquals(0, reader.readAt(0, ByteArray(0)))
            assertEquals(10, reader.readAt(7, buffer, 3, 10))
            assertArrayEquals(content.copyOfRange(7, 17), buffer.copyOfRange(3, 13))
            assertEquals(0, reader.readAt(300_000, 10).size)
            assertThrows<LommeException.InvalidArgument> { reader.readAt(-1, buffer) }
            assertThrows<LommeException.InvalidArgument> { reader.readAt(0, -1) }
            assertThrows<LommeException.InvalidArgument> { reader.readAt(0, 131_073) }
            assertEquals(131_072, reader.readAt(0, 131_072).size)
            assertArrayEquals(content.copyOfRange(5, 10), reader.read(5, 5))
        }
    }

    @Test
    fun `a channel reads and seeks, cannot write, and closes its reader`() = withFilm(300_000) { _, drive, film, content ->
        val reader = drive.openReader(film.id)
        val channel = reader.channel()
        assertEquals(300_000, channel.size())
        channel.position(299_990)
        val buffer = ByteBuffer.allocate(100)
        assertEquals(10, channel.read(buffer))
        assertEquals(300_000, channel.position())
        assertArrayEquals(content.copyOfRange(299_990, 300_000), buffer.array().copyOf(10))
        assertEquals(-1, channel.read(buffer))
        assertEquals(0, channel.read(ByteBuffer.allocate(0)))
        assertThrows<NonWritableChannelException> { channel.write(buffer) }
        assertThrows<NonWritableChannelException> { channel.truncate(1) }
        assertTrue(channel.isOpen)
        channel.close()
        assertFalse(channel.isOpen)
        assertThrows<ClosedChannelException> { channel.read(buffer) }
        assertThrows<LommeException.Cancelled> { reader.readAt(0, 1) }
        reader.close()
    }

    @Test
    fun `a library that knows only IOException gets one`() = withFilm(300_000) { cloud, drive, film, _ ->
        drive.setSituation(DeviceSituation(NetworkKind.OFFLINE))
        cloud.close()
        drive.openReader(film.id).inputStream().use { stream ->
            val thrown = assertThrows<IOException> { stream.read() }
            assertTrue(thrown.cause is LommeException.Offline) { "$thrown" }
        }
    }

    @Test
    fun `a file that changes while it is read gives its old bytes or VersionGone, and never a mixture`() =
        withFilm(8 * MIB) { cloud, drive, film, content ->
            drive.openReader(film.id).use { reader ->
                reader.hint(ReadHint.RANDOM)
                val first = reader.readAt(0, 64 * KIB)
                assertArrayEquals(content.copyOf(64 * KIB), first)
                cloud.put(FILM, Random(99).nextBytes(content.size))
                drive.refresh("sync")
                val error = assertThrows<LommeException.VersionGone> { reader.readAt(4L * MIB, 64 * KIB) }
                assertEquals(RetryAdvice.Now, error.retryAdvice())
                assertArrayEquals(first, reader.readAt(0, 64 * KIB))
            }
            assertThrows<LommeException.VersionGone> { drive.openReader(film.id, wantVersion = "no such version") }
            drive.openReader(film.id).use { assertArrayEquals(Random(99).nextBytes(content.size).copyOf(9), it.readAt(0, 9)) }
        }

    @Test
    fun `a cancel from another thread ends a blocking read at once, and later reads work`() =
        withFilm(MIB) { cloud, drive, film, content ->
            cloud.trouble("""{"kind":"bin","delay_ms":20000,"times":1}""")
            drive.openReader(film.id).use { reader ->
                coroutineScope {
                    val reading = async(Dispatchers.IO) { runCatching { reader.readAt(0, 1000) }.exceptionOrNull() }
                    while (cloud.requests("bin") == 0L) delay(20.milliseconds)
                    assertQuick {
                        reader.cancel()
                        assertTrue(reading.await() is LommeException.Cancelled)
                    }
                }
                assertArrayEquals(content.copyOf(1000), reader.readAt(0, 1000))
            }
        }

    @Test
    fun `closing the reader ends a blocking read, and so does closing the drive`() = withFilm(MIB) { cloud, drive, film, _ ->
        cloud.trouble("""{"kind":"bin","delay_ms":20000}""")
        suspend fun endedBy(end: (DriveReader) -> Unit): Throwable? = coroutineScope {
            val reader = drive.openReader(film.id)
            val asked = cloud.requests("bin")
            val reading = async(Dispatchers.IO) { runCatching { reader.readAt(0, 1000) }.exceptionOrNull() }
            while (cloud.requests("bin") == asked) delay(20.milliseconds)
            withContext(Dispatchers.IO) { end(reader) }
            withTimeout(10.seconds) { reading.await() }
        }
        val byReader = endedBy { it.close() }
        assertTrue(byReader is LommeException.Cancelled) { "$byReader" }
        val byDrive = endedBy { drive.close() }
        assertTrue(byDrive is LommeException.Closed) { "$byDrive" }
        assertThrows<LommeException.Closed> { drive.openReader(film.id) }
    }

    @Test
    fun `a cancelled coroutine ends its read, before the start and in the middle`() = withFilm(MIB) { cloud, drive, film, content ->
        drive.openReader(film.id).use { reader ->
            coroutineScope {
                val before = launch(start = CoroutineStart.UNDISPATCHED) {
                    currentCoroutineContext().job.cancel()
                    reader.read(0, 1000)
                }
                before.join()
                assertTrue(before.isCancelled)
                assertEquals(0, cloud.requests("bin"))

                cloud.trouble("""{"kind":"bin","delay_ms":20000,"times":1}""")
                val midway = launch(Dispatchers.Default) { reader.read(0, 1000) }
                while (cloud.requests("bin") == 0L) delay(20.milliseconds)
                assertQuick { midway.cancelAndJoin() }
                assertTrue(midway.isCancelled)
            }
            assertArrayEquals(content.copyOf(1000), reader.read(0, 1000))
        }
    }

    @Test
    fun `reads cancelled at any moment all end, and the reader goes on`() = withFilm(4 * MIB) { _, drive, film, content ->
        val random = Random(5)
        drive.openReader(film.id).use { reader ->
            coroutineScope {
                repeat(100) {
                    val offset = random.nextInt(content.size).toLong()
                    val wait = random.nextLong(20)
                    launch(Dispatchers.Default) {
                        val job = launch {
                            // Another's cancel ends this one too: see the reader's documentation.
                            try { reader.read(offset, 1000) } catch (_: LommeException.Cancelled) {}
                        }
                        delay(wait.milliseconds)
                        job.cancelAndJoin()
                    }
                }
            }
            assertArrayEquals(content, reader.inputStream().readAllBytes())
        }
    }

    private fun withFilm(size: Int, test: suspend CoroutineScope.(Cloud, Drive, Item, ByteArray) -> Unit) =
        withCloud { cloud ->
            val content = Random(size).nextBytes(size)
            cloud.put(FILM, content)
            signedIn(cloud, directory) { drive ->
                drive.refresh("sync")
                test(cloud, drive, drive.found("Sync", "film.mp4"), content)
            }
        }

    private companion object {
        const val KIB = 1024
        const val MIB = 1024 * KIB
        const val FILM = "/Jotta/Sync/film.mp4"
    }
}
