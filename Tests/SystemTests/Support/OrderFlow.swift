import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Synchronization

// A client that does not give up: each order has its own Idempotency-Key and is sent again, under that key, until the shop has answered 201
// or has refused it for good. So whatever dies in between, the client knows of every order that the shop has, and the shop must have every
// order that the client knows of.

/// Customers who order one piece after another while things break.
final class OrderFlow: Sendable {
    /// An order for which the client has seen a 201.
    struct Accepted: Sendable {
        let id: Int64
        let key: String
    }

    /// What a client was answered instead of a 201, before it tried again.
    struct Refusal: Hashable {
        let status: HTTPResponse.Status
        /// What a person reads.
        let sentence: String
        let hasRetryAfter: Bool
    }

    /// Mostly what is paid at once; among it what is refused, and what is paid only after some trouble.
    private static let methods = ["tok_visa", "tok_visa", "tok_declined", "tok_visa", "tok_flaky", "tok_visa", "tok_timeout"]
    /// How long one order may take to be accepted, with all its repeats.
    private static let patience = Duration.seconds(60)
    private static let pause = Duration.milliseconds(20)

    private let shop: SystemShop
    private let product: Int64
    private struct State {
        var accepted: [Accepted] = []
        var refusals: Set<Refusal> = []
        var repeats = 0
        var failure: (any Error)?
        var isStopped = false
    }

    private let state = Mutex(State())

    init(_ shop: SystemShop, product: Int64) {
        self.shop = shop
        self.product = product
    }

    var accepted: [Accepted] { state.withLock(\.accepted) }
    /// Every different answer that was no 201.
    var refusals: Set<Refusal> { state.withLock(\.refusals) }
    /// How often an order had to be sent again.
    var repeats: Int { state.withLock(\.repeats) }
    private var isStopped: Bool { state.withLock(\.isStopped) }

    /// Orders from `workers` customers at once until `body` has returned.
    func run<Result: Sendable>(workers: Int, while body: () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask { try await self.work(worker) }
            }
            let result = try await body()
            state.withLock { $0.isStopped = true }
            try await group.waitForAll()
            return result
        }
    }

    /// Waits until `count` more orders have been accepted.
    func more(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        let goal = accepted.count + count
        try await eventually(within: limit, "\(count) more orders are accepted") {
            if let failure = state.withLock(\.failure) { throw failure }
            return accepted.count >= goal ? () : nil
        }
    }

    private func work(_ worker: Int) async throws {
        var number = 0
        while !isStopped {
            do {
                try await place("order \(number) of \(worker) for \(product)", Self.methods[(number + worker) % Self.methods.count])
            } catch {
                // Told at once to whoever waits for more orders.
                state.withLock { $0.failure = error }
                throw error
            }
            number += 1
            try await Task.sleep(for: Self.pause)
        }
    }

    private func place(_ key: String, _ method: String) async throws {
        let customer = shop.customers[0]
        let body: JSONValue = ["productId": .integer(product), "quantity": 1, "paymentMethod": .string(method)]
        let id = try await eventually(within: Self.patience, "the order with key \(key) is accepted") { () -> Int64? in
            let reply = try? await shop.client.post("/api/orders", body, as: customer.caller, headers: [.idempotency: key])
            if let reply, reply.status == .created { return reply.json["id"].integer }
            // A lost connection, trouble (5xx) and an attempt still under way (409) pass; anything else is an answer that must not come.
            if let reply, reply.status.kind != .serverError, reply.status != .conflict { throw shop.unexpected(reply) }
            let refusal = reply.map {
                Refusal(status: $0.status, sentence: $0.json["error"].string ?? "", hasRetryAfter: $0.headers[.retryAfter] != nil)
            }
            state.withLock { state in
                state.repeats += 1
                refusal.map { _ = state.refusals.insert($0) }
            }
            return nil
        }
        state.withLock { $0.accepted.append(Accepted(id: id, key: key)) }
    }
}
