import Chassis
import ChassisStorage
import Commerce
import Contracts
import ServiceLifecycle
import Testing

@testable import ChassisEvents
@testable import ProductService

@Suite("What orders mean for stock")
struct OrderEventsTests {
    /// A shop and the order-service whose events it consumes.
    private struct Pair {
        let shop: TestShop
        let orders: Events
        let orderDatabase: Database

        init() async throws {
            shop = try await TestShop(lease: .seconds(60))
            orderDatabase = try await Database.open(.sqliteMemory, migrations: Events.migrations, logger: .silent)
            orders = Events(service: .orders, database: orderDatabase, time: shop.clock.source, randomness: .system, logger: .silent)
        }

        func say(_ event: some Event) async throws {
            try await orderDatabase.write { [orders] in try orders.outbox.append(event, in: $0) }
        }

        /// Runs the real consumer until it has asked for what comes after the last event.
        func consume() async throws {
            let latest = try await orderDatabase.read { try $0.value("SELECT max(sequence) FROM outbox", as: Int64.self) } ?? 0
            let (caughtUp, signal) = AsyncStream<Void>.makeStream()
            let feed = EventSource.outbox(of: orders)
            let source = EventSource { after, limit, _ in
                if after >= latest { signal.finish() }
                let events = try await feed.read(after, limit, .zero)
                if events.isEmpty { try await Task.sleep(for: .seconds(600)) }
                return events
            }
            let events = Events(service: .products, database: shop.database, time: shop.clock.source, randomness: .system, logger: .silent)
            let consumption = events.consume(OrderEvents(reservations: shop.reservations).consumer, from: source)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await consumption.run() }
                for await _ in caughtUp {}
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
        }
    }

    private let user = UserID(rawValue: 7)!
    private let total = Money(minorUnits: 100, currency: .usd)

    private func paid(_ order: Int64, _ reservation: String) -> OrderPaid {
        OrderPaid(orderID: OrderID(rawValue: order)!, userID: user, reservationID: reservation, lines: [], total: total)
    }

    private func cancelled(_ order: Int64, _ reservation: String, after status: OrderStatus) -> OrderCancelled {
        OrderCancelled(
            orderID: OrderID(rawValue: order)!, userID: user, reservationID: reservation, total: total, reason: .requested,
            previousStatus: status)
    }

    private func refunded(_ order: Int64, _ reservation: String, after status: OrderStatus) -> OrderRefunded {
        OrderRefunded(orderID: OrderID(rawValue: order)!, userID: user, reservationID: reservation, total: total, previousStatus: status)
    }

    @Test("paid sells, cancelled frees or returns, refunded returns what was not shipped; said twice is said once")
    func effects() async throws {
        let pair = try await Pair()
        let lamp = try await pair.shop.add(stock: 100)
        for (id, count) in [("paid", 1), ("cancelled", 2), ("returned", 4), ("refunded", 8), ("shipped", 16)] as [(String, Int64)] {
            _ = try await pair.shop.reserve(id, [(lamp.id, count)])
        }
        for _ in 0..<2 {
            for (order, id) in ["paid", "returned", "refunded", "shipped"].enumerated() { try await pair.say(paid(Int64(order + 1), id)) }
            try await pair.say(cancelled(9, "cancelled", after: .pending))
            try await pair.say(cancelled(2, "returned", after: .paid))
            try await pair.say(refunded(3, "refunded", after: .paid))
            try await pair.say(refunded(4, "shipped", after: .shipped))
        }
        try await pair.consume()
        let stored = try await pair.shop.products.product(lamp.id)
        #expect(stored.onHand == 100 - 1 - 16 && stored.reserved == 0)
    }

    @Test("a paid order whose pieces are gone is told to order-service")
    func lost() async throws {
        let pair = try await Pair()
        let lamp = try await pair.shop.add(stock: 1)
        _ = try await pair.shop.reserve("r", [(lamp.id, 1)])
        pair.shop.clock.advance(by: .seconds(61))
        try await LeaseSweep(reservations: pair.shop.reservations).run()
        _ = try await pair.shop.withdraw(1, from: lamp.id)
        try await pair.say(paid(1, "r"))
        try await pair.say(cancelled(1, "r", after: .paid))
        try await pair.consume()
        #expect(try await pair.shop.announced() == [ReservationLost.eventType])
        #expect(try await pair.shop.products.product(lamp.id).onHand == 0)
    }

    @Test("an event about a reservation that was never made is parked, and the next ones go on")
    func unknown() async throws {
        let pair = try await Pair()
        let lamp = try await pair.shop.add(stock: 5)
        _ = try await pair.shop.reserve("known", [(lamp.id, 1)])
        try await pair.say(paid(1, "never made"))
        try await pair.say(paid(2, "known"))
        try await pair.consume()
        #expect(try await pair.shop.products.product(lamp.id).onHand == 4)
        let parked = try await pair.shop.database.read { try $0.value("SELECT count(*) FROM dead_events", as: Int64.self) }
        #expect(parked == 1)
    }
}
