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

@testable import PaymentService

/// A real payment-service on a loopback port: its consumer, its jobs, its routes, beside an order-service that a test plays.
struct PaymentShop: Sendable {
    let client: TestClient
    let database: Database
    /// The provider, and the bank behind it.
    let sandbox: SandboxProvider
    private let orders: Neighbour

    /// - Parameters:
    ///   - before: what order-service has said before the service starts: the consumer meets it in one batch, before any job runs.
    ///   - provider: who moves the money; the sandbox by default.
    static func open(
        before: [OrderSaying] = [], provider: (@Sendable (Database) -> PaymentProvider)? = nil, signature: WebhookSignature? = nil,
        _ body: @escaping @Sendable (PaymentShop) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let harness = try ServiceHarness(.payments, randomness: .withoutJitter())
        let database = try await Database.open(.sqliteMemory, migrations: PaymentService.migrations, logger: logger)
        let orders = try await Neighbour(.orders)
        for saying in before { try await orders.say(saying) }
        let service = PaymentService.assemble(
            on: database, orders: orders.source, provider: provider?(database), signature: signature,
            harness.platform)
        try await harness.run(service) { client in
            try await body(PaymentShop(client: client, database: database, sandbox: Self.sandbox(database), orders: orders))
        }
        await orders.close()
        await database.close()
    }

    static func sandbox(_ database: Database) -> SandboxProvider {
        SandboxProvider(database: database, signature: signature)
    }

    static let secretText = "a secret that only the provider and this test know"
    static let signature = signature(by: secretText)

    static func signature(by secret: String, at time: TimeSource = .system) -> WebhookSignature {
        guard let secret = try? ServiceSecret(secret) else { preconditionFailure("too short") }
        return WebhookSignature(secret: secret, time: time)
    }

    /// Posts a notice of the provider, as anybody could.
    func post(_ notice: SignedNotice) async throws -> TestClient.Reply {
        try await client.send(.post, "/api/payments/webhooks/sandbox", bytes: notice.body, headers: notice.headers)
    }

    /// Posts a notice that there must be, and that must be taken.
    func take(_ notice: SignedNotice?) async throws {
        let reply = try await post(try #require(notice))
        #expect(reply.status == .ok, "\(reply.text)")
    }

    func say(_ sayings: OrderSaying...) async throws {
        for saying in sayings { try await orders.say(saying) }
    }

    // MARK: Waiting

    /// Returns once every event is consumed and no job is left that is not dead.
    func settled() async throws {
        try await consumed()
        try await eventually("all jobs are done") {
            try await database.read { transaction in
                try transaction.value("SELECT COUNT(*) FROM jobs WHERE state <> 'dead' AND kind NOT LIKE 'every:%'", as: Int.self) == 0
            }
        }
    }

    func consumed() async throws {
        let latest = try await orders.latest()
        try await eventually("all events are consumed") {
            let status = try await client.get("/internal/status", as: .service(.orders)).json
            return status["consumers"][0]["position"].integer == latest
        }
    }

    // MARK: Looking

    func payment(ofOrder order: Int64) async throws -> JSONValue {
        try await client.get("/api/payments?orderId=\(order)", as: .administrator).json[0]
    }

    func id(ofOrder order: Int64) async throws -> Int64 {
        try #require(try await payment(ofOrder: order)["id"].integer)
    }

    /// What this service has said, in order: the types of its events without `souk.payment.`.
    func said() async throws -> [String] {
        try await events().map { $0["type"].string?.replacing("souk.payment.", with: "") ?? "" }
    }

    func events() async throws -> [JSONValue] {
        try await client.get("/internal/events?after=0&limit=500", as: .service(.orders)).json.array
    }

    func refund(_ order: Int64, _ body: JSONValue, key: String? = nil, as caller: TestCaller = .administrator) async throws
        -> TestClient.Reply
    {
        try await client.post(
            "/api/payments/\(try await id(ofOrder: order))/refunds", body, as: caller, headers: key.map { [.idempotencyKey: $0] } ?? [:])
    }
}

/// Something that order-service says.
enum OrderSaying: Sendable {
    case placed(Int64, amount: Int64, currency: Currency = .usd, method: String = "tok_visa", user: Int64 = 7)
    case cancelled(Int64, user: Int64 = 7)
}

extension Neighbour {
    fileprivate func say(_ saying: OrderSaying) async throws {
        switch saying {
        case .placed(let order, let amount, let currency, let method, let user):
            try await say(
                OrderPlaced(
                    orderID: try #require(OrderID(rawValue: order)), userID: try #require(UserID(rawValue: user)), lines: [],
                    total: Money(minorUnits: amount, currency: currency), paymentMethod: method))
        case .cancelled(let order, let user):
            try await say(
                OrderCancelled(
                    orderID: try #require(OrderID(rawValue: order)), userID: try #require(UserID(rawValue: user)),
                    reservationID: "r\(order)",
                    total: .zero(.usd), reason: .requested, previousStatus: .pending))
        }
    }
}
