import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts
import Logging
import Testing

@testable import OrderService

@Suite struct OrderStoreTests {
    @Test("a reservation never backs two orders, and the second leaves nothing behind")
    func oneOrderAReservation() async throws {
        let books = try await Books()
        _ = try await books.place("r")
        await #expect(throws: OrderError.keyUsedBefore) { try await books.place("r") }
        #expect(try await books.count("SELECT count(*) FROM orders") == 1)
        #expect(try await books.count("SELECT count(*) FROM order_lines") == 2)
        #expect(try await books.count("SELECT count(*) FROM outbox") == 1)
        await books.database.close()
    }

    @Test("what is stored is read as it was placed")
    func roundTrip() async throws {
        let books = try await Books()
        let placed = try await books.place("r", address: Books.address)
        let read = try await books.database.read { [store = books.store] in try store.order(placed.id, in: $0) }
        #expect(read == placed)
        await books.database.close()
    }

    @Test("an impossible transition changes nothing: no status, no history, no event")
    func impossible() async throws {
        let books = try await Books()
        let order = try await books.place("r")
        await #expect(throws: ImpossibleTransition.self) { try await books.apply(.ship, to: order.id) }
        #expect(try await books.count("SELECT count(*) FROM order_timeline") == 1)
        #expect(try await books.count("SELECT count(*) FROM outbox") == 1)
        await books.database.close()
    }

    @Test("history is numbered without holes, and a note does not count as a change of status")
    func timeline() async throws {
        let books = try await Books()
        let order = try await books.place("r")
        for trigger in [OrderTrigger.paymentCaptured, .refundedInPart(Money(minorUnits: 5, currency: .usd)), .ship] {
            try await books.apply(trigger, to: order.id)
        }
        let timeline = try await books.database.read { [store = books.store] in try store.timeline(of: order.id, in: $0) }
        #expect(timeline.map(\.sequence) == [1, 2, 3, 4])
        #expect(timeline.map(\.status) == [.pending, .paid, .paid, .shipped])
        #expect(timeline.map(\.changesStatus) == [true, true, false, true])
        #expect(timeline[2].reason == "0.05 USD refunded")
        await books.database.close()
    }

    @Test("an order not paid in time is cancelled, once, and only then")
    func sweep() async throws {
        let books = try await Books()
        let late = try await books.place("late")
        let paid = try await books.place("paid")
        try await books.apply(.paymentCaptured, to: paid.id)
        let sweep = DeadlineSweep(database: books.database, store: books.store, interval: .seconds(5))
        books.time.advance(by: .seconds(899))
        let young = try await books.place("young")
        #expect(try await sweep.run() == 0)
        books.time.advance(by: .seconds(1))
        #expect(try await sweep.run() == 1)
        #expect(try await sweep.run() == 0)
        let statuses = try await books.database.read { [store = books.store] transaction in
            try [late.id, paid.id, young.id].map { try store.order($0, in: transaction)?.status }
        }
        #expect(statuses == [.cancelled, .paid, .pending])
        let events = try await books.count("SELECT count(*) FROM outbox WHERE type = 'souk.order.cancelled'")
        #expect(events == 1)
        await books.database.close()
    }

    @Test("a backlog is swept in batches until nothing is left")
    func backlog() async throws {
        let books = try await Books()
        for number in 0..<250 { _ = try await books.place("r\(number)") }
        books.time.advance(by: .seconds(901))
        #expect(try await DeadlineSweep(database: books.database, store: books.store, interval: .seconds(5)).run() == 250)
        await books.database.close()
    }

    @Test("the schema itself refuses more back than was captured, and more captured than the order costs")
    func invariants() async throws {
        let books = try await Books()
        let order = try await books.place("r")
        for statement: SQL in [
            "UPDATE orders SET captured = total + 1", "UPDATE orders SET refunded = 1", "UPDATE orders SET status = 'lost'",
            "UPDATE orders SET timeline_length = 0", "INSERT INTO order_timeline VALUES (\(order.id), 1, 'paid', 0, NULL, 1)",
        ] {
            await #expect(throws: StorageError.self, "\(statement)") { try await books.database.write { try $0.execute(statement) } }
        }
        await books.database.close()
    }
}

/// An order database in memory, in a time that a test moves.
struct Books: Sendable {
    let time = ManualTime()
    let database: Database
    let store: OrderStore

    static let address = ShippingAddress(name: "Ada", line1: "1 Main St", line2: nil, city: "London", postalCode: "N1", country: "GB")

    init() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        database = try await Database.open(.sqliteMemory, migrations: Events.migrations + OrderMigrations.all, logger: logger)
        let source = time.source
        store = OrderStore(
            outbox: Outbox(time: source, randomness: .system), changes: OrderChanges(), paymentWindow: .seconds(900), now: { source.now })
    }

    /// Stores an order of a laptop and two phones.
    func place(_ reservation: String, address: ShippingAddress? = nil) async throws -> Order {
        let lines = [
            OrderLine(
                productID: try #require(ProductID(rawValue: 1)), name: "Laptop", unitPrice: Money(minorUnits: 99_900, currency: .usd),
                quantity: try #require(Quantity(rawValue: 1))),
            OrderLine(
                productID: try #require(ProductID(rawValue: 2)), name: "Phone", unitPrice: Money(minorUnits: 69_990, currency: .usd),
                quantity: try #require(Quantity(rawValue: 2))),
        ]
        let order = PricedOrder(
            userID: try #require(UserID(rawValue: 1)), lines: lines, total: Money(minorUnits: 239_880, currency: .usd),
            paymentMethod: "tok_visa", shippingAddress: address, reservationID: reservation)
        return try await database.write { [store] in try store.place(order, in: $0) }
    }

    func apply(_ trigger: OrderTrigger, to id: OrderID) async throws {
        try await database.write { [store] transaction in
            guard let order = try store.lockedOrder(id, in: transaction) else { throw OrderError.notFound }
            try store.apply(trigger, to: order, in: transaction)
        }
    }

    func count(_ query: SQL) async throws -> Int64 {
        try await database.read { try $0.value(query) ?? 0 }
    }
}
