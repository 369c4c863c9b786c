package io.lomme

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * Runs [call] with a token that is cancelled when the coroutine is, and returns only when the core is done
 * with it: after a cancel nothing goes on behind the caller's back, no file is written any more.
 */
internal suspend fun <T> cancelling(call: suspend (CancelToken) -> T): T {
    currentCoroutineContext().ensureActive()
    return CancelToken().use { token ->
        coroutineScope {
            // Undispatched and unconfined: it is in place before the call, and needs no free thread to act.
            val relay = launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                try {
                    awaitCancellation()
                } finally {
                    token.cancel()
                }
            }
            try {
                withContext(NonCancellable) { call(token) }
            } catch (failure: LommeException) {
                ensureActive()
                throw failure
            } finally {
                relay.cancel()
            }
        }
    }
}

/**
 * Carries progress to a lambda. If the lambda throws, the call is cancelled, and [orThrow] throws it again in
 * the caller's own coroutine.
 */
internal class ProgressRelay(
    private val token: CancelToken,
    private val tell: (done: ULong, total: ULong?) -> Unit,
) : ProgressListener {
    @Volatile
    private var thrown: Throwable? = null

    override fun onProgress(done: ULong, total: ULong?) {
        if (thrown != null) return
        try {
            tell(done, total)
        } catch (failure: Throwable) {
            thrown = failure
            token.cancel()
        }
    }

    inline fun <T> orThrow(call: () -> T): T {
        val result = runCatching(call)
        thrown?.let { throw it }
        return result.getOrThrow()
    }
}
