// The sample of the README, compiled and run: ./test fails when the two differ.
// README
import Foundation
import Lomme

func listSync(in directory: URL, loginToken: String, vault: SecretVault) async throws {
    let drive = try LommeDrive.open(at: directory, vault: vault)
    try await drive.signIn(loginToken: loginToken)
    try await drive.refresh("sync")
    for try await page in drive.pages(of: "sync") {
        for item in page.items { print(item.name, item.size ?? 0) }
    }
}
