import Foundation
import LommeCore

/// A vault that lasts as long as the process: for tests and for trying things out. An app keeps tokens in
/// the Keychain, through a `SecretVault` of its own.
public final class MemoryVault: SecretVault, @unchecked Sendable {
    // Guarded by the lock, which is why this class may call itself Sendable.
    private var secrets: [String: String] = [:]
    private let lock = NSLock()

    public init() {}

    public func get(name: String) -> String? {
        lock.withLock { secrets[name] }
    }

    public func put(name: String, secret: String) {
        lock.withLock { secrets[name] = secret }
    }

    public func remove(name: String) {
        _ = lock.withLock { secrets.removeValue(forKey: name) }
    }
}
