import Chassis
import Contracts
import Foundation

/// Where `souk up` keeps a shop: its databases, its logs, the secret that its services share, and what is running now.
struct DataDirectory: Sendable {
    let url: URL

    init(_ path: String) {
        url = URL(filePath: path, directoryHint: .isDirectory)
    }

    var path: String { url.path(percentEncoded: false) }
    var logs: URL { url.appending(path: "logs", directoryHint: .isDirectory) }
    private var secretFile: URL { url.appending(path: "service.secret") }
    private var shopFile: URL { url.appending(path: "shop.json") }
    private var administratorMark: URL { url.appending(path: "administrator.created") }

    func log(of service: ServiceName) -> URL { logs.appending(path: "\(service.rawValue).log") }

    /// `sqlite:…/orders.sqlite` for order-service, and so on.
    func databaseURL(of service: ServiceName) -> String {
        "sqlite:\(url.appending(path: "\(service.databaseName).sqlite").path(percentEncoded: false))"
    }

    /// Makes the folder, for this user alone: it holds secrets and customers' data.
    func create() throws {
        try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    }

    /// The secret of this shop, made at its first start.
    func secret() throws -> String {
        if let secret = try? String(contentsOf: secretFile, encoding: .utf8), secret.utf8.count >= ServiceSecret.minimumLength {
            return secret
        }
        let secret = Randomness.system.hex(bytes: 32)
        try Data(secret.utf8).write(to: secretFile, options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secretFile.path(percentEncoded: false))
        return secret
    }

    // MARK: What is running

    func write(_ shop: RunningShop) throws {
        try JSON.encodedData(shop).write(to: shopFile, options: .atomic)
    }

    func removeRunningShop() {
        try? FileManager.default.removeItem(at: shopFile)
    }

    func runningShop() throws -> RunningShop {
        guard let data = try? Data(contentsOf: shopFile) else { throw ShopError.notRunning(path) }
        return try JSON.decode(RunningShop.self, from: data)
    }

    // MARK: The first administrator

    var hasAdministrator: Bool { FileManager.default.fileExists(atPath: administratorMark.path(percentEncoded: false)) }

    func markAdministrator() throws {
        try Data().write(to: administratorMark)
    }
}

/// What `souk up` leaves for the other commands to find.
struct RunningShop: Codable, Sendable {
    let host: String
    let portBase: Int
    let processIdentifier: Int32

    func address(of service: ServiceName) -> String { "http://\(host):\(portBase + service.portOffset)" }
}

enum ShopError: Error, CustomStringConvertible {
    case notRunning(String)
    case runsAlready(String)
    case portsInUse([Int])
    case stillUnhealthy(String)

    var description: String {
        switch self {
        case .notRunning(let path): "No shop is running from \(path). Start one with: souk up"
        case .runsAlready(let path): "A shop runs from \(path) already. Choose another --data-dir."
        case .portsInUse(let ports):
            "These ports are in use: \(ports.sorted().map(String.init).joined(separator: ", ")). Choose others with --port-base."
        case .stillUnhealthy(let details): "Not all services became healthy in time:\n\(details)"
        }
    }
}

extension ServiceName {
    /// What its database is called.
    var databaseName: String {
        switch self {
        case .gateway: "gateway"
        case .users: "users"
        case .products: "products"
        case .orders: "orders"
        case .payments: "payments"
        case .notifications: "notifications"
        }
    }
}
