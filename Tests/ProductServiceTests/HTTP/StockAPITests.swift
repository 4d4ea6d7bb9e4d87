import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ProductService

@Suite("Stock over HTTP")
struct StockAPITests {
    @Test("taking from stock answers with the product; more than there is is a 400 Insufficient stock")
    func withdraw() async throws {
        try await withService(demo: true) { client in
            let reply = try await client.patch("/api/products/1/stock", ["quantity": 4], as: .service(.orders))
            #expect(reply.status == .ok && reply.json["id"] == 1 && reply.json["stock"] == 6)
            let refused = try await client.patch("/api/products/1/stock", ["quantity": 7], as: .administrator)
            #expect(refused.status == .badRequest && refused.json["error"] == "Insufficient stock")
            #expect(refused.json["type"] == "urn:souk:problem:insufficient-stock")
            let unknown = try await client.patch("/api/products/99/stock", ["quantity": 1], as: .administrator)
            #expect(unknown.status == .notFound && unknown.json["error"] == "Product not found")
        }
    }

    @Test("every change of stock is a movement with its reason")
    func movements() async throws {
        try await withService(demo: true) { client in
            _ = try await client.patch("/api/products/1/stock", ["quantity": 1], as: .administrator)
            _ = try await client.patch(
                "/api/products/1/stock", ["quantity": 2, "kind": "adjustment", "reason": "broken"], as: .administrator)
            let restocked = try await client.post("/api/products/1/restock", ["quantity": 5, "reason": "delivery 77"], as: .administrator)
            #expect(restocked.status == .ok && restocked.json["stock"] == 12)
            let reply = try await client.get("/api/products/1/stock-movements?limit=3", as: .administrator)
            let list = reply.json
            #expect((0..<3).map { list[$0]["kind"] } == ["received", "adjustment", "sale"])
            #expect((0..<3).map { list[$0]["delta"] } == [5, -2, -1])
            #expect((0..<3).map { list[$0]["balance"] } == [12, 7, 9])
            #expect(list[0]["reason"] == "delivery 77" && list[1]["reason"] == "broken")
            #expect(reply.headers[.link]?.contains("rel=\"next\"") == true)
            #expect(try await client.get("/api/products/99/stock-movements", as: .administrator).status == .notFound)
            #expect(try await client.get("/api/products/1/stock-movements?cursor=x", as: .administrator).status == .badRequest)
        }
    }

    @Test("an adjustment must say why, and only sales and adjustments are made by hand")
    func reasons() async throws {
        try await withService(demo: true) { client in
            let bodies: [JSONValue] = [
                ["quantity": 1, "kind": "adjustment"], ["quantity": 1, "kind": "received", "reason": "x"], ["quantity": 1, "kind": 5],
                ["quantity": 1, "reason": "  "],
            ]
            for body in bodies {
                #expect(try await client.patch("/api/products/1/stock", body, as: .administrator).status == .badRequest)
            }
            let reply = try await client.post("/api/products/1/restock", ["quantity": 1], as: .administrator)
            #expect(reply.status == .badRequest && reply.json["errors"][0]["pointer"] == "/reason")
            #expect(try await client.get("/api/products/1").json["stock"] == 10)
        }
    }

    @Test("50 equal restocks with one Idempotency-Key restock once")
    func idempotentRestock() async throws {
        try await withService(demo: true) { client in
            try await withThrowingTaskGroup(of: TestClient.Reply.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await client.post(
                            "/api/products/1/restock", ["quantity": 5, "reason": "delivery"], as: .administrator,
                            headers: [.idempotencyKey: "once"])
                    }
                }
                for try await reply in group { #expect(reply.status == .ok && reply.json["stock"] == 15 || reply.status == .conflict) }
            }
            #expect(try await client.get("/api/products/1").json["stock"] == 15)
        }
    }

    @Test("100 customers at once for 10 pieces: exactly 10 get one")
    func concurrency() async throws {
        try await withService(demo: true) { client in
            let sold = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 {
                    group.addTask { try await client.patch("/api/products/1/stock", ["quantity": 1], as: .administrator).status == .ok }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(sold == 10)
            #expect(try await client.get("/api/products/1").json["stock"] == 0)
        }
    }
}
