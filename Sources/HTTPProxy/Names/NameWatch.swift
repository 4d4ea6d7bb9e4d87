import NIOCore
import Resilience
import Synchronization

// Knows the addresses of names, and looks them up again and again.
//
// Each name has a series of lookups, one after the other: the next begins an interval after the last has ended, give or take a tenth, so that many
// gateways do not ask in step. The system does not tell for how long an answer holds, so the interval is what the configuration says. Where
// it would come too late, it is not waited for: who cannot connect to an address asks for a lookup now (`hurry`), at most one each second. That
// is how a container that comes back with another address is found at once.
//
// What is known is never given up for nothing: a lookup that fails, or finds nothing, leaves the addresses as they are. They may be old, but a server of
// names that is down must not take everything else with it. It is tried again after half a second, then after ever longer, up to the interval.
//
// A name that is new is looked up before the configuration that brings it comes into force, so that no request finds it without addresses. That wait is
// bounded by `patience`: a name that cannot be resolved does not keep a gateway from starting, nor a new configuration from coming.
//
// The answers come from other threads. One that arrives when its series was stopped, because the configuration does not name it any more, is
// dropped; so is one that arrives when the event loop has ended, without touching that.

final class NameWatch {
    enum Event: Hashable {
        /// The name has other addresses than before.
        case changed(HostAddresses)
        /// - Parameter isNews: the last lookup went well, or failed for another reason.
        case failed(reason: String, isNews: Bool)
        /// The addresses are those from before the last lookup failed.
        case confirmed
    }

    /// What lookups that were asked for at once keep between them, and what those that failed begin with.
    static let shortestPause = TimeAmount.seconds(1)
    private static let firstPause = Duration.milliseconds(500)

    /// The lookups of one name.
    private final class Series {
        let name: String
        var interval: TimeAmount
        let firstAnswer: EventLoopPromise<Void>
        var addresses: HostAddresses?
        var failures = 0
        var reason: String?
        var askedAt = NIODeadline.uptimeNanoseconds(0)
        /// Nil while a lookup is under way.
        var next: (task: Scheduled<Void>, at: NIODeadline)?
        var isStopped = false

        init(_ name: String, _ interval: TimeAmount, firstAnswer: EventLoopPromise<Void>) {
            self.name = name
            self.interval = interval
            self.firstAnswer = firstAnswer
        }
    }

    /// Lets answers from other threads through to the event loop for as long as that takes tasks.
    private final class Gate: Sendable {
        private let isOpen = Mutex(true)

        func execute(on eventLoop: any EventLoop, _ task: @escaping @Sendable () -> Void) {
            isOpen.withLock { if $0 { eventLoop.execute(task) } }
        }

        func close() { isOpen.withLock { $0 = false } }
    }

    private let eventLoop: any EventLoop
    private let resolver: NameResolver
    private let patience: TimeAmount
    private let fraction: () -> Double
    private let report: (Event, _ name: String) -> Void
    private var series: [String: Series] = [:]
    private let gate = Gate()

    /// - Parameters:
    ///   - patience: how long a name's first answer is waited for.
    ///   - fraction: random, from 0 up to 1.
    ///   - report: told how each lookup ended that says anything new, or nothing.
    init(
        eventLoop: any EventLoop, resolver: NameResolver, patience: TimeAmount = .seconds(3), fraction: @escaping () -> Double,
        report: @escaping (Event, _ name: String) -> Void
    ) {
        self.eventLoop = eventLoop
        self.resolver = resolver
        self.patience = patience
        self.fraction = fraction
        self.report = report
    }

    /// What names are known to stand for.
    var addresses: [String: HostAddresses] { series.compactMapValues(\.addresses) }

    /// Watches these names, too.
    /// - Parameter intervals: of the names.
    /// - Returns: completes when all of them have been looked up once, well or not, or patience is over.
    func begin(_ intervals: [String: TimeAmount]) -> EventLoopFuture<Void> {
        for (name, interval) in intervals where series[name] == nil {
            let begun = Series(name, interval, firstAnswer: eventLoop.makePromise())
            series[name] = begun
            eventLoop.scheduleTask(in: patience) { [answer = begun.firstAnswer] in answer.succeed() }
            ask(begun)
        }
        return .andAllSucceed(intervals.keys.compactMap { series[$0]?.firstAnswer.futureResult }, on: eventLoop)
    }

    /// Watches these names and no others any more.
    func keep(_ intervals: [String: TimeAmount]) {
        for (name, one) in series {
            guard let interval = intervals[name] else {
                stop(one)
                continue
            }
            one.interval = interval
            if let next = one.next, next.at > eventLoop.now + interval { schedule(one, at: eventLoop.now + interval) }
        }
    }

    /// One of the name's addresses leads nowhere: it may have others by now.
    func hurry(_ name: String) {
        guard let one = series[name], let next = one.next else { return }
        let soon = max(eventLoop.now, one.askedAt + Self.shortestPause)
        if soon < next.at { schedule(one, at: soon) }
    }

    /// Nothing is looked up any more, and no answer touches the event loop.
    func stop() {
        gate.close()
        for one in series.values { stop(one) }
    }

    private func stop(_ one: Series) {
        one.isStopped = true
        one.next?.task.cancel()
        one.firstAnswer.succeed()
        series[one.name] = nil
    }

    private func ask(_ one: Series) {
        one.next = nil
        one.askedAt = eventLoop.now
        let bound = NIOLoopBound((self, one), eventLoop: eventLoop)
        resolver.lookUp(one.name) { [eventLoop, gate] result in
            gate.execute(on: eventLoop) {
                let (watch, one) = bound.value
                watch.note(result, of: one)
            }
        }
    }

    private func note(_ result: Result<[String], NameResolverError>, of one: Series) {
        guard !one.isStopped else { return }
        switch result.map(HostAddresses.init) {
        case .success(let found?): noteSuccess(found, of: one)
        case .success(nil): noteFailure("it has no address", of: one)
        case .failure(let error): noteFailure(error.description, of: one)
        }
        one.firstAnswer.succeed()
    }

    private func noteSuccess(_ found: HostAddresses, of one: Series) {
        let hadFailed = one.failures > 0
        (one.failures, one.reason) = (0, nil)
        schedule(one, after: Duration(one.interval) * (0.9 + 0.2 * fraction()))
        if found != one.addresses {
            one.addresses = found
            report(.changed(found), one.name)
        } else if hadFailed {
            report(.confirmed, one.name)
        }
    }

    private func noteFailure(_ reason: String, of one: Series) {
        one.failures += 1
        let limit = Backoff(first: Self.firstPause, longest: Duration(one.interval)).limit(beforeRetry: one.failures)
        schedule(one, after: limit * (0.5 + 0.5 * fraction()))
        let isNews = one.reason != reason
        one.reason = reason
        report(.failed(reason: reason, isNews: isNews), one.name)
    }

    private func schedule(_ one: Series, after pause: Duration) { schedule(one, at: eventLoop.now + TimeAmount(pause)) }

    private func schedule(_ one: Series, at time: NIODeadline) {
        one.next?.task.cancel()
        let bound = NIOLoopBound((self, one), eventLoop: eventLoop)
        let task = eventLoop.scheduleTask(deadline: time) {
            let (watch, one) = bound.value
            watch.ask(one)
        }
        one.next = (task, time)
    }
}
