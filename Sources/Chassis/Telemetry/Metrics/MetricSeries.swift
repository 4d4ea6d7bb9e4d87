import CoreMetrics
import Synchronization

/// One line of numbers with its own labels. Recording takes no lock that another series shares.
protocol MetricSeries: AnyObject, Sendable {
    var labels: MetricLabels { get }
    /// The samples as Prometheus shows them.
    var samples: [MetricSample] { get }
}

/// What only grows. Whole and fractional increments are kept apart, so that counting stays exact beyond 2⁵³.
final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
    let labels: MetricLabels
    private let whole = Atomic<Int64>(0)
    private let fractional = AtomicDouble(0)

    init(labels: MetricLabels) {
        self.labels = labels
    }

    /// Negative amounts are ignored: a counter that falls reads as a restart. At the largest integer it stays.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        let (_, sum) = whole.wrappingAdd(amount, ordering: .relaxed)
        if sum < 0 { whole.store(.max, ordering: .relaxed) }
    }

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        fractional.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fractional.value = 0
    }

    var samples: [MetricSample] {
        [MetricSample(labels: labels.labels, value: Double(whole.load(ordering: .relaxed)) + fractional.value)]
    }
}

/// What goes up and down; the last value stands.
final class GaugeSeries: MetricSeries, RecorderHandler, MeterHandler {
    let labels: MetricLabels
    private let current = AtomicDouble(0)

    init(labels: MetricLabels) {
        self.labels = labels
    }

    func set(_ value: Int64) { current.value = Double(value) }
    func set(_ value: Double) { current.value = value }
    func record(_ value: Int64) { current.value = Double(value) }
    func record(_ value: Double) { current.value = value }

    func increment(by amount: Double) {
        if amount.isFinite { current.add(amount) }
    }

    func decrement(by amount: Double) {
        if amount.isFinite { current.add(-amount) }
    }

    var samples: [MetricSample] { [MetricSample(labels: labels.labels, value: current.value)] }
}

/// How values spread over buckets. Count, sum and buckets change together under the series' own mutex, so that a scrape never sees them disagree.
final class HistogramSeries: MetricSeries, TimerHandler, RecorderHandler {
    let labels: MetricLabels
    private let buckets: HistogramBuckets
    private let state: Mutex<State>

    private struct State {
        /// Not yet cumulative; one more than there are bounds.
        var counts: [UInt64]
        var sum: Double = 0
    }

    init(labels: MetricLabels, buckets: HistogramBuckets) {
        self.labels = labels
        self.buckets = buckets
        self.state = Mutex(State(counts: Array(repeating: 0, count: buckets.upperBounds.count + 1)))
    }

    /// A clock that was set back gives negative durations; they count as none.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1_000_000_000) }

    func record(_ value: Int64) { record(Double(value)) }

    /// NaN and the infinities are ignored: one of them would spoil the sum for good.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        let index = buckets.index(of: value)
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    var samples: [MetricSample] {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        var samples: [MetricSample] = []
        var cumulative: UInt64 = 0
        for (bound, count) in zip(buckets.upperBounds + [.infinity], counts) {
            cumulative += count
            let limit = MetricLabels.Label(name: "le", value: PrometheusText.number(bound))
            samples.append(MetricSample(suffix: "_bucket", labels: labels.labels + [limit], value: Double(cumulative)))
        }
        samples.append(MetricSample(suffix: "_sum", labels: labels.labels, value: sum))
        samples.append(MetricSample(suffix: "_count", labels: labels.labels, value: Double(cumulative)))
        return samples
    }
}

/// A `Double` that many threads add to, kept as its bits because the processor has no atomic floating-point addition.
private struct AtomicDouble: ~Copyable, Sendable {
    private let bits: Atomic<UInt64>

    init(_ value: Double) {
        bits = Atomic(value.bitPattern)
    }

    var value: Double {
        get { Double(bitPattern: bits.load(ordering: .relaxed)) }
        nonmutating set { bits.store(newValue.bitPattern, ordering: .relaxed) }
    }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
