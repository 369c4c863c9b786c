// The second sample of the README, compiled and run: a test fails when the two differ.

import io.lomme.*
import kotlinx.coroutines.flow.take

// README
suspend fun onDemand(drive: Drive) {
    drive.index(DriveSpace.BACKUP)                        // names, and no content
    val film = drive.search("film").items.first()         // offline, as a person types
    drive.openReader(film.id).use { reader ->
        val end = reader.read(reader.size - 1_000, 1_000) // its block, and no other
        println("${end.size} of ${reader.size} bytes")
    }
    drive.pin(film.parent, upToBytes = 1_000_000_000)     // LargerThanAllowed: ask the person
    println("${drive.keepPins().files} file for the flight")
    drive.watchedChangesSince(drive.currentAnchor()).take(1).collect { page ->
        page.updated.forEach { println("changed: ${it.name}") }
    }
}
