package io.lomme

import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** The core's hints as flows, which end when the drive is closed. */
internal class Hints(private val core: LommeDrive) {
    enum class Kind { TREE, ACCOUNT }

    private val listening = ConcurrentHashMap.newKeySet<Channel<Unit>>()

    @Volatile
    private var ended = false

    /**
     * Emits at once, and after hints of [kind]. However many come while an emission is being used, one more
     * follows; none is lost between the first emission and the next, for the subscription is older than both.
     */
    fun of(kind: Kind): Flow<Unit> = flow {
        val hints = Channel<Unit>(Channel.CONFLATED)
        listening.add(hints)
        if (ended) hints.close()
        try {
            core.subscribe(Listener(kind, hints)).use { subscription ->
                try {
                    emit(Unit)
                    for (hint in hints) emit(Unit)
                } finally {
                    subscription.end()
                }
            }
        } finally {
            listening.remove(hints)
        }
    }

    fun end() {
        ended = true
        listening.forEach { it.close() }
    }

    private class Listener(private val kind: Kind, private val hints: Channel<Unit>) : DriveListener {
        override fun onChanged() {
            if (kind == Kind.TREE) hints.trySend(Unit)
        }

        override fun onAccountChanged() {
            if (kind == Kind.ACCOUNT) hints.trySend(Unit)
        }
    }
}
