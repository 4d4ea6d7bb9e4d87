/// Much of what costs a client little (RFC 9113, section 10.5), and nonsense.
extension HostileConversation {
    static let floods = [
        HostileConversation("streams that are reset as soon as they are opened", .connectionError([calm])) { dice, stream in
            (0..<UInt32(250 + dice.below(100))).flatMap { number in
                [.get("/whole", on: stream + 2 * number), WireFrame(.reset, on: stream + 2 * number, [0, 0, 0, 8])]
            }
        },
        HostileConversation("pings, settings and priorities without end", .connectionError([calm])) { dice, stream in
            let frame = dice.pick([.ping("flooding"), WireFrame(.settings, on: 0), WireFrame(.priority, on: stream, [0, 0, 0, 0, 1])])
            return Array(repeating: frame, count: 250 + dice.below(1000))
        },
        HostileConversation("a body of nothing, again and again", .connectionError([calm])) { dice, stream in
            [.post("/start", on: stream)] + Array(repeating: WireFrame(.data, on: stream), count: 2 + dice.below(100))
        },
        HostileConversation("more streams than were allowed", .survived) { dice, stream in
            (0..<UInt32(101 + dice.below(50))).map { .post("/start", on: stream + 2 * $0) }
        },
        HostileConversation("more body than the window lets through", .survived) { dice, stream in
            [.post("/start", on: stream)]
                + (0..<(5 + dice.below(10))).map { _ in WireFrame(.data, on: stream, [UInt8](repeating: 0x61, count: 16_384)) }
        },
        HostileConversation("a farewell, and then more", .survived) { _, stream in
            [WireFrame(.goAway, on: 0, [UInt8](repeating: 0, count: 8)), .get("/whole", on: stream)]
        },
        HostileConversation("nonsense", .survived) { dice, _ in
            let bytes = dice.bytes(9 + dice.below(200))
            return [WireFrame(kind: bytes[3], bytes[4], on: UInt32(bytes[8]), Array(bytes[9...]))]
        },
    ]
}
