import ArgumentParser
import Chassis
import Contracts

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how every service of the running shop is, and what waits for a person.")

    @OptionGroup var options: ShopOptions

    func run() async throws {
        let directory = DataDirectory(options.dataDir)
        let rows = try await ShopClient.with(options) { client in
            var rows: [ServiceRow] = []
            for service in Fleet.services { rows.append(await ServiceRow.read(service, client, directory)) }
            return rows
        }
        Console.print(ServiceRow.table(rows))
        for row in rows { row.trouble.map { Console.print("\(row.service.rawValue): \($0)") } }
        guard rows.allSatisfy(\.isHealthy) else { throw ExitCode(1) }
    }
}

/// One service's line of `souk status`.
struct ServiceRow: Sendable {
    private struct Report: Decodable {
        let jobsWaiting: Int
        let jobsDead: Int
        let deadLetters: Int
        let ordersWaiting: Int?
    }

    let service: ServiceName
    private let health: ServiceHealth
    private let report: Report?

    var isHealthy: Bool { health.isHealthy }
    var trouble: String? { health.trouble }

    static func read(_ service: ServiceName, _ client: ShopClient, _ directory: DataDirectory) async -> ServiceRow {
        let health = await ServiceHealth.read(service, of: client.shop, in: directory, client.transport)
        let report = service == .gateway ? nil : try? await client.service(service).get("/internal/status", as: Report.self)
        return ServiceRow(service: service, health: health, report: report)
    }

    static func table(_ rows: [ServiceRow]) -> String {
        var table = TextTable("SERVICE", "HEALTH", "VERSION", "ORDERS WAITING", "JOBS WAITING", "DEAD LETTERS")
        for row in rows {
            table.add(
                row.service.rawValue, row.isHealthy ? "healthy" : "unhealthy", row.health.version ?? "-", cell(row.report?.ordersWaiting),
                cell(row.report?.jobsWaiting), cell(row.report.map { $0.deadLetters + $0.jobsDead }))
        }
        return table.text
    }

    private static func cell(_ number: Int?) -> String { number.map(String.init) ?? "-" }
}
