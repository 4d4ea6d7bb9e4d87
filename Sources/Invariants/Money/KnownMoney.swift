import ChassisStorage

/// What order and payment must agree on from the beginning.
struct Terms: Sendable, Hashable, CustomStringConvertible {
    let total: Int64
    let currency: String
    let user: Int64
    let method: String

    var description: String { "\(amount(total, currency)) of user \(user) by \(method)" }
}

/// The money of an order as order-service knows it.
struct KnownMoney: Sendable {
    let status: String
    let terms: Terms
    let payment: Int64?
    let captured: Int64
    let refunded: Int64
    let chargedBack: Int64
    let chargebackReversed: Int64
    let failure: String?

    private static let columns: SQL = """
        id, status, total, currency, user_id, payment_method, payment_id, captured, refunded, charged_back, chargeback_reversed,
        payment_failure
        """

    /// A page of the orders that have heard of their payment, or of all.
    static func page(
        _ after: Int64, _ limit: Int, all: Bool = false, in transaction: Transaction
    ) throws -> [(key: Int64, effect: KnownMoney)] {
        let condition: SQL =
            all
            ? "" : " AND (payment_id IS NOT NULL OR captured > 0 OR payment_failure IS NOT NULL OR status NOT IN ('pending', 'cancelled'))"
        return try transaction.all("SELECT \(columns) FROM orders WHERE id > \(after)\(condition) ORDER BY id LIMIT \(limit)") { row in
            (try row["id"], try KnownMoney(row))
        }
    }

    static func range(_ after: Int64, _ through: Int64, in transaction: Transaction) throws -> [Int64: KnownMoney] {
        let rows = try transaction.all("SELECT \(columns) FROM orders WHERE id > \(after) AND id <= \(through)") { row in
            (try row["id"] as Int64, try KnownMoney(row))
        }
        return Dictionary(rows) { first, _ in first }
    }

    private init(_ row: Row) throws {
        status = try row["status"]
        terms = Terms(
            total: try row["total"], currency: try row["currency"], user: try row["user_id"], method: try row["payment_method"])
        payment = try row["payment_id"]
        captured = try row["captured"]
        refunded = try row["refunded"]
        chargedBack = try row["charged_back"]
        chargebackReversed = try row["chargeback_reversed"]
        failure = try row["payment_failure"]
    }

    /// What is wrong with the order taken by itself.
    var mistake: String? {
        let isRight =
            switch status {
            case "pending": payment == nil && captured == 0 && failure == nil
            case "paid", "shipped", "delivered": payment != nil && captured == terms.total && refunded < captured
            case "refunded": payment != nil && captured == terms.total && refunded == captured
            default: captured == 0 || (payment != nil && captured == terms.total)
            }
        guard !isRight else { return nil }
        return "is \(status) with \(captured) of \(terms.total) captured, \(refunded) refunded"
            + (payment == nil ? " and no payment" : "") + (failure == nil ? "" : " and a refusal")
    }

    /// What the order knows that is not so.
    func contradiction(to payment: KnownPayment?) -> String? {
        guard let payment else { return "knows of a payment, but has none" }
        if self.payment != payment.id { return "takes payment \(self.payment ?? 0) for its own, which is payment \(payment.id)" }
        if captured > payment.captured { return "is captured, but payment \(payment.id) is \(payment.status)" }
        if refunded > payment.refunded { return "got \(refunded) back, but payment \(payment.id) gave \(payment.refunded)" }
        if chargedBack > payment.chargedBack { return "lost \(chargedBack) to a bank, but payment \(payment.id) \(payment.chargedBack)" }
        if chargebackReversed > payment.chargebackReversed {
            return "got \(chargebackReversed) back from a bank, but payment \(payment.id) \(payment.chargebackReversed)"
        }
        if failure != nil, payment.status != "failed" { return "was refused, but payment \(payment.id) is \(payment.status)" }
        return nil
    }
}

/// A payment as payment-service knows it.
struct KnownPayment: Sendable {
    let id: Int64
    let terms: Terms
    let status: String
    let captured: Int64
    let refunded: Int64
    /// What customers' banks have taken, all in all, and what of that they have given back.
    let chargedBack: Int64
    let chargebackReversed: Int64
    let orderCancelled: Bool

    /// What the shop has of it.
    var kept: Int64 { captured - refunded - chargedBack + chargebackReversed }

    private static let columns: SQL = """
        id, order_id, user_id, amount, currency, method, status, captured, refunded, charged_back, chargeback_reversed, order_cancelled
        """

    /// A page of payments by order.
    static func page(_ after: Int64, _ limit: Int, in transaction: Transaction) throws -> [(key: Int64, effect: KnownPayment)] {
        try transaction.all("SELECT \(columns) FROM payments WHERE order_id > \(after) ORDER BY order_id LIMIT \(limit)") { row in
            (try row["order_id"], try KnownPayment(row))
        }
    }

    /// By order. Should one have two, the first; that it has two is another invariant's.
    static func range(_ after: Int64, _ through: Int64, in transaction: Transaction) throws -> [Int64: KnownPayment] {
        let rows = try transaction.all(
            "SELECT \(columns) FROM payments WHERE order_id > \(after) AND order_id <= \(through) ORDER BY id"
        ) { row in (try row["order_id"] as Int64, try KnownPayment(row)) }
        return Dictionary(rows) { first, _ in first }
    }

    private init(_ row: Row) throws {
        id = try row["id"]
        terms = Terms(total: try row["amount"], currency: try row["currency"], user: try row["user_id"], method: try row["method"])
        status = try row["status"]
        captured = try row["captured"]
        refunded = try row["refunded"]
        chargedBack = try row["charged_back"]
        chargebackReversed = try row["chargeback_reversed"]
        orderCancelled = try row["order_cancelled"]
    }
}
