import ChassisStorage
import Commerce
import Contracts
import Foundation
import Invariants
import Testing

@testable import ChassisEvents

/// What is in order is found to be.
@Suite("Sound shops")
struct SoundShopTests {
    @Test("a shop at rest keeps every invariant, and nothing waits for a person")
    func settled() async throws {
        let shop = try await SmallShop.settled()
        let audit = try await Audit.of(shop.books, .settled)
        #expect(audit.holds && audit.warnings.isEmpty && audit.unchecked.isEmpty, "\(audit)")
        #expect(audit.entries.count == Invariant.all.count)
        for entry in audit.entries where entry.invariant.level == .always && entry.invariant.name != "queued-messages-have-jobs" {
            let isPending = entry.invariant.name == "open-payments-have-jobs"
            #expect(isPending || (entry.finding?.examined ?? 0) > 0, "\(entry.invariant.name) has examined nothing")
        }
        await shop.close()
    }

    @Test("the sample shop has been through what its orders are named for")
    func samples() async throws {
        let shop = try await SmallShop.settled()
        let orders = try await shop.database(.orders).read { transaction in
            try transaction.all("SELECT status FROM orders ORDER BY id") { try $0["status"] as String }
        }
        #expect(
            orders == [
                "paid", "cancelled", "delivered", "cancelled", "refunded", "shipped", "cancelled", "cancelled", "paid", "cancelled",
                "shipped", "cancelled",
            ])
        let payments = try await shop.database(.payments).read { transaction in
            try transaction.all("SELECT status, order_id FROM payments ORDER BY id") { row in
                #expect(try row["order_id"] as Int64 > 0)
                return try row["status"] as String
            }
        }
        #expect(
            payments == [
                "captured", "failed", "captured", "refunded", "refunded", "partially-refunded", "refunded", "voided", "captured",
                "refunded", "captured", "refunded",
            ])
        let states = try await shop.database(.products).read { transaction in
            try transaction.all("SELECT state FROM reservations ORDER BY number") { try $0["state"] as String }
        }
        #expect(
            states == [
                "committed", "cancelled", "committed", "returned", "returned", "committed", "lost", "cancelled", "committed", "cancelled",
                "committed", "returned", "released",
            ])
        await shop.close()
    }

    @Test("a shop in the middle of everything keeps what must hold always, but is not settled; when it is, it keeps the rest too")
    func busy() async throws {
        let shop = try await SmallShop.busy()
        let audit = try await Audit.of(shop.books)
        #expect(audit.holds && audit.unchecked.isEmpty, "\(audit)")
        let broken = Set(try await Audit.of(shop.books, .settled).violated.map(\.invariant.name))
        #expect(broken.isSuperset(of: ["all-events-are-consumed", "all-work-is-done", "every-order-ends"]))
        #expect(broken.isDisjoint(with: audit.entries.map(\.invariant.name)))
        try await shop.settle()
        let after = try await Audit.of(shop.books, .settled)
        #expect(after.holds && after.warnings.isEmpty, "\(after)")
        await shop.close()
    }

    @Test("every single step of a shop's life leaves the books in order")
    func everyStep() async throws {
        let shop = try await SmallShop.busy { books in
            let audit = try await Audit.of(books)
            #expect(audit.holds, "\(audit)")
        }
        try await shop.settle()
        await shop.close()
    }

    @Test("an empty shop keeps every invariant")
    func empty() async throws {
        let shop = try await SmallShop()
        let audit = try await Audit.of(shop.books, .settled)
        #expect(audit.holds && audit.unchecked.isEmpty, "\(audit)")
        await shop.close()
    }

    @Test("outboxes that are trimmed after they were read break nothing, wherever the cut is")
    func trimmed() async throws {
        let shop = try await SmallShop.settled()
        for kept in [2_000, 800, 400, 200, 100, 50, 0] {
            for service in Books.services {
                let database = try shop.database(service)
                try await Retention.outbox(keeping: .milliseconds(kept)).trim(database, shop.time)
                let audit = try await Audit.of(shop.books, .settled)
                #expect(audit.holds, "\(service.rawValue) keeps \(kept) ms: \(audit)")
            }
        }
        #expect(try await shop.number(.orders, "SELECT count(*) FROM outbox") == 0)
        await shop.close()
    }

    @Test("an order that waits for a person is a warning and no violation")
    func waiting() async throws {
        let shop = try await SmallShop.settled()
        let product = try #require(ProductID(rawValue: 1))
        try await shop.order("stuck", by: try #require(UserID(rawValue: 1)), [(product, 1)])
        try await shop.consume(.payments, from: .orders)
        try await shop.change(.payments, "UPDATE jobs SET state = 'dead', dead_at = 1, error = 'the provider is gone'")
        try await shop.settle()
        let audit = try await Audit.of(shop.books, .settled)
        #expect(audit.holds, "\(audit)")
        let found = audit.warnings.flatMap { $0.finding?.violations ?? [] }
        #expect(found.count == 1 && found.first?.id.hasPrefix("payment-service/job-") == true)
        await shop.close()
    }

    @Test("where a database is missing, the rest is checked, and what needs it says so")
    func missing() async throws {
        let shop = try await SmallShop.settled()
        var books = shop.books
        books.payments = nil
        let audit = try await Audit.of(books, .settled)
        #expect(audit.holds, "\(audit)")
        #expect(audit.unchecked.allSatisfy { $0.outcome == .notChecked(missing: [.payments]) })
        #expect(audit.unchecked.contains { $0.invariant.name == "paid-orders-are-captured" })
        #expect(audit.entries.contains { $0.invariant.name == "stock-balances" && $0.finding?.holds == true })
        #expect(audit.entries.contains { $0.invariant.name == "outbox-reaches-consumers" && $0.finding?.examined == 5 })
        await shop.close()
    }

    @Test("many violations are all counted, and the first twenty are named")
    func many() async throws {
        let shop = try await SmallShop.settled()
        try await shop.change(.orders, "UPDATE orders SET timeline_length = timeline_length + 1")
        for _ in 0..<4 {
            try await shop.change(
                .users,
                """
                INSERT INTO outbox (id, source, type, subject, time, data)
                SELECT id || '+', source, type, CAST(sequence + 1000 AS TEXT), time, data FROM outbox
                """)
        }
        let audit = try await Audit.of(shop.books)
        let findings = Dictionary(uniqueKeysWithValues: audit.violated.map { ($0.invariant.name, $0.finding) })
        #expect(findings["order-history-is-lawful"]??.count == 12)
        let strangers = try #require(findings["user-facts-are-announced-once"] ?? nil)
        #expect(strangers.count > Finding.mostKept && strangers.violations.count == Finding.mostKept)
        await shop.close()
    }

    @Test("a table that is not there is said with the name of the invariant that needs it")
    func unreadable() async throws {
        let shop = try await SmallShop.settled()
        try await shop.change(.products, "ALTER TABLE stock_movements RENAME TO something_else")
        await #expect { try await Audit.of(shop.books) } throws: { error in "\(error)".hasPrefix("stock-balances cannot be checked: ") }
        await shop.close()
    }
}
