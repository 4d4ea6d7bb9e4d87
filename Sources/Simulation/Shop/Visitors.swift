import Chassis
import Contracts
import Foundation
import HTTPTypes
import Synchronization

// Customers and the administrator, played from the seed. A customer who gets no answer, or one that says "later", asks again under the same key,
// sometimes; sometimes gives up, and never knows. What they were told is written down, and the shop is held to it.

/// Those who use the shop, and what they were told.
final class Visitors: Sendable {
    /// An order for which somebody has seen a 201.
    struct Accepted: Sendable {
        let id: Int64
        let customer: Int64
        let key: String
        let body: Data
    }

    private struct State {
        var accepted: [Accepted] = []
        var byKey: [String: Int64] = [:]
        var broken: [String] = []
        var lastKey = 0
    }

    static let customers: [Int64] = [1, 2]
    static let administrator: Int64 = 9
    static let products: [Int64] = [1, 2, 3]
    private static let methods = [
        "tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_insufficient_funds", "tok_flaky", "tok_timeout", "tok_unknown",
    ]

    private let world: World
    private let transport: HTTPTransport
    private let authorization: [Int64: String]
    private let bank: SimulatedBank
    private let state = Mutex(State())

    init(_ shop: SimulatedShop) throws {
        world = shop.world
        transport = shop.network.transport(of: nil)
        var authorization: [Int64: String] = [:]
        for customer in Self.customers { authorization[customer] = "Bearer \(try shop.tokens.token(for: customer, .customer))" }
        authorization[Self.administrator] = "Bearer \(try shop.tokens.token(for: Self.administrator, .admin))"
        self.authorization = authorization
        bank = SimulatedBank(world: world, company: shop.company, transport: transport)
    }

    var accepted: [Accepted] { state.withLock(\.accepted) }
    /// Promises that were broken in what the shop has said.
    var broken: [String] { state.withLock(\.broken) }

    // MARK: Opening

    /// Fills the shelves. Throws when the shop refuses.
    func stock() async throws {
        for product in Self.products {
            let body: JSONValue = .object([
                "name": .string("Thing \(product)"), "price": .decimal(Decimal(string: "\(product)9.9\(product)") ?? 1),
                "stock": .integer(5 * product),
                "description": .string("For sale"), "category": .string("things"),
            ])
            let reply = await send(.post, .products, "/api/products", try JSON.encodedData(body), as: Self.administrator)
            guard case .success(let reply) = reply, reply.status == .created else { throw ShopNotOpened(reply: "\(reply)") }
        }
    }

    // MARK: Acting

    /// One thing that somebody does, drawn from the seed. It goes on by itself while the simulation does.
    func act() {
        switch world.generator.int(in: 0...99) {
        case ..<50: order()
        case ..<58: repeatOrder()
        case ..<62: reuseKey()
        case ..<74: change("cancel", by: nil)
        case ..<80: change("ship", by: Self.administrator)
        case ..<84: change("deliver", by: Self.administrator)
        case ..<90: refund()
        case ..<93: chargeBack()
        default: restock()
        }
    }

    private func order() {
        let customer = world.generator.pick(Self.customers)
        let count = world.generator.int(in: 1...2)
        var products = Self.products
        var items: [JSONValue] = []
        for _ in 0..<count {
            let product = products.remove(at: world.generator.int(in: 0...products.count - 1))
            items.append(.object(["productId": .integer(product), "quantity": .integer(Int64(world.generator.int(in: 1...3)))]))
        }
        let body: JSONValue = .object(["items": .array(items), "paymentMethod": .string(world.generator.pick(Self.methods))])
        let number = state.withLock { state in
            state.lastKey += 1
            return state.lastKey
        }
        guard let body = try? JSON.encodedData(body) else { return }
        place("key-\(number)", body, by: customer, attempts: world.generator.int(in: 1...5))
    }

    /// Somebody who has an answer asks again.
    private func repeatOrder() {
        guard !accepted.isEmpty else { return order() }
        let before = world.generator.pick(accepted)
        place(before.key, before.body, by: before.customer, attempts: 1)
    }

    private func place(_ key: String, _ body: Data, by customer: Int64, attempts: Int) {
        let pauses = (0..<attempts).map { _ in world.generator.duration(in: .milliseconds(50)...(.seconds(20))) }
        world.start {
            for pause in pauses {
                let known = self.state.withLock { $0.byKey[key] }
                let answer = await self.send(.post, .orders, "/api/orders", body, as: customer, key: key)
                if let known { self.expectSame(answer, key, known) }
                if self.note(answer, key, body, customer) { return }
                try? await self.world.clock.sleep(for: pause)
            }
        }
    }

    /// Writes down what a customer was told. True when that was an answer for good.
    private func note(_ answer: Incarnation.Answer, _ key: String, _ body: Data, _ customer: Int64) -> Bool {
        world.trace.note("customer \(customer) orders \(String(decoding: body, as: UTF8.self)) under \(key): \(Self.text(answer))")
        guard case .success(let reply) = answer else { return false }
        if reply.status.kind == .serverError || reply.status == .conflict { return Self.problem(of: reply) == "insufficient-stock" }
        guard reply.status == .created else { return true }
        guard let id = Self.id(in: reply) else {
            broke("an order was accepted without an id, under \(key)")
            return true
        }
        state.withLock { state in
            if let before = state.byKey[key], before != id { state.broken.append("\(key) is order \(before) and order \(id)") }
            guard state.byKey.updateValue(id, forKey: key) == nil else { return }
            state.accepted.append(Accepted(id: id, customer: customer, key: key, body: body))
        }
        return true
    }

