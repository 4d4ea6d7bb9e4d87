import Chassis
import ChassisTesting
import Commerce
import Foundation
import HTTPTypes
import Testing

/// Whatever is sent, the answer is a clear problem document and the shop is as it was.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct BadInputTests: ShopSuite {
        /// All that bad input could have changed.
        private struct Snapshot: Equatable {
            let products: [JSONValue]
            let orders: [JSONValue]
            let users: [JSONValue]
        }

        private func snapshot() async throws -> Snapshot {
            Snapshot(
                products: try await shop.all("/api/products?limit=200", as: .anonymous),
                orders: try await shop.all("/api/orders?limit=200", as: administrator),
                users: try await shop.all("/api/users?limit=200", as: administrator))
        }

        private func expectNothingChanged(_ attempts: () async throws -> Void) async throws {
            let before = try await snapshot()
            try await attempts()
            #expect(try await snapshot() == before)
        }

        /// Sends `body` where orders, products and so on are taken, and expects a 400.
        private func expectRefusal(_ method: HTTPRequest.Method, _ path: String, _ body: String, as caller: TestCaller) async throws
            -> JSONValue
        {
            let reply = try await client.send(method, path, bytes: Data(body.utf8), as: caller)
            #expect(reply.status == .badRequest, "\(method) \(path) \(body): \(reply.text)")
            expectProblem(reply, nil, "\(method) \(path) \(body)")
            return reply.json
        }

        /// Every route that takes a body, with a body that it would take.
        private func writingRoutes() async throws -> [(method: HTTPRequest.Method, path: String, caller: TestCaller)] {
            [
                (.post, "/api/users/register", .anonymous), (.post, "/api/users/login", .anonymous),
                (.post, "/api/users/token", .anonymous),
                (.patch, "/api/users/me", customer.caller), (.put, "/api/users/me/password", customer.caller),
                (.post, "/api/products", administrator), (.patch, "/api/products/1", administrator),
                (.patch, "/api/products/1/stock", administrator), (.post, "/api/products/1/restock", administrator),
                (.post, "/api/orders", customer.caller),
            ]
        }

        @Test(
            "what is no JSON object is refused by every route that takes one", .timeLimit(.minutes(1)),
            arguments: ["", "{", "{\"a\":}", "[]", "\"text\"", "7", "null", "{\"quantity\":1", "{'productId':1}", "\u{0}", "{}{}"])
        func malformed(_ body: String) async throws {
            try await expectNothingChanged {
                for route in try await writingRoutes() { _ = try await expectRefusal(route.method, route.path, body, as: route.caller) }
            }
        }

        @Test("a body that is no UTF-8 is refused", .timeLimit(.minutes(1)))
        func notText() async throws {
            let reply = try await client.send(
                .post, "/api/orders", bytes: Data([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), as: customer.caller)
            #expect(reply.status == .badRequest)
            expectProblem(reply)
        }

        @Test("members of the wrong type, and members that are missing, are all told at once", .timeLimit(.minutes(1)))
        func wrongTypes() async throws {
            try await expectNothingChanged {
                for body in [
                    "{}", #"{"productId":"1","quantity":"1"}"#, #"{"productId":true,"quantity":[1]}"#, #"{"productId":null,"quantity":{}}"#,
                ] {
                    let problem = try await expectRefusal(.post, "/api/orders", body, as: customer.caller)
                    #expect(problem["errors"].array.compactMap { $0["pointer"].string } == ["/productId", "/quantity"], "\(body)")
                }
                let product = try await expectRefusal(.post, "/api/products", #"{"name":7,"price":"9","stock":"many"}"#, as: administrator)
                #expect(product["errors"].array.compactMap { $0["pointer"].string } == ["/name", "/price", "/stock"])
                let user = try await expectRefusal(.post, "/api/users/register", #"{"name":[],"email":7}"#, as: .anonymous)
                #expect(user["errors"].array.compactMap { $0["pointer"].string } == ["/name", "/email", "/password"])
            }
        }

        @Test("quantities that nobody can buy are refused", .timeLimit(.minutes(1)))
        func quantities() async throws {
            try await expectNothingChanged {
                for quantity in [
                    "-1", "0", "0.5", "1.0000001", "-0", "1000000000000", "9223372036854775808", "99999999999999999999", "1e30", "1e-3",
                    "\"1\"",
                ] {
                    _ = try await expectRefusal(.post, "/api/orders", #"{"productId":1,"quantity":\#(quantity)}"#, as: customer.caller)
                    let items = #"{"items":[{"productId":2,"quantity":1},{"productId":1,"quantity":\#(quantity)}]}"#
                    let problem = try await expectRefusal(.post, "/api/orders", items, as: customer.caller)
                    #expect(problem["errors"][0]["pointer"] == "/items/1/quantity", "\(quantity)")
                    _ = try await expectRefusal(.patch, "/api/products/1/stock", #"{"quantity":\#(quantity)}"#, as: administrator)
                    _ = try await expectRefusal(
                        .post, "/api/products/1/restock", #"{"quantity":\#(quantity),"reason":"x"}"#, as: administrator)
                }
            }
        }

        @Test("prices that are no amount of money are refused", .timeLimit(.minutes(1)))
        func prices() async throws {
            try await expectNothingChanged {
                for price in ["-1", "0", "-0.01", "1.234", "0.001", "1e30", "99999999999999999999", "1e-9", "\"5\"", "null", "[1]"] {
                    _ = try await expectRefusal(.post, "/api/products", #"{"name":"X","price":\#(price),"stock":1}"#, as: administrator)
                    _ = try await expectRefusal(.patch, "/api/products/1", #"{"price":\#(price)}"#, as: administrator)
                }
                for stock in ["-1", "1.5", "1e30", "\"1\""] {
                    _ = try await expectRefusal(.post, "/api/products", #"{"name":"X","price":1,"stock":\#(stock)}"#, as: administrator)
                }
            }
        }

        @Test("two lines of one product, no line, and too many lines are refused", .timeLimit(.minutes(1)))
        func lines() async throws {
            try await expectNothingChanged {
                let line = #"{"productId":1,"quantity":1}"#
                let problem = try await expectRefusal(.post, "/api/orders", #"{"items":[\#(line),\#(line)]}"#, as: customer.caller)
                #expect(problem["errors"][0]["pointer"] == "/items/1/productId")
                _ = try await expectRefusal(.post, "/api/orders", #"{"items":[]}"#, as: customer.caller)
                let many = (1...5000).map { #"{"productId":\#($0),"quantity":1}"# }.joined(separator: ",")
                _ = try await expectRefusal(.post, "/api/orders", #"{"items":[\#(many)]}"#, as: customer.caller)
            }
        }

        @Test(
            "a path id that is no id is not found, as any unknown id", .timeLimit(.minutes(1)),
            arguments: ["-1", "0", "abc", "1e3", "1.5", "99999999999999999999", "9223372036854775808", "+1", "01x", "%31x", "true"])
        func ids(_ id: String) async throws {
            try await expectNothingChanged {
                let calls: [(HTTPRequest.Method, String, JSONValue?, TestCaller)] = [
                    (.get, "/api/users/\(id)", nil, customer.caller), (.get, "/api/products/\(id)", nil, .anonymous),
                    (.patch, "/api/products/\(id)", ["name": "X"], administrator), (.delete, "/api/products/\(id)", nil, administrator),
                    (.patch, "/api/products/\(id)/stock", ["quantity": 1], administrator),
                    (.post, "/api/products/\(id)/restock", ["quantity": 1, "reason": "x"], administrator),
                    (.get, "/api/orders/\(id)", nil, customer.caller), (.get, "/api/orders/user/\(id)", nil, customer.caller),
                    (.get, "/api/orders/\(id)/events", nil, customer.caller), (.post, "/api/orders/\(id)/cancel", nil, customer.caller),
                    (.post, "/api/orders/\(id)/ship", nil, administrator), (.get, "/api/payments/\(id)", nil, customer.caller),
                    (.post, "/api/payments/\(id)/refunds", ["reason": "x"], administrator),
                    (.post, "/api/notifications/\(id)/resend", nil, administrator),
                ]
                for (method, path, body, caller) in calls {
                    let reply = try await client.send(method, path, body, as: caller)
                    #expect(reply.status == .notFound, "\(method) \(path): \(reply.text)")
                    expectProblem(reply, nil, "\(method) \(path)")
                }
                let order = try await client.send(
                    .post, "/api/orders", bytes: Data(#"{"productId":\#(id),"quantity":1}"#.utf8), as: customer.caller)
                #expect([.badRequest, .notFound].contains(order.status), "\(order.text)")
            }
        }

        @Test("a body of two megabytes is refused with 413, unread", .timeLimit(.minutes(1)))
        func largeBody() async throws {
            let body = Data(#"{"name":"\#(String(repeating: "x", count: 2_000_000))"}"#.utf8)
            try await expectNothingChanged {
                for route in try await writingRoutes() {
                    let reply = try await client.send(route.method, route.path, bytes: body, as: route.caller)
                    #expect(reply.status == .contentTooLarge, "\(route)")
                    expectProblem(reply, nil, "\(route)")
                }
            }
        }

        @Test("ten thousand headers are refused with 431, and the next client is served", .timeLimit(.minutes(1)))
        func manyHeaders() async throws {
            let headers = HTTPFields((0..<10_000).map { HTTPField(name: HTTPField.Name("X-Header-\($0)")!, value: "value") })
            let reply = try await client.get("/api/products", headers: headers)
            #expect(reply.status == .requestHeaderFieldsTooLarge)
            expectProblem(reply)
            #expect(try await client.get("/api/products").status == .ok)
        }

        @Test("another content type, another method and an unknown path are told apart", .timeLimit(.minutes(1)))
        func protocolMistakes() async throws {
            let text = try await client.send(
                .post, "/api/orders", bytes: Data("{}".utf8), as: customer.caller, headers: [.contentType: "text/plain"])
            #expect(text.status == .unsupportedMediaType)
            expectProblem(text)
            let method = try await client.put("/api/orders", [:], as: customer.caller)
            #expect(method.status == .methodNotAllowed)
            #expect(method.headers[.allow] == "GET, POST")
            expectProblem(method)
            let path = try await client.get("/nothing/here")
            #expect(path.status == .notFound)
            expectProblem(path)
        }

        @Test("a token that is not ours is refused with a challenge", .timeLimit(.minutes(1)))
        func forgedTokens() async throws {
            for caller in [
                TestCaller.anonymous, .user(customer.id), .administrator, .header("Bearer"), .header("Bearer x.y.z"), .header("Basic YTpi"),
                .header("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwicm9sZSI6ImFkbWluIn0."),
            ] {
                let reply = try await client.get("/api/orders", as: caller)
                #expect(reply.status == .unauthorized, "\(caller)")
                #expect(reply.headers[.tokenChallenge]?.hasPrefix("Bearer") == true, "\(caller)")
                expectProblem(reply)
            }
        }
    }
}
