import Chassis
import ChassisEvents
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Logging
import Testing

@testable import NotificationService

/// A real notification-service on a loopback port, beside three services whose events a test says.
struct NotificationShop: Sendable {
    let client: TestClient
    let users: Neighbour
    let orders: Neighbour
    let payments: Neighbour

    /// - Parameters:
    ///   - smtp: where mail goes; nil for the development inbox.
    ///   - sms: the provider of text messages; nil for the development inbox.
    static func open(
        smtp: SMTPSettings? = nil, sms: NotificationService.TwilioSettings? = nil, transport: HTTPTransport = .nobody,
        _ body: @escaping @Sendable (NotificationShop) async throws -> Void
    ) async throws {
        let users = try await Neighbour(.users)
        let orders = try await Neighbour(.orders)
        let payments = try await Neighbour(.payments)
        let harness = try ServiceHarness(.notifications, randomness: .withoutJitter(), transport: transport)
        var settings = NotificationService.Settings(database: .sqliteMemory)
        settings.smtp = smtp
        settings.twilio = sms
        let service = try await NotificationService.assemble(
            settings, harness.platform, users: users.source, orders: orders.source, payments: payments.source)
        try await harness.run(service) { client in
            try await body(NotificationShop(client: client, users: users, orders: orders, payments: payments))
        }
        for neighbour in [users, orders, payments] { await neighbour.close() }
    }

    // MARK: Waiting and looking

    /// Every message, newest first.
    func messages(as caller: TestCaller = .administrator, query: String = "") async throws -> [JSONValue] {
        try await client.get("/api/notifications\(query)", as: caller).json.array
    }

    /// Returns the messages once there are so many and each has this status.
    func messages(_ count: Int, _ status: String, as caller: TestCaller = .administrator) async throws -> [JSONValue] {
        try await eventually("\(count) messages are \(status)") {
            let found = try await messages(as: caller)
            return found.count == count && found.allSatisfy { $0["status"].string == status }
        }
        return try await messages(as: caller)
    }

    /// Returns once everything that was said has been consumed.
    func consumed() async throws {
        let latest = [
            ServiceName.users.rawValue: try await users.latest(), ServiceName.orders.rawValue: try await orders.latest(),
            ServiceName.payments.rawValue: try await payments.latest(),
        ]
        try await eventually("all events are consumed") {
            let status = try await client.get("/internal/status", as: .administrator).json
            return status["consumers"].array.allSatisfy { $0["position"].integer == latest[$0["source"].string ?? ""] }
        }
    }

    // MARK: Saying

    func register(_ user: Int64 = 7, name: String = "Ada", email: String = "ada@example.org") async throws {
        try await users.say(UserRegistered(userID: try #require(UserID(rawValue: user)), name: name, email: email))
    }

    func update(
        _ user: Int64 = 7, name: String = "Ada", email: String = "ada@example.org", phone: String? = nil, choices: NotificationChoices
    ) async throws {
        try await users.say(
            UserUpdated(userID: try #require(UserID(rawValue: user)), name: name, email: email, phone: phone, choices: choices))
    }

    func erase(_ user: Int64 = 7) async throws {
        try await users.say(UserErased(userID: try #require(UserID(rawValue: user))))
    }

    func ship(_ order: Int64, user: Int64 = 7) async throws {
        try await orders.say(
            OrderShipped(
                orderID: try #require(OrderID(rawValue: order)), userID: try #require(UserID(rawValue: user)), reservationID: "r\(order)"))
    }

    /// Asks as user-service does for a message with a code.
    func ask(
        _ id: String, kind: SecretMessage.Kind = .resetPassword, user: Int64 = 7, email: String = "ada@example.org",
        token: String = "s3cret-code"
    ) async throws -> HTTPResponse.Status {
        let message = SecretMessage(
            id: id, kind: kind, userID: try #require(UserID(rawValue: user)), name: "Ada", email: email, token: token,
            expiresAt: Timestamp(millisecondsSinceEpoch: 1_800_000_000_000))
        return try await client.send(.post, "/internal/messages", bytes: try JSON.encodedData(message), as: .service(.users)).status
    }
}
