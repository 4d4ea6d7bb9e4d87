import Foundation

/// One measurement.
struct Sample {
    let writesPerSecond: Double
    let cpuMicrosecondsPerWrite: Double
    let contextSwitchesPerWrite: Double

    init(written: Int, elapsed: Duration, usage: Usage) {
        let (whole, fraction) = elapsed.components
        let seconds = Double(whole) + Double(fraction) / 1e18
        let count = Double(max(written, 1))
        writesPerSecond = Double(written) / seconds
        cpuMicrosecondsPerWrite = usage.cpuSeconds * 1e6 / count
        contextSwitchesPerWrite = Double(usage.contextSwitches) / count
    }
}

/// The medians of all rounds.
struct Report: Codable {
    struct Line: Codable {
        let writers: Int
        let strategy: Strategy
        let writesPerSecond: Double
        let cpuMicrosecondsPerWrite: Double
        let contextSwitchesPerWrite: Double
        /// Against one commit each with the same number of writers.
        let ratio: Double
    }

    let rounds: Int
    let seconds: Double
    let lines: [Line]

    init(rounds: Int, seconds: Double, samples: [Case: [Sample]], writers: [Int]) {
        self.rounds = rounds
        self.seconds = seconds
        lines = writers.flatMap { count in
            let baseline = Self.median(samples[Case(writers: count, strategy: .oneCommitEach)] ?? [], \.writesPerSecond)
            return Strategy.allCases.map { strategy in
                let measured = samples[Case(writers: count, strategy: strategy)] ?? []
                let rate = Self.median(measured, \.writesPerSecond)
                return Line(
                    writers: count,
                    strategy: strategy,
                    writesPerSecond: rate,
                    cpuMicrosecondsPerWrite: Self.median(measured, \.cpuMicrosecondsPerWrite),
                    contextSwitchesPerWrite: Self.median(measured, \.contextSwitchesPerWrite),
                    ratio: baseline > 0 ? rate / baseline : 0)
            }
        }
    }

    func table() -> String {
        var text = "\nSQLite, WAL, synchronous=FULL; medians of \(rounds) rounds of \(seconds) s\n"
        text += "writers  strategy          writes/s   ratio   CPU µs/write   switches/write\n"
        for line in lines {
            text += "\(line.writers)".padding(toLength: 9, withPad: " ", startingAt: 0)
            text += line.strategy.rawValue.padding(toLength: 16, withPad: " ", startingAt: 0)
            text += String(
                format: "%10.0f  %5.2fx   %12.1f   %14.2f\n",
                line.writesPerSecond, line.ratio, line.cpuMicrosecondsPerWrite, line.contextSwitchesPerWrite)
        }
        return text
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private static func median(_ samples: [Sample], _ value: KeyPath<Sample, Double>) -> Double {
        let sorted = samples.map { $0[keyPath: value] }.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
