import Chassis
import ChassisEvents
import ChassisStorage
import Commerce
import Contracts
import Crypto
import Foundation
import Invariants
import Logging
import NotificationService
import OrderService
import PaymentService
import ProductService

/// A whole shop in one process: the real services on simulated disks, clocks and wires.
///
/// user-service is played: it has an outbox with three registrations and publishes a key; nothing of the checkout asks it for more.
final class SimulatedShop: Sendable {
    /// How long things last in this shop.
    struct Terms: Sendable {
        /// Short, so that a simulation sees many of them pass; longer than any single fault but an absence.
        var paymentWindow = Duration.seconds(60)
        var reservationLease = Duration.seconds(90)
        /// What is trimmed is beyond what a simulation usually sees; whoever wants to see it shortens these.
        var retention = RetentionSettings()
        var reservationRetention = Duration.seconds(30 * 86_400)
        var messageRetention = Duration.seconds(90 * 86_400)
    }

    let world: World
    let network: SimulatedNetwork
    let processes: [SimulatedProcess]
    /// The disks, as the audit sees them.
    let books: Books
    let tokens: Tokens
    /// The payment provider, and the bank behind it: a company elsewhere that does not die with the shop.
    let company: SandboxProvider
    private let users: Events
    private let usersDisk: Database

    init(_ world: World, _ terms: Terms = Terms()) async throws {
        let logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        func disk(_ migrations: [Migration]) async throws -> Database {
            var options = DatabaseOptions()
            options.execution = .callersThread
            return try await Database.open(.sqliteMemory, migrations: migrations, options: options, logger: logger)
        }
        let products = try await disk(ProductService.migrations)
        let orders = try await disk(OrderService.migrations)
        let payments = try await disk(PaymentService.migrations)
        let notifications = try await disk(NotificationService.migrations)
        usersDisk = try await disk(Events.migrations)
        users = Events(
            service: .users, database: usersDisk, time: world.clock.source(), randomness: world.generator.fork().randomness, logger: logger)
        self.world = world
        tokens = try Tokens(world.clock)
        let network = SimulatedNetwork(world, keys: try JSON.encodedData(tokens.keys))
        self.network = network
        books = Books(products: products, orders: orders, payments: payments, notifications: notifications)

        company = SandboxProvider(
            database: payments, signature: PaymentService.sandboxSignature(try Tokens.secret(), world.clock.source()))
        let wiring = Wiring(world: world, terms: terms, users: .outbox(of: users), company: company.provider)
        func process(_ name: ServiceName, _ disk: Database, _ build: @escaping SimulatedProcess.Build) throws -> SimulatedProcess {
            SimulatedProcess(
                name, in: world, network, on: disk,
                ServiceSettings(
                    serviceSecret: try Tokens.secret(), drainTimeout: .seconds(5), retention: terms.retention), build)
        }
        processes = [
            try process(.products, products, wiring.products), try process(.orders, orders, wiring.orders),
            try process(.payments, payments, wiring.payments), try process(.notifications, notifications, wiring.notifications),
        ]
        for process in processes { network.connect(process) }
    }

    /// Starts every process that is down.
    func start() {
        for process in processes { process.start() }
    }

    /// Tells of the customers, as user-service does when they register.
    func register(_ customers: [Int64]) async throws {
        try await usersDisk.write { [users] transaction in
            for id in customers {
                guard let user = UserID(rawValue: id) else { continue }
                try users.outbox.append(
                    UserRegistered(userID: user, name: "Customer \(id)", email: "customer\(id)@example.org"), in: transaction)
            }
        }
    }
}

/// How the services' composition roots are called.
private struct Wiring: Sendable {
    let world: World
    let terms: SimulatedShop.Terms
    let users: EventSource
    let company: PaymentProvider

    func products(_ incarnation: Incarnation, _ platform: Platform) async throws -> Service {
        let settings = ProductService.Settings(
            database: .sqliteMemory, loadsDemoCatalog: false, reservationLease: terms.reservationLease,
            reservationRetention: terms.reservationRetention)
        return try await ProductService.assemble(
            settings, on: incarnation.database, platform, orders: feed(incarnation, platform.client(to: .orders)))
    }

    func orders(_ incarnation: Incarnation, _ platform: Platform) async throws -> Service {
        let settings = OrderService.Settings(database: .sqliteMemory, paymentWindow: terms.paymentWindow)
        return OrderService.assemble(
            settings, on: incarnation.database, platform,
            .overHTTP(platform, feed: { client in client.service == .users ? self.users : self.feed(incarnation, client) }))
    }

    func payments(_ incarnation: Incarnation, _ platform: Platform) async throws -> Service {
        PaymentService.assemble(
            on: incarnation.database, orders: feed(incarnation, platform.client(to: .orders)),
            provider: SimulatedProvider(company: company, incarnation: incarnation, world: world).provider, platform)
    }

    func notifications(_ incarnation: Incarnation, _ platform: Platform) async throws -> Service {
        try NotificationService.assemble(
            NotificationService.Settings(database: .sqliteMemory, messageRetention: terms.messageRetention), on: incarnation.database,
            platform, users: users,
            orders: feed(incarnation, platform.client(to: .orders)), payments: feed(incarnation, platform.client(to: .payments)))
    }

    /// A feed over the network, which sometimes says again what it has said before, in another order; and a reader who may die with the events in
    /// its hands.
    private func feed(_ incarnation: Incarnation, _ client: ServiceClient) -> EventSource {
        let source = EventSource.feed(of: client)
        return EventSource { [world] after, limit, wait in
            var events = try await source.read(after, limit, wait)
            if !events.isEmpty, world.faults.strikes(.eventsRepeated) {
                events += try await source.read(max(0, after - 5), limit, .zero)
                for index in events.indices.dropFirst() { events.swapAt(index, world.generator.int(in: 0...index)) }
            }
            if !events.isEmpty, incarnation.process.dies(at: .crashBeforeApplying) { throw ProcessIsDead() }
            try incarnation.checkAlive()
            return events
        }
    }
}

/// Access tokens of the customers and the administrator.
final class Tokens: Sendable {
    private let signer: AccessTokenSigner

    init(_ clock: VirtualClock) throws {
        // Good for longer than any simulation lasts: signing is slow, and its trouble is user-service's.
        signer = AccessTokenSigner(
            privateKey: P256.Signing.PrivateKey(), lifetime: .seconds(30 * 24 * 3600), time: clock.source(),
            randomness: Randomness { 7 })
    }

    var keys: JSONWebKeySet { JSONWebKeySet(keys: [signer.publicKey]) }

    func token(for id: Int64, _ role: Role) throws -> String {
        guard let user = UserID(rawValue: id) else { throw TokenError.malformed }
        return try signer.token(for: UserIdentity(id: user, role: role))
    }

    static func secret() throws -> ServiceSecret { try ServiceSecret("a secret that only a simulated shop knows") }
}
