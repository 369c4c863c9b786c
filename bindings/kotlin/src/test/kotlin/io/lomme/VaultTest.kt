package io.lomme

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** A vault is platform code: it may fail in any way, and its secrets must not get out. */
class VaultTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `tokens are in the vault and nowhere in the directory`() = withCloud { cloud ->
        val seen = mutableSetOf<String>()
        val memory = MemoryVault()
        val vault = object : SecretVault by memory {
            override fun put(name: String, secret: String) {
                synchronized(seen) { seen += secret }
                memory.put(name, secret)
            }
        }
        open(directory.resolve("lomme"), vault).use { drive ->
            drive.signIn(cloud.loginToken())
            drive.refresh("sync")
        }
        assertTrue(seen.isNotEmpty())
        val tokens = seen.flatMap { Regex("\"(?:access|refresh)\":\"([^\"]{8,})\"").findAll(it).map { match -> match.groupValues[1] } }
        assertEquals(2, tokens.size) { "the vault holds a pair of tokens" }
        val files = directory.resolve("lomme").toFile().walk().filter { it.isFile }.toList()
        assertTrue(files.isNotEmpty())
        for (file in files) {
            val text = file.readBytes().toString(Charsets.ISO_8859_1)
            for (token in tokens) assertFalse(token in text) { "a token is in ${file.name}" }
        }
    }

    @Test
    fun `a vault that throws anything is a typed error, and what it said does not get out`() = withCloud { cloud ->
        val vault = object : SecretVault by MemoryVault() {
            override fun put(name: String, secret: String) = throw IllegalStateException("hush: $secret")
        }
        open(directory.resolve("lomme"), vault).use { drive ->
            val error = assertThrows<LommeException.VaultFailed> { drive.signIn(cloud.loginToken()) }
            assertEquals("failed", error.detail)
            val all = error.stackTraceToString()
            assertFalse("hush" in all || "IllegalState" in all) { all }
        }
    }

    @Test
    fun `a locked vault says that it is locked`() = withCloud { cloud ->
        val memory = MemoryVault()
        var locked = false
        val vault = object : SecretVault by memory {
            override fun get(name: String): String? = if (locked) throw CallbackException.Locked() else memory.get(name)
        }
        open(directory.resolve("lomme"), vault).use { drive -> drive.signIn(cloud.loginToken()) }
        locked = true
        open(directory.resolve("lomme"), vault).use { drive ->
            val error = assertThrows<LommeException.VaultFailed> { drive.refresh("sync") }
            assertEquals("locked", error.detail)
            assertTrue(error.retryAdvice() is RetryAdvice.After)
            locked = false
            drive.refresh("sync")
        }
    }

    @Test
    fun `a listener that throws is its own affair`() = withCloud { cloud ->
        open(directory.resolve("lomme")).use { drive ->
            drive.signIn(cloud.loginToken())
            cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
            drive.refresh("sync")
            val core = LommeDrive.open(DriveOptions(directory.resolve("lomme").toString()), MemoryVault())
            val calls = java.util.concurrent.LinkedBlockingQueue<String>()
            val listener = object : DriveListener {
                override fun onChanged() {
                    calls += "changed"
                    throw IllegalStateException("hush")
                }

                override fun onAccountChanged() {
                    calls += "account"
                    throw IllegalStateException("hush")
                }
            }
            core.subscribe(listener).use { subscription ->
                core.pause(5_000u)
                core.resume()
                val heard = List(2) { calls.poll(5, java.util.concurrent.TimeUnit.SECONDS) }
                assertEquals(setOf("changed", "account"), heard.toSet())
                subscription.end()
                subscription.end()
            }
            assertEquals(4, core.roots().size)
            core.shutDown()
        }
    }
}
