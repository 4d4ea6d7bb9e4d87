import Chassis
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct CheckoutTests {
    @Test("one product makes an order with the members of the reference API")
    func oneLine() async throws {
        try await TestShop.open { shop in
            let reply = try await shop.place(["productId": 2, "quantity": 2])
            #expect(reply.status == .created)
            #expect(
                reply.json.members == ["id", "userId", "items", "totalPrice", "currency", "status", "createdAt", "productId", "quantity"])
            let id = try #require(reply.json["id"].integer)
            #expect(reply.headers[.location] == "/api/orders/\(id)")
            #expect(reply.json["userId"] == 1)
            #expect(reply.json["productId"] == 2)
            #expect(reply.json["quantity"] == 2)
            #expect(reply.json["totalPrice"] == .decimal(try #require(Decimal(string: "1399.8"))))
            #expect(reply.json["currency"] == "USD")
            #expect(reply.json["status"] == "pending")
            let line = reply.json["items"][0]
            #expect(line.members == ["productId", "name", "unitPrice", "quantity", "lineTotal"])
            #expect(line["name"] == "Phone")
            #expect(line["unitPrice"] == .decimal(try #require(Decimal(string: "699.9"))))
            #expect(line["lineTotal"] == reply.json["totalPrice"])
            #expect(shop.stock.available(2) == 998)
        }
    }

    @Test("several products make one order, with its address, its history and its payment")
    func severalLines() async throws {
        try await TestShop.open { shop in
            let address: JSONValue = ["name": "Ada", "line1": "1 Main St", "city": "London", "postalCode": "N1", "country": "GB"]
            let reply = try await shop.place([
                "items": [["productId": 2, "quantity": 1], ["productId": 1, "quantity": 3]], "paymentMethod": "tok_flaky",
                "currency": "USD", "shippingAddress": address, "userId": 1, "unknown": "ignored",
            ])
            #expect(reply.status == .created)
            #expect(reply.json["productId"] == .null && reply.json["quantity"] == .null)
            #expect(reply.json["items"].array.compactMap { $0["productId"].integer } == [2, 1])
            let id = try #require(reply.json["id"].integer)
            let order = try await shop.client.get("/api/orders/\(id)", as: .user(1))
            #expect(order.status == .ok)
            #expect(order.json["totalPrice"] == .decimal(try #require(Decimal(string: "3696.9"))))
            #expect(order.json["shippingAddress"] == address)
            #expect(order.json["timeline"].array.count == 1)
            #expect(order.json["timeline"][0]["status"] == "pending")
            #expect(order.json["timeline"][0]["at"] == reply.json["createdAt"])
            #expect(order.json["payment"]["status"] == "pending")
            let placed = try await shop.said(OrderPlaced.self)
            #expect(placed.count == 1 && placed[0]["paymentMethod"] == "tok_flaky" && placed[0]["lines"].array.count == 2)
        }
    }

    @Test("an order beyond the stock, or of an unknown product, fails in the words of the reference API and holds nothing")
    func refusals() async throws {
        try await TestShop.open(stock: FakeStock(laptops: 3)) { shop in
            let short = try await shop.place(["productId": 1, "quantity": 4])
            #expect(short.status == .badRequest)
            #expect(short.json["error"] == "Failed to create order")
            #expect(short.json["details"]["error"] == "Insufficient stock")
            #expect(short.json["type"] == "urn:souk:problem:insufficient-stock")
            #expect(short.headers[.contentType] == "application/problem+json")

            let unknown = try await shop.place(["items": [["productId": 1, "quantity": 1], ["productId": 77, "quantity": 1]]])
            #expect(unknown.status == .notFound)
            #expect(unknown.json["error"] == "Failed to create order")
            #expect(unknown.json["details"]["error"] == "Product not found")

            #expect(shop.stock.available(1) == 3)
            #expect(try await shop.said(OrderPlaced.self).isEmpty)
        }
    }

    @Test("while product-service is away an order is a 503 that says when to come back, and the same key then works")
    func unavailable() async throws {
        try await TestShop.open { shop in
            for error in [ProductsError.unavailable, .overloaded, .timedOut] {
                // Of a lost answer nobody knows whether the pieces are held: here they are.
                shop.stock.failNext(error, isCarriedOut: error == .timedOut)
                let key = "key of \(error)"
                let first = try await shop.place(["productId": 1, "quantity": 1], key: key)
                #expect(first.status == .serviceUnavailable)
                #expect(first.headers[.retryAfter] == "1")
                #expect(first.json["error"] == "Failed to create order")
                let second = try await shop.place(["productId": 1, "quantity": 1], key: key)
                #expect(second.status == .created)
                #expect(second.headers[.idempotencyReplayed] == nil)
            }
            #expect(shop.stock.heldCount == 3)
            #expect(shop.stock.available(1) == 997)
            #expect(try await shop.said(OrderPlaced.self).count == 3)
        }
    }

    @Test("200 orders at once for the last 10 pieces: exactly 10 succeed")
    func lastPieces() async throws {
        try await TestShop.open(stock: FakeStock(laptops: 10)) { shop in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for user in 1...200 {
                    group.addTask { try await shop.place(["productId": 1, "quantity": 1], as: .user(Int64(user))).status.code }
                }
                return try await group.reduce(into: [:]) { counts, status in counts[status, default: 0] += 1 }
            }
            #expect(statuses == [201: 10, 400: 190])
            #expect(shop.stock.available(1) == 0)
            #expect(try await shop.said(OrderPlaced.self).count == 10)
        }
    }

    @Test("only an administrator orders for somebody else")
    func forOthers() async throws {
        try await TestShop.open { shop in
            let other = try await shop.place(["productId": 1, "quantity": 1, "userId": 2], as: .user(1))
            #expect(other.status == .forbidden)
            #expect(shop.stock.requests.isEmpty)
            let admin = try await shop.place(["productId": 1, "quantity": 1, "userId": 2], as: .administrator)
            #expect(admin.status == .created && admin.json["userId"] == 2)
            let id = try #require(admin.json["id"].integer)
            #expect(try await shop.client.get("/api/orders/\(id)", as: .user(2)).status == .ok)
        }
    }

    @Test("with nobody at product-service's address an order is a 503, and the rest of the service works")
    func nobodyThere() async throws {
        let harness = try ServiceHarness(.orders)
        let service = try await OrderService.assemble(.init(database: .sqliteMemory), harness.platform)
        try await harness.run(service) { client in
            for _ in 0..<20 {
                let reply = try await client.post("/api/orders", ["productId": 1, "quantity": 1], as: .user(1))
                #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] == "1")
            }
            #expect(try await client.get("/api/orders", as: .user(1)).status == .ok)
            #expect(try await client.get("/ready").status == .ok)
        }
    }

    @Test("a reservation is given back only after a failure that surely left no order")
    func certainty() {
        let certain: [any Error] = [OrderError.totalTooLarge, StorageError.overloaded, StorageError.busy, CancellationError()]
        let uncertain: [any Error] = [StorageError.diskFull, StorageError.unavailable, StorageError.corrupt, EncodingFailure()]
        for error in certain { #expect(Checkout.leavesNoOrder(error), "\(error)") }
        for error in uncertain { #expect(!Checkout.leavesNoOrder(error), "\(error)") }
    }

    private struct EncodingFailure: Error {}

    @Test("what is reserved for an order that cannot be is given back; under a client's key it is left to its lease")
    func givenBack() async throws {
        try await TestShop.open { shop in
            let body: JSONValue = ["productId": 1, "quantity": 1, "currency": "EUR"]
            let anonymous = try await shop.place(body)
            #expect(anonymous.status == .badRequest)
            #expect(anonymous.json["errors"][0]["pointer"] == "/currency")
            #expect(shop.stock.releases == shop.stock.requests.map(\.id))
            #expect(shop.stock.heldCount == 0)
            #expect(try await shop.place(body, key: "k").status == .badRequest)
            #expect(shop.stock.heldCount == 1)
            let mixed = try await shop.place(["items": [["productId": 1, "quantity": 1], ["productId": 3, "quantity": 1]]])
            #expect(mixed.status == .badRequest && mixed.json["errors"][0]["pointer"] == "/items")
        }
    }
}
