import Chassis
import ChassisEvents
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import HTTPTypes
import Logging
import Testing

@testable import NotificationService

@Suite("What customers are told, kept in the development inbox")
struct InboxTests {
    private static let order = OrderID(rawValue: 12)!
    private static let user = UserID(rawValue: 7)!
    private static let total = Money(minorUnits: 1999, currency: .usd)

    @Test("every event that a customer cares about gives one message, with subject, text and HTML")
    func everyEvent() async throws {
        try await NotificationShop.open { shop in
            try await shop.register()
            try await shop.consumed()
            let line = OrderLine(
                productID: ProductID(rawValue: 1)!, name: "Lamp <b>", unitPrice: Self.total, quantity: Quantity(rawValue: 2)!)
            try await shop.orders.say(
                OrderPlaced(orderID: Self.order, userID: Self.user, lines: [line], total: Self.total, paymentMethod: "tok_visa"))
            try await shop.orders.say(
                OrderPaid(orderID: Self.order, userID: Self.user, reservationID: "r", lines: [line], total: Self.total))
            try await shop.orders.say(OrderShipped(orderID: Self.order, userID: Self.user, reservationID: "r"))
            try await shop.orders.say(OrderDelivered(orderID: Self.order, userID: Self.user))
            try await shop.orders.say(
                OrderRefunded(orderID: Self.order, userID: Self.user, reservationID: "r", total: Self.total, previousStatus: .delivered))
            try await shop.orders.say(
                OrderCancelled(
                    orderID: Self.order, userID: Self.user, reservationID: "r", total: Self.total, reason: .deadlinePassed,
                    previousStatus: .pending))
            try await shop.payments.say(
                PaymentRefunded(
                    paymentID: PaymentID(rawValue: 1)!, orderID: Self.order, userID: Self.user, refundID: RefundID(rawValue: 1)!,
                    amount: Self.total, refundedInTotal: Self.total, capturedInTotal: Self.total))
            let messages = try await shop.messages(8, "kept")
            let byKind = Dictionary(grouping: messages) { $0["kind"].string ?? "" }
            let kinds = [
                "welcome", "order-placed", "order-paid", "order-shipped", "order-delivered", "order-refunded", "order-cancelled",
                "refund-issued",
            ]
            #expect(Set(byKind.keys) == Set(kinds))
            for message in messages {
                #expect(message["channel"] == "email" && message["userId"] == 7 && message["attempts"] == 0)
                for part in ["subject", "text", "html"] {
                    let words = try #require(message[part].string)
                    #expect(!words.isEmpty && !words.contains("{{"))
                    if message["kind"] != "welcome" || part != "subject" { #expect(words.contains(part == "subject" ? "12" : "Ada")) }
                }
            }
            let placed = try #require(byKind["order-placed"]?.first)
            #expect(placed["text"].string?.contains("2 × Lamp <b>") == true && placed["text"].string?.contains("19.99 USD") == true)
            #expect(placed["html"].string?.contains("2 × Lamp &lt;b&gt;") == true)
            #expect(byKind["order-cancelled"]?.first?["text"].string?.contains("it was not paid in time") == true)
        }
    }

    @Test("an order that is told of before its customer waits for the address")
    func contactAfter() async throws {
        try await NotificationShop.open { shop in
            try await shop.ship(1)
            let waiting = try await shop.messages(1, "queued")
            #expect(waiting[0]["channel"] == .null)
            try await shop.register()
            let messages = try await shop.messages(2, "kept")
            #expect(Set(messages.map { $0["kind"] }) == ["welcome", "order-shipped"])
        }
    }

    @Test(
        "a customer is told by the channel that the customer chose, or not at all",
        arguments: [
            (NotificationChoices(email: true, sms: false), "+4912345678", "email", "kept"),
            (NotificationChoices(email: true, sms: true), "+4912345678", "email", "kept"),
            (NotificationChoices(email: false, sms: true), "+4912345678", "sms", "kept"),
            (NotificationChoices(email: false, sms: true), nil, nil, "suppressed"),
            (NotificationChoices(email: false, sms: false), "+4912345678", nil, "suppressed"),
        ] as [(NotificationChoices, String?, String?, String)])
    func choices(choices: NotificationChoices, phone: String?, channel: String?, status: String) async throws {
        try await NotificationShop.open { shop in
            try await shop.update(phone: phone, choices: choices)
            try await shop.consumed()
            try await shop.ship(1)
            let messages = try await shop.messages(1, status)
            #expect(messages[0]["channel"].string == channel)
        }
    }

    @Test("a choice changed later holds for what comes later")
    func changedChoice() async throws {
        try await NotificationShop.open { shop in
            try await shop.update(choices: .standard)
            try await shop.consumed()
            try await shop.ship(1)
            _ = try await shop.messages(1, "kept")
            try await shop.update(choices: NotificationChoices(email: false, sms: false))
            try await shop.consumed()
            try await shop.ship(2)
            try await shop.consumed()
            #expect(try await shop.messages().map { $0["status"] } == ["suppressed", "kept"])
        }
    }

    @Test("one cause is one message, however often it is seen")
    func oneCause() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let database = try await Database.open(.sqliteMemory, migrations: Events.migrations + NotificationMigrations.all, logger: logger)
        let events = Events(service: .notifications, database: database, time: .system, randomness: .system, logger: logger)
        let store = NotificationStore(jobs: events.jobs, now: { Timestamp(millisecondsSinceEpoch: 1) }, canSend: { _ in true })
        for _ in 0..<3 {
            try await database.write { transaction in
                try store.add(.orderShipped, to: Self.user, cause: "event-1", model: ["orderId": "1"], in: transaction)
            }
        }
        let counts = try await database.read { transaction in
            [
                try transaction.value("SELECT COUNT(*) FROM notifications", as: Int.self) ?? 0,
                try transaction.value("SELECT COUNT(*) FROM jobs", as: Int.self) ?? 0,
            ]
        }
        #expect(counts == [1, 1])
        await database.close()
    }
}
