import NIOCore
import Synchronization

// Which endpoints of a cluster are worth a request.
//
// Two sources say so. Passive: what became of the requests. Some failures in a row put an endpoint out (outlier ejection), for 30 seconds the first
// time, for longer each time after; then it is in again, without anybody's doing, so that none stays out for good. Active: the answers
// to the proxy's own probes (`HealthProber`).
//
// Both can be wrong about many at once: a bad deployment, a database behind all of them, a probe path that was mistyped. So no more than a tenth of
// the endpoints are put out, never the last; and when less than half of all are left, the choice is made among all as if nothing were
// known (panic): half a cluster cannot carry the load of the whole, and spreading the misery leaves everybody some answers.
//
// One value for all event loops, for what one has seen the others need not find out. It is asked for every request, and almost always all
// is well: then that is one load of one number, and a success in a row of successes writes nothing.

final class ClusterHealth: Sendable {
    /// Below this part of endpoints that are worth a request, all get requests.
    static let panicFraction = 0.5

    let endpoints: [EndpointHealth]
    private let detection: OutlierDetection?
    /// Endpoints that are out or sick, or were and nobody has looked since. Zero: all is well.
    private let troubled = Atomic<Int>(0)
    private let changing = Mutex<Void>(())

    /// - Parameter previous: an endpoint that was there before keeps what is known of it.
    init(_ endpoints: [Endpoint], detection: OutlierDetection?, previous: ClusterHealth? = nil) {
        self.detection = detection
        self.endpoints = endpoints.map { endpoint in
            previous?.endpoints.first { $0.endpoint == endpoint } ?? EndpointHealth(endpoint)
        }
        recount()
    }

    /// Whether nobody needs to be asked: every endpoint is worth a request.
    var isAllWell: Bool { troubled.load(ordering: .relaxed) == 0 }

    /// The endpoints to choose among, by index.
    func candidates(now: NIODeadline) -> [Int] {
        let available = endpoints.indices.filter { endpoints[$0].isAvailable(now) }
        return isPanic(available.count) ? Array(endpoints.indices) : available
    }

    /// Whether so few are worth a request that all get some.
    func isPanicking(now: NIODeadline) -> Bool { isPanic(endpoints.count { $0.isAvailable(now) }) }

    private func isPanic(_ available: Int) -> Bool { Double(available) < Double(endpoints.count) * Self.panicFraction }

    /// An answer below 500.
    func succeeded(_ index: Int) {
        endpoints[index].noteSuccess()
    }

    /// A bad answer, or none.
    /// - Returns: what this did to the endpoint.
    func failed(_ index: Int, now: NIODeadline) -> HealthChange? {
        // Requests that were sent before it was put out still come back, and say nothing new.
        guard let detection, endpoints[index].isIn(now), endpoints[index].noteFailure() >= detection.consecutiveFailures else { return nil }
        return changing.withLock { _ in
            guard endpoints[index].isIn(now), mayPutOut(detection, now: now) else { return nil }
            let time = endpoints[index].putOut(detection, now: now)
            recount()
            return .ejected(for: time)
        }
    }

    /// The answer to a probe.
    /// - Returns: what this did to the endpoint.
    func probed(_ index: Int, isGood: Bool, check: HealthCheck) -> HealthChange? {
        changing.withLock { _ in
            guard let isHealthy = endpoints[index].noteProbe(isGood: isGood, check) else { return nil }
            recount()
            return isHealthy ? .recovered : .failedProbes
        }
    }

    /// Takes notice of whose time is over. To be called now and then.
    /// - Returns: who is in again.
    func readmit(now: NIODeadline) -> [Int] {
        changing.withLock { _ in
            defer { recount() }
            return endpoints.indices.filter { endpoints[$0].readmit(now) }
        }
    }

    /// Counted anew each time: an endpoint that two configurations share may have changed by the other's doing.
    private func recount() {
        troubled.store(endpoints.count { $0.isTroubled }, ordering: .relaxed)
    }

