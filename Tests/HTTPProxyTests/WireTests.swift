import NIOCore
import Testing

@testable import HTTPProxy

@Suite("Reading HTTP/1.1")
struct WireTests {
    private static func parse(_ text: String, pieces: [Int]) -> (HeadParser.Progress, HeadParser) {
        var parser = HeadParser(limits: HeadLimits(maximumBytes: 1024, maximumFields: 10))
        let bytes = Array(text.utf8)
        for end in pieces + [bytes.count] {
            let progress = bytes[..<end].withUnsafeBytes { parser.parse($0) }
            if progress != .incomplete { return (progress, parser) }
        }
        return (.incomplete, parser)
    }

    @Test("a head means the same wherever the network cuts it")
    func headPieces() {
        let text = "GET /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length:  12 \t\r\nX-Empty:\r\n\r\nrest"
        let whole = Self.parse(text, pieces: [])
        #expect(whole.0 == .complete(text.utf8.count - 4))
        for first in 0..<text.utf8.count {
            for second in stride(from: first, to: text.utf8.count, by: 7) {
                let (progress, parser) = Self.parse(text, pieces: [first, second])
                #expect(progress == whole.0)
                #expect(parser.fields.map(\.value) == whole.1.fields.map(\.value))
                #expect(parser.fields.map(\.known) == [.host, .contentLength, .other])
                #expect(parser.startLineLength == 15)
            }
        }
    }

    private static func decode(_ text: String, pieceLength: Int, allowsExtensions: Bool = false) -> (
        body: String, trailers: String?, isComplete: Bool
    ) {
        var decoder = ChunkedDecoder(allowsExtensions: allowsExtensions)
        var buffer = ByteBuffer()
        var body = ""
        var rest = text.utf8[...]
        while !rest.isEmpty {
            buffer.writeBytes(rest.prefix(pieceLength))
            rest = rest.dropFirst(pieceLength)
            reading: while true {
                switch decoder.next(&buffer) {
                case .incomplete: break reading
                case .data(let piece): body += String(buffer: piece)
                case .end(let trailers): return (body, trailers.map { String(buffer: $0) }, true)
                case .malformed: return (body, nil, false)
                }
            }
        }
        return (body, nil, false)
    }

    @Test("a chunked body means the same wherever the network cuts it", arguments: 1...40)
    func chunkedPieces(pieceLength: Int) {
        let text = "5\r\nhello\r\n1\r\n,\r\n00A\r\n world 123\r\n0\r\nX-Sum: 1\r\nTransfer-Encoding: chunked\r\nX-Next: 2\r\n\r\n"
        let (body, trailers, isComplete) = Self.decode(text, pieceLength: pieceLength)
        #expect(body == "hello, world 123" && isComplete)
        #expect(trailers == "X-Sum: 1\r\nX-Next: 2\r\n")
    }

    @Test("extensions of chunks are skipped in responses, within reason")
    func extensions() {
        #expect(Self.decode("1;a=\"b\"\r\nx\r\n0;z\r\n\r\n", pieceLength: 3, allowsExtensions: true).body == "x")
        #expect(Self.decode("1;a\r\nx\r\n0\r\n\r\n", pieceLength: 3).isComplete == false)
        let long = "1;" + String(repeating: "a", count: 300) + "\r\nx\r\n0\r\n\r\n"
        #expect(Self.decode(long, pieceLength: 64, allowsExtensions: true).isComplete == false)
    }

    @Test("random bytes never crash the parsers and never make a request of nonsense")
    func randomBytes() {
        var seed = FixedGenerator()
        var generator = IdentifierGenerator(seededBy: &seed)
        let alphabet = Array("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n;%2f\0\t".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n".utf8)
            for _ in 0..<Int(generator.next() % 4) {
                let position = Int(generator.next() % UInt64(bytes.count))
                let byte =
                    generator.next() % 3 == 0
                    ? UInt8(truncatingIfNeeded: generator.next()) : alphabet[Int(generator.next() % UInt64(alphabet.count))]
                if generator.next() % 2 == 0 { bytes[position] = byte } else { bytes.insert(byte, at: position) }
            }
            var parser = HeadParser(limits: HeadLimits(maximumBytes: 1024, maximumFields: 10))
            guard case .complete(let length) = bytes.withUnsafeBytes({ parser.parse($0) }) else { continue }
            let head = RequestHead.read(ByteBuffer(bytes: bytes[..<length]), fields: parser.fields, startLineLength: parser.startLineLength)
            guard case .success(let request) = head else { continue }
            accepted += 1
            #expect(
                request.path.hasPrefix("/") && !request.path.contains("..") && !request.method.isEmpty
                    && request.method.utf8.allSatisfy(\.isToken))
            #expect(!request.path.utf8.contains { $0 <= 0x20 || $0 >= 0x7F })
        }
        #expect(accepted > 1000)
    }

    private struct FixedGenerator: RandomNumberGenerator {
        private var state: UInt64 = 42

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    @Test(
        "only a valid traceparent is one",
        arguments: [
            ("00-11111111111111111111111111111111-2222222222222222-01", true),
            ("00-00000000000000000000000000000000-2222222222222222-01", false),
            ("00-11111111111111111111111111111111-0000000000000000-01", false),
            ("01-11111111111111111111111111111111-2222222222222222-01", false),
            ("00-1111111111111111111111111111111A-2222222222222222-01", false), ("", false),
            ("00-11111111111111111111111111111111-2222222222222222-1", false),
        ])
    func traceparent(text: String, isValid: Bool) {
        #expect((Array(text.utf8).withUnsafeBytes { TraceContext($0) } != nil) == isValid)
    }

    @Test("a byte that no field value may hold is found wherever it stands, and no other is")
    func fieldValues() {
        for byte in UInt8.min...UInt8.max {
            for length in 1...17 {
                for position in 0..<length {
                    // Next to bytes that are nearly forbidden themselves, and opaque ones.
                    for filler in [0x20, 0x7E, 0x80, 0xFF] as [UInt8] {
                        var value = [UInt8](repeating: filler, count: length)
                        value[position] = byte
                        let isAllowed = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
                        guard value.withUnsafeBytes(\.areFieldValues) != isAllowed else { continue }
                        Issue.record("byte \(byte) at \(position) of \(length), among \(filler)")
                    }
                }
            }
        }
    }

    @Test("numbers are written as they read")
    func numbers() {
        for value in [0, 9, 10, 255, 4096, 123_456_789_012] {
            #expect(text { $0.writeDecimal(value) } == String(value))
            #expect(text { $0.writeShortHex(value) } == String(value, radix: 16))
        }
        #expect(text { $0.writeHex(0x0123_4567_89AB_CDEF) } == "0123456789abcdef")
    }

    private func text(_ body: (inout ByteCursor) -> Void) -> String {
        var buffer = ByteBuffer()
        buffer.writePieces(body)
        return String(buffer: buffer)
    }

    @Test(
        "pieces come one behind the other, and behind what is there, whatever room there is for them",
        arguments: [0, 1, 16, 511, 512, 513, 1023, 1024, 1025, 70_000])
    func pieces(length: Int) {
        let (long, short) = (String(repeating: "ä", count: length), "a string of more than fifteen bytes")
        var buffer = ByteBuffer(string: "before ")
        let shared = buffer
        buffer.writePieces {
            $0.writeField(short, long)
            $0.write(Array("bytes".utf8))
            $0.write(UInt8.slash)
            $0.write(literal: "end")
        }
        #expect(String(buffer: buffer) == "before \(short): \(long)\r\nbytes/end")
        #expect(String(buffer: shared) == "before ")
    }
}
