import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import ShopTesting
import Testing

/// Every call that changes something, made twice: as by a client whose answer was lost.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct RepetitionTests: ShopSuite {
        /// What the second of two equal calls does.
        enum Second: Sendable, Equatable {
            /// The call takes an `Idempotency-Key`: the second is answered with the first one's answer, and does nothing.
            case isReplayed
            /// It does nothing more, and answers so.
            case changesNothing(HTTPResponse.Status)
            /// It is an act of its own, and may be: why.
            case isAnother(String)
            /// It is shown by a suite that can make it.
            case isShown(by: String)
        }

        /// Every call of the API that is no GET, by the name that its document gives it.
        static let calls: [String: Second] = [
            "placeOrder": .isReplayed, "refundPayment": .isReplayed, "createProduct": .isReplayed, "withdrawStock": .isReplayed,
            "restockProduct": .isReplayed,
            "cancelOrder": .changesNothing(.ok), "shipOrder": .changesNothing(.ok), "deliverOrder": .changesNothing(.ok),
            "archiveProduct": .changesNothing(.notFound),
            "changeProduct": .isAnother("the same values once more under a new version; If-Match (RFC 9110, 13.1.1) keeps others' changes"),
            "changeProfile": .changesNothing(.ok), "changePassword": .changesNothing(.badRequest),
            "register": .changesNothing(.badRequest), "eraseProfile": .changesNothing(.notFound), "logOut": .changesNothing(.noContent),
            "logIn": .isAnother("another session, of which one knows nothing; it ends by itself"),
            "requestPasswordReset": .isAnother("one message a minute at most: UserServiceTests/RecoveryTests"),
            "resendNotification": .isAnother("the message goes once more, unless it still waits to go: NotificationServiceTests"),
            "refreshSession": .isShown(by: "UserServiceTests/SessionTests: a token used twice ends its family (RFC 9700, 4.14)"),
            "confirmPasswordReset": .isShown(by: "UserServiceTests/RecoveryTests: a code is good once"),
            "verifyEmail": .isShown(by: "UserServiceTests/RecoveryTests: a code is good once"),
            "receiveNotice": .isShown(by: "PaymentServiceTests/ChargebackTests: a notice takes effect once"),
        ]

        @Test("the table has every call that changes something, and those have a key whose documents say so")
        func complete() throws {
            let operations = try APIDocument.all().flatMap { document in
                document.operations.filter { $0.isAtGateway && $0.method != "GET" }.map { operation in
                    (operation.id, document.parameters(of: operation).contains { $0["name"] == "Idempotency-Key" })
                }
            }
            #expect(Set(operations.map(\.0)) == Set(Self.calls.keys))
            for (id, hasKey) in operations { #expect((Self.calls[id] == .isReplayed) == hasKey, "\(id)") }
        }

        // MARK: With a key

        @Test(
            "with the same key and body: the same answer, byte by byte, marked, and one effect; with another body 422",
            .timeLimit(.minutes(2)), arguments: calls.filter { $0.value == .isReplayed }.keys.sorted())
        func keyed(_ id: String) async throws {
            let scene = try await Scene(in: shop)
            let call = try #require(scene.call(id))
            let key = "\(id) \(UUID().uuidString)"
            let before = try await scene.count(of: id)
            let first = try await call.make(client, key: key)
            #expect(first.status.kind == .successful && first.headers[.replayed] == nil, "\(first.text)")
            for _ in 0..<3 {
                let again = try await call.make(client, key: key)
                #expect(again.status == first.status && again.body == first.body && again.headers[.replayed] == "true")
                #expect(again.headers[.location] == first.headers[.location])
            }
            let other = try await call.make(client, call.other, key: key)
            #expect(other.status == .unprocessableContent && other.json["type"] == "urn:souk:problem:idempotency-key-reused")
            #expect(try await scene.count(of: id) == before + 1)
            // Without a key, each is one of its own.
            #expect(try await call.make(client).status.kind == .successful)
            #expect(try await scene.count(of: id) == before + 2)
        }

        // MARK: Without

        @Test(
            "without a key: nothing more has happened, and the answer says how it is", .timeLimit(.minutes(2)),
            arguments: calls.keys.sorted())
        func unkeyed(_ id: String) async throws {
            guard case .changesNothing(let status) = Self.calls[id] else { return }
            let scene = try await Scene(in: shop)
            let call = try #require(scene.call(id))
            let first = try await call.make(client)
            #expect(first.status.kind == .successful, "\(first.text)")
            let before = try await scene.everything()
            let second = try await call.make(client)
            #expect(second.status == status, "\(second.text)")
            #expect(try await scene.everything() == before)
        }
    }
}

/// People and things to make calls about.
private struct Scene {
    struct Call {
        let method: HTTPRequest.Method
        let path: String
        let body: JSONValue?
        /// A body that asks for something else.
        var other: JSONValue?
        let caller: TestCaller

        func make(_ client: TestClient, _ body: JSONValue? = nil, key: String? = nil) async throws -> TestClient.Reply {
            try await client.send(method, path, body ?? self.body, as: caller, headers: key.map { [.idempotency: $0] } ?? [:])
        }
    }

