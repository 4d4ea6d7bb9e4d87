/// Heads in wrong pieces, with wrong fields, wrongly compressed, and with bodies that do not fit them (RFC 9113, sections 4.3, 6.10 and 8; RFC 7541).
extension HostileConversation {
    static let heads = [
        HostileConversation("a continuation of nothing", .connectionError([protocolError])) { _, stream in
            [WireFrame(.continuation, WireFrame.endHeaders, on: stream, WireFrame.block(WireFrame.fields("GET", "/nothing")))]
        },
        HostileConversation("a continuation of another stream", .connectionError([protocolError])) { dice, stream in
            let block = WireFrame.block(WireFrame.fields("GET", "/nothing"))
            let cut = dice.below(block.count)
            return [
                WireFrame(.headers, WireFrame.endStream, on: stream, Array(block[..<cut])),
                WireFrame(.continuation, WireFrame.endHeaders, on: stream + 2, Array(block[cut...])),
            ]
        },
        HostileConversation("another frame inside a head", .connectionError([protocolError])) { dice, stream in
            let block = WireFrame.block(WireFrame.fields("GET", "/nothing"))
            let between = dice.pick([
                .ping(), .windowUpdate(1), WireFrame(.settings, on: 0), .get("/nothing", on: stream + 2),
                WireFrame(kind: 0xFA, on: stream, [1]),
            ])
            return [
                WireFrame(.headers, WireFrame.endStream, on: stream, block), between,
                WireFrame(.continuation, WireFrame.endHeaders, on: stream, []),
            ]
        },
        HostileConversation("a head that never ends", .connectionError([calm, protocolError])) { dice, stream in
            let piece = dice.below(2) == 0 ? [] : WireFrame.block([("x", "y")])
            return [WireFrame(.headers, WireFrame.endStream, on: stream, WireFrame.block(WireFrame.fields("GET", "/nothing")))]
                + (0..<(10 + dice.below(100))).map { _ in WireFrame(.continuation, on: stream, piece) }
        },
        HostileConversation("a head that is too large", .survived) { _, stream in
            let more = String(repeating: "y", count: 15_000)
            return [WireFrame(.headers, WireFrame.endStream, on: stream, WireFrame.block(WireFrame.fields("GET", "/nothing")))]
                + (0..<4).map { WireFrame(.continuation, $0 == 3 ? WireFrame.endHeaders : 0, on: stream, WireFrame.block([("x", more)])) }
        },
    ]

    /// What a good head gets beside or instead.
    private static let wrongFields: [WireFrame.Fields] = [
        [("x", "a\r\nb: c")], [("x", "a\nb")], [("x", "a\0b")], [("X-Upper", "a")], [("x y", "a")], [("x:", "a")],
        [("x\r\ny", "a")], [(":path", "/nothing")], [(":status", "200")], [(":unknown", "a")], [("x", "a"), (":method", "GET")],
        [("connection", "close")], [("transfer-encoding", "chunked")], [("keep-alive", "a")], [("proxy-connection", "a")],
        [("upgrade", "websocket")], [("te", "gzip")], [("host", "other.test")], [("host", "shop.test"), ("host", "shop.test")],
        [("content-length", "x")], [("content-length", "1"), ("content-length", "2")], [("content-length", "-1")],
    ]

    /// Whole heads that are none.
    private static let wrongHeads: [WireFrame.Fields] = [
        [], [("x", "y")], Array(WireFrame.fields("GET", "/nothing").dropFirst()), Array(WireFrame.fields("GET", "/nothing").dropLast()),
        WireFrame.fields("GET", ""), WireFrame.fields("GET", "nothing"), WireFrame.fields("GET", "*"),
        WireFrame.fields("GET", "/nothing a"),
        WireFrame.fields("GET", "http://shop.test/nothing"), WireFrame.fields("GET /nothing HTTP/1.1\r\nx: y\r\n\r\nGET", "/nothing"),
        WireFrame.fields("", "/nothing"), WireFrame.fields("CONNECT", "/nothing"), WireFrame.fields("TRACE", "/nothing"),
        [(":method", "GET"), (":scheme", "ftp"), (":authority", "shop.test"), (":path", "/nothing")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "me@shop.test"), (":path", "/nothing")],
        [(":method", "GET"), (":scheme", "http"), (":authority", "a\r\nb"), (":path", "/nothing")],
    ]

    static let fields = [
        HostileConversation("a head with a field that is none", .refused) { dice, stream in
            [.get("/nothing", on: stream, dice.pick(wrongFields))]
        },
        // What unpacks fields takes it for an error of packing, which spoils the connection: more than RFC 9113 asks for (section 8.2.1).
        HostileConversation("a field without a name", .connectionError([compression])) { _, stream in
            [.get("/nothing", on: stream, [("", "a")])]
        },
        HostileConversation("a head that is none", .refused) { dice, stream in
            [.head(dice.pick(wrongHeads), on: stream, WireFrame.endStream | WireFrame.endHeaders)]
        },
    ]

    /// Field blocks that cannot be read; the connection's table is lost with them.
    private static let garbage: [[UInt8]] = [
        // No index; one beyond the table; a name by one beyond it.
        [0x80], [0xFF, 0x7F], [0x7F, 0x7F, 0x01, 0x61],
        // A string that is longer than its block; a number that never ends, or is too large.
        [0x00, 0x05, 0x61], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x00, 0x7F, 0x80],
        // Huffman's code: its end inside a string, and padding of zeros.
        [0x00, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61], [0x00, 0x81, 0x00, 0x01, 0x61],
        // A table that is larger than was agreed, and a change of it behind a field.
        [0x3F, 0xE1, 0xFF, 0x7F],
    ]

    static let compressed = [
        HostileConversation("a field block that cannot be read", .connectionError([compression])) { dice, stream in
            let block = dice.below(2) == 0 ? [] : WireFrame.block(WireFrame.fields("GET", "/nothing"))
            // A new size of the table may only stand at the beginning.
            let garbage = block.isEmpty ? dice.pick(garbage) : dice.pick(garbage + [[0x20]])
            return [WireFrame(.headers, WireFrame.endStream | WireFrame.endHeaders, on: stream, block + garbage)]
        }
    ]

    static let bodies = [
        HostileConversation("a body shorter than it says", .streamError([protocolError])) { _, stream in
            [.post("/start", on: stream, [("content-length", "5")]), WireFrame(.data, WireFrame.endStream, on: stream, [0x61])]
        },
        // The upstream may have had a whole request, and answered it, before the byte comes that is too much.
        HostileConversation("a body longer than it says", .streamError([protocolError, noError])) { _, stream in
            [.post("/whole", on: stream, [("content-length", "5")]), WireFrame(.data, on: stream, Array("aaaaaa".utf8))]
        },
        HostileConversation("a length without a body", .streamError([protocolError])) { _, stream in
            [.get("/nothing", on: stream, [("content-length", "5")])]
        },
        HostileConversation("trailers that do not end", .streamError([protocolError])) { _, stream in
            [.post("/start", on: stream), .head([("x", "y")], on: stream, WireFrame.endHeaders)]
        },
        HostileConversation("trailers that begin another request", .streamError([protocolError])) { _, stream in
            [
                .post("/start", on: stream),
                .head(WireFrame.fields("GET", "/nothing"), on: stream, WireFrame.endStream | WireFrame.endHeaders),
            ]
        },
    ]
}
