package io.lomme

import java.nio.file.Path
import kotlin.io.path.readText
import kotlinx.coroutines.runBlocking
import listSync
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The README's sample is real. */
class SampleTest {
    @Test
    fun `the sample of the README is this one`() {
        val sample = Path.of("src/test/kotlin/Sample.kt").readText().substringAfter("// README\n").trim()
        val readme = Path.of("../../README.md").readText()
        val shown = readme.substringAfter("```kotlin\n", "").substringBefore("```").trim()
        assertEquals(sample, shown)
    }

    @Test
    fun `the sample signs in and lists Sync`(@TempDir directory: Path) {
        Cloud.start().use { cloud ->
            cloud.put("/Jotta/Sync/hello.txt", "hello".toByteArray())
            val printed = java.io.ByteArrayOutputStream()
            val before = System.out
            System.setOut(java.io.PrintStream(printed, true))
            try {
                runBlocking { listSync(directory.resolve("lomme"), cloud.loginToken(), MemoryVault()) }
            } finally {
                System.setOut(before)
            }
            assertTrue("hello.txt  5" in printed.toString()) { "$printed" }
        }
    }
}
