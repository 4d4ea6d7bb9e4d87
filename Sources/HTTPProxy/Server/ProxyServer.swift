public import Logging
public import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
    #if canImport(SwiftOverlayShims)
        // Where an optimised build finds `timespec`.
        import SwiftOverlayShims
    #endif
#endif

/// A reverse proxy on its own event loops: HTTP/1.1 and HTTP/2 towards clients, HTTP/1.1 towards upstreams.
///
/// ```swift
/// let proxy = try await ProxyServer(configuration: configuration, logger: logger)
/// let port = try await proxy.start(host: "127.0.0.1", port: 0)
/// // …
/// try await proxy.drain(within: .seconds(10))
/// ```
///
/// A client's connection and the upstream connections its requests use live on the same event loop. All methods may be called from
/// anywhere.
public final class ProxyServer: Sendable {
    private enum Phase {
        case created
        case starting
        case running(any Channel)
        case draining
        /// The event loops take no more tasks.
        case ended
    }

    private let group: MultiThreadedEventLoopGroup
    let loops: [NIOLoopBound<ProxyLoop>]
    private let logger: Logger
    private let phase = Mutex(Phase.created)
    private let publisher: NIOLoopBound<SnapshotPublisher>
    private let responses: ResponseCache

    /// - Parameters:
    ///   - configuration: what to proxy.
    ///   - threads: the number of event loops, each a thread; one per core by default.
    ///   - observer: told about each exchange.
    ///   - logger: for what goes wrong inside the proxy itself.
    ///   - resolver: finds the addresses of the names in a configuration.
    ///   - responses: what is kept, for routes that cache; its capacity becomes that of the configuration.
    /// - Throws: `ProxyConfigurationError`.
    public convenience init(
        configuration: ProxyConfiguration, threads: Int = System.coreCount, observer: ProxyObserver = ProxyObserver(), logger: Logger,
        resolver: NameResolver = .system, responses: ResponseCache = ResponseCache()
    ) async throws {
        var generator = SystemRandomNumberGenerator()
        try await self.init(
            configuration: configuration, threads: threads, observer: observer, logger: logger, resolver: resolver, randomness: &generator,
            unixNanoseconds: ProxyServer.systemUnixNanoseconds, responses: responses)
    }

    /// Looks up the names in the configuration, but does not wait for long for what cannot be found.
    /// - Parameters:
    ///   - randomness: seeds request ids and trace ids.
    ///   - unixNanoseconds: the wall clock, for access records and the dates of what is kept.
    ///   - responses: what is kept; its capacity becomes that of the configuration.
    /// - Throws: `ProxyConfigurationError`.
    public init(
        configuration: ProxyConfiguration, threads: Int, observer: ProxyObserver, logger: Logger, resolver: NameResolver = .system,
        randomness: inout some RandomNumberGenerator, unixNanoseconds: @escaping @Sendable () -> Int64, responses: ResponseCache
    ) async throws {
        let snapshot = try ProxySnapshot(configuration)
        self.logger = logger
        self.responses = responses
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
        var loops: [NIOLoopBound<ProxyLoop>] = []
        for eventLoop in group.makeIterator() {
            // The first one probes for all.
            let isFirst = loops.isEmpty
            let generator = IdentifierGenerator(seededBy: &randomness)
            let bound = try await eventLoop.submit {
                let loop = ProxyLoop(
                    eventLoop: eventLoop, snapshot: snapshot, observer: observer, logger: logger, identifiers: generator,
                    unixNanoseconds: unixNanoseconds, responses: responses, connector: SocketConnector(eventLoop: eventLoop))
                loop.startSweeping()
                if isFirst { loop.startProbing() }
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }.get()
            loops.append(bound)
        }
        self.loops = loops
        publisher = try await Self.publisher(for: loops, resolver)
        try await replace(with: snapshot)
    }

    private static func publisher(
        for loops: [NIOLoopBound<ProxyLoop>], _ resolver: NameResolver
    ) async throws -> NIOLoopBound<SnapshotPublisher> {
        let home = loops[0].eventLoop
        let publisher = try await home.submit {
            NIOLoopBound(SnapshotPublisher(loops, first: loops[0].value, resolver: resolver), eventLoop: home)
        }.get()
        for bound in loops {
            bound.eventLoop.execute {
                bound.value.lookUpAgain = { name in home.execute { publisher.value.hurry(name) } }
            }
        }
        return publisher
    }

