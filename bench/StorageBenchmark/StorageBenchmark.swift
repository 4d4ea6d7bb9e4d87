import ArgumentParser
import ChassisStorage
import Foundation
import Logging

/// Writes per second with group commit against one commit each: the same statement, the same durability, in turn.
///
/// Each measurement gets a new database in the same directory, so the disk is the same too. Rounds alternate the two ways, so that
/// a machine that slows down slows both; medians are compared.
@main
struct StorageBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "storage-benchmark",
        abstract: "Measures durable SQLite writes per second: group commit against one commit each.")

    @Option(help: "Rounds, each of which measures everything once.")
    var rounds = 5

    @Option(help: "Seconds per measurement.")
    var seconds = 1.0

    @Option(help: "Concurrent writers to measure with.")
    var writers: [Int] = [1, 8, 64]

    @Option(help: "Where the databases are made. The disk under it is what is measured.")
    var directory = NSTemporaryDirectory()

    @Flag(help: "Print one JSON document instead of a table.")
    var json = false

    func validate() throws {
        guard rounds > 0, seconds > 0, !writers.isEmpty, writers.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("rounds, seconds and writers must be positive")
        }
    }

    func run() async throws {
        var samples: [Case: [Sample]] = [:]
        for round in 1...rounds {
            if !json { print("round \(round) of \(rounds)") }
            for count in writers {
                for strategy in Strategy.allCases {
                    let sample = try await measure(strategy, writers: count)
                    samples[Case(writers: count, strategy: strategy), default: []].append(sample)
                }
            }
        }
        let report = Report(rounds: rounds, seconds: seconds, samples: samples, writers: writers)
        print(json ? try report.json() : report.table())
    }

    private func measure(_ strategy: Strategy, writers: Int) async throws -> Sample {
        let folder = URL(fileURLWithPath: directory).appendingPathComponent("storage-benchmark-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do {
                try FileManager.default.removeItem(at: folder)
            } catch {
                print("left behind: \(folder.path): \(error)")
            }
        }
        let database = try await Database.open(
            .sqlite(path: folder.appendingPathComponent("orders.db").path),
            migrations: [Workload.migration],
            options: DatabaseOptions(groupCommit: strategy.limits),
            logger: Logger(label: "benchmark", factory: { _ in SwiftLogNoOpLogHandler() }))
        let sample = try await Workload.run(on: database, writers: writers, seconds: seconds)
        await database.close()
        return sample
    }
}

/// The two ways to commit.
enum Strategy: String, CaseIterable, Codable {
    case groupCommit = "group commit"
    case oneCommitEach = "one commit each"

    var limits: GroupCommitLimits {
        switch self {
        case .groupCommit: GroupCommitLimits()
        case .oneCommitEach: GroupCommitLimits(maximumBatch: 1)
        }
    }
}

struct Case: Hashable {
    let writers: Int
    let strategy: Strategy
}
