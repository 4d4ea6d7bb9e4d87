import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPProxy

@Suite("What a Redis server answers")
struct RedisDecoderTests {
    private static let answers: [(bytes: String, value: RedisValue)] = [
        ("+OK\r\n", .status("OK")),
        ("-NOSCRIPT No matching script\r\n", .error("NOSCRIPT No matching script")),
        (":-12\r\n", .integer(-12)),
        ("$5\r\na\r\nbc\r\n", .bulk(ByteBuffer(string: "a\r\nbc"))),
        ("$0\r\n\r\n", .bulk(ByteBuffer())),
        ("$-1\r\n", .bulk(nil)),
        ("*-1\r\n", .array(nil)),
        ("*0\r\n", .array([])),
        ("*3\r\n:1\r\n*1\r\n+a\r\n$1\r\nb\r\n", .array([.integer(1), .array([.status("a")]), .bulk(ByteBuffer(string: "b"))])),
    ]

    @Test("each kind is read, wherever the bytes are cut")
    func kinds() throws {
        let stream = Self.answers.map(\.bytes).joined()
        for cut in 0...stream.utf8.count {
            let channel = EmbeddedChannel(handler: ByteToMessageHandler(RedisDecoder()))
            try channel.writeInbound(ByteBuffer(bytes: Array(stream.utf8.prefix(cut))))
            try channel.writeInbound(ByteBuffer(bytes: Array(stream.utf8.dropFirst(cut))))
            var read: [RedisValue] = []
            while let value = try channel.readInbound(as: RedisValue.self) { read.append(value) }
            #expect(read == Self.answers.map(\.value), "cut at \(cut)")
        }
    }

    @Test(
        "what is none, or would fill the memory, is refused",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", ":12x\r\n", ":\r\n", "$-2\r\n", "$9999999\r\n", "*-2\r\n", "*9999999\r\n", "$1\r\nab\r\n",
            "+OK\n", "\n",
            String(repeating: "*1\r\n", count: 9), "+" + String(repeating: "a", count: 1 << 20),
        ])
    func others(bytes: String) {
        var buffer = ByteBuffer(string: bytes)
        #expect(throws: RedisError.notRedis) { try RedisDecoder.decode(&buffer) }
    }

    @Test("a command is a list of texts with their lengths in bytes")
    func command() {
        var buffer = ByteBuffer()
        buffer.writeRedis(command: ["SET", "ä", ""])
        #expect(String(buffer: buffer) == "*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$0\r\n\r\n")
    }

    @Test("an address shows neither user nor password")
    func address() {
        let address = RedisAddress(host: "::1", port: 6380, database: 2, isSecure: true, user: "ann", password: "secret")
        #expect("\(address)" == "rediss://[::1]:6380/2")
        #expect("\(RedisAddress(host: "redis.example"))" == "redis://redis.example:6379/0")
    }
}
