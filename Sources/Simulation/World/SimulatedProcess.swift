import Chassis
import ChassisStorage
import Contracts
import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization

// A process of the simulation. It has a database, which outlives it, and at most one incarnation that is alive.
//
// A real process that is killed stops in the middle of an instruction. Here nothing can stop a task, but everything by which a task can have an
// effect is a seam: its database, its network, its provider, its clock. A dead incarnation gets an error from all of them, at once and for ever, so
// that whatever its tasks still do, nobody will ever know. They are cancelled, find their errors, and end.
//
// Dying is drawn where it matters: before and after a commit, before and after a feed has answered, around the provider's action. Who waited
// for an answer of the dead gets a broken connection.

/// A service that lives, dies and lives again.
final class SimulatedProcess: Sendable {
    let name: ServiceName
    fileprivate let network: SimulatedNetwork
    fileprivate let settings: ServiceSettings
    private let world: World
    private let database: Database
    private let build: Build
    private let incarnation = Mutex<Incarnation?>(nil)
    private let lives = Atomic(0)
    private let offset = Mutex(Duration.zero)

    /// The composition root, for one incarnation.
    typealias Build = @Sendable (Incarnation, Platform) async throws -> Chassis.Service

    /// - Parameters:
    ///   - database: the disk.
    ///   - settings: what it is told, with the secret that the services of the shop share.
    init(
        _ name: ServiceName, in world: World, _ network: SimulatedNetwork, on database: Database,
        _ settings: ServiceSettings, _ build: @escaping Build
    ) {
        self.name = name
        self.network = network
        self.settings = settings
        self.world = world
        self.database = database
        self.build = build
    }

    /// The incarnation that is alive, if one is.
    var alive: Incarnation? { incarnation.withLock { $0 } }

    /// How far the wall clock of its machine is wrong.
    var clockOffset: Duration {
        get { offset.withLock { $0 } }
        set { offset.withLock { $0 = newValue } }
    }

    // MARK: Living and dying

    /// Brings it up, if it is down.
    func start() {
        let fresh = Incarnation(of: self, in: world, number: lives.add(1, ordering: .relaxed).newValue, disk: database)
        let isFirst = incarnation.withLock { current in
            guard current == nil else { return false }
            current = fresh
            return true
        }
        guard isFirst else { return }
        world.trace.note("\(name.rawValue) starts")
        fresh.run(build)
    }

    /// Ends it at this very moment, and starts it again after a while.
    ///
    /// - Parameter restart: nil to leave it down.
    func die(_ reason: String, restart: Duration?) {
        guard let last = incarnation.withLock({ $0.take() }) else { return }
        world.trace.note("\(name.rawValue) dies: \(reason)")
        last.end()
        if let restart { world.clock.after(restart) { self.start() } }
    }

    /// Dies if `point` strikes now.
    func dies(at point: FaultPoint) -> Bool {
        guard world.faults.strikes(point) else { return false }
        die(point.rawValue, restart: world.generator.duration(in: .milliseconds(100)...(.seconds(3))))
        return true
    }
}

/// One life of a process.
final class Incarnation: Sendable {
    private struct State {
        var isAlive = true
        var endpoint: ServiceEndpoint?
        var root: Task<Void, Never>?
        var lastCall: UInt64 = 0
        var calls: [UInt64: Promise<Answer>] = [:]
    }

    typealias Answer = Result<InboundResponse, TransportError>

    let process: SimulatedProcess
    let number: Int
    private let world: World
    private let disk: Database
    private let state = Mutex(State())

    init(of process: SimulatedProcess, in world: World, number: Int, disk: Database) {
        self.process = process
        self.world = world
        self.number = number
        self.disk = disk
    }

    var isAlive: Bool { state.withLock(\.isAlive) }

    /// - Throws: ``ProcessIsDead``.
    func checkAlive() throws {
        guard isAlive else { throw ProcessIsDead() }
    }

    // MARK: Its seams

