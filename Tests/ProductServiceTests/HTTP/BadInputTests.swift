import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

@testable import ProductService

@Suite("Bad input changes nothing")
struct BadInputTests {
    /// Sends a body as it is written and checks that it is refused and that no product is different from before.
    private func refused(
        _ method: HTTPRequest.Method, _ path: String, _ body: String, status: Int = 400, pointer: String? = nil,
        contentType: String = "application/json",
        _ client: TestClient, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try await client.get("/api/products").body
        let reply = try await client.send(
            method, path, bytes: Data(body.utf8), as: .administrator, headers: [.contentType: contentType])
        #expect(reply.status.code == status, "\(body.prefix(60))", sourceLocation: sourceLocation)
        #expect(reply.headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(reply.json["error"].string?.isEmpty == false, sourceLocation: sourceLocation)
        if let pointer {
            #expect(reply.json["errors"][0]["pointer"].string == pointer, "\(body.prefix(60))", sourceLocation: sourceLocation)
        }
        #expect(try await client.get("/api/products").body == before, sourceLocation: sourceLocation)
    }

    @Test(
        "quantities", arguments: ["0", "-1", "1.5", "1e30", "\"3\"", "1000001", "9223372036854775808", "null", "true", "[]", "{}", "-0.5"])
    func quantities(quantity: String) async throws {
        try await withService(demo: true) { client in
            let body = "{\"quantity\":\(quantity),\"reason\":\"test\"}"
            try await refused(.patch, "/api/products/1/stock", body, pointer: "/quantity", client)
            try await refused(.post, "/api/products/1/restock", body, pointer: "/quantity", client)
        }
    }

    @Test("prices", arguments: ["-1", "-0.01", "0", "19.999", "0.001", "1000000001", "1e30", "\"5\"", "null", "true", "1e-30"])
    func prices(price: String) async throws {
        try await withService(demo: true) { client in
            try await refused(.post, "/api/products", "{\"name\":\"x\",\"stock\":1,\"price\":\(price)}", pointer: "/price", client)
            try await refused(.patch, "/api/products/1", "{\"price\":\(price)}", pointer: "/price", client)
        }
    }

    @Test("stocks", arguments: ["-1", "1.5", "1e30", "\"3\"", "1000001", "null"])
    func stocks(stock: String) async throws {
        try await withService(demo: true) { client in
            try await refused(.post, "/api/products", "{\"name\":\"x\",\"price\":1,\"stock\":\(stock)}", pointer: "/stock", client)
        }
    }

    @Test("names", arguments: ["\"\"", "\"   \"", "5", "null", "\"a\\u0000b\"", "\"\(String(repeating: "x", count: 201))\""])
    func names(name: String) async throws {
        try await withService(demo: true) { client in
            try await refused(.post, "/api/products", "{\"name\":\(name),\"price\":1,\"stock\":1}", pointer: "/name", client)
            try await refused(.patch, "/api/products/1", "{\"name\":\(name)}", pointer: "/name", client)
        }
    }

    @Test("bodies that are no JSON object, not JSON, or too large")
    func bodies() async throws {
        try await withService(demo: true) { client in
            for body in ["", "{", "[]", "null", "5", "\"x\"", "{\"name\":}", "\u{FEFF}{}x"] {
                try await refused(.post, "/api/products", body, client)
            }
            try await refused(.post, "/api/products", "{}", status: 415, contentType: "text/plain", client)
            let large = "{\"name\":\"\(String(repeating: "x", count: 2 << 20))\"}"
            try await refused(.post, "/api/products", large, status: 413, client)
        }
    }

    @Test("all mistakes are told at once")
    func allMistakes() async throws {
        try await withService { client in
            let reply = try await client.post(
                "/api/products", ["price": -1, "currency": "XXX", "stock": "many", "category": "", "description": 7], as: .administrator)
            #expect(reply.status == .badRequest)
            let pointers = Set((0..<reply.json["errors"].count).map { reply.json["errors"][$0]["pointer"].string })
            #expect(pointers == ["/name", "/price", "/currency", "/stock", "/category", "/description"])
        }
    }

    @Test("members that nobody knows are ignored")
    func unknownMembers() async throws {
        try await withService { client in
            let body: JSONValue = ["name": "Lamp", "price": 1, "stock": 1, "id": 77, "version": 9, "reserved": 5]
            let reply = try await client.post("/api/products", body, as: .administrator)
            #expect(reply.status == .created && reply.json["id"] == 1 && reply.json["stock"] == 1)
        }
    }
}
