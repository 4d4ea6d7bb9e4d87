import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Makes requests that would be good, but for a payload in one place; and finds again what was stored.
struct InjectedRequests: Sendable {
    /// What each operation takes. Where a text stands for somebody who must be new, `{new}` does.
    private static let bodies: [String: JSONValue] = [
        "POST /api/users/register": ["name": "Ada", "email": "{new}", "password": "a password for the tests"],
        "POST /api/users/login": ["email": "{new}", "password": "not the password"],
        "POST /api/users/token": ["refreshToken": "unknown"],
        "POST /api/users/logout": ["refreshToken": "unknown"],
        "POST /api/users/password-reset": ["email": "{new}"],
        "POST /api/users/password-reset/confirm": ["token": "unknown", "newPassword": "a password for the tests"],
        "POST /api/users/verify-email": ["token": "unknown"],
        "PATCH /api/users/me": [:],
        "PUT /api/users/me/password": ["currentPassword": "not the password", "newPassword": "a password for the tests"],
        "POST /api/products": ["name": "Lamp", "price": 5, "stock": 1, "currency": "USD", "description": "", "category": "Light"],
        "PATCH /api/products/{id}": [:],
        "PATCH /api/products/{id}/stock": ["quantity": 1, "kind": "adjustment", "reason": "lost"],
        "POST /api/products/{id}/restock": ["quantity": 1, "reason": "found"],
        "POST /api/orders": [
            "productId": "{product}", "quantity": 1, "paymentMethod": "tok_visa", "currency": "USD",
            "shippingAddress": [
                "name": "Ada", "line1": "1 Main St", "line2": "", "city": "London", "postalCode": "N1", "country": "GB",
            ],
        ],
        "POST /api/payments/{id}/refunds": ["amount": 0.01, "reason": "scratched"],
        "POST /api/payments/webhooks/{provider}": [:],
    ]

    private let shop: SystemShop
    private let ids: [ServiceName: Int64]
    private let secrets: ShopSecrets
    /// Those whose passwords are guessed at, each seldom enough not to be held up.
    private let guessed: [TestCaller]

