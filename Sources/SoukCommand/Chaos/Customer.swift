import Chassis
import Foundation
import HTTPTypes
import Simulation

// Customers order one thing after another while the shop is in trouble. Each order has its own Idempotency-Key and is sent again under it until
// the shop has accepted it or refused it for good. So a customer knows of every order that the shop has, and the shop must have every
// order that a customer knows of. Now and then a customer cancels, or sends an old order once more; an administrator ships, refunds, restocks.

/// One customer of a run of `souk chaos`, with an administrator at hand.
struct Customer: Sendable {
    /// How long a customer goes on asking for one order.
    private static let patience = Duration.seconds(90)
    private static let pause: ClosedRange<Duration> = .milliseconds(1) ... .milliseconds(30)
    private static let retryPause: ClosedRange<Duration> = .milliseconds(50) ... .milliseconds(400)
    /// Mostly what is paid at once; among it what is refused, and what is paid only after some trouble.
    private static let methods = ["tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_flaky", "tok_timeout"]

    let number: Int
    let visitor: Visitor
    let administrator: Visitor
    let shelf: Shelf
    let generator: SeededGenerator
    let testimony: Testimony
    let beginning: ContinuousClock.Instant

    private var elapsed: Duration { ContinuousClock.now - beginning }

    /// Until `end`; an order that is under way then is asked for to its end.
    func shop(until end: Duration) async throws {
        var orders = 0
        while elapsed < end {
            switch generator.int(in: 1...100) {
            case ...78:
                orders += 1
                try await order(key: "chaos-\(number)-\(orders)")
            case ...84: try await visit("cancelled", .post, "cancel", of: visitor)
            case ...89: try await visit("shipped", .post, "ship", of: administrator)
            case ...92: try await visit("delivered", .post, "deliver", of: administrator)
            case ...95: try await refund()
            case ...97: try await restock()
            default: try await repeatAnOrder()
            }
            try await Task.sleep(for: generator.duration(in: Self.pause))
        }
    }

    // MARK: Orders

    private func order(key: String) async throws {
        let body = draft()
        let end = ContinuousClock.now + Self.patience
        var attempts = 0
        while ContinuousClock.now < end {
            attempts += 1
            let sent = elapsed
            switch try await visitor.ask(.post, "/api/orders", body, key: key) {
            case .answered(.created, let data):
                let order = try JSON.decode(PlacedOrder.self, from: data)
                let accepted = Testimony.Accepted(order: order, visitor: visitor, key: key, body: body, sent: sent, answered: elapsed)
                return testimony.note { state in
                    state.accepted.append(accepted)
                    if attempts > 1 { state.repeated += 1 }
                }
            case .answered(.badRequest, let data) where Self.isOutOfStock(data):
                return testimony.note { $0.refused["Insufficient stock", default: 0] += 1 }
            // The first attempt is still under way.
            case .answered(.conflict, _): testimony.hinder("409 Conflict")
            case .answered(let status, let data): return contradict("an order was answered", status, data)
            case .hindered(let reason): testimony.hinder(reason)
            }
            try await Task.sleep(for: generator.duration(in: Self.retryPause))
        }
        testimony.note { $0.unanswered.append(key) }
    }

    private func draft() -> JSONValue {
        let first = generator.pick(shelf.products)
        let others = generator.chance(0.2) ? [generator.pick(shelf.products)].filter { $0 != first } : []
        let items = ([first] + others).map { product in
            JSONValue.object(["productId": .integer(product), "quantity": .integer(Int64(generator.int(in: 1...3)))])
        }
        return .object(["items": .array(items), "paymentMethod": .string(generator.pick(Self.methods))])
    }

    private static func isOutOfStock(_ body: Data) -> Bool {
        (try? JSON.decode(Refusal.self, from: body))?.details?.error == "Insufficient stock"
    }

    private struct Refusal: Decodable {
        struct Details: Decodable {
            let error: String
        }

        let details: Details?
    }

    // MARK: Other visits

    /// Once: what becomes of it without an answer, the audit sees.
    private func visit(_ name: String, _ method: HTTPRequest.Method, _ verb: String, of person: Visitor) async throws {
        guard let order = anOrder() else { return }
        try await once(name, [.conflict], person, method, "/api/orders/\(order.id)/\(verb)")
    }

    private func refund() async throws {
        guard let order = anOrder(), case .answered(.ok, let data) = try await administrator.ask(.get, "/api/payments?orderId=\(order.id)"),
            let payment = try JSON.decode([Payment].self, from: data).first
        else { return }
        let whole = generator.chance(0.5)
        var body: [String: JSONValue] = ["reason": .string("chaos")]
        if !whole { body["amount"] = .integer(1) }
        try await once(
            "refunded", [.conflict, .badRequest, .unprocessableContent], administrator, .post, "/api/payments/\(payment.id)/refunds",
            .object(body), key: "refund-\(number)-\(order.id)-\(generator.next())")
    }

    private struct Payment: Decodable {
        let id: Int64
    }

    private func restock() async throws {
        try await once(
            "restocked", [], administrator, .post, "/api/products/\(shelf.scarce)/restock",
            .object(["quantity": .integer(5), "reason": .string("more have come")]), key: "restock-\(number)-\(generator.next())")
    }

    private func once(
        _ name: String, _ refusals: Set<HTTPResponse.Status>, _ person: Visitor, _ method: HTTPRequest.Method, _ path: String,
        _ body: JSONValue? = nil, key: String? = nil
    ) async throws {
        switch try await person.ask(method, path, body, key: key) {
        case .answered(let status, _) where status.kind == .successful: testimony.note { $0.visits[name, default: 0] += 1 }
        case .answered(let status, _) where refusals.contains(status): break
        case .answered(let status, let data): contradict("\(method) \(path) was answered", status, data)
        case .hindered: break
        }
    }

    /// The same key and body: the same order, whatever has become of it. The same key and another body: refused.
    private func repeatAnOrder() async throws {
        guard let old = anAcceptedOrder() else { return }
        let isSame = generator.chance(0.5)
        let body = isSame ? old.body : .object(["productId": .integer(shelf.scarce), "quantity": .integer(99)])
        switch try await visitor.ask(.post, "/api/orders", body, key: old.key) {
        case .answered(.created, let data) where isSame:
            let again = try JSON.decode(PlacedOrder.self, from: data)
            guard again == old.order else { return testimony.contradict("key \(old.key) is order \(old.order.id) and also \(again.id)") }
            testimony.note { $0.visits["sent again", default: 0] += 1 }
        case .answered(.unprocessableContent, _) where !isSame: testimony.note { $0.visits["refused under a used key", default: 0] += 1 }
        case .answered(let status, let data): contradict("the used key \(old.key) was answered", status, data)
        case .hindered: break
        }
    }

    private func anOrder() -> PlacedOrder? { anAcceptedOrder()?.order }

    private func anAcceptedOrder() -> Testimony.Accepted? {
        let own = testimony.now.accepted.suffix(200).filter { $0.visitor === visitor }
        return own.isEmpty ? nil : generator.pick(own)
    }

    private func contradict(_ what: String, _ status: HTTPResponse.Status, _ body: Data) {
        testimony.contradict("\(what) with \(status): \(String(decoding: body.prefix(300), as: UTF8.self))")
    }
}
