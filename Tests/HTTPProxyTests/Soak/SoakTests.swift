import Logging
import NIOCore
import Testing

@testable import HTTPProxy

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

// What faults leave behind. Clients that wait, and clients that vanish at each moment, ask an upstream that goes wrong in each way; afterwards nothing may
// be left of it.
//
// Three things are looked at. What the proxy counts itself: connections of both sides, requests under way and waiting. What is alive: every client connection
// and every exchange holds on to its event loop's state, and every upstream connection to its pool, so when those are gone after the proxy's end, nothing
// has leaked that a cycle or a forgotten table kept. And, when the test has the process for itself (`make soak`, SOAK_REQUESTS), what the system counts: open files
// and resident memory.

@Suite("What faults leave behind", .timeLimit(.minutes(60)))
struct SoakTests {
    private enum Client: CaseIterable {
        case waits, keepsItsConnection, vanishesAtOnce, vanishesInTheHead, vanishesInTheBody, vanishesBehindTheRequest,
            vanishesInTheResponse
    }

    /// Whether nothing else happens in the process: then the number of requests is given.
    private static let requests = getenv("SOAK_REQUESTS").flatMap { Int(String(cString: $0)) }
    private static let atOnce = 16

    @Test("no connection, no request and no memory is left of faulty upstreams and vanished clients")
    func nothingIsLeft() async throws {
        let upstream = try await RawUpstream.faulty()
        let answers = Collector<Int>()
        let state = try await Self.run(upstream.endpoint, answers: answers)
        // The last references go with the closing of the event loops, which does not wait for their threads' own.
        while state.isAlive { await Task.yield() }
        // All kinds of ends were seen: an answer, an answer that made no sense, and none in time.
        #expect(Set(answers.values).isSuperset(of: [200, 502, 504]))
        try await upstream.stop()
    }

    private static func run(_ endpoint: Endpoint, answers: Collector<Int>) async throws -> LiveState {
        var configuration = everything(
            to: endpoint, timeouts: RouteTimeouts(firstByte: .milliseconds(20), idle: .milliseconds(50), total: .milliseconds(500)))
        // Every request is to meet its fault.
        configuration.clusters[0].breaker = nil
        configuration.clusters[0].outlierDetection = nil
        let proxy = try await ProxyServer(configuration: configuration, threads: 2, logger: Logger(label: "test"))
        let port = try await proxy.start(host: "127.0.0.1", port: 0)
        let count = requests ?? 2_000
        // Pools, tables and the allocator grow to their size first.
        try await ask(count / 5, seed: 1, port: port, answers: answers)
        let before = try await rest(proxy, configuration)
        try await ask(count, seed: 2, port: port, answers: answers)
        let after = try await rest(proxy, configuration)
        if requests != nil {
            print(
                "\(count) requests: open files \(before.files) → \(after.files), resident memory \(before.bytes >> 10) → \(after.bytes >> 10) KB"
            )
            #expect(after.files == before.files)
            // Less than the smallest object that a request needs, for each: the rest is what the allocator keeps.
            #expect(after.bytes - before.bytes < max(8 << 20, count * 160))
        }
        let state = try await LiveState(proxy)
        try await proxy.drain(within: .milliseconds(100))
        return state
    }

    private static func ask(_ count: Int, seed: UInt64, port: Int, answers: Collector<Int>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for lane in 0..<atOnce {
                tasks.addTask {
                    for number in stride(from: lane, to: count, by: atOnce) {
                        // Every fault meets every client.
                        let fault = Fault.allCases[number % Fault.allCases.count]
                        let client = Client.allCases[(number / Fault.allCases.count) % Client.allCases.count]
                        try await ask(fault, as: client, port: port, cut: Int(seed) &* 31 &+ number, answers: answers)
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    /// - Parameter cut: at which byte to vanish, modulo what there is.
    private static func ask(_ fault: Fault, as client: Client, port: Int, cut: Int, answers: Collector<Int>) async throws {
        let path = fault.rawValue
        let get = "GET /\(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let post = "POST /\(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000)
        let connection = try await RawClient.connect(port: port)
        do {
            switch client {
            case .waits:
                try await connection.send(fault == .early ? String(post.dropLast()) : get)
                note(try await connection.receiveToEnd(), in: answers)
            case .keepsItsConnection:
                try await connection.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n" + get)
                note(try await connection.receiveToEnd(), in: answers)
            case .vanishesAtOnce: break
            case .vanishesInTheHead: try await connection.send(String(get.utf8.prefix(1 + cut % (get.utf8.count - 1))) ?? "")
            case .vanishesInTheBody: try await connection.send(String(post.dropLast(1 + cut % 999)))
            case .vanishesBehindTheRequest: try await connection.send(cut.isMultiple(of: 2) ? get : post)
            case .vanishesInTheResponse:
                try await connection.send(get)
                try await connection.receive { !$0.isEmpty }
            }
        } catch is ChannelError {
            // The proxy was first to end the connection.
        } catch is IOError {
            // The same, seen by a write that was under way.
        }
        try await vanish(connection, byReset: cut.isMultiple(of: 3))
    }

    private static func note(_ text: String, in answers: Collector<Int>) {
        if let status = Int(text.dropFirst(9).prefix(3)) { answers.append(status) }
    }

    private static func vanish(_ connection: RawClient, byReset: Bool) async throws {
        do {
            if byReset { try await connection.channel.resetWhenClosed().get() }
            try await connection.close()
        } catch is ChannelError {
            // It is closed already.
        } catch is IOError {
            // The same.
        }
    }

    /// Waits until nothing is under way, then lets go of the connections that are kept for later requests; says what the process holds then.
    private static func rest(_ proxy: ProxyServer, _ configuration: ProxyConfiguration) async throws -> (files: Int, bytes: Int) {
        while true {
            let status = try await proxy.status()
            let isBusy = status.clusters.flatMap(\.endpoints).contains {
                $0.activeConnections + $0.openingConnections + $0.waitingRequests > 0
            }
            if !isBusy, status.clientConnections == 0, status.activeRequests == 0, status.clusters.allSatisfy({ $0.activeRequests == 0 }) {
                break
            }
            await Task.yield()
        }
        try await proxy.reload(ProxyConfiguration(routes: []))
        // Both ends of a closed connection are this process's: it rests when two looks, with a round through all event loops between them, see the same.
        var files = -1
        while requests != nil, files != openFiles() {
            files = openFiles()
            for _ in 0..<1_000 { _ = try await proxy.status() }
        }
        try await proxy.reload(configuration)
        return (files, residentBytes())
    }

    private static func openFiles() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let words = line.prefix { $0 != 0 }.split(separator: 0x20).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}

/// Weak references to what every connection and every exchange of a proxy holds on to.
private final class LiveState: Sendable {
    // Weak references are read and written atomically; these are written once, before anybody reads them.
    private final class Reference: @unchecked Sendable {
        weak var object: AnyObject?

        init(_ object: AnyObject) { self.object = object }
    }

    private let references: [Reference]

    var isAlive: Bool { references.contains { $0.object != nil } }

    init(_ proxy: ProxyServer) async throws {
        var references: [Reference] = []
        for bound in proxy.loops {
            references += try await bound.eventLoop.submit {
                [Reference(bound.value)] + bound.value.clusters.flatMap(\.pools).map { Reference($0) }
            }.get()
        }
        self.references = references
    }
}
