import CZlib
import NIOCore

// Compresses one body after the other.
//
// zlib's state is 100 KB a body, which is allocated once and used again: an event loop has a few encoders in store, and a limit on how many
// are at work. A response beyond the limit goes as it is; so many compressed at a time are more than one processor can do anyway.

/// A gzip stream (RFC 1952) by zlib.
final class GzipEncoder {
    /// Half of zlib's usual window and memory: what an API answers with is seldom longer than 16 KB.
    private static let (windowBits, memoryLevel): (Int32, Int32) = (14, 7)

    private let stream: UnsafeMutablePointer<z_stream>
    private let level: Int
    private let allocator: ByteBufferAllocator
    /// Something was given since the last flush.
    private var hasUnflushed = false

    /// Nil when there is no memory.
    init?(level: Int, allocator: ByteBufferAllocator) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.level = level
        self.allocator = allocator
        guard souk_gzip_begin(stream, Int32(level), Self.windowBits, Self.memoryLevel) == Z_OK else { return nil }
    }

    deinit {
        // Of a stream that was never begun it says so, and does nothing.
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes a piece of a body; gives what is ready, which may be nothing.
    func add(_ piece: ByteBuffer) -> ByteBuffer? {
        guard piece.readableBytes > 0 else { return nil }
        hasUnflushed = true
        return deflate(piece, Z_NO_FLUSH)
    }

    /// Gives all that was taken so far, so that the client can read it.
    func flush() -> ByteBuffer? {
        guard hasUnflushed else { return nil }
        hasUnflushed = false
        return deflate(ByteBuffer(), Z_SYNC_FLUSH)
    }

    /// Gives the rest. Nothing more may be added, until `reset`.
    func finish() -> ByteBuffer? {
        deflate(ByteBuffer(), Z_FINISH)
    }

    /// Ready for another body.
    fileprivate func reset(to level: Int) -> Bool {
        hasUnflushed = false
        return level == self.level && deflateReset(stream) == Z_OK
    }

    private func deflate(_ input: ByteBuffer, _ mode: Int32) -> ByteBuffer? {
        var output = allocator.buffer(capacity: Int(deflateBound(stream, UInt(input.readableBytes))) + 64)
        input.withUnsafeReadableBytes { bytes in
            // zlib only reads there.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            stream.pointee.avail_in = UInt32(bytes.count)
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 512) { space in
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(space.count)
                    _ = CZlib.deflate(stream, mode)
                    return space.count - Int(stream.pointee.avail_out)
                }
                // No room left: there may be more.
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        return output.readableBytes == 0 ? nil : output
    }
}

/// The encoders of one event loop.
struct GzipEncoders {
    static let maximumAtWork = 128
    static let maximumInStore = 8

    private(set) var atWork = 0
    private(set) var store: [GzipEncoder] = []

    /// Nil when too many are at work.
    mutating func take(level: Int) -> GzipEncoder? {
        guard atWork < Self.maximumAtWork else { return nil }
        let stored = store.popLast().flatMap { $0.reset(to: level) ? $0 : nil }
        guard let encoder = stored ?? GzipEncoder(level: level, allocator: ByteBufferAllocator()) else { return nil }
        atWork += 1
        return encoder
    }

    mutating func giveBack(_ encoder: GzipEncoder) {
        atWork -= 1
        if store.count < Self.maximumInStore { store.append(encoder) }
    }
}
