import Chassis
import ChassisStorage
import Commerce
import Contracts
import HTTPTypes
import Hummingbird
import Logging
import Synchronization

// How an order comes to be.
//
//     1  hold the pieces    product-service, under a name derived from user and key    no order yet
//     2  store the order    one transaction: order, lines, history, OrderPlaced, the response under its key
//     3  answer 201         only after the commit is on disk
//
// A crash before 2 leaves a lease that ends by itself. A crash between 2 and 3 leaves an order whose client does not know of it: it asks
// again with the same key and gets the stored response. Nothing else can be half done, for there is only one transaction.
//
// When product-service does not answer, nobody knows whether the pieces are held. The client is told so (503 and when to come back) and
// may repeat the request with the same key: the name of the reservation is the same. Without a key a repeat is a new reservation, and the
// first one, if it was made, ends with its lease.
//
// A key that has made an order never makes another one. While its response is kept it is given again. Afterwards the order itself, whose
// reservation has a name made from the key, refuses the key with a 409, before anything is reserved: product-service has forgotten the
// reservation of an old order, and would make it anew.
//
// The lease is given back early only when it is certain that no order has it: this attempt made its name from a key that nobody else
// knows, and its transaction did not begin, or failed by a rule of ours. After any other failure (a commit whose outcome is unknown, a
// client's key, under which another attempt may be further) giving it back could take the pieces from an order that exists.

/// Places orders.
struct Checkout: Sendable {
    let store: OrderStore
    let products: Products
    let idempotency: Idempotency

    /// Places an order and answers with it; or with the stored response, when this request was answered before.
    ///
    /// - Throws: `OrderError`, `Problem`, `StorageError`.
    func place(_ draft: OrderDraft, _ call: Call) async throws -> Response {
        let user = try call.user
        let owner = draft.userID ?? user.id
        guard user.mayAct(for: owner) else { throw OrderError.forSomebodyElse }
        do {
            return try await attempt(draft, for: owner, by: user.id, call)
        } catch OrderError.keyUsedBefore {
            // Another replica stored the order of this key a moment ago: then its response is there now. If not, it was long ago.
            return try await attempt(draft, for: owner, by: user.id, call)
        }
    }

    private func attempt(_ draft: OrderDraft, for owner: UserID, by user: UserID, _ call: Call) async throws -> Response {
        let lease = Lease()
        do {
            return try await idempotency.once(call, scope: "orders of \(user)", fingerprint: try fingerprint(of: call, draft)) {
                [store] key, transaction in
                let names = ReservationName.generations.map { ReservationName.make(user: user, key: key.value, generation: $0) }
                if try store.hasOrder(reservedAs: names, in: transaction) { throw OrderError.keyUsedBefore }
            } prepare: { key in
                let reservation = try await reserve(draft, by: user, key)
                if !key.isFromClient { lease.hold(reservation.name) }
                return try draft.priced(for: owner, reservationID: reservation.name, reservation.lines)
            } commit: { [store] order, _, transaction in
                let order = try store.place(order, in: transaction)
                return try .json(OrderView(order), status: .created, headers: [.location: "/api/orders/\(order.id)"])
            }
        } catch {
            if let id = lease.id, Self.leavesNoOrder(error) { await giveBack(id, call) }
            throw error
        }
    }

    /// Without a key of the client's nothing is looked up by it.
    private func fingerprint(of call: Call, _ draft: OrderDraft) throws -> [UInt8] {
        call.request.headers[.idempotencyKey] == nil ? [] : try Idempotency.fingerprint(of: call, body: draft)
    }

    /// Whether the transaction of an attempt that failed with this surely did nothing.
    static func leavesNoOrder(_ error: any Error) -> Bool {
        switch error {
        case is OrderError, is CancellationError: true
        case let error as StorageError: error.isOverloaded || error.isBusy
        default: false
        }
    }

    /// A courtesy to the next customer: when it fails, the lease ends by itself.
    private func giveBack(_ reservationID: String, _ call: Call) async {
        do {
            try await products.release(reservationID)
        } catch {
            call.logger.info("reservation left to expire", metadata: ["reason": "\(error)"])
        }
    }

    /// The reservation that this attempt made, if nobody else can have made an order of it.
    private final class Lease: Sendable {
        private let held = Mutex<String?>(nil)
        var id: String? { held.withLock { $0 } }
        func hold(_ id: String) { held.withLock { $0 = id } }
    }
}

// MARK: - Reserving

extension Checkout {
    /// Holds the pieces and learns their prices. See `ReservationName` for the generations.
    private func reserve(
        _ draft: OrderDraft, by user: UserID, _ key: IdempotencyKey
    ) async throws -> (name: String, lines: [ReservedLine]) {
        for generation in ReservationName.generations {
            let name = ReservationName.make(user: user, key: key.value, generation: generation)
            switch try await ask(ReservationRequest(id: name, lines: draft.lines)) {
            case .reserved(let lines, _): return (name, lines)
            case .unknownProduct(let product): throw OrderError.unknownProduct(product)
            case .insufficientStock(let product, let available): throw OrderError.insufficientStock(product, available: available)
            case .mismatch: throw OrderError.keyUsedForOtherLines
            case .ended: continue
            }
        }
        throw OrderError.keyUsedBefore
    }

    private func ask(_ request: ReservationRequest) async throws -> ReservationOutcome {
        do {
            return try await products.reserve(request)
        } catch {
            switch error {
            case .unavailable, .timedOut, .overloaded: throw OrderError.productsUnavailable
            case .malformed: throw OrderError.reservationMalformed
            case .cancelled: throw CancellationError()
            }
        }
    }
}