    private func mayPutOut(_ detection: OutlierDetection, now: NIODeadline) -> Bool {
        let out = endpoints.count { !$0.isIn(now) }
        let available = endpoints.count { $0.isAvailable(now) }
        return out < max(1, endpoints.count * detection.maximumPercent / 100) && available > 1
    }
}

/// What an answer did to an endpoint.
enum HealthChange: Hashable, Sendable {
    case ejected(for: TimeAmount)
    case failedProbes
    case recovered
}

/// What is known of one endpoint.
final class EndpointHealth: Sendable {
    let endpoint: Endpoint
    private let failuresInRow = Atomic<Int>(0)
    /// When it is in again; 0 when it is not out.
    private let outUntil = Atomic<UInt64>(0)
    private let isSick = Atomic<Bool>(false)
    /// Under the cluster's lock.
    private let record = Mutex(Record())

    private struct Record {
        var timesOut = 0
        var inSince = NIODeadline.uptimeNanoseconds(0)
        var probesInRow = 0
    }

    init(_ endpoint: Endpoint) {
        self.endpoint = endpoint
    }

    var isTroubled: Bool { outUntil.load(ordering: .relaxed) != 0 || isSick.load(ordering: .relaxed) }

    func isIn(_ now: NIODeadline) -> Bool { outUntil.load(ordering: .relaxed) <= now.uptimeNanoseconds }

    func isAvailable(_ now: NIODeadline) -> Bool { isIn(now) && !isSick.load(ordering: .relaxed) }

    func status(isProbed: Bool, now: NIODeadline) -> EndpointStatus {
        let until = NIODeadline.uptimeNanoseconds(outUntil.load(ordering: .relaxed))
        return EndpointStatus(
            endpoint: endpoint, isHealthy: isProbed ? !isSick.load(ordering: .relaxed) : nil, ejectedFor: until > now ? until - now : nil,
            ejections: record.withLock { $0.timesOut }, consecutiveFailures: failuresInRow.load(ordering: .relaxed))
    }

    func noteSuccess() {
        // Writing only when there is something to forget keeps the line of memory shared between the loops.
        if failuresInRow.load(ordering: .relaxed) != 0 { failuresInRow.store(0, ordering: .relaxed) }
    }

    /// - Returns: the number of failures in a row.
    func noteFailure() -> Int { failuresInRow.add(1, ordering: .relaxed).newValue }

    /// - Returns: for how long it is out.
    fileprivate func putOut(_ detection: OutlierDetection, now: NIODeadline) -> TimeAmount {
        failuresInRow.store(0, ordering: .relaxed)
        return record.withLock { record in
            let quietTimes = (now - record.inSince).nanoseconds / max(1, detection.forgetsAfter.nanoseconds)
            record.timesOut = max(0, record.timesOut - Int(clamping: quietTimes)) + 1
            let longest = detection.maximumTime.nanoseconds
            let (time, overflow) = detection.baseTime.nanoseconds.multipliedReportingOverflow(by: Int64(record.timesOut))
            let out = TimeAmount.nanoseconds(overflow ? longest : min(time, longest))
            record.inSince = now + out
            outUntil.store((now + out).uptimeNanoseconds, ordering: .relaxed)
            return out
        }
    }

    /// - Returns: whether it was out until now.
    fileprivate func readmit(_ now: NIODeadline) -> Bool {
        guard outUntil.load(ordering: .relaxed) != 0, isIn(now) else { return false }
        outUntil.store(0, ordering: .relaxed)
        failuresInRow.store(0, ordering: .relaxed)
        return true
    }

    /// - Returns: whether it is healthy from now on; nil when nothing changes.
    fileprivate func noteProbe(isGood: Bool, _ check: HealthCheck) -> Bool? {
        let wasHealthy = !isSick.load(ordering: .relaxed)
        return record.withLock { record in
            guard isGood != wasHealthy else {
                record.probesInRow = 0
                return nil
            }
            record.probesInRow += 1
            guard record.probesInRow >= (isGood ? check.healthyAfter : check.unhealthyAfter) else { return nil }
            record.probesInRow = 0
            isSick.store(!isGood, ordering: .relaxed)
            return isGood
        }
    }
}
