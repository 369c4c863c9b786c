package io.lomme

import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.flow.transform
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * An open companion: a directory, an account, a tree. From [Lomme.open].
 *
 * Plain functions read the local store, or queue a change in it (milliseconds, never the network). `suspend` functions may
 * touch the network; cancelling the coroutine stops the work in the core before the call returns. Everything throws
 * [LommeException], whose variants say what to do and whose `retryAdvice()` says when to try again. All of it may
 * be called from any thread.
 */
public class Drive internal constructor(internal val core: LommeDrive) : AutoCloseable {
    internal val hints = Hints(core)
    internal val backup by lazy { DriveCamera(core.camera()) }

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
        pagesOf { page -> children(parent, order, page, limit) }

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

    /**
     * Finds items by name, as a person types; what was not listed or indexed yet it can't know, and says so in
     * `unlistedFolders`. Touches no network and fetches nothing.
     */
    public fun search(query: SearchQuery): FoundItems = core.search(query)

    /** The best matches for [text] in Sync, Backup and Archive. */
    public fun search(text: String, limit: Int = FOUND): FoundItems = search(SearchQuery(text, limit = rows(limit)))

    /** The files last modified anywhere or opened here, the newest first; trash left out. */
    public fun recents(limit: Int = FOUND): List<Item> = core.recents(rows(limit))

    /** All favourites, the newest first. */
    public fun favourites(): List<Item> = core.favourites()

    /** Makes an item a favourite, or no longer one. Known to this device only. */
    public fun setFavourite(id: String, on: Boolean): Unit = core.setFavourite(id, on)

    /** Whether [id] is in [ancestor], however deep, or is it: what `isChildDocument` asks. */
    public fun isDescendant(ancestor: String, id: String): Boolean = core.isDescendant(ancestor, id)

    /** How much is in a folder (or a file), as far as known here. */
    public fun weight(id: String): ItemWeight = core.weight(id)

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
    public fun changesSince(since: String): Flow<ChangePage> = feed(since) { anchor -> changes(anchor) }

    /**
     * [changesSince], and as long as somebody collects it also a [watch], so that what other devices do comes in at once.
     *
     * @throws LommeException `AnchorExpired`; `SignInNeeded` when the sign-in ends
     */
    public fun watchedChangesSince(since: String): Flow<ChangePage> =
        channelFlow {
            val watching = launch { watchWhileOpen() }
            changesSince(since).collect { send(it) }
            watching.cancel()
        }.buffer(Channel.RENDEZVOUS)

    /** Emits at once and whenever the local tree has changed, without saying what; until the drive is closed. */
    public fun hints(): Flow<Unit> = hints.of(Hints.Kind.TREE)

    /**
     * A page of the working set: what the operating system holds and what is in folders that it holds, pinned, favourite
     * or recently opened.
     *
     * @throws LommeException `PageExpired`
     */
    public fun workingSet(page: String? = null, limit: Int = PAGE): ItemPage = core.workingSet(page, rows(limit))

    /** All pages of the working set, each read when it is asked for. */
    public fun workingSetPages(limit: Int = PAGE): Flow<ItemPage> = pagesOf { page -> workingSet(page, limit) }

    /** [changes] of the working set: what is or came in, and, as deleted, what left it. */
    public fun workingSetChanges(anchor: String, limit: Int = PAGE): ChangePage =
        core.workingSetChanges(anchor, rows(limit))

    /** [changesSince] of the working set. */
    public fun workingSetChangesSince(since: String): Flow<ChangePage> = feed(since) { anchor -> workingSetChanges(anchor) }

    /**
     * Begins a report of what the operating system holds, and gives its number, for [addHeld] and [commitHeld]. One that
     * is not committed changes nothing.
     */
    public fun beginHeld(): ULong = core.beginHeld()

    /**
     * Adds 1 to 500 ids to a report; unknown ones are left out.
     *
     * @throws LommeException `InvalidArgument` if a newer report was begun
     */
    public fun addHeld(report: ULong, ids: List<String>): Unit = core.addHeld(report, ids)

