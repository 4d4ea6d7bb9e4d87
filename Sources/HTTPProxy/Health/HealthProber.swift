import NIOCore
import NIOPosix

// Asks each endpoint of a cluster with a health check now and then how it is.
//
// One event loop does so for all, each time over a new connection: whether new connections are accepted is half of the question. The next
// probe of an endpoint begins an interval after the last one ended, give or take a tenth, so that endpoints are not asked in step and a slow
// one has never two probes at once.

final class HealthProber {
    private let eventLoop: any EventLoop
    private let connector: any UpstreamConnector
    private let report: (ProxyIncident, _ cluster: String) -> Void
    private let fraction: () -> Double
    private var probes: [Probe] = []

    /// The endless series of probes of one endpoint.
    private final class Probe {
        let cluster: Cluster
        let check: HealthCheck
        let endpoint: EndpointHealth
        /// Where it stands now.
        var index: Int
        var health: ClusterHealth
        var tls: ClientTLS?
        var next: Scheduled<Void>?
        var isStopped = false

        init(cluster: Cluster, check: HealthCheck, index: Int, health: ClusterHealth) {
            self.cluster = cluster
            self.check = check
            endpoint = health.endpoints[index]
            self.index = index
            self.health = health
        }
    }

    /// - Parameters:
    ///   - fraction: random, from 0 up to 1.
    ///   - report: told what the answers changed.
    init(
        eventLoop: any EventLoop, connector: any UpstreamConnector, fraction: @escaping () -> Double,
        report: @escaping (ProxyIncident, _ cluster: String) -> Void
    ) {
        self.fraction = fraction
        self.eventLoop = eventLoop
        self.connector = connector
        self.report = report
    }

    /// Probes what this configuration says, and nothing else any more. A series that goes on as it was is not disturbed.
    func adopt(_ snapshot: ProxySnapshot) {
        let old = probes
        probes = snapshot.configuration.clusters.enumerated().flatMap { number, cluster in
            guard let check = cluster.healthCheck else { return [Probe]() }
            let health = snapshot.health[number]
            return health.endpoints.indices.map { index in
                let known = old.first { $0.endpoint === health.endpoints[index] && $0.cluster == cluster }
                let probe = known ?? Probe(cluster: cluster, check: check, index: index, health: health)
                (probe.index, probe.health) = (index, health)
                probe.tls = snapshot.upstreamTLS[number].map { ClientTLS(context: $0, serverName: cluster.tls?.serverName) }
                return probe
            }
        }
        for probe in old where !probes.contains(where: { $0 === probe }) { stop(probe) }
        for probe in probes where !old.contains(where: { $0 === probe }) { ask(probe) }
    }

    func stop() {
        for probe in probes { stop(probe) }
        probes = []
    }

    private func stop(_ probe: Probe) {
        probe.isStopped = true
        probe.next?.cancel()
    }

    private func ask(_ probe: Probe) {
        let bound = NIOLoopBound((self, probe), eventLoop: eventLoop)
        connector.probe(probe.endpoint.endpoint, tls: probe.tls, probe.check).whenComplete { result in
            let (prober, probe) = bound.value
            if case .success(true) = result { prober.note(probe, isGood: true) } else { prober.note(probe, isGood: false) }
        }
    }

    private func note(_ probe: Probe, isGood: Bool) {
        guard !probe.isStopped else { return }
        if let change = probe.health.probed(probe.index, isGood: isGood, check: probe.check) {
            report(ProxyIncident(change, of: probe.endpoint.endpoint), probe.cluster.name)
        }
        let interval = Double(probe.check.interval.nanoseconds) * (0.9 + 0.2 * fraction())
        let bound = NIOLoopBound((self, probe), eventLoop: eventLoop)
        probe.next = eventLoop.scheduleTask(in: .nanoseconds(Int64(interval))) {
            let (prober, probe) = bound.value
            prober.ask(probe)
        }
    }
}

/// One probe's connection: sends the request, reads the head of the answer, and is done.
final class ProbeConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let answer: EventLoopPromise<Bool>
    private var timeout: Scheduled<Void>?
    private let patience: TimeAmount
    private var inbound = ByteBuffer()
    private var parser = HeadParser(limits: HeadLimits(maximumBytes: 64 * 1024, maximumFields: 200))

    /// - Parameter answer: gets whether the status is from 200 to 299; fails when there is no answer in time.
    init(_ endpoint: Endpoint, _ check: HealthCheck, answer: EventLoopPromise<Bool>) {
        request = ByteBuffer(
            string: "GET \(check.path) HTTP/1.1\r\nhost: \(endpoint.authority)\r\nuser-agent: health-check\r\nconnection: close\r\n\r\n")
        patience = check.timeout
        self.answer = answer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: patience) { bound.value.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        inbound.writeBuffer(&bytes)
        switch inbound.withUnsafeReadableBytes({ parser.parse($0) }) {
        case .incomplete: return
        case .complete(let length):
            let head = inbound.readSlice(length: length).flatMap {
                ResponseHead.read($0, fields: parser.fields, startLineLength: parser.startLineLength, isHead: false)
            }
            answer.succeed(head.map { (200...299).contains($0.status) } ?? false)
        case .malformed, .tooLarge: answer.succeed(false)
        }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func end() {
        timeout?.cancel()
        answer.fail(ProbeError.noAnswer)
    }
}

enum ProbeError: Error {
    case noAnswer
}
