import Chassis
import ChassisStorage
import Commerce
import Contracts

/// What can be asked about orders and done with them after they are placed, with the rules of who may.
struct Orders: Sendable {
    let database: Database
    let store: OrderStore
    let products: Products

    /// An order with its history. For who may not see it there is none.
    func order(_ id: OrderID, for user: UserIdentity) async throws -> (order: Order, timeline: [TimelineEntry]) {
        try await database.read { [store] transaction in
            guard let order = try store.order(id, in: transaction), user.mayAct(for: order.userID) else { throw OrderError.notFound }
            return (order, try store.timeline(of: id, in: transaction))
        }
    }

    /// A user's own orders, or those of anybody for an administrator, newest first.
    func history(of owner: UserID, for user: UserIdentity, _ page: PageRequest) async throws -> Page<Order> {
        guard user.mayAct(for: owner) else { throw OrderError.notFound }
        return try await list(OrderStore.Filter(userID: owner), page)
    }

    /// A user's own orders, or all for an administrator, newest first.
    func all(_ status: OrderStatus?, for user: UserIdentity, _ page: PageRequest) async throws -> Page<Order> {
        try await list(OrderStore.Filter(userID: user.isAdministrator ? nil : user.id, status: status), page)
    }

    /// Ships a paid order once product-service has said that its pieces are sold to it. That it is told of payments by events, which may be
    /// late, would let goods leave that others have bought meanwhile.
    ///
    /// - Throws: `OrderError.notFound`, `OrderError.impossible`, `OrderError.outOfStock`, `OrderError.shippingUnconfirmed`.
    func ship(_ id: OrderID, by user: UserIdentity) async throws -> (order: Order, timeline: [TimelineEntry]) {
        let order = try await order(id, for: user).order
        if order.status == .paid { try await commitPieces(of: order) }
        return try await change(id, .ship, by: user)
    }

    private func commitPieces(of order: Order) async throws {
        do {
            guard try await products.commit(order.reservationID, order.id) else { throw OrderError.outOfStock }
        } catch let error as ProductsError {
            if error == .cancelled { throw CancellationError() }
            throw OrderError.shippingUnconfirmed
        }
    }

    /// Cancels, ships or delivers. A repeat of what is so already gives the order as it is.
    ///
    /// - Throws: `OrderError.notFound`, `OrderError.impossible`.
    func change(_ id: OrderID, _ trigger: OrderTrigger, by user: UserIdentity) async throws -> (order: Order, timeline: [TimelineEntry]) {
        try await database.write { [store] transaction in
            guard let order = try store.lockedOrder(id, in: transaction), user.mayAct(for: order.userID) else { throw OrderError.notFound }
            do {
                let changed = try store.apply(trigger, to: order, in: transaction)
                return (changed, try store.timeline(of: id, in: transaction))
            } catch let error as ImpossibleTransition {
                throw OrderError.impossible(error)
            }
        }
    }

    private func list(_ filter: OrderStore.Filter, _ page: PageRequest) async throws -> Page<Order> {
        let before = try page.cursor.map { cursor in
            guard let id = OrderID(cursor) else { throw Problem.invalid("?cursor", "is not from a list of orders") }
            return id
        }
        let orders = try await database.read { [store] in try store.orders(filter, before: before, limit: page.limit + 1, in: $0) }
        return Page(rows: orders, limit: page.limit) { $0.id.description }
    }
}
