import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Everything that people do with secrets in a shop, rightly and wrongly, with secrets that can be recognised.
struct SecretiveVisit {
    /// What a client sends who takes a card number for a payment method.
    static let cardNumber = "4111111111111111"
    /// Stands in requests that are no secret, so that what is searched can be shown to hold something.
    static let city = "Witnessville"
    static let requestID = "witness-of-the-visit"

    private let shop: SystemShop
    private(set) var canaries: [Canary] = []
    /// The answers that refused something.
    private(set) var refusals: [Evidence] = []

    private let email = "\(UUID().uuidString.lowercased())@example.com"
    private let password = Canary.password("a password")
    private let changedPassword = Canary.password("a password that was changed to")
    private let resetPassword = Canary.password("a password that was set by a reset")

    init(in shop: SystemShop) {
        self.shop = shop
        canaries = [password, changedPassword, resetPassword]
    }

    mutating func run() async throws {
        try await accept("/api/users/register", ["name": "Ada", "email": .string(email), "password": .string(password.text)], .created)
        let id = try await verify()
        try await mistakes()
        var session = try await logIn(password)
        session = try await refreshed(session)
        try await shopping(as: session.caller)
        try await changes(session, id)
        try await endings(id)
    }

    // MARK: What is done

    private struct Session {
        let caller: TestCaller
        let refreshToken: String
    }

    private mutating func logIn(_ password: Canary) async throws -> Session {
        try session(try await ask(.post, "/api/users/login", ["email": .string(email), "password": .string(password.text)]))
    }

    private mutating func session(_ reply: TestClient.Reply) throws -> Session {
        let access = try #require(reply.json["accessToken"].string, "\(reply.text)")
        let refresh = try #require(reply.json["refreshToken"].string)
        canaries += [Canary("an access token", access), Canary("a refresh token", refresh)]
        return Session(caller: .header("Bearer \(access)"), refreshToken: refresh)
    }

    /// A token used twice ends its family; the next session begins with a login.
    private mutating func refreshed(_ session: Session) async throws -> Session {
        let body: JSONValue = ["refreshToken": .string(session.refreshToken)]
        let next = try self.session(try await ask(.post, "/api/users/token", body))
        try await refuse(.post, "/api/users/token", body, .unauthorized)
        try await refuse(.post, "/api/users/token", ["refreshToken": .string(next.refreshToken)], .unauthorized)
        let another = try await logIn(password)
        try await accept("/api/users/logout", ["refreshToken": .string(another.refreshToken)], .noContent)
        return try await logIn(password)
    }

    /// Secrets where they do not belong: in wrong passwords, broken bodies, other members, addresses and headers.
    private mutating func mistakes() async throws {
        func canary(_ description: String) -> String {
            let canary = Canary.password(description)
            canaries.append(canary)
            return canary.text
        }
        let wrong = canary("a wrong password")
        try await refuse(.post, "/api/users/login", ["email": .string(email), "password": .string(wrong)], .unauthorized)
        try await refuse(
            .post, "/api/users/login", ["email": .string(canary("a password in place of an email")), "password": "x"], .unauthorized)
        let long = canary("a password that is too long")
        let longBody: JSONValue = ["name": "Ada", "email": "b@example.com", "password": .string(String(repeating: long, count: 10))]
        try await refuse(.post, "/api/users/register", longBody, .badRequest)
        let taken: JSONValue = ["name": "Ada", "email": .string(email), "password": .string(canary("a password for a taken email"))]
        try await refuse(.post, "/api/users/register", taken, .badRequest)
        let list: JSONValue = ["email": .string(email), "password": [.string(canary("a password in a list"))]]
        try await refuse(.post, "/api/users/login", list, .badRequest)
        for broken in ["{\"password\":\"\(canary("a password in a broken body"))\"", "password=\(canary("a password in a form"))"] {
            let reply = try await shop.client.send(.post, "/api/users/login", bytes: Data(broken.utf8), headers: Self.headers)
            try note(reply, .badRequest)
        }
        try await refuse(.post, "/api/users/login?password=\(canary("a password in a query"))", [:], .badRequest)
        try await refuse(.get, "/api/orders?access_token=\(canary("a token in a query"))", nil, .unauthorized)
        let headers: HTTPFields = [
            .authorization: "Basic \(Data("ada:\(canary("a password in a header"))".utf8).base64EncodedString())",
            .cookie: "session=\(canary("a cookie"))", HTTPField.Name("X-Api-Key")!: canary("a key in a header"),
        ]
        try note(try await shop.client.get("/api/orders", headers: headers), .unauthorized)
        for token in ["unknown", "refresh"] {
            try await refuse(.post, "/api/users/token", ["refreshToken": .string(canary("an \(token) token"))], .unauthorized)
        }
        let reset: JSONValue = [
            "token": .string(canary("an unknown code")), "newPassword": .string(canary("a password for an unknown code")),
        ]
        try await refuse(.post, "/api/users/password-reset/confirm", reset, .badRequest)
    }

