import Chassis
import ChassisEvents
import Commerce
import HTTPTypes
import Hummingbird

/// What people may ask about payments, and what administrators may do.
struct PaymentsController: Controller {
    let payments: Payments

    var routes: [Route] {
        [
            .get("/api/payments", .users, list),
            .get("/api/payments/ledger", .administrators, ledger),
            .get("/api/payments/{id}", .users, get),
            .post("/api/payments/{id}/refunds", .administrators, refund),
        ]
    }

    private func get(_ call: Call) async throws -> Response {
        let id = try call.id(of: PaymentEntity.self, orElse: PaymentError.notFound.problem)
        return try .json(PaymentView(try await payments.payment(id, for: try call.user)))
    }

    private func list(_ call: Call) async throws -> Response {
        guard let text = call.query("orderId") else { throw Problem.invalid("?orderId", "is required") }
        guard let order = OrderID(text) else { throw Problem.invalid("?orderId", "must be the id of an order") }
        return try .json(try await payments.payments(ofOrder: order, for: try call.user).map(PaymentView.init))
    }

    private func refund(_ call: Call) async throws -> Response {
        let id = try call.id(of: PaymentEntity.self, orElse: PaymentError.notFound.problem)
        return try await payments.refund(id, try await call.body(), call)
    }

    private func ledger(_ call: Call) async throws -> Response {
        try .json(LedgerView(try await payments.balances()))
    }
}
