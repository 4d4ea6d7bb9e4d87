import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// User A never sees or changes what is B's, by a table of every route.
extension SystemTests {
    @Suite(.shop(customers: 2), .logsOnFailure) struct OwnershipTests: ShopSuite {
        /// What A owns and B asks for.
        struct Belongings: Sendable {
            let owner: Int64
            let order: Int64
            let payment: Int64
            let message: Int64
            let product: Int64

            /// A route with the ids of A's things in it.
            func path(_ template: String, query: String) -> String {
                let id =
                    switch template.split(separator: "/").dropFirst().first {
                    case "users": owner
                    case "products": product
                    case "payments": payment
                    case "notifications": message
                    default: order
                    }
                return template.replacingOccurrences(of: "{id}", with: "\(id)").replacingOccurrences(of: "{userId}", with: "\(owner)")
                    + query.replacingOccurrences(of: "{order}", with: "\(order)")
            }
        }

        /// Whose a route is.
        enum Access {
            /// Anybody may call it.
            case open
            /// It speaks of the caller only: B gets what is B's.
            case own
            /// A and administrators; for B it does not exist.
            case owner
            /// Administrators only.
            case administrators
        }

        struct Row: Sendable, CustomTestStringConvertible {
            let method: HTTPRequest.Method
            let template: String
            let access: Access
            let query: String
            let body: JSONValue?

            init(_ method: HTTPRequest.Method, _ template: String, _ access: Access, query: String = "", _ body: JSONValue? = nil) {
                (self.method, self.template, self.access, self.query, self.body) = (method, template, access, query, body)
            }

            var testDescription: String { "\(method) \(template)" }
        }

        static let table: [Row] = [
            Row(.post, "/api/users/register", .open),
            Row(.post, "/api/users/login", .open),
            Row(.post, "/api/users/token", .open),
            Row(.post, "/api/users/logout", .open),
            Row(.post, "/api/users/password-reset", .open),
            Row(.post, "/api/users/password-reset/confirm", .open),
            Row(.post, "/api/users/verify-email", .open),
            Row(.get, "/api/users", .administrators),
            Row(.get, "/api/users/{id}", .owner),
            Row(.get, "/api/users/me", .own),
            Row(.patch, "/api/users/me", .own, ["name": "Bob"]),
            Row(.delete, "/api/users/me", .own),
            Row(.put, "/api/users/me/password", .own, ["currentPassword": "not the password", "newPassword": "another password"]),

            Row(.get, "/api/products", .open),
            Row(.get, "/api/products/{id}", .open),
            Row(.get, "/api/categories", .open),
            Row(.post, "/api/products", .administrators, ["name": "B's", "price": 1, "stock": 1]),
            Row(.patch, "/api/products/{id}", .administrators, ["price": 1]),
            Row(.delete, "/api/products/{id}", .administrators),
            Row(.patch, "/api/products/{id}/stock", .administrators, ["quantity": 1]),
            Row(.post, "/api/products/{id}/restock", .administrators, ["quantity": 1, "reason": "because"]),
            Row(.get, "/api/products/{id}/stock-movements", .administrators),

            Row(.post, "/api/orders", .own),
            Row(.get, "/api/orders", .own),
            Row(.get, "/api/orders/{id}", .owner),
            Row(.get, "/api/orders/user/{userId}", .owner),
            Row(.get, "/api/orders/{id}/events", .owner),
            Row(.post, "/api/orders/{id}/cancel", .owner),
            Row(.post, "/api/orders/{id}/ship", .administrators),
            Row(.post, "/api/orders/{id}/deliver", .administrators),

            Row(.get, "/api/payments", .own, query: "?orderId={order}"),
            Row(.get, "/api/payments/ledger", .administrators),
            Row(.get, "/api/payments/{id}", .owner),
            Row(.post, "/api/payments/{id}/refunds", .administrators, ["reason": "because"]),
            Row(.post, "/api/payments/webhooks/{provider}", .open),

            Row(.get, "/api/notifications", .own),
            Row(.post, "/api/notifications/{id}/resend", .administrators),
        ]

        private var stranger: SystemShop.Customer { shop.customers[1] }

        private func belongings() async throws -> Belongings {
            let product = try await shop.addProduct(stock: 10)
            let order = try await shop.order(product, by: customer)
            #expect(try await shop.outcome(of: order, of: customer)["status"] == "paid")
            let payment = try #require(try await shop.payments(of: order).first?["id"].integer)
            let message = try await eventually("a message to A") {
                try await shop.all("/api/notifications", as: customer.caller).first?["id"].integer
            }
            return Belongings(owner: customer.id, order: order, payment: payment, message: message, product: product)
        }

        @Test("the table has every route of the services", .timeLimit(.minutes(1)))
        func tableIsComplete() throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let route = /\.(get|post|put|patch|delete)\(\s*"(\/api\/[^"]+)",\s*\./
            var declared: Set<String> = []
            for service in ServiceName.allCases where service != .gateway {
                let module = service.rawValue.split(separator: "-").map(\.capitalized).joined()
                let folder = root.appending(path: "Sources/\(module)")
                for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".swift") {
                    let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
                    for match in text.matches(of: route) { declared.insert("\(match.1.uppercased()) \(match.2)") }
                }
            }
            #expect(declared.count > 30)
            let told = Set(Self.table.map(\.testDescription))
            #expect(declared.symmetricDifference(told) == [])
        }

        @Test("nobody without a token gets through, but where anybody may", .timeLimit(.minutes(1)))
        func anonymous() async throws {
            let things = try await belongings()
            for row in Self.table where row.access != .open {
                for caller in [TestCaller.anonymous, .user(customer.id)] {
                    let reply = try await client.send(row.method, things.path(row.template, query: row.query), row.body, as: caller)
                    #expect(reply.status == .unauthorized, "\(row.testDescription): \(reply.text)")
                    #expect(reply.headers[.tokenChallenge]?.hasPrefix("Bearer") == true, "\(row.testDescription)")
                }
            }
        }

        @Test("B gets nothing of A's and changes nothing of A's", .timeLimit(.minutes(1)))
        func stranger() async throws {
            let things = try await belongings()
            let before = try await state(of: things)
            for row in Self.table {
                let path = things.path(row.template, query: row.query)
                switch row.access {
                case .owner:
                    let reply = try await client.send(row.method, path, row.body, as: stranger.caller)
                    #expect(reply.status == .notFound, "\(row.testDescription): \(reply.text)")
                    expectProblem(reply)
                case .administrators:
                    let reply = try await client.send(row.method, path, row.body, as: stranger.caller)
                    #expect(reply.status == .forbidden, "\(row.testDescription): \(reply.text)")
                    expectProblem(reply)
                case .own where row.method == .get:
                    let reply = try await client.get(path, as: stranger.caller)
                    #expect(reply.status == .ok, "\(row.testDescription): \(reply.text)")
                    #expect(!mentions(reply.json, customer), "\(row.testDescription): \(reply.text)")
                case .own, .open:
                    break
                }
            }
            let forA: JSONValue = ["userId": .integer(customer.id), "productId": .integer(things.product), "quantity": 1]
            let order = try await client.post("/api/orders", forA, as: stranger.caller)
            #expect(order.status == .forbidden)
            #expect(try await state(of: things) == before)
        }

        @Test("A and an administrator get what is A's", .timeLimit(.minutes(1)))
        func owner() async throws {
            let things = try await belongings()
            for row in Self.table where row.access == .owner && row.method == .get && !row.template.hasSuffix("/events") {
                for caller in [customer.caller, administrator] {
                    let reply = try await client.get(things.path(row.template, query: row.query), as: caller)
                    #expect(reply.status == .ok, "\(row.testDescription): \(reply.text)")
                    #expect(mentions(reply.json, customer), "\(row.testDescription): \(reply.text)")
                }
            }
            for row in Self.table where row.access == .administrators && row.method == .get {
                #expect(
                    try await client.get(things.path(row.template, query: row.query), as: administrator).status == .ok,
                    "\(row.testDescription)")
            }
        }

        @Test("the services' own routes do not exist outside", .timeLimit(.minutes(1)))
        func internalRoutes() async throws {
            for path in [
                "/internal/events", "/internal/status", "/internal/dead-letters", "/internal/messages", "/internal/reservations",
                "/api/../internal/events", "/api/orders/../../internal/events", "//internal/events",
                "/api/orders/%2e%2e/%2e%2e/internal/status",
            ] {
                for caller in [TestCaller.anonymous, customer.caller, administrator, .service(.orders)] {
                    let reply = try await client.get(path, as: caller)
                    #expect([.notFound, .badRequest, .unauthorized].contains(reply.status), "\(path): \(reply.status)")
                }
            }
            // Past the gateway too, a user's token opens none of them.
            for service in ServiceName.allCases where service != .gateway {
                let direct = try shop.direct(service)
                for caller in [TestCaller.anonymous, customer.caller, .service(.orders)] {
                    let reply = try await direct.get("/internal/events?after=0&limit=1&wait=0", as: caller)
                    #expect([.unauthorized, .forbidden].contains(reply.status), "\(service): \(reply.status)")
                }
            }
        }

        /// All of A's things, as an administrator sees them.
        private func state(of things: Belongings) async throws -> [JSONValue] {
            var found: [JSONValue] = []
            for path in [
                "/api/users/\(things.owner)", "/api/orders/\(things.order)", "/api/orders/user/\(things.owner)",
                "/api/payments/\(things.payment)",
                "/api/products/\(things.product)", "/api/products/\(things.product)/stock-movements",
            ] {
                let reply = try await client.get(path, as: administrator)
                #expect(reply.status == .ok, "\(path): \(reply.text)")
                found.append(reply.json)
            }
            return found
        }

        /// Whether anything in `value` is about this customer.
        private func mentions(_ value: JSONValue, _ customer: SystemShop.Customer) -> Bool {
            switch value {
            case .object(let members):
                members["userId"]?.integer == customer.id || members["email"]?.string == customer.email
                    || members.values.contains { mentions($0, customer) }
            case .array(let elements): elements.contains { mentions($0, customer) }
            default: false
            }
        }
    }
}