    init(in shop: SystemShop) async throws {
        self.shop = shop
        secrets = try await ShopSecrets(of: shop)
        let customer = shop.customers[0]
        let product = try await shop.addProduct(stock: 1_000_000)
        let (paid, cancelled) = (try await shop.order(product, by: customer), try await shop.order(product, by: customer))
        for order in [paid, cancelled] { #expect(try await shop.outcome(of: order, of: customer)["status"] == "paid") }
        #expect(try await shop.client.post("/api/orders/\(cancelled)/cancel", as: customer.caller).status == .ok)
        let message = try await eventually("a message") {
            try await shop.all("/api/notifications", as: customer.caller).first?["id"].integer
        }
        ids = [
            .users: customer.id, .products: product, .orders: cancelled, .notifications: message,
            .payments: try #require(try await shop.payments(of: paid).first?["id"].integer),
        ]
        var guessed: [TestCaller] = []
        for _ in 0..<6 { guessed.append(.header(try secrets.authorization(of: try await shop.addCustomer()))) }
        self.guessed = guessed
    }

    /// Whether there is a body to write into.
    static func canWrite(into place: TextPlace) -> Bool {
        if case .body = place.kind { bodies[place.operation] != nil } else { true }
    }

    /// What `text` has become in an address.
    static func email(_ text: String) -> String { text.filter { !$0.isWhitespace } + "@example.com" }

    struct Sent: Sendable {
        let status: Int
        /// The headers of the answer, as text.
        let head: String
        let answer: String
        let json: JSONValue
        let caller: TestCaller
    }

    // MARK: Sending

    func send(_ text: String, in place: TextPlace, number: Int) async throws -> Sent {
        let caller = caller(of: place, number)
        let (method, template) = Self.parts(of: place)
        var path = template
        var body = Self.bodies[place.operation].map(filled)
        switch place.kind {
        case .path(let name): path = path.replacingOccurrences(of: "{\(name)}", with: Self.encoded(text))
        case .query(let name): path += "?\(name)=\(Self.encoded(text))" + (name == "orderId" ? "" : "&orderId=1")
        case .body(let pointer): body = (body ?? [:]).setting(pointer[...], .string(text))
        case .header: break
        }
        path = withIDs(path, of: place.service)
        if case .header(let name) = place.kind { return try sendRaw(method, path, body, name, text, as: caller) }
        let reply = try await shop.client.send(method, path, body, as: caller)
        let head = reply.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        return Sent(status: reply.status.code, head: head, answer: reply.text, json: reply.json, caller: caller)
    }

    /// A header as it is written, for a client library would refuse to.
    func sendRaw(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, _ name: String, _ value: String, as caller: TestCaller
    ) throws -> Sent {
        let content = try body.map { try JSON.encodedData($0) } ?? Data()
        var written = "\(method.rawValue) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if case .header(let authorization) = caller, name != "Authorization" { written += "Authorization: \(authorization)\r\n" }
        if body != nil { written += "Content-Type: application/json\r\nContent-Length: \(content.count)\r\n" }
        let answer = try RawExchange.send(Data((written + "\(name): \(value)\r\n\r\n").utf8) + content, port: shop.portBase)
        let head = answer.firstRange(of: "\r\n\r\n").map { String(answer[..<$0.lowerBound]) } ?? answer
        return Sent(status: RawExchange.status(of: answer) ?? 0, head: head, answer: answer, json: .null, caller: caller)
    }

    private func caller(of place: TextPlace, _ number: Int) -> TestCaller {
        if place.operation == "PUT /api/users/me/password" { return guessed[number % guessed.count] }
        return switch place.role {
        case "admin": shop.administrator
        case "customer": shop.customers[0].caller
        default: .anonymous
        }
    }

    private func filled(_ body: JSONValue) -> JSONValue {
        guard case .object(let members) = body else { return body }
        return .object(
            members.mapValues { value in
                switch value {
                case "{new}": .string("\(UUID().uuidString.lowercased())@example.com")
                case "{product}": .integer(ids[.products] ?? 0)
                default: value
                }
            })
    }

    private func withIDs(_ path: String, of service: ServiceName) -> String {
        path.replacingOccurrences(of: "{id}", with: "\(ids[service] ?? 0)")
            .replacingOccurrences(of: "{userId}", with: "\(ids[.users] ?? 0)")
            .replacingOccurrences(of: "{provider}", with: "sandbox")
    }

    private static func parts(of place: TextPlace) -> (HTTPRequest.Method, String) {
        let parts = place.operation.split(separator: " ")
        return (HTTPRequest.Method(String(parts[0]))!, String(parts[1]))
    }

    /// Every byte but letters and digits.
    static func encoded(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "" }

    // MARK: Finding again

    /// Operations that take any text and keep none of it.
    private static let forgetting: Set<String> = ["POST /api/users/password-reset", "POST /api/users/logout"]

    /// What is stored in the place of a body that was accepted; nil where nothing is.
    func stored(by sent: Sent, in place: TextPlace, pointer: String, text: String) async throws -> JSONValue? {
        switch place.operation {
        case let operation where Self.forgetting.contains(operation): return nil
        case "POST /api/orders":
            let order = try await shop.client.get("/api/orders/\(sent.json["id"].integer ?? 0)", as: sent.caller)
            return order.json.at(pointer)
        case "PATCH /api/products/{id}/stock", "POST /api/products/{id}/restock":
            let path = withIDs("/api/products/{id}/stock-movements?limit=1", of: .products)
            return try await shop.client.get(path, as: shop.administrator).json[0].at(pointer)
        case "POST /api/users/register" where pointer == "/password":
            // A password is not shown; but it is the password.
            let login = try await shop.client.post(
                "/api/users/login", ["email": sent.json["email"], "password": .string(text)])
            return login.status == .ok ? .string(text) : .null
        default: return sent.json.at(pointer)
        }
    }
}
