import Contracts
import Foundation

/// The processes of one shop, and the environment of each.
struct Fleet: Sendable {
    let host: String
    let portBase: Int
    let directory: DataDirectory
    /// With `{service}` where the name of each service's own database goes; nil for SQLite files in the data directory.
    let databaseURL: String?
    let secret: String
    /// Only user-service gets it, and only until the administrator exists.
    let administratorPassword: String?
    /// What stands between two services, by its port: `souk chaos` puts links there that it can cut. They reach each other directly without.
    var links: [Link: Int] = [:]

    /// The gateway comes last: it is of use once the others are.
    static let services: [ServiceName] = [.users, .products, .orders, .payments, .notifications, .gateway]
    /// The gateway's admin listener is at the port base plus this, on loopback whatever the host is.
    static let adminPortOffset = 9

    /// What is added to this process's own environment. Secrets go this way, because a command line can be read by everybody.
    func environment(of service: ServiceName) -> [String: String] {
        var variables = [
            "HOST": host,
            "PORT": String(portBase + service.portOffset),
            "SERVICE_SECRET": secret,
            "EXIT_WITH_PARENT": "true",
        ]
        for other in ServiceName.allCases {
            let port = links[Link(from: service, to: other)] ?? portBase + other.portOffset
            variables[other.addressVariable] = "http://\(host == "0.0.0.0" ? "127.0.0.1" : host):\(port)"
        }
        if service == .gateway {
            variables["ADMIN_PORT"] = String(portBase + Self.adminPortOffset)
        } else {
            variables["DATABASE_URL"] =
                databaseURL?.replacingOccurrences(of: "{service}", with: service.databaseName) ?? directory.databaseURL(of: service)
        }
        if service == .users, let administratorPassword { variables["SOUK_ADMIN_PASSWORD"] = administratorPassword }
        return variables
    }

    static func ports(from base: Int) -> [Int] { services.map { base + $0.portOffset } + [base + adminPortOffset] }
}
