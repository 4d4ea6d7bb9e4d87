import Chassis
import Contracts
import Foundation
import HTTPTypes
import Synchronization

@testable import ChassisTesting

/// One running shop, started by `souk up`, with an administrator and some customers.
final class SystemShop: Sendable {
    private static let password = "a password for the tests of Souk"
    private let administratorPassword: String

    /// Somebody with an account.
    struct Customer: Sendable {
        let id: Int64
        let email: String
        let password: String
        let caller: TestCaller
    }

    let directory: URL
    let portBase: Int
    let souk: SoukProcess
    let client: TestClient
    /// The small disks that hold the databases of these services.
    let disks: [ServiceName: SmallDisk]
    private let people = Mutex<(administrator: TestCaller, customers: [Customer])>((.anonymous, []))
    private let hasFailed = Mutex(false)

    /// The shop of the suite that runs now.
    @TaskLocal static var current: SystemShop?

    /// Starts the processes; they may not be ready yet.
    ///
    /// - Parameters:
    ///   - environment: what all services are told beside what `souk up` tells them.
    ///   - services: those that keep their database on a small disk of its own.
    convenience init(
        administratorPassword: String = SystemShop.password, environment: [String: String] = [:], disks services: [ServiceName] = []
    ) throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "souk-system-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var disks: [ServiceName: SmallDisk] = [:]
        for service in services { disks[service] = try SmallDisk.holding(service.databaseFile, in: directory) }
        try self.init(
            directory: directory, portBase: try FreePorts.base(), administratorPassword: administratorPassword, environment: environment,
            disks: disks)
    }

    /// Starts the processes over the data, and with the people, of a shop that has ended.
    convenience init(after ended: SystemShop) throws {
        try self.init(directory: ended.directory, portBase: ended.portBase, administratorPassword: ended.administratorPassword)
        let known = ended.people.withLock { $0 }
        people.withLock { $0 = known }
    }

    private init(
        directory: URL, portBase: Int, administratorPassword: String, environment: [String: String] = [:],
        disks: [ServiceName: SmallDisk] = [:]
    ) throws {
        self.administratorPassword = administratorPassword
        self.directory = directory
        self.disks = disks
        self.portBase = portBase
        souk = try SoukProcess(
            ["up", "--exit-with-parent", "--port-base", "\(portBase)", "--data-dir", directory.path, "--drain-seconds", "10"],
            environment: environment.merging([
                "SOUK_ADMIN_EMAIL": "admin@souk.local", "SOUK_ADMIN_PASSWORD": administratorPassword,
                // All customers of a test come from one address.
                "RATE_LIMITS": environment["RATE_LIMITS"] ?? "off",
            ]) { $1 },
            output: directory.appending(path: "souk.log"))
        client = try Self.client(port: portBase)
    }

    private static func client(port: Int) throws -> TestClient {
        TestClient(
            baseURL: "http://127.0.0.1:\(port)",
            identities: TestIdentities(
                secret: try ServiceSecret("nobody in the shop knows this secret"), time: .system, randomness: .system))
    }

    var administrator: TestCaller { people.withLock(\.administrator) }
    var customers: [Customer] { people.withLock(\.customers) }

    /// Speaks to one service past the gateway.
    func direct(_ service: ServiceName) throws -> TestClient { try Self.client(port: portBase + service.portOffset) }

    // MARK: Opening and closing

    func waitUntilOpen() async throws {
        try await eventually(within: .seconds(60), "the shop is open") {
            guard souk.isRunning else { throw NotInTime(description: "souk up has ended:\n\(logs())") }
            return souk.text.contains("Souk is open") ? () : nil
        }
    }

    func open(customers count: Int) async throws {
        try await waitUntilOpen()
        let administrator = try await logIn("admin@souk.local", administratorPassword).caller
        var customers: [Customer] = []
        for number in 0..<count { customers.append(try await register("customer-\(number)@example.com")) }
        people.withLock { $0 = (administrator, customers) }
    }

    func close() async {
        await souk.stop()
        if hasFailed.withLock({ $0 }) { FileHandle.standardError.write(Data((logs() + "\n").utf8)) }
        for disk in disks.values { try? disk.unmount() }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Has the ends of all logs printed when the shop closes.
    func noteFailure() { hasFailed.withLock { $0 = true } }

    func register(_ email: String) async throws -> Customer {
        let reply = try await client.post(
            "/api/users/register", ["name": "Ada", "email": .string(email), "password": .string(Self.password)])
        guard reply.status == .created else { throw NotInTime(description: "registering: \(reply.status) \(reply.text)\n\(logs())") }
        return try await logIn(email, Self.password)
    }

    private func logIn(_ email: String, _ password: String) async throws -> Customer {
        let reply = try await client.post("/api/users/login", ["email": .string(email), "password": .string(password)])
        guard let id = reply.json["userId"].integer, let token = reply.json["accessToken"].string else {
            throw NotInTime(description: "logging in: \(reply.status) \(reply.text)\n\(logs())")
        }
        return Customer(id: id, email: email, password: password, caller: .header("Bearer \(token)"))
    }

    // MARK: Looking inside

    /// The last lines of every process's log, for whoever has to find out what went wrong.
    func logs() -> String {
        let logs = directory.appending(path: "logs", directoryHint: .isDirectory)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: logs.path)) ?? []).sorted()
        let files = [directory.appending(path: "souk.log")] + names.map { logs.appending(path: $0) }
        return files.map { file in
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").filter { !$0.contains("\"message\":\"request\"") }.suffix(15)
            return "--- \(file.lastPathComponent)\n" + lines.joined(separator: "\n")
        }
        .joined(separator: "\n")
    }

    /// Runs another `souk` command on this shop to its end.
    func command(_ arguments: String...) async throws -> (status: Int32, text: String) { try await command(arguments) }

    func command(_ arguments: [String]) async throws -> (status: Int32, text: String) {
        let process = try SoukProcess(
            arguments + ["--data-dir", directory.path], output: directory.appending(path: "command-\(UUID().uuidString).log"))
        let status = try await process.waitForExit(within: .seconds(60))
        return (status, process.text)
    }
}

extension SmallDisk {
    /// A small disk within a shop's folder, with a link to the database that will be on it.
    fileprivate static func holding(_ file: String, in directory: URL) throws -> SmallDisk {
        let folder = directory.appending(path: "disk-of-\(file)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let disk = try SmallDisk(at: folder, megabytes: 12)
        try FileManager.default.createSymbolicLink(
            atPath: directory.appending(path: file).path, withDestinationPath: folder.appending(path: file).path)
        return disk
    }
}

extension ServiceName {
    /// What its database is called in a shop's folder: `orders.sqlite` for order-service.
    var databaseFile: String { rawValue.replacing("-service", with: "s.sqlite") }
}
