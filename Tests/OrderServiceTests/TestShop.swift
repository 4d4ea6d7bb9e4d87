import Chassis
import ChassisEvents
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Logging
import Testing

@testable import OrderService

/// A real order-service on a loopback port between neighbours that a test plays.
struct TestShop: Sendable {
    let client: TestClient
    let identities: TestIdentities
    let stock: FakeStock
    let payments: Neighbour
    let products: Neighbour
    let users: Neighbour
    /// Every route of the service.
    let routes: [Route]

    static func open(
        stock: FakeStock = FakeStock(), time: TimeSource = .system, payments feed: (EventSource) -> EventSource = { $0 },
        _ body: @escaping @Sendable (TestShop) async throws -> Void
    ) async throws {
        let harness = try ServiceHarness(.orders, time: time)
        let payments = try await Neighbour(.payments, time)
        let products = try await Neighbour(.products, time)
        let users = try await Neighbour(.users, time)
        let neighbours = OrderService.Neighbours(
            products: stock.products, payments: feed(payments.source), stock: products.source, users: users.source, close: {})
        let service = try await OrderService.assemble(.init(database: .sqliteMemory), harness.platform, neighbours)
        try await harness.run(service) { client in
            try await body(
                TestShop(
                    client: client, identities: harness.identities, stock: stock, payments: payments, products: products, users: users,
                    routes: service.routes))
        }
        for neighbour in [payments, products, users] { await neighbour.close() }
    }

    /// Places an order of laptops and returns its id.
    func order(_ quantity: Int64 = 1, as caller: TestCaller = .user(1), key: String? = nil) async throws -> Int64 {
        let reply = try await place(["productId": 1, "quantity": .integer(quantity)], as: caller, key: key)
        #expect(reply.status == .created)
        return try #require(reply.json["id"].integer)
    }

    func place(_ body: JSONValue, as caller: TestCaller = .user(1), key: String? = nil) async throws -> TestClient.Reply {
        try await client.post("/api/orders", body, as: caller, headers: key.map { [.idempotencyKey: $0] } ?? [:])
    }

    func status(of id: Int64) async throws -> String? {
        try await client.get("/api/orders/\(id)", as: .administrator).json["status"].string
    }

    /// Returns once the order has this status. It is asked again and again because its events come on their own time.
    func reaches(_ status: String, _ id: Int64) async throws {
        try await eventually("order \(id) is \(status)") { try await self.status(of: id) == status }
    }

    /// The events of a type that this service has said.
    func said(_ type: (some Event).Type) async throws -> [JSONValue] {
        let reply = try await client.get("/internal/events?after=0&limit=500", as: .service(.notifications))
        return reply.json.array.filter { $0["type"].string == type.eventType }.map { $0["data"] }
    }
}
