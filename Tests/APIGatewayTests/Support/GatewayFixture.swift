import Chassis
import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import APIGateway
@testable import ChassisTesting

/// A real gateway on free loopback ports, with one upstream that stands for every service behind it.
struct GatewayFixture: Sendable {
    /// Speaks to the data plane, as the world does.
    let client: TestClient
    /// Speaks to the control plane directly.
    let control: TestClient
    let upstream: Upstream
    /// Writes a new configuration in place of the one that it began with.
    let rewrite: @Sendable (_ yaml: String) throws -> Void

    /// - Parameters:
    ///   - yaml: the configuration; nil for the standard one. `${UPSTREAM}` is where the upstream is.
    ///   - addresses: where services are that are not at the upstream.
    ///   - transport: what the control plane's own requests reach, but for those for keys, which get the test identities'.
    ///   - onRequest: told the address of each of these requests.
    static func run(
        yaml: String? = nil, addresses: [ServiceName: String] = [:], transport: HTTPTransport = .nobody,
        onRequest: @escaping @Sendable (_ url: String) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayFixture) async throws -> Void
    ) async throws {
        let upstream = Upstream()
        try await upstream.run { url in
            let (ports, found) = AsyncStream<Int>.makeStream()
            var settings = APIGateway.Settings()
            settings.whenListening = { found.yield($0) }
            let file = try yaml.map { try ConfigurationFile($0.replacing("${UPSTREAM}", with: url)) }
            defer { file?.remove() }
            settings.configurationFile = file?.path

            let harness = try ServiceHarness(.gateway, transport: transport)
            var addressesOfAll = Dictionary(uniqueKeysWithValues: APIGateway.servicesBehind.map { ($0, url) })
            addressesOfAll.merge(addresses) { $1 }
            let service = try await APIGateway.assemble(settings, harness.platform.with(addresses: addressesOfAll, onRequest: onRequest))
            try await harness.run(service) { control in
                var iterator = ports.makeAsyncIterator()
                let port = try #require(await iterator.next())
                let client = TestClient(baseURL: "http://127.0.0.1:\(port)", identities: harness.identities)
                let rewrite: @Sendable (String) throws -> Void = { try file?.write($0.replacing("${UPSTREAM}", with: url)) }
                try await body(GatewayFixture(client: client, control: control, upstream: upstream, rewrite: rewrite))
            }
        }
    }
}

/// A service that answers every request with what it got, and remembers it.
final class Upstream: Sendable {
    struct Seen: Sendable {
        let method: String
        let path: String
        let headers: HTTPFields
    }

    private let requests = Mutex<[Seen]>([])

    var seen: [Seen] { requests.withLock { $0 } }

    func run(_ body: @escaping @Sendable (_ url: String) async throws -> Void) async throws {
        let harness = try ServiceHarness(.users)
        var service = Service(.users, authenticator: harness.platform.authenticator())
        service.add(Echo { seen in self.requests.withLock { $0.append(seen) } })
        try await harness.run(service) { client in try await body(client.baseURL) }
    }

    private struct Echo: Controller {
        let remember: @Sendable (Seen) -> Void

        var routes: [Chassis.Route] {
            [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete].map { Chassis.Route($0, "/**", .anyone, echo) }
        }

        private struct Reply: Encodable {
            let method: String
            let path: String
        }

        @Sendable private func echo(_ call: Call) async throws -> Response {
            let seen = Seen(method: call.request.method.rawValue, path: call.request.uri.path, headers: call.request.headers)
            remember(seen)
            return try .json(Reply(method: seen.method, path: seen.path))
        }
    }
}

/// A configuration in a folder of its own.
struct ConfigurationFile: Sendable {
    private let folder: URL
    var path: String { folder.appending(path: "gateway.yaml").path }

    init(_ yaml: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "souk-gateway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write(yaml)
    }

    func write(_ yaml: String) throws { try yaml.write(toFile: path, atomically: true, encoding: .utf8) }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}

extension Platform {
    /// The same platform with the services elsewhere, and its requests told.
    fileprivate func with(addresses: [ServiceName: String], onRequest: @escaping @Sendable (_ url: String) -> Void) -> Platform {
        var settings = settings
        settings.addresses = addresses
        let inner = transport
        let transport = HTTPTransport { request, timeout throws(TransportError) in
            onRequest(request.url)
            return try await inner.send(request, timeout: timeout)
        }
        return Platform(
            service: service, settings: settings, time: time, randomness: randomness, logger: logger, transport: transport,
            eventLoopGroup: eventLoopGroup, metrics: metrics)
    }
}
