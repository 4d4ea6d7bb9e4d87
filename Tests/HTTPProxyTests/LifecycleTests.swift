import Logging
import NIOCore
import NIOPosix
import Testing

@testable import HTTPProxy

@Suite("Start, reload and drain", .timeLimit(.minutes(1)))
struct LifecycleTests {
    /// A client that asks again and again on one connection until told to stop or told so by the server; counts answers and losses.
    static func load(port: Int, answers: Counter, wrong: Collector<String>, until isDone: @escaping @Sendable () -> Bool)
        async throws
    {
        let client = try await RawClient.connect(port: port)
        while !isDone() {
            do {
                let response = try await client.get("/")
                answers.increment()
                if response.status != 200 { wrong.append(response.head) }
                if response["connection"] == "close" { return }
            } catch {
                wrong.append("\(error)")
                return
            }
        }
    }

    @Test("reloading under load loses no request and closes no connection")
    func reloadUnderLoad() async throws {
        let one = try await TestUpstream.start(answer: { _ in TestUpstream.Response(body: "1") })
        let two = try await TestUpstream.start(answer: { _ in TestUpstream.Response(body: "2") })
        let answers = Counter()
        let wrong = Collector<String>()
        let done = Counter()
        try await withProxy(everything(to: one.endpoint), threads: 2) { proxy, port in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { try await Self.load(port: port, answers: answers, wrong: wrong) { done.value > 0 } }
                }
                for round in 0..<40 {
                    try await proxy.reload(everything(to: round.isMultiple(of: 2) ? two.endpoint : one.endpoint))
                    let target = answers.value + 20
                    try await eventually { answers.value >= target || !wrong.values.isEmpty }
                }
                done.increment()
                try await tasks.waitForAll()
            }
        }
        #expect(wrong.values == [])
        #expect(!one.requests.isEmpty && !two.requests.isEmpty)
        try await one.stop()
        try await two.stop()
    }

    @Test("a configuration that contradicts itself is refused and changes nothing")
    func badReload() async throws {
        let upstream = try await TestUpstream.start()
        try await withProxy(everything(to: upstream.endpoint)) { proxy, port in
            let bad = ProxyConfiguration(routes: [Route(name: "a", path: .prefix("/"), target: .cluster("nowhere"))])
            await #expect(throws: ProxyConfigurationError("route a goes to the cluster nowhere, which is not there")) {
                try await proxy.reload(bad)
            }
            let response = try await RawClient.connect(port: port).get("/")
            #expect(response.status == 200)
        }
        try await upstream.stop()
    }

    @Test("draining under load answers every request it accepted and ends in time")
    func drainUnderLoad() async throws {
        let upstream = try await TestUpstream.start()
        let answers = Counter()
        let wrong = Collector<String>()
        let proxy = try await ProxyServer(configuration: everything(to: upstream.endpoint), threads: 2, logger: Logger(label: "test"))
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask { try await Self.load(port: port, answers: answers, wrong: wrong) { false } }
            }
            try await eventually { answers.value >= 200 }
            try await proxy.drain(within: .seconds(10))
            try await tasks.waitForAll()
        }
        #expect(wrong.values == [])
        await #expect(throws: (any Error).self) { try await RawClient.connect(port: port) }
        try await upstream.stop()
    }

    @Test("a request that outlasts the drain is cut")
    func drainDeadline() async throws {
        let upstream = try await RawUpstream.start { _, _, _ in }
        let proxy = try await ProxyServer(configuration: everything(to: upstream.endpoint), threads: 1, logger: Logger(label: "test"))
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        let client = try await RawClient.connect(port: port)
        try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try await eventually { upstream.connections != 0 }
        try await proxy.drain(within: .milliseconds(50))
        #expect(try await client.receiveToEnd() == "")
        try await upstream.stop()
    }

    @Test("a server starts once")
    func startsOnce() async throws {
        try await withProxy(ProxyConfiguration(routes: [])) { proxy, _ in
            await #expect(throws: ProxyServerError.alreadyStarted) { _ = try await proxy.start(host: "127.0.0.1", port: 0) }
        }
    }

    @Test("requests go to the endpoint with the fewest under way")
    func leastBusy() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let gate = loop.makePromise(of: Void.self)
        let stuck = try await TestUpstream.start(later: { _ in gate.futureResult.map { TestUpstream.Response(body: "slow") } })
        let free = try await TestUpstream.start(answer: { _ in TestUpstream.Response(body: "free") })
        let configuration = ProxyConfiguration(
            clusters: [Cluster(name: "two", endpoints: [stuck.endpoint, free.endpoint])],
            routes: [Route(name: "all", path: .prefix("/"), target: .cluster("two"))])
        try await withProxy(configuration) { _, port in
            let first = try await RawClient.connect(port: port)
            let second = try await RawClient.connect(port: port)
            // While both are idle either is drawn: one of 64 requests, one after the other, gets stuck. From then on the other endpoint is the
            // less busy one.
            try await first.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 64))
            try await eventually { !stuck.requests.isEmpty }
            for _ in 0..<10 { #expect(try await second.get("/").body == "free") }
            gate.succeed()
            _ = try await first.response()
        }
        try await stuck.stop()
        try await free.stop()
    }
}
