import ChassisStorage
import Commerce
import Testing

@testable import PaymentService

// What must hold of money at every moment at rest (architecture.md, invariant 2): the ledger sums to zero per currency; what was captured is
// what the provider has charged, once; nothing more goes back than came; what belongs to a cancelled order goes back whole.

extension PaymentShop {
    /// Holds the payments, the ledger and the sandbox's own book against each other.
    func checkBooks(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let books = try await database.read { try Books($0) }
        for (currency, sum) in books.ledgerSums { #expect(sum == 0, "the ledger in \(currency)", sourceLocation: sourceLocation) }
        for payment in books.payments {
            let charges = books.charges.filter { $0.key == "payment-\(payment.id)" && $0.isCharged }
            #expect(
                charges.count <= 1 && charges.reduce(0) { $0 + $1.amount } == payment.captured, "charged is captured: \(payment)",
                sourceLocation: sourceLocation)
            #expect(
                books.captures[payment.id, default: []] == (payment.captured > 0 ? [payment.captured] : []),
                "captured is booked once: \(payment)", sourceLocation: sourceLocation)
            #expect(
                books.refunds[payment.id, default: 0] == payment.refunded, "refunded is booked: \(payment)", sourceLocation: sourceLocation)
            #expect(
                books.losses[payment.id, default: 0] == payment.lost, "charged back is booked: \(payment)", sourceLocation: sourceLocation)
            #expect(
                books.givenBack[payment.id, default: 0] == payment.refunded, "the provider gave back what is refunded: \(payment)",
                sourceLocation: sourceLocation)
            #expect(
                payment.refunded + payment.lost <= payment.captured && payment.captured <= payment.amount && payment.pending == 0,
                "\(payment)",
                sourceLocation: sourceLocation)
            if payment.isCancelled {
                #expect(
                    payment.refunded + payment.lost == payment.captured, "cancelled is refunded: \(payment)", sourceLocation: sourceLocation
                )
            }
        }
    }

    /// How often the sandbox was asked for the charge of an order, and whether it charged.
    func sandboxCharge(ofOrder order: Int64) async throws -> (calls: Int, charged: Bool)? {
        let id = try await id(ofOrder: order)
        return try await database.read { transaction in
            try transaction.first("SELECT calls, charged FROM sandbox_charges WHERE key = \("payment-\(id)")") { row in
                (try row["calls"], try row["charged"])
            }
        }
    }
}

private struct Books: Sendable {
    struct Line: Sendable {
        let id: Int64
        let status: String
        let amount: Int64
        let captured: Int64
        let refunded: Int64
        let pending: Int64
        let lost: Int64
        let isCancelled: Bool
    }

    struct Charge: Sendable {
        let key: String
        let amount: Int64
        let isCharged: Bool
    }

    let payments: [Line]
    let charges: [Charge]
    let ledgerSums: [String: Int64]
    /// By payment: the amounts of the bookings.
    private(set) var captures: [Int64: [Int64]] = [:]
    private(set) var refunds: [Int64: Int64] = [:]
    private(set) var losses: [Int64: Int64] = [:]
    /// By payment: what the sandbox's own book says went back.
    private(set) var givenBack: [Int64: Int64] = [:]

    init(_ transaction: Transaction) throws {
        payments = try transaction.all("SELECT * FROM payments") { row in
            Line(
                id: try row["id"], status: try row["status"], amount: try row["amount"], captured: try row["captured"],
                refunded: try row["refunded"], pending: try row["refund_pending"],
                lost: try row["charged_back"] as Int64 - (try row["chargeback_reversed"] as Int64), isCancelled: try row["order_cancelled"])
        }
        charges = try transaction.all("SELECT * FROM sandbox_charges") { row in
            Charge(key: try row["key"], amount: try row["amount"], isCharged: try row["charged"])
        }
        let balances: [(String, Int64)] = try transaction.all(
            """
            SELECT currency, SUM(amount) AS sum FROM (
                SELECT currency, amount FROM ledger_transfers UNION ALL SELECT currency, -amount FROM ledger_transfers
            ) AS bookings GROUP BY currency
            """
        ) { (try $0["currency"], try $0["sum"]) }
        ledgerSums = Dictionary(uniqueKeysWithValues: balances)
        let transfers: [(key: String, payment: Int64, amount: Int64)] = try transaction.all(
            "SELECT key, payment_id, amount FROM ledger_transfers"
        ) {
            (try $0["key"], try $0["payment_id"], try $0["amount"])
        }
        for transfer in transfers {
            if transfer.key.hasPrefix("capture-") {
                captures[transfer.payment, default: []].append(transfer.amount)
            } else if transfer.key.hasPrefix("chargeback-") {
                losses[transfer.payment, default: 0] += transfer.amount
            } else if transfer.key.hasPrefix("reversal-") {
                losses[transfer.payment, default: 0] -= transfer.amount
            } else {
                refunds[transfer.payment, default: 0] += transfer.amount
            }
        }
        let back: [(charge: String, amount: Int64)] = try transaction.all("SELECT charge_key, amount FROM sandbox_refunds") {
            (try $0["charge_key"], try $0["amount"])
        }
        for refund in back { givenBack[Int64(refund.charge.dropFirst("payment-".count)) ?? 0, default: 0] += refund.amount }
    }
}
