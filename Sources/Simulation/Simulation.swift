import Chassis
import ChassisStorage
import Contracts
import Invariants
import Synchronization

// The simulation: a whole shop, its customers and all its bad luck, in one thread and one seed.
//
// Real is everything that decides anything: routes, authentication, checkout, stores, SQL on SQLite in memory, group commit, outbox, feeds, consumers,
// jobs, retries, circuit breakers, the sandbox provider's book. Simulated is what a machine gives them: clocks, chance, the network, the moment of
// death. user-service is played, and HTTP/1.1 with its sockets and the gateway is left out.
//
// One step: somebody does something, or a machine does; some time passes; every invariant that must hold always is checked over the disks.
// After the last step the faults stop, machines are mended, and within a bounded time everything must have come to its end: then the invariants
// that hold of a settled shop are checked, too.
//
// Deterministic. All tasks run on one executor, which draws the next from the seed; time moves only when none can go on; all chance is drawn
// from the seed. What Swift does not promise to do twice, such as the order of a dictionary, nothing here and in the services may depend on.
// A test runs seeds twice and compares their traces byte for byte.
//
// (Zhou et al., "FoundationDB", SIGMOD 2021, section 4, describes the method.)

/// One run of a simulated shop.
public final class Simulation {
    /// What came of a run.
    public struct Result: Sendable {
        public let seed: UInt64
        /// What is broken; nil when all promises were kept.
        public let failure: Failure?
        public let struck: [FaultPoint: Int]
        public let acceptedOrders: Int
        public let trace: [String]
    }

    /// A broken promise.
    public struct Failure: Sendable, CustomStringConvertible {
        /// The steps after which it showed; nil when it showed only at the end, once everything should have been settled.
        public let step: Int?
        public let description: String
    }

    /// How long a shop has, in simulated time, to settle once nothing fails any more.
    static let settlingTime = Duration.seconds(15 * 60)
    private static let settlingTick = Duration.seconds(15)

    private let seed: UInt64
    private let world: World
    /// Runs the checks: apart from the shop, so that it stands still meanwhile.
    private let checker = SimulationExecutor(SeededGenerator(seed: 0))

    private init(seed: UInt64) {
        self.seed = seed
        world = World(seed: seed)
    }

    /// Runs a shop for so many steps, then lets it settle. Blocks its thread until then.
    public static func run(seed: UInt64, steps: Int) -> Result {
        let simulation = Simulation(seed: seed)
        return simulation.run(steps: steps)
    }

    private func run(steps: Int) -> Result {
        do {
            let shop = try perform { [world] in try await SimulatedShop(world) }
            defer { end(shop) }
            let visitors = try Visitors(shop)
            try open(shop, visitors)
            return result(try live(shop, visitors, steps), acceptedOrders: visitors.accepted.count)
        } catch {
            return result(Failure(step: nil, description: "\(error)"), acceptedOrders: 0)
        }
    }

    private func result(_ failure: Failure?, acceptedOrders: Int) -> Result {
        Result(seed: seed, failure: failure, struck: world.faults.struck, acceptedOrders: acceptedOrders, trace: world.trace.lines)
    }

    /// Lets every task come to its end, those that wait for a while included. One that waits for ever is never freed, nor is the world that it knows.
    private func end(_ shop: SimulatedShop) {
        world.faults.stop()
        for process in shop.processes { process.die("the simulation is over", restart: nil) }
        // What then goes on for ever is a broken promise that the result tells already.
        try? world.pass(.seconds(120))
        shop.network.close()
    }

    private func live(_ shop: SimulatedShop, _ visitors: Visitors, _ steps: Int) throws -> Failure? {
        for step in 1...max(1, steps) {
            take(shop, visitors)
            try world.pass(pace())
            if let broken = try broken(shop, visitors, .always) { return Failure(step: step, description: broken) }
        }
        return try settle(shop, visitors)
    }

    // MARK: Steps

