import Chassis
import Contracts
import Foundation
import HTTPTypes
import Invariants
import NIOCore
import NIOPosix
import Simulation

// A shop of its own, started as `souk up` does but with a link between every two services; customers who order; a schedule of disturbances.
// When the time is over everything is mended, customers finish the order that they are at, and the shop gets time to end its work. Then its
// books are audited, and every order that a customer was told of is looked up again, as that customer, through the gateway.

/// One run of `souk chaos`.
struct ChaosRun: Sendable {
    /// How long the shop may take to become healthy, and afterwards to end all its work.
    private static let startLimit = Duration.seconds(60)
    private static let settlingLimit = Duration.seconds(180)
    private static let accounts = 4
    /// Several use one account at a time, as people with a telephone and a computer do.
    private static let customers = 8
    private static let administrator = "admin@souk.local"

    let seed: UInt64
    let length: Duration
    let directory: DataDirectory
    let portBase: Int
    /// Told what happens as it happens.
    let narrate: @Sendable (String) -> Void

    func run() async throws -> ChaosReport {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let report: Result<ChaosReport, any Error>
        do {
            report = .success(try await run(on: group, transport))
        } catch {
            report = .failure(error)
        }
        await transport.shutDown()
        try await group.shutdownGracefully()
        return try report.get()
    }

    private func run(on group: any EventLoopGroup, _ transport: HTTPTransport) async throws -> ChaosReport {
        let links = try await Links.between(Link.all, portBase: portBase, on: group)
        let fleet = Fleet(
            host: "127.0.0.1", portBase: portBase, directory: directory, databaseURL: nil, secret: try directory.secret(),
            administratorPassword: Randomness.system.hex(bytes: 12), links: links.ports)
        let supervisor = Supervisor(fleet, drainTimeout: .seconds(20)) { _ in }
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await supervisor.run() }
            let report = try await trouble(fleet, links, supervisor, transport)
            tasks.cancelAll()
            // The supervisor has stopped all services, or says why not.
            do { try await tasks.waitForAll() } catch is CancellationError {}
            return report
        }
    }

    private func trouble(_ fleet: Fleet, _ links: Links, _ supervisor: Supervisor, _ transport: HTTPTransport) async throws -> ChaosReport {
        let shop = RunningShop(host: fleet.host, portBase: portBase, processIdentifier: ProcessInfo.processInfo.processIdentifier)
        let readiness = Readiness(shop: shop, directory: fleet.directory, transport: transport)
        try await readiness.waitForAll(within: Self.startLimit)
        let api = PublicAPI(gateway: shop.address(of: .gateway), transport: transport)
        let administrator = Visitor(api, email: Self.administrator, password: fleet.administratorPassword ?? "")
        try await administrator.logIn()
        let shelf = try await Shelf.filled(by: administrator)
        let visitors = try await visitors(of: api)

        let schedule = Schedule(seed: seed, length: length)
        let testimony = Testimony()
        let beginning = ContinuousClock.now
        narrate("\(Self.customers) customers order for \(length.inSeconds), among \(schedule.entries.count) disturbances:")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let generator = SeededGenerator(seed: seed)
            for number in 1...Self.customers {
                let customer = Customer(
                    number: number, visitor: visitors[number % visitors.count], administrator: administrator, shelf: shelf,
                    generator: generator.fork(),
                    testimony: testimony, beginning: beginning)
                tasks.addTask { try await customer.shop(until: length) }
            }
            for entry in schedule.entries {
                tasks.addTask { try await disturb(entry, since: beginning, links, supervisor) }
            }
            try await tasks.waitForAll()
        }

        let mended = ContinuousClock.now
        narrate("\nThe trouble is over; the shop ends its work …")
        try await readiness.waitForAll(within: Self.startLimit)
        let (audit, isSettled) = try await settle()
        let settling = ContinuousClock.now - mended
        let lookup = Lookup(testimony: testimony.now, visitors: visitors)
        return ChaosReport(
            seed: seed, length: length, schedule: schedule, testimony: testimony.now, settling: isSettled ? settling : nil,
            found: try await lookup.run(), audit: audit)
    }

    /// One after another: passwords are expensive by intent.
    private func visitors(of api: PublicAPI) async throws -> [Visitor] {
        var visitors: [Visitor] = []
        for number in 1...Self.accounts { visitors.append(try await Visitor.registered(api, number: number)) }
        return visitors
    }

    private func disturb(
        _ entry: Schedule.Entry, since beginning: ContinuousClock.Instant, _ links: Links, _ supervisor: Supervisor
    ) async throws {
        try await Task.sleep(until: beginning + entry.time)
        narrate("  \(entry.time.inSeconds.leftPadded(to: 8))  \(entry.disturbance)")
        switch entry.disturbance {
        case .kill(let service): supervisor.signal(service, SIGKILL)
        case .restart(let service): supervisor.signal(service, SIGTERM)
        case .freeze(let service, let duration):
            supervisor.signal(service, SIGSTOP)
            // Also when the run is cancelled: what is frozen cannot end.
            try? await Task.sleep(for: duration)
            supervisor.signal(service, SIGCONT)
        case .cut(let link, let duration): try await links.hold(link, .cut, for: duration)
        case .stall(let link, let duration): try await links.hold(link, .stalled, for: duration)
        case .slow(let link, let duration, let latency): try await links.hold(link, .slowed(by: latency), for: duration)
        }
    }

    /// Waits until nothing is under way; returns the last look at the books.
    private func settle() async throws -> (audit: Audit, isSettled: Bool) {
        let books = ShopBooks(directory: directory, databaseURL: nil)
        let end = ContinuousClock.now + Self.settlingLimit
        while true {
            let audit = try await books.audit(.settled)
            if audit.holds { return (audit, true) }
            guard ContinuousClock.now < end else { return (audit, false) }
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