    /// The clocks of its machine; sleeping in a dead process ends at once.
    var time: TimeSource {
        let clock = world.clock.source(offset: { [process] in process.clockOffset })
        return TimeSource(now: { clock.now }, monotonic: { clock.monotonic }) { duration in
            guard self.isAlive else { throw CancellationError() }
            try await clock.sleep(for: duration)
        }
    }

    /// The disk, as this incarnation sees it.
    var database: Database {
        disk.intercepted(
            by: DatabaseInterception(
                before: {
                    try self.checkAlive()
                    await Task.yield()
                    try self.checkAlive()
                },
                beforeCommit: {
                    try self.checkAlive()
                    if self.process.dies(at: .crashBeforeCommit) { throw ProcessIsDead() }
                },
                after: { isWrite in
                    if isWrite, self.isAlive { _ = self.process.dies(at: .crashAfterCommit) }
                    try self.checkAlive()
                },
                statement: observer))
    }

    private var observer: (@Sendable (SQL) -> Void)? {
        guard let statements = world.statements else { return nil }
        return { [name = process.name] in statements.note($0, of: name) }
    }

    // MARK: Running

    func run(_ build: @escaping SimulatedProcess.Build) {
        let root = world.start { await self.live(build) }
        let isOver = state.withLock { state in
            state.root = root
            return !state.isAlive
        }
        if isOver { root.cancel() }
    }

    private func live(_ build: SimulatedProcess.Build) async {
        do {
            let platform = platform()
            let service = try await build(self, platform)
            let endpoint = ServiceEndpoint(service, platform: platform)
            state.withLock { $0.endpoint = endpoint }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for work in service.background { group.addTask { try await work.run() } }
                while try await group.next() != nil {}
            }
            for close in service.closing { await close() }
        } catch {
            // A service that cannot start, or whose work ends with an error, ends its process, as `ServiceHost` does.
            if isAlive { process.die("\(error)", restart: .seconds(1)) }
        }
    }

    /// What the service takes from outside, all of it the simulation's.
    private func platform() -> Platform {
        Platform(
            service: process.name, settings: process.settings, time: time,
            randomness: world.generator.fork().randomness, logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() },
            transport: process.network.transport(of: self), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    }

    func end() {
        let (root, calls) = state.withLock { state in
            state.isAlive = false
            // Its service knows it by its clock: without this neither would ever be freed.
            state.endpoint = nil
            defer { (state.calls, state.root) = ([:], nil) }
            return (state.root, state.calls.sorted { $0.key < $1.key }.map(\.value))
        }
        root?.cancel()
        for call in calls { call.fulfil(.failure(.interrupted)) }
    }

    // MARK: Answering

    /// Answers a request, as long as it lives.
    func answer(_ request: OutboundRequest) async -> Answer {
        let promise = Promise<Answer>()
        let accepted = state.withLock { state -> (ServiceEndpoint, UInt64)? in
            guard state.isAlive, let endpoint = state.endpoint else { return nil }
            state.lastCall += 1
            state.calls[state.lastCall] = promise
            return (endpoint, state.lastCall)
        }
        guard let (endpoint, call) = accepted else { return .failure(.notConnected) }
        world.start { await self.handle(request, at: endpoint, promise) }
        let answer = await promise.value
        state.withLock { $0.calls[call] = nil }
        return answer
    }

    private func handle(_ request: OutboundRequest, at endpoint: ServiceEndpoint, _ promise: Promise<Answer>) async {
        let isFeed = request.url.contains("/internal/events")
        if isFeed, process.dies(at: .crashBeforePublishing) { return }
        do {
            let response = try await endpoint.respond(to: request)
            guard isAlive else { return }
            promise.fulfil(.success(response))
            if isFeed { _ = process.dies(at: .crashAfterPublishing) }
        } catch {
            promise.fulfil(.failure(.interrupted))
        }
    }
}

/// What a dead process gets from everything that it touches.
struct ProcessIsDead: Error, CustomStringConvertible {
    var description: String { "the process is dead" }
}
