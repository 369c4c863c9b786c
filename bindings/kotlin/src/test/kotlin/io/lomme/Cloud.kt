package io.lomme

import java.net.URI
import java.net.URLEncoder
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay

/** A local cloud as a process of its own, and the test's hand on it. */
class Cloud private constructor(private val process: Process, val url: String) : AutoCloseable {
    private val http = HttpClient.newHttpClient()

    /** A new personal login token, which works once. */
    fun loginToken(): String = text(ask("POST", "login-token"), "login_token")

    /** Another client writes a file; missing parents are made. [modified] is in milliseconds since 1970. */
    fun put(path: String, content: ByteArray, modified: Long? = null) =
        told("PUT", "file?path=${quoted(path)}" + (modified?.let { "&modified=$it" } ?: ""), content)

    /** Another client writes [count] small files. */
    fun fill(folder: String, count: Int) = told("POST", "folder?path=${quoted(folder)}&files=$count")

    /** Another client removes a file or folder for good. */
    fun remove(path: String) = told("DELETE", "file?path=${quoted(path)}&for_good=true")

    /** Another client moves a file or folder to the trash. */
    fun trash(path: String) = told("DELETE", "file?path=${quoted(path)}")

    /** Another client makes a folder. */
    fun mkdir(path: String) = told("POST", "mkdir?path=${quoted(path)}")

    /** Another client moves or renames. */
    fun move(from: String, to: String) = told("POST", "move?from=${quoted(from)}&to=${quoted(to)}")

    /** What lives below [path]: for each path the MD5 of its content, `-` for a folder. */
    fun tree(path: String): Map<String, String> =
        ask("GET", "tree?path=${quoted(path)}").lines().filter { it.isNotEmpty() }.associate { line ->
            val (md5, _, place) = line.split("  ", limit = 3)
            place.removePrefix("$path/") to md5
        }

    /** From now on requests that the rule picks go wrong. */
    fun trouble(rule: String) = told("POST", "trouble", rule.toByteArray())

    /** Fills the cloud by a plan: `demo`, `scale:FILES:FOLDERS`. */
    fun seed(plan: String) = told("POST", "seed?plan=${quoted(plan)}")

    /** All is well again. */
    fun noTrouble() = told("DELETE", "trouble")

    /** All access tokens are expired from now on. */
    fun expireTokens() = told("POST", "tokens/expire")

    /** All sign-ins are revoked. */
    fun revokeTokens() = told("POST", "tokens/revoke")

    /** Requests of the service answered so far. */
    fun requests(): Long = sum("requests")

    /** Requests of one kind answered so far. */
    fun requests(kind: String): Long = numbers("requests")[kind] ?: 0

    /** Bytes of file content served so far. */
    fun contentBytes(): Long = sum("content_bytes")

    /** The same, when no more come: the cloud needs a moment to notice that nobody listens. */
    suspend fun contentBytesAtRest(): Long {
        while (true) {
            val served = contentBytes()
            delay(1.seconds)
            if (contentBytes() == served) return served
        }
    }

    override fun close() {
        // Its standard input ends with it, and with this process too if that dies.
        process.outputStream.close()
        if (!process.waitFor(5, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    private fun sum(of: String): Long = numbers(of).values.sum()

    private fun numbers(of: String): Map<String, Long> {
        val counts = ask("GET", "counts")
        val body = Regex("\"$of\"\\s*:\\s*\\{([^}]*)}").find(counts)?.groupValues?.get(1) ?: error("no $of in $counts")
        return Regex("\"([^\"]+)\"\\s*:\\s*(\\d+)").findAll(body).associate { it.groupValues[1] to it.groupValues[2].toLong() }
    }

    private fun told(method: String, control: String, body: ByteArray = ByteArray(0)) {
        ask(method, control, body)
    }

    private fun ask(method: String, control: String, body: ByteArray = ByteArray(0)): String {
        val request = HttpRequest.newBuilder(URI("$url/_local/$control"))
            .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
            .build()
        val answer = http.send(request, HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() in 200..299) { "$method $control: ${answer.statusCode()} ${answer.body()}" }
        return answer.body()
    }

    companion object {
        /** An empty cloud on a free port, with its files in a temporary directory. */
        fun start(): Cloud {
            val process = ProcessBuilder(System.getProperty("lomme.cloud"), "--json", "--seed", "none", "--until-stdin-closes")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
            val first = process.inputReader().readLine() ?: error("the local cloud did not start")
            return Cloud(process, text(first, "url"))
        }

        private fun text(json: String, name: String): String =
            Regex("\"$name\"\\s*:\\s*\"([^\"]*)\"").find(json)?.groupValues?.get(1) ?: error("no $name in $json")

        private fun quoted(text: String): String = URLEncoder.encode(text, Charsets.UTF_8)
    }
}
