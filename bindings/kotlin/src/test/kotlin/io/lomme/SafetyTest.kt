package io.lomme

import java.nio.file.Path
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What must hold with no service in reach. */
class SafetyTest {
    @TempDir
    lateinit var directory: Path

    private fun open(vault: SecretVault = MemoryVault()) = Lomme.open(directory.resolve("lomme"), vault)

    @Test
    fun `a new directory is signed out and has the four spaces`() {
        open().use { drive ->
            assertEquals(SignInState.SignedOut, drive.signInState())
            assertEquals(listOf("Sync", "Backup", "Archive", "Trash"), drive.roots().map { it.name })
            assertEquals(DriveSpace.entries.map { SpaceCount(it, 0u) }, drive.status().spaces)
            assertTrue(drive.ledger().isEmpty())
        }
    }

    @Test
    fun `every call after close gives a typed error, and closing twice is fine`() {
        val drive = open()
        drive.close()
        drive.close()
        assertThrows(LommeException.Closed::class.java) { drive.roots() }
        assertThrows(LommeException.Closed::class.java) { drive.status() }
        assertThrows(LommeException.Closed::class.java) { drive.resume() }
        assertThrows(LommeException.Closed::class.java) { drive.search("anything") }
        assertThrows(LommeException.Closed::class.java) { drive.usage() }
        assertThrows(LommeException.Closed::class.java) { drive.openReader("sync") }
        assertThrows(LommeException.Closed::class.java) { runBlocking { drive.keepPins() } }
        assertThrows(LommeException.Closed::class.java) { runBlocking { drive.watch() } }
        assertThrows(LommeException.Closed::class.java) { runBlocking { drive.refresh("sync") } }
        assertThrows(LommeException.Closed::class.java) { runBlocking { drive.signIn("anything") } }
        runBlocking { assertEquals(emptyList<ChangePage>(), drive.changesSince("anything").toList()) }
    }

    @Test
    fun `a paused drive says so, and works again once resumed`() {
        open().use { drive ->
            drive.pause()
            val paused = assertThrows(LommeException.Paused::class.java) { drive.roots() }
            assertEquals(RetryAdvice.After(1_000u), paused.retryAdvice())
            drive.resume()
            assertEquals(4, drive.roots().size)
        }
    }

    @Test
    fun `a refresh without an account asks to sign in`() {
        open().use { drive ->
            val error = assertThrows(LommeException.SignInNeeded::class.java) { runBlocking { drive.refresh("sync") } }
            assertEquals(RetryAdvice.NeedsUser, error.retryAdvice())
        }
    }

    @Test
    fun `an id that was never handed out is unknown, which is not gone`() {
        open().use { drive -> assertEquals(ItemLookup.Unknown, drive.item("never-handed-out")) }
    }

    @Test
    fun `an anchor that this directory never gave has expired`() {
        open().use { drive ->
            assertThrows(LommeException.AnchorExpired::class.java) { drive.changes("nonsense") }
        }
    }

    @Test
    fun `rules and limits that are left out are the core's own, and what is set is kept`() {
        open().use { drive ->
            assertEquals(FetchRules(), drive.status().rules)
            assertEquals(CacheLimits(), drive.usage().limits)
            assertEquals(DeviceSituation(NetworkKind.UNKNOWN), drive.status().situation)
            drive.setRules(FetchRules(onMetered = true, meteredBytesAMonth = 5u))
            drive.setLimits(CacheLimits(budgetBytes = 1_000u))
            drive.setSituation(DeviceSituation(NetworkKind.METERED, roaming = true, charging = false, batteryPercent = 50u))
            assertEquals(NetworkKind.METERED, drive.status().situation.network)
        }
        open().use { drive ->
            assertEquals(FetchRules(onMetered = true, meteredBytesAMonth = 5u), drive.status().rules)
            assertEquals(CacheLimits(budgetBytes = 1_000u), drive.usage().limits)
            assertEquals(NetworkKind.UNKNOWN, drive.status().situation.network)
        }
    }

    @Test
    fun `every reason to wait has a sentence of its own, which says what would end it`() {
        val reasons = listOf(
            WaitReason.SignIn, WaitReason.NoNetwork, WaitReason.Metered, WaitReason.Roaming,
            WaitReason.DataCap(used = 7u, cap = 5u), WaitReason.Charger, WaitReason.Battery(percent = 3u, atLeast = 15u),
            WaitReason.LowPower, WaitReason.FreeSpace(missing = 9u),
        )
        val texts = reasons.map { it.text() }
        assertEquals(reasons.size, texts.toSet().size)
        assertTrue(texts.all { it.length > 20 }) { "$texts" }
        assertTrue("3 %" in texts[6] && "15 %" in texts[6]) { texts[6] }
    }

    @Test
    fun `a login token that makes no sense is refused`() {
        open().use { drive ->
            assertThrows(LommeException.LoginRefused::class.java) { runBlocking { drive.signIn("not a token") } }
        }
    }

    @Test
    fun `a directory that cannot be made is a typed error`() {
        assertThrows(LommeException.DiskFailed::class.java) { Lomme.open(Path.of("/proc/lomme"), MemoryVault()) }
    }

    @Test
    fun `the services of the browser sign-in are known, and another is refused`() {
        val names = Lomme.services.map { it.name }
        assertTrue("Jottacloud" in names) { "$names" }
        open().use { drive ->
            assertThrows(LommeException.InvalidArgument::class.java) {
                runBlocking { drive.signInByBrowser("No such service") { _, _ -> } }
            }
        }
    }
}
