import Chassis
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ProductService

@Suite("Reservations over HTTP")
struct ReservationsAPITests {
    private static func reserve(_ requests: [ReservationRequest], _ client: TestClient) async throws -> TestClient.Reply {
        let body = try JSON.encodedData(ReservationBatch(reservations: requests))
        return try await client.send(.post, "/internal/reservations", bytes: body, as: .service(.orders))
    }

    private static func request(_ id: String, _ lines: (Int64, Int64)...) throws -> ReservationRequest {
        ReservationRequest(
            id: id, lines: try lines.map { ReservationLine(productID: try product($0.0), quantity: try pieces($0.1)) })
    }

    @Test("a batch is answered in its order, in the words of the contract")
    func batch() async throws {
        try await withService(demo: true) { client in
            let reply = try await Self.reserve(
                [try Self.request("a", (1, 2), (2, 1)), try Self.request("b", (1, 9)), try Self.request("c", (99, 1))], client)
            #expect(reply.status == .ok)
            let outcomes = try JSONDecoder().decode(ReservationReplies.self, from: reply.body).outcomes
            guard case .reserved(let lines, _) = outcomes[0] else { return #expect(Bool(false), "not reserved") }
            #expect(lines.map(\.name) == ["Laptop", "Phone"] && lines.map(\.unitPrice.minorUnits) == [99900, 69900])
            #expect(outcomes[1] == .insufficientStock(try product(1), available: 8))
            #expect(outcomes[2] == .unknownProduct(try product(99)))
            #expect(try await client.get("/api/products/1").json["stock"] == 8)
        }
    }

    @Test("giving up: 204 as often as one likes, 404 for an unknown id")
    func giveUp() async throws {
        try await withService(demo: true) { client in
            _ = try await Self.reserve([try Self.request("a", (1, 2))], client)
            for _ in 0..<2 {
                #expect(try await client.delete("/internal/reservations/a", as: .service(.orders)).status == .noContent)
            }
            #expect(try await client.get("/api/products/1").json["stock"] == 10)
            #expect(try await client.delete("/internal/reservations/b", as: .service(.orders)).status == .notFound)
        }
    }

    @Test("committing: sold once, as often as it is asked; what others have bought meanwhile is lost; 404 for an unknown id")
    func commit() async throws {
        try await withService(demo: true) { client in
            func commit(_ id: String) async throws -> TestClient.Reply {
                try await client.post("/internal/reservations/\(id)/commit", ["orderID": 7], as: .service(.orders))
            }
            _ = try await Self.reserve([try Self.request("a", (1, 2))], client)
            for _ in 0..<2 {
                let reply = try await commit("a")
                #expect(reply.status == .ok && reply.json["isCommitted"] == true, "\(reply.text)")
                #expect(try await client.get("/api/products/1").json["stock"] == 8)
            }
            _ = try await Self.reserve([try Self.request("b", (1, 8))], client)
            #expect(try await client.delete("/internal/reservations/b", as: .service(.orders)).status == .noContent)
            _ = try await Self.reserve([try Self.request("c", (1, 1))], client)
            for _ in 0..<2 { #expect(try await commit("b").json["isCommitted"] == false) }
            #expect(try await client.get("/api/products/1").json["stock"] == 7)
            #expect(try await commit("d").status == .notFound)
        }
    }

    @Test("200 orders at once for the last 10 pieces: exactly 10 are reserved, and none of the shop's stock is ever below zero")
    func lastPieces() async throws {
        try await withService(demo: true) { client in
            let reserved = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let reply = try await Self.reserve([try Self.request("r\(number)", (1, 1))], client)
                        return try JSONDecoder().decode(ReservationReplies.self, from: reply.body).outcomes[0].isReserved
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(reserved == 10)
            #expect(try await client.get("/api/products/1").json["stock"] == 0)
            #expect(try await client.get("/internal/status", as: .service(.orders)).json["reservationsHeld"] == 10)
        }
    }

    @Test("a batch that breaks the contract is refused whole")
    func invalid() async throws {
        try await withService(demo: true) { client in
            let batches = [
                [try Self.request("a", (1, 1), (1, 1))], [try Self.request("")], [try Self.request("a")], [try Self.request("", (1, 1))],
                [try Self.request("ünicode", (1, 1))], [try Self.request(String(repeating: "x", count: 65), (1, 1))],
                try (0...ReservationBatch.largest).map { try Self.request("r\($0)", (1, 1)) },
                [try Self.request("fine", (1, 1)), try Self.request("a b", (2, 1))],
            ]
            for batch in batches { #expect(try await Self.reserve(batch, client).status == .badRequest) }
            for body in [
                "{}", "[]", "{\"reservations\":[{\"id\":\"a\",\"lines\":[{\"productID\":1,\"quantity\":0}]}]}", "{\"reservations\":5}",
                "nonsense",
            ] {
                let reply = try await client.send(.post, "/internal/reservations", bytes: Data(body.utf8), as: .service(.orders))
                #expect(reply.status == .badRequest)
            }
            #expect(try await client.get("/api/products/1").json["stock"] == 10)
        }
    }
}