    /// Begins to accept connections.
    /// - Parameter port: 0 for any free one.
    /// - Returns: the port it listens on.
    /// - Throws: when the address cannot be bound, or the server was started before.
    public func start(host: String, port: Int) async throws -> Int {
        try phase.withLock { phase in
            guard case .created = phase else { throw ProxyServerError.alreadyStarted }
            phase = .starting
        }
        let loops = loops
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let bound = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { throw ProxyServerError.foreignLoop }
                    try Self.greet(channel, bound.value)
                }
            }
            .bind(host: host, port: port).get()
        phase.withLock { $0 = .running(channel) }
        return channel.localAddress?.port ?? port
    }

    private static func greet(_ channel: any Channel, _ loop: ProxyLoop) throws {
        guard let tls = loop.snapshot.serverTLS else {
            try channel.pipeline.syncOperations.addHandler(ClientConnection(loop: loop, scheme: .http))
            return
        }
        let handshake = ServerHandshake(patience: loop.snapshot.configuration.limits.headTimeout) { channel, negotiated in
            if negotiated == "h2" {
                try HTTP2Connection.add(to: channel, loop: loop, scheme: .https)
            } else {
                try channel.pipeline.syncOperations.addHandler(ClientConnection(loop: loop, scheme: .https))
            }
        }
        try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: tls), handshake])
    }

    /// Serves all further requests by `configuration`, once its names are looked up. Connections and requests under way are not touched.
    /// - Throws: `ProxyConfigurationError`; then everything stays as it was.
    public func reload(_ configuration: ProxyConfiguration) async throws {
        try await replace(with: try ProxySnapshot(configuration))
    }

    private func replace(with compiled: ProxySnapshot) async throws {
        responses.resize(to: compiled.configuration.cacheBytes)
        try await publisher.eventLoop.flatSubmit { [publisher] in publisher.value.replace(with: compiled) }.get()
    }

    /// Stops accepting, lets requests under way finish (their responses say `Connection: close`), cuts what is left when `deadline` has passed, and
    /// ends the event loops. The server cannot be started again.
    public func drain(within deadline: TimeAmount) async throws {
        let last = phase.withLock { phase in
            defer { phase = .draining }
            return phase
        }
        switch last {
        case .draining, .ended: return
        case .created, .starting, .running: break
        }
        if case .running(let channel) = last { try await channel.close() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for bound in loops {
                tasks.addTask { try await Self.drain(bound, within: deadline) }
            }
            try await tasks.waitForAll()
        }
        try await publisher.eventLoop.submit { [publisher] in publisher.value.stop() }.get()
        phase.withLock { $0 = .ended }
        try await group.shutdownGracefully()
    }

    /// The number of client connections that are open.
    /// - Throws: `ProxyServerError` when the event loops have ended.
    public func connectionCount() async throws -> Int {
        try await ask { $0.connectionCount }.reduce(0, +)
    }

    /// What the proxy is doing now. It costs each event loop some microseconds: ask now and then, not for each request.
    /// - Throws: `ProxyServerError` when the event loops have ended.
    public func status() async throws -> ProxyStatus {
        let answers = try await ask { (snapshot: $0.snapshot, status: $0.status(now: .now())) }
        var status = ProxyStatus(answers[0].snapshot, now: .now())
        for answer in answers { status.add(answer.status) }
        status.cache = CacheStatus(responses)
        return status
    }

    /// Asks every event loop, each on its own thread.
    private func ask<Answer: Sendable>(_ question: @escaping @Sendable (ProxyLoop) -> Answer) async throws -> [Answer] {
        // Under the lock, so that no loop ends in between: it would never answer.
        let answers = try phase.withLock { phase in
            if case .ended = phase { throw ProxyServerError.ended }
            return loops.map { bound in bound.eventLoop.submit { question(bound.value) } }
        }
        var result: [Answer] = []
        for answer in answers { result.append(try await answer.get()) }
        return result
    }

    private static func drain(_ bound: NIOLoopBound<ProxyLoop>, within deadline: TimeAmount) async throws {
        let eventLoop = bound.eventLoop
        try await eventLoop.flatSubmit {
            let cut = eventLoop.scheduleTask(in: deadline) { bound.value.cut() }
            return bound.value.drain().map {
                cut.cancel()
                bound.value.cut()
            }
        }.get()
    }

    @Sendable
    private static func systemUnixNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A misuse of `ProxyServer`.
public struct ProxyServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    static let alreadyStarted = Self(description: "the server was started before")
    static let ended = Self(description: "the server has ended")
    static let foreignLoop = Self(description: "a connection arrived on an event loop that is not the server's")
}
