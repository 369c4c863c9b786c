package io.lomme

import java.awt.Color
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.file.Path
import javax.imageio.ImageIO
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Small pictures, without their files. */
class ThumbnailTest {
    @TempDir
    lateinit var directory: Path

    @Test
    fun `a thumbnail is a picture, smaller than its file, and comes once`() = withPhoto { cloud, drive, photo ->
        val asked = List(4) { async(Dispatchers.Default) { drive.thumbnail(photo.id, ThumbnailSize.SMALL) } }.awaitAll()
        val thumbnail = asked.toSet().single()
        assertNotNull(thumbnail)
        val file = File(thumbnail!!.path)
        assertTrue(thumbnail.mime in listOf("image/jpeg", "image/png", "image/webp")) { thumbnail.mime }
        val picture = ImageIO.read(file)
        assertTrue(picture.width in 1..<WIDTH && picture.height in 1..<HEIGHT) { "${picture.width} x ${picture.height}" }
        assertTrue(Color(picture.getRGB(picture.width / 2, picture.height / 2)).red > 200)

        assertEquals(listOf(FetchPurpose.THUMBNAIL), drive.ledger().map { it.purpose }.distinct())
        assertEquals(file.length(), drive.ledger().sumOf { it.bytes }.toLong())
        assertEquals(file.length(), cloud.contentBytesAtRest())
        assertEquals(file.length().toULong(), drive.usage().thumbnailBytes)
        cloud.close()
        assertEquals(thumbnail, drive.thumbnail(photo.id, ThumbnailSize.SMALL))
    }

    @Test
    fun `a file without a picture has no thumbnail`() = withPhoto { cloud, drive, _ ->
        cloud.put("/Jotta/Sync/a.txt", "no picture".toByteArray())
        drive.refresh("sync")
        assertNull(drive.thumbnail(drive.found("Sync", "a.txt").id))
    }

    @Test
    fun `a cancelled thumbnail ends at once, and the next comes`() = withPhoto { cloud, drive, photo ->
        cloud.trouble("""{"kind":"thumb","delay_ms":20000,"times":1}""")
        val before = cloud.requests()
        val job = launch(Dispatchers.Default) { drive.thumbnail(photo.id) }
        while (cloud.requests() == before) delay(20.milliseconds)
        assertQuick { job.cancelAndJoin() }
        assertTrue(job.isCancelled)
        assertNotNull(drive.thumbnail(photo.id))
    }

    private fun withPhoto(test: suspend CoroutineScope.(Cloud, Drive, Item) -> Unit) = withCloud { cloud ->
        val picture = BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB)
        with(picture.createGraphics()) {
            color = Color.RED
            fillRect(0, 0, WIDTH, HEIGHT)
            dispose()
        }
        val jpeg = ByteArrayOutputStream().also { ImageIO.write(picture, "jpeg", it) }.toByteArray()
        cloud.put("/Jotta/Sync/photo.jpg", jpeg)
        signedIn(cloud, directory) { drive ->
            drive.refresh("sync")
            test(cloud, drive, drive.found("Sync", "photo.jpg"))
        }
    }

    private companion object {
        const val WIDTH = 4_000
        const val HEIGHT = 3_000
    }
}