    /** What the report says is held; all else is not any more. */
    public fun commitHeld(report: ULong): Unit = core.commitHeld(report)

    /**
     * The person says that the disappearance which [LommeException.ManyGone] told of is right: the next listing of
     * [space] within ten minutes is believed.
     */
    public fun acceptDisappearance(space: DriveSpace): Unit = core.acceptDisappearance(space)

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
     * Asks the service about what matters most until [budget] is over: folders that an event hinted at, then what is
     * held, pinned or recently opened, then whole spaces. Fetches no content. For a background job.
     */
    public suspend fun poll(budget: Duration): PollOutcome = cancelling { core.poll(millis(budget), it) }

    /**
     * Stays connected to the service's change events until the coroutine is cancelled: each leads to a refresh of the
     * folder concerned, which [changesSince] and [hints] then tell of. Connects again by itself. After a change it keeps the pins, as
     * [keepPins] does, and it fetches nothing else.
     *
     * @throws LommeException `SignInNeeded` when the sign-in ends; `Paused`, `Closed`
     */
    public suspend fun watch(): Unit = cancelling { core.watch(it) }

    // Bytes.

    /**
     * Writes a whole file to [destination], over whatever is there, once its size and MD5 are the service's, and gives the
     * item as of these bytes. What is on the device is not fetched again; what a broken or cancelled call leaves is kept,
     * and the next call goes on from it. The directory of [destination] must exist; the file there is the caller's.
     *
     * If [wantVersion] is not the newest known, it is handed out when all of it is on the device, else the newest; without a
     * network, an older version that is on the device. The result says which. Where the volume cannot share blocks between
     * copies, a file of more than 16 MiB that is not pinned leaves the cache with this call. [onProgress] hears on
     * another thread how many bytes of how many are on the disk; if it throws, the call stops and throws that.
     *
     * @throws LommeException `NotKnown`, `NoSuchItem`, `NotAllowed`, `ContentMismatch`, `DiskFull`, `Offline`
     */
    public suspend fun fetchToFile(
        id: String,
        destination: Path,
        wantVersion: String? = null,
        purpose: FetchPurpose = FetchPurpose.OPEN,
        onProgress: ((done: ULong, total: ULong) -> Unit)? = null,
    ): FetchedFile = cancelling { token ->
        val path = destination.toString()
        if (onProgress == null) {
            core.fetchToFile(id, wantVersion, path, purpose, null, token)
        } else {
            val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
            relay.orThrow { core.fetchToFile(id, wantVersion, path, purpose, relay, token) }
        }
    }

    /**
     * Opens a file to read any part of it. No network by itself: the reads fetch what is not on the device. Close what
     * you get.
     *
     * @throws LommeException `NotKnown`, `NoSuchItem`, `NotAllowed`; `VersionGone` if [wantVersion] is neither the newest
     * known nor on the device
     */
    public fun openReader(
        id: String,
        wantVersion: String? = null,
        purpose: FetchPurpose = FetchPurpose.STREAM,
    ): DriveReader = DriveReader(core.openReader(id, wantVersion, purpose))

    /**
     * A thumbnail of at least this kind of size, from the device or from the service; none when the service has none.
     * Fetches just this one, and never the file. The file is the cache's: copy it to keep it.
     */
    public suspend fun thumbnail(id: String, size: ThumbnailSize = ThumbnailSize.MEDIUM): ThumbnailFile? =
        cancelling { core.thumbnail(id, size, it) }

    /**
     * Pins a file or folder: its content is kept on the device from the next [keepPins] on. Fetches nothing itself, and
     * needs no network.
     *
     * @throws LommeException `LargerThanAllowed` when more than [upToBytes] are known to be in it: ask, then call again
     */
    public fun pin(id: String, upToBytes: Long): PinnedItem = core.pin(id, upToBytes.coerceAtLeast(0).toULong())