    /// Without faults, until the shelves are full.
    private func open(_ shop: SimulatedShop, _ visitors: Visitors) throws {
        world.faults.stop()
        shop.start()
        try perform { try await shop.register(Visitors.customers) }
        try world.pass(.seconds(1))
        let stocked = Promise<String?>()
        world.start {
            do {
                try await visitors.stock()
                stocked.fulfil(nil)
            } catch {
                stocked.fulfil("\(error)")
            }
        }
        try world.pass(.seconds(10))
        guard case .some(.none) = stocked.now else { throw ShopNotOpened(reply: stocked.now.flatMap(\.self) ?? "no answer") }
        world.faults.resume()
    }

    private func take(_ shop: SimulatedShop, _ visitors: Visitors) {
        let process = world.generator.pick(shop.processes)
        if world.faults.strikes(.crash) {
            process.die("killed", restart: world.generator.duration(in: .milliseconds(100)...(.seconds(5))))
        } else if world.faults.strikes(.absence) {
            process.die("away for long", restart: world.generator.duration(in: .seconds(30)...(.seconds(300))))
        } else if world.faults.strikes(.clockJump) {
            process.clockOffset = clockError()
            world.trace.note("the clock of \(process.name.rawValue) is wrong by \(process.clockOffset)")
        } else {
            visitors.act()
        }
    }

    /// Mostly up to two minutes; now and then what a wrong time zone or a wrong date makes.
    private func clockError() -> Duration {
        switch world.generator.int(in: 0...99) {
        case ..<80: .seconds(world.generator.int(in: -120...120))
        case ..<90: .seconds(3_600) * (world.generator.chance(0.5) ? 1 : -1)
        default: .seconds(86_400) * (world.generator.chance(0.5) ? 1 : -1)
        }
    }

    /// Mostly hardly any time, so that things overlap; now and then enough for leases and deadlines to pass.
    private func pace() -> Duration {
        switch world.generator.int(in: 0...99) {
        case ..<60: world.generator.duration(in: .zero...(.milliseconds(200)))
        case ..<92: world.generator.duration(in: .milliseconds(200)...(.seconds(4)))
        default: world.generator.duration(in: .seconds(10)...(.seconds(100)))
        }
    }

    /// Nothing fails any more; returns what is not in order when the time is over.
    private func settle(_ shop: SimulatedShop, _ visitors: Visitors) throws -> Failure? {
        world.trace.note("no more faults")
        world.faults.stop()
        for process in shop.processes { process.clockOffset = .zero }
        shop.start()
        let end = world.clock.now + Self.settlingTime
        // Until what is held for nobody should be free again.
        try world.pass(SimulatedShop.Terms().reservationLease)
        while true {
            try world.pass(Self.settlingTick * 2)
            guard let broken = try broken(shop, visitors, .settled) else { return nil }
            if world.clock.now >= end { return Failure(step: nil, description: broken) }
        }
    }

    // MARK: Checks

    /// What is broken now; nil when nothing is.
    private func broken(_ shop: SimulatedShop, _ visitors: Visitors, _ level: Invariant.Level) throws -> String? {
        if let told = visitors.broken.first { return told }
        var books = shop.books
        books.now = level == .settled ? world.clock.wall : nil
        let audit = try perform { [books] in try await Audit.of(books, level) }
        guard audit.holds else { return audit.description }
        return try lost(shop, visitors)
    }

    /// An order of which a customer was told, and which is not there, or is somebody else's.
    private func lost(_ shop: SimulatedShop, _ visitors: Visitors) throws -> String? {
        guard let orders = shop.books.orders else { return nil }
        let owners = try perform {
            try await orders.read {
                try $0.all("SELECT id, user_id FROM orders") { (id: try $0["id"] as Int64, owner: try $0["user_id"] as Int64) }
            }
        }
        let owner = Dictionary(uniqueKeysWithValues: owners.map { ($0.id, $0.owner) })
        return visitors.accepted.first { owner[$0.id] != $0.customer }.map {
            "customer \($0.customer) was told of order \($0.id), which is lost"
        }
    }

    /// Runs something to its end while the shop stands still.
    private func perform<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let promise = Promise<Swift.Result<Value, any Error>>()
        Task(executorPreference: checker) {
            do { promise.fulfil(.success(try await body())) } catch { promise.fulfil(.failure(error)) }
        }
        try checker.runUntilIdle()
        guard let result = promise.now else { throw NeverIdle() }
        return try result.get()
    }
}
