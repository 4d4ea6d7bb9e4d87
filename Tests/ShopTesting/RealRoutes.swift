import APIGateway
public import Chassis
import ChassisStorage
import ChassisTesting
public import Contracts
import Logging
import NIOPosix
import NotificationService
import OrderService
import PaymentService
import ProductService
import UserService

/// What the services really answer: the route tables of all of them, assembled as they are in production, but in memory and not started.
public enum RealRoutes {
    public static func of(_ service: ServiceName) async throws -> [Route] {
        let platform = try platform(of: service)
        let assembled = try await assemble(service, platform)
        let routes = ServiceHost(assembled, platform: platform).routes
        for close in assembled.closing { await close() }
        return routes
    }

    private static func assemble(_ service: ServiceName, _ platform: Platform) async throws -> Service {
        switch service {
        case .gateway: try await APIGateway.assemble(.init(), platform)
        case .users:
            try await UserService.assemble(
                .init(database: .sqliteMemory, passwordCost: 1, administratorPassword: "a password for tests"), platform)
        case .products: try await ProductService.assemble(.init(database: .sqliteMemory, loadsDemoCatalog: false), platform)
        case .orders: try await OrderService.assemble(.init(database: .sqliteMemory), platform)
        case .payments: try await PaymentService.assemble(.init(database: .sqliteMemory), platform)
        case .notifications: try await NotificationService.assemble(.init(database: .sqliteMemory), platform)
        }
    }

    /// Nobody is called: the addresses are only there to be read.
    private static func platform(of service: ServiceName) throws -> Platform {
        let addresses = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, "http://127.0.0.1:\(3000 + $0.portOffset)") })
        let secret = try ServiceSecret("a secret that only the tests of Souk know")
        return Platform(
            service: service, settings: ServiceSettings(serviceSecret: secret, addresses: addresses),
            logger: Logger(label: service.rawValue) { _ in SwiftLogNoOpLogHandler() }, transport: .nobody,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
    }
}
