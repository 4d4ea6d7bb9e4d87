/// What a hostile client sends on one connection, and what RFC 9113 wants of the server then.
///
/// The path of each request says what the upstream may see of it: all of `/whole`, no more than the beginning of `/start`, and nothing of `/nothing`.
struct HostileConversation: Sendable {
    enum Outcome: Sendable {
        /// Nothing was wrong: the request is answered with 200.
        case served
        /// The request is refused, by an answer of 400 and above or by a reset, and its connection stays.
        case refused
        /// The stream is reset with one of these codes, or its connection ended with one: a server may take the one for the other (section 5.4).
        case streamError(Set<UInt32>)
        /// The connection is ended with a GOAWAY that has one of these codes.
        case connectionError(Set<UInt32>)
        /// Several things are right: the connection is ended, or goes on.
        case survived
    }

    /// The codes of section 7.
    static let (noError, protocolError, flowControl): (UInt32, UInt32, UInt32) = (0, 1, 3)
    static let (streamClosed, frameSize, compression, calm): (UInt32, UInt32, UInt32, UInt32) = (5, 6, 9, 11)

    let name: String
    let outcome: Outcome
    /// Makes the frames; the first stream that is free is given.
    let frames: @Sendable (inout FuzzDice, _ stream: UInt32) -> [WireFrame]

    init(_ name: String, _ outcome: Outcome, _ frames: @escaping @Sendable (inout FuzzDice, _ stream: UInt32) -> [WireFrame]) {
        (self.name, self.outcome, self.frames) = (name, outcome, frames)
    }

    static let all = good + sizes + places + heads + fields + compressed + bodies + floods

    /// What a server must put up with: without these nothing would show that the others are refused for what is wrong with them.
    private static let good = [
        HostileConversation("a request", .served) { _, stream in [.get("/whole", on: stream)] },
        HostileConversation("frames and settings that nobody knows", .served) { dice, stream in
            [
                WireFrame(kind: UInt8(0x20 + dice.below(0x80)), UInt8(dice.below(256)), on: 0, dice.bytes(dice.below(100))),
                .setting(UInt16(0x100 + dice.below(1000)), UInt32(dice.below(1 << 30))), .get("/whole", on: stream),
            ]
        },
        HostileConversation("padding, a priority and a body in pieces", .served) { dice, stream in
            let padding = 1 + dice.below(200)
            let head = [UInt8(padding)] + WireFrame.integer(0) + [15] + WireFrame.block(WireFrame.fields("POST", "/whole"))
            let flags = WireFrame.padded | WireFrame.priority | WireFrame.endHeaders
            return [
                WireFrame(.headers, flags, on: stream, head + [UInt8](repeating: 0, count: padding)),
                WireFrame(.data, WireFrame.padded, on: stream, [UInt8(padding)] + [0x61, 0x62] + [UInt8](repeating: 0, count: padding)),
                WireFrame(.data, WireFrame.endStream, on: stream, [0x63]),
            ]
        },
        HostileConversation("a head in three pieces, and trailers", .served) { dice, stream in
            let block = WireFrame.block(WireFrame.fields("POST", "/whole"))
            let cut = 1 + dice.below(block.count - 1)
            return [
                WireFrame(.headers, on: stream, Array(block[..<cut])), WireFrame(.continuation, on: stream, []),
                WireFrame(.continuation, WireFrame.endHeaders, on: stream, Array(block[cut...])),
                WireFrame(.data, on: stream, [0x61]),
                .head([("x-sum", "1")], on: stream, WireFrame.endStream | WireFrame.endHeaders),
            ]
        },
    ]
}
