/// The labels of one series: names made legal for Prometheus, sorted, each once. What a series is found by.
struct MetricLabels: Hashable, Sendable, Comparable {
    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    let labels: [Label]

    static let overflow = MetricLabels([("overflow", "true")])

    /// Two dimensions whose names become the same label share it, with their values joined by `;`, as OpenTelemetry's Prometheus rules say:
    /// a scrape with a repeated label is refused whole.
    init(_ dimensions: [(String, String)]) {
        var labels = dimensions.map { Label(name: MetricName.label($0.0), value: $0.1) }
        if labels.count > 1 {
            labels.sort { $0.name < $1.name }
            labels = labels.reduce(into: []) { merged, label in
                if let last = merged.last, last.name == label.name {
                    merged[merged.count - 1] = Label(name: label.name, value: "\(last.value);\(label.value)")
                } else {
                    merged.append(label)
                }
            }
        }
        self.labels = labels
    }

    static func < (left: Self, right: Self) -> Bool {
        for (left, right) in zip(left.labels, right.labels) where left != right {
            return (left.name, left.value) < (right.name, right.value)
        }
        return left.labels.count < right.labels.count
    }
}
