import ArgumentParser
import Chassis
import Contracts
import Foundation
import HTTPTypes

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how every service of the running shop is, and what waits for a person.")

    @OptionGroup var options: ShopOptions

    func run() async throws {
        let rows = try await ShopClient.with(options) { client in
            var rows: [ServiceRow] = []
            for service in Fleet.services { rows.append(await ServiceRow.read(service, client)) }
            return rows
        }
        Console.print(ServiceRow.table(rows))
        guard rows.allSatisfy(\.isHealthy) else { throw ExitCode(1) }
    }
}

/// One service's line of `souk status`.
struct ServiceRow: Sendable {
    private struct Health: Decodable {
        let version: String?
    }

    private struct Report: Decodable {
        let jobsWaiting: Int
        let jobsDead: Int
        let deadLetters: Int
        let ordersWaiting: Int?
    }

    let service: ServiceName
    let isHealthy: Bool
    private let version: String
    private let report: Report?

    static func read(_ service: ServiceName, _ client: ShopClient) async -> ServiceRow {
        let address = client.shop.address(of: service)
        let probe = OutboundRequest(method: .get, url: address + (service == .gateway ? "/ready" : "/health"), headers: [:], body: nil)
        let response = try? await client.transport.send(probe, timeout: .seconds(2))
        let health = response.flatMap { try? JSON.decode(Health.self, from: $0.body) }
        let report = service == .gateway ? nil : try? await client.service(service).get("/internal/status", as: Report.self)
        return ServiceRow(service: service, isHealthy: response?.status == .ok, version: health?.version ?? "-", report: report)
    }

    static func table(_ rows: [ServiceRow]) -> String {
        var table = TextTable("SERVICE", "HEALTH", "VERSION", "ORDERS WAITING", "JOBS WAITING", "DEAD LETTERS")
        for row in rows {
            table.add(
                row.service.rawValue, row.isHealthy ? "healthy" : "unhealthy", row.version, cell(row.report?.ordersWaiting),
                cell(row.report?.jobsWaiting), cell(row.report.map { $0.deadLetters + $0.jobsDead }))
        }
        return table.text
    }

    private static func cell(_ number: Int?) -> String { number.map(String.init) ?? "-" }
}
