/// A metric family of whichever type, as the registry keeps it by name.
enum RegisteredFamily {
    case counter(MetricFamily<CounterSeries>)
    case gauge(MetricFamily<GaugeSeries>)
    case histogram(MetricFamily<HistogramSeries>)

    var type: MetricType {
        switch self {
        case .counter: .counter
        case .gauge: .gauge
        case .histogram: .histogram
        }
    }

    var snapshot: MetricFamilySnapshot {
        switch self {
        case .counter(let family): family.snapshot
        case .gauge(let family): family.snapshot
        case .histogram(let family): family.snapshot
        }
    }

    var overflowed: UInt64 {
        switch self {
        case .counter(let family): family.overflowed
        case .gauge(let family): family.overflowed
        case .histogram(let family): family.overflowed
        }
    }

    /// Forgets the series behind a handler, if it is one of this family.
    func remove(_ handler: AnyObject) {
        switch self {
        case .counter(let family): (handler as? CounterSeries).map(family.remove)
        case .gauge(let family): (handler as? GaugeSeries).map(family.remove)
        case .histogram(let family): (handler as? HistogramSeries).map(family.remove)
        }
    }
}
