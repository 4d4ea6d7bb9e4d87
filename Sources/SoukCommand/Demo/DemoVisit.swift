import Chassis
import Contracts
import Foundation
import HTTPTypes

/// A scripted visit, every step checked and told as a person would want to read it.
struct DemoVisit {
    let api: PublicAPI
    let patience: Duration

    private struct User: Decodable {
        let id: Int64
        let name: String
    }

    private struct Session: Decodable {
        let userId: Int64
        let accessToken: String
    }

    private struct Product: Decodable {
        let id: Int64
        let name: String
        let price: Decimal
        let stock: Int64
        let currency: String
    }

    private struct Order: Decodable {
        struct Line: Decodable {
            let name: String
            let quantity: Int64
            let lineTotal: Decimal
        }

        struct Change: Decodable {
            let status: String
            let at: String
        }

        let id: Int64
        let status: String
        let items: [Line]
        let totalPrice: Decimal
        let currency: String
        let timeline: [Change]?
    }

    private struct Message: Decodable {
        let kind: String
        let subject: String
        let text: String
        let status: String
    }

    func run() async throws {
        Console.print("A visit to the shop at \(api.gateway)\n")
        let email = "visitor-\(Randomness.system.hex(bytes: 4))@example.com"
        let session = try await signIn(email)
        let found = try await search(for: "lap")
        let order = try await placeOrder(try await secondProduct(besides: found), found, session)
        let paid = try await follow(order, session)
        try check(paid)
        try await showNotification(about: order, session)
        Console.print("\nAll is well.")
    }

    // MARK: Steps

    private func signIn(_ email: String) async throws -> Session {
        let password = Randomness.system.hex(bytes: 8)
        let registration: JSONValue = .object(["name": .string("Ada"), "email": .string(email), "password": .string(password)])
        let user = try await call(.post, "/api/users/register", registration, expecting: 201, as: User.self)
        step("Registered as \(user.name), user \(user.id), \(email).")
        let credentials: JSONValue = .object(["email": .string(email), "password": .string(password)])
        let session = try await call(.post, "/api/users/login", credentials, expecting: 200, as: Session.self)
        guard session.userId == user.id else { throw DemoError(description: "The login is for user \(session.userId), not \(user.id).") }
        step("Logged in; the access token is for 15 minutes.")
        return session
    }

    private func search(for words: String) async throws -> Product {
        let products = try await call(.get, "/api/products?search=\(words)&inStock=true", expecting: 200, as: [Product].self)
        guard let first = products.first else { throw DemoError(description: "The search for “\(words)” found nothing that is in stock.") }
        step(
            "Searched for “\(words)”: \(products.count) found, first \(first.name) at \(first.price) \(first.currency), \(first.stock) in stock."
        )
        return first
    }

    private func secondProduct(besides first: Product) async throws -> Product {
        let products = try await call(.get, "/api/products?inStock=true", expecting: 200, as: [Product].self)
        guard let second = products.first(where: { $0.id != first.id && $0.currency == first.currency }) else {
            throw DemoError(description: "There is no second product in stock.")
        }
        return second
    }

    private func placeOrder(_ first: Product, _ second: Product, _ session: Session) async throws -> Order {
        let items = [first, second].map { JSONValue.object(["productId": .integer($0.id), "quantity": .integer(1)]) }
        let key = "demo-\(Randomness.system.hex(bytes: 8))"
        let order = try await call(
            .post, "/api/orders", .object(["items": .array(items)]), expecting: 201, token: session.accessToken, key: key, as: Order.self)
        guard order.totalPrice == first.price + second.price else {
            throw DemoError(description: "The order's total is \(order.totalPrice), not \(first.price + second.price).")
        }
        step("Placed order \(order.id) with two lines, \(order.totalPrice) \(order.currency) in all:")
        for line in order.items { Console.print("       \(line.quantity) × \(line.name), \(line.lineTotal) \(order.currency)") }
        let again = try await call(
            .post, "/api/orders", .object(["items": .array(items)]), expecting: 201, token: session.accessToken, key: key, as: Order.self)
        guard again.id == order.id else { throw DemoError(description: "The same Idempotency-Key made a second order, \(again.id).") }
        step("Sent it once more with the same Idempotency-Key: still order \(again.id).")
        return order
    }

    private func follow(_ order: Order, _ session: Session) async throws -> Order {
        let end = ContinuousClock.now + patience
        while true {
            let now = try await call(.get, "/api/orders/\(order.id)", expecting: 200, token: session.accessToken, as: Order.self)
            if now.status != "pending" { return now }
            guard ContinuousClock.now < end else { throw DemoError(description: "Order \(order.id) is still pending after \(patience).") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func check(_ order: Order) throws {
        guard order.status == "paid" else { throw DemoError(description: "Order \(order.id) is \(order.status), not paid.") }
        step("Order \(order.id) is paid. What happened:")
        for change in order.timeline ?? [] { Console.print("       \(change.at)  \(change.status)") }
    }

    private func showNotification(about order: Order, _ session: Session) async throws {
        let end = ContinuousClock.now + patience
        while true {
            let messages = try await call(.get, "/api/notifications", expecting: 200, token: session.accessToken, as: [Message].self)
            if let message = messages.first(where: { $0.kind == "order-paid" }) {
                step("The shop has written, “\(message.subject)” (\(message.status)):")
                for line in message.text.split(separator: "\n", omittingEmptySubsequences: true) { Console.print("       \(line)") }
                return
            }
            guard ContinuousClock.now < end else { throw DemoError(description: "No message tells that order \(order.id) is paid.") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: Speaking

    private func step(_ sentence: String) {
        Console.print("  ✓  \(sentence)")
    }

    private func call<Reply: Decodable>(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, expecting status: Int, token: String? = nil,
        key: String? = nil,
        as type: Reply.Type
    ) async throws -> Reply {
        let response = try await api.send(method, path, body, token: token, key: key)
        guard response.status.code == status else {
            throw DemoError(
                description:
                    "\(method.rawValue) \(path) was answered with \(response.status.code), not \(status): \(String(decoding: response.body, as: UTF8.self))"
            )
        }
        return try JSON.decode(type, from: response.body)
    }
}
