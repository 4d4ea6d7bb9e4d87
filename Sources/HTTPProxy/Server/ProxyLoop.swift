import Logging
import NIOCore
import NIOSSL

/// A checked configuration, ready for lookups.
///
/// A class, because it is passed around for each request and holds a dozen things: copying it would count them all.
final class ProxySnapshot: Sendable {
    let configuration: ProxyConfiguration
    let table: RouteTable
    let reservedPrefixes: [[UInt8]]
    /// Of each cluster, in the configuration's order; all event loops share it. Its endpoints are those of now: addresses, where the cluster has names.
    let health: [ClusterHealth]
    /// How often which names are looked up.
    let lookups: [String: TimeAmount]
    /// Whether responses of any route are kept.
    let caches: Bool
    /// For connections of clients; nil: plain TCP.
    let serverTLS: NIOSSLContext?
    /// For connections to each cluster.
    let upstreamTLS: [NIOSSLContext?]

    /// As long as nothing is known of names, they stand for no endpoint.
    init(_ configuration: ProxyConfiguration) throws(ProxyConfigurationError) {
        self.configuration = configuration
        table = try RouteTable(configuration)
        health = configuration.clusters.map { ClusterHealth($0.endpoints([:]), detection: $0.outlierDetection) }
        lookups = configuration.clusters.reduce(into: [:]) { lookups, cluster in
            guard let interval = cluster.resolution?.interval else { return }
            for name in cluster.names { lookups[name] = min(interval, lookups[name] ?? interval) }
        }
        caches = configuration.routes.contains { $0.cache != nil }
        serverTLS = try configuration.tls?.makeContext(protocols: configuration.http2.isEnabled ? ["h2", "http/1.1"] : ["http/1.1"])
        var contexts: [NIOSSLContext?] = []
        for cluster in configuration.clusters { contexts.append(try cluster.tls?.makeContext()) }
        upstreamTLS = contexts
        reservedPrefixes = configuration.reservedHeaderPrefixes.map { Array($0.lowercased().utf8) }
    }

    /// The same, when names stand for `addresses`.
    /// - Parameter previous: what was in force before: what is known of its endpoints' health stays known.
    init(_ compiled: ProxySnapshot, addresses: [String: HostAddresses], after previous: ProxySnapshot) {
        configuration = compiled.configuration
        table = compiled.table
        reservedPrefixes = compiled.reservedPrefixes
        lookups = compiled.lookups
        caches = compiled.caches
        serverTLS = compiled.serverTLS
        upstreamTLS = compiled.upstreamTLS
        let old = previous.configuration.clusters
        health = compiled.configuration.clusters.map { cluster in
            let endpoints = cluster.endpoints(addresses)
            let known = old.firstIndex { $0.name == cluster.name }
            if let known, old[known] == cluster, previous.health[known].endpoints.map(\.endpoint) == endpoints {
                return previous.health[known]
            }
            return ClusterHealth(endpoints, detection: cluster.outlierDetection, previous: known.map { previous.health[$0] })
        }
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

/// A client's connection, whatever it speaks, as the loop knows it.
protocol ServedConnection: AnyObject {
    /// Takes no new requests after those that are on their way, and ends.
    func drain()
    /// Ends at once, whatever was still to be sent.
    func cut()
}

/// What one event loop owns: its view of the configuration, its upstream connections, its client connections. Touched on that loop only.
final class ProxyLoop {
    let eventLoop: any EventLoop
    let observer: ProxyObserver
    let logger: Logger
    let unixNanoseconds: @Sendable () -> Int64
    var identifiers: IdentifierGenerator
    var encoders = GzipEncoders()
    /// All event loops have the same.
    let responses: ResponseCache
    var coalescing = Coalescing<ExchangeDriver>()
    private(set) var snapshot: ProxySnapshot
    private(set) var clusters: [LoopCluster] = []
    private var pools: [PoolKey: EndpointPool] = [:]
    private let connector: any UpstreamConnector
    private var connections: [ObjectIdentifier: any ServedConnection] = [:]
    /// Requests whose exchange is not over.
    var activeRequests = 0
    private(set) var isDraining = false
    private var drained: EventLoopPromise<Void>?
    private var sweeping: RepeatedTask?
    private var prober: HealthProber?
    /// Told the name by which an address was found to which no connection can be made.
    var lookUpAgain: ((_ name: String) -> Void)?

    private struct PoolKey: Hashable {
        let endpoint: Endpoint
        let limits: ConnectionLimits
        let tls: UpstreamTLS?
    }

    init(
        eventLoop: any EventLoop, snapshot: ProxySnapshot, observer: ProxyObserver, logger: Logger, identifiers: IdentifierGenerator,
        unixNanoseconds: @escaping @Sendable () -> Int64, responses: ResponseCache, connector: any UpstreamConnector
    ) {
        self.eventLoop = eventLoop
        self.snapshot = snapshot
        self.observer = observer
        self.logger = logger
        self.identifiers = identifiers
        self.unixNanoseconds = unixNanoseconds
        self.responses = responses
        self.connector = connector
        adopt(snapshot)
    }

    /// From now on requests are served by `snapshot`; those under way keep what they began with. Pools that are still named keep their
    /// connections, clusters that stay the same what they have learnt, also when they have other endpoints.
    func adopt(_ snapshot: ProxySnapshot) {
        self.snapshot = snapshot
        let old = pools
        let oldClusters = clusters
        pools = [:]
        clusters = snapshot.configuration.clusters.enumerated().map { index, cluster in
            let health = snapshot.health[index]
            let pools = health.endpoints.map { pool($0.endpoint, cluster, snapshot.upstreamTLS[index], old) }
            if let same = oldClusters.first(where: { $0.cluster == cluster }) {
                same.adopt(pools, health)
                return same
            }
            return LoopCluster(cluster, pools: pools, health: health, now: .now())
        }
        for (key, pool) in old where pools[key] == nil { pool.retire() }
        prober?.adopt(snapshot)
    }

    private func pool(_ endpoint: Endpoint, _ cluster: Cluster, _ tls: NIOSSLContext?, _ old: [PoolKey: EndpointPool]) -> EndpointPool {
        let key = PoolKey(endpoint: endpoint, limits: cluster.connections, tls: cluster.tls)
        let known = pools[key] ?? old[key]
        let pool = known ?? EndpointPool(endpoint: endpoint, limits: cluster.connections, connector: connector, eventLoop: eventLoop)
        // Also of a pool that stays: the files may have changed.
        pool.tls = tls.map { ClientTLS(context: $0, serverName: cluster.tls?.serverName) }
        pools[key] = pool
        return pool
    }

    /// Makes this loop the one that probes the endpoints for all loops.
    func startProbing() {
        prober = HealthProber(
            eventLoop: eventLoop, connector: connector, fraction: { self.identifiers.nextFraction() },
            report: { self.report($0, of: $1) })
        prober?.adopt(snapshot)
    }

    /// Begins to close upstream connections that nobody uses.
    func startSweeping(every interval: TimeAmount = .seconds(1)) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        sweeping = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.sweep(now: .now())
        }
    }

