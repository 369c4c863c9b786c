package io.lomme

import java.nio.file.Path
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.mapNotNull

// Plain functions queue a change, or read the local store: milliseconds, never the network. `suspend` functions may touch it.

// Changes: durable and visible here when they return; no network. `push` sends them.

/**
 * Makes a new file of the content at [content]. It has its id for ever from now on. If something here has its name
 * already (case and normalisation do not tell names apart), it gets `name (2)`, and the item says so. [key] makes the
 * call harmless to repeat: the same key gives the same item. At most 200 bytes, kept for 30 days.
 *
 * @throws LommeException `NotKnown`, `NoSuchItem`, `NotAllowed` (the space), `NameRefused`, `DiskFull`, `DiskFailed`
 */
public fun Drive.createFile(parent: String, name: String, content: FileContent, key: String? = null): Item =
    core.createFile(parent, name, content, key)

/** [createFile] of a file that stays the caller's, modified now. */
public fun Drive.createFile(parent: String, name: String, content: Path, key: String? = null): Item =
    createFile(parent, name, FileContent(content.toString()), key)

/** Makes a new folder. As [createFile], but if a folder of this name is here already, that is the answer. */
public fun Drive.createFolder(parent: String, name: String, key: String? = null): Item =
    core.createFolder(parent, name, key)

/**
 * Puts a new content into a file. [base] is the `contentVersion` that the change was made from; without it, the one shown
 * now. If the service has another by the time this is sent, both are kept. Equal bytes are no change.
 */
public fun Drive.replaceContent(id: String, content: FileContent, base: String? = null, key: String? = null): Item =
    core.replaceContent(id, base, content, key)

/** [replaceContent] of a file that stays the caller's, modified now. */
public fun Drive.replaceContent(id: String, content: Path, base: String? = null, key: String? = null): Item =
    replaceContent(id, FileContent(content.toString()), base, key)

/**
 * Gives an item another folder, another name, or both; between spaces too, where both allow it. A name that is taken gets
 * a number, as in [createFile].
 *
 * @throws LommeException `NotAllowed` (the space, or a folder into itself), `NotKnown`, `NoSuchItem`, `NameRefused`
 */
public fun Drive.moveTo(id: String, parent: String, name: String? = null, key: String? = null): Item =
    core.moveTo(id, parent, name, key)

/** Gives an item another name, as [moveTo] does. */
public fun Drive.rename(id: String, name: String, key: String? = null): Item =
    when (val known = item(id)) {
        is ItemLookup.Found -> moveTo(id, known.item.parent, name, key)
        is ItemLookup.Gone -> throw LommeException.NoSuchItem("the item to rename is gone")
        is ItemLookup.Unknown -> throw LommeException.NotKnown("the item to rename")
    }

/**
 * Copies a file or a folder. The service does it, no content comes here. From Backup only under a new name: what is backed
 * up and what is synced are never one folder.
 */
public fun Drive.copyTo(id: String, parent: String, name: String? = null, key: String? = null): Item =
    core.copyTo(id, parent, name, key)

/**
 * Moves an item to the trash, where it stays for 30 days; in Sync it disappears from every computer and for anyone it is
 * shared with. [base] as in [replaceContent]: what somebody else has changed since is not deleted. An item that is gone
 * already is fine.
 *
 * @throws LommeException `NotAllowed` (the space, or a folder that is not empty without [recursive]), `NotKnown`
 */
public fun Drive.trash(id: String, base: String? = null, recursive: Boolean = false, key: String? = null): Unit =
    core.trash(id, base, recursive, key)

/** Takes an item out of the trash, to where it was; under another name if something else has its place by then. */
public fun Drive.restore(id: String, key: String? = null): Item = core.restore(id, key)

/** Deletes an item of the trash for ever. Never touches a living item at the place it was deleted from. */
public fun Drive.purge(id: String, key: String? = null): Unit = core.purge(id, key)

/** Makes a public link, or ends it. [link] tells it once it is made. */
public fun Drive.setLink(id: String, on: Boolean, key: String? = null): Item = core.setLink(id, on, key)

/**
 * Whether a computer's backup may be changed from here (off at first): what is changed there is not carried back, and the
 * computer's next backup may replace it. Ask the person before.
 */
public fun Drive.setBackupWritable(on: Boolean): Unit = core.setBackupWritable(on)

/**
 * Opens a file for writing, all of it anew or ([WriteMode.UPDATE]) with the content that it has, which is fetched if it is
 * not on the device. A durable row is there before this returns; while it is open, nothing of the item is sent.
 */
public suspend fun Drive.openWriter(id: String, mode: WriteMode, base: String? = null): DriveWriter =
    DriveWriter(cancelling { core.openWriter(id, base, mode, it) })

/** Opens a new file for writing. No network. It appears, and is sent, when the writer commits. */
public fun Drive.createWriter(parent: String, name: String): DriveWriter = DriveWriter(core.createWriter(parent, name))

