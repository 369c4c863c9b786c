package io.lomme

import edit
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import listSync
import onDemand
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's samples are real. */
class SampleTest {
    @Test
    fun `the samples of the README are these`() {
        val samples = listOf("Sample.kt", "SampleOnDemand.kt", "SampleEditing.kt").map { file ->
            Path.of("src/test/kotlin/$file").readText().substringAfter("// README\n").trim()
        }
        val readme = Path.of("../../README.md").readText()
        val shown = readme.split("```kotlin\n").drop(1).map { it.substringBefore("```").trim() }
        assertEquals(samples, shown)
    }

    @Test
    fun `the sample signs in and lists Sync`(@TempDir directory: Path) {
        Cloud.start().use { cloud ->
            cloud.put("/Jotta/Sync/hello.txt", "hello".toByteArray())
            val printed = printed { listSync(directory.resolve("lomme"), cloud.loginToken(), MemoryVault()) }
            assertTrue("hello.txt  5" in printed) { printed }
        }
    }

    @Test
    fun `the sample reads a part, keeps a folder and hears of a change`(@TempDir directory: Path) {
        Cloud.start().use { cloud ->
            cloud.put("/KARI-PC/Videos/film.mp4", ByteArray(200_000))
            Lomme.open(directory.resolve("lomme"), MemoryVault()).use { drive ->
                val printed = printed {
                    drive.signIn(cloud.loginToken())
                    // The other client goes on until it was heard.
                    val writing = launch {
                        repeat(100) { n ->
                            delay(300)
                            withContext(Dispatchers.IO) { cloud.put("/KARI-PC/Videos/new $n.txt", "new".toByteArray()) }
                        }
                    }
                    withTimeout(30_000) { onDemand(drive) }
                    writing.cancel()
                }
                for (line in listOf("1000 of 200000 bytes", "for the flight", "changed: ")) {
                    assertTrue(line in printed) { printed }
                }
            }
        }
    }

    @Test
    fun `the sample makes a folder and two files, and the service has them`(@TempDir directory: Path) {
        Cloud.start().use { cloud ->
            val photo = directory.resolve("photo").apply { writeText("a boat") }
            Lomme.open(directory.resolve("lomme"), MemoryVault()).use { drive ->
                val printed = printed {
                    drive.signIn(cloud.loginToken())
                    drive.refresh("sync")
                    withTimeout(30_000) { edit(drive, photo) }
                }
                assertTrue("3 changes wait\n3 sent" in printed) { printed }
                val tree = cloud.tree("/Jotta/Sync")
                assertEquals(setOf("Notes/", "Notes/Our boat.jpg", "Notes/log.txt"), tree.keys)
                assertEquals(md5("a boat"), tree["Notes/Our boat.jpg"])
            }
        }
    }

    private fun printed(what: suspend CoroutineScope.() -> Unit): String {
        val printed = java.io.ByteArrayOutputStream()
        val before = System.out
        System.setOut(java.io.PrintStream(printed, true))
        try {
            runBlocking { what() }
        } finally {
            System.setOut(before)
        }
        return printed.toString()
    }
}
