import Chassis
import ChassisStorage
import Commerce
import Hummingbird

/// The stock of a product, for those who run the shop.
struct StockController: Controller {
    let products: ProductStore
    let idempotency: Idempotency

    var routes: [Route] {
        [
            .patch("/api/products/{id}/stock", .administratorsAndServices, withdraw),
            .post("/api/products/{id}/restock", .administrators, restock),
            .get("/api/products/{id}/stock-movements", .administrators, movements),
        ]
    }

    private func withdraw(_ call: Call) async throws -> Response {
        let (id, body) = (try call.productID, try await call.body(StockWithdrawalBody.self))
        return try await idempotency.once(call, fingerprint: body.fingerprint) { transaction in
            try .product(products.withdraw(body.withdrawal, from: id, in: transaction))
        }
    }

    private func restock(_ call: Call) async throws -> Response {
        let (id, body) = (try call.productID, try await call.body(RestockBody.self))
        return try await idempotency.once(call, fingerprint: body.fingerprint) { transaction in
            try .product(products.restock(body.restocking, of: id, in: transaction))
        }
    }

    private func movements(_ call: Call) async throws -> Response {
        let request = try call.pageRequest()
        let page = try await products.movements(of: call.productID, limit: request.limit, before: try request.movementID)
        return try .page(page.map(StockMovementDocument.init), of: call)
    }
}

extension PageRequest {
    /// The movement before which the page begins; nil for the newest.
    fileprivate var movementID: Int64? {
        get throws(Problem) {
            guard let cursor else { return nil }
            guard let id = Int64(cursor), id > 0 else { throw .invalid("?cursor", "must be the cursor of a next page") }
            return id
        }
    }
}
