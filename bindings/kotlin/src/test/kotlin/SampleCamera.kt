// The sample of the camera in bindings/kotlin/README.md, compiled and run: a test fails when the two differ.

import io.lomme.*
import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes

// README
suspend fun backUp(drive: Drive, photo: Path) {
    val camera = drive.camera
    camera.createDevice("Anna's Pixel")                   // NameTaken: claimDevice, if the person says so
    val library = camera.addLibrary("photos")             // a mount point of this name
    val scan = camera.beginScan(library)                  // a delta, if there is a cursor
    val file = AssetFile("", AssetRole.PHOTO, "boat.jpg", stamp = 1, path = photo.toString())
    camera.addAssets(scan, listOf(CameraAsset("id 1", listOf(file), album = "Camera")))
    camera.commitScan(scan, cursor = "generation 7", ScanTrust.COMPLETE)
    val batch = camera.runBatch(9.minutes)                // a job's slice; a kill loses nothing
    println("${batch.done} sent, ${batch.remaining} left") // next: when to come back; hold: what it waits for
    camera.allReceipts().collect { println("${it.name} is ${it.path}") }
}
