import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPProxy

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

// What faults leave behind. Clients that wait, and clients that vanish at each moment, over HTTP/1.1 and HTTP/2, ask an upstream that goes wrong in each
// way; afterwards nothing may be left of it.
//
// Four things are looked at. What the proxy counts itself: connections of both sides, requests under way and waiting. What is alive while it goes
// on (`Census`): connections, streams, exchanges and timers, of which there must be none at rest. What is alive after its end: every client connection and
// every exchange holds on to its event loop's state, and every upstream connection to its pool, so when those are gone, nothing has leaked that a
// cycle or a forgotten table kept. And, when the test has the process for itself (`make soak`, SOAK_REQUESTS), what the system counts: open files and
// resident memory.

@Suite("What faults leave behind", .timeLimit(.minutes(60)))
struct SoakTests {
    /// Whether nothing else happens in the process: then the number of requests is given.
    private static let requests = getenv("SOAK_REQUESTS").flatMap { Int(String(cString: $0)) }
    private static let atOnce = 16

    private struct Answers {
        let http1 = Collector<Int>()
        let http2 = Collector<Int>()
    }

    @Test("no connection, no request and no memory is left of faulty upstreams and vanished clients")
    func nothingIsLeft() async throws {
        let upstream = try await RawUpstream.faulty()
        let answers = Answers()
        let state = try await Self.run(upstream.endpoint, answers)
        // The last references go with the closing of the event loops, which does not wait for their threads' own.
        try await eventually(state: "alive: \(state.alive)") { state.alive.isEmpty }
        // All kinds of ends were seen: an answer, an answer that made no sense, and none in time.
        #expect(Set(answers.http1.values).isSuperset(of: [200, 502, 504]))
        #expect(Set(answers.http2.values).isSuperset(of: [200, 502, 504]))
        try await upstream.stop()
    }

    @Test("what is alive is counted: connections of both sides, streams, exchanges and timers")
    func census() async throws {
        let promises = Collector<EventLoopPromise<TestUpstream.Response>>()
        let upstream = try await TestUpstream.start(later: { _ in
            let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: TestUpstream.Response.self)
            promises.append(promise)
            return promise.futureResult
        })
        var configuration = everything(to: upstream.endpoint)
        configuration.http2.isCleartextAllowed = true
        try await withProxy(configuration) { proxy, port in
            let client = try await HTTP2Client.connect(port: port)
            let streams = [
                try await client.open(HTTP2Client.head("GET", "/1")), try await client.open(HTTP2Client.head("GET", "/2")),
            ]
            try await eventually { promises.values.count >= 2 }
            let busy = Census.alive(on: proxy.loops.map(\.eventLoop))
            #expect(busy[.clientConnection] == 1 && busy[.stream] == 2 && busy[.exchange] == 2 && busy[.upstreamConnection] == 2)
            #expect((busy[.timer] ?? 0) >= 4)
            for promise in promises.values { promise.succeed(TestUpstream.Response(body: "done")) }
            for stream in streams { #expect(try await stream.response().body == "done") }
            try await client.close()
            try await proxy.reload(ProxyConfiguration(routes: []))
            try await Remains.none(of: proxy)
        }
        try await upstream.stop()
    }

    private static func run(_ endpoint: Endpoint, _ answers: Answers) async throws -> LiveState {
        var configuration = everything(
            to: endpoint, timeouts: RouteTimeouts(firstByte: .milliseconds(100), idle: .milliseconds(100), total: .seconds(1)))
        // Every request is to meet its fault.
        configuration.clusters[0].breaker = nil
        configuration.clusters[0].outlierDetection = nil
        configuration.http2.isCleartextAllowed = true
        let proxy = try await ProxyServer(configuration: configuration, threads: 2, logger: Logger(label: "test"))
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        let count = requests ?? 2_000
        // Pools, tables and the allocator grow to their size first.
        try await ask(count / 5, seed: 1, port: port, answers)
        let before = try await rest(proxy, configuration)
        try await ask(count, seed: 2, port: port, answers)
        let after = try await rest(proxy, configuration)
        if let before, let after {
            print(
                "\(count) requests: open files \(before.openFiles) → \(after.openFiles), resident memory \(before.residentBytes >> 10) → "
                    + "\(after.residentBytes >> 10) KB; no connection, stream, exchange or timer is alive")
            #expect(after.openFiles == before.openFiles)
            // Less than the smallest object that a request needs, for each: the rest is what the allocator keeps.
            #expect(after.residentBytes - before.residentBytes < max(8 << 20, count * 160))
        }
        let state = try await LiveState(proxy)
        try await proxy.drain(within: .milliseconds(100))
        return state
    }

    private static func ask(_ count: Int, seed: Int, port: Int, _ answers: Answers) async throws {
        let clients = VanishingClient.allCases.count + VanishingHTTP2Client.allCases.count
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for lane in 0..<atOnce {
                tasks.addTask {
                    for number in stride(from: lane, to: count, by: atOnce) {
                        // Every fault meets every client.
                        let fault = Fault.allCases[number % Fault.allCases.count]
                        let client = (number / Fault.allCases.count) % clients
                        let cut = seed &* 31 &+ number
                        if client < VanishingClient.allCases.count {
                            try await VanishingClient.allCases[client].ask(for: fault, port: port, cut: cut, answers: answers.http1)
                        } else {
                            let client = VanishingHTTP2Client.allCases[client - VanishingClient.allCases.count]
                            try await client.ask(for: fault, port: port, cut: cut, answers: answers.http2)
                        }
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    /// Waits until nothing is under way, then lets go of the connections that are kept for later requests; nothing may be alive then. Says what the
    /// process holds, when the test has it for itself.
    private static func rest(_ proxy: ProxyServer, _ configuration: ProxyConfiguration) async throws -> Remains? {
        var status = try await proxy.status()
        try await eventually(state: "\(status)") {
            status = try await proxy.status()
            let isBusy = status.clusters.flatMap(\.endpoints).contains {
                $0.activeConnections + $0.openingConnections + $0.waitingRequests > 0
            }
            return !isBusy && status.clientConnections == 0 && status.activeRequests == 0
                && status.clusters.allSatisfy { $0.activeRequests == 0 }
        }
        try await proxy.reload(ProxyConfiguration(routes: []))
        try await Remains.none(of: proxy)
        let remains = requests == nil ? nil : try await Remains.ofProcess(with: proxy)
        try await proxy.reload(configuration)
        return remains
    }
}
