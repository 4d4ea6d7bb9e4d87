import Contracts
import Logging
import Metrics
import Resilience
import Synchronization

/// What all calls of one client share: its circuit breaker and its retry budget, under one lock.
final class CallGuard: Sendable {
    private struct State {
        var breaker: CircuitBreaker
        var budget = RetryBudget()
    }

    private let service: ServiceName
    private let time: TimeSource
    private let logger: Logger
    private let gauge: Gauge
    private let state: Mutex<State>

    init(service: ServiceName, time: TimeSource, logger: Logger, instruments: ClientInstruments) {
        self.service = service
        self.time = time
        self.logger = logger
        // 0 closed, 1 half-open, 2 open.
        gauge = Gauge(
            label: "http.client.breaker.state", dimensions: [("service", service.rawValue)], factory: instruments.effectiveMetrics)
        gauge.record(CircuitBreaker.Phase.closed.rawValue)
        state = Mutex(State(breaker: CircuitBreaker(at: time.monotonic)))
    }

    func beginCall() { state.withLock { $0.budget.beginCall() } }

    func endCall() { state.withLock { $0.budget.endCall() } }

    func beginRetry() -> Bool { state.withLock { $0.budget.beginRetry() } }

    func endRetry() { state.withLock { $0.budget.endRetry() } }

    func admit() -> CircuitBreaker.Admission {
        updateBreaker { $0.admit(at: $1) }
    }

    func record(_ outcome: CircuitBreaker.Outcome, for permit: CircuitBreaker.Permit) {
        updateBreaker { $0.record(outcome, for: permit, at: $1) }
    }

    private func updateBreaker<Result>(_ update: (inout CircuitBreaker, Duration) -> Result) -> Result {
        let now = time.monotonic
        let (result, before, after) = state.withLock { state in
            let before = state.breaker.phase
            let result = update(&state.breaker, now)
            return (result, before, state.breaker.phase)
        }
        if before != after { report(after) }
        return result
    }

    private func report(_ phase: CircuitBreaker.Phase) {
        gauge.record(phase.rawValue)
        let level: Logger.Level = phase == .open ? .warning : .info
        logger.log(level: level, "circuit breaker is \(phase)", metadata: ["peer": "\(service.rawValue)"])
    }
}
