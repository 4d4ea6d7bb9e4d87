import Chassis
import ChassisStorage
import Commerce
import HTTPTypes
import Hummingbird

/// The catalog: `/api/products` and `/api/categories`.
struct ProductsController: Controller {
    let products: ProductStore
    let cache: CatalogCache
    let idempotency: Idempotency

    var routes: [Route] {
        [
            .get("/api/products", .anyone, list),
            .get("/api/products/{id}", .anyone, show),
            .post("/api/products", .administrators, add),
            .patch("/api/products/{id}", .administrators, change),
            .delete("/api/products/{id}", .administrators, archive),
            .get("/api/categories", .anyone, categories),
        ]
    }

    // MARK: Reading

    private func list(_ call: Call) async throws -> Response {
        try await cache.response(for: call.target) {
            let page = try await products.page(CatalogQuery(call))
            return try .page(page.map(ProductDocument.init), of: call)
        }
    }

    private func show(_ call: Call) async throws -> Response {
        let response = try await cache.response(for: call.target) {
            try .product(try await products.product(call.productID))
        }
        return response.unlessKnown(to: call.request)
    }

    private func categories(_ call: Call) async throws -> Response {
        try await cache.response(for: call.target) {
            try .json(try await products.categories().map(CategoryDocument.init))
        }
    }

    // MARK: Changing

    private func add(_ call: Call) async throws -> Response {
        let body = try await call.body(NewProductBody.self)
        return try await idempotency.once(call, fingerprint: body.fingerprint) { transaction in
            try .product(products.add(body.product, in: transaction), status: .created)
        }
    }

    private func change(_ call: Call) async throws -> Response {
        let body = try await call.body(ProductChangeBody.self)
        return try .product(try await products.change(call.productID, body.change, if: VersionCondition(call.request.headers)))
    }

    private func archive(_ call: Call) async throws -> Response {
        try await products.archive(call.productID, if: VersionCondition(call.request.headers))
        return .noContent
    }
}