    /**
     * Unpins. With [dropContent] the content leaves the device now; else it becomes part of the cache.
     *
     * @throws LommeException `NotAllowed` when not it but a folder above is pinned
     */
    public fun unpin(id: String, dropContent: Boolean): EvictionOutcome = core.unpin(id, dropContent)

    /** All pins, the newest first, and how much of each is here. */
    public fun pins(): List<PinnedItem> = core.pins()

    /**
     * Brings all pinned content up to date, as far as the rules allow. Beside what a person asks for at this moment, this is
     * the only way that content comes; [watch] does it after a change. Call it when something was pinned, when the situation changed and from a background
     * job; it may end at any moment and be called again. [onProgress] as in [fetchToFile], for all bytes that were missing.
     */
    public suspend fun keepPins(onProgress: ((done: ULong, total: ULong) -> Unit)? = null): PinRun =
        cancelling { token ->
            if (onProgress == null) {
                core.keepPins(null, token)
            } else {
                val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
                relay.orThrow { core.keepPins(relay, token) }
            }
        }

    /**
     * Removes the content of a file, or of all files in a folder, from the device; the items stay. What is pinned, open or
     * being fetched stays too, and is counted.
     */
    public fun evict(id: String): EvictionOutcome = core.evict(id)

    /** What the content takes on the device. */
    public fun usage(): CacheUsage = core.usage()

    /** Sets how much of the device the cache may take, and evicts what is too much at once. */
    public fun setLimits(limits: CacheLimits): EvictionOutcome = core.setLimits(limits)

    /** All content bytes ever received by this directory, by space, purpose and kind of network. */
    public fun ledger(): List<LedgerRow> = core.ledger()

    // The drive itself.

    /** One snapshot that a screen can draw. */
    public fun status(): DriveStatus = core.status()

    /** Why an item's content is, or is not, on the device. */
    public fun why(id: String): ItemExplanation = core.why(id)

    /**
     * Tells what has changed of the device. The core never guesses. Content under way by itself stops when the rules no
     * longer allow it.
     */
    public fun setSituation(situation: DeviceSituation): Unit = core.setSituation(situation)

    /** Sets the person's rules for what the drive does by itself. They are stored. */
    public fun setRules(rules: FetchRules): Unit = core.setRules(rules)

    /**
     * Stops network calls, finishes writes and closes every file, so that the process may be suspended. Blocks until then.
     * Everything else throws `Paused` until [resume].
     *
     * @throws LommeException `StoreBusy` when [deadline] passes first: call again
     */
    public fun pause(deadline: Duration = 5.seconds): Unit =
        core.pause(millis(deadline))

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
    internal suspend fun <T> localIfOpen(read: () -> T): T? =
        try {
            local(read)
        } catch (_: LommeException.Paused) {
            null
        } catch (_: LommeException.Closed) {
            null
        }

    private fun pagesOf(read: (page: String?) -> ItemPage): Flow<ItemPage> = flow {
        var page: String? = null
        do {
            val rows = local { read(page) }
            emit(rows)
            page = rows.next
        } while (page != null)
    }

    private fun feed(since: String, read: (anchor: String) -> ChangePage): Flow<ChangePage> = flow {
        var anchor = since
        hints.of(Hints.Kind.TREE).collect {
            do {
                val page = localIfOpen { read(anchor) } ?: break
                if (page.updated.isNotEmpty() || page.deleted.isNotEmpty()) emit(page)
                anchor = page.anchor
            } while (page.more)
        }
    }

    /** Watches again after a pause, of whose end there is a hint. */
    private suspend fun watchWhileOpen() {
        hints.of(Hints.Kind.ACCOUNT).collect {
            try {
                watch()
            } catch (_: LommeException.Paused) {
            } catch (_: LommeException.Closed) {
            }
        }
    }

    private fun millis(time: Duration): ULong = time.inWholeMilliseconds.coerceAtLeast(0).toULong()

    private fun rows(limit: Int): UInt = limit.coerceAtLeast(0).toUInt()

    private companion object {
        const val PAGE = 500
        const val FOUND = 100
    }
}
