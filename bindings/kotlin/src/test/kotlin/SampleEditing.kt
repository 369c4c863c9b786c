// The third sample of the README, compiled and run: a test fails when the two differ.

import io.lomme.*
import java.nio.file.Path

// README
suspend fun edit(drive: Drive, photo: Path) {
    val notes = drive.createFolder("sync", "Notes")       // here at once, offline too
    val file = drive.createFile(notes.id, "boat.jpg", photo)
    drive.rename(file.id, "Our boat.jpg")                 // one wish more, not one request more
    drive.createWriter(notes.id, "log.txt").use { writer ->
        writer.writeAt(0, "We sailed.\n".toByteArray())
        writer.commit()                                   // without it, nothing is published
    }
    println("${drive.outbox().size} changes wait")
    println("${drive.push().done} sent")                  // after a kill, simply again
    for (conflict in drive.conflicts(report = true)) println("${conflict.name}: ${conflict.kind}")
}
