/// The upper bounds of a histogram's buckets, ascending. A last bucket without a bound is always there.
public struct HistogramBuckets: Sendable, Hashable {
    public let upperBounds: [Double]

    /// Bounds may come in any order; repeated and infinite ones are left out.
    public init(_ upperBounds: [Double]) {
        self.upperBounds = Set(upperBounds.filter(\.isFinite)).sorted()
    }

    /// Seconds, for timers: OpenTelemetry's advice for `http.server.request.duration`.
    public static let seconds = HistogramBuckets([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10])

    /// Plain quantities, for recorders: OpenTelemetry's default bounds.
    public static let values = HistogramBuckets([0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000])

    /// The first bucket whose bound is not below `value`; one past the last bound if there is none.
    func index(of value: Double) -> Int {
        var index = 0
        while index < upperBounds.count, upperBounds[index] < value { index += 1 }
        return index
    }
}
