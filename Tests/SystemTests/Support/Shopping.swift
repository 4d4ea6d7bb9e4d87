import Chassis
import ChassisTesting
import Commerce
import Foundation
import HTTPTypes

extension JSONValue {
    /// A number, exact.
    var decimal: Decimal? {
        switch self {
        case .integer(let value): Decimal(value)
        case .decimal(let value): value
        default: nil
        }
    }
}

extension HTTPField.Name {
    static let link = HTTPField.Name("Link")!
    static let idempotency = HTTPField.Name("Idempotency-Key")!
    static let replayed = HTTPField.Name("Idempotency-Replayed")!
    static let tokenChallenge = HTTPField.Name("WWW-Authenticate")!
}

/// What customers and administrators do, through the gateway.
extension SystemShop {
    /// Registers somebody and returns the id.
    func addCustomer() async throws -> Int64 {
        let email = "\(UUID().uuidString.lowercased())@example.com"
        let body: JSONValue = ["name": "Ada", "email": .string(email), "password": "a password for the tests of Souk"]
        let reply = try await client.post("/api/users/register", body)
        guard reply.status == .created, let id = reply.json["id"].integer else { throw unexpected(reply) }
        return id
    }

    /// Adds a product to the catalog and returns its id.
    func addProduct(price: JSONValue = 10, stock: Int64, named name: String = "Lamp") async throws -> Int64 {
        let body: JSONValue = ["name": .string(name), "price": price, "stock": .integer(stock)]
        let reply = try await client.post("/api/products", body, as: administrator)
        guard reply.status == .created, let id = reply.json["id"].integer else { throw unexpected(reply) }
        return id
    }

    /// What can be bought now.
    func stock(of product: Int64) async throws -> Int64 {
        let reply = try await client.get("/api/products/\(product)")
        guard reply.status == .ok, let stock = reply.json["stock"].integer else { throw unexpected(reply) }
        return stock
    }

    /// Places an order of one line and returns its id.
    func order(_ product: Int64, quantity: Int64 = 1, method: String = "tok_visa", by customer: Customer) async throws -> Int64 {
        let body: JSONValue = ["productId": .integer(product), "quantity": .integer(quantity), "paymentMethod": .string(method)]
        let reply = try await client.post("/api/orders", body, as: customer.caller)
        guard reply.status == .created, let id = reply.json["id"].integer else { throw unexpected(reply) }
        return id
    }

    /// The order as its owner sees it.
    func order(_ id: Int64, of customer: Customer) async throws -> JSONValue {
        let reply = try await client.get("/api/orders/\(id)", as: customer.caller)
        guard reply.status == .ok else { throw unexpected(reply) }
        return reply.json
    }

    /// Waits until the order is no longer pending, and returns it.
    func outcome(of id: Int64, of customer: Customer) async throws -> JSONValue {
        try await eventually("order \(id) is paid or cancelled") {
            let order = try await order(id, of: customer)
            return order["status"] == "pending" ? JSONValue?.none : order
        }
    }

    /// The payments of an order, as an administrator sees them.
    func payments(of order: Int64) async throws -> [JSONValue] {
        let reply = try await client.get("/api/payments?orderId=\(order)", as: administrator)
        guard reply.status == .ok else { throw unexpected(reply) }
        return reply.json.array
    }

    /// The subjects' kinds of all messages that tell the customer of this order.
    func messages(about order: Int64, to customer: Customer) async throws -> [String] {
        try await all("/api/notifications?limit=200", as: customer.caller)
            .filter { $0["subject"].string?.split(separator: " ").contains("\(order)") ?? false }
            .compactMap { $0["kind"].string }
    }

    /// The ledger: the sum over all accounts, and what the provider owes the shop.
    func ledger() async throws -> (sums: [Decimal], provider: Decimal) {
        let reply = try await client.get("/api/payments/ledger", as: administrator)
        guard reply.status == .ok else { throw unexpected(reply) }
        let provider = reply.json["accounts"].array.filter { $0["account"] == "provider" }.compactMap { $0["balance"].decimal }
        return (reply.json["sums"].array.compactMap { $0["sum"].decimal }, provider.reduce(0, +))
    }

    /// A whole list, page after page.
    func all(_ path: String, as caller: TestCaller) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        var next: String? = path
        while let path = next {
            let reply = try await client.get(path, as: caller)
            guard reply.status == .ok else { throw unexpected(reply) }
            found += reply.json.array
            next = reply.headers[.link].flatMap { link in
                guard link.contains("rel=\"next\""), let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">") else {
                    return nil
                }
                return String(link[link.index(after: start)..<end])
            }
        }
        return found
    }

    func unexpected(_ reply: TestClient.Reply) -> NotInTime {
        NotInTime(description: "an answer that nobody expected: \(reply.status) \(reply.text)")
    }
}
