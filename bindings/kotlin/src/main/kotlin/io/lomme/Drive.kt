package io.lomme

import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.withContext

/**
 * An open companion: a directory, an account, a tree. From [Lomme.open].
 *
 * Plain functions read the local store (milliseconds, never the network). `suspend` functions may touch the
 * network; cancelling the coroutine stops the work in the core before the call returns. Everything throws
 * [LommeException], whose variants say what to do and whose `retryAdvice()` says when to try again. All of it may
 * be called from any thread.
 */
public class Drive internal constructor(private val core: LommeDrive) : AutoCloseable {
    private val hints = Hints(core)

    // Sign-in.

    /** Whether somebody is signed in. */
    public fun signInState(): SignInState = core.signInState()

    /**
     * Signs in with a personal login token, which works once.
     *
     * @throws LommeException `LoginRefused`, `OtherAccount`, `Offline`
     */
    public suspend fun signIn(loginToken: String): AccountInfo = cancelling { core.signIn(loginToken, it) }

    /**
     * Signs in through the browser at [service], the `name` of one of [Lomme.services]. [show] gets what the person
     * should know before, and the page to open; the call returns when the browser has come back.
     */
    public suspend fun signInByBrowser(
        service: String,
        show: suspend (warning: String, url: String) -> Unit,
    ): AccountInfo =
        cancelling { core.signInByBrowser(service, it) }.use { started ->
            try {
                show(started.warning(), started.url())
                cancelling { started.finish(it) }
            } finally {
                started.abandon()
            }
        }

    /** Asks the service for the account's quota and locks. */
    public suspend fun refreshAccount(): AccountInfo = cancelling { core.refreshAccount(it) }

    /**
     * Signs out by choice: tokens, tree and unfinished downloads go. Works offline. What was downloaded to paths of
     * the app's own stays.
     */
    public fun signOut(): Unit = core.signOut()

    /** The sign-in state now, and again whenever it changes, until the drive is closed. */
    public fun signInStates(): Flow<SignInState> =
        hints.of(Hints.Kind.ACCOUNT).mapNotNull { localIfOpen { signInState() } }.distinctUntilChanged()

    // The tree: local reads.

    /** The roots of the four spaces, in the order in which an app should show them. */
    public fun roots(): List<Item> = core.roots()

    /** What is known of [id]. Only [ItemLookup.Gone] means that it is gone. */
    public fun item(id: String): ItemLookup = core.item(id)

    /**
     * A page of a folder as the local store has it, of 1 to 1,000 rows. [page] is the `next` of the page before.
     *
     * @throws LommeException `NotKnown`, `NoSuchItem`, `PageExpired`
     */
    public fun children(
        parent: String,
        order: ListOrder = ListOrder.NAME,
        page: String? = null,
        limit: Int = PAGE,
    ): ItemPage = core.children(parent, order, page, rows(limit))

    /** All pages of a folder as the local store has it, each read when it is asked for. */
    public fun pages(parent: String, order: ListOrder = ListOrder.NAME, limit: Int = PAGE): Flow<ItemPage> =
        flow {
            var page: String? = null
            do {
                val read = local { children(parent, order, page, limit) }
                emit(read)
                page = read.next
            } while (page != null)
        }

    /** All rows of a folder as the local store has it, read page by page. */
    public fun items(parent: String, order: ListOrder = ListOrder.NAME): Flow<Item> =
        pages(parent, order).transform { page -> page.items.forEach { emit(it) } }

    /** The items from a space's root down to [id], both included. */
    public fun pathOf(id: String): List<Item> = core.pathOf(id)

    /**
     * Finds an item by the names from the space down, as in `find("Sync", "Documents", "a.txt")`; exact names first,
     * then without regard to case, as the service does.
     */
    public fun find(vararg names: String): ItemLookup = core.find(names.asList())

    /** The anchor of now. Read it before the rows that it should cover. */
    public fun currentAnchor(): String = core.currentAnchor()

    /**
     * What changed since [anchor], 1 to 1,000 rows.
     *
     * @throws LommeException `AnchorExpired`: list everything again
     */
    public fun changes(anchor: String, limit: Int = PAGE): ChangePage = core.changes(anchor, rows(limit))

