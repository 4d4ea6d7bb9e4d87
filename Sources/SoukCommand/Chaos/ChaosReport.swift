import Contracts
import Invariants

/// What has come of a run of `souk chaos`: one document for programs, and the same for people.
struct ChaosReport: Sendable, Encodable {
    /// What was done to the shop in one way, and how long no order was accepted afterwards.
    struct Injected: Sendable, Encodable {
        let kind: Disturbance.Kind
        var count = 0
        /// The longest time from the end of such a disturbance (a kill's is the kill) until an order was accepted that was sent after it.
        var longestRecoveryMs: Int?
    }

    struct Orders: Sendable, Encodable {
        let accepted: Int
        /// Accepted only after they had been sent more than once.
        let repeated: Int
        let refused: [String: Int]
        let hindered: [String: Int]
        let unanswered: Int
        let statuses: [String: Int]
        let visits: [String: Int]
    }

    let seed: UInt64
    let seconds: Double
    let disturbances: [Injected]
    let orders: Orders
    /// From the end of all trouble until everything had ended; nil when it had not in time.
    let settlingMs: Int?
    /// Accepted orders that were found again as they were told, through the gateway.
    let found: Int
    let lost: [String]
    /// Orders that the shop has and no customer knows of; as many as keys without an answer are no fault.
    let unknown: [Int64]
    let contradictions: [String]
    let audit: Audit

    init(
        seed: UInt64, length: Duration, schedule: Schedule, testimony: Testimony.State, settling: Duration?, found: Lookup.Outcome,
        audit: Audit
    ) {
        self.seed = seed
        seconds = length / .seconds(1)
        disturbances = Self.injected(schedule, testimony.accepted)
        orders = Orders(
            accepted: testimony.accepted.count, repeated: testimony.repeated, refused: testimony.refused, hindered: testimony.hindered,
            unanswered: testimony.unanswered.count, statuses: found.statuses, visits: testimony.visits)
        settlingMs = settling.map(\.milliseconds)
        self.found = found.found
        lost = found.lost
        unknown = found.unknown
        contradictions = testimony.contradictions
        self.audit = audit
    }

    /// Whether every promise was kept.
    var holds: Bool {
        audit.holds && settlingMs != nil && lost.isEmpty && contradictions.isEmpty && unknown.count <= orders.unanswered && found > 0
    }

    private static func injected(_ schedule: Schedule, _ accepted: [Testimony.Accepted]) -> [Injected] {
        Disturbance.Kind.allCases.map { kind in
            let entries = schedule.entries.filter { $0.disturbance.kind == kind }
            let recoveries = entries.compactMap { entry in
                accepted.filter { $0.sent >= entry.end }.map { $0.answered - entry.end }.min()
            }
            return Injected(kind: kind, count: entries.count, longestRecoveryMs: recoveries.max().map(\.milliseconds))
        }
    }
}

extension ChaosReport {
    /// What a person reads.
    var text: String {
        let sections = [table, ordersText, verdict]
        return "\n" + sections.joined(separator: "\n\n")
    }

    private var table: String {
        var table = TextTable("Disturbances", "", "longest until an order was accepted again")
        for injected in disturbances {
            let recovery = injected.longestRecoveryMs.map { Duration.milliseconds($0).inSeconds } ?? "-"
            table.add("  \(injected.kind.sentence)", "\(injected.count)", recovery)
        }
        return table.text
    }

    private var ordersText: String {
        var lines = ["Orders", "  accepted \(orders.accepted), of which \(orders.repeated) had to be sent more than once"]
        lines.append("  refused  \(list(orders.refused))")
        if orders.unanswered > 0 { lines.append("  \(orders.unanswered) customers gave up without an answer") }
        lines.append("  attempts without success: \(list(orders.hindered))")
        lines.append("  in the end: \(list(orders.statuses))")
        lines.append("  besides: \(list(orders.visits))")
        return lines.joined(separator: "\n")
    }

    private var verdict: String {
        var lines = ["What holds"]
        if let settlingMs {
            lines.append("  ✓ all work had ended \(Duration.milliseconds(settlingMs).inSeconds) after the trouble")
        } else {
            lines.append("  ✗ work has not ended")
        }
        lines.append(
            "  \(lost.isEmpty ? "✓" : "✗") \(found) of \(orders.accepted) accepted orders were found again as the customers were told")
        lines += lost.prefix(10).map { "      \($0)" }
        if unknown.count > orders.unanswered {
            lines.append("  ✗ \(unknown.count) orders are unknown to every customer: \(unknown.prefix(10))")
        }
        lines += contradictions.prefix(10).map { "  ✗ \($0)" }
        let checked = audit.entries.count - audit.unchecked.count
        lines.append(
            audit.holds
                ? "  ✓ souk audit --settled: all \(checked) invariants hold"
                : "  ✗ souk audit --settled: \(audit.violated.map(\.invariant.name).joined(separator: ", ")) of \(checked) invariants violated"
        )
        let dead = audit.warnings.reduce(0) { $0 + ($1.finding?.count ?? 0) }
        if dead > 0 { lines.append("  ! \(dead) dead letters wait for a person") }
        lines += ["", holds ? "Every promise was kept." : "Promises were broken."]
        return lines.joined(separator: "\n")
    }

    private func list(_ counts: [String: Int]) -> String {
        guard !counts.isEmpty else { return "none" }
        return counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

extension Duration {
    fileprivate var milliseconds: Int { Int((self / .milliseconds(1)).rounded()) }
}
