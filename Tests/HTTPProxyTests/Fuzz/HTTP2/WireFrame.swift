/// A frame of HTTP/2 (RFC 9113, section 4.1) as bytes, right or wrong: each part of it is what it is told to be.
struct WireFrame {
    enum Kind: UInt8 { case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    // An acknowledgement has the same bit as an end of a stream.
    static let (endStream, ack, endHeaders, padded, priority): (UInt8, UInt8, UInt8, UInt8, UInt8) = (0x1, 0x1, 0x4, 0x8, 0x20)

    let kind: UInt8
    let flags: UInt8
    let stream: UInt32
    let payload: [UInt8]

    init(_ kind: Kind, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.init(kind: kind.rawValue, flags, on: stream, payload)
    }

    init(kind: UInt8, _ flags: UInt8 = 0, on stream: UInt32, _ payload: [UInt8]) {
        (self.kind, self.flags, self.stream, self.payload) = (kind, flags, stream, payload)
    }

    var bytes: [UInt8] { Self.integer(UInt32(payload.count)).dropFirst() + [kind, flags] + Self.integer(stream) + payload }

    /// Four bytes, the highest first.
    static func integer(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) } }

    static func setting(_ name: UInt16, _ value: UInt32) -> WireFrame {
        WireFrame(.settings, Array(integer(UInt32(name)).dropFirst(2)) + integer(value))
    }

    static func windowUpdate(_ increment: UInt32, on stream: UInt32 = 0) -> WireFrame {
        WireFrame(.windowUpdate, on: stream, integer(increment))
    }

    private init(_ kind: Kind, _ payload: [UInt8]) { self.init(kind, on: 0, payload) }

    /// - Parameter data: eight bytes.
    static func ping(_ data: String = lastPing) -> WireFrame { WireFrame(.ping, on: 0, Array(data.utf8)) }

    /// The data of the ping behind everything.
    static let lastPing = "fuzzfuzz"

    // MARK: Requests

    typealias Fields = [(String, String)]

    /// The fields of a request that is good.
    static func fields(_ method: String, _ path: String, _ more: Fields = []) -> Fields {
        [(":method", method), (":scheme", "http"), (":authority", "shop.test"), (":path", path)] + more
    }

    static func get(_ path: String, on stream: UInt32, _ more: Fields = []) -> WireFrame {
        head(fields("GET", path, more), on: stream, endStream | endHeaders)
    }

    /// A request whose body is still to come.
    static func post(_ path: String, on stream: UInt32, _ more: Fields = []) -> WireFrame {
        head(fields("POST", path, more), on: stream, endHeaders)
    }

    static func head(_ fields: Fields, on stream: UInt32, _ flags: UInt8) -> WireFrame {
        WireFrame(.headers, flags, on: stream, block(fields))
    }

    /// A field block that says everything literally and leaves no trace in the table of the other side (RFC 7541, section 6.2.2).
    static func block(_ fields: Fields) -> [UInt8] {
        fields.flatMap { [0x00] + string($0.0) + string($0.1) }
    }

    private static func string(_ text: String) -> [UInt8] { length(text.utf8.count) + Array(text.utf8) }

    /// With a prefix of seven bits (RFC 7541, section 5.1), without Huffman's code.
    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 127 else { return [UInt8(count)] }
        var bytes: [UInt8] = [127]
        var rest = count - 127
        while rest >= 128 {
            bytes.append(UInt8(rest % 128) | 0x80)
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }
}