    private mutating func shopping(as caller: TestCaller) async throws {
        let product = try await shop.addProduct(stock: 100)
        let address: JSONValue = [
            "name": "Ada", "line1": "1 Main St", "city": .string(Self.city), "postalCode": "N1", "country": "GB",
        ]
        canaries.append(Canary("a card number", Self.cardNumber))
        for number in [Self.cardNumber, "tok_\(Self.cardNumber)", "4111 1111 1111 1111", "4111-1111-1111-1111"] {
            let body: JSONValue = ["productId": .integer(product), "quantity": 1, "paymentMethod": .string(number)]
            try await refuse(.post, "/api/orders", body, .badRequest, as: caller)
        }
        // By SMS from here on.
        let choices: JSONValue = ["phone": "+4912345678", "notifications": ["email": false, "sms": true]]
        #expect(try await ask(.patch, "/api/users/me", choices, as: caller).status == .ok)
        for method in ["tok_visa", "tok_declined", "tok_flaky"] {
            let body: JSONValue = [
                "productId": .integer(product), "quantity": 1, "paymentMethod": .string(method), "shippingAddress": address,
            ]
            let order = try #require(try await ask(.post, "/api/orders", body, as: caller).json["id"].integer)
            let customer = SystemShop.Customer(id: 0, email: email, password: "", caller: caller)
            let outcome = try await shop.outcome(of: order, of: customer)["status"]
            #expect(outcome == (method == "tok_declined" ? "cancelled" : "paid"))
            if method == "tok_visa" { #expect(try await ask(.post, "/api/orders/\(order)/cancel", nil, as: caller).status == .ok) }
        }
    }

    private mutating func changes(_ session: Session, _ id: Int64) async throws {
        let body: JSONValue = ["currentPassword": .string(password.text), "newPassword": .string(changedPassword.text)]
        let again: JSONValue = ["currentPassword": .string(resetPassword.text), "newPassword": .string(changedPassword.text)]
        try await refuse(.put, "/api/users/me/password", again, .badRequest, as: session.caller)
        #expect(try await ask(.put, "/api/users/me/password", body, as: session.caller).status == .noContent)
        try await refuse(.post, "/api/users/token", ["refreshToken": .string(session.refreshToken)], .unauthorized)
        _ = try await logIn(changedPassword)
    }

    private mutating func endings(_ id: Int64) async throws {
        try await accept("/api/users/password-reset", ["email": .string(email)], .accepted)
        let token = try await message("reset-password", to: id)
        let reset: JSONValue = ["token": .string(token), "newPassword": .string(resetPassword.text)]
        try await accept("/api/users/password-reset/confirm", reset, .noContent)
        try await refuse(.post, "/api/users/password-reset/confirm", reset, .badRequest)
        let session = try await logIn(resetPassword)
        let secrets = try await ShopSecrets(of: shop)
        for forgery in Forgery.allCases where forgery != .basic {
            guard case .header(let good) = session.caller else { continue }
            let caller = TestCaller.header(try forgery.authorization(secrets, id: 1, customer: good))
            try await refuse(.get, "/api/orders", nil, .unauthorized, as: caller)
        }
        #expect(try await ask(.get, "/api/notifications", nil, as: session.caller).status == .ok)
    }

    /// Shows that the address is Ada's, by the code that waits for a mail server which is not there; returns Ada's id.
    private mutating func verify() async throws -> Int64 {
        let session = try await logIn(password)
        let id = try #require(try await ask(.get, "/api/users/me", nil, as: session.caller).json["id"].integer)
        let token = try await message("verify-email", to: id)
        try await accept("/api/users/verify-email", ["token": .string(token)], .noContent)
        try await refuse(.post, "/api/users/verify-email", ["token": .string(token)], .badRequest)
        return id
    }

    /// The code of a message that waits to be sent, which stands in one place only.
    private mutating func message(_ kind: String, to user: Int64) async throws -> String {
        let database = try await shop.openForReading("notifications")
        let model: String
        do {
            model = try await eventually("a message \(kind)") {
                try await database.read {
                    try $0.value("SELECT model FROM notifications WHERE kind = \(kind) AND user_id = \(user) ORDER BY id DESC LIMIT 1")
                }
            }
            await database.close()
        } catch {
            await database.close()
            throw error
        }
        let token = try #require(try JSONValue.parse(Data(model.utf8))["token"].string)
        canaries.append(
            Canary("the code of \(kind)", token, home: ["notifications.sqlite", "notifications.sqlite-wal"]))
        return token
    }

    // MARK: Asking

    private static let headers: HTTPFields = [HTTPField.Name("X-Request-Id")!: requestID]

    private func ask(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, as caller: TestCaller = .anonymous) async throws
        -> TestClient.Reply
    {
        try await shop.client.send(method, path, body, as: caller, headers: Self.headers)
    }

    private func accept(_ path: String, _ body: JSONValue, _ status: HTTPResponse.Status) async throws {
        let reply = try await ask(.post, path, body)
        #expect(reply.status == status, "\(path): \(reply.text)")
    }

    private mutating func refuse(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, _ status: HTTPResponse.Status, as caller: TestCaller = .anonymous
    ) async throws {
        try note(try await ask(method, path, body, as: caller), status)
    }

    private mutating func note(_ reply: TestClient.Reply, _ status: HTTPResponse.Status) throws {
        #expect(reply.status == status, "\(reply.text)")
        let headers = reply.headers.map { "\($0.name): \($0.value)\n" }.joined()
        refusals.append(Evidence(place: "an answer with \(reply.status)", bytes: Data(headers.utf8) + reply.body))
    }
}
