package io.lomme

import java.nio.file.Path
import java.util.Collections
import kotlin.io.path.exists
import kotlin.io.path.readBytes
import kotlin.random.Random
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What an app does from the first sign-in on, against a local cloud. */
class ScenarioTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a login token signs in once, and the account is told`() = withCloud { cloud ->
        val token = cloud.loginToken()
        open(directory.resolve("one")).use { drive ->
            val account = drive.signIn(token)
            assertTrue(account.username.isNotEmpty())
            assertEquals(SignInState.SignedIn(account), drive.signInState())
            val again = drive.refreshAccount()
            assertEquals(account.username, again.username)
        }
        open(directory.resolve("two")).use { drive ->
            assertThrows<LommeException.LoginRefused> { drive.signIn(token) }
            assertEquals(SignInState.SignedOut, drive.signInState())
        }
    }

    @Test
    fun `the three spaces are listed, each item with what may be done and where that leads`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/letter.txt", "dear".toByteArray())
        cloud.put("/Jotta/Archive/old.txt", "old".toByteArray())
        cloud.put("/Laptop/Documents/tax.txt", "tax".toByteArray())
        signedIn(cloud) { drive ->
            for (root in drive.roots()) drive.refresh(root.id)
            assertTrue("letter.txt" in drive.names("sync"))
            assertEquals(listOf("old.txt"), drive.names("archive"))
            assertEquals(listOf("Laptop"), drive.names("backup"))

            val letter = drive.found("Sync", "letter.txt")
            val trash = letter.capabilities.first { it.action == ItemAction.TRASH }
            assertEquals(Consequence.DELETED_ON_ALL_COMPUTERS, trash.consequence)
            assertEquals(listOf("sync", letter.id), drive.pathOf(letter.id).map { it.id })
            assertEquals(ItemLookup.Found(letter), drive.item(letter.id))
            assertEquals(4u.toULong(), letter.size)

            val laptop = drive.found("Backup", "Laptop")
            assertEquals(ItemKind.COMPUTER, laptop.kind)
            drive.refresh(laptop.id)
            assertEquals(listOf("Documents"), drive.names(laptop.id))
        }
    }

    @Test
    fun `a folder of 5,000 files comes in pages, each file once, and moves no content`() = withCloud { cloud ->
        cloud.fill("/Jotta/Sync/Many", 5_000)
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            val many = drive.found("Sync", "Many")
            val outcome = drive.refresh(many.id)
            assertEquals(5_000u.toULong(), outcome.files)

            val pages = drive.pages(many.id, limit = 500).toList()
            assertEquals(10, pages.size)
            val names = pages.flatMap { page -> page.items.map { it.name } }
            assertEquals(5_000, names.toSet().size)
            assertEquals(names.sorted(), names)
            assertEquals(names, drive.items(many.id).toList().map { it.name })

            assertTrue(drive.ledger().isEmpty())
            assertEquals(0, cloud.contentBytes())
        }
    }

    @Test
    fun `an index tells how far it is and moves no content`() = withCloud { cloud ->
        cloud.fill("/Jotta/Sync/Many", 3_000)
        signedIn(cloud) { drive ->
            val seen = Collections.synchronizedList(mutableListOf<ULong>())
            val outcome = drive.index(DriveSpace.SYNC) { seen += it }
            assertEquals(3_000u.toULong(), outcome.files)
            assertTrue(seen.isNotEmpty())
            assertEquals(seen.sorted(), seen)
            assertEquals(ItemLookup.Unknown, drive.find("Sync", "Many", "no such file"))
            assertTrue(drive.ledger().isEmpty())
            assertEquals(0, cloud.contentBytes())
        }
    }

    @Test
    fun `a download gets the very bytes, tells how far it is, and is in the ledger`() = withCloud { cloud ->
        val content = Random(1).nextBytes(3_000_000)
        cloud.put("/Jotta/Sync/film.mp4", content)
        signedIn(cloud) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            drive.refresh("sync")
            val film = drive.found("Sync", "film.mp4")
            val steps = Collections.synchronizedList(mutableListOf<Pair<ULong, ULong>>())
            val downloaded = drive.fetchToFile(film.id, directory.resolve("film.mp4")) { done, total -> steps += done to total }

            assertArrayEquals(content, directory.resolve("film.mp4").readBytes())
            val size = content.size.toULong()
            assertEquals(size, downloaded.bytes)
            assertEquals(size, downloaded.fetched)
            assertEquals(size to size, steps.last())
            assertEquals(steps.sortedBy { it.first }, steps)
            assertEquals(
                listOf(LedgerRow(DriveSpace.SYNC, FetchPurpose.OPEN, NetworkKind.UNMETERED, size)),
                drive.ledger(),
            )
            assertEquals(content.size.toLong(), cloud.contentBytes())
        }
    }

    @Test
    fun `a cancelled download stops at once, leaves nothing behind, and is continued by the next`() = withCloud { cloud ->
        val content = Random(2).nextBytes(4_000_000)
        cloud.put("/Jotta/Sync/film.mp4", content)
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            val film = drive.found("Sync", "film.mp4")
            val file = directory.resolve("film.mp4")
            cloud.trouble("""{"kind":"bin","bytes_per_second":200000}""")

            val midway = CompletableDeferred<Unit>()
            val job = launch {
                drive.fetchToFile(film.id, file) { done, _ -> if (done > 200_000u) midway.complete(Unit) }
            }
            midway.await()
            assertQuick { job.cancelAndJoin() }
            assertTrue(job.isCancelled)
            assertFalse(file.exists())
            assertTrue(cloud.contentBytesAtRest() < content.size) { "the core went on behind the cancel" }

            cloud.noTrouble()
            val downloaded = drive.fetchToFile(film.id, file)
            assertArrayEquals(content, file.readBytes())
            assertTrue(downloaded.fetched < downloaded.bytes) { "${downloaded.fetched}" }
        }
    }

    @Test
    fun `an expired access token is refreshed without a word`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        signedIn(cloud) { drive ->
            val before = cloud.requests("token")
            cloud.expireTokens()
            drive.refresh("sync")
            assertEquals(before + 1, cloud.requests("token")) { "the old token was still good" }
            assertEquals(listOf("a.txt"), drive.names("sync"))
            assertTrue(drive.signInState() is SignInState.SignedIn)
        }
    }

    @Test
    fun `a revoked sign-in asks to sign in again, is heard of, and loses nothing local`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            val heard = async { drive.signInStates().filterIsInstance<SignInState.SignInAgain>().first() }
            cloud.revokeTokens()
            val error = assertThrows<LommeException.SignInNeeded> { drive.refresh("sync") }
            assertEquals(RetryAdvice.NeedsUser, error.retryAdvice())
            assertEquals(drive.signInState(), heard.await())
            assertEquals(listOf("a.txt"), drive.names("sync"))

            drive.signIn(cloud.loginToken())
            drive.refresh("sync")
            assertTrue(drive.signInState() is SignInState.SignedIn)
        }
    }

    @Test
    fun `an item that another client deleted for good is proven gone`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        cloud.put("/Jotta/Sync/b.txt", "b".toByteArray())
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            val gone = drive.found("Sync", "a.txt")
            cloud.remove("/Jotta/Sync/a.txt")
            val destination = directory.resolve("a.txt")
            val error = assertThrows<LommeException.NoSuchItem> { drive.fetchToFile(gone.id, destination) }
            assertEquals(RetryAdvice.Never, error.retryAdvice())
            assertFalse(destination.exists())
            drive.refresh("sync")
            assertEquals(ItemLookup.Gone, drive.item(gone.id))
            assertEquals(listOf("b.txt"), drive.names("sync"))
        }
    }

    @Test
    fun `a change that another client made is heard after a refresh`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            val anchor = drive.currentAnchor()
            val heard = async { drive.changesSince(anchor).first() }
            cloud.put("/Jotta/Sync/from-the-laptop.txt", "new".toByteArray())
            drive.refresh("sync")

            val page = heard.await()
            assertEquals(listOf("from-the-laptop.txt"), page.updated.map { it.name })
            assertEquals(emptyList<String>(), page.deleted)
            assertEquals(emptyList<Item>(), drive.changes(page.anchor).updated)
        }
    }

    @Test
    fun `signing out forgets the tree, and another account may follow`() = withCloud { cloud ->
        cloud.put("/Jotta/Sync/a.txt", "a".toByteArray())
        signedIn(cloud) { drive ->
            drive.refresh("sync")
            drive.signOut()
            assertEquals(SignInState.SignedOut, drive.signInState())
            assertEquals(emptyList<String>(), drive.names("sync"))
            drive.signIn(cloud.loginToken())
            drive.refresh("sync")
            assertEquals(listOf("a.txt"), drive.names("sync"))
        }
    }

    private suspend fun signedIn(cloud: Cloud, use: suspend CoroutineScope.(Drive) -> Unit) =
        signedIn(cloud, directory, use)
}
