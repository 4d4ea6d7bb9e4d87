import Testing

@testable import Resilience

@Suite("The circuit breaker")
struct CircuitBreakerTests {
    typealias Outcome = CircuitBreaker.Outcome

    /// A breaker to put questions to; a class, since the questions change it.
    private final class Subject {
        private var breaker: CircuitBreaker

        init(at now: Duration = .zero) { breaker = CircuitBreaker(at: now) }

        var phase: CircuitBreaker.Phase { breaker.phase }

        /// Admits a call, which must be possible, and records its outcome.
        func call(_ outcome: Outcome, at now: Duration) throws {
            record(outcome, for: try permit(at: now), at: now)
        }

        func permit(at now: Duration) throws -> CircuitBreaker.Permit {
            guard case .admitted(let permit) = breaker.admit(at: now) else { throw Refused() }
            return permit
        }

        func record(_ outcome: Outcome, for permit: CircuitBreaker.Permit, at now: Duration) {
            breaker.record(outcome, for: permit, at: now)
        }

        /// How long a refused call is told to wait; nil when it is admitted.
        func refusal(at now: Duration) -> Duration? {
            if case .refused(let retryAfter) = breaker.admit(at: now) { retryAfter } else { nil }
        }

        func timeUntilProbe(at now: Duration) -> Duration? { breaker.timeUntilProbe(at: now) }

        func isRefused(at now: Duration) -> Bool { refusal(at: now) != nil }
    }

    private struct Refused: Error {}

    /// A breaker that has just opened at `now` for the first time.
    private func opened(at now: Duration = .zero) throws -> Subject {
        let breaker = Subject(at: now)
        for _ in 0..<5 { try breaker.call(.connectFailure, at: now) }
        #expect(breaker.phase == .open)
        return breaker
    }

    @Test("an open breaker tells how long it refuses, and no other one does")
    func timeUntilProbe() throws {
        #expect(Subject().timeUntilProbe(at: .zero) == nil)
        let breaker = try opened(at: .seconds(10))
        #expect(breaker.timeUntilProbe(at: .seconds(10)) == .seconds(1))
        #expect(breaker.timeUntilProbe(at: .milliseconds(10_600)) == .milliseconds(400))
        // Nobody has asked since.
        #expect(breaker.timeUntilProbe(at: .seconds(20)) == .zero)
        _ = try breaker.permit(at: .seconds(20))
        #expect(breaker.timeUntilProbe(at: .seconds(20)) == nil)
    }

    // MARK: Opening

    @Test("nineteen failures are too few to judge, the twentieth opens it")
    func minimumCalls() throws {
        let breaker = Subject()
        for _ in 0..<19 { try breaker.call(.failure, at: .zero) }
        #expect(breaker.phase == .closed)
        try breaker.call(.failure, at: .zero)
        #expect(breaker.phase == .open)
    }

    @Test("half of the calls failing opens it, less does not")
    func failureFraction() throws {
        let breaker = Subject()
        for _ in 0..<1000 { try breaker.call(.success, at: .zero) }
        for _ in 0..<999 { try breaker.call(.failure, at: .zero) }
        #expect(breaker.phase == .closed)
        try breaker.call(.failure, at: .zero)
        #expect(breaker.phase == .open)
    }

    @Test("failures that are older than ten seconds no longer count")
    func rollingWindow() throws {
        let breaker = Subject()
        for second in 0..<100 { try breaker.call(.failure, at: .seconds(second)) }
        #expect(breaker.phase == .closed, "ten failures in any ten seconds are too few")
        // With nine of them still in the window, the eleventh in the next second makes twenty.
        for _ in 0..<10 { try breaker.call(.failure, at: .seconds(100)) }
        #expect(breaker.phase == .closed)
        try breaker.call(.failure, at: .milliseconds(100_999))
        #expect(breaker.phase == .open)
    }

    @Test("five connects failing in a row open it, however few calls there were")
    func connectFailures() throws {
        let breaker = Subject()
        for _ in 0..<4 { try breaker.call(.connectFailure, at: .zero) }
        try breaker.call(.success, at: .zero)
        for _ in 0..<4 { try breaker.call(.connectFailure, at: .zero) }
        try breaker.call(.failure, at: .zero)
        for _ in 0..<4 { try breaker.call(.connectFailure, at: .seconds(20)) }
        #expect(breaker.phase == .closed)
        try breaker.call(.connectFailure, at: .seconds(20))
        #expect(breaker.phase == .open)
    }