    /**
     * What changed since [since], and from then on what changes, until the drive is closed; a pause only delays it. Each
     * page's `anchor` is where to go on after a restart.
     *
     * @throws LommeException `AnchorExpired`: list everything again, from [currentAnchor] on
     */
    public fun changesSince(since: String): Flow<ChangePage> = flow {
        var anchor = since
        hints.of(Hints.Kind.TREE).collect {
            do {
                val page = localIfOpen { changes(anchor) } ?: break
                if (page.updated.isNotEmpty() || page.deleted.isNotEmpty()) emit(page)
                anchor = page.anchor
            } while (page.more)
        }
    }

    // The network.

    /** Asks the service for one folder (or one file, or a space's root) and stores what it says. */
    public suspend fun refresh(id: String): RefreshOutcome = cancelling { core.refresh(id, it) }

    /**
     * Asks the service for everything in a space and stores it. Fetches names, sizes, times and hashes, and not one
     * byte of content. [onProgress] hears on another thread how many entries were read so far; if it throws, the call
     * stops and throws that.
     */
    public suspend fun index(space: DriveSpace, onProgress: ((entries: ULong) -> Unit)? = null): RefreshOutcome =
        cancelling { token ->
            if (onProgress == null) {
                core.index(space, null, token)
            } else {
                val relay = ProgressRelay(token) { done, _ -> onProgress(done) }
                relay.orThrow { core.index(space, relay, token) }
            }
        }

    /**
     * Downloads a whole file to [destination], over whatever is there, once its size and MD5 are the service's. The
     * directory of [destination] must exist. What a broken or cancelled download leaves is kept, and the next call
     * continues it. [onProgress] hears on another thread how many bytes of how many are on the disk; if it throws, the
     * download stops and throws that.
     *
     * @throws LommeException `NotKnown`, `NoSuchItem`, `NotAllowed`, `ContentMismatch`, `DiskFull`, `Offline`
     */
    public suspend fun download(
        id: String,
        destination: Path,
        purpose: FetchPurpose = FetchPurpose.OPEN,
        onProgress: ((done: ULong, total: ULong) -> Unit)? = null,
    ): DownloadedFile = cancelling { token ->
        val path = destination.toString()
        if (onProgress == null) {
            core.download(id, path, purpose, null, token)
        } else {
            val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
            relay.orThrow { core.download(id, path, purpose, relay, token) }
        }
    }

    /** All content bytes ever received by this directory, by space, purpose and kind of network. */
    public fun ledger(): List<LedgerRow> = core.ledger()

    // The drive itself.

    /** One snapshot that a screen can draw. */
    public fun status(): DriveStatus = core.status()

    /** Tells which kind of network there is. The core never guesses. */
    public fun setNetwork(network: NetworkKind): Unit = core.setNetwork(network)

    /**
     * Stops network calls, finishes writes and closes every file, so that the process may be suspended. Blocks until then.
     * Everything else throws `Paused` until [resume].
     *
     * @throws LommeException `StoreBusy` when [deadline] passes first: call again
     */
    public fun pause(deadline: Duration = 5.seconds): Unit =
        core.pause(deadline.inWholeMilliseconds.coerceAtLeast(0).toULong())

    /** Opens what [pause] closed. */
    public fun resume(): Unit = core.resume()

    /**
     * Stops network calls and closes every file, for ever; blocks until then, some seconds at most. Everything else
     * throws `Closed` from then on, and the flows end. Closing twice is fine.
     */
    override fun close() {
        hints.end()
        core.shutDown()
    }

    /** A local read from a coroutine that may be on a screen's thread. */
    private suspend fun <T> local(read: () -> T): T = withContext(Dispatchers.IO) { read() }

    /** Nothing while the drive is paused (resuming brings a hint) or once it is closed (which ends the hints). */
    private suspend fun <T> localIfOpen(read: () -> T): T? =
        try {
            local(read)
        } catch (_: LommeException.Paused) {
            null
        } catch (_: LommeException.Closed) {
            null
        }

    private fun rows(limit: Int): UInt = limit.coerceAtLeast(0).toUInt()

    private companion object {
        const val PAGE = 500
    }
}
