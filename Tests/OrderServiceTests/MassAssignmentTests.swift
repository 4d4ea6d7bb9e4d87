import Chassis
import ChassisTesting
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct MassAssignmentTests {
    @Test("an order costs what its products cost and begins as every order, whatever the body claims of it")
    func claims() async throws {
        try await TestShop.open { shop in
            let claims: [String: JSONValue] = [
                "id": 4711, "status": "delivered", "totalPrice": 1, "total": 1, "unitPrice": 1, "price": 1, "captured": 1, "refunded": 1,
                "paymentId": 1, "payment": ["status": "captured"], "reservationId": "r", "createdAt": "2001-01-01T00:00:00.000Z",
                "timeline": [],
            ]
            let line: [String: JSONValue] = ["productId": 1, "quantity": 2, "name": "Gift", "unitPrice": 0, "lineTotal": 0]
            let bodies: [JSONValue] = [
                .object(claims.merging(["productId": 1, "quantity": 2]) { $1 }),
                .object(claims.merging(["items": [.object(line)]]) { $1 }),
            ]
            for body in bodies {
                let reply = try await shop.place(body)
                #expect(reply.status == .created && reply.json["id"] != 4711)
                #expect(reply.json["totalPrice"] == 1998 && reply.json["status"] == "pending")
                let order = try await shop.client.get("/api/orders/\(reply.json["id"].integer ?? 0)", as: .user(1)).json
                #expect(order["items"][0]["name"] == "Laptop" && order["items"][0]["unitPrice"] == 999)
                #expect(order["payment"]["captured"] == 0 && order["timeline"].count == 1)
                #expect(order["createdAt"].string?.hasPrefix("2001") == false)
            }
        }
    }

    @Test("an order for another user is refused before anything is held")
    func somebodyElse() async throws {
        try await TestShop.open { shop in
            let reply = try await shop.place(["userId": 2, "productId": 1, "quantity": 1])
            #expect(reply.status == .forbidden)
            #expect(shop.stock.requests.isEmpty)
            #expect(try await shop.client.get("/api/orders", as: .user(2)).json.count == 0)
        }
    }
}