    @Test("calls that were given up say nothing")
    func abandonedCalls() throws {
        let breaker = Subject()
        for _ in 0..<1000 { try breaker.call(.abandoned, at: .zero) }
        for _ in 0..<4 { try breaker.call(.connectFailure, at: .zero) }
        try breaker.call(.abandoned, at: .zero)
        #expect(breaker.phase == .closed)
        try breaker.call(.connectFailure, at: .zero)
        #expect(breaker.phase == .open)
    }

    // MARK: Open and half-open

    @Test("while open it refuses all and says for how long")
    func refusals() throws {
        let breaker = try opened()
        #expect(breaker.refusal(at: .milliseconds(250)) == .milliseconds(750))
        #expect(breaker.isRefused(at: .milliseconds(999)))
        #expect(!breaker.isRefused(at: .seconds(1)))
        #expect(breaker.phase == .halfOpen)
    }

    @Test("two probes at once, no more, and both must succeed")
    func probes() throws {
        let breaker = try opened()
        let first = try breaker.permit(at: .seconds(1))
        let second = try breaker.permit(at: .seconds(1))
        #expect(breaker.isRefused(at: .seconds(1)))
        breaker.record(.success, for: first, at: .seconds(1))
        #expect(breaker.phase == .halfOpen)
        #expect(breaker.isRefused(at: .seconds(1)), "the probe that is under way is the second of two")
        breaker.record(.success, for: second, at: .seconds(1))
        #expect(breaker.phase == .closed)
        for _ in 0..<100 { #expect(!breaker.isRefused(at: .seconds(1))) }
    }

    @Test("a probe that fails opens it again, whatever the other one says later", arguments: [Outcome.failure, .connectFailure])
    func failedProbe(outcome: Outcome) throws {
        let breaker = try opened()
        let first = try breaker.permit(at: .seconds(1))
        let second = try breaker.permit(at: .seconds(1))
        breaker.record(outcome, for: first, at: .seconds(1))
        #expect(breaker.phase == .open)
        breaker.record(.success, for: second, at: .seconds(1))
        #expect(breaker.phase == .open)
    }

    @Test("a probe that is given up makes room for another")
    func abandonedProbe() throws {
        let breaker = try opened()
        for _ in 0..<10 {
            let probe = try breaker.permit(at: .seconds(1))
            breaker.record(.abandoned, for: probe, at: .seconds(1))
            #expect(breaker.phase == .halfOpen)
        }
        try breaker.call(.success, at: .seconds(1))
        try breaker.call(.success, at: .seconds(1))
        #expect(breaker.phase == .closed)
    }

    @Test("it closes with an empty window: what happened before is over")
    func emptyWindowAfterClosing() throws {
        let breaker = try opened()
        for _ in 0..<2 { try breaker.call(.success, at: .seconds(1)) }
        for _ in 0..<4 { try breaker.call(.connectFailure, at: .seconds(1)) }
        for _ in 0..<15 { try breaker.call(.failure, at: .seconds(1)) }
        #expect(breaker.phase == .closed)
    }

    @Test("the open time doubles up to 30 s while probes fail, and begins anew after ten good seconds")
    func openTimes() throws {
        let breaker = try opened()
        var now = Duration.zero
        for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
            #expect(breaker.refusal(at: now) == .seconds(seconds))
            now += .seconds(seconds)
            try breaker.call(.failure, at: now)
        }
        now += .seconds(30)
        for _ in 0..<2 { try breaker.call(.success, at: now) }
        // It fails at once again: it was never really well.
        for _ in 0..<5 { try breaker.call(.connectFailure, at: now) }
        #expect(breaker.refusal(at: now) == .seconds(30))
        now += .seconds(30)
        for _ in 0..<2 { try breaker.call(.success, at: now) }
        now += .seconds(10)
        for _ in 0..<5 { try breaker.call(.connectFailure, at: now) }
        #expect(breaker.refusal(at: now) == .seconds(1))
    }

