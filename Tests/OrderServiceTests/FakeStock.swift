import Commerce
import Contracts
import Synchronization

@testable import OrderService

/// A product-service in memory that keeps the promises of the real one: all or nothing, one id one reservation.
final class FakeStock: Sendable {
    struct Item: Sendable {
        let name: String
        let price: Money
        var available: Int64
    }

    private struct Reservation: Sendable {
        let lines: [ReservationLine]
        let reserved: [ReservedLine]
        var isHeld: Bool
    }

    private struct State {
        var items: [ProductID: Item]
        var reservations: [String: Reservation] = [:]
        var requests: [ReservationRequest] = []
        var releases: [String] = []
        /// What the next calls meet instead of an answer, and whether the pieces are held nevertheless.
        var troubles: [(error: ProductsError, isCarriedOut: Bool)?] = []
    }

    private let state: Mutex<State>

    /// Product 1 is a Laptop for 999, 2 a Phone for 699.90, 3 a Lamp priced in euros, 4 sold out.
    init(laptops: Int64 = 1_000) {
        let euro = Currency(code: "EUR") ?? .usd
        let items = [
            Item(name: "Laptop", price: Money(minorUnits: 99_900, currency: .usd), available: laptops),
            Item(name: "Phone", price: Money(minorUnits: 69_990, currency: .usd), available: 1_000),
            Item(name: "Lamp", price: Money(minorUnits: 2_000, currency: euro), available: 1_000),
            Item(name: "Rarity", price: Money(minorUnits: 100, currency: .usd), available: 0),
        ]
        let numbered = items.enumerated().compactMap { index, item in ProductID(rawValue: Int64(index + 1)).map { ($0, item) } }
        state = Mutex(State(items: Dictionary(uniqueKeysWithValues: numbered)))
    }

    var products: Products {
        Products(
            reserve: { request async throws(ProductsError) in try self.reserve(request) },
            release: { id async throws(ProductsError) in self.release(id) },
            commit: { id, _ async throws(ProductsError) in try self.commit(id) })
    }

    // MARK: What a test does to it

    /// The next call, or one some calls later, fails like this; with `isCarriedOut` only its answer is lost.
    func failNext(_ error: ProductsError, isCarriedOut: Bool = false, after calls: Int = 0) {
        state.withLock { $0.troubles += Array(repeating: nil, count: calls) + [(error, isCarriedOut)] }
    }

    /// All leases are over.
    func endAllLeases() {
        state.withLock { state in
            for id in state.reservations.keys { Self.end(id, &state) }
        }
    }

    // MARK: What a test asks it

    var requests: [ReservationRequest] { state.withLock { $0.requests } }
    var releases: [String] { state.withLock { $0.releases } }
    var heldCount: Int { state.withLock { state in state.reservations.values.filter(\.isHeld).count } }
    func available(_ id: Int64) -> Int64 { state.withLock { state in ProductID(rawValue: id).flatMap { state.items[$0]?.available } ?? 0 } }

    // MARK: What it does

    private func reserve(_ request: ReservationRequest) throws(ProductsError) -> ReservationOutcome {
        let result: Result<ReservationOutcome, ProductsError> = state.withLock { state in
            state.requests.append(request)
            let trouble = state.troubles.isEmpty ? nil : state.troubles.removeFirst()
            guard let trouble else { return .success(Self.outcome(of: request, &state)) }
            if trouble.isCarriedOut { _ = Self.outcome(of: request, &state) }
            return .failure(trouble.error)
        }
        return try result.get()
    }

    private static func outcome(of request: ReservationRequest, _ state: inout State) -> ReservationOutcome {
        let expiry = ManualTime.start + .seconds(900)
        if let known = state.reservations[request.id] {
            guard known.lines == request.lines else { return .mismatch }
            return known.isHeld ? .reserved(lines: known.reserved, expiresAt: expiry) : .ended
        }
        var reserved: [ReservedLine] = []
        for line in request.lines {
            guard let item = state.items[line.productID] else { return .unknownProduct(line.productID) }
            guard item.available >= line.quantity.rawValue else {
                return .insufficientStock(line.productID, available: item.available)
            }
            reserved.append(ReservedLine(productID: line.productID, name: item.name, unitPrice: item.price, quantity: line.quantity))
        }
        for line in request.lines { state.items[line.productID]?.available -= line.quantity.rawValue }
        state.reservations[request.id] = Reservation(lines: request.lines, reserved: reserved, isHeld: true)
        return .reserved(lines: reserved, expiresAt: expiry)
    }

    private func release(_ id: String) {
        state.withLock { state in
            state.releases.append(id)
            Self.end(id, &state)
        }
    }

    private func commit(_ id: String) throws(ProductsError) -> Bool {
        let result: Result<Bool, ProductsError> = state.withLock { state in
            let trouble = state.troubles.isEmpty ? nil : state.troubles.removeFirst()
            if let trouble { return .failure(trouble.error) }
            return .success(state.reservations[id]?.isHeld == true)
        }
        return try result.get()
    }

    private static func end(_ id: String, _ state: inout State) {
        guard let reservation = state.reservations[id], reservation.isHeld else { return }
        state.reservations[id]?.isHeld = false
        for line in reservation.lines { state.items[line.productID]?.available += line.quantity.rawValue }
    }
}
