import ChassisStorage
import Contracts
import Invariants
import Testing

@testable import Simulation

/// Every statement of a shop's trade finds its rows by an index: what is slow in a shop with a million orders is noticed in one with forty.
@Suite("The plans of the queries")
struct QueryPlanTests {
    /// Tables that grow with trade. The others have as many rows as a moment has work.
    private static let large: Set<String> = [
        "products", "p", "stock_movements", "reservations", "reservation_lines", "orders", "order_lines", "order_timeline", "payments",
        "refunds",
        "chargebacks", "provider_events", "ledger_transfers", "sandbox_charges", "sandbox_refunds", "sandbox_chargebacks", "contacts",
        "notifications", "outbox", "idempotency_keys",
    ]

    /// Indexes of what is open: they have as many entries as a moment has work.
    private static let small: Set<String> = ["reservations_held", "orders_to_be_paid", "notifications_unsent"]

    /// Statements that read a whole table, and why they may. None is on the way of an order.
    private static let known: [(beginning: String, reason: String)] = [
        ("SELECT account, currency, CAST(SUM", "the ledger's balances are the sum of all its rows, for an administrator only"),
        (
            "INSERT INTO products",
            "SQLite plans to look for reserved lines of a new product, and does so only while a foreign key is violated"
        ),
    ]

    @Test("no statement of a shop's daily life reads a large table from one end to the other")
    func scans() async throws {
        let report = try await onThreadOfItsOwn { Result { try Self.plans() } }.get()
        #expect(report.unexpected.isEmpty, "\(report.unexpected)")
        #expect(report.plans.count > 100, "\(report.plans.count) statements are not all that a shop runs")
        for plan in report.plans {
            let isKnown = Self.known.contains { plan.text.hasPrefix($0.beginning) }
            let scans = plan.scans(of: Self.large, but: Self.small)
            #expect(scans.isEmpty || isKnown, "\(plan.service.rawValue) \(scans): \(plan.text)")
        }
        for (beginning, reason) in Self.known {
            #expect(
                report.plans.contains { $0.text.hasPrefix(beginning) && !$0.scans(of: Self.large, but: Self.small).isEmpty },
                "\(beginning): \(reason)")
        }
    }

    private struct Plan: Sendable {
        let service: ServiceName
        let text: String
        let steps: [String]

        /// The steps that read all rows of a table. A statement with a LIMIT that needs no sorting may walk along a table: it stops early.
        func scans(of tables: Set<String>, but small: Set<String>) -> [String] {
            let stopsEarly = text.contains("LIMIT") && !steps.contains { $0.hasPrefix("USE TEMP B-TREE") }
            return steps.filter { step in
                let words = step.split(separator: " ")
                guard !stopsEarly, words.first == "SCAN", words.count > 1, tables.contains(String(words[1])) else { return false }
                return !small.contains(String(words.last ?? ""))
            }
        }
    }

    private struct Report: Sendable {
        var plans: [Plan] = []
        var unexpected: [String] = []
    }

    private static func plans() throws -> Report {
        let statements = Statements()
        let shop = try OldShop(noting: statements)
        try shop.live(days: 2)
        try shop.lookAround()
        // Long enough for every retention to have had its turn.
        try shop.live(days: 1)
        var report = Report(unexpected: shop.trade.unexpected)
        for service in Books.services {
            for statement in statements.of(service) {
                let steps = try shop.plan(of: statement, by: service)
                report.plans.append(Plan(service: service, text: statement.description, steps: steps))
            }
        }
        return report
    }
}
