import ChassisStorage
import Contracts

// One event gives one message, which carries the event's id as its cause. First the position of notification-service is read, with how
// many messages of each kind there are; then the producer's events up to it, a page at a time, each page with the messages that it
// caused. Messages are never taken back, so that what was there with the position is still there.
//
// That no message is there without its event is shown by their numbers. Only when these differ are the messages gone through one by one.

extension Invariant {
    static let messagesFollowEvents = [
        messages(of: .users, [UserRegistered.eventType: "welcome"]),
        messages(
            of: .orders,
            [
                OrderPlaced.eventType: "order-placed", OrderPaid.eventType: "order-paid", OrderCancelled.eventType: "order-cancelled",
                OrderShipped.eventType: "order-shipped", OrderDelivered.eventType: "order-delivered",
                OrderRefunded.eventType: "order-refunded",
            ]),
        messages(of: .payments, [PaymentRefunded.eventType: "refund-issued", PaymentChargedBack.eventType: "payment-charged-back"]),
    ]

    /// - Parameter kinds: the kind of message by the type of the event that it tells of.
    private static func messages(of producer: ServiceName, _ kinds: [String: String]) -> Invariant {
        let word = producer.rawValue.split(separator: "-").first.map { "\($0)s" } ?? ""
        return Invariant(
            "messages-follow-\(word)", .events, .always, reading: [.notifications, producer],
            "Each event of \(producer.rawValue) that customers are told of, and that notification-service has passed, has one message."
        ) { books in
            try await MessageComparison(producer: producer, kinds: kinds, books: books).finding()
        }
    }
}

private struct MessageComparison: Sendable {
    /// Events of one page.
    private static let page = 1_024

    let producer: ServiceName
    let kinds: [String: String]
    let books: Books

    private struct Told: Sendable {
        let sequence: Int64
        let id: String
        let type: String
    }

    func finding() async throws -> Finding {
        var finding = Finding()
        let (passage, numbers) = try await books.read(.notifications) { transaction in
            (try Passage(of: producer, in: transaction), try readNumbers(in: transaction))
        }
        var told: [String: Int] = [:]
        var after: Int64 = 0
        while true {
            let events = try await readEvents(after: after, through: passage.position)
            guard let last = events.last else { break }
            let messages = try await readMessages(caused: events)
            for event in events {
                finding.examined += 1
                let kind = messages[event.id]
                if let kind { told[kind, default: 0] += 1 }
                if kind == kinds[event.type] || (kind == nil && passage.parked.contains(event.sequence)) { continue }
                finding.violation(
                    "\(producer.rawValue)/event-\(event.sequence)",
                    "\(event.type) was passed, but " + (kind.map { "its message is of kind \($0)" } ?? "there is no message"))
            }
            after = last.sequence
        }
        for (kind, number) in numbers.sorted(by: { $0.key < $1.key }) where number > told[kind, default: 0] {
            try await unfounded(kind, &finding)
        }
        return finding
    }

    private func readNumbers(in transaction: Transaction) throws -> [String: Int] {
        let rows = try transaction.all(
            "SELECT kind, COUNT(*) AS number FROM notifications WHERE kind IN \(list: kinds.values.sorted()) GROUP BY kind"
        ) { row in (try row["kind"] as String, try row["number"] as Int) }
        return Dictionary(rows) { first, _ in first }
    }

    private func readEvents(after: Int64, through position: Int64) async throws -> [Told] {
        try await books.read(producer) { transaction in
            try transaction.all(
                """
                SELECT sequence, id, type FROM outbox
                WHERE sequence > \(after) AND sequence <= \(position) AND type IN \(list: kinds.keys.sorted())
                ORDER BY sequence LIMIT \(Self.page)
                """
            ) { row in Told(sequence: try row["sequence"], id: try row["id"], type: try row["type"]) }
        }
    }

    /// The kinds of the messages by the events that caused them.
    private func readMessages(caused events: [Told]) async throws -> [String: String] {
        try await books.read(.notifications) { transaction in
            let rows = try transaction.all("SELECT cause, kind FROM notifications WHERE cause IN \(list: events.map(\.id).padded)") { row in
                (try row["cause"] as String, try row["kind"] as String)
            }
            return Dictionary(rows) { first, _ in first }
        }
    }

    /// Names the messages of a kind whose event was never there. An outbox that was trimmed cannot tell.
    private func unfounded(_ kind: String, _ finding: inout Finding) async throws {
        guard try await isWhole() else { return }
        let messages = try await books.read(.notifications) { transaction in
            try transaction.all("SELECT id, cause FROM notifications WHERE kind = \(kind)") { row in
                (id: try row["id"] as Int64, cause: try row["cause"] as String)
            }
        }
        let types = kinds.filter { $0.value == kind }.map(\.key)
        let causes = try await books.read(producer) { transaction in
            Set(try transaction.all("SELECT id FROM outbox WHERE type IN \(list: types)") { try $0["id"] as String })
        }
        // It may have been trimmed meanwhile.
        guard try await isWhole() else { return }
        for message in messages where !causes.contains(message.cause) {
            finding.violation("notification \(message.id)", "is of kind \(kind), but no event of \(producer.rawValue) caused it")
        }
    }

    private func isWhole() async throws -> Bool {
        try await books.read(producer) { try $0.value("SELECT trimmed_through FROM outbox_retention", as: Int64.self) ?? 0 == 0 }
    }
}
