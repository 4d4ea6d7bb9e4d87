import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

@testable import ProductService

@Suite("Products over HTTP")
struct ProductsAPITests {
    @Test("a new shop has Laptop and Phone first, as the reference API promises")
    func demo() async throws {
        try await withService(demo: true) { client in
            let list = try await client.get("/api/products").json
            #expect(list.count == 24)
            #expect(list[0]["id"] == 1 && list[0]["name"] == "Laptop" && list[0]["price"] == 999 && list[0]["stock"] == 10)
            #expect(list[1]["id"] == 2 && list[1]["name"] == "Phone" && list[1]["price"] == 699 && list[1]["stock"] == 25)
            #expect(list[0]["currency"] == "USD" && list[0]["category"] == "Electronics")
            let laptop = try await client.get("/api/products/1")
            #expect(laptop.status == .ok && laptop.json == list[0])
            #expect(try await client.get("/api/categories").json[1] == ["name": "Clothing", "count": 5])
        }
    }

    @Test("adding a product: 201 with its Location, and it is there")
    func add() async throws {
        try await withService { client in
            let reply = try await client.post("/api/products", ["name": " Lamp ", "price": 49.9, "stock": 3], as: .administrator)
            #expect(reply.status == .created)
            #expect(reply.headers[.location] == "/api/products/1")
            #expect(reply.json["name"] == "Lamp" && reply.json["price"] == 49.9 && reply.json["stock"] == 3)
            #expect(reply.json["currency"] == "USD" && reply.json["category"] == "General" && reply.json["description"] == "")
            let found = try await client.get("/api/products/1")
            #expect(found.json == reply.json && found.headers[.eTag] == reply.headers[.eTag])
        }
    }

    @Test("the same Idempotency-Key adds one product, however often it is sent")
    func idempotentAdd() async throws {
        try await withService { client in
            let body: JSONValue = ["name": "Lamp", "price": 5, "stock": 3]
            let key: HTTPFields = [.idempotencyKey: "k1"]
            let first = try await client.post("/api/products", body, as: .administrator, headers: key)
            let second = try await client.post("/api/products", body, as: .administrator, headers: key)
            #expect(first.status == .created && second.status == .created && first.body == second.body)
            #expect(second.headers[.idempotencyReplayed] == "true" && second.headers[.location] == "/api/products/1")
            let other = try await client.post("/api/products", ["name": "Pan", "price": 5, "stock": 3], as: .administrator, headers: key)
            #expect(other.status.code == 422)
            #expect(try await client.get("/api/products").json.count == 1)
        }
    }