    /// A key that has an order has its response, as long as keys are kept, which is longer than a simulation lasts: whoever asks again is told of
    /// that order, or that it did not work out, and nothing else.
    private func expectSame(_ answer: Incarnation.Answer, _ key: String, _ order: Int64) {
        // A clock that is a day wrong knows no token.
        guard case .success(let reply) = answer, reply.status.kind == .clientError, reply.status != .unauthorized else { return }
        let isUnderWay = Self.problem(of: reply) == "idempotency-key-in-progress"
        if !isUnderWay { broke("\(key) is order \(order), but its repeat is refused: \(Self.text(answer))") }
    }

    /// A key that has an order is used for another one.
    private func reuseKey() {
        guard !accepted.isEmpty else { return order() }
        let before = world.generator.pick(accepted)
        let body = Data(#"{"productId":1,"quantity":99}"#.utf8)
        world.start {
            let answer = await self.send(.post, .orders, "/api/orders", body, as: before.customer, key: before.key)
            self.world.trace.note("customer \(before.customer) uses \(before.key) for something else: \(Self.text(answer))")
            if case .success(let reply) = answer, reply.status.kind == .successful {
                self.broke("\(before.key) was used for two different requests, and both were accepted")
            }
        }
    }

    private func change(_ what: String, by user: Int64?) {
        guard !accepted.isEmpty else { return order() }
        let order = world.generator.pick(accepted)
        world.start {
            let answer = await self.send(.post, .orders, "/api/orders/\(order.id)/\(what)", nil, as: user ?? order.customer)
            self.world.trace.note("\(what) order \(order.id): \(Self.text(answer))")
        }
    }

    private func refund() {
        guard !accepted.isEmpty else { return order() }
        let order = world.generator.pick(accepted)
        let amount: JSONValue = world.generator.chance(0.6) ? .decimal(Decimal(world.generator.int(in: 1...4000)) / 100) : .null
        let number = world.generator.next()
        let attempts = world.generator.int(in: 1...3)
        world.start {
            let found = await self.send(.get, .payments, "/api/payments?orderId=\(order.id)", nil, as: Self.administrator)
            guard case .success(let reply) = found, case .array(let payments)? = try? JSONValue.parse(reply.body),
                case .object(let payment)? = payments.first,
                case .integer(let id)? = payment["id"]
            else { return }
            var members: [String: JSONValue] = ["reason": .string("asked for")]
            if amount != .null { members["amount"] = amount }
            guard let body = try? JSON.encodedData(JSONValue.object(members)) else { return }
            for _ in 0..<attempts {
                let answer = await self.send(
                    .post, .payments, "/api/payments/\(id)/refunds", body, as: Self.administrator, key: "refund-\(number)")
                self.world.trace.note("refund \(String(decoding: body, as: UTF8.self)) of order \(order.id): \(Self.text(answer))")
                if case .success(let reply) = answer, reply.status.kind != .serverError { return }
                try? await self.world.clock.sleep(for: .seconds(2))
            }
        }
    }

    private func chargeBack() {
        guard !accepted.isEmpty else { return order() }
        bank.chargeBack(world.generator.pick(accepted).id)
    }

    private func restock() {
        let product = world.generator.pick(Self.products)
        let quantity = world.generator.int(in: 1...10)
        let key = "restock-\(world.generator.next())"
        world.start {
            let body = Data(#"{"quantity":\#(quantity),"reason":"delivery"}"#.utf8)
            let answer = await self.send(.post, .products, "/api/products/\(product)/restock", body, as: Self.administrator, key: key)
            self.world.trace.note("restock \(quantity) of product \(product): \(Self.text(answer))")
        }
    }

    // MARK: Asking

    private func broke(_ promise: String) {
        state.withLock { $0.broken.append(promise) }
    }

    private func send(
        _ method: HTTPRequest.Method, _ service: ServiceName, _ path: String, _ body: Data?, as user: Int64, key: String? = nil
    ) async -> Incarnation.Answer {
        var headers: HTTPFields = [.authorization: authorization[user] ?? ""]
        if let key { headers[.idempotencyKey] = key }
        if body != nil { headers[.contentType] = "application/json" }
        let url = "http://127.0.0.1:\(ServiceSettings.standardPortBase + service.portOffset)\(path)"
        do throws(TransportError) {
            return .success(
                try await transport.send(OutboundRequest(method: method, url: url, headers: headers, body: body), timeout: .seconds(15)))
        } catch {
            return .failure(error)
        }
    }

    private static func id(in reply: InboundResponse) -> Int64? {
        guard case .object(let members)? = try? JSONValue.parse(reply.body), case .integer(let id)? = members["id"] else { return nil }
        return id
    }

    private static func problem(of reply: InboundResponse) -> String? {
        guard case .object(let members)? = try? JSONValue.parse(reply.body), case .string(let type)? = members["type"] else { return nil }
        return type.split(separator: ":").last.map(String.init)
    }

    private static func text(_ answer: Incarnation.Answer) -> String {
        switch answer {
        case .failure(let error): "no answer (\(error))"
        case .success(let reply):
            [
                "\(reply.status.code)", id(in: reply).map { "order \($0)" }, problem(of: reply),
                reply.headers[.idempotencyReplayed] == "true" ? "replayed" : nil,
            ].compactMap(\.self).joined(separator: " ")
        }
    }
}

/// The shop could not be filled before the simulation began.
struct ShopNotOpened: Error, CustomStringConvertible {
    let reply: String
    var description: String { "the shop could not be opened: \(reply)" }
}
