import CZlib
import NIOCore
import Testing

@testable import HTTPProxy

@Suite("Which responses are compressed")
struct CompressionTests {
    private static func decision(
        request: [String] = ["Accept-Encoding: gzip"], method: String = "GET", status: Int = 200,
        response: [String] = ["Content-Type: application/json", "Content-Length: 5000"], minimumBytes: Int = 1024
    ) throws -> Compression.Decision {
        var compression = Compression()
        compression.minimumBytes = minimumBytes
        return compression.decide(
            try .reading(["\(method) / HTTP/1.1", "Host: a"] + request),
            try .reading(["HTTP/1.1 \(status) X"] + response, isHead: method == "HEAD"))
    }

    @Test(
        "a client gets gzip if it takes it",
        arguments: [
            (["gzip"], true), (["deflate, gzip, br"], true), (["GZIP"], true), (["x-gzip"], true), (["gzip;q=0.001"], true),
            (["gzip ; q=1.0"], true), (["*"], true), (["br", "gzip"], true), (["*;q=0, gzip"], true), (["br;q=1, *;q=0.1"], true),
            ([], false), ([""], false), (["identity"], false), (["br"], false), (["gzip;q=0"], false), (["gzip;q=0.000, *"], false),
            (["gzip;q=0."], false), (["gzip;q=2"], false), (["gzip;q=0.5, identity"], false), (["gzip;q=0.5, identity;q=0.1"], true),
            (["*;q=0"], false), (["gzipped"], false),
        ] as [([String], Bool)])
    func accepted(fields: [String], isTaken: Bool) throws {
        #expect(try Self.decision(request: fields.map { "Accept-Encoding: \($0)" }) == (isTaken ? .gzip : .varies))
    }

    @Test(
        "types that become shorter are compressed",
        arguments: [
            "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/problem+json", "text/html",
            "text/css ;x=y",
            "text/plain", "application/javascript", "image/svg+xml", "application/atom+xml", "application/wasm", "application/x-ndjson",
        ])
    func compressible(type: String) throws {
        #expect(try Self.decision(response: ["Content-Type: \(type)", "Content-Length: 5000"]) == .gzip)
    }

    @Test(
        "others are not, nor are events",
        arguments: ["image/png", "application/octet-stream", "text/event-stream", "video/mp4", "", "json"])
    func incompressible(type: String) throws {
        #expect(try Self.decision(response: ["Content-Type: \(type)", "Content-Length: 5000"]) == .none)
        #expect(try Self.decision(response: ["Content-Length: 5000"]) == .none)
    }

    @Test(
        "a response that is short, complete as it is, or vouches for its bytes is left alone",
        arguments: [
            "Content-Length: 1023", "Content-Length: 0", "ETag: \"strong\"", "Content-Encoding: br", "Content-Encoding: identity",
            "Cache-Control: public, No-Transform", "Content-Range: bytes 0-1/2", "Content-MD5: x", "Content-Digest: sha-256=:x:",
            "Set-Cookie: a=b",
        ])
    func leftAlone(field: String) throws {
        let length = field.hasPrefix("Content-Length") ? [] : ["Content-Length: 5000"]
        #expect(try Self.decision(response: ["Content-Type: text/plain", field] + length) == .none)
    }

    @Test("a weak tag, and a length that nobody knows, are no hindrance")
    func allowed() throws {
        #expect(try Self.decision(response: ["Content-Type: text/plain", "ETag: W/\"weak\"", "Content-Length: 1024"]) == .gzip)
        #expect(try Self.decision(response: ["Content-Type: text/plain", "Transfer-Encoding: chunked"]) == .gzip)
        #expect(try Self.decision(response: ["Content-Type: text/plain"]) == .gzip)
    }

    @Test("statuses without a body, and parts, are left alone", arguments: [204, 205, 206, 304])
    func statuses(status: Int) throws {
        #expect(try Self.decision(status: status, minimumBytes: 0) == .none)
    }

    @Test("nothing is no body, however short bodies may be")
    func nothing() throws {
        #expect(try Self.decision(response: ["Content-Type: text/plain", "Content-Length: 0"], minimumBytes: 0) == .none)
        #expect(try Self.decision(response: ["Content-Type: text/plain", "Content-Length: 1"], minimumBytes: 0) == .gzip)
    }

    @Test("HEAD is told what GET would be")
    func head() throws {
        #expect(try Self.decision(method: "HEAD") == .gzip)
        #expect(try Self.decision(method: "HEAD", response: ["Content-Type: text/plain", "Content-Length: 5"]) == .none)
        #expect(try Self.decision(method: "HEAD", response: ["Content-Type: text/plain"]) == .gzip)
    }

    @Test("where a browser adds credentials by itself, lengths are not to tell anything")
    func credentials() throws {
        let gzip = "Accept-Encoding: gzip"
        #expect(try Self.decision(request: [gzip, "Cookie: a=b"]) == .none)
        #expect(try Self.decision(request: [gzip, "Authorization: Basic x"]) == .none)
        #expect(try Self.decision(request: [gzip, "Authorization: Bearer x"]) == .gzip)
    }

    // MARK: The encoder

    /// Decompresses, by zlib itself.
    static func gunzip(_ bytes: ByteBuffer) -> String? {
        var stream = z_stream()
        guard souk_gunzip_begin(&stream) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var input = Array(bytes.readableBytesView)
        var output: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 1 << 16)
        return input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            while true {
                let result = space.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                output += space[..<(space.count - Int(stream.avail_out))]
                if result == Z_STREAM_END { return String(decoding: output, as: UTF8.self) }
                guard result == Z_OK, stream.avail_out == 0 else { return nil }
            }
        }
    }

    @Test("what was compressed piece by piece is what went in, again and again", arguments: [0, 1, 1000, 100_000, 1_000_000])
    func roundTrip(size: Int) throws {
        // The same at each run, and without much that repeats, which is harder on the encoder than text.
        var state: UInt64 = 1
        let text = String(
            decoding: (0..<size).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(ascii: "a") + UInt8(state >> 61)
            }, as: UTF8.self)
        var encoders = GzipEncoders()
        for _ in 0..<3 {
            let taken = encoders.take(level: 5)
            let encoder = try #require(taken)
            var packed = ByteBuffer()
            var rest = ByteBuffer(string: text)
            while let piece = rest.readSlice(length: min(rest.readableBytes, 30_000)), piece.readableBytes > 0 {
                for part in [encoder.add(piece), encoder.flush(), encoder.flush()] { if let part { packed.writeImmutableBuffer(part) } }
            }
            if let last = encoder.finish() { packed.writeImmutableBuffer(last) }
            #expect(Self.gunzip(packed) == text)
            encoders.giveBack(encoder)
        }
        #expect(encoders.atWork == 0)
    }

    @Test("no more are at work than may be")
    func limit() {
        var encoders = GzipEncoders()
        var taken: [GzipEncoder?] = []
        for number in 0..<GzipEncoders.maximumAtWork { taken.append(encoders.take(level: 1 + number % 9)) }
        let oneMore = encoders.take(level: 5)
        #expect(taken.allSatisfy { $0 != nil } && oneMore == nil)
        for encoder in taken { if let encoder { encoders.giveBack(encoder) } }
        #expect(encoders.atWork == 0)
        #expect(encoders.store.count == GzipEncoders.maximumInStore)
    }
}
