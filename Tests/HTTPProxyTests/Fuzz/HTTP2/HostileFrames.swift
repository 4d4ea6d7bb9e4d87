/// Frames of a wrong size, and frames where none of their kind may be (RFC 9113, sections 4.2, 5.1 and 6).
extension HostileConversation {
    static let sizes = [
        HostileConversation("a frame longer than was agreed", .connectionError([frameSize])) { dice, stream in
            let kind = dice.pick([WireFrame.Kind.headers, .settings, .ping, .continuation])
            let block = WireFrame.block(WireFrame.fields("GET", "/nothing", [("x", String(repeating: "y", count: 16_384))]))
            return [WireFrame(kind, WireFrame.endHeaders, on: kind == .headers ? stream : 0, block)]
        },
        HostileConversation("settings of no whole number", .connectionError([frameSize])) { dice, _ in
            [WireFrame(.settings, on: 0, [UInt8](repeating: 0, count: 6 * dice.below(3) + 1 + dice.below(5)))]
        },
        HostileConversation("acknowledged settings that say something", .connectionError([frameSize])) { _, _ in
            [WireFrame(.settings, WireFrame.ack, on: 0, [0, 3, 0, 0, 0, 1])]
        },
        HostileConversation("a ping that is not of eight bytes", .connectionError([frameSize])) { dice, _ in
            [WireFrame(.ping, on: 0, [UInt8](repeating: 0, count: dice.pick([0, 1, 7, 9, 16])))]
        },
        HostileConversation("a window update that is not of four bytes", .connectionError([frameSize])) { dice, _ in
            [WireFrame(.windowUpdate, on: 0, [UInt8](repeating: 1, count: dice.pick([0, 1, 3, 5, 8])))]
        },
        HostileConversation("a reset that is not of four bytes", .connectionError([frameSize])) { dice, stream in
            [.post("/start", on: stream), WireFrame(.reset, on: stream, [UInt8](repeating: 0, count: dice.pick([0, 1, 3, 5, 8])))]
        },
        HostileConversation("a priority that is not of five bytes", .streamError([frameSize])) { dice, stream in
            [.post("/start", on: stream), WireFrame(.priority, on: stream, [UInt8](repeating: 0, count: dice.pick([0, 1, 4, 6])))]
        },
        HostileConversation("a farewell that is too short", .connectionError([frameSize])) { dice, _ in
            [WireFrame(.goAway, on: 0, [UInt8](repeating: 0, count: dice.below(8)))]
        },
    ]

    static let places = [
        HostileConversation("what belongs to the connection, on a stream", .connectionError([protocolError])) { dice, stream in
            let frame = dice.pick([
                WireFrame(.settings, on: stream, []), WireFrame(.ping, on: stream, [UInt8](repeating: 0, count: 8)),
                WireFrame(.goAway, on: stream, [UInt8](repeating: 0, count: 8)),
            ])
            return [.post("/start", on: stream), frame]
        },
        HostileConversation("what belongs to a stream, on the connection", .connectionError([protocolError])) { dice, _ in
            [
                dice.pick([
                    WireFrame(.data, WireFrame.endStream, on: 0, [0x61]), .get("/nothing", on: 0), WireFrame(.reset, on: 0, [0, 0, 0, 8]),
                    WireFrame(.priority, on: 0, [0, 0, 0, 3, 1]), WireFrame(.continuation, WireFrame.endHeaders, on: 0, []),
                ])
            ]
        },
        HostileConversation("a stream of the server's", .connectionError([protocolError])) { dice, stream in
            [.get("/nothing", on: stream + 1 + 2 * UInt32(dice.below(5)))]
        },
        HostileConversation("a stream that was passed over", .connectionError([protocolError, streamClosed])) { dice, stream in
            let next = stream + 2 + 2 * UInt32(dice.below(5))
            return [.post("/start", on: next), .get("/nothing", on: stream)]
        },
        HostileConversation("a frame on a stream that was never opened", .connectionError([protocolError])) { dice, stream in
            [
                dice.pick([
                    WireFrame(.data, WireFrame.endStream, on: stream, [0x61]), WireFrame(.reset, on: stream, [0, 0, 0, 8]),
                    .windowUpdate(1, on: stream),
                ])
            ]
        },
        HostileConversation("a body behind the end", .streamError([streamClosed])) { _, stream in
            [.get("/whole", on: stream), WireFrame(.data, on: stream, [0x61])]
        },
        HostileConversation("a promise", .connectionError([protocolError])) { _, stream in
            [
                .post("/start", on: stream),
                WireFrame(
                    .pushPromise, WireFrame.endHeaders, on: stream,
                    WireFrame.integer(2) + WireFrame.block(WireFrame.fields("GET", "/nothing"))),
            ]
        },
        HostileConversation("padding longer than its frame", .connectionError([protocolError])) { dice, stream in
            let block = WireFrame.block(WireFrame.fields("GET", "/nothing"))
            if dice.below(2) == 0 {
                let flags = WireFrame.padded | WireFrame.endHeaders | WireFrame.endStream
                return [WireFrame(.headers, flags, on: stream, [UInt8(block.count + 1 + dice.below(50))] + block)]
            }
            return [.post("/start", on: stream), WireFrame(.data, WireFrame.padded, on: stream, [UInt8(2 + dice.below(250)), 0x61])]
        },
        HostileConversation("settings that nobody may have", .connectionError([protocolError, flowControl])) { dice, _ in
            [
                dice.pick([
                    .setting(2, UInt32(2 + dice.below(1000))), .setting(4, 0x8000_0000 + UInt32(dice.below(1000))),
                    .setting(5, UInt32(dice.below(16_384))), .setting(5, 0x0100_0000),
                ])
            ]
        },
        HostileConversation("a window that is opened by nothing", .connectionError([protocolError])) { _, _ in [.windowUpdate(0)] },
        HostileConversation("a stream's window that is opened by nothing", .streamError([protocolError])) { _, stream in
            [.post("/start", on: stream), .windowUpdate(0, on: stream)]
        },
        HostileConversation("a window beyond its limit", .connectionError([flowControl])) { dice, _ in
            [.windowUpdate(0x7FFF_FFFF - UInt32(dice.below(65_535)))]
        },
        HostileConversation("a stream's window beyond its limit", .streamError([flowControl])) { dice, stream in
            [.post("/start", on: stream), .windowUpdate(0x7FFF_FFFF - UInt32(dice.below(65_535)), on: stream)]
        },
    ]
}
