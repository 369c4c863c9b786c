package io.lomme

import java.io.Closeable
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.channels.AsynchronousCloseException
import java.nio.channels.Channels
import java.nio.channels.ClosedChannelException
import java.nio.channels.NonWritableChannelException
import java.nio.channels.SeekableByteChannel

/**
 * An open file, read by any of its parts: one version of it, whatever happens to the file meanwhile. From
 * [Drive.openReader]. Any number of threads may use it.
 *
 * An Android `ProxyFileDescriptorCallback` is three lines: `onGetSize` is [size], `onRead` is [readAt] into its array,
 * `onRelease` is [close]; what [readAt] throws becomes an `ErrnoException`.
 */
public class DriveReader internal constructor(private val core: LommeReader) : Closeable {
    /** The length of the file in bytes. */
    public val size: Long = core.size().toLong()

    /** The version that it reads. */
    public val contentVersion: String = core.contentVersion()

    /**
     * Reads up to [length] bytes at [offset] into [buffer], from [start] on, and gives how many: fewer only at the end of the
     * file. Blocks until they are here, at most 30 seconds for each 128 KiB: not for a screen's thread.
     *
     * @throws LommeException `VersionGone` when the file has changed on the service and these bytes are not on the device;
     * `Offline`, `Cancelled`, `Paused`, `DiskFull`
     */
    public fun readAt(offset: Long, buffer: ByteArray, start: Int = 0, length: Int = buffer.size - start): Int {
        var done = 0
        while (done < length) {
            val wanted = minOf(length - done, MOST)
            val part = core.readAt(place(offset) + done.toULong(), wanted.toUInt())
            part.copyInto(buffer, start + done)
            done += part.size
            if (part.size < wanted) break
        }
        return done
    }

    /** Reads up to [length] bytes (at most 131,072) at [offset], as the other [readAt] does. */
    public fun readAt(offset: Long, length: Int): ByteArray = core.readAt(place(offset), count(length))

    /**
     * [readAt] that suspends instead of blocking. Cancelling the coroutine ends this reader's other reads too: open a
     * reader for each that is to be cancelled by itself.
     */
    public suspend fun read(offset: Long, length: Int): ByteArray =
        cancelling { core.read(place(offset), count(length), it) }

    /** Says how it will be used. */
    public fun hint(hint: ReadHint): Unit = core.hint(hint)

    /** Ends the reads that wait now, in all threads, with `Cancelled`. Later reads work. */
    public fun cancel(): Unit = core.interrupt()

    /** Ends it: reads throw `Cancelled` from now on, and the content may be evicted. Closing twice is fine. */
    override fun close(): Unit = core.end()

    /** The file as a channel that can seek, for libraries that want one. Closing it closes this reader. */
    public fun channel(): SeekableByteChannel = ReaderChannel(this)

    /** The file as a stream, for libraries that want one. Closing it closes this reader. */
    public fun inputStream(): InputStream = Channels.newInputStream(channel())

    private fun place(offset: Long): ULong =
        if (offset >= 0) offset.toULong() else throw LommeException.InvalidArgument("a negative offset")

    private fun count(length: Int): UInt =
        if (length >= 0) length.toUInt() else throw LommeException.InvalidArgument("a negative length")

    internal companion object {
        /** The most bytes that one call brings. */
        const val MOST = 131_072
    }
}

/** Its own lock guards the place where it reads, and a close never waits for it: it ends the read. */
private class ReaderChannel(private val reader: DriveReader) : SeekableByteChannel {
    private val lock = Any()
    private var position = 0L

    @Volatile
    private var open = true

    override fun isOpen(): Boolean = open

    override fun read(into: ByteBuffer): Int =
        synchronized(lock) {
            val wanted = minOf(into.remaining(), DriveReader.MOST)
            val part = try {
                opened().readAt(position, wanted)
            } catch (failure: LommeException) {
                throw if (open) IOException(failure) else AsynchronousCloseException()
            }
            if (part.isEmpty() && wanted > 0) return -1
            into.put(part)
            position += part.size
            part.size
        }

    override fun position(): Long = synchronized(lock) { opened().let { position } }

    override fun position(to: Long): SeekableByteChannel =
        synchronized(lock) {
            opened()
            require(to >= 0) { "a negative position" }
            position = to
            this
        }

    override fun size(): Long = opened().size

    override fun write(from: ByteBuffer): Int = throw NonWritableChannelException()

    override fun truncate(to: Long): SeekableByteChannel = throw NonWritableChannelException()

    override fun close() {
        open = false
        reader.close()
    }

    private fun opened(): DriveReader = if (open) reader else throw ClosedChannelException()
}
