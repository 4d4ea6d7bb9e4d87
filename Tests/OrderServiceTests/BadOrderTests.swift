import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import OrderService

@Suite struct BadOrderTests {
    /// A body, and where its mistakes are.
    private static let mistakes: [(String, [String])] = [
        ("{}", ["/productId", "/quantity"]),
        (#"{"productId":1}"#, ["/quantity"]),
        (#"{"quantity":1}"#, ["/productId"]),
        (#"{"productId":1,"quantity":0}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":-1}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":1.5}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":1e30}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":1000001}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":99999999999999999999}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":"3"}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":true}"#, ["/quantity"]),
        (#"{"productId":1,"quantity":null}"#, ["/quantity"]),
        (#"{"productId":0,"quantity":1}"#, ["/productId"]),
        (#"{"productId":-1,"quantity":1}"#, ["/productId"]),
        (#"{"productId":"1","quantity":1}"#, ["/productId"]),
        (#"{"productId":1.5,"quantity":1}"#, ["/productId"]),
        (#"{"productId":99999999999999999999,"quantity":1}"#, ["/productId"]),
        (#"{"productId":[],"quantity":{}}"#, ["/productId", "/quantity"]),
        (#"{"items":[]}"#, ["/items"]),
        (#"{"items":{}}"#, ["/items"]),
        (#"{"items":null}"#, ["/items"]),
        (#"{"items":[1]}"#, ["/items/0"]),
        (#"{"items":[{"productId":1,"quantity":1},{"productId":2}]}"#, ["/items/1/quantity"]),
        (#"{"items":[{"productId":1,"quantity":1},{"productId":2,"quantity":1},{"productId":1,"quantity":2}]}"#, ["/items/2/productId"]),
        (#"{"items":[{"productId":1,"quantity":1}],"productId":1,"quantity":1}"#, ["/productId", "/quantity"]),
        (#"{"productId":1,"quantity":1,"userId":"x"}"#, ["/userId"]),
        (#"{"productId":1,"quantity":1,"userId":-4}"#, ["/userId"]),
        (#"{"productId":1,"quantity":1,"currency":"XXX"}"#, ["/currency"]),
        (#"{"productId":1,"quantity":1,"currency":840}"#, ["/currency"]),
        (#"{"productId":1,"quantity":1,"paymentMethod":""}"#, ["/paymentMethod"]),
        (#"{"productId":1,"quantity":1,"paymentMethod":"4242 4242 4242 4242"}"#, ["/paymentMethod"]),
        (#"{"productId":1,"quantity":1,"paymentMethod":"4242424242424242"}"#, ["/paymentMethod"]),
        (#"{"productId":1,"quantity":1,"paymentMethod":"tok_4111_1111_1111_1111"}"#, ["/paymentMethod"]),
        (#"{"productId":1,"quantity":1,"paymentMethod":7}"#, ["/paymentMethod"]),
        (#"{"productId":1,"quantity":1,"shippingAddress":"home"}"#, ["/shippingAddress"]),
        (
            #"{"productId":1,"quantity":1,"shippingAddress":{"name":"A","line1":"B","city":"C","country":"gb"}}"#,
            ["/shippingAddress/country", "/shippingAddress/postalCode"]
        ),
        (#"{"productId":"1","quantity":0,"currency":"usd"}"#, ["/currency", "/productId", "/quantity"]),
    ]

    @Test("every mistake of a body is told at its place, all at once, and nothing is reserved")
    func mistakes() async throws {
        try await TestShop.open { shop in
            for (body, pointers) in Self.mistakes {
                let reply = try await shop.client.send(.post, "/api/orders", bytes: Data(body.utf8), as: .user(1))
                #expect(reply.status == .badRequest, "\(body)")
                #expect(reply.headers[.contentType] == "application/problem+json", "\(body)")
                #expect(reply.json["errors"].array.compactMap { $0["pointer"].string }.sorted() == pointers, "\(body)")
                #expect(reply.json["error"].string?.isEmpty == false, "\(body)")
            }
            #expect(shop.stock.requests.isEmpty)
            #expect(try await shop.said(OrderPlaced.self).isEmpty)
        }
    }

    @Test("100 lines are an order, 101 are not")
    func lineCount() async throws {
        try await TestShop.open { shop in
            func body(_ count: Int64) -> JSONValue {
                ["items": .array((1...count).map { ["productId": .integer($0), "quantity": 1] })]
            }
            let tooMany = try await shop.place(body(101))
            #expect(tooMany.json["errors"][0]["pointer"] == "/items")
            // There are only four products: the hundred lines were read, and the fifth is unknown.
            #expect(try await shop.place(body(100)).status == .badRequest)
            #expect(shop.stock.requests.map(\.lines.count) == [100])
        }
    }

    @Test("what is no JSON object is refused as such")
    func malformed() async throws {
        try await TestShop.open { shop in
            let bodies = [
                "", "{", "nonsense", #"{"productId":1,"quantity":1"#, "[]", "1", "null", "\u{FEFF}{", #"{"productId":1,"quantity":01}"#,
            ]
            for body in bodies {
                let reply = try await shop.client.send(.post, "/api/orders", bytes: Data(body.utf8), as: .user(1))
                #expect(reply.status == .badRequest, "\(body)")
            }
            let large = Data(("{\"productId\":1,\"quantity\":1,\"note\":\"" + String(repeating: "x", count: 2_000_000) + "\"}").utf8)
            #expect(try await shop.client.send(.post, "/api/orders", bytes: large, as: .user(1)).status == .contentTooLarge)
            let text = try await shop.client.send(
                .post, "/api/orders", bytes: Data("productId=1".utf8), as: .user(1), headers: [.contentType: "text/plain"])
            #expect(text.status == .unsupportedMediaType)
            for key in [String(repeating: "k", count: 256), ""] {
                #expect(try await shop.place(["productId": 1, "quantity": 1], key: key).status == .badRequest)
            }
            #expect(shop.stock.requests.isEmpty)
        }
    }

    @Test("an id that is none gets the answer of an unknown one")
    func ids() async throws {
        try await TestShop.open { shop in
            for id in ["-1", "0", "abc", "1e3", "1.0", "99999999999999999999", "%20", "+1", "7"] {
                for path in ["/api/orders/\(id)", "/api/orders/\(id)/events"] {
                    let reply = try await shop.client.get(path, as: .administrator)
                    #expect(reply.status == .notFound && reply.json["error"] == "Order not found", "\(path)")
                }
                for action in ["cancel", "ship", "deliver"] {
                    let reply = try await shop.client.post("/api/orders/\(id)/\(action)", as: .administrator)
                    #expect(reply.status == .notFound && reply.json["error"] == "Order not found", "\(action) \(id)")
                }
            }
            for id in ["-1", "abc", "1e3", "99999999999999999999"] {
                #expect(try await shop.client.get("/api/orders/user/\(id)", as: .administrator).status == .notFound)
            }
        }
    }

    @Test("a list is asked with a known status, a limit between 1 and 200 and a cursor of its own")
    func queries() async throws {
        try await TestShop.open { shop in
            for query in ["status=lost", "limit=0", "limit=201", "limit=x", "cursor=x", "cursor=-5"] {
                let reply = try await shop.client.get("/api/orders?\(query)", as: .user(1))
                #expect(reply.status == .badRequest, "\(query)")
                #expect(reply.json["errors"][0]["pointer"].string == "?" + query.prefix { $0 != "=" }, "\(query)")
            }
            let wrongMethod = try await shop.client.delete("/api/orders/1", as: .administrator)
            #expect(wrongMethod.status == .methodNotAllowed && wrongMethod.headers[.allow] == "GET")
        }
    }
}