    @Test("ETag and If-None-Match: 304 while the product is the same, 200 after a sale or a change")
    func conditionalGet() async throws {
        try await withService(demo: true) { client in
            let tag = try #require(try await client.get("/api/products/1").headers[.eTag])
            for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let reply = try await client.get("/api/products/1", headers: [.ifNoneMatch: known])
                #expect(reply.status == .notModified && reply.body.isEmpty && reply.headers[.eTag] == tag)
            }
            _ = try await client.patch("/api/products/1/stock", ["quantity": 1], as: .administrator)
            let sold = try await client.get("/api/products/1", headers: [.ifNoneMatch: tag])
            #expect(sold.status == .ok && sold.json["stock"] == 9)
            _ = try await client.patch("/api/products/1", ["price": 899], as: .administrator)
            let changed = try await client.get("/api/products/1", headers: [.ifNoneMatch: sold.headers[.eTag] ?? ""])
            #expect(changed.status == .ok && changed.json["price"] == 899)
        }
    }

    @Test("If-Match: a change that was meant for an older version is a 412; a sale in between is no change")
    func conditionalChange() async throws {
        try await withService(demo: true) { client in
            let tag = try #require(try await client.get("/api/products/1").headers[.eTag])
            _ = try await client.patch("/api/products/1/stock", ["quantity": 1], as: .administrator)
            let first = try await client.patch("/api/products/1", ["name": "Notebook"], as: .administrator, headers: [.ifMatch: tag])
            #expect(first.status == .ok && first.json["name"] == "Notebook" && first.json["stock"] == 9)
            let second = try await client.patch("/api/products/1", ["name": "Brick"], as: .administrator, headers: [.ifMatch: tag])
            #expect(second.status == .preconditionFailed)
            #expect(second.json["type"] == "urn:souk:problem:precondition-failed")
            #expect(
                try await client.delete("/api/products/1", as: .administrator, headers: [.ifMatch: "W/\"2.9\""]).status
                    == .preconditionFailed)
            #expect(
                try await client.delete("/api/products/1", as: .administrator, headers: [.ifMatch: "nonsense"]).status
                    == .preconditionFailed)
            #expect(try await client.get("/api/products/1").json["name"] == "Notebook")
            #expect(
                try await client.delete("/api/products/1", as: .administrator, headers: [.ifMatch: "\"2.0\", \"7.0\""]).status == .noContent
            )
            #expect(try await client.get("/api/products/1").status == .notFound)
            #expect(try await client.delete("/api/products/1", as: .administrator, headers: [.ifMatch: "*"]).status == .notFound)
            #expect(try await client.get("/api/products").json.count == 23)
        }
    }

    @Test("a change names only what changes; null goes back to the standard; stock is not changed this way")
    func change() async throws {
        try await withService(demo: true) { client in
            let reply = try await client.patch(
                "/api/products/1", ["currency": "JPY", "price": 150_000, "description": nil, "category": nil], as: .administrator)
            #expect(reply.status == .ok && reply.json["currency"] == "JPY" && reply.json["price"] == 150_000)
            #expect(reply.json["description"] == "" && reply.json["category"] == "General" && reply.json["name"] == "Laptop")
            let wrong = try await client.patch("/api/products/1", ["price": 0.5], as: .administrator)
            #expect(wrong.status == .badRequest && wrong.json["errors"][0]["pointer"] == "/price")
            let stock = try await client.patch("/api/products/1", ["stock": 5, "name": nil], as: .administrator)
            #expect(stock.status == .badRequest && stock.json["errors"].count == 2)
            #expect(try await client.patch("/api/products/99", ["name": "x"], as: .administrator).status == .notFound)
        }
    }

    @Test("search, filters, sort and pages, with a Link to the next page that leads to it")
    func list() async throws {
        try await withService(demo: true) { client in
            func names(_ query: String) async throws -> [String?] {
                let list = try await client.get("/api/products?\(query)").json
                return (0..<list.count).map { list[$0]["name"].string }
            }
            #expect(try await names("search=lap&limit=1") == ["Laptop"])
            #expect(try await names("search=wool+socks") == ["Wool Socks"])
            #expect(try await names("search=") == names("limit=50"))
            #expect(try await names("category=home&sort=price&limit=2") == ["Desk Lamp", "Cast Iron Pan"])
            #expect(try await names("minPrice=329&maxPrice=699&sort=-price") == ["Phone", "Tablet", "Espresso Machine"])
            #expect(try await names("inStock=false") == [])
            #expect(try await names("sort=newest&limit=1") == ["Water Bottle"])
            var target: String? = "/api/products?sort=name&search=&limit=5&category="
            var seen: [Int64?] = []
            while let next = target {
                let reply = try await client.get(next)
                #expect(reply.status == .ok)
                seen += (0..<reply.json.count).map { reply.json[$0]["id"].integer }
                target = reply.headers[.link].flatMap { $0.firstMatch(of: /<(.*)>; rel="next"/).map { String($0.1) } }
            }
            #expect(seen.count == 24 && Set(seen).count == 24)
        }
    }

    @Test("lists and products show every change as soon as it is made, also where reads have connections of their own")
    func freshness() async throws {
        try await withDatabaseFile { file in
            try await withService(demo: true, database: file) { client in
                for stock in (0..<10).reversed() {
                    _ = try await client.patch("/api/products/1/stock", ["quantity": 1], as: .administrator)
                    #expect(try await client.get("/api/products?limit=1").json[0]["stock"].integer == Int64(stock))
                    #expect(try await client.get("/api/products/1").json["stock"].integer == Int64(stock))
                }
            }
        }
    }

    @Test("a service that starts again finds its catalog as it left it")
    func restart() async throws {
        try await withDatabaseFile { file in
            try await withService(demo: true, database: file) { client in
                _ = try await client.patch("/api/products/1/stock", ["quantity": 3], as: .administrator)
                _ = try await client.delete("/api/products/2", as: .administrator)
            }
            try await withService(demo: true, database: file) { client in
                let list = try await client.get("/api/products").json
                #expect(list.count == 23 && list[0]["stock"] == 7 && list[1]["id"] == 3)
            }
        }
    }

    @Test("a query that cannot be understood is a 400 that names every parameter")
    func badQueries() async throws {
        try await withService { client in
            let reply = try await client.get(
                "/api/products?minPrice=-1&maxPrice=1e3&inStock=maybe&sort=price;drop&limit=0&cursor=xyz&category=\(String(repeating: "c", count: 61))"
            )
            #expect(reply.status == .badRequest)
            #expect(
                (0..<reply.json["errors"].count).map { reply.json["errors"][$0]["pointer"].string } == [
                    "?category", "?minPrice", "?maxPrice", "?inStock", "?sort", "?limit", "?cursor",
                ])
            for query in [
                "limit=201", "limit=-1", "limit=abc", "category=%00", "search=\(String(repeating: "s", count: 201))", "inStock=1",
            ] {
                #expect(try await client.get("/api/products?\(query)").status == .badRequest)
            }
            let cursor = CatalogPosition(key: .newest, id: try product(3)).cursor
            #expect(try await client.get("/api/products?cursor=\(cursor)&sort=newest").status == .ok)
            #expect(try await client.get("/api/products?cursor=\(cursor)&sort=price").status == .badRequest)
        }
    }

    @Test("what is no id is unknown", arguments: ["-1", "abc", "1e3", "99999999999999999999", "0", "+1", "1.5", "%00", "999"])
    func ids(id: String) async throws {
        try await withService(demo: true) { client in
            let reply = try await client.get("/api/products/\(id)")
            #expect(reply.status == .notFound && reply.json["error"] == "Product not found")
            #expect(reply.headers[.contentType] == "application/problem+json")
        }
    }
}
