import ChassisStorage
import Contracts

// A fact and its event are one commit. So every fact has its event, once, as long as the outbox keeps it, and every event has its fact.
//
// An outbox that was trimmed has lost a beginning of its events, and with it the witness of old facts. Then of a subject's facts the later
// ones must still be announced when an earlier one is; and of orders, whose ids are drawn in the order of their first event, all that came
// after the first that is still announced.

extension Invariant {
    // MARK: Users

    static let userFactsAreAnnouncedOnce = Invariant(
        "user-facts-are-announced-once", .events, .always, in: .users,
        "Every account is announced once, and once more when it is erased."
    ) { transaction, finding in
        var said = try Announcements(of: [UserRegistered.eventType, UserErased.eventType], in: transaction)
        try transaction.each("SELECT id, CASE WHEN erased_at IS NULL THEN 0 ELSE 1 END AS erased FROM users ORDER BY id") { row in
            finding.examined += 1
            let (id, isErased): (Int64, Bool) = (try row["id"], try row["erased"])
            let counts = said.take(id)
            if counts[0] > 1 || (counts[0] == 0 && said.isWhole) {
                finding.violation("user \(id)", "is announced as registered \(counts[0]) times")
            }
            let wanted: UInt16 = isErased ? 1 : 0
            if counts[1] > wanted || (counts[1] < wanted && said.isWhole) {
                finding.violation("user \(id)", "is \(isErased ? "" : "not ")erased and announced as erased \(counts[1]) times")
            }
        }
        finding.strangers(said) { "user \($0)" }
    }

    // MARK: Orders

    static let orderFactsAreAnnouncedOnce = Invariant(
        "order-facts-are-announced-once", .events, .always, in: .orders,
        "Every order is announced once when it is placed and once at each change of its status, and no change is announced that was none."
    ) { transaction, finding in
        var said = try Announcements(of: statusEvents.map(\.type), in: transaction)
        let firstAnnounced = said.lowestSubjectOfFirstType
        try transaction.eachGroup(
            "SELECT order_id, status FROM order_timeline WHERE changes_status = 1 ORDER BY order_id, sequence", by: "order_id",
            { try $0["status"] as String },
            { id, statuses in
                finding.examined += 1
                let isRecent = firstAnnounced.map { id >= $0 } ?? false
                let problem = mistake(in: said.take(id), about: statuses, isKept: said.isWhole || isRecent)
                if let problem { finding.violation("order \(id)", problem) }
            })
        finding.strangers(said) { "order \($0)" }
    }

    private static let statusEvents: [(status: String, type: String)] = [
        ("pending", OrderPlaced.eventType), ("paid", OrderPaid.eventType), ("shipped", OrderShipped.eventType),
        ("delivered", OrderDelivered.eventType), ("cancelled", OrderCancelled.eventType), ("refunded", OrderRefunded.eventType),
    ]

    /// - Parameters:
    ///   - statuses: those that the order went through.
    ///   - isKept: whether the outbox must still have all that was said of it.
    private static func mistake(in counts: Announcements.Counts, about statuses: [String], isKept: Bool) -> String? {
        var isKept = isKept
        for status in statuses {
            guard let index = statusEvents.firstIndex(where: { $0.status == status }) else { return "was \(status), which is no status" }
            if counts[index] > 1 { return "is announced as \(status) \(counts[index]) times" }
            if counts[index] == 0, isKept { return "was \(status), but that is not announced" }
            if counts[index] > 0 { isKept = true }
        }
        let unfounded = statusEvents.indices.first { counts[$0] > 0 && !statuses.contains(statusEvents[$0].status) }
        return unfounded.map { "is announced as \(statusEvents[$0].status), which it never was" }
    }

    // MARK: Payments