    @Test("answers to calls from before it changed are not counted", arguments: Outcome.allCases)
    func lateAnswers(outcome: Outcome) throws {
        let breaker = Subject()
        let stragglers = try (0..<50).map { _ in try breaker.permit(at: .zero) }
        for _ in 0..<5 { try breaker.call(.connectFailure, at: .zero) }
        breaker.record(outcome, for: stragglers[0], at: .zero)
        #expect(breaker.phase == .open)
        let probe = try breaker.permit(at: .seconds(1))
        for straggler in stragglers[1..<25] { breaker.record(outcome, for: straggler, at: .seconds(1)) }
        #expect(breaker.phase == .halfOpen)
        breaker.record(.success, for: probe, at: .seconds(1))
        try breaker.call(.success, at: .seconds(1))
        for straggler in stragglers[25...] { breaker.record(outcome, for: straggler, at: .seconds(1)) }
        #expect(breaker.phase == .closed)
    }

    // MARK: All of it

    /// Every sequence of six steps from a small alphabet, begun in each phase: a million runs against what must always hold.
    @Test(
        "no sequence of events breaks its rules",
        arguments: [
            [], [.admit, .admit, .admit, .end(.failure)], [.admit, .end(.connectFailure), .admit, .end(.connectFailure)],
            [.admit, .admit, .admit, .end(.connectFailure), .end(.connectFailure), .wait(1), .admit],
        ] as [[Step]])
    func everySequence(beginning: [Step]) {
        let steps: [Step] = [
            .admit, .end(.success), .end(.failure), .end(.connectFailure), .end(.abandoned), .wait(1), .wait(2), .wait(40),
        ]
        var limits = CircuitBreaker.Limits()
        limits.minimumCalls = 2
        limits.consecutiveConnectFailures = 2
        var start = Model(limits: limits)
        for step in beginning {
            let rule = start.brokenRule(after: step)
            #expect(rule == nil)
        }
        var phases: Set<CircuitBreaker.Phase> = []
        let depth = 6
        for run in 0..<Int(1 << (3 * depth)) {
            var model = start
            for position in 0..<depth {
                if let rule = model.brokenRule(after: steps[run >> (3 * position) & 7]) {
                    Issue.record("run \(run), step \(position): \(rule)")
                    return
                }
            }
            phases.insert(model.breaker.phase)
        }
        #expect(phases == [.closed, .halfOpen, .open], "the runs reach every phase")
    }
}

enum Step: Sendable {
    case admit
    /// Ends the oldest call that is under way, if there is one.
    case end(CircuitBreaker.Outcome)
    case wait(Int)
}

/// Drives a breaker and knows what may never happen.
private struct Model {
    let limits: CircuitBreaker.Limits
    var breaker: CircuitBreaker
    var now = Duration.zero
    var underWay: [(permit: CircuitBreaker.Permit, phase: CircuitBreaker.Phase)] = []
    var openedAt = Duration.zero

    init(limits: CircuitBreaker.Limits) {
        self.limits = limits
        breaker = CircuitBreaker(limits: limits)
    }

    /// Takes the step; what is wrong then, or nil.
    mutating func brokenRule(after step: Step) -> String? {
        let before = breaker.phase
        switch step {
        case .wait(let seconds): now += .seconds(seconds)
        case .admit:
            switch breaker.admit(at: now) {
            case .admitted(let permit):
                if before == .open, now - openedAt < limits.firstOpenTime { return "admitted while open" }
                underWay.append((permit, breaker.phase))
            case .refused(let retryAfter):
                if before == .closed { return "refused while closed" }
                if before == .open, now - openedAt >= limits.maximumOpenTime { return "open for longer than the longest time" }
                if retryAfter <= .zero || retryAfter > limits.maximumOpenTime { return "refused for \(retryAfter)" }
            }
        case .end(let outcome):
            guard !underWay.isEmpty else { return nil }
            let ended = underWay.removeFirst()
            breaker.record(outcome, for: ended.permit, at: now)
            if before != breaker.phase, ended.phase != before { return "a straggler changed the phase" }
            if outcome == .abandoned, before != breaker.phase { return "a call that was given up changed the phase" }
            if outcome == .success, breaker.phase == .open, before != .open { return "a success opened it" }
            if outcome == .failure || outcome == .connectFailure, breaker.phase == .closed, before != .closed {
                return "a failure closed it"
            }
        }
        if before != .open, breaker.phase == .open { openedAt = now }
        if before == .open, breaker.phase == .closed { return "closed without a probe" }
        return nil
    }
}
