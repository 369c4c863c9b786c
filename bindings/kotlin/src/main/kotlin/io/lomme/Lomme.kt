package io.lomme

import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

/** The way in. */
public object Lomme {
    /**
     * Opens a companion in [directory], a directory of its own that is made if missing; two processes may
     * open the same one. Never touches the network. Close what you get.
     *
     * @param vault where tokens live: Keystore on Android, [MemoryVault] in a test
     * @param endpoints the service's hosts, when they are not those of the sign-in
     * @throws LommeException `StoreTooNew`, `StoreDamaged`, `StoreBusy`, `DiskFailed` or `DiskFull`
     */
    public fun open(
        directory: Path,
        vault: SecretVault,
        profile: DriveProfile = DriveProfile.APP,
        endpoints: CloudEndpoints? = null,
    ): Drive = Drive(LommeDrive.open(DriveOptions(directory.toString(), profile, endpoints), vault))

    /** The services that can be signed in to through a browser. */
    public val services: List<CloudService>
        get() = cloudServices()
}

/** A vault that lasts as long as the process: for tests and demos. */
public class MemoryVault : SecretVault {
    private val secrets = ConcurrentHashMap<String, String>()

    override fun get(name: String): String? = secrets[name]

    override fun put(name: String, secret: String) {
        secrets[name] = secret
    }

    override fun remove(name: String) {
        secrets.remove(name)
    }
}
