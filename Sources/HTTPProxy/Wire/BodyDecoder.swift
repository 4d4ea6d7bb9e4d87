import NIOCore

/// Takes the bytes of one message body off the front of a buffer, whatever its framing.
enum BodyDecoder {
    case finished
    case length(remaining: Int)
    case chunked(ChunkedDecoder)
    case untilClose

    enum Output: Equatable {
        case incomplete
        case data(ByteBuffer)
        case end(trailers: ByteBuffer?)
        case malformed
    }

    init(framing: BodyFraming, allowsChunkExtensions: Bool) {
        switch framing {
        case .none, .length(0): self = .finished
        case .length(let count): self = .length(remaining: count)
        case .chunked: self = .chunked(ChunkedDecoder(allowsExtensions: allowsChunkExtensions))
        case .untilClose: self = .untilClose
        }
    }

    /// Whether the body has no more bytes, as is known without looking at any.
    var isAtEnd: Bool {
        switch self {
        case .finished, .length(remaining: 0): true
        case .length, .chunked, .untilClose: false
        }
    }

    /// The next piece of the body. After `.end` nothing more may be asked; bytes that remain belong to the next message.
    mutating func next(_ buffer: inout ByteBuffer) -> Output {
        switch self {
        case .finished:
            return .end(trailers: nil)
        case .length(let remaining):
            guard remaining > 0 else { return .end(trailers: nil) }
            guard let slice = buffer.readSlice(length: min(remaining, buffer.readableBytes)), slice.readableBytes > 0 else {
                return .incomplete
            }
            self = .length(remaining: remaining - slice.readableBytes)
            return .data(slice)
        case .chunked(var decoder):
            let output = decoder.next(&buffer)
            self = .chunked(decoder)
            return Self.output(output)
        case .untilClose:
            guard let slice = buffer.readSlice(length: buffer.readableBytes), slice.readableBytes > 0 else { return .incomplete }
            return .data(slice)
        }
    }

    private static func output(_ output: ChunkedDecoder.Output) -> Output {
        switch output {
        case .incomplete: .incomplete
        case .data(let slice): .data(slice)
        case .end(let trailers): .end(trailers: trailers)
        case .malformed: .malformed
        }
    }
}
