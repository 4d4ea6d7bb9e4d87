import Chassis
import Contracts
import Foundation
import HTTPTypes
import Synchronization

@testable import Simulation

/// The trade of a shop that runs well: customers order at a steady rate, the administrator ships what is paid every day. Some pay with a card that
/// is refused, some cancel, some get their money back, some ask again under a key of long ago.
final class Trade: Sendable {
    private struct State {
        var orders = 0
        var accepted: [(id: Int64, key: String)] = []
        var unexpected: [String] = []
    }

    /// Those of some days.
    private static let manyOrders = OldShop.ordersPerDay * 3
    private static let customer: Int64 = 1
    private static let administrator: Int64 = 9
    private static let body = Data(#"{"items":[{"productId":1,"quantity":1},{"productId":2,"quantity":2}]}"#.utf8)
    private static let refused = Data(#"{"productId":3,"quantity":1,"paymentMethod":"tok_declined"}"#.utf8)

    private let world: World
    private let transport: HTTPTransport
    private let authorization: [Int64: String]
    private let state = Mutex(State())

    init(_ shop: SimulatedShop) throws {
        world = shop.world
        transport = shop.network.transport(of: nil)
        authorization = [
            Self.customer: "Bearer \(try shop.tokens.token(for: Self.customer, .customer))",
            Self.administrator: "Bearer \(try shop.tokens.token(for: Self.administrator, .admin))",
        ]
    }

    var accepted: Int { state.withLock(\.accepted.count) }
    /// Answers that a shop that runs well does not give.
    var unexpected: [String] { state.withLock(\.unexpected) }

    /// Puts three products on the shelf, with more pieces than will ever be sold.
    func stock() async {
        for product in 1...3 {
            await expect(
                .created, .post, .products, "/api/products", Data(#"{"name":"Thing \#(product)","price":9.95,"stock":1000000}"#.utf8),
                as: Self.administrator)
        }
    }

    /// One order of the day; every sixth will not be paid.
    func order() async {
        let number = state.withLock { state in
            state.orders += 1
            return state.orders
        }
        let key = "order-\(number)"
        let reply = await expect(
            .created, .post, .orders, "/api/orders", number.isMultiple(of: 6) ? Self.refused : Self.body, as: Self.customer, key: key)
        guard case .object(let members)? = reply, case .integer(let id)? = members["id"] else { return }
        state.withLock { $0.accepted.append((id, key)) }
    }

    /// What else a day brings, once its orders are paid: the first is cancelled, the others are shipped; one that came back is refunded.
    func closeOfDay() async {
        for (index, id) in await paidOrders().enumerated() {
            if index == 0 {
                await expect(.ok, .post, .orders, "/api/orders/\(id)/cancel", nil, as: Self.customer)
            } else {
                await expect(.ok, .post, .orders, "/api/orders/\(id)/ship", nil, as: Self.administrator)
                await expect(.ok, .post, .orders, "/api/orders/\(id)/deliver", nil, as: Self.administrator)
                if index == 1 { await refund(id) }
            }
        }
    }

    private func paidOrders() async -> [Int64] {
        let reply = await expect(.ok, .get, .orders, "/api/orders?status=paid&limit=200", nil, as: Self.administrator)
        guard case .array(let orders)? = reply else { return [] }
        return orders.compactMap { order in
            guard case .object(let members) = order, case .integer(let id)? = members["id"] else { return nil }
            return id
        }
    }

    private func refund(_ order: Int64) async {
        let reply = await expect(.ok, .get, .payments, "/api/payments?orderId=\(order)", nil, as: Self.administrator)
        guard case .array(let payments)? = reply, case .object(let payment)? = payments.first, case .integer(let id)? = payment["id"] else {
            return
        }
        await expect(
            .created, .post, .payments, "/api/payments/\(id)/refunds", Data(#"{"amount":1.5,"reason":"damaged"}"#.utf8),
            as: Self.administrator, key: "refund-\(order)")
    }

    /// Somebody asks again under the key of the very first order that was paid, whose response is long forgotten.
    func askAgain() async {
        guard let first = state.withLock({ $0.accepted.count > Self.manyOrders ? $0.accepted.first : nil }) else { return }
        await expect(.conflict, .post, .orders, "/api/orders", Self.body, as: Self.customer, key: first.key)
    }

    /// Reads every list and document that visitors, customers and the administrator can read.
    func lookAround() async {
        for path in [
            "", "/1", "?search=thing", "?sort=price&inStock=true", "?sort=-price&category=things", "?sort=name", "?sort=newest",
            "?minPrice=1&maxPrice=100&category=things", "/1/stock-movements?limit=5",
        ] {
            await expect(.ok, .get, .products, "/api/products\(path)", nil, as: Self.administrator)
        }
        await expect(.ok, .get, .products, "/api/categories", nil, as: Self.customer)
        for path in ["?limit=5", "?status=delivered&limit=5", "/user/1?limit=5", "/1"] {
            await expect(.ok, .get, .orders, "/api/orders\(path)", nil, as: Self.customer)
            await expect(.ok, .get, .orders, "/api/orders\(path)", nil, as: Self.administrator)
        }
        for path in ["?orderId=1", "/1", "/ledger"] {
            await expect(.ok, .get, .payments, "/api/payments\(path)", nil, as: Self.administrator)
        }
        await expect(.ok, .get, .notifications, "/api/notifications?limit=5", nil, as: Self.customer)
        for service in [ServiceName.products, .orders, .payments, .notifications] {
            await expect(.ok, .get, service, "/internal/status", nil, as: Self.administrator)
            await expect(.ok, .get, service, "/internal/dead-letters", nil, as: Self.administrator)
        }
    }

    /// The body of the answer, or nil when it has another status.
    @discardableResult
    private func expect(
        _ status: HTTPResponse.Status, _ method: HTTPRequest.Method, _ service: ServiceName, _ path: String, _ body: Data?, as user: Int64,
        key: String? = nil
    ) async -> JSONValue? {
        var headers: HTTPFields = [.authorization: authorization[user] ?? ""]
        if let key { headers[.idempotencyKey] = key }
        if body != nil { headers[.contentType] = "application/json" }
        let url = "http://127.0.0.1:\(ServiceSettings.standardPortBase + service.portOffset)\(path)"
        do throws(TransportError) {
            let reply = try await transport.send(
                OutboundRequest(method: method, url: url, headers: headers, body: body), timeout: .seconds(15))
            if reply.status == status { return try? JSONValue.parse(reply.body) }
            note("\(method) \(path): \(reply.status.code) \(String(decoding: reply.body, as: UTF8.self))")
        } catch {
            note("\(method) \(path): \(error)")
        }
        return nil
    }

    private func note(_ problem: String) { state.withLock { $0.unexpected.append(problem) } }
}
