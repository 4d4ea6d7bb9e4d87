import Synchronization

/// All series of one metric name. At most `limit` of them: when labels turn out to be unbounded, what comes later shares one series
/// with the single label `overflow="true"`, so that sums stay right and memory stays bounded.
final class MetricFamily<Series: MetricSeries>: Sendable {
    let name: String
    let help: String
    let type: MetricType
    private let limit: Int
    private let make: @Sendable (MetricLabels) -> Series
    private let state = Mutex(State())

    private struct State {
        var series: [MetricLabels: Series] = [:]
        /// The same series by the dimensions as the code spells them, which spares making labels of them at every use. At most twice the limit.
        var bySpelling: [MetricDimensions: Series] = [:]
        var overflow: Series?
        var overflowed: UInt64 = 0
    }

    init(name: String, help: String, type: MetricType, limit: Int, make: @escaping @Sendable (MetricLabels) -> Series) {
        self.name = name
        self.help = help
        self.type = type
        self.limit = limit
        self.make = make
    }

    /// The series with these dimensions, made on first use. The same dimensions in any order are the same series.
    func series(_ dimensions: [(String, String)]) -> Series {
        let spelling = MetricDimensions(pairs: dimensions)
        if let known = state.withLock({ $0.bySpelling[spelling] }) { return known }
        let labels = MetricLabels(dimensions)
        return state.withLock { state in
            guard let series = state.series[labels] ?? (state.series.count < limit ? make(labels) : nil) else { return overflow(&state) }
            state.series[labels] = series
            if state.bySpelling.count < 2 * limit { state.bySpelling[spelling] = series }
            return series
        }
    }

    private func overflow(_ state: inout State) -> Series {
        state.overflowed += 1
        let overflow = state.overflow ?? make(.overflow)
        state.overflow = overflow
        return overflow
    }

    /// Forgets a series; the overflow series stays.
    func remove(_ series: Series) {
        state.withLock { state in
            guard state.series[series.labels] === series else { return }
            state.series[series.labels] = nil
            state.bySpelling = state.bySpelling.filter { $0.value !== series }
        }
    }

    /// How often dimensions beyond the limit were asked for.
    var overflowed: UInt64 { state.withLock { $0.overflowed } }

    var snapshot: MetricFamilySnapshot {
        let (series, overflow) = state.withLock { (Array($0.series.values), $0.overflow) }
        let all = series.sorted { $0.labels < $1.labels } + (overflow.map { [$0] } ?? [])
        return MetricFamilySnapshot(name: name, help: help, type: type, samples: all.flatMap(\.samples))
    }
}

/// Dimensions exactly as an instrument was asked for with.
private struct MetricDimensions: Hashable {
    let pairs: [(String, String)]

    static func == (left: Self, right: Self) -> Bool {
        left.pairs.count == right.pairs.count && zip(left.pairs, right.pairs).allSatisfy { $0 == $1 }
    }

    func hash(into hasher: inout Hasher) {
        for (name, value) in pairs {
            hasher.combine(name)
            hasher.combine(value)
        }
    }
}
