import APIGateway
import ArgumentParser
import Chassis
import Contracts
import NotificationService
import OrderService
import PaymentService
import ProductService
import UserService

// `souk` holds every service, and runs each as a process of its own: itself, told which one to be. What each process then has of code is the
// same file, so the system keeps it in memory once for all of them; six executables with the same libraries inside would keep it six times.
// The services' own executables remain what one deploys each by itself, and run the very same `Launch.service`.

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs one service in this process, as its own executable does.",
        discussion: "What follows the name are the service's own settings; `souk serve order-service --help` lists them.")

    @Argument(help: "One of: \(names).", transform: Self.service)
    var service: ServiceName

    @Argument(parsing: .captureForPassthrough, help: "Settings of the service.")
    var settings: [String] = []

    func run() async {
        let arguments = [service.rawValue] + settings
        switch service {
        case .gateway:
            await Launch.service(service, arguments, settings: APIGateway.Settings.init, assemble: APIGateway.assemble)
        case .users:
            await Launch.service(service, arguments, settings: UserService.Settings.init, assemble: UserService.assemble)
        case .products:
            await Launch.service(service, arguments, settings: ProductService.Settings.init, assemble: ProductService.assemble)
        case .orders:
            await Launch.service(service, arguments, settings: OrderService.Settings.init, assemble: OrderService.assemble)
        case .payments:
            await Launch.service(service, arguments, settings: PaymentService.Settings.init, assemble: PaymentService.assemble)
        case .notifications:
            await Launch.service(service, arguments, settings: NotificationService.Settings.init, assemble: NotificationService.assemble)
        }
    }

    private static let names = ServiceName.allCases.map(\.rawValue).joined(separator: ", ")

    private static func service(named name: String) throws -> ServiceName {
        guard let service = ServiceName(rawValue: name) else { throw ValidationError("There is no such service.") }
        return service
    }
}
