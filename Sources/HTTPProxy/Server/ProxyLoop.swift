import Logging
import NIOCore

/// A checked configuration, ready for lookups.
struct ProxySnapshot: Sendable {
    let configuration: ProxyConfiguration
    let table: RouteTable
    let reservedPrefixes: [[UInt8]]

    init(_ configuration: ProxyConfiguration) throws(ProxyConfigurationError) {
        self.configuration = configuration
        table = try RouteTable(configuration)
        reservedPrefixes = configuration.reservedHeaderPrefixes.map { Array($0.lowercased().utf8) }
    }

    /// Whether no client may send a field of this name. Servers that turn `-` into `_` would confuse the two, so they are the same here.
    func isReserved(_ name: UnsafeRawBufferPointer) -> Bool {
        reservedPrefixes.contains { prefix in
            name.count >= prefix.count
                && zip(name, prefix).allSatisfy { byte, expected in byte.lowercased == expected || (byte == 0x5F && expected == .hyphen) }
        }
    }

    func isTrusted(_ address: String) -> Bool {
        configuration.trustedProxies.contains { $0.contains(address) }
    }
}

/// What one event loop owns: its view of the configuration, its upstream connections, its client connections. Touched on that loop only.
final class ProxyLoop {
    let eventLoop: any EventLoop
    let observer: ProxyObserver
    let logger: Logger
    let unixNanoseconds: @Sendable () -> Int64
    var identifiers: IdentifierGenerator
    private(set) var snapshot: ProxySnapshot
    private(set) var clusters: [LoopCluster] = []
    private var pools: [PoolKey: EndpointPool] = [:]
    private let connector: any UpstreamConnector
    private var connections: [ObjectIdentifier: ClientConnection] = [:]
    private(set) var isDraining = false
    private var drained: EventLoopPromise<Void>?
    private var sweeping: RepeatedTask?

    private struct PoolKey: Hashable {
        let endpoint: Endpoint
        let limits: ConnectionLimits
    }

    init(
        eventLoop: any EventLoop, snapshot: ProxySnapshot, observer: ProxyObserver, logger: Logger, identifiers: IdentifierGenerator,
        unixNanoseconds: @escaping @Sendable () -> Int64, connector: any UpstreamConnector
    ) {
        self.eventLoop = eventLoop
        self.snapshot = snapshot
        self.observer = observer
        self.logger = logger
        self.identifiers = identifiers
        self.unixNanoseconds = unixNanoseconds
        self.connector = connector
        adopt(snapshot)
    }

    /// From now on requests are served by `snapshot`; those under way keep what they began with. Pools that are still named keep their
    /// connections.
    func adopt(_ snapshot: ProxySnapshot) {
        self.snapshot = snapshot
        let old = pools
        pools = [:]
        clusters = snapshot.configuration.clusters.map { cluster in
            LoopCluster(name: cluster.name, pools: cluster.endpoints.map { pool($0, cluster.connections, old) })
        }
        for (key, pool) in old where pools[key] == nil { pool.retire() }
    }

    private func pool(_ endpoint: Endpoint, _ limits: ConnectionLimits, _ old: [PoolKey: EndpointPool]) -> EndpointPool {
        let key = PoolKey(endpoint: endpoint, limits: limits)
        if let known = pools[key] { return known }
        let pool = old[key] ?? EndpointPool(endpoint: endpoint, limits: limits, connector: connector, eventLoop: eventLoop)
        pools[key] = pool
        return pool
    }

    /// Begins to close upstream connections that nobody uses.
    func startSweeping(every interval: TimeAmount = .seconds(1)) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        sweeping = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let now = NIODeadline.now()
            for pool in bound.value.pools.values { pool.sweep(now: now) }
        }
    }

    // MARK: Client connections

    var connectionCount: Int { connections.count }

    func add(_ connection: ClientConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    func remove(_ connection: ClientConnection) {
        connections[ObjectIdentifier(connection)] = nil
        finishDrainIfEmpty()
    }

    /// Tells every connection that its next response is its last; the future completes when all are gone.
    func drain() -> EventLoopFuture<Void> {
        isDraining = true
        let promise = drained ?? eventLoop.makePromise(of: Void.self)
        drained = promise
        for connection in connections.values { connection.drain() }
        finishDrainIfEmpty()
        return promise.futureResult
    }

    /// Ends what is left.
    func cut() {
        for connection in connections.values { connection.cut() }
        sweeping?.cancel()
        for pool in pools.values { pool.retire() }
    }

    /// Tells the observer about a request whose head could not be understood.
    func recordRefusal(_ failure: ProxyFailure, requestID: String, clientAddress: String, responseBytes: Int) {
        observer.exchange?(
            ExchangeMeasurement(
                routeName: nil, clusterName: nil, statusClass: failure.status / 100, totalNanoseconds: 0, requestBytes: 0,
                responseBytes: responseBytes))
        guard let access = observer.access else { return }
        access(
            AccessRecord(
                unixNanoseconds: unixNanoseconds(), method: "-", path: "-", routeName: nil, clusterName: nil, status: failure.status,
                requestBytes: 0, responseBytes: responseBytes, totalNanoseconds: 0, upstreamNanoseconds: nil, upstreamEndpoint: nil,
                requestID: requestID, traceID: "-", clientAddress: clientAddress, outcome: .failed(failure)))
    }

    private func finishDrainIfEmpty() {
        guard isDraining, connections.isEmpty else { return }
        drained?.succeed(())
    }
}
