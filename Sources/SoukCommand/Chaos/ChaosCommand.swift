import ArgumentParser
import Foundation

struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Runs a shop of its own under load, kills, freezes and cuts off its services, and checks that every promise was kept.",
        discussion: """
            What is done when comes from the seed; what the processes make of it does not. Ends with 0 when every accepted order was found \
            again and the books are in order, else with 1, and then keeps the shop's folder.
            """)

    @Option(help: "For how long services are troubled.")
    var seconds = 60

    @Option(help: "From which the schedule is drawn; by chance without.")
    var seed: UInt64?

    @Option(help: "A folder for the shop that does not exist yet, and is kept; without, a temporary one.")
    var dataDir: String?

    @Option(help: "Where the shop's ports begin; free ones without.")
    var portBase: Int?

    @Flag(help: "Print one JSON document.")
    var json = false

    func validate() throws {
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds must be between 1 and 86400.") }
        guard portBase.map((1...65_526).contains) ?? true else { throw ValidationError("--port-base must be between 1 and 65526.") }
    }

    func run() async throws {
        let directory = try folder()
        let ports = try freePorts()
        let seed = self.seed ?? UInt64.random(in: 1...999_999)
        let isSilent = json
        let narrate: @Sendable (String) -> Void = { if !isSilent { Console.print($0) } }
        narrate("A shop in \(directory.path), seed \(seed)")
        let chaos = ChaosRun(seed: seed, length: .seconds(seconds), directory: directory, portBase: ports, narrate: narrate)
        guard let report = try await Interruption.wait(for: chaos.run, notice: "Stopping …") else {
            if dataDir == nil { try FileManager.default.removeItem(at: directory.url) }
            throw ExitCode(130)
        }
        Console.print(json ? try document(of: report) : report.text)
        guard report.holds else {
            narrate("\nThe shop is kept in \(directory.path). Again: souk chaos --seconds \(seconds) --seed \(seed)")
            throw ExitCode(1)
        }
        if dataDir == nil { try FileManager.default.removeItem(at: directory.url) }
    }

    private func folder() throws -> DataDirectory {
        let path = dataDir ?? FileManager.default.temporaryDirectory.path(percentEncoded: false) + "/souk-chaos-\(UUID().uuidString)"
        guard !FileManager.default.fileExists(atPath: path) else { throw ChaosError.directoryInUse(path) }
        let directory = DataDirectory(path)
        try directory.create()
        return directory
    }

    private func freePorts() throws -> Int {
        guard let base = portBase ?? Ports.freeBase(host: "127.0.0.1") else { throw ChaosError.noFreePorts }
        let busy = Ports.inUse(Fleet.ports(from: base), host: "127.0.0.1")
        guard busy.isEmpty else { throw ShopError.portsInUse(busy) }
        return base
    }

    private func document(of report: ChaosReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
