import Chassis
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ChassisStorage
@testable import OrderService
@testable import PaymentService
@testable import ProductService
@testable import UserService

/// What customers and administrators do in a small shop, each as the service's own routes would.
extension SmallShop {
    // MARK: Accounts

    @discardableResult
    func register(_ name: String) async throws -> UserID {
        let cost = try #require(ScryptCost(logN: 4, blockSize: 8, parallelism: 1))
        let user = try await users.insert(
            NewUser(
                name: try #require(PersonName(name)), email: try #require(EmailAddress("\(name)@example.org")),
                password: PasswordHash(cost: cost, salt: Array(repeating: 1, count: 16), digest: Array(repeating: 2, count: 32)),
                isEmailVerified: true),
            at: time.now)
        try await step()
        return user.id
    }

    func erase(_ user: UserID) async throws {
        try await users.erase(user, at: time.now)
        try await step()
    }

    // MARK: The shelf

    @discardableResult
    func add(_ name: String, price: Int64, stock: Int64, currency: Currency = .usd) async throws -> ProductID {
        let details = ProductDetails(name: name, price: Money(minorUnits: price, currency: currency))
        let product = try await products.write { [products] transaction in
            try products.add(NewProduct(details: details, stock: stock), in: transaction)
        }
        try await step()
        return product.id
    }

    func sell(_ quantity: Int64, of product: ProductID) async throws {
        let withdrawal = StockWithdrawal(quantity: try #require(Quantity(rawValue: quantity)))
        _ = try await products.write { [products] in try products.withdraw(withdrawal, from: product, in: $0) }
        try await step()
    }

    func restock(_ quantity: Int64, of product: ProductID) async throws {
        let restocking = Restocking(quantity: try #require(Quantity(rawValue: quantity)), reason: "delivered")
        _ = try await products.write { [products] in try products.restock(restocking, of: product, in: $0) }
        try await step()
    }

    /// Ends the leases whose time is over.
    func sweep() async throws {
        _ = try await reservations.expireLeases(atMost: 100)
        try await step()
    }

    // MARK: Orders

    /// Holds pieces under a name, for an order that may come.
    func reserve(_ name: String, _ lines: [(ProductID, Int64)]) async throws -> [ReservedLine] {
        let wanted = try lines.map { product, quantity in
            ReservationLine(productID: product, quantity: try #require(Quantity(rawValue: quantity)))
        }
        let outcomes = try await reservations.reserve([ReservationRequest(id: name, lines: wanted)])
        try await step()
        guard case .reserved(let reserved, _) = outcomes[0] else {
            Issue.record("not reserved: \(outcomes)")
            return []
        }
        return reserved
    }

    /// Places an order under an idempotency key, as the checkout does.
    @discardableResult
    func order(_ key: String, by user: UserID, _ lines: [(ProductID, Int64)], method: String = "tok_visa") async throws -> OrderID {
        let name = ReservationName.make(user: user, key: key, generation: 0)
        let reserved = try await reserve(name, lines)
        let draft = OrderDraft(
            userID: nil, lines: reserved.map { ReservationLine(productID: $0.productID, quantity: $0.quantity) }, currency: nil,
            paymentMethod: method, shippingAddress: nil)
        let priced = try draft.priced(for: user, reservationID: name, reserved)
        let id = try await database(.orders).write { [orders, time] transaction in
            let order = try orders.place(priced, in: transaction)
            let response = try RecordedResponse.json(OrderView(order), status: .created)
            try IdempotencyTable.insert(
                IdempotencyTable.Entry(fingerprint: [], response: response), scope: "orders of \(user)", key: key, now: time.now,
                in: transaction)
            return order.id
        }
        try await step()
        return id
    }

    /// Cancels, ships or delivers.
    func change(_ id: OrderID, _ trigger: OrderTrigger) async throws {
        try await database(.orders).write { [orders] transaction in
            let order = try #require(try orders.lockedOrder(id, in: transaction))
            try orders.apply(trigger, to: order, in: transaction)
        }
        try await step()
    }

    /// Gives some of an order's money back, or all that is left.
    func refund(_ id: OrderID, _ minorUnits: Int64? = nil) async throws {
        try await database(.payments).write { [payments] transaction in
            let payment = try #require(try payments.payment(ofOrder: id, in: transaction))
            let amount = try minorUnits.map { Money(minorUnits: $0, currency: payment.amount.currency) } ?? payment.refundable
            _ = try payments.openRefund(of: payment, amount, reason: "as agreed", in: transaction)
        }
        try await step()
    }

    /// The customer's bank takes back what is left of an order's money, and may give it back again.
    func chargeBack(_ id: OrderID, reverse: Bool = false) async throws {
        let payment = try await database(.payments).read { [payments] in try payments.payment(ofOrder: id, in: $0)?.id }
        let charge = "payment-\(try #require(payment))"
        try await hear(try #require(try await sandbox.chargeBack(charge)))
        guard reverse else { return }
        try await settle()
        try await hear(try #require(try await sandbox.reverse(charge)))
    }

    private func hear(_ notice: SignedNotice) async throws {
        try await step()
        try await notices.receive(PaymentProvider.Notice(headers: notice.headers, body: notice.body))
        try await step()
    }
}
