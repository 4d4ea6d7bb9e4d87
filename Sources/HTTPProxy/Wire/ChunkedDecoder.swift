import NIOCore

/// Decodes the chunked transfer coding (RFC 9112 section 7.1), a byte at a time between chunks and a slice at a time within them.
///
/// Its state is a few integers; only an unfinished trailer section stays in the caller's buffer between reads. Sizes have at most 15 hexadecimal digits;
/// lines end with CRLF only. Chunk extensions are refused in requests, where they have no use but smuggling, and
/// skipped, up to a limit, in responses. Trailer fields are checked and bounded.
struct ChunkedDecoder {
    enum Output: Equatable {
        case incomplete
        case data(ByteBuffer)
        /// The last chunk was read; the trailer fields as they came, each with its CRLF (empty when there were none).
        case end(trailers: ByteBuffer?)
        case malformed
    }

    private enum State {
        case sizeStart
        case size
        case sizeExtension
        case sizeLineFeed
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailers
        case ended
    }

    private static let maximumExtensionBytes = 256
    private static let trailerLimits = HeadLimits(maximumBytes: 8 * 1024, maximumFields: 64)

    private let allowsExtensions: Bool
    private var state = State.sizeStart
    private var remaining = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerParser = HeadParser(limits: trailerLimits, hasStartLine: false)

    init(allowsExtensions: Bool) {
        self.allowsExtensions = allowsExtensions
    }

    mutating func next(_ buffer: inout ByteBuffer) -> Output {
        while buffer.readableBytes > 0 {
            switch state {
            case .data:
                guard let slice = buffer.readSlice(length: min(remaining, buffer.readableBytes)) else { return .malformed }
                remaining -= slice.readableBytes
                if remaining == 0 { state = .dataCarriageReturn }
                return .data(slice)
            case .trailers:
                return readTrailers(&buffer)
            case .ended:
                return .malformed
            default:
                guard let byte: UInt8 = buffer.readInteger(), step(byte) else { return .malformed }
            }
        }
        return .incomplete
    }

    /// One byte of the framing between two chunks; false when it is not what the grammar allows there.
    private mutating func step(_ byte: UInt8) -> Bool {
        switch state {
        case .sizeStart, .size:
            return stepSize(byte)
        case .sizeExtension:
            extensionBytes += 1
            if byte == .carriageReturn {
                state = .sizeLineFeed
                return true
            }
            return byte.isFieldValue && extensionBytes <= Self.maximumExtensionBytes
        case .sizeLineFeed:
            state = remaining == 0 ? .trailers : .data
            return byte == .lineFeed
        case .dataCarriageReturn:
            state = .dataLineFeed
            return byte == .carriageReturn
        case .dataLineFeed:
            state = .sizeStart
            digits = 0
            return byte == .lineFeed
        case .data, .trailers, .ended:
            return false
        }
    }

    private mutating func stepSize(_ byte: UInt8) -> Bool {
        if let value = byte.hexValue {
            state = .size
            digits += 1
            remaining = remaining << 4 | Int(value)
            return digits <= 15
        }
        guard state == .size else { return false }
        if byte == .carriageReturn {
            state = .sizeLineFeed
            return true
        }
        guard allowsExtensions, byte == .semicolon || byte == .space || byte == .tab else { return false }
        state = .sizeExtension
        extensionBytes = 0
        return true
    }

    /// Trailer bytes stay in the buffer until the empty line, because a field may be split over reads. Fields that frame, route or
    /// authenticate must not come this late (RFC 9110 section 6.5.1) and are dropped.
    private mutating func readTrailers(_ buffer: inout ByteBuffer) -> Output {
        switch buffer.withUnsafeReadableBytes({ trailerParser.parse($0) }) {
        case .incomplete: return .incomplete
        case .malformed, .tooLarge: return .malformed
        case .complete(let length):
            state = .ended
            guard var block = buffer.readSlice(length: length) else { return .malformed }
            guard !trailerParser.fields.isEmpty else { return .end(trailers: nil) }
            var kept = ByteBuffer()
            for field in trailerParser.fields where field.known == .other {
                block.moveReaderIndex(to: field.line.start)
                if var line = block.readSlice(length: field.line.count) { kept.writeBuffer(&line) }
            }
            return .end(trailers: kept.readableBytes == 0 ? nil : kept)
        }
    }
}