// The outbox.

/**
 * Sends what waits, in order, as far as the network, the account and the person's rules allow. Call it after a change, when
 * the network is back and from a background job; it may end at any moment and be called again. [onProgress] hears bytes on
 * another thread; if it throws, the call stops and throws that.
 *
 * @throws LommeException `StoreBusy` while another process pushes
 */
public suspend fun Drive.push(onProgress: ((done: ULong, total: ULong) -> Unit)? = null): PushRun =
    cancelling { token ->
        if (onProgress == null) {
            core.push(null, token)
        } else {
            val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
            relay.orThrow { core.push(relay, token) }
        }
    }

/**
 * Returns when the service has all that is wanted of an item, and what must come before it; sends it now, whatever the
 * rules for background work say. This is what a call needs that may not return before its change is remote.
 *
 * @throws LommeException what stopped it; the change stays queued then
 */
public suspend fun Drive.settle(id: String, onProgress: ((done: ULong, total: ULong) -> Unit)? = null): SettledEdit =
    cancelling { token ->
        if (onProgress == null) {
            core.settle(id, null, token)
        } else {
            val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
            relay.orThrow { core.settle(id, relay, token) }
        }
    }

/** What waits, in the order in which it is sent. */
public fun Drive.outbox(): List<PendingEdit> = core.outbox()

/** What waits of one item; nothing if nothing does. */
public fun Drive.pendingEdit(id: String): PendingEdit? = core.pendingEdit(id)

/** What waits, at once and again whenever the local tree has changed; until the drive is closed. */
public fun Drive.outboxes(): Flow<List<PendingEdit>> =
    hints.of(Hints.Kind.TREE).mapNotNull { localIfOpen { outbox() } }.distinctUntilChanged()

/** Makes what failed or needs a person due again: [id], or all. The next [push] sends it. */
public fun Drive.retryEdits(id: String? = null): Unit = core.retryEdits(id)

/**
 * Gives up what is wanted of an item. It looks again as the service has it; a new item disappears. Unsent bytes are kept
 * under [discardedEdits] until [forgetDiscarded].
 */
public fun Drive.discardEdit(id: String): Unit = core.discardEdit(id)

/** What was discarded, the newest first. */
public fun Drive.discardedEdits(): List<DiscardedEdit> = core.discardedEdits()

/** Writes discarded bytes to a file. */
public fun Drive.exportDiscarded(key: String, destination: Path): Unit = core.exportDiscarded(key, destination.toString())

/** Deletes discarded bytes for ever. */
public fun Drive.forgetDiscarded(key: String): Unit = core.forgetDiscarded(key)

/** Where two writers met, the newest first, until resolved. With [report], those in the answer count as told. */
public fun Drive.conflicts(report: Boolean = false): List<EditConflict> = core.conflicts(report)

/**
 * Decides a conflict; what that takes is queued like any change.
 *
 * @throws LommeException `NotKnown` for a number that is not there (any more)
 */
public fun Drive.resolveConflict(number: ULong, resolution: ConflictResolution): Unit =
    core.resolveConflict(number, resolution)

// Versions, trash and links, asked of the service now.

/** The kept versions of a file, the newest first; the service keeps five. */
public suspend fun Drive.versions(id: String): List<FileVersion> = cancelling { core.versions(id, it) }

/**
 * Makes an older version, named by its `token`, the newest; the service does it, no content comes here.
 *
 * @throws LommeException `VersionNotReadable` where the service lists it and does not know its content any more
 */
public suspend fun Drive.restoreVersion(id: String, version: String): Item =
    cancelling { core.restoreVersion(id, version, it) }

/**
 * Writes an older version, named by its `token`, to [destination], and gives its length in bytes. It is built under a
 * temporary name in Archive, never in Sync, and deleted there for ever.
 *
 * @throws LommeException `VersionNotReadable`, `DiskFull`
 */
public suspend fun Drive.fetchVersion(
    id: String,
    version: String,
    destination: Path,
    onProgress: ((done: ULong, total: ULong) -> Unit)? = null,
): ULong = cancelling { token ->
    val path = destination.toString()
    if (onProgress == null) {
        core.fetchVersion(id, version, path, null, token)
    } else {
        val relay = ProgressRelay(token) { done, total -> onProgress(done, total ?: done) }
        relay.orThrow { core.fetchVersion(id, version, path, relay, token) }
    }
}

/** Deletes all of the trash for ever: of all spaces and computers. Ask the person before. */
public suspend fun Drive.emptyTrash(): EmptiedTrash = cancelling { core.emptyTrash(it) }

/** The public link of an item, if there is one. */
public suspend fun Drive.link(id: String): PublicLink? = cancelling { core.link(id, it) }

/** All public links of the account. */
public suspend fun Drive.links(): List<PublicLink> = cancelling { core.links(it) }
