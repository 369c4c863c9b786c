package io.lomme

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Signing in through a browser, whose part the test plays. */
class BrowserTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a browser signs in, after a warning`() = withCloud { cloud ->
        atCloud(cloud).use { drive ->
            coroutineScope {
                val account = drive.signInByBrowser("Jottacloud") { warning, url ->
                    assertTrue("sign out" in warning) { warning }
                    launch(Dispatchers.IO) { browse(url, "allow") }
                }
                assertEquals(SignInState.SignedIn(account), drive.signInState())
            }
            cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
            drive.refresh("sync")
            assertEquals(listOf("a.txt"), drive.names("sync"))
        }
    }

    @Test
    fun `a person who says no stays signed out`() = withCloud { cloud ->
        atCloud(cloud).use { drive ->
            coroutineScope {
                assertThrows<LommeException.LoginRefused> {
                    drive.signInByBrowser("Jottacloud") { _, url -> launch(Dispatchers.IO) { browse(url, "deny") } }
                }
            }
            assertEquals(SignInState.SignedOut, drive.signInState())
        }
    }

    @Test
    fun `a person who never comes back can be given up on`() = withCloud { cloud ->
        atCloud(cloud).use { drive ->
            coroutineScope {
                val shown = CompletableDeferred<Unit>()
                val job = launch(Dispatchers.Default) { drive.signInByBrowser("Jottacloud") { _, _ -> shown.complete(Unit) } }
                shown.await()
                delay(200.milliseconds)
                assertTrue(job.isActive)
                assertQuick { job.cancelAndJoin() }
            }
            assertEquals(SignInState.SignedOut, drive.signInState())
        }
    }

    @Test
    fun `a page that cannot be shown ends the sign-in with the app's own error`() = withCloud { cloud ->
        atCloud(cloud).use { drive ->
            val thrown = assertThrows<UnsupportedOperationException> {
                drive.signInByBrowser("Jottacloud") { _, _ -> throw UnsupportedOperationException("no browser") }
            }
            assertEquals("no browser", thrown.message)
        }
    }

    private fun atCloud(cloud: Cloud) =
        Lomme.open(directory.resolve("lomme"), MemoryVault(), endpoints = cloudEndpointsAt(cloud.url))

    /** Opens the page, answers its form, and follows it back. */
    private fun browse(url: String, answer: String) {
        val page = get(url)
        check(page.statusCode() == 200) { "${page.statusCode()} ${page.body()}" }
        val form = "${URI(url).rawQuery}&answer=$answer"
        val sent = http.send(
            HttpRequest.newBuilder(URI(url))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build(),
            HttpResponse.BodyHandlers.ofString(),
        )
        get(sent.headers().firstValue("location").orElseThrow { AssertionError("${sent.statusCode()} ${sent.body()}") })
    }

    private fun get(url: String) =
        http.send(HttpRequest.newBuilder(URI(url)).build(), HttpResponse.BodyHandlers.ofString())

    private val http = HttpClient.newHttpClient()
}
