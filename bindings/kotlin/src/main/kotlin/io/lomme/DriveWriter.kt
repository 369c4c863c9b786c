package io.lomme

import java.io.Closeable
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.channels.SeekableByteChannel
import java.nio.file.Path

/**
 * A file open for writing: bytes written anywhere in it, published as a whole by [commit] or not at all. From
 * [Drive.openWriter] and [Drive.createWriter]. Its calls block, each for one write to the disk: not for a screen's thread.
 *
 * [close] without a [commit] drops the bytes, so that `use` publishes nothing half-written. If the process dies first, they
 * stay as a draft that waits for a person: see [Drive.outbox].
 *
 * On Android, the simplest right way is `ParcelFileDescriptor.open(File(writer.stagedPath.toString()), mode, handler) {
 * writer.commit() }`: if the listener never runs, the next start publishes what is there.
 */
public class DriveWriter internal constructor(private val core: LommeWriter) : Closeable {
    /** The id of the item that it writes to; for a new file, the one that it will have. */
    public val item: String = core.item()

    /** Where the bytes are, to give a descriptor of them to others. */
    public val stagedPath: Path get() = Path.of(core.stagedPath())

    /** The length in bytes. Setting it cuts, or lengthens with zeros. */
    public var length: Long
        get() = core.len().toLong()
        set(length) = core.setLen(place(length))

    /**
     * Reads up to [length] bytes at [offset] of what is there now into [buffer], from [start] on, and gives how many: fewer
     * only at the end.
     */
    public fun readAt(offset: Long, buffer: ByteArray, start: Int = 0, length: Int = buffer.size - start): Int {
        var done = 0
        while (done < length) {
            val wanted = minOf(length - done, DriveReader.MOST)
            val part = core.readAt(place(offset) + done.toULong(), wanted.toUInt())
            part.copyInto(buffer, start + done)
            done += part.size
            if (part.size < wanted) break
        }
        return done
    }

    /**
     * Writes [length] bytes of [buffer], from [start] on, at [offset]; what lies between the end and there becomes zeros.
     *
     * @throws LommeException `DiskFull`, `DiskFailed`; `InvalidArgument` after the end of the session
     */
    public fun writeAt(offset: Long, buffer: ByteArray, start: Int = 0, length: Int = buffer.size - start) {
        var done = 0
        while (done < length) {
            val part = minOf(length - done, DriveReader.MOST)
            core.writeAt(place(offset) + done.toULong(), buffer.copyOfRange(start + done, start + done + part))
            done += part
        }
    }

    /** Makes what was written durable. */
    public fun sync(): Unit = core.sync()

    /**
     * Makes the bytes durable, queues them as the item's content, and ends the session. Equal bytes are no change. The item
     * as it looks now; [Drive.push] sends it.
     *
     * @throws LommeException `InvalidArgument` when called twice, `DiskFull`
     */
    public fun commit(): Item = core.commit()

    /** Drops the bytes, unless they were committed, and ends the session. Closing twice is fine. */
    override fun close(): Unit = core.abort()

    /** The file as a channel that can seek, for libraries that want one. Closing it commits. */
    public fun channel(): SeekableByteChannel = WriterChannel(this)

    private fun place(offset: Long): ULong =
        if (offset >= 0) offset.toULong() else throw LommeException.InvalidArgument("a negative offset")
}

/** Its own lock guards the place where it reads and writes. */
private class WriterChannel(private val writer: DriveWriter) : SeekableByteChannel {
    private var position = 0L
    private var open = true

    @Synchronized
    override fun isOpen(): Boolean = open

    @Synchronized
    override fun read(into: ByteBuffer): Int {
        val part = ByteArray(minOf(into.remaining(), DriveReader.MOST))
        val count = opened().readAt(position, part)
        if (count == 0 && part.isNotEmpty()) return -1
        into.put(part, 0, count)
        position += count
        return count
    }

    @Synchronized
    override fun write(from: ByteBuffer): Int {
        val part = ByteArray(minOf(from.remaining(), DriveReader.MOST)).also { from.get(it) }
        opened().writeAt(position, part)
        position += part.size
        return part.size
    }

    @Synchronized
    override fun position(): Long = opened().let { position }

    @Synchronized
    override fun position(to: Long): SeekableByteChannel {
        opened()
        require(to >= 0) { "a negative position" }
        position = to
        return this
    }

    @Synchronized
    override fun size(): Long = opened().length

    @Synchronized
    override fun truncate(to: Long): SeekableByteChannel {
        if (to < opened().length) writer.length = to
        position = minOf(position, to)
        return this
    }

    @Synchronized
    override fun close() {
        if (open) writer.commit()
        open = false
    }

    private fun opened(): DriveWriter = if (open) writer else throw ClosedChannelException()
}
