public import CoreMetrics
import Synchronization

/// The swift-metrics backend of every service: keeps the numbers in memory and shows them as a Prometheus scrape.
///
/// Counters end in `_total`; timers become histograms in seconds ending in `_seconds`; a `Recorder` that aggregates becomes a histogram, any other,
/// like a `Meter`, a gauge. Asking again for the same label and dimensions gives the same series, so that middleware may make its metrics anew at each
/// request. Recording touches only its own series: an atomic, or for histograms a mutex of their own.
///
/// Two instruments whose names become the same one in Prometheus, but which are of different types, cannot both be shown: the later one counts
/// into the void, and `metrics_name_conflicts_total` says so.
public final class PrometheusRegistry: MetricsFactory {
    /// The Content-Type of what ``render()`` returns.
    public static let contentType = PrometheusText.contentType

    private let buckets: [String: HistogramBuckets]
    private let help: [String: String]
    private let seriesLimit: Int
    private let processMetrics: ProcessMetrics?
    private let state = Mutex(State())

    private enum Instrument: Hashable {
        case counter, gauge, timer, recorder
    }

    private struct Request: Hashable {
        let instrument: Instrument
        let label: String
    }

    private struct State {
        /// What was asked for before; nil where the name belongs to another type.
        var families: [Request: RegisteredFamily?] = [:]
        var byName: [String: RegisteredFamily] = [:]
        /// Every sample name in use, with the family it belongs to: a histogram takes four.
        var claimedNames: [String: String] = [:]
        var conflicts: UInt64 = 0
    }

    /// - Parameters:
    ///   - buckets: bounds for timers (in seconds) and recorders, by the label used in code; others get ``HistogramBuckets/seconds`` and ``HistogramBuckets/values``.
    ///   - help: the HELP text by the label used in code.
    ///   - seriesLimit: how many combinations of labels one metric may have.
    ///   - processMetrics: also shows memory, CPU time, file descriptors and start time, where `/proc` tells them.
    public init(
        buckets: [String: HistogramBuckets] = [:], help: [String: String] = [:], seriesLimit: Int = 2_000, processMetrics: Bool = true
    ) {
        self.buckets = buckets
        self.help = help
        self.seriesLimit = seriesLimit
        self.processMetrics = processMetrics ? .thisProcess : nil
    }

    /// Everything counted so far, in the Prometheus text format 0.0.4, sorted by name and labels.
    public func render() -> String {
        let (families, conflicts) = state.withLock { (Array($0.byName.values), $0.conflicts) }
        var snapshots = processMetrics?.snapshots ?? []
        var overflows: [MetricSample] = []
        for family in families {
            let (snapshot, overflowed) = (family.snapshot, family.overflowed)
            snapshots.append(snapshot)
            guard overflowed > 0 else { continue }
            overflows.append(MetricSample(labels: [.init(name: "metric", value: snapshot.name)], value: Double(overflowed)))
        }
        snapshots.append(
            MetricFamilySnapshot(
                name: Self.overflowName, help: "How often a metric was asked for a series beyond its limit.", type: .counter,
                samples: overflows.sorted { $0.labels[0].value < $1.labels[0].value }))
        snapshots.append(
            MetricFamilySnapshot(
                name: Self.conflictName, help: "Metrics not shown because another type has their name.", type: .counter,
                samples: [MetricSample(value: Double(conflicts))]))
        return PrometheusText.render(snapshots)
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(.recorder, label, dimensions) : gauge(label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(.timer, label, dimensions)
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }
}

// MARK: - Finding and making families

extension PrometheusRegistry {
    private static let overflowName = "metrics_series_overflow_total"
    private static let conflictName = "metrics_name_conflicts_total"

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        guard case .counter(let family) = family(Request(instrument: .counter, label: label)) else {
            return CounterSeries(labels: MetricLabels(dimensions))
        }
        return family.series(dimensions)
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        guard case .gauge(let family) = family(Request(instrument: .gauge, label: label)) else {
            return GaugeSeries(labels: MetricLabels(dimensions))
        }
        return family.series(dimensions)
    }

    private func histogram(_ instrument: Instrument, _ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        guard case .histogram(let family) = family(Request(instrument: instrument, label: label)) else {
            return HistogramSeries(labels: MetricLabels(dimensions), buckets: .values)
        }
        return family.series(dimensions)
    }

    private func family(_ request: Request) -> RegisteredFamily? {
        state.withLock { state in
            if let known = state.families[request] { return known }
            let family = register(request, in: &state)
            state.families.updateValue(family, forKey: request)
            if family == nil { state.conflicts += 1 }
            return family
        }
    }

    /// Nil if one of the names is another family's, unless it is the same metric asked for by another spelling.
    private func register(_ request: Request, in state: inout State) -> RegisteredFamily? {
        let (name, type): (String, MetricType) =
            switch request.instrument {
            case .counter: (MetricName.counter(request.label), .counter)
            case .gauge: (MetricName.metric(request.label), .gauge)
            case .timer: (MetricName.timer(request.label), .histogram)
            case .recorder: (MetricName.metric(request.label), .histogram)
            }
        if let known = state.byName[name] { return known.type == type ? known : nil }

        let sampleNames = type == .histogram ? [name, name + "_bucket", name + "_sum", name + "_count"] : [name]
        let isReserved = name == Self.overflowName || name == Self.conflictName || name.hasPrefix("process_")
        guard !isReserved, sampleNames.allSatisfy({ state.claimedNames[$0] == nil }) else { return nil }
        for sampleName in sampleNames { state.claimedNames[sampleName] = name }

        let family = makeFamily(request, name: name)
        state.byName[name] = family
        return family
    }

    private func makeFamily(_ request: Request, name: String) -> RegisteredFamily {
        let help = help[request.label] ?? "\(request.label)"
        let bounds = buckets[request.label] ?? (request.instrument == .timer ? .seconds : .values)
        switch request.instrument {
        case .counter:
            return .counter(MetricFamily(name: name, help: help, type: .counter, limit: seriesLimit) { CounterSeries(labels: $0) })
        case .gauge:
            return .gauge(MetricFamily(name: name, help: help, type: .gauge, limit: seriesLimit) { GaugeSeries(labels: $0) })
        case .timer, .recorder:
            return .histogram(
                MetricFamily(name: name, help: help, type: .histogram, limit: seriesLimit) { HistogramSeries(labels: $0, buckets: bounds) })
        }
    }

    private func destroy(_ handler: AnyObject) {
        for family in state.withLock({ Array($0.byName.values) }) { family.remove(handler) }
    }
}
