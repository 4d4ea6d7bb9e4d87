import Chassis
import ChassisStorage
import Commerce
import HTTPTypes
import Hummingbird

// What the controllers share: reading a product's id, and answering with a product.

extension Call {
    /// Path and query as they came.
    var target: String { request.uri.string }

    /// The product in the path; what is no id is unknown like any other.
    var productID: ProductID {
        get throws(Problem) { try id(of: ProductEntity.self, orElse: ProductError.notFound.problem) }
    }

    /// Who calls and what for: a key of one caller or route says nothing about another's.
    fileprivate var idempotencyScope: String {
        let caller =
            switch self.caller {
            case .anonymous: "anonymous"
            case .user(let user): "user \(user.id)"
            case .service(let name): "service \(name)"
            }
        return "\(caller) \(request.method.rawValue) \(request.uri.path)"
    }
}

extension Response {
    /// A product with its `ETag`.
    static func product(_ product: Product) throws -> Response {
        try .json(ProductDocument(product), headers: [.eTag: EntityTag(of: product).text])
    }
}

extension RecordedResponse {
    /// A product with its `ETag`, and with its `Location` when it is new.
    static func product(_ product: Product, status: HTTPResponse.Status = .ok) throws -> RecordedResponse {
        var headers: HTTPFields = [.eTag: EntityTag(of: product).text]
        if status == .created { headers[.location] = "/api/products/\(product.id)" }
        return try .json(ProductDocument(product), status: status, headers: headers)
    }
}

extension Idempotency {
    /// Runs `effect` once per `Idempotency-Key`, in one transaction with the stored response.
    func once(
        _ call: Call, fingerprint: [String], effect: @escaping @Sendable (Transaction) throws -> RecordedResponse
    ) async throws -> Response {
        try await once(
            call, scope: call.idempotencyScope, fingerprint: Self.fingerprint(of: call, body: fingerprint),
            prepare: { _ in true }, commit: { _, _, transaction in try effect(transaction) })
    }
}
