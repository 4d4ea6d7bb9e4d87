import NIOCore
import Testing

@testable import HTTPProxy

// Fuzzing of HTTP/2 on the wire. Clients send frames that are wrong by rule (`HostileConversation`), or right ones whose bits were changed, to a real proxy
// before an upstream that watches what comes. Held against what RFC 9113 says of each rule: which error, and of what. And, whatever was sent: the
// upstream sees well-formed requests only, and none of those that were refused; other connections go on being served; and nothing is left.

@Suite("Fuzzing HTTP/2", .timeLimit(.minutes(120)))
struct HTTP2FuzzTests {
    /// A proxy before a watched upstream, and clients of both versions beside those that are hostile.
    private struct Scene {
        let proxy: ProxyServer
        let port: Int
        let upstream: WatchedUpstream
        let http1: RawClient
        let http2: HTTP2Client

        /// Others are served, and the upstream has seen nothing that it should not.
        func expectPeace(_ after: String) async throws {
            try #require(upstream.complaints == [], "\(after)")
            #expect(try await http1.get("/whole/other").status == 200, "\(after)")
            #expect(try await http2.get("/whole/other").status == 200, "\(after)")
        }
    }

    private static func withScene(asksForPaths: Bool = true, _ body: (Scene) async throws -> Void) async throws {
        let upstream = try await WatchedUpstream.start(asksForPaths: asksForPaths)
        var configuration = everything(to: upstream.endpoint)
        configuration.http2.isCleartextAllowed = true
        // What hostile clients break off is no fault of the upstream's.
        configuration.clusters[0].breaker = nil
        try await withProxy(configuration) { proxy, port in
            let scene = Scene(
                proxy: proxy, port: port, upstream: upstream, http1: try await RawClient.connect(port: port),
                http2: try await HTTP2Client.connect(port: port))
            try await body(scene)
            try await scene.expectPeace("at the end")
            try await scene.http1.close()
            try await scene.http2.close()
            try await proxy.reload(ProxyConfiguration(routes: []))
            try await Remains.none(of: proxy)
        }
        try await upstream.stop()
    }

    @Test("frames that are wrong by rule end in the error that RFC 9113 has for them, and reach nobody else")
    func byRule() async throws {
        try await Self.withScene { scene in
            var run = FuzzRun(shortRun: 2 * HostileConversation.all.count)
            var dice = run.dice
            while run.goesOn() {
                let conversation = HostileConversation.all[run.inputs % HostileConversation.all.count]
                let what = "“\(conversation.name)”, input \(run.inputs) of seed \(run.seed)"
                try await Self.hold(conversation, &dice, scene, what)
                try await scene.expectPeace(what)
            }
            #expect(scene.upstream.requests > run.inputs)
        }
    }

    private static func hold(_ conversation: HostileConversation, _ dice: inout FuzzDice, _ scene: Scene, _ what: String) async throws {
        let before = UInt32(dice.below(3))
        let stream = 1 + 2 * before
        var frames = [WireFrame(.settings, on: 0)] + (0..<before).map { .get("/whole", on: 1 + 2 * $0) }
        frames += conversation.frames(&dice, stream)
        // Who was given up is not heard any more.
        if case .connectionError = conversation.outcome { frames.append(.get("/nothing", on: stream + 2_000)) }
        let bytes = WireFrame.preface + (frames + [.ping()]).flatMap(\.bytes)
        let client = try await FrameClient.connect(port: scene.port)
        try await client.send(bytes, cuts: dice.cuts(of: bytes.count))
        try await expect(conversation.outcome, of: client, stream: stream, what)
        try await client.close()
    }

    private static func expect(
        _ outcome: HostileConversation.Outcome, of client: FrameClient, stream: UInt32, _ what: String
    ) async throws {
        switch outcome {
        case .served:
            let heard = await client.hear { $0.statuses[stream] != nil && $0.pings > 0 }
            try #require(heard.statuses[stream] == 200 && heard.failure == nil, "\(what): \(heard)")
        case .refused:
            let heard = await client.hear { ($0.statuses[stream] ?? $0.resets[stream].map { Int($0) }) != nil && $0.pings > 0 }
            let isRefused = heard.statuses[stream].map { $0 >= 400 } ?? (heard.resets[stream] == HostileConversation.protocolError)
            try #require(isRefused && heard.failure == nil && !heard.isClosed, "\(what): \(heard)")
        case .streamError(let codes):
            let heard = await client.hear { $0.failure != nil || ($0.resets[stream] != nil && $0.pings > 0) }
            try #require((heard.failure ?? heard.resets[stream]).map(codes.contains) == true, "\(what): \(heard)")
        case .connectionError(let codes):
            let heard = await client.hear { $0.failure != nil || $0.pings > 0 }
            try #require(heard.failure.map(codes.contains) == true, "\(what): \(heard)")
        case .survived: _ = try await client.end()
        }
    }

    @Test("a connection that was given up is closed")
    func closed() async throws {
        try await Self.withScene { scene in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for conversation in HostileConversation.all {
                    guard case .connectionError = conversation.outcome else { continue }
                    tasks.addTask {
                        var dice = FuzzDice(seed: 7)
                        let frames = [WireFrame(.settings, on: 0)] + conversation.frames(&dice, 1)
                        let client = try await FrameClient.connect(port: scene.port)
                        try await client.send(WireFrame.preface + frames.flatMap(\.bytes), cuts: [])
                        let heard = await client.hear { _ in false }
                        #expect(heard.isClosed && heard.failure != nil, "\(conversation.name): \(heard)")
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test("a beginning that is not HTTP/2's is refused")
    func preface() async throws {
        try await Self.withScene { scene in
            for place in 0..<WireFrame.preface.count {
                var bytes = WireFrame.preface
                bytes[place] ^= 0x01
                let client = try await FrameClient.connect(port: scene.port)
                try await client.send(bytes + [WireFrame(.settings, on: 0), .get("/nothing", on: 1)].flatMap(\.bytes), cuts: [])
                let heard = try await client.end()
                #expect(heard.isClosed && heard.statuses.isEmpty)
            }
        }
    }

    @Test("whatever bits are changed, the upstream sees requests that are well-formed, and others are served")
    func changedBits() async throws {
        try await Self.withScene(asksForPaths: false) { scene in
            var run = FuzzRun(shortRun: 100)
            var dice = run.dice
            let good = HostileConversation.all.filter { if case .served = $0.outcome { true } else { false } }
            while run.goesOn() {
                let frames = (0..<3).flatMap { dice.pick(good).frames(&dice, 1 + 2 * UInt32($0)) }
                var bytes = WireFrame.preface + ([WireFrame(.settings, on: 0)] + frames).flatMap(\.bytes)
                for _ in 0...dice.below(4) {
                    bytes[WireFrame.preface.count + dice.below(bytes.count - WireFrame.preface.count)] ^= 1 << UInt8(dice.below(8))
                }
                let client = try await FrameClient.connect(port: scene.port)
                try await client.send(bytes, cuts: dice.cuts(of: bytes.count))
                _ = try await client.end()
                try await scene.expectPeace("input \(run.inputs) of seed \(run.seed)")
            }
        }
    }
}