    static let paymentFactsAreAnnouncedOnce = Invariant(
        "payment-facts-are-announced-once", .events, .always, in: .payments,
        "Every capture, every refusal, every refund that is done, every chargeback and every reversal is announced once, and nothing else is."
    ) { transaction, finding in
        var said = try Announcements(
            of: [
                PaymentCaptured.eventType, PaymentFailed.eventType, PaymentRefunded.eventType, PaymentChargedBack.eventType,
                PaymentChargebackReversed.eventType,
            ], in: transaction)
        try transaction.each(
            """
            SELECT p.order_id, CAST(SUM(CASE WHEN p.captured > 0 THEN 1 ELSE 0 END) AS BIGINT) AS captures,
                CAST(SUM(CASE WHEN p.status = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS refusals,
                CAST(SUM(CASE WHEN p.status = 'failed' AND p.order_cancelled = 0 THEN 1 ELSE 0 END) AS BIGINT) AS untold,
                CAST(SUM(COALESCE(r.refunds, 0)) AS BIGINT) AS refunds,
                CAST(SUM(COALESCE(c.chargebacks, 0)) AS BIGINT) AS chargebacks, CAST(SUM(COALESCE(c.reversals, 0)) AS BIGINT) AS reversals
            FROM payments p LEFT JOIN (
                SELECT payment_id, COUNT(*) AS refunds FROM refunds WHERE status = 'succeeded' GROUP BY payment_id
            ) AS r ON r.payment_id = p.id LEFT JOIN (
                SELECT payment_id, COUNT(*) AS chargebacks, SUM(reversed) AS reversals FROM chargebacks GROUP BY payment_id
            ) AS c ON c.payment_id = p.id
            GROUP BY p.order_id ORDER BY p.order_id
            """
        ) { row in
            finding.examined += 1
            let order: Int64 = try row["order_id"]
            let (captures, refunds): (Int, Int) = (try row["captures"], try row["refunds"])
            // A refusal that finds its order cancelled already is not announced: nobody needs it any more.
            let (refusals, untold): (Int, Int) = (try row["refusals"], try row["untold"])
            let counts = said.take(order)
            let isKept = said.isWhole || counts[0] > 0
            let (chargebacks, reversals): (Int, Int) = (try row["chargebacks"], try row["reversals"])
            let facts = [
                (captures...captures, "captured"), (untold...refusals, "refused"), (refunds...refunds, "refunded"),
                (chargebacks...chargebacks, "charged back"), (reversals...reversals, "given back by the bank"),
            ]
            for (index, (right, word)) in facts.enumerated() {
                let count = Int(counts[index])
                guard count > right.upperBound || (count < right.lowerBound && isKept) else { continue }
                finding.violation("order \(order)", "was \(word) \(right.upperBound) times and is announced as that \(count) times")
            }
        }
        finding.strangers(said) { "order \($0)" }
    }

    // MARK: Stock

    static let stockFactsAreAnnouncedOnce = Invariant(
        "stock-facts-are-announced-once", .events, .always, in: .products,
        "Every reservation that is lost is announced once, and no other."
    ) { transaction, finding in
        var said = try Announcements(of: [ReservationLost.eventType], in: transaction)
        try transaction.each(
            "SELECT order_id, COUNT(*) AS lost FROM reservations WHERE state = 'lost' AND order_id IS NOT NULL GROUP BY order_id"
        ) { row in
            finding.examined += 1
            let (order, lost): (Int64, Int) = (try row["order_id"], try row["lost"])
            let count = Int(said.take(order)[0])
            if count > lost || (count < lost && said.isWhole) {
                finding.violation("order \(order)", "lost \(lost) reservations, of which \(count) are announced")
            }
        }
        // Those that were told long ago may be trimmed.
        let horizon = try TrimmedReservations(in: transaction).horizon
        try transaction.each("SELECT subject FROM outbox WHERE type = \(ReservationLost.eventType) AND time <= \(horizon)") { row in
            let subject: String = try row["subject"]
            if let order = Int64(subject) { _ = said.take(order) }
        }
        finding.strangers(said) { "order \($0)" }
    }
}

extension Finding {
    /// Notes what is announced of nobody.
    fileprivate mutating func strangers(_ said: Announcements, _ name: (Int64) -> String) {
        for subject in said.rest { violation(name(subject), "is announced, but there is no such fact") }
        for text in said.nameless { violation(text, "is announced, but of nothing that has an id") }
    }
}
