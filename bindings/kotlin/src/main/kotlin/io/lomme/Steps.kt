package io.lomme

import java.nio.file.Path
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow

/** How far a call is, and at last its result. */
public sealed interface Step<out T> {
    /** [done] of [total] so far, cumulative; an index has no total. */
    public data class Going(val done: ULong, val total: ULong?) : Step<Nothing>

    /** It is done; nothing follows. */
    public data class Done<T>(val result: T) : Step<T>
}

/**
 * [Drive.fetchToFile] as a flow: collecting starts it, and who stops collecting cancels it. A slow collector gets the newest
 * step only, and always the last.
 */
public fun Drive.fetching(
    id: String,
    destination: Path,
    wantVersion: String? = null,
    purpose: FetchPurpose = FetchPurpose.OPEN,
): Flow<Step<FetchedFile>> = steps { going ->
    fetchToFile(id, destination, wantVersion, purpose) { done, total -> going(done, total) }
}

/** [Drive.keepPins] as a flow, like [fetching]. */
public fun Drive.keepingPins(): Flow<Step<PinRun>> = steps { going ->
    keepPins { done, total -> going(done, total) }
}

/** [Drive.index] as a flow, like [fetching]. */
public fun Drive.indexing(space: DriveSpace): Flow<Step<RefreshOutcome>> = steps { going ->
    index(space) { entries -> going(entries, null) }
}

/** [Drive.push] as a flow, like [fetching]. */
public fun Drive.pushing(): Flow<Step<PushRun>> = steps { going ->
    push { done, total -> going(done, total) }
}

/** [Drive.settle] as a flow, like [fetching]. */
public fun Drive.settling(id: String): Flow<Step<SettledEdit>> = steps { going ->
    settle(id) { done, total -> going(done, total) }
}

/** [DriveCamera.runBatch] as a flow, like [fetching]. */
public fun DriveCamera.runningBatch(budget: CameraBudget = CameraBudget()): Flow<Step<CameraBatch>> = steps { going ->
    runBatch(budget) { done, total -> going(done, total) }
}

private fun <T> steps(call: suspend (going: (ULong, ULong?) -> Unit) -> T): Flow<Step<T>> =
    channelFlow {
        val result = call { done, total -> trySend(Step.Going(done, total)) }
        send(Step.Done(result))
    }.buffer(Channel.CONFLATED)
