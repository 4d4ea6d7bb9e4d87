import Chassis
import ChassisTesting
import Commerce
import Contracts
import Foundation
import Invariants
import Logging
import Synchronization
import Testing

@testable import ChassisEvents
@testable import ChassisStorage
@testable import NotificationService
@testable import OrderService
@testable import PaymentService
@testable import ProductService
@testable import UserService

// A whole shop in one process and one task: the real migrations, stores, consumers and jobs of all services over databases in memory.
// Nothing happens by itself. A test says who does what, which consumer reads, which worker works; so it can stop in the middle of
// everything.

/// A shop whose every step a test takes itself.
final class SmallShop: Sendable {
    static let lease: Duration = .seconds(900)

    let books: Books
    let users: UserStore
    let products: ProductStore
    let reservations: ReservationStore
    let orders: OrderStore
    let payments: PaymentStore
    /// The provider, and the bank behind it.
    let sandbox: SandboxProvider
    let notices: ProviderNotices
    let time: TimeSource

    private let consumers: [ServiceName: [Consumer]]
    private let handlers: [ServiceName: [JobHandler]]
    private let randomness: Randomness
    private let elapsed: TestClock
    /// Runs after every step.
    private let afterStep: @Sendable (Books) async throws -> Void

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(afterStep: @escaping @Sendable (Books) async throws -> Void = { _ in }) async throws {
        let clock = TestClock()
        let (time, randomness) = (clock.source, Randomness.withoutJitter())
        func open(_ migrations: [Migration]) async throws -> Database {
            try await Database.open(.sqliteMemory, migrations: migrations, logger: Self.logger)
        }
        let keyed = Events.migrations + Idempotency.migrations
        let databases = (
            users: try await open(Events.migrations + UserMigrations.all), products: try await open(keyed + ProductMigrations.all),
            orders: try await open(keyed + OrderMigrations.all), payments: try await open(PaymentService.migrations),
            notifications: try await open(Events.migrations + NotificationMigrations.all)
        )
        func events(_ service: ServiceName, _ database: Database) -> Events {
            Events(service: service, database: database, time: time, randomness: randomness, logger: Self.logger)
        }
        let (userEvents, paymentEvents) = (events(.users, databases.users), events(.payments, databases.payments))
        let messageEvents = events(.notifications, databases.notifications)
        users = UserStore(database: databases.users, outbox: userEvents.outbox, jobs: userEvents.jobs, randomness: randomness)
        products = ProductStore(database: databases.products, time: time)
        reservations = ReservationStore(
            database: databases.products, products: products, outbox: events(.products, databases.products).outbox, time: time,
            lease: Self.lease)
        orders = OrderStore(
            outbox: events(.orders, databases.orders).outbox, changes: OrderChanges(), paymentWindow: Self.lease, now: { time.now })
        payments = PaymentStore(outbox: paymentEvents.outbox, jobs: paymentEvents.jobs, now: { time.now })
        let messages = NotificationStore(jobs: messageEvents.jobs, now: { time.now }, canSend: { _ in false })
        let told = EventConsumers(store: messages)
        consumers = [
            .products: [OrderEvents(reservations: reservations).consumer],
            .orders: [
                PaymentConsumer(store: orders).consumer, StockConsumer(store: orders).consumer, UserConsumer(store: orders).consumer,
            ],
            .payments: [OrderConsumer(store: payments).consumer],
            .notifications: [told.users, told.orders, told.payments],
        ]
        let sender = NotificationSender(
            database: databases.notifications, store: messages, templates: try Templates(), email: nil, sms: nil)
        let secret = try ServiceSecret("a secret that only the bank of a small shop knows")
        sandbox = SandboxProvider(database: databases.payments, signature: PaymentService.sandboxSignature(secret, time))
        notices = ProviderNotices(database: databases.payments, store: payments, provider: sandbox.provider, logger: Self.logger)
        let charging = PaymentJobs(database: databases.payments, store: payments, provider: sandbox.provider)
        handlers = [.payments: charging.handlers, .notifications: [sender.handler]]
        books = Books(
            users: databases.users, products: databases.products, orders: databases.orders, payments: databases.payments,
            notifications: databases.notifications)
        self.time = time
        self.randomness = randomness
        self.afterStep = afterStep
        elapsed = clock
    }

    func close() async {
        for service in Books.services { await books[service]?.close() }
    }

    /// One step is over.
    func step() async throws { try await afterStep(books) }

    func advance(by duration: Duration) { elapsed.advance(by: duration) }

    func database(_ service: ServiceName) throws -> Database { try #require(books[service]) }

    /// Changes one database behind everybody's back.
    func change(_ service: ServiceName, _ statements: SQL...) async throws {
        try await database(service).write { transaction in
            for statement in statements { try transaction.execute(statement) }
        }
    }

    func number(_ service: ServiceName, _ query: SQL) async throws -> Int64 {
        try #require(try await database(service).read { try $0.value(query, as: Int64.self) })
    }

    // MARK: What the others do

    /// A consumer reads what its producer has said and applies it. Returns how many events that were.
    @discardableResult
    func consume(_ consumer: ServiceName, from producer: ServiceName, atMost limit: Int = 500) async throws -> Int {
        let database = try database(consumer)
        let handlers = try #require(consumers[consumer]?.first { $0.source == producer })
        let position = try await database.write { transaction in
            try ConsumerPosition.establish(for: producer, in: transaction)
            return try ConsumerPosition.current(for: producer, in: transaction)?.sequence ?? 0
        }
        let events = try await OutboxPage.read(after: position, limit: limit, in: self.database(producer)).events
        guard !events.isEmpty else { return 0 }
        let batch = EventBatch(
            consumer: handlers, readAfter: position, events: events, retry: .events, now: time.now, randomness: randomness)
        let outcome = try await database.write { try batch.apply(in: $0) }
        try await step()
        return outcome.applied + outcome.skipped
    }

    /// A worker does what is due. Returns how many attempts that were.
    @discardableResult
    func work(_ service: ServiceName) async throws -> Int {
        let database = try database(service)
        var attempts = 0
        for handler in handlers[service] ?? [] {
            let now = time.now
            let jobs = try await database.write { transaction in
                try JobTable.lease(kind: handler.kind, limit: 100, now: now, until: now + handler.lease, in: transaction)
            }
            if !jobs.isEmpty { try await step() }
            for job in jobs {
                let attempt = JobAttempt(
                    job: job, handler: handler, database: database, time: time, randomness: randomness, logger: Self.logger)
                _ = await attempt.run()
                try await step()
            }
            attempts += jobs.count
        }
        return attempts
    }

    /// Lets everybody do what there is to do until nothing is left.
    func settle() async throws {
        for _ in 0..<100 {
            var done = 0
            for consumer in Books.services {
                for handlers in consumers[consumer] ?? [] { done += try await consume(consumer, from: handlers.source) }
                done += try await work(consumer)
            }
            if done == 0 { return }
        }
        Issue.record("the shop does not come to rest")
    }
}

/// A clock that moves a little whenever it is read.
final class TestClock: Sendable {
    private let milliseconds = Mutex<Int64>(1_800_000_000_000)

    var source: TimeSource {
        TimeSource(
            now: { Timestamp(millisecondsSinceEpoch: self.read()) }, monotonic: { .milliseconds(self.read()) },
            sleep: { try await Task.sleep(for: $0) })
    }

    func advance(by duration: Duration) { milliseconds.withLock { $0 += duration.wholeMilliseconds } }

    private func read() -> Int64 {
        milliseconds.withLock { milliseconds in
            milliseconds += 1
            return milliseconds
        }
    }
}
