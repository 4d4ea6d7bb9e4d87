import Chassis
import Contracts
import Foundation
import Invariants
import Testing

@testable import SoukCommand

/// A run in which something was not as promised must not pass for one in which all was well.
@Suite("The report of a run of chaos")
struct ChaosReportTests {
    private static let order = PlacedOrder(id: 7, items: [], totalPrice: 12, currency: "USD")

    @Test("holds when every accepted order was found and the books are in order")
    func well() async throws {
        let report = try await report()
        #expect(report.holds && report.text.contains("✓ 1 of 1 accepted orders") && report.text.contains("Every promise was kept."))
    }

    @Test("does not hold when an accepted order is lost")
    func lost() async throws {
        let report = try await report { $1.lost = ["order 7: 404 Not Found"] }
        #expect(!report.holds && report.text.contains("order 7: 404 Not Found") && report.text.contains("Promises were broken."))
    }

    @Test("does not hold when the shop contradicts itself")
    func contradiction() async throws {
        let report = try await report { testimony, _ in testimony.contradictions = ["key a is order 7 and also 8"] }
        #expect(!report.holds && report.text.contains("✗ key a is order 7 and also 8"))
    }

    @Test("holds with an order that nobody knows of only when somebody has given up without an answer")
    func unknown() async throws {
        #expect(try await !report { $1.unknown = [8] }.holds)
        #expect(
            try await report { testimony, outcome in
                testimony.unanswered = ["b"]
                outcome.unknown = [8]
            }.holds)
    }

    @Test("does not hold when work never ended, or when nothing was accepted at all")
    func neverSettled() async throws {
        #expect(try await !report(settling: nil).holds)
        #expect(try await !report { $1.found = 0 }.holds)
    }

    @Test("measures recovery from a disturbance's end to the first order that was sent after it")
    func recovery() async throws {
        let report = try await report(settling: .zero) { testimony, _ in
            // Sent before the end of any disturbance: it shows nothing.
            testimony.accepted.append(Self.accepted(sent: .zero, answered: .seconds(9)))
        }
        let kill = try #require(Self.schedule.entries.first { $0.disturbance.kind == .kill })
        let expected = Duration.seconds(11) - kill.end
        let injected = try #require(report.disturbances.first { $0.kind == .kill })
        #expect(injected.count == 1 && injected.longestRecoveryMs == Int((expected / .milliseconds(1)).rounded()))
    }

    // MARK: A run

    /// Ends before ten seconds, and kills once.
    private static let schedule = Schedule(seed: 1, length: .seconds(10))

    private static func accepted(sent: Duration, answered: Duration) -> Testimony.Accepted {
        let transport = HTTPTransport { _, _ throws(TransportError) in throw .notConnected }
        let visitor = Visitor(PublicAPI(gateway: "", transport: transport), email: "", password: "")
        return Testimony.Accepted(order: order, visitor: visitor, key: "a", body: .null, sent: sent, answered: answered)
    }

    private func report(
        settling: Duration? = .seconds(1), _ change: (inout Testimony.State, inout Lookup.Outcome) -> Void = { _, _ in }
    ) async throws -> ChaosReport {
        var testimony = Testimony.State()
        testimony.accepted = [Self.accepted(sent: .seconds(10), answered: .seconds(11))]
        var outcome = Lookup.Outcome(found: 1, statuses: ["paid": 1])
        change(&testimony, &outcome)
        return ChaosReport(
            seed: 1, length: .seconds(10), schedule: Self.schedule, testimony: testimony, settling: settling, found: outcome,
            audit: try await Audit.of(Books()))
    }
}