    private let shop: SystemShop
    private let customer: SystemShop.Customer
    private let product: Int64
    private let (paid, shipped): (Int64, Int64)
    private let payment: Int64

    init(in shop: SystemShop) async throws {
        self.shop = shop
        customer = try await shop.register("\(UUID().uuidString.lowercased())@example.com")
        product = try await shop.addProduct(stock: 100)
        (paid, shipped) = (try await shop.order(product, by: customer), try await shop.order(product, by: customer))
        for order in [paid, shipped] { #expect(try await shop.outcome(of: order, of: customer)["status"] == "paid") }
        let ship = try await shop.client.post("/api/orders/\(shipped)/ship", as: shop.administrator)
        #expect(ship.status == .ok, "\(ship.text)")
        payment = try #require(try await shop.payments(of: paid).first?["id"].integer)
    }

    func call(_ id: String) -> Call? {
        let administrator = shop.administrator
        func order(_ quantity: Int64) -> JSONValue { ["productId": .integer(product), "quantity": .integer(quantity)] }
        func refund(_ amount: JSONValue) -> JSONValue { ["amount": amount, "reason": "scratched"] }
        func restock(_ quantity: Int64) -> JSONValue { ["quantity": .integer(quantity), "reason": "found"] }
        func newProduct(_ name: String) -> JSONValue { ["name": .string(name), "price": 5, "stock": 1] }
        let path = "/api/products/\(product)"
        return switch id {
        case "placeOrder": Call(method: .post, path: "/api/orders", body: order(1), other: order(2), caller: customer.caller)
        case "refundPayment":
            Call(method: .post, path: "/api/payments/\(payment)/refunds", body: refund(1), other: refund(2), caller: administrator)
        case "createProduct":
            Call(method: .post, path: "/api/products", body: newProduct("Lamp"), other: newProduct("Chair"), caller: administrator)
        case "withdrawStock":
            Call(method: .patch, path: "\(path)/stock", body: ["quantity": 1], other: ["quantity": 2], caller: administrator)
        case "restockProduct": Call(method: .post, path: "\(path)/restock", body: restock(1), other: restock(2), caller: administrator)
        case "cancelOrder": Call(method: .post, path: "/api/orders/\(paid)/cancel", body: nil, caller: customer.caller)
        case "shipOrder": Call(method: .post, path: "/api/orders/\(paid)/ship", body: nil, caller: administrator)
        case "deliverOrder": Call(method: .post, path: "/api/orders/\(shipped)/deliver", body: nil, caller: administrator)
        case "changeProduct": Call(method: .patch, path: path, body: ["price": 7], caller: administrator)
        case "archiveProduct": Call(method: .delete, path: path, body: nil, caller: administrator)
        case "changeProfile": Call(method: .patch, path: "/api/users/me", body: ["name": "Grace"], caller: customer.caller)
        case "changePassword":
            Call(
                method: .put, path: "/api/users/me/password",
                body: ["currentPassword": .string(customer.password), "newPassword": "another password for the tests"],
                caller: customer.caller)
        case "register":
            Call(
                method: .post, path: "/api/users/register",
                body: ["name": "Ada", "email": .string("again-\(customer.email)"), "password": "a password for the tests"],
                caller: .anonymous)
        case "eraseProfile": Call(method: .delete, path: "/api/users/me", body: nil, caller: customer.caller)
        case "logOut": Call(method: .post, path: "/api/users/logout", body: ["refreshToken": "unknown"], caller: .anonymous)
        default: nil
        }
    }

    /// How many effects of a call there are.
    func count(of id: String) async throws -> Int {
        switch id {
        case "placeOrder":
            return try await shop.all("/api/orders?limit=200", as: customer.caller).count
        case "refundPayment":
            // Each is of one, once the provider has given it.
            try await shop.expectSettledBooks()
            let refunded = try await shop.client.get("/api/payments/\(payment)", as: shop.administrator).json["refunded"].decimal
            return NSDecimalNumber(decimal: try #require(refunded)).intValue
        case "createProduct":
            return try await shop.all("/api/products?limit=200", as: shop.administrator).count
        default:
            // What the reservations of orders do comes by itself; these kinds do not.
            let movements = try await shop.all("/api/products/\(product)/stock-movements?limit=200", as: shop.administrator)
            return movements.count { ["adjustment", "received", "sale"].contains($0["kind"].string ?? "") }
        }
    }

    /// All that a call of these may change, once it has settled.
    func everything() async throws -> [String: [JSONValue]] {
        try await shop.expectSettledBooks()
        var found: [String: [JSONValue]] = [:]
        let paths = [
            "/api/orders/\(paid)", "/api/orders/\(shipped)", "/api/orders/\(paid)/timeline", "/api/orders/\(shipped)/timeline",
            "/api/products/\(product)", "/api/products/\(product)/stock-movements?limit=200", "/api/payments?limit=200",
            "/api/users?limit=200", "/api/payments/ledger",
        ]
        for path in paths {
            let reply = try await shop.client.get(path, as: shop.administrator)
            found[path] = reply.json.array.isEmpty ? [reply.json] : reply.json.array
        }
        return found
    }
}
