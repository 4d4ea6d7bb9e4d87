import NIOCore
import NIOSSL

// Connections of one event loop to one endpoint.
//
// A pool belongs to one event loop, and so does every connection in it: a request is proxied without ever changing threads, and nothing here
// needs a lock. Idle connections are a stack; the most recently used one is lent first, so that those that are not needed grow
// old and go. When there is none, one is opened if the limit allows, and the request waits in line meanwhile. The line is served by
// whatever comes first, a new connection or one given back; but a request that repeats because a reused connection was stale
// is served only by a new one. A connection attempt that fails is reported to the head of the line; requests still waiting make the pool try
// again for them.
//
// Under overload the line is bounded in length and, above all, in time (`ControlledDelay`): whoever has waited for too long while every connection
// is in use is told to come back later. Requests for which a connection is being opened are not overload; the connect timeout bounds those.

final class EndpointPool {
    enum Acquired {
        case connection(UpstreamConnection)
        /// The driver will be told.
        case waiting
        case refused(ProxyFailure)
    }

    private struct Waiter {
        let driver: ExchangeDriver
        let needsFresh: Bool
        let since: NIODeadline
    }

    let endpoint: Endpoint
    let limits: ConnectionLimits
    /// Nil: plain TCP.
    var tls: ClientTLS?
    private let connector: any UpstreamConnector
    private var idle: [UpstreamConnection] = []
    private var waiters = CircularBuffer<Waiter>()
    private var opening = 0
    private var open = 0
    private var lent = 0
    private var isRetired = false
    private let eventLoop: any EventLoop
    private var delay: ControlledDelay
    /// When the head of the line has to go. It calls only while somebody waits, who then holds on to this pool.
    private lazy var timer = DeadlineTimer(eventLoop: eventLoop) { [unowned self] in shed(now: .now()) }

    /// The timer need not be exact: refusing together those whose time is up within a millisecond spares a wake-up for each.
    private static let timerGrain = TimeAmount.milliseconds(1)

    init(endpoint: Endpoint, limits: ConnectionLimits, connector: any UpstreamConnector, eventLoop: any EventLoop) {
        self.endpoint = endpoint
        self.limits = limits
        self.connector = connector
        self.eventLoop = eventLoop
        delay = ControlledDelay(maximumWait: limits.maximumWait, overloadedWait: limits.overloadedWait)
    }

    /// Requests under way or waiting: what the choice between endpoints goes by.
    var load: Int { lent + waiters.count }

    var idleCount: Int { idle.count }
    var openCount: Int { open }

    var status: PoolStatus {
        PoolStatus(endpoint: endpoint, idle: idle.count, lent: lent, opening: opening, waiting: waiters.count)
    }

    /// - Parameter needsFresh: a connection that was used before will not do.
    func acquire(for driver: ExchangeDriver, needsFresh: Bool) -> Acquired {
        if !needsFresh {
            while let connection = idle.popLast() {
                guard connection.isOpen else { continue }
                lend(connection, to: driver)
                return .connection(connection)
            }
        }
        guard waiters.count < limits.maximumWaiting else { return .refused(.upstreamBusy) }
        if needsFresh, open + opening >= limits.maximumConnections, !idle.isEmpty {
            idle.removeFirst().close()
        }
        let now = NIODeadline.now()
        waiters.append(Waiter(driver: driver, needsFresh: needsFresh, since: now))
        openForWaiters()
        watchLine(now)
        return .waiting
    }

    /// The driver no longer wants what it waits for. A connection being opened for it becomes idle.
    func cancel(_ driver: ExchangeDriver) {
        waiters.removeAll { $0.driver === driver }
        watchLine(.now())
    }

    /// Takes back a connection that is clean for the next request.
    func release(_ connection: UpstreamConnection, now: NIODeadline) {
        connection.takeBack()
        noLongerLent(connection)
        guard !isRetired, connection.isOpen else {
            connection.close()
            return
        }
        shed(now: now)
        if let index = waiters.firstIndex(where: { !$0.needsFresh }) {
            let waiter = waiters.remove(at: index)
            watchLine(now)
            lend(connection, to: waiter.driver)
            waiter.driver.upstreamReady(connection, reused: true)
        } else if idle.count < limits.maximumIdle {
            connection.idleSince = now
            idle.append(connection)
        } else {
            connection.close()
        }
    }

    func connectionClosed(_ connection: UpstreamConnection) {
        noLongerLent(connection)
        open -= 1
        idle.removeAll { $0 === connection }
        openForWaiters()
        watchLine(.now())
    }

    /// Closes what has been idle for too long.
    func sweep(now: NIODeadline) {
        // The oldest lie at the bottom of the stack.
        let old = idle.prefix { now - $0.idleSince >= limits.idleTimeout }
        guard !old.isEmpty else { return }
        idle.removeFirst(old.count)
        for connection in old { connection.close() }
    }

    /// No configuration names this endpoint any more: what is idle is closed now, what is lent when it comes back.
    func retire() {
        isRetired = true
        let closing = idle
        idle.removeAll()
        for connection in closing { connection.close() }
    }

    private func lend(_ connection: UpstreamConnection, to driver: ExchangeDriver) {
        connection.isLent = true
        lent += 1
        connection.lend(to: driver)
    }

    private func noLongerLent(_ connection: UpstreamConnection) {
        guard connection.isLent else { return }
        connection.isLent = false
        lent -= 1
    }

    private func openForWaiters() {
        while opening < waiters.count, open + opening < limits.maximumConnections {
            opening += 1
            connector.connect(self)
        }
    }

    // MARK: The line

    /// Refuses those that have waited for too long.
    private func shed(now: NIODeadline) {
        let patience = delay.patience(now: now)
        while isCrowded, let head = waiters.first, head.since + patience <= now {
            waiters.removeFirst()
            head.driver.upstreamUnavailable(.upstreamBusy)
        }
        watchLine(now)
    }

    /// Whether somebody waits for whom no connection is being opened.
    private var isCrowded: Bool { waiters.count > opening }

    /// Sees to it that nobody is forgotten in the line. Called whenever it has changed.
    private func watchLine(_ now: NIODeadline) {
        delay.observe(isEmpty: !isCrowded, now: now)
        let head = isCrowded ? waiters.first : nil
        timer.set(head.map { max(delay.deadline(for: $0.since, now: now), now + Self.timerGrain) })
    }

    // MARK: The connector's side

    func opened(_ connection: UpstreamConnection, now: NIODeadline) {
        opening -= 1
        open += 1
        guard let waiter = waiters.popFirst() else {
            release(connection, now: now)
            return
        }
        watchLine(now)
        lend(connection, to: waiter.driver)
        waiter.driver.upstreamReady(connection, reused: false)
    }

    func openingFailed(_ failure: ProxyFailure) {
        opening -= 1
        let waiter = waiters.popFirst()
        openForWaiters()
        watchLine(.now())
        waiter?.driver.upstreamUnavailable(failure)
    }
}

/// Opens connections for a pool, and reports with `opened` or `openingFailed`, later, on the pool's event loop.
protocol UpstreamConnector: AnyObject {
    func connect(_ pool: EndpointPool)

    /// Asks an endpoint how it is, over a connection of its own.
    /// - Returns: whether the answer was good; fails when there was none. On the connector's event loop.
    func probe(_ endpoint: Endpoint, tls: ClientTLS?, _ check: HealthCheck) -> EventLoopFuture<Bool>
}

/// What it takes to speak TLS with an endpoint.
struct ClientTLS {
    let context: NIOSSLContext
    /// The name that the certificate must be for; nil: the endpoint's host.
    let serverName: String?
}
