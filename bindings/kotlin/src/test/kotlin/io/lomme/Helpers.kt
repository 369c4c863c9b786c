package io.lomme

import java.nio.file.Path
import java.security.MessageDigest
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertTrue

/** Runs a test against an empty cloud of its own. */
fun withCloud(test: suspend (Cloud) -> Unit) {
    Cloud.start().use { cloud -> runBlocking { withTimeout(300.seconds) { test(cloud) } } }
}

fun open(directory: Path, vault: SecretVault = MemoryVault()): Drive = Lomme.open(directory, vault)

/** Runs [use] with a drive in [directory] that is signed in to [cloud]. */
suspend fun signedIn(cloud: Cloud, directory: Path, use: suspend CoroutineScope.(Drive) -> Unit) {
    open(directory.resolve("lomme")).use { drive ->
        drive.signIn(cloud.loginToken())
        coroutineScope { use(drive) }
    }
}

suspend fun Drive.names(parent: String): List<String> = items(parent).map { it.name }.toList()

fun Drive.found(vararg names: String): Item = (find(*names) as ItemLookup.Found).item

/** As the cloud's tree shows a content. */
fun md5(content: String): String =
    MessageDigest.getInstance("MD5").digest(content.toByteArray()).joinToString("") { "%02x".format(it) }

/** Like JUnit's, for what suspends. */
inline fun <reified T : Throwable> assertThrows(call: () -> Any?): T {
    val thrown = try {
        call()
        null
    } catch (failure: Throwable) {
        failure
    }
    return thrown as? T ?: throw AssertionError("expected ${T::class.simpleName}, got $thrown", thrown)
}

/** A cancel is not a wait for a time-out. */
suspend fun assertQuick(work: suspend () -> Unit) {
    val took = measureTime { work() }
    assertTrue(took < 10.seconds) { "took $took" }
}
