import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import HTTPTypes
import Hummingbird

/// What can be asked about payments and done with them, with the rules of who may.
struct Payments: Sendable {
    let database: Database
    let store: PaymentStore
    let idempotency: Idempotency

    /// A payment of the user's own, or any for an administrator; for others it does not exist.
    func payment(_ id: PaymentID, for user: UserIdentity) async throws -> Payment {
        let payment = try await database.read { [store] in try store.payment(id, in: $0) }
        guard let payment, user.mayAct(for: payment.userID) else { throw PaymentError.notFound }
        return payment
    }

    func payments(ofOrder id: OrderID, for user: UserIdentity) async throws -> [Payment] {
        let payment = try await database.read { [store] in try store.payment(ofOrder: id, in: $0) }
        guard let payment, user.mayAct(for: payment.userID) else { return [] }
        return [payment]
    }

    func balances() async throws -> [Balance] {
        try await database.read { [store] in try store.balances(in: $0) }
    }

    /// Starts a refund: set aside at once, given back by a job.
    func refund(_ id: PaymentID, _ body: RefundBody, _ call: Call) async throws -> Response {
        try await idempotency.once(
            call, scope: "\(try call.user.id) refund \(id)", fingerprint: Idempotency.fingerprint(of: call, body: body)
        ) { _ in
        } commit: { [store] _, _, transaction in
            guard let payment = try store.payment(id, in: transaction) else { throw PaymentError.notFound }
            let amount = try body.amount(in: payment.amount.currency) ?? payment.refundable
            let refund = try store.openRefund(of: payment, amount, reason: body.reason, in: transaction)
            return try .json(RefundView(refund), status: .created)
        }
    }
}