    private func sweep(now: NIODeadline) {
        for pool in pools.values { pool.sweep(now: now) }
        for cluster in clusters {
            for index in cluster.health.readmit(now: now) {
                report(.readmitted(cluster.health.endpoints[index].endpoint), of: cluster.cluster.name)
            }
        }
    }

    /// Tells the observer and, of what an operator should know, the log.
    func report(_ incident: ProxyIncident, of cluster: String) {
        observer.incident?(cluster, incident)
        switch incident {
        // Of names the log hears once, however many clusters have them.
        case .retried, .refusedByBreaker, .lookupFailed, .addressesChanged: return
        case .breakerOpened, .ejected, .failedProbes:
            logger.warning("cluster in trouble", metadata: ["cluster": "\(cluster)", "incident": "\(incident)"])
        case .breakerHalfOpened, .breakerClosed, .readmitted, .recovered:
            logger.info("cluster recovers", metadata: ["cluster": "\(cluster)", "incident": "\(incident)"])
        }
    }

    // MARK: Client connections

    var connectionCount: Int { connections.count }

    func add(_ connection: any ServedConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    func remove(_ connection: any ServedConnection) {
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
        prober?.stop()
        prober = nil
        lookUpAgain = nil
        for pool in pools.values { pool.retire() }
    }

    /// Tells the observer about a request whose head could not be understood.
    func recordRefusal(_ failure: ProxyFailure, requestID: String, clientAddress: String, version: ProtocolVersion, responseBytes: Int) {
        observer.exchange?(
            ExchangeMeasurement(
                routeName: nil, clusterName: nil, statusClass: failure.status / 100, totalNanoseconds: 0, requestBytes: 0,
                responseBytes: responseBytes, cache: nil))
        guard let access = observer.access else { return }
        access(
            AccessRecord(
                unixNanoseconds: unixNanoseconds(), method: "-", path: "-", routeName: nil, clusterName: nil, status: failure.status,
                requestBytes: 0, responseBytes: responseBytes, totalNanoseconds: 0, upstreamNanoseconds: nil, upstreamEndpoint: nil,
                requestID: requestID, traceID: "-", clientAddress: clientAddress, version: version, outcome: .failed(failure), cache: nil))
    }

    private func finishDrainIfEmpty() {
        guard isDraining, connections.isEmpty else { return }
        drained?.succeed(())
    }
}
