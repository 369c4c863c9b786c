// The sample of the README, compiled and run: a test fails when the two differ.

import Foundation
import Lomme

// README
func listSync(in directory: URL, loginToken: String, vault: SecretVault) async throws {
    let drive = try LommeDrive.open(at: directory, vault: vault)
    try await drive.signIn(loginToken: loginToken)
    try await drive.refresh("sync")
    for try await item in drive.items(of: "sync") {
        print(item.name, item.size ?? 0)
    }
}
