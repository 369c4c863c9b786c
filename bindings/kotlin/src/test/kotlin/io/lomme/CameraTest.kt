package io.lomme

import backUp
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.FileTime
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.fileSize
import kotlin.io.path.readText
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** A phone's library on its way to the cloud. */
class CameraTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a library in pages is there once, with a receipt for each file, and a second run asks nothing`() = phone { cloud, drive ->
        val camera = drive.camera
        val library = camera.addLibrary("photos")
        val roll = listOf(
            photo("1", "IMG_1.JPG", "one"),
            photo("2", "IMG_2.JPG", "two"),
            photo("3", "IMG_3.JPG", "three"),
            photo("4", "Copy of 1.JPG", "one"),
            CameraAsset(
                "5",
                listOf(
                    file("still", AssetRole.PHOTO, "IMG_5.HEIC", local("5/IMG_5.HEIC", "a moment")),
                    file("film", AssetRole.PAIRED_VIDEO, "IMG_5.MOV", local("5/IMG_5.MOV", "and how it moved")),
                ),
                kinds = listOf(AssetKind.PHOTO, AssetKind.LIVE_PHOTO),
                takenMs = TAKEN,
                modifiedMs = TAKEN,
            ),
        )
        assertEquals(CameraScanResult(5u, 5u, 0u, 0u, 0u), camera.scan(library, roll, "generation 1"))
        val preview = camera.preview(library, AssetRules(withoutKinds = listOf(AssetKind.LIVE_PHOTO)))
        assertEquals(4uL to listOf(SkipCount(SkipRule.KIND, 1u)), preview.items to preview.skipped)

        val heard = mutableListOf<ULong>()
        val batch = camera.runBatch { done, _ -> heard += done }
        assertEquals(5uL to 0uL, batch.done to batch.remaining)
        assertEquals(CameraNext.Idle, batch.next)
        assertNull(batch.hold)
        assertEquals(3uL + 3uL + 5uL + 8uL + 16uL, batch.sentBytes)
        assertEquals(heard.sorted(), heard)
        assertEquals(
            mapOf(
                "2026/" to "-",
                "2026/08/" to "-",
                "2026/08/IMG_1.JPG" to md5("one"),
                "2026/08/IMG_2.JPG" to md5("two"),
                "2026/08/IMG_3.JPG" to md5("three"),
                "2026/08/IMG_5.HEIC" to md5("a moment"),
                "2026/08/IMG_5.MOV" to md5("and how it moved"),
            ),
            cloud.tree("/Pixel/photos"),
        )

        val receipts = camera.allReceipts().toList()
        assertEquals(6, receipts.size)
        assertEquals(receipts.take(2), camera.receipts(limit = 2).receipts)
        val copy = receipts.single { it.asset == "4" }
        assertEquals("Copy of 1.JPG" to "Pixel/photos/2026/08/IMG_1.JPG", copy.name to copy.path)
        assertEquals(md5("one"), copy.md5)
        assertEquals(64, copy.blake3!!.length)
        assertTrue(copy.uuid != null && copy.verifiedMs > TAKEN)
        assertEquals(setOf("still", "film"), receipts.filter { it.asset == "5" }.map { it.file }.toSet())
        val status = camera.status()
        assertEquals("Pixel" to ItemAmount(5u, 35u), status.device to status.verified)
        assertEquals(AssetState.VERIFIED, camera.why(library, "4").state)

        val before = cloud.requests()
        val scan = camera.beginScan(library)
        assertEquals(CameraScanKind.DELTA to "generation 1", scan.kind to scan.cursor)
        camera.addAssets(scan, roll)
        assertEquals(CameraScanResult(5u, 0u, 0u, 0u, 0u), camera.commitScan(scan, "generation 2", ScanTrust.COMPLETE))
        val again = camera.runBatch()
        assertEquals(0uL to 0uL, again.done to again.read)
        assertEquals(before, cloud.requests(), "nothing new is no request")
        assertEquals("generation 2", camera.sources().single().cursor)
    }

    @Test
    fun `what the platform must give is asked for, and what it cannot give holds up nothing else`() = phone { cloud, drive ->
        val camera = drive.camera
        val library = camera.addLibrary("photos")
        val roll = listOf("a", "b", "c").map {
            CameraAsset(it, listOf(file("original", AssetRole.PHOTO, "$it.HEIC", null)), takenMs = TAKEN, modifiedMs = TAKEN)
        }
        camera.scan(library, roll)
        val waits = camera.runBatch()
        assertEquals(CameraNext.WhenProvided to CameraHold.ToProvide, waits.next to waits.hold)
        assertEquals(3uL, camera.status().toProvide.items)

        val requests = camera.exportRequests().associateBy { it.asset }
        assertEquals(setOf("a", "b", "c"), requests.keys)
        assertEquals("original" to AssetRole.PHOTO, requests.getValue("a").file to requests.getValue("a").role)
        camera.exportFailed(requests.getValue("a").id, ExportFailure.NOT_LOCAL)
        val (taken, kept) = local("export b", "bee") to local("export c", "sea")
        assertEquals(ProvideOutcome.QUEUED, camera.provideAsync(requests.getValue("b").id, taken))
        assertEquals(ProvideOutcome.QUEUED, camera.provideAsync(requests.getValue("c").id, kept, take = false))
        assertFalse(taken.exists())
        assertTrue(kept.exists())

        assertEquals(2uL, camera.runBatch().done)
        assertEquals(listOf("b.HEIC", "c.HEIC"), cloud.photos())
        val hold = camera.why(library, "a").hold as CameraHold.NotProvided
        assertEquals(ExportFailure.NOT_LOCAL, hold.why)
        val troubled = camera.troubled().assets
        assertEquals(listOf("a" to hold), troubled.map { it.asset to it.why.hold })
        assertTrue(hold.untilMs > System.currentTimeMillis())
        assertTrue(camera.exportRequests().isEmpty())

        camera.retry(library, "a")
        val late = camera.exportRequests().single()
        assertEquals("a", late.asset)
        assertEquals(ProvideOutcome.ALREADY_THERE, camera.provideAsync(late.id, local("export a", "bee")))
        assertEquals(ProvideOutcome.NOT_WANTED, camera.provideAsync(late.id, local("export a", "bee")))
        assertEquals(CameraNext.Idle, camera.runBatch().next)
        assertEquals(listOf("b.HEIC", "c.HEIC"), cloud.photos())
        assertEquals(AssetState.VERIFIED, camera.why(library, "a").state)
    }

    @Test
    fun `after a reinstall the device is claimed, and nothing is sent again`() = phone { cloud, drive ->
        val roll = (1..5).map { photo("$it", "IMG_$it.JPG", "photo $it") }
        drive.camera.scan(drive.camera.addLibrary("photos"), roll)
        assertEquals(5uL, drive.camera.runBatch().done)
        val before = cloud.tree("/Pixel/photos")

        open(directory.resolve("reinstalled")).use { reinstalled ->
            reinstalled.signIn(cloud.loginToken())
            reinstalled.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            val camera = reinstalled.camera
            val library = camera.addLibrary("photos")
            assertEquals(listOf(BackupDevice("Pixel", ours = false)), camera.devices())
            assertThrows<LommeException.NameTaken> { camera.createDevice("pixel") }
            assertNull(camera.device())
            assertEquals(AdoptedFiles(5u, 5u, 0u), camera.claimDevice("PIXEL"))
            assertEquals("Pixel", camera.device())

            // Other ids and other names: only the content is the same.
            camera.scan(library, (1..5).map { photo("new $it", "$it.jpeg", "photo $it") })
            val asked = cloud.requests()
            val batch = camera.runBatch()
            assertEquals(Triple(0uL, 0uL, 5uL), Triple(batch.done, batch.sentBytes, batch.read))
            assertEquals(asked, cloud.requests())
            assertEquals(before, cloud.tree("/Pixel/photos"))
            assertEquals(AssetState.LISTED, camera.why(library, "new 3").state)
            assertEquals(CameraAudit(5u, 0u), camera.audit(10))
        }
    }

    @Test
    fun `the system sends plans late, twice or never, and another process learns of it`() = withCloud { cloud ->
        val vault = MemoryVault()
        val roll = (1..3).map { photo("$it", "IMG_$it.JPG", "photo $it") }
        val system = OperatingSystem()
        val (late, twice, never) = open(directory.resolve("lomme"), vault).use { drive ->
            drive.signIn(cloud.loginToken())
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            val camera = drive.camera
            camera.createDevice("Pixel")
            camera.scan(camera.addLibrary("photos"), roll)
            assertTrue(camera.planUploads(10).isEmpty()) { "nothing was read yet" }
            assertEquals(3uL, camera.runBatch(CameraBudget(bytes = 0u)).read)

            val plans = camera.planUploads(10)
            assertEquals(3, plans.size)
            for (plan in plans) {
                assertEquals(7uL, plan.bytes)
                assertTrue(plan.id in "$plan") { "$plan" }
                val secrets = plan.headers.map { it.value } + plan.url
                assertFalse(secrets.any { it in "$plan ${plan.headers}" }) { "$plan ${plan.headers}" }
                camera.noteUpload(plan.id, "task of ${plan.id}")
            }
            assertTrue(camera.planUploads(10).isEmpty())
            assertEquals(0uL, camera.runBatch().done, "what is planned is left alone")
            plans
        }
        assertEquals(0, cloud.requests("upload"), "nothing is sent yet")
        val ends = listOf(late, twice, twice).map { it.id to system.run(it) }
        assertEquals(UploadEnd.Answered(200u) to UploadEnd.Answered(200u), ends[0].second to ends[1].second)

        open(directory.resolve("lomme"), vault).use { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            val camera = drive.camera
            val after = ends.map { (plan, end) -> camera.settleUpload(plan, end) }
            assertEquals(listOf(AfterUpload.TO_VERIFY, AfterUpload.TO_VERIFY, AfterUpload.SETTLED), after)
            assertEquals(listOf("forgotten"), camera.reconcileUploads(listOf("forgotten")))
            assertEquals(AfterUpload.SETTLED, camera.settleUpload(never.id, UploadEnd.Cancelled))

            val again = camera.planUploads(10).single()
            assertEquals(AfterUpload.TO_VERIFY, camera.settleUpload(again.id, system.run(again)))
            val sent = cloud.requests("upload")
            val batch = camera.runBatch()
            assertEquals(3uL to 0uL, batch.done to batch.remaining)
            assertEquals(sent, cloud.requests("upload"), "no byte more")
            assertEquals(3, camera.receipts().receipts.size)
            assertEquals(listOf("IMG_1.JPG", "IMG_2.JPG", "IMG_3.JPG"), cloud.photos())
        }
    }

    @Test
    fun `the person's rules hold it back and why says so, and a cancel ends a run at once`() = phone { cloud, drive ->
        val camera = drive.camera
        val library = camera.addLibrary("photos")
        val large = ByteArray(2_000_000) { (it * 31 shr 3).toByte() }
        camera.scan(library, listOf(photo("1", "IMG_1.JPG", large)))

        drive.setSituation(DeviceSituation(NetworkKind.METERED))
        val metered = CameraHold.Conditions(WaitReason.Metered)
        val held = camera.runBatch()
        assertEquals(0uL to 1uL, held.done to held.remaining)
        assertEquals(CameraNext.WhenUnmetered to metered, held.next to held.hold)
        val why = camera.why(library, "1")
        assertEquals(AssetState.PLACED to metered, why.state to why.hold)
        assertTrue("metered" in why.explanation) { why.explanation }
        assertEquals(listOf("2026/08/IMG_1.JPG"), why.paths)
        assertEquals(metered, camera.status().hold)

        drive.setSituation(DeviceSituation(NetworkKind.UNMETERED, zoneMinutes = 60))
        camera.setRules(CameraRules(paused = true))
        assertEquals(CameraHold.Paused, camera.runBatch().hold)
        val never = CameraRules(schedule = CameraSchedule(emptyList(), 60u, 120u))
        camera.setRules(never)
        assertEquals(never, camera.rules())
        assertEquals(CameraHold.OutsideHours(Long.MAX_VALUE), camera.runBatch().hold)
        camera.setRules(CameraRules(schedule = CameraSchedule(ScheduleDay.entries, 0u, 0u)))

        cloud.trouble("""{"kind":"upload","delay_ms":20000}""")
        val uploads = cloud.requests("upload")
        val run = launch(Dispatchers.Default) { camera.runBatch() }
        while (cloud.requests("upload") == uploads) delay(20)
        assertQuick { run.cancelAndJoin() }
        assertTrue(run.isCancelled)
        cloud.noTrouble()
        val steps = camera.runningBatch().toList()
        assertEquals(1uL, (steps.last() as Step.Done).result.done)
        assertEquals(listOf("IMG_1.JPG"), cloud.photos())
    }

    @Test
    fun `space is freed only of what is proven now, and the cloud keeps it`() = phone { cloud, drive ->
        val camera = drive.camera
        val library = camera.addLibrary("photos")
        val exported = CameraAsset("3", listOf(file("o", AssetRole.PHOTO, "IMG_3.HEIC", null)), takenMs = TAKEN, modifiedMs = TAKEN)
        val roll = listOf(photo("1", "IMG_1.JPG", "one"), photo("2", "IMG_2.JPG", "number two"), exported)
        camera.scan(library, roll)
        camera.provideAsync(camera.exportRequests().single().id, local("export", "three: the largest"))
        assertTrue(camera.proposeFreeUp().isEmpty()) { "nothing is proven yet" }
        assertEquals(3uL, camera.runBatch().done)

        val proposed = camera.proposeFreeUp()
        assertEquals(listOf("3", "2", "1"), proposed.map { it.asset })
        assertEquals(18uL to listOf("o"), proposed[0].bytes to proposed[0].files)
        assertThrows<LommeException.InvalidArgument> { camera.confirmFreed(library, "1") }
        assertEquals(AssetProof.PROVEN, camera.prove(library, "1"))
        assertEquals(AssetProof.UNREADABLE, camera.prove(library, "3"))
        assertEquals(AssetProof.PROVEN, camera.prove(library, "3", mapOf("o" to local("export", "three: the largest"))))
        assertEquals(AssetProof.CHANGED, camera.prove(library, "3", mapOf("o" to local("export", "three: the laziest"))))
        local("2/IMG_2.JPG", "Number Two")
        assertEquals(AssetProof.CHANGED, camera.prove(library, "2"))
        assertThrows<LommeException.InvalidArgument> { camera.confirmFreed(library, "2") }
        cloud.remove("/Pixel/photos/2026/08/IMG_3.HEIC")
        assertEquals(AssetProof.NOT_THERE, camera.prove(library, "3", mapOf("o" to local("export", "three: the largest"))))

        camera.confirmFreed(library, "1")
        assertFalse(camera.proposeFreeUp().any { it.asset == "1" })
        val found = camera.scan(library, roll.drop(1))
        assertEquals(0uL, found.gone, "what was freed is not gone")
        assertTrue("2026/08/IMG_1.JPG" in cloud.tree("/Pixel/photos"))
    }

    @Test
    fun `a folder keeps its paths, and what is deleted in it is deleted in the cloud only if the person wants that`() = phone { cloud, drive ->
        val camera = drive.camera
        val (a, _) = local("a.txt", "one") to local("sub/b.txt", "two")
        val folder = camera.addFolder("Notes", directory.resolve("roll"))
        assertEquals(2uL, camera.scanFolder(folder).added)
        assertEquals(2uL, camera.runBatch().done)
        val all = mapOf("a.txt" to md5("one"), "sub/" to "-", "sub/b.txt" to md5("two"))
        assertEquals(all, cloud.tree("/Pixel/Notes"))

        a.deleteExisting()
        assertEquals(1uL, camera.scanFolder(folder).gone)
        assertEquals(MirrorPending(0u, 0u, asks = false), camera.mirrorPending(folder))
        assertEquals(0uL, camera.runBatch().trashed)
        assertEquals(all, cloud.tree("/Pixel/Notes"))

        camera.setMirror(folder, true)
        assertTrue(camera.sources().single().mirror)
        assertEquals(MirrorPending(1u, 2u, asks = false), camera.mirrorPending(folder))
        assertEquals(1uL, camera.runBatch().trashed)
        assertTrue(cloud.lives("/Pixel/Notes", "sub/b.txt"))
        assertFalse(cloud.lives("/Pixel/Notes", "a.txt"))
        assertThrows<LommeException.InvalidArgument> { camera.setMirror(camera.addLibrary("photos"), true) }
    }

    @Test
    fun `what is deleted on either side stays as it is on the other, until the person says so`() = phone { cloud, drive ->
        val camera = drive.camera
        val library = camera.addLibrary("photos")
        camera.scan(library, (1..2).map { photo("$it", "IMG_$it.JPG", "photo $it") }, "token 1")
        assertEquals(2uL, camera.runBatch().done)

        for ((trust, gone) in listOf(ScanTrust.PARTIAL to 0uL, ScanTrust.COMPLETE to 1uL)) {
            val delta = camera.beginScan(library)
            camera.goneAssets(delta, listOf("1"))
            assertEquals(gone, camera.commitScan(delta, "token 2", trust).gone) { "$trust" }
            if (trust == ScanTrust.PARTIAL) {
                // What it could not see, a delta from its end would never show: the next scan is of all.
                camera.scan(library, (1..2).map { photo("$it", "IMG_$it.JPG", "photo $it") }, "token 3")
            }
        }
        camera.runBatch()
        assertTrue(cloud.lives("/Pixel/photos", "2026/08/IMG_1.JPG"))

        cloud.trash("/Pixel/photos/2026/08/IMG_2.JPG")
        assertEquals(AdoptedFiles(1u, 0u, 1u), camera.adopt())
        assertEquals(AssetState.DELETED_IN_CLOUD, camera.why(library, "2").state)
        assertEquals(0uL, camera.runBatch().done)
        assertFalse(cloud.lives("/Pixel/photos", "2026/08/IMG_2.JPG"))
        camera.uploadAgain(library, "2")
        assertEquals(1uL, camera.runBatch().done)
        assertTrue(cloud.lives("/Pixel/photos", "2026/08/IMG_2.JPG"))
    }

    @Test
    fun `the sample of this README backs up a photo`() = withCloud { cloud ->
        val sample = Path.of("src/test/kotlin/SampleCamera.kt").readText().substringAfter("// README\n").trim()
        val shown = Path.of("README.md").readText().substringAfter("```kotlin\n").substringBefore("```").trim()
        assertEquals(sample, shown)
        signedIn(cloud, directory) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            backUp(drive, local("boat.jpg", "a boat"))
            val there = drive.camera.receipts().receipts.single()
            assertEquals("boat.jpg" to md5("a boat"), there.name to there.md5)
            assertEquals(md5("a boat"), cloud.tree("/Anna's Pixel").values.single { it != "-" })
        }
    }

    /** Runs [test] with a drive that is signed in, has a good network and backs up to the device `Pixel`. */
    private fun phone(test: suspend CoroutineScope.(Cloud, Drive) -> Unit) = withCloud { cloud ->
        signedIn(cloud, directory) { drive ->
            drive.setSituation(DeviceSituation(NetworkKind.UNMETERED))
            drive.camera.createDevice("Pixel")
            test(cloud, drive)
        }
    }

    /** A scan of all of a library, in pages of two. */
    private fun DriveCamera.scan(source: ULong, all: List<CameraAsset>, cursor: String? = null): CameraScanResult {
        val scan = beginScan(source, CameraScanKind.FULL)
        all.chunked(2).forEach { addAssets(scan, it) }
        return commitScan(scan, cursor, ScanTrust.COMPLETE)
    }

    private fun photo(key: String, name: String, content: String) = photo(key, name, content.toByteArray())

    private fun photo(key: String, name: String, content: ByteArray): CameraAsset {
        val path = local("$key/$name", "").apply { writeBytes(content) }.old()
        return CameraAsset(key, listOf(file("", AssetRole.PHOTO, name, path)), takenMs = TAKEN, modifiedMs = TAKEN)
    }

    private fun file(key: String, role: AssetRole, name: String, path: Path?) =
        AssetFile(key, role, name, stamp = 1, size = path?.fileSize()?.toULong(), path = path?.toString())

    private fun local(name: String, content: String): Path {
        val path = directory.resolve("roll").resolve(name)
        path.parent.createDirectories()
        return path.apply { writeText(content) }.old()
    }

    /** What was written just now rests. */
    private fun Path.old(): Path = Files.setLastModifiedTime(this, FileTime.fromMillis(TAKEN))

    /** The names of the photos of the month. */
    private fun Cloud.photos(): List<String> =
        tree("/Pixel/photos").keys.filter { !it.endsWith("/") }.map { it.removePrefix("2026/08/") }.sorted()

    private fun Cloud.lives(root: String, path: String): Boolean = tree(root).containsKey(path)

    /** The operating system, as far as it sends files. */
    private class OperatingSystem {
        private val http = HttpClient.newHttpClient()

        fun run(plan: UploadPlan): UploadEnd {
            val request = HttpRequest.newBuilder(URI(plan.url)).POST(HttpRequest.BodyPublishers.ofFile(Path.of(plan.file)))
            plan.headers.forEach { request.header(it.name, it.value) }
            val answer = http.send(request.build(), HttpResponse.BodyHandlers.discarding())
            return UploadEnd.Answered(answer.statusCode().toUShort())
        }
    }

    private companion object {
        /** 2026-08-09 10:11:12 UTC. */
        const val TAKEN = 1_786_270_272_000
    }
}
