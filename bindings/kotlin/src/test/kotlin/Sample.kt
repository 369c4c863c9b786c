// The sample of the README, compiled and run: a test fails when the two differ.

import io.lomme.*
import java.nio.file.Path

// README
suspend fun listSync(directory: Path, loginToken: String, vault: SecretVault) {
    Lomme.open(directory, vault).use { drive ->
        drive.signIn(loginToken)
        drive.refresh("sync")
        drive.items("sync").collect { println("${it.name}  ${it.size ?: ""}") }
    }
}
