import Contracts
import Invariants
import Testing

@testable import Simulation

@Suite("A shop that grows old")
struct GrowthTests {
    /// Weeks after which nothing is kept any more of the first: the longest retention is of three.
    private static let grown = 4

    /// Orders of a day, and how many of them each table may hold for each day that it keeps.
    private static func bound(_ table: String) -> Int {
        let perDay = OldShop.ordersPerDay
        return switch table {
        // Placed, paid, shipped, delivered, cancelled, a refund now and then.
        case "order-service/outbox": perDay * 4 * 8
        case "payment-service/outbox": perDay * 2 * 8
        case "order-service/idempotency_keys": perDay * 2
        case "payment-service/idempotency_keys": 4
        case "product-service/idempotency_keys": 3
        case "product-service/reservations": perDay * 16
        case "product-service/reservation_lines": perDay * 2 * 16
        case "notification-service/notifications": perDay * 4 * 23
        // Recurring jobs, and what a moment has to do.
        case "product-service/jobs", "order-service/jobs", "payment-service/jobs", "notification-service/jobs": 30
        default: 0
        }
    }

    @Test("keeps its working tables as small as they were, its orders all, and its books in order", .timeLimit(.minutes(20)))
    func growth() async throws {
        let report = try await onThreadOfItsOwn { Result { try Self.life() } }.get()
        #expect(report.unexpected.isEmpty, "\(report.unexpected.prefix(5))")
        #expect(report.orders == report.accepted && report.accepted == OldShop.ordersPerDay * 7 * Self.grown * 4)
        for (table, young) in report.young.sorted(by: { $0.key < $1.key }) {
            let bound = Self.bound(table)
            for old in report.older {
                let size = old[table] ?? 0
                #expect(size <= bound, "\(table) has \(size) rows, which at this rate should be \(bound) at most")
                // The same trade at the same time of the day: what differs is where in their intervals the retentions are.
                #expect(size <= young + young / 10 + 5, "\(table) had \(young) rows and has \(size)")
            }
            if bound >= OldShop.ordersPerDay { #expect(young > 0, "\(table) is empty: nothing is tested") }
        }
        #expect(report.pages.1 <= report.pages.0 + report.pages.0 / 20, "notification-service's file grew from \(report.pages)")
        #expect(report.audit.holds && report.audit.warnings.isEmpty, "\(report.audit)")
    }

    private struct Report: Sendable {
        var young: [String: Int] = [:]
        var older: [[String: Int]] = []
        /// Of the database that holds nothing but working tables and one contact, at the first look and at the last.
        var pages = (0, 0)
        var orders = 0
        var accepted = 0
        var unexpected: [String] = []
        var audit: Audit
    }

    /// Looks at a shop after n weeks, and again after 2n, 3n and 4n.
    private static func life() throws -> Report {
        let shop = try OldShop()
        try shop.live(days: 7 * grown)
        var report = Report(audit: try shop.audit())
        report.young = try shop.workingTables()
        report.pages.0 = try shop.pages(of: .notifications)
        for _ in 2...4 {
            try shop.live(days: 7 * grown)
            report.older.append(try shop.workingTables())
        }
        report.pages.1 = try shop.pages(of: .notifications)
        report.orders = try shop.orders()
        report.accepted = shop.trade.accepted
        report.unexpected = shop.trade.unexpected
        report.audit = try shop.audit()
        return report
    }
}
