package io.lomme

import java.nio.file.Path
import kotlin.random.Random
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What local reads cost through Kotlin. Not a test by its name, so that only ./bench runs it. */
class Bench {
    @TempDir
    lateinit var directory: Path

    @Test
    fun print() {
        Cloud.start().use { cloud ->
            cloud.seed("scale:100000:5000")
            cloud.fill("/Jotta/Archive/Many", 10_000)
            open(directory.resolve("lomme")).use { drive ->
                runBlocking {
                    drive.signIn(cloud.loginToken())
                    drive.index(DriveSpace.SYNC)
                    drive.index(DriveSpace.ARCHIVE)
                    measure(drive)
                }
            }
        }
    }

    private suspend fun measure(drive: Drive) {
        val many = drive.found("Archive", "Many").id
        val pages = listOf<String?>(null) + drive.pages(many, limit = ROWS).toList().mapNotNull { it.next }
        assertEquals(50, pages.size)
        val random = Random(1)
        report("a page of $ROWS in a folder of 10,000", "5 ms") {
            assertEquals(ROWS, drive.children(many, page = pages.random(random), limit = ROWS).items.size)
        }

        val names = drive.search(SearchQuery("", spaces = listOf(DriveSpace.SYNC), limit = 1_000u)).items.map { it.name }
        report("a search as it is typed over 100,000 names", "20 ms") {
            val name = names.random(random)
            val start = random.nextInt(name.length)
            drive.search(name.substring(start, minOf(name.length, start + 1 + random.nextInt(8))))
        }
        report("a search for what is not there", "20 ms") {
            assertEquals(0, drive.search("nowhere${random.nextInt(1_000)}").items.size)
        }
    }

    private fun report(what: String, target: String, call: () -> Unit) {
        repeat(WARM) { call() }
        val times = LongArray(RUNS) {
            val start = System.nanoTime()
            call()
            System.nanoTime() - start
        }.sorted()
        fun at(share: Double) = "%.2f ms".format(times[(share * (RUNS - 1)).toInt()] / 1e6)
        println("$what: median ${at(0.5)}, p99 ${at(0.99)} (wanted: $target), longest ${at(1.0)}, $RUNS runs")
    }

    private companion object {
        const val ROWS = 200
        const val WARM = 2_000
        const val RUNS = 2_000
    }
}
