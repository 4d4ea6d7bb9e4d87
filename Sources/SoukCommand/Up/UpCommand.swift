import ArgumentParser
import Chassis
import Contracts
import Foundation
import NIOPosix

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Starts every service on this machine, and looks after them until Ctrl-C.")

    @Option(help: "The gateway listens here; service N at this plus N, the gateway's admin listener at this plus 9.")
    var portBase = ServiceSettings.standardPortBase

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Where databases, logs and the shop's secret are kept.")
    var dataDir = ".souk"

    @Option(help: "Postgres instead of SQLite files: postgres://…/{service}.")
    var databaseURL: String?

    @Option(help: "How many seconds work under way may take to finish when the shop stops.")
    var drainSeconds = 20

    @Option(help: "How many seconds the services may take to become healthy.")
    var startSeconds = 60

    @Flag(help: "Stop when standard input ends: for programs that start a shop and must not leave it behind.")
    var exitWithParent = false

    func validate() throws {
        guard (1...65_526).contains(portBase) else { throw ValidationError("--port-base must be between 1 and 65526.") }
        guard (0...600).contains(drainSeconds) else { throw ValidationError("--drain-seconds must be between 0 and 600.") }
    }

    func run() async throws {
        let directory = DataDirectory(dataDir)
        try directory.create()
        let hold = try directory.hold()
        defer { hold.release() }
        let busy = Ports.inUse(Fleet.ports(from: portBase), host: host)
        guard busy.isEmpty else { throw ShopError.portsInUse(busy) }
        let fleet = try fleet(in: directory)
        try directory.write(RunningShop(host: host, portBase: portBase, processIdentifier: ProcessInfo.processInfo.processIdentifier))
        defer { directory.removeRunningShop() }
        try await supervise(fleet)
        Console.print("Souk has stopped.")
    }

    private func fleet(in directory: DataDirectory) throws -> Fleet {
        let given = ProcessInfo.processInfo.environment["SOUK_ADMIN_PASSWORD"]
        return Fleet(
            host: host, portBase: portBase, directory: directory, databaseURL: databaseURL,
            secret: try directory.secret(),
            administratorPassword: given == nil && !directory.hasAdministrator ? Randomness.system.hex(bytes: 9) : nil)
    }

    /// Runs the fleet until SIGINT or SIGTERM, then stops it. Fails when the services do not become healthy.
    private func supervise(_ fleet: Fleet) async throws {
        let started = ContinuousClock.now
        let supervisor = Supervisor(fleet, drainTimeout: .seconds(drainSeconds)) { Console.print($0) }
        if exitWithParent { Lifeline.stopWhenInputEnds() }
        _ = try await Interruption.wait(
            for: {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await supervisor.run() }
                    group.addTask { try await welcome(fleet, started: started) }
                    // One after another, so that the first to fail ends all.
                    while try await group.next() != nil {}
                }
            }, notice: "Stopping …")
    }

    /// Waits until all is healthy, then says where to go.
    private func welcome(_ fleet: Fleet, started: ContinuousClock.Instant) async throws {
        Console.print("Starting \(Fleet.services.count) services from \(fleet.directory.path) …")
        let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let shop = RunningShop(host: host, portBase: portBase, processIdentifier: 0)
        do {
            try await Readiness(shop: shop, directory: fleet.directory, transport: transport).waitForAll(within: .seconds(startSeconds))
            let elapsed = ContinuousClock.now - started
            Console.print(try await Welcome(shop: shop, fleet: fleet, transport: transport).text(after: elapsed))
        } catch {
            await transport.shutDown()
            throw error
        }
        await transport.shutDown()
    }
}
