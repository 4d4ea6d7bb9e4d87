public import Chassis
import Commerce
public import Contracts
import Crypto
import Foundation
import HTTPTypes
import Logging
import NIOPosix
import ServiceLifecycle

/// Runs one real service on a free loopback port for the length of a test, with tokens for anybody.
///
/// ```swift
/// let harness = try ServiceHarness(.orders, transport: stub)
/// let service = try await OrderService.assemble(.init(database: .sqliteMemory), harness.platform)
/// try await harness.run(service) { client in
///     let reply = try await client.get("/api/orders/1", as: .user(7))
///     #expect(reply.status == .notFound)
/// }
/// ```
public struct ServiceHarness: Sendable {
    public let platform: Platform
    public let identities: TestIdentities

    /// - Parameters:
    ///   - transport: what calls to other services reach; by default nobody is there.
    ///   - adjust: changes the settings.
    public init(
        _ service: ServiceName, time: TimeSource = .system, randomness: Randomness = .system, transport: HTTPTransport = .nobody,
        settings adjust: (inout ServiceSettings) -> Void = { _ in }
    ) throws {
        let secret = try ServiceSecret("a secret that only the tests of Souk know")
        var settings = ServiceSettings(serviceSecret: secret, drainTimeout: .seconds(5))
        adjust(&settings)
        var logger = Logger(label: service.rawValue) { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        identities = TestIdentities(secret: secret, time: time, randomness: randomness)
        platform = Platform(
            service: service, settings: settings, time: time, randomness: randomness, logger: logger,
            transport: identities.publishingKeys(before: transport), eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    }

    /// Starts the service, runs `body` with a client of it, and stops it gracefully.
    public func run<Result: Sendable>(
        _ service: Chassis.Service, _ body: @escaping @Sendable (TestClient) async throws -> Result
    ) async throws -> Result {
        let (ports, portFound) = AsyncStream<Int>.makeStream()
        let host = ServiceHost(service, platform: platform) { portFound.yield($0) }
        let trigger = StopTrigger()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { portFound.finish() }
                let group = ServiceGroup(configuration: .init(services: [.init(service: host)], logger: platform.logger))
                async let running: Void = group.run()
                await trigger.wait()
                await group.triggerGracefulShutdown()
                try await running
            }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else {
                try await group.waitForAll()
                throw HarnessError.didNotStart
            }
            let client = TestClient(baseURL: "http://127.0.0.1:\(port)", identities: identities)
            do {
                let result = try await body(client)
                trigger.fire()
                try await group.waitForAll()
                return result
            } catch {
                trigger.fire()
                try await group.waitForAll()
                throw error
            }
        }
    }
}

public enum HarnessError: Error {
    case didNotStart
}

/// Lets one task tell another to stop.
private struct StopTrigger: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream<Void>.makeStream()
    }

    func fire() { continuation.finish() }

    func wait() async {
        for await _ in stream {}
    }
}

extension HTTPTransport {
    /// Nobody listens anywhere: every call is refused.
    public static let nobody = HTTPTransport { _, _ throws(TransportError) in throw TransportError.notConnected }
}
