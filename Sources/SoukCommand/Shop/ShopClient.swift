import ArgumentParser
import Chassis
import Contracts
import Foundation
import HTTPTypes
import NIOPosix

/// Which shop a command is about.
struct ShopOptions: ParsableArguments {
    @Option(help: "The data directory of the running shop.")
    var dataDir = ".souk"
}

/// Speaks to the services of a running shop as the person who holds its secret.
struct ShopClient: Sendable {
    /// How the command line names itself in its tokens.
    private static let name = "souk"

    let shop: RunningShop
    let transport: HTTPTransport
    private let credentials: ServiceCredentials

    /// Runs `body` with a client of the shop that runs from `options.dataDir`.
    static func with<Result>(_ options: ShopOptions, _ body: (ShopClient) async throws -> Result) async throws -> Result {
        let directory = DataDirectory(options.dataDir)
        let shop = try directory.runningShop()
        let secret = try ServiceSecret(try directory.secret())
        let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let client = ShopClient(
            shop: shop, transport: transport, credentials: ServiceCredentials(secret: secret, name: name, time: .system))
        do {
            let result = try await body(client)
            await transport.shutDown()
            return result
        } catch {
            await transport.shutDown()
            throw error
        }
    }

    /// Calls a service's own routes.
    func service(_ service: ServiceName) -> ServiceClient {
        ServiceClient(
            to: service, baseURL: shop.address(of: service), transport: transport, credentials: credentials, time: .system,
            randomness: .system)
    }
}
